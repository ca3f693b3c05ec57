//! From a need to its address.
//!
//! The addresses are those of specification 11.12.

use crate::absence::Responder;
use catena_model::source::{GithubRepository, RepositoryUrl, Scheme};
use catena_taskcluster::RootUrl;
use catena_verify::verification::Need;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

/// Every character except those that never need encoding in an address (RFC 3986 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// A `/` needs no encoding in a query either.
const QUERY: &AsciiSet = &SEGMENT.remove(b'/');

const GITHUB: &str = "https://github.com";
const GITHUB_API: &str = "https://api.github.com";
pub(crate) const GITHUB_API_HOST: &str = "api.github.com";

/// Why there is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    /// The address of the project list is malformed.
    #[error("not an address: {0:?}")]
    Projects(String),
    /// A repository whose address is not https.
    #[error("{0} is not an https address")]
    NotHttps(String),
    /// A name would change the address when it is normalized.
    #[error("{0:?} is not in canonical form")]
    Rewritten(String),
}

/// The service that is asked, which determines the credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// A service of Taskcluster.
    Taskcluster,
    /// GitHub's API, for this repository.
    GithubApi(GithubRepository),
    /// GitHub's pages, for this repository. They take no token.
    GithubPage(GithubRepository),
    /// hg's push log, which needs no credentials.
    HgPushLog,
    /// hg's files, which need no credentials either.
    HgFile,
    /// A file that a policy names.
    File,
}

impl Service {
    /// The service that answers come from.
    pub(crate) fn responder(&self) -> Responder {
        match self {
            Self::Taskcluster => Responder::Taskcluster,
            Self::GithubApi(_) => Responder::GithubApi,
            Self::GithubPage(_) => Responder::GithubPage,
            Self::HgPushLog => Responder::HgPushLog,
            Self::HgFile => Responder::HgFile,
            Self::File => Responder::File,
        }
    }
}

/// One address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) url: Url,
    pub(crate) service: Service,
}

impl Address {
    /// The address of a need.
    pub(crate) fn of(need: &Need, root: &RootUrl) -> Result<Self, AddressError> {
        if let Some((task_id, run_id, name)) = need.artifact() {
            return queue(root, &format!("{task_id}/runs/{run_id}/artifacts/{}", segments(name.as_str())));
        }
        match need {
            Need::Definition { task_id } => queue(root, task_id.as_str()),
            Need::Status { task_id } => queue(root, &format!("{task_id}/status")),
            Need::Listing { task_id, run_id, continuation } => {
                let query = continuation.as_ref().map_or_else(String::new, |token| {
                    format!("?continuationToken={}", utf8_percent_encode(token, SEGMENT))
                });
                queue(root, &format!("{task_id}/runs/{run_id}/artifacts{query}"))
            }
            Need::Projects { url } => {
                let parsed = Url::parse(url).map_err(|_| AddressError::Projects(shortened(url)))?;
                Ok(Self { url: parsed, service: Service::File })
            }
            // A policy may allow a tag as a revision, so the tag must be encoded too.
            Need::Push { repository, revision } => {
                let revision = utf8_percent_encode(revision.as_str(), QUERY);
                hg(
                    repository,
                    Service::HgPushLog,
                    &format!("json-pushes?changeset={revision}&version=2&full=1"),
                )
            }
            Need::HgFile { repository, revision, file } => hg(
                repository,
                Service::HgFile,
                &format!("raw-file/{}/{}", segments(revision.as_str()), file.path()),
            ),
            Need::BranchCommits { repository, revision } => {
                let revision = segments(revision.as_str());
                let text = format!("{GITHUB}/{repository}/branch_commits/{revision}");
                Ok(Self { url: exactly(&text)?, service: Service::GithubPage(repository.clone()) })
            }
            _ => github(need),
        }
    }
}

fn queue(root: &RootUrl, path: &str) -> Result<Address, AddressError> {
    let url = exactly(&format!("{}/api/queue/v1/task/{path}", root.as_str()))?;
    Ok(Address { url, service: Service::Taskcluster })
}

fn hg(repository: &RepositoryUrl, service: Service, path: &str) -> Result<Address, AddressError> {
    if repository.scheme() != Scheme::Https {
        return Err(AddressError::NotHttps(repository.to_string()));
    }
    Ok(Address { url: exactly(&format!("{repository}/{path}"))?, service })
}

/// The needs that GitHub's API answers.
fn github(need: &Need) -> Result<Address, AddressError> {
    let (repository, path) = match need {
        Need::GithubFile { repository, reference, file } => {
            let reference = utf8_percent_encode(reference.as_str(), QUERY);
            (repository, format!("/contents/{}?ref={reference}", file.path()))
        }
        Need::Repository { repository } => (repository, String::new()),
        Need::Commit { repository, revision } => {
            (repository, format!("/commits/{}", segments(revision.as_str())))
        }
        Need::PullRequest { repository, number } => (repository, format!("/pulls/{number}")),
        Need::Release { repository, tag } => {
            (repository, format!("/releases/tags/{}", segments(tag.as_str())))
        }
        Need::Tags { repository, page: 0 | 1 } => (repository, "/tags?per_page=100".to_owned()),
        Need::Tags { repository, page } => (repository, format!("/tags?per_page=100&page={page}")),
        Need::Compare { repository, branch, revision } => {
            (repository, format!("/compare/{}...{}", segments(branch), segments(revision.as_str())))
        }
        other => return Err(AddressError::Rewritten(other.to_string())),
    };
    let url = exactly(&format!("{GITHUB_API}/repos/{repository}{path}"))?;
    Ok(Address { url, service: Service::GithubApi(repository.clone()) })
}

/// The address where Taskcluster's auth service issues a token for a repository's owner.
pub(crate) fn github_token(root: &RootUrl, app: &str, owner: &str) -> Result<Url, AddressError> {
    let (app, owner) = (utf8_percent_encode(app, SEGMENT), utf8_percent_encode(owner, SEGMENT));
    exactly(&format!("{}/api/auth/v1/github/{app}/{owner}/repo-token", root.as_str()))
}

/// Each segment encoded, the slashes kept.
fn segments(text: &str) -> String {
    text.split('/')
        .map(|segment| utf8_percent_encode(segment, SEGMENT).to_string())
        .collect::<Vec<_>>()
        .join("/")
}

/// The address, unless normalization changes it, as dot segments would.
fn exactly(text: &str) -> Result<Url, AddressError> {
    match Url::parse(text) {
        Ok(url) if url.as_str() == text => Ok(url),
        _ => Err(AddressError::Rewritten(shortened(text))),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_model::source::{Revision, TagName};
    use catena_model::task::{ArtifactName, RunId, TaskId};
    use catena_verify::verification::{Reference, TreeFile};

    fn at(need: &Need) -> String {
        Address::of(need, &RootUrl::parse("https://tc.example/").unwrap()).unwrap().url.to_string()
    }

    fn task_id() -> TaskId {
        TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap()
    }

    #[test]
    fn the_queues_addresses() {
        let (task_id, run_id) = (task_id(), RunId(3));
        let queue = "https://tc.example/api/queue/v1/task/IFn9x5gaQz-HXl2pa7Ny_w";
        assert_eq!(at(&Need::Definition { task_id }), queue);
        assert_eq!(at(&Need::Status { task_id }), format!("{queue}/status"));
        assert_eq!(
            at(&Need::Document { task_id, run_id }),
            format!("{queue}/runs/3/artifacts/public/chain-of-trust.json")
        );
        assert_eq!(
            at(&Need::Listing { task_id, run_id, continuation: None }),
            format!("{queue}/runs/3/artifacts")
        );
        assert_eq!(
            at(&Need::Listing { task_id, run_id, continuation: Some("a/b=&c".to_owned()) }),
            format!("{queue}/runs/3/artifacts?continuationToken=a%2Fb%3D%26c")
        );
        let name = ArtifactName::parse("public/a b/é?#%2e+..x").unwrap();
        assert_eq!(
            at(&Need::Artifact { task_id, run_id, name, sha512: false }),
            format!("{queue}/runs/3/artifacts/public/a%20b/%C3%A9%3F%23%252e%2B..x")
        );
    }

    #[test]
    fn the_trees_addresses() {
        let revision = Revision::parse(&"0a".repeat(20)).unwrap();
        let hg = RepositoryUrl::parse("https://hg.mozilla.org/releases/mozilla-beta").unwrap();
        assert_eq!(
            at(&Need::Push { repository: hg.clone(), revision: revision.clone() }),
            format!(
                "https://hg.mozilla.org/releases/mozilla-beta/json-pushes?changeset={revision}&version=2&full=1"
            )
        );
        for (file, name) in [(TreeFile::TaskclusterYml, ".taskcluster.yml"), (TreeFile::CronYml, ".cron.yml")]
        {
            assert_eq!(
                at(&Need::HgFile { repository: hg.clone(), revision: revision.clone(), file }),
                format!("https://hg.mozilla.org/releases/mozilla-beta/raw-file/{revision}/{name}")
            );
        }
        let ssh = RepositoryUrl::parse("ssh://hg.mozilla.org/x").unwrap();
        let root = RootUrl::parse("https://tc.example").unwrap();
        assert!(matches!(
            Address::of(
                &Need::HgFile { repository: ssh, revision: revision.clone(), file: TreeFile::TaskclusterYml },
                &root
            ),
            Err(AddressError::NotHttps(_))
        ));
    }

    #[test]
    fn githubs_addresses() {
        let repository = GithubRepository::parse("mozilla", "firefox-ios").unwrap();
        let revision = Revision::parse(&"0a".repeat(20)).unwrap();
        let tag = TagName::parse("rel/v1.0+2").unwrap();
        let api = "https://api.github.com/repos/mozilla/firefox-ios";
        let repository = || repository.clone();
        for (need, wanted) in [
            (Need::Repository { repository: repository() }, api.to_owned()),
            (
                Need::Commit { repository: repository(), revision: revision.clone() },
                format!("{api}/commits/{revision}"),
            ),
            (Need::PullRequest { repository: repository(), number: 7 }, format!("{api}/pulls/7")),
            (
                Need::Release { repository: repository(), tag: tag.clone() },
                format!("{api}/releases/tags/rel/v1.0%2B2"),
            ),
            (Need::Tags { repository: repository(), page: 1 }, format!("{api}/tags?per_page=100")),
            (Need::Tags { repository: repository(), page: 2 }, format!("{api}/tags?per_page=100&page=2")),
            (
                Need::GithubFile {
                    repository: repository(),
                    reference: Reference::Revision(revision.clone()),
                    file: TreeFile::TaskclusterYml,
                },
                format!("{api}/contents/.taskcluster.yml?ref={revision}"),
            ),
            (
                Need::GithubFile {
                    repository: repository(),
                    reference: Reference::Revision(revision.clone()),
                    file: TreeFile::CronYml,
                },
                format!("{api}/contents/.cron.yml?ref={revision}"),
            ),
            (
                Need::GithubFile {
                    repository: repository(),
                    reference: Reference::Tag(tag),
                    file: TreeFile::TaskclusterYml,
                },
                format!("{api}/contents/.taskcluster.yml?ref=rel/v1.0%2B2"),
            ),
            (
                Need::Compare {
                    repository: repository(),
                    branch: "releases/x".to_owned(),
                    revision: revision.clone(),
                },
                format!("{api}/compare/releases/x...{revision}"),
            ),
            (
                Need::BranchCommits { repository: repository(), revision: revision.clone() },
                format!("https://github.com/mozilla/firefox-ios/branch_commits/{revision}"),
            ),
        ] {
            assert_eq!(at(&need), wanted);
        }
    }

    #[test]
    fn an_address_that_would_be_normalized_is_refused() {
        let repository = GithubRepository::parse("mozilla", "x").unwrap();
        let revision = Revision::parse(&"0a".repeat(20)).unwrap();
        let root = RootUrl::parse("https://tc.example").unwrap();
        let need =
            Need::Compare { repository, branch: "../../../user".to_owned(), revision: revision.clone() };
        assert!(matches!(Address::of(&need, &root), Err(AddressError::Rewritten(_))));
        assert!(Address::of(&Need::Projects { url: "projects.yml".to_owned() }, &root).is_err());
    }
}
