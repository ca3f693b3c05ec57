//! Names of artifacts, which become paths below a directory.

use std::fmt;

/// An artifact's name that is also a path within its directory: relative, segments divided by `/`, none
/// of them empty, `.` or `..`; no backslash, no NUL or other control character, at most 1,024 bytes
/// with segments of at most 255.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactName(String);

/// Why text is not the name of an artifact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArtifactNameError {
    /// Empty, longer than 1,024 bytes, or with a segment longer than 255.
    #[error("artifact names have 1 to 1,024 bytes, in segments of at most 255")]
    Length,
    /// Starts with a slash, or has an empty, `.` or `..` segment.
    #[error("{0:?} could leave its directory")]
    Leaves(String),
    /// A control character or a backslash.
    #[error("{0:?} contains a control character or a backslash")]
    Character(String),
}

impl ArtifactName {
    /// Parses a name.
    ///
    /// # Errors
    /// Any name that could be interpreted as a path outside of its directory, on any system.
    pub fn parse(text: &str) -> Result<Self, ArtifactNameError> {
        if text.is_empty() || text.len() > 1024 || text.split('/').any(|segment| segment.len() > 255) {
            return Err(ArtifactNameError::Length);
        }
        if text.chars().any(|character| character.is_control() || character == '\\') {
            return Err(ArtifactNameError::Character(text.to_owned()));
        }
        if text.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
            return Err(ArtifactNameError::Leaves(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The Chain of Trust document's own name.
    #[must_use]
    pub fn document() -> Self {
        Self("public/chain-of-trust.json".to_owned())
    }

    /// The name of the document's detached signature.
    #[must_use]
    pub fn signature() -> Self {
        Self("public/chain-of-trust.json.sig".to_owned())
    }

    /// The task graph of a parent.
    #[must_use]
    pub fn task_graph() -> Self {
        Self("public/task-graph.json".to_owned())
    }

    /// The actions of a decision task.
    #[must_use]
    pub fn actions() -> Self {
        Self("public/actions.json".to_owned())
    }

    /// The parameters of a decision task.
    #[must_use]
    pub fn parameters() -> Self {
        Self("public/parameters.yml".to_owned())
    }

    /// Whether this is, ignoring case, a name under which the worker itself writes the chain of trust.
    /// No task can have made it, so it is never an input.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0.eq_ignore_ascii_case("public/chain-of-trust.json")
            || self.0.eq_ignore_ascii_case("public/chain-of-trust.json.sig")
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ArtifactName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for ArtifactName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_below_their_directory() {
        for good in ["public/build/target.tar.xz", "public/a b/é.txt", "private/x", "public/..a", "live.log"]
        {
            assert!(ArtifactName::parse(good).is_ok(), "{good}");
        }
        for wrong in ["", "/etc/passwd", "public/../x", "..", ".", "public//x", "public/", "a/./b"] {
            assert!(ArtifactName::parse(wrong).is_err(), "{wrong}");
        }
        for wrong in ["public\\..\\x", "public/a\0b", "public/a\nb", "C:\\x"] {
            assert!(matches!(ArtifactName::parse(wrong), Err(ArtifactNameError::Character(_))), "{wrong:?}");
        }
        let name =
            |segment: usize, times: usize| ArtifactName::parse(&vec!["a".repeat(segment); times].join("/"));
        assert!(name(255, 4).is_ok());
        assert_eq!(name(256, 1), Err(ArtifactNameError::Length));
        // Each of them with its slash: 2 bytes.
        assert_eq!(name(1, 512).map(|name| name.as_str().len()), Ok(1023));
        assert!(ArtifactName::parse(&format!("{}/aa", vec!["a"; 511].join("/"))).is_ok());
        assert_eq!(name(1, 513), Err(ArtifactNameError::Length));
    }

    #[test]
    fn a_name_is_shown_escaped() {
        let name = |text: &str| ArtifactName::parse(text).unwrap();
        assert_eq!(format!("{:?} {}", name("public/a\"b"), name("c")), "\"public/a\\\"b\" c");
    }

    #[test]
    fn the_documents_names_are_reserved_in_any_case() {
        assert!(ArtifactName::document().is_reserved());
        assert!(ArtifactName::signature().is_reserved());
        assert!(ArtifactName::parse("public/Chain-Of-Trust.json").unwrap().is_reserved());
        assert!(!ArtifactName::task_graph().is_reserved());
    }
}
