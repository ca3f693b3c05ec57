//! What the queue and the index are asked beside artifacts: which run there is, and what it made.

use crate::engine::Downloader;
use crate::error::DownloadError;
use crate::request::{Download, Expected};
use crate::wanted::Source;
use catena_json::Value;
use catena_model::Limits;
use catena_model::document::Document;
use catena_model::task::{ArtifactName, Definition, ListingPage, RunId, Status, TaskId};
use catena_taskcluster::{RootUrl, TaskclusterCredentials};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use tokio::time::Instant;
use url::Url;

/// Everything but the characters that mean themselves everywhere in an address (RFC 3986 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A run of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskRun {
    /// The task.
    pub task_id: TaskId,
    /// The run.
    pub run_id: RunId,
}

/// Why the queue's answer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// It could not be had.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// It is malformed.
    #[error("the answer of {url} is malformed: {reason}")]
    Malformed {
        /// Whose answer.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The task has no run.
    #[error("task {0} has no run yet")]
    NoRun(TaskId),
    /// The task is not that run's.
    #[error("task {0} has no run {1}")]
    OtherRun(TaskId, RunId),
    /// The address is none.
    #[error("{0:?} makes no address")]
    Address(String),
}

/// The queue and the index of a deployment.
#[derive(Debug)]
pub struct Queue<'a> {
    /// What downloads their answers.
    pub downloader: &'a Downloader,
    /// Where they are.
    pub root: &'a RootUrl,
    /// Who asks.
    pub credentials: Option<&'a TaskclusterCredentials>,
    /// Where answers are put while they arrive.
    pub scratch: &'a Path,
    /// How large answers may be.
    pub limits: &'a Limits,
    /// When to give up.
    pub deadline: Instant,
}

impl Queue<'_> {
    /// The status of a task.
    ///
    /// # Errors
    /// No answer, or one that is not a status of this task.
    pub async fn status(&self, task_id: TaskId) -> Result<Status, QueueError> {
        let url = self.url(&format!("queue/v1/task/{task_id}/status"))?;
        let status = |answer: Value| match Status::parse(&answer) {
            Ok(status) if status.task_id == task_id => Ok(status),
            Ok(status) => Err(format!("it is about task {}", status.task_id)),
            Err(error) => Err(error.to_string()),
        };
        self.read(&url, status).await
    }

    /// The run that is meant: the one that is named, or the last one there is now, which is pinned by this.
    ///
    /// # Errors
    /// As [`Queue::status`]; a task without that run.
    pub async fn pin(&self, task_id: TaskId, run_id: Option<RunId>) -> Result<TaskRun, QueueError> {
        if let Some(run_id) = run_id {
            return Ok(TaskRun { task_id, run_id });
        }
        let status = self.status(task_id).await?;
        let run_id = status.latest().map(|run| run.run_id).ok_or(QueueError::NoRun(task_id))?;
        Ok(TaskRun { task_id, run_id })
    }

    /// The run that each source means, in their order. Up to `at_once` of them are asked for at the same time.
    ///
    /// # Errors
    /// The first failure in the order of the sources: as [`Queue::pin`]; a route that leads to no task.
    pub async fn pin_all(
        &self,
        sources: &[Source],
        at_once: NonZeroUsize,
    ) -> Result<Vec<TaskRun>, QueueError> {
        let pinned: Vec<_> = sources.iter().map(|source| self.pin_source(source)).collect();
        stream::iter(pinned).buffered(at_once.get()).try_collect().await
    }

    async fn pin_source(&self, source: &Source) -> Result<TaskRun, QueueError> {
        match source {
            Source::Task(task_id, run_id) => self.pin(*task_id, *run_id).await,
            Source::Index(route) => self.pin(self.indexed(route).await?, None).await,
        }
    }

    /// The task that an index route leads to now.
    async fn indexed(&self, route: &str) -> Result<TaskId, QueueError> {
        let url = self.url(&format!("index/v1/task/{}", utf8_percent_encode(route, SEGMENT)))?;
        let indexed = |answer: Value| {
            let task_id = answer.get("taskId").and_then(Value::as_str).unwrap_or_default();
            TaskId::parse(task_id).map_err(|error| error.to_string())
        };
        self.read(&url, indexed).await
    }

    /// The definition of a task, as the queue has it.
    ///
    /// # Errors
    /// No answer, or one that is not JSON.
    pub async fn definition(&self, task_id: TaskId) -> Result<Value, QueueError> {
        self.read(&self.url(&format!("queue/v1/task/{task_id}"))?, Ok).await
    }

    /// The same, parsed.
    ///
    /// # Errors
    /// No answer, or one that is not a definition.
    pub(crate) async fn parsed_definition(&self, task_id: TaskId) -> Result<Definition, QueueError> {
        let url = self.url(&format!("queue/v1/task/{task_id}"))?;
        self.read(&url, |answer| Definition::parse(answer).map_err(|error| error.to_string())).await
    }

    /// The names of all artifacts of a run.
    ///
    /// # Errors
    /// No answer, a malformed page, or a list that does not end within the limits.
    pub async fn artifacts(&self, run: TaskRun) -> Result<BTreeSet<Arc<str>>, QueueError> {
        let TaskRun { task_id, run_id } = run;
        let first = self.url(&format!("queue/v1/task/{task_id}/runs/{run_id}/artifacts"))?;
        let (mut names, mut url) = (BTreeSet::new(), first.clone());
        for _ in 0..self.limits.pages {
            let page = |answer: Value| ListingPage::parse(&answer).map_err(|error| error.to_string());
            let page = self.read(&url, page).await?;
            names.extend(page.names);
            let Some(token) = page.continuation else { return Ok(names) };
            url = first.clone();
            url.query_pairs_mut().append_pair("continuationToken", &token);
        }
        let reason = format!("the list has more than {} pages", self.limits.pages);
        Err(QueueError::Malformed { url: first.to_string(), reason })
    }

    /// The Chain of Trust document of a run. Its signature is not verified.
    ///
    /// # Errors
    /// No answer, a malformed document, or one about another run.
    pub async fn unverified_document(&self, run: TaskRun) -> Result<Document, QueueError> {
        let url = self.artifact(run, &ArtifactName::document())?;
        let malformed = |reason: String| QueueError::Malformed { url: url.to_string(), reason };
        let document = Document::parse(&self.bytes(&url, true, false).await?, &self.limits.json())
            .map_err(|error| malformed(error.to_string()))?;
        if (document.task_id, document.run_id) != (run.task_id, run.run_id) {
            return Err(malformed(format!("it is about {}/{}", document.task_id, document.run_id)));
        }
        Ok(document)
    }

    /// Where an artifact of a run is. The queue redirects from there.
    ///
    /// # Errors
    /// None that a name that parsed can have.
    pub fn artifact(&self, run: TaskRun, name: &ArtifactName) -> Result<Url, QueueError> {
        let segments: Vec<String> =
            name.as_str().split('/').map(|part| utf8_percent_encode(part, SEGMENT).to_string()).collect();
        let TaskRun { task_id, run_id } = run;
        self.url(&format!("queue/v1/task/{task_id}/runs/{run_id}/artifacts/{}", segments.join("/")))
    }

    /// The bytes of a small answer; `from_origin` leaves out every cache on the way.
    pub(crate) async fn bytes(
        &self,
        url: &Url,
        artifact: bool,
        from_origin: bool,
    ) -> Result<Vec<u8>, QueueError> {
        let download = Download {
            url: url.clone(),
            credentials: self.credentials.cloned(),
            headers: HeaderMap::new(),
            artifact,
            beside: false,
            expected: Expected::default(),
            limit: self.limits.answer_bytes,
        };
        let file = tempfile::NamedTempFile::new_in(self.scratch).map_err(|source| self.disk(source))?;
        self.downloader.answer(&download, file.path(), from_origin, self.deadline).await?;
        Ok(std::fs::read(file.path()).map_err(|source| self.disk(source))?)
    }

    /// Reads a JSON answer. One that cannot be read, such as the page of a proxy, is asked for once more before it
    /// counts.
    async fn read<T>(&self, url: &Url, read: impl Fn(Value) -> Result<T, String>) -> Result<T, QueueError> {
        let parse = |bytes: &[u8]| {
            let value = catena_json::parse(bytes, &self.limits.json()).map_err(|error| error.to_string())?;
            read(value)
        };
        if let Ok(answer) = parse(&self.bytes(url, false, false).await?) {
            return Ok(answer);
        }
        tracing::info!(%url, "an answer that cannot be read is requested once more");
        parse(&self.bytes(url, false, true).await?)
            .map_err(|reason| QueueError::Malformed { url: url.to_string(), reason })
    }

    fn url(&self, path: &str) -> Result<Url, QueueError> {
        let text = format!("{}/api/{path}", self.root.as_str());
        // What would be asked otherwise than it is written is not asked.
        let url = Url::parse(&text).ok().filter(|url| url.as_str() == text);
        url.ok_or_else(|| QueueError::Address(text.chars().take(300).collect()))
    }

    fn disk(&self, source: std::io::Error) -> DownloadError {
        DownloadError::Disk { path: self.scratch.to_owned(), source }
    }
}
