//! The chain itself is of a shape that honest graphs have: not too deep, not too wide, not cyclic.
//!
//! Specification 2.1 to 2.9. Off-reference: bounds on the number of links, and cycles.

use crate::verdict::{Authority, Class, Code, Disposition, Finding};
use crate::verification::{
    Chain, Check, CheckContext, Examined, Halt, Link, Scope, Stop, Unresolved, Work, cycle,
};
use catena_json::Path;
use catena_model::task::TaskId;
use catena_policy::Rule;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

pub(super) const DESCRIPTION: Check =
    describe!("chain", CODES, Scope::Chain(examine), Scope::Conclusion(examine_work));
const CHECK: &str = DESCRIPTION.name;

const SHAPE: Code = Code::passing(
    "chain-shape",
    "The chain is neither too deep nor too wide, and no task depends on itself.",
);
const TOO_DEEP: Code =
    Code::new("chain-too-deep", Class::Policy, "A link is farther from the target than the policy allows.");
const TOO_WIDE: Code =
    Code::new("chain-too-wide", Class::Policy, "The chain has more links than the limit allows.");
const TOO_MUCH_WORK: Code = Code::new(
    "chain-too-much-work",
    Class::Policy,
    "Verifying the chain takes more work than the limit allows.",
);
const CYCLIC: Code =
    Code::new("chain-cyclic", Class::Invalid, "A task is among its own inputs.").relaxable(Rule::ChainCycle);

const CODES: &[Code] = &[SHAPE, TOO_DEEP, TOO_WIDE, TOO_MUCH_WORK, CYCLIC];

fn examine(cx: &CheckContext<'_>) -> Examined {
    let chain = cx.closed()?;
    let target = cx.evidence.target.task_id;
    let mut findings = Vec::new();
    let most = cx.evidence.product.max_chain_length;
    for task_id in chain.too_deep() {
        let depth = chain.name(*task_id).map_or(0, catena_model::task::LinkName::depth);
        findings.push(
            Finding::new(
                CHECK,
                TOO_DEEP,
                Disposition::Failed,
                *task_id,
                "The task is too far from the target.",
            )
            .expected(Authority::Policy, format!("at most {most} steps from the target"))
            .actual(Authority::Task, format!("{depth} steps")),
        );
    }
    if chain.too_wide() {
        let limit = cx.evidence.limits.links;
        findings.push(
            Finding::new(CHECK, TOO_WIDE, Disposition::Failed, target, "The chain has too many links.")
                .expected(Authority::Policy, format!("at most {limit} links"))
                .actual(Authority::Task, "more"),
        );
    }
    if let Some(task_id) = cycle(chain, &cx.evidence.work)? {
        let way = way_back(chain, task_id, &cx.evidence.work)?;
        let field = way.first().map(|step| step.field.clone()).unwrap_or_default();
        let message = format!("The task depends on itself: {}.", shown(task_id, &way));
        let finding = Finding::new(CHECK, CYCLIC, Disposition::Failed, task_id, message);
        findings.push(finding.at("the queue's definition", Some(field)));
    }
    if findings.is_empty() {
        let message = format!("The chain has {} links.", chain.links().count());
        findings.push(Finding::new(CHECK, SHAPE, Disposition::Passed, target, message));
    }
    Ok(findings.into())
}

/// One step of a way: the field that names the next task, and that task.
struct Step {
    field: Path,
    to: TaskId,
}

/// The shortest way from a task back to itself.
fn way_back(chain: &Chain, start: TaskId, work: &Work) -> Result<Vec<Step>, Stop> {
    let mut came_from: BTreeMap<TaskId, (TaskId, Path)> = BTreeMap::new();
    let mut todo = VecDeque::from([start]);
    'search: while let Some(task_id) = todo.pop_front() {
        for (field, to) in chain.link(task_id).map(named_tasks).into_iter().flatten() {
            work.spend(1)?;
            if let Entry::Vacant(entry) = came_from.entry(to) {
                entry.insert((task_id, field));
                todo.push_back(to);
            }
            if to == start {
                break 'search;
            }
        }
    }
    let (mut way, mut to) = (Vec::new(), start);
    while let Some((from, field)) = came_from.remove(&to) {
        way.push(Step { field, to });
        to = from;
    }
    way.reverse();
    Ok(way)
}

/// The tasks that a task depends on, each with the field that names it. A task may be its own parent.
fn named_tasks(link: &Link) -> Vec<(Path, TaskId)> {
    let definition = &link.definition;
    let input = |(kind, task_id): &(String, TaskId)| {
        (Path::of(&["extra", "chainOfTrust", "inputs"]).key(kind), *task_id)
    };
    let mut named: Vec<_> = definition.inputs().iter().map(input).collect();
    let upstream = definition.upstream_artifacts().iter().enumerate();
    named.extend(upstream.map(|(index, entry)| {
        (Path::of(&["payload", "upstreamArtifacts"]).index(index).key("taskId"), entry.task_id)
    }));
    let parent = definition.parent_task_id();
    if parent != link.task_id {
        let is_told = definition.value().pointer(&["extra", "parent"]).is_some();
        named.push((
            if is_told { Path::of(&["extra", "parent"]) } else { Path::of(&["taskGroupId"]) },
            parent,
        ));
    }
    named
}

/// A way as readers see it: `A → B (extra.parent) → A (taskGroupId)`.
fn shown(start: TaskId, way: &[Step]) -> String {
    const MOST: usize = 6;
    let mut text = start.to_string();
    for (number, step) in way.iter().enumerate() {
        if number >= MOST && number.saturating_add(1) < way.len() {
            continue;
        }
        if number > MOST {
            text.push_str(" → …");
        }
        text.push_str(&format!(" → {} ({})", step.to, step.field));
    }
    text
}

/// Whether the work has come to its limit, which no check comes to the end of.
fn examine_work(unresolved: &Unresolved<'_>) -> Vec<Finding> {
    if unresolved.halted != Some(Halt::Exhausted) {
        return Vec::new();
    }
    let case = unresolved.cx.evidence;
    let message = "Verifying the chain takes more work than the limit allows.";
    let finding = Finding::new(CHECK, TOO_MUCH_WORK, Disposition::Failed, case.target.task_id, message);
    let finding = finding.expected(Authority::Policy, format!("at most {} steps", case.work.limit()));
    vec![finding.actual(Authority::Task, "more")]
}
