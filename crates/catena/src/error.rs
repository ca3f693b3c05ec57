//! Why there is no verdict, or why a requested output is incomplete.

use catena_fetch::RecordingError;
use catena_policy::{Diagnostic, PolicyError};
use catena_store::{DirectoryError, KeyError};
use catena_taskcluster::RootUrlError;
use catena_workdir::PublishError;
use std::io;
use std::path::PathBuf;

/// Why there is no verdict, or why a requested output is incomplete.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the policy or of keys cannot be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's message.
        error: io::Error,
    },
    /// The policy is invalid: all errors in it.
    #[error("the policy is invalid: {}", lines(.0))]
    Policy(Vec<Diagnostic>),
    /// The key file is invalid: all errors in it.
    #[error("the keys are invalid: {}", lines(.0))]
    Keys(Vec<Diagnostic>),
    /// The address of a set of keys cannot be used. It is not shown, since it may hold a secret.
    #[error("the address of the set of keys cannot be used: {reason}")]
    KeySetUrl {
        /// What is wrong with it.
        reason: String,
    },
    /// A set of keys could not be fetched.
    #[error("the set of keys at {address} could not be fetched: {reason}")]
    KeySet {
        /// The address, without its query.
        address: String,
        /// Why not.
        reason: String,
    },
    /// A set of keys from an address can only narrow a trust file, and the policy has none.
    #[error("the policy has no trust file that the keys of {0} could narrow")]
    NoTrustFile(String),
    /// The policy has no such product.
    #[error(transparent)]
    Product(#[from] PolicyError),
    /// Neither the caller nor the policy gives Taskcluster's root URL.
    #[error("Taskcluster's root URL is missing")]
    NoRootUrl,
    /// The root URL is malformed.
    #[error(transparent)]
    RootUrl(#[from] RootUrlError),
    /// The root URL is plain http to another machine.
    #[error("{0} uses plain http, so any machine on the path can answer in its name")]
    PlainHttp(String),
    /// The directory of a cache cannot be used.
    #[error(transparent)]
    CacheDirectory(#[from] DirectoryError),
    /// The key of a cache cannot be used.
    #[error(transparent)]
    CacheKey(#[from] KeyError),
    /// The key of a cache is a file within that cache.
    #[error("the key {} is in the cache that it protects", .0.display())]
    CacheKeyInside(PathBuf),
    /// A batch needs services, and the verifier is offline.
    #[error("a batch needs the network, and this verifier is offline")]
    Offline,
    /// The work directory cannot be created or written to.
    #[error("{}: {error}", path.display())]
    WorkDirectory {
        /// The directory.
        path: PathBuf,
        /// The system's message.
        error: io::Error,
    },
    /// There is no space for temporary files.
    #[error("no space for temporary files: {0}")]
    Temporary(io::Error),
    /// The directory already holds a recording, which is not overwritten.
    #[error("{} already holds a recording", .0.display())]
    RecordingExists(PathBuf),
    /// The directory of a recording cannot be created.
    #[error("{}: {error}", path.display())]
    RecordingDirectory {
        /// The directory.
        path: PathBuf,
        /// The system's message.
        error: io::Error,
    },
    /// A recording could not be written in full.
    #[error("{}: {error}", path.display())]
    NotRecorded {
        /// The directory.
        path: PathBuf,
        /// The system's message.
        error: io::Error,
    },
    /// The directory is not a recording: a file is missing or unreadable.
    #[error("{}: {error}", path.display())]
    NoRecording {
        /// The file that is missing.
        path: PathBuf,
        /// The system's message.
        error: io::Error,
    },
    /// The recording was made by a version of this program with another format.
    #[error("{}: version {version} is unsupported", path.display())]
    RecordingVersion {
        /// The file that states the version.
        path: PathBuf,
        /// The version of the format.
        version: u32,
        /// The version of the program that made it.
        made_by: String,
    },
    /// The request in a recording is incomplete or malformed.
    #[error("{}: {reason}", path.display())]
    RecordedRequest {
        /// The file.
        path: PathBuf,
        /// What is malformed.
        reason: String,
    },
    /// The facts of a recording are malformed.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The chain is verified, but its artifacts could not be moved to their final places.
    #[error("the chain is verified, but its artifacts could not be published: {0}")]
    NotPublished(PublishError),
    /// The chain is not verified, and the files of an earlier verification of the task could not be
    /// removed.
    #[error("the files of an earlier verification in {} cannot be removed: {error}", work_dir.display())]
    NotRetracted {
        /// The work directory.
        work_dir: PathBuf,
        /// The cause.
        error: PublishError,
        /// The reason why there is no verdict, if there is none.
        instead: Option<Box<Error>>,
    },
    /// The caller cancelled the verification.
    #[error("interrupted before the verdict")]
    Cancelled,
    /// The verification ended because of a defect in this library.
    #[error("internal error: {0}")]
    Defect(String),
}

impl Error {
    /// Whether the caller's input is at fault: a retry with the same input gives the same error.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        !matches!(
            self,
            Self::Temporary(_)
                | Self::KeySet { .. }
                | Self::NotRecorded { .. }
                | Self::NotPublished(_)
                | Self::NotRetracted { .. }
                | Self::Cancelled
                | Self::Defect(_)
        )
    }
}

fn lines(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|diagnostic| format!("\n{diagnostic}")).collect()
}
