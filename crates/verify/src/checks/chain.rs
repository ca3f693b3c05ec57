//! The chain itself is of a shape that honest graphs have: not too deep, not too wide, not cyclic.
//!
//! Specification 2.1 to 2.9. Off-reference: bounds on the number of links, and cycles.

use crate::verdict::{Authority, Class, Code, Disposition, Finding};
use crate::verification::{Check, CheckContext, Examined, Halt, Scope, Unresolved, cycle};
use catena_policy::Rule;

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
            Finding::new(CHECK, TOO_DEEP, Disposition::Failed, *task_id, "The chain is too deep.")
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
        let message = format!("Task {task_id} is, over its inputs and parents, an input of itself.");
        findings.push(Finding::new(CHECK, CYCLIC, Disposition::Failed, task_id, message));
    }
    if findings.is_empty() {
        let message = format!("The chain has {} links.", chain.links().count());
        findings.push(Finding::new(CHECK, SHAPE, Disposition::Passed, target, message));
    }
    Ok(findings.into())
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
