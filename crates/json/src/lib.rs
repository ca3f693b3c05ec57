//! JSON values with documented comparison rules.
//!
//! A Chain of Trust compares documents that passed through several programs: the queue stores them in a
//! database that reorders keys, and workers print them differently. Only the *value* has to agree, so
//! this crate defines exactly what a value is:
//!
//! - objects are equal if they have equal members, in any order; a duplicate key is refused when
//!   parsed, because readers disagree about which one counts;
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
