//! The Chain of Trust itself: the nouns, the policy, the inquiry, the checks and the verdict.
//!
//! Nothing here touches the world: no IO, no clock, no randomness, no threads. An inquiry says what
//! it needs to know, a driver supplies facts, and when nothing is missing the verdict is concluded:
//!
//! ```text
//!              needs                     facts                    findings
//!   Inquiry ─────────▶  driver (fetch) ─────────▶  Inquiry  ─────────────▶  Verdict
//! ```
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

pub mod checks;
pub mod compare;
pub mod custody;
pub mod digest;
pub mod document;
pub mod fnmatch;
pub mod graph;
pub mod inquiry;
mod limits;
pub mod policy;
mod projects;
pub mod schema;
pub mod source;
pub mod task;
pub mod verdict;

pub use limits::Limits;
