//! Images that tasks ran in and that their chain did not make.

use super::super::{Attack, S, T, W, attack};
use super::image_of;
use crate::change::{
    build, completed_twice, document_of, first_build, inside, link_of, nth_build, remove, set,
};
use crate::valid::{action, cron, mobile, promotion_of_rounds, push, retried, tag};
use catena_json::Value;
use catena_testbed::chain::Builders;
use catena_testbed::{Body, Chain, Release};

const DIGEST: &str = "sha256:1f40fc92da241694750979ee6cf582f2d5d7d28e18335de05abc54d0560e0f53";
const IMAGE: &str = "public/image.tar.zst";
const HASH: &[&str] = &["environment", "imageArtifactHash"];

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "build that ran in another image",
        &[W],
        "A docker-worker's document names a different image from the docker-image task's.",
        push,
        |c| ran_first(c, DIGEST),
        "image-differs",
    ),
    attack(
        "generic-worker container that ran in another image",
        &[W],
        "The document of a container that generic-worker ran names a different image from the \
         chain's.",
        cron,
        |c| {
            let id = nth_build(c, 1)?;
            ran(c, &id, DIGEST)
        },
        "image-differs",
    ),
    attack(
        "repackage that ran in another image",
        &[W],
        "In a release promotion, the document of a repackage names a different image from the \
         chain's.",
        promotion_of_rounds,
        |c| {
            let id = link_of(c, "repackage")?;
            ran(c, &id, DIGEST)
        },
        "image-differs",
    ),
    attack(
        "image built in another image",
        &[W],
        "The docker-image task itself ran in a different image from its image builder's.",
        push,
        |c| {
            let id = c.images.first()?.clone();
            ran(c, &id, DIGEST)
        },
        "image-differs",
    ),
    attack(
        "build of a GitHub release that ran in another image",
        &[W],
        "A build of a release on GitHub ran in a different image from the docker-image task's.",
        tag,
        |c| ran_first(c, DIGEST),
        "image-differs",
    ),
    attack(
        "image replaced after the build ran",
        &[W],
        "The docker-image task's worker signs different bytes from the image that builds ran in.",
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
        "In an action's chain, the docker-image task's document has a different hash of its image.",
        action,
        |c| {
            let id = c.images.first()?.clone();
            let hash = "0".repeat(64);
            document_of(c, &id, |document| set(document, &["artifacts", IMAGE, "sha256"], hash))
        },
        "image-differs",
    ),
    attack(
        "build that ran in the image builder's image",
        &[W],
        "A build ran in the image that its image was built in, which is in the chain but not \
         declared.",
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
        "build that ran in another build's image",
        &[W],
        "A chain has three images, and a build ran in one that another build declares.",
        || Release { images: 3, ..push() },
        |c| {
            let hash = made_by(c, &c.images.get(1)?.clone())?;
            ran_first(c, &hash)
        },
        "image-differs",
    ),
    attack(
        "image's hash with one wrong digit",
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
        "image task's log as the image",
        &[T],
        "A build names the docker-image task's log as its image, and ran in the real image.",
        push,
        |c| build(c, &["payload", "image", "path"], "public/logs/certified.log"),
        "image-differs",
    ),
    attack(
        "build that ran in another image, whose image task was run again",
        &[W, T],
        "A docker-worker's document names a different image from the docker-image task's, of which two runs \
         completed.",
        retried,
        |c| {
            completed_twice(c)?;
            ran_first(c, DIGEST)
        },
        "image-rerun",
    ),
    attack(
        "build that ran in another image, whose image task failed before",
        &[W],
        "A docker-worker's document names a different image from the docker-image task's, whose first run did not \
         complete.",
        retried,
        |c| ran_first(c, DIGEST),
        "image-differs",
    ),
    attack(
        "image's hash missing",
        &[W],
        "A docker-worker's document does not name the image that the build ran in.",
        push,
        |c| unsaid(c, &first_build(c)?),
        "image-hash-missing",
    ),
    attack(
        "image's hash missing from a container's document",
        &[W],
        "The document of a container that generic-worker ran does not name its image.",
        || Release { builders: Builders::D2g, ..mobile() },
        |c| unsaid(c, &first_build(c)?),
        "image-hash-missing",
    ),
    attack(
        "image's hash missing from an image task's document",
        &[W],
        "A docker-image task's document does not name the image that it was built in.",
        action,
        |c| unsaid(c, &c.images.first()?.clone()),
        "image-hash-missing",
    ),
    attack(
        "only the container's own image id",
        &[W],
        "A document has the id of the loaded image, which does not identify the artifact.",
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
        "empty environment of the worker",
        &[W],
        "A document says nothing about the machine that a build ran on.",
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
        "A document has the MD5 hash of the image that a build ran in.",
        push,
        |c| ran_first(c, "md5:d41d8cd98f00b204e9800998ecf8427e"),
        "image-hash-malformed",
    ),
    attack(
        "image's hash without its algorithm",
        &[W],
        "A document has the hash of a build's image without its algorithm.",
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
        "A document has an empty string for the hash of the image.",
        tag,
        |c| ran_first(c, ""),
        "image-hash-malformed",
    ),
    attack(
        "image's hash is a number",
        &[W],
        "A document has a number for the hash of the image.",
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
        "A document has null for the hash of the image.",
        cron,
        |c| {
            let id = first_build(c)?;
            document_of(c, &id, |document| set(document, HASH, Value::Null))
        },
        "image-hash-malformed",
    ),
    attack(
        "image's hash in uppercase",
        &[W],
        "The hash of a build's image is in uppercase, which digests are not.",
        push,
        |c| {
            let id = first_build(c)?;
            let hash = inside(c.document_mut(&id)?, HASH)?.as_str()?.to_uppercase();
            ran(c, &id, &hash.replace("SHA", "sha"))
        },
        "image-hash-malformed",
    ),
    attack(
        "image's hash of an algorithm that the image task does not use",
        &[W],
        "A build's document has the SHA-512 of its image, and the docker-image task's document only \
         a SHA-256.",
        push,
        |c| ran_first(c, &format!("sha512:{}", "0".repeat(128))),
        "image-unlisted",
    ),
    attack(
        "image that the image task did not make",
        &[T],
        "A build names as its image an artifact that the docker-image task's document does not have.",
        push,
        |c| build(c, &["payload", "image", "path"], "public/other.tar.zst"),
        "image-unlisted",
    ),
    attack(
        "image missing from the image task's document",
        &[S, W],
        "The docker-image task's document names only its log and no image.",
        mobile,
        |c| {
            let id = c.images.first()?.clone();
            c.artifacts_mut(&id)?.remove(IMAGE)?;
            c.reseal(&id).ok()?.then_some(())
        },
        "image-unlisted",
    ),
    attack(
        "image without a hash in the image task's document",
        &[W],
        "The docker-image task's document names the image without any hash.",
        cron,
        |c| {
            let id = c.images.first()?.clone();
            document_of(c, &id, |document| set(document, &["artifacts", IMAGE], crate::change::empty()))
        },
        "image-unlisted",
    ),
];

/// The hash of an image in its image task's document.
fn made_by(chain: &mut Chain, id: &str) -> Option<String> {
    let hash = inside(chain.document_mut(id)?, &["artifacts", IMAGE, "sha256"])?;
    Some(format!("sha256:{}", hash.as_str()?))
}

/// Changes the image in the document of a task.
fn ran(chain: &mut Chain, id: &str, hash: &str) -> Option<()> {
    inside(chain.document_mut(id)?, HASH)?;
    document_of(chain, id, |document| set(document, HASH, hash))
}

fn ran_first(chain: &mut Chain, hash: &str) -> Option<()> {
    let id = first_build(chain)?;
    ran(chain, &id, hash)
}

/// Removes the image from the document of a task.
fn unsaid(chain: &mut Chain, id: &str) -> Option<()> {
    document_of(chain, id, |document| remove(document, HASH))
}
