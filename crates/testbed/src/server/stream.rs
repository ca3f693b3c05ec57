//! A response body that is read, generated or repeated piece by piece while it is sent.

use super::ledger::Ledger;
use crate::body::{Body, CHUNK, Noise};
use bytes::{Bytes, BytesMut};
use hyper::body::{Frame, SizeHint};
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::fs::File;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Long enough for what was sent to leave the socket's buffers before the connection is broken.
const FLUSH: Duration = Duration::from_millis(20);

enum Source {
    Bytes(Bytes),
    File(File),
    Noise(Noise),
    Repeat(VecDeque<(Bytes, u64)>),
}

/// How a body ends early.
struct Cut {
    left: u64,
    reset: Option<Arc<AtomicBool>>,
}

struct Drip {
    piece: usize,
    every: Duration,
}

/// The body hyper polls.
pub(super) struct Stream {
    sources: VecDeque<Source>,
    length: Option<u64>,
    pending: Bytes,
    cut: Option<Cut>,
    drip: Option<Drip>,
    wait: Option<Pin<Box<Sleep>>>,
    ledger: Arc<Ledger>,
}

impl Stream {
    pub(super) async fn open(body: &Body, ledger: Arc<Ledger>) -> io::Result<Stream> {
        let (source, length) = match body {
            Body::Bytes(bytes) => (Source::Bytes(bytes.clone()), bytes.len() as u64),
            Body::File(path) => {
                let file = File::open(path).await?;
                let length = file.metadata().await?.len();
                (Source::File(file), length)
            }
            Body::Generated { seed, len } => (Source::Noise(Noise::new(*seed, *len)), *len),
            Body::Repeated(pieces) => (Source::Repeat(pieces.clone().into()), body.len()?),
        };
        Ok(Stream {
            sources: VecDeque::from([source]),
            length: Some(length),
            pending: Bytes::new(),
            cut: None,
            drip: None,
            wait: None,
            ledger,
        })
    }

    /// Each piece as often as it says, one after the other.
    pub(super) fn repeat(pieces: Vec<(Bytes, u64)>, ledger: Arc<Ledger>) -> Stream {
        let length = pieces.iter().map(|(piece, times)| piece.len() as u64 * times).sum();
        let sources = VecDeque::from([Source::Repeat(pieces.into())]);
        let (pending, length) = (Bytes::new(), Some(length));
        Stream { sources, length, pending, cut: None, drip: None, wait: None, ledger }
    }

    /// The body, then zeros for ever; the length is no longer announced.
    pub(super) fn endless(mut self) -> Stream {
        let zeros = Bytes::from_static(&[0; 16 * 1024]);
        self.sources.push_back(Source::Repeat(VecDeque::from([(zeros, u64::MAX)])));
        self.length = None;
        self
    }

    /// The length is not given here; a header gives it.
    pub(super) fn unmeasured(mut self) -> Stream {
        self.length = None;
        self
    }

    /// Breaks the connection after this many bytes; `reset` is raised first if given.
    pub(super) fn cut(mut self, after: u64, reset: Option<Arc<AtomicBool>>) -> Stream {
        self.cut = Some(Cut { left: after, reset });
        self
    }

    /// Sends at most `piece` bytes at a time, `every` so often.
    pub(super) fn drip(mut self, piece: usize, every: Duration) -> Stream {
        self.drip = Some(Drip { piece: piece.max(1), every });
        self
    }

    /// The next piece of the sources, of any size; `None` at the end.
    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if !self.pending.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.pending))));
        }
        while let Some(source) = self.sources.front_mut() {
            let chunk = match source {
                Source::Bytes(bytes) => std::mem::take(bytes),
                Source::Noise(noise) => noise.chunk().unwrap_or_default(),
                Source::Repeat(pieces) => repeated(pieces),
                Source::File(file) => match ready!(poll_file(file, cx)) {
                    Ok(chunk) => chunk,
                    Err(cause) => return Poll::Ready(Some(Err(cause))),
                },
            };
            if !chunk.is_empty() {
                return Poll::Ready(Some(Ok(chunk)));
            }
            self.sources.pop_front();
        }
        Poll::Ready(None)
    }

    /// Keeps what is beyond the drip's or the cut's measure for later.
    fn measure(&mut self, mut chunk: Bytes) -> Bytes {
        let mut most = chunk.len();
        if let Some(drip) = &self.drip {
            most = most.min(drip.piece);
        }
        if let Some(cut) = &self.cut {
            most = most.min(usize::try_from(cut.left).unwrap_or(usize::MAX));
        }
        if most < chunk.len() {
            self.pending = chunk.split_off(most);
        }
        if let Some(cut) = &mut self.cut {
            cut.left -= chunk.len() as u64;
        }
        chunk
    }
}

/// The first piece still due.
fn repeated(pieces: &mut VecDeque<(Bytes, u64)>) -> Bytes {
    while let Some((piece, times)) = pieces.front_mut() {
        if *times > 0 && !piece.is_empty() {
            *times -= 1;
            return piece.clone();
        }
        pieces.pop_front();
    }
    Bytes::new()
}

fn poll_file(file: &mut File, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
    let mut buffer = BytesMut::zeroed(CHUNK);
    let mut read = ReadBuf::new(&mut buffer);
    ready!(Pin::new(file).poll_read(cx, &mut read))?;
    let n = read.filled().len();
    buffer.truncate(n);
    Poll::Ready(Ok(buffer.freeze()))
}

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        if let Some(wait) = &mut this.wait {
            ready!(wait.as_mut().poll(cx));
            this.wait = None;
            if let Some(Cut { left: 0, reset }) = &this.cut {
                if let Some(reset) = reset {
                    reset.store(true, Ordering::Release);
                }
                return Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())));
            }
        }
        if matches!(this.cut, Some(Cut { left: 0, .. })) {
            let mut wait = Box::pin(sleep(FLUSH));
            let polled = wait.as_mut().poll(cx);
            this.wait = Some(wait);
            if polled.is_ready() {
                cx.waker().wake_by_ref();
            }
            return Poll::Pending;
        }
        let chunk = match ready!(this.poll_source(cx)) {
            Some(Ok(chunk)) => this.measure(chunk),
            Some(Err(cause)) => return Poll::Ready(Some(Err(cause))),
            None => return Poll::Ready(None),
        };
        if let Some(drip) = &this.drip {
            this.wait = Some(Box::pin(sleep(drip.every)));
        }
        this.ledger.sent(chunk.len());
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
