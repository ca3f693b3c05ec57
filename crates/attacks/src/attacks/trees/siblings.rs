//! Tasks of one chain that come from different trees or revisions.

use super::super::{Attack, T, V, attack};
use crate::change::{
    NOBODY, build, edit, edit_at, edit_out, edit_text, first_build, image_elsewhere, link_of, mirror_pages,
    nth_build, parent, project, set, target,
};
use crate::valid::{action, cron, mirrored, mobile, promotion, promotion_of_rounds, push, rounds, tag};
use catena_testbed::chain::{Images, Product, Vcs};
use catena_testbed::{Chain, Release, Trigger};

const HEAD_REV: &[&str] = &["payload", "env", "GECKO_HEAD_REV"];
const OTHER_REV: &str = "00112233445566778899aabbccddeeff00112233";
const COMM: &[&str] = &["payload", "env", "COMM_HEAD_REPOSITORY"];

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "build of another trusted tree",
        &[T],
        "A build consistently names another trusted tree than its graph.",
        push,
        |c| {
            moved(
                c,
                &first_build(c)?,
                "hg.mozilla.org/mozilla-central",
                "hg.mozilla.org/integration/autoland",
            )
        },
        "tree-sibling",
    ),
    attack(
        "build of an untrusted tree",
        &[T],
        "A build consistently names a user's clone.",
        cron,
        |c| {
            moved(
                c,
                &first_build(c)?,
                "hg.mozilla.org/mozilla-central",
                "hg.mozilla.org/users/somebody/mozilla-central",
            )
        },
        "tree-sibling",
    ),
    attack(
        "build of another host",
        &[T],
        "A build consistently names another host.",
        push,
        |c| moved(c, &first_build(c)?, "hg.mozilla.org", "hg.example.org"),
        "tree-sibling",
    ),
    attack(
        "build of the older tree's release",
        &[T],
        "In a release promotion, a repackage comes from the nightly tree.",
        promotion_of_rounds,
        |c| {
            let id = link_of(c, "repackage")?;
            moved(c, &id, "releases/mozilla-beta", "mozilla-central")
        },
        "tree-sibling",
    ),
    attack(
        "signing of another tree",
        &[T],
        "A signing task between builds and target has its source in another trusted tree.",
        rounds,
        |c| {
            let id = link_of(c, "signing")?;
            moved(c, &id, "hg.mozilla.org/mozilla-central", "hg.mozilla.org/releases/mozilla-beta")
        },
        "tree-sibling",
    ),
    attack(
        "target of another tree than its graph",
        &[T],
        "The target's source is in the tree that may use its scope, and its graph comes from \
         another tree.",
        || Release {
            scope: catena_testbed::chain::Scope::Exactly(
                "project:releng:signing:cert:release-signing".into(),
            ),
            ..push()
        },
        |c| {
            let id = c.target.clone();
            moved(c, &id, "hg.mozilla.org/mozilla-central", "hg.mozilla.org/releases/mozilla-beta")
        },
        "tree-sibling",
    ),
    attack(
        "promoted target of another tree",
        &[T],
        "The target of a promotion on the beta tree has its source in the release tree, whose scope \
         it has.",
        || Release {
            scope: catena_testbed::chain::Scope::Exactly("project:releng:balrog:server:release".into()),
            ..promotion()
        },
        |c| {
            let id = c.target.clone();
            moved(c, &id, "releases/mozilla-beta", "releases/mozilla-release")
        },
        "tree-parent",
    ),
    attack(
        "target of a graph of its own",
        &[T],
        "The target names another task group, and its source is in a different tree from its \
         parent's.",
        || Release {
            scope: catena_testbed::chain::Scope::Exactly(
                "project:releng:signing:cert:release-signing".into(),
            ),
            images_from: Images::OwnGraph,
            ..push()
        },
        |c| {
            let id = c.target.clone();
            edit_at(c, &id, &["taskGroupId"], NOBODY)?;
            moved(c, &id, "hg.mozilla.org/mozilla-central", "hg.mozilla.org/releases/mozilla-beta")
        },
        "tree-parent",
    ),
    attack(
        "image of its own graph from another tree",
        &[T],
        "A docker-image task of the target's graph comes from another trusted tree.",
        || Release { images_from: Images::OwnGraph, ..cron() },
        |c| {
            let id = c.images.first()?.clone();
            moved(c, &id, "hg.mozilla.org/mozilla-central", "hg.mozilla.org/integration/autoland")
        },
        "tree-sibling",
    ),
    attack(
        "build on GitHub from another repository",
        &[T],
        "A build of a push to GitHub comes from another repository of the same owner.",
        mobile,
        |c| moved(c, &first_build(c)?, "mozilla-mobile/reference-browser", "mozilla-mobile/fenix"),
        "tree-sibling",
    ),
    attack(
        "build of a release from a fork",
        &[T],
        "A build of a release on GitHub comes from a fork.",
        tag,
        |c| moved(c, &first_build(c)?, "mozilla-mobile/reference-browser", "somebody/reference-browser"),
        "tree-sibling",
    ),
    attack(
        "undeclared mirror",
        &[T],
        "A build comes from a git repository that is not declared as a mirror of its product's tree.",
        || Release::of(Product::THUNDERBIRD, Trigger::Push),
        |c| {
            moved(
                c,
                &first_build(c)?,
                "hg.mozilla.org/comm-central",
                "github.com/thunderbird/thunderbird-desktop",
            )
        },
        "tree-sibling",
    ),
    attack(
        "fork of the mirror",
        &[T],
        "A build comes from a user's fork of the git mirror.",
        mirrored,
        |c| {
            let id = nth_build(c, 1)?;
            moved(c, &id, "mozilla-firefox/firefox", "somebody/firefox")
        },
        "tree-sibling",
    ),
    attack(
        "Mercurial tree in place of its mirror",
        &[T],
        "A build of a push to the git mirror comes from the Mercurial tree.",
        || Release { vcs: Vcs::Git, ..push() },
        |c| {
            moved(c, &first_build(c)?, "github.com/mozilla-firefox/firefox", "hg.mozilla.org/mozilla-central")
        },
        "tree-sibling",
    ),
    attack(
        "action declared as mirrored",
        &[T],
        "An action task comes from the git mirror, and the decision task it acts on from Mercurial.",
        action,
        |c| {
            parent(
                c,
                &["payload", "env", "GECKO_HEAD_REPOSITORY"],
                "https://github.com/mozilla-firefox/firefox",
            )?;
            let source =
                format!("https://github.com/mozilla-firefox/firefox/raw/{OTHER_REV}/.taskcluster.yml");
            parent(c, &["metadata", "source"], source)
        },
        "tree-sibling",
    ),
    attack(
        "variable of another product in place of its own",
        &[T],
        "A build lacks its product's own repository, and its source is in the repository of another \
         prefix.",
        || Release::of(Product::THUNDERBIRD, Trigger::Push),
        |c| {
            let id = first_build(c)?;
            for name in ["COMM_HEAD_REPOSITORY", "COMM_HEAD_REV", "COMM_HEAD_REF"] {
                edit_out(c, &id, &["payload", "env", name])?;
            }
            edit_text(c, &id, "/comm-central/file/", "/mozilla-central/file/")
        },
        "tree-sibling",
    ),
    attack(
        "build without a repository from another tree",
        &[T],
        "A build names no repository, and its source is in another tree.",
        push,
        |c| {
            let id = first_build(c)?;
            edit_out(c, &id, &["payload", "env", "GECKO_HEAD_REPOSITORY"])?;
            edit_text(c, &id, "/mozilla-central/file/", "/integration/autoland/file/")
        },
        "tree-sibling",
    ),
    attack(
        "image from an untrusted tree",
        &[T],
        "The image's whole earlier graph comes from an untrusted tree.",
        push,
        |c| {
            image_elsewhere(c, "hg.mozilla.org/mozilla-central", "hg.mozilla.org/projects/oak")?;
            project(c, OAK)
        },
        "tree-untrusted",
    ),
    attack(
        "image from a user's tree",
        &[T],
        "In a release promotion, the image's whole graph comes from a user's clone.",
        promotion,
        |c| {
            image_elsewhere(c, "hg.mozilla.org/releases/mozilla-beta", "hg.mozilla.org/projects/oak")?;
            project(c, OAK)
        },
        "tree-untrusted",
    ),
    attack(
        "image from another repository on GitHub",
        &[T],
        "The image of a push to GitHub comes from a graph of an untrusted repository.",
        mobile,
        |c| image_elsewhere(c, "mozilla-mobile/reference-browser", "mozilla-mobile/sandbox"),
        "tree-untrusted",
    ),
    attack(
        "image from a fork",
        &[T],
        "The image of a release on GitHub comes from a graph of a user's fork.",
        tag,
        |c| image_elsewhere(c, "mozilla-mobile/reference-browser", "somebody/reference-browser"),
        "tree-untrusted",
    ),
    attack(
        "one image task of an untrusted tree",
        &[T],
        "In a trusted earlier graph, the docker-image task names another repository.",
        action,
        |c| {
            let id = c.images.first()?.clone();
            moved(c, &id, "hg.mozilla.org/mozilla-central", "hg.mozilla.org/projects/oak")
        },
        "tree-untrusted",
    ),
    attack(
        "repository with the same prefix",
        &[T],
        "A build comes from a repository that only an unanchored pattern takes for the trusted one.",
        mobile,
        |c| alike(c, "mozilla-mobile/reference-browser", "mozilla-mobile/reference-browser-git"),
        "tree-repository-prefix",
    ),
    attack(
        "repository with the same prefix in a release",
        &[T],
        "A build of a release comes from a repository with a character before `git` at the end of its name.",
        || Release::of(Product::XPI, Trigger::Release),
        |c| alike(c, "mozilla-extensions/xpi-manifest", "mozilla-extensions/xpi-manifest-git"),
        "tree-repository-prefix",
    ),
    attack(
        "repository with the same prefix in a cron job",
        &[T],
        "In another product's cron job, a build's repository has a name with the suffix `_git`.",
        || Release::of(Product::APP_SERVICES, Trigger::Cron),
        |c| alike(c, "mozilla/application-services", "mozilla/application-services_github"),
        "tree-repository-prefix",
    ),
    attack(
        "other sources from try",
        &[T],
        "A build also uses the sources of another product from a try tree, which anyone may push to.",
        push,
        |c| build(c, COMM, "https://hg.mozilla.org/try-comm-central"),
        "tree-other-source",
    ),
    attack(
        "other sources from a user",
        &[T],
        "A build also uses the sources of another product from a user's clone.",
        cron,
        |c| build(c, COMM, "https://hg.mozilla.org/users/somebody/comm-central"),
        "tree-other-source",
    ),
    attack(
        "other sources from another host",
        &[T],
        "A build also uses the sources of another product from an untrusted host.",
        action,
        |c| build(c, COMM, "https://hg.example.org/comm-central"),
        "tree-other-source",
    ),
    attack(
        "other sources with a malformed address",
        &[T],
        "A build also uses the sources of another product from a malformed address.",
        promotion,
        |c| build(c, COMM, "../comm-central"),
        "tree-other-source",
    ),
    attack(
        "upstream browser from try",
        &[T],
        "A build of a product that builds on another uses it from a try tree, which anyone may push \
         to.",
        || Release::of(Product::THUNDERBIRD, Trigger::Push),
        |c| build(c, &["payload", "env", "GECKO_HEAD_REPOSITORY"], "https://hg.mozilla.org/try"),
        "tree-other-source",
    ),
    attack(
        "library from try",
        &[T],
        "A docker-image task also uses a library, whose prefix belongs to no product, from a try \
         tree.",
        push,
        |c| {
            let id = c.images.first()?.clone();
            edit_at(
                c,
                &id,
                &["payload", "env", "NSS_HEAD_REPOSITORY"],
                "https://hg.mozilla.org/projects-try/nss",
            )
        },
        "tree-other-source",
    ),
    attack(
        "other sources from a fork",
        &[T],
        "A build of a release on GitHub also uses the sources of another product from a fork.",
        tag,
        |c| build(c, &["payload", "env", "GLEAN_HEAD_REPOSITORY"], "https://github.com/somebody/glean"),
        "tree-other-source",
    ),
    attack(
        "build of another revision",
        &[T],
        "A build was made from a different revision from its graph's decision task.",
        push,
        |c| build(c, HEAD_REV, OTHER_REV),
        "tree-sibling-revision",
    ),
    attack(
        "generic-worker's build of another revision",
        &[T],
        "In a cron job's graph, a generic-worker's build was made from another revision.",
        cron,
        |c| {
            let id = nth_build(c, 2)?;
            edit_at(c, &id, HEAD_REV, OTHER_REV)
        },
        "tree-sibling-revision",
    ),
    attack(
        "build of a branch's tip",
        &[T],
        "A build was made from the tip of a branch at the time it runs.",
        action,
        |c| build(c, HEAD_REV, "default"),
        "tree-sibling-revision",
    ),
    attack(
        "build of a shortened revision",
        &[T],
        "A build's revision is only a prefix of its graph's.",
        push,
        |c| {
            let id = first_build(c)?;
            let revision = c.definition(&id)?.pointer(HEAD_REV)?.as_str()?.get(..12)?.to_owned();
            build(c, HEAD_REV, revision)
        },
        "tree-sibling-revision",
    ),
    attack(
        "image of another revision than its graph's",
        &[T],
        "A docker-image task of an earlier graph was made from the target's revision, not its graph's.",
        push,
        |c| {
            let build = first_build(c)?;
            let revision = c.definition(&build)?.pointer(HEAD_REV)?.clone();
            let id = c.images.first()?.clone();
            edit_at(c, &id, HEAD_REV, revision)
        },
        "tree-sibling-revision",
    ),
    attack(
        "repackage of another revision",
        &[T],
        "In a release promotion, a repackage was made from a different revision from the promotion.",
        promotion_of_rounds,
        |c| {
            let id = link_of(c, "repackage")?;
            edit_at(c, &id, HEAD_REV, OTHER_REV)
        },
        "tree-sibling-revision",
    ),
    attack(
        "build of another revision, with a trailing slash",
        &[T],
        "A build of another revision names the same repository with a trailing slash.",
        push,
        |c| {
            let id = first_build(c)?;
            edit(c, &id, |task| {
                set(task, HEAD_REV, OTHER_REV)?;
                set(
                    task,
                    &["payload", "env", "GECKO_HEAD_REPOSITORY"],
                    "https://hg.mozilla.org/mozilla-central/",
                )
            })
        },
        "tree-sibling-revision",
    ),
    attack(
        "build on GitHub of another commit",
        &[T],
        "A build of a push to GitHub was made from another commit of the same branch.",
        mobile,
        |c| {
            let id = first_build(c)?;
            let revision = revision(c, &id, "MOBILE_HEAD_REV")?;
            mirror_pages(c, &revision, OTHER_REV);
            build(c, &["payload", "env", "MOBILE_HEAD_REV"], OTHER_REV)
        },
        "tree-sibling-revision",
    ),
    attack(
        "target of another revision",
        &[T],
        "The target's environment names a different revision of the tree from its graph's.",
        push,
        |c| {
            target(c, |task| {
                set(task, &["payload", "env"], crate::change::empty())?;
                set(
                    task,
                    &["payload", "env", "GECKO_HEAD_REPOSITORY"],
                    "https://hg.mozilla.org/mozilla-central",
                )?;
                set(task, HEAD_REV, OTHER_REV)
            })
        },
        "tree-sibling-revision",
    ),
    attack(
        "graph of the image from a look-alike host",
        &[T, V],
        "The image's whole graph comes from a host with a similar name, which answers like the real \
         one.",
        cron,
        |c| image_elsewhere(c, "hg.mozilla.org", "hg.mozi11a.org"),
        "tree-untrusted",
    ),
];

/// A project that `projects.yml` lists with a high level and no policy trusts.
const OAK: &str = "oak:\n  repo: https://hg.mozilla.org/projects/oak\n  repo_type: hg\n  access: scm_level_3\n  trust_domain: gecko\n";

/// A variable of a task.
fn revision(chain: &Chain, id: &str, name: &str) -> Option<String> {
    Some(chain.definition(id)?.pointer(&["payload", "env", name])?.as_str()?.to_owned())
}

/// Moves a task to another repository, in all places.
pub(super) fn moved(chain: &mut Chain, id: &str, from: &str, to: &str) -> Option<()> {
    mirror_pages(chain, from, to);
    edit_text(chain, id, from, to)
}

/// Moves the first build to a repository with the same pages.
fn alike(chain: &mut Chain, from: &str, to: &str) -> Option<()> {
    let id = first_build(chain)?;
    moved(chain, &id, from, to)
}
