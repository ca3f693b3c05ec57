//! One attempt: a request, the redirects it leads through, and the body at the end or what was left of it.

use crate::divided::Divided;
use crate::engine::Growing;
use crate::error::DownloadError;
use crate::pieces::Ranges;
use crate::request::Download;
use crate::sink::{Measured, Sink, SinkError};
use bytes::Bytes;
use catena_fetch::{Options, Pace};
use catena_http::headers::{self, Coding};
use catena_http::{Request, RequestBody, Response, Shown, Transport, TransportError, TransportErrorKind};
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::{Host, Url};

/// Asks the queue for the address of the object itself instead of that of a copy near us.
const SKIP_CDN: &str = "x-taskcluster-skip-cdn";
/// Bytes of an error's body that are read for its message.
const LARGEST_MESSAGE: usize = 64 << 10;
/// Bytes between two reports of how a body grows.
pub(crate) const REPORT: u64 = 1 << 20;

/// How an attempt failed.
pub(crate) enum Failed {
    /// May pass.
    Passing { reason: String, retry_after: Option<Duration> },
    /// Does not pass.
    Finally(DownloadError),
}

/// A body that broke off: what was taken of it, and how the rest is asked for.
pub(crate) enum Partial {
    /// Its beginning.
    Stream {
        sink: Sink,
        /// Bytes that the sink took, as they came over the wire.
        received: u64,
        object: Object,
    },
    /// Parts of it.
    Divided(Divided),
}

impl Partial {
    pub(crate) fn received(&self) -> u64 {
        match self {
            Self::Stream { received, .. } => *received,
            Self::Divided(divided) => divided.received(),
        }
    }
}

/// What is wanted of an object.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) object: &'a Object,
    pub(crate) from: u64,
    /// The byte after the last; none for all that is left.
    pub(crate) to: Option<u64>,
}

/// What tells an object from another one at the same address: a strong validator and its whole length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    tag: HeaderValue,
    pub(crate) length: u64,
    coding: Coding,
}

impl Object {
    /// Of a whole answer; none where the rest of it could not be asked for safely.
    fn of(headers: &HeaderMap, coding: Coding) -> Option<Self> {
        let tag = headers.get(header::ETAG)?.clone();
        // A weak tag is one for all encodings of a body, and those differ in every byte.
        let strong = tag.as_bytes().starts_with(b"\"") && tag.as_bytes().len() > 2;
        Some(Self { tag: strong.then_some(tag)?, length: headers::content_length(headers)?, coding })
    }

    /// Whether it is sent as it is: a part of what is coded cannot be decoded alone.
    pub(crate) fn is_plain(&self) -> bool {
        self.coding == Coding::Identity
    }
}

impl Wanted<'_> {
    /// Whether an answer is exactly that part of the same object.
    pub(crate) fn is(&self, headers: &HeaderMap) -> bool {
        let Self { object, from, to } = self;
        let range = headers.get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
        let last = to.unwrap_or(object.length).saturating_sub(1);
        let wanted = format!("bytes {from}-{last}/{}", object.length);
        // A part has the tag of the whole answer (RFC 9110, 15.3.7): one without it may be of any object.
        range == Some(wanted.as_str())
            && headers.get(header::ETAG) == Some(&object.tag)
            && headers::coding(headers) == Ok(object.coding)
    }

    fn range(&self) -> String {
        match self.to {
            Some(to) => format!("bytes={}-{}", self.from, to.saturating_sub(1)),
            None => format!("bytes={}-", self.from),
        }
    }
}

pub(crate) struct Attempt<'a> {
    pub(crate) transport: &'a dyn Transport,
    pub(crate) options: &'a Options,
    pub(crate) division: Ranges,
    pub(crate) permits: &'a Semaphore,
    /// Whether ranges of this body turned out not to be answered.
    pub(crate) undivided: AtomicBool,
    pub(crate) what: &'a Download,
    pub(crate) to: &'a Path,
    /// Whether to ask for the object itself, past every cache.
    pub(crate) origin: bool,
    pub(crate) growing: Growing<'a>,
}

impl Attempt<'_> {
    /// Makes the attempt. What it leaves in `partial` is where the next one goes on.
    pub(crate) async fn make(&self, partial: &mut Option<Partial>) -> Result<Measured, Failed> {
        match partial.take() {
            None => self.whole(partial).await,
            Some(Partial::Stream { sink, received, object }) => {
                self.rest(sink, received, object, partial).await
            }
            Some(Partial::Divided(divided)) => {
                // Kept in its place while it is worked on: a deadline may end this at any time.
                *partial = Some(Partial::Divided(divided));
                self.divided(None, partial).await
            }
        }
    }

    async fn whole(&self, partial: &mut Option<Partial>) -> Result<Measured, Failed> {
        let (response, url) = self.follow(None).await?;
        match response.status {
            StatusCode::OK => self.begin(response, partial).await,
            _ => Err(self.decline(response, &url).await),
        }
    }

    async fn rest(
        &self,
        sink: Sink,
        received: u64,
        object: Object,
        partial: &mut Option<Partial>,
    ) -> Result<Measured, Failed> {
        let wanted = Wanted { object: &object, from: received, to: None };
        let (response, url) = match self.follow(Some(wanted)).await {
            Ok(answer) => answer,
            Err(failed) => {
                *partial = Some(Partial::Stream { sink, received, object });
                return Err(failed);
            }
        };
        match response.status {
            StatusCode::OK => self.begin(response, partial).await,
            StatusCode::PARTIAL_CONTENT if wanted.is(&response.headers) => {
                self.stream(response, sink, received, Some(object), partial).await
            }
            // What was asked for as the rest is that of another object: begin again.
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => Err(changed()),
            _ => {
                *partial = Some(Partial::Stream { sink, received, object });
                Err(self.decline(response, &url).await)
            }
        }
    }

    pub(crate) async fn follow(&self, wanted: Option<Wanted<'_>>) -> Result<(Response, Url), Failed> {
        let mut seen = vec![self.what.url.clone()];
        loop {
            let url = seen.last().unwrap_or(&self.what.url).clone();
            let first = seen.len() == 1;
            self.permit(&url, first)?;
            let response = self.send(&url, first, wanted).await?;
            if !matches!(response.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok((response, url));
            }
            let next = headers::location(&url, &response.headers)
                .map_err(|error| self.lasting(error.to_string()))?;
            drain(response).await;
            if seen.contains(&next) {
                return Err(self.lasting(format!("redirects in a circle, at {}", Shown(&next))));
            }
            if seen.len() > self.options.redirects {
                return Err(self.lasting(format!("more than {} redirects", self.options.redirects)));
            }
            seen.push(next);
        }
    }

    /// Plain http is for this machine and for a proxy beside it.
    fn permit(&self, url: &Url, first: bool) -> Result<(), Failed> {
        match url.scheme() {
            "https" => Ok(()),
            "http" if first && self.what.beside => Ok(()),
            "http" if is_loopback(url) || self.options.danger_allow_http => Ok(()),
            "http" => {
                Err(self.lasting(format!("plain http is only for this machine, not for {}", Shown(url))))
            }
            _ => Err(self.lasting("an address that is neither http nor https".to_owned())),
        }
    }

    async fn send(&self, url: &Url, first: bool, wanted: Option<Wanted<'_>>) -> Result<Response, Failed> {
        let request = Request {
            method: Method::GET,
            url: url.clone(),
            headers: self.headers(url, first, wanted),
            body: RequestBody::Empty,
        };
        let sent = timeout(self.options.stall, self.transport.send(request)).await;
        let silent = || passing(format!("no answer for {} s", self.options.stall.as_secs()));
        sent.map_err(|_| silent())?.map_err(|error| self.unsent(error))
    }

    fn headers(&self, url: &Url, first: bool, wanted: Option<Wanted<'_>>) -> HeaderMap {
        let mut headers = if first { self.what.headers.clone() } else { HeaderMap::new() };
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        // Without it a store decodes what it keeps, and then knows neither its length nor ranges of it.
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        if self.origin {
            if first && self.what.artifact {
                headers.insert(SKIP_CDN, HeaderValue::from_static("true"));
            }
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
        if let Some(wanted) = wanted
            && let Ok(range) = HeaderValue::from_str(&wanted.range())
        {
            headers.insert(header::RANGE, range);
            headers.insert(header::IF_RANGE, wanted.object.tag.clone());
        }
        let credentials = self.what.credentials.as_ref().filter(|_| first);
        if let Some(value) = credentials.and_then(|who| who.authorization(&Method::GET, url)) {
            headers.insert(header::AUTHORIZATION, value);
        }
        headers
    }

    /// A body from its first byte.
    async fn begin(&self, response: Response, partial: &mut Option<Partial>) -> Result<Measured, Failed> {
        let coding = headers::coding(&response.headers).map_err(|coding| {
            self.lasting(format!("the answer is coded as {coding:?}, which nobody asked for"))
        })?;
        let announced = headers::content_length(&response.headers).filter(|_| coding == Coding::Identity);
        if announced.is_some_and(|length| length > self.what.limit) {
            return Err(self.unsunk(SinkError::TooLarge(self.what.limit)));
        }
        let wide = self.is_wide();
        let object = Object::of(&response.headers, coding);
        if let Some(object) = object.as_ref().filter(|object| self.divides(object, &response.headers)) {
            let divided = Divided::create(self.to, object.clone(), self.division, wide);
            *partial = Some(Partial::Divided(divided.map_err(|source| self.disk(source))?));
            return self.divided(Some(response), partial).await;
        }
        let sink = Sink::open(self.to, coding, self.what.limit, wide).map_err(|source| self.disk(source))?;
        self.stream(response, sink, 0, object, partial).await
    }

    /// Takes every chunk. What breaks off is kept if the rest of it can be asked for.
    async fn stream(
        &self,
        response: Response,
        mut sink: Sink,
        from: u64,
        object: Option<Object>,
        partial: &mut Option<Partial>,
    ) -> Result<Measured, Failed> {
        // A part need not announce its length, and must reach to the end of the object.
        let announced = match &object {
            Some(object) => Some(object.length),
            None => headers::content_length(&response.headers),
        };
        let mut received = from;
        let streamed = self.chunks(response, &mut sink, &mut received, object.as_ref()).await;
        let streamed = match (streamed, announced) {
            (Ok(()), Some(length)) if length != received => {
                Err(Broken::Passing("the answer is not as long as it announced".to_owned()))
            }
            (streamed, _) => streamed,
        };
        match streamed {
            Ok(()) | Err(Broken::Sink) => sink.end().await.map_err(|error| self.unsunk(error)),
            Err(Broken::Passing(reason)) => {
                let resumable = object.filter(|object| received > 0 && received < object.length);
                *partial = resumable.map(|object| Partial::Stream { sink, received, object });
                Err(passing(reason))
            }
            Err(Broken::Lasting(reason)) => Err(self.lasting(reason)),
        }
    }

    async fn chunks(
        &self,
        mut response: Response,
        sink: &mut Sink,
        received: &mut u64,
        object: Option<&Object>,
    ) -> Result<(), Broken> {
        let mut pace = Pace::new(self.options);
        let total = object.map(|object| object.length);
        let mut reported = *received;
        while let Some(chunk) = self.chunk(&mut response, &mut pace).await? {
            let length = chunk.len();
            sink.write(chunk).await.map_err(|_| Broken::Sink)?;
            *received = received.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
            if received.saturating_sub(reported) >= REPORT {
                reported = *received;
                (self.growing)(reported, total);
            }
        }
        Ok(())
    }

    /// What comes next of a body, if it comes soon enough and fast enough.
    pub(crate) async fn chunk(
        &self,
        response: &mut Response,
        pace: &mut Pace,
    ) -> Result<Option<Bytes>, Broken> {
        let chunk = match timeout(self.options.stall, response.body.next()).await {
            Err(_) => {
                let seconds = self.options.stall.as_secs();
                return Err(Broken::Passing(format!("nothing more arrived for {seconds} s")));
            }
            Ok(None) => return Ok(None),
            Ok(Some(chunk)) => chunk?,
        };
        if pace.keeps(chunk.len()) {
            return Ok(Some(chunk));
        }
        let rate = self.options.minimum_rate;
        Err(Broken::Passing(format!("the answer comes slower than {rate} bytes/s")))
    }

    /// What an answer without the body means.
    pub(crate) async fn decline(&self, response: Response, url: &Url) -> Failed {
        let status = response.status.as_u16();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let retry_after = headers::retry_after(&response.headers, i64::try_from(now).unwrap_or(i64::MAX));
        let message = message(response, self.options.stall).await;
        let url = Shown(url).to_string();
        match status {
            404 | 410 | 424 => Failed::Finally(DownloadError::Absent { url, status, message }),
            401 | 403 | 407 => Failed::Finally(DownloadError::Refused { url, status, message }),
            408 | 421 | 425 | 429 | 201..=299 | 500..=599 => {
                Failed::Passing { reason: format!("status {status}{message}"), retry_after }
            }
            _ => self.lasting(format!("status {status}{message}")),
        }
    }

    pub(crate) fn lasting(&self, reason: String) -> Failed {
        Failed::Finally(DownloadError::Lasting { url: Shown(&self.what.url).to_string(), reason })
    }

    pub(crate) fn disk(&self, source: std::io::Error) -> Failed {
        Failed::Finally(DownloadError::Disk { path: self.to.to_owned(), source })
    }

    fn unsent(&self, error: TransportError) -> Failed {
        match error.kind {
            TransportErrorKind::Passing => passing(error.message),
            TransportErrorKind::Lasting => self.lasting(error.message),
        }
    }

    fn unsunk(&self, error: SinkError) -> Failed {
        match error {
            SinkError::Coding(_) => passing(error.to_string()),
            SinkError::Expands(_) => self.lasting(error.to_string()),
            SinkError::TooLarge(limit) => match self.what.expected.length {
                Some(length) if length <= limit => Failed::Finally(DownloadError::Mismatch {
                    url: Shown(&self.what.url).to_string(),
                    what: "the length",
                    expected: length.to_string(),
                    actual: format!("more than {limit}"),
                }),
                _ => self.lasting(error.to_string()),
            },
            SinkError::Disk(source) => self.disk(source),
        }
    }
}

/// Why a body broke off.
pub(crate) enum Broken {
    Passing(String),
    Lasting(String),
    /// The sink says why.
    Sink,
}

impl From<TransportError> for Broken {
    fn from(error: TransportError) -> Self {
        match error.kind {
            TransportErrorKind::Passing => Self::Passing(error.message),
            TransportErrorKind::Lasting => Self::Lasting(error.message),
        }
    }
}

pub(crate) fn passing(reason: impl Into<String>) -> Failed {
    Failed::Passing { reason: reason.into(), retry_after: None }
}

/// The rest belongs to another object than the beginning: begin again.
pub(crate) fn changed() -> Failed {
    passing("the object changed while it was downloaded")
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Reads what a redirect says beside its address: a connection of whose answer something is left cannot be used
/// again. It is not worth waiting for.
async fn drain(response: Response) {
    let _ = timeout(Duration::from_millis(100), text(response)).await;
}

/// What an error says of itself in its first line, as far as it is text.
async fn message(response: Response, stall: Duration) -> String {
    if headers::coding(&response.headers) != Ok(Coding::Identity) {
        return String::new();
    }
    let text = timeout(stall, text(response)).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    // Taskcluster's errors are objects with a message.
    let told = text.split_once("\"message\":\"").map_or(&*text, |(_, rest)| rest);
    let line: String = told.split(['\n', '\\', '"']).next().unwrap_or_default().chars().take(200).collect();
    if line.trim().is_empty() { line } else { format!(": {}", line.trim().escape_debug()) }
}

async fn text(mut response: Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(Ok(chunk)) = response.body.next().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LARGEST_MESSAGE {
            break;
        }
    }
    bytes
}
