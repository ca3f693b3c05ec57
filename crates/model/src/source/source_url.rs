//! The `metadata.source` of a task: an address within a repository.

use super::repository::{RepositoryError, RepositoryUrl, Scheme, divide, shown};

/// An address within a repository, such as
/// `https://hg.mozilla.org/mozilla-central/file/<revision>/taskcluster/kinds/build`. As plain as a
/// [`RepositoryUrl`], but it may have empty segments (some trees write `//file/`) and file names may
/// contain any printable character except those that end or rewrite a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceUrl {
    text: String,
    scheme: Scheme,
    host: String,
    path: Vec<String>,
}

impl SourceUrl {
    /// Parses an address.
    ///
    /// # Errors
    /// User info, ports, queries, fragments, dot segments, backslashes, percent-encoding.
    pub fn parse(text: &str) -> Result<Self, RepositoryError> {
        let (scheme, host, path) = divide(text)?;
        if text.len() > 2048 || !path.split('/').all(is_segment) {
            return Err(RepositoryError::Path(shown(text)));
        }
        let path = path.split('/').map(str::to_owned).collect();
        Ok(Self { text: text.to_owned(), scheme, host: host.to_owned(), path })
    }

    /// Parses the address of a repository as that of its root.
    ///
    /// # Errors
    /// As [`RepositoryUrl::parse`].
    pub fn of_repository(text: &str) -> Result<Self, RepositoryError> {
        let repository = RepositoryUrl::parse(text)?;
        Self::parse(&format!("{}://{}{}", repository.scheme().as_str(), repository.host(), repository.path()))
    }

    /// As [`RepositoryUrl::relaxed`](super::RepositoryUrl::relaxed), for a source.
    ///
    /// # Errors
    /// It has no plain form.
    pub fn relaxed(text: &str) -> Result<Self, RepositoryError> {
        Self::parse(&super::repository::plain_form(text))
    }

    /// The address as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host name.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The segments of the path.
    #[must_use]
    pub fn segments(&self) -> &[String] {
        &self.path
    }

    /// The path from the root.
    #[must_use]
    pub fn path(&self) -> String {
        self.path.iter().fold(String::new(), |path, segment| path + "/" + segment)
    }

    /// Whether this is within a repository: the same host, and the repository's path equal or above by
    /// whole segments. The repository may end in `.git`, and this may not: the reference refuses that
    /// too.
    #[must_use]
    pub fn is_inside(&self, repository: &RepositoryUrl) -> bool {
        self.is_below(repository, false)
    }

    /// Whether this is within a repository, however the repository is written here: `.git` at its end
    /// does not make it another repository.
    #[must_use]
    pub fn is_of(&self, repository: &RepositoryUrl) -> bool {
        self.is_below(repository, true)
    }

    fn is_below(&self, repository: &RepositoryUrl, with_git: bool) -> bool {
        let wanted: Vec<&str> = repository.segments().collect();
        let last = wanted.len().saturating_sub(1);
        let is_last = |position, wanted: &str, segment: &str| {
            with_git && position == last && Some(wanted) == segment.strip_suffix(".git")
        };
        self.host == repository.host()
            && self.path.len() >= wanted.len()
            && wanted
                .iter()
                .zip(&self.path)
                .enumerate()
                .all(|(position, (wanted, segment))| wanted == segment || is_last(position, wanted, segment))
    }
}

fn is_segment(text: &str) -> bool {
    !matches!(text, "." | "..")
        && text.chars().all(|character| {
            !character.is_control() && !character.is_whitespace() && !"\\?#%;".contains(character)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(source: &str, repository: &str) -> bool {
        SourceUrl::parse(source).unwrap().is_inside(&RepositoryUrl::parse(repository).unwrap())
    }

    #[test]
    fn inside_is_by_whole_segments() {
        let central = "https://hg.mozilla.org/mozilla-central";
        assert!(inside("https://hg.mozilla.org/mozilla-central/file/abc/taskcluster", central));
        assert!(inside("https://hg.mozilla.org/mozilla-central//file/abc", central));
        assert!(inside("https://hg.mozilla.org/mozilla-central", central));
        assert!(!inside("https://hg.mozilla.org/mozilla-central-evil/file/abc", central));
        assert!(!inside("https://hg.mozilla.org.evil.example/mozilla-central/file", central));
        assert!(!inside("https://hg.mozilla.org/", central));
        assert!(inside("https://github.com/a/b/blob/abc/x", "git@github.com:a/b.git"));
        assert!(!inside("https://github.com/a.git/b/blob/abc/x", "https://github.com/a/b"));
    }

    #[test]
    fn only_a_repository_is_written_with_git() {
        let source = |text: &str| SourceUrl::parse(text).unwrap();
        let repository = |text: &str| RepositoryUrl::parse(text).unwrap();
        for written in ["https://github.com/a/b", "https://github.com/a/b.git", "git@github.com:a/b.git"] {
            let plain = source("https://github.com/a/b/blob/abc/x");
            assert!(plain.is_inside(&repository(written)) && plain.is_of(&repository(written)), "{written}");
            let with_git = source("https://github.com/a/b.git/blob/abc/x");
            assert!(!with_git.is_inside(&repository(written)), "{written}");
            assert!(with_git.is_of(&repository(written)), "{written}");
        }
        for other in
            ["https://github.com/a.git/b/x", "https://github.com/a/b.gitx", "https://github.com/a/c.git"]
        {
            assert!(!source(other).is_of(&repository("https://github.com/a/b")), "{other}");
        }
    }

    #[test]
    fn an_address_has_a_length() {
        let long = |length: usize| {
            let start = "https://hg.mozilla.org/";
            SourceUrl::parse(&format!("{start}{}", "a".repeat(length - start.len())))
        };
        assert!(long(2048).is_ok());
        assert!(long(2049).is_err());
    }

    #[test]
    fn nothing_that_two_readers_take_differently() {
        for wrong in [
            "https://hg.mozilla.org/mozilla-central/../try/file",
            "https://hg.mozilla.org/mozilla-central/%2e%2e/try",
            "https://hg.mozilla.org/mozilla-central?a=/b",
            "https://hg.mozilla.org/mozilla-central#a",
            "https://u@hg.mozilla.org/mozilla-central",
            "https://hg.mozilla.org:80/mozilla-central",
            "https://hg.mozilla.org/mozilla central",
            "http://hg.mozilla.org/mozilla-central",
            "https://hg.mozilla.org",
        ] {
            assert!(SourceUrl::parse(wrong).is_err(), "{wrong}");
        }
    }
}
