//! Sources outside of their repository, and addresses that parsers interpret differently.

use super::super::{Attack, T, attack};
use crate::change::{
    build, edit, edit_at, first_build, first_decision, inside, link_of, nth_build, only, replace_in, set,
    target,
};
use crate::valid::{action, cron, finished, fork, mobile, promotion, push, rounds, tag};
use catena_testbed::chain::{Product, Scope, Vcs};
use catena_testbed::{Chain, Release, Trigger};

const SOURCE: &[&str] = &["metadata", "source"];
const GECKO: &[&str] = &["payload", "env", "GECKO_HEAD_REPOSITORY"];
const MOBILE: &[&str] = &["payload", "env", "MOBILE_HEAD_REPOSITORY"];

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "source on another host",
        &[T],
        "A build's source is on a different host from its repository.",
        push,
        |c| build(c, SOURCE, "https://example.org/mozilla-central/file/0/x"),
        "source-outside-repository",
    ),
    attack(
        "source on a host with the same prefix",
        &[T],
        "A build's source is on a host whose name has the repository's host as a prefix.",
        push,
        |c| build(c, SOURCE, "https://hg.mozilla.org.example.org/mozilla-central/file/0/x"),
        "source-outside-repository",
    ),
    attack(
        "source on a host with the same suffix",
        &[T],
        "A build's source is on a host whose name has the repository's host as a suffix.",
        cron,
        |c| build(c, SOURCE, "https://not-hg.mozilla.org/mozilla-central/file/0/x"),
        "source-outside-repository",
    ),
    attack(
        "source in a repository with the same prefix",
        &[T],
        "A build's source is in a repository whose name has its own repository's as a prefix.",
        push,
        |c| edit_source(c, "hg.mozilla.org/mozilla-central/", "hg.mozilla.org/mozilla-central-next/"),
        "source-outside-repository",
    ),
    attack(
        "source above its repository",
        &[T],
        "A build's source is the host's root, above its repository.",
        action,
        |c| build(c, SOURCE, "https://hg.mozilla.org/"),
        "source-outside-repository",
    ),
    attack(
        "source in the repository's parent",
        &[T],
        "In a release promotion, a build's source is beside its repository and not in it.",
        promotion,
        |c| edit_source(c, "/releases/mozilla-beta/", "/releases/"),
        "source-outside-repository",
    ),
    attack(
        "source in another trusted repository",
        &[T],
        "A build names one trusted repository, and its source is in another.",
        push,
        |c| edit_source(c, "/mozilla-central/", "/integration/autoland/"),
        "source-outside-repository",
    ),
    attack(
        "source in another repository of the owner",
        &[T],
        "A build on GitHub has its source in another repository of the same owner.",
        mobile,
        |c| edit_source(c, "/reference-browser/", "/reference-browser-tools/"),
        "source-outside-repository",
    ),
    attack(
        "source with .git in it",
        &[T],
        "A build's source names its repository with `.git`, as git does and GitHub's pages do not.",
        mobile,
        |c| edit_source(c, "/reference-browser/", "/reference-browser.git/"),
        "source-outside-repository",
    ),
    attack(
        "source and repository with .git in them",
        &[T],
        "The source and the repository of a build both end in `.git`.",
        tag,
        |c| {
            edit_source(c, "/reference-browser/", "/reference-browser.git/")?;
            build(c, MOBILE, "https://github.com/mozilla-mobile/reference-browser.git")
        },
        "source-outside-repository",
    ),
    attack(
        "source of a decision task with .git in it",
        &[T],
        "A decision task names its repository with `.git`, in its source too.",
        || Release::of(Product::MOBILE, Trigger::Cron),
        |c| {
            let id = first_decision(c)?;
            let (from, to) = ("/mozilla-mobile/reference-browser", "/mozilla-mobile/reference-browser.git");
            only(c, &id, |task| replace_in(task, from, to))
        },
        "source-outside-repository",
    ),
    attack(
        "source with .git of a repository over ssh",
        &[T],
        "A build of a private repository has `.git` in its source, as in the repository's address.",
        || Release { ssh: true, ..Release::of(Product::MOZILLAVPN, Trigger::Push) },
        |c| edit_source(c, "/mozilla-vpn-client/", "/mozilla-vpn-client.git/"),
        "source-outside-repository",
    ),
    attack(
        "source with .git on Mercurial",
        &[T],
        "A build's source is in a Mercurial tree whose name ends in `.git`.",
        push,
        |c| edit_source(c, "/mozilla-central/", "/mozilla-central.git/"),
        "source-outside-repository",
    ),
    attack(
        "source of an image elsewhere",
        &[T],
        "A docker-image task of a release on GitHub has its source in another user's repository.",
        tag,
        |c| {
            let id = c.images.first()?.clone();
            edit_source_of(c, &id, "/mozilla-mobile/", "/somebody/")
        },
        "source-outside-repository",
    ),
    attack(
        "repository below its source",
        &[T],
        "A build's repository is declared as a directory below its source.",
        push,
        |c| build(c, GECKO, "https://hg.mozilla.org/mozilla-central/file/tip/taskcluster/other"),
        "source-outside-repository",
    ),
    attack(
        "repository on a different host from its source",
        &[T],
        "A build takes its sources from a different host from its source.",
        cron,
        |c| build(c, GECKO, "https://hg.example.org/mozilla-central"),
        "source-outside-repository",
    ),
    attack(
        "repository elsewhere over ssh",
        &[T],
        "A private build takes its sources from another repository, by an ssh address.",
        || Release { ssh: true, ..Release::of(Product::MOZILLAVPN, Trigger::Push) },
        |c| {
            build(
                c,
                &["payload", "env", "MOZILLAVPN_HEAD_REPOSITORY"],
                "git@github.com:somebody/mozilla-vpn-client.git",
            )
        },
        "source-outside-repository",
    ),
    attack(
        "source outside the overriding repository",
        &[T],
        "A product's second prefix names a different repository from the one of a build's source.",
        || Release::of(Product::ENTERPRISE, Trigger::Push),
        |c| {
            build(
                c,
                &["payload", "env", "COMM_HEAD_REPOSITORY"],
                "https://github.com/thunderbird/thunderbird-desktop",
            )
        },
        "source-outside-repository",
    ),
    attack(
        "repository of the other prefix",
        &[T],
        "A build's source is in the repository of another product's prefix, beside its own product's.",
        || Release::of(Product::THUNDERBIRD, Trigger::Push),
        |c| edit_source(c, "/comm-central/", "/mozilla-central/"),
        "source-outside-repository",
    ),
    attack(
        "source with dot segments",
        &[T],
        "A build's source leaves its repository through dot segments.",
        push,
        |c| build(c, SOURCE, "https://hg.mozilla.org/mozilla-central/../try"),
        "source-malformed",
    ),
    attack(
        "source with encoded dots",
        &[T],
        "A build's source leaves its repository through percent-encoded dot segments.",
        push,
        |c| build(c, SOURCE, "https://hg.mozilla.org/mozilla-central/%2e%2e/try/file/0/x"),
        "source-malformed",
    ),
    attack(
        "source with an encoded slash",
        &[T],
        "A build's source has a percent-encoded slash, which only some readers decode.",
        mobile,
        |c| edit_source(c, "mozilla-mobile/reference-browser/", "mozilla-mobile%2freference-browser/"),
        "source-malformed",
    ),
    attack(
        "source with user information",
        &[T],
        "A build's source has user information that looks like the host.",
        push,
        |c| edit_source(c, "https://hg.mozilla.org/", "https://hg.mozilla.org@example.org/"),
        "source-malformed",
    ),
    attack(
        "source with a port",
        &[T],
        "A build's source has an explicit port.",
        cron,
        |c| edit_source(c, "https://hg.mozilla.org/", "https://hg.mozilla.org:8443/"),
        "source-malformed",
    ),
    attack(
        "source with a query",
        &[T],
        "A build's source has its path in a query.",
        tag,
        |c| edit_source(c, "/blob/", "?path=/blob/"),
        "source-malformed",
    ),
    attack(
        "source with a fragment",
        &[T],
        "A build's source has a fragment.",
        push,
        |c| edit_source(c, "/file/", "#/file/"),
        "source-malformed",
    ),
    attack(
        "unencrypted source",
        &[T],
        "A build's source is read over plain HTTP.",
        action,
        |c| edit_source(c, "https://", "http://"),
        "source-malformed",
    ),
    attack(
        "source with a backslash",
        &[T],
        "A build's source has a backslash, which some readers take for a slash.",
        push,
        |c| build(c, SOURCE, "https://hg.mozilla.org\\@example.org/mozilla-central/file/0/x"),
        "source-malformed",
    ),
    attack(
        "empty source",
        &[T],
        "A build's source is an empty string.",
        push,
        |c| build(c, SOURCE, ""),
        "source-malformed",
    ),
    attack(
        "source with a host in uppercase",
        &[T],
        "A docker-image task's source spells its host in uppercase.",
        cron,
        |c| {
            let id = c.images.first()?.clone();
            edit_source_of(c, &id, "hg.mozilla.org", "HG.mozilla.org")
        },
        "source-malformed",
    ),
    attack(
        "source with a line feed",
        &[T],
        "A build's source ends in a line feed.",
        mobile,
        |c| {
            let id = first_build(c)?;
            edit(c, &id, |task| {
                let source = inside(task, SOURCE)?.as_str()?.to_owned();
                set(task, SOURCE, source + "\n")
            })
        },
        "source-malformed",
    ),
    attack(
        "target's source with dot segments",
        &[T],
        "The target's own source leaves its repository through dot segments.",
        finished,
        |c| target(c, |task| replace_source(task, "/file/", "/../try/file/")),
        "source-malformed",
    ),
    attack(
        "signing task's source with user information",
        &[T],
        "The source of a signing task between builds and target has a user and a password.",
        rounds,
        |c| {
            let id = link_of(c, "signing")?;
            edit_source_of(c, &id, "https://", "https://user:password@")
        },
        "source-malformed",
    ),
    attack(
        "repository with user information",
        &[T],
        "The address of a build's repository has user information.",
        push,
        |c| build(c, GECKO, "https://a@hg.mozilla.org/mozilla-central"),
        "source-repository-malformed",
    ),
    attack(
        "repository with a port",
        &[T],
        "The address of a build's repository has a port.",
        cron,
        |c| build(c, GECKO, "https://hg.mozilla.org:443/mozilla-central"),
        "source-repository-malformed",
    ),
    attack(
        "repository with dot segments",
        &[T],
        "The address of a build's repository has dot segments through another one.",
        push,
        |c| build(c, GECKO, "https://hg.mozilla.org/try/../mozilla-central"),
        "source-repository-malformed",
    ),
    attack(
        "repository with an encoded letter",
        &[T],
        "The address of a build's repository has a percent-encoded letter.",
        action,
        |c| build(c, GECKO, "https://hg.mozilla.org/mozilla%2dcentral"),
        "source-repository-malformed",
    ),
    attack(
        "repository with a query",
        &[T],
        "The address of a build's repository has a query.",
        mobile,
        |c| build(c, MOBILE, "https://github.com/mozilla-mobile/reference-browser?ref=other"),
        "source-repository-malformed",
    ),
    attack(
        "repository with a fragment",
        &[T],
        "The address of a build's repository has a fragment.",
        tag,
        |c| build(c, MOBILE, "https://github.com/mozilla-mobile/reference-browser#other"),
        "source-repository-malformed",
    ),
    attack(
        "unencrypted repository",
        &[T],
        "A build's repository is cloned over plain HTTP.",
        push,
        |c| build(c, GECKO, "http://hg.mozilla.org/mozilla-central"),
        "source-repository-malformed",
    ),
    attack(
        "repository on a disk",
        &[T],
        "A build's repository is a directory of the machine that it runs on.",
        cron,
        |c| build(c, GECKO, "file:///builds/worker/checkouts/src"),
        "source-repository-malformed",
    ),
    attack(
        "repository with an empty segment",
        &[T],
        "The address of a build's repository has a double slash.",
        push,
        |c| build(c, GECKO, "https://hg.mozilla.org//mozilla-central"),
        "source-repository-malformed",
    ),
    attack(
        "repository with a space",
        &[T],
        "The address of an image's repository ends in a space.",
        mobile,
        |c| {
            let id = c.images.first()?.clone();
            edit_at(c, &id, MOBILE, "https://github.com/mozilla-mobile/reference-browser ")
        },
        "source-repository-malformed",
    ),
    attack(
        "repository of a fork with user information",
        &[T],
        "On a fork's pull request without restricted scopes, a build's repository has user \
         information.",
        fork,
        |c| edit_env(c, "https://github.com/contributor", "https://x:y@github.com/contributor"),
        "source-repository-malformed",
    ),
    attack(
        "repository of a firefox build on GitHub with a port",
        &[T],
        "A product with two version control systems has a build on GitHub whose repository has a port.",
        || Release { vcs: Vcs::Git, scope: Scope::Fitting, ..push() },
        |c| build(c, GECKO, "https://github.com:443/mozilla-firefox/firefox"),
        "source-repository-malformed",
    ),
    attack(
        "repository of generic-worker's build with an encoded slash",
        &[T],
        "A generic-worker's build names its repository with a percent-encoded slash.",
        promotion,
        |c| {
            let id = nth_build(c, 2)?;
            edit_at(c, &id, GECKO, "https://hg.mozilla.org/releases%2fmozilla-beta")
        },
        "source-repository-malformed",
    ),
];

fn replace_source(task: &mut catena_json::Value, from: &str, to: &str) -> Option<()> {
    replace_in(inside(task, SOURCE)?, from, to)
}

/// Replaces `from` by `to` in a task's source, in all places.
fn edit_source_of(chain: &mut Chain, id: &str, from: &str, to: &str) -> Option<()> {
    edit(chain, id, |task| replace_source(task, from, to))
}

fn edit_source(chain: &mut Chain, from: &str, to: &str) -> Option<()> {
    let id = first_build(chain)?;
    edit_source_of(chain, &id, from, to)
}

/// Replaces `from` by `to` in the first build's environment.
fn edit_env(chain: &mut Chain, from: &str, to: &str) -> Option<()> {
    let id = first_build(chain)?;
    edit(chain, &id, |task| replace_in(inside(task, &["payload", "env"])?, from, to))
}
