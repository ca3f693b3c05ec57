//! Uploads of a snapshot's artifacts, several at a time, each tried again from its first byte.

use crate::error::{UploadError, UploadErrorKind};
use crate::sending::{Progress, body};
use crate::snapshot::{Artifact, Refused, Snapshot, Storage};
use bytes::Bytes;
use catena_http::{Backoff, Request, RequestBody, Response, TransportError, TransportErrorKind};
use catena_taskcluster::{
    CallError, Client, CreatedArtifact, Expiry, LARGEST_INLINE, NewArtifact, ObjectData, ObjectHashes,
    ObjectUpload, TaskRun, UploadMethod,
};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::os::unix::fs::FileExt as _;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use url::Url;

/// How uploads are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadOptions {
    /// Artifacts that are sent at the same time.
    pub concurrency: usize,
    /// How often the body of an artifact is sent before it counts as failed.
    pub attempts: u32,
    /// How long nothing at all may be taken of a body, and how long the store may take to answer after its end,
    /// while the system still sends the last of it. There is no limit for a body that moves.
    pub stall: Duration,
    /// How long a request to the queue or the object service is retried.
    pub time_limit: Duration,
    /// The upper bound of the first wait between attempts; it doubles with each.
    pub backoff: Duration,
    /// The upper bound of any wait between attempts.
    pub backoff_cap: Duration,
    /// What the waits between attempts are drawn from.
    pub seed: u64,
}

impl Default for UploadOptions {
    fn default() -> Self {
        Self {
            concurrency: 8,
            attempts: 5,
            stall: Duration::from_secs(120),
            time_limit: Duration::from_secs(600),
            backoff: Duration::from_secs(10),
            backoff_cap: Duration::from_secs(120),
            seed: 0,
        }
    }
}

/// Uploads the artifacts of one run.
pub struct Uploader<'a> {
    run: TaskRun,
    expires: &'a Expiry,
    /// The client with the newest credentials: they change whenever the run is reclaimed.
    client: &'a (dyn Fn() -> Client + Sync),
    options: &'a UploadOptions,
    backoff: Backoff,
}

/// Bytes of a store's answer that are read for its code.
const LARGEST_ANSWER: usize = 4 << 10;

impl<'a> Uploader<'a> {
    /// An uploader for a run. `client` is asked for each call anew, so that it has the credentials of the last
    /// reclaim.
    #[must_use]
    pub fn new(
        run: TaskRun,
        expires: &'a Expiry,
        client: &'a (dyn Fn() -> Client + Sync),
        options: &'a UploadOptions,
    ) -> Self {
        let backoff = Backoff::new(options.backoff, options.backoff_cap, Duration::ZERO, options.seed);
        Self { run, expires, client, options, backoff }
    }

    /// Uploads everything, and makes an error artifact of all that was refused. Whatever fails, the others are
    /// uploaded; dropping the future ends all uploads.
    pub async fn upload(&self, snapshot: &Snapshot) -> Vec<UploadError> {
        let bodies = snapshot.artifacts().iter().map(Job::Artifact);
        let mut waiting = bodies.chain(snapshot.refused().iter().map(Job::Refused));
        let (mut running, mut errors) = (FuturesUnordered::new(), Vec::new());
        loop {
            while running.len() < self.options.concurrency.max(1)
                && let Some(job) = waiting.next()
            {
                running.push(self.job(snapshot, job));
            }
            match running.next().await {
                Some(Ok(())) => {}
                Some(Err(error)) => errors.push(error),
                None => return errors,
            }
        }
    }

    async fn job(&self, snapshot: &Snapshot, job: Job<'_>) -> Result<(), UploadError> {
        let (artifact, ended) = match job {
            Job::Artifact(artifact) => (artifact.name.as_str(), self.artifact(snapshot, artifact).await),
            Job::Refused(refused) => (refused.path.as_str(), self.refused(refused).await),
        };
        ended.map_err(|kind| UploadError { artifact: artifact.to_owned(), kind })
    }

    fn deadline(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.options.time_limit).unwrap_or(now)
    }

    /// Says of what cannot be uploaded why it cannot.
    async fn refused(&self, refused: &Refused) -> Result<(), UploadErrorKind> {
        let refusal = || UploadErrorKind::Refused(refused.reason.clone());
        let Some(name) = &refused.name else { return Err(refusal()) };
        let message = refused.reason.to_string();
        let artifact = NewArtifact::Error { reason: refused.reason.as_error(), message: &message };
        let client = (self.client)();
        match client.create_artifact(self.run, name, &artifact, self.expires, self.deadline()).await {
            Ok(_) => Err(refusal()),
            Err(error) => Err(UploadErrorKind::Queue(error)),
        }
    }

    /// Uploads one artifact, each time from its first byte.
    async fn artifact(&self, snapshot: &Snapshot, artifact: &Artifact) -> Result<(), UploadErrorKind> {
        let mut attempts = 0_u32;
        loop {
            attempts = attempts.saturating_add(1);
            let (kind, is_passing) = match self.attempt(snapshot, artifact).await {
                Ok(()) => {
                    tracing::info!(artifact = artifact.name.as_str(), attempts, "uploaded");
                    return Ok(());
                }
                Err(Failed::Queue(error)) => return Err(UploadErrorKind::Queue(error)),
                Err(Failed::Mismatch(why)) => return Err(UploadErrorKind::Mismatch(why)),
                Err(Failed::Status(status, code)) => {
                    (UploadErrorKind::Status { status, code, attempts }, true)
                }
                Err(Failed::Lost { reason, is_passing }) => {
                    (UploadErrorKind::Lost { reason, attempts }, is_passing)
                }
            };
            if !is_passing || attempts >= self.options.attempts {
                return Err(kind);
            }
            let wait = self.backoff.wait(attempts, None);
            tracing::info!(artifact = artifact.name.as_str(), attempts, ?wait, reason = %kind, "uploading again");
            sleep(wait).await;
        }
    }

    async fn attempt(&self, snapshot: &Snapshot, artifact: &Artifact) -> Result<(), Failed> {
        let content_type = artifact.content_type;
        let new = match artifact.storage {
            Storage::S3 => NewArtifact::S3 { content_type, content_length: artifact.size },
            Storage::Object => NewArtifact::Object { content_type },
        };
        let client = (self.client)();
        let created =
            client.create_artifact(self.run, &artifact.name, &new, self.expires, self.deadline()).await?;
        match created {
            CreatedArtifact::Put(url) => {
                let mut headers = HeaderMap::new();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
                if artifact.is_compressed {
                    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                }
                self.put(&client, url, headers, snapshot, artifact).await
            }
            CreatedArtifact::Object(upload) => self.object(&client, &upload, snapshot, artifact).await,
            CreatedArtifact::Recorded => Ok(()),
        }
    }

    /// Gives an artifact to the object service, and then tells the queue that it is there.
    async fn object(
        &self,
        client: &Client,
        upload: &ObjectUpload,
        snapshot: &Snapshot,
        artifact: &Artifact,
    ) -> Result<(), Failed> {
        let inline = self.inline(snapshot, artifact)?;
        let data = ObjectData {
            content_type: artifact.content_type,
            length: artifact.place.length,
            inline: inline.as_deref(),
        };
        match client.create_upload(upload, &data, self.expires, self.deadline()).await? {
            UploadMethod::Inline => {}
            UploadMethod::Put { url, headers } => self.put(client, url, headers, snapshot, artifact).await?,
        }
        let sha512 = artifact.sha512.unwrap_or([0; 64]);
        let hashes = ObjectHashes { sha256: artifact.sha256, sha512 };
        client.finish_upload(upload, &hashes, self.deadline()).await?;
        let client = (self.client)();
        Ok(client.finish_artifact(self.run, &artifact.name, upload, self.deadline()).await?)
    }

    /// All bytes of an artifact that is small, compared with its digest.
    fn inline(&self, snapshot: &Snapshot, artifact: &Artifact) -> Result<Option<Vec<u8>>, Failed> {
        use sha2::Digest as _;
        let length = usize::try_from(artifact.place.length).ok().filter(|length| *length <= LARGEST_INLINE);
        let Some(length) = length else { return Ok(None) };
        let mut bytes = vec![0; length];
        let read = snapshot.file().read_exact_at(&mut bytes, artifact.place.offset);
        read.map_err(|error| Failed::Mismatch(format!("the copy of the artifact cannot be read: {error}")))?;
        if sha2::Sha256::digest(&bytes)[..] != artifact.sha256 {
            return Err(Failed::Mismatch("its bytes are not those that were measured".to_owned()));
        }
        Ok(Some(bytes))
    }

    /// Sends the body. It is good when the store says so.
    async fn put(
        &self,
        client: &Client,
        url: Url,
        headers: HeaderMap,
        snapshot: &Snapshot,
        artifact: &Artifact,
    ) -> Result<(), Failed> {
        let progress = Progress::new();
        let body = if artifact.place.length == 0 {
            RequestBody::Bytes(Bytes::new())
        } else {
            body(snapshot.file(), artifact, &progress)
        };
        let request = Request { method: Method::PUT, url, headers, body };
        let answered = self.answered(client, request, &progress).await;
        if let Some(why) = progress.mismatch() {
            return Err(Failed::Mismatch(why));
        }
        let response = answered?;
        if matches!(response.status, StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT) {
            return Ok(());
        }
        let status = response.status.as_u16();
        Err(Failed::Status(status, code(response, self.options.stall).await))
    }

    /// Waits for the head of the answer as long as the body moves.
    async fn answered(
        &self,
        client: &Client,
        request: Request,
        progress: &Progress,
    ) -> Result<Response, Failed> {
        let mut sending = client.transport().send(request);
        loop {
            let moved = progress.moved();
            let limit = moved.checked_add(self.options.stall).unwrap_or(moved);
            tokio::select! {
                answered = &mut sending => return Ok(answered?),
                () = sleep_until(limit) => {}
            }
            if progress.moved() == moved {
                let seconds = self.options.stall.as_secs();
                return Err(Failed::lost(format!("the store took nothing and said nothing for {seconds} s")));
            }
        }
    }
}

enum Job<'a> {
    Artifact(&'a Artifact),
    Refused(&'a Refused),
}

/// How an attempt failed.
enum Failed {
    Queue(CallError),
    Mismatch(String),
    Status(u16, String),
    Lost { reason: String, is_passing: bool },
}

impl Failed {
    fn lost(reason: String) -> Self {
        Self::Lost { reason, is_passing: true }
    }
}

impl From<CallError> for Failed {
    fn from(error: CallError) -> Self {
        Self::Queue(error)
    }
}

impl From<TransportError> for Failed {
    fn from(error: TransportError) -> Self {
        Self::Lost { reason: error.message, is_passing: error.kind == TransportErrorKind::Passing }
    }
}

/// The code of a store's error, which is XML: nothing else of it is for people.
async fn code(mut response: Response, limit: Duration) -> String {
    let read = async {
        let mut text = Vec::new();
        while let Some(Ok(chunk)) = response.body.next().await {
            text.extend_from_slice(&chunk);
            if text.len() > LARGEST_ANSWER {
                break;
            }
        }
        text
    };
    let text = timeout(limit, read).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    let code: String =
        code.map_or("", |(code, _)| code).chars().filter(char::is_ascii_alphanumeric).take(60).collect();
    if code.is_empty() { "no code".to_owned() } else { code }
}
