//! Restricted scopes of products that the target is not of.

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
        "A push of Firefox asks for the keys that Thunderbird's releases are signed with.",
        asks!(push(), "project:comm:thunderbird:releng:signing:cert:release-signing"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "Firefox's scope on Thunderbird's tree",
        &[T],
        "A push of Thunderbird asks for the keys that Firefox's releases are signed with.",
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
        "A cron job of Firefox asks for the keys that add-ons are signed with.",
        asks!(cron(), "project:xpi:signing:cert:release-signing"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "library's scope in an action",
        &[T],
        "An action on a push of Firefox asks for where a library is published.",
        asks!(action(), "project:mozilla:glean:releng:beetmover:bucket:maven-production"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "VPN's scope in a release on GitHub",
        &[T],
        "A release on GitHub asks for the keys of another product's releases.",
        asks!(tag(), "project:mozillavpn:releng:signing:cert:release-signing"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "browser's scope by a fork",
        &[T],
        "A fork's pull request to one product asks for what another one restricts.",
        asks!(fork(), "project:releng:beetmover:bucket:release"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "workers' scope by a pull request's action",
        &[T],
        "An action on a pull request asks for where another product is published.",
        asks!(pr_action(), "project:scriptworker:pypi:production"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "scope by another product's prefix",
        &[T],
        "A product asks for a scope that another product restricts by its beginning.",
        asks!(
            Release::of(Product::SCRIPTWORKER, Trigger::Push),
            "project:xpi:releng:github:project:mozilla-extensions/some-addon"
        ),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "scope by another product's prefix and nothing more",
        &[T],
        "A product asks for just the beginning by which another product restricts scopes.",
        asks!(mobile(), "project:xpi:releng:github:project:mozilla-extensions/"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "broad scope by another product's prefix",
        &[T],
        "A product asks for a broad scope inside of what another product restricts by its beginning.",
        asks!(mobile(), "project:xpi:releng:github:project:mozilla-extensions/some*"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "broad scope of another product",
        &[T],
        "A push of Firefox has a scope that stands for all of Thunderbird's.",
        asks!(push(), "project:comm:*"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "broad scope of several other products",
        &[T],
        "A library has a scope that stands for what several other products restrict.",
        asks!(Release::of(Product::TRANSLATIONS, Trigger::Push), "project:m*"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "broad scope of another product in a promotion",
        &[T],
        "A promotion has a scope whose star stands for the rest of another product's last word.",
        asks!(promotion(), "project:comm:thunderbird:releng:signing:cert:rel*"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "broad scope above another product's prefix",
        &[T],
        "A product has a scope that stands for more than what another one restricts by its beginning.",
        asks!(Release::of(Product::GLEAN, Trigger::Push), "project:xpi:releng:github:*"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "finished target with another product's scope",
        &[T],
        "A target that has run had a scope that another product restricts.",
        asks!(finished(), "project:adhoc:signing:cert:release-signing"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "another product's scope behind the own",
        &[T],
        "A target has a scope of another product behind the one that its tree may use.",
        push,
        |c| {
            target(c, |task| add(task, &["scopes"], "project:enterprise:releng:signing:cert:release-signing"))
        },
        "tree-foreign-scope",
    ),
    attack(
        "broad scope above a product's own and others'",
        &[T],
        "A push asks for everything of its project, which holds its own product's scope and those of others.",
        asks!(Release::of(Product::GLEAN, Trigger::Push), "project:*"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "broad scope of two products of one owner",
        &[T],
        "A push of a library asks for all that is restricted for the libraries of its owner.",
        asks!(Release::of(Product::GLEAN, Trigger::Push), "project:mozilla:*"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "scope for everything on a product's only tree",
        &[T],
        "A push of the only repository of its product has the scope that stands for all scopes.",
        asks!(Release::of(Product::TRANSLATIONS, Trigger::Push), "*"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "broad scope that ends within a word of a product's own and others'",
        &[T],
        "A push of a library has a scope whose star stands for the rest of several products' first word.",
        asks!(Release::of(Product::GLEAN, Trigger::Push), "project:m*"),
        |_| Some(()),
        "tree-foreign-scope",
    ),
    attack(
        "broad scope of a product's own and others' in a finished target",
        &[T],
        "A finished target had a scope for all projects, beside the one that its tree may use.",
        || Release { finished: true, ..Release::of(Product::ADHOC, Trigger::Push) },
        |c| target(c, |task| add(task, &["scopes"], "project:*")),
        "tree-foreign-scope",
    ),
];
