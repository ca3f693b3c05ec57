//! The body of a request.

use crate::transport::{Chunks, TransportError};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// The body of a request.
#[derive(Clone, Debug, Default)]
pub enum RequestBody {
    /// No body.
    #[default]
    Empty,
    /// Bytes in memory.
    Bytes(Bytes),
    /// Bytes that are read while they are sent.
    Stream(StreamBody),
}

impl RequestBody {
    /// A body that `open` reads from its first byte, each time that the request is sent: a retry sends
    /// the whole body again. It has exactly `length` bytes; a stream of another length fails the
    /// request.
    pub fn stream(length: u64, open: impl Fn() -> Chunks + Send + Sync + 'static) -> Self {
        Self::Stream(StreamBody { length, open: Arc::new(open) })
    }

    /// Its length in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Bytes(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Self::Stream(stream) => stream.length,
        }
    }

    /// The body of one attempt.
    pub(crate) fn open(self) -> Outgoing {
        match self {
            Self::Empty => Outgoing::Whole(Full::default()),
            Self::Bytes(bytes) => Outgoing::Whole(Full::new(bytes)),
            Self::Stream(StreamBody { length, open }) => {
                Outgoing::Stream { chunks: open(), left: length, failed: false }
            }
        }
    }
}

impl From<Bytes> for RequestBody {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

/// A body of known length that can be read from its first byte as often as needed.
#[derive(Clone)]
pub struct StreamBody {
    length: u64,
    open: Arc<dyn Fn() -> Chunks + Send + Sync>,
}

impl StreamBody {
    /// Opens it at its first byte.
    #[must_use]
    pub fn open(&self) -> Chunks {
        (self.open)()
    }
}

impl fmt::Debug for StreamBody {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a stream of {} bytes", self.length)
    }
}

/// The body of one attempt, as hyper sends it.
pub(crate) enum Outgoing {
    Whole(Full<Bytes>),
    Stream { chunks: Chunks, left: u64, failed: bool },
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let (chunks, left, failed) = match &mut *self {
            Self::Whole(body) => {
                return Pin::new(body).poll_frame(cx).map_err(|never| match never {});
            }
            Self::Stream { chunks, left, failed } => (chunks, left, failed),
        };
        if *failed {
            return Poll::Ready(None);
        }
        let next = match ready!(chunks.poll_next_unpin(cx)) {
            Some(Ok(chunk)) => {
                let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                match left.checked_sub(length) {
                    Some(rest) => {
                        *left = rest;
                        Some(Ok(Frame::data(chunk)))
                    }
                    None => Some(Err(TransportError::lasting("the body is longer than announced"))),
                }
            }
            Some(Err(error)) => Some(Err(error)),
            None if *left > 0 => {
                Some(Err(TransportError::lasting(format!("the body is {left} bytes shorter than announced"))))
            }
            None => None,
        };
        *failed = matches!(next, Some(Err(_)));
        Poll::Ready(next)
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Stream { left, failed, .. } => *left == 0 && !failed,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Stream { left, .. } => SizeHint::with_exact(*left),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    fn body(length: u64, chunks: &'static [&'static str]) -> RequestBody {
        RequestBody::stream(length, move || {
            futures_util::stream::iter(chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))))
                .boxed()
        })
    }

    async fn sent(body: RequestBody) -> Result<Bytes, TransportError> {
        Ok(body.open().collect().await?.to_bytes())
    }

    #[tokio::test]
    async fn a_stream_is_sent_whole_each_time() {
        let body = body(5, &["ab", "", "cde"]);
        assert_eq!(body.length(), 5);
        for _ in 0..2 {
            assert_eq!(sent(body.clone()).await.unwrap(), "abcde");
        }
    }

    #[tokio::test]
    async fn a_stream_of_another_length_fails() {
        for (length, text) in [(4, "longer"), (6, "1 bytes shorter")] {
            let error = sent(body(length, &["ab", "cde"])).await.unwrap_err();
            assert!(error.message.contains(text), "{error}");
        }
    }

    #[tokio::test]
    async fn bytes_in_memory_are_sent_unchanged() {
        assert_eq!(sent(RequestBody::Empty).await.unwrap(), "");
        assert_eq!(sent(Bytes::from_static(b"abc").into()).await.unwrap(), "abc");
        assert_eq!(RequestBody::from(Bytes::from_static(b"abc")).length(), 3);
    }
}
