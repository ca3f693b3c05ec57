//! How long anything is waited for: between attempts, for a rate limit, for the next chunk.

use crate::options::Options;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Waits between attempts: drawn evenly from nothing to a bound that doubles with each attempt
/// ("full jitter"), so that many who failed together do not come back together.
#[derive(Debug)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    retry_after_cap: Duration,
    state: AtomicU64,
}

impl Backoff {
    /// Waits as the options have them.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        Self {
            first: options.backoff,
            cap: options.backoff_cap,
            retry_after_cap: options.retry_after_cap,
            state: AtomicU64::new(options.seed),
        }
    }

    /// How long to wait after the attempt of this number (from 1) failed. What the server asks for
    /// is added to the draw, not put in its place: it tells everybody the same.
    pub fn wait(&self, attempt: u32, retry_after: Option<Duration>) -> Duration {
        let doublings = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        let bound = self.first.saturating_mul(doublings).min(self.cap);
        let drawn = self.draw(bound);
        retry_after.map_or(drawn, |wait| wait.min(self.retry_after_cap).saturating_add(drawn.min(self.first)))
    }

    /// Evenly from nothing to the bound, by splitmix64.
    fn draw(&self, bound: Duration) -> Duration {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        let milliseconds = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(z.checked_rem(milliseconds.saturating_add(1)).unwrap_or(0))
    }
}

/// Until when each host wants no requests, so that not everybody runs into the same wall.
#[derive(Debug, Default)]
pub(crate) struct Closed(Mutex<HashMap<String, Instant>>);

impl Closed {
    pub(crate) fn until(&self, host: &str, instant: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned(), instant);
    }

    /// How long the host is still closed.
    pub(crate) fn wait(&self, host: &str) -> Option<Duration> {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match hosts.get(host) {
            Some(until) if *until > now => Some(until.duration_since(now)),
            Some(_) => {
                hosts.remove(host);
                None
            }
            None => None,
        }
    }
}

/// Whether a body keeps the minimum rate, measured over windows as long as a stall may be.
#[derive(Debug)]
pub struct Pace {
    window: Duration,
    minimum: u64,
    began: Instant,
    bytes: u64,
}

impl Pace {
    /// Of a body that begins now.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        Self { window: options.stall, minimum: options.minimum_rate, began: Instant::now(), bytes: 0 }
    }

    /// Notes a chunk; false when the window that ends with it was too slow.
    pub fn keeps(&mut self, chunk: usize) -> bool {
        self.bytes = self.bytes.saturating_add(u64::try_from(chunk).unwrap_or(u64::MAX));
        let elapsed = self.began.elapsed();
        if elapsed < self.window {
            return true;
        }
        let kept = self.bytes >= self.minimum.saturating_mul(elapsed.as_secs());
        (self.began, self.bytes) = (Instant::now(), 0);
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_drawn_below_a_doubling_bound() {
        let backoff = Backoff::new(&Options { backoff_cap: Duration::from_secs(6), ..Options::default() });
        for (attempt, bound) in [(1, 1000), (2, 2000), (3, 4000), (4, 6000), (40, 6000)] {
            let drawn: Vec<u128> = (0..200).map(|_| backoff.wait(attempt, None).as_millis()).collect();
            assert!(drawn.iter().all(|wait| *wait <= bound), "{attempt}");
            assert!(drawn.iter().any(|wait| *wait > bound / 2), "{attempt}");
            assert!(drawn.iter().any(|wait| *wait < bound / 2), "{attempt}");
        }
    }

    #[test]
    fn the_seed_decides() {
        let draw = |seed| {
            let backoff = Backoff::new(&Options { seed, ..Options::default() });
            (1..5).map(|attempt| backoff.wait(attempt, None)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn retry_after_is_obeyed_and_capped() {
        let backoff = Backoff::new(&Options::default());
        let wait = |seconds| backoff.wait(1, Some(Duration::from_secs(seconds))).as_secs_f64();
        assert!((7.0..=8.0).contains(&wait(7)));
        assert!((60.0..=61.0).contains(&wait(100_000)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_drip_does_not_keep_pace() {
        let mut pace = Pace::new(&Options::default());
        for second in 1..30 {
            tokio::time::advance(Duration::from_secs(1)).await;
            assert!(pace.keeps(1), "{second}");
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!pace.keeps(1));
        for _ in 0..100 {
            tokio::time::advance(Duration::from_secs(10)).await;
            assert!(pace.keeps(2560 + 1));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_is_closed_until_it_is_not() {
        let closed = Closed::default();
        closed.until("api.github.com", Instant::now() + Duration::from_secs(5));
        assert_eq!(closed.wait("api.github.com"), Some(Duration::from_secs(5)));
        assert_eq!(closed.wait("github.com"), None);
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(closed.wait("api.github.com"), None);
    }
}
