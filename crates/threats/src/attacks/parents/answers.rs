//! What version control and GitHub answer: about something else, in part, or not at all.

use super::ways::{
    answer, decide, decision_text, earlier, firefox_git, git_cron, logged, push_of, thunderbird,
};
use crate::attacks::{Attack, T, V, W, attack};
use crate::change::{decision, inside, page_is, page_status, pages, remove, replace_page, set};
use crate::honest::{cron, fork, mobile, pr_action, promotion, pull_request, push, tag};
use catena_json::{Map, Value};

const OTHER: &str = "0123456789012345678901234567890123456789";

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "push by somebody else",
        &[V],
        "The push log names another user than the decision task.",
        push,
        |c| logged(c, |push| set(push, &["user"], "somebody@example.org")),
        "rebuild-differs",
    ),
    attack(
        "push on another day",
        &[V],
        "The push log names another date than the decision task.",
        push,
        |c| logged(c, |push| set(push, &["date"], 1_700_000_000_i64)),
        "rebuild-differs",
    ),
    attack(
        "push onto something else",
        &[V],
        "The push log names another revision that was there before the push.",
        push,
        |c| logged(c, |push| set(push, &["changesets", "0", "parents", "0"], OTHER)),
        "rebuild-differs",
    ),
    attack(
        "cron job on a push onto something else",
        &[V],
        "The push log names another revision that was there before the push a cron job looks at.",
        cron,
        |c| logged(c, |push| set(push, &["changesets", "0", "parents", "0"], OTHER)),
        "rebuild-differs",
    ),
    attack(
        "push of Thunderbird by somebody else",
        &[V],
        "The push log names another user than Thunderbird's decision task.",
        thunderbird,
        |c| logged(c, |push| set(push, &["user"], "somebody@example.org")),
        "rebuild-differs",
    ),
    attack(
        "earlier push by somebody else",
        &[V],
        "The push log names another user than the decision task of the image, on an earlier push.",
        push,
        |c| {
            let id = earlier(c)?;
            push_of(c, &id, |push| set(push, &["user"], "somebody@example.org"))
        },
        "rebuild-differs",
    ),
    attack(
        "push with another number",
        &[V],
        "The push log has the push under another number.",
        push,
        |c| {
            answer(c, "json-pushes", |log| {
                let pushes = inside(log, &["pushes"])?.as_object_mut()?;
                let (_, push) = std::mem::take(pushes).into_iter().next()?;
                pushes.insert("7", push);
                Some(())
            })
        },
        "rebuild-differs",
    ),
    attack(
        "push with a changeset before",
        &[V],
        "The push log has another changeset in the push before the one that was pushed.",
        push,
        |c| {
            logged(c, |push| {
                let changesets = inside(push, &["changesets"])?.as_array_mut()?;
                let mut first = changesets.first()?.clone();
                set(&mut first, &["node"], OTHER)?;
                set(&mut first, &["parents", "0"], OTHER)?;
                changesets.insert(0, first);
                Some(())
            })
        },
        "rebuild-differs",
    ),
    attack(
        "push with another tip",
        &[V],
        "The last changeset of the push is another than the revision that was asked for.",
        push,
        |c| logged(c, |push| set(push, &["changesets", "0", "node"], OTHER)),
        "rebuild-answer-about-another",
    ),
    attack(
        "push with a changeset after",
        &[V],
        "The push goes on after the revision that the decision task was made for.",
        cron,
        |c| {
            logged(c, |push| {
                let changesets = inside(push, &["changesets"])?.as_array_mut()?;
                let mut last = changesets.last()?.clone();
                set(&mut last, &["node"], OTHER)?;
                changesets.push(last);
                Some(())
            })
        },
        "rebuild-answer-about-another",
    ),
    attack(
        "push without a tip",
        &[V],
        "The last changeset of the push has no node.",
        push,
        |c| logged(c, |push| remove(push, &["changesets", "0", "node"])),
        "rebuild-answer-about-another",
    ),
    attack(
        "push unknown",
        &[V, T],
        "The push log does not know the revision.",
        push,
        |c| page_status(c, "json-pushes", 404),
        "rebuild-unknown-to-vcs",
    ),
    attack(
        "several pushes",
        &[V],
        "The push log answers with two pushes.",
        push,
        |c| {
            answer(c, "json-pushes", |log| {
                let pushes = inside(log, &["pushes"])?.as_object_mut()?;
                let (_, push) = pushes.iter().next().map(|(key, push)| (key.clone(), push.clone()))?;
                pushes.insert("7", push);
                Some(())
            })
        },
        "rebuild-answer-malformed",
    ),
    attack(
        "no push",
        &[V],
        "The push log answers with no push.",
        cron,
        |c| answer(c, "json-pushes", |log| set(log, &["pushes"], Map::new())),
        "rebuild-answer-malformed",
    ),
    attack(
        "list of pushes",
        &[V],
        "The push log answers with an empty list.",
        push,
        |c| page_is(c, "json-pushes", "[]"),
        "rebuild-answer-malformed",
    ),
    attack(
        "push log that is no JSON",
        &[V],
        "The host answers with a comma too many, in the place of the push log.",
        push,
        |c| page_is(c, "json-pushes", "{\"lastpushid\": 1, \"pushes\": {},}"),
        "rebuild-answer-malformed",
    ),
    attack(
        "push log with a user twice",
        &[V],
        "The push log names two users under the same key.",
        push,
        |c| replace_page(c, "json-pushes", "\"user\":", "\"user\":\"somebody@example.org\",\"user\":"),
        "rebuild-answer-malformed",
    ),
    attack(
        "push without changesets",
        &[V],
        "The push has an empty list of changesets.",
        push,
        |c| logged(c, |push| set(push, &["changesets"], Vec::new())),
        "rebuild-answer-malformed",
    ),
    attack(
        "push without a description",
        &[V],
        "The changeset of the push has no description.",
        push,
        |c| logged(c, |push| remove(push, &["changesets", "0", "desc"])),
        "rebuild-answer-malformed",
    ),
    attack(
        "push without parents",
        &[V],
        "The changeset of the push has no parents.",
        thunderbird,
        |c| logged(c, |push| set(push, &["changesets", "0", "parents"], Vec::new())),
        "rebuild-answer-malformed",
    ),
    attack(
        "push without a user",
        &[V],
        "The push log does not say who pushed.",
        push,
        |c| logged(c, |push| remove(push, &["user"])),
        "rebuild-answer-malformed",
    ),
    attack(
        "push with a date as text",
        &[V],
        "The date of the push is a text of the same digits.",
        cron,
        |c| {
            logged(c, |push| {
                let date = inside(push, &["date"])?;
                *date = date.to_string().into();
                Some(())
            })
        },
        "rebuild-answer-malformed",
    ),
    attack(
        "commit message smuggled in",
        &[T],
        "A decision task has a commit message that nobody pushed.",
        push,
        |c| decision(c, &["payload", "env", "GECKO_COMMIT_MSG"], "x"),
        "rebuild-push-comment",
    ),
    attack(
        "empty commit message",
        &[T],
        "A decision task has an empty commit message, where one space is usual.",
        push,
        |c| decision(c, &["payload", "env", "GECKO_COMMIT_MSG"], ""),
        "rebuild-push-comment",
    ),
    attack(
        "description as the commit message",
        &[T],
        "A decision task has the push's whole description for its commit message.",
        thunderbird,
        |c| decision(c, &["payload", "env", "GECKO_COMMIT_MSG"], "Bug 1234567 - Do less, faster. r=reviewer"),
        "rebuild-push-comment",
    ),
    attack(
        "line for try with more after it",
        &[T],
        "A decision task has the push's line for try and the next line for its commit message.",
        push,
        |c| {
            logged(c, |push| set(push, &["changesets", "0", "desc"], "Faster\ntry: -b do\nrm -rf /"))?;
            decision(c, &["payload", "env", "GECKO_COMMIT_MSG"], "try: -b do\nrm -rf /")
        },
        "rebuild-push-comment",
    ),
    attack(
        "line for try of another push",
        &[T],
        "A decision task has a line for try that begins like the push's own.",
        push,
        |c| {
            logged(c, |push| set(push, &["changesets", "0", "desc"], "try: -b do -p linux"))?;
            decision(c, &["payload", "env", "GECKO_COMMIT_MSG"], "try: -b do")
        },
        "rebuild-push-comment",
    ),
    attack(
        "commit of another hash",
        &[V],
        "GitHub answers with another commit than was asked for.",
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
        "GitHub answers with the page of a commit in the repository's new place.",
        firefox_git,
        |c| {
            answer(c, "/commits/", |commit| {
                set(commit, &["html_url"], "https://github.com/mozilla-firefox/firefox-old/commit/0")
            })
        },
        "rebuild-answer-about-another",
    ),
    attack(
        "commit unknown",
        &[V],
        "GitHub does not know the commit that was pushed.",
        mobile,
        |c| page_status(c, "/commits/", 404),
        "rebuild-unknown-to-vcs",
    ),
    attack(
        "commit without a hash",
        &[V],
        "GitHub's answer about a commit does not say which one it is.",
        mobile,
        |c| answer(c, "/commits/", |commit| remove(commit, &["sha"])),
        "rebuild-answer-malformed",
    ),
    attack(
        "commit that is no JSON",
        &[V],
        "GitHub answers with a value missing, in the place of a commit.",
        firefox_git,
        |c| page_is(c, "/commits/", "{\"sha\": }"),
        "rebuild-answer-malformed",
    ),
    attack(
        "template of another path",
        &[V],
        "GitHub answers with another file than the template.",
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
        "template of another revision",
        &[V],
        "GitHub answers with the template at the main branch.",
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
        "GitHub answers with the template at another tag than the release's.",
        tag,
        |c| replace_page(c, "contents/.taskcluster.yml?ref=v151.0", "?ref=v151.0", "?ref=v150.0"),
        "rebuild-answer-about-another",
    ),
    attack(
        "template in another encoding",
        &[V],
        "GitHub answers with no contents, as it does for large files.",
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
        "template without contents",
        &[V],
        "GitHub's answer has everything but the contents of the template.",
        pr_action,
        |c| answer(c, "contents/.taskcluster.yml", |file| remove(file, &["content"])),
        "rebuild-answer-malformed",
    ),
    attack(
        "template that is no base64",
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
        "folder in the place of the template",
        &[V],
        "GitHub answers with a list of files, as it does for folders.",
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
        "GitHub answers with a release in the repository's new place.",
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
        "release that is a draft",
        &[V],
        "A release that nobody has published is built.",
        tag,
        |c| answer(c, "releases/tags", |release| set(release, &["draft"], true)),
        "rebuild-release-draft",
    ),
    attack(
        "release that may be a draft",
        &[V],
        "GitHub's answer for a release does not say whether it is a draft.",
        tag,
        |c| answer(c, "releases/tags", |release| remove(release, &["draft"])),
        "rebuild-answer-malformed",
    ),
    attack(
        "release that is a draft in words",
        &[V],
        "GitHub's answer for a release says that it is a draft, as a text.",
        tag,
        |c| answer(c, "releases/tags", |release| set(release, &["draft"], "true")),
        "rebuild-answer-malformed",
    ),
    attack(
        "release unknown",
        &[V, T],
        "GitHub has no release of the tag, only the tag.",
        tag,
        |c| page_status(c, "releases/tags", 404),
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
        "release by somebody else",
        &[V],
        "GitHub answers that somebody else made the release.",
        tag,
        |c| answer(c, "releases/tags", |release| set(release, &["author", "login"], "somebody")),
        "rebuild-differs",
    ),
    attack(
        "release without an author",
        &[V],
        "GitHub's answer about a release does not say who made it.",
        tag,
        |c| answer(c, "releases/tags", |release| set(release, &["author"], Value::Null)),
        "rebuild-answer-malformed",
    ),
    attack(
        "release without a date",
        &[V],
        "GitHub's answer about a release does not say when it was published.",
        tag,
        |c| answer(c, "releases/tags", |release| remove(release, &["published_at"])),
        "rebuild-answer-malformed",
    ),
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
        |c| page_status(c, "/pulls/", 404),
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
        "fork that is none",
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
    attack(
        "push to another branch of GitHub",
        &[T],
        "A decision task on GitHub is all for another branch, of which the template makes nothing.",
        mobile,
        |c| {
            decision_text(c, "\"main\"", "\"faster\"")?;
            decide(c, |task| crate::change::replace_in(task, "-ref='main'", "-ref='faster'"))?;
            decision_text(c, ":branch:main", ":branch:faster")
        },
        "rebuild-no-tasks",
    ),
    attack(
        "pull request with a number that is none",
        &[V],
        "GitHub's answer for a pull request has no number where its number should be.",
        pull_request,
        |c| answer(c, "/pulls/", |answer| set(answer, &["number"], true)),
        "rebuild-answer-malformed",
    ),
    attack(
        "template of a repository whose name begins like it",
        &[V],
        "GitHub's answer for a template has the address of a repository whose name only begins alike.",
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
        "default branch whose level is none",
        &[V],
        "The list of projects has no level where a default branch's level should be.",
        git_cron,
        |c| replace_page(c, "projects.yml", "level: 3", "level: [3]"),
        "rebuild-project-unknown",
    ),
    attack(
        "projects of another kind",
        &[V],
        "The list of projects says of every project on GitHub that it is in a version control system of \
         its own.",
        git_cron,
        |c| replace_page(c, "projects.yml", "repo_type: git", "repo_type: fossil"),
        "rebuild-project-unknown",
    ),
    attack(
        "trigger that trees on Mercurial do not have",
        &[T],
        "A decision task is made for a release of GitHub, which its policy allows, and is of a tree on \
         Mercurial, as all of its product's are.",
        push,
        |c| decision(c, &["extra", "tasks_for"], "github-release"),
        "rebuild-tasks-for",
    )
    .under(
        "catena-policy: 1\nproducts:\n  firefox:\n    vcs: [hg]\n    tasks-for: {add: [github-release]}\n",
    ),
    attack(
        "decision task on Mercurial under GitHub's scheduler",
        &[T],
        "A decision task of a tree on Mercurial has the scheduler of what GitHub starts.",
        push,
        |c| decision(c, &["schedulerId"], "taskcluster-github"),
        "rebuild-tasks-for",
    ),
    attack(
        "decision task under GitHub's scheduler",
        &[T],
        "A decision task has the scheduler of what GitHub starts, and its graph leaves out the scheduler of \
         a build, which has another.",
        mobile,
        |c| {
            decision(c, &["schedulerId"], "taskcluster-github")?;
            crate::change::entry(c, |entry| remove(entry, &["task", "schedulerId"]))
        },
        "rebuild-differs",
    ),
    attack(
        "template over another protocol",
        &[T],
        "A decision task names its tree on Mercurial by an address for ssh.",
        push,
        |c| {
            let name = ["payload", "env", "GECKO_HEAD_REPOSITORY"];
            decision(c, &name, "ssh://hg.mozilla.org/mozilla-central")
        },
        "rebuild-host",
    ),
    attack(
        "hook that tells no level",
        &[W],
        "The payload of a decision task's hooks does not tell the level of the tree.",
        promotion,
        |c| super::ways::offer(c, |offer| remove(offer, &["hookPayload", "decision", "repository", "level"])),
        "rebuild-template-fails",
    ),
];
