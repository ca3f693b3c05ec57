//! Triggers, schedulers, branches, hosts and projects that are not those of the tree.

use super::ways::{decide, decision_text, git_cron};
use crate::attacks::{Attack, T, V, attack};
use crate::change::{decision, entry, remove, replace_in, replace_page};
use crate::valid::{mobile, push};

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "push to another branch of GitHub",
        &[T],
        "A decision task on GitHub is all for another branch, of which the template makes nothing.",
        mobile,
        |c| {
            decision_text(c, "\"main\"", "\"faster\"")?;
            decide(c, |task| replace_in(task, "-ref='main'", "-ref='faster'"))?;
            decision_text(c, ":branch:main", ":branch:faster")
        },
        "rebuild-no-tasks",
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
            entry(c, |entry| remove(entry, &["task", "schedulerId"]))
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
];
