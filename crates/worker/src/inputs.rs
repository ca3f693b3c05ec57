//! The upstream artifacts of a task, fetched without a verification of its chain: for tasks that run without a
//! clearance, and for test directories.

use crate::claimed::check_path;
use catena_download::{
    DeliverError, Delivery, Download, Downloader, Expected, Extract, Input, NoProgress, Place, Queue,
    QueueError, TaskRun, deliver,
};
use catena_json::Value;
use catena_model::Limits;
use catena_model::digest::Digest;
use catena_model::document::{Document, Listing};
use catena_model::fnmatch::Pattern;
use catena_model::task::{ArtifactName, Definition, TaskId, UpstreamArtifacts};
use catena_taskcluster::{RootUrl, TaskclusterCredentials};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::time::Instant;

/// Downloads at the same time.
const DOWNLOADS: usize = 8;

/// What an artifact is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// With nothing.
    Nothing,
    /// With the digest in the Chain of Trust document of its run, whose signature is not verified.
    Document,
}

/// Why inputs are not in place.
#[derive(Debug, thiserror::Error)]
pub enum InputsError {
    /// The task does not say what its inputs are.
    #[error("the task definition: {0}")]
    Definition(String),
    /// A path that is not a place in the directory of its task.
    #[error("payload.upstreamArtifacts of {task_id}: {path:?} {reason}")]
    Path {
        /// The upstream task.
        task_id: TaskId,
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The document of the run does not name a digest for it.
    #[error("the document of {run} has no usable digest of {name:?}")]
    Undocumented {
        /// The run.
        run: String,
        /// The artifact.
        name: String,
    },
    /// The queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// An artifact.
    #[error(transparent)]
    Deliver(#[from] DeliverError),
    /// The directory for temporary files.
    #[error("no directory for temporary files: {0}")]
    Temporary(std::io::Error),
}

/// Fetches inputs.
#[derive(Debug)]
pub struct InputFetcher {
    /// What downloads them.
    pub downloader: Downloader,
    /// Where the queue is.
    pub root: RootUrl,
    /// Who asks for artifacts that are not public.
    pub credentials: Option<TaskclusterCredentials>,
    /// How large answers and artifacts may be.
    pub limits: Limits,
}

impl InputFetcher {
    /// Fetches the upstream artifacts of a task, from the latest run of each upstream task, to
    /// `cot/<taskId>/<path>` below `work_dir`: all of them or none. Returns their paths.
    ///
    /// # Errors
    /// What is missing, malformed or mismatched.
    pub async fn fetch(
        &self,
        task: &Value,
        work_dir: &Path,
        check: Check,
        deadline: Instant,
    ) -> Result<Vec<PathBuf>, InputsError> {
        let definition =
            Definition::parse(task.clone()).map_err(|error| InputsError::Definition(error.to_string()))?;
        let mut by_task: BTreeMap<TaskId, Vec<&UpstreamArtifacts>> = BTreeMap::new();
        for upstream in definition.upstream_artifacts() {
            by_task.entry(upstream.task_id).or_default().push(upstream);
        }
        if by_task.is_empty() {
            return Ok(Vec::new());
        }
        let scratch = tempfile::tempdir().map_err(InputsError::Temporary)?;
        let queue = Queue {
            downloader: &self.downloader,
            root: &self.root,
            credentials: self.credentials.as_ref(),
            scratch: scratch.path(),
            limits: &self.limits,
            deadline,
        };
        let mut inputs = Vec::new();
        for (task_id, upstreams) in by_task {
            let run = queue.pin(task_id, None).await?;
            inputs.extend(self.inputs_of(&queue, run, &upstreams, check).await?);
        }
        let to = work_dir.join("cot");
        let delivery = Delivery {
            downloads: DOWNLOADS,
            extractions: NonZeroUsize::MIN,
            options: catena_extract::Options::default(),
            deadline,
            cache: None,
        };
        deliver(&self.downloader, &inputs, &to, &delivery, &NoProgress).await?;
        Ok(inputs.iter().map(|input| to.join(input.place.path())).collect())
    }

    /// What one upstream task contributes.
    async fn inputs_of(
        &self,
        queue: &Queue<'_>,
        run: TaskRun,
        upstreams: &[&UpstreamArtifacts],
        check: Check,
    ) -> Result<Vec<Input>, InputsError> {
        let listed = match upstreams.iter().any(|upstream| upstream.optional) {
            true => queue.artifacts(run).await?,
            false => BTreeSet::new(),
        };
        let names = names(run.task_id, upstreams, &listed)?;
        let document = match check {
            Check::Nothing => None,
            Check::Document => Some(queue.unverified_document(run).await?),
        };
        let input = |name: ArtifactName| {
            let expected = document.as_ref().map(|document| digest(document, run, &name)).transpose()?;
            let (directory, file) = name.as_str().rsplit_once('/').unwrap_or(("", name.as_str()));
            let place = Place::new(&format!("{}/{directory}", run.task_id), file)
                .map_err(|error| malformed(run.task_id, name.as_str(), error.to_string()))?;
            let download = Download {
                url: queue.artifact(run, &name)?,
                credentials: self.credentials.clone(),
                headers: http::HeaderMap::new(),
                artifact: true,
                beside: false,
                expected: Expected { digests: expected.into_iter().collect(), length: None },
                limit: self.limits.artifact_bytes,
            };
            Ok(Input { download, place, extract: Extract::Never })
        };
        names.into_iter().map(input).collect()
    }
}

fn malformed(task_id: TaskId, path: &str, reason: String) -> InputsError {
    InputsError::Path { task_id, path: path.chars().take(200).collect(), reason }
}

/// The artifacts that the paths mean. An optional path means what the queue lists and the path matches.
fn names(
    task_id: TaskId,
    upstreams: &[&UpstreamArtifacts],
    listed: &BTreeSet<Arc<str>>,
) -> Result<BTreeSet<ArtifactName>, InputsError> {
    let mut names = BTreeSet::new();
    for upstream in upstreams {
        for path in &upstream.paths {
            let wrong = |reason: String| malformed(task_id, path, reason);
            check_path(path, upstream.optional).map_err(|reason| wrong(reason.to_owned()))?;
            let read = |name: &str| ArtifactName::parse(name).map_err(|error| wrong(error.to_string()));
            if !upstream.optional {
                names.insert(read(path)?);
                continue;
            }
            let pattern = Pattern::new(path).ok_or_else(|| wrong("is too long".to_owned()))?;
            let is_meant = |name: &str| name == path || (path.contains('*') && pattern.matches(name));
            for name in listed.iter().filter(|name| is_meant(name)) {
                names.insert(read(name)?);
            }
        }
    }
    Ok(names)
}

fn digest(document: &Document, run: TaskRun, name: &ArtifactName) -> Result<Digest, InputsError> {
    let undocumented = || InputsError::Undocumented { run: run.to_string(), name: name.as_str().to_owned() };
    let Listing::Digests(digests) = document.listing(name.as_str()) else { return Err(undocumented()) };
    let strongest = digests.iter().find(|digest| matches!(digest, Digest::Sha256(_))).or(digests.first());
    strongest.copied().ok_or_else(undocumented)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: &str = "MrP01xxxQACAAAAAAAAAAA";

    fn found(path: &str, optional: bool) -> Result<Vec<String>, String> {
        let task_id = TaskId::parse(TASK).unwrap();
        let upstream =
            UpstreamArtifacts { task_id, task_type: "build".into(), paths: vec![path.into()], optional };
        let listed = ["public/a.txt", "public/b/c.txt", "public/x"].map(Arc::from).into();
        let names = names(task_id, &[&upstream], &listed).map_err(|error| error.to_string())?;
        Ok(names.iter().map(|name| name.as_str().to_owned()).collect())
    }

    #[test]
    fn optional_paths_mean_what_is_listed() {
        assert_eq!(found("public/*.txt", true).unwrap(), ["public/a.txt", "public/b/c.txt"]);
        assert_eq!(found("public/x", true).unwrap(), ["public/x"]);
        assert_eq!(found("public/[x]", true).unwrap(), [""; 0]);
        assert_eq!(found("public/missing", true).unwrap(), [""; 0]);
        assert_eq!(found("public/missing", false).unwrap(), ["public/missing"]);
    }

    #[test]
    fn paths_stay_in_the_directory_of_their_task() {
        for (path, optional) in [("../x", false), ("/x", true), ("public/*", false), ("public//x", false)] {
            let told = found(path, optional).unwrap_err();
            assert!(told.contains(TASK) && told.contains(path), "{told}");
        }
    }
}
