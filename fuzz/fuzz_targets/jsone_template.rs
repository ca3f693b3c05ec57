//! Any JSON as a template, with itself and some names as context: no panic, no endless work, and
//! the same result twice.
#![no_main]

use catena_json::{Value, parse};
use catena_jsone::{Context, Limits, render};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(template) = parse(bytes, &catena_json::Limits::default()) else { return };
    let limits = Limits { steps: 50_000, string_bytes: 1 << 16, value_bytes: 1 << 20, ..Limits::default() };
    let mut context = Context::new();
    context.set("now", "2017-01-19T16:27:20.974Z").set("x", 1_i64).set("self", template.clone());
    context.set_function("echo", |arguments| Ok(Value::Array(arguments.to_vec())));
    let result = render(&template, &context, &limits);
    assert_eq!(result, render(&template, &context, &limits));
    if let Err(error) = result {
        assert!(error.to_string().starts_with(error.kind.class()));
    }
});
