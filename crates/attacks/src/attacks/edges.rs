//! Attacks on the shape of the chain by size: cycles of many tasks, inputs that are named many times,
//! large entries.

use super::chain::input;
use super::{Attack, T, attack};
use crate::change::{build, inside, nth_build, target};
use crate::valid::push;
use catena_testbed::{Chain, Release};

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "cycle of many builds",
        &[T],
        "Each of thirty builds declares the next as an input, and the last one the first.",
        || Release { builds: 30, ..push() },
        |c| {
            (0..30).try_for_each(|number| {
                let (id, next) = (nth_build(c, number)?, nth_build(c, (number + 1) % 30)?);
                input(c, &id, "build", &next)
            })
        },
        "chain-cyclic",
    ),
    attack(
        "builds that are all inputs of each other",
        &[T],
        "Each of ten builds declares all others as inputs.",
        || Release { builds: 10, ..push() },
        |c| all_pairs(c, 10),
        "chain-cyclic",
    ),
    attack(
        "task named as an input many times",
        &[T],
        "A target names a build twenty thousand times among its upstream artifacts.",
        push,
        |c| {
            target(c, |task| {
                let entries = inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?;
                let again = entries.first()?.clone();
                entries.extend(vec![again; 20_000]);
                Some(())
            })
        },
        "chain-too-much-work",
    )
    .within(|limits| limits.steps = 20_000),
    attack(
        "large graph entry",
        &[T],
        "A build and its graph entry have a variable of one megabyte.",
        push,
        |c| build(c, &["payload", "env", "LONG"], "x".repeat(1_000_000)),
        "chain-too-much-work",
    )
    .within(|limits| limits.steps = 60_000),
];

/// Makes each of the first builds declare all others as inputs.
fn all_pairs(chain: &mut Chain, count: usize) -> Option<()> {
    for number in 0..count {
        let id = nth_build(chain, number)?;
        for other in (0..count).filter(|other| *other != number) {
            let input_id = nth_build(chain, other)?;
            input(chain, &id, &format!("build-{other}"), &input_id)?;
        }
    }
    Some(())
}
