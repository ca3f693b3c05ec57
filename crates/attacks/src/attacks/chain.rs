//! Attacks on the shape of the chain: too deep, too wide, cyclic, with tasks that are missing or
//! declared as another kind.

use super::{Attack, Q, T, attack};
use crate::change::{
    NOBODY, build, decision, edit, edit_at, first_build, first_decision, image_of, inside, link_of,
    nth_build, only, remove, run_is, set, target_parent, upstream,
};
use crate::valid::{
    action, cron, finished, globs, mobile, pr_action, promotion, promotion_of_rounds, push, rounds, tag,
};
use catena_json::Value;
use catena_testbed::chain::{Builders, Images, Product};
use catena_testbed::{Chain, Release, Trigger};

const INPUTS: &[&str] = &["extra", "chainOfTrust", "inputs"];

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "chain too deep",
        &[T],
        "Eleven rounds of signing and repackaging lie between the builds and the target.",
        || Release { depth: 11, builds: 1, ..push() },
        |_| Some(()),
        "chain-too-deep",
    ),
    attack(
        "chain one step too deep",
        &[T],
        "A chain has one step more than the policy allows.",
        || Release { depth: 10, builds: 1, ..push() },
        |_| Some(()),
        "chain-too-deep",
    ),
    attack(
        "chain too deep on GitHub",
        &[T],
        "The chain of a release on GitHub is deeper than the policy allows.",
        || Release { depth: 10, builds: 1, ..tag() },
        |_| Some(()),
        "chain-too-deep",
    ),
    attack(
        "chain too deep in a promotion",
        &[T],
        "A release promotion has so many rounds that its images are deeper than the policy allows.",
        || Release { depth: 10, builds: 1, finished: true, ..promotion() },
        |_| Some(()),
        "chain-too-deep",
    ),
    attack(
        "chain deeper than a strict policy allows",
        &[T],
        "An ordinary chain has more steps than its own product's policy allows.",
        cron,
        |_| Some(()),
        "chain-too-deep",
    )
    .under("catena-policy: 1\nproducts:\n  firefox:\n    max-chain-length: 2\n"),
    attack(
        "image of another graph below a deep chain",
        &[T],
        "Below nine valid rounds, the build runs in the image of a further graph, one step too deep.",
        || Release { depth: 9, builds: 1, builders: Builders::DockerWorker, ..push() },
        |c| image_of(c, Release { seed: 7, images_from: Images::OwnGraph, ..push() }.build().ok()?),
        "chain-too-deep",
    ),
    attack(
        "chain too wide",
        &[T],
        "A target uses more tasks than the limit allows.",
        || Release { builds: 30, ..push() },
        |_| Some(()),
        "chain-too-wide",
    )
    .within(|limits| limits.links = 20),
    attack(
        "chain one task too wide",
        &[T],
        "A chain on GitHub has one task more than the limit allows.",
        || Release { images_from: Images::OwnGraph, image_builder: false, ..mobile() },
        |_| Some(()),
        "chain-too-wide",
    )
    .within(|limits| limits.links = 5),
    attack(
        "two builds that are inputs of each other",
        &[T],
        "Two builds each declare the other as an input.",
        push,
        |c| {
            let (id, other) = (first_build(c)?, nth_build(c, 1)?);
            input(c, &id, "build", &other)?;
            input(c, &other, "build", &id)
        },
        "chain-cyclic",
    ),
    attack(
        "build that is its own input",
        &[T],
        "A build declares itself as an input.",
        mobile,
        |c| {
            let id = first_build(c)?;
            input(c, &id, "build", &id)
        },
        "chain-cyclic",
    ),
    attack(
        "cycle of three builds",
        &[T],
        "Each of three builds declares the next as an input.",
        || Release { builders: Builders::DockerWorker, ..cron() },
        |c| {
            let (first, second, third) = (nth_build(c, 0)?, nth_build(c, 1)?, nth_build(c, 2)?);
            input(c, &first, "build", &second)?;
            input(c, &second, "build", &third)?;
            input(c, &third, "build", &first)
        },
        "chain-cyclic",
    ),
    attack(
        "image task with its own build as an input",
        &[T],
        "A docker-image task declares the build that runs in its image as an input.",
        tag,
        |c| {
            let (id, image) = (first_build(c)?, c.images.first()?.clone());
            input(c, &image, "build", &id)
        },
        "chain-cyclic",
    ),
    attack(
        "signing task with its own repackage as an input",
        &[T],
        "In a release promotion, a signing task uses the repackage that uses it.",
        || Release { depth: 1, builds: 1, ..promotion() },
        |c| {
            let (signing, repackage) = (link_of(c, "signing")?, link_of(c, "repackage")?);
            edit(c, &signing, |task| {
                let entry = inside(task, &["payload", "upstreamArtifacts", "0"])?;
                set(entry, &["taskId"], repackage.as_str())?;
                set(entry, &["taskType"], "repackage")
            })
        },
        "chain-cyclic",
    ),
    attack(
        "target as an input of its build",
        &[T],
        "A build declares the target as an input, and the target uses that build.",
        finished,
        |c| {
            let (id, target) = (first_build(c)?, c.target.clone());
            input(c, &id, "signing", &target)
        },
        "chain-cyclic",
    ),
    attack(
        "decision task made by its own build",
        &[T],
        "A decision task names one of its own builds as its parent.",
        push,
        |c| {
            let id = first_build(c)?;
            decision(c, &["extra", "parent"], id)
        },
        "chain-cyclic",
    ),
    attack(
        "action that is its own grandparent",
        &[T],
        "The decision task that an action acts on names the action as its parent.",
        action,
        |c| {
            let id = c.action.clone()?;
            decision(c, &["extra", "parent"], id)
        },
        "chain-cyclic",
    ),
    attack(
        "unknown upstream task",
        &[T, Q],
        "The target uses artifacts of a task that the queue does not know.",
        push,
        |c| upstream(c, "taskId", NOBODY),
        "task-unknown",
    ),
    attack(
        "unknown input",
        &[T, Q],
        "A build runs in an image of a task that the queue does not know.",
        cron,
        |c| {
            build(c, &["extra", "chainOfTrust", "inputs", "docker-image"], NOBODY)?;
            build(c, &["payload", "image", "taskId"], NOBODY)
        },
        "task-unknown",
    ),
    attack(
        "unknown parent",
        &[T, Q],
        "A build names a parent that the queue does not know.",
        mobile,
        |c| {
            let id = first_build(c)?;
            crate::change::only(c, &id, |task| set(task, &["extra", "parent"], NOBODY))
        },
        "task-unknown",
    ),
    attack(
        "upstream build unknown to the queue",
        &[Q],
        "The queue does not know a build that the target uses.",
        globs,
        |c| {
            let id = first_build(c)?;
            c.tasks.remove(&id).map(|_| ())
        },
        "task-unknown",
    ),
    attack(
        "action unknown to the queue",
        &[Q],
        "The queue does not know the action that made the target.",
        promotion,
        |c| {
            let id = target_parent(c)?;
            c.tasks.remove(&id).map(|_| ())
        },
        "task-unknown",
    ),
    attack(
        "decision task of a pull request unknown to the queue",
        &[Q],
        "The queue does not know the decision task of the pull request that an action acts on.",
        pr_action,
        |c| {
            let id = first_decision(c)?;
            c.tasks.remove(&id).map(|_| ())
        },
        "task-unknown",
    ),
    attack(
        "target unknown to the queue",
        &[Q],
        "The queue does not know the target.",
        push,
        |c| {
            let id = c.target.clone();
            c.tasks.remove(&id).map(|_| ())
        },
        "task-unknown",
    ),
    attack(
        "upstream task without a payload",
        &[Q],
        "The queue has no payload for a build, as for an expired task.",
        push,
        |c| {
            let id = first_build(c)?;
            remove(c.definition_mut(&id)?, &["payload"])
        },
        "definition-empty",
    ),
    attack(
        "image task with an empty definition",
        &[Q],
        "The queue's definition of the docker-image task is an empty object.",
        action,
        |c| {
            let id = c.images.first()?.clone();
            *c.definition_mut(&id)? = crate::change::empty();
            Some(())
        },
        "definition-empty",
    ),
    attack(
        "decision task with a payload of null",
        &[Q],
        "The queue's definition of the decision task has a payload of null.",
        tag,
        |c| {
            let id = first_decision(c)?;
            set(c.definition_mut(&id)?, &["payload"], Value::Null)
        },
        "definition-empty",
    ),
    attack(
        "upstream task that is not an id",
        &[T],
        "The target uses artifacts of a task whose id is a path.",
        push,
        |c| upstream(c, "taskId", "../../AAAAAAAAQACAAAAAAA"),
        "definition-malformed",
    ),
    attack(
        "upstream task id one letter too long",
        &[T],
        "The target uses artifacts of a task whose id is one letter too long.",
        cron,
        |c| upstream(c, "taskId", "AAAAAAAAQACAAAAAAAAAAAA"),
        "definition-malformed",
    ),
    attack(
        "input that is not an id",
        &[T],
        "A build of a push to GitHub declares an input whose id is a list.",
        mobile,
        |c| build(c, &["extra", "chainOfTrust", "inputs", "docker-image"], vec![Value::from(NOBODY)]),
        "definition-malformed",
    ),
    attack(
        "parent that is not an id",
        &[T],
        "A build's parent is an empty string.",
        push,
        |c| {
            let id = first_build(c)?;
            crate::change::only(c, &id, |task| set(task, &["extra", "parent"], ""))
        },
        "definition-malformed",
    ),
    attack(
        "failed upstream run",
        &[T, Q],
        "The image task that builds depend on failed, and its published image is used nevertheless.",
        cron,
        |c| {
            let id = c.images.first()?.clone();
            run_is(c, &id, "failed")
        },
        "run-not-completed",
    ),
    attack(
        "decision task with an exception",
        &[T, Q],
        "The decision task of a release ended in an exception after it had published its graph.",
        tag,
        |c| {
            let id = first_decision(c)?;
            run_is(c, &id, "exception")
        },
        "run-not-completed",
    ),
    attack(
        "pending upstream signing task",
        &[T, Q],
        "In a release promotion, the last run of a signing task between builds and target has not \
         started.",
        promotion_of_rounds,
        |c| {
            let id = link_of(c, "signing")?;
            run_is(c, &id, "pending")
        },
        "run-not-finished",
    ),
    attack(
        "unknown kind",
        &[T],
        "The target names a build's kind as one that no policy knows.",
        push,
        |c| upstream(c, "taskType", "mystery"),
        "kind-unknown",
    ),
    attack(
        "kind in uppercase",
        &[T],
        "The target names a build's kind as `Build`.",
        mobile,
        |c| upstream(c, "taskType", "Build"),
        "kind-unknown",
    ),
    attack(
        "kind without a name",
        &[T],
        "The target names a build's kind as an empty string.",
        cron,
        |c| upstream(c, "taskType", ""),
        "kind-unknown",
    ),
    attack(
        "kind with a colon",
        &[T],
        "The target names a build's kind with a colon, as links have in their names.",
        action,
        |c| upstream(c, "taskType", "signing:build"),
        "kind-unknown",
    ),
    attack(
        "kind with a trailing space",
        &[T],
        "The target of a release on GitHub names a build's kind with a space at its end.",
        tag,
        |c| upstream(c, "taskType", "build "),
        "kind-unknown",
    ),
    attack(
        "input of an unknown kind",
        &[T],
        "A build declares the docker-image task under a name that no policy knows.",
        finished,
        |c| {
            let (id, image) = (first_build(c)?, c.images.first()?.clone());
            input(c, &id, "toolchain", &image)?;
            edit(c, &id, |task| remove(task, &["extra", "chainOfTrust", "inputs", "docker-image"]))
        },
        "kind-unknown",
    ),
    attack(
        "target of an unknown kind",
        &[T],
        "The target is of a kind that no policy knows.",
        promotion,
        |c| {
            c.kind = "treescript".into();
            Some(())
        },
        "kind-unknown",
    ),
    attack(
        "build declared as a repackage",
        &[T],
        "The target lists a task as a repackage that describes itself as a build.",
        push,
        |c| upstream(c, "taskType", "repackage"),
        "kind-mismatch",
    ),
    attack(
        "repackage declared as a build",
        &[T],
        "The target lists a task as a build that describes itself as a repackage.",
        rounds,
        |c| upstream(c, "taskType", "build"),
        "kind-mismatch",
    ),
    attack(
        "repackage declared as a build in a promotion",
        &[T],
        "In a release promotion, a repackage is listed as localized builds are.",
        promotion_of_rounds,
        |c| upstream(c, "taskType", "l10n"),
        "kind-mismatch",
    ),
    attack(
        "build on GitHub declared as partial updates",
        &[T],
        "The target of a release on GitHub lists a build as partial updates.",
        tag,
        |c| upstream(c, "taskType", "partials"),
        "kind-mismatch",
    ),
    attack(
        "build of a cron job declared as localized",
        &[T],
        "The target of a cron job lists a build as a localized one.",
        || Release::of(Product::THUNDERBIRD, Trigger::Cron),
        |c| upstream(c, "taskType", "l10n"),
        "kind-mismatch",
    ),
    attack(
        "build declared as a decision task",
        &[T],
        "The target lists a build as a decision task.",
        push,
        |c| upstream(c, "taskType", "decision"),
        "worker-pool-decision",
    ),
    attack(
        "build declared as a parent",
        &[T],
        "The target lists a build under the reserved name for the task that made it.",
        cron,
        |c| upstream(c, "taskType", "parent"),
        "worker-pool-decision",
    ),
    attack(
        "build declared as an action",
        &[T],
        "The target of an action lists a build as an action.",
        action,
        |c| upstream(c, "taskType", "action"),
        "worker-pool-decision",
    ),
    attack(
        "build declared as an image",
        &[T],
        "The target of a push to GitHub lists a build as a docker image.",
        mobile,
        |c| upstream(c, "taskType", "docker-image"),
        "worker-pool-docker-image",
    ),
    attack(
        "decision task declared as a build",
        &[T],
        "The target lists the decision task of an earlier graph as a build, which would not be \
         rebuilt.",
        push,
        |c| {
            let decision = c.decisions.get(1)?.clone();
            upstream(c, "taskId", decision)
        },
        "graph-parent-makes-no-tasks",
    ),
    attack(
        "action with its own result as an input",
        &[T],
        "A release promotion that is about to run uses a signing task that it has yet to create.",
        promotion,
        |c| {
            let (action, made) = (c.action.clone()?, c.target.clone());
            (c.kind, c.check_target) = ("action".into(), false);
            c.target.clone_from(&action);
            only(c, &action, |task| input_of(task, "signing", &made))
        },
        "graph-parent-makes-no-tasks",
    ),
    attack(
        "image of a build that uses it before either has run",
        &[T],
        "A docker-image task that is about to run uses a build that is declared to have run in its \
         image.",
        push,
        |c| {
            let (id, image) = (first_build(c)?, c.images.first()?.clone());
            (c.kind, c.check_target) = ("docker-image".into(), false);
            c.target.clone_from(&image);
            input(c, &image, "build", &id)
        },
        "chain-cyclic",
    ),
    attack(
        "image task that runs in its own image",
        &[T],
        "An image task of a further graph runs in the image that it makes.",
        push,
        |c| {
            image_of(c, Release { seed: 7, images_from: Images::OwnGraph, ..push() }.build().ok()?)?;
            let id = first_build(c)?;
            let image = c.definition(&id)?.pointer(&["payload", "image", "taskId"])?.as_str()?.to_owned();
            edit_at(c, &image, &["payload", "image", "taskId"], image.as_str())?;
            edit_at(c, &image, &["extra", "chainOfTrust", "inputs", "docker-image"], image.as_str())
        },
        "chain-cyclic",
    ),
];

/// Adds a declared input to a task.
pub(super) fn input(chain: &mut Chain, id: &str, kind: &str, other: &str) -> Option<()> {
    edit(chain, id, |task| input_of(task, kind, other))
}

/// Adds a declared input to a definition.
fn input_of(task: &mut Value, kind: &str, other: &str) -> Option<()> {
    if task.pointer(&["extra", "chainOfTrust"]).is_none() {
        set(task, &["extra", "chainOfTrust"], catena_json::Map::new())?;
        set(task, INPUTS, catena_json::Map::new())?;
    }
    set(inside(task, INPUTS)?, &[kind], other)
}
