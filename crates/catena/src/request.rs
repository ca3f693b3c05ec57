//! A request: a target, and the outputs beside the verdict.

use catena_fetch::{DEADLINE, Progress, Quiet};
use catena_verify::verification::Target;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Which task is verified, and by the policy of which product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetSpec {
    /// The task.
    pub target: Target,
    /// The product.
    pub product: String,
}

/// One verification: a target and product, and the outputs beside the verdict.
#[derive(Clone)]
pub struct Request {
    pub(crate) target_spec: TargetSpec,
    pub(crate) work_dir: Option<PathBuf>,
    pub(crate) record: Option<PathBuf>,
    pub(crate) control: Control,
}

/// The deadline, the observer and the cancellation of a verification.
#[derive(Clone)]
pub struct Control {
    /// Evidence that is missing after this duration is unreachable.
    pub deadline: Duration,
    /// The observer of its progress.
    pub progress: Arc<dyn Progress>,
    /// Once this is cancelled, the verification ends with
    /// [`Error::Cancelled`](crate::Error::Cancelled), whichever check is running.
    pub cancellation: CancellationToken,
}

/// Five minutes, without an observer or a cancellation.
impl Default for Control {
    fn default() -> Self {
        Self { deadline: DEADLINE, progress: Arc::new(Quiet), cancellation: CancellationToken::new() }
    }
}

impl Request {
    /// A verdict without further outputs.
    #[must_use]
    pub fn new(target_spec: TargetSpec) -> Self {
        Self { target_spec, work_dir: None, record: None, control: Control::default() }
    }

    /// Leaves each verified artifact at `DIR/cot/<taskId>/<name>`, and nothing unverified.
    #[must_use]
    pub fn with_work_dir(mut self, work_dir: impl Into<PathBuf>) -> Self {
        self.work_dir = Some(work_dir.into());
        self
    }

    /// Writes everything that the verdict depends on to a directory, for [`replay`](crate::replay).
    #[must_use]
    pub fn with_recording(mut self, directory: impl Into<PathBuf>) -> Self {
        self.record = Some(directory.into());
        self
    }

    /// With another deadline, an observer, or a cancellation.
    #[must_use]
    pub fn with_control(mut self, control: Control) -> Self {
        self.control = control;
        self
    }
}
