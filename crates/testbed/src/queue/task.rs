//! Tasks and runs, and how they change.

use super::artifact::{StorageKind, StoredArtifact, store_path};
use super::{set, timestamp};
use crate::body::Body;
use crate::site::{Artifact, Run, Task};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Why the queue says no.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Refusal { status, code, message: message.into() }
    }

    pub(crate) fn no_task() -> Self {
        Refusal::new(404, "ResourceNotFound", "Task not found. Are you sure it exists?")
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Refusal::new(409, "RequestConflict", message)
    }

    pub(crate) fn input(message: impl Into<String>) -> Self {
        Refusal::new(400, "InputError", message)
    }
}

pub(crate) struct LiveRun {
    pub(crate) state: &'static str,
    reason_created: &'static str,
    reason_resolved: Option<String>,
    /// Group and id.
    pub(crate) worker: Option<(String, String)>,
    pub(crate) taken_until: Option<Timestamp>,
    scheduled: Timestamp,
    started: Option<Timestamp>,
    resolved: Option<Timestamp>,
    pub(crate) artifacts: BTreeMap<String, StoredArtifact>,
}

/// A run as the queue knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunView {
    /// `pending`, `running`, `completed`, `failed` or `exception`.
    pub state: String,
    /// Why it ended, once it has.
    pub reason: Option<String>,
    /// Group and id of the worker that claimed it.
    pub worker: Option<(String, String)>,
    /// Until when, in milliseconds since 1970.
    pub taken_until: Option<i64>,
}

impl RunView {
    pub(super) fn of(run: &LiveRun) -> RunView {
        RunView {
            state: run.state.to_owned(),
            reason: run.reason_resolved.clone(),
            worker: run.worker.clone(),
            taken_until: run.taken_until.map(Timestamp::as_millisecond),
        }
    }
}

impl LiveRun {
    fn new(reason_created: &'static str, now: Timestamp) -> Self {
        LiveRun {
            state: "pending",
            reason_created,
            reason_resolved: None,
            worker: None,
            taken_until: None,
            scheduled: now,
            started: None,
            resolved: None,
            artifacts: BTreeMap::new(),
        }
    }

    fn end(&mut self, state: &'static str, reason: &str, now: Timestamp) {
        (self.state, self.reason_resolved, self.resolved) = (state, Some(reason.to_owned()), Some(now));
    }

    fn status(&self, number: usize) -> Value {
        let mut run = json!({
            "runId": number, "state": self.state, "reasonCreated": self.reason_created,
            "scheduled": timestamp(self.scheduled),
        });
        let mut add = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                set(&mut run, key, value.into());
            }
        };
        add("reasonResolved", self.reason_resolved.clone());
        add("workerGroup", self.worker.as_ref().map(|(group, _)| group.clone()));
        add("workerId", self.worker.as_ref().map(|(_, id)| id.clone()));
        add("takenUntil", self.taken_until.map(timestamp));
        add("started", self.started.map(timestamp));
        add("resolved", self.resolved.map(timestamp));
        run
    }

    fn to_site(&self, task: &str, number: usize) -> Run {
        let present = || self.artifacts.iter().filter(|(_, artifact)| artifact.present);
        let served = present().filter_map(|(name, artifact)| {
            let target = self.end_of_links(name)?;
            let redirect = store_path(task, number, target).trim_start_matches("/_store/").to_owned();
            let mut served = Artifact::new(Body::default(), artifact.content_type.clone());
            served.redirect = Some(redirect);
            Some((name.clone(), served))
        });
        Run {
            listing: Some(present().map(|(name, artifact)| artifact.entry(name).to_string()).collect()),
            artifacts: served.collect(),
        }
    }

    /// The artifact with a body that a name leads to.
    fn end_of_links<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let mut name = name;
        for _ in 0..=self.artifacts.len() {
            let artifact = self.artifacts.get(name)?;
            match (artifact.kind, &artifact.target) {
                (StorageKind::Link, Some(target)) => name = target,
                (StorageKind::S3 | StorageKind::Object, _) => return Some(name),
                _ => return None,
            }
        }
        None
    }

    /// For how long artifacts may still be made of a run that ended without an outcome.
    pub(crate) fn takes_artifacts(&self, now: Timestamp) -> bool {
        const LATE: i64 = 25 * 60;
        let late = |resolved: Timestamp| now.as_second() - resolved.as_second() < LATE;
        self.state == "running" || (self.state == "exception" && self.resolved.is_some_and(late))
    }
}

pub(crate) struct LiveTask {
    id: String,
    pub(crate) definition: Value,
    /// What claims tell instead.
    pub(super) claimed: Option<Value>,
    pub(crate) pool: String,
    pub(crate) runs: Vec<LiveRun>,
    retries_left: u64,
}

impl LiveTask {
    pub(super) fn new(id: &str, definition: &Value) -> Self {
        let text = |key: &str| definition.get(key).and_then(Value::as_str).unwrap_or_default();
        LiveTask {
            id: id.to_owned(),
            pool: format!("{}/{}", text("provisionerId"), text("workerType")),
            retries_left: definition.get("retries").and_then(Value::as_u64).unwrap_or(5),
            definition: definition.clone(),
            claimed: None,
            runs: vec![LiveRun::new("scheduled", Timestamp::now())],
        }
    }

    pub(super) fn is_pending(&self) -> bool {
        self.runs.last().is_some_and(|run| run.state == "pending")
    }

    /// When its latest run was made.
    pub(super) fn waiting_since(&self) -> Option<Timestamp> {
        self.runs.last().map(|run| run.scheduled)
    }

    pub(super) fn is_taken_until_before(&self, now: Timestamp) -> bool {
        let run = self.runs.last().filter(|run| run.state == "running");
        run.and_then(|run| run.taken_until).is_some_and(|until| until <= now)
    }

    /// Claims the pending run; answers its number.
    pub(super) fn take(&mut self, worker: (&str, &str), now: Timestamp, until: Timestamp) -> usize {
        if let Some(run) = self.runs.last_mut() {
            run.state = "running";
            run.worker = Some((worker.0.to_owned(), worker.1.to_owned()));
            (run.started, run.taken_until) = (Some(now), Some(until));
        }
        self.runs.len().saturating_sub(1)
    }

    /// A run that is running, or why it is not.
    pub(super) fn running(&mut self, run: usize) -> Result<&mut LiveRun, Refusal> {
        let id = self.id.clone();
        match self.runs.get_mut(run) {
            None => Err(Refusal::new(404, "ResourceNotFound", format!("Run {run} not found on task {id}"))),
            Some(run) if run.state == "running" => Ok(run),
            Some(_) => Err(Refusal::conflict(format!(
                "Run {run} on task {id} is resolved or not running (anymore)."
            ))),
        }
    }

    /// Ends the latest run from outside.
    pub(super) fn end(&mut self, state: &'static str, reason: &str, now: Timestamp) {
        if let Some(run) = self.runs.last_mut().filter(|run| matches!(run.state, "pending" | "running")) {
            run.end(state, reason, now);
        }
    }

    pub(super) fn expire_claim(&mut self, now: Timestamp) {
        if let Some(run) = self.runs.last_mut().filter(|run| run.state == "running") {
            run.end("exception", "claim-expired", now);
            self.retry("retry", now);
        }
    }

    fn retry(&mut self, reason: &'static str, now: Timestamp) {
        if self.retries_left > 0 {
            self.retries_left -= 1;
            self.runs.push(LiveRun::new(reason, now));
        }
    }

    /// Resolves a run by the word of its worker. The same word twice is taken twice.
    pub(crate) fn resolve(&mut self, run: usize, state: &'static str, reason: &str) -> Result<(), Refusal> {
        let now = Timestamp::now();
        if let Some(run) = self.runs.get(run)
            && run.state == state
            && run.reason_resolved.as_deref() == Some(reason)
        {
            return Ok(());
        }
        self.running(run)?.end(state, reason, now);
        match reason {
            "worker-shutdown" => self.retry("retry", now),
            "intermittent-task" => self.retry("task-retry", now),
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn scopes(&self) -> Vec<String> {
        let scopes = self.definition.get("scopes").and_then(Value::as_array).into_iter().flatten();
        scopes.filter_map(|scope| scope.as_str().map(str::to_owned)).collect()
    }

    pub(crate) fn status(&self) -> Value {
        let copy = |key: &str| self.definition.get(key).cloned().unwrap_or(Value::Null);
        json!({
            "taskId": self.id, "provisionerId": copy("provisionerId"), "workerType": copy("workerType"),
            "taskQueueId": self.pool, "schedulerId": copy("schedulerId"), "projectId": copy("projectId"),
            "taskGroupId": copy("taskGroupId"), "priority": copy("priority"), "deadline": copy("deadline"),
            "expires": copy("expires"), "retriesLeft": self.retries_left,
            "state": self.runs.last().map_or("unscheduled", |run| run.state),
            "runs": self.runs.iter().enumerate().map(|(number, run)| run.status(number)).collect::<Vec<_>>(),
        })
    }

    /// The same as a site has it. Bodies are in the store, under the names that links lead to.
    pub(super) fn to_site(&self) -> Task {
        let runs = (0_u32..).zip(&self.runs).enumerate();
        Task {
            definition: self.definition.to_string().into(),
            status: json!({"status": self.status()}).to_string().into(),
            runs: runs.map(|(number, (run_id, run))| (run_id, run.to_site(&self.id, number))).collect(),
        }
    }

    /// Its status and its artifacts.
    pub(super) fn to_json(&self) -> Value {
        let artifacts = |run: &LiveRun| -> serde_json::Map<String, Value> {
            run.artifacts.iter().map(|(name, artifact)| (name.clone(), artifact.to_json())).collect()
        };
        json!({
            "status": self.status(),
            "artifacts": self.runs.iter().map(artifacts).collect::<Vec<_>>(),
        })
    }
}
