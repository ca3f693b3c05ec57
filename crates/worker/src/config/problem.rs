//! What is wrong with a configuration, and where.

use catena_yaml::Mark;
use std::fmt;
use std::path::{Path, PathBuf};

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The worker does not start.
    Error,
    /// The worker starts, and does less than the file or its reader may expect.
    Warning,
    /// A key that is read by nobody.
    Ignored,
}

/// One thing that is wrong with a configuration. Ordered by severity, then by place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// How much it matters.
    pub severity: Severity,
    /// The file.
    pub file: PathBuf,
    /// Line and column, from 1; none for what the file does not say.
    pub place: Option<(usize, usize)>,
    /// What is wrong, and what to do. Keeps scriptworker's wording where it has one.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.file.display())?;
        if let Some((line, column)) = self.place {
            write!(out, ":{line}:{column}")?;
        }
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Ignored => "ignored",
        };
        write!(out, ": {severity}: {}", self.message)
    }
}

/// Collects problems.
#[derive(Debug)]
pub(super) struct Problems {
    file: PathBuf,
    found: Vec<Problem>,
}

impl Problems {
    pub(super) fn new(file: &Path) -> Self {
        Self { file: file.to_owned(), found: Vec::new() }
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    pub(super) fn add(&mut self, severity: Severity, mark: Option<Mark>, message: impl Into<String>) {
        let place = mark.map(|mark| (mark.line, mark.column));
        self.found.push(Problem { severity, file: self.file.clone(), place, message: message.into() });
    }

    pub(super) fn error(&mut self, mark: Option<Mark>, message: impl Into<String>) {
        self.add(Severity::Error, mark, message);
    }

    pub(super) fn has_errors(&self) -> bool {
        self.found.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// All of them, the worst first.
    pub(super) fn into_sorted(mut self) -> Vec<Problem> {
        self.found.sort();
        self.found
    }
}
