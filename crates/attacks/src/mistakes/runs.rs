//! Runs that are not finished or failed, and clocks.

use super::{
    ACTION, Circumstance, DECISION, DOCKER_WORKER, FINISHED, GENERIC_WORKER, GITHUB, IMAGE, One, SIGNING,
    mistake,
};
use crate::change::{completed_twice, document, first_build, first_decision, run_is, run_of, set};
use crate::valid::{push, retried, tag};
use catena_testbed::Release;
use catena_verify::verdict::Class::{Infra, Invalid, Policy};

pub(super) const CIRCUMSTANCES: &[Circumstance] = &[
    Circumstance {
        name: "which is still running",
        change: |c, id| run_is(c, id, "running"),
        code: "run-not-finished",
        class: Infra,
        hint: "wait for the run",
        of: &[DOCKER_WORKER, IMAGE, DECISION, ACTION, SIGNING, FINISHED],
    },
    Circumstance {
        name: "which waits for a worker",
        change: |c, id| run_is(c, id, "pending"),
        code: "run-not-finished",
        class: Infra,
        hint: "ask again",
        of: &[GENERIC_WORKER, GITHUB, IMAGE, SIGNING, FINISHED],
    },
    Circumstance {
        name: "which failed",
        change: |c, id| run_is(c, id, "failed"),
        code: "run-not-completed",
        class: Policy,
        hint: "run the task again",
        of: &[DOCKER_WORKER, IMAGE, DECISION, ACTION, SIGNING],
    },
    Circumstance {
        name: "whose worker disappeared",
        change: |c, id| run_is(c, id, "exception"),
        code: "run-not-completed",
        class: Policy,
        hint: "Look at its log",
        of: &[GENERIC_WORKER, GITHUB, FINISHED],
    },
    Circumstance {
        name: "whose run was superseded",
        change: |c, id| {
            run_is(c, id, "exception")?;
            run_of(c, id, "reasonResolved", "superseded")
        },
        code: "run-not-completed",
        class: Policy,
        hint: "run the task again",
        of: &[DOCKER_WORKER, IMAGE, SIGNING],
    },
    Circumstance {
        name: "which was cancelled",
        change: |c, id| {
            run_is(c, id, "exception")?;
            run_of(c, id, "reasonResolved", "canceled")
        },
        code: "run-not-completed",
        class: Policy,
        hint: "run the task again",
        of: &[GENERIC_WORKER, DECISION],
    },
    Circumstance {
        name: "whose queue had its clock set back",
        change: |c, id| run_of(c, id, "started", "2020-01-01T00:00:00.000Z"),
        code: "run-times-impossible",
        class: Invalid,
        hint: "clock",
        of: &[DOCKER_WORKER, IMAGE, DECISION],
    },
];

pub(super) const ONES: &[(&str, One)] = &[
    (
        "docker-image task that was run again after the build",
        mistake(
            retried,
            |c| {
                completed_twice(c)?;
                document(c, &["environment", "imageArtifactHash"], format!("sha256:{}", "1f".repeat(32)))
            },
            "image-rerun",
            Invalid,
            "Run the task again",
        ),
    ),
    (
        "build whose second run failed",
        mistake(
            retried,
            |c| {
                let id = first_build(c)?;
                run_is(c, &id, "failed")
            },
            "run-not-completed",
            Policy,
            "run the task again",
        ),
    ),
    (
        "build that has not been scheduled",
        mistake(
            push,
            |c| {
                let id = first_build(c)?;
                set(c.status_mut(&id)?, &["status", "state"], "unscheduled")?;
                set(c.status_mut(&id)?, &["status", "runs"], Vec::new())
            },
            "run-none",
            Infra,
            "has not started",
        ),
    ),
    (
        "decision task of a release whose second run is still running",
        mistake(
            || Release { retried: true, ..tag() },
            |c| {
                let id = first_decision(c)?;
                run_is(c, &id, "running")
            },
            "run-not-finished",
            Infra,
            "wait for the run",
        ),
    ),
];
