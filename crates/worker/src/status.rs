//! How a task ended, and how the queue is told.

use std::collections::BTreeMap;

/// A reason that the queue takes for an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The worker was told to stop. The queue runs the task again.
    WorkerShutdown,
    /// The task cannot be run as it is.
    MalformedPayload,
    /// Something that the task needs was not available.
    ResourceUnavailable,
    /// The worker itself is at fault.
    InternalError,
    /// It may succeed another time. The queue runs the task again.
    IntermittentTask,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::WorkerShutdown,
        Self::MalformedPayload,
        Self::ResourceUnavailable,
        Self::InternalError,
        Self::IntermittentTask,
    ];

    /// As the queue spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WorkerShutdown => "worker-shutdown",
            Self::MalformedPayload => "malformed-payload",
            Self::ResourceUnavailable => "resource-unavailable",
            Self::InternalError => "internal-error",
            Self::IntermittentTask => "intermittent-task",
        }
    }

    /// As the queue spells it, back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// How a task ended. Statuses have scriptworker's numbers, of which the largest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Status(i32);

/// What the queue is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The task did what it should.
    Completed,
    /// The task ran and failed.
    Failed,
    /// The task did not run to its end.
    Exception(Reason),
}

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
    pub fn resolution(self, reversed: &BTreeMap<i32, Reason>) -> Resolution {
        if let Some(reason) = reversed.get(&self.0) {
            return Resolution::Exception(*reason);
        }
        match self.0 {
            0 => Resolution::Completed,
            2 => Resolution::Exception(Reason::WorkerShutdown),
            3 => Resolution::Exception(Reason::MalformedPayload),
            4 => Resolution::Exception(Reason::ResourceUnavailable),
            5 | 6 => Resolution::Exception(Reason::InternalError),
            7 => Resolution::Exception(Reason::IntermittentTask),
            _ => Resolution::Failed,
        }
    }
}

/// What `reversed_statuses` is where the configuration does not say.
#[must_use]
pub fn default_reversed() -> BTreeMap<i32, Reason> {
    [(241, Reason::IntermittentTask), (245, Reason::IntermittentTask)].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b044_exit_codes_have_the_meaning_they_always_had() {
        use Reason::*;
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
        assert_eq!(told, Resolution::Exception(Reason::InternalError));
    }

    #[test]
    fn b086_the_worse_status_counts() {
        assert_eq!(Status::SUCCESS.worst(Status::INTERMITTENT_TASK), Status::INTERMITTENT_TASK);
        assert_eq!(Status::INTERNAL_ERROR.worst(Status::RESOURCE_UNAVAILABLE), Status::INTERNAL_ERROR);
    }

    #[test]
    fn reasons_are_spelled_as_the_queue_does() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(Reason::parse("superseded"), None);
    }
}
