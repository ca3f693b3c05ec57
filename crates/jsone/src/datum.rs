//! Values while rendering: JSON, and what only exists inside: functions, deleted places and
//! numbers JSON cannot hold.
//!
//! Lists and objects are shared, never copied, and know three things about all that is in them:
//! how deep it is, how large it would be written out, and whether it holds a function. So a value
//! that doubles itself is refused when it is made, and nothing that walks a value, compares it
//! or drops it needs to check its depth.

use crate::context::HostFunction;
use crate::error::{ErrorKind, LimitKind};
use crate::limits::{Budget, Limits, check};
use crate::number::Number;
use catena_json::{Map, Value};
use indexmap::IndexMap;
use num_bigint::BigInt;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// What a value counts besides its text.
const BYTES_PER_VALUE: usize = 16;

#[derive(Clone, Debug)]
pub(crate) enum Datum {
    Null,
    Bool(bool),
    Number(Number),
    String(Rc<str>),
    Array(Rc<Array>),
    Object(Rc<Object>),
    Function(Function),
    /// A place that was deleted. The reference lets it be stored in lists (by `$match`) and takes
    /// it for a function when the result is checked.
    Deleted,
}

#[derive(Clone)]
pub(crate) enum Function {
    Builtin(crate::builtins::Builtin),
    Host { name: Rc<str>, call: HostFunction },
}

impl fmt::Debug for Function {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(builtin) => write!(out, "{builtin:?}"),
            Self::Host { name, .. } => write!(out, "{name}"),
        }
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Builtin(left), Self::Builtin(right)) => left == right,
            (Self::Host { call: left, .. }, Self::Host { call: right, .. }) => Arc::ptr_eq(left, right),
            _ => false,
        }
    }
}

/// What is known about all that is in a value.
#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    depth: usize,
    bytes: usize,
    functions: bool,
}

impl Shape {
    fn include(&mut self, datum: &Datum) {
        let other = datum.shape();
        self.depth = self.depth.max(other.depth);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.functions |= other.functions;
    }

    fn enclose(&mut self) {
        self.depth = self.depth.saturating_add(1);
        self.bytes = self.bytes.saturating_add(BYTES_PER_VALUE);
    }

    fn check(&self, limits: &Limits) -> Result<(), ErrorKind> {
        check(LimitKind::ValueDepth, self.depth, limits.value_depth)?;
        check(LimitKind::ValueBytes, self.bytes, limits.value_bytes)
    }
}

#[derive(Debug)]
pub(crate) struct Array {
    items: Vec<Datum>,
    shape: Shape,
}

impl Array {
    pub(crate) fn items(&self) -> &[Datum] {
        &self.items
    }
}

pub(crate) type Members = IndexMap<Rc<str>, Datum>;

#[derive(Debug)]
pub(crate) struct Object {
    members: Members,
    shape: Shape,
}

impl Object {
    pub(crate) fn members(&self) -> &Members {
        &self.members
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Datum> {
        self.members.get(key)
    }
}

impl Datum {
    pub(crate) fn string(text: impl Into<Rc<str>>) -> Self {
        Self::String(text.into())
    }

    /// A list, unless it is too deep or too large.
    pub(crate) fn array(items: Vec<Self>, limits: &Limits) -> Result<Self, ErrorKind> {
        let array = shaped_array(items);
        array.shape.check(limits)?;
        Ok(Self::Array(Rc::new(array)))
    }

    /// An object, unless it is too deep or too large.
    pub(crate) fn object(members: Members, limits: &Limits) -> Result<Self, ErrorKind> {
        let object = shaped_object(members);
        object.shape.check(limits)?;
        Ok(Self::Object(Rc::new(object)))
    }

    /// A value from outside. The caller bounds its size until it becomes part of another value;
    /// its depth is limited here.
    pub(crate) fn import(value: &Value, limits: &Limits) -> Result<Self, ErrorKind> {
        import(value, limits, 0)
    }

    /// The value as JSON; an error when it holds functions, deleted places, or numbers that JSON
    /// cannot.
    pub(crate) fn export(&self) -> Result<Value, ErrorKind> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(Number::Integer(value)) => Value::Number(value.clone().into()),
            Self::Number(number @ Number::Float(value)) => catena_json::Number::from_f64(*value)
                .map(Value::Number)
                .ok_or_else(|| ErrorKind::NotFinite { number: number.to_string() })?,
            Self::String(text) => Value::String(text.as_ref().to_owned()),
            Self::Array(array) => {
                Value::Array(array.items.iter().map(Self::export).collect::<Result<_, _>>()?)
            }
            Self::Object(object) => {
                let mut map = Map::with_capacity(object.members.len());
                for (key, member) in &object.members {
                    map.insert(key.as_ref(), member.export()?);
                }
                Value::Object(map)
            }
            Self::Function(_) | Self::Deleted => return Err(ErrorKind::UncalledFunction),
        })
    }

    fn shape(&self) -> Shape {
        let text = match self {
            Self::Array(array) => return array.shape,
            Self::Object(object) => return object.shape,
            Self::String(text) => text.len(),
            Self::Number(Number::Integer(value)) => usize::try_from(value.bits() / 8).unwrap_or(usize::MAX),
            _ => 0,
        };
        let functions = matches!(self, Self::Function(_) | Self::Deleted);
        Shape { depth: 0, bytes: text.saturating_add(BYTES_PER_VALUE), functions }
    }

    /// The size of the value written out, as [`crate::Limits::value_bytes`] counts.
    pub(crate) fn bytes(&self) -> usize {
        self.shape().bytes
    }

    /// Whether a function or deleted place is in it.
    pub(crate) fn holds_functions(&self) -> bool {
        self.shape().functions
    }

    /// Refuses a value too large to be a result.
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), ErrorKind> {
        self.shape().check(limits)
    }

    /// Python's truth: everything but null, false, zero and the empty.
    pub(crate) fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(number) => !number.is_zero(),
            Self::String(text) => !text.is_empty(),
            Self::Array(array) => !array.items.is_empty(),
            Self::Object(object) => !object.members.is_empty(),
            Self::Function(_) | Self::Deleted => true,
        }
    }

    /// The value where Python takes an integer, which includes the booleans.
    pub(crate) fn as_integer(&self) -> Option<BigInt> {
        match self {
            Self::Bool(value) => Some(BigInt::from(u8::from(*value))),
            Self::Number(Number::Integer(value)) => Some(value.clone()),
            _ => None,
        }
    }

    /// Python's equality, where `true` equals 1 and 1.0. Pays for the comparison first.
    pub(crate) fn equals(&self, other: &Self, budget: &Budget<'_>) -> Result<bool, ErrorKind> {
        budget.spend_bytes(self.bytes().min(other.bytes()))?;
        Ok(equal(self, other))
    }
}

fn equal(left: &Datum, right: &Datum) -> bool {
    match (left, right) {
        (Datum::Null, Datum::Null) | (Datum::Deleted, Datum::Deleted) => true,
        (Datum::Bool(left), Datum::Bool(right)) => left == right,
        (Datum::Number(left), Datum::Number(right)) => left == right,
        (Datum::Bool(truth), Datum::Number(number)) | (Datum::Number(number), Datum::Bool(truth)) => {
            *number == Number::from(usize::from(*truth))
        }
        (Datum::String(left), Datum::String(right)) => left == right,
        (Datum::Function(left), Datum::Function(right)) => left == right,
        (Datum::Array(left), Datum::Array(right)) => {
            left.items.len() == right.items.len()
                && left.items.iter().zip(&right.items).all(|(left, right)| equal(left, right))
        }
        (Datum::Object(left), Datum::Object(right)) => {
            left.members.len() == right.members.len()
                && left
                    .members
                    .iter()
                    .all(|(key, member)| right.get(key).is_some_and(|other| equal(member, other)))
        }
        _ => false,
    }
}

fn import(value: &Value, limits: &Limits, depth: usize) -> Result<Datum, ErrorKind> {
    Ok(match value {
        Value::Null => Datum::Null,
        Value::Bool(value) => Datum::Bool(*value),
        Value::Number(number) => Datum::Number(Number::from(number)),
        Value::String(text) => Datum::string(text.as_str()),
        Value::Array(items) => {
            let depth = depth.saturating_add(1);
            check(LimitKind::ValueDepth, depth, limits.value_depth)?;
            let items = items.iter().map(|item| import(item, limits, depth)).collect::<Result<_, _>>()?;
            Datum::Array(Rc::new(shaped_array(items)))
        }
        Value::Object(members) => {
            let depth = depth.saturating_add(1);
            check(LimitKind::ValueDepth, depth, limits.value_depth)?;
            let members = members
                .iter()
                .map(|(key, member)| Ok((Rc::from(key.as_str()), import(member, limits, depth)?)))
                .collect::<Result<_, ErrorKind>>()?;
            Datum::Object(Rc::new(shaped_object(members)))
        }
    })
}

fn shaped_array(items: Vec<Datum>) -> Array {
    let mut shape = Shape::default();
    items.iter().for_each(|item| shape.include(item));
    shape.enclose();
    Array { items, shape }
}

fn shaped_object(members: Members) -> Object {
    let mut shape = Shape::default();
    for (key, member) in &members {
        shape.include(member);
        shape.bytes = shape.bytes.saturating_add(key.len());
    }
    shape.enclose();
    Object { members, shape }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(text: &str) -> Datum {
        let value = catena_json::parse(text.as_bytes(), &catena_json::Limits::default()).unwrap();
        Datum::import(&value, &Limits::default()).unwrap()
    }

    fn equals(left: &str, right: &str) -> bool {
        let limits = Limits::default();
        import(left).equals(&import(right), &Budget::new(&limits)).unwrap()
    }

    #[test]
    fn equality_is_pythons() {
        assert!(equals("[1, {\"a\": 2, \"b\": null}]", "[1.0, {\"b\": null, \"a\": 2}]"));
        assert!(equals("[true, false]", "[1, 0.0]"));
        assert!(!equals("[true]", "[2]"));
        assert!(!equals("null", "false"));
        assert!(!equals("\"1\"", "1"));
        assert!(!equals("[1]", "[1, 2]"));
        assert!(!equals("{\"a\": 1}", "{\"b\": 1}"));
        assert!(!equals("{\"a\": 1}", "{\"a\": 1, \"b\": 2}"));
    }

    #[test]
    fn truth_is_pythons() {
        for text in ["null", "false", "0", "0.0", "-0.0", "\"\"", "[]", "{}"] {
            assert!(!import(text).is_truthy(), "{text}");
        }
        for text in ["true", "1", "-0.5", "\"0\"", "[0]", "{\"a\": null}"] {
            assert!(import(text).is_truthy(), "{text}");
        }
        assert!(Datum::Deleted.is_truthy());
    }

    #[test]
    fn a_value_that_doubles_itself_is_refused_when_it_is_made() {
        let limits = Limits::default();
        let mut value = Datum::string("x");
        let refused = loop {
            match Datum::array(vec![value.clone(), value.clone()], &limits) {
                Ok(doubled) => value = doubled,
                Err(kind) => break kind,
            }
        };
        assert_eq!(refused, ErrorKind::Limit { limit: LimitKind::ValueBytes, allowed: 16 << 20 });
    }

    #[test]
    fn a_value_that_wraps_itself_is_refused_when_it_is_made() {
        let limits = Limits { value_depth: 3, ..Limits::default() };
        let mut value = Datum::Null;
        for _ in 0..3 {
            value = Datum::array(vec![value], &limits).unwrap();
        }
        assert_eq!(
            Datum::array(vec![value], &limits).unwrap_err(),
            ErrorKind::Limit { limit: LimitKind::ValueDepth, allowed: 3 }
        );
    }

    #[test]
    fn depth_is_limited_on_the_way_in() {
        let limits = Limits { value_depth: 2, ..Limits::default() };
        let value =
            |text: &str| catena_json::parse(text.as_bytes(), &catena_json::Limits::default()).unwrap();
        assert!(Datum::import(&value("[{\"a\": 1}]"), &limits).is_ok());
        assert_eq!(
            Datum::import(&value("[{\"a\": []}]"), &limits).unwrap_err(),
            ErrorKind::Limit { limit: LimitKind::ValueDepth, allowed: 2 }
        );
    }

    #[test]
    fn what_json_cannot_hold_is_not_exported() {
        assert_eq!(
            Datum::Number(Number::Float(f64::INFINITY)).export(),
            Err(ErrorKind::NotFinite { number: "inf".to_owned() })
        );
        assert_eq!(Datum::Deleted.export(), Err(ErrorKind::UncalledFunction));
        assert_eq!(import("[1, 1.0]").export().unwrap().to_string(), "[1,1.0]");
    }
}
