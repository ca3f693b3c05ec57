//! Trees, pushes and services that changed after the tasks were created, or before.

use super::{One, mistake};
use crate::change::{
    first_decision, image_of, in_project, landed_on, on_branch, page_answers, page_is, page_missing,
    replace_page, template,
};
use crate::told::variable_says;
use crate::valid::{action, cron, fork, mobile, push, tag};
use catena_testbed::chain::Images;
use catena_testbed::{Chain, Release};
use catena_verify::verdict::Class::{Infra, Invalid, Policy};

const CENTRAL: &str = "https://hg.mozilla.org/mozilla-central";
const HIDDEN: &str = r#"{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest"}"#;

pub(super) const ONES: &[(&str, One)] = &[
    ("push whose branch was deleted", gone(mobile)),
    ("release whose branch was deleted", gone(tag)),
    ("cron job whose branch was rebased", gone(git_cron)),
    (
        "push that was stripped from its tree",
        mistake(
            push,
            |c| page_missing(c, "json-pushes"),
            "rebuild-unknown-to-vcs",
            Invalid,
            "deleted, rebased or rewritten",
        ),
    ),
    (
        "release that was deleted",
        mistake(
            tag,
            |c| page_missing(c, "releases/tags"),
            "rebuild-unknown-to-vcs",
            Invalid,
            "deleted, rebased or rewritten",
        ),
    ),
    (
        "release that is a draft again",
        mistake(
            tag,
            |c| replace_page(c, "releases/tags", "\"draft\":false", "\"draft\":true"),
            "rebuild-release-draft",
            Policy,
            "publish the release",
        ),
    ),
    ("tree whose template was removed", without_template(push)),
    ("cron job's tree whose template was removed", without_template(cron)),
    ("action's tree whose template was removed", without_template(action)),
    ("template of version 0", of_version_0(push)),
    ("template of version 0 on GitHub", of_version_0(mobile)),
    ("template changed between push and hook", other_template(push)),
    ("template changed between push and hook, for a cron job", other_template(cron)),
    ("template changed between push and webhook", other_template(mobile)),
    ("template changed between push and an action's hook", other_template(action)),
    (
        "push that somebody else merged",
        mistake(
            mobile,
            |c| variable_says(c, "SENDER", "event.sender.login", "somebody-else"),
            "rebuild-differs",
            Invalid,
            "a merge by another account",
        ),
    ),
    (
        "push of a bot",
        mistake(
            mobile,
            |c| variable_says(c, "SENDER", "event.sender.login", "renovate[bot]"),
            "rebuild-differs",
            Invalid,
            "a bot",
        ),
    ),
    (
        "release that an app published",
        mistake(
            tag,
            |c| variable_says(c, "SENDER", "event.sender.login", "github-actions[bot]"),
            "rebuild-differs",
            Invalid,
            "a bot",
        ),
    ),
    (
        "new tree that is not a project yet",
        mistake(
            push,
            |c| in_project(c, CENTRAL, "mozilla-central\n", "mozilla-central-2\n"),
            "rebuild-project-unknown",
            Policy,
            "projects.yml",
        ),
    ),
    (
        "release branch without a level",
        mistake(
            mobile,
            |c| {
                let id = first_decision(c)?;
                on_branch(c, &id, "releases_v152")?;
                landed_on(c, &["releases_v152"])
            },
            "tree-branch-level",
            Policy,
            "projects.yml",
        ),
    ),
    (
        "broken list of projects",
        mistake(mobile, |c| page_is(c, "projects.yml", "- a"), "tree-projects", Infra, "Try again"),
    ),
    (
        "token that has expired",
        mistake(
            mobile,
            |c| page_answers(c, "api.github.com", 401, HIDDEN),
            "availability-refused",
            Infra,
            "CATENA_GITHUB_TOKEN",
        ),
    ),
    (
        "GitHub that is down",
        mistake(
            tag,
            |c| page_answers(c, "api.github.com", 502, "Bad Gateway"),
            "availability-unreachable",
            Infra,
            "Ask again",
        ),
    ),
    (
        "Mercurial that is down",
        mistake(
            push,
            |c| page_answers(c, "hg.mozilla.org", 503, "Service Unavailable"),
            "availability-unreachable",
            Infra,
            "Ask again",
        ),
    ),
    (
        "image of a fork in a release",
        mistake(
            tag,
            |c| image_of(c, Release { seed: 7, images_from: Images::OwnGraph, ..fork() }.build().ok()?),
            "pull-request-fork",
            Policy,
            "official repository",
        ),
    ),
];

fn git_cron() -> Release {
    Release::of(catena_testbed::chain::Product::MOBILE, catena_testbed::Trigger::Cron)
}

const fn gone(release: fn() -> Release) -> One {
    mistake(release, |c| landed_on(c, &[]), "pull-request-not-landed", Policy, "rebased away")
}

const fn without_template(release: fn() -> Release) -> One {
    mistake(release, |c| page_missing(c, "/raw-file/"), "rebuild-template-missing", Invalid, "still exists")
}

const fn of_version_0(release: fn() -> Release) -> One {
    mistake(
        release,
        |c| template(c, |text| Some(text.replace("version: 1\n", "version: 0\n"))),
        "rebuild-template-malformed",
        Invalid,
        ".taskcluster.yml",
    )
}

const fn other_template(release: fn() -> Release) -> One {
    mistake(release, another_time, "rebuild-differs", Invalid, "out of step")
}

fn another_time(chain: &mut Chain) -> Option<()> {
    template(chain, |text| {
        let at = text.find("maxRunTime: ")?;
        let (before, after) = text.split_at_checked(at.checked_add("maxRunTime: ".len())?)?;
        Some(format!("{before}9{after}"))
    })
}
