//! What an earlier verification of a task left in a work directory.

use catena_model::task::TaskId;
use catena_workdir::{PublishError, Staging};
use std::path::Path;

/// What an earlier verification of a task left in a work directory. It is removed when this is dropped,
/// unless a new verification has replaced it: after any other answer nobody vouches for it any more.
pub(crate) struct Earlier<'a> {
    work_dir: &'a Path,
    target: TaskId,
    is_settled: bool,
}

impl<'a> Earlier<'a> {
    pub(crate) fn new(work_dir: &'a Path, target: TaskId) -> Self {
        Self { work_dir, target, is_settled: false }
    }

    /// Leaves what is there: the files of a new verification stand in its place.
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
