//! The Chain of Trust itself: the nouns, the policy, the verification, the checks and the verdict.
//!
//! Nothing here touches the world: no IO, no clock, no randomness, no threads. A verification says what
//! it needs to know, a driver supplies facts, and when nothing is missing the verdict is concluded:
//!
//! ```text
//!              needs                     facts                    findings
//!   Verification ─────────▶  driver (fetch) ─────────▶  Verification  ─────────────▶  Verdict
//! ```
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

pub mod checks;
pub mod compare;
pub mod custody;
pub mod digest;
pub mod document;
pub mod fnmatch;
pub mod graph;
mod limits;
pub mod policy;
mod projects;
pub mod schema;
pub mod source;
pub mod task;
pub mod verdict;
pub mod verification;

pub use jiff::Timestamp;
pub use limits::Limits;

/// The version of this program, which verdicts name.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
