//! Attacks on where tasks say they come from, and on what may be done from there.

mod proposals;
mod scopes;
mod siblings;
mod source;

use super::Attack;

const PARTS: [&[Attack]; 4] = [source::ATTACKS, scopes::ATTACKS, siblings::ATTACKS, proposals::ATTACKS];

pub(super) const ATTACKS: &[Attack] = &joined::<{ count() }>();

#[expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "the compiler evaluates it")]
const fn count() -> usize {
    let (mut part, mut count) = (0, 0);
    while part < PARTS.len() {
        count += PARTS[part].len();
        part += 1;
    }
    count
}

/// All parts, one after the other.
#[expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "the compiler evaluates it")]
const fn joined<const N: usize>() -> [Attack; N] {
    let mut all = [PARTS[0][0]; N];
    let (mut part, mut count) = (0, 0);
    while part < PARTS.len() {
        let mut place = 0;
        while place < PARTS[part].len() {
            all[count] = PARTS[part][place];
            (place, count) = (place + 1, count + 1);
        }
        part += 1;
    }
    all
}
