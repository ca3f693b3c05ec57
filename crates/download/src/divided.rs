//! A large body in several ranges at the same time.
//!
//! The first answer has the whole body: its stream goes on at the front, while further requests take the pieces
//! after it. Once one of them was answered with a range, the front ends where it meets them; if they are not
//! answered so, it goes on to the end as if nothing had been asked. Later attempts fetch the pieces that are left.

use crate::attempt::{Attempt, Broken, Failed, Object, Partial, REPORT, Wanted, changed, passing};
use crate::pieces::{Claimed, Pieces, Ranges};
use crate::sink::Measured;
use bytes::Bytes;
use catena_fetch::Pace;
use catena_http::Response;
use catena_model::digest::Digest;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use http::{HeaderMap, StatusCode, header};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// Bytes that are handed to a thread at once.
const BATCH: usize = 512 << 10;

/// A body that is fetched in pieces, as far as it is there.
pub(crate) struct Divided {
    object: Object,
    pieces: Pieces,
}

/// Whether ranges are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answered {
    /// Not known yet.
    Unknown,
    Yes,
    No,
}

/// Why streams end before everything is there.
enum Stop {
    /// What is there is of use to the next attempt.
    Failed(Failed),
    /// The object changed, or ranges of it are not answered: what is there is of no use.
    Changed,
}

impl From<Failed> for Stop {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

/// What all streams of one attempt share.
struct Shared<'a> {
    object: &'a Object,
    pieces: &'a Pieces,
    answered: watch::Sender<Answered>,
    reported: AtomicU64,
}

impl Divided {
    pub(crate) fn create(path: &Path, object: Object, ranges: Ranges, wide: bool) -> io::Result<Self> {
        let pieces = Pieces::create(path, object.length, ranges.piece, wide)?;
        Ok(Self { object, pieces })
    }

    pub(crate) fn received(&self) -> u64 {
        self.pieces.received()
    }
}

impl Attempt<'_> {
    /// Whether a body is worth dividing, and may be.
    pub(crate) fn divides(&self, object: &Object, headers: &HeaderMap) -> bool {
        let refused = headers.get(header::ACCEPT_RANGES).is_some_and(|value| value == "none");
        object.is_plain()
            && !refused
            && !self.undivided.load(Ordering::Relaxed)
            && self.division.streams > 1
            && object.length <= self.what.limit
            && object.length >= self.division.piece.saturating_mul(2)
            && self.permits.available_permits() > 0
    }

    /// Fetches the pieces that are left. `front` is an answer with the whole body, if there is one.
    pub(crate) async fn divided(
        &self,
        front: Option<Response>,
        partial: &mut Option<Partial>,
    ) -> Result<Measured, Failed> {
        let Some(Partial::Divided(divided)) = partial else { return Err(changed()) };
        divided.pieces.begin();
        match self.streams(front, divided).await {
            Ok(()) => {}
            Err(Stop::Failed(failed)) => return Err(failed),
            Err(Stop::Changed) => {
                *partial = None;
                return Err(changed());
            }
        }
        let Some(Partial::Divided(divided)) = partial.take() else { return Err(changed()) };
        divided.pieces.end().await.map_err(|source| self.disk(source))
    }

    /// All streams at once, until all pieces are there or one of them fails.
    async fn streams(&self, front: Option<Response>, divided: &Divided) -> Result<(), Stop> {
        let Divided { object, pieces } = divided;
        let known = if front.is_some() { Answered::Unknown } else { Answered::Yes };
        let (answered, reported) = (watch::Sender::new(known), AtomicU64::new(pieces.received()));
        let shared = &Shared { object, pieces, answered, reported };
        let mut running: FuturesUnordered<BoxFuture<'_, Result<(), Stop>>> = FuturesUnordered::new();
        // Claimed before anybody else claims it.
        match front.and_then(|response| Some((response, pieces.claim()?))) {
            Some((response, claimed)) => running.push(self.front(response, claimed, shared).boxed()),
            None => running.push(self.ranges(shared).boxed()),
        }
        let mut permits = Vec::new();
        while permits.len().saturating_add(1) < self.division.streams {
            let Ok(permit) = self.permits.try_acquire() else { break };
            permits.push(permit);
            running.push(self.ranges(shared).boxed());
        }
        while let Some(ended) = running.next().await {
            ended?;
        }
        Ok(())
    }

    /// The stream of the whole body, to where it meets a range; then ranges as the others.
    async fn front(
        &self,
        mut response: Response,
        mut claimed: Claimed,
        shared: &Shared<'_>,
    ) -> Result<(), Stop> {
        let mut pace = Pace::new(self.options);
        let mut over: Option<Bytes> = None;
        loop {
            over = self.piece(&mut response, &mut pace, &mut claimed, over, shared).await?;
            match self.after(claimed, shared).await {
                Some(next) => claimed = next,
                None => break,
            }
        }
        if shared.pieces.is_last(claimed) && over.is_some() {
            return Err(passing("the answer is longer than it announced").into());
        }
        drop(response);
        self.ranges(shared).await
    }

    /// The piece that the front goes on with, unless a range is sure to come for it.
    async fn after(&self, claimed: Claimed, shared: &Shared<'_>) -> Option<Claimed> {
        let mut answered = shared.answered.subscribe();
        loop {
            if let Some(next) = shared.pieces.claim_after(claimed) {
                return Some(next);
            }
            if shared.pieces.is_last(claimed) || *answered.borrow_and_update() == Answered::Yes {
                return None;
            }
            // Whoever claimed it says soon what became of it, or fails, which ends this too.
            answered.changed().await.ok()?;
        }
    }

    /// Fetches pieces until all are claimed.
    async fn ranges(&self, shared: &Shared<'_>) -> Result<(), Stop> {
        while *shared.answered.borrow() != Answered::No {
            let Some(mut claimed) = shared.pieces.claim() else { break };
            let wanted = Wanted { object: shared.object, from: claimed.next, to: Some(claimed.to) };
            let (mut response, url) = self.follow(Some(wanted)).await?;
            match response.status {
                StatusCode::PARTIAL_CONTENT if wanted.is(&response.headers) => {}
                StatusCode::OK if *shared.answered.borrow() != Answered::Yes => {
                    // The stream at the front has all of it.
                    self.undivided.store(true, Ordering::Relaxed);
                    shared.pieces.release(claimed);
                    shared.answered.send_replace(Answered::No);
                    break;
                }
                StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                    self.undivided.store(true, Ordering::Relaxed);
                    return Err(Stop::Changed);
                }
                _ => return Err(self.decline(response, &url).await.into()),
            }
            shared.answered.send_replace(Answered::Yes);
            let mut pace = Pace::new(self.options);
            let over = self.piece(&mut response, &mut pace, &mut claimed, None, shared).await?;
            if over.is_some() {
                return Err(passing("the answer is longer than it announced").into());
            }
        }
        Ok(())
    }

    /// One piece from a body that is at its next byte; what the last chunk has beyond it.
    async fn piece(
        &self,
        response: &mut Response,
        pace: &mut Pace,
        claimed: &mut Claimed,
        mut over: Option<Bytes>,
        shared: &Shared<'_>,
    ) -> Result<Option<Bytes>, Stop> {
        while claimed.next < claimed.to {
            let wanted = usize::try_from(claimed.to.saturating_sub(claimed.next)).unwrap_or(usize::MAX);
            let mut batch = Vec::new();
            let ended = self.batch(response, pace, wanted, &mut over, &mut batch).await;
            shared.pieces.write(claimed, batch).await.map_err(|source| self.disk(source))?;
            self.grown(shared);
            ended.map_err(|broken| self.broken(broken))?;
        }
        Ok(over.filter(|over| !over.is_empty()))
    }

    /// What is worth a thread, and not more than is wanted: what is beyond stays in `over`.
    async fn batch(
        &self,
        response: &mut Response,
        pace: &mut Pace,
        wanted: usize,
        over: &mut Option<Bytes>,
        batch: &mut Vec<Bytes>,
    ) -> Result<(), Broken> {
        let mut left = wanted;
        while left > wanted.saturating_sub(BATCH) {
            let chunk = match over.take() {
                Some(chunk) => Some(chunk),
                None => self.chunk(response, pace).await?,
            };
            let Some(mut chunk) = chunk else {
                return Err(Broken::Passing("the answer is not as long as it announced".to_owned()));
            };
            if chunk.len() > left {
                *over = Some(chunk.split_off(left));
            }
            left = left.saturating_sub(chunk.len());
            batch.push(chunk);
        }
        Ok(())
    }

    fn grown(&self, shared: &Shared<'_>) {
        let received = shared.pieces.received();
        let reported = shared.reported.load(Ordering::Relaxed);
        if received.saturating_sub(reported) >= REPORT {
            shared.reported.store(received, Ordering::Relaxed);
            (self.growing)(received, Some(shared.object.length));
        }
    }

    fn broken(&self, broken: Broken) -> Failed {
        match broken {
            Broken::Passing(reason) => passing(reason),
            Broken::Lasting(reason) => self.lasting(reason),
            Broken::Sink => changed(),
        }
    }

    /// Whether a SHA-512 is wanted.
    pub(crate) fn is_wide(&self) -> bool {
        self.what.expected.digests.iter().any(|digest| matches!(digest, Digest::Sha512(_)))
    }
}
