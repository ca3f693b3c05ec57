//! Whether a verdict decides if a task runs.

use super::file::File;
use super::problem::{Problems, Severity};
use crate::gate::Unenforced;

/// What a verdict other than "verified" means for the task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The task does not run.
    #[default]
    Enforce,
    /// The task runs without a clearance.
    Unenforced(Unenforced),
}

/// The key of the configuration.
const KEY: &str = "cot_mode";

impl Mode {
    /// Its name in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Unenforced(mode) => mode.as_str(),
        }
    }

    pub(super) fn read(file: &File, problems: &mut Problems) -> Self {
        let mode = match file.text(KEY).unwrap_or_default() {
            "enforce" => return Self::Enforce,
            "warn" => Unenforced::Warn,
            "shadow" => Unenforced::Shadow,
            other => {
                let shown: String = other.chars().take(100).collect();
                let what = format!("{KEY}: {shown:?} is not a mode; use enforce, warn or shadow");
                problems.error(file.mark(KEY), what);
                return Self::Enforce;
            }
        };
        let what = format!(
            "{KEY} is {}: a task whose chain is not verified runs with unverified inputs, and its document is \
             signed; use a key that no release depends on",
            mode.as_str()
        );
        problems.add(Severity::Warning, file.mark(KEY), what);
        Self::Unenforced(mode)
    }
}
