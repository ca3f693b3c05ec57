//! Attacks on the images that tasks ran in: another one, one nobody built, one nobody vouches for.

use super::{Attack, Q, S, T, W, attack};
use crate::change::{
    build, document_of, edit, edit_at, edit_out, first_build, in_tree, inside, link_of, nth_build, pool,
    remove, set,
};
use crate::honest::{action, cron, finished, mobile, promotion, push, tag};
use catena_json::Value;
use catena_testbed::chain::{Builders, Images, Product, Scope};
use catena_testbed::{Body, Chain, Release, Trigger};

const DIGEST: &str = "sha256:1f40fc92da241694750979ee6cf582f2d5d7d28e18335de05abc54d0560e0f53";
const PINNED: &str = "debian:12@sha256:1f40fc92da241694750979ee6cf582f2d5d7d28e18335de05abc54d0560e0f53";
const IMAGE: &str = "public/image.tar.zst";
const HASH: &[&str] = &["environment", "imageArtifactHash"];

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "build ran in another image",
        &[W],
        "A docker-worker's document names another image than the one the docker-image task made.",
        push,
        |c| ran_first(c, DIGEST),
        "image-differs",
    ),
    attack(
        "container of generic-worker ran in another image",
        &[W],
        "The document of a container that generic-worker ran names another image than the chain's.",
        cron,
        |c| {
            let id = nth_build(c, 1)?;
            ran(c, &id, DIGEST)
        },
        "image-differs",
    ),
    attack(
        "repackage ran in another image",
        &[W],
        "In a release promotion, the document of a repackage names another image than the chain's.",
        promotion_round,
        |c| {
            let id = link_of(c, "repackage")?;
            ran(c, &id, DIGEST)
        },
        "image-differs",
    ),
    attack(
        "image built in another image",
        &[W],
        "The docker-image task itself ran in another image than its image builder made.",
        push,
        |c| {
            let id = c.images.first()?.clone();
            ran(c, &id, DIGEST)
        },
        "image-differs",
    ),
    attack(
        "build of a GitHub release ran in another image",
        &[W],
        "A build of a release on GitHub ran in another image than the docker-image task made.",
        tag,
        |c| ran_first(c, DIGEST),
        "image-differs",
    ),
    attack(
        "image replaced after the build ran",
        &[W],
        "The docker-image task's worker signs for other bytes than the image that builds ran in.",
        push,
        |c| {
            let id = c.images.first()?.clone();
            c.artifact_mut(&id, IMAGE)?.body = Body::from("another image");
            c.reseal(&id).ok()?.then_some(())
        },
        "image-differs",
    ),
    attack(
        "image replaced after an action's chain ran",
        &[W],
        "In a chain made by an action, the docker-image task's document has another hash of its image.",
        action,
        |c| {
            let id = c.images.first()?.clone();
            let hash = "0".repeat(64);
            document_of(c, &id, |document| set(document, &["artifacts", IMAGE, "sha256"], hash))
        },
        "image-differs",
    ),
    attack(
        "build ran in the image builder's image",
        &[W],
        "A build ran in the image that its image was built in, which is of the chain but not declared.",
        push,
        |c| {
            let image = c.images.first()?.clone();
            let builder = image_of(c, &image)?;
            let hash = made_by(c, &builder)?;
            ran_first(c, &hash)
        },
        "image-differs",
    ),
    attack(
        "build ran in another build's image",
        &[W],
        "Of the three images of a chain, a build ran in one that another build declares.",
        || Release { images: 3, ..push() },
        |c| {
            let hash = made_by(c, &c.images.get(1)?.clone())?;
            ran_first(c, &hash)
        },
        "image-differs",
    ),
    attack(
        "one digit of the image's hash",
        &[W],
        "The hash of the image that a build ran in differs in its last digit.",
        mobile,
        |c| {
            let id = first_build(c)?;
            let hash = inside(c.document_mut(&id)?, HASH)?.as_str()?.to_owned();
            let (start, last) = hash.split_at_checked(hash.len().checked_sub(1)?)?;
            let other = if last == "0" { "1" } else { "0" };
            ran(c, &id, &format!("{start}{other}"))
        },
        "image-differs",
    ),
    attack(
        "image is the log of the image task",
        &[T],
        "A build names the docker-image task's log as its image, and ran in its real image.",
        push,
        |c| build(c, &["payload", "image", "path"], "public/logs/certified.log"),
        "image-differs",
    ),
    attack(
        "image's hash left out",
        &[W],
        "A docker-worker's document does not say which image the build ran in.",
        push,
        |c| unsaid(c, &first_build(c)?),
        "image-hash-missing",
    ),
    attack(
        "image's hash left out of a container's document",
        &[W],
        "The document of a container that generic-worker ran does not say in which image.",
        || Release { builders: Builders::D2g, ..mobile() },
        |c| unsaid(c, &first_build(c)?),
        "image-hash-missing",
    ),
    attack(
        "image's hash left out of an image task's document",
        &[W],
        "A docker-image task's document does not say which image it was built in.",
        action,
        |c| unsaid(c, &c.images.first()?.clone()),
        "image-hash-missing",
    ),
    attack(
        "only the container's own image id",
        &[W],
        "A document has the id of the loaded image, which says nothing of the artifact it was loaded from.",
        cron,
        |c| {
            let id = first_build(c)?;
            document_of(c, &id, |document| {
                set(document, &["environment", "imageHash"], DIGEST)?;
                remove(document, HASH)
            })
        },
        "image-hash-missing",
    ),
    attack(
        "environment of the worker emptied",
        &[W],
        "A document says nothing at all about the machine that a build ran on.",
        push,
        |c| {
            let id = first_build(c)?;
            document_of(c, &id, |document| set(document, &["environment"], crate::change::empty()))
        },
        "image-hash-missing",
    ),
    attack(
        "image's hash of a weak algorithm",
        &[W],
        "A document gives the MD5 of the image that a build ran in.",
        push,
        |c| ran_first(c, "md5:d41d8cd98f00b204e9800998ecf8427e"),
        "image-hash-malformed",
    ),
    attack(
        "image's hash without its algorithm",
        &[W],
        "A document gives the hash of a build's image without saying by which algorithm.",
        push,
        |c| ran_first(c, DIGEST.strip_prefix("sha256:")?),
        "image-hash-malformed",
    ),
    attack(
        "image's hash cut off",
        &[W],
        "The hash of a build's image lacks its last digit.",
        mobile,
        |c| ran_first(c, DIGEST.get(..70)?),
        "image-hash-malformed",
    ),
    attack(
        "image's hash empty",
        &[W],
        "A document gives an empty text for the hash of the image.",
        tag,
        |c| ran_first(c, ""),
        "image-hash-malformed",
    ),
    attack(
        "image's hash is a number",
        &[W],
        "A document gives a number for the hash of the image.",
        push,
        |c| {
            let id = first_build(c)?;
            document_of(c, &id, |document| set(document, HASH, 0_i64))
        },
        "image-hash-malformed",
    ),
    attack(
        "image's hash is null",
        &[W],
        "A document gives null for the hash of the image.",
        cron,
        |c| {
            let id = first_build(c)?;
            document_of(c, &id, |document| set(document, HASH, Value::Null))
        },
        "image-hash-malformed",
    ),
    attack(
        "image's hash in capital letters",
        &[W],
        "The hash of a build's image is not written as digests are, in lowercase.",
        push,
        |c| {
            let id = first_build(c)?;
            let hash = inside(c.document_mut(&id)?, HASH)?.as_str()?.to_uppercase();
            ran(c, &id, &hash.replace("SHA", "sha"))
        },
        "image-hash-malformed",
    ),
    attack(
        "image's hash of an algorithm nobody vouches for",
        &[W],
        "A build's document has the SHA-512 of its image, and the docker-image task's only a SHA-256.",
        push,
        |c| ran_first(c, &format!("sha512:{}", "0".repeat(128))),
        "image-unlisted",
    ),
    attack(
        "image the image task did not make",
        &[T],
        "A build names as its image an artifact that the docker-image task's document does not have.",
        push,
        |c| build(c, &["payload", "image", "path"], "public/other.tar.zst"),
        "image-unlisted",
    ),
    attack(
        "image not in the image task's document",
        &[S, W],
        "The docker-image task's document vouches for no image, only for its log.",
        mobile,
        |c| {
            let id = c.images.first()?.clone();
            c.artifacts_mut(&id)?.remove(IMAGE)?;
            c.reseal(&id).ok()?.then_some(())
        },
        "image-unlisted",
    ),
    attack(
        "image with no hash in the image task's document",
        &[W],
        "The docker-image task's document names the image and has no hash of it.",
        cron,
        |c| {
            let id = c.images.first()?.clone();
            document_of(c, &id, |document| set(document, &["artifacts", IMAGE], crate::change::empty()))
        },
        "image-unlisted",
    ),
    attack(
        "image not declared as an input",
        &[T],
        "A build runs in an image that it does not declare among its inputs.",
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
        "A build of a push to GitHub runs in a task's image and declares no input at all.",
        mobile,
        |c| {
            let id = first_build(c)?;
            edit_out(c, &id, &["extra", "chainOfTrust"])
        },
        "image-not-declared",
    ),
    attack(
        "declared image is the image builder's",
        &[T],
        "A build declares the image builder as its input, and runs in the image that was built in it.",
        push,
        |c| {
            let image = c.images.first()?.clone();
            let (id, builder) = (first_build(c)?, image_of(c, &image)?);
            edit_at(c, &id, &["extra", "chainOfTrust", "inputs", "docker-image"], builder)
        },
        "image-not-declared",
    ),
    attack(
        "image of a repackage not the declared one",
        &[T],
        "In a release promotion, a repackage runs in another image of the chain than it declares.",
        || Release { images: 2, ..promotion_round() },
        |c| {
            let id = link_of(c, "repackage")?;
            let declared = image_of(c, &id)?;
            let other = c.images.iter().find(|image| **image != declared)?.clone();
            edit_at(c, &id, &["payload", "image", "taskId"], other)
        },
        "image-not-declared",
    ),
    attack(
        "image task builds in an image it does not declare",
        &[T],
        "A docker-image task runs in its image builder's image and does not declare that as an input.",
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
        "A build's image, declared and run, is an artifact of another build.",
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
        "A build's image is declared to be an artifact of the decision task.",
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
        "A repackage's image is declared to be what the signing before it signed.",
        promotion_round,
        |c| {
            let (id, other) = (link_of(c, "repackage")?, link_of(c, "signing")?);
            runs_in(c, &id, &other)
        },
        "worker-pool-docker-image",
    ),
    attack(
        "image task called a build",
        &[T],
        "The target takes the docker-image task in as a build, so that it need not be judged as an image.",
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
        "Builds run in images from a registry, which their kind may not.",
        || Release { images_from: Images::Prebuilt, ..push() },
        |_| Some(()),
        "image-prebuilt",
    ),
    attack(
        "prebuilt images of generic-worker's containers",
        &[T],
        "Containers that generic-worker runs are made from images of a registry.",
        || Release { images_from: Images::Prebuilt, builders: Builders::D2g, ..cron() },
        |_| Some(()),
        "image-prebuilt",
    ),
    attack(
        "prebuilt images on GitHub",
        &[T],
        "A product whose builds must run in images of their chain runs them in ones from a registry.",
        || Release { images_from: Images::Prebuilt, ..Release::of(Product::ENTERPRISE, Trigger::Release) },
        |_| Some(()),
        "image-prebuilt",
    ),
    attack(
        "prebuilt images of an action's chain",
        &[T],
        "An action's chain of another product has builds that ran in images from a registry.",
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
        promotion_round,
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
        "A build that docker-worker ran names an empty text as its image.",
        cron,
        |c| build(c, &["payload", "image"], ""),
        "image-prebuilt",
    ),
    attack(
        "decision task's image by a tag",
        &[T],
        "The in-tree template lets decision tasks run in an image named by a tag, which may move.",
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
        "A prebuilt image's name has a digest that a tag follows.",
        || Release { images_from: Images::Prebuilt, ..Release::of(Product::XPI, Trigger::Push) },
        |c| build(c, &["payload", "image"], format!("{PINNED}:latest")),
        "image-not-pinned",
    ),
    attack(
        "prebuilt image pinned by a weak hash",
        &[T],
        "A prebuilt image is pinned by an MD5.",
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
        "indexed images where any may be prebuilt",
        &[T],
        "A product that allows any prebuilt image has a target with restricted scopes and indexed images.",
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
        "indexed images of a kind that may not",
        &[T],
        "A target asks for nothing restricted, and its builds are of a kind that may not use the index.",
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
        "image of a type nobody knows",
        &[T],
        "A build's image is of a type that no worker documents.",
        push,
        |c| build(c, &["payload", "image", "type"], "docker-archive"),
        "image-unknown-type",
    ),
    attack(
        "image without a type",
        &[T],
        "A build's image is an object that does not say what it is.",
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
        "A build runs in an image of a task and does not say which artifact that is.",
        push,
        |c| {
            let id = first_build(c)?;
            edit_out(c, &id, &["payload", "image", "path"])
        },
        "image-unknown-type",
    ),
    attack(
        "image of a task that is no id",
        &[T],
        "A build runs in an image of a task whose id is none.",
        cron,
        |c| build(c, &["payload", "image", "taskId"], "../decision"),
        "image-unknown-type",
    ),
    attack(
        "image is a list",
        &[T],
        "A build's image is a list of two images, so that each reader may take another.",
        push,
        |c| build(c, &["payload", "image"], vec![Value::from(PINNED), Value::from("debian:12")]),
        "image-unknown-type",
    ),
    attack(
        "type of image in capital letters",
        &[T],
        "A build's image is of type `Task-Image`, which only some readers take for a task's.",
        tag,
        |c| build(c, &["payload", "image", "type"], "Task-Image"),
        "image-unknown-type",
    ),
    attack(
        "image built among the builds",
        &[T],
        "The docker-image task ran in the pool that builds run in, where other tasks can reach it.",
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
        "The image that images are built in was built in a pool for tests.",
        action,
        |c| {
            let image = c.images.first()?.clone();
            let builder = image_of(c, &image)?;
            pool(c, &builder, "gecko-t", "images-gcp")
        },
        "worker-pool-docker-image",
    ),
    attack(
        "image of a GitHub release built elsewhere",
        &[T],
        "The docker-image task of a release on GitHub ran in a pool whose name only begins alike.",
        tag,
        |c| {
            let id = c.images.first()?.clone();
            pool(c, &id, "mobile-3", "images-gcp-test")
        },
        "worker-pool-docker-image",
    ),
    attack(
        "image pool of the queue's answer alone",
        &[Q],
        "The queue tells of a docker-image task in another pool than its graph and its worker do.",
        push,
        |c| {
            let id = c.images.first()?.clone();
            crate::change::in_pool(c.definition_mut(&id)?, "proj-misc", "images")
        },
        "worker-pool-docker-image",
    ),
];

/// A promotion with a round of signing and repackaging.
fn promotion_round() -> Release {
    Release { depth: 1, ..promotion() }
}

fn nightly() -> Scope {
    Scope::Exactly("project:releng:signing:cert:nightly-signing".into())
}

/// The task whose image a task runs in.
fn image_of(chain: &Chain, id: &str) -> Option<String> {
    Some(chain.definition(id)?.pointer(&["payload", "image", "taskId"])?.as_str()?.to_owned())
}

/// The hash of the image that an image task made, as its document has it.
fn made_by(chain: &mut Chain, id: &str) -> Option<String> {
    let hash = inside(chain.document_mut(id)?, &["artifacts", IMAGE, "sha256"])?;
    Some(format!("sha256:{}", hash.as_str()?))
}

/// A task's worker says that it ran in another image.
fn ran(chain: &mut Chain, id: &str, hash: &str) -> Option<()> {
    inside(chain.document_mut(id)?, HASH)?;
    document_of(chain, id, |document| set(document, HASH, hash))
}

fn ran_first(chain: &mut Chain, hash: &str) -> Option<()> {
    let id = first_build(chain)?;
    ran(chain, &id, hash)
}

/// A task's worker does not say in which image it ran.
fn unsaid(chain: &mut Chain, id: &str) -> Option<()> {
    document_of(chain, id, |document| remove(document, HASH))
}

/// A task runs in an image that another task made, and declares it.
fn runs_in(chain: &mut Chain, id: &str, other: &str) -> Option<()> {
    edit(chain, id, |task| {
        set(task, &["payload", "image", "taskId"], other)?;
        set(task, &["extra", "chainOfTrust", "inputs", "docker-image"], other)
    })
}
