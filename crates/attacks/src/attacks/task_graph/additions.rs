//! Tasks that have what their parent's graph does not say, or has none of.

use super::{image_only, nth_only, target_only};
use crate::attacks::{Attack, T, attack};
use crate::change::{add, build_only, first_build, graph, graph_entry, parent_of, remove, set};
use crate::valid::{action, cron, fork, mobile, pr_action, promotion, pull_request, push, tag};
use catena_json::Value;
use catena_testbed::Chain;

/// Takes a part out of the first build's definition in the graph.
fn graph_lacks(chain: &mut Chain, key: &str) -> Option<()> {
    let id = first_build(chain)?;
    let parent = parent_of(chain, &id)?;
    graph(chain, &parent, |graph| remove(graph.get_mut(&id)?, &["task", key]))
}

/// Takes a part out of the first build's definition in the graph, and changes it elsewhere.
fn added(chain: &mut Chain, key: &str, new: impl Into<Value>) -> Option<()> {
    graph_lacks(chain, key)?;
    build_only(chain, &[key], new)
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "dependency added",
        &[T],
        "A build waits for another build, which the graph does not let it.",
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
        "An image task of an earlier push waits for a build of a later one.",
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
        "The task that signs for an action waits for a task that its graph does not name.",
        action,
        |c| target_only(c, |task| add(task, &["dependencies"], crate::change::NOBODY)),
        "graph-dependencies-added",
    ),
    attack(
        "dependency of a graph without any",
        &[T],
        "A build waits for its image, and the graph lets it wait for nothing.",
        pr_action,
        |c| graph_entry(c, &["dependencies"], Vec::new()),
        "graph-dependencies-added",
    ),
    attack(
        "dependencies of a graph that are no list",
        &[T],
        "The graph's dependencies of a build are an object whose keys are their ids.",
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
        "A build enters the index, and the graph gives it no routes.",
        push,
        |c| graph_lacks(c, "routes"),
        "graph-definition-additions",
    ),
    attack(
        "scopes added",
        &[T],
        "A build has scopes, and the graph says nothing of scopes.",
        mobile,
        |c| graph_lacks(c, "scopes"),
        "graph-definition-additions",
    ),
    attack(
        "tags added",
        &[T],
        "A build of a release has tags, and the graph says nothing of tags.",
        tag,
        |c| graph_lacks(c, "tags"),
        "graph-definition-additions",
    ),
    attack(
        "payload added",
        &[T],
        "A build of a cron job runs something, and the graph does not say what.",
        cron,
        |c| graph_lacks(c, "payload"),
        "graph-definition-additions",
    ),
    attack(
        "condition added",
        &[T],
        "A build also runs when what it waits for has failed, of which the graph says nothing.",
        push,
        |c| build_only(c, &["requires"], "all-resolved"),
        "graph-definition-additions",
    ),
    attack(
        "condition added to the target",
        &[T],
        "The task that signs a promotion also runs when the builds have failed.",
        promotion,
        |c| target_only(c, |task| set(task, &["requires"], "all-resolved")),
        "graph-definition-additions",
    ),
    attack(
        "retries added",
        &[T],
        "A build is tried 49 times, and the graph says nothing of it.",
        pull_request,
        |c| added(c, "retries", 49_i64),
        "graph-definition-additions",
    ),
    attack(
        "part added",
        &[T],
        "A build has a part at the top that neither the graph nor the platform knows.",
        push,
        |c| build_only(c, &["bonus"], "x"),
        "graph-definition-additions",
    ),
    attack(
        "null part added",
        &[T],
        "A build of a fork has a part at the top that is null, which the graph lacks.",
        fork,
        |c| build_only(c, &["bonus"], Value::Null),
        "graph-definition-additions",
    ),
    attack(
        "project added",
        &[T],
        "A build belongs to a project of Taskcluster that the graph does not name.",
        push,
        |c| build_only(c, &["projectId"], "somebodys"),
        "graph-definition-additions",
    ),
    attack(
        "project of another graph",
        &[T],
        "A build is of another project than its graph lets it be of.",
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
        "queue added by the graph",
        &[T],
        "The graph names another queue for a build than it has.",
        push,
        |c| graph_entry(c, &["taskQueueId"], "gecko-3/images-gcp"),
        "graph-definition-additions",
    ),
    attack(
        "other scheduler",
        &[T],
        "A build is of another scheduler than the graph says.",
        push,
        |c| build_only(c, &["schedulerId"], "other"),
        "graph-definition-additions",
    ),
    attack(
        "scheduler of another level",
        &[T],
        "The task that signs a release is of the scheduler of another level.",
        tag,
        |c| target_only(c, |task| set(task, &["schedulerId"], "mobile-level-2")),
        "graph-definition-additions",
    ),
    attack(
        "scheduler added",
        &[T],
        "A build is of a scheduler of another trust domain, and the graph names none.",
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
