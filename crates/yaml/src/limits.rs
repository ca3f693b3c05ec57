//! The limits of reading.

use crate::error::{Error, ErrorKind, LimitKind, Mark};

/// Bounds on what one text may cost. A text that passes one of them is refused.
///
/// The defaults leave a factor of at least ten over the largest `.taskcluster.yml` known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of source text. Default 4 MiB: real files stay below 100 KiB.
    pub bytes: usize,
    /// Levels of nesting, after aliases are expanded; values above [`Limits::MAX_DEPTH`] count as it.
    /// Default 100: a tree is walked by recursion, and real files stay below 30.
    pub depth: usize,
    /// Nodes after aliases are expanded and merges are done. Default 200,000: an alias costs as much as
    /// what it names, so that a small text cannot stand for a large tree.
    pub nodes: usize,
    /// Bytes in one scalar. Default 1 MiB.
    pub scalar: usize,
    /// Characters in one number. Default 4,300: Python's own bound for decimal integers, and a bound on
    /// the quadratic cost of reading one.
    pub number: usize,
    /// Bytes of all scalars after aliases are expanded. Default 16 MiB: many aliases of one long scalar
    /// are few nodes and much text.
    pub expanded: usize,
}

impl Limits {
    /// No tree is deeper than this, whatever the limits say: walking, comparing and dropping it
    /// recurses, and has to fit a thread of 2 MiB.
    pub const MAX_DEPTH: usize = 200;

    pub(crate) fn deepest(&self) -> usize {
        self.depth.min(Self::MAX_DEPTH)
    }

    /// Refuses `count` when it is over the value of `limit`.
    pub(crate) fn check(&self, limit: LimitKind, count: usize, mark: Mark) -> Result<(), Error> {
        let allowed = match limit {
            LimitKind::Bytes => self.bytes,
            LimitKind::Depth => self.deepest(),
            LimitKind::Nodes => self.nodes,
            LimitKind::Scalar => self.scalar,
            LimitKind::Number => self.number,
            LimitKind::Expanded => self.expanded,
        };
        if count > allowed { Err(Error::new(ErrorKind::Limit { limit, allowed }, mark)) } else { Ok(()) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 4 << 20,
            depth: 100,
            nodes: 200_000,
            scalar: 1 << 20,
            number: 4_300,
            expanded: 16 << 20,
        }
    }
}
