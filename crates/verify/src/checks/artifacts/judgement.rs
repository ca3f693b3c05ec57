//! The judgement of one wanted artifact.

use super::super::signature::Accepted;
use super::listing::listing;
use super::wanted::{How, Wanted};
use super::{
    ABSENT, ALTERED, CHECK, LISTED_ABSENT, MISSING, NAME, NO_DIGEST, NOT_MADE, OPTIONAL_ALTERED, RESERVED,
    SIZE, THING, UNLISTED, WRONG_DIGEST,
};
use crate::verdict::{ArtifactEvidence, Authority, Disposition, Finding, VerifiedArtifact};
use crate::verification::{Answer, CheckContext, Link, Need, Stop};
use catena_json::Path;
use catena_model::custody::CUSTODY;
use catena_model::digest::{Digest, Measurement};
use catena_model::document::{Document, Listing};
use catena_model::task::{ArtifactName, RunId, TaskId, TaskSet};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) enum ArtifactResult {
    Verified(VerifiedArtifact),
    /// Listed by the document of a finished target, but absent from storage; with the answer's text.
    Absent(Box<(VerifiedArtifact, String)>),
    Found(Box<Finding>),
}

pub(super) fn judge(
    cx: &CheckContext<'_>,
    link: &Link,
    run_id: RunId,
    document: &Accepted,
    wanted: &Wanted,
) -> Result<ArtifactResult, Stop> {
    let shown = &wanted.name;
    let found = |code, disposition, message: String| {
        let path = Path::of(&["artifacts"]).key(shown);
        Finding::new(CHECK, code, disposition, link.task_id, message).at(THING, Some(path))
    };
    let found_box = |finding: Finding| Ok(ArtifactResult::Found(Box::new(finding)));
    let name = match ArtifactName::parse(shown) {
        Ok(name) => name,
        Err(error) => {
            return found_box(found(
                NAME,
                Disposition::Failed,
                format!("The name of the wanted artifact {shown:?} is not safe: {error}."),
            ));
        }
    };
    if name.is_reserved() {
        let disposition = if wanted.optional { Disposition::Passed } else { Disposition::Failed };
        let code = if wanted.optional { ABSENT } else { RESERVED };
        return found_box(found(
            code,
            disposition,
            format!("{name} is a file of the worker itself, which is never an input."),
        ));
    }
    let digests = match document.listing(shown) {
        Listing::Digests(digests) => digests,
        Listing::Absent if wanted.optional => {
            return found_box(found(
                ABSENT,
                Disposition::Passed,
                format!("The task did not make the optional {name}."),
            ));
        }
        Listing::Absent => {
            return Ok(ArtifactResult::Found(match listing(cx, link)? {
                Err(finding) => finding,
                Ok(names) => Box::new(unnamed(link, &name, &names)),
            }));
        }
        Listing::NoDigest => {
            return found_box(
                found(NO_DIGEST, Disposition::Failed, format!("The document names {name} without a digest."))
                    .expected(Authority::Policy, "sha256 or sha512")
                    .actual(Authority::Worker, "none"),
            );
        }
        Listing::Wrong(error) => {
            return found_box(found(
                WRONG_DIGEST,
                Disposition::Failed,
                format!("The document's digest of {name} is unusable: {error}."),
            ));
        }
        Listing::Malformed => {
            return found_box(found(
                WRONG_DIGEST,
                Disposition::Failed,
                format!("The document's entry for {name} is not a map from algorithms to digests."),
            ));
        }
    };
    let named = |name| named(link.task_id, run_id, name, &digests);
    if wanted.how == How::Named
        && let Some(artifact) = named(name.clone())
    {
        return Ok(ArtifactResult::Verified(artifact));
    }
    let need = need(link.task_id, run_id, &name, wanted.how, &digests, || graph_wants(cx, link.task_id))?;
    match cx.measurement(&need)? {
        Answer::Is(measurement) => match mismatch(&digests, &measurement) {
            None => match size_mismatch(link, document, &name, measurement.length) {
                Some(finding) => found_box(finding),
                None => Ok(ArtifactResult::Verified(VerifiedArtifact {
                    task_id: link.task_id,
                    run_id,
                    name,
                    digest: Digest::Sha256(measurement.sha256),
                    length: Some(measurement.length),
                    evidence: cx.evidence.evidence(&need),
                })),
            },
            Some((expected, actual)) => {
                let code = if wanted.optional { OPTIONAL_ALTERED } else { ALTERED };
                let message = format!("{name} is not the file that the worker made.");
                cx.doubt(need);
                found_box(
                    found(code, Disposition::Failed, message)
                        .expected(Authority::Worker, expected.to_string())
                        .actual(Authority::Storage, format!("{actual} ({} bytes)", measurement.length)),
                )
            }
        },
        Answer::Absent(answer) if wanted.optional => match listing(cx, link)? {
            Err(finding) => Ok(ArtifactResult::Found(finding)),
            // Either the queue or the storage is wrong; it is unknown which.
            Ok(names) if names.contains(name.as_str()) => found_box(found(
                LISTED_ABSENT,
                Disposition::Failed,
                format!("The queue lists the optional {name}, but it does not exist: {answer}"),
            )),
            Ok(_) => found_box(found(
                ABSENT,
                Disposition::Passed,
                format!("The optional {name} does not exist, and the queue does not list it: {answer}"),
            )),
        },
        Answer::Absent(answer) => match named(name.clone()).filter(|_| wanted.how == How::Listed) {
            Some(artifact) => Ok(ArtifactResult::Absent(Box::new((artifact, answer)))),
            None => Ok(ArtifactResult::Found(match listing(cx, link)? {
                Err(finding) => finding,
                Ok(names) => Box::new(missing(link, &name, &names, &answer)),
            })),
        },
    }
}

/// The finding about a wanted artifact that the document does not name. The queue's list shows whether the task
/// made it.
fn unnamed(link: &Link, name: &ArtifactName, names: &BTreeSet<Arc<str>>) -> Finding {
    let (code, message) = if names.contains(name.as_str()) {
        (UNLISTED, format!("The queue lists {name}, and the document does not name it."))
    } else {
        (
            NOT_MADE,
            format!("The task did not make {name}: neither its document nor the queue's list names it."),
        )
    };
    Finding::new(CHECK, code, Disposition::Failed, link.task_id, message)
        .at(THING, Some(Path::of(&["artifacts"]).key(name.as_str())))
}

/// The finding about a wanted artifact that the document names and that does not exist any more.
fn missing(link: &Link, name: &ArtifactName, names: &BTreeSet<Arc<str>>, answer: &str) -> Finding {
    let message = if names.contains(name.as_str()) {
        format!("The document and the queue name {name}, but its storage does not have it: {answer}")
    } else {
        let expires = link.definition.text(&["expires"]).unwrap_or("an unknown time");
        format!("{name} has expired or was deleted (the task expires at {expires}): {answer}")
    };
    Finding::new(CHECK, MISSING, Disposition::Failed, link.task_id, message)
        .at(THING, Some(Path::of(&["artifacts"]).key(name.as_str())))
}

/// The finding about an artifact with the signed digest and without the recorded size.
fn size_mismatch(link: &Link, document: &Document, name: &ArtifactName, measured: u64) -> Option<Finding> {
    let Some(Ok(custody)) = &document.custody else { return None };
    let recorded = custody.artifacts.get(name.as_str())?.size;
    (recorded != measured).then(|| {
        let message = format!("{name} has the signed digest, but not the size in the record of custody.");
        let path = Path::of(&[CUSTODY, "artifacts"]).key(name.as_str()).key("size");
        Finding::new(CHECK, SIZE, Disposition::Failed, link.task_id, message)
            .at(THING, Some(path))
            .expected(Authority::Storage, format!("{measured} bytes"))
            .actual(Authority::Worker, format!("{recorded} bytes"))
    })
}

/// An artifact that was not measured, by the digest that the document names.
fn named(task_id: TaskId, run_id: RunId, name: ArtifactName, digests: &[Digest]) -> Option<VerifiedArtifact> {
    let sha256 = digests.iter().find(|digest| matches!(digest, Digest::Sha256(_)));
    let digest = *sha256.or(digests.first())?;
    Some(VerifiedArtifact { task_id, run_id, name, digest, length: None, evidence: ArtifactEvidence::Named })
}

/// The need for an artifact. SHA-512 is computed only if the document lists it.
pub(super) fn need(
    task_id: TaskId,
    run_id: RunId,
    name: &ArtifactName,
    how: How,
    digests: &[Digest],
    graph_wants: impl FnOnce() -> Result<TaskSet, Stop>,
) -> Result<Need, Stop> {
    let sha512 = digests.iter().any(|digest| matches!(digest, Digest::Sha512(_)));
    let name = name.clone();
    Ok(match how {
        How::Content => Need::Content { task_id, run_id, name, sha512 },
        How::Measured | How::Listed | How::Named => Need::Artifact { task_id, run_id, name, sha512 },
        How::Graph => Need::TaskGraph { task_id, run_id, wanted: graph_wants()?, sha512 },
    })
}

/// The links whose entries in a parent's graph are read: known once the chain is.
pub(super) fn graph_wants(cx: &CheckContext<'_>, parent: TaskId) -> Result<TaskSet, Stop> {
    Ok(cx.closed()?.made_by(parent))
}

/// The first digest that the bytes do not have, and the one that they have.
pub(super) fn mismatch(digests: &[Digest], measurement: &Measurement) -> Option<(Digest, Digest)> {
    digests.iter().find_map(|expected| {
        // An algorithm that was not measured counts as a mismatch.
        let actual = measurement.like(expected).unwrap_or(Digest::Sha256(measurement.sha256));
        (actual != *expected).then_some((*expected, actual))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digest_must_match() {
        let measured = Measurement { length: 1, sha256: [1; 32], sha512: Some([2; 64]) };
        let (right, wrong) = (Digest::Sha256([1; 32]), Digest::Sha256([9; 32]));
        let (right512, wrong512) = (Digest::Sha512([2; 64]), Digest::Sha512([9; 64]));
        assert_eq!(mismatch(&[right, right512], &measured), None);
        assert_eq!(mismatch(&[right, wrong512], &measured), Some((wrong512, right512)));
        assert_eq!(mismatch(&[wrong, right512], &measured), Some((wrong, right)));
        let unmeasured = Measurement { sha512: None, ..measured };
        assert!(mismatch(&[right512], &unmeasured).is_some(), "what was not measured is not right");
    }
}
