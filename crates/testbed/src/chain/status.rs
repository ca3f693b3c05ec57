//! What the queue says of a task's runs.

use super::document::Machine;
use super::value::{extend, object};
use catena_json::Value;

/// The members of a definition that the queue repeats in the status.
pub(super) fn repeated(task: &Value) -> Value {
    let get = |name: &str| task.get(name).cloned().unwrap_or_default();
    object! {
        "provisionerId" => get("provisionerId"), "workerType" => get("workerType"),
        "taskQueueId" => get("taskQueueId"), "schedulerId" => get("schedulerId"),
        "taskGroupId" => get("taskGroupId"), "deadline" => get("deadline"), "expires" => get("expires"),
    }
}

/// The answer of `/status` of a task that has finished, or still runs.
pub(super) fn status(id: &str, task: &Value, machine: &Machine, finished: bool) -> Value {
    let get = |name: &str| task.get(name).cloned().unwrap_or_default();
    let state = if finished { "completed" } else { "running" };
    let created = get("created");
    let started = |number: u32, state: &str, reason: &str| {
        object! {
            "runId" => i64::from(number), "state" => state, "reasonCreated" => reason, "workerGroup" => "us-central1",
            "workerId" => machine.id.as_str(), "scheduled" => created.clone(), "started" => created.clone(),
        }
    };
    let shut_down = |number| {
        let mut run = started(number, "exception", "scheduled");
        let ended = object! {"reasonResolved" => "worker-shutdown", "resolved" => created.clone()};
        extend(&mut run, ended);
        extend(&mut run, object! {"workerId" => format!("{}-lost", machine.id)});
        run
    };
    let mut runs: Vec<Value> = (0..machine.run).map(shut_down).collect();
    let reason = if machine.run == 0 { "scheduled" } else { "retry" };
    let mut run = started(machine.run, state, reason);
    if finished {
        extend(&mut run, object! {"reasonResolved" => "completed", "resolved" => created.clone()});
    } else {
        extend(&mut run, object! {"takenUntil" => get("deadline")});
    }
    runs.push(run);
    let mut status = object! {"taskId" => id};
    extend(&mut status, repeated(task));
    let more = object! {"projectId" => "none", "retriesLeft" => 5_i64, "state" => state, "runs" => runs};
    extend(&mut status, more);
    object! {"status" => status}
}
