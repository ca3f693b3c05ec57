//! The tree of values a document is read as.

use std::fmt;

use catena_json::{Map, Number, Path, Segment, Value};
use num_bigint::BigInt;

use crate::error::Mark;
use crate::timestamp::Timestamp;

/// A document that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its value; null when the text holds none.
    pub root: Node,
}

impl Document {
    /// Where the value at `path` stands in the text. A value that came through an alias or `<<` stands
    /// where it was written first.
    #[must_use]
    pub fn position(&self, path: &Path) -> Option<Mark> {
        let mut node = &self.root;
        for segment in path.segments() {
            node = match (segment, &node.value) {
                (Segment::Key(name), NodeValue::Mapping(_)) => node.get(name)?,
                (Segment::Index(at), NodeValue::Sequence(items)) => items.get(*at)?,
                _ => return None,
            };
        }
        Some(node.mark)
    }
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: NodeValue,
    /// Where it starts: at its anchor or tag, if it has one. For an alias, where the named node starts.
    pub mark: Mark,
}

/// What `safe_load` can make of a node.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeValue {
    /// Python's `None`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer of any size.
    Int(BigInt),
    /// A float; it may be infinite or not a number.
    Float(f64),
    /// A text.
    String(String),
    /// A date or a point in time.
    Timestamp(Timestamp),
    /// Bytes.
    Binary(Vec<u8>),
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping. No two keys are equal as Python compares them, in the order in which they came up.
    Mapping(Vec<(Node, Node)>),
    /// A set, as `!!set` gives it.
    Set(Vec<Node>),
    /// A list of pairs, as `!!omap` and `!!pairs` give it.
    Pairs(Vec<(Node, Node)>),
}

/// A value that JSON cannot hold, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at {mark}")]
pub struct NotJson {
    /// Where it stands.
    pub mark: Mark,
    /// What it is.
    pub what: NotJsonKind,
}

/// What JSON cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotJsonKind {
    /// A mapping key that is not a string.
    Key,
    /// An infinite float or not-a-number.
    Float,
    /// A date or a point in time.
    Timestamp,
    /// Bytes.
    Binary,
    /// A set.
    Set,
    /// A list of pairs, which Python has as tuples.
    Pairs,
}

impl fmt::Display for NotJsonKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "a mapping key that is not a string",
            Self::Float => "a float that is not finite",
            Self::Timestamp => "a date or time",
            Self::Binary => "binary data",
            Self::Set => "a set",
            Self::Pairs => "a list of pairs",
        })
    }
}

impl Node {
    /// The value of a mapping's string key.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Node> {
        let NodeValue::Mapping(entries) = &self.value else { return None };
        let named = |key: &Node| matches!(&key.value, NodeValue::String(text) if text == name);
        entries.iter().find(|(key, _)| named(key)).map(|(_, value)| value)
    }

    /// The node as JSON.
    ///
    /// # Errors
    /// Names the first value that JSON cannot hold. A key that is not a string is one of them: Python would
    /// render `1: x` as a key `1` in some places and as `"1"` in others.
    pub fn to_json(&self) -> Result<Value, NotJson> {
        let refused = |what| Err(NotJson { mark: self.mark, what });
        match &self.value {
            NodeValue::Null => Ok(Value::Null),
            NodeValue::Bool(value) => Ok(Value::Bool(*value)),
            NodeValue::Int(value) => Ok(Value::Number(Number::from(value.clone()))),
            NodeValue::Float(value) => match Number::from_f64(*value) {
                Some(number) => Ok(Value::Number(number)),
                None => refused(NotJsonKind::Float),
            },
            NodeValue::String(text) => Ok(Value::String(text.clone())),
            NodeValue::Timestamp(_) => refused(NotJsonKind::Timestamp),
            NodeValue::Binary(_) => refused(NotJsonKind::Binary),
            NodeValue::Set(_) => refused(NotJsonKind::Set),
            NodeValue::Pairs(_) => refused(NotJsonKind::Pairs),
            NodeValue::Sequence(items) => {
                items.iter().map(Self::to_json).collect::<Result<_, _>>().map(Value::Array)
            }
            NodeValue::Mapping(entries) => object(entries),
        }
    }
}

fn object(entries: &[(Node, Node)]) -> Result<Value, NotJson> {
    let mut map = Map::with_capacity(entries.len());
    for (key, value) in entries {
        let NodeValue::String(name) = &key.value else {
            return Err(NotJson { mark: key.mark, what: NotJsonKind::Key });
        };
        map.insert(name.as_str(), value.to_json()?);
    }
    Ok(Value::Object(map))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, load};

    fn read(text: &str) -> Document {
        load(text, &Limits::default()).unwrap()
    }

    #[test]
    fn values_that_json_cannot_represent_are_errors_with_positions() {
        for (text, what, line, column) in [
            ("a: {1: b}", NotJsonKind::Key, 1, 5),
            ("a: {on: b}", NotJsonKind::Key, 1, 5),
            ("a:\n- .inf", NotJsonKind::Float, 2, 3),
            ("- .nan", NotJsonKind::Float, 1, 3),
            ("a:\n  2001-12-14", NotJsonKind::Timestamp, 2, 3),
            ("- !!binary YQ==", NotJsonKind::Binary, 1, 3),
            ("- !!set {a}", NotJsonKind::Set, 1, 3),
            ("- !!omap [a: b]", NotJsonKind::Pairs, 1, 3),
            ("- !!pairs []", NotJsonKind::Pairs, 1, 3),
        ] {
            let expected = NotJson { mark: Mark { line, column }, what };
            assert_eq!(read(text).root.to_json(), Err(expected), "{text}");
        }
    }

    #[test]
    fn json_keeps_integers_floats_and_order() {
        let json = read("{b: 0x10000000000000000, a: 1.0, c: [~, yes, 'no']}").root.to_json().unwrap();
        assert_eq!(json.to_string(), r#"{"b":18446744073709551616,"a":1.0,"c":[null,true,"no"]}"#);
    }

    #[test]
    fn a_path_leads_to_where_the_value_is_written() {
        let document = read("base: &base\n  x: 1\nuse:\n  <<: *base\n  y: [2, &n 3]\nagain: *base\n");
        let at = |path: &Path| document.position(path).map(|mark| (mark.line, mark.column));
        assert_eq!(at(&Path::new()), Some((1, 1)));
        assert_eq!(at(&Path::of(&["use", "x"])), Some((2, 6)));
        assert_eq!(at(&Path::of(&["again", "x"])), Some((2, 6)));
        assert_eq!(at(&Path::of(&["use", "y"]).index(1)), Some((5, 10)));
        assert_eq!(at(&Path::of(&["use", "z"])), None);
        assert_eq!(at(&Path::of(&["use", "x", "deeper"])), None);
        assert_eq!(at(&Path::of(&["use", "y"]).index(2)), None);
    }

    #[test]
    fn no_document_is_null() {
        assert_eq!(read("# nothing").root, Node { value: NodeValue::Null, mark: Mark::START });
    }
}
