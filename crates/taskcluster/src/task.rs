//! Tasks in the queue and the index.

use crate::Client;
use crate::call::{Call, CallError, segment};
use bytes::Bytes;
use catena_json::Limits;
use catena_model::task::{Status, TaskId};
use serde::Deserialize;
use tokio::time::Instant;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Indexed {
    task_id: String,
}

impl Client {
    /// A task's definition, JSON text as the queue sent it.
    ///
    /// # Errors
    /// As of every call.
    pub async fn task(&self, task_id: TaskId, deadline: Instant) -> Result<Bytes, CallError> {
        let answer = self.answer(Call::get("task", format!("queue/v1/task/{task_id}")), deadline).await?;
        Ok(Bytes::copy_from_slice(&answer))
    }

    /// The state of a task.
    ///
    /// # Errors
    /// As of every call; an answer about another task.
    pub async fn status(&self, task_id: TaskId, deadline: Instant) -> Result<Status, CallError> {
        const NAME: &str = "status";
        let call = Call::get(NAME, format!("queue/v1/task/{task_id}/status"));
        let answer = self.answer(call, deadline).await?;
        let value = catena_json::parse(&answer, &Limits::default())
            .map_err(|error| CallError::malformed(NAME, error.to_string()))?;
        let status = Status::parse(&value).map_err(|error| CallError::malformed(NAME, error.to_string()))?;
        if status.task_id != task_id {
            return Err(CallError::malformed(
                NAME,
                format!("it is about {} instead of {task_id}", status.task_id),
            ));
        }
        Ok(status)
    }

    /// The task that an index route leads to.
    ///
    /// # Errors
    /// As of every call: refused with 404 where the route leads nowhere.
    pub async fn find_task(&self, route: &str, deadline: Instant) -> Result<TaskId, CallError> {
        const NAME: &str = "findTask";
        let call = Call::get(NAME, format!("index/v1/task/{}", segment(route)));
        let found: Indexed = self.ask(call, deadline).await?;
        TaskId::parse(&found.task_id).map_err(|error| CallError::malformed(NAME, error.to_string()))
    }
}
