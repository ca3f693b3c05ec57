//! The result of one check on one of its subjects.

use super::evidence::Stop;
use crate::verdict::{Disposition, Finding, SignedDocument, VerifiedArtifact};
use catena_model::task::WorkerImplementation;

/// The result of one examination.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Examination {
    /// The findings: at least one, passed or failed.
    pub(crate) findings: Vec<Finding>,
    /// Artifacts whose bytes it covers.
    pub(crate) artifacts: Vec<VerifiedArtifact>,
    /// Further statements for the verdict.
    pub(crate) established: Vec<Established>,
}

/// The result of an examination, or why it cannot continue.
pub(crate) type Examined = Result<Examination, Stop>;

/// A statement that a check has established, for the verdict.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Established {
    /// The worker implementation of the link.
    Implementation(WorkerImplementation),
    /// The link's document, whose signature was verified.
    Document(Box<SignedDocument>),
    /// The run that the chain is about has completed, without contradiction.
    Completed,
    /// The trusted tree that the chain is traced back to.
    Tree(String),
}

impl Examination {
    pub(super) fn has_failed(&self) -> bool {
        self.findings.iter().any(|finding| finding.disposition == Disposition::Failed)
    }
}

impl From<Vec<Finding>> for Examination {
    fn from(findings: Vec<Finding>) -> Self {
        Self { findings, ..Self::default() }
    }
}
