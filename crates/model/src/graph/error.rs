//! Why a task graph cannot be parsed.

use crate::task::TaskId;

/// Why a task graph cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// The body is not one JSON object whose keys are strings.
    #[error("the task graph is not a JSON object (byte {offset})")]
    Malformed {
        /// Bytes before the error.
        offset: u64,
    },
    /// A duplicate task; parsers disagree about which entry counts.
    #[error("the task graph has task {task_id} twice")]
    Duplicate {
        /// The task.
        task_id: TaskId,
    },
    /// One entry is larger than the limit.
    #[error("the task graph's entry for task {task_id} is larger than {limit} bytes")]
    EntryTooLarge {
        /// The task.
        task_id: TaskId,
        /// `Limits::graph_entry_bytes`
        limit: usize,
    },
    /// Nested deeper than the limit.
    #[error("the task graph nests deeper than {limit}")]
    TooDeep {
        /// `Limits::json_depth`
        limit: usize,
    },
}
