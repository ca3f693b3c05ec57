//! Every task of the chain has a definition with the parts it must have.
//!
//! Specification 3.1 to 3.3. Off-reference: every part that a check rests on has its type
//! before any check looks at it.

use crate::verdict::{Authority, Class, Code, Disposition, Finding};
use crate::verification::{Check, CheckContext, Examined, NoDefinition, Scope, Stop};
use catena_model::task::{Definition, DefinitionError, TaskId};
use catena_policy::Rule;
use std::sync::Arc;

pub(super) const DESCRIPTION: Check = describe!("definition", CODES, Scope::Task(examine));
const CHECK: &str = DESCRIPTION.name;

const SOUND: Code =
    Code::passing("definition-sound", "The queue has a definition of the task with every required part.");
const UNKNOWN: Code = Code::new("task-unknown", Class::Invalid, "The queue does not know the task.");
const EMPTY: Code = Code::new(
    "definition-empty",
    Class::Policy,
    "The queue has no payload for the task, as for an expired task.",
);
const NOT_JSON: Code = Code::new(
    "definition-not-json",
    Class::Invalid,
    "The queue's answer is not strict JSON, or has a duplicate key.",
);
const MALFORMED: Code = Code::new(
    "definition-malformed",
    Class::Invalid,
    "A part of the definition is missing or has the wrong type.",
);
const POOL: Code = Code::new(
    "definition-pool-contradiction",
    Class::Invalid,
    "taskQueueId does not name the worker pool of provisionerId and workerType.",
)
.relaxable(Rule::WorkerPool);

const CODES: &[Code] = &[SOUND, UNKNOWN, EMPTY, NOT_JSON, MALFORMED, POOL];

fn examine(cx: &CheckContext<'_>, task_id: TaskId) -> Examined {
    let definition = cx.evidence.definition(task_id).ok_or(Stop::Waiting)?;
    // What could not be had is the availability check's to say.
    let finding = judge(task_id, &definition).ok_or(Stop::Blocked)?;
    Ok(vec![finding].into())
}

fn judge(task_id: TaskId, definition: &Result<Arc<Definition>, NoDefinition>) -> Option<Finding> {
    let failed = |code, message: String| {
        Some(
            Finding::new(CHECK, code, Disposition::Failed, task_id, message)
                .at("the queue's definition", None),
        )
    };
    match definition {
        Ok(definition) => {
            if let Some(contradiction) = definition.pool_contradiction() {
                let message = "The definition names two worker pools: taskQueueId contradicts provisionerId and workerType.";
                return Some(
                    Finding::new(CHECK, POOL, Disposition::Failed, task_id, message)
                        .at("the queue's definition", Some(catena_json::Path::of(&["taskQueueId"])))
                        .expected_by(
                            Authority::Queue,
                            "provisionerId/workerType",
                            definition.worker_pool().as_str(),
                        )
                        .actual_by(Authority::Queue, "taskQueueId", contradiction),
                );
            }
            let message = "The queue has a definition with every required part.";
            Some(Finding::new(CHECK, SOUND, Disposition::Passed, task_id, message))
        }
        Err(NoDefinition::Absent(answer)) => {
            failed(UNKNOWN, format!("The queue does not know task {task_id}: {answer}"))
        }
        Err(NoDefinition::Json(error)) => {
            failed(NOT_JSON, format!("The queue's answer for the definition is not JSON: {error}."))
        }
        Err(NoDefinition::Malformed(DefinitionError::Empty)) => failed(
            EMPTY,
            "The queue's definition of the task has no payload, as for an expired task.".to_owned(),
        ),
        Err(NoDefinition::Malformed(error @ DefinitionError::Malformed { path, .. })) => {
            let message = format!("The definition is malformed: {error}.");
            let finding = Finding::new(CHECK, MALFORMED, Disposition::Failed, task_id, message);
            Some(finding.at("the queue's definition", Some(path.clone())))
        }
        Err(NoDefinition::Unknown) => None,
    }
}
