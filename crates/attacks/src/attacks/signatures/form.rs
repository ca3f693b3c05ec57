//! Malformed signatures: other bits, truncated, empty, missing, or too long.

use crate::attacks::{Attack, Q, S, Spread, T, W, attack};
use crate::change::{signature, unpublish, unpublish_from};
use crate::subject::SUBJECTS;
use crate::valid::{cron, tag};
use catena_testbed::Chain;
use catena_testbed::chain::{DOCUMENT, SIGNATURE};

pub(super) const SPREADS: &[Spread] = &[
    Spread {
        name: "signature with the first bit flipped",
        by: &[S, Q],
        what: "The first bit of the signature over the document of a {} is flipped.",
        change: |c, id| flip(c, id, 0),
        code: "signature-unknown-key",
        of: SUBJECTS,
    },
    Spread {
        name: "signature with a bit flipped",
        by: &[S, Q],
        what: "One bit in the second half of the signature over the document of a {} is flipped.",
        change: |c, id| flip(c, id, 40),
        code: "signature-unknown-key",
        of: SUBJECTS,
    },
    Spread {
        name: "signature with the last bit flipped",
        by: &[S, Q],
        what: "A bit of the last byte of the signature over the document of a {} is flipped.",
        change: |c, id| flip(c, id, 63),
        code: "signature-unknown-key",
        of: SUBJECTS,
    },
    Spread {
        name: "signature of zeros",
        by: &[S, Q],
        what: "The signature over the document of a {} is 64 zero bytes.",
        change: |c, id| {
            c.signature_mut(id)?.fill(0);
            Some(())
        },
        code: "signature-unknown-key",
        of: SUBJECTS,
    },
    Spread {
        name: "truncated signature",
        by: &[S, Q],
        what: "The signature over the document of a {} lacks its last byte.",
        change: |c, id| {
            c.signature_mut(id)?.truncate(63);
            Some(())
        },
        code: "signature-truncated",
        of: SUBJECTS,
    },
    Spread {
        name: "half a signature",
        by: &[S, Q],
        what: "Only the first half of the signature over the document of a {} exists.",
        change: |c, id| {
            c.signature_mut(id)?.truncate(32);
            Some(())
        },
        code: "signature-truncated",
        of: SUBJECTS,
    },
    Spread {
        name: "empty signature",
        by: &[S, Q],
        what: "The signature over the document of a {} has no bytes.",
        change: |c, id| {
            c.signature_mut(id)?.clear();
            Some(())
        },
        code: "signature-empty",
        of: SUBJECTS,
    },
    Spread {
        name: "missing signature",
        by: &[S, Q],
        what: "The signature over the document of a {} is missing.",
        change: |c, id| unpublish_from(c, id, &[SIGNATURE]),
        code: "signature-missing",
        of: SUBJECTS,
    },
    Spread {
        name: "missing document",
        by: &[S, Q],
        what: "A {} has a signature and no document.",
        change: |c, id| unpublish_from(c, id, &[DOCUMENT]),
        code: "signature-without-document",
        of: SUBJECTS,
    },
    Spread {
        name: "neither document nor signature",
        by: &[S, Q],
        what: "A {} has neither a document nor a signature.",
        change: |c, id| unpublish_from(c, id, &[DOCUMENT, SIGNATURE]),
        code: "signature-without-document",
        of: SUBJECTS,
    },
    Spread {
        name: "signature with a line feed",
        by: &[S, W],
        what: "A line feed follows the signature over the document of a {}.",
        change: |c, id| {
            c.signature_mut(id)?.push(b'\n');
            Some(())
        },
        code: "signature-too-long",
        of: SUBJECTS,
    },
    Spread {
        name: "signature in hexadecimal",
        by: &[S, W],
        what: "The signature over the document of a {} is written as hexadecimal digits.",
        change: |c, id| {
            let signature = c.signature_mut(id)?;
            *signature = signature.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect();
            Some(())
        },
        code: "signature-too-long",
        of: SUBJECTS,
    },
];

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "build without Chain of Trust",
        &[T],
        "A build does not enable Chain of Trust, so that it has neither a document nor a signature.",
        tag,
        |c| unpublish(c, &[DOCUMENT, SIGNATURE]),
        "signature-without-document",
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
