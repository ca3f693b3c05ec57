//! Attacks on signatures: none, another's, one that is no signature, or a genuine one of something else.

use super::documents::{
    action_task, artifacts_of, bytes_of_document, image, later_run, second_build, signer, third_build,
    unpublish_from,
};
use super::{Attack, Q, S, T, W, attack};
use crate::change::{
    ARTIFACT, alter, first_build, first_decision, graph, inside, remove, set, sign_as, signature, unpublish,
};
use crate::honest::{action, cron, finished, fork, mobile, pr_action, promotion, pull_request, push, tag};
use catena_keys::SigningKey;
use catena_testbed::chain::{DOCUMENT, Implementation, SIGNATURE};
use catena_testbed::{Artifact, Chain, Release};
use sha2::{Digest as _, Sha512};

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "signature with a bit flipped",
        &[S, Q],
        "One bit of the signature over a build's document is flipped.",
        push,
        |c| {
            let id = first_build(c)?;
            flip(c, &id, 5)
        },
        "signature-unknown-key",
    ),
    attack(
        "decision task's signature with a bit flipped",
        &[S, Q],
        "One bit of the signature over a cron job's decision task's document is flipped.",
        cron,
        |c| {
            let id = first_decision(c)?;
            flip(c, &id, 40)
        },
        "signature-unknown-key",
    ),
    attack(
        "action task's signature with a bit flipped",
        &[S, Q],
        "The last bit of the signature over an action task's document is flipped.",
        action,
        |c| {
            let id = action_task(c)?;
            flip(c, &id, 63)
        },
        "signature-unknown-key",
    ),
    attack(
        "image's signature with a bit flipped",
        &[S, Q],
        "The first bit of the signature over a docker image's document is flipped.",
        tag,
        |c| {
            let id = image(c)?;
            flip(c, &id, 0)
        },
        "signature-unknown-key",
    ),
    attack(
        "generic-worker's signature with a bit flipped",
        &[S, Q],
        "One bit of the signature over the document of a build that generic-worker ran is flipped.",
        pull_request,
        |c| {
            let id = third_build(c)?;
            flip(c, &id, 32)
        },
        "signature-unknown-key",
    ),
    attack(
        "scriptworker's signature with a bit flipped",
        &[S, Q],
        "One bit of the signature over the document of an earlier signing is flipped.",
        rounds,
        |c| {
            let id = signer(c)?;
            flip(c, &id, 31)
        },
        "signature-unknown-key",
    ),
    attack(
        "target's signature with a bit flipped",
        &[S, Q],
        "One bit of the signature over the document of a target that has finished is flipped.",
        finished,
        |c| {
            let id = c.target.clone();
            flip(c, &id, 17)
        },
        "signature-unknown-key",
    ),
    attack(
        "signature of zeros",
        &[S, Q],
        "The signature over a build's document is 64 zero bytes.",
        mobile,
        |c| {
            signature(c)?.fill(0);
            Some(())
        },
        "signature-unknown-key",
    ),
    attack(
        "signature cut off",
        &[S, Q],
        "The signature over a build's document lacks its last byte.",
        push,
        |c| {
            signature(c)?.truncate(63);
            Some(())
        },
        "signature-truncated",
    ),
    attack(
        "signature halved",
        &[S, Q],
        "Only the first half of the signature over an action task's document is there.",
        promotion,
        |c| {
            let id = action_task(c)?;
            c.signature_mut(&id)?.truncate(32);
            Some(())
        },
        "signature-truncated",
    ),
    attack(
        "signature empty",
        &[S, Q],
        "The signature over a build's document has no bytes.",
        push,
        |c| {
            signature(c)?.clear();
            Some(())
        },
        "signature-empty",
    ),
    attack(
        "decision task's signature empty",
        &[S, Q],
        "The signature over a decision task's document has no bytes.",
        mobile,
        |c| {
            let id = first_decision(c)?;
            c.signature_mut(&id)?.clear();
            Some(())
        },
        "signature-empty",
    ),
    attack(
        "signature gone",
        &[S, Q],
        "The signature over a build's document is not there.",
        push,
        |c| unpublish(c, &[SIGNATURE]),
        "signature-missing",
    ),
    attack(
        "image's signature gone",
        &[S, Q],
        "The signature over a docker image's document is not there.",
        fork,
        |c| {
            let id = image(c)?;
            unpublish_from(c, &id, &[SIGNATURE])
        },
        "signature-missing",
    ),
    attack(
        "document gone",
        &[S, Q],
        "A build has a signature, but no document.",
        push,
        |c| unpublish(c, &[DOCUMENT]),
        "signature-without-document",
    ),
    attack(
        "decision task without a document",
        &[S, Q],
        "The decision task of a pull request has neither a document nor a signature.",
        pr_action,
        |c| {
            let id = first_decision(c)?;
            unpublish_from(c, &id, &[DOCUMENT, SIGNATURE])
        },
        "signature-without-document",
    ),
    attack(
        "build that makes no document",
        &[T],
        "A build never asked its worker for a document, so that it has neither one nor a signature.",
        tag,
        |c| unpublish(c, &[DOCUMENT, SIGNATURE]),
        "signature-without-document",
    ),
    attack(
        "signature as hexadecimal text",
        &[S, W],
        "The signature over a build's document is written as hexadecimal digits.",
        push,
        |c| {
            let signature = signature(c)?;
            *signature = signature.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect();
            Some(())
        },
        "signature-too-long",
    ),
    attack(
        "signature with a line end",
        &[S, W],
        "A line end follows the signature over an image's document.",
        mobile,
        |c| {
            let id = image(c)?;
            c.signature_mut(&id)?.push(b'\n');
            Some(())
        },
        "signature-too-long",
    ),
    attack(
        "two signatures in one",
        &[S, Q],
        "A forged signature is followed by the genuine one over the same document.",
        cron,
        |c| {
            let signature = signature(c)?;
            let mut both = vec![0_u8; 64];
            both.append(signature);
            *signature = both;
            Some(())
        },
        "signature-too-long",
    ),
    attack(
        "unknown key",
        &[S, Q],
        "A build's document is signed with a key that no policy knows.",
        push,
        |c| {
            let id = first_build(c)?;
            sign_with(c, &id, &stranger())
        },
        "signature-unknown-key",
    ),
    attack(
        "decision task signed with an unknown key",
        &[S, Q],
        "The document of a release's decision task is signed with a key that no policy knows.",
        tag,
        |c| {
            let id = first_decision(c)?;
            sign_with(c, &id, &stranger())
        },
        "signature-unknown-key",
    ),
    attack(
        "whole chain signed with an unknown key",
        &[S, Q],
        "Every document of the chain is signed with one key that no policy knows.",
        pull_request,
        |c| {
            let ids: Vec<String> = c.tasks.keys().filter(|id| **id != c.target).cloned().collect();
            ids.iter().try_for_each(|id| sign_with(c, id, &stranger()))
        },
        "signature-unknown-key",
    ),
    attack(
        "key of another product",
        &[W],
        "A build's document is signed with the key that the workers of another product have.",
        push,
        |c| {
            let other = Release { seed: 2, ..mobile() }.build().ok()?;
            let id = first_build(c)?;
            sign_with(c, &id, other.keys.signing_key(Implementation::DockerWorker))
        },
        "signature-unknown-key",
    ),
    attack(
        "key of another worker",
        &[W],
        "The document of a build that docker-worker ran is signed with scriptworker's key.",
        push,
        |c| sign_as(c, Implementation::Scriptworker),
        "signature-other-implementation",
    ),
    attack(
        "docker-worker's key for generic-worker",
        &[W],
        "The document of a build that generic-worker ran is signed with docker-worker's key.",
        mobile,
        |c| {
            let id = third_build(c)?;
            sign_like(c, &id, Implementation::DockerWorker)
        },
        "signature-other-implementation",
    ),
    attack(
        "docker-worker's key for scriptworker",
        &[W],
        "The document of an earlier signing is signed with docker-worker's key.",
        rounds,
        |c| {
            let id = signer(c)?;
            sign_like(c, &id, Implementation::DockerWorker)
        },
        "signature-other-implementation",
    ),
    attack(
        "generic-worker's key for a finished signing",
        &[W],
        "The document of a target that has finished is signed with generic-worker's key.",
        finished,
        |c| {
            let id = c.target.clone();
            sign_like(c, &id, Implementation::GenericWorker)
        },
        "signature-other-implementation",
    ),
    attack(
        "scriptworker's key for a decision task",
        &[W],
        "The document of a cron job's decision task is signed with scriptworker's key.",
        cron,
        |c| {
            let id = first_decision(c)?;
            sign_like(c, &id, Implementation::Scriptworker)
        },
        "signature-other-implementation",
    ),
    attack(
        "scriptworkers without a trusted key",
        &[T, W],
        "The policy trusts no scriptworker, and one of them signed a part of the release.",
        rounds,
        |c| {
            c.keys.distrust(Implementation::Scriptworker);
            Some(())
        },
        "signature-no-keys",
    ),
    attack(
        "generic-workers without a trusted key",
        &[T, W],
        "The policy trusts no generic-worker, and one of them made a build.",
        tag,
        |c| {
            c.keys.distrust(Implementation::GenericWorker);
            Some(())
        },
        "signature-no-keys",
    ),
    attack(
        "key that is no longer trusted",
        &[W],
        "A build is signed with a key that the policy no longer has, beside one that it has.",
        push,
        |c| {
            c.keys.distrust(Implementation::DockerWorker);
            Some(())
        },
        "signature-unknown-key",
    ),
    attack(
        "signature for weak keys",
        &[S, Q],
        "The signature over a build's document is one that any key of small order would accept.",
        push,
        |c| {
            let mut bytes = vec![0_u8; 64];
            *bytes.first_mut()? = 1;
            *signature(c)? = bytes;
            Some(())
        },
        "signature-unknown-key",
    ),
    attack(
        "signature in a second spelling",
        &[S, Q],
        "The order of the curve is added to the scalar of a genuine signature, which means the same.",
        push,
        |c| {
            let id = first_build(c)?;
            malleate(c.signature_mut(&id)?)
        },
        "signature-unknown-key",
    ),
    attack(
        "image's signature in a second spelling",
        &[S, Q],
        "The order of the curve is added to the scalar of a genuine signature over an image's document.",
        fork,
        |c| {
            let id = image(c)?;
            malleate(c.signature_mut(&id)?)
        },
        "signature-unknown-key",
    ),
    attack(
        "signature over a hash",
        &[W],
        "A worker signed the SHA-512 of its document instead of the document.",
        push,
        |c| {
            let id = first_build(c)?;
            let hash = Sha512::digest(bytes_of_document(c, &id)?);
            let signature = c.keys.signing_key(Implementation::DockerWorker).sign(&hash);
            *c.signature_mut(&id)? = signature.as_bytes().to_vec();
            Some(())
        },
        "signature-unknown-key",
    ),
    attack(
        "signature of another document",
        &[S, Q],
        "A build has the genuine signature over another build's document.",
        push,
        |c| {
            let (id, other) = (first_build(c)?, second_build(c)?);
            *c.signature_mut(&id)? = c.task(&other)?.document.as_ref()?.signature.clone();
            Some(())
        },
        "signature-unknown-key",
    ),
    attack(
        "genuine document of another build",
        &[S, Q],
        "A build has the genuine document of another build, with its genuine signature.",
        push,
        |c| {
            let (id, other) = (first_build(c)?, second_build(c)?);
            replay(c, &id, &other)
        },
        "document-of-another-task",
    ),
    attack(
        "genuine document of another decision task",
        &[S, Q],
        "A decision task has the genuine document of an earlier push's, with its genuine signature.",
        cron,
        |c| {
            let (id, other) = (first_decision(c)?, c.decisions.get(1)?.clone());
            replay(c, &id, &other)
        },
        "document-of-another-task",
    ),
    attack(
        "genuine document of the decision task for its action",
        &[S, Q],
        "An action task has the genuine document of the decision task it belongs to.",
        action,
        |c| {
            let (id, other) = (action_task(c)?, first_decision(c)?);
            replay(c, &id, &other)
        },
        "document-of-another-task",
    ),
    attack(
        "genuine document of an earlier release",
        &[S, Q],
        "A build has the genuine document of the same build of an earlier release.",
        tag,
        |c| {
            let mut earlier = Release { seed: 7, ..tag() }.build().ok()?;
            earlier.keys = c.keys.clone();
            let (id, other) = (first_build(c)?, first_build(&earlier)?);
            earlier.resign(&other).then_some(())?;
            c.tasks.get_mut(&id)?.document = Some(earlier.task(&other)?.document.clone()?);
            Some(())
        },
        "document-of-another-task",
    ),
    attack(
        "document redirected to another task's",
        &[S, Q],
        "The queue sends readers of an image's document and signature to those of a build.",
        mobile,
        |c| {
            let (id, other) = (image(c)?, first_build(c)?);
            for name in [DOCUMENT, SIGNATURE] {
                let there = format!("{other}/0/{name}");
                let mut artifact = Artifact::new("", "text/plain");
                artifact.redirect = Some(there);
                artifacts_of(c, &id)?.insert(name.into(), artifact);
            }
            Some(())
        },
        "document-of-another-task",
    ),
    attack(
        "genuine document of an earlier run",
        &[S, Q],
        "A build ran a second time, and has the genuine document and files of its first run.",
        push,
        |c| {
            let id = first_build(c)?;
            later_run(c, &id, "completed")
        },
        "document-of-another-run",
    ),
    attack(
        "decision task's document of an earlier run",
        &[S, Q],
        "A decision task ran a second time, and has the genuine document of its first run.",
        mobile,
        |c| {
            let id = first_decision(c)?;
            later_run(c, &id, "completed")
        },
        "document-of-another-run",
    ),
    attack(
        "document with a line more",
        &[S, Q],
        "A line end is added to a signed document.",
        push,
        |c| rewrite(c, |text| Some(format!("{text}\n"))),
        "signature-other-bytes",
    ),
    attack(
        "document printed otherwise",
        &[S, Q],
        "A signed document is printed again without white space.",
        cron,
        |c| {
            let id = first_build(c)?;
            let printed = c.task(&id)?.document.as_ref()?.value.to_string();
            rewrite(c, |_| Some(printed))
        },
        "signature-other-bytes",
    ),
    attack(
        "document with other line ends",
        &[S, Q],
        "The line ends of a signed document are those of another system.",
        tag,
        |c| rewrite(c, |text| Some(text.replace('\n', "\r\n"))),
        "signature-other-bytes",
    ),
    attack(
        "document about another worker, unsigned",
        &[S, Q],
        "The worker's name is changed in a document after it was signed.",
        push,
        |c| {
            let id = first_build(c)?;
            set(c.document_mut(&id)?, &["workerId"], "i-0")
        },
        "signature-other-bytes",
    ),
    attack(
        "document about another task, unsigned",
        &[S, Q],
        "The task's id is changed in a document after it was signed.",
        push,
        |c| {
            let id = first_build(c)?;
            set(c.document_mut(&id)?, &["taskId"], crate::change::NOBODY)
        },
        "signature-other-bytes",
    ),
    attack(
        "document emptied",
        &[S, Q],
        "A signed document is replaced by nothing, and its signature left.",
        mobile,
        |c| rewrite(c, |_| Some(String::new())),
        "signature-other-bytes",
    ),
    attack(
        "document that follows a changed file",
        &[S],
        "A build's file is changed, and its hash in the document with it, but the signature cannot be.",
        push,
        |c| {
            alter(c, ARTIFACT)?;
            let id = first_build(c)?;
            let before = c.task(&id)?.document.as_ref()?.signature.clone();
            c.reseal(&id).ok()?.then_some(())?;
            *c.signature_mut(&id)? = before;
            Some(())
        },
        "signature-unknown-key",
    ),
    attack(
        "graph's document that follows a changed graph",
        &[S],
        "A task is taken out of a graph, and the hash in the document follows, but the signature cannot.",
        pr_action,
        |c| {
            let (id, build) = (first_decision(c)?, first_build(c)?);
            let before = c.task(&id)?.document.as_ref()?.signature.clone();
            graph(c, &id, |graph| remove(graph, &[&build]))?;
            *c.signature_mut(&id)? = before;
            Some(())
        },
        "signature-unknown-key",
    ),
    // Keys that count for a time; those of the chains are always the same.
    attack(
        "key that had expired",
        &[W],
        "A build is signed with a key that the policy lets count until a millisecond before.",
        push,
        |_| Some(()),
        "signature-key-expired",
    )
    .under("catena-policy: 1\ndefaults: {keys: {generic-worker: {add: [{key: gQ+U2JA57uEdkn9x4qnkVQy9owbUzY5az2AgiF7TgaE=, not-after: '2026-08-12T09:50:12.344Z'}]}}}\n"),
    attack(
        "action's key that had expired",
        &[W],
        "A release promotion is signed with a key that expired between the push and the promotion.",
        promotion,
        |_| Some(()),
        "signature-key-expired",
    )
    .under("catena-policy: 1\ndefaults: {keys: {docker-worker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, not-after: '2026-08-12T10:00:00Z'}]}}}\n"),
    attack(
        "finished target's key that had expired",
        &[W],
        "A target that has finished is signed with a key that the policy lets count until the day before.",
        finished,
        |_| Some(()),
        "signature-key-expired",
    )
    .under("catena-policy: 1\ndefaults: {keys: {scriptworker: {add: [{key: ADoRIVFV9NRFqmMCtF+XkHm/O04IfJiWhw4JirZ5zMk=, not-before: '2025-08-12T00:00:00Z', not-after: '2026-08-11T00:00:00Z'}]}}}\n"),
    attack(
        "key that did not count yet",
        &[W],
        "A decision task is signed with a key that the policy lets count from some minutes later.",
        mobile,
        |_| Some(()),
        "signature-key-not-yet-valid",
    )
    .under("catena-policy: 1\ndefaults: {keys: {docker-worker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, not-before: '2026-08-12T11:50:00+02:00'}]}}}\n"),
    attack(
        "scriptworker's key that did not count yet",
        &[W],
        "An earlier signing is signed with a key that the policy lets count from the next day.",
        rounds,
        |_| Some(()),
        "signature-key-not-yet-valid",
    )
    .under("catena-policy: 1\ndefaults: {keys: {scriptworker: {add: [{key: ADoRIVFV9NRFqmMCtF+XkHm/O04IfJiWhw4JirZ5zMk=, not-before: '2026-08-13T00:00:00Z', not-after: '2027-08-13T00:00:00Z'}]}}}\n"),
    attack(
        "key revoked before the run ended",
        &[W],
        "A build is signed with a key that was revoked at the moment the run ended.",
        tag,
        |_| Some(()),
        "signature-key-revoked",
    )
    .under("catena-policy: 1\ndefaults: {keys: {generic-worker: {add: [{key: gQ+U2JA57uEdkn9x4qnkVQy9owbUzY5az2AgiF7TgaE=, revoked: '2026-08-12T09:50:12.345Z', because: stolen}]}}}\n"),
    attack(
        "key revoked for good",
        &[S, W],
        "An earlier signing is signed with a key of which the policy says that it never counted.",
        rounds,
        |_| Some(()),
        "signature-key-revoked",
    )
    .under("catena-policy: 1\ndefaults: {keys: {scriptworker: {add: [{key: ADoRIVFV9NRFqmMCtF+XkHm/O04IfJiWhw4JirZ5zMk=, revoked: always, because: stolen}]}}}\n"),
    attack(
        "cron job's key revoked",
        &[W],
        "The decision task of a cron job is signed with a key that was revoked an hour before.",
        cron,
        |_| Some(()),
        "signature-key-revoked",
    )
    .under("catena-policy: 1\ndefaults: {keys: {docker-worker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, revoked: '2026-08-12T08:30:00Z'}]}}}\n"),
    attack(
        "run without a time, and a key with one",
        &[Q],
        "The queue does not say when a build ended that is signed with a key which had long expired.",
        push,
        |c| {
            let id = third_build(c)?;
            let runs = inside(c.status_mut(&id)?, &["status", "runs"])?;
            remove(runs, &["0", "resolved"])
        },
        "signature-time-unknown",
    )
    .under("catena-policy: 1\ndefaults: {keys: {generic-worker: {add: [{key: gQ+U2JA57uEdkn9x4qnkVQy9owbUzY5az2AgiF7TgaE=, not-after: '2026-08-12T09:50:12.345Z'}]}}}\n"),
    attack(
        "run without a time, and a revoked key",
        &[Q],
        "The queue does not say when an action task ended that is signed with a key which is revoked since.",
        pr_action,
        |c| {
            let id = action_task(c)?;
            let runs = inside(c.status_mut(&id)?, &["status", "runs"])?;
            remove(runs, &["0", "resolved"])
        },
        "signature-time-unknown",
    )
    .under("catena-policy: 1\ndefaults: {keys: {docker-worker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, revoked: '2026-12-01T00:00:00Z'}]}}}\n"),
];

/// A release with a signing of its own before the target's.
fn rounds() -> Release {
    Release { depth: 1, ..push() }
}

/// A key that nobody trusts.
fn stranger() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn flip(chain: &mut Chain, id: &str, byte: usize) -> Option<()> {
    *chain.signature_mut(id)?.get_mut(byte)? ^= 1;
    Some(())
}

/// Signs a task's document as it is with some key.
fn sign_with(chain: &mut Chain, id: &str, key: &SigningKey) -> Option<()> {
    chain.tasks.get_mut(id)?.document.as_mut()?.sign(key);
    Some(())
}

/// Signs a task's document as it is with the key of an implementation.
fn sign_like(chain: &mut Chain, id: &str, implementation: Implementation) -> Option<()> {
    let keys = chain.keys.clone();
    sign_with(chain, id, keys.signing_key(implementation))
}

/// Publishes another task's document and signature as this one's.
fn replay(chain: &mut Chain, id: &str, other: &str) -> Option<()> {
    let genuine = chain.task(other)?.document.clone()?;
    chain.tasks.get_mut(id)?.document = Some(genuine);
    Some(())
}

/// Changes the text of the first build's document, which nobody signs again.
fn rewrite(chain: &mut Chain, change: impl FnOnce(String) -> Option<String>) -> Option<()> {
    let id = first_build(chain)?;
    let text = change(String::from_utf8(bytes_of_document(chain, &id)?).ok()?)?;
    chain.artifacts_mut(&id)?.insert(DOCUMENT.into(), Artifact::new(text, "text/plain; charset=utf-8"));
    Some(())
}

/// The order of the curve's group (RFC 8032 section 5.1), in little-endian bytes.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Adds the order to the scalar, the second half of a signature.
fn malleate(signature: &mut [u8]) -> Option<()> {
    let mut carry = 0_u16;
    for (byte, add) in signature.get_mut(32..64)?.iter_mut().zip(ORDER) {
        let sum = u16::from(*byte).wrapping_add(u16::from(add)).wrapping_add(carry);
        let [low, high] = sum.to_le_bytes();
        *byte = low;
        carry = u16::from(high);
    }
    (carry == 0).then_some(())
}
