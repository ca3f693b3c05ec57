//! A verdict in one line, for lists of many.

use crate::diff::excerpt;
use crate::escape;
use crate::order::{Links, failed};
use catena_verify::verdict::{Outcome, Verdict};
use std::fmt::Write as _;

/// Characters of the leading cause.
const LEAD: usize = 150;

/// A verdict in one line: the outcome, the task, its kind, the product, and, where something failed, the
/// code, the way to the link and the words of what leads, and how many more failed; then what was
/// weakened and how many keys the policy does not have, since a yes of a weaker verifier is another yes. A
/// yes to a chain that goes back to no trusted tree says so. Columns are two spaces apart. No line break at
/// the end; text from outside is escaped.
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
    if verdict.outcome == Outcome::Verified && verdict.tree.is_none() {
        line.push_str("  but the chain goes back to no trusted tree");
    }
    let failed = failed(verdict, &links);
    if let Some((leading, others)) = failed.split_first() {
        let message = excerpt(leading.message.lines().next().unwrap_or_default(), 0, LEAD);
        // Writing to a string does not fail.
        let _ = write!(line, "  {}  {}: {message}", leading.code.name, links.way(leading.task_id));
        if !others.is_empty() {
            let _ = write!(line, " (and {} more)", others.len());
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
