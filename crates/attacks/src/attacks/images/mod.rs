//! Attacks on the images that tasks ran in: another one, one nobody built, one nobody vouches for.

mod declared;
mod ran;

use super::Attack;
use catena_testbed::Chain;

pub(super) const PARTS: &[&[Attack]] = &[ran::ATTACKS, declared::ATTACKS];

/// The task whose image a task runs in.
fn image_of(chain: &Chain, id: &str) -> Option<String> {
    Some(chain.definition(id)?.pointer(&["payload", "image", "taskId"])?.as_str()?.to_owned())
}
