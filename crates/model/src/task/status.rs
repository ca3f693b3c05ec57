//! A task's status: its runs and how they ended.

use super::{RunId, TaskId};
use crate::moment::parse_moment;
use catena_json::Value;
use jiff::Timestamp;

/// The queue's record of a task's runs (`task/<id>/status`).
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// The task.
    pub task_id: TaskId,
    /// Its runs, numbered from 0 without gaps.
    pub runs: Vec<Run>,
    /// The task's state: that of its last run; `None` for a task without runs.
    pub state: Option<RunState>,
    /// Its copies of the definition's members: a key, and its value.
    pub repeated: Vec<(&'static str, Value)>,
}

/// Members that the queue returns both in a task's definition and in its status, from one record.
const REPEATED: [&str; 5] = ["provisionerId", "workerType", "taskQueueId", "taskGroupId", "schedulerId"];

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub run_id: RunId,
    /// Its state.
    pub state: RunState,
    /// The group of the worker that claimed it, if one has.
    pub worker_group: Option<String>,
    /// The worker that claimed it, if one has.
    pub worker_id: Option<String>,
    /// The reason why it ended, in the queue's terms, if it has ended.
    pub reason_resolved: Option<String>,
    /// When it was scheduled.
    pub scheduled: Timestamp,
    /// When a worker claimed it, if one has.
    pub started: Option<Timestamp>,
    /// The end of the claim, if a worker has claimed it.
    pub taken_until: Option<Timestamp>,
    /// When it ended, if it has.
    pub resolved: Option<Timestamp>,
}

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunState {
    /// Waiting for a worker.
    Pending,
    /// Claimed by a worker.
    Running,
    /// Completed.
    Completed,
    /// Failed.
    Failed,
    /// Ended by an exception.
    Exception,
}

impl RunState {
    /// The queue's term for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Exception => "exception",
        }
    }

    /// Whether it has ended, successfully or not.
    #[must_use]
    pub fn has_ended(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }

    /// Parses the queue's term.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Running, Self::Completed, Self::Failed, Self::Exception]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// The answer is not a task's status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the queue's status of the task is malformed: {0}")]
pub struct StatusError(pub String);

impl Status {
    /// Parses `{"status": {"taskId": …, "runs": […]}}`.
    ///
    /// # Errors
    /// Missing or mistyped members, an unknown state, a malformed time, runs that are not numbered from 0.
    pub fn parse(answer: &Value) -> Result<Self, StatusError> {
        let error = |what: &str| StatusError(what.to_owned());
        let status = answer.get("status").ok_or_else(|| error("no status"))?;
        let task_id = status.get("taskId").and_then(Value::as_str).ok_or_else(|| error("no taskId"))?;
        let task_id = TaskId::parse(task_id).map_err(|wrong| StatusError(wrong.to_string()))?;
        let runs = status.get("runs").and_then(Value::as_array).ok_or_else(|| error("no runs"))?;
        let runs =
            (0_u32..).zip(runs).map(|(number, run)| Run::parse(number, run)).collect::<Result<_, _>>()?;
        let state = match status.get("state").and_then(Value::as_str) {
            Some("unscheduled") => None,
            Some(state) => Some(RunState::parse(state).ok_or_else(|| unknown_state(state))?),
            None => return Err(error("no state")),
        };
        let repeated = REPEATED.into_iter().filter_map(|key| Some((key, status.get(key)?.clone()))).collect();
        Ok(Self { task_id, runs, state, repeated })
    }

    /// The run that the chain is about: the last.
    #[must_use]
    pub fn latest(&self) -> Option<&Run> {
        self.runs.last()
    }
}

fn unknown_state(state: &str) -> StatusError {
    let shown: String = state.chars().take(40).collect();
    StatusError(format!("unknown state {shown:?}"))
}

impl Run {
    fn parse(number: u32, run: &Value) -> Result<Self, StatusError> {
        let error = |what: &str| StatusError(format!("run {number}: {what}"));
        if run.get("runId").and_then(Value::as_u64) != Some(number.into()) {
            return Err(error("runs are not numbered from 0"));
        }
        let text = |key: &str| match run.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(error(&format!("{key} is not a string"))),
        };
        let time = |key: &str| match text(key)? {
            Some(time) => parse_moment(&time).map(Some).ok_or_else(|| error(&format!("{key} is not a time"))),
            None => Ok(None),
        };
        let state = text("state")?.ok_or_else(|| error("no state"))?;
        Ok(Self {
            run_id: RunId(number),
            state: RunState::parse(&state).ok_or_else(|| error(&unknown_state(&state).0))?,
            worker_group: text("workerGroup")?,
            worker_id: text("workerId")?,
            reason_resolved: text("reasonResolved")?,
            scheduled: time("scheduled")?.ok_or_else(|| error("no scheduled"))?,
            started: time("started")?,
            taken_until: time("takenUntil")?,
            resolved: time("resolved")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_json::{Limits, parse};

    fn status(runs: &str) -> Result<Status, StatusError> {
        let runs = runs.replace(r#""state""#, r#""scheduled":"2026-08-12T09:30:12.345Z","state""#);
        let text = format!(
            r#"{{"status":{{"taskId":"IFn9x5gaQz-HXl2pa7Ny_w","state":"completed","runs":{runs}}}}}"#
        );
        Status::parse(&parse(text.as_bytes(), &Limits::default()).unwrap())
    }

    #[test]
    fn the_last_run_counts() {
        let status =
            status(r#"[{"runId":0,"state":"exception"},{"runId":1,"state":"completed","workerId":"w"}]"#)
                .unwrap();
        assert_eq!(status.latest().map(|run| (run.run_id, run.state)), Some((RunId(1), RunState::Completed)));
        assert_eq!(status.latest().and_then(|run| run.worker_id.as_deref()), Some("w"));
        assert_eq!(super::Status { runs: vec![], ..status }.latest(), None);
    }

    #[test]
    fn copies_of_the_definition_are_kept_unchanged() {
        let text = r#"{"status":{"taskId":"IFn9x5gaQz-HXl2pa7Ny_w","runs":[],"state":"running",
            "taskQueueId":"a/b","provisionerId":"a","schedulerId":null,"taskGroupId":7}}"#;
        let status = Status::parse(&parse(text.as_bytes(), &Limits::default()).unwrap()).unwrap();
        let told: Vec<_> = status.repeated.iter().map(|(key, told)| format!("{key} {told}")).collect();
        assert_eq!(told, ["provisionerId \"a\"", "taskQueueId \"a/b\"", "taskGroupId 7", "schedulerId null"]);
    }

    #[test]
    fn every_state_has_the_queues_word() {
        for state in ["pending", "running", "completed", "failed", "exception"] {
            let status = status(&format!(r#"[{{"runId":0,"state":"{state}"}}]"#)).unwrap();
            assert_eq!(status.latest().map(|run| run.state.as_str()), Some(state));
        }
    }

    #[test]
    fn malformed_runs_are_refused() {
        for wrong in [
            r#"{}"#,
            r#"[{"runId":1,"state":"completed"}]"#,
            r#"[{"runId":"0","state":"completed"}]"#,
            r#"[{"runId":0,"state":"done"}]"#,
            r#"[{"runId":0}]"#,
            r#"[{"runId":0,"state":"completed","workerId":3}]"#,
            r#"[{"runId":0,"state":"completed","resolved":1786527012}]"#,
            r#"[{"runId":0,"state":"completed","resolved":"yesterday"}]"#,
            r#"[{"runId":0,"state":"completed","started":"yesterday"}]"#,
            r#"[{"runId":0,"state":"completed","takenUntil":3}]"#,
        ] {
            assert!(status(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_status_has_a_state_and_its_runs_say_when_they_were_scheduled() {
        let read = |text: &str| {
            let text = format!(r#"{{"status":{{"taskId":"IFn9x5gaQz-HXl2pa7Ny_w",{text}}}}}"#);
            Status::parse(&parse(text.as_bytes(), &Limits::default()).unwrap())
        };
        let told = |text: &str| read(text).unwrap_err().0;
        assert_eq!(read(r#""runs":[],"state":"unscheduled""#).unwrap().state, None);
        assert_eq!(read(r#""runs":[],"state":"failed""#).unwrap().state, Some(RunState::Failed));
        assert_eq!(told(r#""runs":[]"#), "no state");
        assert_eq!(told(r#""runs":[],"state":"done""#), "unknown state \"done\"");
        let run = |rest: &str| format!(r#""state":"pending","runs":[{{"runId":0,"state":"pending"{rest}}}]"#);
        assert_eq!(told(&run("")), "run 0: no scheduled");
        assert_eq!(told(&run(r#","scheduled":"now""#)), "run 0: scheduled is not a time");
    }
}
