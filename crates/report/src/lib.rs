//! A verdict for people and machines.
//!
//! [`text()`] puts the answer first and then shows each failed finding with what was expected, what
//! was there, who says so and what to do; [`json()`] holds the same and every passed finding, in the
//! versioned schema of `docs/verdict-json.md`. Nothing here decides anything: a report says what the
//! verdict holds. Both are made of text that others wrote, so both escape whatever could forge what
//! a terminal shows ([`escape`]). [`ReadVerdict`] reads the JSON back.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod causes;
mod diff;
pub mod escape;
mod headline;
mod hints;
mod json;
mod line;
mod order;
mod page;
mod proof;
mod read;
pub mod shadow;
mod text;

pub use headline::headline;
pub use hints::{HINTS, advice, hint};
pub use json::{SCHEMA, json, json_line, json_value};
pub use line::line;
pub use read::{ReadError, ReadFinding, ReadKeys, ReadPolicy, ReadRelaxed, ReadVerdict};
pub use text::{TextOptions, text};
