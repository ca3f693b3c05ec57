//! The answer, and everything it rests on.

mod bounds;
mod finding;
mod link;
mod relaxed;

pub(crate) use bounds::Findings;
pub(crate) use bounds::chain as bounded_chain;
pub(crate) use bounds::text as bounded_text;
pub(crate) use bounds::value as bounded_value;
pub use finding::{
    Authority, Claim, Class, Code, Difference, DifferenceKind, Disposition, Finding, Location,
};
pub use link::{Edge, LinkSummary, SignedDocument, Worker};
pub use relaxed::{Relaxed, RelaxedBy};

use crate::verification::Extent;
use catena_model::Timestamp;
use catena_model::digest::Digest;
use catena_model::task::{ArtifactName, Kind, RunId, TaskId};
use catena_policy::{KeysId, PolicyId};

/// What a verification came to, as data: it can be shown and kept, and decides nothing. What may be done is
/// for its [`Clearance`](crate::verification::Clearance) to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The answer.
    pub outcome: Outcome,
    /// The task it is about.
    pub task_id: TaskId,
    /// The kind it was judged as.
    pub kind: Kind,
    /// The product it was judged for.
    pub product: String,
    /// The policy it was judged by.
    pub policy: PolicyId,
    /// The keys that signatures were held against.
    pub keys: KeysId,
    /// Where the facts came from.
    pub source: Source,
    /// Whether the target's own document was checked too (a finished task).
    pub check_task: bool,
    /// Which artifacts were measured beside those that the target takes in.
    pub extent: Extent,
    /// The trusted tree that the chain goes back to, its repository's path. None where the outcome is not
    /// [`Outcome::Verified`], or where some link comes from elsewhere or takes in sources from elsewhere:
    /// such a chain may be verified if its target asks for nothing that needs a trusted tree.
    pub tree: Option<String>,
    /// When it was concluded, as the caller said.
    pub concluded: Timestamp,
    /// The links of the chain, the target first.
    pub links: Vec<LinkSummary>,
    /// Every finding, in the order of the links; failed and passed.
    pub findings: Vec<Finding>,
    /// What was weakened: relaxed rules of the policy and `danger` switches. Shown in every report.
    pub relaxed: Vec<Relaxed>,
    /// The artifacts that the answer is about, each with the digest that a signature vouches for. What is
    /// to use them takes a [`Clearance`](crate::verification::Clearance), not this list.
    pub artifacts: Vec<VerifiedArtifact>,
}

/// An artifact that a verified document names, and how it is known that its bytes have that digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedArtifact {
    /// The task that made it.
    pub task_id: TaskId,
    /// The run that made it.
    pub run_id: RunId,
    /// Its name.
    pub name: ArtifactName,
    /// What was measured: SHA-256, whatever the document names. Of an artifact that was not measured,
    /// the document's SHA-256, or else its SHA-512.
    pub digest: Digest,
    /// Decoded bytes; none where they were never measured.
    pub length: Option<u64>,
    /// Whether its bytes were looked at.
    pub evidence: ArtifactEvidence,
}

/// How an artifact is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArtifactEvidence {
    /// Its bytes were measured in this run, and have the digest.
    Measured,
    /// Its bytes were measured in an earlier run, which a cache remembers; they were not read in this one.
    Recalled,
    /// Nobody looked at its bytes: the document names the digest.
    Named,
}

impl ArtifactEvidence {
    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Measured, Self::Recalled, Self::Named].into_iter().find(|one| one.as_str() == text)
    }

    /// In one word, as reports have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Recalled => "recalled",
            Self::Named => "named",
        }
    }
}

/// Where the facts of a verdict came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The services were asked, or a cache stood in for them.
    Services,
    /// A recording: nothing was asked, and nobody but whoever keeps it vouches for it.
    Recording,
}

impl Source {
    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Services, Self::Recording].into_iter().find(|one| one.as_str() == text)
    }

    /// In one word, as the JSON report has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Services => "services",
            Self::Recording => "recording",
        }
    }
}

/// The answer of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Every check passed. The task may run, or its artifacts may be used.
    Verified,
    /// At least one check says no.
    Rejected,
    /// No check says no, but something could not be known. Ask again.
    Undetermined,
    /// No check says no, but our own configuration does not suffice to judge.
    Misconfigured,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Verified, Self::Rejected, Self::Undetermined, Self::Misconfigured];

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }

    /// The process's exit status for it.
    #[must_use]
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Verified => 0,
            Self::Rejected => 1,
            Self::Misconfigured => 2,
            Self::Undetermined => 3,
        }
    }

    /// In one word, as the JSON report has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Rejected => "rejected",
            Self::Undetermined => "undetermined",
            Self::Misconfigured => "misconfigured",
        }
    }
}

impl Verdict {
    /// The findings that failed and count.
    pub fn failed(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.disposition == Disposition::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_exits_with_0() {
        let told = [Outcome::Verified, Outcome::Rejected, Outcome::Misconfigured, Outcome::Undetermined]
            .map(|outcome| (outcome.exit_status(), outcome.as_str()));
        assert_eq!(told, [(0, "verified"), (1, "rejected"), (2, "misconfigured"), (3, "undetermined")]);
    }
}
