//! A loopback Taskcluster, hg and GitHub, and a builder of chains.
//!
//! A [`Site`] is everything the services answer, as data: tasks, statuses, artifacts, pages. [`Testbed`]
//! serves one on 127.0.0.1 as production services are reached: the queue and its artifact store over HTTP
//! (or TLS), hg and GitHub over TLS through the same port used as an HTTP proxy, with a private CA.
//! Faults ([`Fault`]) apply to any URL, and every request is counted. Beside the site, which does not
//! change, stands a [`Queue`] with state, whose tasks are claimed, run and resolved. A [`seeds::SearchedDir`] fails the
//! test whose programs wrote a private key into it.
// Test data and offsets into bodies this crate made itself: no arithmetic here takes hostile input.
#![allow(clippy::arithmetic_side_effects)]

mod body;
pub mod chain;
mod fault;
pub mod queue;
pub mod seeds;
mod server;
mod site;
mod tls;

pub use body::Body;
pub use chain::{Chain, Release, Trigger};
pub use fault::Fault;
pub use queue::Queue;
pub use server::{Latency, Options, Request, StartError, Stats, Testbed};
pub use site::{Artifact, FolderError, Page, Run, Site, Task};
