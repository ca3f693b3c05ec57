//! Why a command did not come to its answer, in words for the one who called it.

use crate::cache_options::{no_key, unusable};
use crate::commands::fetch::FetchCode;
use catena::Error;
use catena_policy::Diagnostic;
use catena_report::escape;
use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

/// Verified, or simply done.
pub(crate) const DONE: u8 = 0;
/// A check says no.
pub(crate) const REJECTED: u8 = 1;
/// Wrong usage or configuration.
pub(crate) const USAGE: u8 = 2;
/// It could not be determined, or the answer could not be delivered.
pub(crate) const UNDETERMINED: u8 = 3;

/// What went wrong, where, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The exit status.
    pub(crate) status: u8,
    /// What went wrong and where; none when there is nobody left to be told.
    what: Option<String>,
    /// What to do next.
    next: Option<String>,
    /// The code that names it, if it has one.
    code: Option<&'static FetchCode>,
}

impl Failure {
    /// Wrong usage or configuration.
    pub(crate) fn usage(what: impl Display) -> Self {
        Self { status: USAGE, what: Some(what.to_string()), next: None, code: None }
    }

    /// The world did not do its part.
    pub(crate) fn undetermined(what: impl Display) -> Self {
        Self { status: UNDETERMINED, what: Some(what.to_string()), next: None, code: None }
    }

    /// Inputs are not delivered; the code names why, and its class decides the exit status.
    pub(crate) fn coded(code: &str, what: impl Display) -> Self {
        let code = FetchCode::find(code);
        let status = code.map_or(UNDETERMINED, FetchCode::exit_status);
        Self { status, what: Some(what.to_string()), next: None, code }
    }

    /// What a verdict says, with its exit status.
    pub(crate) fn with_status(status: u8, what: impl Display) -> Self {
        Self { status, what: Some(what.to_string()), next: None, code: None }
    }

    /// Nobody reads any more.
    pub(crate) fn silent(status: u8) -> Self {
        Self { status, what: None, next: None, code: None }
    }

    /// A file that does not say what it should; each mistake with its line and column.
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

    /// Tells it on standard error.
    pub(crate) fn tell(&self) -> ExitCode {
        // Whom could we tell that standard error is gone?
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

/// What the library could not do, with what to do next.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = match &error {
            Error::Policy(mistakes) => {
                return Self::diagnostics("the policy cannot be used:", mistakes)
                    .next("put these right; `catena policy check FILE` looks again");
            }
            Error::Keys(mistakes) => {
                return Self::diagnostics("the keys cannot be used:", mistakes).next(
                    "a file of keys is a map from worker implementation to a list of base64 public keys",
                );
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
        Error::Read { .. } => "name a file that exists and can be read",
        Error::KeySetUrl { .. } => {
            "give an https address without a user and a fragment, or the name of a file"
        }
        Error::KeySet { .. } => "ask again; without --keys the whole trust file counts",
        Error::NoTrustFile(_) => {
            "add a trust file to the policy (docs/keys.md), or fetch the keys into a file and review them"
        }
        Error::Product(_) => "name one of these, or add the product to a policy (--policy)",
        Error::NoRootUrl => "say so with --root-url URL or TASKCLUSTER_ROOT_URL, or in the policy (root-url)",
        Error::RootUrl(_) => "say where Taskcluster is with --root-url https://… or TASKCLUSTER_ROOT_URL",
        Error::PlainHttp(_) => "use https; --danger-allow-http takes the risk",
        Error::CacheKeyInside(_) => "name a --cache-key that stands elsewhere",
        Error::WorkDirectory { .. } => "name a --work-dir that can be written to",
        Error::Temporary(_) => "make room in $TMPDIR, or name another folder there",
        Error::RecordingExists(_) => "name another folder, or remove this one first",
        Error::RecordingDirectory { .. } | Error::NotRecorded { .. } => {
            "name a folder that can be written to"
        }
        Error::NoRecording { .. } => "name a folder that --record filled",
        Error::RecordedRequest { .. } => "a recording is only good as it was made; make it again",
        Error::Recording(_) => "name a folder that --record filled and nobody touched since",
        Error::NotPublished(_) => "see to --work-dir, or name another one, and ask again",
        Error::RecordingVersion { made_by, .. } => {
            return Some(format!("it was made by catena {made_by}; use that"));
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
    fn what_where_and_what_next() {
        let failure = Failure::usage("keys.yml: no such file\u{1b}[2J").next("name a file that exists");
        assert_eq!(
            failure.text(),
            "catena: keys.yml: no such file\\u{1b}[2J\n  next: name a file that exists\n"
        );
        assert_eq!(Failure::silent(3).text(), "");
    }
}
