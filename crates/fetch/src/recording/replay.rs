//! Reads a recording.

use super::format::{FORMAT, FactEntry, Index, Measured, VERSION, digest, task};
use super::{BODIES, INDEX};
use crate::body::measure;
use crate::source::FactSource;
use catena_model::Limits;
use catena_model::digest::Measurement;
use catena_model::graph::GraphScan;
use catena_verify::verdict::Source;
use catena_verify::verification::{Body, Fact, Need, Shape};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::time::Instant;

/// Answers needs from a recording. Facts that it lacks are unreachable.
#[derive(Debug)]
pub struct Replay {
    facts: HashMap<Need, Fact>,
}

/// Why a recording cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// A file cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's message.
        reason: String,
    },
    /// The index is malformed.
    #[error("the recording's index is malformed at line {line}, column {column}: {reason}")]
    Index {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The error.
        reason: String,
    },
    /// Not a recording, or of an unknown version.
    #[error("not a {FORMAT} of version {VERSION} but {found:?}")]
    Version {
        /// The identifier in the file.
        found: String,
    },
    /// An entry that no recorder writes.
    #[error("fact {position} of the recording: {reason}")]
    Fact {
        /// Its position among the facts, from 0.
        position: usize,
        /// The error.
        reason: String,
    },
}

/// An index names bodies and contains none: a larger one is not of a valid chain.
const LARGEST_INDEX: u64 = 256 << 20;

/// The source of bodies: by digest, with a limit on the bytes.
type Bodies<'a> = dyn FnMut(&[u8; 32], u64) -> io::Result<Vec<u8>> + 'a;

impl Replay {
    /// Reads a recording from its directory.
    ///
    /// # Errors
    /// Anything that no recorder writes: unknown members, bodies with another digest, facts that do not
    /// answer their need.
    pub fn open(folder: &Path, limits: &Limits) -> Result<Self, RecordingError> {
        let path = folder.join(INDEX);
        let index = read(&path, LARGEST_INDEX)
            .map_err(|error| RecordingError::Read { path, reason: error.to_string() })?;
        let bodies = folder.join(BODIES);
        Self::parse(&index, &mut |sha256, limit| read(&bodies.join(hex::encode(sha256)), limit), limits)
    }

    /// Reads a recording from its index, and its bodies from a function that takes a SHA-256 and a
    /// limit of bytes.
    ///
    /// # Errors
    /// As [`Replay::open`].
    pub fn parse(index: &[u8], bodies: &mut Bodies<'_>, limits: &Limits) -> Result<Self, RecordingError> {
        let index: Index = serde_json::from_slice(index).map_err(|error| RecordingError::Index {
            line: error.line(),
            column: error.column(),
            reason: error.to_string(),
        })?;
        if index.format != FORMAT || index.version != VERSION {
            let found = format!("{} {}", index.format.chars().take(40).collect::<String>(), index.version);
            return Err(RecordingError::Version { found });
        }
        let mut reader = Reader { bodies, limits, read: HashMap::new() };
        let mut facts = HashMap::with_capacity(index.facts.len());
        for (position, entry) in index.facts.into_iter().enumerate() {
            let wrong = |reason| RecordingError::Fact { position, reason };
            let need = entry.need.need().map_err(wrong)?;
            let fact = reader.fact(&need, entry.fact).map_err(wrong)?;
            if facts.insert(need, fact).is_some() {
                return Err(wrong("its need has a fact already".to_owned()));
            }
        }
        Ok(Self { facts })
    }

    /// The needs that the recording answers, in no order.
    pub fn needs(&self) -> impl Iterator<Item = &Need> {
        self.facts.keys()
    }

    /// The recorded answer.
    #[must_use]
    pub fn answer(&self, need: &Need) -> Fact {
        self.facts
            .get(need)
            .cloned()
            .unwrap_or_else(|| Fact::Unreachable { reason: "not in the recording".to_owned(), attempts: 0 })
    }
}

impl FactSource for Replay {
    fn fact(self: Arc<Self>, need: Need, _deadline: Instant) -> BoxFuture<'static, Fact> {
        std::future::ready(self.answer(&need)).boxed()
    }

    fn origin(&self) -> Source {
        Source::Recording
    }
}

struct Reader<'a, 'b> {
    bodies: &'a mut Bodies<'b>,
    limits: &'a Limits,
    read: HashMap<[u8; 32], Arc<[u8]>>,
}

impl Reader<'_, '_> {
    fn fact(&mut self, need: &Need, entry: FactEntry) -> Result<Fact, String> {
        let (shape, fact) = match entry {
            FactEntry::Absent { status, message } => return Ok(Fact::Absent { status, message }),
            FactEntry::Refused { status, message } => return Ok(Fact::Refused { status, message }),
            FactEntry::Unreachable { reason, attempts } => return Ok(Fact::Unreachable { reason, attempts }),
            FactEntry::Body { measured } => (Shape::Body, self.body(&measured)?),
            FactEntry::Measured { measured } => (Shape::Measurement, Fact::Measured(measured.measurement()?)),
            FactEntry::Graph { measured, entries } => {
                (Shape::Graph, self.graph(need, measured.measurement()?, &entries)?)
            }
            FactEntry::UnreadableGraph { measured, error } => {
                let scan = GraphScan { measurement: measured.measurement()?, entries: Err(error.error()?) };
                (Shape::Graph, Fact::Graph(scan))
            }
            FactEntry::Recalled { fact }
                if matches!(*fact, FactEntry::Measured { .. } | FactEntry::Graph { .. }) =>
            {
                return Ok(Fact::Recalled(Box::new(self.fact(need, *fact)?)));
            }
            FactEntry::Confirmed { fact } if fact.has_bytes() => {
                return Ok(Fact::Confirmed(Box::new(self.fact(need, *fact)?)));
            }
            FactEntry::Confirmed { .. } => return Err(format!("nothing to confirm for {need}")),
            FactEntry::Recalled { .. } => return Err(format!("nothing to recall for {need}")),
        };
        if shape == need.shape() { Ok(fact) } else { Err(format!("not an answer to {need}")) }
    }

    fn body(&mut self, measured: &Measured) -> Result<Fact, String> {
        let measurement = measured.measurement()?;
        let bytes = self.bytes(&measurement.sha256, self.limits.answer_bytes)?;
        if measure(&bytes, measurement.sha512.is_some()) != measurement {
            return Err(format!("the body {} is not as it was measured", measured.sha256));
        }
        Ok(Fact::Body(Body { bytes, measurement }))
    }

    fn graph(
        &mut self,
        need: &Need,
        measurement: Measurement,
        entries: &BTreeMap<String, String>,
    ) -> Result<Fact, String> {
        let Need::TaskGraph { wanted, .. } = need else { return Err(format!("not an answer to {need}")) };
        let limit = u64::try_from(self.limits.graph_entry_bytes).unwrap_or(u64::MAX);
        let mut kept = BTreeMap::new();
        for (text, sha256) in entries {
            let task_id = task(text)?;
            if !wanted.contains(&task_id) {
                return Err(format!("the entry of task {task_id} was not wanted"));
            }
            kept.insert(task_id, self.bytes(&digest(sha256)?, limit)?);
        }
        Ok(Fact::Graph(GraphScan { measurement, entries: Ok(kept) }))
    }

    /// The bytes with this digest, read and measured once.
    fn bytes(&mut self, sha256: &[u8; 32], limit: u64) -> Result<Arc<[u8]>, String> {
        if let Some(bytes) = self.read.get(sha256) {
            return Ok(bytes.clone());
        }
        let named = || hex::encode(sha256);
        let bytes = (self.bodies)(sha256, limit).map_err(|error| format!("the body {}: {error}", named()))?;
        if measure(&bytes, false).sha256 != *sha256 {
            return Err(format!("the body {} has another digest", named()));
        }
        let bytes: Arc<[u8]> = Arc::from(bytes);
        self.read.insert(*sha256, bytes.clone());
        Ok(bytes)
    }
}

/// A complete file, if it is not larger than the limit.
fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= limit) {
        Ok(bytes)
    } else {
        Err(io::Error::other(format!("larger than {limit} bytes")))
    }
}
