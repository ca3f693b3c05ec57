//! Attacks on signed documents: about something else, malformed, or of a run that does not count.

mod custody;
mod form;
mod identity;
mod record;
mod runs;

use super::{Attack, Spread};
use crate::change::{inside, run_is, set};
use catena_testbed::chain::{DOCUMENT, Implementation, SIGNATURE};
use catena_testbed::{Artifact, Chain};
use std::collections::BTreeMap;

pub(super) const PARTS: &[&[Attack]] =
    &[identity::ATTACKS, form::ATTACKS, runs::ATTACKS, record::ATTACKS, custody::ATTACKS];

pub(super) const SPREADS: &[&[Spread]] = &[identity::SPREADS];

pub(crate) use custody::{TOOLCHAIN, toolchain};

/// An image that builds ran in.
pub(super) fn image(chain: &Chain) -> Option<String> {
    chain.images.first().cloned()
}

/// The action task that made the target.
pub(super) fn action_task(chain: &Chain) -> Option<String> {
    chain.action.clone()
}

/// A task that a scriptworker ran before the target.
pub(super) fn signer(chain: &Chain) -> Option<String> {
    let signers = chain.tasks.iter().filter(|(_, task)| task.implementation == Implementation::Scriptworker);
    signers.map(|(id, _)| id.clone()).find(|id| *id != chain.target)
}

/// A task's artifacts, of its latest run.
pub(super) fn artifacts_of<'a>(chain: &'a mut Chain, id: &str) -> Option<&'a mut BTreeMap<String, Artifact>> {
    chain.artifacts_mut(id)
}

/// The bytes of a task's document.
pub(super) fn bytes_of_document(chain: &Chain, id: &str) -> Option<Vec<u8>> {
    Some(chain.task(id)?.document.as_ref()?.bytes())
}

/// Adds a second run by the same worker to the queue, with the files and the document of the first.
pub(super) fn later_run(chain: &mut Chain, id: &str, state: &str) -> Option<()> {
    let task = chain.tasks.get_mut(id)?;
    let artifacts = task.runs.values().next_back()?.clone();
    let mut first = artifacts.clone();
    let document = task.document.as_ref()?;
    first.insert(DOCUMENT.into(), Artifact::new(document.bytes(), "text/plain; charset=utf-8"));
    let signature = document.signature.clone();
    first.insert(SIGNATURE.into(), Artifact::new(signature, "application/octet-stream"));
    task.runs.insert(0, first);
    task.runs.insert(1, artifacts);
    let runs = inside(&mut task.status, &["status", "runs"])?.as_array_mut()?;
    let mut second = runs.last()?.clone();
    set(&mut second, &["runId"], 1_i64)?;
    set(&mut second, &["reasonCreated"], "rerun")?;
    runs.push(second);
    run_is(chain, id, state)
}

/// Replaces the first `from`, which must be present, by `to`.
fn replaced(bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Option<Vec<u8>> {
    let at = bytes.windows(from.len()).position(|window| window == from)?;
    let (before, rest) = bytes.split_at_checked(at)?;
    Some([before, to, rest.get(from.len()..)?].concat())
}
