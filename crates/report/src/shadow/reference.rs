//! What scriptworker concluded about a chain, from its `chain_of_trust.log`.

/// What scriptworker concluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceOutcome {
    /// The chain is verified.
    Passed,
    /// The chain is not verified.
    Failed,
    /// The log ends without a result.
    Unknown,
}

impl ReferenceOutcome {
    /// The word that a comparison has.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// An error that scriptworker reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceError {
    /// The check of Catena that looks at the same, where the message is known.
    pub check: Option<&'static str>,
    /// The message, cut to 500 characters.
    pub message: String,
}

/// A result of scriptworker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// What it concluded.
    pub outcome: ReferenceOutcome,
    /// Why, where a log says so. scriptworker stops at the first step that fails.
    pub errors: Vec<ReferenceError>,
}

/// Characters of one message.
pub(super) const LONGEST: usize = 500;
/// Errors of one log. One step reports an error for each link at most.
const MOST: usize = 50;

const BEGIN: &str = "Running scriptworker version ";
const FAILED: &str = "Chain of Trust verification error!";
const GOOD: &str = "Good.";

/// Parts of messages, and the check that looks at the same. The first that fits counts.
const MESSAGES: &[(&str, &str)] = &[
    ("guess_worker_impl", "worker-implementation"),
    ("Invalid task type for", "kind"),
    ("is interactive:", "interactive"),
    ("check_interactive_", "interactive"),
    ("is not a valid docker-image workerPoolId", "worker-pool"),
    ("is not a valid decision workerPoolId", "worker-pool"),
    ("must be run from scriptworker", "worker-pool"),
    ("docker-image", "image"),
    ("docker image", "image"),
    ("Indexed images", "image"),
    ("Too deep recursion", "chain"),
    ("chain of trust artifacts!", "artifacts"),
    ("BAD HASH", "artifacts"),
    ("ed25519 cot signature", "signature"),
    ("Invalid unsigned cot json body", "document"),
    ("Chain of Trust artifact taskId", "document"),
    ("dependencies don't line up", "task-graph"),
    ("differs!", "task-graph"),
    ("Can't find task", "task-graph"),
    ("task-graph.json", "task-graph"),
    ("doesn't match the push comment", "rebuild"),
    ("cot_product_type", "rebuild"),
    ("Unknown tasks_for", "rebuild"),
    ("Unknown action kind", "rebuild"),
    ("No action with", "rebuild"),
    ("JSON-e error", "rebuild"),
    ("Error while rebuilding", "rebuild"),
    ("ACTION_TASK_GROUP_ID", "rebuild"),
    ("doesn't match any rebuilt definition", "rebuild"),
    ("Unsupported VCS server", "source"),
    ("doesn't match source", "source"),
    ("restricted_scope", "tree"),
    ("not allowlisted for scope", "tree"),
    ("doesn't match my repo", "tree"),
    ("no privileged repo", "tree"),
    ("is_try_or_pull_request", "tree"),
    ("DownloadError", "availability"),
    ("Download404", "availability"),
];

/// The checks of Catena that messages of scriptworker are mapped to.
pub fn mapped_checks() -> impl Iterator<Item = &'static str> {
    MESSAGES.iter().map(|(_, check)| *check)
}

impl Reference {
    /// A result without a log.
    #[must_use]
    pub fn without_log(passed: bool) -> Self {
        let outcome = if passed { ReferenceOutcome::Passed } else { ReferenceOutcome::Failed };
        Self { outcome, errors: Vec::new() }
    }

    /// Reads a log. Of several verifications in one log the last counts.
    #[must_use]
    pub fn read_log(text: &str) -> Self {
        let last = text.rfind(BEGIN).and_then(|begin| text.get(begin..)).unwrap_or_default();
        let mut lines = last.lines();
        let unknown = Self { outcome: ReferenceOutcome::Unknown, errors: Vec::new() };
        while let Some(line) = lines.next() {
            if is_good(line) {
                return Self { outcome: ReferenceOutcome::Passed, errors: Vec::new() };
            }
            if line.ends_with(FAILED) {
                let raised = raised(lines);
                let errors = raised.map(|(kind, message)| errors(&kind, &message)).unwrap_or_default();
                return Self { outcome: ReferenceOutcome::Failed, errors };
            }
        }
        unknown
    }
}

/// Whether the line reports the end of the verification. `NAME: Good.` is about one link.
fn is_good(line: &str) -> bool {
    line.strip_suffix(GOOD).is_some_and(|before| before.ends_with(' ') && !before.ends_with(": "))
}

/// The type and the message of the exception in a traceback: what follows the traceback is a record of the log
/// again, with another message.
fn raised<'a>(lines: impl Iterator<Item = &'a str>) -> Option<(String, String)> {
    let mut found = None;
    for line in lines.take_while(|line| !is_record(line)) {
        let Some((kind, message)) = line.split_once(": ") else { continue };
        let is_name = kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'));
        let class = kind.rsplit('.').next().unwrap_or_default();
        if is_name && class.starts_with(|first: char| first.is_ascii_uppercase()) {
            found = Some((class.to_owned(), unquoted(message)));
        }
    }
    found
}

fn is_record(line: &str) -> bool {
    ["DEBUG - ", "INFO - ", "WARNING - ", "ERROR - ", "CRITICAL - "].iter().any(|level| line.contains(level))
}

/// A message as it was before Python's `repr`, which a `KeyError` prints.
fn unquoted(message: &str) -> String {
    let quoted = ['\'', '"'].iter().find_map(|quote| message.strip_prefix(*quote)?.strip_suffix(*quote));
    let Some(quoted) = quoted else { return message.to_owned() };
    let mut plain = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match (character, character == '\\') {
            (_, true) => match characters.next() {
                Some('n') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => plain.push('\\'),
            },
            (plain_character, false) => plain.push(plain_character),
        }
    }
    plain
}

/// The errors in a message. A line that names no check continues the error before it.
fn errors(kind: &str, message: &str) -> Vec<ReferenceError> {
    let check_of =
        |text: &str| MESSAGES.iter().find(|(part, _)| text.contains(part)).map(|(_, check)| *check);
    let mut errors: Vec<ReferenceError> = Vec::new();
    for line in message.lines() {
        let check = check_of(line);
        let is_full = errors.len() >= MOST;
        match errors.last_mut() {
            Some(last) if check.is_none() => last.message = cut(&format!("{}\n{line}", last.message)),
            _ if is_full => break,
            _ => errors.push(ReferenceError { check, message: cut(line) }),
        }
    }
    if errors.iter().all(|error| error.check.is_none()) {
        errors = vec![ReferenceError { check: check_of(kind), message: cut(&format!("{kind}: {message}")) }];
    }
    errors
}

pub(super) fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_verify::checks;

    const HEAD: &str = "2026-11-28T00:17:35     INFO - Running scriptworker version 63.6.1\n\
                        2026-11-28T00:17:35     INFO - signing:parent: Good.\n";

    fn failed(raised: &str) -> Reference {
        Reference::read_log(&format!(
            "{HEAD}2026-11-28T00:17:36 CRITICAL - Chain of Trust verification error!\nTraceback (most recent call last):\n  \
             File \"verify.py\", line 2150, in verify\n    raise X(\"a: b\")\n{raised}\n\
             2026-11-28T00:17:37     INFO - Unrelated: is interactive: later\n"
        ))
    }

    #[test]
    fn the_last_result_counts() {
        let good = format!("{HEAD}2026-11-28T00:17:36     INFO - Good.\n");
        assert_eq!(Reference::read_log(&good).outcome, ReferenceOutcome::Passed);
        assert_eq!(Reference::read_log(HEAD).outcome, ReferenceOutcome::Unknown);
        assert_eq!(Reference::read_log(&format!("{good}{HEAD}")).outcome, ReferenceOutcome::Unknown);
        assert_eq!(Reference::read_log("").outcome, ReferenceOutcome::Unknown);
    }

    #[test]
    fn errors_are_read_from_the_traceback() {
        let log = failed(
            "scriptworker.exceptions.CoTError: 'build IFn9 dependencies don\\'t line up!\\n{\\'x\\'}\\n\
             build IFn9 is interactive: task.payload.features.interactive!'",
        );
        let checks: Vec<_> = log.errors.iter().map(|error| error.check).collect();
        assert_eq!(log.outcome, ReferenceOutcome::Failed);
        assert_eq!(checks, [Some("task-graph"), Some("interactive")]);
        assert_eq!(log.errors[0].message, "build IFn9 dependencies don't line up!\n{'x'}");
    }

    #[test]
    fn the_type_of_an_exception_can_name_the_check() {
        let log = failed("scriptworker.exceptions.Download404: https://x: 404");
        assert_eq!(log.errors[0].check, Some("availability"));
        let log = failed("KeyError: 'platform'");
        assert_eq!(log.errors, [ReferenceError { check: None, message: "KeyError: platform".to_owned() }]);
    }

    #[test]
    fn every_check_that_is_named_exists() {
        for name in mapped_checks() {
            assert!(checks::ALL.iter().any(|check| check.name == name), "{name}");
        }
    }
}
