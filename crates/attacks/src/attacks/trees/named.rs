//! Further repositories that tasks name, or look-alikes of their own.

use super::super::{Attack, T, attack};
use crate::change::{build, edit, edit_at, first_build, link_of, nth_build, second_sources, set, target};
use crate::valid::{action, cron, mirrored, mobile, promotion, push, rounds, tag};
use catena_testbed::chain::Product;
use catena_testbed::{Chain, Release, Trigger};

const GECKO: &[&str] = &["payload", "env", "GECKO_HEAD_REPOSITORY"];
const COMM: &[&str] = &["payload", "env", "COMM_HEAD_REPOSITORY"];
const GLEAN: &[&str] = &["payload", "env", "GLEAN_HEAD_REPOSITORY"];
const ADD_ON: &[&str] = &["payload", "env", "CPMANAGER_HEAD_REPOSITORY"];
const LIBRARY: &[&str] = &["payload", "env", "LIBRARY_HEAD_REPOSITORY"];

fn add_on() -> Release {
    Release::of(Product::XPI, Trigger::Push)
}

fn enterprise() -> Release {
    Release::of(Product::ENTERPRISE, Trigger::Push)
}

fn thunderbird() -> Release {
    Release::of(Product::THUNDERBIRD, Trigger::Push)
}

/// Moves a task's source and repository to an address below its own.
fn below(chain: &mut Chain, id: &str, variable: &[&str], repository: &str) -> Option<()> {
    edit(chain, id, |task| {
        let source = task.pointer(&["metadata", "source"])?.as_str()?;
        let source = source.replace(repository, &format!("{repository}/user-repo"));
        set(task, &["metadata", "source"], source)?;
        set(task, variable, format!("{repository}/user-repo"))
    })
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "build of a user's repository below its tree",
        &[T],
        "A build comes from a repository that a user made below the trusted one.",
        push,
        |c| {
            let id = first_build(c)?;
            below(c, &id, GECKO, "https://hg.mozilla.org/mozilla-central")
        },
        "tree-other-source",
    ),
    attack(
        "generic-worker's build of a repository below its tree",
        &[T],
        "In a promotion, a generic-worker's build comes from a repository below the trusted one.",
        promotion,
        |c| {
            let id = nth_build(c, 2)?;
            below(c, &id, GECKO, "https://hg.mozilla.org/releases/mozilla-beta")
        },
        "tree-other-source",
    ),
    attack(
        "only the image from a user's repository below its tree",
        &[T],
        "A cron job's image comes from a repository below the trusted one, and its graph does not.",
        cron,
        |c| {
            let id = c.images.first()?.clone();
            below(c, &id, GECKO, "https://hg.mozilla.org/mozilla-central")
        },
        "tree-other-source",
    ),
    attack(
        "signing task that names a repository below its tree",
        &[T],
        "A signing task between builds and target names a repository below the trusted one.",
        rounds,
        |c| {
            let id = link_of(c, "signing")?;
            edit(c, &id, |task| set(task, &["payload", "env"], crate::change::empty()))?;
            below(c, &id, GECKO, "https://hg.mozilla.org/mozilla-central")
        },
        "tree-other-source",
    ),
    attack(
        "target that names untrusted other sources",
        &[T],
        "The target itself names the sources of another product in a user's clone.",
        push,
        |c| {
            target(c, |task| {
                set(task, &["payload", "env"], crate::change::empty())?;
                set(task, COMM, "https://hg.mozilla.org/users/somebody/comm-central")
            })
        },
        "tree-other-source",
    ),
    attack(
        "other sources below their tree",
        &[T],
        "A build uses the sources of another product from a repository below the trusted one.",
        push,
        |c| build(c, COMM, "https://hg.mozilla.org/comm-central/user-repo"),
        "tree-other-source",
    ),
    attack(
        "other sources above their tree",
        &[T],
        "A build uses the sources of another product from the directory of its release trees.",
        cron,
        |c| build(c, COMM, "https://hg.mozilla.org/releases"),
        "tree-other-source",
    ),
    attack(
        "other sources from a look-alike",
        &[T],
        "A build uses the sources of another product from a tree with only the prefix of the \
         trusted one.",
        action,
        |c| build(c, COMM, "https://hg.mozilla.org/comm-central-next"),
        "tree-other-source",
    ),
    attack(
        "other sources on a port",
        &[T],
        "A build uses the sources of another product from an explicit port.",
        push,
        |c| build(c, COMM, "https://hg.mozilla.org:8443/comm-central"),
        "tree-other-source",
    ),
    attack(
        "other sources that are percent-encoded",
        &[T],
        "The address of another product's sources is percent-encoded.",
        push,
        |c| build(c, COMM, "https://hg.mozilla.org/comm%2dcentral"),
        "tree-other-source",
    ),
    attack(
        "its own tree as other sources",
        &[T],
        "A build names its own tree as the sources of another product.",
        push,
        |c| build(c, COMM, "https://hg.mozilla.org/mozilla-central"),
        "tree-other-source",
    ),
    attack(
        "other sources of a third product",
        &[T],
        "A build of Thunderbird names a third product's repository as the browser that it builds on.",
        thunderbird,
        |c| build(c, GECKO, "https://github.com/mozilla/glean"),
        "tree-other-source",
    ),
    attack(
        "upstream browser from below its tree",
        &[T],
        "A build of Thunderbird uses the browser from a repository below the trusted one.",
        thunderbird,
        |c| build(c, GECKO, "https://hg.mozilla.org/mozilla-central/user-repo"),
        "tree-other-source",
    ),
    attack(
        "upstream browser from a fork of the mirror",
        &[T],
        "A build of Thunderbird uses the browser from a fork of its git mirror.",
        thunderbird,
        |c| build(c, GECKO, "https://github.com/somebody/firefox"),
        "tree-other-source",
    ),
    attack(
        "untrusted first sources beside trusted second ones",
        &[T],
        "A build of two repositories uses the first from a fork, and its source is in the second.",
        enterprise,
        |c| {
            second_sources(c)?;
            build(c, GECKO, "https://github.com/somebody/enterprise-firefox")
        },
        "tree-other-source",
    ),
    attack(
        "first sources of another product beside trusted second ones",
        &[T],
        "A build of two repositories uses the first from another product's trusted repository.",
        enterprise,
        |c| {
            second_sources(c)?;
            build(c, GECKO, "https://github.com/mozilla-firefox/firefox")
        },
        "tree-other-source",
    ),
    attack(
        "other sources of a mirrored build",
        &[T],
        "A build from the git mirror also uses another product from try.",
        mirrored,
        |c| build(c, COMM, "https://hg.mozilla.org/try-comm-central"),
        "tree-other-source",
    ),
    attack(
        "library from a user",
        &[T],
        "A build uses a library, whose prefix belongs to no product, from a user's clone.",
        push,
        |c| build(c, LIBRARY, "https://hg.mozilla.org/users/somebody/library"),
        "tree-other-source",
    ),
    attack(
        "library from a user on GitHub",
        &[T],
        "A build on GitHub uses a library, whose prefix belongs to no product, from a fork.",
        mobile,
        |c| build(c, LIBRARY, "https://github.com/somebody/library"),
        "tree-other-source",
    ),
    attack(
        "owner in place of a library's repository",
        &[T],
        "A build on GitHub uses a library from an address that names only the official owner.",
        tag,
        |c| build(c, LIBRARY, "https://github.com/mozilla-mobile"),
        "tree-other-source",
    ),
    attack(
        "library with a malformed address",
        &[T],
        "A build uses a library, whose prefix belongs to no product, from a malformed address.",
        push,
        |c| build(c, LIBRARY, "none that one could ask"),
        "tree-other-source",
    ),
    attack(
        "library in a lowercase variable",
        &[T],
        "A build names the sources of another product in a lowercase variable, which Windows treats \
         the same.",
        push,
        |c| build(c, &["payload", "env", "comm_head_repository"], "https://hg.mozilla.org/try-comm-central"),
        "tree-other-source",
    ),
    attack(
        "add-on from a user",
        &[T],
        "A build of an add-on takes its sources from a user's fork.",
        add_on,
        |c| build(c, ADD_ON, "git@github.com:somebody/cpmanager.git"),
        "tree-other-source",
    ),
    attack(
        "add-on with an owner in uppercase",
        &[T],
        "A build of an add-on takes its sources from an owner whose name is in uppercase.",
        add_on,
        |c| build(c, ADD_ON, "https://github.com/Mozilla-Extensions/cpmanager"),
        "tree-other-source",
    ),
    attack(
        "add-on with the owner's name on another host",
        &[T],
        "A build of an add-on takes its sources from the owner's name on another host.",
        add_on,
        |c| build(c, ADD_ON, "https://git.example.org/mozilla-extensions/cpmanager"),
        "tree-other-source",
    ),
    attack(
        "one foreign source among several",
        &[T],
        "A build names several trusted sources and one that is not.",
        push,
        |c| {
            build(c, COMM, "https://hg.mozilla.org/comm-central")?;
            build(c, GLEAN, "https://github.com/mozilla/glean")?;
            build(c, LIBRARY, "https://hg.mozilla.org/mozilla-unified")?;
            build(
                c,
                &["payload", "env", "XPI_HEAD_REPOSITORY"],
                "https://github.com/mozilla-extensions/other",
            )
        },
        "tree-other-source",
    ),
    attack(
        "image's library from a user",
        &[T],
        "A docker-image task of a release uses a library from a user's fork.",
        tag,
        |c| {
            let id = c.images.first()?.clone();
            edit_at(c, &id, LIBRARY, "https://github.com/somebody/library")
        },
        "tree-other-source",
    ),
];
