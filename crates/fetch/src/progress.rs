//! What a driver tells while it works.

use catena_verify::verification::{Fact, Need};
use std::time::Duration;

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The verification asked.
    Asked {
        /// What for.
        need: &'a Need,
    },
    /// A request went out.
    Started {
        /// What for.
        need: &'a Need,
        /// The attempt, from 1.
        attempt: u32,
    },
    /// More of a body arrived. Told at most once per MiB.
    Received {
        /// What for.
        need: &'a Need,
        /// Decoded bytes so far, in this attempt.
        bytes: u64,
        /// The length that was announced, where the body is not coded. A claim.
        announced: Option<u64>,
    },
    /// An attempt failed, and another follows.
    Retrying {
        /// What for.
        need: &'a Need,
        /// The attempt that failed, from 1.
        attempt: u32,
        /// Until the next.
        wait: Duration,
        /// Why it failed, without secrets.
        reason: &'a str,
    },
    /// A rate limit is being waited for.
    RateLimited {
        /// What for.
        need: &'a Need,
        /// Whose limit.
        host: &'a str,
        /// Until when.
        wait: Duration,
    },
    /// The verification has its answer.
    Answered {
        /// To what.
        need: &'a Need,
        /// The answer.
        fact: &'a Fact,
    },
}

/// Who is told. Calls come from many tasks and must return at once.
pub trait Progress: Send + Sync {
    /// Something happened.
    fn event(&self, event: Event<'_>);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn event(&self, _event: Event<'_>) {}
}
