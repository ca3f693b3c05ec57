//! A verdict for people and machines.
//!
//! [`text()`] prints the outcome first and then each failed finding with the expected and the actual
//! value, their authorities and the action to take; [`json()`] contains the same and every passed
//! finding, in the versioned schema of `docs/verdict-json.md`; [`tree()`] draws the chain. This crate decides
//! nothing: a report shows the verdict. All of them contain outside text, so they escape whatever could
//! deceive on a terminal ([`escape`]). [`ReadVerdict`] parses the JSON.
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
mod tree;

pub use headline::headline;
pub use hints::{Cause, Hint, causes, code_advice, code_causes, hints};
pub use json::{SCHEMA, json, json_line, json_value};
pub use line::line;
pub use order::failed_codes;
pub use read::{ReadError, ReadFinding, ReadKeys, ReadPolicy, ReadRelaxed, ReadVerdict};
pub use text::{TextOptions, text};
pub use tree::tree;
