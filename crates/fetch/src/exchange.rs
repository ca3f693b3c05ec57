//! One attempt: a request, its redirects, and the body at the end.

use crate::absence::{Responder, title};
use crate::address::GITHUB_API_HOST;
use crate::body::{BodyDecoder, BodyError, Bounds, Keep, ReceivedBody};
use crate::options::Options;
use crate::pacing::{Closed, Pace};
use crate::sink::BodySink;
use crate::statistics::Counters;
use bytes::Bytes;
use catena_http::Secret;
use catena_http::headers::{self, Coding};
use catena_http::{Request, RequestBody, Response, Shown, Transport, TransportError, TransportErrorKind};
use catena_http::{bearer, is_loopback, same_origin};
use catena_taskcluster::TaskclusterCredentials;
use catena_verify::verification::Fact;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, timeout};
use url::Url;

/// The user agent.
#[derive(Clone, Debug)]
pub(crate) enum Authorization {
    /// No credentials.
    None,
    /// Signed, for this one request and never for the target of a redirect.
    Taskcluster(TaskclusterCredentials),
    /// A token, for `https://api.github.com` only.
    Github(Secret),
}

/// A request for one resource.
#[derive(Clone, Debug)]
pub(crate) struct RequestSpec {
    pub(crate) url: Url,
    /// The body of a POST; without one it is a GET.
    pub(crate) content: Option<Bytes>,
    pub(crate) authorization: Authorization,
    /// The service whose form of absence is accepted.
    pub(crate) responder: Responder,
    /// An artifact: the queue redirects to a store, and answers 424 for one that the task failed to
    /// make.
    pub(crate) artifact: bool,
    /// An answer of another form comes from a broken service.
    pub(crate) form: Form,
    /// GitHub answers 422 for a commit that no repository of it has.
    pub(crate) commit: bool,
    /// Past caches: the queue redirects to storage itself, and no cache on the way answers.
    pub(crate) past_caches: bool,
    /// Under which name the rate limit is counted, where there is one.
    pub(crate) limited_as: Option<String>,
}

impl RequestSpec {
    /// The service that an answer from an address comes from: after a redirect of the queue, the store.
    fn responder_at(&self, url: &Url) -> Responder {
        if self.artifact && *url != self.url { Responder::Store } else { self.responder }
    }

    /// Whether an error states, in its service's form, that the resource does not exist.
    fn lacks(&self, status: u16, url: &Url, body: &[u8]) -> bool {
        let means_it = match status {
            422 => self.commit,
            424 => self.artifact,
            _ => true,
        };
        means_it && self.responder_at(url).lacks(status, body)
    }
}

/// The form of an answer, as far as it can be checked before verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A JSON object or array.
    Json,
    /// Text that is not a complete HTML page.
    Text,
    /// Anything: a digest or a signature is verified later.
    Bytes,
}

impl Form {
    /// Why a body is not of this form.
    fn differs(self, body: &[u8]) -> Option<&'static str> {
        match self {
            Self::Json if !looks_like_json(body) => Some("the answer is not JSON, though its status is 200"),
            Self::Text if looks_like_page(body) => {
                Some("the answer is a page of HTML, though its status is 200")
            }
            _ => None,
        }
    }
}

/// Why an attempt gave no body.
#[derive(Debug)]
pub(crate) enum NoBody {
    /// The service states that the resource is absent, or refuses it.
    Fact(Box<Fact>),
    /// Temporary.
    Again { reason: String, retry_after: Option<Duration> },
    /// Permanent.
    Lasting { reason: String },
    /// A rate limit. Its end is recorded where every request looks first.
    Limited,
}

impl NoBody {
    fn again(reason: impl Into<String>) -> Self {
        Self::Again { reason: reason.into(), retry_after: None }
    }

    fn lasting(reason: impl Into<String>) -> Self {
        Self::Lasting { reason: reason.into() }
    }
}

impl From<TransportError> for NoBody {
    fn from(error: TransportError) -> Self {
        match error.kind {
            TransportErrorKind::Passing => Self::again(error.message),
            TransportErrorKind::Lasting => Self::lasting(error.message),
        }
    }
}

impl From<BodyError> for NoBody {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Coding => Self::again(error.to_string()),
            BodyError::TooLarge { .. }
            | BodyError::Expands { .. }
            | BodyError::Full { .. }
            | BodyError::Disk(_) => Self::lasting(error.to_string()),
        }
    }
}

/// Bytes of an error's body that are read for its form and message. GitHub's pages are the largest.
const LARGEST_MESSAGE: u64 = 512 << 10;
/// Bytes of a redirect's body that are read so that the connection can be reused.
const LARGEST_REDIRECT: usize = 16 << 10;
/// The time limit for that.
const DRAINING: Duration = Duration::from_millis(100);
/// Bytes between two progress reports of a body.
const REPORT: u64 = 1 << 20;

/// The shared parts of all attempts.
pub(crate) struct Exchange<'a> {
    pub(crate) transport: &'a dyn Transport,
    pub(crate) options: &'a Options,
    pub(crate) counters: &'a Counters,
    pub(crate) closed: &'a Closed,
    /// Receives the decoded bytes so far, and the announced length.
    pub(crate) growing: &'a (dyn Fn(u64, Option<u64>) + Sync),
}

impl Exchange<'_> {
    /// Makes one attempt. `intake` is called once, when there is a body to receive.
    pub(crate) async fn attempt(
        &self,
        ask: &RequestSpec,
        intake: impl FnOnce(Coding) -> Result<(BodySink, u64), BodyError>,
    ) -> Result<Box<ReceivedBody>, NoBody> {
        let (response, url) = self.follow(ask).await?;
        if response.status == StatusCode::OK {
            return self.take(ask, response, intake).await.map(Box::new);
        }
        Err(self.decline(ask, response, &url).await)
    }

    /// Sends the request and follows redirects, to the first answer that is not a redirect; returns the
    /// answer and its address.
    async fn follow(&self, ask: &RequestSpec) -> Result<(Response, Url), NoBody> {
        let mut seen = vec![ask.url.clone()];
        let mut url = ask.url.clone();
        loop {
            self.permit(&url)?;
            let response = self.send(ask, &url, seen.len() == 1).await?;
            if !is_redirect(response.status) {
                return Ok((response, url));
            }
            let response = drained(response).await;
            let next = headers::location(&url, &response.headers)
                .map_err(|error| NoBody::lasting(error.to_string()))?;
            if !ask.artifact && !same_origin(&url, &next) {
                return Err(NoBody::lasting(format!("a redirect to another host, {}", Shown(&next))));
            }
            if seen.contains(&next) {
                return Err(NoBody::lasting(format!("redirects in a circle, at {}", Shown(&next))));
            }
            if seen.len() > self.options.redirects {
                return Err(NoBody::lasting(format!("more than {} redirects", self.options.redirects)));
            }
            tracing::debug!(from = %Shown(&url), to = %Shown(&next), "redirected");
            self.counters.redirects.add(1);
            seen.push(next.clone());
            url = next;
        }
    }

    /// Plain http is allowed to this machine only.
    fn permit(&self, url: &Url) -> Result<(), NoBody> {
        match url.scheme() {
            "https" => Ok(()),
            "http" if is_loopback(url) || self.options.danger_allow_http => Ok(()),
            "http" => {
                Err(NoBody::lasting(format!("plain http is only for this machine, not for {}", Shown(url))))
            }
            _ => Err(NoBody::lasting("an address that is neither http nor https")),
        }
    }

    async fn send(&self, ask: &RequestSpec, url: &Url, first: bool) -> Result<Response, NoBody> {
        let method = if ask.content.is_some() { Method::POST } else { Method::GET };
        let request = Request {
            headers: self.headers(ask, &method, url, first),
            method,
            url: url.clone(),
            body: ask.content.clone().map_or(RequestBody::Empty, RequestBody::Bytes),
        };
        tracing::debug!(?request, "asking");
        self.counters.requests.add(1);
        let response = match timeout(self.options.stall, self.transport.send(request)).await {
            Err(_) => {
                return Err(NoBody::again(format!("no answer for {} s", self.options.stall.as_secs())));
            }
            Ok(response) => response?,
        };
        tracing::debug!(url = %Shown(url), status = response.status.as_u16(), "answered");
        if url.host_str() == Some(GITHUB_API_HOST) {
            self.note_rate_limit(ask, &response.headers);
        }
        Ok(response)
    }

    fn headers(&self, ask: &RequestSpec, method: &Method, url: &Url, first: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let github =
            url.scheme() == "https" && url.host_str() == Some(GITHUB_API_HOST) && url.port().is_none();
        if github {
            headers.insert(header::ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
            headers.insert("x-github-api-version", HeaderValue::from_static("2022-11-28"));
        } else {
            headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        }
        if ask.content.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let authorization = match &ask.authorization {
            Authorization::Taskcluster(credentials) if first => credentials.authorization(method, url),
            Authorization::Github(token) if github => bearer(token),
            _ => None,
        };
        if ask.past_caches {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            if ask.artifact && first {
                headers.insert("x-taskcluster-skip-cdn", HeaderValue::from_static("true"));
            }
        }
        if let Some(authorization) = authorization {
            headers.insert(header::AUTHORIZATION, authorization);
        }
        headers
    }

    fn note_rate_limit(&self, ask: &RequestSpec, headers: &HeaderMap) {
        let (Some(key), Some(limit)) = (&ask.limited_as, headers::rate_limit(headers, now())) else { return };
        self.counters.remains(key, limit.remaining);
        if let (0, Some(wait)) = (limit.remaining, limit.reset) {
            self.close(key, wait);
        }
    }

    fn close(&self, key: &str, wait: Duration) {
        if let Some(until) = Instant::now().checked_add(wait) {
            self.closed.until(key, until);
        }
    }

    /// Receives the body of a successful answer.
    async fn take(
        &self,
        ask: &RequestSpec,
        response: Response,
        intake: impl FnOnce(Coding) -> Result<(BodySink, u64), BodyError>,
    ) -> Result<ReceivedBody, NoBody> {
        let coding = headers::coding(&response.headers)
            .map_err(|coding| NoBody::lasting(format!("the answer has the unrequested coding {coding:?}")))?;
        let (taker, limit) = intake(coding)?;
        let announced = headers::content_length(&response.headers);
        if coding == Coding::Identity && announced.is_some_and(|length| length > limit) {
            return Err(BodyError::TooLarge { limit }.into());
        }
        let taken = self.stream(response, coding, taker).await?;
        let differs = match &taken.fact {
            Fact::Body(body) => ask.form.differs(&body.bytes),
            _ => None,
        };
        differs.map_or(Ok(taken), |why| Err(NoBody::again(why)))
    }

    /// Receives every chunk, however slowly they arrive.
    async fn stream(
        &self,
        mut response: Response,
        coding: Coding,
        mut taker: BodySink,
    ) -> Result<ReceivedBody, NoBody> {
        let announced = headers::content_length(&response.headers);
        let shown = announced.filter(|_| coding == Coding::Identity);
        let mut pace = Pace::new(self.options);
        let (mut received, mut reported) = (0_u64, 0);
        loop {
            let chunk = match timeout(self.options.stall, response.body.next()).await {
                Err(_) => {
                    let seconds = self.options.stall.as_secs();
                    return Err(NoBody::again(format!("nothing more of the answer arrived for {seconds} s")));
                }
                Ok(None) => break,
                Ok(Some(chunk)) => chunk?,
            };
            let length = chunk.len();
            let added = u64::try_from(length).unwrap_or(u64::MAX);
            received = received.saturating_add(added);
            self.counters.received.add(added);
            taker.write(chunk).await?;
            if !pace.keeps(length) {
                return Err(NoBody::again(format!(
                    "the answer comes slower than {} bytes/s",
                    self.options.minimum_rate
                )));
            }
            if taker.decoded().saturating_sub(reported) >= REPORT {
                reported = taker.decoded();
                (self.growing)(reported, shown);
            }
        }
        if announced.is_some_and(|length| length != received) {
            return Err(NoBody::again("the answer is not as long as it announced"));
        }
        let taken = taker.end().await?.finish()?;
        self.counters.decoded.add(taken.measurement.length);
        Ok(taken)
    }

    /// The meaning of an answer other than 200.
    async fn decline(&self, ask: &RequestSpec, response: Response, url: &Url) -> NoBody {
        let (status, now) = (response.status, now());
        if let Some(key) = &ask.limited_as
            && let Some(wait) = headers::github_limited(status, &response.headers, now)
        {
            // Even "now" is one second later: otherwise a limit that is hit again would be retried
            // forever.
            self.close(key, wait.max(Duration::from_secs(1)));
            return NoBody::Limited;
        }
        let retry_after = headers::retry_after(&response.headers, now);
        let body = self.error_body(response).await;
        let message = words(&body);
        match status.as_u16() {
            status @ (404 | 410 | 422 | 424) if ask.lacks(status, url, &body) => {
                NoBody::Fact(Box::new(Fact::Absent { status, message }))
            }
            status @ (404 | 410) => NoBody::again(format!(
                "status {status} in a form that {} does not use: {}",
                ask.responder_at(url),
                outline(&body, &message)
            )),
            status @ (401 | 403 | 407) => NoBody::Fact(Box::new(Fact::Refused { status, message })),
            status @ (408 | 421 | 425 | 429 | 201..=299 | 500..=599) => {
                NoBody::Again { reason: worded(status, &message), retry_after }
            }
            status => NoBody::lasting(worded(status, &message)),
        }
    }

    /// The text of an error, if all of it arrives.
    async fn error_body(&self, response: Response) -> Arc<[u8]> {
        let Ok(coding) = headers::coding(&response.headers) else { return Arc::default() };
        let bounds = Bounds::plain(LARGEST_MESSAGE);
        let intake = BodyDecoder::new(coding, bounds, false, Keep::Whole, None);
        match self.stream(response, coding, BodySink::here(intake)).await.map(|taken| taken.fact) {
            Ok(Fact::Body(body)) => body.bytes,
            _ => Arc::default(),
        }
    }
}

/// Reads the body of a redirect, which is a line or two: a connection with unread data cannot be
/// reused. Stops early rather than wait for it.
async fn drained(mut response: Response) -> Response {
    let read = async {
        let mut left = LARGEST_REDIRECT;
        while let Some(Ok(chunk)) = response.body.next().await {
            let Some(rest) = left.checked_sub(chunk.len()) else { break };
            left = rest;
        }
    };
    let _ = timeout(DRAINING, read).await;
    response
}

fn worded(status: u16, message: &str) -> String {
    if message.is_empty() { format!("status {status}") } else { format!("status {status}: {message}") }
}

/// An error in a few words.
fn outline(body: &[u8], message: &str) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    match title(text) {
        _ if text.is_empty() => "nothing".to_owned(),
        Some(title) => format!("a page titled {:?}", shortened(title)),
        None if message.is_empty() => "a page, or data without a message".to_owned(),
        None => format!("{message:?}"),
    }
}

/// The first line of an error: its JSON `message`, or plain text. Nothing of an HTML page fits in a
/// line.
fn words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let json = serde_json::from_str::<serde_json::Value>(&text).ok();
    let line = match json.as_ref().map(|json| json.get("message").and_then(serde_json::Value::as_str)) {
        Some(Some(message)) => message,
        Some(None) => return String::new(),
        None if text.trim_start().starts_with('<') => return String::new(),
        None => &text,
    };
    shortened(line.trim().lines().next().unwrap_or_default())
}

fn shortened(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Whether a body begins and ends as a JSON object or array does.
fn looks_like_json(body: &[u8]) -> bool {
    let text = body.trim_ascii();
    matches!((text.first(), text.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')))
}

/// Whether a body begins like a complete HTML page, and not like a part of one.
fn looks_like_page(body: &[u8]) -> bool {
    let text = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body).trim_ascii_start();
    let begins = |start: &[u8]| text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start));
    ["<!doctype", "<html", "<head", "<body", "<?xml"].iter().any(|start| begins(start.as_bytes()))
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_in_their_own_words() {
        assert_eq!(
            words(br#"{"code": "ResourceNotFound", "message": "no such task\n\n---\n* method"}"#),
            "no such task"
        );
        assert_eq!(words(b"no such page\n"), "no such page");
        assert_eq!(words(b"  <!DOCTYPE html><title>502"), "");
        assert_eq!(words(br#"{"error": 1}"#), "");
        assert_eq!(words(b"a\x1b[31mb\xff"), "a[31mb\u{fffd}");
        assert_eq!(words("é".repeat(500).as_bytes()).chars().count(), 200);
    }

    #[test]
    fn a_complete_page_is_not_a_part_of_one() {
        for page in
            ["<!DOCTYPE html>\n<p>", "<html lang=en>", " \n<HEAD>", "\u{feff}<?xml version='1.0'?>", "<body>"]
        {
            assert!(Form::Text.differs(page.as_bytes()).is_some(), "{page}");
            assert!(Form::Bytes.differs(page.as_bytes()).is_none(), "{page}");
        }
        for piece in
            ["", "\n\n", "<ul class=\"branches-list\"></ul>", "<<: *base", "version: 1", "# <html>", "<!d"]
        {
            assert_eq!(Form::Text.differs(piece.as_bytes()), None, "{piece}");
        }
    }

    /// A transport that sends nothing.
    struct Nowhere;

    impl Transport for Nowhere {
        fn send(&self, _: Request) -> futures_util::future::BoxFuture<'_, Result<Response, TransportError>> {
            Box::pin(async { Err(TransportError::lasting("nowhere")) })
        }
    }

    #[test]
    fn a_github_token_goes_to_its_api_over_tls_and_nowhere_else() {
        let exchange = Exchange {
            transport: &Nowhere,
            options: &Options::default(),
            counters: &Counters::default(),
            closed: &Closed::default(),
            growing: &|_, _| (),
        };
        let sent_to = |text: &str| {
            let url = Url::parse(text).unwrap();
            let ask = RequestSpec {
                url: url.clone(),
                content: None,
                authorization: Authorization::Github(Secret::new("ghp_x".to_owned())),
                responder: Responder::GithubApi,
                artifact: false,
                form: Form::Json,
                commit: false,
                past_caches: false,
                limited_as: None,
            };
            exchange.headers(&ask, &Method::GET, &url, true).contains_key(header::AUTHORIZATION)
        };
        assert!(sent_to("https://api.github.com/repos/a/b"));
        for other in [
            "http://api.github.com/repos/a/b",
            "https://api.github.com:444/repos/a/b",
            "https://github.com/a/b/branch_commits/c",
            "https://api.github.com.evil.example/",
        ] {
            assert!(!sent_to(other), "{other}");
        }
    }
}
