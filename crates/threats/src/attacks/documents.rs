//! Attacks on what a worker signs: about something else, in another form, or of a run that does not count.

use super::{Attack, Q, S, T, W, Wire, attack, wire};
use crate::change::{
    NOBODY, add, build, document, document_bytes, document_of, document_text, entry, first_build,
    first_decision, inside, json, list, remove, run, set, target_parent, undocument,
};
use crate::honest::{action, cron, finished, fork, mobile, pr_action, promotion, pull_request, push, tag};
use catena_json::{Number, Value};
use catena_testbed::chain::{DOCUMENT, Implementation, SIGNATURE};
use catena_testbed::{Artifact, Chain, Fault, Release};
use std::collections::BTreeMap;

pub(super) const ATTACKS: &[Attack] = &[
    // What the document is about.
    attack(
        "document about no task",
        &[W],
        "A worker signs a document about a task that does not exist.",
        push,
        |c| document(c, &["taskId"], NOBODY),
        "document-of-another-task",
    ),
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
        "document's task id is none",
        &[W],
        "The task id of a signed document has a character too many.",
        cron,
        |c| {
            let id = first_build(c)?;
            document(c, &["taskId"], format!("{id}\n"))
        },
        "document-malformed",
    ),
    attack(
        "document without a task id",
        &[W],
        "A signed document does not say which task it is about.",
        mobile,
        |c| undocument(c, &["taskId"]),
        "document-malformed",
    ),
    attack(
        "document about another run",
        &[W],
        "A worker signs a document about the run after the one it ran.",
        push,
        |c| document(c, &["runId"], 1_i64),
        "document-of-another-run",
    ),
    attack(
        "action task's document about another run",
        &[W],
        "The worker of a release promotion signs a document about a later run.",
        promotion,
        |c| {
            let id = action_task(c)?;
            document_of(c, &id, |document| set(document, &["runId"], 7_i64))
        },
        "document-of-another-run",
    ),
    attack(
        "document by another worker",
        &[W],
        "A worker signs a document under another worker's name.",
        push,
        |c| document(c, &["workerId"], "i-0"),
        "document-of-another-worker",
    ),
    attack(
        "document by another worker group",
        &[W],
        "A worker signs a document under its own name in another group.",
        mobile,
        |c| document(c, &["workerGroup"], "europe-west4"),
        "document-of-another-worker",
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
        "The queue says that another worker than the one that signed had the run.",
        push,
        |c| run(c, "workerId", "i-0"),
        "document-of-another-worker",
    ),
    attack(
        "run given to nobody",
        &[Q],
        "The queue says that a completed run was claimed by no worker.",
        tag,
        |c| run(c, "workerId", Value::Null),
        "document-of-another-worker",
    ),
    // The definition in the document.
    attack(
        "signed definition with another limit",
        &[W],
        "A worker ran a build for longer than the queue's definition lets it.",
        push,
        |c| document(c, &["task", "payload", "maxRunTime"], 86_400_i64),
        "document-task-differs",
    ),
    attack(
        "signed definition with another command",
        &[W],
        "A worker ran another command than the queue's definition has.",
        mobile,
        |c| document(c, &["task", "payload", "command"], list("./other.sh")),
        "document-task-differs",
    ),
    attack(
        "signed definition with a scope more",
        &[W],
        "A worker ran an image task with a scope that the queue's definition does not have.",
        tag,
        |c| {
            let id = image(c)?;
            document_of(c, &id, |document| add(document, &["task", "scopes"], "assume:everything"))
        },
        "document-task-differs",
    ),
    attack(
        "signed definition with a variable more",
        &[T, W],
        "A task lets its worker add a variable to the definition in the document.",
        pull_request,
        |c| {
            let id = third_build(c)?;
            document_of(c, &id, |document| set(document, &["task", "payload", "env", "EXTRA"], "1"))
        },
        "document-task-differs",
    ),
    attack(
        "signed decision task with another command",
        &[W],
        "The worker of a cron job's decision task ran another command than the queue's definition has.",
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
        "The worker of an action task ran it with another input than the queue's definition has.",
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
        "The worker of a pull request's action ran another callback than the queue's definition has.",
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
        "A scriptworker signed the files of another task than the queue's definition names.",
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
        "A target that has finished signed other files than the queue's definition names.",
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
        "The queue and the graph agree on a build's definition, and its worker signed another one.",
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
        "A worker signs a definition that lacks the routes the queue's has.",
        fork,
        |c| undocument(c, &["task", "routes"]),
        "document-task-differs",
    ),
    attack(
        "signed definition with a number as text",
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
        "signed definition with a null more",
        &[W],
        "A worker signs a definition with a member that is null and that the queue's does not have.",
        tag,
        |c| document(c, &["task", "payload", "onExitStatus"], Value::Null),
        "document-task-differs",
    ),
    attack(
        "signed definition in another order",
        &[W],
        "A worker signs a definition whose dependencies and commands stand in another order.",
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
        "A worker signs a definition of a scheduler of another level than the queue's.",
        cron,
        |c| document(c, &["task", "schedulerId"], "gecko-level-1"),
        "document-task-differs",
    ),
    attack(
        "signed definition of another pool",
        &[W],
        "A worker signs a definition that was for another worker pool than the queue's.",
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
    // Its form.
    attack(
        "document of version 2",
        &[W],
        "A signed document has a version that nobody knows.",
        push,
        |c| document(c, &["chainOfTrustVersion"], 2_i64),
        "document-version",
    ),
    attack(
        "document without a version",
        &[W],
        "A signed document has no version.",
        mobile,
        |c| undocument(c, &["chainOfTrustVersion"]),
        "document-version",
    ),
    attack(
        "document's version as text",
        &[W],
        "The version of a signed document is text.",
        tag,
        |c| document(c, &["chainOfTrustVersion"], "1"),
        "document-version",
    ),
    attack(
        "document's version as a float",
        &[W],
        "The version of a signed document is 1.0.",
        cron,
        |c| document(c, &["chainOfTrustVersion"], Number::from_f64(1.0)?),
        "document-version",
    ),
    attack(
        "document's version is true",
        &[W],
        "The version of an action task's signed document is true.",
        action,
        |c| {
            let id = action_task(c)?;
            document_of(c, &id, |document| set(document, &["chainOfTrustVersion"], true))
        },
        "document-version",
    ),
    attack(
        "document's run as text",
        &[W],
        "The run of a signed document is text.",
        push,
        |c| document(c, &["runId"], "0"),
        "document-malformed",
    ),
    attack(
        "document's run as a float",
        &[W],
        "The run of a signed document is 0.0.",
        tag,
        |c| document_text(c, "\"runId\": 0", "\"runId\": 0.0"),
        "document-malformed",
    ),
    attack(
        "document's run is false",
        &[W],
        "The run of a signed document is false.",
        fork,
        |c| document(c, &["runId"], false),
        "document-malformed",
    ),
    attack(
        "document's run is negative",
        &[W],
        "The run of a signed document is below zero.",
        push,
        |c| document(c, &["runId"], -1_i64),
        "document-malformed",
    ),
    attack(
        "document's run overflows 32 bits",
        &[W],
        "The run of a signed document is 0 to whoever keeps 32 bits of it.",
        mobile,
        |c| document_text(c, "\"runId\": 0", "\"runId\": 4294967296"),
        "document-malformed",
    ),
    attack(
        "document's run overflows 64 bits",
        &[W],
        "The run of a signed document is 0 to whoever keeps 64 bits of it.",
        push,
        |c| document_text(c, "\"runId\": 0", "\"runId\": 18446744073709551616"),
        "document-malformed",
    ),
    attack(
        "document without a run",
        &[W],
        "A signed document does not say which run it is about.",
        pull_request,
        |c| undocument(c, &["runId"]),
        "document-malformed",
    ),
    attack(
        "document's worker as a number",
        &[W],
        "The worker of a signed document is a number.",
        push,
        |c| document(c, &["workerId"], 0_i64),
        "document-malformed",
    ),
    attack(
        "document's files as a list",
        &[W],
        "The files of a signed document are a list.",
        cron,
        |c| document(c, &["artifacts"], list("public/build/target.tar.xz")),
        "document-malformed",
    ),
    attack(
        "document's definition as text",
        &[W],
        "The definition in a signed document is text that holds the definition.",
        tag,
        |c| {
            let id = first_build(c)?;
            let text = c.definition(&id)?.to_string();
            document(c, &["task"], text)
        },
        "document-malformed",
    ),
    attack(
        "document without an environment",
        &[W],
        "A signed document does not say what the task ran on.",
        push,
        |c| undocument(c, &["environment"]),
        "document-malformed",
    ),
    attack(
        "document that is a list",
        &[W],
        "A signed document is a list that holds the document.",
        push,
        |c| document_bytes(c, |bytes| Some([b"[".as_slice(), &bytes, b"]"].concat())),
        "document-malformed",
    ),
    attack(
        "document that is null",
        &[W],
        "A worker signs null.",
        mobile,
        |c| document_bytes(c, |_| Some(b"null".to_vec())),
        "document-malformed",
    ),
    attack(
        "document without a byte, signed",
        &[W],
        "A worker signs a document without a byte.",
        cron,
        |c| document_bytes(c, |_| Some(Vec::new())),
        "document-not-json",
    ),
    attack(
        "document cut off",
        &[W],
        "A worker signs the first half of its document.",
        push,
        |c| {
            document_bytes(c, |mut bytes| {
                bytes.truncate(bytes.len().checked_div(2)?);
                Some(bytes)
            })
        },
        "document-not-json",
    ),
    attack(
        "document that is a page",
        &[S, W],
        "A worker signs a page of HTML.",
        tag,
        |c| document_bytes(c, |_| Some(b"<!doctype html><title>503</title>".to_vec())),
        "document-not-json",
    ),
    attack(
        "document with something behind it",
        &[W],
        "A second document follows the one that a worker signs.",
        push,
        |c| document_bytes(c, |bytes| Some([bytes.clone(), bytes].concat())),
        "document-not-json",
    ),
    attack(
        "document with a zero byte behind it",
        &[W],
        "A zero byte follows a signed document.",
        mobile,
        |c| document_bytes(c, |bytes| Some([bytes, vec![0]].concat())),
        "document-not-json",
    ),
    attack(
        "document with a byte order mark",
        &[W],
        "A signed document begins with a byte order mark.",
        fork,
        |c| document_bytes(c, |bytes| Some([b"\xef\xbb\xbf".to_vec(), bytes].concat())),
        "document-not-json",
    ),
    attack(
        "document in UTF-16",
        &[W],
        "A signed document is written in UTF-16.",
        push,
        |c| document_bytes(c, |bytes| Some(bytes.into_iter().flat_map(|byte| [byte, 0]).collect())),
        "document-not-json",
    ),
    attack(
        "document with a broken character",
        &[W],
        "A signed document holds a byte that is no UTF-8.",
        action,
        |c| document_bytes(c, |bytes| replaced(bytes, b"us-central1", b"us-central\xff")),
        "document-not-json",
    ),
    attack(
        "document with half a character",
        &[W],
        "A signed document holds half of a surrogate pair.",
        push,
        |c| document_text(c, "us-central1", "us-central\\ud800"),
        "document-not-json",
    ),
    attack(
        "document's run is NaN",
        &[W],
        "The run of a signed document is NaN.",
        push,
        |c| document_text(c, "\"runId\": 0", "\"runId\": NaN"),
        "document-not-json",
    ),
    attack(
        "document's run is infinite",
        &[W],
        "The run of a signed document is Infinity.",
        cron,
        |c| document_text(c, "\"runId\": 0", "\"runId\": -Infinity"),
        "document-not-json",
    ),
    attack(
        "document's run is too large",
        &[W],
        "The run of a signed document is a float beyond all that computers hold.",
        tag,
        |c| document_text(c, "\"runId\": 0", "\"runId\": 1e999"),
        "document-not-json",
    ),
    attack(
        "document's run in octal",
        &[W],
        "The run of a signed document has a zero in front.",
        mobile,
        |c| document_text(c, "\"runId\": 0", "\"runId\": 00"),
        "document-not-json",
    ),
    attack(
        "document's run has too many digits",
        &[W],
        "The run of a signed document has five thousand digits.",
        push,
        |c| document_text(c, "\"runId\": 0", &format!("\"runId\": 1{}", "0".repeat(5_000))),
        "document-not-json",
    ),
    attack(
        "document with a comment",
        &[W],
        "A signed document holds a comment.",
        push,
        |c| document_text(c, "{", "{ // nothing to see"),
        "document-not-json",
    ),
    attack(
        "document with a comma too many",
        &[W],
        "A comma stands behind the last member of a signed document.",
        tag,
        |c| document_text(c, "\"runId\": 0,", "\"runId\": 0,,"),
        "document-not-json",
    ),
    attack(
        "document with a deep member",
        &[W],
        "A signed document holds ten thousand lists inside one another.",
        push,
        |c| {
            let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
            document_text(c, "\"runId\": 0", &format!("\"runId\": 0, \"x\": {deep}"))
        },
        "document-not-json",
    ),
    attack(
        "document that is huge",
        &[S, W],
        "A signed document is padded beyond what is read of any.",
        push,
        |c| document_bytes(c, |bytes| Some([bytes, vec![b' '; 3 << 20]].concat())),
        "outside-unreachable",
    )
    .within(|limits| limits.answer_bytes = 2 << 20),
    attack(
        "document with two runs",
        &[W],
        "A signed document says twice which run it is about.",
        push,
        |c| document_text(c, "\"runId\": 0", "\"runId\": 0, \"runId\": 1"),
        "document-duplicate-key",
    ),
    attack(
        "document with a key spelt twice",
        &[W],
        "A signed document says twice which task it is about, once with an escape in the key.",
        mobile,
        |c| document_text(c, "\"taskId\"", &format!("\"task\\u0049d\": \"{NOBODY}\", \"taskId\"")),
        "document-duplicate-key",
    ),
    attack(
        "document with a hash twice",
        &[W],
        "A signed document says two hashes of one file under the same key.",
        cron,
        |c| {
            let zeros = "0".repeat(64);
            document_text(c, "\"sha256\":", &format!("\"sha256\": \"{zeros}\", \"sha256\":"))
        },
        "document-duplicate-key",
    ),
    attack(
        "document with a variable twice",
        &[T, W],
        "A variable stands twice in the definition in a signed document.",
        tag,
        |c| document_text(c, "\"env\": {", "\"env\": {\"A\": \"1\", \"A\": \"2\","),
        "document-duplicate-key",
    ),
    // What a task may have put into its document itself.
    attack(
        "definition that the task added to",
        &[T],
        "A task adds to the definition in its own document, through the data a worker merges into it.",
        mobile,
        |c| {
            let id = third_build(c)?;
            document_of(c, &id, |document| set(document, &["task", "extra", "approved"], true))
        },
        "document-task-differs",
    ),
    attack(
        "hash that the task added",
        &[T],
        "A task adds a second hash to a file's entry in its own document, which does not fit.",
        push,
        |c| {
            let id = third_build(c)?;
            let path = ["artifacts", "public/build/target.tar.xz", "sha512"];
            document_of(c, &id, |document| set(document, &path, "0".repeat(128)))
        },
        "artifact-altered",
    ),
    attack(
        "file that the task added",
        &[T],
        "A task adds an entry to its own document for a file that its worker never had.",
        push,
        |c| {
            let id = first_build(c)?;
            document_of(c, &id, |document| {
                let entry = json(&format!("{{\"sha256\": \"{}\"}}", "0".repeat(64)))?;
                set(document, &["artifacts", "public/build/target.mar"], entry)
            })?;
            let wanted = ["payload", "upstreamArtifacts", "0", "paths"];
            crate::change::target(c, |task| add(task, &wanted, "public/build/target.mar"))
        },
        "artifact-missing",
    ),
    // The run.
    attack(
        "run that failed",
        &[T, Q],
        "The last run of a build failed.",
        push,
        |c| run(c, "state", "failed"),
        "run-not-completed",
    ),
    attack(
        "run that goes on",
        &[T, Q],
        "The last run of a build is still going on.",
        mobile,
        |c| run(c, "state", "running"),
        "run-not-completed",
    ),
    attack(
        "run that waits",
        &[T, Q],
        "The last run of a build waits for a worker.",
        tag,
        |c| run(c, "state", "pending"),
        "run-not-completed",
    ),
    attack(
        "image of a run that was given up",
        &[T, Q],
        "The last run of an image task ended in an exception.",
        fork,
        |c| {
            let id = image(c)?;
            run_of(c, &id, "state", "exception")
        },
        "run-not-completed",
    ),
    attack(
        "decision task that failed",
        &[T, Q],
        "A cron job's decision task published its graph and then failed.",
        cron,
        |c| {
            let id = first_decision(c)?;
            run_of(c, &id, "state", "failed")
        },
        "run-not-completed",
    ),
    attack(
        "action task that failed",
        &[T, Q],
        "A release promotion made its tasks and then failed.",
        promotion,
        |c| {
            let id = action_task(c)?;
            run_of(c, &id, "state", "failed")
        },
        "run-not-completed",
    ),
    attack(
        "finished target that failed",
        &[T, Q],
        "A target that is said to have finished failed.",
        finished,
        |c| {
            let id = c.target.clone();
            run_of(c, &id, "state", "failed")
        },
        "run-not-completed",
    ),
    attack(
        "run that a later one replaces",
        &[T, Q],
        "A build that had completed was run again, and the second run has a document but has not ended.",
        push,
        |c| {
            let id = first_build(c)?;
            later_run(c, &id, "running")?;
            document_of(c, &id, |document| set(document, &["runId"], 1_i64))
        },
        "run-not-completed",
    ),
    attack(
        "second run that failed",
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
        "A build was run again and completed, and nothing of the second run is there but its files.",
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
        "The queue does not tell of a build's second run, and the document is of that run.",
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
        "The queue says that a build that has completed has no run.",
        push,
        |c| {
            let id = first_build(c)?;
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
            let (id, other) = (first_build(c)?, second_build(c)?);
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
        "The queue's status of a build says that it ran in a pool of a lower level.",
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
        "The queue's status of an image's task on GitHub names another worker type than its definition.",
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
        "The queue's status of a build is that of a task of an earlier push's graph, under the build's id.",
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
        "status whose scheduler is none",
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
        "run's number as text",
        &[Q],
        "The queue's number of a run is text.",
        tag,
        |c| run(c, "runId", "0"),
        "run-status-malformed",
    ),
    attack(
        "run in a state nobody knows",
        &[Q],
        "The queue says that a run is in a state that no queue has.",
        pull_request,
        |c| run(c, "state", "Completed"),
        "run-status-malformed",
    ),
    attack(
        "run whose worker is a number",
        &[Q],
        "The queue's worker of a run is a number.",
        push,
        |c| run(c, "workerId", 0_i64),
        "run-status-malformed",
    ),
    attack(
        "run that ended at no time",
        &[Q],
        "The queue says that a run ended at a time that has no offset from UTC.",
        cron,
        |c| run(c, "resolved", "2026-08-12T09:50:12"),
        "run-status-malformed",
    ),
    wire(
        "status that is gone",
        &[Q],
        "The queue has no status of a build whose definition it has.",
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
        "A variable of a build is a number, in the queue, the graph and the document alike.",
        push,
        |c| build(c, &["payload", "env", "A"], 1_i64),
        "definition-malformed",
    ),
];

/// A release with a signing of its own before the target's.
fn rounds() -> Release {
    Release { depth: 1, ..push() }
}

/// A build that generic-worker ran with docker-worker's payload.
pub(super) fn second_build(chain: &Chain) -> Option<String> {
    chain.builds.get(1).cloned()
}

/// A build that generic-worker ran.
pub(super) fn third_build(chain: &Chain) -> Option<String> {
    chain.builds.get(2).cloned()
}

/// An image that builds ran in.
pub(super) fn image(chain: &Chain) -> Option<String> {
    chain.images.first().cloned()
}

/// The action task that made the target.
pub(super) fn action_task(chain: &Chain) -> Option<String> {
    chain.action.clone()
}

/// A task that a scriptworker ran before the target.
pub(super) fn signer(chain: &Chain) -> Option<String> {
    let signers = chain.tasks.iter().filter(|(_, task)| task.implementation == Implementation::Scriptworker);
    signers.map(|(id, _)| id.clone()).find(|id| *id != chain.target)
}

/// A task's artifacts, of its latest run.
pub(super) fn artifacts_of<'a>(chain: &'a mut Chain, id: &str) -> Option<&'a mut BTreeMap<String, Artifact>> {
    chain.artifacts_mut(id)
}

/// The bytes of a task's document.
pub(super) fn bytes_of_document(chain: &Chain, id: &str) -> Option<Vec<u8>> {
    Some(chain.task(id)?.document.as_ref()?.bytes())
}

/// Leaves out a task's document, its signature, or both.
pub(super) fn unpublish_from(chain: &mut Chain, id: &str, names: &[&str]) -> Option<()> {
    let written = chain.tasks.get_mut(id)?.document.take()?;
    let (bytes, signed) = (written.bytes(), written.signature);
    let artifacts = chain.artifacts_mut(id)?;
    for (name, bytes) in [(DOCUMENT, bytes), (SIGNATURE, signed)] {
        if !names.contains(&name) {
            artifacts.insert(name.into(), Artifact::new(bytes, "text/plain"));
        }
    }
    Some(())
}

/// Sets a member of what the queue says of a task's latest run.
pub(super) fn run_of(chain: &mut Chain, id: &str, key: &str, new: impl Into<Value>) -> Option<()> {
    let runs = inside(chain.status_mut(id)?, &["status", "runs"])?.as_array_mut()?;
    set(runs.last_mut()?, &[key], new)
}

/// Lets the queue tell of a second run by the same worker, with the files and the document of the first.
pub(super) fn later_run(chain: &mut Chain, id: &str, state: &str) -> Option<()> {
    let task = chain.tasks.get_mut(id)?;
    let artifacts = task.runs.values().next_back()?.clone();
    let mut first = artifacts.clone();
    let document = task.document.as_ref()?;
    first.insert(DOCUMENT.into(), Artifact::new(document.bytes(), "text/plain; charset=utf-8"));
    let signature = document.signature.clone();
    first.insert(SIGNATURE.into(), Artifact::new(signature, "application/octet-stream"));
    task.runs.insert(0, first);
    task.runs.insert(1, artifacts);
    let runs = inside(&mut task.status, &["status", "runs"])?.as_array_mut()?;
    let mut second = runs.last()?.clone();
    set(&mut second, &["runId"], 1_i64)?;
    set(&mut second, &["state"], state)?;
    set(&mut second, &["reasonCreated"], "rerun")?;
    runs.push(second);
    Some(())
}

/// Puts `to` in place of the first `from`, which must be there.
fn replaced(bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Option<Vec<u8>> {
    let at = bytes.windows(from.len()).position(|window| window == from)?;
    let (before, rest) = bytes.split_at_checked(at)?;
    Some([before, to, rest.get(from.len()..)?].concat())
}
