//! What one check found on one link.

use super::bounds;
use catena_json::{Path, Value};
use catena_model::task::TaskId;
use catena_policy::Rule;
use std::fmt;

/// What a failed finding means for what happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The evidence cannot be explained by a mistake. Never retry; raise the alarm.
    Tamper,
    /// Malformed, incomplete or inconsistent input, whose cause the evidence does not show. Find out who made
    /// it.
    Invalid,
    /// Well formed, and not allowed.
    Policy,
    /// Our own set-up (policy or keys) does not suffice to judge.
    Config,
    /// It could not be known. Retry.
    Infra,
}

impl Class {
    /// All of them, the alarming ones first.
    pub const ALL: [Self; 5] = [Self::Tamper, Self::Invalid, Self::Policy, Self::Config, Self::Infra];

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }

    /// In one word, as reports have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tamper => "tamper",
            Self::Invalid => "invalid",
            Self::Policy => "policy",
            Self::Config => "config",
            Self::Infra => "infra",
        }
    }
}

/// The stable name of something a check can find, with what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Kebab-case, never reused: `signature-unknown-key`.
    pub name: &'static str,
    /// What a failure means for what happens next.
    pub class: Class,
    /// Whether it only tells that something passed: no finding fails with it.
    pub passes: bool,
    /// One sentence for lists of codes.
    pub summary: &'static str,
    /// The rule by which a product may relax it, if it may.
    pub rule: Option<Rule>,
}

impl Code {
    pub(crate) const fn new(name: &'static str, class: Class, summary: &'static str) -> Self {
        Self { name, class, passes: false, summary, rule: None }
    }

    /// A code that only tells that something passed. Should a finding ever fail with it, that counts as
    /// the worst there is.
    pub(crate) const fn passing(name: &'static str, summary: &'static str) -> Self {
        Self { name, class: Class::Tamper, passes: true, summary, rule: None }
    }

    /// In one word what it means: its class, or `passes`.
    #[must_use]
    pub const fn meaning(&self) -> &'static str {
        if self.passes { "passes" } else { self.class.as_str() }
    }

    /// A code that a product may relax by this rule.
    pub(crate) const fn relaxable(mut self, rule: Rule) -> Self {
        self.rule = Some(rule);
        self
    }
}

/// How a finding counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disposition {
    /// The check passed.
    Passed,
    /// The check failed.
    Failed,
    /// The check failed, and the policy relaxes it.
    Relaxed,
}

impl Disposition {
    /// In one word, as the JSON report has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Relaxed => "relaxed",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Passed, Self::Failed, Self::Relaxed].into_iter().find(|one| one.as_str() == text)
    }
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Authority {
    /// The source tree: the in-tree template as rendered.
    Tree,
    /// The task graph the parent published.
    Graph,
    /// The queue: definition and status.
    Queue,
    /// The worker: its signed document.
    Worker,
    /// Storage: the bytes of artifacts as they arrived.
    Storage,
    /// The policy.
    Policy,
    /// Mercurial's or GitHub's answer.
    Vcs,
    /// The task that uses another: the target's or a link's own definition.
    Task,
}

impl Authority {
    /// In one word, as reports have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tree => "tree",
            Self::Graph => "graph",
            Self::Queue => "queue",
            Self::Worker => "worker",
            Self::Storage => "storage",
            Self::Policy => "policy",
            Self::Vcs => "vcs",
            Self::Task => "task",
        }
    }
}

/// What one authority says, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who says it.
    pub authority: Authority,
    /// Who says it, more closely: `its decision task`, `GECKO_HEAD_REPOSITORY`.
    pub speaker: Option<String>,
    /// What it says.
    pub text: String,
}

impl Claim {
    pub(crate) fn new(authority: Authority, text: impl Into<String>) -> Self {
        Self { authority, speaker: None, text: bounds::text(text.into()) }
    }

    fn by(mut self, speaker: impl Into<String>) -> Self {
        self.speaker = Some(bounds::text(speaker.into()));
        self
    }
}

/// Where two values differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The location.
    pub path: Path,
    /// In what way.
    pub kind: DifferenceKind,
    /// What was expected there; none when nothing should be.
    pub expected: Option<Value>,
    /// What is there; none when nothing is.
    pub actual: Option<Value>,
}

/// In what way two values differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DifferenceKind {
    /// Another value of the same type.
    Changed,
    /// Another type.
    Retyped,
    /// It should be there and is not.
    Missing,
    /// It is there and should not be.
    Added,
    /// A list with the same items in another order.
    Reordered,
}

impl DifferenceKind {
    /// In one word, as reports have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Retyped => "retyped",
            Self::Missing => "missing",
            Self::Added => "added",
            Self::Reordered => "reordered",
        }
    }
}

/// Where something stands: in what, and at which path inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The document: `the queue's definition`, `chain-of-trust.json`, `.taskcluster.yml`.
    pub document: String,
    /// The JSON path inside it; none for the document as a whole.
    pub path: Option<Path>,
}

impl fmt::Display for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(out, "{path} in {}", self.document),
            None => out.write_str(&self.document),
        }
    }
}

/// What one check found on one link.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The check: the name of its file, its page and its attacks.
    pub check: &'static str,
    /// What was found.
    pub code: Code,
    /// How it counts.
    pub disposition: Disposition,
    /// The link it is about.
    pub task_id: TaskId,
    /// One sentence with the particulars.
    pub message: String,
    /// Where it stands.
    pub location: Option<Location>,
    /// What was expected, and who says so.
    pub expected: Option<Claim>,
    /// What was there, and who says so.
    pub actual: Option<Claim>,
    /// Where two documents differ, expected authority first; never whole definitions, and of large values only a
    /// part.
    pub differences: Vec<Difference>,
    /// The sides of `differences`: (expected, actual).
    pub authorities: Option<(Authority, Authority)>,
    /// Where in the tree or the graph the expectation comes from.
    pub origin: Option<String>,
}

impl Finding {
    pub(crate) fn new(
        check: &'static str,
        code: Code,
        disposition: Disposition,
        task_id: TaskId,
        message: impl Into<String>,
    ) -> Self {
        debug_assert!(!code.passes || disposition == Disposition::Passed, "{} cannot fail", code.name);
        Self {
            check,
            code,
            disposition,
            task_id,
            message: bounds::text(message.into()),
            location: None,
            expected: None,
            actual: None,
            differences: Vec::new(),
            authorities: None,
            origin: None,
        }
    }

    pub(crate) fn at(mut self, document: impl Into<String>, path: Option<Path>) -> Self {
        self.location =
            Some(Location { document: bounds::text(document.into()), path: path.map(bounds::path) });
        self
    }

    pub(crate) fn expected(mut self, authority: Authority, text: impl Into<String>) -> Self {
        self.expected = Some(Claim::new(authority, text));
        self
    }

    pub(crate) fn actual(mut self, authority: Authority, text: impl Into<String>) -> Self {
        self.actual = Some(Claim::new(authority, text));
        self
    }

    /// As [`Self::expected`], and which of the authority's documents or tasks says so.
    pub(crate) fn expected_by(
        mut self,
        authority: Authority,
        speaker: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        self.expected = Some(Claim::new(authority, text).by(speaker));
        self
    }

    /// As [`Self::actual`], and which of the authority's documents or tasks says so.
    pub(crate) fn actual_by(
        mut self,
        authority: Authority,
        speaker: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        self.actual = Some(Claim::new(authority, text).by(speaker));
        self
    }

    pub(crate) fn differing(
        mut self,
        authorities: (Authority, Authority),
        differences: Vec<Difference>,
    ) -> Self {
        let bounded = |one: Difference| Difference { path: bounds::path(one.path), ..one };
        self.authorities = Some(authorities);
        self.differences = differences.into_iter().map(bounded).collect();
        self
    }

    pub(crate) fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(bounds::text(origin.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_reports_are_fixed() {
        use Authority::{Graph, Policy, Queue, Storage, Task, Tree, Vcs, Worker};
        use DifferenceKind::{Added, Changed, Missing, Reordered, Retyped};
        let classes = [Class::Tamper, Class::Invalid, Class::Policy, Class::Config, Class::Infra];
        assert_eq!(classes.map(Class::as_str), ["tamper", "invalid", "policy", "config", "infra"]);
        let authorities = [Tree, Graph, Queue, Worker, Storage, Policy, Vcs, Task].map(Authority::as_str);
        assert_eq!(authorities, ["tree", "graph", "queue", "worker", "storage", "policy", "vcs", "task"]);
        let kinds = [Changed, Retyped, Missing, Added, Reordered].map(DifferenceKind::as_str);
        assert_eq!(kinds, ["changed", "retyped", "missing", "added", "reordered"]);
        let location = |path| Location { document: "the document".to_owned(), path }.to_string();
        assert_eq!(location(None), "the document");
        assert_eq!(location(Some(Path::of(&["a", "b"]))), "a.b in the document");
    }
}
