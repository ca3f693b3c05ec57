//! What was asked and how much was sent.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `HEAD` or `POST`.
    pub method: String,
    /// The whole URL the client meant, scheme and host included, whichever way it came.
    pub url: String,
    /// The `Authorization` header, if one was sent.
    pub authorization: Option<String>,
    /// The `Range` header, if one was sent.
    pub range: Option<String>,
    /// Whether the queue was asked to leave out the CDN.
    pub skip_cdn: bool,
    /// Whether it came over HTTP/2.
    pub http2: bool,
}

/// Counts so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests, CONNECT not counted.
    pub requests: u64,
    /// Bytes of bodies sent, as encoded.
    pub bytes: u64,
    /// Requests per URL.
    pub per_url: BTreeMap<String, u64>,
    /// Connections that were opened.
    pub connections: u64,
}

impl Stats {
    /// How often this URL was asked for.
    pub fn count(&self, url: &str) -> u64 {
        self.per_url.get(url).copied().unwrap_or(0)
    }

    /// URLs asked for more than once, with their counts.
    pub fn repeated(&self) -> Vec<(&str, u64)> {
        self.per_url.iter().filter(|(_, n)| **n > 1).map(|(url, n)| (url.as_str(), *n)).collect()
    }
}

#[derive(Debug, Default)]
struct Seen {
    requests: Vec<Request>,
    /// When each of them arrived.
    arrived: Vec<Instant>,
    per_url: BTreeMap<String, u64>,
}

/// The book every connection writes in.
#[derive(Debug)]
pub(super) struct Ledger {
    opened: Instant,
    seen: Mutex<Seen>,
    bytes: AtomicU64,
    connections: AtomicU64,
}

impl Default for Ledger {
    fn default() -> Self {
        Ledger {
            opened: Instant::now(),
            seen: Mutex::default(),
            bytes: AtomicU64::default(),
            connections: AtomicU64::default(),
        }
    }
}

impl Ledger {
    /// Notes a request and tells which attempt at its URL it is, from 1.
    pub(super) fn request(&self, request: Request) -> u64 {
        let mut seen = self.seen();
        let count = seen.per_url.entry(request.url.clone()).or_default();
        *count += 1;
        let attempt = *count;
        seen.requests.push(request);
        seen.arrived.push(Instant::now());
        attempt
    }

    pub(super) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn stats(&self) -> Stats {
        let seen = self.seen();
        Stats {
            requests: seen.requests.len() as u64,
            bytes: self.bytes.load(Ordering::Relaxed),
            per_url: seen.per_url.clone(),
            connections: self.connections.load(Ordering::Relaxed),
        }
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.seen().requests.clone()
    }

    /// Every request's address in the order they came, and how long after the ledger was opened.
    pub(super) fn arrivals(&self) -> Vec<(Duration, String)> {
        let seen = self.seen();
        let arrived = seen.arrived.iter().map(|at| at.saturating_duration_since(self.opened));
        arrived.zip(seen.requests.iter().map(|request| request.url.clone())).collect()
    }

    pub(super) fn reset(&self) {
        *self.seen() = Seen::default();
        self.bytes.store(0, Ordering::Relaxed);
        self.connections.store(0, Ordering::Relaxed);
    }

    /// The counts stay usable after a panic elsewhere: they are only ever added to.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
