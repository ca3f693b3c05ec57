//! Calls that change the queue's state, and uploads to the store and to the object service.

use super::Shared;
use super::answer::Answer;
use super::route::Asked;
use crate::queue::{Intake, NewArtifact, Refusal, Slot};
use hyper::Method;
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::io;

/// An operation and its object.
struct Call {
    /// The service's name for it.
    name: &'static str,
    kind: Kind,
    /// The task it is about, if any.
    task: Option<String>,
}

enum Kind {
    ClaimWork { pool: String },
    Reclaim { run: usize },
    Resolve { run: usize, state: &'static str },
    CreateArtifact { run: usize, name: String },
    FinishArtifact { run: usize, name: String },
    CreateUpload { object: String },
    FinishUpload { object: String },
}

impl Call {
    fn of(asked: &Asked<'_>) -> Option<Call> {
        let path = asked.target.split('?').next().unwrap_or_default();
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let post = asked.method == Method::POST;
        let decoded = |rest: &[&str]| percent_decode_str(&rest.join("/")).decode_utf8_lossy().into_owned();
        let call = |name, kind, task: Option<&str>| Some(Call { name, kind, task: task.map(str::to_owned) });
        match segments.as_slice() {
            ["api", "queue", "v1", "claim-work", pool @ ..] if post => {
                call("claimWork", Kind::ClaimWork { pool: decoded(pool) }, None)
            }
            ["api", "queue", "v1", "task", id, "runs", run, rest @ ..] => {
                let run = run.parse().ok()?;
                let (name, kind) = run_call(post, asked.method == Method::PUT, run, rest, &decoded)?;
                call(name, kind, Some(id))
            }
            ["api", "object", "v1", "upload", object @ ..] if asked.method == Method::PUT => {
                call("createUpload", Kind::CreateUpload { object: decoded(object) }, None)
            }
            ["api", "object", "v1", "finish-upload", object @ ..] if post => {
                call("finishUpload", Kind::FinishUpload { object: decoded(object) }, None)
            }
            _ => None,
        }
    }

    /// The scopes it takes.
    fn scopes(&self, body: &Value) -> Vec<String> {
        let task = self.task.as_deref().unwrap_or_default();
        let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
        match &self.kind {
            Kind::ClaimWork { pool } => vec![
                format!("queue:claim-work:{pool}"),
                format!("queue:worker-id:{}/{}", text("workerGroup"), text("workerId")),
            ],
            Kind::Reclaim { run } => vec![format!("queue:reclaim-task:{task}/{run}")],
            Kind::Resolve { run, .. } => vec![format!("queue:resolve-task:{task}/{run}")],
            Kind::CreateArtifact { run, .. } | Kind::FinishArtifact { run, .. } => {
                vec![format!("queue:create-artifact:{task}/{run}")]
            }
            Kind::CreateUpload { object } | Kind::FinishUpload { object } => {
                vec![format!("object:upload:{}:{object}", text("projectId"))]
            }
        }
    }
}

fn run_call(
    post: bool,
    put: bool,
    run: usize,
    rest: &[&str],
    decoded: &dyn Fn(&[&str]) -> String,
) -> Option<(&'static str, Kind)> {
    let resolve = |name, state| Some((name, Kind::Resolve { run, state }));
    match rest {
        ["reclaim"] if post => Some(("reclaimTask", Kind::Reclaim { run })),
        ["completed"] if post => resolve("reportCompleted", "completed"),
        ["failed"] if post => resolve("reportFailed", "failed"),
        ["exception"] if post => resolve("reportException", "exception"),
        ["artifacts", name @ ..] if post => {
            Some(("createArtifact", Kind::CreateArtifact { run, name: decoded(name) }))
        }
        ["artifacts", name @ ..] if put => {
            Some(("finishArtifact", Kind::FinishArtifact { run, name: decoded(name) }))
        }
        _ => None,
    }
}

/// Answers a call that changes state; `None` for other calls.
pub(super) async fn taskcluster(shared: &Shared, asked: &Asked<'_>, body: &[u8]) -> Option<Answer> {
    if asked.target == "/_queue" {
        return Some(told(shared, asked, body));
    }
    let call = Call::of(asked)?;
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let allowed = {
        let state = shared.queue.current();
        let caller = state.clients.caller(asked.method.as_str(), &asked.url(), asked.authorization);
        caller.and_then(|caller| caller.must_have(&call.scopes(&value)))
    };
    let answer = match allowed {
        Err(denied) => {
            let code = if denied.status == 401 { "AuthenticationFailed" } else { "InsufficientScopes" };
            Err(Refusal { status: denied.status, code, message: denied.message })
        }
        Ok(()) => perform(shared, asked, &call, body, &value).await,
    };
    let status = answer.as_ref().map_or_else(|refusal| refusal.status, |_| 200);
    shared.queue.note(call.name, subject(&call, answer.as_ref().ok()).as_deref(), status);
    Some(match answer {
        Ok(value) => Answer::json(200, &value),
        Err(Refusal { status, code, message }) => {
            Answer::error(status, code, &message, call.name, &json!({"taskId": call.task}))
        }
    })
}

/// The task a call was about: of a claim the first that was claimed.
fn subject(call: &Call, answer: Option<&Value>) -> Option<String> {
    let claimed = || answer?.pointer("/tasks/0/status/taskId")?.as_str().map(str::to_owned);
    call.task.clone().or_else(claimed)
}

async fn perform(
    shared: &Shared,
    asked: &Asked<'_>,
    call: &Call,
    body: &[u8],
    value: &Value,
) -> Result<Value, Refusal> {
    let id = call.task.as_deref().unwrap_or_default();
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let base = format!("{}://{}", asked.scheme, asked.authority);
    match &call.kind {
        Kind::ClaimWork { pool } => {
            let most = value.get("tasks").and_then(Value::as_u64).unwrap_or(1);
            let worker = (text("workerGroup"), text("workerId"));
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            Ok(json!({"tasks": shared.queue.claim(pool, worker, most).await}))
        }
        Kind::Reclaim { run } => shared.queue.current().reclaim(id, *run),
        Kind::Resolve { run, state } => resolve(shared, id, *run, state, text("reason")),
        Kind::CreateArtifact { run, name } => {
            let new = NewArtifact::parse(body)?;
            shared.queue.current().create_artifact(id, *run, name, &new, &base)
        }
        Kind::FinishArtifact { run, name } => {
            shared.queue.current().finish_artifact(id, *run, name, text("uploadId"))?;
            Ok(json!({}))
        }
        Kind::CreateUpload { object } => create_upload(shared, object, value, &base),
        Kind::FinishUpload { object } => finish_upload(shared, object, value),
    }
}

fn resolve(
    shared: &Shared,
    id: &str,
    run: usize,
    state: &'static str,
    reason: &str,
) -> Result<Value, Refusal> {
    const REASONS: [&str; 5] = [
        "worker-shutdown",
        "malformed-payload",
        "resource-unavailable",
        "internal-error",
        "intermittent-task",
    ];
    if state == "exception" && !REASONS.contains(&reason) {
        return Err(Refusal::new(400, "InputValidationError", format!("no such reason: {reason:?}")));
    }
    let mut queue = shared.queue.current();
    let task = queue.tasks.get_mut(id).ok_or_else(Refusal::no_task)?;
    task.resolve(run, state, if state == "exception" { reason } else { state })?;
    Ok(json!({"status": task.status()}))
}

/// Chooses among the proposed methods: the bytes themselves where they stand in the request, else a URL.
fn create_upload(shared: &Shared, object: &str, value: &Value, base: &str) -> Result<Value, Refusal> {
    use base64::Engine as _;
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    let upload_id = text("/uploadId").unwrap_or_default().to_owned();
    let mut queue = shared.queue.current();
    let secret = queue.secret();
    queue.uploading(object, &upload_id)?;
    let mut parts = object.splitn(4, '/').skip(1);
    let (task, run) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut slot = Slot {
        task: task.to_owned(),
        run: run.parse().unwrap_or(usize::MAX),
        name: parts.next().unwrap_or_default().to_owned(),
        until: Timestamp::now().checked_add(jiff::Span::new().minutes(45)).unwrap_or(Timestamp::MAX),
        headers: Vec::new(),
    };
    let expires = crate::queue::timestamp(slot.until);
    let method = if let Some(data) = text("/proposedUploadMethods/dataInline/objectData") {
        let bytes = base64::engine::general_purpose::STANDARD.decode(data);
        let bytes = bytes.map_err(|_| Refusal::input("objectData is not base64"))?;
        let mut intake = Intake::default();
        intake.write(&bytes).map_err(|error| Refusal::input(error.to_string()))?;
        queue.put(&slot, intake.end(), None);
        json!({"dataInline": true})
    } else {
        let length = value.pointer("/proposedUploadMethods/putUrl/contentLength").and_then(Value::as_u64);
        let length = length.ok_or_else(|| Refusal::input("no method was proposed"))?.to_string();
        let content_type = text("/proposedUploadMethods/putUrl/contentType").unwrap_or_default().to_owned();
        let headers = json!({
            "Content-Type": content_type, "Content-Length": length, "Content-Encoding": "identity",
        });
        slot.headers = vec![
            ("content-type", content_type),
            ("content-length", length),
            ("content-encoding", "identity".into()),
        ];
        queue.slots.insert(secret.clone(), slot);
        let url = format!("{base}/_store/_object/{object}?signature={secret}");
        json!({"putUrl": {"url": url, "expires": expires, "headers": headers}})
    };
    Ok(json!({
        "projectId": text("/projectId"), "uploadId": upload_id, "expires": text("/expires"), "uploadMethod": method,
    }))
}

/// The real service ignores the data; this one checks it for the tests.
fn finish_upload(shared: &Shared, object: &str, value: &Value) -> Result<Value, Refusal> {
    let upload_id = value.get("uploadId").and_then(Value::as_str).unwrap_or_default();
    let mut queue = shared.queue.current();
    let artifact = queue.uploading(object, upload_id)?;
    let body = artifact.body.as_ref().ok_or_else(|| Refusal::conflict("no data was uploaded"))?;
    let actual = body.sha256().map(hex::encode).unwrap_or_default();
    let said = value.pointer("/hashes/sha256").and_then(Value::as_str);
    if said.is_some_and(|said| said != actual) {
        return Err(Refusal::input(format!("the object's sha256 is {actual}")));
    }
    Ok(json!({}))
}

/// The queue's control interface: GET returns the state, POST sets what it plays.
fn told(shared: &Shared, asked: &Asked<'_>, body: &[u8]) -> Answer {
    if asked.method != Method::POST {
        return Answer::json(200, &shared.queue.to_json());
    }
    match crate::queue::Story::parse(body) {
        Ok(story) => {
            shared.tell(&story);
            Answer::json(200, &json!({}))
        }
        Err(error) => Answer::json(400, &json!({"message": error.to_string()})),
    }
}

/// The upload slot that a PUT to the store belongs to, or why it is refused. Decided before the body is read.
pub(super) fn slot(shared: &Shared, target: &str, headers: &HeaderMap) -> Result<Slot, Answer> {
    let secret = target.rsplit_once('=').map_or("", |(_, secret)| secret);
    let Some(slot) = shared.queue.state().slots.get(secret).cloned() else {
        return Err(denied(403, "AccessDenied"));
    };
    if slot.until <= Timestamp::now() {
        return Err(denied(403, "RequestExpired"));
    }
    if headers.get(CONTENT_LENGTH).is_none() {
        return Err(denied(411, "MissingContentLength"));
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match slot.headers.iter().find(|(name, value)| text(name) != value.as_str()) {
        Some(_) => Err(denied(403, "SignatureDoesNotMatch")),
        None => Ok(slot),
    }
}

/// Takes a whole body. A part of one changes nothing.
pub(super) fn put(shared: &Shared, slot: &Slot, headers: &HeaderMap, intake: Intake) -> io::Result<Answer> {
    let encoding = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    let encoding = encoding.filter(|encoding| *encoding != "identity").map(str::to_owned);
    let received = intake.end();
    let tag = format!("\"{}\"", hex::encode(&received.sha256[..16]));
    shared.queue.state().put(slot, received, encoding);
    Ok(Answer::new(200, "", "application/xml").header(hyper::header::ETAG, tag))
}

/// The error document of S3.
pub(super) fn denied(status: u16, code: &str) -> Answer {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code></Error>");
    Answer::new(status, body, "application/xml")
}
