//! The chain-of-custody record of a document: what a worker knows of a run beside what every document has
//! (specification 12.1 to 12.9).
//!
//! The member `custody` of a document is the worker's own word, and `claimedInputs` is the task's. Both are
//! read here and written here: what signs and what verifies use the same types.

mod inputs;
mod members;
mod record;

pub use inputs::{PinnedInput, PinnedInputs, Trust};
pub use record::{ArtifactRecord, Custody, ImageRecord, WorkerRecord};

use catena_json::{ParseError, Path};

/// The member of a document that holds the worker's record.
pub const CUSTODY: &str = "custody";
/// The member of a document in which a task lists its inputs itself.
pub const CLAIMED_INPUTS: &str = "claimedInputs";

/// The largest number that every reader of JSON reads exactly: 2^53 - 1.
const LARGEST: u64 = (1 << 53) - 1;

/// Why a value is not a record of custody, or not a list of inputs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CustodyError {
    /// Not strict JSON.
    #[error("not JSON: {0}")]
    Json(ParseError),
    /// It is larger than may be read.
    #[error("{what} has more than {limit} {of}")]
    TooLarge {
        /// The thing.
        what: &'static str,
        /// How many.
        limit: usize,
        /// Of what.
        of: &'static str,
    },
    /// Another version than 1.
    #[error("version {0} is unsupported; this release reads version 1")]
    Version(String),
    /// A member is missing, of another type or form, or unknown.
    #[error("{path} is not {expected}")]
    Malformed {
        /// The place in the record.
        path: Path,
        /// What must stand there.
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

    /// The place inside the record, where there is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        if let Self::Malformed { path, .. } = self { Some(path) } else { None }
    }
}
