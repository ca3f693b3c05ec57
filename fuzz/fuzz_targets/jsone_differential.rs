//! What both this crate and the official `json-e` crate render must be equal. The official crate is
//! an oracle only where its known defects are out of reach: it turns integers above 2^32 into
//! floats, and takes exponential time on nested parentheses. Whether a template is an error is not
//! compared: the two implement different readings of what the specification leaves open.
#![no_main]

use catena_json::{Map, Value, parse};
use catena_jsone::{Context, Limits, render};
use libfuzzer_sys::fuzz_target;

/// Below these, sums and products in a short template stay under 2^32.
const LARGEST: i64 = 1_000;
/// Brackets of any kind in one string.
const BRACKETS: usize = 4;

fn is_within_reach(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(number) => number.as_i64().is_some_and(|number| (-LARGEST..=LARGEST).contains(&number)),
        Value::String(text) => is_simple(text),
        Value::Array(items) => items.iter().all(is_within_reach),
        Value::Object(members) => {
            members.get("$map").is_none_or(Value::is_array)
                && members.iter().all(|(key, member)| is_simple_key(key) && is_within_reach(member))
        }
    }
}

/// The official crate interpolates what follows an escaped dollar; the Python reference keeps it.
fn is_simple_key(key: &str) -> bool {
    is_simple(key) && !(key.starts_with("$$") && key.contains("${"))
}

/// Few brackets, no long digits, no powers, none of the functions and comparisons that the
/// reference reads as Python does; ASCII without control characters.
fn is_simple(text: &str) -> bool {
    let brackets =
        text.bytes().filter(|byte| matches!(byte, b'(' | b'[' | b'{' | b'!' | b'-' | b'+')).count();
    let long = text.split(|character: char| !character.is_ascii_digit()).any(|digits| digits.len() > 3);
    // Zero with a minus before it is -0 to the official crate, which shows when it is printed.
    let prints = text.contains("${") || text.contains("str");
    brackets <= BRACKETS
        && !long
        && !(prints && text.contains('-'))
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && ![
            "*", "/", ".", "==", "!=", " in ", "join", "number", "sqrt", "fromNow", "$find", "$match",
            "$reduce",
        ]
        .iter()
        .any(|word| text.contains(word))
}

/// The official crate's objects are sorted by key, ours keep the order they are written in. Where two
/// members come to have one key the later counts; so both get what is sorted, and `$map`, which
/// makes one object of many, only lists.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        Value::Object(members) => {
            let mut map = Map::new();
            for (key, member) in members.sorted() {
                map.insert(key, sorted(member));
            }
            Value::Object(map)
        }
        other => other.clone(),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let small = catena_json::Limits { depth: 8, bytes: 512, ..Default::default() };
    let Ok(template) = parse(bytes, &small) else { return };
    if !is_within_reach(&template) {
        return;
    }
    let template = sorted(&template);
    let names =
        r#"{"x": 1, "l": [3, 1, 2], "o": {"a": 1, "b": {"c": "d"}}, "now": "2017-01-19T16:27:20.974Z"}"#;
    let Ok(Value::Object(map)) = parse(names.as_bytes(), &small) else { return };
    let limits = Limits { steps: 20_000, string_bytes: 1 << 14, value_bytes: 1 << 18, ..Limits::default() };
    let Ok(ours) = render(&template, &Context::from(map), &limits) else { return };
    let (Ok(their_template), Ok(their_context)) =
        (serde_json::from_str(&template.to_string()), serde_json::from_str(names))
    else {
        return;
    };
    let Ok(theirs) = json_e::render(&their_template, &their_context) else { return };
    let Ok(theirs) = parse(theirs.to_string().as_bytes(), &catena_json::Limits::default()) else { return };
    assert_eq!(ours, theirs, "{template}");
});
