//! Attacks on what a task is: against the graph it came from, and in its own form.

mod definitions;
mod differences;
mod graphs;

use super::Attack;

pub(super) const PARTS: &[&[Attack]] = &[differences::ATTACKS, graphs::ATTACKS, definitions::ATTACKS];
