//! What holds of every report.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod support;

use catena_json::{Limits, Path, Value};
use catena_report::escape::is_deceptive;
use catena_report::{SCHEMA, TextOptions, json, text};
use catena_verify::verdict::{Authority, DifferenceKind, Disposition, Finding, Outcome};
use proptest::prelude::*;
use support::*;

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\\x00-\\x20a-z\\u{7f}-\\u{9f}\\u{202a}-\\u{202e}\\u{2066}-\\u{2069}\\u{200b}-\\u{200f}\"\\\\]{0,40}",
        Just("\nVERIFIED  signing task".to_owned()),
    ]
}

fn findings() -> impl Strategy<Value = Vec<Finding>> {
    let one = (hostile(), hostile(), hostile(), hostile(), 0..3_usize).prop_map(
        |(message, left, right, key, shape)| {
            let mut found = unknown_key();
            found.message = message;
            found.expected = claim(Authority::Tree, &left);
            found.actual = claim(Authority::Queue, &right);
            found.location = location(&left, Some(Path::new().key(&key)));
            found.origin = Some(right.clone());
            found.authorities = Some((Authority::Tree, Authority::Queue));
            found.differences = vec![catena_verify::verdict::Difference {
                path: Path::new().key(&key),
                kind: DifferenceKind::Changed,
                expected: Some(Value::from(left)),
                actual: Some(Value::from(right)),
            }];
            found.disposition = [Disposition::Failed, Disposition::Relaxed, Disposition::Passed][shape];
            found
        },
    );
    proptest::collection::vec(one, 0..12)
}

proptest! {
    #[test]
    fn no_text_of_others_reaches_the_terminal_unescaped(
        findings in findings(),
        verbose in any::<bool>(),
        width in proptest::option::of(0..200_usize),
    ) {
        let verdict = verdict(Outcome::Rejected, findings);
        let text = text(&verdict, &TextOptions { verbose, width, ..TextOptions::default() });
        prop_assert!(!text.chars().any(|character| character != '\n' && is_deceptive(character)), "{text:?}");
        // Nobody else's text starts a line of its own.
        prop_assert!(!text.lines().any(|line| line.starts_with("VERIFIED")), "{text}");
        prop_assert!(text.starts_with("REJECTED"));
    }

    #[test]
    fn json_reads_back_and_holds_every_finding(findings in findings()) {
        let verdict = verdict(Outcome::Rejected, findings);
        let text = json(&verdict);
        prop_assert!(!text.chars().any(|character| character != '\n' && is_deceptive(character)), "{text:?}");
        let read = catena_json::parse(text.as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(read.get("schema"), Some(&Value::from(SCHEMA)));
        let messages: Vec<&str> = read
            .get("findings")
            .and_then(Value::as_array)
            .unwrap()
            .iter()
            .filter_map(|finding| finding.get("message").and_then(Value::as_str))
            .collect();
        let expected: Vec<&str> = verdict.findings.iter().map(|finding| finding.message.as_str()).collect();
        prop_assert_eq!(messages, expected);
    }
}
