//! A task is what its parent's published graph says, in both directions.
//!
//! Specification 6.1 to 6.7. Off-reference: what the task has beyond its entry in the graph may
//! only be the platform's defaults, and its deadline and expiry are the graph's.

use super::artifacts;
use crate::compare::member_differences;
use crate::verdict::{Authority, Class, Code, Difference, DifferenceKind, Disposition, Finding};
use crate::verification::{Check, CheckContext, Examined, Link, Scope, Stop};
use catena_json::{Map, Path, Value};
use catena_model::Limits;
use catena_model::graph::{GraphError, parse_time, resolve};
use catena_model::task::{Definition, TaskId};
use catena_policy::Rule;
use std::collections::BTreeSet;

pub(super) const DESCRIPTION: Check = describe!("task-graph", CODES, Scope::Link(examine));
const CHECK: &str = DESCRIPTION.name;

const AGREES: Code = Code::passing("graph-agrees", "The task is what its parent's graph says.");
const PARENT: Code =
    Code::passing("graph-not-needed", "The task is a parent: it is in no graph, but rebuilt from the tree.");
const NO_PARENT: Code = Code::new(
    "graph-parent-makes-no-tasks",
    Class::Invalid,
    "The task's parent is not a decision or action task of the chain.",
);
const UNREADABLE: Code = Code::new(
    "graph-unreadable",
    Class::Invalid,
    "The parent's graph is not one JSON object, or has the task twice.",
);
const LIMITS: Code = Code::new(
    "graph-beyond-limits",
    Class::Policy,
    "The parent's graph, or the task's entry in it, is larger or deeper than the limits.",
);
const LACKS: Code =
    Code::new("graph-lacks-task", Class::Invalid, "The parent's graph does not have the task.");
const ENTRY: Code =
    Code::new("graph-entry-malformed", Class::Invalid, "The graph's entry for the task is malformed.");
const DIFFERS: Code = Code::new(
    "graph-definition-differs",
    Class::Tamper,
    "The task differs from its entry in the parent's graph.",
);
const DEPENDENCIES: Code = Code::new(
    "graph-dependencies-added",
    Class::Invalid,
    "The task depends on tasks that its entry in the graph does not name.",
);
const ADDITIONS: Code = Code::new(
    "graph-definition-additions",
    Class::Invalid,
    "The task has parts that its entry in the graph lacks and that are not the platform's defaults.",
)
.relaxable(Rule::GraphAdditions);
const TIMES: Code = Code::new(
    "graph-times-differ",
    Class::Invalid,
    "The task's deadline or expiry is not the one its entry in the graph sets.",
)
.relaxable(Rule::GraphTimes);
const CREATED: Code = Code::new(
    "graph-created-malformed",
    Class::Invalid,
    "The task's creation time does not have the queue's form.",
);

const CODES: &[Code] = &[
    AGREES,
    PARENT,
    NO_PARENT,
    UNREADABLE,
    LIMITS,
    LACKS,
    ENTRY,
    DIFFERS,
    DEPENDENCIES,
    ADDITIONS,
    TIMES,
    CREATED,
];

const MOST_DIFFERENCES: usize = 20;

/// Parts that are set when the task is created, and so have rules of their own.
const OWN_RULES: [&str; 8] =
    ["created", "deadline", "dependencies", "expires", "priority", "projectId", "schedulerId", "taskQueueId"];

fn examine(cx: &CheckContext<'_>, link: &Link) -> Examined {
    let finding =
        |code, disposition, message: String| Finding::new(CHECK, code, disposition, link.task_id, message);
    if link.is_parent() {
        let message = "The task is a parent, which is rebuilt from the tree.".to_owned();
        return Ok(vec![finding(PARENT, Disposition::Passed, message)].into());
    }
    let parent_id = link.definition.parent_task_id();
    let Some(parent) = cx.link(parent_id)? else {
        // Its definition could not be had, and the definition check says so.
        return Err(Stop::Blocked);
    };
    if !parent.is_parent() || !parent.has_run {
        let message =
            format!("Task {parent_id}, which the task names as its maker, is not a decision or action task.");
        return Ok(vec![finding(NO_PARENT, Disposition::Failed, message)].into());
    }
    let scan = artifacts::graph(cx, parent)?;
    let origin = format!("public/task-graph.json of {} ({parent_id})", parent.name);
    let failed = |code, message: String| finding(code, Disposition::Failed, message).origin(origin.clone());
    let entries = match &scan.entries {
        Ok(entries) => entries,
        Err(error) => {
            let code = match error {
                GraphError::EntryTooLarge { .. } | GraphError::TooDeep { .. } => LIMITS,
                GraphError::Malformed { .. } | GraphError::Duplicate { .. } => UNREADABLE,
            };
            return Ok(vec![failed(
                code,
                format!("The graph of {} ({parent_id}) is malformed: {error}.", parent.name),
            )]
            .into());
        }
    };
    let Some(entry) = entries.get(&link.task_id) else {
        return Ok(vec![failed(
            LACKS,
            format!("The graph of {} ({parent_id}) does not have the task.", parent.name),
        )]
        .into());
    };
    cx.evidence.work.spend_bytes(entry.len())?;
    let limits = cx.evidence.limits.json();
    let limits = catena_json::Limits { values: limits.values.min(Limits::ENTRY_VALUES), ..limits };
    let graph = match catena_json::parse(entry, &limits).map(task) {
        Ok(Some(task)) => task,
        Ok(None) => {
            return Ok(vec![failed(
                ENTRY,
                format!("The task's entry in the graph of {} ({parent_id}) has no task.", parent.name),
            )]
            .into());
        }
        Err(error) => {
            let code = if error.kind.is_beyond_limits() { LIMITS } else { ENTRY };
            return Ok(vec![failed(
                code,
                format!(
                    "The task's entry in the graph of {} ({parent_id}) is malformed: {error}.",
                    parent.name
                ),
            )]
            .into());
        }
    };
    let mut findings = compare(cx, link, parent, graph);
    for finding in &mut findings {
        finding.origin = Some(origin.clone());
    }
    if findings.is_empty() {
        findings.push(finding(
            AGREES,
            Disposition::Passed,
            format!("The task is what the graph of {} says.", parent.name),
        ));
    }
    Ok(findings.into())
}

/// The definition in an entry of the graph.
fn task(entry: Value) -> Option<Map> {
    let Value::Object(mut entry) = entry else { return None };
    match entry.remove("task") {
        Some(Value::Object(task)) if !task.is_empty() => Some(task),
        _ => None,
    }
}

fn compare(cx: &CheckContext<'_>, link: &Link, parent: &Link, mut graph: Map) -> Vec<Finding> {
    let failed = |code, message: &str| {
        Finding::new(CHECK, code, Disposition::Failed, link.task_id, message)
            .at("the queue's definition", None)
    };
    let Some(created) = parse_time(link.definition.created()) else {
        let path = Path::of(&["created"]);
        return vec![
            failed(CREATED, "The creation time does not have the queue's form.")
                .at("the queue's definition", Some(path))
                .expected_by(Authority::Queue, "the queue's form", "YYYY-MM-DDTHH:MM:SS.mmmZ")
                .actual(Authority::Queue, link.definition.created()),
        ];
    };
    for (_, member) in &mut graph {
        if let Err(error) = resolve(member, created) {
            return vec![failed(ENTRY, &format!("The graph's entry cannot be resolved: {error}."))];
        }
    }
    let mut findings = Vec::new();
    let authorities = (Authority::Graph, Authority::Queue);
    if let Some(finding) = dependencies(link, &graph) {
        findings.push(finding);
    }
    let differing = fixed_differences(&graph, &link.definition);
    if !differing.is_empty() {
        findings.push(
            failed(DIFFERS, "The task differs from its entry in the graph.")
                .differing(authorities, differing),
        );
    }
    let times = time_differences(&graph, &link.definition);
    if !times.is_empty() {
        findings.push(
            failed(TIMES, "The task's times are not those that the graph sets.")
                .differing(authorities, times),
        );
    }
    let additions = additions(cx, link, parent, &graph);
    if !additions.is_empty() {
        let message = "The task has parts that the graph lacks and that are not the platform's defaults.";
        findings.push(failed(ADDITIONS, message).differing(authorities, additions));
    }
    findings
}

/// The task's dependencies are among the graph's; the decision task may always be one.
fn dependencies(link: &Link, graph: &Map) -> Option<Finding> {
    let listed: BTreeSet<&str> = graph
        .get("dependencies")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let decision = link.definition.decision_task_id();
    let added: Vec<&TaskId> = link
        .definition
        .dependencies()
        .iter()
        .filter(|id| **id != decision && !listed.contains(id.as_str()))
        .collect();
    if added.is_empty() {
        return None;
    }
    let added = added.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
    let finding = Finding::new(
        CHECK,
        DEPENDENCIES,
        Disposition::Failed,
        link.task_id,
        "The task has dependencies that the graph does not have.",
    );
    Some(
        finding
            .at("the queue's definition", Some(Path::of(&["dependencies"])))
            .expected(Authority::Graph, listed.into_iter().collect::<Vec<_>>().join(", "))
            .actual(Authority::Queue, added),
    )
}

/// Every part of the entry but those with rules of their own stands in the task unchanged.
fn fixed_differences(graph: &Map, definition: &Definition) -> Vec<Difference> {
    let fixed = graph.iter().filter(|(key, _)| !OWN_RULES.contains(&key.as_str()));
    member_differences(fixed, |key| definition.value().get(key), MOST_DIFFERENCES)
}

/// The graph sets deadline and expiry from the time of creation.
fn time_differences(graph: &Map, definition: &Definition) -> Vec<Difference> {
    let differ = |key: &&str| {
        let expected = graph.get(key)?;
        let actual = definition.value().get(key);
        (Some(expected) != actual).then(|| Difference {
            path: Path::of(&[key]),
            kind: if actual.is_some() { DifferenceKind::Changed } else { DifferenceKind::Missing },
            expected: Some(expected.clone()),
            actual: actual.cloned(),
        })
    };
    ["deadline", "expires"].iter().filter_map(differ).collect()
}

/// What the task has beyond its entry and should not.
fn additions(cx: &CheckContext<'_>, link: &Link, parent: &Link, graph: &Map) -> Vec<Difference> {
    let mut found = Vec::new();
    for (key, value) in link.definition.value().as_object().into_iter().flatten() {
        let listed = graph.get(key);
        let fine = match (key.as_str(), listed) {
            ("created" | "deadline" | "expires" | "dependencies", _) => true,
            ("priority", _) => value.as_str().is_some_and(|priority| PRIORITIES.contains(&priority)),
            ("projectId", Some(listed)) => value == listed || value.as_str() == Some("none"),
            ("schedulerId", Some(listed)) => value == listed,
            ("taskQueueId", Some(listed)) => value == listed,
            (_, Some(_)) => true,
            ("projectId", None) => value.as_str() == Some("none"),
            ("schedulerId", None) => is_scheduler_of(parent, value),
            ("taskQueueId", None) => {
                cx.evidence.relaxes(Rule::WorkerPool)
                    || value.as_str() == Some(link.definition.worker_pool().as_str())
            }
            ("taskGroupId", None) => is_group_of(parent, value),
            ("requires", None) => value.as_str() == Some("all-completed"),
            ("retries", None) => value.as_i64() == Some(5),
            (_, None) => is_empty(value),
        };
        // A part that the graph sets differently is a change; one that it lacks is an addition.
        if !fine {
            found.push(Difference {
                path: Path::of(&[key]),
                kind: if listed.is_some() { DifferenceKind::Changed } else { DifferenceKind::Added },
                expected: listed.cloned(),
                actual: Some(value.clone()),
            });
        }
    }
    found
}

/// The queue's words for priorities. The platform may move a task among them.
const PRIORITIES: [&str; 8] =
    ["highest", "very-high", "high", "medium", "low", "very-low", "lowest", "normal"];

/// The scheduler of the tasks that a parent makes: its own; GitHub's service hands over to the
/// trust domain's.
fn is_scheduler_of(parent: &Link, value: &Value) -> bool {
    let own = parent.definition.scheduler_id();
    value.as_str().is_some_and(|scheduler| {
        scheduler == own || (own == "taskcluster-github" && is_level_scheduler(scheduler))
    })
}

/// `<trust domain>-level-<1 to 3>`
fn is_level_scheduler(scheduler: &str) -> bool {
    scheduler
        .rsplit_once("-level-")
        .is_some_and(|(domain, level)| !domain.is_empty() && ["1", "2", "3"].contains(&level))
}

/// The task group of the tasks that a parent makes: its own, or one that it opens under its own id,
/// as a release promotion does.
fn is_group_of(parent: &Link, value: &Value) -> bool {
    value.as_str().is_some_and(|group| {
        group == parent.task_id.as_str() || group == parent.definition.decision_task_id().as_str()
    })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lists_and_objects_are_empty() {
        let read = |text: &str| catena_json::parse(text.as_bytes(), &catena_json::Limits::default()).unwrap();
        for empty in ["[]", "{}"] {
            assert!(is_empty(&read(empty)), "{empty}");
        }
        for something in ["[null]", r#"{"a":[]}"#, "null", "\"\"", "0", "false"] {
            assert!(!is_empty(&read(something)), "{something}");
        }
    }

    #[test]
    fn schedulers_of_a_level() {
        assert!(is_level_scheduler("mobile-level-3"));
        for wrong in ["mobile-level-", "-level-3", "mobile-level-4", "mobile", "mobile-level-33"] {
            assert!(!is_level_scheduler(wrong), "{wrong}");
        }
    }
}
