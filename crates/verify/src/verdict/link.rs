//! What a verdict tells of each link.

use catena_keys::PublicKey;
use catena_model::digest::Digest;
use catena_model::task::{Kind, LinkName, RunId, TaskId, WorkerImplementation};

/// One link as the report shows it, with the evidence that it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkSummary {
    /// The way to it from the target.
    pub name: LinkName,
    /// The task.
    pub task_id: TaskId,
    /// Its kind.
    pub kind: Kind,
    /// The run the chain is about, where that is known.
    pub run_id: Option<RunId>,
    /// The worker that the queue says ran it.
    pub worker: Option<Worker>,
    /// What ran it, where that could be told.
    pub worker_implementation: Option<WorkerImplementation>,
    /// Its own name for itself (`metadata.name`), for people.
    pub title: Option<String>,
    /// Its signed document; none where no signature was verified.
    pub document: Option<SignedDocument>,
    /// The tasks it depends on.
    pub edges: Vec<Edge>,
    /// How many more of these there are, which are not listed.
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
    /// Of the bytes that are signed.
    pub digest: Digest,
    /// The key that signed them.
    pub signer: PublicKey,
}

/// One task that a link depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// What the link calls it: `parent`, the name of an input, or the type of an upstream task.
    pub name: String,
    /// The task.
    pub task_id: TaskId,
}
