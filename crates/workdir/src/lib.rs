//! The work directory: artifacts are staged beside their final place, and published with a clearance.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod shares;
mod staging;

pub use shares::in_shares;
pub use staging::{ClaimedDir, PublishError, Published, StagedFile, Staging};
