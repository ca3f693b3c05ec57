//! How far a task and its runs got, by one record of the queue's: each part follows from another.

use super::CHECK;
use crate::verdict::{Authority, Code, Disposition, Finding};
use crate::verification::Link;
use catena_json::Path;
use catena_model::task::{Run, RunState, Status};

/// What is wrong with a record, and where.
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) path: Path,
    pub(super) expected: String,
    pub(super) actual: String,
}

impl Wrong {
    pub(super) fn finding(self, link: &Link, code: Code) -> Finding {
        Finding::new(CHECK, code, Disposition::Failed, link.task_id, self.message)
            .at("the queue's status", Some(self.path))
            .expected_by(Authority::Queue, "the rest of its record", self.expected)
            .actual(Authority::Queue, self.actual)
    }
}

/// A member of a run.
pub(super) fn place(run: &Run, key: &str) -> Path {
    let number = usize::try_from(run.run_id.0).unwrap_or(usize::MAX);
    Path::of(&["status", "runs"]).index(number).key(key)
}

/// The first contradiction in how far the task and its runs got.
pub(super) fn contradiction(status: &Status) -> Option<Wrong> {
    let last = status.latest();
    let name = |state: Option<RunState>| state.map_or("unscheduled", RunState::as_str).to_owned();
    let of_last = last.map(|run| run.state);
    if status.state != of_last {
        return Some(Wrong {
            message: "The task's state is not that of its last run.".to_owned(),
            path: Path::of(&["status", "state"]),
            expected: name(of_last),
            actual: name(status.state),
        });
    }
    let later = |run: &Run| last.is_some_and(|last| last.run_id != run.run_id);
    status.runs.iter().find_map(|run| of_run(run, later(run)))
}

/// What a run's state says against the rest of it; whether a later run was made.
fn of_run(run: &Run, is_replaced: bool) -> Option<Wrong> {
    let state = run.state.as_str();
    let wrong = |key: &str, expected: &str, actual: &str| {
        let message = format!("Run {} is {state}, and its {key} contradicts that.", run.run_id);
        let (expected, actual) = (expected.to_owned(), actual.to_owned());
        Some(Wrong { message, path: place(run, key), expected, actual })
    };
    let is_there = |there: bool| if there { "a time" } else { "missing" };
    let (started, resolved) = (run.started.is_some(), run.resolved.is_some());
    let reason = run.reason_resolved.as_deref();
    let has_ended = run.state.has_ended();
    if is_replaced && !has_ended {
        let message = format!("Run {} is {state}, although there is a later run.", run.run_id);
        let (expected, actual) = ("a state that has an end".to_owned(), state.to_owned());
        return Some(Wrong { message, path: place(run, "state"), expected, actual });
    }
    // A run that was cancelled or reached its deadline may have had no worker.
    let was_claimed = match run.state {
        RunState::Pending => Some(false),
        RunState::Running | RunState::Completed | RunState::Failed => Some(true),
        RunState::Exception => None,
    };
    if let Some(expected) = was_claimed.filter(|expected| *expected != started) {
        return wrong("started", is_there(expected), is_there(started));
    }
    if run.taken_until.is_some() && !started {
        return wrong("takenUntil", is_there(false), is_there(true));
    }
    if resolved != has_ended {
        return wrong("resolved", is_there(has_ended), is_there(resolved));
    }
    let fits = match run.state {
        RunState::Pending | RunState::Running => reason.is_none(),
        RunState::Completed | RunState::Failed => reason == Some(state),
        RunState::Exception => reason.is_some_and(|reason| !matches!(reason, "completed" | "failed")),
    };
    let expected = match run.state {
        RunState::Pending | RunState::Running => "missing",
        RunState::Completed | RunState::Failed => state,
        RunState::Exception => "why it ended in an exception",
    };
    if fits { None } else { wrong("reasonResolved", expected, reason.unwrap_or("missing")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_json::{Limits, parse};

    fn told(state: &str, runs: &[&str]) -> Option<String> {
        let runs: Vec<String> = runs
            .iter()
            .enumerate()
            .map(|(number, run)| format!(r#"{{"runId":{number},"scheduled":"2026-08-12T09:30:12Z",{run}}}"#))
            .collect();
        let text = format!(
            r#"{{"status":{{"taskId":"IFn9x5gaQz-HXl2pa7Ny_w","state":"{state}","runs":[{}]}}}}"#,
            runs.join(",")
        );
        let status = Status::parse(&parse(text.as_bytes(), &Limits::default()).unwrap()).unwrap();
        contradiction(&status).map(|wrong| format!("{}: {}", wrong.path, wrong.message))
    }

    const COMPLETED: &str = r#""state":"completed","started":"2026-08-12T09:31:12Z","takenUntil":"2026-08-12T09:51:12Z",
        "resolved":"2026-08-12T09:40:12Z","reasonResolved":"completed""#;
    const LOST: &str = r#""state":"exception","started":"2026-08-12T09:31:12Z","resolved":"2026-08-12T09:40:12Z",
        "reasonResolved":"worker-shutdown""#;
    const CANCELED: &str =
        r#""state":"exception","resolved":"2026-08-12T09:40:12Z","reasonResolved":"canceled""#;
    const RUNNING: &str = r#""state":"running","started":"2026-08-12T09:31:12Z""#;

    #[test]
    fn records_of_every_state_are_sound() {
        assert_eq!(told("unscheduled", &[]), None);
        assert_eq!(told("pending", &[r#""state":"pending""#]), None);
        assert_eq!(told("running", &[LOST, RUNNING]), None);
        assert_eq!(told("completed", &[CANCELED, LOST, COMPLETED]), None);
        assert_eq!(told("failed", &[&COMPLETED.replace("completed", "failed")]), None);
        assert_eq!(told("exception", &[CANCELED]), None);
    }

    #[test]
    fn each_part_follows_from_another() {
        let first = |state: &str, run: &str| told(state, &[run]).unwrap();
        assert!(first("running", COMPLETED).starts_with("status.state: "));
        assert!(told("completed", &[]).unwrap().starts_with("status.state: "));
        assert!(told("completed", &[RUNNING, COMPLETED]).unwrap().starts_with("status.runs[0].state: "));
        let at = |place: &str, state: &str, run: &str| {
            let found = first(state, run);
            assert!(found.starts_with(&format!("status.runs[0].{place}: ")), "{found}");
        };
        at("started", "pending", &RUNNING.replace("running", "pending"));
        at("started", "running", r#""state":"running""#);
        at(
            "started",
            "completed",
            &CANCELED.replace("exception", "completed").replace("canceled", "completed"),
        );
        at("takenUntil", "pending", r#""state":"pending","takenUntil":"2026-08-12T09:51:12Z""#);
        at("resolved", "running", &COMPLETED.replace(r#""state":"completed""#, r#""state":"running""#));
        at("resolved", "completed", &RUNNING.replace("running", "completed"));
        at("reasonResolved", "running", &format!(r#"{RUNNING},"reasonResolved":"completed""#));
        at("reasonResolved", "completed", &LOST.replace("exception", "completed"));
        at(
            "reasonResolved",
            "exception",
            &COMPLETED.replace(r#""state":"completed""#, r#""state":"exception""#),
        );
        at("reasonResolved", "failed", &COMPLETED.replace(r#""state":"completed""#, r#""state":"failed""#));
        at("reasonResolved", "exception", r#""state":"exception","resolved":"2026-08-12T09:40:12Z""#);
    }
}
