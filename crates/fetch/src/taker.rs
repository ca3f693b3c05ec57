//! Where a body is taken in: where its chunks arrive, or by a thread of its own.
//!
//! A task graph is the largest body of most chains. To hash it and to scan it takes longer than to receive
//! it, and what is left of it when everything else is there has one CPU. So that is done beside receiving.

use crate::body::{BodyError, Intake};
use bytes::Bytes;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking, yield_now};

/// Bytes on the wire that are decoded at once; 16 KiB of them decode to 16 MiB at most.
const PIECE: usize = 16 << 10;
/// Decoded bytes after which others get their turn.
const REST: u64 = 1 << 20;
/// Chunks that may wait for the thread. The largest have 400 KiB.
const WAITING: usize = 4;

/// Takes in one body, chunk by chunk.
#[derive(Debug)]
pub(crate) enum Taker {
    /// Where the chunks arrive. The number is of decoded bytes when others last had their turn.
    Here(Box<Intake>, u64),
    /// Beside that.
    Aside(Aside),
}

impl Taker {
    /// Takes a body in where its chunks arrive.
    pub(crate) fn here(intake: Intake) -> Self {
        Self::Here(Box::new(intake), 0)
    }

    /// Takes a body in beside where its chunks arrive.
    pub(crate) fn aside(intake: Intake) -> Self {
        Self::Aside(Aside::begin(intake))
    }

    /// Takes a chunk. It waits where chunks come faster than they are decoded.
    pub(crate) async fn write(&mut self, chunk: Bytes) -> Result<(), BodyError> {
        match self {
            Self::Here(intake, rested) => {
                for piece in chunk.chunks(largest_piece(intake)) {
                    intake.write(piece)?;
                    // What comes faster than it is decoded never makes us wait, and it is while we wait
                    // that the deadline is looked at and others get their turn.
                    if intake.decoded().saturating_sub(*rested) >= REST {
                        *rested = intake.decoded();
                        yield_now().await;
                    }
                }
                Ok(())
            }
            Self::Aside(aside) => aside.write(chunk).await,
        }
    }

    /// Decoded bytes so far.
    pub(crate) fn decoded(&self) -> u64 {
        match self {
            Self::Here(intake, _) => intake.decoded(),
            Self::Aside(aside) => aside.decoded.load(Ordering::Relaxed),
        }
    }

    /// There are no more chunks.
    pub(crate) async fn end(self) -> Result<Intake, BodyError> {
        match self {
            Self::Here(intake, _) => Ok(*intake),
            Self::Aside(Aside { chunks, mut taking, .. }) => {
                drop(chunks);
                ended(&mut taking).await
            }
        }
    }
}

/// What comes as it is need not be cut up.
fn largest_piece(intake: &Intake) -> usize {
    if intake.is_coded() { PIECE } else { usize::MAX }
}

/// A body that a thread takes in. The thread ends with it.
#[derive(Debug)]
pub(crate) struct Aside {
    chunks: mpsc::Sender<Bytes>,
    decoded: Arc<AtomicU64>,
    taking: JoinHandle<Result<Intake, BodyError>>,
}

impl Aside {
    fn begin(mut intake: Intake) -> Self {
        let (chunks, mut waiting) = mpsc::channel::<Bytes>(WAITING);
        let decoded = Arc::new(AtomicU64::new(0));
        let counted = decoded.clone();
        let taking = spawn_blocking(move || {
            while let Some(chunk) = waiting.blocking_recv() {
                chunk.chunks(largest_piece(&intake)).try_for_each(|piece| intake.write(piece))?;
                counted.store(intake.decoded(), Ordering::Relaxed);
            }
            Ok(intake)
        });
        Self { chunks, decoded, taking }
    }

    async fn write(&mut self, chunk: Bytes) -> Result<(), BodyError> {
        match self.chunks.send(chunk).await {
            Ok(()) => Ok(()),
            // The thread takes chunks until one of them is refused.
            Err(_) => ended(&mut self.taking).await.map(drop),
        }
    }
}

/// What became of it. A defect of the thread is one of whoever waits for it.
async fn ended(taking: &mut JoinHandle<Result<Intake, BodyError>>) -> Result<Intake, BodyError> {
    match taking.await {
        Ok(ended) => ended,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // Everything is being broken off, and so are we.
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{Bounds, Keep};
    use crate::headers::Coding;
    use catena_core::inquiry::Fact;

    fn takers(bytes: u64) -> [Taker; 2] {
        let intake = || Intake::new(Coding::Identity, Bounds::plain(bytes), false, Keep::Whole, None);
        [Taker::here(intake()), Taker::aside(intake())]
    }

    #[tokio::test]
    async fn a_body_is_the_same_wherever_it_is_taken_in() {
        let chunks: Vec<Bytes> = (0..40_u8).map(|byte| vec![byte; 100_000].into()).collect();
        for mut taker in takers(4_000_000) {
            for chunk in chunks.clone() {
                taker.write(chunk).await.unwrap();
            }
            let intake = taker.end().await.unwrap();
            assert_eq!(intake.decoded(), 4_000_000);
            let Fact::Body(body) = intake.finish().unwrap().fact else { panic!("not a body") };
            assert_eq!(*body.bytes, *chunks.concat());
        }
    }

    #[tokio::test]
    async fn what_is_refused_ends_it_and_is_told() {
        for mut taker in takers(150_000) {
            let refused = loop {
                if let Err(error) = taker.write(vec![0; 100_000].into()).await {
                    break error;
                }
            };
            assert_eq!(refused, BodyError::TooLarge { limit: 150_000 });
        }
        for mut taker in takers(150_000) {
            // The thread may not have come to the last chunk when there are no more.
            let written = async {
                taker.write(vec![0; 200_000].into()).await?;
                taker.end().await
            };
            assert_eq!(written.await.unwrap_err(), BodyError::TooLarge { limit: 150_000 });
        }
    }

    #[tokio::test]
    async fn it_is_told_how_far_it_is() {
        for mut taker in takers(1 << 20) {
            taker.write(vec![0; 1000].into()).await.unwrap();
            while taker.decoded() < 1000 {
                yield_now().await;
            }
            assert_eq!(taker.decoded(), 1000);
        }
    }
}
