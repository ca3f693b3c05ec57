//! Attacks on the trees that tasks claim, and on the scopes that these trees may use.

mod branches;
mod foreign;
mod inputs;
mod landed;
mod levels;
mod named;
mod none;
mod proposals;
mod scopes;
mod siblings;
mod source;

use super::Attack;

pub(super) const PARTS: &[&[Attack]] = &[
    source::ATTACKS,
    scopes::ATTACKS,
    foreign::ATTACKS,
    siblings::ATTACKS,
    named::ATTACKS,
    inputs::ATTACKS,
    levels::ATTACKS,
    branches::ATTACKS,
    proposals::ATTACKS,
    landed::ATTACKS,
    none::ATTACKS,
];
