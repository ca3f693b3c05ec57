//! Valid chains near the limits: long names and patterns, long strings, and JSON in all its notations.

use super::changes::Changed;
use super::{cron, globs, mobile, promotion, push, tag};
use crate::change::{GRAPH, edit_at, first_build, first_decision, list, patterns, published};
use catena_testbed::{Artifact, Chain};

pub(super) const CHANGED: &[Changed] = &[
    ("graph with every escape in an unused entry", push, |c| {
        other(c, r#"{"a": "\" \\ \/ \b \f \n \r \t \u00e9 \uD83D\uDE00 \\\" \\\\", "\\\"": ["\u0000"]}"#)
    }),
    ("graph with half of a surrogate pair in an unused entry", mobile, |c| {
        other(c, r#"{"a": "\ud800", "\udfff": 1}"#)
    }),
    ("graph with every notation of a number in an unused entry", tag, |c| {
        other(c, "[0, -0, 1, -1.50, 0.0e-0, 12E+34, 1e999, 123456789012345678901234567890]")
    }),
    ("graph with letters of all lengths", cron, |c| {
        other(c, "{\"a\": \"é€😀\u{10ffff}\u{7f}\u{80}\", \"é\": [\"\u{2028}\"]}")
    }),
    ("graph with tabs and line ends of all kinds", push, |c| {
        other(c, "\t[\r\n\t1\t,\r2\n,\r\n[ ]\t,\r\n{\t}\r\n]\r\n")
    }),
    ("graph in one line", promotion, |c| {
        let id = first_decision(c)?;
        published(c, &id, GRAPH, |text| Some(crate::change::json(text)?.to_string()))
    }),
    ("graph with lists as deep as they may be", tag, |c| {
        other(c, &format!("{}{}", "[".repeat(96), "]".repeat(96)))
    }),
    ("graph with an entry of another kind", mobile, |c| other(c, "\"}{\\\"][\"")),
    ("graph with long texts in a row", push, |c| {
        other(c, &format!("[{}\"\"]", format!("\"{}\",", "\\\\\\\"a".repeat(99)).repeat(99)))
    }),
    ("pattern as long as any", globs, |c| patterns(c, list(format!("public/build/{}", "*".repeat(1_011))))),
    ("pattern of many stars", globs, |c| patterns(c, list(format!("{}*", "*a".repeat(500))))),
    ("pattern with sets", globs, |c| patterns(c, list("public/[!a-ac-z]*[.][!é]*"))),
    ("artifact with a name that no pattern matches", globs, |c| {
        let id = first_build(c)?;
        let artifact = Artifact::new("x", "application/octet-stream");
        c.artifacts_mut(&id)?.insert(format!("public/build/{}", "a".repeat(2_000)), artifact);
        c.reseal(&id).ok()?.then_some(())
    }),
    ("task with a long description", push, |c| {
        let id = first_build(c)?;
        edit_at(c, &id, &["metadata", "description"], "long ".repeat(30_000))
    }),
];

/// Puts an unused entry before the others of the first graph, as text.
fn other(chain: &mut Chain, written: &str) -> Option<()> {
    let id = first_decision(chain)?;
    published(chain, &id, GRAPH, |text| Some(text.replacen('{', &format!("{{\"other\":{written},"), 1)))
}
