//! Attacks on the images of tasks: another image, one that was never built, one without a signed hash.

mod declared;
mod ran;

use super::Attack;
use catena_testbed::Chain;

pub(super) const PARTS: &[&[Attack]] = &[ran::ATTACKS, declared::ATTACKS];

/// The task whose image a task runs in.
fn image_of(chain: &Chain, id: &str) -> Option<String> {
    Some(chain.definition(id)?.pointer(&["payload", "image", "taskId"])?.as_str()?.to_owned())
}
