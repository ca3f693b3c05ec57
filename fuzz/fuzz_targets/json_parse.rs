//! Any bytes: what serde_json reads as JSON is read here too, as the same value, and nothing else
//! is. What is read prints to text that reads as itself.
#![no_main]

use catena_json::{Limits, ParseErrorKind, Value, parse};
use libfuzzer_sys::fuzz_target;

/// Below serde_json's own bound.
const LIMITS: Limits = Limits { depth: 100, bytes: 1 << 20, values: 1 << 20 };

/// Theirs holds an integer beyond 64 bits as the float nearest to it; ours holds it exactly.
fn agree(ours: &Value, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(ours), serde_json::Value::Bool(theirs)) => ours == theirs,
        (Value::String(ours), serde_json::Value::String(theirs)) => ours == theirs,
        (Value::Number(ours), serde_json::Value::Number(theirs)) => {
            if let Some(theirs) = theirs.as_i64() {
                ours.as_i64() == Some(theirs)
            } else if let Some(theirs) = theirs.as_u64() {
                ours.as_u64() == Some(theirs)
            } else {
                theirs.as_f64() == Some(ours.as_f64())
            }
        }
        (Value::Array(ours), serde_json::Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| agree(ours, theirs))
        }
        (Value::Object(ours), serde_json::Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().all(|(key, ours)| theirs.get(key).is_some_and(|theirs| agree(ours, theirs)))
        }
        _ => false,
    }
}

/// Ours holds integers that are too large for any float; theirs refuses them.
fn holds_a_number_without_float(value: &Value) -> bool {
    match value {
        Value::Number(number) => !number.as_f64().is_finite(),
        Value::Array(items) => items.iter().any(holds_a_number_without_float),
        Value::Object(members) => members.values().any(holds_a_number_without_float),
        _ => false,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let theirs = serde_json::from_slice::<serde_json::Value>(bytes);
    match (parse(bytes, &LIMITS), theirs) {
        (Ok(ours), Ok(theirs)) => {
            assert!(agree(&ours, &theirs), "{ours} {theirs}");
            for text in [ours.to_string(), ours.to_pretty()] {
                assert_eq!(parse(text.as_bytes(), &LIMITS).as_ref(), Ok(&ours), "{text}");
            }
        }
        (Ok(ours), Err(error)) => assert!(holds_a_number_without_float(&ours), "{ours}: {error}"),
        (Err(error), Ok(theirs)) => match error.kind {
            ParseErrorKind::TooLong | ParseErrorKind::TooDeep | ParseErrorKind::DuplicateKey(_) => {}
            ParseErrorKind::BadNumber if bytes.len() > 4096 => {}
            kind => panic!("{kind}: {theirs}"),
        },
        (Err(error), Err(_)) => assert!(error.offset <= bytes.len() && error.line > 0 && error.column > 0),
    }
});
