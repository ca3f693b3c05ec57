//! Texts made to cost more than they look: each is refused or read within the limits, and none panics.
// Helpers of tests are not seen as tests by the lints.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use catena_yaml::{ErrorKind, LimitKind, Limits, load, load_bytes};
use proptest::prelude::*;

/// The limit that `text` passes.
fn passed(text: &str) -> Option<LimitKind> {
    match load(text, &Limits::default()) {
        Err(error) => match error.kind {
            ErrorKind::Limit { limit, .. } => Some(limit),
            other => panic!("refused for {other}"),
        },
        Ok(_) => None,
    }
}

/// Runs on the stack a thread gets by default.
fn on_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}

#[test]
fn nesting_is_bounded_in_every_form() {
    on_small_stack(|| {
        let deep = 100_000;
        for text in [
            "[".repeat(deep),
            "{a: ".repeat(deep),
            "- ".repeat(deep),
            "? ".repeat(deep),
            "[a: ".repeat(deep),
            "? - ".repeat(deep),
            (0..1000).map(|level| format!("{}a:\n", " ".repeat(level))).collect(),
        ] {
            assert_eq!(passed(&text), Some(LimitKind::Depth), "{}", text.get(..8).unwrap());
        }
    });
}

#[test]
fn the_deepest_tree_fits_a_small_stack() {
    on_small_stack(|| {
        let limits = Limits { depth: usize::MAX, ..Limits::default() };
        let depth = Limits::MAX_DEPTH;
        let text = |depth: usize| format!("{}{}", "[{a: ".repeat(depth / 2), "}]".repeat(depth / 2));
        let document = load(&text(depth), &limits).unwrap();
        assert_eq!(document.clone(), document);
        assert!(document.root.to_json().is_ok());
        assert!(!format!("{document:?}").is_empty());
        assert!(load(&text(depth + 2), &limits).is_err());
    });
}

#[test]
fn aliases_cost_what_they_expand_to() {
    let laughs: String = std::iter::once("a0: &a0 [x]\n".to_owned())
        .chain((1..30).map(|n| format!("a{n}: &a{n} [{}]\n", format!("*a{}, ", n - 1).repeat(9))))
        .collect();
    assert_eq!(passed(&laughs), Some(LimitKind::Nodes));
    let long = format!("- &a {}\n{}", "x".repeat(500_000), "- *a\n".repeat(1000));
    assert_eq!(passed(&long), Some(LimitKind::Expanded));
    let chain: String = std::iter::once("- &a0 [x]\n".to_owned())
        .chain((1..150).map(|n| format!("- &a{n} [*a{}]\n", n - 1)))
        .collect();
    assert_eq!(passed(&chain), Some(LimitKind::Depth));
}

#[test]
fn merges_cost_what_they_copy() {
    let laughs: String = std::iter::once("a0: &a0 {x: 1}\n".to_owned())
        .chain((1..30).map(|n| format!("a{n}: &a{n} {{<<: [{}]}}\n", format!("*a{}, ", n - 1).repeat(9))))
        .collect();
    assert_eq!(passed(&laughs), Some(LimitKind::Nodes));
    // The last mapping is merged first, and with it all before it.
    let chain: String = (1..1000).map(|n| format!("  - &a{n} {{<<: *a{}}}\n", n - 1)).collect();
    let chain = format!("l:\n  - &a0 {{x: 1}}\n{chain}<<: *a999\n");
    on_small_stack(move || assert_eq!(passed(&chain), Some(LimitKind::Depth)));
}

#[test]
fn each_limit_is_exact() {
    let defaults = Limits::default();
    for (text, kind, set) in [
        ("abcd", LimitKind::Bytes, (|n| Limits { bytes: n, ..Limits::default() }) as fn(usize) -> Limits),
        ("'abcd'", LimitKind::Scalar, |n| Limits { scalar: n, ..Limits::default() }),
        ("1234", LimitKind::Number, |n| Limits { number: n, ..Limits::default() }),
        ("[[[[]]]]", LimitKind::Depth, |n| Limits { depth: n, ..Limits::default() }),
        ("[a, b, c]", LimitKind::Nodes, |n| Limits { nodes: n, ..Limits::default() }),
        ("[&a ab, *a]", LimitKind::Expanded, |n| Limits { expanded: n, ..Limits::default() }),
    ] {
        assert!(load(text, &set(4)).is_ok(), "{text}");
        let error = load(text, &set(3)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Limit { limit: kind, allowed: 3 }, "{text}");
    }
    assert!(defaults.depth <= Limits::MAX_DEPTH);
}

#[test]
fn long_texts_of_one_character_are_read_or_refused() {
    for piece in [
        "a", " ", "\n", "'", "\"", "!", "&", "*", "|", "-", "?", ":", "%", "#", "\t", ",", "!a ", "'' ",
        "a: ", "a:\n", "- \n", "? \n", "''", "\\", "---\n", "a,", "!!", "&a ", "\u{2028}", "\u{FEFF}", "1:",
        "]",
    ] {
        for (before, after) in [("", ""), ("[", ""), ("\"", ""), ("|\n ", ""), ("{", "}"), ("! '", "'")] {
            let text = format!("{before}{}{after}", piece.repeat(20_000));
            let _ = load(&text, &Limits::default());
        }
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*|[-a:?#&*!|>'\"%@`,\\[\\]{} \n\t\\\\0-9<=.~]{0,80}") {
        let _ = load(&text, &Limits::default());
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = load_bytes(&bytes, &Limits::default());
    }

    #[test]
    fn marks_point_into_the_text(words in proptest::collection::vec("[a-z]{1,8}", 1..20)) {
        let text: String = words.iter().map(|word| format!("- {word}\n")).collect();
        let document = load(&text, &Limits::default()).unwrap();
        for (at, _) in words.iter().enumerate() {
            let mark = document.position(&catena_json::Path::new().index(at)).unwrap();
            prop_assert_eq!((mark.line, mark.column), (at + 1, 3));
        }
    }
}
