//! How a task ended, and how the queue is told.

use catena_taskcluster::{ExceptionReason, Resolution};
use std::collections::BTreeMap;

/// How a task ended. Statuses have scriptworker's numbers, of which the largest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Status(i32);

impl Status {
    /// The task did what it should.
    pub const SUCCESS: Self = Self(0);
    /// The task ran and failed.
    pub const FAILURE: Self = Self(1);
    /// The worker was told to stop.
    pub const WORKER_SHUTDOWN: Self = Self(2);
    /// The task cannot be run as it is, or its chain is rejected.
    pub const MALFORMED_PAYLOAD: Self = Self(3);
    /// Something that the task needs was not available.
    pub const RESOURCE_UNAVAILABLE: Self = Self(4);
    /// The worker itself is at fault.
    pub const INTERNAL_ERROR: Self = Self(5);
    /// It may succeed another time.
    pub const INTERMITTENT_TASK: Self = Self(7);

    /// The status of a script that exited with this.
    #[must_use]
    pub const fn of_exit(code: i32) -> Self {
        Self(code)
    }

    /// The status that is reported for this reason.
    #[must_use]
    pub const fn of_reason(reason: ExceptionReason) -> Self {
        match reason {
            ExceptionReason::WorkerShutdown => Self::WORKER_SHUTDOWN,
            ExceptionReason::MalformedPayload => Self::MALFORMED_PAYLOAD,
            ExceptionReason::ResourceUnavailable => Self::RESOURCE_UNAVAILABLE,
            ExceptionReason::InternalError => Self::INTERNAL_ERROR,
            ExceptionReason::IntermittentTask => Self::INTERMITTENT_TASK,
        }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }

    /// The worse of two.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        self.max(other)
    }

    /// What the queue is told; `reversed` is added to the built-in map, and beats it. Status 6, which was
    /// `superseded` when the queue had that reason, is `internal-error`: the queue takes no other.
    #[must_use]
    pub fn resolution(self, reversed: &BTreeMap<i32, ExceptionReason>) -> Resolution {
        if let Some(reason) = reversed.get(&self.0) {
            return Resolution::Exception(*reason);
        }
        match self.0 {
            0 => Resolution::Completed,
            2 => Resolution::Exception(ExceptionReason::WorkerShutdown),
            3 => Resolution::Exception(ExceptionReason::MalformedPayload),
            4 => Resolution::Exception(ExceptionReason::ResourceUnavailable),
            5 | 6 => Resolution::Exception(ExceptionReason::InternalError),
            7 => Resolution::Exception(ExceptionReason::IntermittentTask),
            _ => Resolution::Failed,
        }
    }
}

/// What `reversed_statuses` is where the configuration does not say.
#[must_use]
pub fn default_reversed() -> BTreeMap<i32, ExceptionReason> {
    [(241, ExceptionReason::IntermittentTask), (245, ExceptionReason::IntermittentTask)].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b044_exit_codes_have_the_meaning_they_always_had() {
        use ExceptionReason::{
            IntermittentTask, InternalError, MalformedPayload, ResourceUnavailable, WorkerShutdown,
        };
        let reversed = default_reversed();
        for (code, expected) in [
            (0, Resolution::Completed),
            (1, Resolution::Failed),
            (2, Resolution::Exception(WorkerShutdown)),
            (3, Resolution::Exception(MalformedPayload)),
            (4, Resolution::Exception(ResourceUnavailable)),
            (5, Resolution::Exception(InternalError)),
            (7, Resolution::Exception(IntermittentTask)),
            (8, Resolution::Failed),
            (241, Resolution::Exception(IntermittentTask)),
            (245, Resolution::Exception(IntermittentTask)),
        ] {
            assert_eq!(Status::of_exit(code).resolution(&reversed), expected, "{code}");
        }
        let own = [(1, ResourceUnavailable)].into();
        assert_eq!(Status::FAILURE.resolution(&own), Resolution::Exception(ResourceUnavailable));
        assert_eq!(Status::of_exit(245).resolution(&own), Resolution::Failed);
    }

    #[test]
    fn b045_a_reason_that_the_queue_no_longer_takes_is_an_internal_error() {
        let told = Status::of_exit(6).resolution(&default_reversed());
        assert_eq!(told, Resolution::Exception(ExceptionReason::InternalError));
    }

    #[test]
    fn b086_the_worse_status_counts() {
        assert_eq!(Status::SUCCESS.worst(Status::INTERMITTENT_TASK), Status::INTERMITTENT_TASK);
        assert_eq!(Status::INTERNAL_ERROR.worst(Status::RESOURCE_UNAVAILABLE), Status::INTERNAL_ERROR);
    }
}
