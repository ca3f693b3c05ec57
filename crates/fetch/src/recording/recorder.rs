//! Writes a recording.

use super::format::{Entry, FORMAT, FactEntry, Index, NeedEntry, VERSION};
use super::{BODIES, INDEX};
use crate::body::measure;
use crate::progress::{Event, Progress};
use catena_core::inquiry::{Fact, Need};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Records everything an inquiry is told. It listens to the driver, and so hears exactly what the
/// inquiry hears, what missed the deadline included.
pub struct Recorder {
    folder: PathBuf,
    next: Arc<dyn Progress>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    facts: BTreeMap<Need, FactEntry>,
    bodies: BTreeSet<[u8; 32]>,
    problem: Option<io::Error>,
}

impl Recorder {
    /// Starts a recording in a folder, which is made where there is none, and passes everything it
    /// hears on.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(folder: &Path, next: Arc<dyn Progress>) -> io::Result<Self> {
        fs::create_dir_all(folder.join(BODIES))?;
        Ok(Self { folder: folder.to_owned(), next, state: Mutex::default() })
    }

    /// Writes the index, and with it `about`: what is needed to judge again as it was judged, which
    /// is the caller's to say.
    ///
    /// # Errors
    /// The first thing that could not be written, now or before. There is no index then.
    pub fn finish(&self, about: BTreeMap<String, String>) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { facts, problem, .. } = std::mem::take(&mut *state);
        if let Some(problem) = problem {
            return Err(problem);
        }
        let facts =
            facts.into_iter().map(|(need, fact)| Entry { need: NeedEntry::from(&need), fact }).collect();
        let index = Index { format: FORMAT.to_owned(), version: VERSION, about, facts };
        let mut text = serde_json::to_vec_pretty(&index)?;
        text.push(b'\n');
        place(&self.folder, &self.folder.join(INDEX), &text)
    }

    fn record(&self, need: &Need, fact: &Fact) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match self.entry(&mut state, fact) {
            Ok(entry) => {
                // The first fact is the one that the inquiry keeps.
                state.facts.entry(need.clone()).or_insert(entry);
            }
            Err(error) => state.problem = state.problem.take().or(Some(error)),
        }
    }

    fn entry(&self, state: &mut State, fact: &Fact) -> io::Result<FactEntry> {
        Ok(match fact {
            Fact::Body(body) => {
                self.keep(state, &body.measurement.sha256, &body.bytes)?;
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
                            self.keep(state, &sha256, bytes)?;
                            kept.insert(task_id.to_string(), hex::encode(sha256));
                        }
                        FactEntry::Graph { measured, entries: kept }
                    }
                }
            }
            Fact::Recalled(fact) => FactEntry::Recalled { fact: Box::new(self.entry(state, fact)?) },
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
    fn keep(&self, state: &mut State, sha256: &[u8; 32], bytes: &[u8]) -> io::Result<()> {
        if state.bodies.insert(*sha256) {
            let bodies = self.folder.join(BODIES);
            place(&bodies, &bodies.join(hex::encode(sha256)), bytes)?;
        }
        Ok(())
    }
}

impl Progress for Recorder {
    fn event(&self, event: Event<'_>) {
        if let Event::Answered { need, fact } = event {
            self.record(need, fact);
        }
        self.next.event(event);
    }
}

/// Writes a file whole or not at all.
fn place(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path).map(drop).map_err(|error| error.error)
}
