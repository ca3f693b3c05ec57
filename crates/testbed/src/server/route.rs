//! From a request to an answer: whom it is for, what that host has to say.

use super::answer::Answer;
use super::ledger::Request;
use super::stream::Stream;
use super::{Shared, live, queue};
use crate::fault::Fault;
use crate::queue::{Intake, Slot};
use crate::site::Page;
use hyper::body::{Body as _, Incoming};
use hyper::header::{AUTHORIZATION, HOST, IF_RANGE, LINK, RANGE};
use hyper::{HeaderMap, Method, Response, Version};
use std::future::pending;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Requests with larger bodies are refused; the largest honest one is a few hundred bytes.
const LARGEST_REQUEST: u64 = 1 << 20;

/// What a request asks for, whichever way it came.
pub(super) struct Asked<'a> {
    pub(super) method: &'a Method,
    /// `http` or `https`.
    pub(super) scheme: &'a str,
    /// Host and port as the client wrote them.
    pub(super) authority: &'a str,
    /// Path and query.
    pub(super) target: &'a str,
    pub(super) authorization: Option<&'a str>,
    pub(super) range: Option<&'a str>,
    pub(super) if_range: Option<&'a str>,
}

impl Asked<'_> {
    pub(super) fn url(&self) -> String {
        format!("{}://{}{}", self.scheme, self.authority, self.target)
    }
}

/// Which part of the world an address belongs to.
enum Place {
    Taskcluster,
    Store,
    /// A page, by its absolute URL.
    Page(String),
}

/// Answers one request.
pub(super) async fn answer(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
    scheme: &str,
    reset: Arc<AtomicBool>,
) -> io::Result<Response<Stream>> {
    let (head, body) = request.into_parts();
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    let asked = Asked {
        method: &head.method,
        scheme: head.uri.scheme_str().unwrap_or(scheme),
        authority: head.uri.authority().map(|a| a.as_str()).or(text(HOST)).unwrap_or("127.0.0.1"),
        target: head.uri.path_and_query().map_or("/", |target| target.as_str()),
        authorization: text(AUTHORIZATION),
        range: text(RANGE),
        if_range: text(IF_RANGE),
    };
    let place = place(&shared, &asked);
    // The secret part of a store's address differs each time; the place is the same.
    let url = match (&place, asked.method == Method::PUT) {
        (Place::Store, true) => asked.url().split('?').next().unwrap_or_default().to_owned(),
        _ => asked.url(),
    };
    let attempt = shared.ledger.request(Request {
        method: asked.method.to_string(),
        url: url.clone(),
        authorization: asked.authorization.map(str::to_owned),
        range: asked.range.map(str::to_owned),
        skip_cdn: head.headers.contains_key("x-taskcluster-skip-cdn"),
        http2: head.version == Version::HTTP_2,
    });
    let mut faults = shared.faults.striking(&url, attempt);
    let intake = faults.iter().position(Fault::is_of_intake).map(|place| faults.remove(place));
    if let Some(Fault::Early(status)) = intake {
        return live::denied(status, "Early").send(None, shared.ledger.clone(), reset).await;
    }
    let slot = match &place {
        Place::Store if asked.method == Method::PUT => Some(live::slot(&shared, asked.target, &head.headers)),
        _ => None,
    };
    let limit = if slot.is_some() { u64::MAX } else { LARGEST_REQUEST };
    let Some(content) = take(body, intake, limit).await? else {
        reset.store(true, Ordering::Release);
        return Err(io::ErrorKind::ConnectionAborted.into());
    };
    let mut wait = distance(&shared, &place);
    faults.retain(|fault| match fault {
        Fault::Delay(delay) => {
            wait += *delay;
            false
        }
        _ => true,
    });
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    let fault = faults.into_iter().next().map(|fault| fault.at(&url));
    if fault == Some(Fault::Silence) {
        pending::<()>().await;
    }
    if fault == Some(Fault::HangUp) {
        reset.store(true, Ordering::Release);
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    let (answer, fault) = match (fault, &place) {
        _ if content.length() > limit => (Answer::new(413, "", "text/plain"), None),
        // Each service has its own form of absence.
        (Some(Fault::Status(status @ (404 | 410 | 422))), Place::Page(url)) => {
            (missing(Page { status, ..Page::missing(url) }), None)
        }
        (Some(Fault::Status(404)), Place::Store) => (queue::no_object(), None),
        (Some(Fault::Status(status)), _) => (Answer::failed(status), None),
        (fault, _) => (act(&shared, &asked, &place, &head.headers, slot, content).await?, fault),
    };
    answer.send(fault, shared.ledger.clone(), reset).await
}

/// Performs the request.
async fn act(
    shared: &Shared,
    asked: &Asked<'_>,
    place: &Place,
    headers: &HeaderMap,
    slot: Option<Result<Slot, Answer>>,
    content: Intake,
) -> io::Result<Answer> {
    match (slot, place) {
        (Some(Ok(slot)), _) => live::put(shared, &slot, headers, content),
        (Some(Err(denied)), _) => Ok(denied),
        (None, Place::Taskcluster) => {
            let changed = live::taskcluster(shared, asked, content.in_memory()).await;
            Ok(changed.unwrap_or_else(|| reply(shared, asked, place)))
        }
        _ => Ok(reply(shared, asked, place)),
    }
}

/// Takes a request's body; `None` where the connection is to be broken. What is beyond the limit is counted
/// and not kept.
async fn take(mut body: Incoming, fault: Option<Fault>, limit: u64) -> io::Result<Option<Intake>> {
    let mut intake = Intake::default();
    loop {
        match &fault {
            Some(Fault::Abort { after }) if intake.length() >= *after => return Ok(None),
            Some(Fault::Stall { after }) if intake.length() >= *after => pending::<()>().await,
            Some(Fault::Sip { every }) => tokio::time::sleep(*every).await,
            _ => {}
        }
        let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await else { break };
        let frame = frame.map_err(io::Error::other)?;
        if let Some(data) = frame.data_ref() {
            intake.write(data)?;
        }
        if intake.length() > limit {
            break;
        }
    }
    Ok(Some(intake))
}

fn place(shared: &Shared, asked: &Asked<'_>) -> Place {
    if let Some(rest) = asked.target.strip_prefix("/_host/") {
        return Place::Page(format!("https://{rest}"));
    }
    let host = asked.authority.rsplit_once(':').map_or(asked.authority, |(host, _)| host);
    let root = matches!(host, "127.0.0.1" | "localhost")
        || shared.options.root_hosts.iter().any(|root| root.eq_ignore_ascii_case(host));
    match asked.target.strip_prefix("/_store/") {
        Some(_) if root => Place::Store,
        None if root => Place::Taskcluster,
        _ => Place::Page(format!("https://{}{}", host.to_ascii_lowercase(), asked.target)),
    }
}

fn distance(shared: &Shared, place: &Place) -> Duration {
    let latency = &shared.options.latency;
    match place {
        Place::Taskcluster => latency.queue,
        Place::Store => latency.store,
        Place::Page(_) => latency.vcs,
    }
}

fn reply(shared: &Shared, asked: &Asked<'_>, place: &Place) -> Answer {
    match place {
        Place::Taskcluster => queue::taskcluster(shared, asked),
        Place::Store if asked.method == Method::GET || asked.method == Method::HEAD => {
            queue::store(shared, asked)
        }
        Place::Page(url) => match shared.site.pages.get(url) {
            Some(page) => {
                let answer = Answer::new(page.status, page.body.clone(), &page.content_type);
                match further(url).filter(|further| shared.site.pages.contains_key(further)) {
                    Some(further) => answer.header(LINK, format!("<{further}>; rel=\"next\"")),
                    None => answer,
                }
            }
            None => missing(Page::missing(url)),
        },
        Place::Store => Answer::new(405, "", "text/plain"),
    }
}

fn missing(page: Page) -> Answer {
    Answer::new(page.status, page.body, &page.content_type)
}

/// Where the page after this one would be. GitHub links to it, and clients other than ours follow that.
fn further(url: &str) -> Option<String> {
    let (list, page) = url.split_once("&page=").unwrap_or((url, "1"));
    let next = page.parse::<u32>().ok()?.checked_add(1)?;
    list.contains('?').then(|| format!("{list}&page={next}"))
}
