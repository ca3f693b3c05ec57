//! The mounts of a task, as generic-worker's payload has them.

use crate::deliver::{Extract, Input, Place};
use crate::request::{Download, Expected};
use crate::wanted::{Source, Wanted, WantedError};
use catena_model::Limits;
use catena_model::digest::Digest;
use catena_model::task::{RunId, TaskId};
use http::HeaderMap;
use serde::Deserialize;
use url::Url;

/// Mounts of one task.
const MOST: usize = 10_000;

/// What a task needs before it runs.
#[derive(Debug)]
pub struct Mounts {
    /// The task.
    pub task_id: TaskId,
    /// Its run.
    pub run_id: RunId,
    /// What other tasks made.
    pub artifacts: Vec<Wanted>,
    /// What no task made: only a digest says what it must be.
    pub files: Vec<Input>,
}

/// What a worker says of a task that it is about to run.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Request {
    task_id: String,
    run_id: u32,
    mounts: Vec<Mount>,
}

/// A mount of generic-worker's payload.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Mount {
    file: Option<String>,
    directory: Option<String>,
    cache_name: Option<String>,
    content: Option<Content>,
    format: Option<String>,
}

/// The content of a mount: an artifact, what an index route leads to, a file elsewhere, or bytes of the payload.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Content {
    task_id: Option<String>,
    artifact: Option<String>,
    namespace: Option<String>,
    url: Option<String>,
    sha256: Option<String>,
    raw: Option<String>,
    base64: Option<String>,
}

/// What is wanted of one mount.
#[derive(Debug)]
enum Found {
    Artifact(Wanted),
    File(Box<Input>),
    /// Nothing: an empty cache, or bytes that the definition itself has.
    Nothing,
}

impl Mounts {
    /// Reads what a worker says: a JSON object of taskId, runId and mounts.
    ///
    /// # Errors
    /// Text that is no such object, a mount that cannot be verified or is unsupported, more than 10,000 mounts.
    pub fn parse(text: &str) -> Result<Self, WantedError> {
        let request: Request =
            serde_json::from_str(text).map_err(|error| WantedError::new(error.to_string()))?;
        let task_id =
            TaskId::parse(&request.task_id).map_err(|error| WantedError::new(format!("taskId: {error}")))?;
        if request.mounts.len() > MOST {
            return Err(WantedError::new(format!("more than {MOST} mounts")));
        }
        let run_id = RunId(request.run_id);
        let mut mounts = Self { task_id, run_id, artifacts: Vec::new(), files: Vec::new() };
        for (number, mount) in request.mounts.into_iter().enumerate() {
            match mount.found().map_err(|what| WantedError::new(format!("mounts[{number}]: {what}")))? {
                Found::Artifact(artifact) => mounts.artifacts.push(artifact),
                Found::File(file) => mounts.files.push(*file),
                Found::Nothing => {}
            }
        }
        Ok(mounts)
    }
}

impl Mount {
    fn found(self) -> Result<Found, String> {
        let (directory, file, extract) = match (&self.file, &self.directory) {
            (Some(_), Some(_)) | (None, None) => {
                return Err("exactly one of file and directory is needed".into());
            }
            (Some(_), None) if self.cache_name.is_some() => return Err("a file has no cacheName".into()),
            // The digest would be that of other bytes than those of the file.
            (Some(_), None) if self.format.is_some() => {
                return Err("a file with a format is not supported".into());
            }
            (Some(file), None) => {
                let (directory, name) = file.rsplit_once('/').unwrap_or(("", file));
                (directory.to_owned(), Some(name.to_owned()), Extract::Never)
            }
            (None, Some(directory)) => (directory.clone(), None, Extract::Always),
        };
        let Some(content) = self.content else {
            let cache = self.cache_name.is_some() && self.format.is_none();
            return if cache { Ok(Found::Nothing) } else { Err("content is missing".into()) };
        };
        if extract == Extract::Always && self.format.is_none() {
            return Err("a directory with content needs its format".into());
        }
        if extract == Extract::Always
            && self.format.as_deref().is_some_and(|it| it != "zip" && !it.starts_with("tar"))
        {
            return Err("of the formats of directories tar, with a compression, and zip are supported".into());
        }
        content.found(directory, file, extract)
    }
}

impl Content {
    fn found(self, directory: String, file: Option<String>, extract: Extract) -> Result<Found, String> {
        let Self { task_id, artifact, namespace, url, sha256: digest, raw, base64 } = self;
        let digest = digest.filter(|text| !text.is_empty());
        let digest = digest.map(|text| Digest::parse("sha256", &text.to_ascii_lowercase()));
        let digest = digest.transpose().map_err(|error| error.to_string())?;
        let source = match (task_id, &artifact, namespace, url, raw.or(base64)) {
            (Some(task), Some(_), None, None, None) => {
                Source::Task(TaskId::parse(&task).map_err(|error| error.to_string())?, None)
            }
            (None, Some(_), Some(route), None, None) => format!("index:{route}").parse()?,
            (None, None, None, Some(url), None) => {
                let name = || url.rsplit('/').next().unwrap_or_default().to_owned();
                let place = Place::new(&directory, &file.unwrap_or_else(name));
                let place = place.map_err(|error| error.to_string())?;
                return Ok(Found::File(Box::new(elsewhere(&url, digest, place, extract)?)));
            }
            (None, None, None, None, Some(_)) => return Ok(Found::Nothing),
            _ => {
                return Err(
                    "content is one of taskId and artifact, namespace and artifact, url, raw, base64".into(),
                );
            }
        };
        let name = artifact.unwrap_or_default();
        Ok(Found::Artifact(Wanted { source, name, is_pattern: false, directory, file, extract, digest }))
    }
}

/// A file that no task made: only a digest says what it must be.
fn elsewhere(url: &str, digest: Option<Digest>, place: Place, extract: Extract) -> Result<Input, String> {
    let digest = digest.ok_or("a url needs its sha256: nothing else says what it must be")?;
    let url = Url::parse(url).map_err(|error| error.to_string())?;
    let download = Download {
        url,
        credentials: None,
        headers: HeaderMap::new(),
        artifact: false,
        beside: false,
        expected: Expected { digests: vec![digest], length: None },
        limit: Limits::default().artifact_bytes,
    };
    Ok(Input { download, place, extract })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const TASK: &str = "IFn9x5gaQz-HXl2pa7Ny_w";

    fn mounts(mounts: &Value) -> Result<Mounts, WantedError> {
        Mounts::parse(&json!({"taskId": TASK, "runId": 0, "mounts": mounts}).to_string())
    }

    #[test]
    fn every_form_of_mount_is_read() {
        let artifact = json!({"taskId": TASK, "artifact": "public/a.tar.zst"});
        let Mounts { artifacts, files, .. } = mounts(&json!([
            {"file": "bin/tool", "content": artifact},
            {"directory": "deps", "format": "tar.zst", "content": artifact},
            {"directory": "cache", "cacheName": "level-1-x"},
            {"directory": "cache", "cacheName": "level-1-y", "format": "zip",
             "content": {"namespace": "a.b", "artifact": "public/x.zip"}},
            {"file": "f", "content": {"url": "https://example.com/x", "sha256": "ab".repeat(32)}},
            {"file": "g", "content": {"raw": "text"}},
            {"file": "h", "content": {"base64": "eA=="}},
        ]))
        .unwrap();
        let read: Vec<_> =
            artifacts.iter().map(|it| (it.directory.as_str(), it.file.as_deref(), it.extract)).collect();
        let expected = [
            ("bin", Some("tool"), Extract::Never),
            ("deps", None, Extract::Always),
            ("cache", None, Extract::Always),
        ];
        assert_eq!(read, expected);
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].place.path().to_str(), Some("f"));
    }

    #[test]
    fn what_cannot_be_verified_is_refused() {
        let artifact = json!({"taskId": TASK, "artifact": "public/a"});
        for (mount, what) in [
            (json!({"content": artifact}), "exactly one of file and directory"),
            (
                json!({"file": "a", "directory": "b", "content": artifact}),
                "exactly one of file and directory",
            ),
            (json!({"file": "a"}), "content is missing"),
            (json!({"file": "a", "format": "gz", "content": artifact}), "format is not supported"),
            (json!({"directory": "a", "content": artifact}), "needs its format"),
            (json!({"directory": "a", "format": "rar", "content": artifact}), "tar"),
            (json!({"file": "a", "content": {"url": "https://example.com/x"}}), "needs its sha256"),
            (
                json!({"file": "a", "content": {"raw": "x", "url": "https://example.com/x"}}),
                "content is one of",
            ),
            (json!({"file": "a", "content": {"taskId": TASK}}), "content is one of"),
            (json!({"file": "a", "more": 1, "content": artifact}), "unknown field"),
            (
                json!({"file": "../x", "content": {"url": "https://a/x", "sha256": "ab".repeat(32)}}),
                "not below",
            ),
        ] {
            let failure = mounts(&json!([mount])).unwrap_err().to_string();
            assert!(failure.contains(what), "{mount}: {failure}");
        }
        assert!(Mounts::parse("{}").is_err() && Mounts::parse("").is_err());
    }
}
