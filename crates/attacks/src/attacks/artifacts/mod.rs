//! Attacks on files: other bytes, missing files or hashes, path traversal, another location.

mod bounds;
mod bytes;
mod finished;
mod layout;
mod names;
mod places;

use super::documents::later_run;
use super::{Attack, Wire};
use crate::change::{ARTIFACT, add, document, document_of, first_build, inside, json, set, target};
use crate::valid::tag;
use catena_testbed::{Artifact, Body, Chain, Fault, Release};

pub(super) const PARTS: &[&[Attack]] =
    &[bytes::ATTACKS, finished::ATTACKS, layout::ATTACKS, names::ATTACKS, places::ATTACKS, bounds::ATTACKS];

/// A build's second artifact, which patterns match too.
const SECOND: &str = "public/build/target.langpack.xpi";
/// The log of a run, which its document names.
const LOG: &str = "public/logs/certified.log";

/// A release on GitHub whose target has optional paths and patterns.
fn globs_on_github() -> Release {
    Release { optional_and_globs: true, ..tag() }
}

/// Changes the bytes of a task's artifact without changing its document.
fn bytes(
    chain: &mut Chain,
    id: &str,
    name: &str,
    change: impl FnOnce(&mut Vec<u8>) -> Option<()>,
) -> Option<()> {
    let artifact = chain.artifact_mut(id, name)?;
    let Body::Bytes(bytes) = &artifact.body else { return None };
    let mut bytes = bytes.to_vec();
    change(&mut bytes)?;
    artifact.body = bytes.into();
    Some(())
}

/// The bytes of an artifact of the first build.
fn read(chain: &mut Chain, name: &str) -> Option<Vec<u8>> {
    let id = first_build(chain)?;
    match &chain.artifact_mut(&id, name)?.body {
        Body::Bytes(bytes) => Some(bytes.to_vec()),
        _ => None,
    }
}

fn gone(chain: &mut Chain, id: &str, name: &str) -> Option<()> {
    chain.artifacts_mut(id)?.remove(name).map(drop)
}

/// Redirects requests for an artifact to the artifact of the same name of another task.
fn redirect_to(chain: &mut Chain, id: &str, name: &str, other: &str) -> Option<()> {
    redirect(chain, id, name, &format!("{other}/0/{name}"))
}

/// Runs a build again with another file, and returns the file of the first run.
fn run_again(chain: &mut Chain, id: &str) -> Option<Artifact> {
    later_run(chain, id, "completed")?;
    let before = chain.artifact_mut(id, ARTIFACT)?.clone();
    bytes(chain, id, ARTIFACT, |bytes| {
        bytes.reverse();
        Some(())
    })?;
    chain.reseal(id).ok()?.then_some(())?;
    document_of(chain, id, |document| set(document, &["runId"], 1_i64))?;
    Some(before)
}

/// Redirects requests for an artifact to another place in the store.
fn redirect(chain: &mut Chain, id: &str, name: &str, place: &str) -> Option<()> {
    chain.artifact_mut(id, name)?.redirect = Some(place.to_owned());
    Some(())
}

/// The first file that the target lists: its task and its name.
fn wanted(chain: &Chain) -> Option<(String, String)> {
    let entries = chain.definition(&chain.target)?.pointer(&["payload", "upstreamArtifacts"])?;
    let entry = entries.as_array()?.first()?;
    let name = entry.get("paths")?.as_array()?.first()?.as_str()?;
    Some((entry.get("taskId")?.as_str()?.to_owned(), name.to_owned()))
}

/// Adds a signed file with this name to the first build, and lists it in the target.
fn named(chain: &mut Chain, name: &str) -> Option<()> {
    let id = first_build(chain)?;
    let artifact = Artifact::new("made for its name", "application/octet-stream");
    chain.artifacts_mut(&id)?.insert(name.to_owned(), artifact);
    chain.reseal(&id).ok()?.then_some(())?;
    target(chain, |task| add(task, &["payload", "upstreamArtifacts", "0", "paths"], name))
}

/// Removes the target's required entries for the first build.
fn only_optional(chain: &mut Chain) -> Option<()> {
    target(chain, |task| {
        let entries = inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?;
        entries.retain(|entry| entry.get("optional").is_some());
        Some(())
    })
}

/// Replaces the hashes of its first file in the first build's document.
fn hashes(chain: &mut Chain, text: &str) -> Option<()> {
    let entry = json(text)?;
    document(chain, &["artifacts", ARTIFACT], entry)
}

/// Sets a hash of its first file in the first build's document.
fn add_hash(chain: &mut Chain, algorithm: &str, hash: &str) -> Option<()> {
    document(chain, &["artifacts", ARTIFACT, algorithm], hash)
}

/// The hash of its first file in the first build's document.
fn sha256(chain: &Chain) -> Option<String> {
    let document = chain.task(&first_build(chain)?)?.document.as_ref()?;
    Some(document.value.pointer(&["artifacts", ARTIFACT, "sha256"])?.as_str()?.to_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A fault on every request for the first build's first file.
fn on_the_wire(chain: &Chain, fault: Fault) -> Option<Vec<Wire>> {
    let id = first_build(chain)?;
    Some(vec![Wire { pattern: format!("/api/queue/v1/task/{id}/*target.tar.xz"), fault }])
}

/// A fault on the first build's first file in the store.
fn in_store(chain: &Chain, fault: Fault) -> Option<Vec<Wire>> {
    let id = first_build(chain)?;
    Some(vec![Wire { pattern: format!("/_store/{id}/*target.tar.xz"), fault }])
}

/// A fault on every request for the list of the first build's files.
fn listing(chain: &Chain, fault: Fault) -> Option<Vec<Wire>> {
    let id = first_build(chain)?;
    let list = format!("/api/queue/v1/task/{id}/runs/0/artifacts");
    let pages = Wire { pattern: format!("{list}?*"), fault: fault.clone() };
    Some(vec![Wire { pattern: list, fault }, pages])
}
