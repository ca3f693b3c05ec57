//! Verification: evidence asked for and given, the checks, the verdict and the clearance.
//!
//! This crate has no IO, clock, randomness or threads. A verification lists its needs, the caller
//! supplies facts, and when nothing is missing the verdict is concluded:
//!
//! ```text
//!              needs                     facts                    findings
//!   Verification ─────────▶  driver (fetch) ─────────▶  Verification  ─────────────▶  Verdict
//! ```
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

pub mod checks;
pub mod compare;
pub mod schema;
pub mod verdict;
pub mod verification;

/// The version of this program, which verdicts name.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
