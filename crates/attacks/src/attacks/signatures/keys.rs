//! Signatures by a key that is not valid, or valid for something else.

use crate::attacks::documents::{image, signer};
use crate::attacks::{Attack, Q, S, T, W, attack};
use crate::change::{document_bytes, first_build, first_decision, nth_build, sign_as, signature};
use crate::valid::{cron, finished, fork, mobile, pull_request, push, rounds, tag};
use catena_keys::SigningKey;
use catena_testbed::chain::Implementation;
use catena_testbed::{Chain, Release};

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "unknown key",
        &[S, Q],
        "A build's document is signed with a key that the policy does not list.",
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
        "The document of a release's decision task is signed with a key that the policy does not \
         list.",
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
        "Every document of the chain is signed with one key that the policy does not list.",
        pull_request,
        |c| {
            let ids: Vec<String> = c.tasks.keys().filter(|id| **id != c.target).cloned().collect();
            ids.iter().try_for_each(|id| sign_with(c, id, &stranger()))
        },
        "signature-unknown-key",
    ),
    attack(
        "document with an extra line feed, signed with an unknown key",
        &[S, Q],
        "A line feed is added to a build's document, which is then signed with a key that the \
         policy does not list.",
        push,
        |c| {
            let longer = |mut bytes: Vec<u8>| {
                bytes.push(b'\n');
                Some(bytes)
            };
            document_bytes(c, longer)?;
            *signature(c)? = stranger().sign(b"something else").as_bytes().to_vec();
            Some(())
        },
        "signature-unknown-key",
    ),
    attack(
        "key of another product",
        &[W],
        "A build's document is signed with the key of another product's workers.",
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
            let id = nth_build(c, 2)?;
            sign_like(c, &id, Implementation::DockerWorker)
        },
        "signature-other-implementation",
    ),
    attack(
        "docker-worker's key for scriptworker",
        &[W],
        "The document of an earlier signing task is signed with docker-worker's key.",
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
        "The document of a finished target is signed with generic-worker's key.",
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
        "no trusted scriptworker keys",
        &[T, W],
        "The policy trusts no scriptworker key, and a scriptworker signed part of the release.",
        rounds,
        |c| {
            c.keys.distrust(Implementation::Scriptworker);
            Some(())
        },
        "signature-no-keys",
    ),
    attack(
        "no trusted generic-worker keys",
        &[T, W],
        "The policy trusts no generic-worker key, and a generic-worker made a build.",
        tag,
        |c| {
            c.keys.distrust(Implementation::GenericWorker);
            Some(())
        },
        "signature-no-keys",
    ),
    attack(
        "key no longer trusted",
        &[W],
        "A build is signed with a key that was removed from the policy, which still lists another \
         one.",
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
        "The signature over a build's document is valid for any key of small order.",
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
        "signature in a second encoding",
        &[S, Q],
        "The order of the curve is added to the scalar of a genuine signature, which is equivalent.",
        push,
        |c| {
            let id = first_build(c)?;
            malleate(c.signature_mut(&id)?)
        },
        "signature-unknown-key",
    ),
    attack(
        "image's signature in a second encoding",
        &[S, Q],
        "The order of the curve is added to the scalar of a genuine signature over an image's document.",
        fork,
        |c| {
            let id = image(c)?;
            malleate(c.signature_mut(&id)?)
        },
        "signature-unknown-key",
    ),
];

/// An untrusted key.
fn stranger() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

/// Signs a task's unchanged document with another key.
fn sign_with(chain: &mut Chain, id: &str, key: &SigningKey) -> Option<()> {
    chain.tasks.get_mut(id)?.document.as_mut()?.sign(key);
    Some(())
}

/// Signs a task's unchanged document with the key of an implementation.
fn sign_like(chain: &mut Chain, id: &str, implementation: Implementation) -> Option<()> {
    let keys = chain.keys.clone();
    sign_with(chain, id, keys.signing_key(implementation))
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
