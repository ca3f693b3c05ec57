//! Trees, and schedulers, of a lower level than the target's tree.

use super::super::{Attack, T, V, attack};
use crate::change::{
    build, edit_at, edit_text, first_build, image_elsewhere, in_project, link_of, nth_build, page_is,
    page_missing, project, replace_in, replace_page, set, target,
};
use crate::valid::{action, cron, mobile, promotion, promotion_of_rounds, push, tag};
use catena_testbed::chain::Product;
use catena_testbed::{Release, Trigger};

const CENTRAL: &str = "https://hg.mozilla.org/mozilla-central";
const AUTOLAND: &str = "https://hg.mozilla.org/integration/autoland";
const MIRROR: &str = "https://github.com/mozilla-firefox/firefox";
const BROWSER: &str = "https://github.com/mozilla-mobile/reference-browser";
const DESKTOP: &str = "https://github.com/thunderbird/thunderbird-desktop";
/// A trusted tree on GitHub of a low level, beside the target's own.
const DESKTOP_LOW: &str = "thunderbird-desktop:\n  repo: https://github.com/thunderbird/thunderbird-desktop\n  repo_type: git\n  branches:\n    - name: main\n      level: 2\n";

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "build of Thunderbird by a scheduler of level 1",
        &[T],
        "A build of another product has the scheduler of its try pushes.",
        || Release::of(Product::THUNDERBIRD, Trigger::Push),
        |c| build(c, &["schedulerId"], "comm-level-1"),
        "tree-scheduler-level",
    ),
    attack(
        "build on GitHub by a scheduler of level 1",
        &[T],
        "A build of a push to GitHub has the scheduler that pull requests have.",
        mobile,
        |c| build(c, &["schedulerId"], "mobile-level-1"),
        "tree-scheduler-level",
    ),
    attack(
        "image by a scheduler of level 2",
        &[T],
        "A docker-image task of an earlier graph has a scheduler of an intermediate level.",
        || Release::of(Product::ENTERPRISE, Trigger::Push),
        |c| {
            let id = c.images.first()?.clone();
            edit_at(c, &id, &["schedulerId"], "enterprise-level-2")
        },
        "tree-scheduler-level",
    ),
    attack(
        "target by a scheduler of level 2",
        &[T],
        "The target of a cron job has the scheduler of a less trusted tree.",
        cron,
        |c| target(c, |task| set(task, &["schedulerId"], "gecko-level-2")),
        "tree-scheduler-level",
    ),
    attack(
        "scheduler of another domain's level 1",
        &[T],
        "A build has the scheduler of another trust domain's pull requests.",
        tag,
        |c| build(c, &["schedulerId"], "app-services-level-1"),
        "tree-scheduler-level",
    ),
    attack(
        "scheduler level with a leading zero",
        &[T],
        "A scheduler's level has a leading zero, which only some readers accept.",
        push,
        |c| build(c, &["schedulerId"], "gecko-level-03"),
        "tree-scheduler-level",
    ),
    attack(
        "scheduler of an undefined level",
        &[T],
        "A build of an add-on has a scheduler of a level that does not exist.",
        || Release::of(Product::XPI, Trigger::Push),
        |c| build(c, &["schedulerId"], "xpi-level-4"),
        "tree-scheduler-level",
    ),
    attack(
        "scheduler of two levels",
        &[T],
        "A scheduler's name has two levels, the lower one first.",
        action,
        |c| build(c, &["schedulerId"], "gecko-level-1-level-3"),
        "tree-scheduler-level",
    ),
    attack(
        "repackage by a scheduler of level 2",
        &[T],
        "In a release promotion, a repackage has a scheduler of a lower level.",
        promotion_of_rounds,
        |c| {
            let id = link_of(c, "repackage")?;
            edit_at(c, &id, &["schedulerId"], "gecko-level-2")
        },
        "tree-scheduler-level",
    ),
    attack(
        "scheduler of level 1 where the level is unknown",
        &[T],
        "The target's tree is not in the list of projects, and a build has the scheduler of pull requests.",
        mobile,
        |c| {
            in_project(c, BROWSER, "reference-browser\n", "reference-browser-2\n")?;
            build(c, &["schedulerId"], "mobile-level-1")
        },
        "tree-scheduler-level",
    ),
    attack(
        "image from a tree of level 1",
        &[T],
        "The image comes from a trusted tree that the list of projects gives the lowest level.",
        push,
        |c| {
            image_elsewhere(c, "hg.mozilla.org/mozilla-central", "hg.mozilla.org/integration/autoland")?;
            in_project(c, AUTOLAND, "scm_level_3", "scm_level_1")
        },
        "tree-level",
    ),
    attack(
        "image from a tree of level 2",
        &[T],
        "A cron job's image comes from a trusted tree of an intermediate level.",
        cron,
        |c| {
            image_elsewhere(c, "hg.mozilla.org/mozilla-central", "hg.mozilla.org/integration/autoland")?;
            in_project(c, AUTOLAND, "scm_level_3", "scm_level_2")
        },
        "tree-level",
    ),
    attack(
        "image from a tree of a group without a level",
        &[T],
        "The image of an action's chain comes from a trusted tree whose access group has no level.",
        action,
        |c| {
            image_elsewhere(c, "hg.mozilla.org/mozilla-central", "hg.mozilla.org/integration/autoland")?;
            in_project(c, AUTOLAND, "scm_level_3", "scm_level_x")
        },
        "tree-level",
    ),
    attack(
        "image from a tree of a group without level 3",
        &[T],
        "The image comes from a trusted tree whose access group is not of level 3.",
        push,
        |c| {
            image_elsewhere(c, "hg.mozilla.org/mozilla-central", "hg.mozilla.org/integration/autoland")?;
            in_project(c, AUTOLAND, "scm_level_3", "scm_l10n")
        },
        "tree-level",
    ),
    attack(
        "image of level 2 for a target of the git mirror of level 1",
        &[T],
        "The target's source is in the git mirror of its tree, and the image's level is between the \
         two.",
        push,
        |c| {
            let (tree, mirror) =
                ("hg.mozilla.org/mozilla-central/file/", "github.com/mozilla-firefox/firefox/blob/");
            target(c, |task| replace_in(task.get_mut("metadata")?, tree, mirror))?;
            in_project(c, MIRROR, "level: 3", "level: 1")?;
            image_elsewhere(c, "hg.mozilla.org/mozilla-central", "hg.mozilla.org/integration/autoland")?;
            in_project(c, AUTOLAND, "scm_level_3", "scm_level_2")
        },
        "tree-level",
    ),
    attack(
        "image from a repository with a project's name as a prefix",
        &[T],
        "The image comes from a trusted repository whose name has a project's name as a prefix.",
        || Release::of(Product::ENTERPRISE, Trigger::Push),
        |c| {
            image_elsewhere(c, "mozilla/enterprise-firefox", "thunderbird/thunderbird-desktop")?;
            project(c, &DESKTOP_LOW.replace("-desktop", "").replace("level: 2", "level: 3"))
        },
        "tree-level",
    ),
    attack(
        "image from a tree missing from the projects",
        &[T],
        "The image comes from a trusted tree that the list of projects does not have.",
        push,
        |c| {
            image_elsewhere(c, "hg.mozilla.org/mozilla-central", "hg.mozilla.org/integration/autoland")?;
            in_project(c, AUTOLAND, "integration/autoland\n", "integration/autoland-2\n")
        },
        "tree-level",
    ),
    attack(
        "image from a repository of level 2 on GitHub",
        &[T],
        "The image of a push to GitHub comes from a trusted repository whose default branch has a lower level.",
        || Release::of(Product::ENTERPRISE, Trigger::Push),
        |c| {
            image_elsewhere(c, "mozilla/enterprise-firefox", "thunderbird/thunderbird-desktop")?;
            project(c, DESKTOP_LOW)
        },
        "tree-level",
    ),
    attack(
        "image from a GitHub repository missing from the projects",
        &[T],
        "The image of a cron job on GitHub comes from a trusted repository that is not in the list of projects.",
        || Release::of(Product::ENTERPRISE, Trigger::Cron),
        |c| image_elsewhere(c, "mozilla/enterprise-firefox", "thunderbird/thunderbird-desktop"),
        "tree-level",
    ),
    attack(
        "image from a repository matched by a pattern only",
        &[T],
        "The image comes from a trusted repository that the list of projects has only through its \
         owner's pattern.",
        || Release::of(Product::ENTERPRISE, Trigger::Push),
        |c| {
            image_elsewhere(c, "mozilla/enterprise-firefox", "thunderbird/thunderbird-desktop")?;
            project(c, &DESKTOP_LOW.replace("/thunderbird-desktop\n", "/*\n").replace("level: 2", "level: 3"))
        },
        "tree-level",
    ),
    attack(
        "image from a repository whose name is a prefix of a project's",
        &[T],
        "The image comes from a repository whose name is a prefix of a project's.",
        || Release::of(Product::ENTERPRISE, Trigger::Push),
        |c| {
            image_elsewhere(c, "mozilla/enterprise-firefox", "thunderbird/thunderbird-desktop")?;
            project(c, &DESKTOP_LOW.replace("-desktop\n", "-desktop-2\n").replace("level: 2", "level: 3"))
        },
        "tree-level",
    ),
    attack(
        "image of a promotion from a repository of level 2",
        &[T],
        "The image of a promotion on GitHub comes from a trusted repository of a lower level.",
        || Release::of(Product::ENTERPRISE, Trigger::ReleasePromotion),
        |c| {
            image_elsewhere(c, "mozilla/enterprise-firefox", "thunderbird/thunderbird-desktop")?;
            project(c, DESKTOP_LOW)
        },
        "tree-level",
    ),
    attack(
        "tree whose level is a word",
        &[V],
        "The list of projects has a word for the level of the target's branches.",
        mobile,
        |c| in_project(c, BROWSER, "level: 3", "level: high"),
        "tree-level",
    ),
    attack(
        "tree whose level is half a level",
        &[V],
        "The list of projects has a fraction for the level of the target's branches.",
        tag,
        |c| in_project(c, BROWSER, "level: 3", "level: 2.5"),
        "tree-level",
    ),
    attack(
        "tree with an unknown default branch",
        &[V],
        "The list of projects names a default branch that does not match the target's branches.",
        mobile,
        |c| {
            in_project(c, BROWSER, "default_branch: main", "default_branch: trunk")?;
            in_project(c, BROWSER, "    - name: '*'\n      level: 1\n", "")
        },
        "tree-level",
    ),
    attack(
        "upstream browser of level 2",
        &[T],
        "A product built on another uses a tree of it with a lower level.",
        || Release::of(Product::THUNDERBIRD, Trigger::Push),
        |c| in_project(c, CENTRAL, "scm_level_3", "scm_level_2"),
        "tree-level",
    ),
    attack(
        "other sources of level 1",
        &[T],
        "A build also uses the sources of another product, which are trusted and of the lowest level.",
        push,
        |c| {
            in_project(c, "https://hg.mozilla.org/comm-central", "scm_level_3", "scm_level_1")?;
            build(c, &["payload", "env", "COMM_HEAD_REPOSITORY"], "https://hg.mozilla.org/comm-central")
        },
        "tree-level",
    ),
    attack(
        "other sources of level 1 on GitHub",
        &[T],
        "A build of a release also uses a library whose default branch has the lowest level.",
        tag,
        |c| {
            in_project(c, "https://github.com/mozilla/glean", "level: 3", "level: 1")?;
            build(c, &["payload", "env", "GLEAN_HEAD_REPOSITORY"], "https://github.com/mozilla/glean")
        },
        "tree-level",
    ),
    attack(
        "other sources missing from the projects",
        &[T],
        "An image also uses another product's trusted sources, which are not in the list of projects.",
        cron,
        |c| {
            let id = c.images.first()?.clone();
            let variable = ["payload", "env", "COMM_HEAD_REPOSITORY"];
            edit_at(c, &id, &variable, "https://hg.mozilla.org/releases/comm-esr140")
        },
        "tree-level",
    ),
    attack(
        "library of level 1",
        &[T],
        "A build also uses a library, whose prefix belongs to no product, with a lower level in the \
         list of projects.",
        push,
        |c| {
            project(
                c,
                "words:\n  repo: https://hg.mozilla.org/projects/words\n  repo_type: hg\n  access: scm_level_1\n",
            )?;
            build(c, &["payload", "env", "WORDS_HEAD_REPOSITORY"], "https://hg.mozilla.org/projects/words")
        },
        "tree-level",
    ),
    attack(
        "other sources below a project",
        &[T],
        "A build also uses a repository whose address has a project's as a prefix.",
        promotion,
        |c| build(c, &["payload", "env", "COMM_HEAD_REPOSITORY"], "https://hg.mozilla.org/comm-central/nss"),
        "tree-level",
    ),
    attack(
        "other sources over ssh of a lower level",
        &[T],
        "A generic-worker's build names sources of a lower level by an address for ssh.",
        mobile,
        |c| {
            in_project(c, "https://github.com/mozilla/glean", "level: 3", "level: 2")?;
            let id = nth_build(c, 2)?;
            edit_at(c, &id, &["payload", "env", "GLEAN_HEAD_REPOSITORY"], "git@github.com:mozilla/glean.git")
        },
        "tree-level",
    ),
    attack(
        "second tree of a lower level",
        &[T],
        "A build's source is in one of a product's two repositories, and it names the other, of a \
         lower level.",
        || Release::of(Product::ENTERPRISE, Trigger::Push),
        |c| {
            project(c, DESKTOP_LOW)?;
            let id = first_build(c)?;
            edit_text(c, &id, "\"GECKO_HEAD_REF\"", "\"COMM_HEAD_REF\"")?;
            edit_text(c, &id, "\"GECKO_HEAD_REV\"", "\"COMM_HEAD_REV\"")?;
            edit_text(c, &id, "\"GECKO_HEAD_REPOSITORY\"", "\"COMM_HEAD_REPOSITORY\"")?;
            build(c, &["payload", "env", "GECKO_HEAD_REPOSITORY"], DESKTOP)
        },
        "tree-level",
    ),
    attack(
        "missing list of projects",
        &[V],
        "The list of projects, which states the levels, is missing.",
        mobile,
        |c| page_missing(c, "projects.yml"),
        "tree-projects",
    ),
    attack(
        "list of projects that is not a mapping",
        &[V],
        "The list of projects is a sentence.",
        tag,
        |c| page_is(c, "projects.yml", "moved\n"),
        "tree-projects",
    ),
    attack(
        "list of projects that is not YAML",
        &[V],
        "A line of the list of projects is truncated.",
        mobile,
        |c| replace_page(c, "projects.yml", "---\n", "---\n\"\n"),
        "tree-projects",
    ),
];
