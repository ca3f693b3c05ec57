//! How the network is reached: one transport for everything that one command fetches.

use super::arguments::NetworkArgs;
use crate::failure::Failure;
use catena_download::{DeliverError, DownloadError, Downloader, Queue, QueueError, TaskRun};
use catena_extract::{ExtractError, MergeError};
use catena_fetch::Options;
use catena_http::{HttpOptions, HttpTransport};
use catena_model::Limits;
use catena_model::task::ArtifactName;
use catena_taskcluster::{RootUrl, TaskclusterCredentials};
use catena_workdir::ClaimedDir;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;
use url::Url;

/// Large toolchains over slow links take minutes; a task that fetches for an hour is ended by its own limit.
pub(super) const DEADLINE: Duration = Duration::from_secs(3600);

/// Downloads at the same time: enough for small files to share what each waits for.
const JOBS: NonZeroUsize = NonZeroUsize::new(16).unwrap();

/// The network, and what is needed beside it.
pub(super) struct Network {
    pub(super) downloader: Arc<Downloader>,
    pub(super) transport: Arc<HttpTransport>,
    pub(super) options: Options,
    pub(super) root: RootUrl,
    pub(super) credentials: Option<TaskclusterCredentials>,
    pub(super) limits: Limits,
    pub(super) deadline: Instant,
    /// Requests at the same time.
    pub(super) jobs: NonZeroUsize,
    /// Where what makers are verified by is cached.
    pub(super) cache: Option<catena::CacheOptions>,
    /// The proxy of a task, which adds the task's credentials.
    proxy: Option<RootUrl>,
    /// For small answers, and what verifiers of makers keep.
    pub(super) scratch: ClaimedDir,
}

impl Network {
    pub(super) fn open(
        args: &NetworkArgs,
        root_url: &str,
        transport: Arc<HttpTransport>,
        options: Options,
        deadline: Instant,
    ) -> Result<Self, Failure> {
        let root = RootUrl::parse(root_url).map_err(|error| {
            Failure::usage(error)
                .next("say where Taskcluster is with --root-url https://… or TASKCLUSTER_ROOT_URL")
        })?;
        let scratch = ClaimedDir::create_in(&std::env::temp_dir()).map_err(|error| {
            Failure::undetermined(format!("no room for temporary files: {error}"))
                .next("make room in $TMPDIR, or name another directory there")
        })?;
        Ok(Self {
            downloader: Arc::new(Downloader::new(transport.clone(), options.clone())),
            transport,
            options,
            root,
            credentials: credentials(args)?,
            limits: Limits::default(),
            deadline,
            jobs: jobs(args),
            cache: args.cache.options()?,
            proxy: proxy()?,
            scratch,
        })
    }

    /// Where an artifact is asked for, and whether that is a proxy beside us: what is not public is asked for
    /// through the task's proxy, where there is one and we have no credentials of our own.
    pub(super) fn artifact(&self, run: TaskRun, name: &ArtifactName) -> Result<(Url, bool), Failure> {
        let private = !name.as_str().starts_with("public/") && self.credentials.is_none();
        let proxy = self.proxy.as_ref().filter(|_| private);
        let queue = Queue { root: proxy.unwrap_or(&self.root), ..self.queue() };
        let url = queue.artifact(run, name).map_err(|error| queue_failure(&error))?;
        Ok((url, proxy.is_some()))
    }

    pub(super) fn queue(&self) -> Queue<'_> {
        Queue {
            downloader: &self.downloader,
            root: &self.root,
            credentials: self.credentials.as_ref(),
            scratch: self.scratch.path(),
            limits: &self.limits,
            deadline: self.deadline,
        }
    }
}

/// The proxy of the task we run in.
pub(super) fn proxy() -> Result<Option<RootUrl>, Failure> {
    let said = std::env::var("TASKCLUSTER_PROXY_URL").ok().filter(|url| !url.is_empty());
    said.map(|url| RootUrl::parse(&url)).transpose().map_err(|error| {
        Failure::usage(format!("TASKCLUSTER_PROXY_URL: {error}"))
            .next("set it as the worker does, or not at all")
    })
}

/// When everything that a command downloads must be there: counted once, from its beginning.
pub(super) fn deadline(args: &NetworkArgs) -> Instant {
    let now = Instant::now();
    now.checked_add(args.deadline.unwrap_or(DEADLINE)).unwrap_or(now)
}

/// Downloads at the same time.
pub(super) fn jobs(args: &NetworkArgs) -> NonZeroUsize {
    args.jobs.unwrap_or(JOBS)
}

pub(super) fn transport(args: &NetworkArgs) -> Result<Arc<HttpTransport>, Failure> {
    let options = HttpOptions { ca_file: args.ca_file.clone(), ..HttpOptions::default() };
    HttpTransport::new(&options).map(Arc::new).map_err(|error| {
        Failure::usage(error).next("see to --ca-file, SSL_CERT_FILE, HTTPS_PROXY and the like")
    })
}

pub(super) fn options(args: &NetworkArgs) -> Options {
    let defaults = Options::default();
    Options {
        attempts: args.attempts.map_or(defaults.attempts, NonZeroU32::get),
        stall: args.stall.unwrap_or(defaults.stall),
        danger_allow_http: args.danger_allow_http,
        seed: seed(),
        ..defaults
    }
}

fn credentials(args: &NetworkArgs) -> Result<Option<TaskclusterCredentials>, Failure> {
    let found = match &args.credentials {
        Some(file) => TaskclusterCredentials::from_file(file).map(Some),
        None => TaskclusterCredentials::from_environment(|name| std::env::var(name).ok()),
    };
    found
        .map_err(|error| Failure::usage(error).next("without any credentials only public things can be read"))
}

/// Different for those who start at the same time.
fn seed() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_nanos()).rotate_left(32) ^ u64::from(std::process::id())
}

/// What an answer of the queue that cannot be used means to the caller.
pub(super) fn queue_failure(error: &QueueError) -> Failure {
    match error {
        QueueError::Download(error) => download_failure(error),
        QueueError::Address(_) => Failure::usage(error).next("name it as Taskcluster does"),
        QueueError::Malformed { .. } => Failure::coded("fetch-answer-malformed", error)
            .next("look at what answers at the root URL, and at proxies on the way"),
        QueueError::NoRun(_) | QueueError::OtherRun(..) => {
            Failure::coded("fetch-no-run", error).next("wait for the run, or name another one")
        }
    }
}

/// What a failed download means to the caller.
pub(super) fn download_failure(error: &DownloadError) -> Failure {
    let next = match error {
        DownloadError::Mismatch { .. } => {
            "the bytes were changed after their digest was given: tell security, and do not retry"
        }
        DownloadError::Absent { .. } => "look whether the task made it, and whether it has expired",
        DownloadError::Refused { .. } => "give credentials with the scope to read it",
        DownloadError::Unreachable { .. } | DownloadError::Deadline { .. } => {
            "retry; the network or the service may be back"
        }
        DownloadError::Lasting { .. } => "correct what it names; a retry does not help",
        DownloadError::Disk { .. } => "make room, or name another destination",
    };
    Failure::coded(error.code(), error).next(next)
}

/// What it means to the caller that inputs were not delivered.
pub(super) fn deliver_failure(error: &DeliverError) -> Failure {
    let next = match error {
        DeliverError::Download(error) => return download_failure(error),
        DeliverError::Extract { source, .. } => extract_advice(source),
        DeliverError::Merge(MergeError::Disk { .. }) | DeliverError::Staging { .. } => DISK,
        DeliverError::Merge(MergeError::Directory { .. }) => {
            "empty the destination, or give one of the two another `dest`"
        }
    };
    Failure::coded(error.code(), error).next(next)
}

const DISK: &str = "make room below the destination, and look at its permissions";

/// What it means to the caller that an archive cannot be read or packed anew.
pub(super) fn extract_failure(what: &str, error: ExtractError) -> Failure {
    Failure::coded(error.code(), format!("{what}: {error}")).next(extract_advice(&error))
}

fn extract_advice(error: &ExtractError) -> &'static str {
    match error {
        ExtractError::Disk { .. } | ExtractError::Read(_) => DISK,
        ExtractError::Cancelled => "run the command again",
        _ => "the archive is as its maker made it; have its maker correct it",
    }
}
