//! Progress events of a fact source.

use catena_verify::verification::{Fact, Need};
use std::time::Duration;

/// An event.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The verification requested evidence.
    Asked {
        /// The need.
        need: &'a Need,
    },
    /// A request went out.
    Started {
        /// The need.
        need: &'a Need,
        /// The attempt, from 1.
        attempt: u32,
    },
    /// More of a body arrived. Reported at most once per MiB.
    Received {
        /// The need.
        need: &'a Need,
        /// Decoded bytes so far, in this attempt.
        bytes: u64,
        /// The announced length, if the body is not coded. A claim.
        announced: Option<u64>,
    },
    /// An attempt failed, and will be retried.
    Retrying {
        /// The need.
        need: &'a Need,
        /// The attempt that failed, from 1.
        attempt: u32,
        /// The wait before the next attempt.
        wait: Duration,
        /// The reason of the failure, without secrets.
        reason: &'a str,
    },
    /// The request waits for a rate limit.
    RateLimited {
        /// The need.
        need: &'a Need,
        /// The owner of the limit.
        host: &'a str,
        /// The end of the wait.
        wait: Duration,
    },
    /// The verification has its answer.
    Answered {
        /// The need.
        need: &'a Need,
        /// The answer.
        fact: &'a Fact,
    },
}

/// An observer of progress. Calls come from many tasks and must return at once.
pub trait Progress: Send + Sync {
    /// Receives an event.
    fn event(&self, event: Event<'_>);
}

/// An observer that ignores all events.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn event(&self, _event: Event<'_>) {}
}
