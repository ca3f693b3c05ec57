//! Attacks on the worker implementation: contradictory, unknown or missing, the wrong one for the kind,
//! and machines that allow an interactive login.

use super::{Attack, T, V, attack};
use crate::change::{
    add, build, build_only, edit, edit_at, edit_out, in_pool, in_tree, link_of, list, nth_build, remove, set,
    target, unbuild, upstream,
};
use crate::valid::{
    action, cron, finished, globs, mirrored, mobile, promotion, promotion_of_rounds, push, tag,
};
use catena_json::{Map, Value};
use catena_testbed::chain::{Builders, Implementation, Product};
use catena_testbed::{Chain, Release, Trigger};

const FEATURES: &str = "features: {taskclusterProxy: true, chainOfTrust: true}";
const TAG: &[&str] = &["tags", "worker-implementation"];
const INTERACTIVE: &[&str] = &["payload", "features", "interactive"];
const BY_ENV: &[&str] = &["payload", "env", "TASKCLUSTER_INTERACTIVE"];

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "build without an implementation",
        &[T],
        "A build has neither an image nor a tag that identifies its worker, so that any key could \
         be used.",
        push,
        |c| {
            unbuild(c, &["payload", "image"])?;
            unbuild(c, TAG)
        },
        "worker-implementation-missing",
    ),
    attack(
        "generic-worker build without an implementation",
        &[T],
        "A generic-worker's build has no mounts, no groups, and no tag.",
        cron,
        |c| {
            unmarked(c)?;
            let id = nth_build(c, 2)?;
            edit_out(c, &id, TAG)
        },
        "worker-implementation-missing",
    ),
    attack(
        "decision task without an implementation",
        &[T],
        "The in-tree template makes decision tasks without an image or any other mark of their \
         worker.",
        push,
        |c| {
            let from = "image: taskcluster/decision:3.0.1@sha256:5f9dc50cb2a1c3ad3a0d07a3f0b7c3b7f6c1f3a2f4f1a5c86b0e0f5a1f4e9a77\n          ";
            in_tree(c, from, "", |task| remove(task, &["payload", "image"]))
        },
        "worker-implementation-missing",
    ),
    attack(
        "empty implementation tag",
        &[T],
        "The only mark of a build's worker is an empty string.",
        mobile,
        |c| {
            unbuild(c, &["payload", "image"])?;
            build(c, TAG, "")
        },
        "worker-implementation-missing",
    ),
    attack(
        "target without an implementation",
        &[T],
        "The target runs outside the scriptworkers' provisioners and has no tag.",
        tag,
        |c| {
            target(c, |task| {
                in_pool(task, "mobile-3", "signing")?;
                remove(task, TAG)
            })
        },
        "worker-implementation-missing",
    ),
    attack(
        "groups beside an image",
        &[T],
        "A docker-worker's build also has operating system groups, which only generic-worker \
         supports.",
        push,
        |c| build(c, &["payload", "osGroups"], Vec::new()),
        "worker-implementation-ambiguous",
    ),
    attack(
        "mounts beside an image",
        &[T],
        "A docker-worker's build of a GitHub release also has generic-worker's mounts.",
        tag,
        |c| build(c, &["payload", "mounts"], Vec::new()),
        "worker-implementation-ambiguous",
    ),
    attack(
        "image beside mounts",
        &[T],
        "A generic-worker's build also names a docker image.",
        push,
        |c| {
            let id = nth_build(c, 2)?;
            edit_at(c, &id, &["payload", "image"], "debian:12")
        },
        "worker-implementation-ambiguous",
    ),
    attack(
        "tag of another worker",
        &[T],
        "A docker-worker's build is tagged as generic-worker's.",
        cron,
        |c| build(c, TAG, "generic-worker"),
        "worker-implementation-ambiguous",
    ),
    attack(
        "tag of a scriptworker on a build",
        &[T],
        "A docker-worker's build is tagged as a scriptworker's, whose key could then sign it.",
        action,
        |c| build(c, TAG, "scriptworker"),
        "worker-implementation-ambiguous",
    ),
    attack(
        "tag of an unknown worker beside an image",
        &[T],
        "A docker-worker's build is tagged with a worker that does not exist.",
        push,
        |c| build(c, TAG, "pigeon"),
        "worker-implementation-ambiguous",
    ),
    attack(
        "scope of docker-worker on a generic-worker's build",
        &[T],
        "A generic-worker's build has a scope that only docker-worker uses.",
        mobile,
        |c| {
            let id = nth_build(c, 2)?;
            edit(c, &id, |task| add(task, &["scopes"], "docker-worker:feature:allowPtrace"))
        },
        "worker-implementation-ambiguous",
    ),
    attack(
        "build in a scriptworker's pool",
        &[T],
        "A docker-worker's build runs in a scriptworkers' provisioner.",
        push,
        |c| {
            let id = nth_build(c, 0)?;
            crate::change::pool(c, &id, "scriptworker-k8s", "gecko-3-signing")
        },
        "worker-implementation-ambiguous",
    ),
    attack(
        "signing task with an image",
        &[T],
        "A signing task between builds and target names a docker image beside its scriptworker's \
         pool.",
        promotion_of_rounds,
        |c| {
            let id = link_of(c, "signing")?;
            edit_at(c, &id, &["payload", "image"], "debian:12")
        },
        "worker-implementation-ambiguous",
    ),
    attack(
        "target with mounts",
        &[T],
        "The target, a scriptworker's, also has generic-worker's mounts.",
        globs,
        |c| target(c, |task| set(task, &["payload", "mounts"], Vec::new())),
        "worker-implementation-ambiguous",
    ),
    attack(
        "decision task with mounts",
        &[T],
        "The in-tree template gives decision tasks generic-worker's mounts beside an image.",
        cron,
        |c| {
            in_tree(c, "maxRunTime: 1800\n", "maxRunTime: 1800\n          mounts: [a]\n", |task| {
                set(task, &["payload", "mounts"], list("a"))
            })
        },
        "worker-implementation-ambiguous",
    ),
    attack(
        "image task with a tag of another worker",
        &[T],
        "A docker-image task is tagged as generic-worker's own.",
        tag,
        |c| {
            let id = c.images.first()?.clone();
            edit_at(c, &id, TAG, "generic-worker")
        },
        "worker-implementation-ambiguous",
    ),
    attack(
        "unknown implementation tag",
        &[T],
        "The only mark of a build's worker is a tag with an unknown name.",
        push,
        |c| only_tag(c, Value::from("pigeon")),
        "worker-implementation-unknown",
    ),
    attack(
        "implementation tag in uppercase",
        &[T],
        "The only mark of a build's worker is a tag in uppercase.",
        mobile,
        |c| only_tag(c, Value::from("Generic-Worker")),
        "worker-implementation-unknown",
    ),
    attack(
        "implementation tag with a space",
        &[T],
        "The only mark of a build's worker is a tag with a trailing space.",
        cron,
        |c| only_tag(c, Value::from("generic-worker ")),
        "worker-implementation-unknown",
    ),
    attack(
        "implementation tag that is a list",
        &[T],
        "The only mark of a build's worker is a tag that is a list.",
        push,
        |c| only_tag(c, list("generic-worker")),
        "worker-implementation-unknown",
    ),
    attack(
        "target of an unknown provisioner",
        &[T],
        "The target runs in a pool whose provisioner only has a name similar to the scriptworkers'.",
        push,
        |c| {
            target(c, |task| {
                in_pool(task, "scriptworker-k8s-test", "gecko-3-signing")?;
                set(task, TAG, "scriptworker-k8s")
            })
        },
        "worker-implementation-unknown",
    ),
    attack(
        "build declared as a signing task",
        &[T],
        "The target lists a build as a signing task, which only scriptworkers run.",
        push,
        |c| upstream(c, "taskType", "signing"),
        "kind-needs-scriptworker",
    ),
    attack(
        "build declared as a beetmover task",
        &[T],
        "The target of a GitHub release lists a build as a beetmover task.",
        tag,
        |c| upstream(c, "taskType", "beetmover"),
        "kind-needs-scriptworker",
    ),
    attack(
        "image task declared as a signing task",
        &[T],
        "A generic-worker's build declares an image task as a signing task among its inputs.",
        cron,
        |c| {
            let (id, image) = (nth_build(c, 2)?, c.images.first()?.clone());
            edit_at(c, &id, &["extra", "chainOfTrust"], one("inputs", one("signing", image)))
        },
        "kind-needs-scriptworker",
    ),
    attack(
        "target run by generic-worker",
        &[T],
        "The target, a signing task, runs in a generic-worker's pool.",
        push,
        on_generic_worker,
        "kind-needs-scriptworker",
    ),
    attack(
        "finished target run by generic-worker",
        &[T],
        "The target, a finished signing task, was run and signed by a generic-worker.",
        finished,
        |c| {
            let id = c.target.clone();
            c.tasks.get_mut(&id)?.implementation = Implementation::GenericWorker;
            on_generic_worker(c)
        },
        "kind-needs-scriptworker",
    ),
    attack(
        "balrog run by generic-worker",
        &[T],
        "The target, which updates what is offered to users, runs in a generic-worker's pool.",
        || Release { kind: Some("balrog"), ..cron() },
        on_generic_worker,
        "kind-needs-scriptworker",
    ),
    attack(
        "bouncer run by generic-worker",
        &[T],
        "The target, which changes where downloads lead, runs in a generic-worker's pool.",
        || Release { kind: Some("bouncer"), ..action() },
        on_generic_worker,
        "kind-needs-scriptworker",
    ),
    attack(
        "pushapk run by generic-worker",
        &[T],
        "The target, which publishes to an app store, runs in a generic-worker's pool.",
        || Release { kind: Some("pushapk"), ..tag() },
        on_generic_worker,
        "kind-needs-scriptworker",
    ),
    attack(
        "shipit run by generic-worker",
        &[T],
        "The target of a release promotion, which marks releases as shipped, runs in a generic-worker's pool.",
        || Release { kind: Some("shipit"), ..promotion() },
        on_generic_worker,
        "kind-needs-scriptworker",
    ),
    attack(
        "beetmover run by generic-worker",
        &[T],
        "The target of a pull request's action, which publishes files, runs in a generic-worker's pool.",
        crate::valid::pr_action,
        on_generic_worker,
        "kind-needs-scriptworker",
    ),
    attack(
        "intermediate signing task run by generic-worker",
        &[T],
        "A signing task between builds and target was run and signed by a generic-worker.",
        promotion_of_rounds,
        |c| {
            let id = link_of(c, "signing")?;
            c.tasks.get_mut(&id)?.implementation = Implementation::GenericWorker;
            edit(c, &id, |task| {
                in_pool(task, "gecko-3", "b-win2022")?;
                set(task, TAG, "generic-worker")
            })
        },
        "kind-needs-scriptworker",
    ),
    attack(
        "interactive build",
        &[T],
        "A docker-worker's build has the feature that lets its creator open a shell in it.",
        push,
        |c| build(c, INTERACTIVE, true),
        "interactive-found",
    ),
    attack(
        "interactive by environment",
        &[T],
        "A docker-worker's build has the environment variable that makes it wait for a shell.",
        push,
        |c| build(c, BY_ENV, "true"),
        "interactive-found",
    ),
    attack(
        "interactive by any string in the environment",
        &[T],
        "The environment variable for shells is `0`, which docker-worker treats as set.",
        mobile,
        |c| build(c, BY_ENV, "0"),
        "interactive-found",
    ),
    attack(
        "interactive by a string",
        &[T],
        "The feature for shells has a string as its value, which is not false.",
        cron,
        |c| build(c, INTERACTIVE, "no"),
        "interactive-found",
    ),
    attack(
        "interactive by a number",
        &[T],
        "The feature for shells has a number as its value.",
        action,
        |c| build(c, INTERACTIVE, 1_i64),
        "interactive-found",
    ),
    attack(
        "interactive by an object",
        &[T],
        "The feature for shells has settings as its value.",
        tag,
        |c| build(c, &["payload", "features"], one("interactive", one("port", 22_i64))),
        "interactive-found",
    ),
    attack(
        "interactive container of generic-worker",
        &[T],
        "A container that generic-worker runs has the feature for shells.",
        cron,
        |c| {
            let id = nth_build(c, 1)?;
            edit_at(c, &id, INTERACTIVE, true)
        },
        "interactive-found",
    ),
    attack(
        "interactive generic-worker",
        &[T],
        "A generic-worker's build has the feature for shells.",
        push,
        |c| {
            let id = nth_build(c, 2)?;
            edit_at(c, &id, INTERACTIVE, true)
        },
        "interactive-found",
    ),
    attack(
        "generic-worker with docker-worker's variable",
        &[T],
        "A generic-worker's build has the environment variable that makes docker-worker wait for a \
         shell.",
        mobile,
        |c| {
            let id = nth_build(c, 2)?;
            edit_at(c, &id, BY_ENV, "1")
        },
        "interactive-found",
    ),
    attack(
        "remote desktop",
        &[T],
        "A generic-worker's build publishes the login of a remote desktop.",
        push,
        |c| {
            let id = nth_build(c, 2)?;
            edit_at(c, &id, &["payload", "rdpInfo"], "login-identity/rdpinfo.json")
        },
        "interactive-found",
    ),
    attack(
        "remote desktop of a docker-worker",
        &[T],
        "A docker-worker's build requests a remote desktop, which its worker may grant.",
        tag,
        |c| build(c, &["payload", "rdpInfo"], "login-identity/rdpinfo.json"),
        "interactive-found",
    ),
    attack(
        "remote desktop by a scope",
        &[T],
        "A generic-worker's build has the scope that allows remote desktops.",
        mirrored,
        |c| {
            let id = nth_build(c, 2)?;
            edit(c, &id, |task| add(task, &["scopes"], "generic-worker:allow-rdp:gecko-3/b-win2022"))
        },
        "interactive-found",
    ),
    attack(
        "remote desktop by a container's scope",
        &[T],
        "A container that generic-worker runs has the scope that allows remote desktops.",
        cron,
        |c| {
            let id = nth_build(c, 1)?;
            edit(c, &id, |task| add(task, &["scopes"], "generic-worker:allow-rdp:gecko-3/b-linux-gcp"))
        },
        "interactive-found",
    ),
    attack(
        "interactive image task",
        &[T],
        "A user could log in to the task that made the builds' image.",
        push,
        |c| {
            let id = c.images.first()?.clone();
            edit_at(c, &id, INTERACTIVE, true)
        },
        "interactive-found",
    ),
    attack(
        "interactive repackage",
        &[T],
        "A user could log in to a repackage of a release promotion.",
        promotion_of_rounds,
        |c| {
            let id = link_of(c, "repackage")?;
            edit_at(c, &id, INTERACTIVE, true)
        },
        "interactive-found",
    ),
    attack(
        "interactive target",
        &[T],
        "The target itself, a scriptworker's task, has the feature for shells.",
        tag,
        |c| target(c, |task| set(task, &["payload", "features"], one("interactive", true))),
        "interactive-found",
    ),
    attack(
        "interactive decision task",
        &[T, V],
        "The in-tree template makes decision tasks that a user can log in to.",
        push,
        |c| {
            let to = "features: {taskclusterProxy: true, chainOfTrust: true, interactive: true}";
            in_tree(c, FEATURES, to, |task| set(task, INTERACTIVE, true))
        },
        "interactive-found",
    ),
    attack(
        "interactive action",
        &[T, V],
        "The in-tree template gives actions the environment variable that waits for a shell.",
        action,
        |c| {
            let from = "HG_STORE_PATH: /builds/worker/checkouts/hg-store\n";
            let to = "HG_STORE_PATH: /builds/worker/checkouts/hg-store\n                  TASKCLUSTER_INTERACTIVE: 'true'\n";
            in_tree(c, from, to, |task| set(task, BY_ENV, "true"))
        },
        "interactive-found",
    ),
    attack(
        "interactive, but not in the graph",
        &[T],
        "A build is interactive in the queue and to its worker, and not in its graph.",
        push,
        |c| build_only(c, INTERACTIVE, true),
        "interactive-found",
    ),
    attack(
        "missing features",
        &[T],
        "A docker-worker's build has no features, so that its interactivity is undetermined.",
        push,
        |c| unbuild(c, &["payload", "features"]),
        "interactive-undetermined",
    ),
    attack(
        "missing environment",
        &[T],
        "A docker-worker's build has no environment, so that its interactivity is undetermined.",
        mobile,
        |c| unbuild(c, &["payload", "env"]),
        "interactive-undetermined",
    ),
    attack(
        "container without features",
        &[T],
        "A container that generic-worker runs has no features.",
        || Release { builders: Builders::D2g, ..Release::of(Product::THUNDERBIRD, Trigger::Push) },
        |c| unbuild(c, &["payload", "features"]),
        "interactive-undetermined",
    ),
    attack(
        "image task without an environment",
        &[T],
        "A docker-image task has no environment, so that its interactivity is undetermined.",
        cron,
        |c| {
            let id = c.images.first()?.clone();
            edit_out(c, &id, &["payload", "env"])
        },
        "interactive-undetermined",
    ),
    attack(
        "decision task without features",
        &[T, V],
        "The in-tree template makes decision and action tasks without features.",
        action,
        |c| {
            let from = format!("{FEATURES}\n          ");
            in_tree(c, &from, "", |task| remove(task, &["payload", "features"]))
        },
        "interactive-undetermined",
    ),
];

fn one(name: &str, value: impl Into<Value>) -> Value {
    let mut map = Map::new();
    map.insert(name, value.into());
    Value::Object(map)
}

/// Removes all marks of generic-worker from its own build, except for its tag.
fn unmarked(chain: &mut Chain) -> Option<()> {
    let id = nth_build(chain, 2)?;
    edit_out(chain, &id, &["payload", "mounts"])?;
    edit_out(chain, &id, &["payload", "osGroups"])
}

/// Leaves only a tag to identify the worker of generic-worker's own build.
fn only_tag(chain: &mut Chain, tag: Value) -> Option<()> {
    unmarked(chain)?;
    let id = nth_build(chain, 2)?;
    edit_at(chain, &id, TAG, tag)
}

/// Moves the target to a generic-worker.
fn on_generic_worker(chain: &mut Chain) -> Option<()> {
    target(chain, |task| {
        let provisioner = task.get("schedulerId")?.as_str()?.replace("-level", "");
        in_pool(task, &provisioner, "b-win2022")?;
        set(task, TAG, "generic-worker")
    })
}
