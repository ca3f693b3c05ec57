//! Parents with another trigger, tree, revision or list of projects.

use super::ways::{
    act, alias_bomb, decide, deep, firefox_git, git_cron, offer, shallow, thunderbird, variable,
    variable_name,
};
use crate::attacks::{Attack, T, V, W, attack};
use crate::change::{
    decision, everywhere, inside, list, page_is, page_missing, pages, parent, project, remove, replace_in,
    replace_page, set,
};
use crate::valid::{action, cron, fork, mobile, pr_action, pull_request, push, tag};
use catena_json::Value;
use catena_testbed::chain::Product;
use catena_testbed::{Body, Chain, Release, Trigger};

/// A fork's pull request to a product whose policy does not allow them.
fn unforked() -> Release {
    Release::of(Product::APP_SERVICES, Trigger::PullRequestUntrusted)
}

/// A cron job of a product whose policy does not allow them.
fn unscheduled() -> Release {
    Release::of(Product::ADHOC, Trigger::Cron)
}

/// Sets a variable of the target's decision task.
fn sourced(chain: &mut Chain, name: &str, new: &str) -> Option<()> {
    decide(chain, |task| variable(task, name, new))
}

/// Removes a variable of the target's decision task.
fn unsourced(chain: &mut Chain, name: &str) -> Option<()> {
    decide(chain, |task| {
        let key = variable_name(task, name)?;
        remove(task, &["payload", "env", &key])
    })
}

/// Puts text before the list of projects.
fn projects(chain: &mut Chain, text: &str) -> Option<()> {
    pages(chain, "projects.yml")?.try_for_each(|page| {
        let Body::Bytes(bytes) = &page.body else { return None };
        let after = std::str::from_utf8(bytes).ok()?.split_once("---\n")?.1.to_owned();
        page.body = format!("{text}{after}").into();
        Some(())
    })
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "decision task with an unknown trigger",
        &[T],
        "A decision task names a trigger that no policy knows.",
        push,
        |c| decision(c, &["extra", "tasks_for"], "hg-tag"),
        "rebuild-tasks-for",
    ),
    attack(
        "decision task without a trigger",
        &[T],
        "A decision task names no trigger.",
        mobile,
        |c| decide(c, |task| remove(task, &["extra", "tasks_for"])),
        "rebuild-tasks-for",
    ),
    attack(
        "decision task with a list as its trigger",
        &[T],
        "The trigger of a cron job's decision task is a list.",
        cron,
        |c| decision(c, &["extra", "tasks_for"], list("cron")),
        "rebuild-tasks-for",
    ),
    attack(
        "action with an unknown trigger",
        &[T],
        "An action names a trigger that no policy knows.",
        action,
        |c| parent(c, &["extra", "tasks_for"], "Action"),
        "rebuild-tasks-for",
    ),
    attack(
        "fork's pull request where they are not allowed",
        &[T],
        "The product does not allow pull requests from forks, and a chain comes from one.",
        unforked,
        |_| Some(()),
        "rebuild-tasks-for",
    ),
    attack(
        "cron job where they are not allowed",
        &[T],
        "The product does not allow cron jobs, and a chain comes from one.",
        unscheduled,
        |_| Some(()),
        "rebuild-tasks-for",
    ),
    attack(
        "action of a pull request where they are not allowed",
        &[T],
        "The product does not allow actions on pull requests, and an action has that trigger.",
        || Release::of(Product::MOBILE, Trigger::Action),
        |c| parent(c, &["extra", "tasks_for"], "pr-action"),
        "rebuild-tasks-for",
    ),
    attack(
        "push to Mercurial on GitHub",
        &[T],
        "A decision task whose tree is on GitHub has the trigger of a push to Mercurial.",
        firefox_git,
        |c| decision(c, &["extra", "tasks_for"], "hg-push"),
        "rebuild-tasks-for",
    ),
    attack(
        "push to GitHub on Mercurial",
        &[T],
        "A decision task whose tree is on Mercurial has the trigger of a push to GitHub.",
        push,
        |c| decision(c, &["extra", "tasks_for"], "github-push"),
        "rebuild-host",
    ),
    attack(
        "push declared as a cron job",
        &[T],
        "A push's decision task has the trigger of a cron job.",
        push,
        |c| decision(c, &["extra", "tasks_for"], "cron"),
        "rebuild-environment",
    ),
    attack(
        "push declared as an action",
        &[T],
        "A push's decision task has the trigger of an action.",
        push,
        |c| decision(c, &["extra", "tasks_for"], "action"),
        "rebuild-environment",
    ),
    attack(
        "push declared as a release",
        &[T],
        "A decision task for a push to GitHub has the trigger of a release.",
        mobile,
        |c| decision(c, &["extra", "tasks_for"], "github-release"),
        "rebuild-unknown-to-vcs",
    ),
    attack(
        "push declared as a pull request",
        &[T],
        "A decision task for a push to GitHub has the trigger of a pull request.",
        mobile,
        |c| decision(c, &["extra", "tasks_for"], "github-pull-request"),
        "rebuild-environment",
    ),
    attack(
        "cron job declared as a push",
        &[T],
        "A cron job's decision task has the trigger of a push.",
        cron,
        |c| decision(c, &["extra", "tasks_for"], "hg-push"),
        "rebuild-push-comment",
    ),
    attack(
        "release declared as a push",
        &[T],
        "A release's decision task has the trigger of a push, with a tag as its revision.",
        tag,
        |c| decision(c, &["extra", "tasks_for"], "github-push"),
        "rebuild-revision",
    ),
    attack(
        "pull request declared as a push",
        &[T],
        "A pull request's decision task has the trigger of a push.",
        pull_request,
        |c| decision(c, &["extra", "tasks_for"], "github-push"),
        "rebuild-no-tasks",
    ),
    attack(
        "fork declared as a trusted pull request",
        &[T],
        "The decision task of a fork's pull request has the trigger of a trusted pull request.",
        fork,
        |c| decision(c, &["extra", "tasks_for"], "github-pull-request"),
        "rebuild-differs",
    ),
    attack(
        "action declared as a push",
        &[T],
        "An action has the trigger of a push.",
        action,
        |c| parent(c, &["extra", "tasks_for"], "hg-push"),
        "rebuild-differs",
    ),
    attack(
        "action of a pull request declared as an action",
        &[T],
        "An action on a pull request has the trigger of an action on a branch.",
        pr_action,
        |c| parent(c, &["extra", "tasks_for"], "action"),
        "rebuild-action-hook",
    ),
    attack(
        "action of a pull request offered as an action",
        &[T, W],
        "An action on a pull request has the trigger of an action on a branch, and is offered as one.",
        pr_action,
        |c| {
            offer(c, |offer| replace_in(offer, "in-tree-pr-action-", "in-tree-action-"))?;
            parent(c, &["extra", "tasks_for"], "action")
        },
        "rebuild-differs",
    ),
    attack(
        "tree in a system that the product does not use",
        &[T],
        "The product's policy lists no version control system that could hold the tree.",
        push,
        |_| Some(()),
        "rebuild-vcs",
    )
    .under("catena-policy: 1\nextends: shipped:firefox-ci\nproducts:\n  firefox:\n    vcs: []\n"),
    attack(
        "decision task with a short revision",
        &[T],
        "A decision task names only the first digits of its revision.",
        push,
        |c| sourced(c, "_HEAD_REV", "abcdef"),
        "rebuild-revision",
    ),
    attack(
        "decision task with a branch as its revision",
        &[T],
        "A decision task on GitHub names a branch as its revision.",
        mobile,
        |c| sourced(c, "_HEAD_REV", "main"),
        "rebuild-revision",
    ),
    attack(
        "decision task with the tip as its revision",
        &[T],
        "A cron job's decision task names the newest changeset as its revision.",
        cron,
        |c| sourced(c, "_HEAD_REV", "tip"),
        "rebuild-revision",
    ),
    attack(
        "decision task with a revision in uppercase",
        &[T],
        "A decision task spells its revision in uppercase.",
        thunderbird,
        |c| sourced(c, "_HEAD_REV", "ABCDEF0123456789ABCDEF0123456789ABCDEF01"),
        "rebuild-revision",
    ),
    attack(
        "decision task with a query in its revision",
        &[T],
        "A decision task's revision has a query, which would change the request.",
        push,
        |c| sourced(c, "_HEAD_REV", "abcdef0123456789abcdef0123456789abcdef01&full=0"),
        "rebuild-revision",
    ),
    attack(
        "path traversal in a decision task's revision",
        &[T],
        "A decision task on GitHub names a revision with path traversal to another repository's \
         template.",
        pull_request,
        |c| sourced(c, "_HEAD_REV", "../../../somebody/reference-browser"),
        "rebuild-revision",
    ),
    attack(
        "decision task without a revision",
        &[T],
        "A decision task does not name its revision.",
        git_cron,
        |c| unsourced(c, "_HEAD_REV"),
        "rebuild-revision",
    ),
    attack(
        "decision task with a malformed tag",
        &[T],
        "A release's decision task names a tag that would change the request.",
        tag,
        |c| sourced(c, "_HEAD_REV", "v151.0?draft=1"),
        "rebuild-environment",
    ),
    attack(
        "path traversal in a decision task's tag",
        &[T],
        "A release's decision task names a tag with path traversal to another repository.",
        tag,
        |c| sourced(c, "_HEAD_REV", "../../../somebody/reference-browser"),
        "rebuild-environment",
    ),
    attack(
        "decision task of an unknown revision",
        &[T],
        "A decision task names a revision that its tree does not have.",
        push,
        |c| sourced(c, "_HEAD_REV", "0123456789012345678901234567890123456789"),
        "rebuild-template-missing",
    ),
    attack(
        "decision task without a repository",
        &[T],
        "A decision task does not name its repository.",
        push,
        |c| unsourced(c, "_HEAD_REPOSITORY"),
        "rebuild-repository",
    ),
    attack(
        "decision task with user information in its repository",
        &[T],
        "A decision task names its repository with user information before the host.",
        mobile,
        |c| sourced(c, "_HEAD_REPOSITORY", "https://a@github.com/mozilla-mobile/reference-browser"),
        "rebuild-repository",
    ),
    attack(
        "decision task with a query in its repository",
        &[T],
        "A decision task names its repository with a query.",
        cron,
        |c| sourced(c, "_HEAD_REPOSITORY", "https://hg.mozilla.org/mozilla-central?x="),
        "rebuild-repository",
    ),
    attack(
        "path traversal in a decision task's repository",
        &[T],
        "A decision task names its repository with path traversal through another one.",
        push,
        |c| sourced(c, "_HEAD_REPOSITORY", "https://hg.mozilla.org/try/../mozilla-central"),
        "rebuild-repository",
    ),
    attack(
        "pull request without a base",
        &[T],
        "A pull request's decision task does not name the base repository.",
        pull_request,
        |c| unsourced(c, "_BASE_REPOSITORY"),
        "rebuild-repository",
    ),
    attack(
        "pull request into a tree on Mercurial",
        &[T],
        "A pull request's decision task names a base repository on Mercurial.",
        pull_request,
        |c| sourced(c, "_BASE_REPOSITORY", "https://hg.mozilla.org/mozilla-central"),
        "rebuild-differs",
    ),
    attack(
        "decision task of a look-alike host",
        &[T],
        "A decision task's tree is on a host whose name has the same prefix as Mercurial's.",
        push,
        |c| sourced(c, "_HEAD_REPOSITORY", "https://hg.mozilla.org.example.org/mozilla-central"),
        "rebuild-template-repository",
    ),
    attack(
        "everything from another host",
        &[T, V],
        "The whole chain names a copy of the tree on another host, which answers like the real one.",
        push,
        |c| everywhere(c, "hg.mozilla.org", "hg.example.org"),
        "rebuild-host",
    ),
    attack(
        "everything from a host other than GitHub",
        &[T, V],
        "The whole chain names a copy of the repository on another host.",
        mobile,
        |c| everywhere(c, "github.com", "gitlab.com"),
        "rebuild-host",
    ),
    attack(
        "decision task of an unencrypted host",
        &[T],
        "A decision task names its tree by an unencrypted address.",
        push,
        |c| sourced(c, "_HEAD_REPOSITORY", "http://hg.mozilla.org/mozilla-central"),
        "rebuild-repository",
    ),
    attack(
        "cron task without its job",
        &[T],
        "A cron job's decision task does not name its job.",
        cron,
        |c| decide(c, |task| remove(task, &["extra", "cron"])),
        "rebuild-environment",
    ),
    attack(
        "cron task whose job is an object",
        &[T],
        "A cron job's decision task names its job by an object and not by a string.",
        git_cron,
        |c| decide(c, |task| set(task, &["extra", "cron"], Vec::<Value>::new())),
        "rebuild-environment",
    ),
    attack(
        "cron task whose job has a key twice",
        &[T],
        "A cron job's decision task names two jobs under the same key.",
        cron,
        |c| {
            decide(c, |task| {
                let cron = inside(task, &["extra", "cron"])?;
                *cron = cron.as_str()?.replacen('{', "{\"job_name\":\"release\",", 1).into();
                Some(())
            })
        },
        "rebuild-environment",
    ),
    attack(
        "pull request without a number",
        &[T],
        "A pull request's decision task does not name its pull request.",
        pull_request,
        |c| unsourced(c, "_PULL_REQUEST_NUMBER"),
        "rebuild-environment",
    ),
    attack(
        "path traversal in a pull request's number",
        &[T],
        "A fork's decision task has a pull request number with path traversal to another answer.",
        fork,
        |c| sourced(c, "_PULL_REQUEST_NUMBER", "1234/../1"),
        "rebuild-environment",
    ),
    attack(
        "pull request with too large a number",
        &[T],
        "A pull request's decision task has a number that is too large.",
        pull_request,
        |c| sourced(c, "_PULL_REQUEST_NUMBER", "99999999999999999999999"),
        "rebuild-environment",
    ),
    attack(
        "pull request with another number",
        &[T],
        "A pull request's decision task has the number of a pull request that does not exist.",
        fork,
        |c| sourced(c, "_PULL_REQUEST_NUMBER", "1"),
        "rebuild-unknown-to-vcs",
    ),
    attack(
        "action without a context",
        &[T],
        "An action's definition has no context.",
        action,
        |c| act(c, |task| remove(task, &["extra", "action", "context"])),
        "rebuild-environment",
    ),
    attack(
        "project list missing",
        &[V],
        "The list of projects is missing.",
        push,
        |c| page_missing(c, "projects.yml"),
        "rebuild-projects",
    ),
    attack(
        "project list without the tree",
        &[V],
        "The list of projects lacks the tree that was pushed to.",
        push,
        |c| {
            replace_page(
                c,
                "projects.yml",
                "https://hg.mozilla.org/mozilla-central",
                "https://hg.mozilla.org/mozilla-west",
            )
        },
        "rebuild-project-unknown",
    ),
    attack(
        "project list without a level",
        &[V],
        "The list of projects does not state a tree's access level.",
        cron,
        |c| replace_page(c, "projects.yml", "  access: scm_level_3\n", ""),
        "rebuild-project-unknown",
    ),
    attack(
        "malformed project list",
        &[V],
        "The list of projects is truncated.",
        push,
        |c| page_is(c, "projects.yml", "mozilla-central: {"),
        "rebuild-projects",
    ),
    attack(
        "project list of nested aliases",
        &[V],
        "A list of projects of a few lines expands to a hundred billion items.",
        thunderbird,
        |c| {
            pages(c, "projects.yml")?.for_each(|page| page.body = alias_bomb("mozilla-central").into());
            Some(())
        },
        "rebuild-projects",
    ),
    attack(
        "project list nested too deep",
        &[V],
        "The list of projects has an entry that is nested deeper than the limit.",
        cron,
        |c| project(c, &deep()),
        "rebuild-projects",
    )
    .within(shallow),
    attack(
        "project list with another kind of tree",
        &[V],
        "The list of projects states that a tree on Mercurial is a git repository.",
        push,
        |c| replace_page(c, "projects.yml", "repo_type: hg", "repo_type: git"),
        "rebuild-project-unknown",
    ),
    attack(
        "project list without the branch",
        &[V],
        "The list of projects has levels for other branches than a GitHub repository's default \
         branch.",
        git_cron,
        |c| replace_page(c, "projects.yml", "    - name: main\n", "    - name: trunk\n"),
        "rebuild-project-unknown",
    ),
    attack(
        "project list with another default branch",
        &[V],
        "The list of projects names a default branch that it does not list.",
        git_cron,
        |c| replace_page(c, "projects.yml", "default_branch: main", "default_branch: release"),
        "rebuild-project-unknown",
    ),
    attack(
        "project list with another level",
        &[V],
        "The list of projects states the lowest access level for the tree.",
        push,
        |c| replace_page(c, "projects.yml", "scm_level_3", "scm_level_1"),
        "rebuild-differs",
    ),
    attack(
        "project list with another level for Thunderbird",
        &[V],
        "The list of projects states a higher level for Thunderbird's tree, and its tasks have the \
         lowest.",
        thunderbird,
        |c| replace_page(c, "projects.yml", "scm_level_3", "scm_level_2"),
        "rebuild-differs",
    ),
    attack(
        "project list with the tree twice",
        &[V],
        "Another project in the list names the tree first.",
        push,
        |c| {
            projects(
                c,
                "---\nother:\n  repo: https://hg.mozilla.org/mozilla-central\n  repo_type: hg\n  access: scm_level_3\n",
            )
        },
        "rebuild-differs",
    ),
];
