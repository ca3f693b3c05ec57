//! Claims of tasks: what the queue hands to a worker.

use crate::call::{Call, CallError, read, segment};
use crate::{Client, TaskclusterCredentials};
use bytes::Bytes;
use catena_model::task::{RunId, TaskId, WorkerPool};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use std::fmt;
use tokio::time::Instant;

/// Who a worker is: its group and its id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkerIdentity {
    group: String,
    id: String,
}

/// The text is not a Taskcluster identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an identifier (1 to 38 of a-z A-Z 0-9 _ -)")]
pub struct IdentifierError(String);

impl WorkerIdentity {
    /// Reads a worker's group and id.
    ///
    /// # Errors
    /// A group or an id that is not 1 to 38 letters, digits, `_` and `-`.
    pub fn parse(group: &str, id: &str) -> Result<Self, IdentifierError> {
        Ok(Self { group: identifier(group)?, id: identifier(id)? })
    }

    /// The group.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

fn identifier(text: &str) -> Result<String, IdentifierError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if (1..=38).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    Err(IdentifierError(text.chars().take(80).collect()))
}

/// A run of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskRun {
    /// The task.
    pub task_id: TaskId,
    /// Its run.
    pub run_id: RunId,
}

impl TaskRun {
    /// Its path below `queue/v1/`.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("queue/v1/task/{}/runs/{}/{rest}", self.task_id, self.run_id)
    }
}

impl fmt::Display for TaskRun {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.task_id, self.run_id)
    }
}

/// How long a run is the worker's, and by whose word it acts for it.
#[derive(Clone, Debug)]
pub struct Lease {
    /// When the run is taken away, unless it is reclaimed before.
    pub taken_until: Timestamp,
    /// The run's temporary credentials.
    pub credentials: TaskclusterCredentials,
}

/// A run that was claimed.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The run.
    pub run: TaskRun,
    /// Until when, and with which credentials.
    pub lease: Lease,
    /// The task's definition, JSON text as the queue sent it. It is the task's word: hostile.
    pub definition: Bytes,
}

/// How a run that did not fail by its own fault is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExceptionReason {
    /// The worker had to stop; the queue runs the task again.
    WorkerShutdown,
    /// The task asks for what it may not have or cannot be.
    MalformedPayload,
    /// What the task needs was not there; it may be later.
    ResourceUnavailable,
    /// The worker is at fault.
    InternalError,
    /// What happened may pass; the queue runs the task again.
    IntermittentTask,
}

impl ExceptionReason {
    /// The queue's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WorkerShutdown => "worker-shutdown",
            Self::MalformedPayload => "malformed-payload",
            Self::ResourceUnavailable => "resource-unavailable",
            Self::InternalError => "internal-error",
            Self::IntermittentTask => "intermittent-task",
        }
    }

    /// Reads the queue's word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::WorkerShutdown,
            Self::MalformedPayload,
            Self::ResourceUnavailable,
            Self::InternalError,
            Self::IntermittentTask,
        ]
        .into_iter()
        .find(|reason| reason.as_str() == text)
    }
}

/// How a run is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// The task did what it was for.
    Completed,
    /// The task did not.
    Failed,
    /// Neither.
    Exception(ExceptionReason),
}

/// What a claim and a reclaim have in common.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Taken<'a> {
    #[serde(borrow)]
    status: &'a RawValue,
    run_id: u32,
    worker_group: String,
    worker_id: String,
    taken_until: String,
    #[serde(borrow)]
    task: Option<&'a RawValue>,
    credentials: TaskclusterCredentials,
}

#[derive(Deserialize)]
struct Work<'a> {
    #[serde(borrow)]
    tasks: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatusId {
    task_id: String,
}

impl Taken<'_> {
    /// The run, if it is the worker's.
    fn run(&self, call: &'static str) -> Result<TaskRun, CallError> {
        let status: StatusId = read(call, self.status.get().as_bytes())?;
        let task_id = TaskId::parse(&status.task_id);
        let task_id = task_id.map_err(|error| CallError::malformed(call, error.to_string()))?;
        Ok(TaskRun { task_id, run_id: RunId(self.run_id) })
    }

    fn is_of(&self, worker: &WorkerIdentity) -> bool {
        self.worker_group == worker.group && self.worker_id == worker.id
    }

    fn lease(self, call: &'static str) -> Result<Lease, CallError> {
        let taken_until = self.taken_until.parse();
        let taken_until = taken_until.map_err(|_| CallError::malformed(call, "takenUntil is not a time"))?;
        Ok(Lease { taken_until, credentials: self.credentials })
    }

    fn claim(self, worker: &WorkerIdentity) -> Result<Claim, CallError> {
        let run = self.run(CLAIM)?;
        if !self.is_of(worker) {
            return Err(CallError::malformed(CLAIM, format!("{run} is claimed for another worker")));
        }
        let definition = self.task.ok_or_else(|| CallError::malformed(CLAIM, format!("no task in {run}")))?;
        let definition = Bytes::copy_from_slice(definition.get().as_bytes());
        Ok(Claim { run, lease: self.lease(CLAIM)?, definition })
    }
}

const CLAIM: &str = "claimWork";
const RECLAIM: &str = "reclaimTask";

impl Client {
    /// Claims up to so many runs of a pool. The queue holds the question for about 20 s where nothing is
    /// pending, and then answers with none. One claim that is malformed, or another worker's, does not spoil the
    /// others.
    ///
    /// # Errors
    /// As of every call.
    pub async fn claim_work(
        &self,
        pool: &WorkerPool,
        worker: &WorkerIdentity,
        tasks: u32,
        deadline: Instant,
    ) -> Result<Vec<Result<Claim, CallError>>, CallError> {
        let body = json!({"workerGroup": worker.group, "workerId": worker.id, "tasks": tasks});
        let path = format!("queue/v1/claim-work/{}", segment(pool.as_str()));
        let answer = self.answer(Call::post(CLAIM, path, Some(&body)), deadline).await?;
        let work: Work<'_> = read(CLAIM, &answer)?;
        let claim = |task: &RawValue| read::<Taken<'_>>(CLAIM, task.get().as_bytes())?.claim(worker);
        Ok(work.tasks.into_iter().map(claim).collect())
    }

    /// Prolongs a claim. A conflict means that the run is no longer the worker's.
    ///
    /// # Errors
    /// As of every call; an answer about another run.
    pub async fn reclaim_task(&self, run: TaskRun, deadline: Instant) -> Result<Lease, CallError> {
        let answer = self.answer(Call::post(RECLAIM, run.path("reclaim"), None), deadline).await?;
        let taken: Taken<'_> = read(RECLAIM, &answer)?;
        let reclaimed = taken.run(RECLAIM)?;
        if reclaimed != run {
            return Err(CallError::malformed(RECLAIM, format!("it is about {reclaimed} instead of {run}")));
        }
        taken.lease(RECLAIM)
    }

    /// Resolves a run. A conflict means that it is resolved otherwise, or no longer the worker's.
    ///
    /// # Errors
    /// As of every call.
    pub async fn resolve(
        &self,
        run: TaskRun,
        resolution: Resolution,
        deadline: Instant,
    ) -> Result<(), CallError> {
        let (name, rest, body) = match resolution {
            Resolution::Completed => ("reportCompleted", "completed", None),
            Resolution::Failed => ("reportFailed", "failed", None),
            Resolution::Exception(reason) => {
                ("reportException", "exception", Some(json!({"reason": reason.as_str()})))
            }
        };
        self.answer(Call::post(name, run.path(rest), body.as_ref()), deadline).await.map(drop)
    }
}
