//! Attacks on signatures: missing, of another worker, malformed, or a genuine one over something else.

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
