//! The branch that a task on GitHub ran for.
//!
//! A task names it in `<PREFIX>_HEAD_BRANCH` or `<PREFIX>_HEAD_REF`, beside the repository. Where it
//! names a commit instead, its decision task tells. A release has no branch but the one that GitHub
//! says it was made for.

use crate::verification::{Answer, CheckContext, Link, Need, Stop};
use catena_json::Value;
use catena_model::source::{GithubRepository, RepositoryUrl, Revision, TagName};
use catena_model::task::Trigger;

const HEAD_REPOSITORY: &str = "_HEAD_REPOSITORY";

/// The repositories that a task names, each with the prefix of its variables.
pub(crate) fn repositories(link: &Link) -> impl Iterator<Item = (&str, &str)> {
    let env = link.definition.payload().get("env").and_then(Value::as_object);
    env.into_iter().flatten().filter_map(|(variable, value)| {
        let text = value.as_str().filter(|text| !text.is_empty())?;
        Some((variable.strip_suffix(HEAD_REPOSITORY)?, text))
    })
}

/// What a task names as the branch of the repository that it names with a prefix: the variable and the
/// name, without `refs/heads/`. A full hash and a tag's reference name no branch; all else counts, so
/// that no name escapes by its form.
pub(crate) fn names(link: &Link, prefix: &str) -> Vec<(String, String)> {
    let variables = ["HEAD_BRANCH", "HEAD_REF"].map(|name| format!("{prefix}_{name}"));
    let named = variables.into_iter().filter_map(|variable| {
        let text = link.definition.env(&variable).filter(|text| !text.is_empty())?;
        let name = text.strip_prefix("refs/heads/").unwrap_or(text).to_owned();
        let is_other = Revision::parse(&name).is_ok() || name.starts_with("refs/tags/");
        (!is_other).then_some((variable, name))
    });
    named.collect()
}

/// The decision task that a task goes back to: of one that an action made, the one acted on.
pub(crate) fn root<'a>(cx: &CheckContext<'a>, link: &'a Link) -> Result<&'a Link, Stop> {
    Ok(lineage(cx, link)?.last().copied().unwrap_or(link))
}

/// A task, its decision task, and where that is an action's, the one acted on.
fn lineage<'a>(cx: &CheckContext<'a>, link: &'a Link) -> Result<Vec<&'a Link>, Stop> {
    /// A promotion's task goes back over its action to a decision task.
    const MOST: usize = 4;
    let mut lineage = vec![link];
    while let Some(last) = lineage.last().filter(|_| lineage.len() < MOST) {
        match cx.link(last.definition.decision_task_id())? {
            Some(decision) if decision.task_id != last.task_id => lineage.push(decision),
            _ => break,
        }
    }
    Ok(lineage)
}

/// Whether a task names the repository with that prefix.
fn is_of(link: &Link, prefix: &str, repository: &GithubRepository) -> bool {
    let text = link.definition.env(&format!("{prefix}{HEAD_REPOSITORY}")).unwrap_or_default();
    RepositoryUrl::parse(text).ok().and_then(|url| url.github()).as_ref() == Some(repository)
}

/// The branch of a repository that a task ran for, as it or its decision task names it; none where
/// they name none, and for a release.
pub(crate) fn named(
    cx: &CheckContext<'_>,
    link: &Link,
    repository: &GithubRepository,
) -> Result<Option<String>, Stop> {
    let product = &cx.evidence.product;
    let prefixes = || product.overriding_source_env_prefixes.iter().chain([&product.source_env_prefix]);
    let told = |link: &Link| {
        let of = prefixes().filter(|prefix| is_of(link, prefix, repository));
        of.flat_map(|prefix| names(link, prefix)).map(|(_, name)| name).find(|name| is_branch(name))
    };
    let lineage = lineage(cx, link)?;
    if lineage.last().and_then(|root| released(cx, root)).as_ref() == Some(repository) {
        return Ok(None);
    }
    Ok(lineage.into_iter().find_map(told))
}

/// The repository that a decision task is a release of, if it is a release's.
pub(crate) fn released(cx: &CheckContext<'_>, root: &Link) -> Option<GithubRepository> {
    let variable = format!("{}{HEAD_REPOSITORY}", cx.evidence.product.source_env_prefix);
    let url = RepositoryUrl::parse(root.definition.env(&variable)?).ok()?;
    url.github().filter(|_| root.definition.trigger() == Some(Trigger::GithubRelease))
}

/// The branch that a release was made for, by GitHub's word; none for what is no release's decision task,
/// and where that is a commit.
pub(crate) fn of_release(cx: &CheckContext<'_>, root: &Link) -> Result<Option<String>, Stop> {
    let variable = format!("{}_HEAD_REV", cx.evidence.product.source_env_prefix);
    let tag = root.definition.env(&variable).and_then(|text| TagName::parse(text).ok());
    let (Some(repository), Some(tag)) = (released(cx, root), tag) else { return Ok(None) };
    // The rebuild of the decision task reports what is wrong with the answer.
    let Answer::Is(Ok(release)) = cx.json(&Need::Release { repository, tag })? else {
        return Ok(None);
    };
    let target = release.get("target_commitish").and_then(Value::as_str);
    let name = target.map(|text| text.strip_prefix("refs/heads/").unwrap_or(text).to_owned());
    Ok(name.filter(|name| Revision::parse(name).is_err()))
}

/// Whether a name can be that of a branch that GitHub is asked about, and is not one that git reads as
/// something else first: a commit holds itself, and so does a pull request's reference or a tag's.
pub(crate) fn is_branch(name: &str) -> bool {
    const KINDS: [&str; 5] = ["heads", "pull", "refs", "remotes", "tags"];
    let is_hash = |text: &str| text.len() >= 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let described = name.rsplit_once("-g").is_some_and(|(_, hash)| is_hash(hash));
    let kind = name.split_once('/').map_or("", |(kind, _)| kind);
    TagName::parse(name).is_ok() && !is_hash(name) && !described && !KINDS.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_or_another_reference_is_no_branch() {
        for name in ["main", "releases/v151", "faster", "bed", "v1-gate", "pull", "tagsoup/x"] {
            assert!(is_branch(name), "{name}");
        }
        let hash = "0123456789abcdef0123456789abcdef01234567";
        for name in [
            hash,
            "0123",
            "v1.0-3-g0123456",
            "pull/7/head",
            "refs/pull/7/head",
            "tags/v1",
            "heads/x",
            "",
            "a b",
        ] {
            assert!(!is_branch(name), "{name}");
        }
    }
}
