//! Tasks that were created or changed by hand, or in a way that the policy does not know.

use super::{
    ACTION, CRON, Circumstance, D2G, DECISION, DOCKER_WORKER, GENERIC_WORKER, IMAGE, One, SIGNING, mistake,
};
use crate::change::{
    add, build, edit, graph, image_of, in_pool, json, only, parent_of, pool, remove, set, target, unbuild,
};
use crate::valid::{cron, mobile, promotion, pull_request, push, tag};
use catena_testbed::Release;
use catena_testbed::chain::{Images, Product, Scope};
use catena_verify::verdict::Class::{Invalid, Policy};

pub(super) const CIRCUMSTANCES: &[Circumstance] = &[
    Circumstance {
        name: "which was made by hand",
        change: |c, id| {
            let parent = parent_of(c, id)?;
            graph(c, &parent, |graph| remove(graph, &[id]))
        },
        code: "graph-lacks-task",
        class: Invalid,
        hint: "Find out who created it",
        of: &[DOCKER_WORKER, GENERIC_WORKER, IMAGE, SIGNING],
    },
    Circumstance {
        name: "which has expired",
        change: |c, id| c.tasks.remove(id).map(drop),
        code: "task-unknown",
        class: Invalid,
        hint: "expires",
        of: &[DOCKER_WORKER, IMAGE, DECISION, SIGNING],
    },
    Circumstance {
        name: "whose priority was changed in the queue",
        change: |c, id| set(c.definition_mut(id)?, &["priority"], "highest"),
        code: "rebuild-differs",
        class: Invalid,
        hint: "`priority`",
        of: &[DECISION, CRON, ACTION],
    },
    Circumstance {
        name: "which allows an interactive login",
        change: |c, id| edit(c, id, |task| set(task, &["payload", "features", "interactive"], true)),
        code: "interactive-found",
        class: Policy,
        hint: "without it",
        of: &[DOCKER_WORKER, D2G],
    },
    Circumstance {
        name: "which ran in a new pool",
        change: |c, id| pool(c, id, "gecko-3", "images-new"),
        code: "worker-pool-docker-image",
        class: Policy,
        hint: "add the pool",
        of: &[IMAGE],
    },
    Circumstance {
        name: "which ran in a new pool for decision tasks",
        change: |c, id| only(c, id, |task| in_pool(task, "gecko-3", "decision-new")),
        code: "worker-pool-decision",
        class: Policy,
        hint: "add the pool",
        of: &[DECISION, CRON],
    },
    Circumstance {
        name: "made for a new trigger",
        change: |c, id| only(c, id, |task| set(task, &["extra", "tasks_for"], "git-push")),
        code: "rebuild-tasks-for",
        class: Policy,
        hint: "newer",
        of: &[DECISION],
    },
];

/// A release with another scope of its target.
macro_rules! asks {
    ($release:expr, $scope:literal) => {
        || Release { scope: Scope::Exactly($scope.into()), ..$release }
    };
}

pub(super) const ONES: &[(&str, One)] = &[
    (
        "misspelled worker implementation",
        mistake(
            push,
            |c| build(c, &["tags", "worker-implementation"], "docker-wroker"),
            "worker-implementation-ambiguous",
            Invalid,
            "contradict each other",
        ),
    ),
    (
        "image named by its tag",
        mistake(
            push,
            |c| build(c, &["payload", "image"], "debian:stable"),
            "image-prebuilt",
            Policy,
            "docker-image task",
        ),
    ),
    (
        "image from the index",
        mistake(
            push,
            |c| {
                let image = json(
                    r#"{"type":"indexed-image","namespace":"gecko.cache.x","path":"public/image.tar.zst"}"#,
                )?;
                build(c, &["payload", "image"], image)
            },
            "image-indexed",
            Policy,
            "docker-image task",
        ),
    ),
    (
        "image that is not a declared input",
        mistake(
            push,
            |c| unbuild(c, &["extra", "chainOfTrust", "inputs", "docker-image"]),
            "image-not-declared",
            Invalid,
            "declare the image",
        ),
    ),
    (
        "payload without features",
        mistake(
            push,
            |c| unbuild(c, &["payload", "features"]),
            "interactive-undetermined",
            Policy,
            "features",
        ),
    ),
    (
        "release's key on the nightly tree",
        mistake(
            asks!(push(), "project:releng:signing:cert:release-signing"),
            |_| Some(()),
            "tree-scope",
            Policy,
            "trees named above",
        ),
    ),
    (
        "another channel in a promotion",
        mistake(
            asks!(promotion(), "project:releng:balrog:server:release"),
            |_| Some(()),
            "tree-scope",
            Policy,
            "trees named above",
        ),
    ),
    (
        "scope that ends in a star",
        mistake(
            asks!(cron(), "project:releng:signing:cert:*"),
            |_| Some(()),
            "tree-broad-scope",
            Policy,
            "take the scope out",
        ),
    ),
    (
        "another product's scope",
        mistake(
            asks!(
                Release::of(Product::GLEAN, catena_testbed::Trigger::Push),
                "project:mozilla:app-services:releng:beetmover:bucket:release"
            ),
            |_| Some(()),
            "tree-foreign-scope",
            Policy,
            "take the scope out",
        ),
    ),
    (
        "image of a pull request in a release",
        mistake(
            tag,
            |c| {
                image_of(
                    c,
                    Release { seed: 7, images_from: Images::OwnGraph, ..pull_request() }.build().ok()?,
                )
            },
            "pull-request-tasks-for",
            Policy,
            "trusted push",
        ),
    ),
    (
        "target with a dependency that its graph does not have",
        mistake(
            push,
            |c| {
                let (id, other) = (c.target.clone(), c.images.first()?.clone());
                only(c, &id, |task| add(task, &["dependencies"], other))
            },
            "graph-dependencies-added",
            Invalid,
            "Find out who created it",
        ),
    ),
    (
        "target whose deadline was set by hand",
        mistake(
            mobile,
            |c| {
                let id = c.target.clone();
                only(c, &id, |task| set(task, &["deadline"], "2031-01-01T00:00:00.000Z"))
            },
            "graph-times-differ",
            Invalid,
            "Find out who created it",
        ),
    ),
    (
        "finished target's source by http",
        mistake(
            push,
            |c| target(c, |task| crate::change::replace_in(task.get_mut("metadata")?, "https://", "http://")),
            "source-malformed",
            Invalid,
            "find out who created",
        ),
    ),
];
