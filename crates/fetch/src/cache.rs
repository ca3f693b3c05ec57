//! A cache of immutable data, in an untrusted store.
//!
//! Everything from the cache is a fact like one from the network and passes the same verification.
//! Entries are authenticated with a key that is stored elsewhere, and the bytes of artifacts are
//! hashed, on every use ([`seal()`], [`Store`]). An entry that fails its check is dropped, and the
//! network is used. Only facts of a "verified" are stored.

mod cached;
mod graph;
mod intake;
mod payload;
mod snapshot;
mod subject;

pub use cached::Cached;
pub use payload::{Payload, decode, encode};
pub use snapshot::Snapshot;

use crate::statistics::Counter;
use catena_model::Limits;
use catena_store::{DirectoryStore, Key, Name, Store, inspect, open, seal};
use catena_taskcluster::RootUrl;
use catena_verify::verification::Need;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use subject::Address;

/// Bytes of an entry beside its payload, with a margin: its head and its address.
const OVERHEAD: u64 = 1 << 20;

/// A store with the key that authenticates entries, and the Taskcluster that they belong to.
#[derive(Debug)]
pub struct Cache {
    store: Box<dyn Store>,
    key: Key,
    root: RootUrl,
    limits: Limits,
    counters: Counters,
    warned: AtomicBool,
}

#[derive(Debug, Default)]
struct Counters {
    hits: Counter,
    misses: Counter,
    broken: Counter,
    written: Counter,
    bytes: Counter,
}

/// The cache's statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStatistics {
    /// Needs that were answered from the cache.
    pub hits: u64,
    /// Needs that it could have answered, and other sources did.
    pub misses: u64,
    /// Entries that failed their check and were dropped.
    pub broken: u64,
    /// Entries that were written.
    pub written: u64,
    /// Its bytes.
    pub bytes: u64,
}

impl Cache {
    /// A cache for this Taskcluster and the sources of its tasks.
    #[must_use]
    pub fn new(store: Box<dyn Store>, key: Key, root: RootUrl, limits: Limits) -> Self {
        let (counters, warned) = (Counters::default(), AtomicBool::new(false));
        Self { store, key, root, limits, counters, warned }
    }

    /// The statistics so far.
    #[must_use]
    pub fn statistics(&self) -> CacheStatistics {
        let Counters { hits, misses, broken, written, bytes } = &self.counters;
        CacheStatistics {
            hits: hits.read(),
            misses: misses.read(),
            broken: broken.read(),
            written: written.read(),
            bytes: bytes.read(),
        }
    }

    /// The stored payload for a need.
    fn lasting(&self, need: &Need) -> Option<Vec<u8>> {
        self.payload(&Address::lasting(&self.root, need), self.longest())
    }

    /// Bytes of the longest payload: an answer, or all wanted entries of a graph.
    fn longest(&self) -> u64 {
        self.limits.answer_bytes.max(self.limits.held_bytes / 16)
    }

    /// The payload at an address, if there is an authentic one.
    fn payload(&self, address: &Address, limit: u64) -> Option<Vec<u8>> {
        let name = Name::Entry(address.digest());
        let entry = match self.entry(&name, limit.saturating_add(OVERHEAD)) {
            Ok(entry) => entry?,
            Err(error) => {
                self.drop_broken(&name, &error);
                return None;
            }
        };
        match open(&self.key, address.as_bytes(), &entry) {
            Ok(payload) => Some(payload.to_vec()),
            Err(error) => {
                self.drop_broken(&name, &error);
                None
            }
        }
    }

    fn entry(&self, name: &Name, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(reader) = self.store.read(name)? else { return Ok(None) };
        let mut entry = Vec::new();
        reader.take(limit.saturating_add(1)).read_to_end(&mut entry)?;
        if u64::try_from(entry.len()).is_ok_and(|length| length <= limit) {
            Ok(Some(entry))
        } else {
            Err(io::Error::other(format!("larger than {limit} bytes")))
        }
    }

    /// Drops an entry that fails its check. Others may be able to write to the store, or a disk is
    /// failing: this is logged, but not repeatedly.
    fn drop_broken(&self, name: &Name, why: &dyn std::fmt::Display) {
        self.counters.broken.add(1);
        if self.warned.swap(true, Ordering::Relaxed) {
            tracing::debug!(%name, %why, "dropped from the cache");
        } else {
            tracing::warn!(%name, %why, "dropped from the cache, and asked for again; there may be more");
        }
        if let Err(error) = self.store.remove(name) {
            tracing::debug!(%name, %error, "cannot be dropped");
        }
    }

    fn keep(&self, address: &Address, payload: &[u8]) -> io::Result<()> {
        let entry = seal(&self.key, address.as_bytes(), payload);
        self.write(&Name::Entry(address.digest()), &mut entry.as_slice())
    }

    fn write(&self, name: &Name, from: &mut dyn Read) -> io::Result<()> {
        let bytes = self.store.write(name, from)?;
        self.counters.written.add(1);
        self.counters.bytes.add(bytes);
        Ok(())
    }
}

/// Looks at everything a directory keeps: whether entries are ours and at their place, and blobs have
/// their digest. Returns what does not. Without a key no entry counts as ours.
///
/// # Errors
/// The directory cannot be read.
pub fn check(store: &DirectoryStore, key: Option<&Key>) -> io::Result<Vec<Name>> {
    let is_good = |name: &Name| -> io::Result<bool> {
        let Some(mut reader) = store.read(name)? else { return Ok(true) };
        match name {
            Name::Blob(digest) => Ok(intake::sha256(reader.as_mut())? == *digest),
            Name::Entry(digest) => {
                let mut entry = Vec::new();
                reader.take(u64::from(u32::MAX)).read_to_end(&mut entry)?;
                let address = key.map(|key| inspect(key, &entry).map(|(address, _)| address));
                Ok(matches!(address, Some(Ok(address)) if subject::digest(address) == *digest))
            }
        }
    };
    let names = store.names()?.into_iter();
    Ok(names.filter(|name| !is_good(name).unwrap_or(false)).collect())
}
