//! Chains without a trusted tree, under a policy that requires one.

use super::super::{Attack, T, V, attack};
use crate::change::{build, everywhere, image_of};
use crate::valid::{fork, mobile, pull_request, push};
use catena_testbed::Release;
use catena_testbed::Trigger;
use catena_testbed::chain::{Images, Product, Scope};

/// A policy that requires a trusted tree for every chain.
const REQUIRED: &str = "catena-policy: 1\ndefaults:\n  trusted-tree: required\n";

fn unrestricted(release: Release) -> Release {
    Release { scope: Scope::Unrestricted, ..release }
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "fork where a trusted tree is required",
        &[T],
        "A fork's pull request has no restricted scopes, and the policy requires a trusted tree.",
        fork,
        |_| Some(()),
        "tree-required",
    )
    .under(REQUIRED),
    attack(
        "everything from a user where a trusted tree is required",
        &[T, V],
        "A chain from a user's repository has no restricted scopes, and the policy requires a \
         trusted tree.",
        || unrestricted(mobile()),
        |c| everywhere(c, "mozilla-mobile", "somebody"),
        "tree-required",
    )
    .under(REQUIRED),
    attack(
        "everything from try where a trusted tree is required",
        &[T],
        "A try push has no restricted scopes, and the policy requires a trusted tree.",
        || unrestricted(push()),
        |c| everywhere(c, "hg.mozilla.org/mozilla-central", "hg.mozilla.org/try"),
        "tree-required",
    )
    .under(REQUIRED),
    attack(
        "everything from a look-alike host where a trusted tree is required",
        &[T, V],
        "A chain from a host with a similar name has no restricted scopes, and the policy requires \
         a trusted tree.",
        || unrestricted(Release::of(Product::GLEAN, Trigger::Push)),
        |c| everywhere(c, "mozilla/glean", "mozi11a/glean"),
        "tree-required",
    )
    .under(REQUIRED),
    attack(
        "image of a fork where a trusted tree is required",
        &[T],
        "A pull request from the repository itself runs a build in an image that a fork made.",
        pull_request,
        |c| image_of(c, Release { seed: 7, images_from: Images::OwnGraph, ..fork() }.build().ok()?),
        "tree-required",
    )
    .under(REQUIRED),
    attack(
        "other sources where a trusted tree is required",
        &[T],
        "A build without restricted scopes uses another product from a user's clone.",
        || unrestricted(push()),
        |c| {
            build(
                c,
                &["payload", "env", "COMM_HEAD_REPOSITORY"],
                "https://hg.mozilla.org/users/somebody/comm-central",
            )
        },
        "tree-required",
    )
    .under(REQUIRED),
    attack(
        "library where a trusted tree is required",
        &[T],
        "A pull request's build uses a library from a user's repository.",
        pull_request,
        |c| build(c, &["payload", "env", "LIBRARY_HEAD_REPOSITORY"], "https://github.com/somebody/library"),
        "tree-required",
    )
    .under(REQUIRED),
];
