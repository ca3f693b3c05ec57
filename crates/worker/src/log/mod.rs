//! What a worker writes down: its own log, the log of a task's script, and the log of a verification.

mod format;
mod lines;
mod live;
mod task_logs;
mod worker;

pub use format::LineFormat;
pub use lines::Lines;
pub use live::LiveLog;
pub(crate) use task_logs::{TaskLogs, VERDICT_FILE};
pub(crate) use worker::CHAIN_FILE;
pub use worker::{Level, Log};
