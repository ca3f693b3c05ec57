//! JSON values compared by rules written down.
//!
//! A Chain of Trust compares documents that travelled through several programs: the queue
//! stores them in a database that reorders keys, workers print them in their own way. What has
//! to agree is the *value*, so this crate says exactly what a value is:
//!
//! - objects are equal when they have equal members, in any order; a key that stands twice is
//!   refused when read, because readers disagree about which of the two counts;
//! - numbers are compared exactly: integers of any size stay integers, `1` equals `1.0`, and
//!   neither ever equals `true`;
//! - `NaN`, `Infinity`, trailing bytes, invalid UTF-8 and nesting beyond a limit are refused.
//!
//! ```
//! use catena_json::{Limits, parse};
//! let queue = parse(br#"{"a": 1, "b": [true]}"#, &Limits::default())?;
//! let worker = parse(br#"{"b": [true], "a": 1.0}"#, &Limits::default())?;
//! assert_eq!(queue, worker);
//! assert!(parse(br#"{"a": 1, "a": 1}"#, &Limits::default()).is_err());
//! # Ok::<(), catena_json::ParseError>(())
//! ```
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod map;
mod number;
mod parse;
mod path;
mod print;
mod value;

pub use map::{Map, Members, MembersMut};
pub use number::Number;
pub use parse::{Limits, ParseError, ParseErrorKind, parse};
pub use path::{Path, Segment};
pub use value::Value;
