//! Answers before they are put on the wire, and what faults make of them.

use super::ledger::Ledger;
use super::stream::Stream;
use crate::body::Body;
use crate::fault::{self, Fault};
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const JSON: &str = "application/json; charset=utf-8";

/// Status, headers, body.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(HeaderName, String)>,
    body: Body,
}

impl Answer {
    pub(super) fn new(status: u16, body: impl Into<Body>, content_type: &str) -> Answer {
        Answer { status, headers: vec![(CONTENT_TYPE, content_type.to_owned())], body: body.into() }
    }

    pub(super) fn json(status: u16, value: &Value) -> Answer {
        Answer::new(status, value.to_string(), JSON)
    }

    /// JSON text that is sent untouched.
    pub(super) fn json_text(text: bytes::Bytes) -> Answer {
        Answer::new(200, text, JSON)
    }

    /// An error as Taskcluster's services tell it.
    pub(super) fn error(status: u16, code: &str, message: &str, method: &str, params: &Value) -> Answer {
        let full = format!(
            "{message}\n\n---\n\n* method:     {method}\n* errorCode:  {code}\n* statusCode: {status}"
        );
        Answer::json(
            status,
            &json!({
                "code": code,
                "message": full,
                "requestInfo": {
                    "method": method, "params": params, "payload": {}, "time": "2026-08-12T10:00:00.000Z",
                },
            }),
        )
    }

    /// What the queue answers for an artifact: the place of its body.
    pub(super) fn see_other(url: &str) -> Answer {
        Answer::json(303, &json!({"storageType": "s3", "url": url}))
            .header(LOCATION, url)
            .header(HeaderName::from_static("x-taskcluster-artifact-storage-type"), "s3")
    }

    pub(super) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }

    /// Puts the answer on the wire the way `fault` bends it; `reset` breaks the connection hard.
    pub(super) async fn send(
        mut self,
        fault: Option<Fault>,
        ledger: Arc<Ledger>,
        reset: Arc<AtomicBool>,
    ) -> io::Result<Response<Stream>> {
        match &fault {
            Some(Fault::Redirect(to)) => self = Answer::see_other(to),
            Some(Fault::Replace(body)) => {
                self.body = body.clone();
                self.headers.retain(|(name, _)| name != CONTENT_ENCODING);
            }
            Some(Fault::Encoding(encoding)) => {
                self = self.header(CONTENT_ENCODING, encoding.clone());
            }
            Some(Fault::Announce { length }) => {
                self = self.header(CONTENT_LENGTH, length.to_string());
            }
            Some(Fault::Instead { status, headers, body }) => {
                self = Answer { status: *status, headers: named(headers), body: body.clone() };
            }
            Some(Fault::GzipBomb { .. }) => {
                self.status = 200;
                self.headers.retain(|(name, _)| name != CONTENT_ENCODING && name != LOCATION);
                self = self.header(CONTENT_ENCODING, "gzip");
            }
            _ => {}
        }
        let stream = Stream::open(&self.body, ledger.clone()).await?;
        let stream = match fault {
            Some(Fault::Reset { after }) => stream.cut(after, Some(reset)),
            Some(Fault::Truncate { after }) => stream.cut(after, None),
            Some(Fault::Endless) => stream.endless(),
            // What was sent reaches the client before it is found to be too short.
            Some(Fault::Announce { length }) if length > self.body.len()? => {
                stream.unmeasured().cut(self.body.len()?, None)
            }
            Some(Fault::Announce { .. }) => stream.unmeasured(),
            Some(Fault::Drip { bytes, every }) => stream.drip(bytes, every),
            Some(Fault::GzipBomb { unpacked }) => Stream::repeat(fault::bomb(unpacked), ledger),
            _ => stream,
        };
        Ok(self.response(stream))
    }

    fn response(self, stream: Stream) -> Response<Stream> {
        let mut response = Response::new(stream);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            // A name in the site that cannot be a header value is left out; the reader sees it missing.
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    pub(super) fn failed(status: u16) -> Answer {
        if status == 424 {
            let reason = "file-missing-on-worker";
            return Answer::json(status, &json!({"reason": reason, "message": "the task did not make it"}));
        }
        let code = match status {
            401 => "AuthenticationFailed",
            403 => "InsufficientScopes",
            404 => "ResourceNotFound",
            409 => "RequestConflict",
            410 => "ResourceExpired",
            429 => "TooManyRequests",
            500 => "InternalServerError",
            503 => "ResourceTemporarilyUnavailable",
            _ => "UnknownError",
        };
        Answer::error(status, code, "A fault laid over this address.", "fault", &json!({}))
    }
}

/// Headers of a fault; malformed names are omitted.
fn named(headers: &[(String, String)]) -> Vec<(HeaderName, String)> {
    let name = |name: &str| HeaderName::from_bytes(name.as_bytes()).ok();
    headers.iter().filter_map(|(key, value)| Some((name(key)?, value.clone()))).collect()
}
