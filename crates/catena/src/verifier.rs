//! Verifications of tasks of one Taskcluster, by one policy.

use crate::assembly::{Assembly, Ended};
use crate::recording::{NewRecording, Recorded};
use crate::sources::Sources;
use crate::work_dir::Earlier;
use crate::{Batch, CacheOptions, Control, Error, Network, Request, TargetSpec, TrustConfig};
use catena_fetch::cache::Cache;
use catena_model::task::TaskId;
use catena_model::{Limits, Timestamp};
use catena_policy::{KeyRing, Product};
use catena_taskcluster::RootUrl;
use catena_verify::verdict::Outcome;
use catena_verify::verification::{Conclusion, Switches, Target};
use catena_workdir::Staging;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::SystemTime;
use url::{Host, Url};

/// Gives the time of a conclusion.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Verifies tasks of one Taskcluster by one policy. It can be shared: any number of verifications may
/// run in parallel, over the same transport.
pub struct Verifier {
    pub(crate) trust_config: TrustConfig,
    pub(crate) root: RootUrl,
    /// `None` if no requests are made.
    pub(crate) network: Option<Network>,
    pub(crate) cache: Option<Arc<Cache>>,
    pub(crate) limits: Limits,
    pub(crate) temporary: Option<PathBuf>,
    skip_signatures: bool,
    clock: Clock,
}

/// A verification that has ended.
#[derive(Debug)]
pub struct VerificationResult {
    /// The verdict and, if it is "verified", the clearance.
    pub conclusion: Conclusion,
    /// Files that were moved to their final places in the work directory.
    pub published: Vec<PathBuf>,
    /// Outputs that failed although the outcome is not "verified": the verdict is valid nevertheless.
    pub problems: Vec<Error>,
}

impl Verifier {
    /// Uses a network. `root_url` is Taskcluster's root URL; without it the policy's is used.
    ///
    /// # Errors
    /// [`Error::NoRootUrl`], [`Error::RootUrl`], and [`Error::PlainHttp`] unless the network's options
    /// allow that.
    pub fn new(trust_config: TrustConfig, root_url: Option<&str>, network: Network) -> Result<Self, Error> {
        let root = root_url_of(&trust_config, root_url)?;
        if leaves_unprotected(&root) && !network.options.danger_allow_http {
            return Err(Error::PlainHttp(root.as_str().to_owned()));
        }
        Ok(Self::from(trust_config, root, Some(network)))
    }

    /// Makes no requests: verifies from a cache alone, with mutable data from the last successful
    /// verification of the task. Verdicts say so.
    ///
    /// # Errors
    /// As [`new`](Self::new) and [`with_cache`](Self::with_cache).
    pub fn offline(
        trust_config: TrustConfig,
        root_url: Option<&str>,
        cache: &CacheOptions,
    ) -> Result<Self, Error> {
        let root = root_url_of(&trust_config, root_url)?;
        Self::from(trust_config, root, None).with_cache(cache)
    }

    fn from(trust_config: TrustConfig, root: RootUrl, network: Option<Network>) -> Self {
        Self {
            trust_config,
            root,
            network,
            cache: None,
            limits: Limits::default(),
            temporary: None,
            skip_signatures: false,
            clock: Arc::new(SystemTime::now),
        }
    }

    /// Uses a cache for immutable data, and fills it after each verdict that is "verified" without any
    /// danger switch.
    ///
    /// # Errors
    /// A directory or key that is unusable or unsafe.
    pub fn with_cache(mut self, options: &CacheOptions) -> Result<Self, Error> {
        self.cache = Some(options.open(&self.root, &self.limits)?);
        Ok(self)
    }

    /// Keeps task graphs in unnamed files in this directory if they can be used again: in a batch, and
    /// to fill a cache.
    #[must_use]
    pub fn with_temporary_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.temporary = Some(directory.into());
        self
    }

    /// Uses a clock other than the system's.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Accepts documents without verifying their signatures. Verdicts say so, and their clearance is
    /// available only through [`Conclusion::clearance_despite_switches`].
    #[must_use]
    pub fn danger_skip_signatures(mut self, skip: bool) -> Self {
        self.skip_signatures = skip;
        self
    }

    /// The Taskcluster that is used.
    #[must_use]
    pub fn root_url(&self) -> &RootUrl {
        &self.root
    }

    /// Verifies a task. With a work directory, its artifacts are at their final places once this
    /// returns a verdict that is "verified"; after any other result, no file of an earlier verification
    /// of the task remains.
    ///
    /// Dropping the future has the same effect as cancelling it. It runs checks on the thread that
    /// polls it, for some tenths of a second at a time.
    ///
    /// # Errors
    /// Errors that prevent a verdict, or the complete delivery of one that is "verified".
    pub async fn verify(&self, request: &Request) -> Result<VerificationResult, Error> {
        let earlier =
            request.work_dir.as_deref().map(|dir| Earlier::new(dir, request.target_spec.target.task_id));
        let mut answered = self.answer(request).await;
        let Some(earlier) = earlier else { return answered };
        let is_verified =
            |ended: &VerificationResult| ended.conclusion.verdict().outcome == Outcome::Verified;
        if answered.as_ref().is_ok_and(is_verified) {
            earlier.keep();
        } else if let Err(error) = earlier.retract() {
            let work_dir = request.work_dir.clone().unwrap_or_default();
            let failed = |instead| Error::NotRetracted { work_dir, error, instead };
            match &mut answered {
                Ok(ended) => ended.problems.push(failed(None)),
                Err(_) => answered = answered.map_err(|instead| failed(Some(Box::new(instead)))),
            }
        }
        answered
    }

    /// Verifies many tasks, `jobs` at the same time. Shared data is fetched once. A cache is not used.
    ///
    /// # Errors
    /// A product that the policy does not have, [`Error::Offline`], and [`Error::Temporary`].
    pub fn batch(
        &self,
        target_specs: Vec<TargetSpec>,
        jobs: NonZeroUsize,
        control: Control,
    ) -> Result<Batch, Error> {
        Batch::new(self, target_specs, jobs, control)
    }

    async fn answer(&self, request: &Request) -> Result<VerificationResult, Error> {
        let Request { target_spec, work_dir, record, control } = request;
        let target = &target_spec.target;
        let assembly = self.assembly(target_spec)?;
        let staging = work_dir.as_deref().map(|dir| staging(dir, target.task_id)).transpose()?;
        let recording = record.as_deref().map(NewRecording::begin).transpose()?;
        let sources = Sources::open(self, target, staging.as_ref(), &control.progress)?;
        let Ended { verification, conclusion } =
            assembly.run(sources.source(), control, || self.now()).await?;
        let mut ended = VerificationResult { conclusion, published: Vec::new(), problems: Vec::new() };
        if let Some(recording) = recording {
            let recorded = Recorded::of(self, target_spec, ended.conclusion.verdict().concluded);
            ended.unless_verified(recording.finish(&recorded, verification.facts()))?;
        }
        if let (Some(staging), Some(clearance)) = (staging, ended.conclusion.clearance_despite_switches()) {
            ended.published = staging.publish(clearance).map_err(Error::NotPublished)?.files;
            tracing::info!(files = ended.published.len(), "verified artifacts are in place");
        }
        sources.end(&ended.conclusion, &verification, work_dir.as_deref());
        drop_aside(verification);
        Ok(ended)
    }

    /// What a request is verified with.
    pub(crate) fn assembly(&self, target_spec: &TargetSpec) -> Result<Assembly, Error> {
        let (product, keys) = self.trust_config.product(&target_spec.product)?;
        Ok(self.assembly_of(target_spec.target.clone(), product, keys))
    }

    /// The same, for a known product.
    pub(crate) fn assembly_of(&self, target: Target, product: Arc<Product>, keys: KeyRing) -> Assembly {
        let (limits, switches) = (self.limits.clone(), self.switches());
        let root_url = self.root_url().as_str().to_owned();
        Assembly { target, product, keys, limits, switches, root_url }
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    pub(crate) fn switches(&self) -> Switches {
        let network = self.network.as_ref();
        Switches {
            danger_skip_signatures: self.skip_signatures,
            danger_allow_http: network.is_some_and(|network| network.options.danger_allow_http),
            offline: network.is_none(),
        }
    }

    /// The time, to the second.
    pub(crate) fn now(&self) -> Timestamp {
        to_the_second((self.clock)())
    }
}

impl VerificationResult {
    /// If an output beside the verdict fails, "verified" is not returned; any other verdict is returned
    /// nevertheless.
    fn unless_verified(&mut self, delivered: Result<(), Error>) -> Result<(), Error> {
        match delivered {
            Err(error) if self.conclusion.verdict().outcome != Outcome::Verified => {
                self.problems.push(error);
                Ok(())
            }
            other => other,
        }
    }
}

fn staging(work_dir: &Path, target: TaskId) -> Result<Arc<Staging>, Error> {
    Staging::new(work_dir, target).map_err(|error| Error::WorkDirectory { path: work_dir.to_owned(), error })
}

/// A time, to the second.
pub(crate) fn to_the_second(time: SystemTime) -> Timestamp {
    let time = Timestamp::try_from(time).unwrap_or_default();
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// Drops large values on another thread, without waiting for it.
fn drop_aside<T: Send + 'static>(large: T) {
    drop(thread::Builder::new().spawn(move || drop(large)));
}

fn root_url_of(trust_config: &TrustConfig, named: Option<&str>) -> Result<RootUrl, Error> {
    let named = named.filter(|url| !url.is_empty()).or(trust_config.policy().root_url());
    Ok(RootUrl::parse(named.ok_or(Error::NoRootUrl)?)?)
}

/// Whether requests leave this machine unprotected.
fn leaves_unprotected(root: &RootUrl) -> bool {
    Url::parse(root.as_str()).is_ok_and(|url| {
        url.scheme() == "http"
            && match url.host() {
                Some(Host::Domain(name)) => name != "localhost",
                Some(Host::Ipv4(address)) => !address.is_loopback(),
                Some(Host::Ipv6(address)) => !address.is_loopback(),
                None => true,
            }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_only() {
        let unprotected = |text: &str| leaves_unprotected(&RootUrl::parse(text).unwrap());
        for here in ["http://localhost:80", "http://127.0.0.1:8080", "http://[::1]", "https://tc.example"] {
            assert!(!unprotected(here), "{here}");
        }
        for there in ["http://tc.example", "http://10.0.0.1", "http://localhost.example", "http://0.0.0.0"] {
            assert!(unprotected(there), "{there}");
        }
    }

    #[test]
    fn times_are_rfc_3339() {
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(1_700_000_000_900);
        assert_eq!(to_the_second(time).to_string(), "2023-11-14T22:13:20Z");
    }
}
