//! From a stored payload to a fact: through the same sink as a body from the network, with the same
//! limits, measured again.

use super::payload::{self, Payload};
use super::subject::is_immutable;
use super::{Cache, Snapshot};
use crate::body::{BodyDecoder, BodyError, Bounds, Keep, ReceivedBody};
use crate::budget::{MemoryBudget, Reservation, length};
use crate::fetcher::wants_sha512;
use crate::graphs::GraphDecoder;
use catena_http::headers::Coding;
use catena_model::digest::Measurement;
use catena_model::graph::{GraphScan, Scanner};
use catena_model::task::ArtifactName;
use catena_store::Name;
use catena_verify::verification::{Fact, Need};
use catena_workdir::Staging;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

const CHUNK: usize = 256 << 10;

/// The memory of answers from a cache while they are held.
pub(super) struct Held {
    budget: Arc<MemoryBudget>,
    shares: Mutex<Vec<Reservation>>,
}

impl Held {
    pub(super) fn within(budget: Arc<MemoryBudget>) -> Self {
        Self { budget, shares: Mutex::default() }
    }
}

/// One read from the cache. It may take as long as hashing an artifact.
pub(super) struct Look<'a> {
    pub(super) cache: &'a Cache,
    /// The place that artifact bytes are copied to as well. Artifacts that cannot be copied are treated
    /// as not stored.
    pub(super) staging: Option<&'a Staging>,
    pub(super) held: &'a Held,
    /// The result is no longer needed.
    pub(super) abandoned: &'a AtomicBool,
}

impl Look<'_> {
    /// The stored fact for a need with an immutable answer.
    pub(super) fn lasting(&self, need: &Need) -> Option<Fact> {
        if !is_immutable(need) {
            return None;
        }
        match need {
            Need::TaskGraph { .. } => self.graph(need),
            _ => self.kept(need),
        }
    }

    /// A graph from the entries that were stored for the same need, or from parts for any need.
    fn graph(&self, need: &Need) -> Option<Fact> {
        let in_parts = || self.entries(need, super::graph::scan(self.cache, need)?);
        self.kept(need).or_else(in_parts).or_else(|| self.scanned(need))
    }

    /// Entries alone cannot be published: if a graph may be published, its bytes are copied as well,
    /// and their measurement must be that of the entries.
    fn entries(&self, need: &Need, scan: GraphScan) -> Option<Fact> {
        let mut share = Reservation::of(&self.held.budget);
        let entries = scan.entries.iter().flatten();
        share.take(entries.map(|(_, entry)| length(entry.len())).sum()).ok()?;
        self.held.shares.lock().unwrap_or_else(PoisonError::into_inner).push(share);
        if self.staging.is_none() {
            return Some(Fact::Recalled(Box::new(Fact::Graph(scan))));
        }
        self.blob(need, &scan.measurement, Keep::Nothing)?;
        Some(Fact::Graph(scan))
    }

    /// The stored fact for a need with a mutable answer.
    pub(super) fn seen(&self, need: &Need, seen: &Snapshot) -> Option<Fact> {
        self.fact(need, seen.answer(need)?)
    }

    fn kept(&self, need: &Need) -> Option<Fact> {
        let payload = self.cache.lasting(need)?;
        self.fact(need, &payload)
    }

    fn fact(&self, need: &Need, payload: &[u8]) -> Option<Fact> {
        match payload::decode(need, payload)? {
            Payload::Body(bytes) => self.body(need, bytes),
            Payload::Measured(measurement) if self.staging.is_some() => {
                self.blob(need, &measurement, Keep::Nothing)
            }
            Payload::Measured(measurement) => Some(Fact::Recalled(Box::new(Fact::Measured(measurement)))),
            Payload::Graph(scan) => self.entries(need, scan),
            Payload::Absent { status, message } => Some(Fact::Absent { status, message: message.to_owned() }),
        }
    }

    fn body(&self, need: &Need, bytes: &[u8]) -> Option<Fact> {
        let bounds = Bounds::plain(self.cache.limits.answer_bytes);
        let staging = self.staging.filter(|_| matches!(need, Need::Content { .. }));
        let staged = staging.map(Staging::begin).transpose().ok()?;
        let intake = BodyDecoder::new(Coding::Identity, bounds, wants_sha512(need), Keep::Whole, staged);
        let mut intake = intake.within(Some(Reservation::of(&self.held.budget)));
        intake.write(bytes).ok()?;
        self.hold(need, intake.finish().ok()?)
    }

    /// A graph for a need with other entries: scanned again.
    fn scanned(&self, need: &Need) -> Option<Fact> {
        let Need::TaskGraph { task_id, run_id, wanted, sha512 } = need else { return None };
        let name = ArtifactName::task_graph();
        let artifact = Need::Artifact { task_id: *task_id, run_id: *run_id, name, sha512: *sha512 };
        let payload = self.cache.lasting(&artifact)?;
        let Payload::Measured(measurement) = payload::decode(&artifact, &payload)? else { return None };
        if measurement.length > self.cache.limits.graph_bytes {
            return None;
        }
        let intake = GraphDecoder::scanned(Scanner::new(wanted.clone(), &self.cache.limits));
        self.blob(need, &measurement, Keep::Graph(Box::new(intake)))
    }

    /// The bytes of an artifact, which must have the measurement in an authentic entry.
    fn blob(&self, need: &Need, measurement: &Measurement, keep: Keep) -> Option<Fact> {
        let name = Name::Blob(measurement.sha256);
        let mut reader = match self.cache.store.read(&name) {
            Ok(reader) => reader?,
            Err(error) => {
                self.cache.drop_broken(&name, &error);
                return None;
            }
        };
        let staged = self.staging.map(Staging::begin).transpose().ok()?;
        let bounds = Bounds::plain(measurement.length);
        let intake = BodyDecoder::new(Coding::Identity, bounds, wants_sha512(need), keep, staged);
        let intake = intake.within(Some(Reservation::of(&self.held.budget)));
        match self.copied(intake, reader.as_mut()) {
            Ok(taken) if taken.measurement == *measurement => self.hold(need, taken),
            Ok(_) => self.differs(&name, &"it has another digest"),
            Err(Unread::Kept(error)) => self.differs(&name, &error),
            // The local disk is full, or the result is no longer needed.
            Err(Unread::Otherwise) => None,
        }
    }

    fn differs(&self, name: &Name, why: &dyn std::fmt::Display) -> Option<Fact> {
        self.cache.drop_broken(name, why);
        None
    }

    fn copied(&self, mut intake: BodyDecoder, reader: &mut dyn Read) -> Result<ReceivedBody, Unread> {
        let mut buffer = vec![0; CHUNK];
        loop {
            if self.abandoned.load(Ordering::Relaxed) {
                return Err(Unread::Otherwise);
            }
            match reader.read(&mut buffer) {
                Ok(0) => return intake.finish().map_err(Unread::from),
                Ok(read) => intake.write(buffer.get(..read).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Unread::Kept(error.to_string())),
            }
        }
    }

    /// Keeps the bytes until the verdict if they may be published.
    fn hold(&self, need: &Need, taken: ReceivedBody) -> Option<Fact> {
        if let (Some(staging), Some(file), Some(artifact)) = (self.staging, taken.staged, need.artifact()) {
            staging.hold(artifact, file, taken.measurement).ok()?;
        }
        self.held.shares.lock().unwrap_or_else(PoisonError::into_inner).extend(taken.share);
        Some(taken.fact)
    }
}

/// Why a blob did not become a fact.
enum Unread {
    /// Its contents are wrong.
    Kept(String),
    /// Another reason.
    Otherwise,
}

impl From<BodyError> for Unread {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Disk(_) => Self::Otherwise,
            other => Self::Kept(other.to_string()),
        }
    }
}

/// The digest of everything in a reader.
pub(super) fn sha256(reader: &mut dyn Read) -> io::Result<[u8; 32]> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; CHUNK];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finalize().into()),
            Ok(read) => hasher.update(buffer.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
