//! Artifacts that workers make: what they may be, and their bodies while they arrive.

use super::task::{LiveTask, Refusal};
use super::{State, set, timestamp};
use crate::body::Body;
use bytes::Bytes;
use jiff::{Span, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::io::{self, Write as _};
use std::sync::Arc;

/// Bodies up to this size stay in memory.
const IN_MEMORY: usize = 1 << 20;
/// The largest object that one request can put to S3.
const LARGEST_PUT: u64 = 5 << 30;

/// Where an artifact's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageKind {
    /// In S3, put to a signed URL.
    S3,
    /// In the object service.
    Object,
    /// Nowhere: another name for an artifact of the same run.
    Link,
    /// Nowhere: it could not be made.
    Error,
    /// Somewhere else.
    Reference,
}

impl StorageKind {
    /// The queue's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            StorageKind::S3 => "s3",
            StorageKind::Object => "object",
            StorageKind::Link => "link",
            StorageKind::Error => "error",
            StorageKind::Reference => "reference",
        }
    }
}

/// An artifact as the queue has it.
#[derive(Clone, Debug)]
pub struct StoredArtifact {
    /// Where its body is.
    pub kind: StorageKind,
    /// Its type.
    pub content_type: String,
    /// Its length before it was encoded, if the worker told it.
    pub content_length: Option<u64>,
    /// When it expires, as the worker wrote it.
    pub expires: String,
    /// What a link leads to, why there is an error, or where a reference leads.
    pub target: Option<String>,
    /// The message of an error.
    pub message: Option<String>,
    /// Whether it can be fetched: of an object, that it was finished.
    pub present: bool,
    /// What was put, once it was.
    pub body: Option<Body>,
    /// The `Content-Encoding` that it was put with.
    pub encoding: Option<String>,
    /// How often a whole body was put.
    pub puts: u64,
    upload_id: Option<String>,
    /// Keeps the file of a large body.
    file: Option<Arc<tempfile::TempPath>>,
}

impl StoredArtifact {
    /// What was put, in memory; `None` before it was.
    ///
    /// # Errors
    /// When the file of a large body cannot be read.
    pub fn bytes(&self) -> io::Result<Option<Vec<u8>>> {
        let Some(body) = &self.body else { return Ok(None) };
        let mut bytes = Vec::new();
        body.for_each(|chunk| {
            bytes.extend_from_slice(chunk);
            Ok(())
        })?;
        Ok(Some(bytes))
    }

    pub(super) fn to_json(&self) -> Value {
        let hash = self.body.as_ref().and_then(|body| body.sha256().ok()).map(hex::encode);
        json!({
            "storageType": self.kind.as_str(), "contentType": self.content_type, "expires": self.expires,
            "contentLength": self.content_length, "contentEncoding": self.encoding, "target": self.target,
            "present": self.present, "puts": self.puts, "sha256": hash,
            "length": self.body.as_ref().and_then(|body| body.len().ok()),
        })
    }

    /// Its entry in a listing.
    pub(crate) fn entry(&self, name: &str) -> Value {
        let mut entry = json!({
            "storageType": self.kind.as_str(), "name": name, "expires": self.expires,
            "contentType": self.content_type,
        });
        if let Some(length) = self.content_length {
            set(&mut entry, "contentLength", length.into());
        }
        entry
    }

    /// Whether a request for an artifact of this name again asks for the same.
    fn is_as(&self, other: &StoredArtifact) -> bool {
        self.kind == other.kind
            && self.content_type == other.content_type
            && (self.kind == StorageKind::Reference || self.target == other.target)
            && self.message == other.message
    }
}

/// The body of `createArtifact`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewArtifact {
    storage_type: String,
    expires: String,
    content_type: Option<String>,
    content_length: Option<u64>,
    artifact: Option<String>,
    url: Option<String>,
    reason: Option<String>,
    message: Option<String>,
}

impl NewArtifact {
    /// Reads a request as the queue's schema does.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let value: Value = serde_json::from_slice(body).map_err(|error| Refusal::input(error.to_string()))?;
        let wrong = |what: String| Refusal::new(400, "InputValidationError", what);
        let parsed: NewArtifact = serde_json::from_value(value).map_err(|error| wrong(error.to_string()))?;
        parsed.expires.parse::<Timestamp>().map_err(|error| wrong(error.to_string()))?;
        Ok(parsed)
    }

    fn stored(&self) -> Result<StoredArtifact, Refusal> {
        let missing = |what: &str| Refusal::new(400, "InputValidationError", format!("{what} is required"));
        let content_type = || self.content_type.clone().ok_or_else(|| missing("contentType"));
        let (kind, content_type, target) = match self.storage_type.as_str() {
            "s3" => (StorageKind::S3, content_type()?, None),
            "object" => (StorageKind::Object, content_type()?, None),
            "link" => (
                StorageKind::Link,
                content_type()?,
                Some(self.artifact.clone().ok_or_else(|| missing("artifact"))?),
            ),
            "reference" => (
                StorageKind::Reference,
                content_type()?,
                Some(self.url.clone().ok_or_else(|| missing("url"))?),
            ),
            "error" => {
                let reason = self.reason.clone().filter(|reason| REASONS.contains(&reason.as_str()));
                self.message
                    .as_ref()
                    .filter(|text| text.chars().count() <= 4096)
                    .ok_or_else(|| missing("message"))?;
                (
                    StorageKind::Error,
                    "application/json".to_owned(),
                    Some(reason.ok_or_else(|| missing("reason"))?),
                )
            }
            _ => return Err(missing("storageType")),
        };
        Ok(StoredArtifact {
            present: kind != StorageKind::Object,
            kind,
            content_type,
            content_length: self.content_length,
            expires: self.expires.clone(),
            target,
            message: self.message.clone(),
            body: None,
            encoding: None,
            puts: 0,
            upload_id: None,
            file: None,
        })
    }
}

const REASONS: [&str; 4] = [
    "file-missing-on-worker",
    "invalid-resource-on-worker",
    "too-large-file-on-worker",
    "file-not-readable-on-worker",
];

/// A place that accepts a body from clients that know its secret.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) task: String,
    pub(crate) run: usize,
    pub(crate) name: String,
    pub(crate) until: Timestamp,
    /// Headers that must be sent.
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl State {
    /// `createArtifact`: the answer, whose URLs begin with `base`.
    pub(crate) fn create_artifact(
        &mut self,
        id: &str,
        run: usize,
        name: &str,
        new: &NewArtifact,
        base: &str,
    ) -> Result<Value, Refusal> {
        if name.is_empty() || name.len() > 1024 || !name.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(Refusal::input("Artifact names are printable ASCII"));
        }
        let now = Timestamp::now();
        let (upload_id, secret) = (self.upload_id(), self.secret());
        let task = self.tasks.get_mut(id).ok_or_else(Refusal::no_task)?;
        let mut stored = new.stored()?;
        within_life(task, new)?;
        let run_of = task.runs.get_mut(run).ok_or_else(|| Refusal::input("Run not found"))?;
        if !run_of.takes_artifacts(now) {
            return Err(Refusal::conflict("Artifacts cannot be created for a task after it is resolved"));
        }
        if let Some(known) = run_of.artifacts.get(name) {
            if !known.is_as(&stored) {
                return Err(Refusal::conflict(
                    "Artifact already exists, with different type or later expiration",
                ));
            }
            stored = StoredArtifact { expires: stored.expires, target: stored.target, ..known.clone() };
        }
        if stored.kind == StorageKind::Object && stored.upload_id.is_none() {
            stored.upload_id = Some(upload_id);
        }
        run_of.artifacts.insert(name.to_owned(), stored.clone());
        let place = Slot {
            task: id.to_owned(),
            run,
            name: name.to_owned(),
            until: in_45_minutes(now),
            headers: vec![],
        };
        Ok(self.created(&stored, place, &secret, base))
    }

    fn created(&mut self, stored: &StoredArtifact, place: Slot, secret: &str, base: &str) -> Value {
        let expires = timestamp(place.until);
        match stored.kind {
            StorageKind::S3 => {
                let path = store_path(&place.task, place.run, &place.name);
                let headers = vec![("content-type", stored.content_type.clone())];
                self.slots.insert(secret.to_owned(), Slot { headers, ..place });
                json!({
                    "storageType": "s3", "contentType": stored.content_type, "expires": expires,
                    "putUrl": format!("{base}{path}?X-Amz-Signature={secret}"),
                })
            }
            StorageKind::Object => {
                let object = format!("t/{}/{}/{}", place.task, place.run, place.name);
                let client = format!("task-client/{}/{}/object", place.task, place.run);
                let scopes = vec![format!("object:upload:taskcluster:{object}")];
                let credentials = self.clients.issue(&client, secret, scopes, place.until);
                json!({
                    "storageType": "object", "name": object, "projectId": "taskcluster", "expires": expires,
                    "uploadId": stored.upload_id, "credentials": credentials,
                })
            }
            kind => json!({"storageType": kind.as_str()}),
        }
    }

    /// `finishArtifact`. As the real queue does at present, it breaks on an object artifact whose length it was
    /// told.
    pub(crate) fn finish_artifact(
        &mut self,
        id: &str,
        run: usize,
        name: &str,
        upload_id: &str,
    ) -> Result<(), Refusal> {
        let task = self.tasks.get_mut(id).ok_or_else(Refusal::no_task)?;
        let run = task.runs.get_mut(run).ok_or_else(|| Refusal::input("Run not found"))?;
        let artifact = run.artifacts.get_mut(name);
        let artifact = artifact.ok_or_else(|| Refusal::new(404, "ResourceNotFound", "Artifact not found"))?;
        if artifact.kind != StorageKind::Object || artifact.upload_id.as_deref() != Some(upload_id) {
            return Err(Refusal::input("uploadId does not match"));
        }
        artifact.present = true;
        if artifact.content_length.is_some() {
            return Err(Refusal::new(500, "InternalServerError", "Internal Server Error"));
        }
        Ok(())
    }

    /// The artifact that an upload to the object service is of.
    pub(crate) fn uploading(
        &mut self,
        object: &str,
        upload_id: &str,
    ) -> Result<&mut StoredArtifact, Refusal> {
        let mut parts = object.splitn(4, '/').skip(1);
        let (task, run, name) = (parts.next(), parts.next(), parts.next());
        let run_of = task.zip(run.and_then(|run| run.parse::<usize>().ok()));
        let artifact = run_of.and_then(|(task, run)| self.tasks.get_mut(task)?.runs.get_mut(run));
        let artifact = artifact.zip(name).and_then(|(run, name)| run.artifacts.get_mut(name));
        let artifact = artifact.ok_or_else(|| Refusal::new(404, "ResourceNotFound", "Object not found"))?;
        if artifact.upload_id.as_deref() == Some(upload_id) {
            return Ok(artifact);
        }
        Err(Refusal::conflict("Object already exists with a different uploadId"))
    }

    /// Takes a whole body that was put to a slot.
    pub(crate) fn put(&mut self, slot: &Slot, received: Received, encoding: Option<String>) {
        let run = self.tasks.get_mut(&slot.task).and_then(|task| task.runs.get_mut(slot.run));
        let Some(artifact) = run.and_then(|run| run.artifacts.get_mut(&slot.name)) else { return };
        artifact.puts += 1;
        (artifact.body, artifact.file, artifact.encoding) = (Some(received.body), received.file, encoding);
    }

    /// A slug id.
    fn upload_id(&mut self) -> String {
        let secret = self.secret();
        let part = |skip: usize, take: usize| secret.chars().skip(skip).take(take).collect::<String>();
        format!("{}Q{}C{}A", part(0, 8), part(8, 1), part(9, 10))
    }
}

/// An artifact may not outlive its task, not by a millisecond.
fn within_life(task: &LiveTask, new: &NewArtifact) -> Result<(), Refusal> {
    let expires = task.definition.get("expires").and_then(Value::as_str);
    let time = |text: &str| text.parse::<Timestamp>().ok();
    match expires.and_then(time) {
        Some(end) if time(&new.expires) > Some(end) => {
            Err(Refusal::input("Artifact expires after the task expiration"))
        }
        _ => Ok(()),
    }
}

fn in_45_minutes(now: Timestamp) -> Timestamp {
    now.checked_add(Span::new().minutes(45)).unwrap_or(now)
}

/// Where the store has the body of an artifact.
pub(crate) fn store_path(task: &str, run: usize, name: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');
    format!("/_store/{task}/{run}/{}", utf8_percent_encode(name, KEPT))
}

/// A whole body.
pub(crate) struct Received {
    pub(crate) body: Body,
    pub(crate) file: Option<Arc<tempfile::TempPath>>,
    pub(crate) sha256: [u8; 32],
}

/// A body while it arrives: small ones in memory, large ones in a file.
#[derive(Default)]
pub(crate) struct Intake {
    bytes: Vec<u8>,
    file: Option<tempfile::NamedTempFile>,
    length: u64,
    hash: Sha256,
}

impl Intake {
    pub(crate) fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.length += chunk.len() as u64;
        if self.length > LARGEST_PUT {
            return Err(io::Error::other("EntityTooLarge"));
        }
        self.hash.update(chunk);
        if self.file.is_none() && self.bytes.len() + chunk.len() > IN_MEMORY {
            let mut file = tempfile::NamedTempFile::new()?;
            file.write_all(&std::mem::take(&mut self.bytes))?;
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(chunk),
            None => {
                self.bytes.extend_from_slice(chunk);
                Ok(())
            }
        }
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// What is in memory: all of a body that is small.
    pub(crate) fn in_memory(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn end(self) -> Received {
        let sha256 = self.hash.finalize().into();
        match self.file {
            Some(file) => {
                let path = file.into_temp_path();
                let body = Body::File(path.to_path_buf());
                Received { body, file: Some(Arc::new(path)), sha256 }
            }
            None => Received { body: Body::Bytes(Bytes::from(self.bytes)), file: None, sha256 },
        }
    }
}
