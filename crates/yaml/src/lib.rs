//! YAML 1.1 as PyYAML's safe_load reads it, with source positions.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod composer;
mod constructor;
mod error;
mod limits;
mod merge;
mod node;
mod notice;
mod parser;
mod reader;
mod resolver;
mod scalar;
mod scanner;
mod tag;
mod timestamp;

pub use error::{Error, ErrorKind, LimitKind, Mark};
pub use limits::{DuplicateKeys, Limits, Options};
pub use node::{Document, Node, NodeValue, NotJson, NotJsonKind};
pub use notice::{Notice, NoticeKind, Reading};
pub use timestamp::{TimeOfDay, Timestamp};

/// Reads the single document of a text.
///
/// # Errors
/// Says what is wrong and where; see [`ErrorKind`].
pub fn load(text: &str, options: &Options) -> Result<Document, Error> {
    let reader = reader::Reader::new(text, &options.limits)?;
    let parser = parser::Parser::new(scanner::Scanner::new(reader));
    constructor::construct(composer::compose(parser, options)?, options)
}

/// Reads the single document of a text that is still bytes: UTF-16 when they start with its byte order
/// mark, else UTF-8.
///
/// # Errors
/// Says what is wrong and where; see [`ErrorKind`].
pub fn load_bytes(bytes: &[u8], options: &Options) -> Result<Document, Error> {
    options.limits.check(LimitKind::Bytes, bytes.len(), Mark::START)?;
    load(&reader::decode(bytes)?, options)
}
