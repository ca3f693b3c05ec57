//! The run the chain is about is the last one, and it ended well.
//!
//! Off-reference: a rule of its own, `run-state`; everything is asked of exactly this run.

use super::{Examined, rules};
use crate::inquiry::{Answer, Cx, Link};
use crate::task::RunState;
use crate::verdict::{Class, Code, Finding, Side, Standing};

const CHECK: &str = "run";

const COMPLETED: Code = Code::new(
    "run-completed",
    Class::Policy,
    "The last run of the task completed; everything is taken from this run.",
);
const NOT_COMPLETED: Code = Code::new(
    "run-not-completed",
    Class::Policy,
    "The last run of the task failed, ended in an exception, or has not ended.",
)
.relaxable(rules::RUN_STATE);
const NONE: Code = Code::new("run-none", Class::Policy, "The task has no run.");
const UNKNOWN: Code = Code::new("run-status-unknown", Class::Policy, "The queue has no status of the task.");
const MALFORMED: Code =
    Code::new("run-status-malformed", Class::Tamper, "The queue's status of the task is malformed.");
const OTHER: Code =
    Code::new("run-status-of-another-task", Class::Tamper, "The queue's status is about another task.");
const BEFORE: Code =
    Code::new("run-not-needed", Class::Policy, "The target is about to run, so no run of it is looked at.");

pub(crate) const CODES: &[Code] = &[COMPLETED, NOT_COMPLETED, NONE, UNKNOWN, MALFORMED, OTHER, BEFORE];

pub(crate) fn examine(cx: &Cx<'_>, link: &Link) -> Examined {
    let finding =
        |code, standing, message: String| Finding::new(CHECK, code, standing, link.task_id, message);
    if !link.has_run {
        return Ok(vec![finding(BEFORE, Standing::Passed, "The task is about to run.".to_owned())].into());
    }
    let failed = |code, message: String| {
        Ok(vec![finding(code, Standing::Failed, message).at("the queue's status", None)].into())
    };
    let status = match cx.status(link)? {
        Answer::Is(Ok(status)) => status,
        Answer::Is(Err(error)) => return failed(MALFORMED, format!("{error}.")),
        Answer::Absent(answer) => {
            return failed(UNKNOWN, format!("The queue has no status of the task: {answer}"));
        }
    };
    if status.task_id != link.task_id {
        return failed(OTHER, format!("The queue's status is about task {}.", status.task_id));
    }
    let Some(run) = status.latest() else {
        return failed(NONE, "The task has no run.".to_owned());
    };
    if run.state == RunState::Completed {
        let message = format!("Run {} completed.", run.run_id);
        return Ok(vec![finding(COMPLETED, Standing::Passed, message)].into());
    }
    let reason = run.reason_resolved.as_deref().filter(|reason| *reason != run.state.as_str());
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    let finding = finding(NOT_COMPLETED, Standing::Failed, format!("Run {} did not complete.", run.run_id))
        .at(
            "the queue's status",
            Some(
                catena_json::Path::of(&["status", "runs"])
                    .index(status.runs.len().saturating_sub(1))
                    .key("state"),
            ),
        )
        .expected(Side::Policy, RunState::Completed.as_str())
        .actual(Side::Queue, format!("{}{reason}", run.state.as_str()));
    Ok(vec![finding].into())
}
