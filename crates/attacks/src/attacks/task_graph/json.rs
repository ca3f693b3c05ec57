//! Graphs with errors in unused parts: other parsers refuse them, or read something else.

use super::graphs::{bytes, text};
use crate::attacks::{Attack, T, W, attack};
use crate::change::entry;
use crate::valid::{action, cron, fork, mobile, pr_action, promotion, pull_request, push, tag};
use catena_json::Value;
use catena_testbed::Chain;

/// Puts an unused entry before the others, as text.
fn other(chain: &mut Chain, written: &str) -> Option<()> {
    text(chain, |text| Some(text.replacen('{', &format!("{{\"other\": {written},"), 1)))
}

/// The same with bytes that are not text: within a string, far from its ends.
fn other_bytes(chain: &mut Chain, written: &[u8]) -> Option<()> {
    bytes(chain, |before| {
        let start = format!("{{\"other\": [\"{}", "a".repeat(200));
        [start.as_bytes(), written, b"\"],", before.get(1..).unwrap_or_default()].concat()
    })
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "graph with mismatched brackets",
        &[T, W],
        "An unused entry of the graph opens a list and closes an object.",
        push,
        |c| other(c, "{\"a\": [1}}"),
        "graph-unreadable",
    ),
    attack(
        "graph with brackets crossed",
        &[T, W],
        "Two brackets of an unused entry are crossed, and their counts match.",
        mobile,
        |c| other(c, "[{\"a\": [1}, 2]]"),
        "graph-unreadable",
    ),
    attack(
        "graph with Python's True",
        &[T, W],
        "An unused entry of the graph has a boolean in Python's notation.",
        tag,
        |c| other(c, "{\"a\": True}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a malformed number",
        &[T, W],
        "An unused entry of the graph has NaN, which JSON does not allow.",
        cron,
        |c| other(c, "{\"a\": NaN}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a leading zero",
        &[T, W],
        "A number of an unused entry begins with a zero.",
        push,
        |c| other(c, "{\"a\": [1, 0123]}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a trailing comma",
        &[T, W],
        "A list of an unused entry ends with a comma.",
        pull_request,
        |c| other(c, "{\"a\": [1, 2,]}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a missing comma",
        &[T, W],
        "Two members of an unused entry follow each other without a comma.",
        action,
        |c| other(c, "{\"a\": 1 \"b\": 2}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a key without a value",
        &[T, W],
        "An unused entry has a key without a value.",
        promotion,
        |c| other(c, "{\"a\": {\"b\"}}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a key that is a number",
        &[T, W],
        "A key of an unused entry is a number.",
        fork,
        |c| other(c, "{\"a\": {1: 2}}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a comment",
        &[T, W],
        "A comment in an unused entry hides a member from readers that support comments.",
        pr_action,
        |c| other(c, "{\"a\": 1 /*, \"b\": 2 */}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a line feed in a string",
        &[T, W],
        "A string in an unused entry contains a raw line feed.",
        push,
        |c| other(c, "{\"a\": \"one\ntwo\"}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a zero byte in a string",
        &[T, W],
        "A string in an unused entry has a zero byte, where some readers would end it.",
        tag,
        |c| other(c, "{\"a\": \"one\0two\"}"),
        "graph-unreadable",
    ),
    attack(
        "graph with a malformed escape",
        &[T, W],
        "A string in an unused entry has an escape that JSON does not define.",
        mobile,
        |c| other(c, r#"{"a": "\x41"}"#),
        "graph-unreadable",
    ),
    attack(
        "graph with a truncated escape",
        &[T, W],
        "A string in an unused entry ends within an escape.",
        cron,
        |c| other(c, r#"{"a": "\u00e"}"#),
        "graph-unreadable",
    ),
    attack(
        "graph with single quotes",
        &[T, W],
        "A string in an unused entry has single quotes and contains a bracket.",
        push,
        |c| other(c, "{\"a\": '}'}"),
        "graph-unreadable",
    ),
    attack(
        "graph that is not UTF-8",
        &[T, W],
        "A string in an unused entry has a byte that is not valid UTF-8.",
        push,
        |c| other_bytes(c, b"\xff"),
        "graph-unreadable",
    ),
    attack(
        "graph with a truncated character",
        &[T, W],
        "A string in an unused entry has a truncated character, so that some readers skip the quote \
         after it.",
        tag,
        |c| other_bytes(c, b"\xe2\x82"),
        "graph-unreadable",
    ),
    attack(
        "graph with an encoded surrogate",
        &[T, W],
        "A string in an unused entry has half of a surrogate pair, encoded as bytes.",
        mobile,
        |c| other_bytes(c, b"\xed\xa0\x80"),
        "graph-unreadable",
    ),
    attack(
        "graph with a byte order mark",
        &[T, W],
        "The graph begins with a byte order mark.",
        cron,
        |c| bytes(c, |before| [b"\xef\xbb\xbf".to_vec(), before].concat()),
        "graph-unreadable",
    ),
    attack(
        "graph with a malformed space",
        &[T, W],
        "Between two members of an unused entry is a space that JSON does not allow.",
        push,
        |c| other(c, "{\"a\": 1,\u{a0}\"b\": 2}"),
        "graph-unreadable",
    ),
    attack(
        "entry with too many values",
        &[W],
        "The graph's entry for a build has more values than the limit.",
        push,
        |c| {
            entry(c, |entry| {
                entry.as_object_mut()?.insert("x", vec![Value::Null; 200_000].into()).is_none().then_some(())
            })
        },
        "graph-beyond-limits",
    ),
];
