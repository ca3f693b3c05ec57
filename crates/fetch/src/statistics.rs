//! The cost of fetching.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The cost of fetching so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Requests that were sent, including redirects and retries.
    pub requests: u64,
    /// Bytes of bodies as they came over the wire.
    pub received: u64,
    /// Bytes after decoding, of bodies that arrived whole.
    pub decoded: u64,
    /// Attempts after the first.
    pub retries: u64,
    /// Redirects that were followed.
    pub redirects: u64,
    /// Needs that were answered from another need's answer at the same address.
    pub reused: u64,
    /// The rest of its rate limit that each host last stated.
    pub remaining: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) requests: Counter,
    pub(crate) received: Counter,
    pub(crate) decoded: Counter,
    pub(crate) retries: Counter,
    pub(crate) redirects: Counter,
    pub(crate) reused: Counter,
    remaining: Mutex<BTreeMap<String, u64>>,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(crate) fn remains(&self, host: &str, remaining: u64) {
        let mut hosts = self.remaining.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.insert(host.to_owned(), remaining);
    }

    pub(crate) fn snapshot(&self) -> Statistics {
        Statistics {
            requests: self.requests.read(),
            received: self.received.read(),
            decoded: self.decoded.read(),
            retries: self.retries.read(),
            redirects: self.redirects.read(),
            reused: self.reused.read(),
            remaining: self.remaining.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}
