//! The queue of a Taskcluster deployment.

use super::{Claim, Queue, QueueError, Renewed, UploadFailure};
use crate::config::Config;
use crate::lease::Lease;
use crate::log::Log;
use crate::status::Status;
use catena_http::Transport;
use catena_model::task::WorkerPool;
use catena_taskcluster::{
    CallError, CallErrorKind, Client, ClientOptions, Expiry, IdentifierError, Resolution,
    TaskclusterCredentials, WorkerIdentity,
};
use catena_upload::{Snapshot, UploadError, UploadOptions, Uploader};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a claim is asked for, answer and further attempts included. The queue itself waits for 20 seconds.
const CLAIM_LIMIT: Duration = Duration::from_secs(50);
/// How long a renewal or a report is asked for before the worker decides anew.
const CALL_LIMIT: Duration = Duration::from_secs(60);

/// The queue of a Taskcluster deployment, asked by one worker.
pub struct TaskclusterQueue {
    client: Client,
    credentials: TaskclusterCredentials,
    pool: WorkerPool,
    worker: WorkerIdentity,
    uploads: UploadOptions,
    log: Log,
}

/// The worker's names are not those of a worker.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    /// Its pool.
    #[error(transparent)]
    Pool(#[from] catena_model::task::WorkerPoolError),
    /// Its group or its id.
    #[error(transparent)]
    Worker(#[from] IdentifierError),
}

impl TaskclusterQueue {
    /// The queue of the configuration.
    ///
    /// # Errors
    /// Names that the configuration should not have taken.
    pub fn new(
        transport: Arc<dyn Transport>,
        config: &Config,
        options: ClientOptions,
        log: Log,
    ) -> Result<Self, NameError> {
        let (identity, seed) = (&config.identity, options.seed);
        Ok(Self {
            client: Client::new(transport, config.root_url.clone(), options),
            credentials: config.credentials.clone(),
            pool: WorkerPool::parse(&format!("{}/{}", identity.provisioner_id, identity.worker_type))?,
            worker: WorkerIdentity::parse(&identity.worker_group, &identity.worker_id)?,
            uploads: UploadOptions { stall: config.upload_stall, seed, ..UploadOptions::default() },
            log,
        })
    }
}

fn within(limit: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(limit).unwrap_or(now)
}

impl Queue for TaskclusterQueue {
    fn claim(&self) -> BoxFuture<'_, Result<Vec<Claim>, QueueError>> {
        Box::pin(async {
            let client = self.client.with_credentials(self.credentials.clone());
            let claims = client.claim_work(&self.pool, &self.worker, 1, within(CLAIM_LIMIT)).await?;
            // One that cannot be read cannot be resolved either: it runs out.
            let readable = claims.into_iter().filter_map(|claim| {
                claim.map_err(|error| self.log.warning(format!("A claim is malformed: {error}"))).ok()
            });
            Ok(readable
                .map(|claim| Claim {
                    run: claim.run,
                    worker_group: self.worker.group().to_owned(),
                    taken_until: claim.lease.taken_until,
                    task: claim.definition.to_vec(),
                    credentials: claim.lease.credentials,
                })
                .collect())
        })
    }

    fn reclaim<'a>(
        &'a self,
        claim: &'a Claim,
        credentials: &'a TaskclusterCredentials,
    ) -> BoxFuture<'a, Result<Renewed, QueueError>> {
        Box::pin(async move {
            let client = self.client.with_credentials(credentials.clone());
            let lease = client.reclaim_task(claim.run, within(CALL_LIMIT)).await?;
            Ok(Renewed { taken_until: lease.taken_until, credentials: lease.credentials })
        })
    }

    fn resolve<'a>(
        &'a self,
        claim: &'a Claim,
        credentials: &'a TaskclusterCredentials,
        resolution: Resolution,
    ) -> BoxFuture<'a, Result<(), QueueError>> {
        Box::pin(async move {
            let client = self.client.with_credentials(credentials.clone());
            Ok(client.resolve(claim.run, resolution, within(CALL_LIMIT)).await?)
        })
    }

    fn upload<'a>(
        &'a self,
        lease: &'a Lease,
        snapshot: &'a Snapshot,
        expires: &'a Expiry,
    ) -> BoxFuture<'a, Result<(), UploadFailure>> {
        Box::pin(async move {
            let client = || self.client.with_credentials(lease.credentials());
            let uploader = Uploader::new(lease.claim().run, expires, &client, &self.uploads);
            failure(&uploader.upload(snapshot).await)
        })
    }
}

/// Failures that are told one by one: a task can have a hundred thousand.
const MOST_TOLD: usize = 20;

/// The worst of what failed, and what it was in words.
fn failure(errors: &[UploadError]) -> Result<(), UploadFailure> {
    let status = errors.iter().map(|error| Status::of_reason(error.exception())).max();
    let Some(status) = status else { return Ok(()) };
    let mut lines: Vec<String> = errors.iter().take(MOST_TOLD).map(ToString::to_string).collect();
    if let more @ 1.. = errors.len().saturating_sub(MOST_TOLD) {
        lines.push(format!("and {more} more"));
    }
    Err(UploadFailure { status, message: lines.join("\n") })
}

impl From<CallError> for QueueError {
    fn from(error: CallError) -> Self {
        let text = error.to_string();
        match error.kind {
            _ if error.is_conflict() => Self::Conflict(text),
            CallErrorKind::Refused { .. } | CallErrorKind::Unsendable(_) => Self::Refused(text),
            // What is answered in a form that the queue does not have is not the queue's word.
            _ => Self::Unavailable(text),
        }
    }
}
