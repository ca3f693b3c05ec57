//! Attacks on what the queue's record of a task says of its runs: times in an order in which nothing can have
//! happened, and states that contradict each other.

use super::super::{Attack, Q, T, attack};
use super::{action_task, image};
use crate::change::{first_build, first_decision, inside, remove, retimed, run, run_has, set};
use crate::valid::{cron, finished, fork, mobile, pr_action, promotion, pull_request, push, retried, tag};
use catena_testbed::Release;

/// A release promotion whose target has run too.
fn finished_promotion() -> Release {
    Release { finished: true, ..promotion() }
}

pub(super) const ATTACKS: &[Attack] = &[
    // Times.
    attack(
        "run that ended before it began",
        &[Q],
        "A build's run ended an hour before a worker claimed it.",
        push,
        |c| {
            let id = first_build(c)?;
            run_has(c, &id, "0", &[("resolved", "2026-08-12T08:50:12.345Z")])
        },
        "run-times-impossible",
    ),
    attack(
        "run that ended a millisecond before it began",
        &[Q],
        "A build's run ended a millisecond before a worker claimed it.",
        tag,
        |c| {
            let id = first_build(c)?;
            run_has(c, &id, "0", &[("resolved", "2026-08-12T09:50:12.344Z")])
        },
        "run-times-impossible",
    ),
    attack(
        "run claimed before it was scheduled",
        &[Q],
        "A build's run was claimed a minute before it was scheduled.",
        mobile,
        |c| {
            let id = first_build(c)?;
            run_has(c, &id, "0", &[("started", "2026-08-12T09:49:12.345Z")])
        },
        "run-times-impossible",
    ),
    attack(
        "claim that was over before the run began",
        &[Q],
        "The claim of a decision task's worker was over a day before the run began.",
        cron,
        |c| {
            let id = first_decision(c)?;
            run_has(c, &id, "0", &[("takenUntil", "2026-08-11T09:50:12.345Z")])
        },
        "run-times-impossible",
    ),
    attack(
        "run put back a day",
        &[Q],
        "The whole run of a build was on the day before the task was created.",
        push,
        |c| {
            let id = first_build(c)?;
            run_has(
                c,
                &id,
                "0",
                &[
                    ("scheduled", "2026-08-11T09:50:12.345Z"),
                    ("started", "2026-08-11T09:50:12.345Z"),
                    ("resolved", "2026-08-11T09:50:12.345Z"),
                ],
            )
        },
        "run-times-impossible",
    ),
    attack(
        "image's run put back years",
        &[Q],
        "The whole run of an image's task was years before the task was created.",
        fork,
        |c| {
            let id = image(c)?;
            run_has(
                c,
                &id,
                "0",
                &[
                    ("scheduled", "2020-01-01T00:00:00.000Z"),
                    ("started", "2020-01-01T00:00:00.000Z"),
                    ("resolved", "2020-01-01T00:00:00.000Z"),
                ],
            )
        },
        "run-times-impossible",
    ),
    attack(
        "decision task's run put back",
        &[Q],
        "The run of a decision task was an hour before the task was created.",
        pull_request,
        |c| {
            let id = first_decision(c)?;
            run_has(
                c,
                &id,
                "0",
                &[
                    ("scheduled", "2026-08-12T08:30:12.345Z"),
                    ("started", "2026-08-12T08:30:12.345Z"),
                    ("resolved", "2026-08-12T08:30:12.345Z"),
                ],
            )
        },
        "run-times-impossible",
    ),
    attack(
        "action task's run put back",
        &[Q],
        "The run of a release promotion was sixteen minutes before the task was created.",
        promotion,
        |c| {
            let id = action_task(c)?;
            run_has(
                c,
                &id,
                "0",
                &[
                    ("scheduled", "2026-08-12T10:14:12.345Z"),
                    ("started", "2026-08-12T10:14:12.345Z"),
                    ("resolved", "2026-08-12T10:14:12.345Z"),
                ],
            )
        },
        "run-times-impossible",
    ),
    attack(
        "finished target's run put back",
        &[Q],
        "The run of a target that has finished was an hour before the task was created.",
        finished,
        |c| {
            let id = c.target.clone();
            run_has(
                c,
                &id,
                "0",
                &[
                    ("scheduled", "2026-08-12T08:50:12.345Z"),
                    ("started", "2026-08-12T08:50:12.345Z"),
                    ("resolved", "2026-08-12T08:50:12.345Z"),
                ],
            )
        },
        "run-times-impossible",
    ),
    attack(
        "run before the one that it replaces ended",
        &[Q],
        "A build's second run was scheduled and over before the first had ended.",
        retried,
        |c| {
            let id = first_build(c)?;
            run_has(c, &id, "0", &[("resolved", "2026-08-12T11:50:12.345Z")])
        },
        "run-times-impossible",
    ),
    attack(
        "lost run that ended before it began",
        &[Q],
        "The run of a build that was lost ended an hour before it began; the next is sound.",
        retried,
        |c| {
            let id = first_build(c)?;
            run_has(c, &id, "0", &[("resolved", "2026-08-12T08:50:12.345Z")])
        },
        "run-times-impossible",
    ),
    attack(
        "cancelled run that ended before it was scheduled",
        &[Q],
        "A run was cancelled ten minutes before it was scheduled; the next is sound.",
        retried,
        |c| {
            let id = first_build(c)?;
            run_has(c, &id, "0", &[("resolved", "2026-08-12T09:40:12.345Z"), ("reasonResolved", "canceled")])
        },
        "run-times-impossible",
    ),
    attack(
        "build put back before its decision task",
        &[Q, T],
        "A build, its creation and its run alike, was eight hours before its decision task.",
        push,
        |c| {
            let id = first_build(c)?;
            retimed(c, &id, "T09:50:12.345Z", "T01:50:12.345Z")
        },
        "run-times-impossible",
    ),
    attack(
        "finished target put back before its action",
        &[Q, T],
        "A target that has finished, its creation and its run alike, was a quarter of a day before the action that made it.",
        finished_promotion,
        |c| {
            let id = c.target.clone();
            retimed(c, &id, "T10:50:12.345Z", "T04:50:12.345Z")
        },
        "run-times-impossible",
    ),
    attack(
        "completed run of a task that goes on",
        &[Q],
        "A build's only run completed, and the task is still running.",
        push,
        |c| {
            let id = first_build(c)?;
            set(c.status_mut(&id)?, &["status", "state"], "running")
        },
        "run-state-contradicts",
    ),
    attack(
        "completed run of a task that failed",
        &[Q],
        "A decision task's only run completed, and the task failed.",
        mobile,
        |c| {
            let id = first_decision(c)?;
            set(c.status_mut(&id)?, &["status", "state"], "failed")
        },
        "run-state-contradicts",
    ),
    attack(
        "completed run of a task that has none",
        &[Q],
        "An action task's only run completed, and the task is unscheduled.",
        pr_action,
        |c| {
            let id = action_task(c)?;
            set(c.status_mut(&id)?, &["status", "state"], "unscheduled")
        },
        "run-state-contradicts",
    ),
    attack(
        "completed for another reason",
        &[Q],
        "A build's run completed because its worker was shut down.",
        push,
        |c| {
            let id = first_build(c)?;
            run_has(c, &id, "0", &[("reasonResolved", "worker-shutdown")])
        },
        "run-state-contradicts",
    ),
    attack(
        "failed run passed off as completed",
        &[Q],
        "A decision task's run completed because it failed.",
        cron,
        |c| {
            let id = first_decision(c)?;
            run_has(c, &id, "0", &[("reasonResolved", "failed")])
        },
        "run-state-contradicts",
    ),
    attack(
        "completed for no reason",
        &[Q],
        "The queue does not say why an image's run is over.",
        tag,
        |c| {
            let id = image(c)?;
            remove(inside(c.status_mut(&id)?, &["status", "runs", "0"])?, &["reasonResolved"])
        },
        "run-state-contradicts",
    ),
    attack(
        "completed and not ended",
        &[Q],
        "A build's run completed, and the queue does not say when.",
        mobile,
        |c| {
            let id = first_build(c)?;
            remove(inside(c.status_mut(&id)?, &["status", "runs", "0"])?, &["resolved"])
        },
        "run-state-contradicts",
    ),
    attack(
        "completed and not begun",
        &[Q],
        "A build's run completed, and no worker claimed it.",
        push,
        |c| {
            let id = first_build(c)?;
            remove(inside(c.status_mut(&id)?, &["status", "runs", "0"])?, &["started"])
        },
        "run-state-contradicts",
    ),
    attack(
        "earlier run that goes on",
        &[Q],
        "A build's first run is still going on when the second has completed.",
        retried,
        |c| {
            let id = first_build(c)?;
            let run = inside(c.status_mut(&id)?, &["status", "runs", "0"])?;
            remove(run, &["resolved"])?;
            remove(run, &["reasonResolved"])?;
            set(run, &["state"], "running")
        },
        "run-state-contradicts",
    ),
    attack(
        "lost run that completed",
        &[Q],
        "A build's first run ended in an exception because it completed.",
        retried,
        |c| {
            let id = first_build(c)?;
            run_has(c, &id, "0", &[("reasonResolved", "completed")])
        },
        "run-state-contradicts",
    ),
    attack(
        "waiting run that ended",
        &[Q],
        "A build's first run waits for a worker, and has ended.",
        retried,
        |c| {
            let id = first_build(c)?;
            run_has(c, &id, "0", &[("state", "pending")])
        },
        "run-state-contradicts",
    ),
    attack(
        "run that was never scheduled",
        &[Q],
        "The queue does not say when a build's run was scheduled.",
        push,
        |c| {
            let id = first_build(c)?;
            remove(inside(c.status_mut(&id)?, &["status", "runs", "0"])?, &["scheduled"])
        },
        "run-status-malformed",
    ),
    attack(
        "run that began at no time",
        &[Q],
        "The queue says that a build's run began yesterday.",
        cron,
        |c| run(c, "started", "yesterday"),
        "run-status-malformed",
    ),
    attack(
        "claim until no time",
        &[Q],
        "The queue's end of a claim is a number.",
        mobile,
        |c| run(c, "takenUntil", 1_786_527_012_i64),
        "run-status-malformed",
    ),
    attack(
        "task in no state",
        &[Q],
        "The queue does not say how far a build got.",
        push,
        |c| {
            let id = first_build(c)?;
            remove(c.status_mut(&id)?, &["status", "state"])
        },
        "run-status-malformed",
    ),
    attack(
        "task in a state nobody knows",
        &[Q],
        "The queue says that a build is in a state that no queue has.",
        tag,
        |c| {
            let id = first_build(c)?;
            set(c.status_mut(&id)?, &["status", "state"], "done")
        },
        "run-status-malformed",
    ),
];
