//! Attacks on a task's definition: compared with its graph, and in its own form.

mod additions;
mod definitions;
mod differences;
mod graphs;
mod json;
mod times;

use super::Attack;
use crate::change::only;
use catena_json::Value;
use catena_testbed::Chain;

pub(super) const PARTS: &[&[Attack]] = &[
    differences::ATTACKS,
    additions::ATTACKS,
    times::ATTACKS,
    graphs::ATTACKS,
    json::ATTACKS,
    definitions::ATTACKS,
];

/// Changes the target in the queue and in its own document.
fn target_only(chain: &mut Chain, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    let id = chain.target.clone();
    only(chain, &id, change)
}

/// Changes a build in the queue and in its own document: 0 is docker-worker's, 1 generic-worker's with
/// docker-worker's payload, 2 generic-worker's own.
fn nth_only(chain: &mut Chain, nth: usize, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    let id = chain.builds.get(nth)?.clone();
    only(chain, &id, change)
}

/// Changes the first image task in the queue and in its own document.
fn image_only(chain: &mut Chain, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    let id = chain.images.first()?.clone();
    only(chain, &id, change)
}
