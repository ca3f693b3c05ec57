//! A claim that is kept alive while its task runs.

use crate::descriptor::Descriptor;
use crate::log::Log;
use crate::queue::{Claim, Queue, QueueError, Renewed};
use crate::script::Stop;
use catena_taskcluster::TaskclusterCredentials;
use jiff::Timestamp;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// The longest pause between attempts to renew a claim that could not be renewed.
const RETRY: Duration = Duration::from_secs(10);
/// The shortest pause between two renewals.
const SHORTEST: Duration = Duration::from_secs(1);

/// A claim, its current credentials, and whether the worker still has it.
pub struct Lease {
    claim: Claim,
    queue: Arc<dyn Queue>,
    log: Log,
    state: Mutex<State>,
    stop: watch::Sender<Option<Stop>>,
}

struct State {
    credentials: TaskclusterCredentials,
    taken_until: Timestamp,
    /// What the script reads.
    descriptor: Option<Arc<Descriptor>>,
}

impl Lease {
    /// Takes over a claim.
    #[must_use]
    pub fn new(claim: Claim, queue: Arc<dyn Queue>, log: Log) -> Self {
        let state = State {
            credentials: claim.credentials.clone(),
            taken_until: claim.taken_until,
            descriptor: None,
        };
        Self { claim, queue, log, state: Mutex::new(state), stop: watch::Sender::new(None) }
    }

    /// The claim as the queue gave it.
    #[must_use]
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// The credentials of now.
    #[must_use]
    pub fn credentials(&self) -> TaskclusterCredentials {
        self.state().credentials.clone()
    }

    /// Why the task must stop; none as long as it may go on.
    #[must_use]
    pub fn stopped(&self) -> Option<Stop> {
        *self.stop.borrow()
    }

    /// Whoever must stop when the task must.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Option<Stop>> {
        self.stop.subscribe()
    }

    /// Stops the task. The first reason stays.
    pub fn stop(&self, why: Stop) {
        self.stop.send_if_modified(|stop| stop.is_none().then(|| *stop = Some(why)).is_some());
    }

    /// Makes the descriptor that the script reads its credentials from. It is rewritten with each renewal.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open_descriptor(&self, temporary: &Path) -> std::io::Result<Arc<Descriptor>> {
        let mut state = self.state();
        let descriptor = Arc::new(Descriptor::new(temporary, &state.credentials)?);
        state.descriptor = Some(Arc::clone(&descriptor));
        Ok(descriptor)
    }

    /// Renews the claim every `interval` until it is dropped or lost. A renewal that fails is tried again until
    /// the claim has ended.
    pub async fn keep(&self, interval: Duration) {
        let mut pause = interval;
        while self.stopped() != Some(Stop::ClaimLost) {
            // Well before its end, however short the queue makes the claim.
            let half = self.remaining().checked_div(2).unwrap_or_default();
            sleep(pause.min(half.max(SHORTEST))).await;
            // A queue that does not answer must not hold the script beyond the end of its claim.
            let limit = self.remaining().max(SHORTEST);
            pause = match timeout(limit, self.renew()).await {
                Ok(Ok(())) => interval,
                Ok(Err(QueueError::Conflict(_))) => return,
                _ if self.remaining().is_zero() => {
                    self.log.critical("The claim has ended and could not be renewed.");
                    return self.stop(Stop::ClaimLost);
                }
                _ => interval.min(RETRY),
            };
            self.log.touch();
        }
    }

    /// Renews the claim now. A conflict stops the task.
    ///
    /// # Errors
    /// It could not be renewed.
    pub async fn renew(&self) -> Result<(), QueueError> {
        let run = self.claim.run;
        self.log.debug(format!("Reclaiming {run}..."));
        let credentials = self.credentials();
        match self.queue.reclaim(&self.claim, &credentials).await {
            Ok(renewed) => {
                self.take(renewed);
                Ok(())
            }
            Err(error) => {
                self.log.warning(format!("Reclaiming {run} failed: {error}"));
                if matches!(error, QueueError::Conflict(_)) {
                    self.stop(Stop::ClaimLost);
                }
                Err(error)
            }
        }
    }

    fn take(&self, renewed: Renewed) {
        let mut state = self.state();
        if let Some(descriptor) = &state.descriptor
            && let Err(error) = descriptor.rewrite(&renewed.credentials)
        {
            self.log.warning(format!("The credentials of the script could not be renewed: {error}"));
        }
        state.credentials = renewed.credentials;
        state.taken_until = renewed.taken_until;
    }

    /// Until the claim ends.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        let left = self.state().taken_until.duration_since(Timestamp::now());
        Duration::try_from(left).unwrap_or(Duration::ZERO)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
