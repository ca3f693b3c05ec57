//! YAML 1.1 as `PyYAML`'s `safe_load` reads it, with source positions.
//!
//! A `.taskcluster.yml` is read by Python when a decision task is made: `on` is true there, `010` is 8 and
//! `1e3` is a string. A verifier of that task must read the same. So each stage here follows `PyYAML` 6.0.3
//! where it and the specification differ:
//!
//! characters (`reader`) → tokens (`scanner`) → events (`parser`) → a graph with aliases (`composer`,
//! `resolver`) → a tree of values (`constructor`, `merge`, `scalar`, `timestamp`).
//!
//! ```
//! use catena_yaml::{Limits, load};
//!
//! let document = load("retries: 010\nnotify: on\n", &Limits::default())?;
//! assert_eq!(document.root.to_json()?.to_string(), r#"{"retries":8,"notify":true}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is refused though `PyYAML` reads it
//!
//! No text is read differently; these are refused instead:
//!
//! - what passes one of the [`Limits`];
//! - an alias inside the node it names, which Python reads as an object that contains itself;
//! - `"\ud800"`: half of a surrogate pair is no character;
//! - two keys of one mapping that are not-a-number, where Python compares identities;
//! - a mapping with a scalar's tag, which Python reads as the value of its key `=`; an alias of the key `=`;
//!   an item of `!!omap` or `!!pairs` that holds a `<<` or `=` and was constructed before through an alias:
//!   what they mean depends on the order in which Python constructs objects;
//! - digits and white space beyond ASCII behind `!!int` and `!!float`, a sexagesimal float of more than 13
//!   parts, and a `%YAML` version of more than nine digits.
//!
//! # Cost
//!
//! Only the last stage recurses, no deeper than [`Limits::depth`]. The scanner looks ahead of the parser
//! by 1024 characters at most, as a simple key is no longer than that. Aliases and merges are paid for by
//! what they expand to.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod composer;
mod constructor;
mod error;
mod limits;
mod merge;
mod node;
mod parser;
mod reader;
mod resolver;
mod scalar;
mod scanner;
mod tag;
mod timestamp;

pub use error::{Error, ErrorKind, LimitKind, Mark};
pub use limits::Limits;
pub use node::{Document, Node, NodeValue, NotJson, NotJsonKind};
pub use timestamp::{TimeOfDay, Timestamp};

/// Reads the single document of a text, as `yaml.safe_load(text)` does for a `str`.
///
/// # Errors
/// Says what is wrong and where; see [`ErrorKind`].
pub fn load(text: &str, limits: &Limits) -> Result<Document, Error> {
    let reader = reader::Reader::new(text, limits)?;
    let parser = parser::Parser::new(scanner::Scanner::new(reader));
    constructor::construct(composer::compose(parser, limits)?, limits)
}

/// Reads the single document of a text that is still bytes, as `yaml.safe_load(data)` does for `bytes`:
/// UTF-16 when they start with its byte order mark, else UTF-8.
///
/// # Errors
/// Says what is wrong and where; see [`ErrorKind`].
pub fn load_bytes(bytes: &[u8], limits: &Limits) -> Result<Document, Error> {
    limits.check(LimitKind::Bytes, bytes.len(), Mark::START)?;
    load(&reader::decode(bytes)?, limits)
}
