//! Scripts of answers to requests. Answers are parted by two bytes 0x1e and look like HTTP: a line of status and how
//! the answer ends, headers, an empty line, the body.

use catena_http::{Request, Response, Transport, TransportError};
use futures_util::future::{self, BoxFuture};
use futures_util::{FutureExt, StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::sleep;

/// The most answers of a script.
const MOST: usize = 16;

/// An answer.
#[derive(Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub end: End,
}

/// How an answer ends.
#[derive(Clone, Copy, PartialEq)]
pub enum End {
    Whole,
    Reset,
    Untrusted,
    Stalls,
    Drips,
    Refused,
    Silence,
}

impl Answer {
    fn read(text: &[u8]) -> Option<Self> {
        let head_end = text.windows(2).position(|two| two == b"\n\n").unwrap_or(text.len());
        let mut lines = text[..head_end].split(|byte| *byte == b'\n');
        let first = std::str::from_utf8(lines.next()?).ok()?;
        let (status, end) = first.split_once(' ').unwrap_or((first, ""));
        let end = match end {
            "reset" => End::Reset,
            "untrusted" => End::Untrusted,
            "stalls" => End::Stalls,
            "drips" => End::Drips,
            "refused" => End::Refused,
            "silence" => End::Silence,
            _ => End::Whole,
        };
        let mut headers = HeaderMap::new();
        for line in lines.take(32) {
            let mut parts = line.splitn(2, |byte| *byte == b':');
            let name = HeaderName::from_bytes(parts.next()?).ok();
            let value = HeaderValue::from_bytes(parts.next().unwrap_or_default().trim_ascii()).ok();
            if let (Some(name), Some(value)) = (name, value) {
                headers.append(name, value);
            }
        }
        let body = text.get(head_end + 2..).unwrap_or_default().to_vec();
        Some(Self { status: StatusCode::from_u16(status.parse().ok()?).ok()?, headers, body, end })
    }
}

/// A transport that gives the answers of a script, and looks at every request.
pub struct Script {
    answers: Mutex<VecDeque<Answer>>,
    chunk: usize,
    watch: fn(&Request),
    requests: Mutex<usize>,
    last: Mutex<Option<Answer>>,
}

impl Script {
    /// Reads a script, whose bodies come in chunks of this size.
    pub fn read(text: &[u8], chunk: u8, watch: fn(&Request)) -> Self {
        let mut answers = VecDeque::new();
        let mut rest = Some(text);
        while let (Some(text), true) = (rest, answers.len() < MOST) {
            let end = text.windows(2).position(|two| two == [0x1e, 0x1e]);
            answers.extend(Answer::read(&text[..end.unwrap_or(text.len())]));
            rest = end.map(|end| &text[end + 2..]);
        }
        let (requests, last) = (Mutex::default(), Mutex::default());
        Self { answers: Mutex::new(answers), chunk: usize::from(chunk).max(1), watch, requests, last }
    }

    /// The requests so far.
    pub fn requests(&self) -> usize {
        *self.requests.lock().unwrap()
    }

    /// The answer to the last one.
    pub fn last(&self) -> Option<Answer> {
        self.last.lock().unwrap().clone()
    }
}

impl Transport for Script {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        *self.requests.lock().unwrap() += 1;
        (self.watch)(&request);
        let answer = self.answers.lock().unwrap().pop_front();
        *self.last.lock().unwrap() = answer.clone();
        let Some(Answer { status, headers, body, end }) = answer else {
            return future::ready(Err(TransportError::passing("the script is over"))).boxed();
        };
        match end {
            End::Refused => return future::ready(Err(TransportError::passing("refused"))).boxed(),
            End::Silence => return future::pending().boxed(),
            _ => {}
        }
        let chunks: Vec<_> = body.chunks(self.chunk).map(|chunk| Ok(chunk.to_vec().into())).collect();
        let last = match end {
            End::Reset => Some(Err(TransportError::passing("reset"))),
            End::Untrusted => Some(Err(TransportError::lasting("not trusted"))),
            _ => None,
        };
        let stream = stream::iter(chunks.into_iter().chain(last));
        let body = match end {
            End::Stalls => stream.chain(stream::pending()).boxed(),
            End::Drips => stream.then(|chunk| sleep(Duration::from_secs(10)).map(|()| chunk)).boxed(),
            _ => stream.boxed(),
        };
        future::ready(Ok(Response { status, headers, body })).boxed()
    }
}
