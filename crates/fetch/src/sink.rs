//! Where a body is processed: in the task that receives its chunks, or in parallel.
//!
//! A task graph is the largest body of most chains. Hashing and scanning it takes longer than receiving
//! it, and when all other data has arrived, the rest of it has one CPU. So this is done in parallel
//! with receiving.

use crate::body::{BodyDecoder, BodyError};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::panic::resume_unwind;
use tokio::task::{JoinHandle, spawn_blocking, yield_now};

/// Bytes on the wire that are decoded at once; 16 KiB of them decode to 16 MiB at most.
const PIECE: usize = 16 << 10;
/// Decoded bytes after which other tasks run.
const REST: u64 = 1 << 20;
/// Bytes on the wire that are passed to a thread at once, so that small chunks do not each cost a
/// thread.
const BATCH: usize = 1 << 20;
/// Chunks that wait for a thread: each takes more memory than its bytes, and the sender determines
/// their size.
const CHUNKS: usize = 1024;

/// Receives one body, chunk by chunk.
pub(crate) enum BodySink {
    /// In the receiving task. The number is that of decoded bytes when other tasks last ran.
    Here(Box<BodyDecoder>, u64),
    /// In parallel.
    Aside(Aside),
}

impl BodySink {
    /// Processes a body in the task that receives it.
    pub(crate) fn here(intake: BodyDecoder) -> Self {
        Self::Here(Box::new(intake), 0)
    }

    /// Processes a body in parallel with receiving it.
    pub(crate) fn aside(intake: BodyDecoder) -> Self {
        let work = std::future::ready(Ok(Box::new(intake))).boxed();
        Self::Aside(Aside { work, waiting: Vec::new(), bytes: 0, decoded: 0 })
    }

    /// Takes a chunk. It waits if chunks arrive faster than they are decoded.
    pub(crate) async fn write(&mut self, chunk: Bytes) -> Result<(), BodyError> {
        match self {
            Self::Here(intake, rested) => {
                for piece in chunk.chunks(largest_piece(intake)) {
                    intake.write(piece)?;
                    // If data arrives faster than it is decoded, this task never waits, and only while
                    // it waits can the deadline take effect and other tasks run.
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

    /// Decoded bytes so far, as far as known here.
    pub(crate) fn decoded(&self) -> u64 {
        match self {
            Self::Here(intake, _) => intake.decoded(),
            Self::Aside(aside) => aside.decoded,
        }
    }

    /// There are no more chunks.
    pub(crate) async fn end(self) -> Result<BodyDecoder, BodyError> {
        match self {
            Self::Here(intake, _) => Ok(*intake),
            Self::Aside(mut aside) => {
                aside.hand_over().await?;
                Ok(*aside.work.await?)
            }
        }
    }
}

/// An uncoded body need not be split.
fn largest_piece(intake: &BodyDecoder) -> usize {
    if intake.is_coded() { PIECE } else { usize::MAX }
}

/// A body that threads process, one batch after another, while the next batch arrives. A thread exists
/// only while there is work.
pub(crate) struct Aside {
    /// The batch before, to its end.
    work: BoxFuture<'static, Result<Box<BodyDecoder>, BodyError>>,
    /// The bytes that arrived since then, and their number.
    waiting: Vec<Bytes>,
    bytes: usize,
    decoded: u64,
}

impl Aside {
    async fn write(&mut self, chunk: Bytes) -> Result<(), BodyError> {
        self.bytes = self.bytes.saturating_add(chunk.len());
        self.waiting.push(chunk);
        if self.bytes < BATCH && self.waiting.len() < CHUNKS { Ok(()) } else { self.hand_over().await }
    }

    /// Starts with the waiting bytes, as soon as the previous batch is done.
    async fn hand_over(&mut self) -> Result<(), BodyError> {
        let mut intake = (&mut self.work).await?;
        self.decoded = intake.decoded();
        let batch = std::mem::take(&mut self.waiting);
        self.bytes = 0;
        let taking = spawn_blocking(move || {
            for chunk in batch {
                chunk.chunks(largest_piece(&intake)).try_for_each(|piece| intake.write(piece))?;
            }
            Ok(intake)
        });
        self.work = done(taking).boxed();
        Ok(())
    }
}

/// The result of a batch. A defect in its thread is propagated to the waiter.
async fn done(
    taking: JoinHandle<Result<Box<BodyDecoder>, BodyError>>,
) -> Result<Box<BodyDecoder>, BodyError> {
    match taking.await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime is shutting down.
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{Bounds, Keep};
    use catena_http::headers::Coding;
    use catena_verify::verification::Fact;

    fn takers(bytes: u64) -> [BodySink; 2] {
        let intake = || BodyDecoder::new(Coding::Identity, Bounds::plain(bytes), false, Keep::Whole, None);
        [BodySink::here(intake()), BodySink::aside(intake())]
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
    async fn a_refusal_ends_the_body_and_is_returned() {
        for mut taker in takers(150_000) {
            let mut refused = None;
            for _ in 0..40 {
                refused = taker.write(vec![0; 100_000].into()).await.err();
                if refused.is_some() {
                    break;
                }
            }
            assert_eq!(refused, Some(BodyError::TooLarge { limit: 150_000 }));
        }
        for mut taker in takers(150_000) {
            // A limit may be noticed only at the end of the body.
            let written = async {
                taker.write(vec![0; 200_000].into()).await?;
                taker.end().await
            };
            assert_eq!(written.await.unwrap_err(), BodyError::TooLarge { limit: 150_000 });
        }
    }

    #[tokio::test]
    async fn progress_is_known() {
        for mut taker in takers(4 << 20) {
            for _ in 0..4 {
                taker.write(vec![0; 1 << 20].into()).await.unwrap();
            }
            assert!((3 << 20..=4 << 20).contains(&taker.decoded()), "{}", taker.decoded());
        }
    }

    #[tokio::test]
    async fn the_smallest_chunks_do_not_pile_up() {
        for mut taker in takers(1 << 20) {
            for _ in 0..3 * CHUNKS {
                taker.write(Bytes::from_static(b"x")).await.unwrap();
            }
            assert!(taker.decoded() >= 2 << 10, "{}", taker.decoded());
            assert_eq!(taker.end().await.unwrap().decoded(), 3 << 10);
        }
    }

    /// In tests, paused time stands still while a thread works, and advances otherwise.
    #[tokio::test(start_paused = true)]
    async fn between_two_chunks_no_thread_is_kept() {
        for mut taker in takers(4 << 20) {
            for _ in 0..3 {
                taker.write(vec![0; 1 << 20].into()).await.unwrap();
                tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
            }
            assert_eq!(taker.end().await.unwrap().decoded(), 3 << 20);
        }
    }
}
