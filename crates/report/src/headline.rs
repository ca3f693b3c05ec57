//! A finding in one line: the place of the fault, the actual value, the expected value, and who states each.

use crate::diff::{excerpts, middle};
use catena_json::Value;
use catena_verify::verdict::{Authority, Claim, Difference, DifferenceKind, Finding};

/// Characters of a value.
const VALUE: usize = 80;
/// Characters of a path.
const PATH: usize = 80;
/// Characters of a message.
const MESSAGE: usize = 200;

/// The fault of a finding in one line, with the values on both sides. Long values lose their middles.
#[must_use]
pub fn headline(finding: &Finding) -> String {
    if let Some(first) = finding.differences.first() {
        return differing(finding, first);
    }
    let message = finding.message.lines().next().unwrap_or_default();
    let message = message.trim_end_matches('.');
    match facts(finding) {
        Some(facts) => format!("{}: {facts}", middle(message, MESSAGE / 2)),
        None => middle(message, MESSAGE),
    }
}

/// The first difference, and how many more there are.
fn differing(finding: &Finding, first: &Difference) -> String {
    let (expected, actual) = finding.authorities.unwrap_or((Authority::Tree, Authority::Queue));
    let path = middle(&first.path.to_string(), PATH);
    let source = match finding.origin.as_deref().filter(|_| expected == Authority::Tree) {
        Some(origin) => rendered_by(origin),
        None => renders(expected).to_owned(),
    };
    let here = authority_name(actual);
    let (there, wanted) = sides(first);
    let mut text = match first.kind {
        DifferenceKind::Changed => format!("{path} is {there} ({here}), {source} {wanted}"),
        DifferenceKind::Retyped => {
            let kind = |value: &Option<Value>| value.as_ref().map_or("", Value::kind);
            let (left, right) = (kind(&first.actual), kind(&first.expected));
            format!("{path} is the {left} {there} ({here}), {source} the {right} {wanted}")
        }
        DifferenceKind::Missing => format!("{path} is missing ({here}), {source} {wanted}"),
        DifferenceKind::Added => format!("{path} is {there} ({here}), {}", lacks(expected)),
        DifferenceKind::Reordered => {
            format!("{path} has the expected items in another order: {there} ({here}), {source} {wanted}")
        }
    };
    match finding.differences.len().saturating_sub(1) {
        0 => {}
        1 => text.push_str(", and 1 more difference"),
        more => text.push_str(&format!(", and {more} more differences")),
    }
    text
}

/// The line of the template and its inputs, where an origin tells them:
/// `.taskcluster.yml of … line 100, with cron.quoted_args from extra.cron`.
fn rendered_by(origin: &str) -> String {
    let (place, inputs) = match origin.split_once(", with ") {
        Some((place, inputs)) => (place, format!(", with {inputs},")),
        None => (origin, String::new()),
    };
    match place.rsplit_once(" line ") {
        Some((_, line)) => format!("line {line} of the template{inputs} renders"),
        None => format!("the template{inputs} renders"),
    }
}

/// Both sides of a difference, shortened around the place where they first differ.
fn sides(difference: &Difference) -> (String, String) {
    let text = |value: &Option<Value>| value.as_ref().map(Value::to_string).unwrap_or_default();
    let (wanted, there) = (text(&difference.expected), text(&difference.actual));
    let (wanted, there) = excerpts(&wanted, &there, VALUE);
    (there, wanted)
}

/// What was found and what was expected, as far as the message does not say it already.
fn facts(finding: &Finding) -> Option<String> {
    let path = finding.location.as_ref().and_then(|place| place.path.as_ref()).map(ToString::to_string);
    // A single word such as `created` may stand in a message by itself.
    let is_told = |path: &str| {
        let is_word = !path.contains(['.', '[']);
        let message = finding.message.as_str();
        if is_word { message.contains(&format!("{path} is ")) } else { message.contains(path) }
    };
    let path = path.filter(|path| !path.is_empty() && !is_told(path));
    let is_new = |claim: &&Claim| claim.text.is_empty() || !finding.message.contains(&claim.text);
    let expected = finding.expected.as_ref().filter(is_new);
    let actual = finding.actual.as_ref().filter(is_new);
    let expected = expected.map(|claim| format!("expected {} ({})", value(claim), name(claim)));
    let actual = actual.map(|claim| match &path {
        Some(path) => format!("{} is {} ({})", middle(path, PATH), value(claim), name(claim)),
        None => format!("{} ({})", value(claim), name(claim)),
    });
    match (actual, expected, path) {
        (Some(actual), Some(expected), _) => Some(format!("{actual}; {expected}")),
        (Some(actual), None, _) => Some(actual),
        (None, Some(expected), Some(path)) => Some(format!("{}; {expected}", middle(&path, PATH))),
        (None, Some(expected), None) => Some(expected),
        (None, None, path) => path.map(|path| middle(&path, PATH)),
    }
}

fn value(claim: &Claim) -> String {
    if claim.text.is_empty() { "empty".to_owned() } else { middle(&claim.text, VALUE) }
}

/// Who states the value of a claim, as precisely as it is known.
pub(crate) fn name(claim: &Claim) -> &str {
    claim.speaker.as_deref().unwrap_or_else(|| authority_name(claim.authority))
}

/// Who says something, in words.
pub(crate) fn authority_name(authority: Authority) -> &'static str {
    match authority {
        Authority::Tree => "the template",
        Authority::Graph => "the decision's graph",
        Authority::Queue => "the queue",
        Authority::Worker => "the worker's signed document",
        Authority::Storage => "what storage sent",
        Authority::Policy => "the policy",
        Authority::Vcs => "version control",
        Authority::Task => "the task's definition",
    }
}

/// How an authority has a value.
fn renders(authority: Authority) -> &'static str {
    match authority {
        Authority::Tree => "the template renders",
        Authority::Graph => "the decision's graph has",
        Authority::Queue => "the queue has",
        Authority::Worker => "the worker's signed document has",
        Authority::Storage => "storage sent",
        Authority::Policy => "the policy requires",
        Authority::Vcs => "version control has",
        Authority::Task => "the task's definition has",
    }
}

/// How an authority does not have a value.
fn lacks(authority: Authority) -> &'static str {
    match authority {
        Authority::Tree => "the template does not render it",
        Authority::Graph => "the decision's graph does not have it",
        Authority::Queue => "the queue does not have it",
        Authority::Worker => "the worker's signed document does not have it",
        Authority::Storage => "storage did not send it",
        Authority::Policy => "the policy does not allow it",
        Authority::Vcs => "version control does not have it",
        Authority::Task => "the task's definition does not have it",
    }
}
