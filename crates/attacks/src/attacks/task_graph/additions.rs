//! Tasks with members that their parent's graph lacks or states differently.

use super::{image_only, nth_only, target_only};
use crate::attacks::{Attack, T, attack};
use crate::change::{add, build_only, first_build, graph, graph_entry, parent_of, remove, set};
use crate::valid::{action, cron, fork, mobile, pr_action, promotion, pull_request, push, tag};
use catena_json::Value;
use catena_testbed::Chain;

/// Removes a part of the first build's definition in the graph.
fn graph_lacks(chain: &mut Chain, key: &str) -> Option<()> {
    let id = first_build(chain)?;
    let parent = parent_of(chain, &id)?;
    graph(chain, &parent, |graph| remove(graph.get_mut(&id)?, &["task", key]))
}

/// Removes a part of the first build's definition in the graph, and changes it elsewhere.
fn added(chain: &mut Chain, key: &str, new: impl Into<Value>) -> Option<()> {
    graph_lacks(chain, key)?;
    build_only(chain, &[key], new)
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "dependency added",
        &[T],
        "A build depends on another build, and its graph entry does not.",
        push,
        |c| {
            let other = c.builds.get(1)?.clone();
            nth_only(c, 0, |task| add(task, &["dependencies"], other))
        },
        "graph-dependencies-added",
    ),
    attack(
        "dependency added to an image",
        &[T],
        "An image task of an earlier push depends on a build of a later one.",
        tag,
        |c| {
            let other = first_build(c)?;
            image_only(c, |task| add(task, &["dependencies"], other))
        },
        "graph-dependencies-added",
    ),
    attack(
        "dependency added to the target",
        &[T],
        "The signing task of an action depends on a task that its graph does not name.",
        action,
        |c| target_only(c, |task| add(task, &["dependencies"], crate::change::NOBODY)),
        "graph-dependencies-added",
    ),
    attack(
        "dependency added to an entry without any",
        &[T],
        "A build depends on its image, and its graph entry has no dependencies.",
        pr_action,
        |c| graph_entry(c, &["dependencies"], Vec::new()),
        "graph-dependencies-added",
    ),
    attack(
        "graph dependencies that are not a list",
        &[T],
        "The dependencies of a build in the graph are an object whose keys are their ids.",
        push,
        |c| {
            let id = first_build(c)?;
            let of = c.definition(&id)?.pointer(&["dependencies"])?.as_array()?.first()?.as_str()?.to_owned();
            let mut ids = crate::change::empty();
            set(&mut ids, &[&of], true)?;
            graph_entry(c, &["dependencies"], ids)
        },
        "graph-dependencies-added",
    ),
    attack(
        "route added",
        &[T],
        "A build has an index route, and its graph entry has no routes.",
        push,
        |c| graph_lacks(c, "routes"),
        "graph-definition-additions",
    ),
    attack(
        "scopes added",
        &[T],
        "A build has scopes, and its graph entry has none.",
        mobile,
        |c| graph_lacks(c, "scopes"),
        "graph-definition-additions",
    ),
    attack(
        "tags added",
        &[T],
        "A build of a release has tags, and its graph entry has none.",
        tag,
        |c| graph_lacks(c, "tags"),
        "graph-definition-additions",
    ),
    attack(
        "payload added",
        &[T],
        "A build of a cron job has a payload, and its graph entry has none.",
        cron,
        |c| graph_lacks(c, "payload"),
        "graph-definition-additions",
    ),
    attack(
        "condition added",
        &[T],
        "A build also runs when its dependencies have failed, and its graph entry does not say so.",
        push,
        |c| build_only(c, &["requires"], "all-resolved"),
        "graph-definition-additions",
    ),
    attack(
        "condition added to the target",
        &[T],
        "A promotion's signing task also runs when the builds have failed.",
        promotion,
        |c| target_only(c, |task| set(task, &["requires"], "all-resolved")),
        "graph-definition-additions",
    ),
    attack(
        "retries added",
        &[T],
        "A build has 49 retries, and its graph entry has none.",
        pull_request,
        |c| added(c, "retries", 49_i64),
        "graph-definition-additions",
    ),
    attack(
        "extra top-level member",
        &[T],
        "A build has a top-level member that neither the graph nor the platform knows.",
        push,
        |c| build_only(c, &["bonus"], "x"),
        "graph-definition-additions",
    ),
    attack(
        "extra null top-level member",
        &[T],
        "A build of a fork has a null top-level member that the graph lacks.",
        fork,
        |c| build_only(c, &["bonus"], Value::Null),
        "graph-definition-additions",
    ),
    attack(
        "project added",
        &[T],
        "A build names a Taskcluster project that the graph does not name.",
        push,
        |c| build_only(c, &["projectId"], "somebodys"),
        "graph-definition-additions",
    ),
    attack(
        "project of another graph",
        &[T],
        "A build names a different project from its graph.",
        push,
        |c| {
            graph_entry(c, &["projectId"], "gecko")?;
            build_only(c, &["projectId"], "comm")
        },
        "graph-definition-additions",
    ),
    attack(
        "group of another push",
        &[T],
        "A build is in the task group of an earlier push.",
        push,
        |c| {
            let other = c.decisions.get(1)?.clone();
            nth_only(c, 0, |task| set(task, &["taskGroupId"], other))
        },
        "graph-definition-additions",
    ),
    attack(
        "queue id only in the graph",
        &[T],
        "The graph names a different task queue for a build.",
        push,
        |c| graph_entry(c, &["taskQueueId"], "gecko-3/images-gcp"),
        "graph-definition-additions",
    ),
    attack(
        "other scheduler",
        &[T],
        "A build has a different scheduler from the graph's.",
        push,
        |c| build_only(c, &["schedulerId"], "other"),
        "graph-definition-additions",
    ),
    attack(
        "scheduler of another level",
        &[T],
        "A release's signing task has the scheduler of another level.",
        tag,
        |c| target_only(c, |task| set(task, &["schedulerId"], "mobile-level-2")),
        "graph-definition-additions",
    ),
    attack(
        "scheduler added",
        &[T],
        "A build has the scheduler of another trust domain, and the graph names none.",
        mobile,
        |c| added(c, "schedulerId", "gecko-level-3"),
        "graph-definition-additions",
    ),
    attack(
        "malformed priority",
        &[T],
        "A build has a priority that the platform does not have.",
        action,
        |c| build_only(c, &["priority"], "urgent"),
        "graph-definition-additions",
    ),
    attack(
        "priority as a number",
        &[T],
        "A build's priority is a number.",
        push,
        |c| build_only(c, &["priority"], 1_i64),
        "graph-definition-additions",
    ),
];
