//! Any text as an expression: no panic, no endless work; errors point into the text.
#![no_main]

use catena_json::{Value, parse};
use catena_jsone::{Context, Limits, evaluate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let names = br#"{"x": 1, "l": [3, "a", null, [1.5]], "o": {"a": 1, "b": {"c": "${x}"}}, "big": 18446744073709551616}"#;
    let Ok(Value::Object(names)) = parse(names, &catena_json::Limits::default()) else { return };
    let mut context = Context::from(names);
    context.set("now", "2017-01-19T16:27:20.974Z");
    let limits = Limits { steps: 50_000, string_bytes: 1 << 16, value_bytes: 1 << 20, ..Limits::default() };
    if let Err(error) = evaluate(text, &context, &limits) {
        assert!(!error.to_string().is_empty());
        if let Some(place) = error.expression {
            assert_eq!(place.text, text);
            assert!(place.text.is_char_boundary(place.offset));
        }
    }
});
