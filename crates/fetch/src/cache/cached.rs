//! A fact source that reads from a cache before it requests from another source.

use super::intake::{Held, Look};
use super::subject::{Address, VerifiedSet, is_immutable};
use super::{Cache, CacheStatistics, Snapshot, payload};
use crate::budget::MemoryBudget;
use crate::fetcher::Fetcher;
use crate::source::FactSource;
use catena_model::task::ArtifactName;
use catena_store::Name;
use catena_verify::verdict;
use catena_verify::verification::{Clearance, Fact, Need, Target};
use catena_workdir::Staging;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Answers needs for immutable data from a cache, and requests the rest.
pub struct Cached {
    cache: Arc<Cache>,
    target: Target,
    source: Source,
    /// The fetcher that keeps whole task graphs.
    fetcher: Option<Arc<Fetcher>>,
    staging: Option<Arc<Staging>>,
    held: Arc<Held>,
    /// The number of parallel reads: as many as can hash in parallel, and a few that wait.
    turns: Arc<Semaphore>,
    /// Facts that it answered, which are already in the cache.
    answered: Mutex<HashSet<Need>>,
}

/// The source for data that is not in the cache.
enum Source {
    Asked(Arc<dyn FactSource>),
    /// No source: the data of the last verification is used.
    Nobody(Arc<Snapshot>),
}

impl Cached {
    /// Reads from the cache for the verification of a target, and otherwise requests from `source`.
    #[must_use]
    pub fn new(cache: Arc<Cache>, source: Arc<dyn FactSource>, target: &Target) -> Self {
        Self::from(cache, Source::Asked(source), target)
    }

    /// The same, and stores the task graphs that a fetcher keeps as a whole.
    #[must_use]
    pub fn over(cache: Arc<Cache>, fetcher: Arc<Fetcher>, target: &Target) -> Self {
        Self { fetcher: Some(fetcher.clone()), ..Self::new(cache, fetcher, target) }
    }

    /// Makes no requests: mutable data comes from the last successful verification of this target. Data
    /// that was not stored then is unreachable.
    #[must_use]
    pub fn offline(cache: Arc<Cache>, target: &Target) -> Self {
        let address = Address::seen(&cache.root, target.task_id, target.check_task, target.extent);
        let seen = cache.payload(&address, cache.longest()).and_then(|payload| Snapshot::decode(&payload));
        Self::from(cache, Source::Nobody(Arc::new(seen.unwrap_or_default())), target)
    }

    fn from(cache: Arc<Cache>, source: Source, target: &Target) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let turns = Arc::new(Semaphore::new(cores.saturating_add(2)));
        // Data from the cache and from the source share one memory budget.
        let budget = match &source {
            Source::Asked(source) => source.budget(),
            Source::Nobody(_) => None,
        };
        let held = Arc::new(Held::within(budget.unwrap_or_else(|| MemoryBudget::new(&cache.limits))));
        let (target, answered) = (target.clone(), Mutex::default());
        Self { cache, target, source, fetcher: None, staging: None, held, turns, answered }
    }

    /// Copies the bytes of artifacts to where they can be published from. It must be the staging that
    /// the other source uses.
    #[must_use]
    pub fn with_staging(mut self, staging: Option<Arc<Staging>>) -> Self {
        self.staging = staging;
        self
    }

    /// The time of mutable data, if no requests are made and it is known.
    #[must_use]
    pub fn seen_at(&self) -> Option<SystemTime> {
        match &self.source {
            Source::Nobody(seen) if seen.at > 0 => {
                SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seen.at))
            }
            _ => None,
        }
    }

    /// Answers one need.
    pub async fn answer(&self, need: &Need, deadline: Instant) -> Fact {
        if let Some(fact) = self.look(need).await {
            self.cache.counters.hits.add(1);
            self.answered().insert(need.clone());
            return fact;
        }
        match &self.source {
            Source::Asked(source) => {
                if is_immutable(need) {
                    self.cache.counters.misses.add(1);
                }
                Arc::clone(source).fact(need.clone(), deadline).await
            }
            Source::Nobody(_) => {
                Fact::Unreachable { reason: "offline, and not in the cache".to_owned(), attempts: 0 }
            }
        }
    }

    async fn look(&self, need: &Need) -> Option<Fact> {
        let seen = match &self.source {
            Source::Asked(_) if !is_immutable(need) => return None,
            Source::Asked(_) => None,
            Source::Nobody(seen) => Some(seen.clone()),
        };
        let turn = self.turns.clone().acquire_owned().await.ok()?;
        let waits = Waits::default();
        let abandoned = waits.0.clone();
        let (cache, staging, need) = (self.cache.clone(), self.staging.clone(), need.clone());
        let held = self.held.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let look =
                Look { cache: &cache, staging: staging.as_deref(), held: &held, abandoned: &abandoned };
            look.lasting(&need).or_else(|| look.seen(&need, seen.as_deref()?))
        });
        looked.await.ok().flatten()
    }

    /// Whether anything is stored for a need: data that is only foreseen is not read.
    async fn is_kept(&self, need: &Need) -> bool {
        if !is_immutable(need) {
            return false;
        }
        let Ok(turn) = self.turns.clone().acquire_owned().await else { return false };
        let (cache, name) =
            (self.cache.clone(), Name::Entry(Address::lasting(&self.cache.root, need).digest()));
        let looked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            matches!(cache.store.read(&name), Ok(Some(_)))
        });
        looked.await.unwrap_or(false)
    }

    /// Stores the facts of a verified target for later verifications; the bytes of artifacts come from
    /// `work_dir`, where they were published. A clearance of another target, or one weakened by a
    /// switch, stores nothing. A cache that cannot be written to does not change a verdict: it is only
    /// reported.
    ///
    /// Only a clearance is accepted:
    ///
    /// ```compile_fail,E0308
    /// # use catena_verify::verdict::Verdict;
    /// # use catena_fetch::cache::Cached;
    /// fn kept(cached: &Cached, verdict: &Verdict) {
    ///     cached.keep(verdict, [], None);
    /// }
    /// ```
    pub fn keep<'a>(
        &self,
        clearance: &Clearance,
        facts: impl IntoIterator<Item = (&'a Need, &'a Fact)>,
        work_dir: Option<&Path>,
    ) {
        let (Source::Asked(_), Some(vouching)) = (&self.source, VerifiedSet::of(clearance)) else { return };
        if *clearance.target() != self.target {
            return;
        }
        if let Err(error) = self.write(&mut facts.into_iter(), &vouching, work_dir) {
            tracing::warn!(%error, "the cache does not keep what this was verified by");
        }
    }

    /// The cache's statistics.
    #[must_use]
    pub fn statistics(&self) -> CacheStatistics {
        self.cache.statistics()
    }

    fn write(
        &self,
        facts: &mut dyn Iterator<Item = (&Need, &Fact)>,
        vouching: &VerifiedSet<'_>,
        work_dir: Option<&Path>,
    ) -> io::Result<()> {
        let answered = std::mem::take(&mut *self.answered());
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut seen = Snapshot::at(now.as_secs());
        for (need, fact) in facts.filter(|(need, _)| !answered.contains(need)) {
            if vouching.makes_lasting(need, fact) {
                self.write_lasting(need, fact, work_dir)?;
            } else {
                seen.add(need, fact);
            }
        }
        let Target { task_id, check_task, extent, .. } = self.target;
        let address = Address::seen(&self.cache.root, task_id, check_task, extent);
        self.cache.keep(&address, &seen.encode())?;
        self.cache.store.tidy()
    }

    fn write_lasting(&self, need: &Need, fact: &Fact, work_dir: Option<&Path>) -> io::Result<()> {
        let keep = |need: &Need, fact: &Fact| match payload::encode(fact) {
            Some(payload) => self.cache.keep(&Address::lasting(&self.cache.root, need), &payload),
            None => Ok(()),
        };
        keep(need, fact)?;
        if let (Fact::Graph(scan), Some(graph)) =
            (fact, self.fetcher.as_ref().and_then(|fetcher| fetcher.kept_graph(need)))
        {
            super::graph::keep(&self.cache, need, &graph, &scan.measurement)?;
        }
        let (Some(work_dir), Some((task_id, run_id, name))) = (work_dir, need.artifact()) else {
            return Ok(());
        };
        let measurement = match (need, fact) {
            (Need::Artifact { .. }, Fact::Measured(measurement)) => measurement,
            (Need::TaskGraph { sha512, .. }, Fact::Graph(scan)) => {
                let name = ArtifactName::task_graph();
                let artifact = Need::Artifact { task_id, run_id, name, sha512: *sha512 };
                keep(&artifact, &Fact::Measured(scan.measurement))?;
                &scan.measurement
            }
            _ => return Ok(()),
        };
        let blob = Name::Blob(measurement.sha256);
        // Replaces an existing file, which was unusable. An `ArtifactName` has only plain segments. The
        // file that is read may have changed since publishing: a blob is hashed again on every use.
        match File::open(work_dir.join("cot").join(task_id.as_str()).join(name.as_str())) {
            Ok(mut file) => self.cache.write(&blob, &mut file),
            Err(_) => Ok(()),
        }
    }

    fn answered(&self) -> std::sync::MutexGuard<'_, HashSet<Need>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FactSource for Cached {
    fn fact(self: Arc<Self>, need: Need, deadline: Instant) -> BoxFuture<'static, Fact> {
        async move { self.answer(&need, deadline).await }.boxed()
    }

    fn origin(&self) -> verdict::Source {
        match &self.source {
            Source::Asked(source) => source.origin(),
            Source::Nobody(_) => verdict::Source::Services,
        }
    }

    fn again(self: Arc<Self>, need: Need, deadline: Instant) -> Option<BoxFuture<'static, Fact>> {
        let Source::Asked(source) = &self.source else { return None };
        let answer = Arc::clone(source).again(need.clone(), deadline)?;
        // What is in the cache is not what counts.
        self.answered().remove(&need);
        Some(answer)
    }

    fn foresee(self: Arc<Self>, need: Need, deadline: Instant) -> BoxFuture<'static, ()> {
        async move {
            if let Source::Asked(source) = &self.source
                && !self.is_kept(&need).await
            {
                Arc::clone(source).foresee(need, deadline).await;
            }
        }
        .boxed()
    }
}

/// A task waits until this is dropped.
#[derive(Default)]
struct Waits(Arc<AtomicBool>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
