//! Attacks on decision, cron and action tasks, and on what they are rebuilt from.

mod actions;
mod definition;
mod github;
mod hooks;
mod inputs;
mod pull_requests;
mod pushes;
mod sources;
mod template;
mod triggers;
mod ways;
mod work;

use super::Attack;

pub(super) const PARTS: &[&[Attack]] = &[
    definition::ATTACKS,
    sources::ATTACKS,
    template::ATTACKS,
    pushes::ATTACKS,
    github::ATTACKS,
    pull_requests::ATTACKS,
    triggers::ATTACKS,
    actions::ATTACKS,
    hooks::ATTACKS,
    inputs::ATTACKS,
    work::ATTACKS,
];
