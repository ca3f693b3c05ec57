//! Scopes that the target's tree may not use.

use super::super::{Attack, T, V, attack};
use crate::change::{everywhere, project, target};
use crate::valid::{
    action, cron, finished, fork, mirrored, mobile, pr_action, promotion, pull_request, push, tag,
};
use catena_testbed::chain::{Product, Scope, Vcs};
use catena_testbed::{Chain, Release, Trigger};

/// A release with another scope of its target.
macro_rules! asks {
    ($release:expr, $scope:literal) => {
        || Release { scope: Scope::Exactly($scope.into()), ..$release }
    };
}

const RELEASE_SIGNING: &str = "project:releng:signing:cert:release-signing";

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "release's scope on the nightly tree",
        &[T],
        "A target of the nightly tree has the scope for the signing keys of releases.",
        asks!(push(), "project:releng:signing:cert:release-signing"),
        |_| Some(()),
        "tree-scope",
    ),
    attack(
        "release's scope in a cron job",
        &[T],
        "A cron job of the nightly tree offers its builds to users of the release channel.",
        asks!(cron(), "project:releng:balrog:server:release"),
        |_| Some(()),
        "tree-scope",
    ),
    attack(
        "release's scope in an action",
        &[T],
        "An action on a nightly push has the scope for the beta channel.",
        asks!(action(), "project:releng:balrog:server:beta"),
        |_| Some(()),
        "tree-scope",
    ),
    attack(
        "another channel's scope in a promotion",
        &[T],
        "A promotion on the beta tree offers its builds to users of the release channel.",
        asks!(promotion(), "project:releng:balrog:server:release"),
        |_| Some(()),
        "tree-scope",
    ),
    attack(
        "restricted scope on the git mirror",
        &[T],
        "A target of the git mirror has a scope that only the Mercurial tree may use.",
        || Release {
            vcs: Vcs::Git,
            scope: Scope::Exactly("project:releng:signing:cert:nightly-signing".into()),
            ..push()
        },
        |_| Some(()),
        "tree-scope",
    ),
    attack(
        "scope of another repository on GitHub",
        &[T],
        "A release on GitHub has a scope that only another repository of its product may use.",
        asks!(tag(), "project:mobile:releng:treescript:action:push"),
        |_| Some(()),
        "tree-scope",
    ),
    attack(
        "one restricted scope among many",
        &[T],
        "A target has another tree's scope after many that it may use.",
        mirrored,
        |c| add_scope(c, "project:releng:lando:repo:esr140"),
        "tree-scope",
    ),
    attack(
        "restricted scope in another product",
        &[T],
        "A nightly push of another product has the scope for that product's release channel.",
        asks!(
            Release::of(Product::THUNDERBIRD, Trigger::Push),
            "project:comm:thunderbird:releng:balrog:server:release"
        ),
        |_| Some(()),
        "tree-scope",
    ),
    attack(
        "scope restricted by a prefix on an untrusted repository",
        &[T, V],
        "An untrusted repository has a scope that a rule restricts by a prefix.",
        asks!(
            Release::of(Product::XPI, Trigger::Push),
            "project:xpi:releng:github:project:mozilla-extensions/some-addon"
        ),
        |c| everywhere(c, "mozilla-extensions/xpi-manifest", "mozilla-extensions/other-manifest"),
        "tree-scope",
    ),
    attack(
        "finished target with a release's scope",
        &[T],
        "A finished nightly target had the scope of a tree that it does not come from.",
        || Release { scope: Scope::Exactly(RELEASE_SIGNING.into()), ..finished() },
        |_| Some(()),
        "tree-scope",
    ),
    attack(
        "everything from try",
        &[T],
        "Everything in the chain comes from the repository that anyone may push to.",
        push,
        |c| everywhere(c, "mozilla-central", "try"),
        "tree-scope",
    ),
    attack(
        "everything from an untrusted tree",
        &[T],
        "The chain of a cron job comes from a project's tree that no policy trusts.",
        cron,
        |c| everywhere(c, "mozilla-central", "projects/oak"),
        "tree-scope",
    ),
    attack(
        "everything from a tree whose name has a trusted one's as a prefix",
        &[T],
        "The whole chain comes from a repository whose name has a trusted one's as a prefix.",
        push,
        |c| everywhere(c, "mozilla-central", "mozilla-central-next"),
        "tree-scope",
    ),
    attack(
        "everything from a look-alike host",
        &[T, V],
        "The whole chain comes from a repository of the same path on a host with a similar name.",
        action,
        |c| everywhere(c, "hg.mozilla.org", "hg.mozi11a.org"),
        "tree-scope",
    ),
    attack(
        "everything from a user's repository",
        &[T],
        "The whole chain comes from a user's clone whose last path segment is that of the trusted \
         tree.",
        push,
        |c| everywhere(c, "hg.mozilla.org/mozilla-central", "hg.mozilla.org/users/somebody/mozilla-central"),
        "tree-scope",
    ),
    attack(
        "repository of another owner",
        &[T],
        "The whole chain on GitHub comes from another owner's repository with the same name.",
        mobile,
        |c| everywhere(c, "mozilla-mobile", "somebody"),
        "tree-scope",
    ),
    attack(
        "release of a look-alike owner",
        &[T, V],
        "A release on GitHub comes from an owner whose name has a digit in place of a letter.",
        tag,
        |c| everywhere(c, "mozilla-mobile", "mozi1la-mobile"),
        "tree-scope",
    ),
    attack(
        "release of a look-alike repository",
        &[T, V],
        "A release on GitHub comes from another repository of the right owner.",
        tag,
        |c| everywhere(c, "mozilla-mobile/reference-browser", "mozilla-mobile/reference-br0wser"),
        "tree-scope",
    ),
    attack(
        "broad scope",
        &[T],
        "A target has a scope that covers every signing key, of which its tree may use one.",
        asks!(push(), "project:releng:signing:cert:*"),
        |_| Some(()),
        "tree-broad-scope",
    ),
    attack(
        "scope for everything",
        &[T],
        "A target has the scope `*`.",
        asks!(cron(), "*"),
        |_| Some(()),
        "tree-broad-scope",
    ),
    attack(
        "scope that ends in the middle of a word",
        &[T],
        "A target has a scope whose star covers the rest of a restricted scope's last word.",
        asks!(action(), "project:releng:signing:cert:rel*"),
        |_| Some(()),
        "tree-broad-scope",
    ),
    attack(
        "restricted scope with a star after it",
        &[T],
        "A target has a restricted scope followed by a star, which covers the scope itself too.",
        asks!(push(), "project:releng:signing:cert:release-signing*"),
        |_| Some(()),
        "tree-broad-scope",
    ),
    attack(
        "broad scope in a promotion",
        &[T],
        "A promotion on the beta tree has a scope that covers every update channel.",
        asks!(promotion(), "project:releng:balrog:*"),
        |_| Some(()),
        "tree-broad-scope",
    ),
    attack(
        "broad scope on the git mirror",
        &[T],
        "A target of the git mirror has a scope that covers all of its project's.",
        || Release { vcs: Vcs::Git, scope: Scope::Exactly("project:*".into()), ..push() },
        |_| Some(()),
        "tree-broad-scope",
    ),
    attack(
        "broad scope on GitHub",
        &[T],
        "A release on GitHub has a scope that covers another repository's too.",
        asks!(tag(), "project:mobile:*"),
        |_| Some(()),
        "tree-broad-scope",
    ),
    attack(
        "broad scope of a pull request",
        &[T],
        "A pull request has a scope that covers the release's.",
        asks!(fork(), "project:mobile:reference-browser:*"),
        |_| Some(()),
        "tree-broad-scope",
    ),
    attack(
        "broad scope among others",
        &[T],
        "A target has a broad scope of another tree after those that it may use.",
        || Release::of(Product::THUNDERBIRD, Trigger::Cron),
        |c| add_scope(c, "project:comm:thunderbird:releng:flathub:*"),
        "tree-broad-scope",
    ),
    attack(
        "pull request with a release's scope",
        &[T],
        "A pull request from a branch of the repository itself has the scope for the keys of \
         releases.",
        asks!(pull_request(), "project:mobile:reference-browser:releng:signing:cert:release-signing"),
        |_| Some(()),
        "pull-request-tasks-for",
    ),
    attack(
        "pull request's action with a release's scope",
        &[T],
        "An action on a pull request has the scope for the bucket of releases.",
        asks!(pr_action(), "project:translations:releng:beetmover:bucket:release"),
        |_| Some(()),
        "pull-request-tasks-for",
    ),
    attack(
        "pull request of another product with a restricted scope",
        &[T],
        "A pull request of another product has the scope for its release keys.",
        asks!(
            Release::of(Product::APP_SERVICES, Trigger::PullRequest),
            "project:mozilla:app-services:releng:signing:cert:release-signing"
        ),
        |_| Some(()),
        "pull-request-tasks-for",
    ),
    attack(
        "fork's pull request with a release's scope",
        &[T],
        "A pull request from a fork has the scope for the keys of releases.",
        asks!(fork(), "project:mobile:reference-browser:releng:signing:cert:release-signing"),
        |_| Some(()),
        "pull-request-tasks-for",
    ),
    attack(
        "untrusted tree that is a project of high level",
        &[T, V],
        "The chain comes from an untrusted tree that the list of projects gives a high level.",
        push,
        |c| {
            everywhere(c, "hg.mozilla.org/mozilla-central", "hg.mozilla.org/projects/oak")?;
            project(
                c,
                "oak:\n  repo: https://hg.mozilla.org/projects/oak\n  repo_type: hg\n  access: scm_level_3\n  trust_domain: gecko\n",
            )
        },
        "tree-scope",
    ),
];

/// Adds a scope to the target.
fn add_scope(chain: &mut Chain, scope: &str) -> Option<()> {
    target(chain, |task| crate::change::add(task, &["scopes"], scope))
}
