//! Uploads of what a task made: from an immutable copy, hashed while sent.
//!
//! A worker takes a [`Snapshot`] of its artifact directory, writes its document from [`Snapshot::measured`], adds
//! the document and its signature, and hands everything to an [`Uploader`]. Each attempt sends a whole body; what
//! is not what was measured is never sent whole.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod copy;
mod error;
mod sending;
mod snapshot;
mod uploader;

pub use error::{UploadError, UploadErrorKind};
pub use snapshot::{
    Artifact, Mismatch, Refused, RefusedReason, Snapshot, SnapshotError, SnapshotLimits, Storage,
};
pub use uploader::{UploadOptions, Uploader};
