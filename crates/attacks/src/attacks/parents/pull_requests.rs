//! GitHub's answers about pull requests and forks: about another one, incomplete, or missing.

use super::ways::answer;
use crate::attacks::{Attack, V, attack};
use crate::change::{page_missing, pages, remove, set};
use crate::valid::{fork, pr_action, pull_request};

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "pull request of another number",
        &[V],
        "GitHub answers with a different pull request from the requested one.",
        pull_request,
        |c| answer(c, "/pulls/", |pull| set(pull, &["number"], 1235_i64)),
        "rebuild-answer-about-another",
    ),
    attack(
        "pull request into another repository",
        &[V],
        "GitHub answers with a pull request into another repository.",
        pull_request,
        |c| {
            answer(c, "/pulls/", |pull| {
                set(pull, &["base", "repo", "full_name"], "somebody/reference-browser")
            })
        },
        "rebuild-answer-about-another",
    ),
    attack(
        "pull request from another fork",
        &[V],
        "GitHub answers with a pull request from another fork.",
        fork,
        |c| {
            answer(c, "/pulls/", |pull| {
                set(pull, &["head", "repo", "full_name"], "somebody/reference-browser")
            })
        },
        "rebuild-answer-about-another",
    ),
    attack(
        "pull request of another branch",
        &[V],
        "GitHub names another head branch of the pull request.",
        pull_request,
        |c| answer(c, "/pulls/", |pull| set(pull, &["head", "ref"], "slower")),
        "rebuild-differs",
    ),
    attack(
        "pull request into another branch",
        &[V],
        "GitHub names another base branch for a fork's pull request.",
        fork,
        |c| answer(c, "/pulls/", |pull| set(pull, &["base", "ref"], "release")),
        "rebuild-differs",
    ),
    attack(
        "pull request by another user",
        &[V],
        "GitHub names another author of the pull request.",
        fork,
        |c| answer(c, "/pulls/", |pull| set(pull, &["user", "login"], "somebody")),
        "rebuild-differs",
    ),
    attack(
        "pull request's action on another branch",
        &[V],
        "The decision task that an action acts on was made for a pull request of another branch.",
        pr_action,
        |c| answer(c, "/pulls/", |pull| set(pull, &["head", "ref"], "slower")),
        "rebuild-differs",
    ),
    attack(
        "unknown pull request",
        &[V],
        "GitHub does not know the pull request.",
        pull_request,
        |c| page_missing(c, "/pulls/"),
        "rebuild-unknown-to-vcs",
    ),
    attack(
        "pull request without an author",
        &[V],
        "GitHub's answer for a pull request does not name the owner of its branch.",
        pull_request,
        |c| answer(c, "/pulls/", |pull| remove(pull, &["head", "user"])),
        "rebuild-answer-malformed",
    ),
    attack(
        "pull request without a branch",
        &[V],
        "GitHub's answer for a pull request does not name its head branch.",
        pull_request,
        |c| answer(c, "/pulls/", |pull| remove(pull, &["head"])),
        "rebuild-answer-malformed",
    ),
    attack(
        "pull request with a malformed number",
        &[V],
        "GitHub's answer for a pull request has a malformed number.",
        pull_request,
        |c| answer(c, "/pulls/", |answer| set(answer, &["number"], true)),
        "rebuild-answer-malformed",
    ),
    attack(
        "pull request without a base repository",
        &[V],
        "GitHub's answer for a fork's pull request lacks the base repository.",
        fork,
        |c| answer(c, "/pulls/", |pull| remove(pull, &["base", "repo"])),
        "rebuild-answer-malformed",
    ),
    attack(
        "fork of a renamed repository",
        &[V],
        "GitHub answers for a fork with another repository's name.",
        fork,
        |c| {
            answer(c, "repos/contributor/reference-browser", |repository| {
                if repository.get("fork").is_some() {
                    set(repository, &["full_name"], "somebody/reference-browser")?;
                }
                Some(())
            })
        },
        "rebuild-answer-about-another",
    ),
    attack(
        "fork that is not marked as a fork",
        &[V],
        "GitHub does not mark the fork as one, and does not have the pull request there.",
        fork,
        |c| {
            answer(c, "repos/contributor/reference-browser", |repository| {
                if repository.get("fork").is_some() {
                    set(repository, &["fork"], false)?;
                }
                Some(())
            })
        },
        "rebuild-unknown-to-vcs",
    ),
    attack(
        "fork with a string as its fork status",
        &[V],
        "GitHub states as a string whether a repository is a fork.",
        fork,
        |c| {
            answer(c, "repos/contributor/reference-browser", |repository| {
                if repository.get("fork").is_some() {
                    set(repository, &["fork"], "true")?;
                }
                Some(())
            })
        },
        "rebuild-answer-malformed",
    ),
    attack(
        "fork without a parent",
        &[V],
        "GitHub's answer for a fork does not name its parent repository.",
        fork,
        |c| {
            answer(c, "repos/contributor/reference-browser", |repository| {
                if repository.get("fork").is_some() {
                    remove(repository, &["parent"])?;
                }
                Some(())
            })
        },
        "rebuild-answer-malformed",
    ),
    attack(
        "fork of another repository",
        &[V],
        "GitHub names another parent repository, which has a pull request with that number.",
        fork,
        |c| {
            answer(c, "repos/contributor/reference-browser", |repository| {
                if repository.get("fork").is_some() {
                    set(repository, &["parent", "owner", "login"], "somebody")?;
                }
                Some(())
            })?;
            let page = pages(c, "mozilla-mobile/reference-browser/pulls/")?.next()?.clone();
            c.pages.insert("https://api.github.com/repos/somebody/reference-browser/pulls/1234".into(), page);
            Some(())
        },
        "rebuild-answer-about-another",
    ),
    attack(
        "path traversal in the parent repository's name",
        &[V],
        "GitHub names a parent repository with path traversal in its name.",
        fork,
        |c| {
            answer(c, "repos/contributor/reference-browser", |repository| {
                if repository.get("fork").is_some() {
                    set(repository, &["parent", "name"], "../../somebody")?;
                }
                Some(())
            })
        },
        "rebuild-answer-malformed",
    ),
];
