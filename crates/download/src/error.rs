//! Why something is not downloaded.

use std::io;
use std::path::PathBuf;

/// Why something is not downloaded.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// It is not there. Asking again would not help.
    #[error("{url} is not there: status {status}{message}")]
    Absent {
        /// Whose answer it is.
        url: String,
        /// The status.
        status: u16,
        /// What the answer says of it, with a separator.
        message: String,
    },
    /// We may not have it.
    #[error("{url} is refused: status {status}{message}")]
    Refused {
        /// Whose answer it is.
        url: String,
        /// The status.
        status: u16,
        /// What the answer says of it, with a separator.
        message: String,
    },
    /// Every attempt failed in a way that may pass.
    #[error("{url} could not be downloaded in {attempts} attempts; the last one failed: {reason}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// How often.
        attempts: u32,
        /// Why the last one failed.
        reason: String,
    },
    /// It failed in a way that does not pass.
    #[error("{url} cannot be downloaded: {reason}")]
    Lasting {
        /// What was asked for.
        url: String,
        /// Why.
        reason: String,
    },
    /// The deadline passed.
    #[error("{url} was not downloaded before the deadline; the last attempt: {reason}")]
    Deadline {
        /// What was asked for.
        url: String,
        /// What the last attempt failed by.
        reason: String,
    },
    /// It is not what it must be, and was not when it was fetched once more from its origin.
    #[error("{url} has {what} {actual}, and must have {expected}")]
    Mismatch {
        /// What was asked for.
        url: String,
        /// What differs.
        what: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        actual: String,
    },
    /// The disk.
    #[error("cannot write {path}: {source}", path = path.display())]
    Disk {
        /// What was written.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl DownloadError {
    /// A stable code, as findings have it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Absent { .. } => "fetch-absent",
            Self::Refused { .. } => "fetch-refused",
            Self::Unreachable { .. } => "fetch-unreachable",
            Self::Lasting { .. } => "fetch-impossible",
            Self::Deadline { .. } => "fetch-deadline",
            Self::Mismatch { .. } => "fetch-mismatch",
            Self::Disk { .. } => "fetch-disk",
        }
    }
}
