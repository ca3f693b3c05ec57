//! Kinds, worker implementations and the names of links.

use std::fmt;

/// The kind of a link: `decision`, `build`, `signing`, … The policy defines the kinds and their
/// requirements.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(String);

/// The text is not a kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a kind (1 to 60 of a-z 0-9 -)")]
pub struct KindError(pub String);

impl Kind {
    /// Parses a kind: 1 to 60 of lowercase letters, digits and `-`.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, KindError> {
        let valid = (1..=60).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if valid { Ok(Self(text.to_owned())) } else { Err(KindError(text.chars().take(80).collect())) }
    }

    /// The kind of a link whose declared kind is malformed.
    pub fn unknown() -> Self {
        Self("unknown".to_owned())
    }

    /// The kind as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The worker implementation of a task, which determines the keys that may have signed for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkerImplementation {
    /// Tasks in docker images.
    DockerWorker,
    /// Tasks on whole machines, and docker-worker payloads through d2g.
    GenericWorker,
    /// Tasks with secrets: signing, pushing, shipping.
    Scriptworker,
}

impl WorkerImplementation {
    /// All implementations, in the order of their names.
    pub const ALL: [Self; 3] = [Self::DockerWorker, Self::GenericWorker, Self::Scriptworker];

    /// Parses Taskcluster's name for it; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|implementation| implementation.as_str() == text)
    }

    /// Taskcluster's name for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DockerWorker => "docker-worker",
            Self::GenericWorker => "generic-worker",
            Self::Scriptworker => "scriptworker",
        }
    }
}

impl fmt::Display for WorkerImplementation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// The path from the target to a link, by the kinds on the path: `signing → build → docker-image`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkName(Vec<String>);

impl LinkName {
    /// A name of these parts, of which there is at least one.
    #[must_use]
    pub fn of(parts: Vec<String>) -> Option<Self> {
        (!parts.is_empty()).then_some(Self(parts))
    }

    /// The target's own name.
    #[must_use]
    pub fn target(kind: &Kind) -> Self {
        Self(vec![kind.as_str().to_owned()])
    }

    /// The name of a dependency of this link.
    #[must_use]
    pub fn dependency(&self, kind: &str) -> Self {
        let mut names = self.0.clone();
        names.push(kind.to_owned());
        Self(names)
    }

    /// Replaces the last part, once a `parent` is known to be a decision or an action.
    #[must_use]
    pub fn resolved(mut self, kind: &Kind) -> Self {
        if let Some(last) = self.0.last_mut() {
            kind.as_str().clone_into(last);
        }
        self
    }

    /// Steps from the target; 0 for the target itself.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.len().saturating_sub(1)
    }

    /// The parts, the target's kind first.
    #[must_use]
    pub fn parts(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for LinkName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.join(" → "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_names_are_paths() {
        let target = LinkName::target(&Kind::parse("signing").unwrap());
        let image = target.dependency("build").dependency("docker-image");
        assert_eq!(image.to_string(), "signing → build → docker-image");
        assert_eq!(LinkName::of(image.parts().to_vec()), Some(image.clone()));
        assert_eq!(LinkName::of(Vec::new()), None);
        assert_eq!((target.depth(), image.depth()), (0, 2));
    }

    #[test]
    fn worker_implementations_have_taskclusters_names() {
        for implementation in WorkerImplementation::ALL {
            assert_eq!(WorkerImplementation::parse(implementation.as_str()), Some(implementation));
        }
        let names = WorkerImplementation::ALL.map(|one| one.to_string());
        assert_eq!(names, ["docker-worker", "generic-worker", "scriptworker"]);
        assert_eq!(WorkerImplementation::parse("Docker-Worker"), None);
    }

    #[test]
    fn kinds_are_plain_words() {
        assert!(Kind::parse("docker-image").is_ok());
        assert!(Kind::parse(&"a1-".repeat(20)).is_ok() && Kind::parse(&"a".repeat(61)).is_err());
        for wrong in ["", "Build", "a b", "a:b", "a/b", "é"] {
            assert!(Kind::parse(wrong).is_err(), "{wrong}");
        }
    }
}
