//! HTTP: one narrow [`Transport`], over HTTP/1.1 and HTTP/2 with TLS and proxies, and what the headers of
//! an answer say.
//!
//! A transport sends one request unchanged. Redirects, retries, credentials and decoding are up to its
//! users.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod backoff;
mod body;
pub mod headers;
mod http_transport;
mod secret;
mod transport;

pub use backoff::Backoff;
pub use body::{RequestBody, StreamBody};
pub use http_transport::{HttpOptions, HttpSetupError, HttpTransport, Proxy};
pub use secret::{Secret, bearer, sensitive};
pub use transport::{
    Chunks, Request, Response, Shown, Transport, TransportError, TransportErrorKind, is_loopback, same_origin,
};
