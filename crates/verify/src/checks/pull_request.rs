//! A task with restricted scopes depends on nothing that anyone can propose: try pushes, pull requests, forks, and
//! commits that are on no branch.
//!
//! Specification 9.17 to 9.19. Off-reference: a commit has landed on the branch that the task names,
//! or where it names none, on one of the level that is required; not on any.

mod landed;
mod listing;

use self::landed::{Landing, landed};
use super::rebuild::is_github;
use super::source::source;
use super::tags::{self, NoCommit};
use super::tree::has_restricted_scopes;
use crate::verdict::{Authority, Class, Code, Disposition, Finding};
use crate::verification::{Check, CheckContext, Examined, Link, Need, Scope, Stop};
use catena_json::Path;
use catena_model::source::{GithubRepository, RepositoryUrl, Revision, TagName};
use catena_policy::Landed;

pub(super) const DESCRIPTION: Check =
    describe!("pull-request", CODES, Scope::Chain(examine)).looking_ahead(look_ahead);
const CHECK: &str = DESCRIPTION.name;

const NOT_NEEDED: Code = Code::passing(
    "pull-request-not-needed",
    "The target has no restricted scopes, so tasks of any origin may be in its chain.",
);
const NONE: Code = Code::passing(
    "pull-request-none",
    "No link comes from a try push, a pull request, a fork, or a commit on no branch.",
);
const ASSUMED: Code = Code::passing(
    "pull-request-landed-assumed",
    "No link comes from a try push, a pull request or a fork; whether its commit has landed was not asked.",
);
const TRY: Code = Code::new("pull-request-try", Class::Policy, "A link comes from a try push.");
const PULL_REQUEST: Code =
    Code::new("pull-request-tasks-for", Class::Policy, "A link was made for a pull request.");
const FORK: Code = Code::new(
    "pull-request-fork",
    Class::Policy,
    "A link comes from a repository whose owner is not official.",
);
const NOT_LANDED: Code = Code::new(
    "pull-request-not-landed",
    Class::Policy,
    "A link comes from a commit that is not on the branch that it names, or not on an accepted branch.",
);
const UNREADABLE: Code = Code::new(
    "pull-request-source",
    Class::Invalid,
    "A link's source does not name its repository and revision.",
);
const NO_TAG: Code = Code::new(
    "pull-request-tag-unknown",
    Class::Invalid,
    "A link comes from a tag that its repository does not have.",
);
const ENDLESS: Code = Code::new(
    "pull-request-tags-endless",
    Class::Infra,
    "A repository's list of tags does not end within the pages that are read, and they do not have the tag.",
);
const LISTING: Code = Code::new(
    "pull-request-listing-malformed",
    Class::Infra,
    "GitHub's list of the branches of a commit is neither empty nor a list of branches.",
);
const ANSWER: Code =
    Code::new("pull-request-answer-malformed", Class::Invalid, "GitHub's answer lacks a required member.");

const CODES: &[Code] = &[
    NOT_NEEDED,
    NONE,
    ASSUMED,
    TRY,
    PULL_REQUEST,
    FORK,
    NOT_LANDED,
    UNREADABLE,
    NO_TAG,
    ENDLESS,
    LISTING,
    ANSWER,
];

fn examine(cx: &CheckContext<'_>) -> Examined {
    let chain = cx.closed()?;
    let target = cx.evidence.target.task_id;
    if !has_restricted_scopes(cx)? {
        let message = "The target has no restricted scopes.";
        return Ok(vec![Finding::new(CHECK, NOT_NEEDED, Disposition::Passed, target, message)].into());
    }
    // Every link asks before any waits, so that all commits are asked about together.
    let examined: Vec<_> = chain
        .links()
        .map(
            |link| if is_github(cx.evidence, &link.definition) { github(cx, link) } else { Ok(hg(cx, link)) },
        )
        .collect();
    let mut findings = Vec::new();
    for one in examined {
        findings.extend(one?);
    }
    if findings.is_empty() {
        let code = if cx.evidence.product.landed == Landed::Assumed { ASSUMED } else { NONE };
        findings.push(Finding::new(CHECK, code, Disposition::Passed, target, code.summary));
    }
    Ok(findings.into())
}

/// What GitHub will be asked about a link.
fn look_ahead(cx: &CheckContext<'_>, link: &Link) {
    if has_restricted_scopes(cx) == Ok(true) && is_github(cx.evidence, &link.definition) {
        cx.foresee_all(|cx| drop(github(cx, link)));
    }
}

fn failed(link: &Link, code: Code, message: impl Into<String>, keys: &[&str]) -> Finding {
    Finding::new(CHECK, code, Disposition::Failed, link.task_id, message)
        .at("the queue's definition", Some(Path::of(keys)))
}

/// A try push shows in its scheduler, its branch, or the first part of its repository's path.
fn hg(cx: &CheckContext<'_>, link: &Link) -> Vec<Finding> {
    let definition = &link.definition;
    let variable = format!("{}_HEAD_REPOSITORY", cx.evidence.product.source_env_prefix);
    let first_part = |url: &str| {
        let path =
            url.split_once("://").map_or(url, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
        path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned()
    };
    let try_in = |text: &str| text.contains("try");
    let repository = definition.env(&variable).unwrap_or_default();
    let signs: [(&[&str], &str, bool); 4] = [
        (&["schedulerId"], definition.scheduler_id(), definition.scheduler_id() == "gecko-level-1"),
        (
            &["payload", "env", "MH_BRANCH"],
            definition.env("MH_BRANCH").unwrap_or_default(),
            definition.env("MH_BRANCH").is_some_and(try_in),
        ),
        (&["payload", "env", &variable], repository, try_in(&first_part(repository))),
        (&["metadata", "source"], definition.source(), try_in(&first_part(definition.source()))),
    ];
    let found = signs.into_iter().filter(|(_, _, is_try)| *is_try);
    found
        .map(|(keys, text, _)| {
            failed(link, TRY, "The task belongs to a try push.", keys)
                .expected(Authority::Policy, "no try push")
                .actual(Authority::Queue, text)
        })
        .collect()
}

/// Where a link says it comes from: the repository, or the text that does not tell one; the revision;
/// and where in the definition it says so.
type Origin<'a> = (Result<GithubRepository, String>, Option<&'a str>, Vec<&'a str>);

fn github(cx: &CheckContext<'_>, link: &Link) -> Result<Vec<Finding>, Stop> {
    let mut findings = Vec::new();
    if let Some(trigger) = link.definition.trigger().filter(|trigger| trigger.is_pull_request()) {
        let message = "The task was made for a pull request.";
        findings.push(
            failed(link, PULL_REQUEST, message, &["extra", "tasks_for"])
                .expected(Authority::Policy, "no pull request")
                .actual(Authority::Queue, trigger.as_str()),
        );
    }
    let variable = format!("{}_HEAD_REPOSITORY", cx.evidence.product.source_env_prefix);
    let revision = format!("{}_HEAD_REV", cx.evidence.product.source_env_prefix);
    let mut origins: Vec<Origin<'_>> = Vec::new();
    if let Some(url) = link.definition.env(&variable).filter(|url| !url.is_empty()) {
        let repository =
            RepositoryUrl::parse(url).ok().and_then(|url| url.github()).ok_or_else(|| url.to_owned());
        origins.push((repository, link.definition.env(&revision), vec!["payload", "env", &variable]));
    }
    let source = source(cx.evidence, &link.definition).map_err(|_| Stop::Blocked)?;
    let parts: Vec<&str> = source.segments().iter().map(String::as_str).collect();
    origins.push(match parts.as_slice() {
        [owner, name, _, revision, ..] if source.host() == "github.com" => {
            let name = name.strip_suffix(".git").unwrap_or(name);
            let repository = GithubRepository::parse(owner, name).map_err(|_| source.as_str().to_owned());
            (repository, Some(*revision), vec!["metadata", "source"])
        }
        _ => (Err(source.as_str().to_owned()), None, vec!["metadata", "source"]),
    });
    let judged: Vec<_> = origins
        .into_iter()
        .map(|(repository, revision, keys)| origin(cx, link, repository, revision, &keys))
        .collect();
    for one in judged {
        findings.extend(one?);
    }
    findings.dedup_by(|left, right| left.code == right.code && left.actual == right.actual);
    Ok(findings)
}

/// The repository is an official owner's, and the commit is on one of its branches.
fn origin(
    cx: &CheckContext<'_>,
    link: &Link,
    repository: Result<GithubRepository, String>,
    revision: Option<&str>,
    keys: &[&str],
) -> Result<Vec<Finding>, Stop> {
    let repository = match repository {
        Ok(repository) => repository,
        Err(text) => {
            let message = "The address does not name a repository and revision on GitHub.";
            let finding = failed(link, UNREADABLE, message, keys);
            let expected = "https://github.com/<owner>/<name>";
            return Ok(vec![finding.expected(Authority::Policy, expected).actual(Authority::Queue, text)]);
        }
    };
    let owners = &cx.evidence.product.official_owners;
    if !owners.contains(repository.owner()) {
        let message = format!("{} is not an official owner of repositories.", repository.owner());
        let finding = failed(link, FORK, message, keys);
        let owners = owners.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        return Ok(vec![
            finding
                .expected_by(
                    Authority::Policy,
                    cx.policy("official-owners"),
                    format!("an official owner: {owners}"),
                )
                .actual(Authority::Queue, format!("https://github.com/{repository}")),
        ]);
    }
    let Some(revision) = revision else { return Ok(Vec::new()) };
    let revision_key = format!("{}_HEAD_REV", cx.evidence.product.source_env_prefix);
    let in_env = ["payload", "env", revision_key.as_str()];
    let keys = if keys.first() == Some(&"payload") { in_env.as_slice() } else { keys };
    if cx.evidence.product.landed == Landed::Assumed {
        return Ok(Vec::new());
    }
    let revision = match (Revision::parse(revision), TagName::parse(revision)) {
        (Ok(revision), _) => revision,
        (Err(_), Ok(tag)) => match tagged(cx, link, &repository, &tag, keys)? {
            Ok(revision) => revision,
            Err(finding) => return Ok(vec![*finding]),
        },
        _ => {
            let message = "The revision is neither a full hash nor the name of a tag.";
            return Ok(vec![failed(link, UNREADABLE, message, keys).actual(Authority::Queue, revision)]);
        }
    };
    match landed(cx, link, &repository, &revision)? {
        Landing::On => Ok(Vec::new()),
        Landing::Off { expected, actual } => {
            let message = format!("The commit has not landed in github.com/{repository}.");
            let finding = failed(link, NOT_LANDED, message, keys);
            let finding = finding.expected_by(
                Authority::Queue,
                "the branch that counts",
                format!("a commit that is on {expected}"),
            );
            let actual = format!("{revision} ({actual})");
            Ok(vec![finding.actual_by(Authority::Vcs, "GitHub", actual)])
        }
        Landing::Unknown(finding) => Ok(vec![*finding]),
    }
}

fn malformed(link: &Link, need: &Need, why: &str) -> Box<Finding> {
    let message = format!("The answer for {need} is malformed: {why}.");
    Box::new(
        Finding::new(CHECK, ANSWER, Disposition::Failed, link.task_id, message).at(need.to_string(), None),
    )
}

/// The commit of a tag.
fn tagged(
    cx: &CheckContext<'_>,
    link: &Link,
    repository: &GithubRepository,
    tag: &TagName,
    keys: &[&str],
) -> Result<Result<Revision, Box<Finding>>, Stop> {
    let of_tag =
        |code, what: String| Box::new(failed(link, code, what, keys).actual(Authority::Queue, tag.as_str()));
    Ok(tags::commit(cx, repository, tag)?.map_err(|error| match error {
        NoCommit::Unknown(what) => of_tag(NO_TAG, what),
        NoCommit::Endless(what) => of_tag(ENDLESS, what),
        NoCommit::Malformed(need, why) => malformed(link, &need, &why),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verification::{Chain, Evidence};
    use catena_model::task::Definition;
    use catena_policy::Product;

    #[test]
    fn sources_are_on_github_and_of_official_owners() {
        let mut product = Product::empty("p");
        product.official_owners.insert("owner".to_owned());
        product.landed = Landed::Assumed;
        let (case, chain) = (Evidence::sample(product), Chain::default());
        let codes = |source: &str, repository: &str| {
            let source = Definition::sample("https://hg.mozilla.org/mozilla-central/file/x", source);
            let env = format!(r#"{{"env":{{"P_HEAD_REPOSITORY":"{repository}"}}}}"#);
            let mut value = source.value().clone();
            value.as_object_mut().unwrap().insert(
                "payload",
                catena_json::parse(env.as_bytes(), &catena_json::Limits::default()).unwrap(),
            );
            let link = Link::sample(Definition::sample_id(), Definition::parse(value).unwrap());
            let findings = github(&CheckContext::new(&case, &chain), &link).unwrap();
            findings.iter().map(|finding| finding.code.name).collect::<Vec<_>>()
        };
        let own = "https://github.com/owner/name/blob/1/x";
        assert_eq!(codes(own, ""), [""; 0]);
        assert_eq!(codes(own, "https://github.com/owner/name"), [""; 0]);
        assert_eq!(codes("https://git.example.org/owner/name/blob/1/x", ""), ["pull-request-source"]);
        assert_eq!(codes("https://github.com/owner/name", ""), ["pull-request-source"]);
        assert_eq!(codes("https://github.com/other/name/blob/1/x", ""), ["pull-request-fork"]);
        // What is said twice is told once.
        let other = "https://github.com/other/name/blob/1/x";
        assert_eq!(codes(other, "https://github.com/other/name"), ["pull-request-fork"]);
        assert_eq!(codes(other, "https://github.com/third/name"), ["pull-request-fork"; 2]);
        assert_eq!(codes(other, "https://git.example.org/a/b"), ["pull-request-source", "pull-request-fork"]);
    }
}
