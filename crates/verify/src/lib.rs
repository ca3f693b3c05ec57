//! Verification: evidence asked for and given, the checks, the verdict and the clearance.
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
pub mod schema;
pub mod verdict;
pub mod verification;

/// The version of this program, which verdicts name.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
