//! Who may go out now.

use crate::options::Options;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

/// Bounds how many requests are out at the same time: as many as are of use, which depends on how far
/// away the answers are.
pub(crate) struct Permits {
    all: Gate,
    bulk: Gate,
    vcs: Mutex<HashMap<String, Arc<Semaphore>>>,
    of_each_vcs: usize,
    /// Above this, Taskcluster is far away.
    near: Duration,
    /// What the quickest of its answers took, in microseconds.
    quickest: AtomicU64,
    far: AtomicBool,
}

/// So many, and so many more when answers are far.
struct Gate {
    semaphore: Arc<Semaphore>,
    more: usize,
}

impl Gate {
    fn new(near: usize, far: usize) -> Self {
        let near = bounded(near);
        let more = bounded(far).saturating_sub(near);
        Self { semaphore: Arc::new(Semaphore::new(near)), more }
    }
}

fn bounded(permits: usize) -> usize {
    permits.clamp(1, Semaphore::MAX_PERMITS)
}

impl Permits {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            all: Gate::new(options.concurrency, options.far_concurrency),
            bulk: Gate::new(options.bulk_concurrency, options.far_bulk_concurrency),
            vcs: Mutex::default(),
            of_each_vcs: bounded(options.vcs_concurrency),
            near: options.near,
            quickest: AtomicU64::new(u64::MAX),
            far: AtomicBool::new(false),
        }
    }

    /// Waits until one more may go out. The rarest permit first, always in the same order, so that nobody
    /// waits for each other.
    pub(crate) async fn take(&self, url: &Url, bulk: bool, taskcluster: bool) -> Vec<OwnedSemaphorePermit> {
        let mut gates = Vec::with_capacity(3);
        if bulk {
            gates.push(self.bulk.semaphore.clone());
        }
        if let (false, Some(host)) = (taskcluster, url.host_str()) {
            let mut hosts = self.vcs.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = || Arc::new(Semaphore::new(self.of_each_vcs));
            gates.push(hosts.entry(host.to_owned()).or_insert_with(fresh).clone());
        }
        gates.push(self.all.semaphore.clone());
        let mut permits = Vec::with_capacity(gates.len());
        for gate in gates {
            // None of them is ever closed.
            permits.extend(gate.acquire_owned().await.ok());
        }
        permits
    }

    /// A small answer of Taskcluster took so long. Only the quickest counts: others may have waited for
    /// each other, or for us.
    pub(crate) fn took(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let quickest = self.quickest.fetch_min(micros, Ordering::Relaxed).min(micros);
        if Duration::from_micros(quickest) > self.near && !self.far.swap(true, Ordering::Relaxed) {
            tracing::debug!(?time, "Taskcluster is far away: more is asked at the same time");
            for gate in [&self.all, &self.bulk] {
                gate.semaphore.add_permits(gate.more);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits() -> Permits {
        let options =
            Options { concurrency: 2, bulk_concurrency: 1, far_concurrency: 5, ..Options::default() };
        Permits::new(&Options { far_bulk_concurrency: 3, near: Duration::from_millis(10), ..options })
    }

    fn left(permits: &Permits) -> (usize, usize) {
        (permits.all.semaphore.available_permits(), permits.bulk.semaphore.available_permits())
    }

    #[test]
    fn far_answers_are_asked_for_in_greater_number_and_near_ones_never() {
        let far = permits();
        assert_eq!(left(&far), (2, 1));
        for _ in 0..3 {
            far.took(Duration::from_millis(11));
        }
        assert_eq!(left(&far), (5, 3));

        let near = permits();
        for millis in [1, 500, 500] {
            near.took(Duration::from_millis(millis));
        }
        assert_eq!(left(&near), (2, 1));
    }

    #[tokio::test]
    async fn each_vcs_host_has_its_own_bound() {
        let permits = Permits::new(&Options { vcs_concurrency: 1, ..Options::default() });
        let url = |host: &str| Url::parse(&format!("https://{host}/x")).unwrap();
        let first = permits.take(&url("hg.example"), false, false).await;
        let other = permits.take(&url("github.example"), false, false).await;
        assert_eq!((first.len(), other.len()), (2, 2));
        let again = url("hg.example");
        let again = permits.take(&again, false, false);
        assert!(tokio::time::timeout(Duration::from_millis(1), again).await.is_err());
        assert_eq!(permits.take(&url("hg.example"), true, true).await.len(), 2, "Taskcluster has none");
    }
}
