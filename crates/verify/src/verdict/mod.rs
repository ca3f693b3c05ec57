//! The verdict and its evidence.

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

/// The result of a verification, as data: it can be shown and stored, and permits nothing. Permission
/// comes from its [`Clearance`](crate::verification::Clearance).
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The outcome.
    pub outcome: Outcome,
    /// The target task.
    pub task_id: TaskId,
    /// The kind that it was verified as.
    pub kind: Kind,
    /// The product that it was verified for.
    pub product: String,
    /// The policy that it was verified by.
    pub policy: PolicyId,
    /// The keys that signatures were verified with.
    pub keys: KeysId,
    /// Taskcluster's root URL, if the caller named it ([`Verification::named_root`]): for people who look further.
    ///
    /// [`Verification::named_root`]: crate::verification::Verification::named_root
    pub root_url: Option<String>,
    /// Where the facts came from.
    pub source: Source,
    /// Whether the target's own document was verified too (a finished task).
    pub check_task: bool,
    /// Which artifacts were measured beside the target's inputs.
    pub extent: Extent,
    /// The trusted tree that the chain is traced back to: its repository's path. `None` if the outcome
    /// is not [`Outcome::Verified`], or if a link comes from elsewhere or uses sources from elsewhere:
    /// such a chain may be verified if its target has no scope that requires a trusted tree.
    pub tree: Option<String>,
    /// The time of conclusion, as given by the caller.
    pub concluded: Timestamp,
    /// The links of the chain, the target first.
    pub links: Vec<LinkSummary>,
    /// Every finding, in the order of the links; failed and passed.
    pub findings: Vec<Finding>,
    /// What was weakened: relaxed rules of the policy and `danger` switches. Shown in every report.
    pub relaxed: Vec<Relaxed>,
    /// The artifacts that the verdict covers, each with its signed digest. To use them, take a
    /// [`Clearance`](crate::verification::Clearance), not this list.
    pub artifacts: Vec<VerifiedArtifact>,
}

/// An artifact that a verified document names, and the evidence that its bytes have that digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedArtifact {
    /// The task that made it.
    pub task_id: TaskId,
    /// The run that made it.
    pub run_id: RunId,
    /// Its name.
    pub name: ArtifactName,
    /// The measured SHA-256, whatever the document names. For an artifact that was not measured, the
    /// document's SHA-256, or else its SHA-512.
    pub digest: Digest,
    /// Decoded bytes; `None` if they were never measured.
    pub length: Option<u64>,
    /// The evidence for its bytes.
    pub evidence: ArtifactEvidence,
}

/// The evidence for an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArtifactEvidence {
    /// Its bytes were measured in this run, and have the digest.
    Measured,
    /// Its bytes were measured in an earlier run that a cache recorded; they were not read in this run.
    Recalled,
    /// Its bytes were not read: the document names the digest.
    Named,
}

impl ArtifactEvidence {
    /// Parses the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Measured, Self::Recalled, Self::Named].into_iter().find(|one| one.as_str() == text)
    }

    /// The word that reports use.
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
    /// The services, or a cache in their place.
    Services,
    /// A recording: no requests were made, and only the keeper of the recording can vouch for it.
    Recording,
}

impl Source {
    /// Parses the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Services, Self::Recording].into_iter().find(|one| one.as_str() == text)
    }

    /// The word that the JSON report uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Services => "services",
            Self::Recording => "recording",
        }
    }
}

/// The outcome of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Every check passed. The task may run, or its artifacts may be used.
    Verified,
    /// At least one check failed with a rejection.
    Rejected,
    /// No check rejected the chain, but required data was unavailable. Retry.
    Undetermined,
    /// No check rejected the chain, but our own configuration is insufficient.
    Misconfigured,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 4] = [Self::Verified, Self::Rejected, Self::Undetermined, Self::Misconfigured];

    /// Parses the word.
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

    /// The word that the JSON report uses.
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
    fn only_verified_exits_with_0() {
        let told = [Outcome::Verified, Outcome::Rejected, Outcome::Misconfigured, Outcome::Undetermined]
            .map(|outcome| (outcome.exit_status(), outcome.as_str()));
        assert_eq!(told, [(0, "verified"), (1, "rejected"), (2, "misconfigured"), (3, "undetermined")]);
    }
}
