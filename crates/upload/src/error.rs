//! Why an artifact was not uploaded.

use crate::snapshot::RefusedReason;
use catena_taskcluster::{CallError, ExceptionReason};

/// Why an artifact was not uploaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{artifact}: {kind}")]
pub struct UploadError {
    /// Its name, or its path where it can have none.
    pub artifact: String,
    /// What happened.
    pub kind: UploadErrorKind,
}

/// What happened to an artifact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UploadErrorKind {
    /// It cannot be an artifact. If it has a name, the queue records the reason.
    #[error("{0}")]
    Refused(RefusedReason),
    /// The queue or the object service refused it, or could not be asked.
    #[error("{0}")]
    Queue(CallError),
    /// The store refused it each time.
    #[error("the store answered {status} ({code}) after {attempts} attempts")]
    Status {
        /// The status of the last answer.
        status: u16,
        /// Its code.
        code: String,
        /// Attempts made.
        attempts: u32,
    },
    /// The store could not be reached, or the body could not be sent to its end.
    #[error("not sent after {attempts} attempts: {reason}")]
    Lost {
        /// Why the last attempt failed.
        reason: String,
        /// Attempts made.
        attempts: u32,
    },
    /// What would have been sent is not what was measured.
    #[error("{0}")]
    Mismatch(String),
}

impl UploadError {
    /// How a run is resolved that would have been completed but for this.
    #[must_use]
    pub fn exception(&self) -> ExceptionReason {
        match &self.kind {
            UploadErrorKind::Refused(_) => ExceptionReason::MalformedPayload,
            UploadErrorKind::Status { .. } => ExceptionReason::ResourceUnavailable,
            UploadErrorKind::Lost { .. } => ExceptionReason::IntermittentTask,
            UploadErrorKind::Queue(error) if error.is_unanswered() => ExceptionReason::IntermittentTask,
            UploadErrorKind::Queue(_) | UploadErrorKind::Mismatch(_) => ExceptionReason::InternalError,
        }
    }
}
