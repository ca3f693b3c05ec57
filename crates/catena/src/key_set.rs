//! A set of keys that a service publishes. It can only narrow a trust file (specification 13.2), so that whoever
//! answers at the address can withhold keys, and can add none.

use crate::{Error, TextFile};
use catena_http::headers::{self, Coding};
use catena_http::{Backoff, Request, RequestBody, Shown, Transport, TransportErrorKind, is_loopback};
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use url::Url;

/// The largest set of keys, in bytes: more than 10,000 keys.
const LARGEST: usize = 1 << 20;
/// How long one attempt may take, its answer included.
const ATTEMPT: Duration = Duration::from_secs(30);
const ATTEMPTS: u32 = 5;
const BACKOFF: Duration = Duration::from_millis(500);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);

/// The address of a set of keys: https, or http on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySetUrl(Url);

/// Why an attempt gave no keys.
enum Failed {
    /// It may pass.
    Passing(String),
    /// It will not.
    Lasting(String),
}

impl KeySetUrl {
    /// Whether a text is meant as an address, and not as the name of a file.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        ["https://", "http://"]
            .iter()
            .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
    }

    /// Reads an address.
    ///
    /// # Errors
    /// [`Error::KeySetUrl`]: it is malformed, is neither https nor http on this machine, or has a user, a
    /// password or a fragment.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::KeySetUrl { reason: reason.to_owned() };
        let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(wrong("plain http is only for this machine")),
            _ => return Err(wrong("it is not an https address")),
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(wrong("it has a user, a password or a fragment"));
        }
        Ok(Self(url))
    }

    /// Fetches the set: a map from worker implementation to a list of keys, in YAML or JSON. No redirect is
    /// followed, and no credentials are sent.
    ///
    /// # Errors
    /// [`Error::KeySet`]: it could not be fetched, or is not a text of at most 1 MiB.
    pub async fn fetch(&self, transport: &dyn Transport) -> Result<TextFile, Error> {
        let name = Shown(&self.0).to_string();
        let backoff = Backoff::new(BACKOFF, LONGEST_BACKOFF, LONGEST_BACKOFF, 0);
        let mut number = 1;
        loop {
            let attempt = timeout(ATTEMPT, self.attempt(transport)).await;
            let attempt = attempt.unwrap_or_else(|_| Err(Failed::Passing("it timed out".to_owned())));
            match attempt {
                Ok(text) => return Ok(TextFile { name, text }),
                Err(Failed::Passing(reason)) if number < ATTEMPTS => {
                    tracing::info!("{name}: {reason}; retried");
                    sleep(backoff.wait(number, None)).await;
                    number = number.saturating_add(1);
                }
                Err(Failed::Passing(reason) | Failed::Lasting(reason)) => {
                    return Err(Error::KeySet { address: name, reason });
                }
            }
        }
    }

    async fn attempt(&self, transport: &dyn Transport) -> Result<String, Failed> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let request = Request { method: Method::GET, url: self.0.clone(), headers, body: RequestBody::Empty };
        let response = transport.send(request).await?;
        match response.status {
            StatusCode::OK => {}
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                return Err(Failed::Passing(format!("the server answered with status {}", status.as_u16())));
            }
            status if status.is_redirection() => {
                let what =
                    format!("the server redirects (status {}), which is not followed", status.as_u16());
                return Err(Failed::Lasting(what));
            }
            status => {
                return Err(Failed::Lasting(format!("the server answered with status {}", status.as_u16())));
            }
        }
        match headers::coding(&response.headers) {
            Ok(Coding::Identity) => {}
            Ok(_) => return Err(Failed::Lasting("the answer is compressed".to_owned())),
            Err(coding) => return Err(Failed::Lasting(format!("the answer has the coding {coding:?}"))),
        }
        let (mut bytes, mut body) = (Vec::new(), response.body);
        while let Some(chunk) = body.next().await {
            let chunk = chunk?;
            if bytes.len().saturating_add(chunk.len()) > LARGEST {
                return Err(Failed::Lasting("the answer is larger than 1 MiB".to_owned()));
            }
            bytes.extend_from_slice(&chunk);
        }
        String::from_utf8(bytes).map_err(|_| Failed::Lasting("the answer is not UTF-8".to_owned()))
    }
}

impl From<catena_http::TransportError> for Failed {
    fn from(error: catena_http::TransportError) -> Self {
        match error.kind {
            TransportErrorKind::Passing => Self::Passing(error.message),
            TransportErrorKind::Lasting => Self::Lasting(error.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_http::{Response, TransportError};
    use futures_util::future::BoxFuture;
    use futures_util::stream;
    use std::sync::Mutex;

    /// An answer: a status, the headers, and the body.
    type Answer = (u16, &'static [(&'static str, &'static str)], Vec<u8>);

    /// Gives answers one after the other.
    struct Script(Mutex<Vec<Answer>>);

    impl Transport for Script {
        fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
            assert_eq!((request.method, request.body.length()), (Method::GET, 0));
            assert!(!request.headers.contains_key(header::AUTHORIZATION));
            let mut answers = self.0.lock().unwrap();
            let next = if answers.is_empty() { None } else { Some(answers.remove(0)) };
            Box::pin(async move {
                let (status, headers, body) =
                    next.ok_or_else(|| TransportError::lasting("no more answers"))?;
                let headers = headers.iter().map(|(name, value)| {
                    (name.parse::<header::HeaderName>().unwrap(), HeaderValue::from_static(value))
                });
                let chunks: Vec<_> = body.chunks(64 << 10).map(|part| Ok(part.to_vec().into())).collect();
                Ok(Response {
                    status: StatusCode::from_u16(status).unwrap(),
                    headers: headers.collect(),
                    body: stream::iter(chunks).boxed(),
                })
            })
        }
    }

    async fn fetched(answers: Vec<Answer>) -> Result<String, String> {
        let url = KeySetUrl::parse("https://keys.example/set?secret=1").unwrap();
        match url.fetch(&Script(Mutex::new(answers))).await {
            Ok(file) => {
                assert_eq!(file.name, "https://keys.example/set");
                Ok(file.text)
            }
            Err(error @ Error::KeySet { .. }) => Err(error.to_string()),
            Err(other) => panic!("{other}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_set_is_fetched_with_retries_and_limits() {
        let good = || (200, &[][..], b"{}".to_vec());
        assert_eq!(fetched(vec![good()]).await.unwrap(), "{}");
        let busy = || (503, &[][..], Vec::new());
        assert_eq!(fetched(vec![busy(), (429, &[], Vec::new()), good()]).await.unwrap(), "{}");
        assert!(
            fetched(vec![busy(), busy(), busy(), busy(), busy(), good()]).await.unwrap_err().contains("503")
        );
        let largest = vec![b' '; LARGEST];
        assert_eq!(fetched(vec![(200, &[], largest.clone())]).await.unwrap().len(), LARGEST);
        for (answer, told) in [
            ((404, &[][..], Vec::new()), "status 404"),
            ((302, &[("location", "https://elsewhere.example/")][..], Vec::new()), "redirects"),
            ((200, &[("content-encoding", "gzip")][..], Vec::new()), "compressed"),
            ((200, &[("content-encoding", "zstd")][..], Vec::new()), "coding"),
            ((200, &[][..], [largest, vec![b' ']].concat()), "larger than 1 MiB"),
            ((200, &[][..], vec![0xff]), "not UTF-8"),
        ] {
            // A second answer would be good: what does not pass is not retried.
            let error = fetched(vec![answer, good()]).await.unwrap_err();
            assert!(error.contains(told) && error.contains("https://keys.example/set"), "{told}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn addresses_are_https_or_on_this_machine() {
        for good in ["https://wm.example/keys?x=1", "http://127.0.0.1:8080/keys", "http://localhost/"] {
            assert!(KeySetUrl::is_meant(good) && KeySetUrl::parse(good).is_ok(), "{good}");
        }
        for wrong in [
            "http://wm.example/keys",
            "HTTP://wm.example/keys",
            "http://localhost.example/",
            "https://user@wm.example/",
            "https://:secret@wm.example/",
            "https://wm.example/#keys",
            "https://",
        ] {
            assert!(KeySetUrl::is_meant(wrong), "{wrong}");
            let error = KeySetUrl::parse(wrong).unwrap_err();
            assert!(
                matches!(error, Error::KeySetUrl { .. }) && !error.to_string().contains("secret"),
                "{error}"
            );
        }
        for file in ["keys.yml", "/etc/keys", "https", "http:keys", "ftp://x/keys"] {
            assert!(!KeySetUrl::is_meant(file), "{file}");
        }
    }
}
