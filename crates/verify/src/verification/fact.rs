//! Observed evidence.

use catena_model::digest::Measurement;
use catena_model::graph::GraphScan;
use std::sync::Arc;

/// The evidence for one need. Bytes are those that arrived after decoding, measured by Catena; a fact
/// contains no claims of its sender.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The whole body of a small answer.
    Body(Body),
    /// The measurement of a large body.
    Measured(Measurement),
    /// The measurement of a task graph, and its wanted entries.
    Graph(GraphScan),
    /// A measurement or a graph from an earlier run. Its bytes were not read in this run.
    Recalled(Box<Fact>),
    /// What was seen twice with the same bytes, the second time past caches: a body, a measurement or a graph
    /// (specification 11.11).
    Confirmed(Box<Fact>),
    /// The one who must know says, in a form of its own, that it does not exist.
    Absent {
        /// The HTTP status: 404 or 410; 424 for an artifact of the error kind; 422 for a commit that
        /// GitHub does not know.
        status: u16,
        /// The answer's text, shortened.
        message: String,
    },
    /// The responsible service refuses access: credentials are missing or insufficient. GitHub hides
    /// what it refuses to show.
    Refused {
        /// The HTTP status: 401, 403 or 407; GitHub's 404 for a hidden repository.
        status: u16,
        /// The answer's text, shortened.
        message: String,
    },
    /// It is unavailable: unreachable, too slow, broken, or larger than its limit.
    Unreachable {
        /// What went wrong in the last attempt.
        reason: String,
        /// The number of attempts.
        attempts: u32,
    },
}

impl Fact {
    /// What was seen, however often and whenever that was.
    #[must_use]
    pub fn observed(&self) -> &Self {
        match self {
            Self::Recalled(fact) | Self::Confirmed(fact) => fact.observed(),
            other => other,
        }
    }

    /// What was measured, where bytes arrived.
    #[must_use]
    pub fn measurement(&self) -> Option<&Measurement> {
        match self.observed() {
            Self::Body(body) => Some(&body.measurement),
            Self::Measured(measurement) => Some(measurement),
            Self::Graph(scan) => Some(&scan.measurement),
            _ => None,
        }
    }

    /// What counts once a second answer to the same need is there: the same bytes count as what they are; of
    /// others, and where no bytes came, the second answer stands alone.
    pub(super) fn again(&self, second: Self) -> Self {
        let bytes = |fact: &Self| fact.measurement().map(|seen| (seen.length, seen.sha256));
        match (bytes(self), bytes(&second)) {
            (Some(first), Some(again)) if first == again => {
                Self::Confirmed(Box::new(second.observed().clone()))
            }
            _ => second,
        }
    }
}

/// A small answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// The decoded bytes.
    pub bytes: Arc<[u8]>,
    /// Their measurement.
    pub measurement: Measurement,
}
