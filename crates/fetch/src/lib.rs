//! Fact sources: from needs to facts.
//!
//! A [`FactSource`] answers the needs of a verification: a [`Fetcher`] from the queue, hg.mozilla.org
//! and GitHub, over one narrow [`Transport`](catena_http::Transport). Bodies are capped, decoded and
//! measured while they stream. Absent, refused and unreachable resources are different facts.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod absence;
mod address;
mod body;
mod budget;
pub mod cache;
mod driver;
mod exchange;
mod fetcher;
mod github;
mod graphs;
mod options;
mod pacing;
mod permits;
mod progress;
mod recording;
mod sink;
mod source;
mod statistics;

pub use budget::MemoryBudget;
pub use driver::investigate;
pub use fetcher::Fetcher;
pub use graphs::KeptGraph;
pub use options::{DEADLINE, Options};
pub use pacing::Pace;
pub use progress::{Event, Progress, Quiet};
pub use recording::{Recorder, RecordingError, Replay};
pub use source::FactSource;
pub use statistics::Statistics;
