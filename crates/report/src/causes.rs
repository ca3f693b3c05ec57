//! Which failed findings follow from which.
//!
//! A graph of a foreign tree is one fault, and every link of it fails. Advice is given for the cause alone,
//! so that it never undoes itself: a pool is not added to the policy for a task whose definition was rewritten.

use crate::order::Links;
use catena_model::task::TaskId;
use catena_verify::verdict::{Class, Disposition, Finding, Verdict};
use std::collections::HashMap;

/// Codes that say that a definition is not the one that its graph or template makes, the firmest first. What
/// else is wrong with the definition of the same task follows.
const REWRITTEN: &[&str] = &[
    "document-task-differs",
    "graph-lacks-task",
    "graph-definition-differs",
    "graph-definition-additions",
    "graph-dependencies-added",
    "rebuild-differs",
    "rebuild-empty-values-added",
    "definition-pool-contradiction",
];
/// What may follow from a rewritten definition: codes that begin so.
const OF_DEFINITIONS: &[&str] = &[
    "definition-pool-contradiction",
    "graph-",
    "image-indexed",
    "image-not-",
    "image-prebuilt",
    "image-unknown-type",
    "interactive-",
    "kind-",
    "pull-request-",
    "source-",
    "tree-",
    "worker-",
];
/// Codes of a tree that is not trusted, the one nearest to the cause first. Those of the same address, or of the
/// same task, are one fault.
const FOREIGN: &[&str] = &[
    "pull-request-tasks-for",
    "pull-request-try",
    "tree-repository-prefix",
    "pull-request-fork",
    "source-repository-malformed",
    "rebuild-repository",
    "source-malformed",
    "pull-request-source",
    "source-outside-repository",
    "rebuild-template-repository",
    "tree-other-source",
    "rebuild-host",
    "rebuild-vcs",
    "tree-required",
    "tree-scope",
    "tree-sibling",
    "tree-parent",
    "tree-input-tree",
    "tree-level",
    "tree-untrusted",
    "rebuild-project-unknown",
];
/// Of the same task: a code, and what it follows from.
const OF_TASK: &[(&str, &str)] = &[
    ("artifact-not-made", "rebuild-tasks-for"),
    ("document-duplicate-key", "signature-other-bytes"),
    ("document-malformed", "signature-other-bytes"),
    ("document-not-json", "signature-other-bytes"),
    ("document-of-another-task", "signature-other-bytes"),
    ("document-version", "signature-other-bytes"),
    ("kind-needs-scriptworker", "kind-mismatch"),
    ("signature-key-expired", "run-times-impossible"),
    ("signature-key-not-yet-valid", "run-times-impossible"),
    ("signature-key-revoked", "run-times-impossible"),
    ("signature-time-unknown", "run-state-contradicts"),
    ("tree-input-revision", "rebuild-action-source"),
    ("tree-input-revision", "tree-sibling-revision"),
    ("tree-sibling-revision", "rebuild-action-source"),
    ("source-outside-repository", "rebuild-action-source"),
    ("worker-pool-decision", "rebuild-tasks-for"),
];
/// Wherever in the chain: a code, and what it follows from.
const OF_CHAIN: &[(&str, &str)] = &[
    ("artifacts-foreign", "chain-cyclic"),
    ("availability-unfinished", "availability-cancelled"),
    ("availability-unfinished", "availability-refused"),
    ("availability-unfinished", "availability-unreachable"),
    ("pull-request-not-landed", "rebuild-unknown-to-vcs"),
    ("pull-request-tag-unknown", "rebuild-unknown-to-vcs"),
    ("tree-branch-level", "pull-request-tasks-for"),
    ("tree-scheduler-level", "pull-request-tasks-for"),
    ("tree-scheduler-level", "pull-request-try"),
    ("tree-untrusted", "pull-request-tasks-for"),
    ("tree-untrusted", "pull-request-try"),
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
    let name = finding.code.name;
    let in_list = |list: &[&str]| list.iter().position(|code| *code == name);
    let is_cause = |table: &[(&str, &str)]| table.iter().any(|(_, cause)| *cause == name);
    let follows = |table: &[(&str, &str)]| table.iter().any(|(code, _)| *code == name);
    let rank = if let Some(place) = in_list(REWRITTEN) {
        place
    } else if name == "signature-other-bytes"
        || name == "rebuild-action-source"
        || name == "rebuild-tasks-for"
    {
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
        let (name, task_id) = (finding.code.name, finding.task_id);
        let mut found: Vec<(Nearness, &Finding)> = Vec::new();
        let of_task = |code: &'static str| self.of_task.get(&(task_id, code)).copied();
        if OF_DEFINITIONS.iter().any(|start| name.starts_with(start)) {
            found.extend(REWRITTEN.iter().filter_map(|code| of_task(code)));
        }
        if FOREIGN.contains(&name) {
            found.extend(FOREIGN.iter().filter_map(|code| of_task(code)));
            found.extend(address(finding).and_then(|address| self.of_address.get(&address)).copied());
        }
        found
            .extend(OF_TASK.iter().filter(|(code, _)| *code == name).filter_map(|(_, cause)| of_task(cause)));
        let of_chain = OF_CHAIN.iter().filter(|(code, _)| *code == name);
        found.extend(of_chain.filter_map(|(_, cause)| self.of_code.get(cause)).copied());
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
    if !FOREIGN.contains(&finding.code.name) {
        return None;
    }
    let text = &finding.actual.as_ref()?.text;
    let (_, rest) = text.split_once("://")?;
    let rest = rest.split_whitespace().next()?;
    let ends = ["/file/", "/rev/", "/raw-file/", "/blob/", "/raw/"].iter().filter_map(|word| rest.find(word));
    let end = ends.min().unwrap_or(rest.len());
    Some(rest.get(..end)?.trim_end_matches('/').to_ascii_lowercase())
}
