use super::*;
use crate::Limits;
use proptest::prelude::*;

const A: &str = "IFn9x5gaQz-HXl2pa7Ny_w";
const B: &str = "B1Y7D4twTB620sjIgyd3lg";

fn scan_in(text: &[u8], chunk: usize, limits: &Limits) -> Result<BTreeMap<TaskId, Arc<[u8]>>, GraphError> {
    let wanted = [TaskId::parse(A).unwrap()].into();
    let mut scanner = Scanner::new(wanted, limits);
    for part in text.chunks(chunk) {
        scanner.write(part);
    }
    scanner.finish(Measurement { length: 0, sha256: [0; 32], sha512: None }).entries
}

fn entry(text: &str) -> Result<Option<String>, GraphError> {
    let whole = scan_in(text.as_bytes(), usize::MAX, &Limits::default());
    assert_eq!(whole, scan_in(text.as_bytes(), 1, &Limits::default()), "chunks do not matter");
    whole.map(|entries| {
        entries.get(&TaskId::parse(A).unwrap()).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    })
}

#[test]
fn wanted_entries_are_kept_exactly() {
    let text = format!(
        r#" {{"{B}": {{"x": "}}{{\"["}}, "{A}" : {{"task":{{"a":[1,"]\\"]}}}} , "odd": 1, "s": "x"}} "#
    );
    assert_eq!(entry(&text), Ok(Some(r#"{"task":{"a":[1,"]\\"]}}"#.to_owned())));
    assert_eq!(entry("{}"), Ok(None));
    assert_eq!(entry(&format!("{{\"{A}\":null}}")), Ok(Some("null".to_owned())));
    assert_eq!(entry(&format!("{{\"{A}\":\"x\"}}")), Ok(Some("\"x\"".to_owned())));
}

#[test]
fn a_task_twice_is_refused_however_its_key_is_written() {
    let duplicate = Err(GraphError::Duplicate { task_id: TaskId::parse(A).unwrap() });
    assert_eq!(entry(&format!("{{\"{A}\":{{}},\"{A}\":{{}}}}")), duplicate);
    let escaped = A.replacen('I', "\\u0049", 1);
    assert_eq!(entry(&format!("{{\"{A}\":{{}},\"{escaped}\":{{}}}}")), duplicate);
}

#[test]
fn only_an_object_is_accepted() {
    for wrong in [
        "",
        "[]",
        "null",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1 2}",
        "{} x",
        "{\"a\":{}",
        "{a:1}",
        "{\"a\":,\"b\":1}",
        "{\"a\"::1}",
        "{\"a\":]}",
        "<html>",
    ] {
        assert!(matches!(entry(wrong), Err(GraphError::Malformed { .. })), "{wrong}: {:?}", entry(wrong));
    }
}

#[test]
fn the_first_error_is_reported() {
    assert_eq!(entry("{} x y"), Err(GraphError::Malformed { offset: 3 }));
    let twice = format!("{{\"{A}\":1,\"{A}\":1,\"b\" x");
    assert_eq!(entry(&twice), Err(GraphError::Duplicate { task_id: TaskId::parse(A).unwrap() }));
}

#[test]
fn keys_are_read_to_their_end() {
    let escaped: String = A.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    assert_eq!(escaped.len(), LONGEST_KEY);
    assert_eq!(entry(&format!("{{\"{escaped}\":[]}}")), Ok(Some("[]".to_owned())));
    // Text that is too long for a task is still valid, and so is text that is not valid for most
    // other uses.
    for (before, after) in [(0, 0), (0, LONGEST_KEY), (LONGEST_KEY, 0), (500, 500)] {
        let key = |escape| format!("{}{escape}{}", "x".repeat(before), "x".repeat(after));
        for escape in ["\\n", "\\ud800"] {
            let text = format!("{{\"{}\":[],\"{A}\":1}}", key(escape));
            assert_eq!(entry(&text), Ok(Some("1".to_owned())));
        }
        for escape in ["\\q", "\\u00g0", "\n"] {
            let wrong = entry(&format!("{{\"{}\":[]}}", key(escape)));
            assert!(matches!(wrong, Err(GraphError::Malformed { .. })), "{escape:?} {wrong:?}");
        }
    }
    assert_eq!(entry(&format!("{{\"a\\\"b\":[],\"{A}\":1}}")), Ok(Some("1".to_owned())));
    assert_eq!(entry(&format!("{{\"{A}x\":[],\"x{A}\":[]}}")), Ok(None));
}

#[test]
fn limits_hold() {
    let limits = Limits { graph_entry_bytes: 8, json_depth: 3, ..Limits::default() };
    let large = format!("{{\"{A}\":[\"123456789\"]}}");
    assert!(matches!(scan_in(large.as_bytes(), 64, &limits), Err(GraphError::EntryTooLarge { .. })));
    let unwanted = format!("{{\"{B}\":[\"123456789\"]}}");
    assert!(scan_in(unwanted.as_bytes(), 64, &limits).is_ok());
    let fits = format!("{{\"{A}\":[[[12]]]}}");
    assert!(scan_in(fits.as_bytes(), 64, &limits).is_ok());
    assert!(scan_in(fits.as_bytes(), 1, &limits).is_ok());
    assert!(matches!(scan_in(b"{\"a\":[[[[]]]]}", 64, &limits), Err(GraphError::TooDeep { limit: 3 })));
}

#[test]
fn a_chunk_may_end_after_a_backslash() {
    let text = format!(r#"{:64}{{"{B}":["\n[{:99}"],"{A}":1}}"#, "", "");
    let after = text.find('n').unwrap();
    let whole = scan_in(text.as_bytes(), usize::MAX, &Limits::default());
    assert!(whole.as_ref().is_ok_and(|entries| entries.len() == 1));
    assert_eq!(scan_in(text.as_bytes(), after, &Limits::default()), whole);
}

/// Whether other parsers accept the text as a JSON object, of any depth.
fn is_object(text: &[u8]) -> bool {
    let read = |text| serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
    let starts = text.trim_ascii_start().starts_with(b"{");
    starts && std::str::from_utf8(text).is_ok_and(read)
}

/// Scans without limits except one, in several chunks; returns whether the text is a graph.
fn is_graph(text: &[u8]) -> bool {
    let limits = Limits { json_depth: usize::MAX, ..Limits::default() };
    let whole = scan_in(text, usize::MAX, &limits);
    for chunk in [1, 3, 63, 64, 65] {
        assert_eq!(whole, scan_in(text, chunk, &limits), "chunks of {chunk} do not matter");
    }
    assert!(!matches!(whole, Err(GraphError::TooDeep { .. } | GraphError::EntryTooLarge { .. })));
    // A duplicate task is valid JSON to other parsers, like any duplicate key.
    !matches!(whole, Err(GraphError::Malformed { .. }))
}

#[test]
fn unused_parts_must_be_json_too() {
    for wrong in [
        "[}",
        "{]",
        "[1 2]",
        "[1,]",
        "[,1]",
        "{\"a\" 1}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{1:2}",
        "[\"a\":1]",
        "[tru]",
        "[nul]",
        "[True]",
        "[NaN]",
        "[-]",
        "[01]",
        "[1.]",
        "[.5]",
        "[1e]",
        "[+1]",
        "[0x1]",
        "[1\"a\"]",
        "[\"a\"1]",
        "[\"\\x\"]",
        "[\"\\u12g4\"]",
        "[\"\\u12\"]",
        "[\"\t\"]",
        "[\"\0\"]",
        "[\u{b}1]",
        "[\\]",
        "[\\\"]",
        "['a']",
        "[//\n1]",
        "[\u{a0}1]",
        "\u{feff}[]",
        "[1];",
        "[[[]]",
        "{\"a\"}",
        "{\"a\":}",
        "{:1}",
        "{,}",
        "[:]",
    ] {
        for before in [0, 17, 50, 63, 64, 200] {
            let text = |value: &str| format!("{{{}\"x\":{value},\"{A}\":1}}", " ".repeat(before));
            assert!(!is_graph(text(wrong).as_bytes()), "{before} {wrong}");
            let deep = text(&format!("[{{\"a\":[0,{wrong}]}}]"));
            assert!(!is_graph(deep.as_bytes()), "{before} {deep}");
            assert!(!is_object(deep.as_bytes()), "{deep}");
        }
    }
}

#[test]
fn invalid_utf8_is_refused_everywhere() {
    for wrong in [
        &b"\xff"[..],
        b"\xc3",
        b"\xc3\xc3\xa9",
        b"\xa9",
        b"\xe2\x82",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xc0\x80",
    ] {
        for before in 0..70 {
            let text = |middle: &[u8]| {
                let start = format!("{{\"x\":[\"{}", "a".repeat(before));
                [start.as_bytes(), middle, b"\"]}"].concat()
            };
            assert!(!is_graph(&text(wrong)), "{before} {wrong:?}");
            assert!(is_graph(&text("\u{e9}\u{20ac}\u{10ffff}".as_bytes())));
        }
    }
    assert!(!is_graph(b"{}\xc3"));
    assert!(!is_graph("{}\u{e9}".as_bytes()));
}

#[test]
fn escapes_may_be_cut_in_two() {
    for before in 0..70 {
        for (escape, right) in
            [("\\u00e9", true), ("\\\\\\\"", true), ("\\u00e", false), ("\\\\\\", false), ("\\u", false)]
        {
            let text = format!("{{\"x\":[\"{}{escape}\"]}}", "a".repeat(before));
            assert_eq!(is_graph(text.as_bytes()), right, "{text}");
            assert_eq!(is_object(text.as_bytes()), right, "{text}");
        }
    }
}

#[test]
fn held_bytes_are_those_of_kept_entries() {
    let mut scanner = Scanner::new([TaskId::parse(A).unwrap()].into(), &Limits::default());
    scanner.write(format!("{{\"{B}\":[{:999}],\"{A}\":[{:200}", 1, "").as_bytes());
    assert!((100..=201).contains(&scanner.held()), "{}", scanner.held());
    scanner.write(format!("],\"c\":[{:999}]}}  ", 1).as_bytes());
    assert_eq!(scanner.held(), 202);
}

/// JSON of all kinds, with all alternative notations.
fn json() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        r#"-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?([eE][-+]?[0-9]{1,2})?"#,
        Just("true".to_owned()),
        Just("false".to_owned()),
        Just("null".to_owned()),
        r#""([ -!#-\[\]-~\u{e9}\u{1f600}]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}){0,40}""#,
    ];
    let space = || prop::sample::select(&["", " ", "\n  ", "\r\n\t", "        "][..]);
    scalar.prop_recursive(5, 60, 6, move |inner| {
        let list = prop::collection::vec((space(), inner.clone(), space()), 0..6).prop_map(|items| {
            let items: Vec<String> = items.iter().map(|(a, item, b)| format!("{a}{item}{b}")).collect();
            format!("[{}]", items.join(","))
        });
        let member = (space(), "[a-z\\\\/]{0,9}", space(), inner, space());
        let object = prop::collection::vec(member, 0..6).prop_map(|members| {
            let text = |(a, key, b, value, c): &(&str, String, &str, String, &str)| {
                format!("{a}\"{}\"{b}:{b}{value}{c}", key.replace('\\', "\\\\"))
            };
            format!("{{{}}}", members.iter().map(text).collect::<Vec<_>>().join(","))
        });
        prop_oneof![list, object]
    })
}

fn graph() -> impl Strategy<Value = String> {
    let key = prop_oneof![Just(A.to_owned()), Just(B.to_owned()), "[a-z]{1,70}"];
    prop::collection::btree_map(key, json(), 0..5).prop_map(|entries| {
        let entries = entries.iter().map(|(key, value)| format!("\"{key}\": {value}"));
        format!("{{\n{}\n}}\n", entries.collect::<Vec<_>>().join(",\n"))
    })
}

/// What a text becomes where something is left out, put in, or put in the place of something else.
const PIECES: [&[u8]; 24] = [
    b"",
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b" ",
    b"\n",
    b"\t",
    b"\0",
    b"0",
    b"-",
    b".",
    b"e",
    b"u",
    b"true",
    b"\xff",
    b"\xc3\xa9",
    b"\xe2",
    b"\\u00",
    b"'",
];

proptest! {
    #[test]
    fn no_bytes_panic_and_chunks_do_not_matter(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(is_graph(&bytes), is_object(&bytes));
    }

    #[test]
    fn graphs_match_other_json_parsers(text in graph()) {
        prop_assert!(is_object(text.as_bytes()), "{}", text);
        prop_assert!(is_graph(text.as_bytes()), "{}", text);
        let found = scan_in(text.as_bytes(), 1000, &Limits::default()).unwrap();
        // What they cannot hold, such as half of a surrogate pair, is not compared.
        if let Ok(read) = serde_json::from_str::<serde_json::Value>(&text) {
            let found = found.get(&TaskId::parse(A).unwrap());
            let found = found.map(|entry| serde_json::from_slice(entry).unwrap());
            prop_assert_eq!(found.as_ref(), read.get(A));
        }
    }

    #[test]
    fn a_graph_with_a_mistake_is_one_to_others_too(
        text in graph(),
        edits in prop::collection::vec(
            (any::<prop::sample::Index>(), 0..3_usize, prop::sample::select(&PIECES[..])),
            1..3,
        ),
    ) {
        let mut bytes = text.into_bytes();
        for (place, out, piece) in edits {
            let at = place.index(bytes.len() + 1);
            let end = (at + out).min(bytes.len());
            bytes.splice(at..end, piece.iter().copied());
        }
        prop_assert_eq!(is_graph(&bytes), is_object(&bytes), "{}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn so_it_is_with_text_of_nothing_but_signs(text in r#"\{"a":\[([\[\]{}:,"0 ]|\[\]|\{\}|"a":|"",|0,){0,60}\]\}"#) {
        prop_assert_eq!(is_graph(text.as_bytes()), is_object(text.as_bytes()), "{}", text);
    }

    #[test]
    fn depth_counts_from_below_the_graph(depth in 1..200_usize, limit in 1..200_usize, chunk in 1..99_usize) {
        let limits = Limits { json_depth: limit, ..Limits::default() };
        let text = format!("{{\"x\":{}{},\"{A}\":1}}", "[{\"a\":".repeat(depth) + "0", "}]".repeat(depth));
        let scanned = scan_in(text.as_bytes(), chunk, &limits);
        let expected = if 2 * depth > limit { Err(GraphError::TooDeep { limit }) } else { Ok(1) };
        prop_assert_eq!(scanned.map(|entries| entries.len()), expected);
    }
}
