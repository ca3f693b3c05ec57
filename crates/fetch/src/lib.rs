//! Drivers that turn needs into facts.
//!
//! A [`FactSource`] answers the needs of an inquiry: a [`Fetcher`] from the queue, hg.mozilla.org
//! and GitHub, over one narrow [`Transport`]. Bodies are capped, decoded and measured while they
//! stream. What does not exist, what is refused and what could not be reached are different facts.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod absence;
mod address;
mod body;
mod budget;
pub mod cache;
mod credentials;
mod driver;
mod exchange;
mod fetcher;
mod github;
mod graphs;
pub mod headers;
mod http_transport;
mod options;
mod patience;
mod permits;
mod progress;
mod recording;
mod secret;
mod shares;
mod source;
mod staging;
mod statistics;
mod taker;
mod transport;

pub use address::{AddressError, RootUrl};
pub use budget::Budget;
pub use credentials::{CredentialsError, TaskclusterCredentials, github_token_from_environment};
pub use driver::investigate;
pub use fetcher::Fetcher;
pub use graphs::KeptGraph;
pub use http_transport::{HttpOptions, HttpSetupError, HttpTransport, Proxy};
pub use options::{DEADLINE, Options};
pub use progress::{Event, Progress, Quiet};
pub use recording::{Recorder, RecordingError, Replay};
pub use secret::Secret;
pub use source::FactSource;
pub use staging::{PublishError, Published, Staging};
pub use statistics::Statistics;
pub use transport::{Chunks, Request, Response, Transport, TransportError, TransportErrorKind};
