//! What a worker asks of the queue.

use crate::descriptor::ClaimCredentials;
use crate::lease::Lease;
use crate::status::{Resolution, Status};
use catena_signing::Measured;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;

/// A task that the queue gave to this worker.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The task.
    pub task_id: String,
    /// The run.
    pub run_id: u32,
    /// The group of the worker, as the queue has it.
    pub worker_group: String,
    /// When the claim ends, unless it is renewed.
    pub taken_until: Timestamp,
    /// The definition, as the queue sent it.
    pub task: Vec<u8>,
    /// What may be done with the claim.
    pub credentials: ClaimCredentials,
}

/// A claim that was renewed.
#[derive(Clone, Debug)]
pub struct Renewed {
    /// When it ends now.
    pub taken_until: Timestamp,
    /// What may be done with it from now on.
    pub credentials: ClaimCredentials,
}

/// Why the queue did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// The run is no longer this worker's, or is resolved in another way (409).
    #[error("the run is not this worker's any more: {0}")]
    Conflict(String),
    /// The queue refuses, and will refuse again.
    #[error("the queue refuses: {0}")]
    Refused(String),
    /// The queue cannot be reached, or is broken. It may do it another time.
    #[error("the queue is not available: {0}")]
    Unavailable(String),
}

/// The queue. Each call tries again by itself for a while; every future can be dropped at any time.
pub trait Queue: Send + Sync {
    /// Asks for a task, which takes up to 20 seconds where there is none.
    fn claim(&self) -> BoxFuture<'_, Result<Vec<Claim>, QueueError>>;

    /// Renews a claim.
    fn reclaim<'a>(
        &'a self,
        claim: &'a Claim,
        credentials: &'a ClaimCredentials,
    ) -> BoxFuture<'a, Result<Renewed, QueueError>>;

    /// Tells how the run ended.
    fn resolve<'a>(
        &'a self,
        claim: &'a Claim,
        credentials: &'a ClaimCredentials,
        resolution: Resolution,
    ) -> BoxFuture<'a, Result<(), QueueError>>;

    /// Uploads every file below the directory of artifacts. Where there is a document, what is uploaded must be
    /// what it says (`documented`), and the document itself.
    fn upload<'a>(
        &'a self,
        lease: &'a Lease,
        upload: Upload<'a>,
    ) -> BoxFuture<'a, Result<(), UploadFailure>>;
}

/// What is uploaded.
#[derive(Clone, Copy, Debug)]
pub struct Upload<'a> {
    /// The directory of artifacts.
    pub artifacts: &'a Path,
    /// What a document says of them.
    pub documented: Option<&'a BTreeMap<String, Measured>>,
    /// When they expire: with their task.
    pub expires: &'a str,
}

/// An upload that failed, after everything was tried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UploadFailure {
    /// How the task ends because of it.
    pub status: Status,
    /// What failed.
    pub message: String,
}
