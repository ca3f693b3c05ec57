//! Reading a recorded case: `chain.json`, `queue/`, `artifacts/`, `http/`.

use super::{Page, Run, Site, Task};
use crate::body::Body;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Bodies up to this size are kept in memory, larger ones stay files.
const SMALL: u64 = 512 * 1024;

/// Why a folder could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file or directory is missing or unreadable.
    #[error("{path}: {cause}")]
    Io {
        /// What was read.
        path: PathBuf,
        /// The operating system's error.
        cause: io::Error,
    },
    /// A file is not the JSON it should be.
    #[error("{path}: {cause}")]
    Json {
        /// What was read.
        path: PathBuf,
        /// What is wrong and where.
        cause: serde_json::Error,
    },
    /// A file or directory name is not what the layout says: a run number, UTF-8.
    #[error("{path}: not a name of this layout")]
    Name {
        /// The name.
        path: PathBuf,
    },
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    gzip: bool,
}

#[derive(Deserialize)]
struct Queue {
    task: Box<RawValue>,
    task_raw: Option<String>,
    status: Box<RawValue>,
    #[serde(default)]
    artifacts: Vec<Box<RawValue>>,
    #[serde(default)]
    redirects: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Status {
    status: Runs,
}

#[derive(Deserialize)]
struct Runs {
    #[serde(default)]
    runs: Vec<RunNumber>,
}

#[derive(Deserialize)]
struct RunNumber {
    #[serde(rename = "runId")]
    run_id: u32,
}

#[derive(Deserialize)]
struct Route {
    url: String,
    file: Option<String>,
    status: Option<u16>,
    #[serde(rename = "type")]
    content_type: String,
}

impl Site {
    /// Reads a recorded case.
    ///
    /// # Errors
    /// When the directory does not have the layout of recorded cases.
    pub fn from_folder(path: impl AsRef<Path>) -> Result<Site, FolderError> {
        let root = path.as_ref();
        let manifest: Manifest = json(&root.join("chain.json"))?;
        let mut site = Site { gzip: manifest.gzip, ..Site::default() };
        for file in children(&root.join("queue"))? {
            let (id, task) = task(&file)?;
            site.tasks.insert(id, task);
        }
        for folder in children(&root.join("artifacts"))? {
            let runs = site.tasks.entry(name(&folder)?).or_default();
            for folder in children(&folder)? {
                let number =
                    name(&folder)?.parse().map_err(|_| FolderError::Name { path: folder.clone() })?;
                bodies(&folder, runs.runs.entry(number).or_default())?;
            }
        }
        let http = root.join("http");
        for route in json::<Vec<Route>>(&http.join("routes.json"))? {
            let (url, page) = page(&http, route)?;
            site.pages.insert(url, page);
        }
        site.pages.extend(templates_at_commits(&site.pages));
        Ok(site)
    }
}

#[derive(Deserialize)]
struct Tag {
    name: String,
    commit: Commit,
}

#[derive(Deserialize)]
struct Commit {
    sha: String,
}

/// Recorded cases hold what the reference asks, and that asks for a release's template at its tag. It
/// answers at the commit of the tag as well, by the recorded list of tags.
fn templates_at_commits(pages: &HashMap<String, Page>) -> Vec<(String, Page)> {
    let text = |page: &Page| match &page.body {
        Body::Bytes(bytes) => std::str::from_utf8(bytes).ok().map(str::to_owned),
        _ => None,
    };
    let mut found = Vec::new();
    for (url, page) in pages {
        let Some(repository) = url.strip_suffix("/tags?per_page=100") else { continue };
        let tags = text(page).and_then(|text| serde_json::from_str::<Vec<Tag>>(&text).ok());
        for tag in tags.into_iter().flatten() {
            let at = |reference: &str| format!("{repository}/contents/.taskcluster.yml?ref={reference}");
            let Some(template) = pages.get(&at(&tag.name)) else { continue };
            let Some(body) = text(template) else { continue };
            let body = body.replace(&at(&tag.name), &at(&tag.commit.sha));
            found.push((at(&tag.commit.sha), Page { body: body.into(), ..template.clone() }));
        }
    }
    found.retain(|(url, _)| !pages.contains_key(url));
    found
}

fn task(file: &Path) -> Result<(String, Task), FolderError> {
    let id = file.file_stem().and_then(|stem| stem.to_str());
    let id = id.ok_or_else(|| FolderError::Name { path: file.to_owned() })?.to_owned();
    let queue: Queue = json(file)?;
    let status: Status = serde_json::from_str(queue.status.get())
        .map_err(|cause| FolderError::Json { path: file.to_owned(), cause })?;
    let latest = status.status.runs.last().map_or(0, |run| run.run_id);
    let mut run = Run {
        listing: Some(queue.artifacts.iter().map(|entry| entry.get().to_owned()).collect()),
        ..Run::default()
    };
    for (artifact, to) in queue.redirects {
        let artifact = run.artifacts.entry(artifact).or_default();
        artifact.redirect = Some(to);
    }
    let definition = queue.task_raw.unwrap_or_else(|| queue.task.get().to_owned()).into();
    let others = status.status.runs.iter().map(|run| (run.run_id, Run::default()));
    let mut runs: BTreeMap<u32, Run> = others.collect();
    runs.insert(latest, run);
    Ok((id, Task { definition, status: queue.status.get().to_owned().into(), runs }))
}

fn bodies(folder: &Path, run: &mut Run) -> Result<(), FolderError> {
    for file in children(folder)? {
        let encoded = name(&file)?;
        let decoded = percent_decode_str(&encoded).decode_utf8_lossy().into_owned();
        let content_type =
            if decoded.ends_with(".json") { "application/json" } else { "application/octet-stream" };
        let artifact = run.artifacts.entry(decoded).or_default();
        artifact.body = body(&file)?;
        content_type.clone_into(&mut artifact.content_type);
    }
    Ok(())
}

fn page(http: &Path, route: Route) -> Result<(String, Page), FolderError> {
    let page = match &route.file {
        Some(file) => Page::new(body(&http.join(file))?, route.content_type),
        None => match route.status.unwrap_or(404) {
            404 => Page::missing(&route.url),
            other => Page { content_type: route.content_type, ..Page::status(other) },
        },
    };
    Ok((route.url, page))
}

fn body(path: &Path) -> Result<Body, FolderError> {
    let metadata = fs::metadata(path).map_err(|cause| FolderError::Io { path: path.to_owned(), cause })?;
    if metadata.len() > SMALL {
        return Ok(Body::File(path.to_owned()));
    }
    Ok(read(path)?.into())
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, FolderError> {
    serde_json::from_slice(&read(path)?).map_err(|cause| FolderError::Json { path: path.to_owned(), cause })
}

fn read(path: &Path) -> Result<Vec<u8>, FolderError> {
    fs::read(path).map_err(|cause| FolderError::Io { path: path.to_owned(), cause })
}

/// The entries of a folder, sorted, so that reading twice gives the same site.
fn children(path: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let io = |cause| FolderError::Io { path: path.to_owned(), cause };
    let entries: io::Result<Vec<PathBuf>> =
        fs::read_dir(path).map_err(io)?.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut entries = entries.map_err(io)?;
    entries.sort();
    Ok(entries)
}

fn name(path: &Path) -> Result<String, FolderError> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| FolderError::Name { path: path.to_owned() })
}
