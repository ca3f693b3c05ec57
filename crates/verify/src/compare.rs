//! Differences between two values, place by place.

use crate::verdict::{Difference, DifferenceKind, bounded_value};
use catena_json::{Path, Value};

/// Lists the places where `actual` differs from `expected`: the innermost ones, in the order of
/// `expected`, followed by additions. A list with the same items in another order is one difference. At
/// most `limit` are listed; to learn whether there are more, request one more than you show.
#[must_use]
pub fn differences(expected: &Value, actual: &Value, limit: usize) -> Vec<Difference> {
    let mut walk = Walk::new(limit);
    walk.values(expected, actual);
    walk.found
}

/// The same for some members of an object, each with the value under its key in the other object. Other
/// keys of the other object are ignored.
#[must_use]
pub fn member_differences<'a>(
    expected: impl IntoIterator<Item = (&'a String, &'a Value)>,
    actual: impl Fn(&str) -> Option<&'a Value>,
    limit: usize,
) -> Vec<Difference> {
    let mut walk = Walk::new(limit);
    for (key, value) in expected {
        walk.member(key, value, actual(key));
    }
    walk.found
}

/// The size of a value: its number of values, and one more for every 16 bytes of its strings.
pub(crate) fn weight(value: &Value) -> usize {
    let text = |text: &str| text.len() / 16;
    let inner = match value {
        Value::String(inner) => text(inner),
        Value::Array(items) => items.iter().map(weight).fold(0, usize::saturating_add),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| text(key).saturating_add(weight(value)))
            .fold(0, usize::saturating_add),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    inner.saturating_add(1)
}

/// Values that are compared to find the innermost places of a difference. Differences deeper in a
/// larger value are reported as one: only the report depends on this limit.
const MOST_STEPS: usize = 8_000_000;

/// The longest lists that are compared for a mere change of order; the comparison is quadratic.
const LONGEST_PERMUTATION: usize = 256;

struct Walk {
    path: Path,
    limit: usize,
    steps_left: usize,
    found: Vec<Difference>,
}

impl Walk {
    fn new(limit: usize) -> Self {
        Self { path: Path::new(), limit, steps_left: MOST_STEPS, found: Vec::new() }
    }

    fn values(&mut self, expected: &Value, actual: &Value) {
        use catena_json::Segment::{Index, Key};
        if self.found.len() >= self.limit || expected == actual {
            return;
        }
        let weight = weight(expected).saturating_add(weight(actual));
        match (expected, actual) {
            (Value::Object(wanted), Value::Object(there)) if self.may_take(weight) => {
                for (key, value) in wanted {
                    self.member(key, value, there.get(key));
                }
                for (key, value) in there.iter().filter(|(key, _)| !wanted.contains_key(key)) {
                    self.path.push(Key(key.clone()));
                    self.note(DifferenceKind::Added, None, Some(value));
                    self.path.pop();
                }
            }
            (Value::Array(wanted), Value::Array(there)) if self.is_permutation(wanted, there, weight) => {
                self.note(DifferenceKind::Reordered, Some(expected), Some(actual));
            }
            (Value::Array(wanted), Value::Array(there)) if self.may_take(weight) => {
                for index in 0..wanted.len().max(there.len()) {
                    self.path.push(Index(index));
                    match (wanted.get(index), there.get(index)) {
                        (Some(left), Some(right)) => self.values(left, right),
                        (Some(left), None) => self.note(DifferenceKind::Missing, Some(left), None),
                        (None, right) => self.note(DifferenceKind::Added, None, right),
                    }
                    self.path.pop();
                }
            }
            _ if expected.kind() == actual.kind() => {
                self.note(DifferenceKind::Changed, Some(expected), Some(actual));
            }
            _ => self.note(DifferenceKind::Retyped, Some(expected), Some(actual)),
        }
    }

    /// A member of an object, and the value under its key in the other.
    fn member(&mut self, key: &str, expected: &Value, actual: Option<&Value>) {
        if actual == Some(expected) {
            return;
        }
        self.path.push(catena_json::Segment::Key(key.to_owned()));
        match actual {
            Some(actual) => self.values(expected, actual),
            None => self.note(DifferenceKind::Missing, Some(expected), None),
        }
        self.path.pop();
    }

    fn note(&mut self, kind: DifferenceKind, expected: Option<&Value>, actual: Option<&Value>) {
        if self.found.len() < self.limit {
            let (path, expected, actual) =
                (self.path.clone(), expected.map(bounded_value), actual.map(bounded_value));
            self.found.push(Difference { path, kind, expected, actual });
        }
    }

    fn may_take(&mut self, steps: usize) -> bool {
        let left = self.steps_left.checked_sub(steps);
        self.steps_left = left.unwrap_or(self.steps_left);
        left.is_some()
    }

    fn is_permutation(&mut self, left: &[Value], right: &[Value], weight: usize) -> bool {
        left.len() == right.len()
            && left.len() <= LONGEST_PERMUTATION
            && self.may_take(left.len().saturating_mul(weight) / 2)
            && is_permutation(left, right)
    }
}

fn is_permutation(left: &[Value], right: &[Value]) -> bool {
    let mut unmatched: Vec<&Value> = right.iter().collect();
    left.iter().all(|item| match unmatched.iter().position(|other| *other == item) {
        Some(position) => {
            unmatched.swap_remove(position);
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_json::{Limits, parse};

    fn diff(expected: &str, actual: &str) -> Vec<String> {
        let read = |text: &str| parse(text.as_bytes(), &Limits::default()).unwrap();
        differences(&read(expected), &read(actual), 10)
            .iter()
            .map(|difference| format!("{} {}", difference.kind.as_str(), difference.path))
            .collect()
    }

    #[test]
    fn the_innermost_places_are_named() {
        assert_eq!(
            diff(r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"c":3,"d":4}}"#),
            ["missing a.b", "changed a.c", "added a.d"]
        );
        assert_eq!(diff(r#"{"a":true}"#, r#"{"a":1}"#), ["retyped a"]);
        assert_eq!(diff(r#"[1,2,3]"#, r#"[1,5]"#), ["changed [1]", "missing [2]"]);
        assert_eq!(diff(r#"[1]"#, r#"[1,2]"#), ["added [1]"]);
        assert_eq!(diff("{}", "{}"), Vec::<String>::new());
        assert_eq!(diff("1", "1.0"), Vec::<String>::new());
    }

    #[test]
    fn another_order_is_one_difference() {
        assert_eq!(diff(r#"{"s":["a","b","a"]}"#, r#"{"s":["b","a","a"]}"#), ["reordered s"]);
        assert_eq!(diff(r#"{"s":["a","a","b"]}"#, r#"{"s":["a","b","b"]}"#), ["changed s[1]"]);
    }

    #[test]
    fn a_longer_list_in_another_order_is_compared_item_by_item() {
        let told = |length: usize| {
            let there = (0..length).map(|number| number.to_string()).collect::<Vec<_>>();
            let back = there.iter().rev().cloned().collect::<Vec<_>>();
            diff(&format!("[{}]", there.join(",")), &format!("[{}]", back.join(",")))
        };
        assert_eq!(told(LONGEST_PERMUTATION), ["reordered $"]);
        assert_eq!(told(LONGEST_PERMUTATION + 1)[..2], ["changed [0]", "changed [1]"]);
    }

    #[test]
    fn the_list_is_bounded() {
        let many: Vec<Value> = (0..1000_i64).map(Value::from).collect();
        assert_eq!(differences(&Value::Array(many), &Value::Array(vec![]), 5).len(), 5);
    }
}
