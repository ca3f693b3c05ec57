//! Attacks on the queue's record of a task's runs: impossible times, and states that contradict each
//! other.

use super::super::{Attack, Q, T, attack};
use super::{action_task, image};
use crate::change::{first_build, first_decision, inside, remove, retimed, run, run_has, set};
use crate::valid::{cron, finished, fork, mobile, pr_action, promotion, pull_request, push, retried, tag};
use catena_testbed::Release;

/// A release promotion whose target has finished.
fn finished_promotion() -> Release {
    Release { finished: true, ..promotion() }
}

pub(super) const ATTACKS: &[Attack] = &[
    // Times.
    attack(
        "run that ended before it started",
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
        "run that ended a millisecond before it started",
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
        "claim that expired before the run started",
        &[Q],
        "The claim of a decision task's worker expired a day before the run started.",
        cron,
        |c| {
            let id = first_decision(c)?;
            run_has(c, &id, "0", &[("takenUntil", "2026-08-11T09:50:12.345Z")])
        },
        "run-times-impossible",
    ),
    attack(
        "run backdated by a day",
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
        "image's run backdated by years",
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
        "decision task's run backdated",
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
        "action task's run backdated",
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
        "finished target's run backdated",
        &[Q],
        "The run of a finished target was an hour before the task was created.",
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
        "run that ended before the run that it replaces",
        &[Q],
        "A build's second run was scheduled and had ended before the first one ended.",
        retried,
        |c| {
            let id = first_build(c)?;
            run_has(c, &id, "0", &[("resolved", "2026-08-12T11:50:12.345Z")])
        },
        "run-times-impossible",
    ),
    attack(
        "lost run that ended before it started",
        &[Q],
        "A build's lost run ended an hour before it started; the next run is consistent.",
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
        "A run was cancelled ten minutes before it was scheduled; the next run is consistent.",
        retried,
        |c| {
            let id = first_build(c)?;
            run_has(c, &id, "0", &[("resolved", "2026-08-12T09:40:12.345Z"), ("reasonResolved", "canceled")])
        },
        "run-times-impossible",
    ),
    attack(
        "build backdated before its decision task",
        &[Q, T],
        "A build's creation and run are eight hours before its decision task.",
        push,
        |c| {
            let id = first_build(c)?;
            retimed(c, &id, "T09:50:12.345Z", "T01:50:12.345Z")
        },
        "run-times-impossible",
    ),
    attack(
        "finished target backdated before its action",
        &[Q, T],
        "A finished target's creation and run are six hours before the action that made it.",
        finished_promotion,
        |c| {
            let id = c.target.clone();
            retimed(c, &id, "T10:50:12.345Z", "T04:50:12.345Z")
        },
        "run-times-impossible",
    ),
    attack(
        "completed run of a running task",
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
        "completed run of a failed task",
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
        "completed run of an unscheduled task",
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
        "completed run with another reason",
        &[Q],
        "A build's run completed with the reason that its worker was shut down.",
        push,
        |c| {
            let id = first_build(c)?;
            run_has(c, &id, "0", &[("reasonResolved", "worker-shutdown")])
        },
        "run-state-contradicts",
    ),
    attack(
        "failed run declared as completed",
        &[Q],
        "A decision task's run completed with the reason that it failed.",
        cron,
        |c| {
            let id = first_decision(c)?;
            run_has(c, &id, "0", &[("reasonResolved", "failed")])
        },
        "run-state-contradicts",
    ),
    attack(
        "completed run without a reason",
        &[Q],
        "The queue gives no reason for the end of an image task's run.",
        tag,
        |c| {
            let id = image(c)?;
            remove(inside(c.status_mut(&id)?, &["status", "runs", "0"])?, &["reasonResolved"])
        },
        "run-state-contradicts",
    ),
    attack(
        "completed run without an end",
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
        "completed run without a start",
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
        "earlier run that is still running",
        &[Q],
        "A build's first run is still running after the second has completed.",
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
        "lost run with the reason completed",
        &[Q],
        "A build's first run ended in an exception with the reason that it completed.",
        retried,
        |c| {
            let id = first_build(c)?;
            run_has(c, &id, "0", &[("reasonResolved", "completed")])
        },
        "run-state-contradicts",
    ),
    attack(
        "pending run that has ended",
        &[Q],
        "A build's first run is pending, and has an end.",
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
        "run with a malformed start",
        &[Q],
        "The queue says that a build's run started \"yesterday\".",
        cron,
        |c| run(c, "started", "yesterday"),
        "run-status-malformed",
    ),
    attack(
        "claim with a malformed end",
        &[Q],
        "The end of a claim in the queue's status is a number.",
        mobile,
        |c| run(c, "takenUntil", 1_786_527_012_i64),
        "run-status-malformed",
    ),
    attack(
        "task without a state",
        &[Q],
        "The queue does not state a build's state.",
        push,
        |c| {
            let id = first_build(c)?;
            remove(c.status_mut(&id)?, &["status", "state"])
        },
        "run-status-malformed",
    ),
    attack(
        "task in an unknown state",
        &[Q],
        "The queue says that a build is in a state that does not exist.",
        tag,
        |c| {
            let id = first_build(c)?;
            set(c.status_mut(&id)?, &["status", "state"], "done")
        },
        "run-status-malformed",
    ),
];
