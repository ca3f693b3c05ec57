//! The policy: how a product's chains are verified, as data.
//!
//! ```text
//!   files ── document ──▶ format ──▶ layers ──▶ reader ──▶ soundness ──▶ Policy
//!            (YAML with   (which     (extends,  (leaves    (parts fit
//!             places)      keys)      defaults)  parse)     together)
//! ```
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod diagnostic;
mod document;
mod format;
mod identity;
pub mod import;
mod keys;
mod layers;
mod pattern;
mod places;
mod policy;
mod product;
mod reader;
mod restrictions;
mod rule;
mod soundness;
mod trust;
mod usage;
mod validity;
mod worker_implementation;

pub use diagnostic::{Diagnostic, Severity};
pub use format::VERSION as FORMAT_VERSION;
pub use identity::{KeysId, PolicyId};
pub use keys::KeyRing;
pub use places::{Places, PolicyLine};
pub use policy::Policy;
pub use product::{ImageKinds, KindRole, Landed, PolicyError, Product, RepositoryRule, ScopeRule, Vcs};
pub use rule::Rule;
pub use trust::{AuditKind, AuditNote, EditError, Revocation, Rotation, TrustFile, TrustRecord, audit};
pub use usage::{KeyUse, NotPermitted, PairPattern, Usage};
pub use worker_implementation::{UnknownImplementation, worker_implementation, worker_signs};

/// The shipped policy, as text: `policies/firefox-ci.yml`.
pub const FIREFOX_CI: &str = include_str!("../../../policies/firefox-ci.yml");
