//! Attacks on where tasks say they come from, and on what may be done from there.

mod foreign;
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
    proposals::ATTACKS,
    none::ATTACKS,
];
