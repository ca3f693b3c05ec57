//! What a verdict states about each link.

use catena_keys::PublicKey;
use catena_model::digest::Digest;
use catena_model::task::{Kind, LinkName, RunId, RunState, TaskId, WorkerImplementation, WorkerPool};

/// One link in the report, with its evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkSummary {
    /// The path to it from the target.
    pub name: LinkName,
    /// The task.
    pub task_id: TaskId,
    /// Its kind.
    pub kind: Kind,
    /// The run that the chain is about, if known.
    pub run_id: Option<RunId>,
    /// The state of that run, according to the queue.
    pub run_state: Option<RunState>,
    /// The worker pool that its definition names.
    pub worker_pool: WorkerPool,
    /// The worker that ran it, according to the queue.
    pub worker: Option<Worker>,
    /// Its worker implementation, if determined.
    pub worker_implementation: Option<WorkerImplementation>,
    /// The task's own name (`metadata.name`), for people.
    pub title: Option<String>,
    /// Its signed document; `None` if no signature was verified.
    pub document: Option<SignedDocument>,
    /// The tasks it depends on.
    pub edges: Vec<Edge>,
    /// The number of further dependencies that are not listed.
    pub edges_left_out: usize,
}

/// A worker, as the queue names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Its group.
    pub group: String,
    /// Its name in that group.
    pub id: String,
}

/// A document whose signature was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedDocument {
    /// The digest of the signed bytes.
    pub digest: Digest,
    /// The key that signed them.
    pub signer: PublicKey,
}

/// One task that a link depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Its name in the link: `parent`, the name of an input, or the type of an upstream task.
    pub name: String,
    /// The task.
    pub task_id: TaskId,
}
