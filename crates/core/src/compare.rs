//! Where two values differ, place by place.

use crate::verdict::{Difference, DifferenceKind, bounded_value};
use catena_json::{Path, Value};

/// Lists the places where `actual` differs from `expected`: the innermost ones, in the order of
/// `expected`, then what was added. A list that holds the same items in another order is one
/// difference. At most `limit` are listed; the caller learns that there are more by asking for one
/// more than it shows.
#[must_use]
pub fn differences(expected: &Value, actual: &Value, limit: usize) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(expected, actual, &mut Path::new(), limit, &mut found);
    found
}

/// The same of some members of an object, each with what stands under its key elsewhere. What stands
/// there under other keys is not looked at.
#[must_use]
pub fn member_differences<'a>(
    expected: impl IntoIterator<Item = (&'a String, &'a Value)>,
    actual: impl Fn(&str) -> Option<&'a Value>,
    limit: usize,
) -> Vec<Difference> {
    let (mut found, mut path) = (Vec::new(), Path::new());
    for (key, value) in expected {
        walk_member(key, value, actual(key), &mut path, limit, &mut found);
    }
    found
}

fn walk(expected: &Value, actual: &Value, path: &mut Path, limit: usize, found: &mut Vec<Difference>) {
    use catena_json::Segment::{Index, Key};
    if found.len() >= limit || expected == actual {
        return;
    }
    let add = |found: &mut _, path: &_, kind, expected, actual| {
        note(found, limit, path, kind, expected, actual);
    };
    match (expected, actual) {
        (Value::Object(wanted), Value::Object(there)) => {
            for (key, value) in wanted {
                walk_member(key, value, there.get(key), path, limit, found);
            }
            for (key, value) in there.iter().filter(|(key, _)| !wanted.contains_key(key)) {
                path.push(Key(key.clone()));
                add(found, path, DifferenceKind::Added, None, Some(value));
                path.pop();
            }
        }
        (Value::Array(wanted), Value::Array(there)) if is_permutation(wanted, there) => {
            add(found, path, DifferenceKind::Reordered, Some(expected), Some(actual));
        }
        (Value::Array(wanted), Value::Array(there)) => {
            for index in 0..wanted.len().max(there.len()) {
                path.push(Index(index));
                match (wanted.get(index), there.get(index)) {
                    (Some(left), Some(right)) => walk(left, right, path, limit, found),
                    (Some(left), None) => add(found, path, DifferenceKind::Missing, Some(left), None),
                    (None, right) => add(found, path, DifferenceKind::Added, None, right),
                }
                path.pop();
            }
        }
        _ => {
            let kind = if expected.kind() == actual.kind() {
                DifferenceKind::Changed
            } else {
                DifferenceKind::Retyped
            };
            add(found, path, kind, Some(expected), Some(actual));
        }
    }
}

/// A member of an object, and what stands under its key in the other.
fn walk_member(
    key: &str,
    expected: &Value,
    actual: Option<&Value>,
    path: &mut Path,
    limit: usize,
    found: &mut Vec<Difference>,
) {
    if actual == Some(expected) {
        return;
    }
    path.push(catena_json::Segment::Key(key.to_owned()));
    match actual {
        Some(actual) => walk(expected, actual, path, limit, found),
        None => note(found, limit, path, DifferenceKind::Missing, Some(expected), None),
    }
    path.pop();
}

fn note(
    found: &mut Vec<Difference>,
    limit: usize,
    path: &Path,
    kind: DifferenceKind,
    expected: Option<&Value>,
    actual: Option<&Value>,
) {
    if found.len() < limit {
        let (expected, actual) = (expected.map(bounded_value), actual.map(bounded_value));
        found.push(Difference { path: path.clone(), kind, expected, actual });
    }
}

/// Longest lists that are looked at for a mere change of order; the comparison is quadratic.
const LONGEST_PERMUTATION: usize = 256;

fn is_permutation(left: &[Value], right: &[Value]) -> bool {
    if left.len() != right.len() || left.len() > LONGEST_PERMUTATION {
        return false;
    }
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
    fn a_longer_list_in_another_order_is_told_item_by_item() {
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
