//! Parsing objects with a fixed set of members.

use super::{CustodyError, LARGEST};
use crate::digest::Digest;
use catena_json::{Map, Path, Value};

/// The longest text in a record.
const LONGEST_TEXT: usize = 1024;

/// An object whose members must all be parsed, without further members.
pub(super) struct Members<'a> {
    map: &'a Map,
    path: Path,
}

impl<'a> Members<'a> {
    /// An object whose members are all among `known`.
    pub(super) fn of(value: &'a Value, path: Path, known: &[&str]) -> Result<Self, CustodyError> {
        let Value::Object(map) = value else { return Err(CustodyError::malformed(path, "an object")) };
        match map.keys().find(|key| !known.contains(key)) {
            Some(key) => Err(CustodyError::malformed(path.key(key), "a member of this version")),
            None => Ok(Self { map, path }),
        }
    }

    pub(super) fn path(&self, key: &str) -> Path {
        self.path.key(key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key)
    }

    pub(super) fn required(&self, key: &str, expected: &'static str) -> Result<&'a Value, CustodyError> {
        self.get(key).ok_or_else(|| CustodyError::malformed(self.path(key), expected))
    }

    /// Text that can be shown on one line.
    pub(super) fn text(&self, key: &str) -> Result<&'a str, CustodyError> {
        const EXPECTED: &str = "text of 1 to 1,024 bytes without control characters";
        let text = self.required(key, EXPECTED)?.as_str().filter(|text| is_text(text));
        text.ok_or_else(|| CustodyError::malformed(self.path(key), EXPECTED))
    }

    pub(super) fn optional_text(&self, key: &str) -> Result<Option<&'a str>, CustodyError> {
        self.get(key).map(|_| self.text(key)).transpose()
    }

    /// A number of bytes.
    pub(super) fn size(&self, key: &str) -> Result<u64, CustodyError> {
        const EXPECTED: &str = "an integer from 0 to 2^53 - 1";
        let size = self.required(key, EXPECTED)?.as_u64().filter(|size| *size <= LARGEST);
        size.ok_or_else(|| CustodyError::malformed(self.path(key), EXPECTED))
    }

    /// `sha256:<hex>`.
    pub(super) fn digest(&self, key: &str) -> Result<[u8; 32], CustodyError> {
        const EXPECTED: &str = "sha256: and 64 lowercase hexadecimal digits";
        match self.required(key, EXPECTED)?.as_str().map(Digest::parse_prefixed) {
            Some(Ok(Digest::Sha256(digest))) => Ok(digest),
            _ => Err(CustodyError::malformed(self.path(key), EXPECTED)),
        }
    }

    pub(super) fn optional_digest(&self, key: &str) -> Result<Option<[u8; 32]>, CustodyError> {
        self.get(key).map(|_| self.digest(key)).transpose()
    }

    /// The version of the record, which must be the integer 1.
    pub(super) fn version(value: &Value, path: &Path) -> Result<(), CustodyError> {
        let version = match value {
            Value::Object(map) => map.get("version"),
            _ => return Err(CustodyError::malformed(path.clone(), "an object")),
        };
        match version {
            Some(version) if version.as_u64() == Some(1) => Ok(()),
            Some(other) if other.as_number().is_some_and(catena_json::Number::is_integer) => {
                Err(CustodyError::Version(other.to_string().chars().take(40).collect()))
            }
            _ => Err(CustodyError::malformed(path.key("version"), "an integer")),
        }
    }
}

pub(super) fn is_text(text: &str) -> bool {
    (1..=LONGEST_TEXT).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// An object of these members, without missing ones.
pub(super) fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let members = members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(members.collect())
}

pub(super) fn digest_value(digest: [u8; 32]) -> Value {
    Digest::Sha256(digest).to_string().into()
}
