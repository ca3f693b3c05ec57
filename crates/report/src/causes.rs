//! Which failed findings follow from which.
//!
//! A graph of a foreign tree is one fault, and every link of it fails. Advice is given for the cause alone,
//! so that it never undoes itself: a pool is not added to the policy for a task whose definition was rewritten.

use crate::hints::code;
use crate::order::Links;
use catena_model::task::TaskId;
use catena_verify::verdict::{Class, Code, Disposition, Finding, Verdict};
use std::collections::HashMap;

/// Codes that say that a definition is not the one that its graph or template makes, the firmest first. What
/// else is wrong with the definition of the same task follows.
const REWRITTEN: &[Code] = &[
    code!("document-task-differs"),
    code!("graph-lacks-task"),
    code!("graph-definition-differs"),
    code!("graph-definition-additions"),
    code!("graph-dependencies-added"),
    code!("rebuild-differs"),
    code!("rebuild-empty-values-added"),
    code!("definition-pool-contradiction"),
];
/// What may follow from a rewritten definition: whatever these checks find …
const OF_DEFINITIONS: &[&str] = &[
    "interactive",
    "kind",
    "pull-request",
    "source",
    "task-graph",
    "tree",
    "worker-implementation",
    "worker-pool",
];
/// … and these codes.
const OF_DEFINITION: &[Code] = &[
    code!("definition-pool-contradiction"),
    code!("image-indexed"),
    code!("image-not-declared"),
    code!("image-not-pinned"),
    code!("image-prebuilt"),
    code!("image-unknown-type"),
];
/// Codes of a tree that is not trusted, the one nearest to the cause first. Those of the same address, or of the
/// same task, are one fault.
const FOREIGN: &[Code] = &[
    code!("pull-request-tasks-for"),
    code!("pull-request-try"),
    code!("tree-repository-prefix"),
    code!("pull-request-fork"),
    code!("source-repository-malformed"),
    code!("rebuild-repository"),
    code!("source-malformed"),
    code!("pull-request-source"),
    code!("source-outside-repository"),
    code!("rebuild-template-repository"),
    code!("tree-other-source"),
    code!("rebuild-host"),
    code!("rebuild-vcs"),
    code!("tree-required"),
    code!("tree-scope"),
    code!("tree-sibling"),
    code!("tree-parent"),
    code!("tree-input-tree"),
    code!("tree-level"),
    code!("tree-untrusted"),
    code!("rebuild-project-unknown"),
];
/// Of the same task: a code, and what it follows from.
const OF_TASK: &[(Code, Code)] = &[
    (code!("artifact-not-made"), code!("rebuild-tasks-for")),
    (code!("document-duplicate-key"), code!("signature-other-bytes")),
    (code!("document-malformed"), code!("signature-other-bytes")),
    (code!("document-not-json"), code!("signature-other-bytes")),
    (code!("document-of-another-task"), code!("signature-other-bytes")),
    (code!("document-version"), code!("signature-other-bytes")),
    (code!("kind-needs-scriptworker"), code!("kind-mismatch")),
    (code!("signature-key-expired"), code!("run-times-impossible")),
    (code!("signature-key-not-yet-valid"), code!("run-times-impossible")),
    (code!("signature-key-revoked"), code!("run-times-impossible")),
    (code!("signature-time-unknown"), code!("run-state-contradicts")),
    (code!("tree-input-revision"), code!("rebuild-action-source")),
    (code!("tree-input-revision"), code!("tree-sibling-revision")),
    (code!("tree-sibling-revision"), code!("rebuild-action-source")),
    (code!("source-outside-repository"), code!("rebuild-action-source")),
    (code!("worker-pool-decision"), code!("rebuild-tasks-for")),
];
/// What is the cause of many others of its task.
const FIRST: &[Code] =
    &[code!("signature-other-bytes"), code!("rebuild-action-source"), code!("rebuild-tasks-for")];
/// Wherever in the chain: a code, and what it follows from.
const OF_CHAIN: &[(Code, Code)] = &[
    (code!("artifacts-foreign"), code!("chain-cyclic")),
    (code!("availability-unfinished"), code!("availability-cancelled")),
    (code!("availability-unfinished"), code!("availability-refused")),
    (code!("availability-unfinished"), code!("availability-unreachable")),
    (code!("pull-request-not-landed"), code!("rebuild-unknown-to-vcs")),
    (code!("pull-request-tag-unknown"), code!("rebuild-unknown-to-vcs")),
    (code!("tree-branch-level"), code!("pull-request-tasks-for")),
    (code!("tree-scheduler-level"), code!("pull-request-tasks-for")),
    (code!("tree-scheduler-level"), code!("pull-request-try")),
    (code!("tree-untrusted"), code!("pull-request-tasks-for")),
    (code!("tree-untrusted"), code!("pull-request-try")),
];

/// How near to the cause a finding is: the smaller, the nearer. No two findings have the same.
type Nearness = (usize, bool, usize);

/// For each finding of a verdict the one that it follows from, by position; none for what follows from
/// nothing. What a finding follows from follows from nothing itself.
pub(crate) fn causes(verdict: &Verdict, links: &Links<'_>) -> Vec<Option<usize>> {
    let failed: Vec<(usize, &Finding)> = verdict
        .findings
        .iter()
        .enumerate()
        .filter(|(_, finding)| finding.disposition == Disposition::Failed)
        .collect();
    let index = Index::of(&failed, links);
    let mut nearest: HashMap<usize, usize> = HashMap::new();
    for (position, finding) in &failed {
        let own = nearness(finding, *position, links);
        let candidates = index.candidates(finding);
        let nearer = candidates.into_iter().filter(|(key, cause)| *key < own && may_hide(cause, finding));
        if let Some((key, _)) = nearer.min_by_key(|(key, _)| *key) {
            nearest.insert(*position, key.2);
        }
    }
    let mut causes = vec![None; verdict.findings.len()];
    for (position, _) in &failed {
        let mut root = *position;
        // Each step goes to one that is nearer, so that there is an end.
        while let Some(next) = nearest.get(&root) {
            root = *next;
        }
        if root != *position
            && let Some(cause) = causes.get_mut(*position)
        {
            *cause = Some(root);
        }
    }
    causes
}

/// Whether a cause may stand for what follows: never for something more alarming. Malformed input and what is
/// not allowed are alike here.
fn may_hide(cause: &Finding, finding: &Finding) -> bool {
    let severity = |class| match class {
        Class::Tamper => 0,
        Class::Invalid | Class::Policy => 1,
        Class::Config => 2,
        Class::Infra => 3,
    };
    severity(cause.code.class) <= severity(finding.code.class)
}

fn nearness(finding: &Finding, position: usize, links: &Links<'_>) -> Nearness {
    let found = finding.code;
    let in_list = |list: &[Code]| list.iter().position(|code| *code == found);
    let is_cause = |table: &[(Code, Code)]| table.iter().any(|(_, cause)| *cause == found);
    let follows = |table: &[(Code, Code)]| table.iter().any(|(code, _)| *code == found);
    let rank = if let Some(place) = in_list(REWRITTEN) {
        place
    } else if FIRST.contains(&found) {
        50
    } else if let Some(place) = in_list(FOREIGN) {
        place.saturating_add(100)
    } else {
        match (is_cause(OF_TASK) || is_cause(OF_CHAIN), follows(OF_TASK) || follows(OF_CHAIN)) {
            (true, false) => 200,
            (true, true) => 300,
            (false, false) => 400,
            (false, true) => 500,
        }
    };
    (rank, !links.is_decision(finding.task_id), position)
}

/// The nearest findings by what findings have in common.
#[derive(Default)]
struct Index<'a> {
    /// By task and code.
    of_task: HashMap<(TaskId, &'a str), (Nearness, &'a Finding)>,
    of_code: HashMap<&'a str, (Nearness, &'a Finding)>,
    /// What says the same.
    of_message: HashMap<(&'a str, &'a str), (Nearness, &'a Finding)>,
    /// By task, check and the place in its definition.
    of_place: HashMap<(TaskId, &'a str, String), (Nearness, &'a Finding)>,
    /// Of trees that are not trusted, by their address.
    of_address: HashMap<String, (Nearness, &'a Finding)>,
}

impl<'a> Index<'a> {
    fn of(failed: &[(usize, &'a Finding)], links: &Links<'_>) -> Self {
        let mut index = Self::default();
        for (position, finding) in failed {
            let finding = *finding;
            let one = (nearness(finding, *position, links), finding);
            keep(&mut index.of_task, (finding.task_id, finding.code.name), one);
            keep(&mut index.of_code, finding.code.name, one);
            keep(&mut index.of_message, (finding.code.name, finding.message.as_str()), one);
            if let Some(place) = place(finding) {
                keep(&mut index.of_place, (finding.task_id, finding.check, place), one);
            }
            if let Some(address) = address(finding) {
                keep(&mut index.of_address, address, one);
            }
        }
        index
    }

    /// What a finding may follow from.
    fn candidates(&self, finding: &'a Finding) -> Vec<(Nearness, &'a Finding)> {
        let (code, name, task_id) = (finding.code, finding.code.name, finding.task_id);
        let mut found: Vec<(Nearness, &Finding)> = Vec::new();
        let of_task = |code: &Code| self.of_task.get(&(task_id, code.name)).copied();
        if OF_DEFINITIONS.contains(&finding.check) || OF_DEFINITION.contains(&code) {
            found.extend(REWRITTEN.iter().filter_map(of_task));
        }
        if FOREIGN.contains(&code) {
            found.extend(FOREIGN.iter().filter_map(of_task));
            found.extend(address(finding).and_then(|address| self.of_address.get(&address)).copied());
        }
        let of_same_task = OF_TASK.iter().filter(|(follows, _)| *follows == code);
        found.extend(of_same_task.filter_map(|(_, cause)| of_task(cause)));
        let of_chain = OF_CHAIN.iter().filter(|(follows, _)| *follows == code);
        found.extend(of_chain.filter_map(|(_, cause)| self.of_code.get(cause.name)).copied());
        found.extend(
            self.of_message.get(&(name, finding.message.as_str())).filter(|_| finding.differences.is_empty()),
        );
        let place = place(finding).filter(|_| finding.check == "tree");
        found.extend(place.and_then(|place| self.of_place.get(&(task_id, finding.check, place))).copied());
        found
    }
}

fn keep<'a, K: std::hash::Hash + Eq>(
    map: &mut HashMap<K, (Nearness, &'a Finding)>,
    key: K,
    one: (Nearness, &'a Finding),
) {
    let kept = map.entry(key).or_insert(one);
    if one.0 < kept.0 {
        *kept = one;
    }
}

fn place(finding: &Finding) -> Option<String> {
    Some(finding.location.as_ref()?.path.as_ref()?.to_string())
}

/// The repository that a finding about a tree is about: host and path, as far as a source names them.
fn address(finding: &Finding) -> Option<String> {
    if !FOREIGN.contains(&finding.code) {
        return None;
    }
    let text = &finding.actual.as_ref()?.text;
    let (_, rest) = text.split_once("://")?;
    let rest = rest.split_whitespace().next()?;
    let ends = ["/file/", "/rev/", "/raw-file/", "/blob/", "/raw/"].iter().filter_map(|word| rest.find(word));
    let end = ends.min().unwrap_or(rest.len());
    Some(rest.get(..end)?.trim_end_matches('/').to_ascii_lowercase())
}
