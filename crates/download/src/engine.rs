//! One download, over as many attempts as it takes: it is resumed where it broke off, and fetched once more
//! from its origin where it is not what it must be.

use crate::attempt::{Attempt, Failed, Partial};
use crate::error::DownloadError;
use crate::pieces::Ranges;
use crate::request::Download;
use crate::sink::Measured;
use catena_fetch::Options;
use catena_http::Backoff;
use catena_http::{Shown, Transport};
use catena_model::digest::Digest;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

/// Told of the decoded bytes so far, and of how many there will be where that is known.
pub type Growing<'a> = &'a (dyn Fn(u64, Option<u64>) + Send + Sync);

/// An attempt that got so far does not count as one: the connection is bad, and it helps to go on.
const PROGRESS: u64 = 8 << 20;

/// Downloads over a transport.
pub struct Downloader {
    transport: Arc<dyn Transport>,
    options: Options,
    backoff: Backoff,
    ranges: Ranges,
    /// Pieces that may be fetched beside the first of each body.
    streams: Semaphore,
}

impl std::fmt::Debug for Downloader {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Downloader").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Downloader {
    /// Downloads over this transport, with these waits and bounds.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, options: Options) -> Self {
        let backoff =
            Backoff::new(options.backoff, options.backoff_cap, options.retry_after_cap, options.seed);
        let ranges = Ranges::default();
        Self { transport, options, backoff, ranges, streams: Semaphore::new(ranges.total) }
    }

    /// The same, with large bodies divided otherwise.
    #[must_use]
    pub fn with_ranges(self, ranges: Ranges) -> Self {
        Self { ranges, streams: Semaphore::new(ranges.total), ..self }
    }

    /// Downloads to a file, which nobody may use before this returns: what it holds may be anything.
    ///
    /// # Errors
    /// Anything but bytes that are what they must be.
    pub async fn download(
        &self,
        what: &Download,
        to: &Path,
        deadline: Instant,
        growing: Growing<'_>,
    ) -> Result<Measured, DownloadError> {
        let first = match self.whole(what, to, false, deadline, growing).await {
            Err(mismatch @ DownloadError::Mismatch { .. }) => mismatch,
            Err(other) => return Err(other),
            Ok(measured) => match check(what, &measured) {
                Ok(()) => return Ok(measured),
                Err(mismatch) => mismatch,
            },
        };
        tracing::warn!("{first}; it is fetched once more from its origin");
        let measured = self.whole(what, to, true, deadline, growing).await?;
        check(what, &measured).map(|()| measured)
    }

    /// Downloads what nothing is known of. `from_origin` leaves out every cache on the way.
    pub(crate) async fn answer(
        &self,
        what: &Download,
        to: &Path,
        from_origin: bool,
        deadline: Instant,
    ) -> Result<Measured, DownloadError> {
        self.whole(what, to, from_origin, deadline, &|_, _| {}).await
    }

    /// Comes to the end of a body, whatever it holds.
    async fn whole(
        &self,
        what: &Download,
        to: &Path,
        origin: bool,
        deadline: Instant,
        growing: Growing<'_>,
    ) -> Result<Measured, DownloadError> {
        let attempt = Attempt {
            transport: &*self.transport,
            options: &self.options,
            division: self.ranges,
            permits: &self.streams,
            undivided: AtomicBool::new(false),
            what,
            to,
            origin,
            growing,
        };
        let url = || Shown(&what.url).to_string();
        let mut partial: Option<Partial> = None;
        let (mut tried, mut reached): (u32, u64) = (0, 0);
        let mut last = "it did not end".to_owned();
        loop {
            let ended = tokio::time::timeout_at(deadline, attempt.make(&mut partial)).await;
            let (reason, retry_after) = match ended {
                Ok(Ok(measured)) => return Ok(measured),
                Ok(Err(Failed::Finally(error))) => return Err(error),
                Ok(Err(Failed::Passing { reason, retry_after })) => (reason, retry_after),
                Err(_) => return Err(DownloadError::Deadline { url: url(), reason: last }),
            };
            let now = partial.as_ref().map_or(0, Partial::received);
            if now.saturating_sub(reached) >= PROGRESS {
                tried = 0;
            }
            reached = now;
            tried = tried.saturating_add(1);
            tracing::info!(url = %Shown(&what.url), tried, %reason, "a download failed");
            if tried >= self.options.attempts {
                return Err(DownloadError::Unreachable { url: url(), attempts: tried, reason });
            }
            let until = Instant::now().checked_add(self.backoff.wait(tried, retry_after));
            match until.filter(|until| *until < deadline) {
                Some(until) => sleep_until(until).await,
                None => return Err(DownloadError::Deadline { url: url(), reason }),
            }
            last = reason;
        }
    }
}

/// Whether a body is what it must be.
fn check(what: &Download, measured: &Measured) -> Result<(), DownloadError> {
    let differs = |what_differs, expected: String, actual: String| {
        let url = Shown(&what.url).to_string();
        Err(DownloadError::Mismatch { url, what: what_differs, expected, actual })
    };
    if let Some(length) = what.expected.length.filter(|length| *length != measured.length) {
        return differs("the length", length.to_string(), measured.length.to_string());
    }
    for expected in &what.expected.digests {
        let (name, actual) = match expected {
            Digest::Sha256(_) => ("the SHA-256", Some(Digest::Sha256(measured.sha256))),
            Digest::Sha512(_) => ("the SHA-512", measured.sha512.map(Digest::Sha512)),
        };
        if actual != Some(*expected) {
            let actual = actual.map_or_else(|| "an unknown value".to_owned(), |actual| actual.to_hex());
            return differs(name, expected.to_hex(), actual);
        }
    }
    Ok(())
}
