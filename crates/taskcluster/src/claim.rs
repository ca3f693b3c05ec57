//! Claims of tasks: work that the queue assigns to a worker.

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

/// The identity of a worker: its group and its id.
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
    /// Parses a worker's group and id.
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

/// The duration of a claim, and its credentials.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The run is taken away at this time, unless it is reclaimed before.
    pub taken_until: Timestamp,
    /// The run's temporary credentials.
    pub credentials: TaskclusterCredentials,
}

/// A run that was claimed.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The run.
    pub run: TaskRun,
    /// The duration and the credentials.
    pub lease: Lease,
    /// The task's definition, JSON text as the queue sent it. It is written by the task's author, and
    /// untrusted.
    pub definition: Bytes,
}

/// The exception with which a run is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExceptionReason {
    /// The worker had to stop; the queue runs the task again.
    WorkerShutdown,
    /// The task requests something that it may not have, or is malformed.
    MalformedPayload,
    /// A resource that the task needs was unavailable; it may be available later.
    ResourceUnavailable,
    /// The worker is at fault.
    InternalError,
    /// The failure may be temporary; the queue runs the task again.
    IntermittentTask,
}

impl ExceptionReason {
    /// The queue's term for it.
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

    /// Parses the queue's term.
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

/// The resolution of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// The task succeeded.
    Completed,
    /// The task failed.
    Failed,
    /// An exception.
    Exception(ExceptionReason),
}

/// Members that a claim and a reclaim share.
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
    /// The run, if it belongs to the worker.
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
    /// Claims up to this many runs of a pool. If none is pending, the queue holds the request for about
    /// 20 s, and then answers with none. A claim that is malformed, or belongs to another worker, does
    /// not affect the others.
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

    /// Extends a claim. A conflict means that the run no longer belongs to the worker.
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

    /// Resolves a run. A conflict means that it has another resolution, or no longer belongs to the
    /// worker.
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
