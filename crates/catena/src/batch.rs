//! Many verifications at once: shared data is fetched once.

use crate::assembly::{Assembly, Ended};
use crate::sources::fetcher;
use crate::verifier::Clock;
use crate::{Control, Error, TargetSpec, Verifier};
use catena_fetch::{Fetcher, Statistics};
use catena_model::Limits;
use catena_policy::{KeyRing, Product};
use catena_verify::verification::Conclusion;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::vec::IntoIter;
use tempfile::TempDir;
use tokio::task::JoinSet;

/// How many times the memory of one verification a batch may use for data that its tasks share.
const SHARES: usize = 4;

/// Verifications in progress and those that follow. Dropping it ends all of them.
pub struct Batch {
    waiting: IntoIter<Assembly>,
    running: JoinSet<Result<Conclusion, Error>>,
    jobs: usize,
    fetcher: Arc<Fetcher>,
    control: Control,
    clock: Clock,
    /// Where task graphs are kept while they may be used again.
    _graphs: Option<TempDir>,
}

impl Batch {
    pub(crate) fn new(
        verifier: &Verifier,
        target_specs: Vec<TargetSpec>,
        jobs: NonZeroUsize,
        control: Control,
    ) -> Result<Self, Error> {
        let network = verifier.network.as_ref().ok_or(Error::Offline)?;
        let waiting = assemblies(verifier, target_specs)?.into_iter();
        let graphs = verifier.temporary.as_ref().map(tempfile::tempdir_in).transpose();
        let graphs = graphs.map_err(Error::Temporary)?;
        // Data that tasks share is held once, so that parallel verifications do not multiply the
        // memory.
        let shares = u64::try_from(jobs.get().min(SHARES)).unwrap_or(1);
        let held_bytes = verifier.limits.held_bytes.saturating_mul(shares);
        let limits = Limits { held_bytes, ..verifier.limits.clone() };
        let fetcher = fetcher(verifier, network, limits, &control.progress);
        let fetcher = Arc::new(match &graphs {
            Some(folder) => fetcher.keeping_graphs(folder.path().to_owned()),
            None => fetcher,
        });
        let (running, jobs, clock) = (JoinSet::new(), jobs.get(), verifier.clock());
        Ok(Self { waiting, running, jobs, fetcher, control, clock, _graphs: graphs })
    }

    /// The next verdict, in the order in which verifications end; `None` once all have ended. Dropping
    /// the future loses no verdict.
    ///
    /// # Errors
    /// [`Error::Cancelled`], after which no verdicts follow, and [`Error::Defect`].
    pub async fn next(&mut self) -> Option<Result<Conclusion, Error>> {
        let is_unfinished = !self.running.is_empty() || self.waiting.len() > 0;
        if is_unfinished && self.control.cancellation.is_cancelled() {
            return Some(Err(self.stop()));
        }
        while self.running.len() < self.jobs
            && let Some(assembly) = self.waiting.next()
        {
            self.start(assembly);
        }
        let ended = self.running.join_next().await?;
        // Data that was unavailable for one task may be available for the next.
        self.fetcher.forget();
        match ended {
            Ok(Err(Error::Cancelled)) => Some(Err(self.stop())),
            Ok(ended) => Some(ended),
            Err(error) => Some(Err(Error::Defect(error.to_string()))),
        }
    }

    /// The cost of fetching so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.fetcher.statistics()
    }

    fn start(&mut self, assembly: Assembly) {
        let (fetcher, control, clock) = (self.fetcher.clone(), self.control.clone(), self.clock.clone());
        self.running.spawn(async move {
            let ended = assembly.run(fetcher, &control, || crate::verifier::to_the_second(clock())).await;
            ended.map(|Ended { conclusion, .. }| conclusion)
        });
    }

    /// Ends all verifications and starts no further ones.
    fn stop(&mut self) -> Error {
        self.waiting = Vec::new().into_iter();
        self.running = JoinSet::new();
        Error::Cancelled
    }
}

/// Products are looked up once, before the first request.
fn assemblies(verifier: &Verifier, target_specs: Vec<TargetSpec>) -> Result<Vec<Assembly>, Error> {
    let mut products: BTreeMap<String, (Arc<Product>, KeyRing)> = BTreeMap::new();
    let mut assemblies = Vec::with_capacity(target_specs.len());
    for target_spec in target_specs {
        let known = products.get(&target_spec.product).cloned();
        let (product, keys) = match known {
            Some(known) => known,
            None => {
                let known = verifier.trust_config.product(&target_spec.product)?;
                products.insert(target_spec.product.clone(), known.clone());
                known
            }
        };
        assemblies.push(verifier.assembly_of(target_spec.target, product, keys));
    }
    Ok(assemblies)
}
