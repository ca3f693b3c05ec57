//! Downloads that are verified before a byte of them is used.
//!
//! A [`Downloader`] takes one body to a file: streamed, decoded, capped, hashed, resumed where it broke off, and
//! held against what is known of it. [`deliver`] takes a set of inputs to a directory: all of them are
//! downloaded and extracted in a staging directory, and only when every one is right are they moved into place.
//! What is known of an input comes from the document that its maker's worker signed ([`signed_documents`]), from
//! the verification of the maker's whole chain, or from the caller.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod attempt;
mod cache;
mod deliver;
mod divided;
mod engine;
mod error;
mod extractors;
mod follower;
mod mounts;
mod pieces;
mod queue;
mod request;
mod signed;
mod sink;
mod wanted;

pub use cache::ContentCache;
pub use deliver::{
    DeliverError, Delivered, Delivery, Extract, Input, NoProgress, Observer, Place, PlaceError, StagedInputs,
    deliver, stage,
};
pub use engine::{Downloader, Growing};
pub use error::DownloadError;
pub use mounts::Mounts;
pub use pieces::Ranges;
pub use queue::{Queue, QueueError, TaskRun};
pub use request::{Download, Expected};
pub use signed::{SignedDocument, SignedError, Signers, signed_documents};
pub use sink::Measured;
pub use wanted::{Source, Wanted, WantedError, is_pattern};
