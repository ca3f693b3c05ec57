//! Classes that are written in several files, as one list.

use super::Attack;

/// How many attacks there are in all parts.
pub(super) const fn count(parts: &[&[Attack]]) -> usize {
    match parts {
        [] => 0,
        [first, rest @ ..] => first.len().saturating_add(count(rest)),
    }
}

/// All parts, one after the other.
#[expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "the compiler evaluates it")]
pub(super) const fn joined<const N: usize>(parts: &[&[Attack]]) -> [Attack; N] {
    let mut all = [parts[0][0]; N];
    let (mut part, mut count) = (0, 0);
    while part < parts.len() {
        let mut place = 0;
        while place < parts[part].len() {
            all[count] = parts[part][place];
            (place, count) = (place + 1, count + 1);
        }
        part += 1;
    }
    all
}
