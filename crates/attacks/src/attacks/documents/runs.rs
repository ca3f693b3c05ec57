//! Attacks on the runs of a task in the queue.

use super::super::{Attack, Q, S, T, Wire, attack, wire};
use super::{action_task, image, later_run};
use crate::change::{
    build, document_of, first_build, first_decision, nth_build, remove, run, run_is, set, target_parent,
    unpublish_from,
};
use crate::valid::{cron, finished, fork, mobile, pr_action, promotion, pull_request, push, tag};
use catena_testbed::Fault;
use catena_testbed::chain::{DOCUMENT, SIGNATURE};

pub(super) const ATTACKS: &[Attack] = &[
    // The run.
    attack(
        "failed run",
        &[T, Q],
        "The last run of a build failed.",
        push,
        |c| {
            let id = first_build(c)?;
            run_is(c, &id, "failed")
        },
        "run-not-completed",
    ),
    attack(
        "run that is still running",
        &[T, Q],
        "The last run of a build is still running.",
        mobile,
        |c| {
            let id = first_build(c)?;
            run_is(c, &id, "running")
        },
        "run-not-finished",
    ),
    attack(
        "pending run",
        &[T, Q],
        "The last run of a build is pending.",
        tag,
        |c| {
            let id = first_build(c)?;
            run_is(c, &id, "pending")
        },
        "run-not-finished",
    ),
    attack(
        "image of an abandoned run",
        &[T, Q],
        "The last run of an image task ended in an exception.",
        fork,
        |c| {
            let id = image(c)?;
            run_is(c, &id, "exception")
        },
        "run-not-completed",
    ),
    attack(
        "failed decision task",
        &[T, Q],
        "A cron job's decision task published its graph and then failed.",
        cron,
        |c| {
            let id = first_decision(c)?;
            run_is(c, &id, "failed")
        },
        "run-not-completed",
    ),
    attack(
        "failed action task",
        &[T, Q],
        "A release promotion made its tasks and then failed.",
        promotion,
        |c| {
            let id = action_task(c)?;
            run_is(c, &id, "failed")
        },
        "run-not-completed",
    ),
    attack(
        "failed finished target",
        &[T, Q],
        "A target that is declared as finished has failed.",
        finished,
        |c| {
            let id = c.target.clone();
            run_is(c, &id, "failed")
        },
        "run-not-completed",
    ),
    attack(
        "run replaced by a later one",
        &[T, Q],
        "A build that had completed was run again, and the second run has a document but has not ended.",
        push,
        |c| {
            let id = first_build(c)?;
            later_run(c, &id, "running")?;
            document_of(c, &id, |document| set(document, &["runId"], 1_i64))
        },
        "run-not-finished",
    ),
    attack(
        "failed second run",
        &[T, Q],
        "A decision task that had completed was run again, and the second run failed.",
        mobile,
        |c| {
            let id = first_decision(c)?;
            later_run(c, &id, "failed")?;
            document_of(c, &id, |document| set(document, &["runId"], 1_i64))
        },
        "run-not-completed",
    ),
    attack(
        "later run without a document",
        &[S, Q],
        "A build was run again and completed, and of the second run only the files exist.",
        tag,
        |c| {
            let id = first_build(c)?;
            later_run(c, &id, "completed")?;
            unpublish_from(c, &id, &[DOCUMENT, SIGNATURE])
        },
        "signature-without-document",
    ),
    attack(
        "later run hidden",
        &[Q],
        "The queue hides a build's second run, and the document is of that run.",
        push,
        |c| {
            let id = first_build(c)?;
            document_of(c, &id, |document| set(document, &["runId"], 1_i64))?;
            run(c, "reasonCreated", "retry")
        },
        "document-of-another-run",
    ),
    attack(
        "task without a run",
        &[Q],
        "The queue says that a completed build has not been scheduled and has no run.",
        push,
        |c| {
            let id = first_build(c)?;
            set(c.status_mut(&id)?, &["status", "state"], "unscheduled")?;
            set(c.status_mut(&id)?, &["status", "runs"], Vec::new())
        },
        "run-none",
    ),
    attack(
        "status of another task",
        &[Q],
        "The queue answers with the status of another build.",
        push,
        |c| {
            let (id, other) = (first_build(c)?, nth_build(c, 1)?);
            let status = c.task(&other)?.status.clone();
            *c.status_mut(&id)? = status;
            Some(())
        },
        "run-status-of-another-task",
    ),
    attack(
        "decision task's status of another task",
        &[Q],
        "The queue answers with the status of an earlier push's decision task.",
        cron,
        |c| {
            let (id, other) = (first_decision(c)?, c.decisions.get(1)?.clone());
            let status = c.task(&other)?.status.clone();
            *c.status_mut(&id)? = status;
            Some(())
        },
        "run-status-of-another-task",
    ),
    attack(
        "status in another worker pool",
        &[Q],
        "The queue's status of a build names a pool of a lower level.",
        push,
        |c| {
            let id = first_build(c)?;
            let status = c.status_mut(&id)?;
            set(status, &["status", "provisionerId"], "gecko-1")?;
            set(status, &["status", "taskQueueId"], "gecko-1/b-linux")
        },
        "run-status-contradicts",
    ),
    attack(
        "status with another worker type",
        &[Q],
        "The queue's status of an image's task on GitHub names a different worker type from its \
         definition.",
        mobile,
        |c| {
            let id = c.images.first()?.clone();
            set(c.status_mut(&id)?, &["status", "workerType"], "b-linux-gcp-other")
        },
        "run-status-contradicts",
    ),
    attack(
        "status of another task group",
        &[Q],
        "The queue's status of a build has the build's id and the task group of an earlier push.",
        cron,
        |c| {
            let (id, other) = (first_build(c)?, c.decisions.get(1)?.clone());
            set(c.status_mut(&id)?, &["status", "taskGroupId"], other)
        },
        "run-status-contradicts",
    ),
    attack(
        "status of another scheduler",
        &[Q],
        "The queue's status of a release promotion's action names a scheduler of a lower level.",
        promotion,
        |c| {
            let id = target_parent(c)?;
            set(c.status_mut(&id)?, &["status", "schedulerId"], "gecko-level-1")
        },
        "run-status-contradicts",
    ),
    attack(
        "status with a malformed scheduler",
        &[Q],
        "The queue's status of a decision task has a number for its scheduler.",
        pr_action,
        |c| {
            let id = first_decision(c)?;
            set(c.status_mut(&id)?, &["status", "schedulerId"], 3_i64)
        },
        "run-status-contradicts",
    ),
    attack(
        "status without runs",
        &[Q],
        "The queue's status of a build has no list of runs.",
        mobile,
        |c| {
            let id = first_build(c)?;
            remove(c.status_mut(&id)?, &["status", "runs"])
        },
        "run-status-malformed",
    ),
    attack(
        "runs without the first",
        &[Q],
        "The queue's list of runs begins with the second.",
        push,
        |c| run(c, "runId", 1_i64),
        "run-status-malformed",
    ),
    attack(
        "run's number as a string",
        &[Q],
        "The run's number in the queue's status is a string.",
        tag,
        |c| run(c, "runId", "0"),
        "run-status-malformed",
    ),
    attack(
        "run in an unknown state",
        &[Q],
        "The queue says that a run is in a state that does not exist.",
        pull_request,
        |c| run(c, "state", "Completed"),
        "run-status-malformed",
    ),
    attack(
        "run whose worker is a number",
        &[Q],
        "The run's worker in the queue's status is a number.",
        push,
        |c| run(c, "workerId", 0_i64),
        "run-status-malformed",
    ),
    attack(
        "run with a malformed end",
        &[Q],
        "The end of a run in the queue's status has no offset from UTC.",
        cron,
        |c| run(c, "resolved", "2026-08-12T09:50:12"),
        "run-status-malformed",
    ),
    wire(
        "missing status",
        &[Q],
        "The queue has a build's definition and no status of it.",
        push,
        |c| {
            let id = first_build(c)?;
            let pattern = format!("/api/queue/v1/task/{id}/status");
            Some(vec![Wire { pattern, fault: Fault::Status(404) }])
        },
        "run-status-unknown",
    ),
    // Definitions.
    attack(
        "variable that is a number",
        &[T],
        "A variable of a build is a number in the queue, the graph and the document.",
        push,
        |c| build(c, &["payload", "env", "A"], 1_i64),
        "definition-malformed",
    ),
];
