//! Attacks on decision, cron and action tasks, and on what they are rebuilt from.

mod actions;
mod cron;
mod definition;
mod github;
mod hooks;
mod inputs;
mod pull_requests;
mod push_times;
mod pushes;
mod repositories;
mod sources;
mod template;
mod triggers;
mod values;
mod ways;
mod work;

use super::Attack;

pub(super) const PARTS: &[&[Attack]] = &[
    definition::ATTACKS,
    sources::ATTACKS,
    repositories::ATTACKS,
    template::ATTACKS,
    pushes::ATTACKS,
    push_times::ATTACKS,
    github::ATTACKS,
    pull_requests::ATTACKS,
    triggers::ATTACKS,
    actions::ATTACKS,
    hooks::ATTACKS,
    inputs::ATTACKS,
    values::ATTACKS,
    cron::ATTACKS,
    work::ATTACKS,
];
