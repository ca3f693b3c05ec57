//! Taskcluster's nouns: ids, names, digests, definitions, statuses, documents, task graphs and sources.
//!
//! Each is a type with one constructor: what does not parse does not exist. Nothing here touches the world.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

pub mod custody;
pub mod digest;
pub mod document;
pub mod fnmatch;
pub mod found;
pub mod graph;
mod limits;
pub mod lookalike;
pub mod moment;
pub mod projects;
pub mod source;
pub mod task;

pub use jiff::Timestamp;
pub use limits::Limits;
