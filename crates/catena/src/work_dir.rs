//! Files of an earlier verification of a task in a work directory.

use catena_model::task::TaskId;
use catena_workdir::{PublishError, Staging};
use std::path::Path;

/// Files of an earlier verification of a task in a work directory. They are removed when this is
/// dropped, unless a new verification has replaced them: after any other outcome they are no longer
/// verified.
pub(crate) struct Earlier<'a> {
    work_dir: &'a Path,
    target: TaskId,
    is_settled: bool,
}

impl<'a> Earlier<'a> {
    pub(crate) fn new(work_dir: &'a Path, target: TaskId) -> Self {
        Self { work_dir, target, is_settled: false }
    }

    /// Keeps the files: a new verification has replaced them.
    pub(crate) fn keep(mut self) {
        self.is_settled = true;
    }

    /// Removes it.
    pub(crate) fn retract(mut self) -> Result<(), PublishError> {
        self.is_settled = true;
        Staging::retract(self.work_dir, self.target)
    }
}

impl Drop for Earlier<'_> {
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        if let Err(error) = Staging::retract(self.work_dir, self.target) {
            tracing::error!(%error, "what an earlier verification left cannot be removed");
        }
    }
}
