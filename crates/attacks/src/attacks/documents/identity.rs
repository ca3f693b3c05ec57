//! Attacks on the identity in a document: its task, its run, its worker, its definition.

use super::super::{Attack, Q, Spread, T, W, attack};
use super::{action_task, image, signer};
use crate::change::{
    NOBODY, add, document, document_of, entry, first_build, first_decision, inside, list, nth_build, remove,
    run, set, undocument,
};
use crate::subject::SUBJECTS;
use crate::valid::{action, cron, finished, fork, mobile, pr_action, pull_request, push, rounds, tag};
use catena_json::Value;

pub(super) const SPREADS: &[Spread] = &[
    Spread {
        name: "document about a task that does not exist",
        by: &[W],
        what: "The worker of a {} signs a document about a task that does not exist.",
        change: |c, id| document_of(c, id, |document| set(document, &["taskId"], NOBODY)),
        code: "document-of-another-task",
        of: SUBJECTS,
    },
    Spread {
        name: "document without a task id",
        by: &[W],
        what: "The signed document of a {} does not name its task.",
        change: |c, id| document_of(c, id, |document| remove(document, &["taskId"])),
        code: "document-malformed",
        of: SUBJECTS,
    },
    Spread {
        name: "document about another run",
        by: &[W],
        what: "The worker of a {} signs a document about a later run.",
        change: |c, id| document_of(c, id, |document| set(document, &["runId"], 7_i64)),
        code: "document-of-another-run",
        of: SUBJECTS,
    },
    Spread {
        name: "document by another worker",
        by: &[W],
        what: "The worker of a {} signs its document under another worker's name.",
        change: |c, id| document_of(c, id, |document| set(document, &["workerId"], "i-0")),
        code: "document-of-another-worker",
        of: SUBJECTS,
    },
    Spread {
        name: "document by another worker group",
        by: &[W],
        what: "The worker of a {} signs its document under its own name in another group.",
        change: |c, id| document_of(c, id, |document| set(document, &["workerGroup"], "europe-west4")),
        code: "document-of-another-worker",
        of: SUBJECTS,
    },
    Spread {
        name: "signed definition with another limit",
        by: &[W],
        what: "The worker of a {} ran it with a longer limit than the queue's definition has.",
        change: |c, id| {
            document_of(c, id, |document| set(document, &["task", "payload", "maxRunTime"], 86_401_i64))
        },
        code: "document-task-differs",
        of: SUBJECTS,
    },
    Spread {
        name: "signed definition with an extra scope",
        by: &[W],
        what: "The worker of a {} ran it with a scope that the queue's definition does not have.",
        change: |c, id| {
            document_of(c, id, |document| add(document, &["task", "scopes"], "assume:everything"))
        },
        code: "document-task-differs",
        of: SUBJECTS,
    },
];

pub(super) const ATTACKS: &[Attack] = &[
    // The identity.
    attack(
        "image's document about a build",
        &[W],
        "The worker that built an image signs a document that is about another task of the release.",
        tag,
        |c| {
            let (id, other) = (image(c)?, first_build(c)?);
            document_of(c, &id, |document| set(document, &["taskId"], other))
        },
        "document-of-another-task",
    ),
    attack(
        "document with a malformed task id",
        &[W],
        "The task id of a signed document has one character too many.",
        cron,
        |c| {
            let id = first_build(c)?;
            document(c, &["taskId"], format!("{id}\n"))
        },
        "document-malformed",
    ),
    attack(
        "decision task's document by another worker",
        &[W],
        "The document of a decision task names a worker that differs from the queue's in case alone.",
        fork,
        |c| {
            let id = first_decision(c)?;
            document_of(c, &id, |document| set(document, &["workerGroup"], "US-central1"))
        },
        "document-of-another-worker",
    ),
    attack(
        "run given to another worker",
        &[Q],
        "The queue assigns the run to a different worker from the one that signed.",
        push,
        |c| run(c, "workerId", "i-0"),
        "document-of-another-worker",
    ),
    attack(
        "run without a worker",
        &[Q],
        "The queue says that no worker claimed a completed run.",
        tag,
        |c| run(c, "workerId", Value::Null),
        "document-of-another-worker",
    ),
    // The definition in the document.
    attack(
        "signed definition with another command",
        &[W],
        "A worker ran a different command from the queue's definition.",
        mobile,
        |c| document(c, &["task", "payload", "command"], list("./other.sh")),
        "document-task-differs",
    ),
    attack(
        "signed definition with an extra variable",
        &[T, W],
        "A task lets its worker add a variable to the definition in the document.",
        pull_request,
        |c| {
            let id = nth_build(c, 2)?;
            document_of(c, &id, |document| set(document, &["task", "payload", "env", "EXTRA"], "1"))
        },
        "document-task-differs",
    ),
    attack(
        "signed decision task with another command",
        &[W],
        "The worker of a cron job's decision task ran a different command from the queue's \
         definition.",
        cron,
        |c| {
            let id = first_decision(c)?;
            document_of(c, &id, |document| set(document, &["task", "payload", "command"], list("sh")))
        },
        "document-task-differs",
    ),
    attack(
        "signed action task with another input",
        &[W],
        "The worker of an action task ran it with a different input from the queue's definition.",
        action,
        |c| {
            let id = action_task(c)?;
            document_of(c, &id, |document| {
                set(document, &["task", "payload", "env", "ACTION_INPUT"], "{\"other\": 1}")
            })
        },
        "document-task-differs",
    ),
    attack(
        "signed pull request's action with another callback",
        &[W],
        "The worker of a pull request's action ran a different callback from the queue's definition.",
        pr_action,
        |c| {
            let id = action_task(c)?;
            document_of(c, &id, |document| {
                set(document, &["task", "payload", "env", "ACTION_CALLBACK"], "other")
            })
        },
        "document-task-differs",
    ),
    attack(
        "signed signing with other inputs",
        &[W],
        "A scriptworker signed the files of a different task from the one in the queue's definition.",
        rounds,
        |c| {
            let id = signer(c)?;
            document_of(c, &id, |document| {
                set(document, &["task", "payload", "upstreamArtifacts", "0", "taskId"], NOBODY)
            })
        },
        "document-task-differs",
    ),
    attack(
        "finished target with other inputs",
        &[W],
        "A finished target signed different files from those in the queue's definition.",
        finished,
        |c| {
            let id = c.target.clone();
            document_of(c, &id, |document| {
                set(document, &["task", "payload", "upstreamArtifacts", "0", "paths"], list("public/other"))
            })
        },
        "document-task-differs",
    ),
    attack(
        "definition changed after its run",
        &[Q],
        "The queue and the graph agree on a build's definition, and its worker signed a different \
         one.",
        push,
        |c| {
            let id = first_build(c)?;
            let path = ["payload", "env", "EXTRA"];
            set(c.definition_mut(&id)?, &path, "1")?;
            entry(c, |entry| set(entry.get_mut("task")?, &path, "1"))
        },
        "document-task-differs",
    ),
    attack(
        "signed definition without a member",
        &[W],
        "A worker signs a definition that lacks the routes of the queue's.",
        fork,
        |c| undocument(c, &["task", "routes"]),
        "document-task-differs",
    ),
    attack(
        "signed definition with a number as a string",
        &[W],
        "A worker signs a definition with text where the queue's has a number.",
        push,
        |c| document(c, &["task", "payload", "maxRunTime"], "7200"),
        "document-task-differs",
    ),
    attack(
        "signed definition with 1 for true",
        &[W],
        "A worker signs a definition with the number 1 where the queue's has true.",
        mobile,
        |c| document(c, &["task", "payload", "features", "chainOfTrust"], 1_i64),
        "document-task-differs",
    ),
    attack(
        "signed definition with an extra null",
        &[W],
        "A worker signs a definition with a null member that the queue's does not have.",
        tag,
        |c| document(c, &["task", "payload", "onExitStatus"], Value::Null),
        "document-task-differs",
    ),
    attack(
        "signed definition in another order",
        &[W],
        "A worker signs a definition whose dependencies and commands are in another order.",
        push,
        |c| {
            let id = first_build(c)?;
            document_of(c, &id, |document| {
                let commands = inside(document, &["task", "payload", "command"])?.as_array_mut()?;
                if commands.len() < 2 {
                    return None;
                }
                commands.reverse();
                Some(())
            })
        },
        "document-task-differs",
    ),
    attack(
        "signed definition of another scheduler",
        &[W],
        "A worker signs a definition with the scheduler of another level.",
        cron,
        |c| document(c, &["task", "schedulerId"], "gecko-level-1"),
        "document-task-differs",
    ),
    attack(
        "signed definition of another pool",
        &[W],
        "A worker signs a definition for a different worker pool from the queue's.",
        mobile,
        |c| document(c, &["task", "taskQueueId"], "mobile-1/b-linux"),
        "document-task-differs",
    ),
    attack(
        "signed definition of another time",
        &[W],
        "A worker signs a definition that was created a millisecond after the queue's.",
        push,
        |c| document(c, &["task", "created"], "2026-08-12T09:30:12.346Z"),
        "document-task-differs",
    ),
    attack(
        "signed definition with a number for a priority",
        &[W],
        "A worker signs a definition whose priority is a number.",
        action,
        |c| document(c, &["task", "priority"], 1_i64),
        "document-task-differs",
    ),
];
