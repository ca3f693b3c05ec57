//! Attacks on signatures: none, another's, one that is no signature, or a genuine one of something else.

mod form;
mod keys;
mod limits;
mod permissions;
mod replays;
mod times;

use super::{Attack, Spread};

pub(super) const PARTS: &[&[Attack]] =
    &[form::ATTACKS, keys::ATTACKS, limits::ATTACKS, permissions::ATTACKS, replays::ATTACKS, times::ATTACKS];

pub(super) const SPREADS: &[&[Spread]] = &[form::SPREADS];
