//! Why an archive is not extracted.

use std::io;
use std::path::PathBuf;

/// Why an archive is not extracted. None of these leaves anything behind.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// The archive breaks the rules of its format.
    #[error("the archive is malformed: {0}")]
    Malformed(String),
    /// The archive uses a part of its format that is not supported.
    #[error("the archive is unsupported: {0}")]
    Unsupported(String),
    /// A member is refused.
    #[error("member {member} {refusal}")]
    Member {
        /// Its name, shortened and escaped.
        member: String,
        /// Why.
        refusal: Refusal,
    },
    /// The archive is over a limit.
    #[error("the archive is over a limit: {0}")]
    Limit(String),
    /// The file system.
    #[error("cannot write {path}: {source}", path = path.display())]
    Disk {
        /// What was written.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The archive itself cannot be read from the disk.
    #[error("cannot read the archive: {0}")]
    Read(io::Error),
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
}

/// Why a member is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The name is absolute, has `..` in it, or is no name at all.
    #[error("has an unusable name: {0}")]
    Name(&'static str),
    /// Something above the member is not a directory.
    #[error("stands below {0}, which is not a directory")]
    Below(String),
    /// A link that leads out of the archive or to nothing in it.
    #[error("is a link to {target}, {why}")]
    Link {
        /// Where it leads, shortened and escaped.
        target: String,
        /// What is wrong with that.
        why: &'static str,
    },
    /// A device, a named pipe, or a type nobody knows.
    #[error("is {0}, which is not extracted")]
    Type(&'static str),
    /// The same name a second time.
    #[error("is in the archive twice")]
    Duplicate,
    /// A name that a file system may take for another one.
    #[error("has a name that differs from {0} only in case or in the composition of its characters")]
    Case(String),
}

impl ExtractError {
    pub(crate) fn member(name: &[u8], refusal: Refusal) -> Self {
        Self::Member { member: shown(name), refusal }
    }

    /// A stable code, as findings have it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "archive-malformed",
            Self::Unsupported(_) => "archive-unsupported",
            Self::Limit(_) => "archive-limit",
            Self::Disk { .. } | Self::Read(_) => "archive-disk",
            Self::Cancelled => "archive-cancelled",
            Self::Member { refusal, .. } => match refusal {
                Refusal::Name(_) => "archive-member-name",
                Refusal::Below(_) => "archive-member-below",
                Refusal::Link { .. } => "archive-member-link",
                Refusal::Type(_) => "archive-member-type",
                Refusal::Duplicate => "archive-member-duplicate",
                Refusal::Case(_) => "archive-member-case",
            },
        }
    }
}

/// Text of hostile bytes: escaped, and cut in the middle.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 160;
    let text = format!("{:?}", String::from_utf8_lossy(bytes));
    let length = text.chars().count();
    if length <= MOST {
        return text;
    }
    let head: String = text.chars().take(MOST / 2).collect();
    let tail: String = text.chars().skip(length.saturating_sub(MOST / 2)).collect();
    format!("{head}…{tail}")
}
