//! A verdict in one line, for lists of many.

use crate::diff::middle;
use crate::escape;
use crate::headline::headline;
use crate::order::{Links, leading};
use catena_verify::verdict::{Outcome, Source, Verdict};
use std::fmt::Write as _;

/// Characters of the leading cause.
const LEAD: usize = 200;

/// A verdict in one line: the outcome, the task, its kind, the product, whether it comes from a recording,
/// and, where something failed, the code, the way to the link and the words of what leads, and how many
/// more failed; then what was weakened and how many keys the policy does not have, since a weaker verifier
/// proves less. A verified chain that goes back to no trusted tree says so. Columns are two spaces apart. No
/// line break at the end; text from outside is escaped.
#[must_use]
pub fn line(verdict: &Verdict) -> String {
    let links = Links::of(verdict);
    let mut line = format!(
        "{:<13}  {}  {}  {}",
        verdict.outcome.as_str(),
        verdict.task_id,
        verdict.kind,
        verdict.product
    );
    if verdict.source == Source::Recording {
        line.push_str("  from a recording");
    }
    if verdict.outcome == Outcome::Verified && verdict.tree.is_none() {
        line.push_str("  but the chain goes back to no trusted tree");
    }
    if let Some(first) = leading(verdict, &links).first() {
        let fault = middle(&headline(first), LEAD);
        // Writing to a string does not fail.
        let _ = write!(line, "  {}  {}: {fault}", first.code.name, links.way(first.task_id));
        let others = verdict.failed().count().saturating_sub(1);
        if others > 0 {
            let _ = write!(line, " (and {others} more)");
        }
    }
    if !verdict.relaxed.is_empty() {
        let rules: Vec<&str> = verdict.relaxed.iter().map(|relaxed| relaxed.as_str()).collect();
        let _ = write!(line, "  weakened: {}", rules.join(", "));
    }
    if !verdict.keys.widened.is_empty() {
        let _ = write!(line, "  keys widened: {}", verdict.keys.widened.len());
    }
    escape::line(&line).into_owned()
}
