//! Writing JSON values down in code, and printing them as workers do.

use catena_json::{Map, Value};

/// An object from `key => value` pairs; values are whatever `Value::from` takes.
macro_rules! object {
    ($($key:expr => $value:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut map = catena_json::Map::new();
        $(map.insert($key, catena_json::Value::from($value));)*
        catena_json::Value::Object(map)
    }};
}

/// An array of whatever `Value::from` takes.
macro_rules! list {
    ($($value:expr),* $(,)?) => { catena_json::Value::Array(vec![$(catena_json::Value::from($value)),*]) };
}

pub(super) use {list, object};

/// How a worker prints a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Go's `MarshalIndent`: two spaces, `<`, `>`, `&` and the line separators escaped.
    Go,
    /// Python's `json.dumps(indent=2, sort_keys=True)`: sorted, everything beyond ASCII escaped.
    Python,
    /// `JSON.stringify(value, null, 2)`.
    JavaScript,
}

/// Prints a document as this kind of worker does.
pub(super) fn print(value: &Value, layout: Layout) -> String {
    match layout {
        Layout::JavaScript => value.to_pretty(),
        // Outside of strings JSON has none of the characters replaced, so the text can be taken whole.
        Layout::Go => value
            .to_pretty()
            .replace('&', "\\u0026")
            .replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('\u{2028}', "\\u2028")
            .replace('\u{2029}', "\\u2029"),
        Layout::Python => ascii(&sorted(value).to_pretty()),
    }
}

fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

/// The value with the keys of every object in order. Test data is not deep.
pub(super) fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            Value::Object(map.sorted().into_iter().map(|(k, v)| (k.to_owned(), sorted(v))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// Adds all members of `more`, in place of members of the same name.
pub(super) fn extend(value: &mut Value, more: Value) {
    if let (Value::Object(map), Value::Object(more)) = (value, more) {
        map.extend(more);
    }
}

/// The members of `maps` one after the other.
pub(super) fn merged(maps: impl IntoIterator<Item = Value>) -> Value {
    let mut all = Value::Object(Map::new());
    for map in maps {
        extend(&mut all, map);
    }
    all
}

/// An array of strings.
pub(super) fn strings<I>(items: I) -> Value
where
    I: IntoIterator,
    I::Item: Into<String>,
{
    Value::Array(items.into_iter().map(|item| Value::String(item.into())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_worker_has_its_own_format() {
        let value = object! {"b" => "<ü\u{1f600}>", "a" => list![1_i64]};
        assert_eq!(
            print(&value, Layout::Go),
            "{\n  \"b\": \"\\u003cü\u{1f600}\\u003e\",\n  \"a\": [\n    1\n  ]\n}"
        );
        let python = "{\n  \"a\": [\n    1\n  ],\n  \"b\": \"<\\u00fc\\ud83d\\ude00>\"\n}";
        assert_eq!(print(&value, Layout::Python), python);
        assert!(print(&value, Layout::JavaScript).contains("<ü\u{1f600}>"));
    }
}
