//! Why a command failed, with a message for its user.

use crate::cache_options::{no_key, unusable};
use crate::commands::fetch::FetchCode;
use catena::Error;
use catena_policy::Diagnostic;
use catena_report::escape;
use std::fmt::Display;
use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

/// Verified, or succeeded.
pub(crate) const DONE: u8 = 0;
/// Rejected.
pub(crate) const REJECTED: u8 = 1;
/// Usage or configuration error.
pub(crate) const USAGE: u8 = 2;
/// Undetermined, or the result could not be delivered.
pub(crate) const UNDETERMINED: u8 = 3;

/// What is wrong, where, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The exit status.
    pub(crate) status: u8,
    /// What is wrong and where; `None` if no reader is left.
    what: Option<String>,
    /// What to do next.
    next: Option<String>,
    /// The code that names it, if it has one.
    code: Option<&'static FetchCode>,
}

impl Failure {
    /// A usage or configuration error.
    pub(crate) fn usage(what: impl Display) -> Self {
        Self { status: USAGE, what: Some(what.to_string()), next: None, code: None }
    }

    /// An external failure.
    pub(crate) fn undetermined(what: impl Display) -> Self {
        Self { status: UNDETERMINED, what: Some(what.to_string()), next: None, code: None }
    }

    /// Inputs are not delivered; the code names why, and its class decides the exit status.
    pub(crate) fn coded(code: &str, what: impl Display) -> Self {
        let code = FetchCode::find(code);
        let status = code.map_or(UNDETERMINED, FetchCode::exit_status);
        Self { status, what: Some(what.to_string()), next: None, code }
    }

    /// The outcome of a verdict, with its exit status.
    pub(crate) fn with_status(status: u8, what: impl Display) -> Self {
        Self { status, what: Some(what.to_string()), next: None, code: None }
    }

    /// The reader of the output has closed it.
    pub(crate) fn silent(status: u8) -> Self {
        Self { status, what: None, next: None, code: None }
    }

    /// A malformed file; each error with its line and column.
    pub(crate) fn diagnostics(what: impl Display, diagnostics: &[Diagnostic]) -> Self {
        let mut text = what.to_string();
        for diagnostic in diagnostics {
            text.push('\n');
            text.push_str(&diagnostic.to_string());
        }
        Self { status: USAGE, what: Some(text), next: None, code: None }
    }

    /// The code that names it, if it has one.
    pub(crate) fn code(&self) -> Option<&'static FetchCode> {
        self.code
    }

    /// What went wrong and where, unescaped.
    pub(crate) fn message(&self) -> &str {
        self.what.as_deref().unwrap_or_default()
    }

    /// What to do next, unescaped.
    pub(crate) fn action(&self) -> Option<&str> {
        self.next.as_deref()
    }

    /// Adds what to do next.
    pub(crate) fn next(mut self, next: impl Display) -> Self {
        self.next = Some(next.to_string());
        self
    }

    /// Prints it to standard error.
    pub(crate) fn tell(&self) -> ExitCode {
        // There is nowhere to report that standard error is closed.
        let _ = std::io::stderr().lock().write_all(self.text().as_bytes());
        ExitCode::from(self.status)
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (number, line) in self.what.iter().flat_map(|what| what.lines()).enumerate() {
            text.push_str(if number == 0 { "catena: " } else { "  " });
            if let Some(code) = self.code.filter(|_| number == 0) {
                text.push_str(code.name);
                text.push_str(": ");
            }
            text.push_str(&escape::line(line));
            text.push('\n');
        }
        for line in self.next.iter().flat_map(|next| next.lines()) {
            text.push_str("  next: ");
            text.push_str(&escape::line(line));
            text.push('\n');
        }
        text
    }
}

/// An error of the library, with what to do next.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = match &error {
            Error::Policy(mistakes) => {
                return Self::diagnostics("the policy is invalid:", mistakes)
                    .next("correct these errors; `catena policy check FILE` checks again");
            }
            Error::Keys(mistakes) => {
                return Self::diagnostics("the keys are invalid:", mistakes)
                    .next("a key file is a map from worker implementation to a list of base64 public keys");
            }
            Error::CacheDirectory(error) => return unusable(error),
            Error::CacheKey(error) => return no_key(error),
            error if error.is_usage() => Self::usage(error),
            error => Self::undetermined(error),
        };
        match remedy(&error) {
            Some(remedy) => failure.next(remedy),
            None => failure,
        }
    }
}

/// What to do about it.
fn remedy(error: &Error) -> Option<String> {
    let remedy = match error {
        Error::Read { error, .. } if error.kind() == ErrorKind::InvalidData => "name a text file in UTF-8",
        Error::Read { error, .. } if error.kind() == ErrorKind::FileTooLarge => "name a smaller file",
        Error::Read { .. } => "name a file that exists and can be read",
        Error::KeySetUrl { .. } => {
            "give an https address without a user and a fragment, or the name of a file"
        }
        Error::KeySet { .. } => "retry; without --keys the whole trust file is used",
        Error::NoTrustFile(_) => {
            "add a trust file to the policy (docs/keys.md), or fetch the keys into a file and review them"
        }
        Error::Product(_) => "name one of these, or add the product to a policy (--policy)",
        Error::NoRootUrl => "set it with --root-url URL or TASKCLUSTER_ROOT_URL, or in the policy (root-url)",
        Error::RootUrl(_) => "set it with --root-url https://… or TASKCLUSTER_ROOT_URL",
        Error::PlainHttp(_) => "use https; --danger-allow-http takes the risk",
        Error::CacheKeyInside(_) => "name a --cache-key outside of the cache",
        Error::WorkDirectory { .. } => "name a writable --work-dir",
        Error::Temporary(_) => "free space in $TMPDIR, or set it to another directory",
        Error::RecordingExists(_) => "name another directory, or remove this one first",
        Error::RecordingDirectory { .. } | Error::NotRecorded { .. } => "name a writable directory",
        Error::NoRecording { .. } => "name a directory written by --record",
        Error::RecordedRequest { .. } => "the recording was changed or is incomplete; record again",
        Error::Recording(_) => "name an unchanged directory written by --record",
        Error::NotPublished(_) => "check --work-dir, or name another one, and retry",
        Error::RecordingVersion { made_by, .. } => {
            return Some(format!("it was written by catena {made_by}; use that version"));
        }
        Error::NotRetracted { work_dir, .. } => {
            return Some(format!("remove {}", work_dir.join("cot").display()));
        }
        _ => return None,
    };
    Some(remedy.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_step_fits_the_reason() {
        let next = |kind: ErrorKind| {
            let error = Error::Read { path: "policy.yml".into(), error: kind.into() };
            Failure::from(error).action().unwrap().to_owned()
        };
        assert_eq!(next(ErrorKind::NotFound), "name a file that exists and can be read");
        assert_eq!(next(ErrorKind::InvalidData), "name a text file in UTF-8");
        assert_eq!(next(ErrorKind::FileTooLarge), "name a smaller file");
    }

    #[test]
    fn what_where_and_what_next() {
        let failure = Failure::usage("keys.yml: no such file\u{1b}[2J").next("name a file that exists");
        assert_eq!(
            failure.text(),
            "catena: keys.yml: no such file\\u{1b}[2J\n  next: name a file that exists\n"
        );
        assert_eq!(Failure::silent(3).text(), "");
    }
}
