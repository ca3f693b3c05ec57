//! The only interface to the network: a request in, the head of an answer and its body as a stream out.

use crate::body::RequestBody;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use http::{HeaderMap, Method, StatusCode};
use std::fmt;
use url::{Host, Url};

/// One request, sent unchanged: a transport follows no redirects, adds no credentials, decodes nothing
/// and tries once.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The address.
    pub url: Url,
    /// Its headers. Credentials among them are marked sensitive.
    pub headers: HeaderMap,
    /// Its body.
    pub body: RequestBody,
}

impl fmt::Debug for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.method, Shown(&self.url))
    }
}

/// An address without its secret parts: the query contains the signature of a signed address.
pub struct Shown<'a>(pub &'a Url);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        if let Some(port) = self.0.port() {
            write!(out, ":{port}")?;
        }
        out.write_str(self.0.path())
    }
}

/// Whether an address is on this machine.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether two addresses have the same scheme, host and port.
#[must_use]
pub fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// The raw bytes of a body as they arrive.
pub type Chunks = BoxStream<'static, Result<Bytes, TransportError>>;

/// The head of an answer, and its body to come.
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, still coded as the headers say. If the body is shorter than announced, the stream ends
    /// with an error.
    pub body: Chunks,
}

impl fmt::Debug for Response {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "answer {}", self.status)
    }
}

/// Why no complete answer arrived.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// What kind of failure it is.
    pub kind: TransportErrorKind,
    /// The message, without secrets.
    pub message: String,
}

/// Kinds of failures of a transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportErrorKind {
    /// Temporary: no connection, a reset, a truncated body.
    Passing,
    /// Permanent: an untrusted certificate, no trusted roots at all.
    Lasting,
}

impl TransportError {
    /// A temporary failure.
    pub fn passing(message: impl Into<String>) -> Self {
        Self { kind: TransportErrorKind::Passing, message: message.into() }
    }

    /// A permanent failure.
    pub fn lasting(message: impl Into<String>) -> Self {
        Self { kind: TransportErrorKind::Lasting, message: message.into() }
    }
}

/// A sender of requests.
pub trait Transport: Send + Sync {
    /// Sends one request and waits for the head of its answer.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displayed_addresses_contain_no_secret() {
        let url = Url::parse("https://user:pass@s3.example:8443/a/b?X-Amz-Signature=secret#f").unwrap();
        assert_eq!(Shown(&url).to_string(), "https://s3.example:8443/a/b");
        let mut headers = HeaderMap::new();
        headers.insert("authorization", http::HeaderValue::from_static("secret"));
        let request =
            Request { method: Method::GET, url, headers, body: Bytes::from_static(b"secret").into() };
        assert_eq!(format!("{request:?}"), "GET https://s3.example:8443/a/b");
    }

    #[test]
    fn this_machine() {
        let loopback = |text: &str| is_loopback(&Url::parse(text).unwrap());
        for here in [
            "http://127.0.0.1:1/",
            "http://127.8.9.1/",
            "http://[::1]/",
            "http://localhost:80/",
            "http://0x7f.1/",
        ] {
            assert!(loopback(here), "{here}");
        }
        for there in [
            "http://0.0.0.0/",
            "http://tc.example/",
            "http://localhost.evil.example/",
            "http://[::ffff:10.0.0.1]/",
            "http://10.0.0.1/",
        ] {
            assert!(!loopback(there), "{there}");
        }
    }
}
