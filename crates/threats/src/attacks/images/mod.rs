//! Attacks on the images that tasks ran in: another one, one nobody built, one nobody vouches for.

mod declared;
mod ran;

use super::Attack;
use crate::honest::promotion;
use catena_testbed::{Chain, Release};

pub(super) const PARTS: &[&[Attack]] = &[ran::ATTACKS, declared::ATTACKS];

/// A promotion with a round of signing and repackaging.
fn promotion_round() -> Release {
    Release { depth: 1, ..promotion() }
}

/// The task whose image a task runs in.
fn image_of(chain: &Chain, id: &str) -> Option<String> {
    Some(chain.definition(id)?.pointer(&["payload", "image", "taskId"])?.as_str()?.to_owned())
}
