//! Addresses of repositories.

use super::fault;
use std::fmt;

/// The scheme of a repository's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// `https://host/path`
    Https,
    /// `ssh://host/path`, or `git@github.com:path`
    Ssh,
}

impl Scheme {
    /// As written before `://`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Ssh => "ssh",
        }
    }
}

/// The address of a repository in the only form that every parser interprets in the same way: `https`
/// or `ssh`, a lowercase host name, and a path of plain segments. It cannot contain user info, a port,
/// a query, a fragment, dot segments, empty segments or percent-encoding. `git@github.com:owner/name`
/// is parsed as `ssh://github.com/owner/name`.
///
/// Off-reference: its own form, so that an address has one meaning wherever it is used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryUrl {
    text: String,
    scheme: Scheme,
    host: String,
    path: Vec<String>,
}

/// Why text is not the address of a repository, each with the text. Displayed as what the address does: it
/// `has a query`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RepositoryError {
    /// Neither `https://`, `ssh://` nor `git@github.com:`.
    #[error("begins with neither https://, ssh:// nor git@github.com:")]
    Scheme(String),
    /// The host is not a plain lowercase name: user info, a port, or other characters.
    #[error("{}", fault::of_host(.0))]
    Host(String),
    /// The path has a segment that readers could take in different ways.
    #[error("{}", fault::of_path(.0))]
    Path(String),
}

impl RepositoryUrl {
    /// Parses an address. A trailing slash is dropped, like in the reference.
    ///
    /// # Errors
    /// Anything except the plain form.
    pub fn parse(text: &str) -> Result<Self, RepositoryError> {
        let text = text.trim_end_matches('/');
        let on_github = text.strip_prefix("git@github.com:").map(|path| format!("ssh://github.com/{path}"));
        let (scheme, host, path) = divide(on_github.as_deref().unwrap_or(text))?;
        if text.len() > 300 || !path.split('/').all(is_plain_segment) {
            return Err(RepositoryError::Path(shown(text)));
        }
        let path = path.split('/').map(str::to_owned).collect();
        Ok(Self { text: text.to_owned(), scheme, host: host.to_owned(), path })
    }

    /// Derives the plain form of an address that is not plain, if a policy relaxes `repository-form`:
    /// user info, port, query and fragment are dropped and dot segments resolved, as the services
    /// themselves would.
    ///
    /// # Errors
    /// It has no plain form.
    pub fn relaxed(text: &str) -> Result<Self, RepositoryError> {
        Self::parse(&plain_form(text))
    }

    /// The address as it was written, without a trailing slash.
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

    /// The segments of the path, without `.git` at the end of the last.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        let last = self.path.len().saturating_sub(1);
        self.path.iter().enumerate().map(move |(position, segment)| {
            if position == last { segment.strip_suffix(".git").unwrap_or(segment) } else { segment }
        })
    }

    /// The path from the root, without `.git`: `/mozilla-central`, `/mozilla-firefox/firefox`.
    #[must_use]
    pub fn path(&self) -> String {
        self.segments().fold(String::new(), |path, segment| path + "/" + segment)
    }

    /// Owner and name, if this is a repository on GitHub.
    #[must_use]
    pub fn github(&self) -> Option<GithubRepository> {
        let mut segments = self.segments();
        match (self.host.as_str(), segments.next(), segments.next(), segments.next()) {
            ("github.com", Some(owner), Some(name), None) => {
                Some(GithubRepository { owner: owner.to_owned(), name: name.to_owned() })
            }
            _ => None,
        }
    }
}

impl fmt::Display for RepositoryUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// A repository on GitHub.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GithubRepository {
    owner: String,
    name: String,
}

impl GithubRepository {
    /// Parses `owner` and `name`, as the API returns them.
    ///
    /// # Errors
    /// Segments that are not plain.
    pub fn parse(owner: &str, name: &str) -> Result<Self, RepositoryError> {
        if is_plain_segment(owner) && is_plain_segment(name) {
            Ok(Self { owner: owner.to_owned(), name: name.to_owned() })
        } else {
            Err(RepositoryError::Path(format!("{owner}/{name}").chars().take(200).collect()))
        }
    }

    /// Its owner.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `owner/name`
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }
}

impl fmt::Display for GithubRepository {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.owner, self.name)
    }
}

/// Splits an address into its scheme, a plain host name, and the path.
pub(crate) fn divide(text: &str) -> Result<(Scheme, &str, &str), RepositoryError> {
    let https = text.strip_prefix("https://").map(|rest| (Scheme::Https, rest));
    let ssh = || text.strip_prefix("ssh://").map(|rest| (Scheme::Ssh, rest));
    let (scheme, rest) = https.or_else(ssh).ok_or_else(|| RepositoryError::Scheme(shown(text)))?;
    let (host, path) = rest.split_once('/').ok_or_else(|| RepositoryError::Path(shown(text)))?;
    if is_host(host) { Ok((scheme, host, path)) } else { Err(RepositoryError::Host(shown(text))) }
}

/// As much of an address as a message shows.
pub fn shown(text: &str) -> String {
    text.chars().take(300).collect()
}

/// The rest of an address without user info, port, query, fragment, dot and empty segments.
pub(crate) fn plain_form(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    format!("{scheme}://{host}/{}", segments.join("/"))
}

/// A host name: labels of lowercase letters, digits and inner hyphens, divided by dots.
pub(crate) fn is_host(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        })
}

/// A path segment that no parser rewrites: letters, digits and `-_.~+@`, but not `.`, `..` or `.git`.
pub(crate) fn is_plain_segment(text: &str) -> bool {
    !matches!(text, "" | "." | ".." | ".git")
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~+@".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_form_is_read() {
        let hg = RepositoryUrl::parse("https://hg.mozilla.org/releases/mozilla-beta/").unwrap();
        assert_eq!(
            (hg.as_str(), hg.host(), hg.path().as_str()),
            ("https://hg.mozilla.org/releases/mozilla-beta", "hg.mozilla.org", "/releases/mozilla-beta")
        );
        assert_eq!(hg.github(), None);
        for git in [
            "https://github.com/mozilla-firefox/firefox",
            "git@github.com:mozilla-firefox/firefox.git",
            "ssh://github.com/mozilla-firefox/firefox.git",
        ] {
            let git = RepositoryUrl::parse(git).unwrap();
            assert_eq!(
                git.github().map(|repository| repository.full_name()).as_deref(),
                Some("mozilla-firefox/firefox")
            );
            assert_eq!(git.path(), "/mozilla-firefox/firefox");
        }
        assert_eq!(RepositoryUrl::parse("https://github.com/a/b/c").unwrap().github(), None);
    }

    #[test]
    fn addresses_have_a_length_and_hosts_have_labels() {
        let long = |length: usize| {
            let start = "https://hg.mozilla.org/";
            RepositoryUrl::parse(&format!("{start}{}", "a".repeat(length - start.len())))
        };
        assert!(long(300).is_ok());
        assert!(matches!(long(301), Err(RepositoryError::Path(text)) if text.len() == 300));
        assert!(
            matches!(RepositoryUrl::parse("ftp://a/b"), Err(RepositoryError::Scheme(text)) if text == "ftp://a/b")
        );
        for (host, fits) in [
            ("a", true),
            ("a-b.c1", true),
            ("a-", false),
            ("-a", false),
            ("a-.b", false),
            ("a.-b", false),
            ("a..b", false),
            (".a", false),
            ("a.", false),
            ("a_b", false),
            ("aB", false),
            ("", false),
        ] {
            assert_eq!(is_host(host), fits, "{host}");
        }
        let longest = format!("{}a", "a.".repeat(126));
        assert!(is_host(&longest) && !is_host(&format!("{longest}a")));
    }

    #[test]
    fn names_on_github_are_plain() {
        assert_eq!(
            GithubRepository::parse("a-b", "c.d_e").map(|one| one.full_name()),
            Ok("a-b/c.d_e".to_owned())
        );
        for (owner, name) in [("a", ".."), ("..", "b"), ("a", "b/c"), ("a/b", "c"), ("", "b"), ("a", "")] {
            assert!(GithubRepository::parse(owner, name).is_err(), "{owner} {name}");
        }
    }

    #[test]
    fn a_relaxed_form_is_normalized_like_the_services() {
        let relaxed = |text: &str| RepositoryUrl::relaxed(text).map(|url| url.as_str().to_owned()).ok();
        assert_eq!(
            relaxed("https://u:p@HG.mozilla.org:443/releases/../mozilla-central/?x#y").as_deref(),
            Some("https://hg.mozilla.org/mozilla-central")
        );
        assert_eq!(relaxed("https://hg.mozilla.org/../.."), None);
        assert_eq!(relaxed("ftp://hg.mozilla.org/a"), None);
    }

    #[test]
    fn nothing_that_two_readers_take_differently() {
        for wrong in [
            "http://hg.mozilla.org/mozilla-central",
            "https://hg.mozilla.org",
            "https://hg.mozilla.org/",
            "https://user@hg.mozilla.org/mozilla-central",
            "https://hg.mozilla.org@evil.example/mozilla-central",
            "https://hg.mozilla.org:443/mozilla-central",
            "https://HG.mozilla.org/mozilla-central",
            "https://hg.mozilla.org/mozilla-central/../try",
            "https://hg.mozilla.org/./mozilla-central",
            "https://hg.mozilla.org//mozilla-central",
            "https://hg.mozilla.org/mozilla%2dcentral",
            "https://hg.mozilla.org/mozilla-central?x",
            "https://hg.mozilla.org/mozilla-central#x",
            "https://hg.mozilla.org/mozilla-central\n",
            "https://hg.mozilla.org\\mozilla-central",
            "git@gitlab.com:a/b",
            "git@github.com:a/../b",
            "ssh://git@github.com/a/b",
            "https://-a.example/b",
            "https://github.com/a/.git",
            "",
        ] {
            assert!(RepositoryUrl::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
