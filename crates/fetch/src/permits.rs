//! Permits for requests.

use crate::options::Options;
use catena_verify::verification::Shape;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

/// Limits the number of concurrent requests, depending on latency.
pub(crate) struct Permits {
    all: Gate,
    bulk: Gate,
    graphs: Gate,
    vcs: Mutex<HashMap<String, Arc<Semaphore>>>,
    of_each_vcs: usize,
    /// Above this, Taskcluster's latency is high.
    near: Duration,
    /// The latency of its quickest answer, in microseconds.
    quickest: AtomicU64,
    far: AtomicBool,
}

/// The number of permits, and the additional number with high latency.
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
            graphs: Gate::new(options.graph_concurrency, options.far_graph_concurrency),
            vcs: Mutex::default(),
            of_each_vcs: bounded(options.vcs_concurrency),
            near: options.near,
            quickest: AtomicU64::new(u64::MAX),
            far: AtomicBool::new(false),
        }
    }

    /// Waits for a permit. The scarcest is acquired first, always in the same order, so that requests
    /// do not deadlock.
    pub(crate) async fn take(&self, url: &Url, shape: Shape, taskcluster: bool) -> Vec<OwnedSemaphorePermit> {
        let mut gates = Vec::with_capacity(3);
        match shape {
            Shape::Body => {}
            Shape::Measurement => gates.push(self.bulk.semaphore.clone()),
            Shape::Graph => gates.push(self.graphs.semaphore.clone()),
        }
        if let (false, Some(host)) = (taskcluster, url.host_str()) {
            let mut hosts = self.vcs.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = || Arc::new(Semaphore::new(self.of_each_vcs));
            gates.push(hosts.entry(host.to_owned()).or_insert_with(fresh).clone());
        }
        gates.push(self.all.semaphore.clone());
        let mut permits = Vec::with_capacity(gates.len());
        for gate in gates {
            // The semaphores are never closed.
            permits.extend(gate.acquire_owned().await.ok());
        }
        permits
    }

    /// Records the latency of a small answer of Taskcluster. Only the quickest counts: others may have
    /// waited for each other, or for this program.
    pub(crate) fn took(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let quickest = self.quickest.fetch_min(micros, Ordering::Relaxed).min(micros);
        if Duration::from_micros(quickest) > self.near && !self.far.swap(true, Ordering::Relaxed) {
            tracing::debug!(?time, "Taskcluster is far away: more is asked at the same time");
            for gate in [&self.all, &self.bulk, &self.graphs] {
                gate.semaphore.add_permits(gate.more);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits() -> Permits {
        Permits::new(&Options {
            concurrency: 3,
            bulk_concurrency: 1,
            graph_concurrency: 1,
            far_concurrency: 6,
            far_bulk_concurrency: 3,
            far_graph_concurrency: 2,
            near: Duration::from_millis(10),
            ..Options::default()
        })
    }

    fn left(permits: &Permits) -> [usize; 3] {
        [&permits.all, &permits.bulk, &permits.graphs].map(|gate| gate.semaphore.available_permits())
    }

    fn url(host: &str) -> Url {
        Url::parse(&format!("https://{host}/x")).unwrap()
    }

    #[test]
    fn high_latency_raises_concurrency() {
        let far = permits();
        assert_eq!(left(&far), [3, 1, 1]);
        for _ in 0..3 {
            far.took(Duration::from_millis(11));
        }
        assert_eq!(left(&far), [6, 3, 2]);

        let near = permits();
        for millis in [1, 500, 500] {
            near.took(Duration::from_millis(millis));
        }
        assert_eq!(left(&near), [3, 1, 1]);
    }

    #[tokio::test]
    async fn each_vcs_host_has_its_own_bound() {
        let permits = Permits::new(&Options { vcs_concurrency: 1, ..Options::default() });
        let first = permits.take(&url("hg.example"), Shape::Body, false).await;
        let other = permits.take(&url("github.example"), Shape::Body, false).await;
        assert_eq!((first.len(), other.len()), (2, 2));
        let again = url("hg.example");
        let again = permits.take(&again, Shape::Body, false);
        assert!(tokio::time::timeout(Duration::from_millis(1), again).await.is_err());
        let artifact = permits.take(&url("hg.example"), Shape::Measurement, true).await;
        assert_eq!(artifact.len(), 2, "Taskcluster has none");
    }

    #[tokio::test]
    async fn neither_graphs_nor_questions_wait_for_artifacts() {
        let permits = permits();
        let queue = url("tc.example");
        let artifact = permits.take(&queue, Shape::Measurement, true).await;
        for kind in [Shape::Measurement, Shape::Graph, Shape::Body] {
            let more = tokio::time::timeout(Duration::from_millis(1), permits.take(&queue, kind, true)).await;
            assert_eq!(more.is_err(), kind == Shape::Measurement, "{kind:?}");
        }
        drop(artifact);
        let graph = permits.take(&queue, Shape::Graph, true).await;
        let another = permits.take(&queue, Shape::Graph, true);
        assert!(tokio::time::timeout(Duration::from_millis(1), another).await.is_err());
        drop(graph);
        assert_eq!(left(&permits), [3, 1, 1]);
    }
}
