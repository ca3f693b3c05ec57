//! One call of a service: signed, with retries of temporary failures, and a limit on its answer.

use crate::{RootUrl, TaskclusterCredentials};
use bytes::Bytes;
use catena_http::headers::{self, Coding};
use catena_http::{
    Backoff, Request, RequestBody, Response, Transport, TransportError, TransportErrorKind, is_loopback,
};
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;
use zeroize::Zeroizing;

/// Characters that need no encoding in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Bytes of an answer. The queue accepts definitions of 1 MiB; a claim of several tasks has several.
const LARGEST_ANSWER: usize = 32 << 20;
/// Bytes of an error that are read for its message.
const LARGEST_ERROR: usize = 64 << 10;
/// Characters of a message that are shown.
const LONGEST_MESSAGE: usize = 300;

/// Options of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// The time limit of one attempt, including its answer. The queue holds a claim for 20 s.
    pub attempt: Duration,
    /// The upper bound of the first wait between attempts; it doubles with each.
    pub backoff: Duration,
    /// The upper bound of any wait between attempts.
    pub backoff_cap: Duration,
    /// The maximum `Retry-After` that is obeyed.
    pub retry_after_cap: Duration,
    /// The seed of the random waits between attempts; clients that start together should have different
    /// ones.
    pub seed: u64,
    /// Whether plain http is allowed to other machines.
    pub danger_allow_http: bool,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(60),
            backoff: Duration::from_millis(500),
            backoff_cap: Duration::from_secs(20),
            retry_after_cap: Duration::from_secs(60),
            seed: 0,
            danger_allow_http: false,
        }
    }
}

/// A client of Taskcluster's services. Each call is repeated until it is answered, refused, or its
/// deadline has passed. Only temporary failures are retried: no answer, a broken one, 408, 421, 425,
/// 429 and 5xx. Dropping the future of a call cancels it.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    root: RootUrl,
    credentials: Option<TaskclusterCredentials>,
    options: Arc<ClientOptions>,
    backoff: Arc<Backoff>,
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let client = self.credentials.as_ref().map_or("anonymous", TaskclusterCredentials::client_id);
        write!(out, "{client} at {}", self.root.as_str())
    }
}

impl Client {
    /// A client without credentials.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, root: RootUrl, options: ClientOptions) -> Self {
        let backoff =
            Backoff::new(options.backoff, options.backoff_cap, options.retry_after_cap, options.seed);
        Self { transport, root, credentials: None, options: Arc::new(options), backoff: Arc::new(backoff) }
    }

    /// The same client with these credentials: the worker's own, or those of a claim.
    #[must_use]
    pub fn with_credentials(&self, credentials: TaskclusterCredentials) -> Self {
        Self { credentials: Some(credentials), ..self.clone() }
    }

    /// The root URL of the deployment.
    #[must_use]
    pub fn root(&self) -> &RootUrl {
        &self.root
    }

    /// The transport of its requests.
    #[must_use]
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    /// Whether a URL from a service may be requested: https, or plain http on this machine.
    #[must_use]
    pub fn may_reach(&self, url: &Url) -> bool {
        match url.scheme() {
            "https" => true,
            "http" => self.options.danger_allow_http || is_loopback(url),
            _ => false,
        }
    }

    /// Calls, and parses the answer's members.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        call: Call,
        deadline: Instant,
    ) -> Result<T, CallError> {
        let name = call.name;
        let answer = self.answer(call, deadline).await?;
        read(name, &answer)
    }

    /// Calls until there is an answer, a refusal, or no time left.
    pub(crate) async fn answer(
        &self,
        call: Call,
        deadline: Instant,
    ) -> Result<Zeroizing<Vec<u8>>, CallError> {
        let error = |kind| CallError { call: call.name, kind };
        let url = self.url(&call).map_err(error)?;
        let mut attempts = 0_u32;
        loop {
            attempts = attempts.saturating_add(1);
            let until =
                Instant::now().checked_add(self.options.attempt).map_or(deadline, |at| at.min(deadline));
            let ended = match timeout_at(until, self.attempt(&call, &url)).await {
                Ok(ended) => ended,
                Err(_) => Err(Failure::again("no answer in time")),
            };
            let (reason, retry_after) = match ended {
                Ok(answer) => return Ok(answer),
                Err(Failure::Lasting(kind)) => return Err(error(kind)),
                Err(Failure::Again { reason, retry_after }) => (reason, retry_after),
            };
            let wait = self.backoff.wait(attempts, retry_after);
            if Instant::now().checked_add(wait).is_none_or(|at| at >= deadline) {
                return Err(error(CallErrorKind::Unanswered { attempts, reason }));
            }
            tracing::info!(call = call.name, attempts, ?wait, %reason, "asking again");
            sleep(wait).await;
        }
    }

    fn url(&self, call: &Call) -> Result<Url, CallErrorKind> {
        let text = format!("{}/api/{}", self.root.as_str(), call.path);
        let url = Url::parse(&text).ok().filter(|url| url.as_str() == text);
        let url =
            url.ok_or_else(|| CallErrorKind::Unsendable(format!("no address has the path {:?}", call.path)))?;
        if self.may_reach(&url) {
            return Ok(url);
        }
        Err(CallErrorKind::Unsendable(format!(
            "plain http is only for this machine, not for {}; use https",
            self.root.as_str()
        )))
    }

    async fn attempt(&self, call: &Call, url: &Url) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut request_headers = HeaderMap::new();
        request_headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let body = match &call.body {
            Some(body) => {
                request_headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                RequestBody::Bytes(body.clone())
            }
            None => RequestBody::Empty,
        };
        if let Some(credentials) = &self.credentials {
            let signed = credentials.authorization(&call.method, url);
            let signed = signed.ok_or_else(|| {
                Failure::lasting_unsendable("the request cannot be signed with these credentials")
            })?;
            request_headers.insert(header::AUTHORIZATION, signed);
        }
        let (method, url) = (call.method.clone(), url.clone());
        let request = Request { method, url, headers: request_headers, body };
        tracing::debug!(call = call.name, ?request, "asking");
        let response = self.transport.send(request).await?;
        tracing::debug!(call = call.name, status = response.status.as_u16(), "answered");
        if response.status.is_success() {
            return self.success(call, response).await;
        }
        Err(refusal(response).await)
    }

    async fn success(&self, call: &Call, response: Response) -> Result<Zeroizing<Vec<u8>>, Failure> {
        if headers::coding(&response.headers) != Ok(Coding::Identity) {
            return Err(Failure::malformed("it has an unrequested coding"));
        }
        let answer = collect(response, LARGEST_ANSWER).await?;
        let Some(answer) = answer else {
            return Err(Failure::malformed(format!("it is larger than {LARGEST_ANSWER} bytes")));
        };
        // A gateway's page, or a truncated answer: not the service's statement.
        if call.answered && serde_json::from_slice::<serde::de::IgnoredAny>(&answer).is_err() {
            return Err(Failure::again("the answer is not JSON, though its status says success"));
        }
        Ok(answer)
    }
}

/// Parses an answer's members.
pub(crate) fn read<'a, T: Deserialize<'a>>(call: &'static str, answer: &'a [u8]) -> Result<T, CallError> {
    // serde's message may quote the answer, which contains credentials.
    serde_json::from_slice(answer).map_err(|error| {
        let what =
            format!("{:?} error at line {}, column {}", error.classify(), error.line(), error.column());
        CallError::malformed(call, what)
    })
}

/// One call.
pub(crate) struct Call {
    /// The service's name for it.
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    /// Below `/api/`.
    pub(crate) path: String,
    pub(crate) body: Option<Bytes>,
    /// Whether its answer is JSON.
    pub(crate) answered: bool,
}

impl Call {
    pub(crate) fn get(name: &'static str, path: String) -> Self {
        Self { name, method: Method::GET, path, body: None, answered: true }
    }

    pub(crate) fn post(name: &'static str, path: String, body: Option<&serde_json::Value>) -> Self {
        let body = body.map(|body| Bytes::from(body.to_string()));
        Self { name, method: Method::POST, path, body, answered: true }
    }

    pub(crate) fn put(name: &'static str, path: String, body: &serde_json::Value) -> Self {
        Self { method: Method::PUT, ..Self::post(name, path, Some(body)) }
    }

    /// A call whose answer has no content.
    pub(crate) fn unanswered(self) -> Self {
        Self { answered: false, ..self }
    }
}

/// Encodes one path segment, including slashes.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{call}: {kind}")]
pub struct CallError {
    /// The service's name for the call.
    pub call: &'static str,
    /// The failure.
    pub kind: CallErrorKind,
}

/// The failure of a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallErrorKind {
    /// The service refused: a status of 4xx, or a redirect, which no call has.
    #[error("refused with status {status} ({code}): {message}")]
    Refused {
        /// The status.
        status: u16,
        /// The service's code, such as `RequestConflict`.
        code: String,
        /// The first line of its message, shortened.
        message: String,
    },
    /// No attempt was answered before the deadline; the last failed for this reason.
    #[error("not answered after {attempts} attempts: {reason}")]
    Unanswered {
        /// Attempts made.
        attempts: u32,
        /// Why the last failed.
        reason: String,
    },
    /// The request cannot be sent: a retry does not help.
    #[error("not sent: {0}")]
    Unsendable(String),
    /// The service succeeded with an answer of an unknown form.
    #[error("malformed answer: {0}")]
    Malformed(String),
}

impl CallError {
    pub(crate) fn malformed(call: &'static str, what: impl Into<String>) -> Self {
        Self { call, kind: CallErrorKind::Malformed(what.into()) }
    }

    /// The status of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.kind {
            CallErrorKind::Refused { status, .. } => Some(status),
            _ => None,
        }
    }

    /// Whether the run no longer belongs to the caller, or the request contradicts an earlier one
    /// (409).
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(409)
    }

    /// Whether the service was unavailable, which may be temporary.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        matches!(self.kind, CallErrorKind::Unanswered { .. })
    }
}

/// How an attempt failed.
enum Failure {
    Again { reason: String, retry_after: Option<Duration> },
    Lasting(CallErrorKind),
}

impl Failure {
    fn again(reason: impl Into<String>) -> Self {
        Self::Again { reason: reason.into(), retry_after: None }
    }

    fn malformed(what: impl Into<String>) -> Self {
        Self::Lasting(CallErrorKind::Malformed(what.into()))
    }

    fn lasting_unsendable(what: &str) -> Self {
        Self::Lasting(CallErrorKind::Unsendable(what.to_owned()))
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        match error.kind {
            TransportErrorKind::Passing => Self::again(error.message),
            TransportErrorKind::Lasting => Self::Lasting(CallErrorKind::Unsendable(error.message)),
        }
    }
}

/// The body, if it is not larger than this.
async fn collect(mut response: Response, limit: usize) -> Result<Option<Zeroizing<Vec<u8>>>, TransportError> {
    let mut answer = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.body.next().await {
        let chunk = chunk?;
        if answer.len().saturating_add(chunk.len()) > limit {
            return Ok(None);
        }
        answer.extend_from_slice(&chunk);
    }
    Ok(Some(answer))
}

/// The meaning of a status other than 2xx.
async fn refusal(response: Response) -> Failure {
    let (status, retry_after) = (response.status.as_u16(), headers::retry_after(&response.headers, now()));
    let body = collect(response, LARGEST_ERROR).await.ok().flatten().unwrap_or_default();
    let (code, message) = words(&body);
    match status {
        408 | 421 | 425 | 429 | 500..=599 => {
            Failure::Again { reason: format!("status {status} ({code}): {message}"), retry_after }
        }
        _ => Failure::Lasting(CallErrorKind::Refused { status, code, message }),
    }
}

/// A service's code and the first line of its message; for anything else a text that says so.
fn words(body: &[u8]) -> (String, String) {
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let text = |key: &str| {
        let text = json.as_ref()?.get(key)?.as_str()?.trim().lines().next().unwrap_or_default();
        Some(text.chars().filter(|c| !c.is_control()).take(LONGEST_MESSAGE).collect())
    };
    let code = text("code").unwrap_or_else(|| "no code".to_owned());
    (code, text("message").unwrap_or_else(|| "no message".to_owned()))
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
