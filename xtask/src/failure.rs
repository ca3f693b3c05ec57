//! Why a command failed.

use std::path::PathBuf;
use std::process::ExitStatus;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A program could not be started.
    #[error("{program} could not be started: {cause}")]
    Start {
        /// The program.
        program: String,
        /// The operating system's error.
        cause: std::io::Error,
    },
    /// A program failed.
    #[error("{command}: {status}")]
    Ended {
        /// The command line.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// Something has to be installed first.
    #[error("{what} is missing: {remedy}")]
    Missing {
        /// What.
        what: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// Two builds of the same source differ.
    #[error("{first} and {second} differ: the build is not reproducible", first = first.display(), second = second.display())]
    NotReproducible {
        /// The first binary.
        first: PathBuf,
        /// The second one.
        second: PathBuf,
    },
    /// No such fuzz target.
    #[error("there is no fuzz target {name}; there are {}", targets.join(", "))]
    NoTarget {
        /// What was asked for.
        name: String,
        /// What there is.
        targets: Vec<String>,
    },
    /// A file or directory could not be read or written.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The operating system's error.
        cause: std::io::Error,
    },
    /// The output of a program, or a file, is not as expected.
    #[error("{what}: {why}")]
    Unread {
        /// Which.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// `rustc -vV` does not say which machine this is.
    #[error("rustc -vV names no host")]
    NoHost,
}
