//! Graphs that are not JSON where this verification does not look: other readers refuse them, or read
//! something else.

use super::graphs::{bytes, text};
use crate::attacks::{Attack, T, W, attack};
use crate::change::entry;
use crate::valid::{action, cron, fork, mobile, pr_action, promotion, pull_request, push, tag};
use catena_json::Value;
use catena_testbed::Chain;

/// Puts an entry that nobody needs in front of the others, as it is written.
fn other(chain: &mut Chain, written: &str) -> Option<()> {
    text(chain, |text| Some(text.replacen('{', &format!("{{\"other\": {written},"), 1)))
}

/// The same, of bytes that are no text: inside of a string, behind enough letters to be far from its ends.
fn other_bytes(chain: &mut Chain, written: &[u8]) -> Option<()> {
    bytes(chain, |before| {
        let start = format!("{{\"other\": [\"{}", "a".repeat(200));
        [start.as_bytes(), written, b"\"],", before.get(1..).unwrap_or_default()].concat()
    })
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "graph with a bracket of the wrong kind",
        &[T, W],
        "An entry of the graph that nobody needs opens a list and closes an object.",
        push,
        |c| other(c, "{\"a\": [1}}"),
        "graph-unreadable",
    ),
    attack(
        "graph with brackets crossed",
        &[T, W],
        "Two brackets of an entry that nobody needs are crossed, and as many open as close.",
        mobile,
        |c| other(c, "[{\"a\": [1}, 2]]"),
        "graph-unreadable",
    ),
    attack(
        "graph with a word that JSON lacks",
        &[T, W],
        "An entry of the graph that nobody needs has a truth as Python writes it.",
        tag,
        |c| other(c, "{\"a\": True}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a malformed number",
        &[T, W],
        "An entry of the graph that nobody needs has NaN, which some readers know and JSON does not.",
        cron,
        |c| other(c, "{\"a\": NaN}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a number in another writing",
        &[T, W],
        "A number of an entry that nobody needs begins with a zero.",
        push,
        |c| other(c, "{\"a\": [1, 0123]}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a comma too many",
        &[T, W],
        "A list of an entry that nobody needs ends with a comma.",
        pull_request,
        |c| other(c, "{\"a\": [1, 2,]}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a comma too few",
        &[T, W],
        "Two members of an entry that nobody needs follow each other without a comma.",
        action,
        |c| other(c, "{\"a\": 1 \"b\": 2}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a key without a value",
        &[T, W],
        "An entry that nobody needs has a key that stands alone.",
        promotion,
        |c| other(c, "{\"a\": {\"b\"}}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a key that is a number",
        &[T, W],
        "A key of an entry that nobody needs is a number.",
        fork,
        |c| other(c, "{\"a\": {1: 2}}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a remark",
        &[T, W],
        "A remark stands in an entry that nobody needs, and hides a member from who knows of remarks.",
        pr_action,
        |c| other(c, "{\"a\": 1 /*, \"b\": 2 */}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a line end in a text",
        &[T, W],
        "A text of an entry that nobody needs goes on in the next line.",
        push,
        |c| other(c, "{\"a\": \"one\ntwo\"}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a zero byte in a text",
        &[T, W],
        "A text of an entry that nobody needs has a zero byte, where some readers end it.",
        tag,
        |c| other(c, "{\"a\": \"one\0two\"}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a malformed escape",
        &[T, W],
        "A text of an entry that nobody needs has an escape that JSON does not know.",
        mobile,
        |c| other(c, r#"{"a": "\x41"}"#),
        "graph-unreadable",
    ),
    attack(
        "graph with an escape of too few digits",
        &[T, W],
        "A text of an entry that nobody needs ends within an escape.",
        cron,
        |c| other(c, r#"{"a": "\u00e"}"#),
        "graph-unreadable",
    ),
    attack(
        "graph with single quotes",
        &[T, W],
        "A text of an entry that nobody needs stands in single quotes, and has a bracket in it.",
        push,
        |c| other(c, "{\"a\": '}'}"),
        "graph-unreadable",
    ),
    attack(
        "graph with bytes that are no text",
        &[T, W],
        "A text of an entry that nobody needs has a byte that no character has.",
        push,
        |c| other_bytes(c, b"\xff"),
        "graph-unreadable",
    ),
    attack(
        "graph with a quote in a character",
        &[T, W],
        "A character of a text that nobody needs is cut off, so that some readers take in the quote after it.",
        tag,
        |c| other_bytes(c, b"\xe2\x82"),
        "graph-unreadable",
    ),
    attack(
        "graph with half of a pair as bytes",
        &[T, W],
        "A text that nobody needs has half of a surrogate pair, as bytes.",
        mobile,
        |c| other_bytes(c, b"\xed\xa0\x80"),
        "graph-unreadable",
    ),
    attack(
        "graph after a mark of its byte order",
        &[T, W],
        "The graph begins with a mark of the order of its bytes.",
        cron,
        |c| bytes(c, |before| [b"\xef\xbb\xbf".to_vec(), before].concat()),
        "graph-unreadable",
    ),
    attack(
        "graph with a malformed space",
        &[T, W],
        "Between two members of an entry that nobody needs stands a space that JSON does not have.",
        push,
        |c| other(c, "{\"a\": 1,\u{a0}\"b\": 2}"),
        "graph-unreadable",
    ),
    attack(
        "entry of too many values",
        &[W],
        "The graph's entry for a build has more values than any task's.",
        push,
        |c| {
            entry(c, |entry| {
                entry.as_object_mut()?.insert("x", vec![Value::Null; 200_000].into()).is_none().then_some(())
            })
        },
        "graph-beyond-limits",
    ),
];
