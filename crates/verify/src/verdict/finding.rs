//! The result of one check on one link.

use super::bounds;
use catena_json::{Path, Value};
use catena_model::task::TaskId;
use catena_policy::Rule;
use std::fmt;

/// What a failed finding means for the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The evidence cannot be explained by a mistake. Never retry; alert security.
    Tamper,
    /// Malformed, incomplete or inconsistent input, whose cause the evidence does not show. Find out
    /// who made it.
    Invalid,
    /// Well formed, and not allowed.
    Policy,
    /// Our own configuration (policy or keys) is insufficient.
    Config,
    /// Required data was unavailable. Retry.
    Infra,
}

impl Class {
    /// All classes, the most severe first.
    pub const ALL: [Self; 5] = [Self::Tamper, Self::Invalid, Self::Policy, Self::Config, Self::Infra];

    /// Parses the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }

    /// The word that reports use.
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

/// The stable name of a possible finding, with its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Kebab-case, never reused: `signature-unknown-key`.
    pub name: &'static str,
    /// What a failure means for the next step.
    pub class: Class,
    /// Whether it only reports success: no finding fails with it.
    pub passes: bool,
    /// One sentence for lists of codes.
    pub summary: &'static str,
    /// The rule by which a product may relax it, if there is one.
    pub rule: Option<Rule>,
}

impl Code {
    pub(crate) const fn new(name: &'static str, class: Class, summary: &'static str) -> Self {
        Self { name, class, passes: false, summary, rule: None }
    }

    /// A code that only reports success. If a finding ever fails with it, it counts as the most severe
    /// class.
    pub(crate) const fn passing(name: &'static str, summary: &'static str) -> Self {
        Self { name, class: Class::Tamper, passes: true, summary, rule: None }
    }

    /// Its meaning in one word: its class, or `passes`.
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
    /// The word that the JSON report uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Relaxed => "relaxed",
        }
    }

    /// Parses the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Passed, Self::Failed, Self::Relaxed].into_iter().find(|one| one.as_str() == text)
    }
}

/// The source of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Authority {
    /// The source tree: the in-tree template as rendered.
    Tree,
    /// The task graph that the parent published.
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
    /// The word that reports use.
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

/// What one authority states, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The authority.
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

    pub(crate) fn by(mut self, speaker: impl Into<String>) -> Self {
        self.speaker = Some(bounds::text(speaker.into()));
        self
    }
}

/// Where two values differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The location.
    pub path: Path,
    /// The kind of difference.
    pub kind: DifferenceKind,
    /// The expected value; `None` if there should be none.
    pub expected: Option<Value>,
    /// The actual value; `None` if there is none.
    pub actual: Option<Value>,
}

/// The kind of difference between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DifferenceKind {
    /// Another value of the same type.
    Changed,
    /// Another type.
    Retyped,
    /// Expected and not present.
    Missing,
    /// Present and not expected.
    Added,
    /// A list with the same items in another order.
    Reordered,
}

impl DifferenceKind {
    /// The word that reports use.
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

/// A position: a document, and a path within it.
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

/// The result of one check on one link.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The check: the name of its file, its page and its attacks.
    pub check: &'static str,
    /// The code.
    pub code: Code,
    /// How it counts.
    pub disposition: Disposition,
    /// The link it is about.
    pub task_id: TaskId,
    /// One sentence with the details.
    pub message: String,
    /// Its position.
    pub location: Option<Location>,
    /// The expected value, and its authority.
    pub expected: Option<Claim>,
    /// The actual value, and its authority.
    pub actual: Option<Claim>,
    /// Where two documents differ, the expected side first; never whole definitions, and only a part of
    /// large values.
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

    /// Whether it only states how many more findings of its kind there are.
    #[must_use]
    pub fn is_remainder(&self) -> bool {
        self.message.ends_with(bounds::NOT_LISTED)
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
