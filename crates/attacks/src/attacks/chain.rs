//! Attacks on the shape of the chain: too deep, too wide, cyclic, with tasks that are not there or are not
//! what they are called.

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
        "too deep",
        &[T],
        "Eleven rounds of signing and repackaging lie between the builds and the target.",
        || Release { depth: 11, builds: 1, ..push() },
        |_| Some(()),
        "chain-too-deep",
    ),
    attack(
        "too deep by one step",
        &[T],
        "A chain has one step more than the policy allows.",
        || Release { depth: 10, builds: 1, ..push() },
        |_| Some(()),
        "chain-too-deep",
    ),
    attack(
        "too deep on GitHub",
        &[T],
        "The chain of a release on GitHub goes down farther than the policy allows.",
        || Release { depth: 10, builds: 1, ..tag() },
        |_| Some(()),
        "chain-too-deep",
    ),
    attack(
        "too deep in a promotion",
        &[T],
        "A release promotion has so many rounds that its images are farther away than the policy allows.",
        || Release { depth: 10, builds: 1, finished: true, ..promotion() },
        |_| Some(()),
        "chain-too-deep",
    ),
    attack(
        "deeper than a strict policy allows",
        &[T],
        "A usual chain has more steps than its own product's policy allows.",
        cron,
        |_| Some(()),
        "chain-too-deep",
    )
    .under("catena-policy: 1\nproducts:\n  firefox:\n    max-chain-length: 2\n"),
    attack(
        "image of another graph under a deep chain",
        &[T],
        "Under nine honest rounds, the build runs in the image of a further graph, one step too far down.",
        || Release { depth: 9, builds: 1, builders: Builders::DockerWorker, ..push() },
        |c| image_of(c, Release { seed: 7, images_from: Images::OwnGraph, ..push() }.build().ok()?),
        "chain-too-deep",
    ),
    attack(
        "too wide",
        &[T],
        "A target takes in more tasks than the limit allows.",
        || Release { builds: 30, ..push() },
        |_| Some(()),
        "chain-too-wide",
    )
    .within(|limits| limits.links = 20),
    attack(
        "too wide by one task",
        &[T],
        "A chain on GitHub has one task more than the limit allows.",
        || Release { images_from: Images::OwnGraph, image_builder: false, ..mobile() },
        |_| Some(()),
        "chain-too-wide",
    )
    .within(|limits| limits.links = 5),
    attack(
        "builds that are inputs of each other",
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
        "three builds in a circle",
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
        "image that takes in its own build",
        &[T],
        "A docker-image task declares as an input the build that runs in its image.",
        tag,
        |c| {
            let (id, image) = (first_build(c)?, c.images.first()?.clone());
            input(c, &image, "build", &id)
        },
        "chain-cyclic",
    ),
    attack(
        "signing that takes in what was made of it",
        &[T],
        "In a release promotion, a signing takes in the repackage that takes it in.",
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
        "target that is an input of a build",
        &[T],
        "A build declares the target, which takes it in, as an input.",
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
        "action that is its own parent's parent",
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
        "upstream task nobody knows",
        &[T, Q],
        "The target takes in artifacts of a task that the queue does not know.",
        push,
        |c| upstream(c, "taskId", NOBODY),
        "task-unknown",
    ),
    attack(
        "input nobody knows",
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
        "parent nobody knows",
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
        "build that the queue forgot",
        &[Q],
        "The queue does not know a build that the target takes in.",
        globs,
        |c| {
            let id = first_build(c)?;
            c.tasks.remove(&id).map(|_| ())
        },
        "task-unknown",
    ),
    attack(
        "action that the queue forgot",
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
        "decision task of a pull request that the queue forgot",
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
        "target that the queue does not know",
        &[Q],
        "The queue does not know the task that is to be verified.",
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
        "The queue has no payload for a build, as for a task that has expired.",
        push,
        |c| {
            let id = first_build(c)?;
            remove(c.definition_mut(&id)?, &["payload"])
        },
        "definition-empty",
    ),
    attack(
        "image task with nothing in its definition",
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
        "upstream task that is no id",
        &[T],
        "The target takes in artifacts of a task whose id is a path.",
        push,
        |c| upstream(c, "taskId", "../../AAAAAAAAQACAAAAAAA"),
        "definition-malformed",
    ),
    attack(
        "upstream task with an id of another version",
        &[T],
        "The target takes in artifacts of a task whose id is a letter too long.",
        cron,
        |c| upstream(c, "taskId", "AAAAAAAAQACAAAAAAAAAAAA"),
        "definition-malformed",
    ),
    attack(
        "input that is no id",
        &[T],
        "A build of a push to GitHub declares an input whose id is a list.",
        mobile,
        |c| build(c, &["extra", "chainOfTrust", "inputs", "docker-image"], vec![Value::from(NOBODY)]),
        "definition-malformed",
    ),
    attack(
        "parent that is no id",
        &[T],
        "A build's parent is an empty text.",
        push,
        |c| {
            let id = first_build(c)?;
            crate::change::only(c, &id, |task| set(task, &["extra", "parent"], ""))
        },
        "definition-malformed",
    ),
    attack(
        "upstream run that failed",
        &[T, Q],
        "The image task that builds depend on failed, and what it published is used all the same.",
        cron,
        |c| {
            let id = c.images.first()?.clone();
            run_is(c, &id, "failed")
        },
        "run-not-completed",
    ),
    attack(
        "decision task that ended in an exception",
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
        "signing that is still pending",
        &[T, Q],
        "In a release promotion, the last run of a signing between builds and target has not begun.",
        promotion_of_rounds,
        |c| {
            let id = link_of(c, "signing")?;
            run_is(c, &id, "pending")
        },
        "run-not-finished",
    ),
    attack(
        "kind nobody knows",
        &[T],
        "The target takes a build in as something that no policy knows.",
        push,
        |c| upstream(c, "taskType", "mystery"),
        "kind-unknown",
    ),
    attack(
        "kind in capital letters",
        &[T],
        "The target takes a build in as a `Build`.",
        mobile,
        |c| upstream(c, "taskType", "Build"),
        "kind-unknown",
    ),
    attack(
        "kind without a name",
        &[T],
        "The target takes a build in as an empty text.",
        cron,
        |c| upstream(c, "taskType", ""),
        "kind-unknown",
    ),
    attack(
        "kind that is a path of kinds",
        &[T],
        "The target takes a build in as a kind with a colon, as links have in their names.",
        action,
        |c| upstream(c, "taskType", "signing:build"),
        "kind-unknown",
    ),
    attack(
        "kind with a space",
        &[T],
        "The target of a release on GitHub takes a build in as a kind with a space at its end.",
        tag,
        |c| upstream(c, "taskType", "build "),
        "kind-unknown",
    ),
    attack(
        "input of a kind nobody knows",
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
        "target of a kind nobody knows",
        &[T],
        "The task to be verified is of a kind that no policy knows.",
        promotion,
        |c| {
            c.kind = "treescript".into();
            Some(())
        },
        "kind-unknown",
    ),
    attack(
        "build called a repackage",
        &[T],
        "The target takes in as a repackage what says itself that it is a build.",
        push,
        |c| upstream(c, "taskType", "repackage"),
        "kind-mismatch",
    ),
    attack(
        "repackage called a build",
        &[T],
        "The target takes in as a build what says itself that it is a repackage.",
        rounds,
        |c| upstream(c, "taskType", "build"),
        "kind-mismatch",
    ),
    attack(
        "repackage called a build in a promotion",
        &[T],
        "In a release promotion, a repackage is taken in as localized builds are.",
        promotion_of_rounds,
        |c| upstream(c, "taskType", "l10n"),
        "kind-mismatch",
    ),
    attack(
        "build on GitHub called partial updates",
        &[T],
        "The target of a release on GitHub takes in a build as partial updates.",
        tag,
        |c| upstream(c, "taskType", "partials"),
        "kind-mismatch",
    ),
    attack(
        "build of a cron job called localized",
        &[T],
        "The target of a cron job takes in a build as a localized one.",
        || Release::of(Product::THUNDERBIRD, Trigger::Cron),
        |c| upstream(c, "taskType", "l10n"),
        "kind-mismatch",
    ),
    attack(
        "build called a decision task",
        &[T],
        "The target takes in a build as a decision task.",
        push,
        |c| upstream(c, "taskType", "decision"),
        "worker-pool-decision",
    ),
    attack(
        "build called a parent",
        &[T],
        "The target takes in a build by the word that stands for whatever made a task.",
        cron,
        |c| upstream(c, "taskType", "parent"),
        "worker-pool-decision",
    ),
    attack(
        "build called an action",
        &[T],
        "The target of an action takes in a build as an action.",
        action,
        |c| upstream(c, "taskType", "action"),
        "worker-pool-decision",
    ),
    attack(
        "build called an image",
        &[T],
        "The target of a push to GitHub takes in a build as a docker image.",
        mobile,
        |c| upstream(c, "taskType", "docker-image"),
        "worker-pool-docker-image",
    ),
    attack(
        "decision task called a build",
        &[T],
        "The target takes in the decision task of an earlier graph as a build, so that it is not rebuilt.",
        push,
        |c| {
            let decision = c.decisions.get(1)?.clone();
            upstream(c, "taskId", decision)
        },
        "graph-parent-makes-no-tasks",
    ),
    attack(
        "action that takes in what it has yet to make",
        &[T],
        "A release promotion that is about to run takes in a signing that it is said to have made.",
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
        "image of a build that it takes in, and that is yet to be made",
        &[T],
        "A docker-image task that is about to run takes in a build that is said to have run in its image.",
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
        "image of a chain that has itself as its image",
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

/// Declares one more input of a task.
pub(super) fn input(chain: &mut Chain, id: &str, kind: &str, other: &str) -> Option<()> {
    edit(chain, id, |task| input_of(task, kind, other))
}

/// Declares one more input in a definition.
fn input_of(task: &mut Value, kind: &str, other: &str) -> Option<()> {
    if task.pointer(&["extra", "chainOfTrust"]).is_none() {
        set(task, &["extra", "chainOfTrust"], catena_json::Map::new())?;
        set(task, INPUTS, catena_json::Map::new())?;
    }
    set(inside(task, INPUTS)?, &[kind], other)
}
