//! Templates from a repository other than the trusted one of a parent's source.

use super::ways::{firefox_git, git_cron, thunderbird};
use crate::attacks::{Attack, T, V, attack};
use crate::change::{decision, everywhere, first_decision, graph_everywhere, only, second_sources, set};
use crate::valid::{action, cron, mobile, promotion, push, tag};
use catena_testbed::chain::{Product, Scope};
use catena_testbed::{Chain, Release, Trigger};

const CENTRAL: &str = "hg.mozilla.org/mozilla-central";
const GECKO: &[&str] = &["payload", "env", "GECKO_HEAD_REPOSITORY"];
const MOBILE: &[&str] = &["payload", "env", "MOBILE_HEAD_REPOSITORY"];

/// A chain of enterprise whose target has no restricted scopes.
fn enterprise(trigger: Trigger) -> Release {
    Release { scope: Scope::Unrestricted, ..Release::of(Product::ENTERPRISE, trigger) }
}

/// Moves the whole chain to a repository below its own.
fn below(chain: &mut Chain, repository: &str) -> Option<()> {
    everywhere(chain, repository, &format!("{repository}/user-repo"))
}

/// Moves the graph of the image to a repository below its own.
fn image_below(chain: &mut Chain, repository: &str) -> Option<()> {
    let decision = chain.decisions.get(1)?.clone();
    graph_everywhere(chain, &decision, repository, &format!("{repository}/user-repo"))
}

/// Moves the sources of a chain to the second repository, and its templates to another first one.
fn shielded(chain: &mut Chain, repository: &str) -> Option<()> {
    second_sources(chain)?;
    everywhere(chain, "mozilla/enterprise-firefox", repository)
}

/// The same for the graph of the image.
fn image_shielded(chain: &mut Chain, repository: &str) -> Option<()> {
    second_sources(chain)?;
    let decision = chain.decisions.get(1)?.clone();
    graph_everywhere(chain, &decision, "mozilla/enterprise-firefox", repository)
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "user's repository below a tree",
        &[T, V],
        "The whole chain of a push comes from a repository that a user made below the trusted one.",
        push,
        |c| below(c, CENTRAL),
        "rebuild-template-repository",
    ),
    attack(
        "user's repository below a tree, in a cron job",
        &[T, V],
        "A cron job's whole chain comes from a repository below the trusted one.",
        cron,
        |c| below(c, CENTRAL),
        "rebuild-template-repository",
    ),
    attack(
        "user's repository below a tree, in an action",
        &[T, V],
        "An action and what it acts on come from a repository below the trusted one.",
        action,
        |c| below(c, CENTRAL),
        "rebuild-template-repository",
    ),
    attack(
        "user's repository below a tree, in a promotion",
        &[T, V],
        "A release promotion comes from a repository below the trusted one.",
        promotion,
        |c| below(c, "hg.mozilla.org/releases/mozilla-beta"),
        "rebuild-template-repository",
    ),
    attack(
        "user's repository below another product's tree",
        &[T, V],
        "The whole chain of a push of Thunderbird comes from a repository below its tree.",
        thunderbird,
        |c| below(c, "hg.mozilla.org/comm-central"),
        "rebuild-template-repository",
    ),
    attack(
        "user's repository below a tree without restricted scopes",
        &[T, V],
        "A chain from a repository below the trusted one has no restricted scopes.",
        || Release { scope: Scope::Unrestricted, ..push() },
        |c| below(c, CENTRAL),
        "rebuild-template-repository",
    ),
    attack(
        "image of a user's repository below a tree",
        &[T, V],
        "The image's whole graph comes from a repository below the trusted one.",
        push,
        |c| image_below(c, CENTRAL),
        "rebuild-template-repository",
    ),
    attack(
        "image of a cron job from below a tree",
        &[T, V],
        "The graph of a cron job's image comes from a repository below the trusted one.",
        cron,
        |c| image_below(c, CENTRAL),
        "rebuild-template-repository",
    ),
    attack(
        "image of a promotion from below a tree",
        &[T, V],
        "The graph of a promotion's image comes from a repository below the trusted one.",
        promotion,
        |c| image_below(c, "hg.mozilla.org/releases/mozilla-beta"),
        "rebuild-template-repository",
    ),
    attack(
        "directory of a repository on GitHub",
        &[T],
        "A chain on GitHub names a directory of its repository as the repository.",
        mobile,
        |c| everywhere(c, "mozilla-mobile/reference-browser", "mozilla-mobile/reference-browser/folder"),
        "rebuild-template-repository",
    ),
    attack(
        "owner in place of a repository",
        &[T],
        "A decision task on GitHub names only the owner of its repository.",
        mobile,
        |c| decision(c, MOBILE, "https://github.com/mozilla-mobile"),
        "rebuild-template-repository",
    ),
    attack(
        "owner in place of a repository, in a cron job",
        &[T],
        "A cron job on GitHub names only the owner of its repository.",
        git_cron,
        |c| decision(c, MOBILE, "https://github.com/mozilla-mobile/"),
        "rebuild-template-repository",
    ),
    attack(
        "owner in place of a repository, in a release",
        &[T],
        "A release on GitHub names only the owner of its repository.",
        tag,
        |c| decision(c, MOBILE, "https://github.com/mozilla-mobile"),
        "rebuild-template-repository",
    ),
    attack(
        "directory of repositories in place of one",
        &[T],
        "The decision task that a promotion acts on names the directory that contains its repository.",
        promotion,
        |c| decision(c, GECKO, "https://hg.mozilla.org/releases"),
        "rebuild-template-repository",
    ),
    attack(
        "directory of repositories in place of the image's",
        &[T],
        "The decision task of the image's graph names the directory that contains its repository.",
        promotion,
        |c| {
            let id = c.decisions.get(1)?.clone();
            only(c, &id, |task| set(task, GECKO, "https://hg.mozilla.org/releases/"))
        },
        "rebuild-template-repository",
    ),
    attack(
        "look-alike repository",
        &[T],
        "A decision task on GitHub names a repository that has only the prefix of its own.",
        firefox_git,
        |c| decision(c, GECKO, "https://github.com/mozilla-firefox/firefox-next"),
        "rebuild-template-repository",
    ),
    attack(
        "untrusted template beside trusted second sources",
        &[T, V],
        "A chain's sources are in a trusted repository, and its template comes from a fork of the \
         other.",
        || enterprise(Trigger::Push),
        |c| shielded(c, "somebody/enterprise-firefox"),
        "rebuild-template-repository",
    ),
    attack(
        "untrusted template beside trusted second sources, in a cron job",
        &[T, V],
        "A cron job's sources are in a trusted repository, and its template comes from a fork of \
         the other.",
        || enterprise(Trigger::Cron),
        |c| shielded(c, "somebody/enterprise-firefox"),
        "rebuild-template-repository",
    ),
    attack(
        "untrusted template beside trusted second sources, in an action",
        &[T, V],
        "An action's sources are in a trusted repository, and its template comes from another one.",
        || enterprise(Trigger::Action),
        |c| shielded(c, "mozilla/enterprise-firefox-try"),
        "rebuild-template-repository",
    ),
    attack(
        "untrusted template beside trusted second sources, in a promotion",
        &[T, V],
        "A promotion's sources are in a trusted repository, and its template comes from another \
         product's.",
        || Release::of(Product::ENTERPRISE, Trigger::ReleasePromotion),
        |c| shielded(c, "mozilla/glean"),
        "rebuild-template-repository",
    ),
    attack(
        "template of another repository beside trusted second sources",
        &[T, V],
        "With a release's scopes, only the template comes from another repository of an official \
         owner.",
        || Release::of(Product::ENTERPRISE, Trigger::Push),
        |c| shielded(c, "mozilla/enterprise-firefox-try"),
        "rebuild-template-repository",
    ),
    attack(
        "image's untrusted template beside trusted second sources",
        &[T, V],
        "Only the template of the image's graph comes from a fork, beside trusted sources.",
        || enterprise(Trigger::Push),
        |c| image_shielded(c, "somebody/enterprise-firefox"),
        "rebuild-template-repository",
    ),
    attack(
        "template of a repository in uppercase beside trusted second sources",
        &[T, V],
        "The repository of the template is a trusted repository's name in uppercase.",
        || enterprise(Trigger::Push),
        |c| shielded(c, "Mozilla/Enterprise-Firefox"),
        "rebuild-template-repository",
    ),
    attack(
        "second sources above their repository",
        &[T],
        "A decision task's second repository is the owner of the repository of its sources.",
        || enterprise(Trigger::Push),
        |c| {
            second_sources(c)?;
            let id = first_decision(c)?;
            let variable = ["payload", "env", "COMM_HEAD_REPOSITORY"];
            only(c, &id, |task| set(task, &variable, "https://github.com/thunderbird"))
        },
        "rebuild-template-repository",
    ),
];
