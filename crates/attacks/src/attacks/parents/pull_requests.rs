//! What GitHub answers about pull requests and forks: another's, in part, or not at all.

use super::ways::answer;
use crate::attacks::{Attack, V, attack};
use crate::change::{page_missing, pages, remove, set};
use crate::valid::{fork, pr_action, pull_request};

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "pull request of another number",
        &[V],
        "GitHub answers with another pull request than was asked for.",
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
        "GitHub answers with a pull request from another fork than the decision task's.",
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
        "GitHub answers that another branch is to be pulled.",
        pull_request,
        |c| answer(c, "/pulls/", |pull| set(pull, &["head", "ref"], "slower")),
        "rebuild-differs",
    ),
    attack(
        "pull request into another branch",
        &[V],
        "GitHub answers that a fork is to be pulled into another branch.",
        fork,
        |c| answer(c, "/pulls/", |pull| set(pull, &["base", "ref"], "release")),
        "rebuild-differs",
    ),
    attack(
        "pull request by somebody else",
        &[V],
        "GitHub answers that somebody else asks for the pull.",
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
        "pull request unknown",
        &[V],
        "GitHub does not know the pull request.",
        pull_request,
        |c| page_missing(c, "/pulls/"),
        "rebuild-unknown-to-vcs",
    ),
    attack(
        "pull request by nobody",
        &[V],
        "GitHub's answer about a pull request does not say whose branch it is.",
        pull_request,
        |c| answer(c, "/pulls/", |pull| remove(pull, &["head", "user"])),
        "rebuild-answer-malformed",
    ),
    attack(
        "pull request of no branch",
        &[V],
        "GitHub's answer about a pull request does not say what is to be pulled.",
        pull_request,
        |c| answer(c, "/pulls/", |pull| remove(pull, &["head"])),
        "rebuild-answer-malformed",
    ),
    attack(
        "pull request with a malformed number",
        &[V],
        "GitHub's answer for a pull request has no number where its number should be.",
        pull_request,
        |c| answer(c, "/pulls/", |answer| set(answer, &["number"], true)),
        "rebuild-answer-malformed",
    ),
    attack(
        "pull request into nothing",
        &[V],
        "GitHub's answer about a fork's pull request lacks the repository it is for.",
        fork,
        |c| answer(c, "/pulls/", |pull| remove(pull, &["base", "repo"])),
        "rebuild-answer-malformed",
    ),
    attack(
        "fork of a renamed repository",
        &[V],
        "GitHub answers about a fork with another repository's name.",
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
        "malformed fork",
        &[V],
        "GitHub answers that the fork is a repository of its own, where the pull request is not.",
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
        "fork in words",
        &[V],
        "GitHub answers in words whether a repository is a fork, where a pull request of a fork is asked about.",
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
        "fork of nothing",
        &[V],
        "GitHub answers about a fork without the repository that it is a fork of.",
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
        "fork of something else",
        &[V],
        "GitHub answers that the fork is one of another repository, which has a pull request of that number.",
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
        "fork whose repository climbs",
        &[V],
        "GitHub answers that the fork is one of a repository whose name leads elsewhere.",
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
