//! From a request and a fact source to a verdict: the only code path, for single tasks, batches and
//! replays.

use crate::{Control, Error, TargetSpec, TrustConfig};
use catena_fetch::{FactSource, Progress, investigate};
use catena_model::{Limits, Timestamp};
use catena_policy::{KeyRing, Product};
use catena_verify::verification::{Cancel, Conclusion, Switches, Target, Verification};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A request with its policy, keys and limits.
#[derive(Clone)]
pub(crate) struct Assembly {
    pub(crate) target: Target,
    pub(crate) product: Arc<Product>,
    pub(crate) keys: KeyRing,
    pub(crate) limits: Limits,
    pub(crate) switches: Switches,
    /// Taskcluster's root URL, which the verdict repeats.
    pub(crate) root_url: String,
}

/// A verification that has ended, with all its facts.
pub(crate) struct Ended {
    pub(crate) verification: Verification,
    pub(crate) conclusion: Conclusion,
}

impl Assembly {
    pub(crate) fn new(
        trust_config: &TrustConfig,
        target_spec: &TargetSpec,
        limits: Limits,
        switches: Switches,
        root_url: String,
    ) -> Result<Self, Error> {
        let (product, keys) = trust_config.product(&target_spec.product)?;
        Ok(Self { target: target_spec.target.clone(), product, keys, limits, switches, root_url })
    }

    /// Answers needs from the source until the verdict can be concluded. Then calls `now`.
    pub(crate) async fn run(
        self,
        source: Arc<dyn FactSource>,
        control: &Control,
        now: impl FnOnce() -> Timestamp,
    ) -> Result<Ended, Error> {
        let Control { deadline, progress, cancellation } = control;
        let work = self.conclude(source, after(*deadline), progress.as_ref(), cancellation, now);
        tokio::select! {
            biased;
            () = cancellation.cancelled() => Err(Error::Cancelled),
            ended = work => Ok(ended),
        }
    }

    async fn conclude(
        self,
        source: Arc<dyn FactSource>,
        deadline: Instant,
        progress: &dyn Progress,
        cancellation: &CancellationToken,
        now: impl FnOnce() -> Timestamp,
    ) -> Ended {
        let Self { target, product, keys, limits, switches, root_url } = self;
        let mut verification = Verification::new(target, product, keys, limits, switches);
        verification.named_root(root_url);
        let cancellation = cancellation.clone();
        verification.cancel_when(Cancel::when(move || cancellation.is_cancelled()));
        let mut verification = investigate(verification, source, deadline, progress).await;
        let conclusion = verification.conclude(now());
        Ended { verification, conclusion }
    }
}

/// The time after this duration; a clock that cannot represent it is treated as past it.
fn after(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or(now)
}
