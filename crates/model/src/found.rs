//! The actual value at a place where a different one was expected, in words.

use catena_json::{Path, Segment, Value};

/// The most characters of a text that are shown.
const MOST: usize = 60;

/// The value at a path of a value: `missing`, `null`, `a list`, `the string "x"`.
#[must_use]
pub fn found(value: &Value, path: &Path) -> String {
    let mut here = Some(value);
    for segment in path.segments() {
        here = match (here, segment) {
            (Some(Value::Object(members)), Segment::Key(key)) => members.get(key),
            (Some(Value::Array(items)), Segment::Index(index)) => items.get(*index),
            _ => None,
        };
    }
    here.map_or_else(|| "missing".to_owned(), in_words)
}

/// A value by its type, and where that is short by itself.
#[must_use]
pub fn in_words(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if text.is_empty() => "an empty string".to_owned(),
        Value::String(text) if text.chars().count() <= MOST => format!("the string {text:?}"),
        Value::String(text) => format!("a string of {} characters", text.chars().count()),
        Value::Array(items) if items.is_empty() => "an empty list".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_absent_and_another_type_are_told_apart() {
        let text = r#"{"a":null,"b":[7,"x"],"c":{"d":""},"e":true}"#;
        let value = catena_json::parse(text.as_bytes(), &catena_json::Limits::default()).unwrap();
        for (path, words) in [
            (Path::of(&["a"]), "null"),
            (Path::of(&["z"]), "missing"),
            (Path::of(&["a", "z"]), "missing"),
            (Path::of(&["b"]), "a list"),
            (Path::of(&["b"]).index(0), "the number 7"),
            (Path::of(&["b"]).index(1), "the string \"x\""),
            (Path::of(&["b"]).index(2), "missing"),
            (Path::of(&["c"]), "an object"),
            (Path::of(&["c", "d"]), "an empty string"),
            (Path::of(&["e"]), "true"),
        ] {
            assert_eq!(found(&value, &path), words, "{path}");
        }
        assert_eq!(in_words(&Value::from("x".repeat(61))), "a string of 61 characters");
    }
}
