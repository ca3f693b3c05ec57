//! The site: everything the services answer, as data.

mod folder;

pub use folder::FolderError;

use crate::body::Body;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::sync::OnceLock;

/// What the queue, the store, hg and GitHub answer.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Tasks by id.
    pub tasks: BTreeMap<String, Task>,
    /// Pages of other hosts, by absolute URL without fragment (`https://hg.mozilla.org/…`).
    pub pages: HashMap<String, Page>,
    /// Whether the store sends text and JSON bodies held in memory with `Content-Encoding: gzip`.
    pub gzip: bool,
    /// What `githubRepoToken` gives to a caller with credentials; `None` refuses.
    pub github_token: Option<String>,
}

/// One task as the queue knows it.
#[derive(Clone, Debug, Default)]
pub struct Task {
    /// The definition, JSON text sent untouched.
    pub definition: Bytes,
    /// The answer of `/status`, JSON text sent untouched.
    pub status: Bytes,
    /// Runs by number; the highest is the latest.
    pub runs: BTreeMap<u32, Run>,
}

/// One run's artifacts.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Entries of the listing in order, each JSON text; `None` derives them from `artifacts`.
    pub listing: Option<Vec<String>>,
    /// Artifacts by name.
    pub artifacts: BTreeMap<String, Artifact>,
}

/// One artifact.
#[derive(Clone, Debug, Default)]
pub struct Artifact {
    /// What the store sends.
    pub body: Body,
    /// `contentType`, as the listing and the store give it.
    pub content_type: String,
    /// Where the queue sends readers instead of this artifact's own place in the store: the path of
    /// another object, `<taskId>/<runId>/<name>`, name percent-encoded.
    pub redirect: Option<String>,
    zipped: OnceLock<Bytes>,
}

/// One page of hg, GitHub or any other host.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: String,
    /// What is sent.
    pub body: Body,
}

impl Artifact {
    /// An artifact with this body.
    pub fn new(body: impl Into<Body>, content_type: impl Into<String>) -> Self {
        Artifact { body: body.into(), content_type: content_type.into(), ..Artifact::default() }
    }

    /// The entry in its run's listing.
    pub(crate) fn entry(&self, name: &str) -> Value {
        json!({
            "storageType": "s3",
            "name": name,
            "expires": "2027-08-12T09:50:12.345Z",
            "contentType": self.content_type,
        })
    }

    /// The gzipped body, made once; `None` for bodies that are not in memory.
    pub(crate) fn gzipped(&self) -> Option<Bytes> {
        let Body::Bytes(bytes) = &self.body else { return None };
        Some(self.zipped.get_or_init(|| gzip(bytes)).clone())
    }
}

impl Page {
    /// A page that exists.
    pub fn new(body: impl Into<Body>, content_type: impl Into<String>) -> Self {
        Page { status: 200, content_type: content_type.into(), body: body.into() }
    }

    /// The answer of a host for what it does not have.
    pub fn missing(url: &str) -> Self {
        const HTML: &str = "text/html; charset=utf-8";
        let host = url.split_once("://").and_then(|(_, rest)| rest.split('/').next()).unwrap_or_default();
        let (content_type, body) = match host {
            "api.github.com" => (
                "application/json; charset=utf-8",
                r#"{"message":"Not Found","documentation_url":"https://docs.github.com/rest","status":"404"}"#,
            ),
            "raw.githubusercontent.com" => ("text/plain; charset=utf-8", "404: Not Found"),
            "github.com" => (HTML, "<!DOCTYPE html><html><head><title>Page not found</title></head></html>"),
            "hg.mozilla.org" if url.contains("/json-pushes") => ("application/json", "\"unknown revision\""),
            "hg.mozilla.org" => (
                HTML,
                "<!DOCTYPE html><html><head><title>hg: error</title></head><body><p>An error occurred while \
                 processing your request:</p><p>not found in manifest</p></body></html>",
            ),
            _ => ("text/plain", "no such page\n"),
        };
        Page { status: 404, content_type: content_type.into(), body: body.into() }
    }

    /// A page that answers with this status and a line of text that no service sends.
    pub fn status(status: u16) -> Self {
        Page { status, content_type: "text/plain".into(), body: "not found\n".into() }
    }
}

impl Run {
    /// The entries of the listing, each JSON text.
    pub fn entries(&self) -> Cow<'_, [String]> {
        let derived =
            || self.artifacts.iter().map(|(name, artifact)| artifact.entry(name).to_string()).collect();
        self.listing.as_deref().map_or_else(|| Cow::Owned(derived()), Cow::Borrowed)
    }
}

impl Task {
    /// The latest run's number, if any run exists.
    pub fn latest(&self) -> Option<u32> {
        self.runs.last_key_value().map(|(run, _)| *run)
    }
}

impl Site {
    /// An empty site.
    pub fn new() -> Self {
        Site::default()
    }

    /// The object at a place in the store, `<taskId>/<runId>/<name>` with the name percent-encoded, and
    /// its name.
    pub fn object(&self, place: &str) -> Option<(String, &Artifact)> {
        let mut parts = place.splitn(3, '/');
        let (task, run, name) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
        let name = percent_decode_str(name).decode_utf8_lossy().into_owned();
        let artifact = self.tasks.get(task)?.runs.get(&run)?.artifacts.get(&name)?;
        Some((name, artifact))
    }

    /// Lays another site over this one; on a clash the other wins.
    pub fn merge(&mut self, other: Site) {
        self.tasks.extend(other.tasks);
        self.pages.extend(other.pages);
        self.gzip |= other.gzip;
        self.github_token = other.github_token.or(self.github_token.take());
    }
}

/// Writing to memory cannot fail; were it to, the body would be sent empty and the reader would notice.
fn gzip(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(bytes);
    written.and_then(|()| encoder.finish()).map(Bytes::from).unwrap_or_default()
}
