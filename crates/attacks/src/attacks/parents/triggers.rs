//! Triggers, schedulers, branches, hosts and projects other than those of the tree.

use super::ways::{decide, decision_text, git_cron};
use crate::attacks::{Attack, T, V, attack};
use crate::change::{decision, entry, remove, replace_in, replace_page};
use crate::valid::{mobile, push};

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "push to another branch of GitHub",
        &[T],
        "A decision task on GitHub is for another branch, for which the template renders nothing.",
        mobile,
        |c| {
            decision_text(c, "\"main\"", "\"faster\"")?;
            decide(c, |task| replace_in(task, "-ref='main'", "-ref='faster'"))?;
            decision_text(c, ":branch:main", ":branch:faster")
        },
        "rebuild-no-tasks",
    ),
    attack(
        "default branch with a malformed level",
        &[V],
        "The list of projects has no level for a default branch.",
        git_cron,
        |c| replace_page(c, "projects.yml", "level: 3", "level: [3]"),
        "rebuild-project-unknown",
    ),
    attack(
        "projects of another kind",
        &[V],
        "The list of projects names an unknown version control system for every project on GitHub.",
        git_cron,
        |c| replace_page(c, "projects.yml", "repo_type: git", "repo_type: fossil"),
        "rebuild-project-unknown",
    ),
    attack(
        "trigger unsupported on Mercurial",
        &[T],
        "A decision task has the trigger of a GitHub release, which its policy allows, and its tree \
         is on Mercurial.",
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
        "A decision task of a tree on Mercurial has the scheduler of GitHub's tasks.",
        push,
        |c| decision(c, &["schedulerId"], "taskcluster-github"),
        "rebuild-tasks-for",
    ),
    attack(
        "decision task under GitHub's scheduler",
        &[T],
        "A decision task has the scheduler of GitHub's tasks, and its graph omits the scheduler of \
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
