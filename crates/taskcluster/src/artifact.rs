//! Artifacts of a run, as the queue records them.

use crate::call::{Call, CallError, read, segment};
use crate::{Client, ObjectUpload, TaskRun};
use catena_http::Shown;
use catena_model::task::ArtifactName;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::fmt;
use tokio::time::Instant;
use url::Url;

/// The expiry of an artifact, in exactly the text of the task's expiry. The queue refuses an artifact
/// that outlives its task by a millisecond, so the text is not formatted anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry(String);

/// The text is not a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time (such as 2027-11-28T00:00:00.123Z)")]
pub struct ExpiryError(String);

impl Expiry {
    /// Parses a time (RFC 3339).
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, ExpiryError> {
        let is_time = text.len() <= 40 && text.parse::<Timestamp>().is_ok() && !text.contains('[');
        if is_time { Ok(Self(text.to_owned())) } else { Err(ExpiryError(text.chars().take(80).collect())) }
    }

    /// The time as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why there is no artifact where one was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorReason {
    /// No file has its name.
    Missing,
    /// The file with its name cannot be an artifact.
    Invalid,
    /// It exceeds the size limit of artifacts.
    TooLarge,
    /// The worker may not read it.
    NotReadable,
}

impl ErrorReason {
    /// The queue's term for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "file-missing-on-worker",
            Self::Invalid => "invalid-resource-on-worker",
            Self::TooLarge => "too-large-file-on-worker",
            Self::NotReadable => "file-not-readable-on-worker",
        }
    }
}

/// An artifact to record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewArtifact<'a> {
    /// A body that is uploaded to a URL from the queue.
    S3 {
        /// Its type.
        content_type: &'a str,
        /// Its length before encoding.
        content_length: u64,
    },
    /// A body that is uploaded to the object service. Its length is not stated: the queue cannot finish
    /// an object artifact with a known length.
    Object {
        /// Its type.
        content_type: &'a str,
    },
    /// Another name for an artifact of the same run.
    Link {
        /// That artifact.
        artifact: &'a ArtifactName,
        /// Its type.
        content_type: &'a str,
    },
    /// An artifact that could not be created.
    Error {
        /// The reason.
        reason: ErrorReason,
        /// A message for people; it is cut to 4,096 characters.
        message: &'a str,
    },
}

/// Characters of an error artifact's message.
const LONGEST_MESSAGE: usize = 4096;

impl NewArtifact<'_> {
    fn storage_type(&self) -> &'static str {
        match self {
            Self::S3 { .. } => "s3",
            Self::Object { .. } => "object",
            Self::Link { .. } => "link",
            Self::Error { .. } => "error",
        }
    }

    fn request(&self, expires: &Expiry) -> Value {
        let mut body = Map::new();
        body.insert("storageType".into(), self.storage_type().into());
        body.insert("expires".into(), expires.as_str().into());
        match self {
            Self::S3 { content_type, content_length } => {
                body.insert("contentType".into(), (*content_type).into());
                body.insert("contentLength".into(), (*content_length).into());
            }
            Self::Object { content_type } => {
                body.insert("contentType".into(), (*content_type).into());
            }
            Self::Link { artifact, content_type } => {
                body.insert("artifact".into(), artifact.as_str().into());
                body.insert("contentType".into(), (*content_type).into());
            }
            Self::Error { reason, message } => {
                body.insert("reason".into(), reason.as_str().into());
                let message: String = message.chars().take(LONGEST_MESSAGE).collect();
                body.insert("message".into(), message.into());
            }
        }
        Value::Object(body)
    }
}

/// The queue's answer for a new artifact.
#[derive(Clone)]
pub enum CreatedArtifact {
    /// The body must be uploaded here, with the artifact's type. Anyone with the URL can write there.
    Put(Url),
    /// The body must be uploaded to the object service.
    Object(ObjectUpload),
    /// There is no body.
    Recorded,
}

impl fmt::Debug for CreatedArtifact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put(url) => write!(out, "put to {}", Shown(url)),
            Self::Object(upload) => write!(out, "give to the object service: {upload:?}"),
            Self::Recorded => out.write_str("recorded"),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    storage_type: String,
    #[serde(default)]
    put_url: Option<String>,
}

const CREATE: &str = "createArtifact";

impl Client {
    /// Records an artifact. With the same values the call can be repeated, for a URL that is valid for
    /// longer.
    ///
    /// # Errors
    /// As of every call; an answer for another kind of storage, or with a URL that may not be
    /// requested.
    pub async fn create_artifact(
        &self,
        run: TaskRun,
        name: &ArtifactName,
        artifact: &NewArtifact<'_>,
        expires: &Expiry,
        deadline: Instant,
    ) -> Result<CreatedArtifact, CallError> {
        let path = run.path(&format!("artifacts/{}", segment(name.as_str())));
        let answer =
            self.answer(Call::post(CREATE, path, Some(&artifact.request(expires))), deadline).await?;
        let malformed = |what: String| CallError::malformed(CREATE, what);
        let created: Created = read(CREATE, &answer)?;
        if created.storage_type != artifact.storage_type() {
            let actual: String = created.storage_type.chars().take(40).collect();
            return Err(malformed(format!("storageType {actual:?} instead of {}", artifact.storage_type())));
        }
        match artifact {
            NewArtifact::S3 { .. } => match created.put_url.and_then(|url| Url::parse(&url).ok()) {
                Some(url) if self.may_reach(&url) => Ok(CreatedArtifact::Put(url)),
                Some(url) => Err(malformed(format!("putUrl is not https: {}", Shown(&url)))),
                None => Err(malformed("no putUrl, or one that is not a URL".to_owned())),
            },
            NewArtifact::Object { .. } => Ok(CreatedArtifact::Object(read(CREATE, &answer)?)),
            NewArtifact::Link { .. } | NewArtifact::Error { .. } => Ok(CreatedArtifact::Recorded),
        }
    }

    /// Makes an object artifact visible, after its object is complete.
    ///
    /// # Errors
    /// As of every call.
    pub async fn finish_artifact(
        &self,
        run: TaskRun,
        name: &ArtifactName,
        upload: &ObjectUpload,
        deadline: Instant,
    ) -> Result<(), CallError> {
        let path = run.path(&format!("artifacts/{}", segment(name.as_str())));
        let body = json!({"uploadId": upload.upload_id()});
        self.answer(Call::put("finishArtifact", path, &body).unanswered(), deadline).await.map(drop)
    }
}
