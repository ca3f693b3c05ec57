//! GitHub's answers about commits, templates and releases: about another one, incomplete, or missing.

use super::ways::{OTHER, answer, firefox_git, git_cron};
use crate::attacks::{Attack, T, V, attack};
use crate::change::{inside, page_is, page_missing, remove, replace_page, set, tagged};
use crate::valid::{mobile, pr_action, pull_request, tag};
use catena_json::Value;

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "commit with another hash",
        &[V],
        "GitHub answers with a different commit from the requested one.",
        mobile,
        |c| answer(c, "/commits/", |commit| set(commit, &["sha"], OTHER)),
        "rebuild-answer-about-another",
    ),
    attack(
        "commit of another repository",
        &[V],
        "GitHub answers with the same commit of another repository, as it does for forks.",
        mobile,
        |c| replace_page(c, "/commits/", "repos/mozilla-mobile/", "repos/somebody/"),
        "rebuild-answer-about-another",
    ),
    attack(
        "commit of a renamed repository",
        &[V],
        "GitHub answers with a commit at the repository's new address.",
        firefox_git,
        |c| {
            answer(c, "/commits/", |commit| {
                set(commit, &["html_url"], "https://github.com/mozilla-firefox/firefox-old/commit/0")
            })
        },
        "rebuild-answer-about-another",
    ),
    attack(
        "unknown commit",
        &[V],
        "GitHub does not know the commit that was pushed.",
        mobile,
        |c| page_missing(c, "/commits/"),
        "rebuild-unknown-to-vcs",
    ),
    attack(
        "commit without a hash",
        &[V],
        "GitHub's answer for a commit does not name the commit.",
        mobile,
        |c| answer(c, "/commits/", |commit| remove(commit, &["sha"])),
        "rebuild-answer-malformed",
    ),
    attack(
        "commit that is not JSON",
        &[V],
        "GitHub's answer for a commit lacks a value.",
        firefox_git,
        |c| page_is(c, "/commits/", "{\"sha\": }"),
        "rebuild-answer-malformed",
    ),
    attack(
        "template of another path",
        &[V],
        "GitHub answers with a different file from the template.",
        mobile,
        |c| answer(c, "contents/.taskcluster.yml", |file| set(file, &["path"], "testing/.taskcluster.yml")),
        "rebuild-answer-about-another",
    ),
    attack(
        "template of another repository",
        &[V],
        "GitHub answers with the template of another repository.",
        git_cron,
        |c| {
            replace_page(
                c,
                "contents/.taskcluster.yml",
                "repos/mozilla-mobile/reference-browser/",
                "repos/mozilla-mobile/firefox-android/",
            )
        },
        "rebuild-answer-about-another",
    ),
    attack(
        "template of a repository with the same prefix",
        &[V],
        "GitHub's answer for a template has the address of a repository whose name only has the \
         same prefix.",
        mobile,
        |c| {
            answer(c, "contents/.taskcluster.yml", |answer| {
                let url = answer.get("url")?.as_str()?.replace("reference-browser", "reference-browser-2");
                set(answer, &["url"], url)
            })
        },
        "rebuild-answer-about-another",
    ),
    attack(
        "template of another revision",
        &[V],
        "GitHub answers with the template of the main branch.",
        pull_request,
        |c| {
            answer(c, "contents/.taskcluster.yml", |file| {
                set(
                    file,
                    &["url"],
                    "https://api.github.com/repos/mozilla-mobile/reference-browser/contents/.taskcluster.yml?ref=main",
                )
            })
        },
        "rebuild-answer-about-another",
    ),
    attack(
        "template of another tag",
        &[V],
        "GitHub answers with the template at a different tag from the release's.",
        tag,
        |c| {
            let at = format!("?ref={}", tagged(c, "v151.0")?);
            replace_page(c, &format!("contents/.taskcluster.yml{at}"), &at, "?ref=v150.0")
        },
        "rebuild-answer-about-another",
    ),
    attack(
        "template without its contents",
        &[V],
        "GitHub answers without the contents, as it does for large files.",
        mobile,
        |c| {
            answer(c, "contents/.taskcluster.yml", |file| {
                set(file, &["encoding"], "none")?;
                set(file, &["content"], "")
            })
        },
        "rebuild-answer-malformed",
    ),
    attack(
        "template without a contents member",
        &[V],
        "GitHub's answer for the template lacks only its contents.",
        pr_action,
        |c| answer(c, "contents/.taskcluster.yml", |file| remove(file, &["content"])),
        "rebuild-answer-malformed",
    ),
    attack(
        "template that is not base64",
        &[V],
        "The contents of the template have a character that base64 does not have.",
        tag,
        |c| {
            answer(c, "contents/.taskcluster.yml", |file| {
                let content = inside(file, &["content"])?;
                *content = format!("*{}", content.as_str()?).into();
                Some(())
            })
        },
        "rebuild-answer-malformed",
    ),
    attack(
        "directory in place of the template",
        &[V],
        "GitHub answers with a list of files, as it does for directories.",
        mobile,
        |c| page_is(c, "contents/.taskcluster.yml", "[{\"type\":\"file\",\"path\":\".taskcluster.yml\"}]"),
        "rebuild-answer-malformed",
    ),
    attack(
        "release of another tag",
        &[V],
        "GitHub answers with the release of another tag.",
        tag,
        |c| replace_page(c, "releases/tags", "\"tag_name\":\"v151.0\"", "\"tag_name\":\"v150.0\""),
        "rebuild-answer-about-another",
    ),
    attack(
        "release of another repository",
        &[V],
        "GitHub answers with a release of another repository.",
        tag,
        |c| {
            answer(c, "releases/tags", |release| {
                set(release, &["url"], "https://api.github.com/repos/somebody/reference-browser/releases/21")
            })
        },
        "rebuild-answer-about-another",
    ),
    attack(
        "release of a renamed repository",
        &[V],
        "GitHub answers with a release at the repository's new address.",
        tag,
        |c| {
            answer(c, "releases/tags", |release| {
                set(
                    release,
                    &["html_url"],
                    "https://github.com/mozilla-mobile/reference-browser-2/releases/tag/v151.0",
                )
            })
        },
        "rebuild-answer-about-another",
    ),
    attack(
        "draft release",
        &[V],
        "A release is built that has not been published.",
        tag,
        |c| answer(c, "releases/tags", |release| set(release, &["draft"], true)),
        "rebuild-release-draft",
    ),
    attack(
        "release without its draft status",
        &[V],
        "GitHub's answer for a release does not say whether it is a draft.",
        tag,
        |c| answer(c, "releases/tags", |release| remove(release, &["draft"])),
        "rebuild-answer-malformed",
    ),
    attack(
        "release with a draft status that is a string",
        &[V],
        "GitHub's answer for a release states its draft status as a string.",
        tag,
        |c| answer(c, "releases/tags", |release| set(release, &["draft"], "true")),
        "rebuild-answer-malformed",
    ),
    attack(
        "unknown release",
        &[V, T],
        "GitHub has no release for the tag, only the tag.",
        tag,
        |c| page_missing(c, "releases/tags"),
        "rebuild-unknown-to-vcs",
    ),
    attack(
        "release of another branch",
        &[V],
        "GitHub answers that the release was made from another branch.",
        tag,
        |c| answer(c, "releases/tags", |release| set(release, &["target_commitish"], "faster")),
        "rebuild-differs",
    ),
    attack(
        "release by another user",
        &[V],
        "GitHub names a different author of the release.",
        tag,
        |c| answer(c, "releases/tags", |release| set(release, &["author", "login"], "somebody")),
        "rebuild-differs",
    ),
    attack(
        "release without an author",
        &[V],
        "GitHub's answer for a release does not name its author.",
        tag,
        |c| answer(c, "releases/tags", |release| set(release, &["author"], Value::Null)),
        "rebuild-answer-malformed",
    ),
    attack(
        "release without a date",
        &[V],
        "GitHub's answer for a release does not say when it was published.",
        tag,
        |c| answer(c, "releases/tags", |release| remove(release, &["published_at"])),
        "rebuild-answer-malformed",
    ),
];
