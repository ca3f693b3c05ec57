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
        "The whole chain comes from a push to another branch of the official repository, which \
         anyone may push to.",
        mobile,
        |c| ran_for(c, "faster"),
        "tree-branch-level",
    ),
    attack(
        "cron job on a branch of level 1",
        &[T],
        "A cron job ran on a branch of the official repository that anyone may push to.",
        || Release::of(Product::MOBILE, Trigger::Cron),
        |c| ran_for(c, "faster"),
        "tree-branch-level",
    ),
    attack(
        "action on a push to a branch of level 1",
        &[T],
        "An action acts on a push to a branch that anyone may push to.",
        || Release::of(Product::GLEAN, Trigger::Action),
        |c| ran_for(c, "faster"),
        "tree-branch-level",
    ),
    attack(
        "promotion of a push to a branch of level 1",
        &[T],
        "A promotion on GitHub promotes a push to a branch that anyone may push to.",
        || Release::of(Product::ENTERPRISE, Trigger::ReleasePromotion),
        |c| ran_for(c, "faster"),
        "tree-branch-level",
    ),
    attack(
        "release made for a branch of level 1",
        &[T],
        "GitHub states that a release was made for a branch that anyone may push to.",
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
        "A release was made for a branch that anyone may push to, and its commit is on the main \
         branch too.",
        || Release::of(Product::XPI, Trigger::Release),
        |c| {
            released_for(c, "faster")?;
            landed_on(c, &["faster", "main"])
        },
        "tree-branch-level",
    ),
    attack(
        "branch with the main branch's name as a prefix",
        &[T],
        "The whole chain comes from a push to a branch whose name has the main branch's as a prefix.",
        mobile,
        |c| ran_for(c, "main-2"),
        "tree-branch-level",
    ),
    attack(
        "main branch in uppercase",
        &[T],
        "The whole chain comes from a push to a branch whose name differs from the main one's in \
         one uppercase letter.",
        || Release::of(Product::APP_SERVICES, Trigger::Push),
        |c| ran_for(c, "Main"),
        "tree-branch-level",
    ),
    attack(
        "branch that a pattern does not match",
        &[T],
        "A branch has the name of a protected directory of branches, and is not in it.",
        mobile,
        |c| {
            branch_level(c, BROWSER, "releases/*", 3)?;
            ran_for(c, "releases")
        },
        "tree-branch-level",
    ),
    attack(
        "branch with a pattern's prefix in its middle",
        &[T],
        "A branch's name contains that of a protected directory of branches after its own prefix.",
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
        "A branch matches a pattern that gives it a lower level than the tree's.",
        mobile,
        |c| {
            branch_level(c, BROWSER, "releases/*", 2)?;
            ran_for(c, "releases/v151")
        },
        "tree-branch-level",
    ),
    attack(
        "branch exempted from its pattern",
        &[T],
        "A branch matches a pattern for protected branches, and its own entry unprotects it.",
        mobile,
        |c| {
            branch_level(c, BROWSER, "releases/*", 3)?;
            branch_level(c, BROWSER, "releases/next", 1)?;
            ran_for(c, "releases/next")
        },
        "tree-branch-level",
    ),
    attack(
        "branch in no list",
        &[T],
        "The list of projects states only the main branch's level, and the whole chain comes from \
         another branch.",
        || Release::of(Product::MOBILE, Trigger::Cron),
        |c| {
            in_project(c, BROWSER, "    - name: '*'\n      level: 1\n", "")?;
            ran_for(c, "faster")
        },
        "tree-branch-level",
    ),
    attack(
        "branch named like a truncated commit",
        &[T],
        "A branch of the lowest level has a name that could be taken for the prefix of a hash.",
        mobile,
        |c| ran_for(c, "facade"),
        "tree-branch-level",
    ),
    attack(
        "image of a push to a branch of level 1",
        &[T],
        "The image comes from an earlier push to a branch that anyone may push to.",
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
        "The image of a release comes from an earlier push to a branch of the lowest level, merged \
         since.",
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
        "One build of a push to the main branch names a branch that anyone may push to.",
        mobile,
        |c| build(c, HEAD_REF, "faster"),
        "tree-branch-level",
    ),
    attack(
        "build of another branch beside the correct one",
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
        "build of a branch by its full reference",
        &[T],
        "A build names a branch of the lowest level by its full reference.",
        mobile,
        |c| build(c, HEAD_REF, "refs/heads/faster"),
        "tree-branch-level",
    ),
    attack(
        "build of a pull request's reference",
        &[T],
        "A build names a pull request's reference as its branch.",
        mobile,
        |c| build(c, HEAD_REF, "refs/pull/7/head"),
        "tree-branch-level",
    ),
    attack(
        "library from a branch of level 1",
        &[T],
        "A build also uses a trusted library, from a branch that anyone may push to.",
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
        "A build that uses the git mirror names a branch of it that anyone may push to.",
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
        "The whole chain comes from a cron job on a branch of a private repository that anyone with \
         access may push to.",
        || Release { ssh: true, ..Release::of(Product::MOZILLAVPN, Trigger::Cron) },
        |c| ran_for(c, "faster"),
        "tree-branch-level",
    )
    .under("catena-policy: 1\nproducts:\n  mozillavpn:\n    landed: assumed\n"),
    attack(
        "private repository's commit without a branch",
        &[T],
        "A cron job on a private repository, whose branches are not looked up, names only a commit.",
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
        "decision task that names another branch",
        &[T],
        "A push to a branch that anyone may push to names the main branch through its own template.",
        mobile,
        |c| {
            decision(c, HEAD_REF, "main")?;
            landed_on(c, &["faster"])
        },
        "pull-request-not-landed",
    ),
];

/// Moves the target's graph to another branch of its repository, which then contains its commit.
fn ran_for(chain: &mut Chain, name: &str) -> Option<()> {
    let decision = first_decision(chain)?;
    on_branch(chain, &decision, name)?;
    landed_page(chain, &decision, listing(&[name]))
}

/// Makes a release for another branch, consistently.
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
