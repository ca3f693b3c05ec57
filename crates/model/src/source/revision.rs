//! Revisions and tags.

use std::fmt;

/// A full hash of a Mercurial changeset or Git commit: 40 lowercase hexadecimal digits. Short hashes,
/// branches and tags can change their meaning and do not parse.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision {
    text: String,
    is_full: bool,
}

/// The text is not a revision in this form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevisionError {
    /// Not 40 lowercase hexadecimal digits.
    #[error("{0:?} is not a full hash (40 lowercase hexadecimal digits)")]
    NotFullHash(String),
    /// Not a name that git allows for a tag, or one that needs encoding in an address.
    #[error("{0:?} is not a tag name, or needs encoding in an address")]
    NotTag(String),
}

impl Revision {
    /// Parses a full hash.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, RevisionError> {
        let wrong = || RevisionError::NotFullHash(text.chars().take(80).collect());
        let fits = text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if fits { Ok(Self { text: text.to_owned(), is_full: true }) } else { Err(wrong()) }
    }

    /// Accepts a tag, branch or short hash as a revision, if a policy relaxes `revision-form`.
    #[must_use]
    pub fn relaxed(name: &TagName) -> Self {
        Self::parse(&name.0).unwrap_or_else(|_| Self { text: name.0.clone(), is_full: false })
    }

    /// Whether it is a full hash, whose meaning never changes.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// The hash as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// The name of a Git tag, as a release has it: letters, digits and `-_.+` in segments divided by `/`,
/// none of them hidden or a dot segment. Narrower than git allows, so that it has the same meaning in
/// every address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagName(String);

impl TagName {
    /// Parses a tag's name.
    ///
    /// # Errors
    /// Text that git or an address parser could interpret differently.
    pub fn parse(text: &str) -> Result<Self, RevisionError> {
        let fits = (1..=200).contains(&text.len())
            && !text.starts_with('-')
            && text.split('/').all(|segment| {
                !segment.is_empty()
                    && !segment.starts_with('.')
                    && !segment.ends_with('.')
                    && !segment.contains("..")
                    && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte))
            });
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(RevisionError::NotTag(text.chars().take(80).collect()))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TagName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_full_hashes() {
        assert!(Revision::parse(&"0a".repeat(20)).is_ok());
        for wrong in [
            "",
            "tip",
            "default",
            &"0a".repeat(6),
            &"0A".repeat(20),
            &"0a".repeat(32),
            &format!("{}\n", "a".repeat(39)),
        ] {
            assert!(Revision::parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(Revision::parse(&"0g".repeat(20)).is_err());
        let revision = Revision::parse(&"0a".repeat(20)).unwrap();
        assert_eq!((format!("{revision:?}"), revision.to_string()), ("0a".repeat(20), "0a".repeat(20)));
    }

    #[test]
    fn tags_are_plain() {
        for good in ["v151.0", "v1.0-beta+2", "release/1.0"] {
            assert!(TagName::parse(good).is_ok(), "{good}");
        }
        for wrong in
            ["", "../main", "a..b", "a//b", ".hidden", "a/.b", "v1?x", "v1#x", "v1%2e", "a b", "-x", "v1."]
        {
            assert!(TagName::parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(TagName::parse(&"v".repeat(200)).is_ok());
        assert!(TagName::parse(&"v".repeat(201)).is_err());
    }
}
