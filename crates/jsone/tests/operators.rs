//! Every operator, through the public API. Every result and message is what the reference gives,
//! unless a test says otherwise.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken case is a failed test")]

use catena_json::{Value, parse};
use catena_jsone::{Context, Error, Limits, render};

fn json(text: &str) -> Value {
    parse(text.as_bytes(), &catena_json::Limits::default())
        .unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn rendered(template: &str) -> Result<Value, Error> {
    let names = json(r#"{"x": 1, "l": [3, 1, 2], "o": {"a": 1, "b": 2}, "now": "2017-01-19T16:27:20.974Z"}"#);
    render(&json(template), &Context::from(names.as_object().unwrap().clone()), &Limits::default())
}

fn check(cases: &[(&str, &str)]) {
    for (template, expected) in cases {
        let result = match rendered(template) {
            Ok(value) => value.to_string(),
            Err(error) => error.message(),
        };
        assert_eq!(result, *expected, "{template}");
    }
}

#[test]
fn interpolation() {
    check(&[
        (r#""a${x}$${x}${null}b""#, "\"a1${x}b\""),
        (r#""$$${x}""#, "\"$${x}\""),
        (r#""${'}'}${1.0}${true}""#, "\"}1.0true\""),
        (r#""$x {x}""#, "\"$x {x}\""),
        (r#""${l}""#, "TemplateError: interpolation of 'l' produced an array or object"),
        (r#""${x""#, "SyntaxError: unterminated ${..} expression"),
        (
            r#""${x y}""#,
            "SyntaxError: Found: y token, expected one of: !=, &&, (, *, **, +, -, ., /, <, <=, ==, >, >=, [, in, ||",
        ),
        (r#"{"k-${x}": 1, "$$eval": 2, "k-1": 3}"#, r#"{"k-1":3,"$eval":2}"#),
        (r#"{"$foo": 1}"#, "TemplateError: $<identifier> is reserved; use $$<identifier>"),
        (
            r#"{"a": [0, {"k-${x}": "${y}"}]}"#,
            "InterpreterError at template.a[1][\"k-1\"]: unknown context value y",
        ),
    ]);
}

#[test]
fn deletion() {
    check(&[
        (r#"{"$if": "false", "then": 1}"#, "null"),
        (r#"[1, {"$if": "false", "then": 1}, {"$switch": {}}]"#, "[1]"),
        (r#"{"a": {"$if": "false", "then": 1}, "b": 2}"#, r#"{"b":2}"#),
        (r#"{"$map": [1, 2], "each(y)": {"$if": "y == 2", "then": {"$eval": "y"}}}"#, "[2]"),
        // `$match` keeps what was deleted, which is then taken for a function.
        (
            r#"{"$match": {"true": {"$if": "false", "then": 1}}}"#,
            "TemplateError: evaluated template contained uncalled functions",
        ),
        (r#"{"$let": {"y": {"$match": {"true": {"$switch": {}}}}}, "in": [1, {"$eval": "y[0]"}]}"#, "[1]"),
        (r#"{"$let": {"y": {"$match": {"true": {"$switch": {}}}}}, "in": {"$eval": "y == y"}}"#, "true"),
        (r#"{"$json": {"$switch": {}}}"#, "TemplateError: evaluated template contained uncalled functions"),
    ]);
}

#[test]
fn choosing() {
    check(&[
        (r#"{"$if": "x == 1", "then": "a", "else": "b"}"#, "\"a\""),
        (r#"{"$if": "x == 2", "then": "a", "else": "b${x}"}"#, "\"b1\""),
        // The reference anchors only the last of the allowed keys.
        (r#"{"$if": "true", "thenx": 1}"#, "null"),
        (r#"{"$if": "true", "elsex": 1}"#, "TemplateError: $if has undefined properties: elsex"),
        (r#"{"$switch": {"x == 1": "a", "$default": "b"}}"#, "\"a\""),
        (r#"{"$switch": {"x == 2": "a", "$default": "b"}}"#, "\"b\""),
        (r#"{"$switch": {"x": 1, "true": 2}}"#, "TemplateError: $switch can only have one truthy condition"),
        (r#"{"$match": {"x == 1": "b", "true": "c", "false": "d"}}"#, r#"["c","b"]"#),
        (r#"{"$find": [1, {"y": "${x}"}], "each(z, i)": "i == 1"}"#, r#"{"y":"1"}"#),
        (r#"{"$find": [1], "each(z)": "false"}"#, "null"),
        (r#"{"$find": [1], "each(z)": 1}"#, "TemplateError: each can evaluate string expressions only"),
    ]);
    // What `$find` finds is rendered once more, with the names of the search.
    check(&[(r#"{"$let": {"y": 5}, "in": {"$find": ["$${z}", "b"], "each(z)": "z"}}"#, "\"${z}\"")]);
}

#[test]
fn names() {
    check(&[
        (r#"{"$let": {"x": 2, "y": "${x}"}, "in": ["${x}", "${y}"]}"#, r#"["2","1"]"#),
        (
            r#"{"$let": {"a-b": 1}, "in": 1}"#,
            "TemplateError: top level keys of $let must follow /[a-zA-Z_][a-zA-Z0-9_]*/",
        ),
        (r#"{"$let": {"y": 1}}"#, "TemplateError: $let operator requires an `in` clause"),
        (
            r#"{"a": {"$let": {"y": {"$eval": "z"}}, "in": 1}}"#,
            "InterpreterError at template.a.y: unknown context value z",
        ),
        (r#"{"$eval": "x", "$json": 1}"#, "TemplateError: only one operator allowed"),
        (r#"{"$eval": 1}"#, "TemplateError: $eval must be given a string expression"),
        (r#"{"$eval": "x", "b": 1, "a": 2}"#, "TemplateError: $eval has undefined properties: a b"),
    ]);
}

#[test]
fn going_through_lists_and_objects() {
    check(&[
        (r#"{"$map": {"$eval": "l"}, "each(y,i)": "${y}${i}"}"#, r#"["30","11","22"]"#),
        (r#"{"$map": {"$eval": "o"}, "each(y)": {"${y.key}x": {"$eval": "y.val"}}}"#, r#"{"ax":1,"bx":2}"#),
        (r#"{"$map": {"$eval": "o"}, "each(v, k)": {"${k}": "${v}"}}"#, r#"{"a":"1","b":"2"}"#),
        (
            r#"{"$map": {"$eval": "o"}, "each(v)": 1}"#,
            "TemplateError: $map on objects expects each(v) to evaluate to an object",
        ),
        (r#"{"$map": [], "each(a,b,c)": 1}"#, "TemplateError: $map has undefined properties: each(a,b,c)"),
        (r#"{"$map": [], "each( a)": 1}"#, "TemplateError: $map has undefined properties: each( a)"),
        (r#"{"$map": []}"#, "TemplateError: $map requires exactly one other property, each(..)"),
        (r#"{"$reduce": {"$eval": "l"}, "initial": 0, "each(a, y)": {"$eval": "a + y"}}"#, "6"),
        (r#"{"$reduce": [], "initial": "${x}", "each(a, y)": 1}"#, "\"${x}\""),
        (r#"{"$reduce": [5], "initial": 1, "each(a,y,i)": {"$eval": "[a, y, i]"}}"#, "[1,5,0]"),
        (r#"{"$reduce": [], "initial": 1}"#, "TemplateError: $reduce must have exactly three properties"),
        (r#"{"$reduce": [1, 2], "initial": 1, "each(a,y)": {"$switch": {}}}"#, "1"),
        (r#"{"$sort": {"$eval": "l"}}"#, "[1,2,3]"),
        (r#"{"$sort": [[2, "a"], [1, "b"], [2, "c"]], "by(y)": "y[0]"}"#, r#"[[1,"b"],[2,"a"],[2,"c"]]"#),
        (r#"{"$sort": [1, true, 0]}"#, "[0,1,true]"),
        (r#"{"$sort": [true, 1]}"#, "TemplateError: $sorted values to be sorted must have the same type"),
        (r#"{"$sort": [1, 1.5]}"#, "TemplateError: $sorted values to be sorted must have the same type"),
        (r#"{"$sort": [], "by(y)": "y", "by(z)": "z"}"#, "TemplateError: only one by(..) is allowed"),
        (r#"{"$sort": ["\uffff", "\ud83d\ude00", "a"]}"#, "[\"a\",\"\u{ffff}\",\"\u{1f600}\"]"),
        (r#"{"$reverse": {"$eval": "l"}}"#, "[2,1,3]"),
    ]);
}

#[test]
fn putting_together() {
    check(&[
        (r#"{"$flatten": [1, [2, [3]]]}"#, "[1,2,[3]]"),
        (r#"{"$flattenDeep": [1, [2, [3, [[]]]]]}"#, "[1,2,3]"),
        (r#"{"$merge": [{"a": 1, "b": {"c": 1}}, {"b": {"d": 1}, "a": 2}]}"#, r#"{"a":2,"b":{"d":1}}"#),
        (r#"{"$merge": [1]}"#, "TemplateError: $merge value must evaluate to an array of objects"),
        (
            r#"{"$mergeDeep": [{"a": [1], "b": {"c": 1}}, {"a": [2], "b": {"d": "${x}"}}, {"a": 3}]}"#,
            r#"{"a":3,"b":{"c":1,"d":"1"}}"#,
        ),
        (r#"{"$mergeDeep": []}"#, "{}"),
        (r#"{"$json": {"b": 1.0, "a": "é\u0001"}}"#, "\"{\\\"a\\\":\\\"é\\\\u0001\\\",\\\"b\\\":1.0}\""),
        (r#"{"$fromNow": "1 day"}"#, "\"2017-01-20T16:27:20.974Z\""),
        (r#"{"$fromNow": "${x} h", "from": "2020-01-01T00:00:00.0Z"}"#, "\"2020-01-01T01:00:00.000Z\""),
        (r#"{"$fromNow": "1 dayz"}"#, "TemplateError: offset string: '1 dayz' does not parse"),
        (r#"{"$fromNow": 1}"#, "TemplateError: $fromNow expects a string"),
    ]);
}

/// The reference fails on these too, with errors of Python instead of its own.
#[test]
fn crashes_of_the_reference_are_errors() {
    check(&[
        (r#"{"$if": true}"#, "TemplateError: $if must be given a string expression"),
        (r#"{"$sort": [1], "by(y)": 1}"#, "TemplateError: by(..) must be given a string expression"),
        (r#"{"$reduce": [], "$reduced": 1, "each(a,y)": 1}"#, "TemplateError: $reduce requires initial"),
        (
            r#"{"$sort": [{"$eval": "1.5"}, {"$eval": "number('nan')"}, {"$eval": "0.5"}]}"#,
            "TemplateError: $sorted values to be sorted must have the same type",
        ),
        (
            r#"{"$eval": "number('inf')"}"#,
            "TemplateError: the result contains a number JSON cannot hold: inf",
        ),
        (r#"{"$eval": ""}"#, "SyntaxError: Unexpected end of input"),
        (r#"{"$fromNow": "", "from": 1}"#, "TemplateError: $fromNow expects `from` to be a string"),
    ]);
}

#[test]
fn errors_have_positions_in_template_and_expression() {
    let error = rendered(
        r#"{"tasks": {"$let": {"y": 1}, "in": [{"$map": [1], "each(z)": {"name": "Task ${y + w} of ${z}"}}]}}"#,
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "InterpreterError at template.tasks[0].name: unknown context value w\n  \
         at tasks.in[0][\"each(z)\"].name\n  \
         | Task ${y + w} of ${z}\n  \
         |            ^"
    );
    let error = rendered(r#"[{"$switch": {"x == 1": {"$eval": "l.a"}}}]"#).unwrap_err();
    assert_eq!(error.path.to_string(), "[0][\"$switch\"][\"x == 1\"][\"$eval\"]");
    let error = rendered(r#"{"a": {"$match": {"y": 1}}}"#).unwrap_err();
    assert_eq!(error.path.to_string(), "a[\"$match\"].y");
}
