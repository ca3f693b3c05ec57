//! Whether a commit has landed on a branch of its repository.
//!
//! The branch is the one that the task names, or its decision task. Where neither names one, as a
//! release, any branch counts that has the level of the target's tree, if that is known.

use super::listing::Listing;
use super::{LISTING, malformed};
use crate::checks::{branch, tree};
use crate::verdict::{Disposition, Finding};
use crate::verification::{Answer, CheckContext, Link, Need, Stop};
use catena_json::Value;
use catena_model::source::{GithubRepository, RepositoryUrl, Revision};
use catena_policy::Landed;

/// What is known of a commit.
pub(super) enum Landing {
    /// It is on the branch that counts, or there is no need to ask.
    On,
    /// It is not: where it would have to be, and where it is.
    Off { expected: String, actual: String },
    /// It is not known.
    Unknown(Box<Finding>),
}

pub(super) fn landed(
    cx: &CheckContext<'_>,
    link: &Link,
    repository: &GithubRepository,
    revision: &Revision,
) -> Result<Landing, Stop> {
    match cx.evidence.product.landed {
        Landed::Assumed => Ok(Landing::On),
        Landed::Compare => compared(cx, link, repository, revision),
        Landed::BranchCommits => listed(cx, link, repository, revision),
    }
}

fn off(expected: impl Into<String>, actual: impl Into<String>) -> Landing {
    Landing::Off { expected: expected.into(), actual: actual.into() }
}

/// By the page that lists the branches a commit is on. Of a commit on the default branch it lists no
/// other, so that a branch that it lacks is compared with, if it lists one that could be that.
fn listed(
    cx: &CheckContext<'_>,
    link: &Link,
    repository: &GithubRepository,
    revision: &Revision,
) -> Result<Landing, Stop> {
    let need = Need::BranchCommits { repository: repository.clone(), revision: revision.clone() };
    let page = match cx.body(&need)? {
        Answer::Is(body) => body,
        Answer::Absent(_) => return Ok(off("a branch of the repository", "no branch")),
    };
    let Ok(text) = std::str::from_utf8(&page.bytes) else {
        return Ok(Landing::Unknown(malformed(link, &need, "it is not UTF-8")));
    };
    let listing = match Listing::parse(text) {
        Ok(listing) => listing,
        Err(why) => {
            let message = format!("The answer for {need} is not a list of branches: {why}.");
            let finding = Finding::new(super::CHECK, LISTING, Disposition::Failed, link.task_id, message);
            return Ok(Landing::Unknown(Box::new(finding.at(need.to_string(), None))));
        }
    };
    let branches = listing.branches();
    if branches.is_empty() {
        return Ok(off("a branch of the repository", "no branch"));
    }
    match branch::named(cx, link, repository)? {
        Some(name) if branches.contains(&name) => Ok(Landing::On),
        Some(name) => match among(cx, repository, branches)? {
            Landing::On => holds(cx, link, repository, &name, revision),
            _ => Ok(off(name, branches.join(", "))),
        },
        None => among(cx, repository, branches),
    }
}

/// Whether one of some branches has the level of the target's tree, where levels are known.
fn among(cx: &CheckContext<'_>, repository: &GithubRepository, branches: &[String]) -> Result<Landing, Stop> {
    // The tree check reports what is wrong with the list of projects.
    let Answer::Is(Ok(projects)) = cx.projects()? else { return Err(Stop::Blocked) };
    let url = RepositoryUrl::parse(&format!("https://github.com/{repository}")).map_err(|_| Stop::Blocked)?;
    let project = projects.by_repository(&url).filter(|project| project.is_git());
    let (Some(project), Some(required)) = (project, tree::required_level(cx, projects)?) else {
        return Ok(Landing::On);
    };
    if branches.iter().any(|branch| project.branch_level(branch).is_some_and(|level| level >= required)) {
        return Ok(Landing::On);
    }
    Ok(off(format!("a branch of {required}"), branches.join(", ")))
}

/// By the compare API: with the branch that is named, else with the default branch and the one that a
/// release was made for.
fn compared(
    cx: &CheckContext<'_>,
    link: &Link,
    repository: &GithubRepository,
    revision: &Revision,
) -> Result<Landing, Stop> {
    let need = Need::Repository { repository: repository.clone() };
    let unknown = |why: &str| Ok(Landing::Unknown(malformed(link, &need, why)));
    let answer = match cx.json(&need)? {
        Answer::Is(Ok(answer)) => answer,
        Answer::Is(Err(error)) => return unknown(&error.to_string()),
        Answer::Absent(answer) => return Ok(off("a branch", answer)),
    };
    let Some(default) = answer.get("default_branch").and_then(Value::as_str) else {
        return unknown("it has no default_branch");
    };
    let candidates = match branch::named(cx, link, repository)? {
        Some(name) => vec![name],
        None => {
            let target = branch::of_release(cx, branch::root(cx, link)?)?;
            std::iter::once(default.to_owned()).chain(target.filter(|name| name != default)).collect()
        }
    };
    let mut landing = off("a branch of the repository", "no branch");
    for name in candidates.iter().filter(|name| branch::is_branch(name)) {
        landing = holds(cx, link, repository, name, revision)?;
        if !matches!(landing, Landing::Off { .. }) {
            break;
        }
    }
    Ok(landing)
}

/// Whether a branch holds a commit, by the compare API.
fn holds(
    cx: &CheckContext<'_>,
    link: &Link,
    repository: &GithubRepository,
    branch: &str,
    revision: &Revision,
) -> Result<Landing, Stop> {
    let need = Need::Compare {
        repository: repository.clone(),
        branch: branch.to_owned(),
        revision: revision.clone(),
    };
    Ok(match cx.json(&need)? {
        Answer::Is(Ok(answer)) => match answer.get("status").and_then(Value::as_str) {
            Some("behind" | "identical") => Landing::On,
            Some(status @ ("ahead" | "diverged")) => off(branch, format!("{status} of it")),
            _ => Landing::Unknown(malformed(link, &need, "it has no status")),
        },
        Answer::Is(Err(error)) => Landing::Unknown(malformed(link, &need, &error.to_string())),
        Answer::Absent(_) => off(branch, "not on it"),
    })
}
