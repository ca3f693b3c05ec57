//! Inputs of the target from another tree, another revision, or another commit of the mirror.

use super::super::{Attack, T, attack};
use super::siblings::moved;
use crate::change::{
    edit, edit_at, edit_text, first_build, graft, link_of, list, mirror_pages, nth_build, remove,
    revision_of, set, upstream,
};
use crate::valid::{cron, mirrored, promotion, promotion_of_rounds, push};
use catena_testbed::chain::{Images, Product};
use catena_testbed::{Chain, Release, Trigger};

const OTHER_REV: &str = "00112233445566778899aabbccddeeff00112233";

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "input of another trusted tree",
        &[T],
        "The target signs a genuine build of another trusted tree's push.",
        push,
        |c| takes_in(c, of_beta()?),
        "tree-input-tree",
    ),
    attack(
        "input of another trusted tree in a cron job",
        &[T],
        "The target of another product's cron job signs a genuine build of its beta tree.",
        || Release::of(Product::THUNDERBIRD, Trigger::Cron),
        |c| takes_in(c, other(|| Release::of(Product::THUNDERBIRD, Trigger::ReleasePromotion))?),
        "tree-input-tree",
    ),
    attack(
        "input of the nightly tree in a promotion",
        &[T],
        "A promotion on the beta tree signs a genuine build of the nightly tree.",
        promotion,
        |c| takes_in(c, other(push)?),
        "tree-input-tree",
    ),
    attack(
        "input of another trusted repository on GitHub",
        &[T],
        "The target of a push to GitHub signs a genuine build of the product's other repository.",
        || Release::of(Product::ENTERPRISE, Trigger::Push),
        |c| takes_in(c, of_desktop()?),
        "tree-input-tree",
    ),
    attack(
        "input of the same tree from another tree's decision task",
        &[T],
        "The target signs a build that names the target's tree, and is in the graph of another \
         trusted tree's push.",
        push,
        |c| {
            let other = of_beta()?;
            let id = other.builds.first()?.clone();
            takes_in(c, other)?;
            edit_text(c, &id, "releases/mozilla-beta", "mozilla-central")
        },
        "tree-input-tree",
    ),
    attack(
        "indirect input of another trusted tree",
        &[T],
        "A build of the target's own graph uses a genuine build of another trusted tree.",
        cron,
        |c| {
            let beta = of_beta()?;
            let (id, theirs) = (nth_build(c, 2)?, beta.builds.first()?.clone());
            graft(c, beta);
            edit(c, &id, |task| {
                set(task, &["extra", "chainOfTrust"], crate::change::json("{\"inputs\": {}}")?)?;
                set(task, &["extra", "chainOfTrust", "inputs", "build"], theirs.as_str())
            })
        },
        "tree-input-tree",
    ),
    attack(
        "image of another trusted tree as a file",
        &[T],
        "The target signs an image of another trusted tree, which no task of the chain runs in.",
        push,
        |c| {
            let beta = of_beta()?;
            let image = beta.images.first()?.clone();
            graft(c, beta);
            upstream(c, "taskType", "docker-image")?;
            upstream(c, "paths", list("public/image.tar.zst"))?;
            upstream(c, "taskId", image)
        },
        "tree-input-tree",
    ),
    attack(
        "mirror's build of another tree's graph",
        &[T],
        "The target signs a build from the git mirror in the graph of another tree, which the \
         mirror does not mirror.",
        push,
        |c| {
            let beta = Release { seed: 7, mirrored: true, ..promotion() }.build().ok()?;
            let build = beta.builds.get(1)?.clone();
            graft(c, beta);
            upstream(c, "taskId", build)
        },
        "tree-input-tree",
    ),
    attack(
        "promotion of an earlier push's build",
        &[T],
        "A promotion signs a genuine build of an earlier push to the same tree.",
        promotion,
        |c| takes_in(c, other(promotion)?),
        "tree-input-revision",
    ),
    attack(
        "promotion of an earlier push's build by another product",
        &[T],
        "Another product's promotion signs a genuine build of an earlier push to the same tree.",
        || Release::of(Product::THUNDERBIRD, Trigger::ReleasePromotion),
        |c| takes_in(c, other(|| Release::of(Product::THUNDERBIRD, Trigger::ReleasePromotion))?),
        "tree-input-revision",
    ),
    attack(
        "promotion on GitHub of an earlier push's build",
        &[T],
        "A promotion on GitHub signs a genuine build of an earlier push.",
        || Release::of(Product::ENTERPRISE, Trigger::ReleasePromotion),
        |c| takes_in(c, other(|| Release::of(Product::ENTERPRISE, Trigger::Push))?),
        "tree-input-revision",
    ),
    attack(
        "promoted signing task of another revision",
        &[T],
        "In a promotion, a signing task's source is at another revision, and it has no environment.",
        promotion_of_rounds,
        |c| {
            let id = link_of(c, "signing")?;
            other_source(c, &id)
        },
        "tree-input-revision",
    ),
    attack(
        "promoted target of another revision",
        &[T],
        "The source of a promotion's target is at a different revision from the promotion.",
        promotion,
        |c| {
            let id = c.target.clone();
            other_source(c, &id)
        },
        "tree-input-revision",
    ),
    attack(
        "promoted build with its source at another revision",
        &[T],
        "A promoted build's environment names the correct revision, and its source another.",
        promotion,
        |c| {
            let id = nth_build(c, 2)?;
            other_source(c, &id)
        },
        "tree-input-revision",
    ),
    attack(
        "promoted build with an environment of another revision",
        &[T],
        "A promoted build's source is at the correct revision, and its environment names another.",
        promotion,
        |c| {
            let id = nth_build(c, 2)?;
            edit_at(c, &id, &["payload", "env", "GECKO_HEAD_REV"], OTHER_REV)
        },
        "tree-input-revision",
    ),
    attack(
        "promoted signing task of another mirror commit",
        &[T],
        "In a promotion of builds from the git mirror, a signing task's source is at another commit \
         of it.",
        || Release { mirrored: true, builds: 6, depth: 1, images_from: Images::OwnGraph, ..promotion() },
        |c| {
            let id = link_of(c, "signing")?;
            let source = format!("https://github.com/mozilla-firefox/firefox/blob/{OTHER_REV}/taskcluster");
            edit_at(c, &id, &["metadata", "source"], source)
        },
        "tree-mirror-commit",
    ),
    attack(
        "mirrored build with an environment of another commit",
        &[T],
        "The source of a build from the git mirror is at the commit of the others, and its \
         environment names another.",
        mirrored,
        |c| {
            let id = nth_build(c, 3)?;
            edit_at(c, &id, &["payload", "env", "GECKO_HEAD_REV"], OTHER_REV)
        },
        "tree-mirror-commit",
    ),
    attack(
        "promoted signing task without a revision",
        &[T],
        "In a promotion, a signing's source is the front page of its repository.",
        promotion_of_rounds,
        |c| {
            let id = link_of(c, "signing")?;
            edit_at(c, &id, &["metadata", "source"], "https://hg.mozilla.org/releases/mozilla-beta")
        },
        "tree-input-revision",
    ),
    attack(
        "promoted build without a repository",
        &[T],
        "A promoted build names no repository, and its source is at another revision.",
        promotion,
        |c| {
            let id = first_build(c)?;
            edit(c, &id, |task| remove(task, &["payload", "env", "GECKO_HEAD_REPOSITORY"]))?;
            other_source(c, &id)
        },
        "tree-input-revision",
    ),
    attack(
        "mirrored builds of two commits",
        &[T],
        "Two builds from the git mirror use different commits.",
        mirrored,
        |c| other_commit(c, 3),
        "tree-mirror-commit",
    ),
    attack(
        "mirrored builds of two commits in a cron job",
        &[T],
        "In a cron job's graph, one build from the git mirror uses another commit.",
        || Release { mirrored: true, builds: 4, ..cron() },
        |c| other_commit(c, 1),
        "tree-mirror-commit",
    ),
    attack(
        "mirrored builds of two commits under an action",
        &[T],
        "An action's target uses builds of two commits of the git mirror.",
        || Release { mirrored: true, builds: 4, ..crate::valid::action() },
        |c| other_commit(c, 3),
        "tree-mirror-commit",
    ),
    attack(
        "mirrored builds of two commits in a promotion",
        &[T],
        "A promotion uses builds of two commits of the git mirror.",
        || Release { mirrored: true, builds: 4, images_from: Images::OwnGraph, ..promotion() },
        |c| other_commit(c, 3),
        "tree-mirror-commit",
    ),
    attack(
        "mirrored build with its source at another commit",
        &[T],
        "The source of a build from the git mirror is at a different commit from its environment's.",
        mirrored,
        |c| {
            let id = nth_build(c, 1)?;
            let commit = revision_of(c, &id)?;
            mirror_pages(c, &commit, OTHER_REV);
            edit_text(c, &id, &format!("/blob/{commit}/"), &format!("/blob/{OTHER_REV}/"))
        },
        "tree-mirror-commit",
    ),
    attack(
        "image from another commit of the mirror",
        &[T],
        "An image of the target's own graph is made from a different commit of the git mirror from \
         its builds.",
        || Release { images_from: Images::OwnGraph, ..mirrored() },
        |c| {
            let mirror = nth_build(c, 1)?;
            let commit = revision_of(c, &mirror)?;
            mirror_pages(c, &commit, OTHER_REV);
            let id = c.images.first()?.clone();
            let own = revision_of(c, &id)?;
            moved(c, &id, "hg.mozilla.org/mozilla-central/file", "github.com/mozilla-firefox/firefox/blob")?;
            moved(c, &id, "hg.mozilla.org/mozilla-central", "github.com/mozilla-firefox/firefox")?;
            edit_text(c, &id, &own, OTHER_REV)
        },
        "tree-mirror-commit",
    ),
];

/// Another chain, with an image of its own graph.
fn other(release: fn() -> Release) -> Option<Chain> {
    Release { seed: 7, images_from: Images::OwnGraph, ..release() }.build().ok()
}

/// A chain of the beta tree.
fn of_beta() -> Option<Chain> {
    other(promotion)
}

/// A chain of the other repository of enterprise.
fn of_desktop() -> Option<Chain> {
    let mut chain = other(|| Release::of(Product::ENTERPRISE, Trigger::Push))?;
    crate::change::everywhere(&mut chain, "mozilla/enterprise-firefox", "thunderbird/thunderbird-desktop")?;
    Some(chain)
}

/// Makes the target use the first build of another chain.
fn takes_in(chain: &mut Chain, other: Chain) -> Option<()> {
    let build = other.builds.first()?.clone();
    graft(chain, other);
    upstream(chain, "taskId", build)
}

/// Moves a task's source to another revision.
fn other_source(chain: &mut Chain, id: &str) -> Option<()> {
    let source = chain.definition(id)?.pointer(&["metadata", "source"])?.as_str()?;
    let (before, rest) = source.split_once("/file/")?;
    let source = format!("{before}/file/{OTHER_REV}/{}", rest.split_once('/')?.1);
    edit_at(chain, id, &["metadata", "source"], source)
}

/// Makes a build from the mirror use another commit, which GitHub knows too.
fn other_commit(chain: &mut Chain, number: usize) -> Option<()> {
    let id = nth_build(chain, number)?;
    let commit = revision_of(chain, &id)?;
    mirror_pages(chain, &commit, OTHER_REV);
    edit_text(chain, &id, &commit, OTHER_REV)
}
