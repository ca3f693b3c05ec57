//! In which order failed findings are told, and which of them are told together.

use catena_core::task::TaskId;
use catena_core::verdict::{Finding, LinkSummary, Verdict};
use std::collections::HashMap;

/// Findings of one code are told together from here on …
const CROWD: usize = 3;
/// … when there are more failed findings than this.
const FEW: usize = 6;

/// The links of a verdict by task.
pub(crate) struct Links<'a> {
    links: &'a [LinkSummary],
    positions: HashMap<TaskId, usize>,
}

impl<'a> Links<'a> {
    pub(crate) fn of(verdict: &'a Verdict) -> Self {
        let mut positions = HashMap::new();
        for (position, link) in verdict.links.iter().enumerate() {
            positions.entry(link.task_id).or_insert(position);
        }
        Self { links: &verdict.links, positions }
    }

    /// The link of a task; none for a task that is not in the chain.
    pub(crate) fn link(&self, task_id: TaskId) -> Option<&'a LinkSummary> {
        self.links.get(self.position(task_id))
    }

    /// The link's way from the target, or the id of a task that is not in the chain.
    pub(crate) fn way(&self, task_id: TaskId) -> String {
        self.link(task_id).map_or_else(|| task_id.to_string(), |link| link.name.to_string())
    }

    /// Where in the chain a task stands; what is not in it stands last.
    fn position(&self, task_id: TaskId) -> usize {
        self.positions.get(&task_id).copied().unwrap_or(usize::MAX)
    }
}

/// The failed findings: tamper, policy, config, infra, and then by the order of the chain.
pub(crate) fn failed<'a>(verdict: &'a Verdict, links: &Links<'_>) -> Vec<&'a Finding> {
    let mut failed: Vec<&Finding> = verdict.failed().collect();
    failed.sort_by_key(|finding| (finding.code.class, links.position(finding.task_id)));
    failed
}

/// Failed findings that are told together: the first in full, the others in a line each.
pub(crate) struct Group<'a> {
    pub(crate) first: &'a Finding,
    pub(crate) others: Vec<&'a Finding>,
}

/// Groups ordered findings by code, but only where there are many.
pub(crate) fn groups<'a>(failed: &[&'a Finding], apart: bool) -> Vec<Group<'a>> {
    let alone = |first| Group { first, others: Vec::new() };
    if apart || failed.len() <= FEW {
        return failed.iter().copied().map(alone).collect();
    }
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for finding in failed {
        let count = counts.entry(finding.code.name).or_default();
        *count = count.saturating_add(1);
    }
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut crowds: HashMap<&str, usize> = HashMap::new();
    for finding in failed.iter().copied() {
        let name = finding.code.name;
        if let Some(group) = crowds.get(name).and_then(|position| groups.get_mut(*position)) {
            group.others.push(finding);
            continue;
        }
        if counts.get(name).is_some_and(|count| *count >= CROWD) {
            crowds.insert(name, groups.len());
        }
        groups.push(alone(finding));
    }
    groups
}
