//! Signatures that are none: with other bits, cut off, empty, gone, or too long.

use crate::attacks::documents::{action_task, image, signer};
use crate::attacks::{Attack, Q, S, T, W, attack};
use crate::change::{first_build, first_decision, nth_build, signature, unpublish, unpublish_from};
use crate::valid::{
    action, cron, finished, fork, mobile, pr_action, promotion, pull_request, push, rounds, tag,
};
use catena_testbed::Chain;
use catena_testbed::chain::{DOCUMENT, SIGNATURE};

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
            let id = nth_build(c, 2)?;
            flip(c, &id, 32)
        },
        "signature-unknown-key",
    ),
    attack(
        "scriptworker's signature with a bit flipped",
        &[S, Q],
        "One bit of the signature over the document of an earlier signing task is flipped.",
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
        "One bit of the signature over the document of a finished target is flipped.",
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
        "truncated signature",
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
        "half a signature",
        &[S, Q],
        "Only the first half of the signature over an action task's document exists.",
        promotion,
        |c| {
            let id = action_task(c)?;
            c.signature_mut(&id)?.truncate(32);
            Some(())
        },
        "signature-truncated",
    ),
    attack(
        "empty signature",
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
        "decision task's empty signature",
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
        "missing signature",
        &[S, Q],
        "The signature over a build's document is missing.",
        push,
        |c| unpublish(c, &[SIGNATURE]),
        "signature-missing",
    ),
    attack(
        "image's missing signature",
        &[S, Q],
        "The signature over a docker image's document is missing.",
        fork,
        |c| {
            let id = image(c)?;
            unpublish_from(c, &id, &[SIGNATURE])
        },
        "signature-missing",
    ),
    attack(
        "missing document",
        &[S, Q],
        "A build has a signature and no document.",
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
        "build without Chain of Trust",
        &[T],
        "A build does not enable Chain of Trust, so that it has neither a document nor a signature.",
        tag,
        |c| unpublish(c, &[DOCUMENT, SIGNATURE]),
        "signature-without-document",
    ),
    attack(
        "signature in hexadecimal",
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
        "signature with a line feed",
        &[S, W],
        "A line feed follows the signature over an image's document.",
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
        "A forged signature is followed by the genuine one.",
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
];

fn flip(chain: &mut Chain, id: &str, byte: usize) -> Option<()> {
    *chain.signature_mut(id)?.get_mut(byte)? ^= 1;
    Some(())
}
