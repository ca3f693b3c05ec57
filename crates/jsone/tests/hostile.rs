//! Input meant to hurt: every rendering ends, within its limits and within a small stack.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "a broken case is a failed test"
)]

use catena_json::{Map, Number, Value, parse};
use catena_jsone::{Context, ErrorKind, LimitKind, Limits, evaluate, render};
use proptest::prelude::*;

fn json(text: &str) -> Value {
    parse(text.as_bytes(), &catena_json::Limits::default())
        .unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn context() -> Context {
    let names = json(
        r#"{"x": 1, "l": [3, "a", null, [1.5]], "o": {"a": 1, "b": {"c": "${x}"}}, "now": "2017-01-19T16:27:20.974Z",
            "kib": "................................................................", "big": 9007199254740993}"#,
    );
    let mut context = Context::from(names.as_object().unwrap().clone());
    context.set_function("echo", |arguments| Ok(Value::Array(arguments.to_vec())));
    context
}

fn limit(template: &Value, limits: &Limits) -> LimitKind {
    match render(template, &context(), limits).unwrap_err().kind {
        ErrorKind::Limit { limit, .. } => limit,
        other => panic!("{other}"),
    }
}

/// Runs on a thread with the stack Rust gives by default, whatever the test runner's is.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}

/// `open` and `close` around each other, so many times.
fn nested(open: &str, inside: &str, close: &str, count: usize) -> String {
    format!("{}{inside}{}", open.repeat(count), close.repeat(count))
}

#[test]
fn the_deepest_allowed_expressions_fit_a_small_stack() {
    on_a_small_stack(|| {
        for (open, close) in [
            ("(", ")"),
            ("[", "]"),
            ("{a:", "}"),
            ("1 + (", ")"),
            ("echo(", ")"),
            ("l[", "]"),
            ("!(", ")"),
            ("1 || 1 * (", ")"),
            ("x ** (", ")"),
        ] {
            let mut deepest = 0;
            for count in 1..=110 {
                let text = nested(open, "1", close, count);
                match evaluate(&text, &context(), &Limits::default()) {
                    Err(error)
                        if matches!(
                            error.kind,
                            ErrorKind::Limit { limit: LimitKind::ExpressionDepth, .. }
                        ) =>
                    {
                        break;
                    }
                    _ => deepest = count,
                }
            }
            assert!((45..=100).contains(&deepest), "{open}: {deepest}");
            assert!(evaluate(&nested(open, "1", close, 100_000), &context(), &Limits::default()).is_err());
        }
    });
}

/// A template of operators around each other, with the deepest allowed expression innermost.
fn deep_template(levels: usize) -> Value {
    let mut template: Map = Map::new();
    template.insert("$eval", Value::from(nested("[", "1", "]", 98)));
    let mut template = Value::Object(template);
    for level in 0..levels {
        let mut outer = Map::new();
        match level % 6 {
            0 => {
                outer.insert("$let", Value::Object(Map::new()));
                outer.insert("in", template);
            }
            1 => {
                outer.insert("$map", Value::Array(vec![Value::Null]));
                outer.insert("each(y)", template);
            }
            2 => {
                outer.insert("$if", Value::from("true"));
                outer.insert("then", template);
            }
            3 => {
                let mut cases = Map::new();
                cases.insert("true", template);
                outer.insert("$switch", Value::Object(cases));
            }
            4 => {
                outer.insert("key", template);
            }
            _ => {
                outer.insert("$flatten", Value::Array(vec![template]));
            }
        }
        template = Value::Object(outer);
    }
    template
}

#[test]
fn the_deepest_allowed_templates_fit_a_small_stack() {
    on_a_small_stack(|| {
        let limits = Limits::default();
        let mut deepest = 0;
        for levels in 1..=140 {
            match render(&deep_template(levels), &context(), &limits) {
                Ok(_) => deepest = levels,
                Err(error) => {
                    let expected = ErrorKind::Limit { limit: LimitKind::TemplateDepth, allowed: 128 };
                    assert_eq!(error.kind, expected);
                    break;
                }
            }
        }
        assert!((100..=128).contains(&deepest), "{deepest}");
    });
}

#[test]
fn the_deepest_allowed_values_fit_a_small_stack() {
    on_a_small_stack(|| {
        let nest = |limit: usize| {
            let template = json(&format!(
                r#"{{"$let": {{"v": {{"$reduce": {{"$eval": "range(0, {limit})"}}, "initial": 1, "each(a,y)": [{{"$eval": "a"}}]}}}},
                    "in": {{"$let": {{"same": {{"$eval": "v == v"}}, "text": {{"$json": {{"$eval": "v"}}}}, "flat": {{"$flattenDeep": {{"$eval": "v"}}}},
                    "joined": {{"$eval": "join(v, '')"}}, "given": {{"$eval": "echo(v)[0] == v"}}}}, "in": {{"$eval": "v"}}}}}}"#
            ));
            render(&template, &context(), &Limits { value_depth: 256, ..Limits::default() })
        };
        assert!(nest(255).is_ok());
        let expected = ErrorKind::Limit { limit: LimitKind::ValueDepth, allowed: 256 };
        assert_eq!(nest(257).unwrap_err().kind, expected);
        assert_eq!(nest(100_000).unwrap_err().kind, expected);
    });
}

#[test]
fn rendered_values_count_as_template_when_rendered_again() {
    let mut context = context();
    context.set("deep", json(&nested("[", "1", "]", 127)));
    let template = json(r#"[[[{"$find": [{"$eval": "deep"}], "each(y)": "true"}]]]"#);
    let error = render(&template, &context, &Limits::default()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Limit { limit: LimitKind::TemplateDepth, allowed: 128 });
}

#[test]
fn every_way_to_grow_is_limited() {
    let many = Limits { steps: 1 << 40, string_bytes: 1 << 16, value_bytes: 1 << 18, ..Limits::default() };
    let doubling = |each: &str, initial: &str| {
        json(&format!(
            r#"{{"$reduce": {{"$eval": "range(0, 300)"}}, "initial": {initial}, "each(a,y)": {each}}}"#
        ))
    };
    for (each, initial, expected) in [
        (r#"{"$eval": "a + a"}"#, "\"ab\"", LimitKind::StringBytes),
        (r#""${a}${a}""#, "\"ab\"", LimitKind::StringBytes),
        (r#"{"$eval": "join([a, a], a)"}"#, "\"ab\"", LimitKind::StringBytes),
        (r#"{"$json": {"$eval": "a"}}"#, "\"\\\"\"", LimitKind::StringBytes),
        (r#"{"$eval": "join(split(a + a, ''), a[0])"}"#, "\"ab\"", LimitKind::ValueBytes),
        (r#"[{"$eval": "a"}, {"$eval": "a"}]"#, "1", LimitKind::ValueBytes),
        (r#"{"$eval": "{a: a, b: a}"}"#, "1", LimitKind::ValueBytes),
        (r#"{"$flatten": [{"$eval": "a"}, {"$eval": "a"}]}"#, "[1]", LimitKind::ValueBytes),
        (r#"{"$eval": "echo(a, a)"}"#, "1", LimitKind::ValueBytes),
        (r#"[{"$eval": "a"}]"#, "1", LimitKind::ValueDepth),
        (r#"{"$eval": "a * a"}"#, "3", LimitKind::IntegerBits),
        (r#"{"$eval": "a ** a"}"#, "3", LimitKind::IntegerBits),
    ] {
        let template = doubling(each, initial);
        // With few steps the work ends there; with very many, at the limit of what grows.
        let few = Limits { steps: 310, ..Limits::default() };
        assert_eq!(limit(&template, &few), LimitKind::Steps, "{each}");
        assert_eq!(limit(&template, &many), expected, "{each}");
    }
}

#[test]
fn long_work_is_limited() {
    let limits = Limits::default();
    for template in [
        r#"{"$map": {"$eval": "range(0, 1000)"}, "each(a)": {"$map": {"$eval": "range(0, 1000)"}, "each(b)": 1}}"#,
        r#"{"$eval": "range(0, 10 ** 9)"}"#,
        r#"{"$eval": "range(0, -(10 ** 30), -1)"}"#,
        r#"{"$let": {"s": {"$eval": "join(range(0, 100000), kib)"}}, "in": {"$map": {"$eval": "range(0, 10000)"}, "each(i)": {"$eval": "s[i]"}}}"#,
        r#"{"$let": {"s": {"$eval": "range(0, 10000)"}}, "in": {"$map": {"$eval": "range(0, 10000)"}, "each(i)": {"$eval": "i in s"}}}"#,
        r#"{"$let": {"s": {"$eval": "range(0, 10000)"}}, "in": {"$map": {"$eval": "range(0, 10000)"}, "each(i)": {"$eval": "s == s"}}}"#,
        r#"{"$let": {"n": {"$eval": "7 ** 5000"}}, "in": {"$map": {"$eval": "range(0, 10000)"}, "each(i)": {"$eval": "str(n)"}}}"#,
        r#"{"$let": {"n": {"$eval": "7 ** 2500"}}, "in": {"$map": {"$eval": "range(0, 10000)"}, "each(i)": {"$eval": "n * n"}}}"#,
    ] {
        let reached = limit(&json(template), &limits);
        assert!(matches!(reached, LimitKind::Steps | LimitKind::StringBytes), "{template}: {reached:?}");
    }
}

#[test]
fn limits_are_the_callers() {
    let default = Limits::default;
    for (template, limits, expected) in [
        ("[1, 2, 3]", Limits { steps: 3, ..default() }, LimitKind::Steps),
        ("[[1]]", Limits { template_depth: 1, ..default() }, LimitKind::TemplateDepth),
        (r#""${((1))}""#, Limits { expression_depth: 1, ..default() }, LimitKind::ExpressionDepth),
        (r#"{"$eval": "[[1]]"}"#, Limits { value_depth: 1, ..default() }, LimitKind::ValueDepth),
        (r#""${x}${x}${x}${x}""#, Limits { string_bytes: 3, ..default() }, LimitKind::StringBytes),
        ("[1, 2, 3]", Limits { value_bytes: 63, ..default() }, LimitKind::ValueBytes),
        (r#"{"$eval": "256"}"#, Limits { integer_bits: 8, ..default() }, LimitKind::IntegerBits),
    ] {
        // The context is as deep as a value may be, or deeper: an empty one takes its place.
        let mut context = Context::new();
        context.set("x", 1_i64);
        let kind = render(&json(template), &context, &limits).unwrap_err().kind;
        assert!(matches!(kind, ErrorKind::Limit { limit, .. } if limit == expected), "{template}: {kind:?}");
    }
    assert!(
        render(&json("[1, 2, 3]"), &Context::new(), &Limits { steps: 4, value_bytes: 64, ..default() })
            .is_ok()
    );
}

#[test]
fn twenty_four_parentheses_cost_a_few_steps() {
    let limits = Limits { steps: 100, ..Limits::default() };
    assert_eq!(evaluate(&nested("(", "1", ")", 24), &Context::new(), &limits).unwrap(), Value::from(1_i64));
}

fn tight() -> Limits {
    Limits { steps: 20_000, string_bytes: 1 << 16, value_bytes: 1 << 18, ..Limits::default() }
}

/// Strings of what expressions are made of.
fn expressions() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "1",
        "0",
        "2.5",
        "'a'",
        "x",
        "l",
        "o",
        "big",
        "echo",
        "len",
        "split",
        "join",
        "range",
        "str",
        "fromNow",
        "number",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        ".",
        "+",
        "-",
        "*",
        "/",
        "**",
        "==",
        "!=",
        "<",
        ">=",
        "in",
        "&&",
        "||",
        "!",
        " ",
        "null",
        "true",
        "a",
        "'",
        "é",
        "$",
        "99999999999999999999",
    ]);
    prop_oneof![prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat()), any::<String>()]
}

fn strings() -> impl Strategy<Value = String> {
    prop_oneof![
        expressions(),
        expressions().prop_map(|text| format!("a ${{{text}}} b")),
        Just("$${x} ${x}".to_owned()),
    ]
}

fn templates() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |value| Number::from_f64(value).map(Value::Number)),
        strings().prop_map(Value::String),
    ];
    let key = prop_oneof![
        prop::sample::select(vec![
            "$eval",
            "$if",
            "then",
            "else",
            "$let",
            "in",
            "$map",
            "each(x)",
            "each(x,i)",
            "each(a, x)",
            "$reduce",
            "initial",
            "$find",
            "$match",
            "$switch",
            "$default",
            "true",
            "x == 1",
            "$merge",
            "$mergeDeep",
            "$sort",
            "by(x)",
            "$reverse",
            "$flatten",
            "$flattenDeep",
            "$json",
            "$fromNow",
            "from",
            "$$a",
            "$b",
            "k-${x}",
            "l",
        ])
        .prop_map(str::to_owned),
        strings(),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((key.clone(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_expression_panics(text in expressions()) {
        if let Err(error) = evaluate(&text, &context(), &tight()) {
            prop_assert!(!error.to_string().is_empty());
            if let Some(place) = error.expression {
                prop_assert!(place.text.is_char_boundary(place.offset));
            }
        }
    }

    #[test]
    fn no_template_panics(template in templates()) {
        let once = render(&template, &context(), &tight());
        prop_assert_eq!(&once, &render(&template, &context(), &tight()));
        if let Err(error) = once {
            prop_assert!(error.to_string().starts_with(error.kind.class()));
        }
    }

    #[test]
    fn text_without_a_dollar_is_unchanged(text in "[^$]*", number in any::<i64>()) {
        let value = Value::Array(vec![Value::from(text), Value::from(number)]);
        prop_assert_eq!(render(&value, &Context::new(), &Limits::default()).unwrap(), value);
    }
}
