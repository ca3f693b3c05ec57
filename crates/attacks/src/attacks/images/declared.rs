//! Images that tasks may not run in: undeclared, from a registry or the index, or made in a pool of
//! other tasks.

use super::super::{Attack, Q, T, attack};
use super::image_of;
use crate::change::{
    build, edit, edit_at, edit_out, first_build, in_tree, link_of, nth_build, pool, remove, set,
};
use crate::valid::{action, cron, finished, mobile, promotion_of_rounds, push, tag};
use catena_json::Value;
use catena_testbed::chain::{Builders, Images, Product, Scope};
use catena_testbed::{Chain, Release, Trigger};

const PINNED: &str = "debian:12@sha256:1f40fc92da241694750979ee6cf582f2d5d7d28e18335de05abc54d0560e0f53";

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "image not declared as an input",
        &[T],
        "A build runs in an image that it does not declare as an input.",
        push,
        |c| {
            let id = first_build(c)?;
            edit_out(c, &id, &["extra", "chainOfTrust", "inputs", "docker-image"])
        },
        "image-not-declared",
    ),
    attack(
        "build without declared inputs",
        &[T],
        "A build of a push to GitHub runs in a task's image and declares no inputs.",
        mobile,
        |c| {
            let id = first_build(c)?;
            edit_out(c, &id, &["extra", "chainOfTrust"])
        },
        "image-not-declared",
    ),
    attack(
        "image builder declared as the image",
        &[T],
        "A build declares the image builder as its input, and runs in the image that the builder's \
         image built.",
        push,
        |c| {
            let image = c.images.first()?.clone();
            let (id, builder) = (first_build(c)?, image_of(c, &image)?);
            edit_at(c, &id, &["extra", "chainOfTrust", "inputs", "docker-image"], builder)
        },
        "image-not-declared",
    ),
    attack(
        "image of a repackage other than the declared one",
        &[T],
        "In a release promotion, a repackage runs in a different image of the chain from the \
         declared one.",
        || Release { images: 2, ..promotion_of_rounds() },
        |c| {
            let id = link_of(c, "repackage")?;
            let declared = image_of(c, &id)?;
            let other = c.images.iter().find(|image| **image != declared)?.clone();
            edit_at(c, &id, &["payload", "image", "taskId"], other)
        },
        "image-not-declared",
    ),
    attack(
        "image builder's image not declared as an input",
        &[T],
        "A docker-image task runs in its image builder's image and does not declare it as an input.",
        cron,
        |c| {
            let id = c.images.first()?.clone();
            edit_out(c, &id, &["extra", "chainOfTrust"])
        },
        "image-not-declared",
    ),
    attack(
        "image made by a build",
        &[T],
        "The image that a build declares and runs in is an artifact of another build.",
        push,
        |c| {
            let (id, other) = (first_build(c)?, nth_build(c, 1)?);
            runs_in(c, &id, &other)
        },
        "image-of-another-kind",
    ),
    attack(
        "image made by the decision task",
        &[T],
        "A build declares an artifact of the decision task as its image.",
        tag,
        |c| {
            let (id, other) = (first_build(c)?, c.decisions.first()?.clone());
            runs_in(c, &id, &other)
        },
        "image-of-another-kind",
    ),
    attack(
        "image made by a signing task",
        &[T],
        "A repackage declares an artifact of the earlier signing task as its image.",
        promotion_of_rounds,
        |c| {
            let (id, other) = (link_of(c, "repackage")?, link_of(c, "signing")?);
            runs_in(c, &id, &other)
        },
        "worker-pool-docker-image",
    ),
    attack(
        "image task declared as a build",
        &[T],
        "The target lists the docker-image task as a build, so that it would not be verified as an \
         image.",
        push,
        |c| {
            let image = c.images.first()?.clone();
            crate::change::upstream(c, "taskId", image)
        },
        "image-of-another-kind",
    ),
    attack(
        "prebuilt images",
        &[T],
        "Builds run in images from a registry, which their kind does not allow.",
        || Release { images_from: Images::Prebuilt, ..push() },
        |_| Some(()),
        "image-prebuilt",
    ),
    attack(
        "prebuilt images of generic-worker's containers",
        &[T],
        "Containers that generic-worker runs use images from a registry.",
        || Release { images_from: Images::Prebuilt, builders: Builders::D2g, ..cron() },
        |_| Some(()),
        "image-prebuilt",
    ),
    attack(
        "prebuilt images on GitHub",
        &[T],
        "A product whose builds must run in images of their chain runs them in images from a \
         registry.",
        || Release { images_from: Images::Prebuilt, ..Release::of(Product::ENTERPRISE, Trigger::Release) },
        |_| Some(()),
        "image-prebuilt",
    ),
    attack(
        "prebuilt images of an action's chain",
        &[T],
        "An action's chain of another product has builds that run in images from a registry.",
        || Release { images_from: Images::Prebuilt, ..Release::of(Product::THUNDERBIRD, Trigger::Action) },
        |_| Some(()),
        "image-prebuilt",
    ),
    attack(
        "one prebuilt image",
        &[T],
        "One build of many runs in an image from a registry, pinned by its digest.",
        push,
        |c| build(c, &["payload", "image"], PINNED),
        "image-prebuilt",
    ),
    attack(
        "prebuilt image of a repackage",
        &[T],
        "In a release promotion, a repackage runs in an image from a registry.",
        promotion_of_rounds,
        |c| {
            let id = link_of(c, "repackage")?;
            edit_at(c, &id, &["payload", "image"], PINNED)
        },
        "image-prebuilt",
    ),
    attack(
        "docker-worker without an image",
        &[T],
        "A build that docker-worker ran names no image at all.",
        push,
        |c| {
            let id = first_build(c)?;
            edit_out(c, &id, &["payload", "image"])
        },
        "image-prebuilt",
    ),
    attack(
        "docker-worker with an empty image",
        &[T],
        "A build that docker-worker ran names an empty string as its image.",
        cron,
        |c| build(c, &["payload", "image"], ""),
        "image-prebuilt",
    ),
    attack(
        "decision task's image by a tag",
        &[T],
        "The in-tree template lets decision tasks run in an image named by a tag, which can move.",
        push,
        |c| {
            let from = "image: taskcluster/decision:3.0.1@sha256:5f9dc50cb2a1c3ad3a0d07a3f0b7c3b7f6c1f3a2f4f1a5c86b0e0f5a1f4e9a77";
            in_tree(c, from, "image: taskcluster/decision:3.0.1", |task| {
                set(task, &["payload", "image"], "taskcluster/decision:3.0.1")
            })
        },
        "image-not-pinned",
    ),
    attack(
        "image builder's image by a tag",
        &[T],
        "The image builder runs in an image from a registry that is named by a tag.",
        push,
        |c| {
            let image = c.images.first()?.clone();
            let builder = image_of(c, &image)?;
            edit_at(c, &builder, &["payload", "image"], "mozillareleases/image_builder:5.1.0")
        },
        "image-not-pinned",
    ),
    attack(
        "prebuilt image by a tag",
        &[T],
        "A product that allows prebuilt images has a build whose image is named by a tag.",
        || Release { images_from: Images::Prebuilt, ..mobile() },
        |c| build(c, &["payload", "image"], "debian:12"),
        "image-not-pinned",
    ),
    attack(
        "prebuilt image pinned by half a digest",
        &[T],
        "A prebuilt image is named by a digest that is cut off.",
        || Release { images_from: Images::Prebuilt, ..tag() },
        |c| build(c, &["payload", "image"], "debian:12@sha256:1f40fc92da24"),
        "image-not-pinned",
    ),
    attack(
        "prebuilt image pinned before its tag",
        &[T],
        "A tag follows the digest in a prebuilt image's name.",
        || Release { images_from: Images::Prebuilt, ..Release::of(Product::XPI, Trigger::Push) },
        |c| build(c, &["payload", "image"], format!("{PINNED}:latest")),
        "image-not-pinned",
    ),
    attack(
        "prebuilt image pinned by a weak hash",
        &[T],
        "A prebuilt image is pinned by an MD5 hash.",
        || Release { images_from: Images::Prebuilt, ..Release::of(Product::GLEAN, Trigger::Cron) },
        |c| build(c, &["payload", "image"], "debian:12@md5:d41d8cd98f00b204e9800998ecf8427e"),
        "image-not-pinned",
    ),
    attack(
        "indexed images",
        &[T],
        "Builds of a target with restricted scopes find their images in the index.",
        || Release { images_from: Images::Indexed, scope: nightly(), ..push() },
        |_| Some(()),
        "image-indexed",
    ),
    attack(
        "indexed images where prebuilt images are allowed",
        &[T],
        "A product that allows prebuilt images has a target with restricted scopes and indexed \
         images.",
        || Release {
            images_from: Images::Indexed,
            scope: Scope::Exactly(
                "project:mobile:reference-browser:releng:signing:cert:release-signing".into(),
            ),
            ..tag()
        },
        |_| Some(()),
        "image-indexed",
    ),
    attack(
        "indexed images of a kind that does not allow them",
        &[T],
        "A target has no restricted scope, and its builds are of a kind that does not allow indexed \
         images.",
        || Release { images_from: Images::Indexed, scope: Scope::Unrestricted, ..cron() },
        |_| Some(()),
        "image-indexed",
    ),
    attack(
        "one indexed image",
        &[T],
        "One build of a finished target finds its image in the index.",
        finished,
        |c| {
            let id = nth_build(c, 1)?;
            edit(c, &id, |task| {
                set(task, &["payload", "image", "type"], "indexed-image")?;
                set(
                    task,
                    &["payload", "image", "namespace"],
                    "gecko.cache.level-3.docker-images.v2.debian12",
                )?;
                remove(task, &["payload", "image", "taskId"])
            })
        },
        "image-indexed",
    ),
    attack(
        "image of an unknown type",
        &[T],
        "A build's image is of a type that no worker documents.",
        push,
        |c| build(c, &["payload", "image", "type"], "docker-archive"),
        "image-unknown-type",
    ),
    attack(
        "image without a type",
        &[T],
        "A build's image is an object without a type.",
        mobile,
        |c| {
            let id = first_build(c)?;
            edit_out(c, &id, &["payload", "image", "type"])
        },
        "image-unknown-type",
    ),
    attack(
        "task's image without a path",
        &[T],
        "A build runs in an image of a task and does not name the artifact.",
        push,
        |c| {
            let id = first_build(c)?;
            edit_out(c, &id, &["payload", "image", "path"])
        },
        "image-unknown-type",
    ),
    attack(
        "image of a malformed task id",
        &[T],
        "A build runs in an image of a task whose id is malformed.",
        cron,
        |c| build(c, &["payload", "image", "taskId"], "../decision"),
        "image-unknown-type",
    ),
    attack(
        "image is a list",
        &[T],
        "A build's image is a list of two images, of which different readers may choose either.",
        push,
        |c| build(c, &["payload", "image"], vec![Value::from(PINNED), Value::from("debian:12")]),
        "image-unknown-type",
    ),
    attack(
        "type of image in uppercase",
        &[T],
        "A build's image is of type `Task-Image`, which only some readers take for a task's.",
        tag,
        |c| build(c, &["payload", "image", "type"], "Task-Image"),
        "image-unknown-type",
    ),
    attack(
        "image built in a pool for builds",
        &[T],
        "The docker-image task ran in the pool of the builds, where other tasks can reach it.",
        push,
        |c| {
            let id = c.images.first()?.clone();
            pool(c, &id, "gecko-3", "b-linux-gcp")
        },
        "worker-pool-docker-image",
    ),
    attack(
        "image built in another product's pool",
        &[T],
        "The docker-image task ran in the image pool of another product.",
        cron,
        |c| {
            let id = c.images.first()?.clone();
            pool(c, &id, "comm-3", "images-gcp")
        },
        "worker-pool-docker-image",
    ),
    attack(
        "image builder built in a test pool",
        &[T],
        "The image that images are built in was built in a test pool.",
        action,
        |c| {
            let image = c.images.first()?.clone();
            let builder = image_of(c, &image)?;
            pool(c, &builder, "gecko-t", "images-gcp")
        },
        "worker-pool-docker-image",
    ),
    attack(
        "image of a GitHub release built in another pool",
        &[T],
        "The docker-image task of a release on GitHub ran in a pool whose name only has the same \
         prefix.",
        tag,
        |c| {
            let id = c.images.first()?.clone();
            pool(c, &id, "mobile-3", "images-gcp-test")
        },
        "worker-pool-docker-image",
    ),
    attack(
        "image pool different in the queue only",
        &[Q],
        "The queue names a different pool for a docker-image task from the one that its graph and \
         its worker name.",
        push,
        |c| {
            let id = c.images.first()?.clone();
            crate::change::in_pool(c.definition_mut(&id)?, "proj-misc", "images")
        },
        "worker-pool-docker-image",
    ),
];

fn nightly() -> Scope {
    Scope::Exactly("project:releng:signing:cert:nightly-signing".into())
}

/// A task runs in an image that another task made, and declares it.
fn runs_in(chain: &mut Chain, id: &str, other: &str) -> Option<()> {
    edit(chain, id, |task| {
        set(task, &["payload", "image", "taskId"], other)?;
        set(task, &["extra", "chainOfTrust", "inputs", "docker-image"], other)
    })
}
