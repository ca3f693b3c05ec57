//! A transport that answers by script, and helpers to use it.
#![allow(dead_code)] // Each test file uses its own part.

use bytes::Bytes;
use catena_fetch::{Fetcher, Options};
use catena_http::{Chunks, Request, Response, Transport, TransportError};
use catena_model::Limits;
use catena_model::source::{GithubRepository, Revision};
use catena_model::task::{ArtifactName, RunId, TaskId};
use catena_taskcluster::RootUrl;
use catena_verify::verification::{Fact, Need};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

pub(crate) const ROOT: &str = "https://tc.example";
pub(crate) const TASK: &str = "IFn9x5gaQz-HXl2pa7Ny_w";

/// One scripted answer.
pub(crate) enum Reply {
    Answer(u16, Vec<(&'static str, String)>, Chunks),
    Fail(TransportError),
    Silence,
}

/// An answer with this body, unchanged.
pub(crate) fn body(status: u16, body: impl Into<Bytes>) -> Reply {
    let body = body.into();
    Reply::Answer(status, vec![], stream::iter([Ok(body)]).boxed())
}

impl Reply {
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer(_, headers, _) = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

pub(crate) fn chunks(chunks: Chunks) -> Reply {
    Reply::Answer(200, vec![], chunks)
}

pub(crate) fn redirect(to: impl Into<String>) -> Reply {
    body(303, "").header("location", to)
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

type Script = dyn Fn(&Request, u32) -> Reply + Send + Sync;

pub(crate) struct Scripted {
    script: Box<Script>,
    seen: Mutex<HashMap<String, u32>>,
    pub(crate) requests: Mutex<Vec<(Instant, Request)>>,
}

impl Scripted {
    /// The script receives the request, and how often its address was requested so far.
    pub(crate) fn new(script: impl Fn(&Request, u32) -> Reply + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { script: Box::new(script), seen: Mutex::default(), requests: Mutex::default() })
    }

    pub(crate) fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    pub(crate) fn sent(&self) -> Vec<Request> {
        self.requests.lock().unwrap().iter().map(|(_, request)| request.clone()).collect()
    }
}

impl Transport for Scripted {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let times = {
            let mut seen = self.seen.lock().unwrap();
            let times = seen.entry(request.url.to_string()).or_default();
            *times += 1;
            *times
        };
        let reply = (self.script)(&request, times);
        self.requests.lock().unwrap().push((Instant::now(), request));
        async move {
            match reply {
                Reply::Fail(error) => Err(error),
                Reply::Silence => std::future::pending().await,
                Reply::Answer(status, pairs, body) => {
                    let mut headers = HeaderMap::new();
                    for (name, value) in pairs {
                        headers.append(HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
                    }
                    Ok(Response { status: StatusCode::from_u16(status).unwrap(), headers, body })
                }
            }
        }
        .boxed()
    }
}

pub(crate) fn fetcher(transport: &Arc<Scripted>) -> Fetcher {
    with(transport, Options::default(), Limits::default())
}

pub(crate) fn with(transport: &Arc<Scripted>, options: Options, limits: Limits) -> Fetcher {
    Fetcher::new(transport.clone(), RootUrl::parse(ROOT).unwrap(), limits, options)
}

pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(300)
}

/// Answers a need from a script; returns how many requests that took.
pub(crate) async fn ask(
    need: &Need,
    script: impl Fn(&Request, u32) -> Reply + Send + Sync + 'static,
) -> (Fact, usize) {
    let transport = Scripted::new(script);
    let fact = fetcher(&transport).answer(need, soon()).await;
    (fact, transport.count())
}

pub(crate) fn task_id() -> TaskId {
    TaskId::parse(TASK).unwrap()
}

pub(crate) fn status() -> Need {
    Need::Status { task_id: task_id() }
}

pub(crate) fn document() -> Need {
    Need::Document { task_id: task_id(), run_id: RunId(0) }
}

pub(crate) fn artifact(name: &str) -> Need {
    let name = ArtifactName::parse(name).unwrap();
    Need::Artifact { task_id: task_id(), run_id: RunId(0), name, sha512: false }
}

pub(crate) fn content(name: &str) -> Need {
    let name = ArtifactName::parse(name).unwrap();
    Need::Content { task_id: task_id(), run_id: RunId(0), name, sha512: false }
}

pub(crate) fn graph() -> Need {
    Need::TaskGraph { task_id: task_id(), run_id: RunId(0), wanted: [task_id()].into(), sha512: true }
}

pub(crate) fn repository() -> GithubRepository {
    GithubRepository::parse("mozilla-mobile", "firefox-ios").unwrap()
}

pub(crate) fn revision() -> Revision {
    Revision::parse(&"0a".repeat(20)).unwrap()
}

pub(crate) fn commit() -> Need {
    Need::Commit { repository: repository(), revision: revision() }
}

pub(crate) fn text(fact: &Fact) -> String {
    match fact {
        Fact::Body(body) => String::from_utf8(body.bytes.to_vec()).unwrap(),
        other => panic!("not a body: {other:?}"),
    }
}

/// The reason and the number of attempts.
pub(crate) fn unreachable(fact: &Fact) -> (String, u32) {
    match fact {
        Fact::Unreachable { reason, attempts } => (reason.clone(), *attempts),
        other => panic!("not unreachable: {other:?}"),
    }
}
