//! The logs of one task. They are artifacts that only the worker makes, whatever its script leaves in their place.

use super::live::{self, LiveLog};
use super::worker::CHAIN_FILE;
use crate::config::Directories;
use catena_model::task::ArtifactName;
use catena_signing::{artifact_name, beneath};
use catena_upload::{Snapshot, SnapshotError};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::Path;

/// The name of the verdict among the logs of a task.
pub(crate) const VERDICT_FILE: &str = "chain_of_trust.json";

/// The logs while the task is at work.
pub(crate) struct TaskLogs {
    /// What the script writes.
    pub(crate) live: LiveLog,
    /// What the worker wrote before the script began.
    written: Vec<(&'static str, Vec<u8>)>,
    /// Their directory below the artifacts. Elsewhere they are no artifacts.
    folder: Option<OsString>,
}

impl TaskLogs {
    /// Begins the logs of a task.
    ///
    /// # Errors
    /// A file cannot be made.
    pub(crate) fn begin(directories: &Directories, temporary: &Path) -> io::Result<Self> {
        let live = LiveLog::begin(&directories.task_logs, temporary)?;
        let folder = directories.task_logs.strip_prefix(&directories.artifacts).ok();
        Ok(Self { live, written: Vec::new(), folder: folder.map(|folder| folder.as_os_str().to_owned()) })
    }

    /// Keeps the content of another log.
    pub(crate) fn keep(&mut self, file: &'static str, content: Vec<u8>) {
        self.written.push((file, content));
    }

    /// What is uploaded of them now.
    ///
    /// # Errors
    /// The system has no more descriptors.
    pub(crate) fn own(&self) -> io::Result<OwnLogs> {
        let live = match self.name(live::FILE) {
            Some(name) => Some((name, self.live.own().try_clone()?)),
            None => None,
        };
        let written =
            self.written.iter().filter_map(|(file, content)| Some((self.name(file)?, content.clone())));
        let reserved = [live::FILE, CHAIN_FILE, VERDICT_FILE].into_iter().filter_map(|file| self.name(file));
        Ok(OwnLogs { live, written: written.collect(), reserved: reserved.collect() })
    }

    fn name(&self, file: &str) -> Option<ArtifactName> {
        artifact_name(&beneath::join(self.folder.as_deref()?, OsStr::new(file)))
    }
}

/// The logs as they are uploaded.
pub(crate) struct OwnLogs {
    live: Option<(ArtifactName, File)>,
    written: Vec<(ArtifactName, Vec<u8>)>,
    /// The names of all logs, those among them that this task does not have.
    pub(crate) reserved: Vec<ArtifactName>,
}

impl OwnLogs {
    /// Adds them to a snapshot.
    ///
    /// # Errors
    /// The copy cannot be written.
    pub(crate) fn add_to(self, snapshot: &mut Snapshot) -> Result<(), SnapshotError> {
        if let Some((name, file)) = self.live {
            snapshot.add_file(name, &file)?;
        }
        self.written.into_iter().try_for_each(|(name, content)| snapshot.add(name, &content))
    }
}
