//! Waits between two attempts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Random waits between attempts: uniform from zero to a bound that doubles with each attempt ("full
/// jitter"), so that clients that failed together do not retry together.
#[derive(Debug)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    retry_after_cap: Duration,
    state: AtomicU64,
}

impl Backoff {
    /// The first wait is at most `first`, no wait is longer than `cap`, and a server's `Retry-After` is
    /// obeyed up to `retry_after_cap`. Clients that start together should have different seeds.
    #[must_use]
    pub fn new(first: Duration, cap: Duration, retry_after_cap: Duration, seed: u64) -> Self {
        Self { first, cap, retry_after_cap, state: AtomicU64::new(seed) }
    }

    /// The wait after the attempt of this number (from 1) failed. The server's `Retry-After` is added
    /// to the random wait, since all clients get the same.
    pub fn wait(&self, attempt: u32, retry_after: Option<Duration>) -> Duration {
        let doublings = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        let bound = self.first.saturating_mul(doublings).min(self.cap);
        let drawn = self.draw(bound);
        retry_after.map_or(drawn, |wait| wait.min(self.retry_after_cap).saturating_add(drawn.min(self.first)))
    }

    /// Uniform from zero to the bound, by splitmix64.
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

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn backoff(cap: u64, seed: u64) -> Backoff {
        Backoff::new(Duration::from_secs(1), Duration::from_secs(cap), MINUTE, seed)
    }

    #[test]
    fn waits_are_drawn_below_a_doubling_bound() {
        let backoff = backoff(6, 0);
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
            let backoff = backoff(30, seed);
            (1..5).map(|attempt| backoff.wait(attempt, None)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn retry_after_is_obeyed_and_capped() {
        let backoff = backoff(30, 0);
        let wait = |seconds| backoff.wait(1, Some(Duration::from_secs(seconds))).as_secs_f64();
        assert!((7.0..=8.0).contains(&wait(7)));
        assert!((60.0..=61.0).contains(&wait(100_000)));
    }
}
