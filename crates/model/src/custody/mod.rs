//! The chain-of-custody record of a document: what a worker knows about a run beyond the other members
//! (specification 12.1 to 12.9).
//!
//! The member `custody` of a document is the worker's statement, and `claimedInputs` is the task's
//! claim. Both are parsed and written here: signer and verifier use the same types.

mod inputs;
mod members;
mod record;

pub use inputs::{PinnedInput, PinnedInputs, Trust};
pub use record::{ArtifactRecord, Custody, ImageRecord, WorkerRecord};

use catena_json::{ParseError, Path};

/// The member of a document that holds the worker's record.
pub const CUSTODY: &str = "custody";
/// The member of a document in which a task lists its own inputs.
pub const CLAIMED_INPUTS: &str = "claimedInputs";

/// The largest integer that every JSON parser reads exactly: 2^53 - 1.
const LARGEST: u64 = (1 << 53) - 1;

/// Why a value is not a record of custody, or not a list of inputs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CustodyError {
    /// Not strict JSON.
    #[error("not JSON: {0}")]
    Json(ParseError),
    /// It exceeds a limit.
    #[error("{what} has more than {limit} {of}")]
    TooLarge {
        /// What exceeds the limit.
        what: &'static str,
        /// The limit.
        limit: usize,
        /// The unit.
        of: &'static str,
    },
    /// An unsupported version.
    #[error("version {0} is unsupported; this release reads version 1")]
    Version(String),
    /// A member is missing, malformed, of the wrong type, or unknown.
    #[error("{path} is not {expected}")]
    Malformed {
        /// The path in the record.
        path: Path,
        /// The expected value.
        expected: &'static str,
    },
    /// One artifact of one run is listed twice, with different digests or sizes.
    #[error("{0} is listed with two digests or sizes")]
    Contradiction(String),
}

impl CustodyError {
    fn malformed(path: Path, expected: &'static str) -> Self {
        Self::Malformed { path, expected }
    }

    /// The path within the record, if there is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        if let Self::Malformed { path, .. } = self { Some(path) } else { None }
    }
}
