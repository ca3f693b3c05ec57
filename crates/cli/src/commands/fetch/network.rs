//! How the network is reached: one transport for everything that one command fetches.

use super::arguments::NetworkArgs;
use crate::failure::Failure;
use catena_download::{DeliverError, DownloadError, Downloader, Queue, QueueError, TaskRun};
use catena_fetch::Options;
use catena_http::{HttpOptions, HttpTransport};
use catena_model::Limits;
use catena_model::task::ArtifactName;
use catena_taskcluster::{RootUrl, TaskclusterCredentials};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use tokio::time::Instant;
use url::Url;

/// Large toolchains over slow links take minutes; a task that fetches for an hour is ended by its own limit.
const DEADLINE: Duration = Duration::from_secs(3600);

/// The network, and what is needed beside it.
pub(super) struct Network {
    pub(super) downloader: Arc<Downloader>,
    pub(super) transport: Arc<HttpTransport>,
    pub(super) options: Options,
    pub(super) root: RootUrl,
    pub(super) credentials: Option<TaskclusterCredentials>,
    pub(super) limits: Limits,
    pub(super) deadline: Instant,
    /// The proxy of a task, which adds the task's credentials.
    proxy: Option<RootUrl>,
    scratch: TempDir,
}

impl Network {
    pub(super) fn open(args: &NetworkArgs, root_url: &str) -> Result<Self, Failure> {
        let root = RootUrl::parse(root_url).map_err(|error| {
            Failure::usage(error)
                .next("say where Taskcluster is with --root-url https://… or TASKCLUSTER_ROOT_URL")
        })?;
        let (transport, options) = (transport(args)?, options(args));
        let scratch = tempfile::tempdir().map_err(|error| {
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
            deadline: deadline(args),
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

pub(super) fn deadline(args: &NetworkArgs) -> Instant {
    let now = Instant::now();
    now.checked_add(args.deadline.unwrap_or(DEADLINE)).unwrap_or(now)
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
        QueueError::Malformed { .. } => {
            Failure::undetermined(error).next("see what answers in the queue's name")
        }
        QueueError::NoRun(_) | QueueError::OtherRun(..) => {
            Failure::undetermined(error).next("wait for the run, or name another one")
        }
    }
}

/// What a failed download means to the caller.
pub(super) fn download_failure(error: &DownloadError) -> Failure {
    match error {
        DownloadError::Mismatch { .. } => Failure::rejected(error.code(), error)
            .next("the bytes were changed after their digest was given: tell security, and do not retry"),
        DownloadError::Absent { .. } => {
            Failure::undetermined(error).next("see whether the task made it, and whether it has expired")
        }
        DownloadError::Refused { .. } => {
            Failure::undetermined(error).next("give credentials with the scope to read it")
        }
        DownloadError::Unreachable { .. } | DownloadError::Deadline { .. } => {
            Failure::undetermined(error).next("ask again; the network or the service may be back")
        }
        DownloadError::Lasting { .. } => {
            Failure::undetermined(error).next("see to what it says; asking again does not help")
        }
        DownloadError::Disk { .. } => {
            Failure::undetermined(error).next("make room, or name another destination")
        }
    }
}

/// What it means to the caller that inputs were not delivered.
pub(super) fn deliver_failure(error: &DeliverError) -> Failure {
    match error {
        DeliverError::Download(error) => download_failure(error),
        DeliverError::Extract { source, .. }
            if !matches!(source.code(), "archive-disk" | "archive-cancelled") =>
        {
            Failure::rejected(error.code(), error)
                .next("the archive is as its maker signed it; have its maker put it right")
        }
        DeliverError::Merge(catena_extract::MergeError::Directory { .. }) => {
            Failure::usage(error).next("empty the destination, or give one of the two another `dest`")
        }
        _ => Failure::undetermined(error).next("see to the destination, and ask again"),
    }
}
