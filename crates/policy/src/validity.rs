//! Parsing the validity of a key.

use super::diagnostic::Notes;
use super::document::Node;
use catena_keys::{Revoked, Validity};
use catena_model::moment::parse_moment;
use jiff::Timestamp;

/// Parses the validity beside a key in a list of keys; errors are reported.
pub(super) fn read(node: &Node, notes: &mut Notes) -> Validity {
    let revoked = node.get("revoked").and_then(|node| match node.as_text() {
        Some("always") => Some(Revoked::Always),
        _ => read_time(node, notes).map(Revoked::At),
    });
    let because = node.get("because").and_then(Node::as_text).map(str::to_owned);
    Validity { revoked, because, ..read_limits(node, notes) }
}

/// Parses the start and end of a key's validity; errors are reported.
pub(super) fn read_limits(node: &Node, notes: &mut Notes) -> Validity {
    let mut time = |name: &str| node.get(name).and_then(|node| read_time(node, notes));
    let (not_before, not_after) = (time("not-before"), time("not-after"));
    if let (Some(first), Some(last), Some(node)) = (not_before, not_after, node.get("not-after"))
        && last < first
    {
        notes.error(&node.place, "this is before `not-before`, so the key is never valid");
    }
    Validity { not_before, not_after, ..Validity::default() }
}

pub(super) fn read_time(node: &Node, notes: &mut Notes) -> Option<Timestamp> {
    // Values that are not text were reported when the file was checked against its shape.
    let text = node.as_text()?;
    let time = parse_moment(text);
    if time.is_none() {
        let hint = Some("a moment is written 2026-08-12T09:30:00Z".to_owned());
        let shown: String = text.chars().take(60).collect();
        notes.error_with(&node.place, format!("{shown:?} is not a moment (RFC 3339)"), hint);
    }
    time
}
