//! Branches of a lower level than the target's tree.

use super::super::{Attack, T, attack};
use crate::change::{
    branch_level, build, decision, edit_at, first_decision, in_project, landed_on, landed_page, listing,
    nth_build, on_branch, replace_page, revision_of,
};
use crate::valid::{mobile, tag};
use catena_testbed::chain::Product;
use catena_testbed::{Chain, Release, Trigger};

const BROWSER: &str = "https://github.com/mozilla-mobile/reference-browser";
const HEAD_REF: &[&str] = &["payload", "env", "MOBILE_HEAD_REF"];

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "push to a branch of level 1",
        &[T],
        "Everything is of a push to another branch of the official repository, which anybody may push to.",
        mobile,
        |c| ran_for(c, "faster"),
        "tree-branch-level",
    ),
    attack(
        "cron job on a branch of level 1",
        &[T],
        "A cron job ran on a branch of the official repository that anybody may push to.",
        || Release::of(Product::MOBILE, Trigger::Cron),
        |c| ran_for(c, "faster"),
        "tree-branch-level",
    ),
    attack(
        "action on a push to a branch of level 1",
        &[T],
        "An action acts on a push to a branch that anybody may push to.",
        || Release::of(Product::GLEAN, Trigger::Action),
        |c| ran_for(c, "faster"),
        "tree-branch-level",
    ),
    attack(
        "promotion of a push to a branch of level 1",
        &[T],
        "A promotion on GitHub promotes a push to a branch that anybody may push to.",
        || Release::of(Product::ENTERPRISE, Trigger::ReleasePromotion),
        |c| ran_for(c, "faster"),
        "tree-branch-level",
    ),
    attack(
        "release made for a branch of level 1",
        &[T],
        "GitHub says of a release that it was made for a branch that anybody may push to.",
        tag,
        |c| {
            released_for(c, "faster")?;
            landed_on(c, &["faster"])
        },
        "tree-branch-level",
    ),
    attack(
        "release made for a branch of level 1 of a commit that landed",
        &[T],
        "A release was made for a branch that anybody may push to, and its commit is on the main branch too.",
        || Release::of(Product::XPI, Trigger::Release),
        |c| {
            released_for(c, "faster")?;
            landed_on(c, &["faster", "main"])
        },
        "tree-branch-level",
    ),
    attack(
        "branch that begins like the main one",
        &[T],
        "Everything is of a push to a branch whose name goes on after that of the main one.",
        mobile,
        |c| ran_for(c, "main-2"),
        "tree-branch-level",
    ),
    attack(
        "main branch in capital letters",
        &[T],
        "Everything is of a push to a branch whose name differs from the main one's in a capital letter.",
        || Release::of(Product::APP_SERVICES, Trigger::Push),
        |c| ran_for(c, "Main"),
        "tree-branch-level",
    ),
    attack(
        "branch without what a pattern asks for",
        &[T],
        "A branch has the name of a protected folder of branches, and lies in none.",
        mobile,
        |c| {
            branch_level(c, BROWSER, "releases/*", 3)?;
            ran_for(c, "releases")
        },
        "tree-branch-level",
    ),
    attack(
        "branch with a pattern's beginning in its middle",
        &[T],
        "A branch's name has that of a protected folder of branches after its own.",
        || Release::of(Product::MOBILE, Trigger::Cron),
        |c| {
            branch_level(c, BROWSER, "releases/*", 3)?;
            ran_for(c, "faster/releases/v151")
        },
        "tree-branch-level",
    ),
    attack(
        "branch of a pattern of level 2",
        &[T],
        "A branch is one of several that a pattern gives a lower level than the tree has.",
        mobile,
        |c| {
            branch_level(c, BROWSER, "releases/*", 2)?;
            ran_for(c, "releases/v151")
        },
        "tree-branch-level",
    ),
    attack(
        "branch that is excepted from its pattern",
        &[T],
        "A branch fits the pattern of protected ones, and its own entry says that it is not protected.",
        mobile,
        |c| {
            branch_level(c, BROWSER, "releases/*", 3)?;
            branch_level(c, BROWSER, "releases/next", 1)?;
            ran_for(c, "releases/next")
        },
        "tree-branch-level",
    ),
    attack(
        "branch that is in no list",
        &[T],
        "The list of projects tells the level of the main branch only, and everything is of another.",
        || Release::of(Product::MOBILE, Trigger::Cron),
        |c| {
            in_project(c, BROWSER, "    - name: '*'\n      level: 1\n", "")?;
            ran_for(c, "faster")
        },
        "tree-branch-level",
    ),
    attack(
        "branch named like a commit that is cut off",
        &[T],
        "A branch of the lowest level is named so that it could be taken for the beginning of a hash.",
        mobile,
        |c| ran_for(c, "facade"),
        "tree-branch-level",
    ),
    attack(
        "image of a push to a branch of level 1",
        &[T],
        "The image comes from an earlier push to a branch that anybody may push to.",
        mobile,
        |c| {
            let earlier = c.decisions.get(1)?.clone();
            on_branch(c, &earlier, "faster")?;
            landed_page(c, &earlier, listing(&["faster"]))
        },
        "tree-branch-level",
    ),
    attack(
        "image of a push to a branch of level 1 in a release",
        &[T],
        "The image of a release comes from an earlier push to a branch of the lowest level, since merged.",
        tag,
        |c| {
            let earlier = c.decisions.get(1)?.clone();
            on_branch(c, &earlier, "faster")?;
            landed_page(c, &earlier, listing(&["faster", "main"]))
        },
        "tree-branch-level",
    ),
    attack(
        "build of another branch",
        &[T],
        "One build of a push to the main branch names a branch that anybody may push to.",
        mobile,
        |c| build(c, HEAD_REF, "faster"),
        "tree-branch-level",
    ),
    attack(
        "build of another branch beside the right one",
        &[T],
        "A generic-worker's build names the main branch, and in another variable one of the lowest level.",
        || Release::of(Product::MOBILE, Trigger::Cron),
        |c| {
            let id = nth_build(c, 2)?;
            edit_at(c, &id, &["payload", "env", "MOBILE_HEAD_BRANCH"], "faster")
        },
        "tree-branch-level",
    ),
    attack(
        "build of a branch by its whole reference",
        &[T],
        "A build names a branch of the lowest level by its whole reference.",
        mobile,
        |c| build(c, HEAD_REF, "refs/heads/faster"),
        "tree-branch-level",
    ),
    attack(
        "build of a pull request's reference",
        &[T],
        "A build names a pull request's reference where its branch stands.",
        mobile,
        |c| build(c, HEAD_REF, "refs/pull/7/head"),
        "tree-branch-level",
    ),
    attack(
        "other sources of a branch of level 1",
        &[T],
        "A build also takes in a trusted library, from a branch of it that anybody may push to.",
        mobile,
        |c| {
            build(c, &["payload", "env", "GLEAN_HEAD_REPOSITORY"], "https://github.com/mozilla/glean")?;
            build(c, &["payload", "env", "GLEAN_HEAD_REF"], "faster")
        },
        "tree-branch-level",
    ),
    attack(
        "mirrored build of a branch of level 1",
        &[T],
        "A build that uses the git mirror names a branch of it that anybody may push to.",
        crate::valid::mirrored,
        |c| {
            let id = nth_build(c, 1)?;
            edit_at(c, &id, &["payload", "env", "GECKO_HEAD_REF"], "faster")
        },
        "tree-branch-level",
    ),
    attack(
        "private repository's branch of level 1",
        &[T],
        "Everything is of a cron job on a branch of a private repository that anybody with access may push to.",
        || Release { ssh: true, ..Release::of(Product::MOZILLAVPN, Trigger::Cron) },
        |c| ran_for(c, "faster"),
        "tree-branch-level",
    )
    .under("catena-policy: 1\nproducts:\n  mozillavpn:\n    landed: assumed\n"),
    attack(
        "private repository's commit on no branch that is named",
        &[T],
        "A cron job on a private repository, whose branches nobody is asked about, names a commit only.",
        || Release { ssh: true, ..Release::of(Product::MOZILLAVPN, Trigger::Cron) },
        |c| {
            let id = first_decision(c)?;
            let revision = revision_of(c, &id)?;
            on_branch(c, &id, &revision)
        },
        "tree-branch-level",
    )
    .under("catena-policy: 1\nproducts:\n  mozillavpn:\n    landed: assumed\n"),
    attack(
        "decision task that names a branch it is not of",
        &[T],
        "A push to a branch that anybody may push to says by its own template that it is of the main one.",
        mobile,
        |c| {
            decision(c, HEAD_REF, "main")?;
            landed_on(c, &["faster"])
        },
        "pull-request-not-landed",
    ),
];

/// Lets the target's graph run for another branch of its repository, where its commit then is.
fn ran_for(chain: &mut Chain, name: &str) -> Option<()> {
    let decision = first_decision(chain)?;
    on_branch(chain, &decision, name)?;
    landed_page(chain, &decision, listing(&[name]))
}

/// Lets a release have been made for a branch, wherever that is told.
fn released_for(chain: &mut Chain, name: &str) -> Option<()> {
    replace_page(
        chain,
        "releases/tags",
        "\"target_commitish\":\"main\"",
        &format!("\"target_commitish\":\"{name}\""),
    )?;
    let id = first_decision(chain)?;
    on_branch(chain, &id, name)
}
