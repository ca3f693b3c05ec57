//! Attacks on decision, cron and action tasks, and on what they are rebuilt from.

mod actions;
mod answers;
mod definition;
mod sources;
mod template;
mod ways;

use super::Attack;

pub(super) const PARTS: &[&[Attack]] =
    &[definition::ATTACKS, sources::ATTACKS, template::ATTACKS, answers::ATTACKS, actions::ATTACKS];
