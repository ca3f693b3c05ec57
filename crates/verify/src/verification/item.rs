//! The items of work of a verification: every check on every subject that it applies to.

use super::chain::Link;
use super::evidence::CheckContext;
use super::examination::{Examination, Examined};
use super::need::Need;
use super::registry::Check;
use catena_model::task::TaskId;
use std::collections::BTreeSet;

/// What a check examines, and how.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject {
    Task(TaskId, fn(&CheckContext<'_>, TaskId) -> Examined),
    Link(TaskId, fn(&CheckContext<'_>, &Link) -> Examined),
    Chain(fn(&CheckContext<'_>) -> Examined),
}

#[derive(Clone, Debug)]
pub(super) enum State {
    Waiting,
    Blocked,
    Done(Examination),
}

#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) check: &'static Check,
    pub(super) subject: Subject,
    pub(super) state: State,
    /// The number of facts that it waits for. It runs again when the last of them is available, so that
    /// a check that requests thousands of artifacts does not run thousands of times.
    pub(super) awaited: usize,
    /// Steps that its last examination took.
    pub(super) steps: u64,
    /// What its failure rests on that a passing fault may have altered.
    pub(super) doubted: BTreeSet<Need>,
}
