//! Definitions that lack a part, have it in another form, or are malformed, in all places.

use crate::attacks::{Attack, Q, T, attack};
use crate::change::{build, decision, edit, first_build, first_decision, list, set, target, unbuild};
use crate::valid::{action, cron, fork, mobile, pr_action, promotion, pull_request, push, tag};
use catena_json::Value;
use catena_testbed::Chain;

/// Replaces the text of a build's definition.
fn text(chain: &mut Chain, change: impl FnOnce(String) -> String) -> Option<()> {
    let id = first_build(chain)?;
    let task = chain.tasks.get_mut(&id)?;
    task.definition_text = Some(change(task.definition.to_string()));
    Some(())
}

/// Replaces the text of the decision task's definition.
fn decision_sent(chain: &mut Chain, change: impl FnOnce(String) -> String) -> Option<()> {
    let id = first_decision(chain)?;
    let task = chain.tasks.get_mut(&id)?;
    task.definition_text = Some(change(task.definition.to_string()));
    Some(())
}

/// Changes an image task in all places.
fn image(chain: &mut Chain, path: &[&str], new: Value) -> Option<()> {
    let id = chain.images.first()?.clone();
    edit(chain, &id, |task| set(task, path, new.clone()))
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "definition without a payload",
        &[Q],
        "The queue's definition of a build has no payload.",
        push,
        |c| unbuild(c, &["payload"]),
        "definition-empty",
    ),
    attack(
        "empty definition",
        &[Q],
        "The queue answers with an empty object for a decision task.",
        mobile,
        |c| decision_sent(c, |_| "{}".to_owned()),
        "definition-empty",
    ),
    attack(
        "definition with a missing brace",
        &[Q],
        "An object in the queue's definition of a build is unterminated.",
        push,
        |c| text(c, |text| text.replacen("},", ",", 1)),
        "definition-not-json",
    ),
    attack(
        "definition followed by an object",
        &[Q],
        "The queue's definition of a decision task is followed by another object.",
        tag,
        |c| decision_sent(c, |text| format!("{text}{{}}")),
        "definition-not-json",
    ),
    attack(
        "definition with its scopes twice",
        &[Q],
        "The queue's definition of a build has two lists of scopes, and the last one matches the \
         graph's.",
        cron,
        |c| text(c, |text| text.replacen('{', "{\"scopes\":[\"*\"],", 1)),
        "definition-not-json",
    ),
    attack(
        "definition with a nested key twice",
        &[Q],
        "The environment of a decision task has the same variable twice.",
        pull_request,
        |c| decision_sent(c, |text| text.replacen("\"env\":{", "\"env\":{\"MOBILE_HEAD_REF\":\"main\",", 1)),
        "definition-not-json",
    ),
    attack(
        "definition with a malformed number",
        &[Q],
        "The maximum run time of a build is a number that JSON does not allow.",
        fork,
        |c| text(c, |text| text.replacen("\"maxRunTime\":7200", "\"maxRunTime\":NaN", 1)),
        "definition-not-json",
    ),
    attack(
        "definition of nested lists",
        &[Q],
        "The queue's definition of a build is ten thousand nested lists.",
        push,
        |c| text(c, |_| format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))),
        "availability-unreachable",
    ),
    attack(
        "definition with single quotes",
        &[Q],
        "The strings in the queue's definition of a decision task have single quotes.",
        promotion,
        |c| decision_sent(c, |text| text.replace('"', "'")),
        "definition-not-json",
    ),
    attack(
        "environment of numbers",
        &[T],
        "A variable of a build is a number.",
        push,
        |c| build(c, &["payload", "env", "A"], 1_i64),
        "definition-malformed",
    ),
    attack(
        "environment that is a list",
        &[T],
        "The environment of a decision task is a list.",
        mobile,
        |c| decision(c, &["payload", "env"], Vec::new()),
        "definition-malformed",
    ),
    attack(
        "missing source",
        &[T],
        "A build has no source.",
        push,
        |c| unbuild(c, &["metadata", "source"]),
        "definition-malformed",
    ),
    attack(
        "missing scopes",
        &[T],
        "A build of a release has no list of scopes.",
        tag,
        |c| unbuild(c, &["scopes"]),
        "definition-malformed",
    ),
    attack(
        "scopes that are a string",
        &[T],
        "The scopes of the signing task are a string.",
        action,
        |c| target(c, |task| set(task, &["scopes"], "project:releng:signing:cert:nightly-signing")),
        "definition-malformed",
    ),
    attack(
        "scope that is an object",
        &[T],
        "One scope of a build is an object.",
        cron,
        |c| build(c, &["scopes"], list(crate::change::empty())),
        "definition-malformed",
    ),
    attack(
        "dependency that is not an id",
        &[T],
        "A build of a pull request depends on a malformed task id.",
        pr_action,
        |c| build(c, &["dependencies"], list("../../evil")),
        "definition-malformed",
    ),
    attack(
        "group that is not an id",
        &[T],
        "An image task names a group with path traversal.",
        push,
        |c| image(c, &["taskGroupId"], "../task/x".into()),
        "definition-malformed",
    ),
    attack(
        "declared input that is not an id",
        &[T],
        "A build names an input with a malformed task id.",
        mobile,
        |c| build(c, &["extra", "chainOfTrust", "inputs", "docker-image"], 1_i64),
        "definition-malformed",
    ),
    attack(
        "inputs that are a list",
        &[T],
        "The inputs of a build are a list.",
        push,
        |c| build(c, &["extra", "chainOfTrust", "inputs"], Vec::new()),
        "definition-malformed",
    ),
    attack(
        "features that are a list",
        &[T],
        "The features of a build of a fork are a list of names.",
        fork,
        |c| build(c, &["payload", "features"], list("chainOfTrust")),
        "definition-malformed",
    ),
    attack(
        "upstream artifacts that are an object",
        &[T],
        "The upstream artifacts of the signing task are an object and not a list.",
        promotion,
        |c| target(c, |task| set(task, &["payload", "upstreamArtifacts"], crate::change::empty())),
        "definition-malformed",
    ),
    attack(
        "upstream artifacts with a string for optional",
        &[T],
        "The signing task's upstream artifacts state with a string whether files are optional.",
        tag,
        |c| target(c, |task| set(task, &["payload", "upstreamArtifacts", "0", "optional"], "false")),
        "definition-malformed",
    ),
    attack(
        "pool with a slash",
        &[T],
        "The worker type of a build has a slash in it.",
        push,
        |c| build(c, &["workerType"], "../gecko-1/x"),
        "definition-malformed",
    ),
    attack(
        "missing creation time",
        &[Q],
        "The queue does not state when a build was created.",
        cron,
        |c| unbuild(c, &["created"]),
        "definition-malformed",
    ),
    attack(
        "scheduler that is a number",
        &[Q],
        "The scheduler of a decision task is a number.",
        pull_request,
        |c| decision(c, &["schedulerId"], 3_i64),
        "definition-malformed",
    ),
    attack(
        "image task with two pools",
        &[T, Q],
        "An image task names a pool for images in one form and one for builds in the other.",
        mobile,
        |c| image(c, &["workerType"], "b-linux-gcp".into()),
        "definition-pool-contradiction",
    ),
    attack(
        "decision task with two pools",
        &[T, Q],
        "A release's decision task names a pool for decision tasks in one form and one for builds in the other.",
        tag,
        |c| decision(c, &["workerType"], "b-linux-gcp"),
        "definition-pool-contradiction",
    ),
    attack(
        "target with two pools",
        &[T, Q],
        "A promotion's signing task names a pool of another level in the newer form.",
        promotion,
        |c| target(c, |task| set(task, &["taskQueueId"], "scriptworker-k8s/gecko-1-signing")),
        "definition-pool-contradiction",
    ),
    attack(
        "pool that is null",
        &[Q],
        "The newer form of the pool of an action is null.",
        action,
        |c| crate::change::parent(c, &["taskQueueId"], Value::Null),
        "definition-malformed",
    ),
    attack(
        "build with two pools",
        &[T, Q],
        "A build names one pool in one form and another in the other.",
        push,
        |c| build(c, &["taskQueueId"], "gecko-1/x"),
        "definition-pool-contradiction",
    ),
];
