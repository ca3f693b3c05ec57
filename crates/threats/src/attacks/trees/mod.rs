//! Attacks on where tasks say they come from, and on what may be done from there.

mod branches;
mod inputs;
mod landed;
mod levels;
mod proposals;
mod scopes;
mod siblings;
mod source;

use super::Attack;

pub(super) const PARTS: &[&[Attack]] = &[
    source::ATTACKS,
    scopes::ATTACKS,
    siblings::ATTACKS,
    inputs::ATTACKS,
    levels::ATTACKS,
    branches::ATTACKS,
    proposals::ATTACKS,
    landed::ATTACKS,
];
