//! Workers that are old, have another key, or did not upload their artifacts.

use super::{
    ACTION, CRON, Circumstance, D2G, DECISION, DOCKER_WORKER, FINISHED, GENERIC_WORKER, IMAGE, SIGNING,
};
use crate::change::{ARTIFACT, document_of, empty, remove, set, unpublish_from};
use catena_testbed::Chain;
use catena_testbed::chain::{DOCUMENT, SIGNATURE};
use catena_verify::verdict::Class::{Invalid, Policy};

pub(super) const CIRCUMSTANCES: &[Circumstance] = &[
    Circumstance {
        name: "whose worker made no document",
        change: |c, id| unpublish_from(c, id, &[DOCUMENT, SIGNATURE]),
        code: "signature-without-document",
        class: Invalid,
        hint: "features.chainOfTrust",
        of: &[DOCKER_WORKER, D2G, GENERIC_WORKER, IMAGE, DECISION, SIGNING, FINISHED],
    },
    Circumstance {
        name: "whose worker uploaded no signature",
        change: |c, id| unpublish_from(c, id, &[SIGNATURE]),
        code: "signature-missing",
        class: Invalid,
        hint: "worker's log",
        of: &[DOCKER_WORKER, GENERIC_WORKER, IMAGE, CRON, SIGNING],
    },
    Circumstance {
        name: "whose worker's signature upload failed before it started",
        change: |c, id| signed(c, id, 0),
        code: "signature-empty",
        class: Invalid,
        hint: "upload was interrupted",
        of: &[DOCKER_WORKER, DECISION, SIGNING],
    },
    Circumstance {
        name: "whose worker's signature upload was interrupted",
        change: |c, id| signed(c, id, 40),
        code: "signature-truncated",
        class: Invalid,
        hint: "upload was interrupted",
        of: &[D2G, IMAGE, ACTION],
    },
    Circumstance {
        name: "whose worker's key was rotated",
        change: rotated,
        code: "signature-unknown-key",
        class: Invalid,
        hint: "rotated",
        of: &[DOCKER_WORKER, D2G],
    },
    Circumstance {
        name: "whose workers' keys are not in the policy",
        change: rotated,
        code: "signature-no-keys",
        class: Policy,
        hint: "add the public keys",
        of: &[GENERIC_WORKER, SIGNING, FINISHED],
    },
    Circumstance {
        name: "whose old worker wrote no hashes",
        change: |c, id| document_of(c, id, |document| set(document, &["artifacts", ARTIFACT], empty())),
        code: "artifact-without-digest",
        class: Invalid,
        hint: "update it",
        of: &[DOCKER_WORKER, D2G, GENERIC_WORKER],
    },
    Circumstance {
        name: "whose old worker wrote no version",
        change: |c, id| document_of(c, id, |document| remove(document, &["chainOfTrustVersion"])),
        code: "document-version",
        class: Invalid,
        hint: "version",
        of: &[DOCKER_WORKER, IMAGE, SIGNING],
    },
    Circumstance {
        name: "whose modified worker wrote its run as a string",
        change: |c, id| document_of(c, id, |document| set(document, &["runId"], "0")),
        code: "document-malformed",
        class: Invalid,
        hint: "version",
        of: &[GENERIC_WORKER, DECISION],
    },
    Circumstance {
        name: "whose old worker wrote no hash of its image",
        change: |c, id| {
            document_of(c, id, |document| remove(document, &["environment", "imageArtifactHash"]))
        },
        code: "image-hash-missing",
        class: Invalid,
        hint: "81.0.3",
        of: &[D2G],
    },
];

/// The policy does not have the key of the task's worker.
fn rotated(chain: &mut Chain, id: &str) -> Option<()> {
    let implementation = chain.task(id)?.implementation;
    chain.keys.distrust(implementation);
    Some(())
}

fn signed(chain: &mut Chain, id: &str, bytes: usize) -> Option<()> {
    chain.signature_mut(id)?.truncate(bytes);
    Some(())
}
