//! The run the chain is about is the last one, and it ended well.
//!
//! Off-reference: rules of their own, `run-state` and `status-definition`; everything is asked of exactly
//! this run; the queue's record of the runs contradicts neither itself nor the definition.

mod record;
mod times;

pub(crate) use times::signed;

use crate::verdict::{Authority, Class, Code, Disposition, Finding};
use crate::verification::{Answer, Check, CheckContext, Established, Examination, Examined, Link, Scope};
use catena_json::{Path, Value};
use catena_model::task::{RunState, Status};
use catena_policy::Rule;

pub(super) const DESCRIPTION: Check = describe!("run", CODES, Scope::Link(examine));
const CHECK: &str = DESCRIPTION.name;

const COMPLETED: Code =
    Code::passing("run-completed", "The last run of the task completed; all evidence is of this run.");
const NOT_COMPLETED: Code = Code::new(
    "run-not-completed",
    Class::Policy,
    "The last run of the task failed, or ended in an exception.",
)
.relaxable(Rule::RunState);
const NOT_FINISHED: Code = Code::new(
    "run-not-finished",
    Class::Infra,
    "The last run of the task has not ended yet: it is pending or running.",
)
.relaxable(Rule::RunState);
const NONE: Code = Code::new("run-none", Class::Infra, "The task has no run.");
const UNKNOWN: Code = Code::new("run-status-unknown", Class::Invalid, "The queue has no status of the task.");
const MALFORMED: Code =
    Code::new("run-status-malformed", Class::Invalid, "The queue's status of the task is malformed.");
const OTHER: Code =
    Code::new("run-status-of-another-task", Class::Invalid, "The queue's status is about a different task.");
const CONTRADICTS: Code = Code::new(
    "run-status-contradicts",
    Class::Invalid,
    "The queue's status does not name the worker pool, task group or scheduler of its definition of the \
     task.",
)
.relaxable(Rule::StatusDefinition);
const STATES: Code = Code::new(
    "run-state-contradicts",
    Class::Invalid,
    "The states that the queue records for the task and its runs contradict each other.",
);
const TIMES: Code = Code::new(
    "run-times-impossible",
    Class::Invalid,
    "The times of the task's runs are in an impossible order.",
);
const BEFORE: Code =
    Code::passing("run-not-needed", "The target is about to run, so it has no run to examine.");

const CODES: &[Code] = &[
    COMPLETED,
    NOT_COMPLETED,
    NOT_FINISHED,
    NONE,
    UNKNOWN,
    MALFORMED,
    OTHER,
    CONTRADICTS,
    STATES,
    TIMES,
    BEFORE,
];

fn examine(cx: &CheckContext<'_>, link: &Link) -> Examined {
    let finding =
        |code, disposition, message: String| Finding::new(CHECK, code, disposition, link.task_id, message);
    if !link.has_run {
        return Ok(vec![finding(BEFORE, Disposition::Passed, "The task is about to run.".to_owned())].into());
    }
    let failed = |code, message: String| {
        Ok(vec![finding(code, Disposition::Failed, message).at("the queue's status", None)].into())
    };
    let status = match cx.status(link)? {
        Answer::Is(Ok(status)) => status,
        Answer::Is(Err(error)) => {
            return failed(MALFORMED, format!("T{}.", error.to_string().trim_start_matches('t')));
        }
        Answer::Absent(answer) => {
            return failed(UNKNOWN, format!("The queue has no status of the task: {answer}"));
        }
    };
    if status.task_id != link.task_id {
        return failed(OTHER, format!("The queue's status is about task {}.", status.task_id));
    }
    let mut findings = contradictions(link, status);
    findings.extend(record::contradiction(status).map(|wrong| wrong.finding(link, STATES)));
    findings.extend(times::impossible(cx, link, status)?.map(|wrong| wrong.finding(link, TIMES)));
    let latest = latest(link, status);
    let passed = latest.disposition == Disposition::Passed;
    let established = (passed && findings.is_empty()).then_some(Established::Completed);
    if findings.is_empty() || !passed {
        findings.push(latest);
    }
    Ok(Examination { findings, established: established.into_iter().collect(), ..Examination::default() })
}

/// The queue makes its status of the same record as its definition, so that what stands in both is the
/// same.
fn contradictions(link: &Link, status: &Status) -> Vec<Finding> {
    let differing = status.repeated.iter().filter_map(|(key, told)| {
        let defined = link.definition.value().get(key)?;
        (defined != told).then(|| {
            let message = format!("The {key} of the queue's status is not that of its definition.");
            Finding::new(CHECK, CONTRADICTS, Disposition::Failed, link.task_id, message)
                .at("the queue's status", Some(Path::of(&["status", key])))
                .expected_by(Authority::Queue, "the queue's definition", plain(defined))
                .actual_by(Authority::Queue, "the queue's status", plain(told))
        })
    });
    differing.collect()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether the last run ended well.
fn latest(link: &Link, status: &Status) -> Finding {
    let finding =
        |code, disposition, message: String| Finding::new(CHECK, code, disposition, link.task_id, message);
    let Some(run) = status.latest() else {
        return finding(NONE, Disposition::Failed, "The task has no run.".to_owned())
            .at("the queue's status", None);
    };
    if run.state == RunState::Completed {
        let message = format!("Run {} completed.", run.run_id);
        return finding(COMPLETED, Disposition::Passed, message);
    }
    let reason = run.reason_resolved.as_deref().filter(|reason| *reason != run.state.as_str());
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    let place = Path::of(&["status", "runs"]).index(status.runs.len().saturating_sub(1)).key("state");
    let (code, message) = if run.state.has_ended() {
        (NOT_COMPLETED, format!("Run {} did not complete.", run.run_id))
    } else {
        (NOT_FINISHED, format!("Run {} has not finished yet.", run.run_id))
    };
    finding(code, Disposition::Failed, message)
        .at("the queue's status", Some(place))
        .expected(Authority::Policy, RunState::Completed.as_str())
        .actual(Authority::Queue, format!("{}{reason}", run.state.as_str()))
}
