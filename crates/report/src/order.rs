//! The order and grouping of failed findings in a report.

use crate::causes::causes;
use catena_model::task::TaskId;
use catena_verify::verdict::{Disposition, Finding, LinkSummary, Verdict};
use std::collections::{HashMap, HashSet};

/// Findings of one code are grouped from this number on …
const CROWD: usize = 3;
/// … if there are more failed findings than this.
const FEW: usize = 6;

/// The links of a verdict by task.
pub(crate) struct Links<'a> {
    verdict: &'a Verdict,
    positions: HashMap<TaskId, usize>,
}

impl<'a> Links<'a> {
    pub(crate) fn of(verdict: &'a Verdict) -> Self {
        let mut positions = HashMap::new();
        for (position, link) in verdict.links.iter().enumerate() {
            positions.entry(link.task_id).or_insert(position);
        }
        Self { verdict, positions }
    }

    /// The link of a task; `None` for a task that is not in the chain.
    pub(crate) fn link(&self, task_id: TaskId) -> Option<&'a LinkSummary> {
        self.verdict.links.get(self.position(task_id))
    }

    /// The link's path from the target, with text for a task without one.
    pub(crate) fn way(&self, task_id: TaskId) -> String {
        match self.link(task_id) {
            Some(link) => link.name.to_string(),
            // Nothing is known about it yet, so it is not a link.
            None if task_id == self.verdict.task_id => self.verdict.kind.to_string(),
            None => self.way_outside(task_id),
        }
    }

    /// The path to a task that is not a link, because it has no usable definition: from the link that names it.
    fn way_outside(&self, task_id: TaskId) -> String {
        let named = self.verdict.links.iter().find_map(|link| {
            let edge = link.edges.iter().find(|edge| edge.task_id == task_id)?;
            Some(format!("{} → {}", link.name, edge.name))
        });
        named.unwrap_or_else(|| "a task outside the chain".to_owned())
    }

    /// Whether a task is a decision task of the chain.
    pub(crate) fn is_decision(&self, task_id: TaskId) -> bool {
        self.link(task_id).is_some_and(|link| link.kind.as_str() == "decision")
    }

    /// The position of a task in the chain; tasks outside of it come last.
    fn position(&self, task_id: TaskId) -> usize {
        self.positions.get(&task_id).copied().unwrap_or(usize::MAX)
    }
}

/// The failed findings: tamper, invalid, policy, config, infra, and then by the order of the chain.
pub(crate) fn failed<'a>(verdict: &'a Verdict, links: &Links<'_>) -> Vec<&'a Finding> {
    in_order(verdict.findings.iter(), links)
}

fn in_order<'a>(findings: impl Iterator<Item = &'a Finding>, links: &Links<'_>) -> Vec<&'a Finding> {
    let mut failed: Vec<&Finding> =
        findings.filter(|finding| finding.disposition == Disposition::Failed).collect();
    failed
        .sort_by_key(|finding| (finding.code.class, links.position(finding.task_id), finding.is_remainder()));
    failed
}

/// Failed findings that are reported together: the cause in full, the others in a line each.
pub(crate) struct Group<'a> {
    pub(crate) first: &'a Finding,
    /// What is alike, and what follows.
    pub(crate) others: Vec<&'a Finding>,
}

/// The failed findings that follow from no other, in the order in which they are reported.
pub(crate) fn leading<'a>(verdict: &'a Verdict, links: &Links<'_>) -> Vec<&'a Finding> {
    let follows = causes(verdict, links);
    let findings = verdict.findings.iter().zip(follows).filter(|(_, cause)| cause.is_none());
    in_order(findings.map(|(finding, _)| finding), links)
}

/// The codes of the failed findings of a verdict, each once, the one that decides first.
#[must_use]
pub fn failed_codes(verdict: &Verdict) -> Vec<&'static str> {
    let links = Links::of(verdict);
    let mut known = HashSet::new();
    let findings = leading(verdict, &links).into_iter().chain(failed(verdict, &links));
    findings.map(|finding| finding.code.name).filter(|code| known.insert(*code)).collect()
}

/// Groups the failed findings of a verdict: a cause with what follows from it, and, where there are many
/// causes, those of one code. Apart, each finding is a group of its own.
pub(crate) fn groups<'a>(verdict: &'a Verdict, links: &Links<'_>, apart: bool) -> Vec<Group<'a>> {
    if apart {
        let failed = failed(verdict, links);
        return failed.into_iter().map(|first| Group { first, others: Vec::new() }).collect();
    }
    let mut groups = of_one_code(&leading(verdict, links));
    let mut place: HashMap<*const Finding, usize> = HashMap::new();
    for (number, group) in groups.iter().enumerate() {
        for finding in std::iter::once(&group.first).chain(&group.others) {
            place.insert(std::ptr::from_ref(*finding), number);
        }
    }
    for (finding, cause) in verdict.findings.iter().zip(causes(verdict, links)) {
        let cause = cause.and_then(|cause| verdict.findings.get(cause));
        let number = cause.and_then(|cause| place.get(&std::ptr::from_ref(cause))).copied();
        if let Some(group) = number.and_then(|number| groups.get_mut(number)) {
            group.others.push(finding);
        }
    }
    for group in &mut groups {
        let first = group.first.code.name;
        group.others.sort_by_key(|one| (one.code.name != first, one.code.class, links.position(one.task_id)));
    }
    groups
}

/// Groups causes of one code, where there are many.
fn of_one_code<'a>(failed: &[&'a Finding]) -> Vec<Group<'a>> {
    let many = failed.len() > FEW;
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for finding in failed {
        let count = counts.entry(finding.code.name).or_default();
        *count = count.saturating_add(1);
    }
    let mut groups: Vec<Group<'a>> = Vec::new();
    // The positions of the groups of each code.
    let mut known: HashMap<&str, Vec<usize>> = HashMap::new();
    for finding in failed.iter().copied() {
        let name = finding.code.name;
        let crowd = many && counts.get(name).is_some_and(|count| *count >= CROWD);
        let of_code = known.entry(name).or_default();
        let joined = of_code.iter().copied().find(|position| {
            groups.get(*position).is_some_and(|group| crowd || says_same(group.first, finding))
        });
        match joined.and_then(|position| groups.get_mut(position)) {
            Some(group) => group.others.push(finding),
            None => {
                of_code.push(groups.len());
                groups.push(Group { first: finding, others: Vec::new() });
            }
        }
    }
    groups
}

/// Whether two findings differ only in their links.
fn says_same(one: &Finding, other: &Finding) -> bool {
    one.message == other.message
        && one.location == other.location
        && one.expected == other.expected
        && one.actual == other.actual
        && one.origin == other.origin
        && one.differences.is_empty()
        && other.differences.is_empty()
}
