//! Where the facts of one verification come from.

use crate::verifier::to_the_second;
use crate::{Error, Network, Verifier};
use catena_fetch::cache::Cached;
use catena_fetch::{FactSource, Fetcher, Progress};
use catena_model::Limits;
use catena_verify::verification::{Conclusion, Target, Verification};
use catena_workdir::Staging;
use std::path::Path;
use std::sync::Arc;

/// A network, a cache in front of one, or a cache alone.
pub(crate) struct Sources {
    fetcher: Option<Arc<Fetcher>>,
    cached: Option<Arc<Cached>>,
    source: Arc<dyn FactSource>,
}

impl Sources {
    pub(crate) fn open(
        verifier: &Verifier,
        target: &Target,
        staging: Option<&Arc<Staging>>,
        progress: &Arc<dyn Progress>,
    ) -> Result<Self, Error> {
        let fetcher = verifier.network.as_ref().map(|network| {
            let fetcher = fetcher(verifier, network, verifier.limits.clone(), progress);
            let fetcher = fetcher.with_staging(staging.cloned());
            Arc::new(match (&verifier.cache, &verifier.temporary) {
                (Some(_), Some(folder)) => fetcher.keeping_graphs(folder.clone()),
                _ => fetcher,
            })
        });
        let cached = match (&verifier.cache, &fetcher) {
            (None, _) => None,
            (Some(cache), Some(fetcher)) => Some(Cached::over(cache.clone(), fetcher.clone(), target)),
            (Some(cache), None) => Some(Cached::offline(cache.clone(), target)),
        };
        let cached = cached.map(|cached| Arc::new(cached.with_staging(staging.cloned())));
        let source: Arc<dyn FactSource> = match (&cached, &fetcher) {
            (Some(cached), fetcher) => {
                if fetcher.is_none() {
                    tell_age(cached);
                }
                Arc::<Cached>::clone(cached)
            }
            (None, Some(fetcher)) => fetcher.clone(),
            (None, None) => return Err(Error::Offline),
        };
        Ok(Self { fetcher, cached, source })
    }

    pub(crate) fn source(&self) -> Arc<dyn FactSource> {
        Arc::clone(&self.source)
    }

    /// Prepares data for the next verification once the current one has been delivered.
    pub(crate) fn end(&self, conclusion: &Conclusion, verification: &Verification, work_dir: Option<&Path>) {
        if let Some(cached) = &self.cached {
            if let Some(clearance) = conclusion.clearance() {
                cached.keep(clearance, verification.facts(), work_dir);
            }
            tracing::debug!(statistics = ?cached.statistics(), "cached");
        }
        if let Some(fetcher) = &self.fetcher {
            tracing::debug!(statistics = ?fetcher.statistics(), "fetched");
        }
    }
}

/// A fetcher over a network.
pub(crate) fn fetcher(
    verifier: &Verifier,
    network: &Network,
    limits: Limits,
    progress: &Arc<dyn Progress>,
) -> Fetcher {
    let Network { transport, options, credentials, github_token } = network.clone();
    Fetcher::new(transport, verifier.root.clone(), limits, options)
        .with_taskcluster(credentials)
        .with_github_token(github_token)
        .with_progress(progress.clone())
}

/// No requests are made: the verdict must say that its data may be old.
fn tell_age(cached: &Cached) {
    match cached.seen_at() {
        Some(time) => {
            tracing::warn!("offline: mutable data is as of {}", to_the_second(time));
        }
        None => tracing::warn!("offline: the cache has no verified verdict of this task"),
    }
}
