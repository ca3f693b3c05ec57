//! Writes a recording.

use super::format::{Entry, FORMAT, FactEntry, Index, NeedEntry, VERSION};
use super::{BODIES, INDEX};
use crate::body::measure;
use catena_verify::verification::{Fact, Need};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Records the facts of a verification.
#[derive(Debug)]
pub struct Recorder {
    folder: PathBuf,
    /// The bodies that were written.
    bodies: BTreeSet<[u8; 32]>,
}

impl Recorder {
    /// A recording in a directory, which is created if it does not exist.
    ///
    /// # Errors
    /// The directory cannot be created.
    pub fn new(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder.join(BODIES))?;
        Ok(Self { folder: folder.to_owned(), bodies: BTreeSet::new() })
    }

    /// Writes facts, each with its need, and then the index that completes the recording.
    ///
    /// # Errors
    /// The first item that could not be written. There is no index then.
    pub fn write<'a>(mut self, facts: impl IntoIterator<Item = (&'a Need, &'a Fact)>) -> io::Result<()> {
        let mut entries = BTreeMap::new();
        for (need, fact) in facts {
            entries.insert(need, self.entry(fact)?);
        }
        let entries = entries.into_iter().map(|(need, fact)| Entry { need: NeedEntry::from(need), fact });
        let index = Index { format: FORMAT.to_owned(), version: VERSION, facts: entries.collect() };
        let mut text = serde_json::to_vec_pretty(&index)?;
        text.push(b'\n');
        place(&self.folder, &self.folder.join(INDEX), &text)
    }

    fn entry(&mut self, fact: &Fact) -> io::Result<FactEntry> {
        Ok(match fact {
            Fact::Body(body) => {
                self.keep(&body.measurement.sha256, &body.bytes)?;
                FactEntry::Body { measured: (&body.measurement).into() }
            }
            Fact::Measured(measurement) => FactEntry::Measured { measured: measurement.into() },
            Fact::Graph(scan) => {
                let measured = (&scan.measurement).into();
                match &scan.entries {
                    Err(error) => FactEntry::UnreadableGraph { measured, error: error.into() },
                    Ok(entries) => {
                        let mut kept = BTreeMap::new();
                        for (task_id, bytes) in entries {
                            let sha256 = measure(bytes, false).sha256;
                            self.keep(&sha256, bytes)?;
                            kept.insert(task_id.to_string(), hex::encode(sha256));
                        }
                        FactEntry::Graph { measured, entries: kept }
                    }
                }
            }
            Fact::Confirmed(fact) => FactEntry::Confirmed { fact: Box::new(self.entry(fact)?) },
            Fact::Recalled(fact) => FactEntry::Recalled { fact: Box::new(self.entry(fact)?) },
            Fact::Absent { status, message } => {
                FactEntry::Absent { status: *status, message: message.clone() }
            }
            Fact::Refused { status, message } => {
                FactEntry::Refused { status: *status, message: message.clone() }
            }
            Fact::Unreachable { reason, attempts } => {
                FactEntry::Unreachable { reason: reason.clone(), attempts: *attempts }
            }
        })
    }

    /// Writes a body, once.
    fn keep(&mut self, sha256: &[u8; 32], bytes: &[u8]) -> io::Result<()> {
        if self.bodies.insert(*sha256) {
            let bodies = self.folder.join(BODIES);
            place(&bodies, &bodies.join(hex::encode(sha256)), bytes)?;
        }
        Ok(())
    }
}

/// Writes a complete file or none.
fn place(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path).map(drop).map_err(|error| error.error)
}
