//! Attacks on signatures: none, another's, one that is no signature, or a genuine one of something else.

use super::{Attack, Q, S, attack};
use crate::change::signature;
use crate::honest::push;

pub(super) const ATTACKS: &[Attack] = &[attack(
    "signature with a bit flipped",
    &[S, Q],
    "One bit of the signature over a build's document is flipped.",
    push,
    |c| {
        *signature(c)?.get_mut(5)? ^= 1;
        Some(())
    },
    "signature-unknown-key",
)];
