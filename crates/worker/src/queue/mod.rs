//! What a worker asks of the queue.

mod taskcluster;

pub use taskcluster::{NameError, TaskclusterQueue};

use crate::lease::Lease;
use crate::status::Status;
use catena_taskcluster::{Expiry, Resolution, TaskRun, TaskclusterCredentials};
use catena_upload::Snapshot;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

/// A task that the queue gave to this worker.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The run.
    pub run: TaskRun,
    /// The group of the worker, as the queue has it.
    pub worker_group: String,
    /// When the claim ends, unless it is renewed.
    pub taken_until: Timestamp,
    /// The definition, as the queue sent it.
    pub task: Vec<u8>,
    /// What may be done with the claim.
    pub credentials: TaskclusterCredentials,
}

/// A claim that was renewed.
#[derive(Clone, Debug)]
pub struct Renewed {
    /// When it ends now.
    pub taken_until: Timestamp,
    /// What may be done with it from now on.
    pub credentials: TaskclusterCredentials,
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
        credentials: &'a TaskclusterCredentials,
    ) -> BoxFuture<'a, Result<Renewed, QueueError>>;

    /// Tells how the run ended.
    fn resolve<'a>(
        &'a self,
        claim: &'a Claim,
        credentials: &'a TaskclusterCredentials,
        resolution: Resolution,
    ) -> BoxFuture<'a, Result<(), QueueError>>;

    /// Uploads everything in a snapshot, with the credentials that the lease has at each moment.
    fn upload<'a>(
        &'a self,
        lease: &'a Lease,
        snapshot: &'a Snapshot,
        expires: &'a Expiry,
    ) -> BoxFuture<'a, Result<(), UploadFailure>>;
}

/// An upload that failed, after everything was tried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UploadFailure {
    /// How the task ends because of it.
    pub status: Status,
    /// What failed, a line for each artifact.
    pub message: String,
}
