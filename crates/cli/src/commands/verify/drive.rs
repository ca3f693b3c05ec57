//! From a question to its verdict: over the network, or from a recording.

use super::VerifyArgs;
use super::case::Case;
use crate::failure::Failure;
use crate::progress::{Screen, Tally};
use crate::recording::RecordedInquiry;
use catena_core::Limits;
use catena_core::inquiry::Cancel;
use catena_core::task::TaskId;
use catena_core::verdict::{Outcome, Verdict};
use catena_fetch::cache::{Cache, Cached};
use catena_fetch::{FactSource, Fetcher, Options, Progress, Recorder, Replay, Staging, investigate};
use catena_http::{HttpOptions, HttpSetupError, HttpTransport};
use catena_taskcluster::{RootUrl, TaskclusterCredentials, github_token_from_environment};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;
use url::{Host, Url};

/// Far enough for facts that are there already.
const AT_ONCE: Duration = Duration::from_secs(3600);

/// Answers the question, unless somebody interrupts; then nothing is left behind.
pub(super) fn run(
    case: Case,
    args: &VerifyArgs,
    dialing: Dialing,
    screen: &Screen,
) -> Result<Verdict, Failure> {
    let target = case.target().task_id;
    let answered = unless_interrupted(
        |cancel| answer(case, args, dialing, screen, cancel),
        || Err(Failure::undetermined("interrupted before there was an answer")),
    );
    let verified = answered.as_ref().is_ok_and(|verdict| verdict.outcome == Outcome::Verified);
    if let (Some(work_dir), false) = (&args.work_dir, verified) {
        retract(work_dir, target);
    }
    answered
}

/// Without a yes nothing remains of an earlier one about the same target. What cannot be taken away makes
/// the answer no better, and is told.
fn retract(work_dir: &Path, target: TaskId) {
    if let Err(error) = Staging::retract(work_dir, target) {
        let what = format!("what an earlier yes left cannot be removed: {error}");
        Failure::undetermined(what).next(format!("remove {}", work_dir.join("cot").display())).tell();
    }
}

/// Comes to the end of what is asked, unless somebody interrupts: that cancels all work, wherever it is.
pub(crate) fn unless_interrupted<T, A: Future<Output = Result<T, Failure>>>(
    answer: impl FnOnce(Cancel) -> A,
    interrupted: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|cause| Failure::undetermined(format!("cannot start: {cause}")))?;
    runtime.block_on(async {
        // Before anything is asked or made: a signal that comes earlier than its listener ends us where
        // we stand, and a busy first turn of the answer can last until artifacts are on their way.
        let interruption = Interruption::listen();
        let cancel = Interruption::listen().cancels();
        tokio::select! {
            biased;
            () = interruption.arrives() => interrupted(),
            answer = answer(cancel) => answer,
        }
    })
}

async fn answer(
    case: Case,
    args: &VerifyArgs,
    dialing: Dialing,
    screen: &Screen,
    cancel: Cancel,
) -> Result<Verdict, Failure> {
    match &args.replay {
        Some(folder) => replay(&case, folder, screen, cancel).await,
        None => ask(case, args, dialing, screen, cancel).await,
    }
}

/// Over the network, as far as the cache does not know; or by the cache alone.
async fn ask(
    mut case: Case,
    args: &VerifyArgs,
    dialing: Dialing,
    screen: &Screen,
    cancel: Cancel,
) -> Result<Verdict, Failure> {
    let limits = Limits::default();
    let staging = args.work_dir.as_deref().map(staging).transpose()?;
    let tally: Arc<dyn Progress> = Arc::new(Tally::new(screen.clone()));
    let recorder = args.record.as_deref().map(|folder| recorder(folder, tally.clone())).transpose()?;
    let progress = recorder.clone().map_or(tally, |recorder| recorder as Arc<dyn Progress>);
    let cache = args.cache.open(&case.asked.root_url, &limits)?;
    let sources = Sources::open(&case, args, dialing, cache, staging.clone(), progress)?;
    let deadline = after(args.deadline.unwrap_or(catena_fetch::DEADLINE));
    let (source, progress) = (sources.source.clone(), sources.progress.as_ref());
    let inquiry = investigate(case.open(limits, cancel), source, deadline, progress).await;
    case.asked.concluded = now();
    let verdict = inquiry.conclude(&case.asked.concluded);
    drop_aside(inquiry);
    if let (Some(recorder), Some(folder)) = (recorder, &args.record) {
        unless_no(record(&recorder, &case, folder), &verdict)?;
    }
    if let (Some(staging), Outcome::Verified) = (staging, verdict.outcome) {
        publish(&staging, &verdict)?;
    }
    sources.end(&verdict, args.work_dir.as_deref());
    Ok(verdict)
}

/// Takes apart what is large while something else goes on. Nobody waits for the end of it.
fn drop_aside<T: Send + 'static>(large: T) {
    drop(thread::Builder::new().spawn(move || drop(large)));
}

/// Where facts come from, and who is told of them.
struct Sources {
    fetcher: Option<Arc<Fetcher>>,
    cache: Option<(Arc<Cache>, Arc<Cached>)>,
    source: Arc<dyn FactSource>,
    progress: Arc<dyn Progress>,
}

impl Sources {
    fn open(
        case: &Case,
        args: &VerifyArgs,
        dialing: Dialing,
        cache: Option<Arc<Cache>>,
        staging: Option<Arc<Staging>>,
        progress: Arc<dyn Progress>,
    ) -> Result<Self, Failure> {
        if let (true, Some(cache)) = (args.offline, &cache) {
            let target = case.target();
            let cached = Cached::offline(cache.clone(), target, progress);
            tell_age(&cached);
            return Ok(Self::through(cache.clone(), cached, staging, None));
        }
        let fetcher = fetcher(&case.asked.root_url, args, &Limits::default(), dialing)?;
        let fetcher = fetcher.with_staging(staging.clone()).with_progress(progress.clone());
        let fetcher = Arc::new(match cache {
            Some(_) => fetcher.keeping_graphs(std::env::temp_dir()),
            None => fetcher,
        });
        Ok(match cache {
            Some(cache) => {
                let cached = Cached::new(cache.clone(), fetcher.clone(), progress);
                Self::through(cache, cached, staging, Some(fetcher))
            }
            None => Self { fetcher: Some(fetcher.clone()), cache: None, source: fetcher, progress },
        })
    }

    fn through(
        cache: Arc<Cache>,
        cached: Cached,
        staging: Option<Arc<Staging>>,
        fetcher: Option<Arc<Fetcher>>,
    ) -> Self {
        let cached = Arc::new(cached.with_staging(staging));
        Self { fetcher, cache: Some((cache, cached.clone())), source: cached.clone(), progress: cached }
    }

    /// What helps whoever asks next, once everything is in place for the one who asked now.
    fn end(&self, verdict: &Verdict, work_dir: Option<&Path>) {
        if let Some((cache, cached)) = &self.cache {
            cached.keep(verdict, work_dir);
            tracing::debug!(statistics = ?cache.statistics(), "cached");
        }
        if let Some(fetcher) = &self.fetcher {
            tracing::debug!(statistics = ?fetcher.statistics(), "fetched");
        }
    }
}

/// Nobody is asked: whoever reads the answer should know of when it is.
fn tell_age(cached: &Cached) {
    match cached.seen_at().and_then(|time| jiff::Timestamp::try_from(time).ok()) {
        Some(time) => tracing::warn!(
            "offline: what may have changed is as it was seen at {}",
            time.strftime("%Y-%m-%dT%H:%M:%SZ")
        ),
        None => tracing::warn!("offline: the cache knows of no yes about this task"),
    }
}

fn recorder(folder: &Path, next: Arc<dyn Progress>) -> Result<Arc<Recorder>, Failure> {
    RecordedInquiry::make_room(folder)?;
    Recorder::new(folder, next).map(Arc::new).map_err(|cause| {
        Failure::usage(format!("{}: {cause}", folder.display())).next("name a folder that can be written to")
    })
}

fn record(recorder: &Recorder, case: &Case, folder: &Path) -> Result<(), Failure> {
    recorder
        .finish(BTreeMap::new())
        .map_err(|cause| Failure::undetermined(format!("{}: {cause}", folder.display())))
        .and_then(|()| case.asked.write(folder))
}

fn publish(staging: &Staging, verdict: &Verdict) -> Result<(), Failure> {
    let published = staging.publish(verdict).map_err(|error| {
        Failure::undetermined(format!("the chain is verified, but its artifacts could not be kept: {error}"))
            .next("see to --work-dir, or name another one, and ask again")
    })?;
    tracing::info!(files = published.files.len(), "verified artifacts are in place");
    Ok(())
}

/// From a recording.
async fn replay(case: &Case, folder: &Path, screen: &Screen, cancel: Cancel) -> Result<Verdict, Failure> {
    let limits = Limits::default();
    let recorded = Replay::open(folder, &limits).map(Arc::new).map_err(|error| {
        Failure::usage(error).next("name a folder that --record filled and nobody touched since")
    })?;
    let tally = Tally::new(screen.clone());
    let inquiry = investigate(case.open(limits, cancel), recorded, after(AT_ONCE), &tally).await;
    Ok(inquiry.conclude(&case.asked.concluded).from_recording())
}

/// So much later than now; a clock that cannot say so has passed it already.
pub(crate) fn after(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or(now)
}

/// What was to be delivered beside the verdict and was not keeps a yes from being said; a no is
/// said all the same.
fn unless_no(delivered: Result<(), Failure>, verdict: &Verdict) -> Result<(), Failure> {
    match delivered {
        Err(failure) if verdict.outcome != Outcome::Verified => {
            failure.tell();
            Ok(())
        }
        other => other,
    }
}

fn staging(work_dir: &Path) -> Result<Arc<Staging>, Failure> {
    Staging::new(work_dir).map_err(|cause| {
        Failure::usage(format!("{}: {cause}", work_dir.display()))
            .next("name a --work-dir that can be written to")
    })
}

/// A transport on its way: to read which certificates the system trusts takes some milliseconds, in which
/// the policy can be read.
pub(super) struct Dialing {
    options: HttpOptions,
    /// None where nothing will be asked for, and where there is no room for a thread.
    begun: Option<JoinHandle<Result<HttpTransport, HttpSetupError>>>,
}

impl Dialing {
    /// Begins, if anything will be asked for.
    pub(super) fn begin(args: &VerifyArgs) -> Self {
        let options = HttpOptions { ca_file: args.ca_file.clone(), ..HttpOptions::default() };
        let asks = args.replay.is_none() && !args.offline;
        let own = options.clone();
        let begin = || thread::Builder::new().spawn(move || HttpTransport::new(&own)).ok();
        Self { options, begun: asks.then(begin).flatten() }
    }

    fn transport(self) -> Result<HttpTransport, Failure> {
        let ended = self.begun.and_then(|begun| begun.join().ok());
        ended.unwrap_or_else(|| HttpTransport::new(&self.options)).map_err(|error| {
            Failure::usage(error).next("see to --ca-file, SSL_CERT_FILE, HTTPS_PROXY and the like")
        })
    }
}

pub(super) fn fetcher(
    root_url: &str,
    args: &VerifyArgs,
    limits: &Limits,
    dialing: Dialing,
) -> Result<Fetcher, Failure> {
    let root = RootUrl::parse(root_url).map_err(|error| {
        Failure::usage(error)
            .next("say where Taskcluster is with --root-url https://… or TASKCLUSTER_ROOT_URL")
    })?;
    if leaves_unprotected(&root) && !args.danger_allow_http {
        let what = format!(
            "{} is asked over plain http, so anybody on the way can answer in its name",
            root.as_str()
        );
        return Err(Failure::usage(what).next("use https; --danger-allow-http takes the risk"));
    }
    let transport = dialing.transport()?;
    let defaults = Options::default();
    let options = Options {
        attempts: args.attempts.map_or(defaults.attempts, NonZeroU32::get),
        stall: args.stall.unwrap_or(defaults.stall),
        danger_allow_http: args.danger_allow_http,
        seed: seed(),
        ..defaults
    };
    let fetcher = Fetcher::new(Arc::new(transport), root, limits.clone(), options);
    let variable = |name: &str| std::env::var(name).ok();
    Ok(fetcher
        .with_taskcluster(credentials(args)?)
        .with_github_token(github_token_from_environment(variable)))
}

fn credentials(args: &VerifyArgs) -> Result<Option<TaskclusterCredentials>, Failure> {
    let found = match &args.credentials {
        Some(file) => TaskclusterCredentials::from_file(file).map(Some),
        None => TaskclusterCredentials::from_environment(|name| std::env::var(name).ok()),
    };
    found
        .map_err(|error| Failure::usage(error).next("without any credentials only public things can be read"))
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

/// Different for those who start at the same time.
fn seed() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_nanos()).rotate_left(32) ^ u64::from(std::process::id())
}

/// The time, RFC 3339 in UTC, to the second.
pub(super) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Somebody interrupts or ends us: SIGINT or SIGTERM, Ctrl-C elsewhere.
struct Interruption {
    #[cfg(unix)]
    signals: Vec<tokio::signal::unix::Signal>,
}

impl Interruption {
    /// From here on signals are noted instead of ending the process. One that cannot be listened to
    /// ends it as ever.
    fn listen() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
            Self { signals: kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect() }
        }
        #[cfg(not(unix))]
        Self {}
    }

    /// What is set once the first of them arrives, whatever the thread that asks is doing.
    fn cancels(self) -> Cancel {
        let arrived = Arc::new(AtomicBool::new(false));
        let set = Arc::clone(&arrived);
        drop(tokio::spawn(async move {
            self.arrives().await;
            set.store(true, Ordering::Relaxed);
        }));
        Cancel::when(move || arrived.load(Ordering::Relaxed))
    }

    /// Waits for the first of them, if need be for ever.
    async fn arrives(self) {
        #[cfg(unix)]
        {
            let mut signals = self.signals;
            std::future::poll_fn(|cx| {
                let arrived = signals.iter_mut().any(|signal| signal.poll_recv(cx).is_ready());
                if arrived { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            })
            .await;
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_asked_over_plain_http() {
        let unprotected = |text: &str| leaves_unprotected(&RootUrl::parse(text).unwrap());
        for here in ["http://localhost:80", "http://127.0.0.1:8080", "http://[::1]", "https://tc.example"] {
            assert!(!unprotected(here), "{here}");
        }
        for there in ["http://tc.example", "http://10.0.0.1", "http://localhost.example", "http://0.0.0.0"] {
            assert!(unprotected(there), "{there}");
        }
    }

    #[test]
    fn the_time_is_rfc_3339() {
        let now = now();
        assert_eq!((now.len(), now.get(10..11), now.get(19..)), (20, Some("T"), Some("Z")), "{now}");
    }
}
