//! Time limits: for rate limits, and for the next chunk.

use crate::options::Options;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The time until which each host accepts no requests, shared by all requests.
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

/// Whether a body keeps the minimum rate, measured over windows of the length of a stall.
#[derive(Debug)]
pub struct Pace {
    window: Duration,
    minimum: u64,
    began: Instant,
    bytes: u64,
}

impl Pace {
    /// For a body that begins now.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        Self { window: options.stall, minimum: options.minimum_rate, began: Instant::now(), bytes: 0 }
    }

    /// Records a chunk; false if the window that ends with it was too slow.
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
