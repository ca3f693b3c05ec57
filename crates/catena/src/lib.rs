//! Taskcluster's Chain of Trust, for programs that embed it.
//!
//! A policy with its keys, a fact source and optionally a work directory go in. A verdict comes out
//! and, if it is "verified", a [`Clearance`]. Publishing artifacts, and every other operation that
//! requires a verification, takes one.
//!
//! ```no_run
#![doc = include_str!("../examples/embed.rs")]
//! ```
//!
//! - [`TrustConfig`]: the policy and the keys, from files or texts; a set of keys from a [`KeySetUrl`] narrows them.
//! - [`Network`]: how services are asked, over a transport that verifications share.
//! - [`Verifier`]: one task ([`Verifier::verify`]), many ([`Verifier::batch`]); with a cache, or with a cache
//!   alone ([`Verifier::offline`]).
//! - [`Request`] and [`Control`]: which task, its work directory, a recording, the deadline, an observer, and a
//!   way to cancel it.
//! - [`replay`]: a verdict made again from a recording, which gives no clearance.
//!
//! Nothing here prints, reads the environment or changes anything that belongs to the whole process; a
//! transport reads the environment where [`HttpOptions`] say so. Events go to [`tracing`]. It needs a tokio
//! runtime, best one of several threads.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod assembly;
mod batch;
mod cache;
mod error;
mod key_set;
mod network;
mod recording;
mod request;
mod sources;
mod trust_config;
mod verifier;
mod work_dir;

pub use batch::Batch;
pub use cache::CacheOptions;
pub use error::Error;
pub use key_set::KeySetUrl;
pub use network::Network;
pub use recording::{recorded_target, replay};
pub use request::{Control, Request, TargetSpec};
pub use trust_config::{TextFile, TrustConfig};
pub use verifier::{Clock, VerificationResult, Verifier};

pub use catena_fetch::{Event, Options, Progress, Quiet, Statistics};
pub use catena_http::{HttpOptions, Proxy, Secret, Transport};
pub use catena_model::task::{Kind, TaskId};
pub use catena_taskcluster::{RootUrl, TaskclusterCredentials};
pub use catena_verify::verdict::{Outcome, Verdict};
pub use catena_verify::verification::{Clearance, Conclusion, Extent, Target};
pub use tokio_util::sync::CancellationToken;
