//! Restricted scopes of products other than the target's.

use super::super::{Attack, T, attack};
use crate::change::{add, target};
use crate::valid::{action, cron, finished, fork, mobile, pr_action, promotion, push, tag};
use catena_testbed::chain::{Product, Scope};
use catena_testbed::{Release, Trigger};

/// A release with another scope of its target.
macro_rules! asks {
    ($release:expr, $scope:literal) => {
        || Release { scope: Scope::Exactly($scope.into()), ..$release }
    };
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "Thunderbird's scope on Firefox's tree",
        &[T],
        "A push of Firefox has the scope for the signing keys of Thunderbird's releases.",
        asks!(push(), "project:comm:thunderbird:releng:signing:cert:release-signing"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "Firefox's scope on Thunderbird's tree",
        &[T],
        "A push of Thunderbird has the scope for the signing keys of Firefox's releases.",
        asks!(
            Release::of(Product::THUNDERBIRD, Trigger::Push),
            "project:releng:signing:cert:release-signing"
        ),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "Firefox's scope in an enterprise promotion",
        &[T],
        "A promotion of enterprise offers its builds to the users of Firefox's release channel.",
        asks!(
            Release::of(Product::ENTERPRISE, Trigger::ReleasePromotion),
            "project:releng:balrog:server:release"
        ),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "add-on's scope in a cron job",
        &[T],
        "A cron job of Firefox has the scope for the signing keys of add-ons.",
        asks!(cron(), "project:xpi:signing:cert:release-signing"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "library's scope in an action",
        &[T],
        "An action on a push of Firefox has the scope for a library's publishing bucket.",
        asks!(action(), "project:mozilla:glean:releng:beetmover:bucket:maven-production"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "VPN's scope in a release on GitHub",
        &[T],
        "A release on GitHub has the scope for the signing keys of another product's releases.",
        asks!(tag(), "project:mozillavpn:releng:signing:cert:release-signing"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "browser's scope on a fork's pull request",
        &[T],
        "A fork's pull request to one product has a scope that another product restricts.",
        asks!(fork(), "project:releng:beetmover:bucket:release"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "another product's scope on a pull request's action",
        &[T],
        "An action on a pull request has the scope for another product's publishing bucket.",
        asks!(pr_action(), "project:scriptworker:pypi:production"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "scope restricted by another product's prefix",
        &[T],
        "A product has a scope that another product restricts by a prefix.",
        asks!(
            Release::of(Product::SCRIPTWORKER, Trigger::Push),
            "project:xpi:releng:github:project:mozilla-extensions/some-addon"
        ),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "scope equal to another product's prefix",
        &[T],
        "A product has a scope that is exactly the prefix that another product restricts.",
        asks!(mobile(), "project:xpi:releng:github:project:mozilla-extensions/"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "broad scope within another product's prefix",
        &[T],
        "A product has a broad scope within a prefix that another product restricts.",
        asks!(mobile(), "project:xpi:releng:github:project:mozilla-extensions/some*"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "broad scope of another product",
        &[T],
        "A push of Firefox has a scope that covers all of Thunderbird's.",
        asks!(push(), "project:comm:*"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "broad scope of several other products",
        &[T],
        "A library has a scope that covers what several other products restrict.",
        asks!(Release::of(Product::TRANSLATIONS, Trigger::Push), "project:m*"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "broad scope that ends in a word of another product's",
        &[T],
        "A promotion has a scope whose star covers the rest of another product's last word.",
        asks!(promotion(), "project:comm:thunderbird:releng:signing:cert:rel*"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "broad scope above another product's prefix",
        &[T],
        "A product has a scope that covers more than the prefix that another product restricts.",
        asks!(Release::of(Product::GLEAN, Trigger::Push), "project:xpi:releng:github:*"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "finished target with another product's scope",
        &[T],
        "A finished target had a scope that another product restricts.",
        asks!(finished(), "project:adhoc:signing:cert:release-signing"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "another product's scope after an allowed one",
        &[T],
        "A target has another product's scope after one that its tree may use.",
        push,
        |c| {
            target(c, |task| add(task, &["scopes"], "project:enterprise:releng:signing:cert:release-signing"))
        },
        "tree-foreign-scope",
    ),
    attack(
        "broad scope above a product's own and others' scopes",
        &[T],
        "A push has a scope for its whole project, which covers its own product's scopes and others'.",
        asks!(Release::of(Product::GLEAN, Trigger::Push), "project:*"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "broad scope of two products of one owner",
        &[T],
        "A push of a library has a scope that covers all that is restricted for its owner's \
         libraries.",
        asks!(Release::of(Product::GLEAN, Trigger::Push), "project:mozilla:*"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "every scope on a product's only tree",
        &[T],
        "A push of the only repository of its product has the scope `*`.",
        asks!(Release::of(Product::TRANSLATIONS, Trigger::Push), "*"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "broad scope that ends within a word shared by products",
        &[T],
        "A push of a library has a scope whose star covers the rest of several products' first word.",
        asks!(Release::of(Product::GLEAN, Trigger::Push), "project:m*"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "broad scope of several products in a finished target",
        &[T],
        "A finished target had a scope for all projects, beside one that its tree may use.",
        || Release { finished: true, ..Release::of(Product::ADHOC, Trigger::Push) },
        |c| target(c, |task| add(task, &["scopes"], "project:*")),
        "tree-foreign-scope",
    ),
];
