//! Restricted scopes on changes that anyone may propose: try pushes, pull requests, forks, commits on
//! no branch.

use super::super::{Attack, Q, T, V, attack};
use crate::change::{
    build, edit_at, edit_text, everywhere, first_build, image_of, json, link_of, mirror_pages, nth_build,
    page_is, page_missing, pages, replace_page, set, tagged, target,
};
use crate::valid::{action, cron, fork, mobile, promotion, pull_request, push, tag};
use catena_json::Value;
use catena_testbed::chain::{Images, Product, Scope};
use catena_testbed::{Chain, Page, Release, Trigger};

const OTHER_REV: &str = "00112233445566778899aabbccddeeff00112233";
const HEAD_REV: &[&str] = &["payload", "env", "MOBILE_HEAD_REV"];
/// A policy that asks the compare API.
const COMPARE: &str = "catena-policy: 1\nproducts:\n  mobile:\n    landed: compare\n";

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "build by the scheduler of try",
        &[T],
        "A build has the scheduler of try pushes, and otherwise matches the trusted tree.",
        push,
        |c| build(c, &["schedulerId"], "gecko-level-1"),
        "pull-request-try",
    ),
    attack(
        "image by the scheduler of try",
        &[T],
        "A docker-image task of an earlier graph has the scheduler of try pushes.",
        cron,
        |c| {
            let id = c.images.first()?.clone();
            edit_at(c, &id, &["schedulerId"], "gecko-level-1")
        },
        "pull-request-try",
    ),
    attack(
        "target by the scheduler of try",
        &[T],
        "The target has the scheduler of try pushes.",
        action,
        |c| target(c, |task| set(task, &["schedulerId"], "gecko-level-1")),
        "pull-request-try",
    ),
    attack(
        "build of a branch of try",
        &[T],
        "A build names a try branch in an environment variable that its scripts read.",
        push,
        |c| build(c, &["payload", "env", "MH_BRANCH"], "try"),
        "pull-request-try",
    ),
    attack(
        "build of another branch of try",
        &[T],
        "In a release promotion, a generic-worker's build names a branch with `try` in its name.",
        promotion,
        |c| {
            let id = nth_build(c, 2)?;
            edit_at(c, &id, &["payload", "env", "MH_BRANCH"], "try-comm-central")
        },
        "pull-request-try",
    ),
    attack(
        "sources from try",
        &[T],
        "A build takes its sources from a try tree, which anyone may push to, and its source names \
         the same tree.",
        push,
        |c| {
            let id = first_build(c)?;
            edit_text(c, &id, "hg.mozilla.org/mozilla-central", "hg.mozilla.org/try")
        },
        "pull-request-try",
    ),
    attack(
        "sources from another try tree",
        &[T],
        "A signing task's source is in a repository with `try` in its name.",
        || Release { depth: 1, ..cron() },
        |c| {
            let id = link_of(c, "signing")?;
            edit_text(c, &id, "hg.mozilla.org/mozilla-central", "hg.mozilla.org/try-comm-central")
        },
        "pull-request-try",
    ),
    attack(
        "chain of a try push",
        &[T],
        "The whole chain comes from another product's try tree, and the target has a restricted \
         scope.",
        || Release::of(Product::THUNDERBIRD, Trigger::Push),
        |c| everywhere(c, "hg.mozilla.org/comm-central", "hg.mozilla.org/try-comm-central"),
        "pull-request-try",
    ),
    attack(
        "image of a pull request",
        &[T],
        "A push to GitHub runs a build in a genuine image that a pull request made.",
        mobile,
        |c| image_of(c, other(pull_request)?),
        "pull-request-tasks-for",
    ),
    attack(
        "image of a fork's pull request",
        &[T],
        "A release on GitHub runs a build in an image that a fork's pull request made.",
        tag,
        |c| image_of(c, other(fork)?),
        "pull-request-fork",
    ),
    attack(
        "image of a pull request in a cron job",
        &[T],
        "A cron job of another product runs a build in an image that a pull request made.",
        || Release::of(Product::GLEAN, Trigger::Cron),
        |c| image_of(c, other(|| Release::of(Product::GLEAN, Trigger::PullRequest))?),
        "pull-request-tasks-for",
    ),
    attack(
        "image of a pull request in an action's chain",
        &[T],
        "The chain of an action on a push to GitHub has an image that a pull request made.",
        || Release::of(Product::XPI, Trigger::Action),
        |c| image_of(c, other(|| Release::of(Product::XPI, Trigger::PullRequest))?),
        "pull-request-tasks-for",
    ),
    attack(
        "restricted pull request of an add-on",
        &[T],
        "A pull request of another product has the scope for the keys of its releases.",
        || Release {
            scope: Scope::Exactly("project:xpi:signing:cert:release-signing".into()),
            ..Release::of(Product::XPI, Trigger::PullRequest)
        },
        |_| Some(()),
        "pull-request-tasks-for",
    ),
    attack(
        "release of an owner in uppercase",
        &[T, V],
        "The whole chain of a release comes from an owner whose name has uppercase letters.",
        tag,
        |c| everywhere(c, "mozilla-mobile/", "Mozilla-Mobile/"),
        "pull-request-fork",
    ),
    attack(
        "action of another organization's repository",
        &[T],
        "An action's chain comes from a repository of an organization that no policy lists.",
        || Release::of(Product::APP_SERVICES, Trigger::Action),
        |c| everywhere(c, "mozilla/application-services", "mozilla-archive/application-services"),
        "pull-request-fork",
    ),
    attack(
        "trusted repository without an official owner",
        &[T],
        "A trusted repository belongs to an owner that the policy does not list as official.",
        mobile,
        |_| Some(()),
        "pull-request-fork",
    )
    .under("catena-policy: 1\nproducts:\n  mobile:\n    official-owners: [somebody]\n"),
    attack(
        "release of a repository without an official owner",
        &[T],
        "A release comes from a trusted repository whose owner the policy writes in uppercase.",
        tag,
        |_| Some(()),
        "pull-request-fork",
    )
    .under("catena-policy: 1\nproducts:\n  mobile:\n    official-owners: [Mozilla-Mobile]\n"),
    attack(
        "build of a user's fork",
        &[T],
        "One build of a push to GitHub comes from a fork.",
        mobile,
        |c| {
            mirror_pages(c, "mozilla-mobile/", "contributor/");
            let id = nth_build(c, 1)?;
            edit_text(c, &id, "mozilla-mobile/", "contributor/")
        },
        "pull-request-fork",
    ),
    attack(
        "commit on no branch",
        &[T],
        "The commit of a push to GitHub is on no branch of its repository.",
        mobile,
        |c| page_is(c, "branch_commits", "\n\n"),
        "pull-request-not-landed",
    ),
    attack(
        "commit unknown to GitHub",
        &[T],
        "GitHub has no page of branches for the commit of a push.",
        mobile,
        |c| page_missing(c, "branch_commits"),
        "pull-request-not-landed",
    ),
    attack(
        "tag of a commit on no branch",
        &[T],
        "A release's tag stands for a commit that is on no branch.",
        tag,
        |c| {
            let commit = tagged(c, "v151.0")?;
            page_is(c, &format!("branch_commits/{commit}"), "\n")
        },
        "pull-request-not-landed",
    ),
    attack(
        "cron job of a commit on no branch",
        &[T],
        "A cron job on GitHub was made from a commit that is on no branch.",
        || Release::of(Product::GLEAN, Trigger::Cron),
        |c| page_is(c, "branch_commits", " \n"),
        "pull-request-not-landed",
    ),
    attack(
        "action on a commit on no branch",
        &[T],
        "An action on GitHub acts on a push whose commit is on no branch.",
        || Release::of(Product::TRANSLATIONS, Trigger::Action),
        |c| page_is(c, "branch_commits", ""),
        "pull-request-not-landed",
    ),
    attack(
        "image of a commit on no branch",
        &[T],
        "Only the graph that the image comes from was made from a commit on no branch.",
        mobile,
        |c| {
            let decision = c.decisions.get(1)?.clone();
            let revision = c.definition(&decision)?.pointer(HEAD_REV)?.as_str()?.to_owned();
            page_is(c, &format!("branch_commits/{revision}"), "\n")
        },
        "pull-request-not-landed",
    ),
    attack(
        "build of another commit, on no branch",
        &[T],
        "A build of a release names a commit of its own, which is on no branch.",
        tag,
        |c| {
            let commit = tagged(c, "v151.0")?;
            mirror_pages(c, &commit, OTHER_REV);
            build(c, HEAD_REV, OTHER_REV)?;
            page_is(c, &format!("branch_commits/{OTHER_REV}"), "\n")
        },
        "pull-request-not-landed",
    ),
    attack(
        "mirrored build of a commit on no branch",
        &[T],
        "A build that comes from the git mirror was made from a commit on no branch of it.",
        crate::valid::mirrored,
        |c| page_is(c, "branch_commits", "\n"),
        "pull-request-not-landed",
    ),
    attack(
        "promotion of a commit on no branch",
        &[T],
        "A promotion on GitHub promotes a push whose commit is on no branch.",
        || Release::of(Product::ENTERPRISE, Trigger::ReleasePromotion),
        |c| page_is(c, "branch_commits", "\n"),
        "pull-request-not-landed",
    ),
    attack(
        "commit that diverged from its branch",
        &[T],
        "Compared with its branch, the commit of a push has diverged.",
        mobile,
        |c| replace_page(c, "/compare/", "\"behind\"", "\"diverged\""),
        "pull-request-not-landed",
    )
    .under(COMPARE),
    attack(
        "commit ahead of its branch",
        &[T],
        "Compared with its branch, the commit of a push is ahead and has not landed.",
        mobile,
        |c| replace_page(c, "/compare/", "\"behind\"", "\"ahead\""),
        "pull-request-not-landed",
    )
    .under(COMPARE),
    attack(
        "missing comparison",
        &[T],
        "GitHub has no comparison of the commit with its branch.",
        mobile,
        |c| page_missing(c, "/compare/"),
        "pull-request-not-landed",
    )
    .under(COMPARE),
    attack(
        "source without a revision",
        &[T],
        "A build's source is the address of its repository, without a revision.",
        mobile,
        |c| build(c, &["metadata", "source"], "https://github.com/mozilla-mobile/reference-browser"),
        "pull-request-source",
    ),
    attack(
        "source with a malformed revision",
        &[T],
        "A build's source has a revision that is relative to a branch.",
        mobile,
        |c| {
            build(
                c,
                &["metadata", "source"],
                "https://github.com/mozilla-mobile/reference-browser/blob/main~1/taskcluster/kinds/build",
            )
        },
        "pull-request-source",
    ),
    attack(
        "malformed revision of a release's build",
        &[T],
        "A build of a release names a revision that could be taken for an option.",
        tag,
        |c| build(c, HEAD_REV, "--upload-pack=x"),
        "pull-request-source",
    ),
    attack(
        "image's source without a revision",
        &[T],
        "The source of a cron job's image is the front page of its repository.",
        || Release::of(Product::GLEAN, Trigger::Cron),
        |c| {
            let id = c.images.first()?.clone();
            edit_at(c, &id, &["metadata", "source"], "https://github.com/mozilla/glean/blob")
        },
        "pull-request-source",
    ),
    attack(
        "tag missing from the repository",
        &[T, V],
        "The list of tags lacks the release's tag.",
        tag,
        |c| replace_page(c, "/tags?per_page", "\"v151.0\"", "\"v150.9\""),
        "pull-request-tag-unknown",
    ),
    attack(
        "tag after the limit of tags",
        &[T, V],
        "The list of tags exceeds the limit without the release's tag.",
        tag,
        |c| {
            let many: Vec<Value> =
                (0..100).map(|number| json(&format!("{{\"name\":\"v{number}\"}}"))).collect::<Option<_>>()?;
            let many = Value::from(many).to_string();
            let url = c.pages.keys().find(|url| url.ends_with("/tags?per_page=100"))?.clone();
            c.pages.insert(format!("{url}&page=2"), Page::new(many.clone(), "application/json"));
            c.pages.insert(url, Page::new(many, "application/json"));
            Some(())
        },
        "pull-request-tags-endless",
    )
    .within(|limits| limits.pages = 2),
    attack(
        "missing list of tags",
        &[V],
        "GitHub has no list of the repository's tags.",
        tag,
        |c| page_missing(c, "/tags?per_page"),
        "pull-request-tag-unknown",
    ),
    attack(
        "tag with the same prefix",
        &[T],
        "A build of a release names a tag that the repository does not have.",
        tag,
        |c| build(c, HEAD_REV, "v151.0-rc1"),
        "pull-request-tag-unknown",
    ),
    attack(
        "branch in place of a tag",
        &[T],
        "A build of a release names a branch, which can move.",
        tag,
        |c| build(c, HEAD_REV, "main"),
        "pull-request-tag-unknown",
    ),
    attack(
        "source at a branch",
        &[T],
        "A build's source names a branch, which can move, in place of a commit.",
        mobile,
        |c| {
            build(
                c,
                &["metadata", "source"],
                "https://github.com/mozilla-mobile/reference-browser/blob/main/taskcluster/kinds/build",
            )
        },
        "pull-request-tag-unknown",
    ),
    attack(
        "tags that are not a list",
        &[V, Q],
        "GitHub's answer for a repository's tags is an object.",
        tag,
        |c| page_is(c, "/tags?per_page", "{\"name\":\"v151.0\"}"),
        "pull-request-answer-malformed",
    ),
    attack(
        "tags that are not JSON",
        &[V, Q],
        "A name in GitHub's list of tags has no quotes.",
        tag,
        |c| page_is(c, "/tags?per_page", "[{\"name\": v151.0}]"),
        "pull-request-answer-malformed",
    ),
    attack(
        "tag listed twice",
        &[V],
        "The list of tags has the release's tag at two commits.",
        tag,
        |c| replace_page(c, "/tags?per_page", "\"v150.0\"", "\"v151.0\""),
        "pull-request-answer-malformed",
    ),
    attack(
        "tag of a shortened commit",
        &[V],
        "The commit of a release's tag is truncated in the list of tags.",
        tag,
        |c| {
            let commit = tagged(c, "v151.0")?;
            replace_page(c, "/tags?per_page", &format!("\"{commit}\""), &format!("\"{}\"", commit.get(..12)?))
        },
        "pull-request-answer-malformed",
    ),
    attack(
        "branches that are not UTF-8",
        &[V, Q],
        "GitHub's page of the branches of a commit is not UTF-8.",
        mobile,
        |c| {
            pages(c, "branch_commits")?.for_each(|page| page.body = vec![0xff, 0xfe, 0x00].into());
            Some(())
        },
        "pull-request-answer-malformed",
    ),
    attack(
        "comparison without a result",
        &[V],
        "GitHub's comparison of a commit with its branch has no status.",
        mobile,
        |c| page_is(c, "/compare/", "{\"ahead_by\":0}"),
        "pull-request-answer-malformed",
    )
    .under(COMPARE),
    attack(
        "comparison with an unknown result",
        &[V],
        "GitHub's comparison of a commit with its branch has an undocumented status.",
        mobile,
        |c| replace_page(c, "/compare/", "\"behind\"", "\"merged\""),
        "pull-request-answer-malformed",
    )
    .under(COMPARE),
    attack(
        "source on another host named like the repository",
        &[T],
        "A push to GitHub names a source on Mercurial, below the name of the official repository.",
        mobile,
        |c| {
            let id = crate::change::first_decision(c)?;
            let source = c.definition(&id)?.pointer(&["metadata", "source"])?.as_str()?;
            let source = source.replace("https://github.com/", "https://hg.mozilla.org/");
            crate::change::decision(c, &["metadata", "source"], source)
        },
        "pull-request-source",
    ),
    attack(
        "repository unknown to GitHub",
        &[T],
        "GitHub does not know the repository of the branch to compare with.",
        mobile,
        |c| page_missing(c, "/repos/mozilla-mobile/reference-browser"),
        "availability-refused",
    )
    .under(COMPARE),
    attack(
        "comparison with a number for a status",
        &[V],
        "GitHub's comparison has a number as its status.",
        mobile,
        |c| page_is(c, "/compare/", "{\"status\": 7}"),
        "pull-request-answer-malformed",
    )
    .under(COMPARE),
    attack(
        "comparison that is not JSON",
        &[V, Q],
        "The status in GitHub's comparison of a commit with its branch has no quotes.",
        mobile,
        |c| replace_page(c, "/compare/", "\"behind\"", "behind"),
        "pull-request-answer-malformed",
    )
    .under(COMPARE),
    attack(
        "repository answer that is not JSON",
        &[V, Q],
        "The default branch in GitHub's answer for the repository has no quotes.",
        mobile,
        |c| {
            let (from, to) = ("\"default_branch\":\"main\"", "\"default_branch\":main");
            replace_page(c, "/repos/mozilla-mobile/reference-browser", from, to)
        },
        "pull-request-answer-malformed",
    )
    .under(COMPARE),
    attack(
        "repository without a default branch",
        &[V],
        "GitHub's answer for the repository does not name the branch to compare with.",
        mobile,
        |c| {
            replace_page(
                c,
                "/repos/mozilla-mobile/reference-browser",
                "\"default_branch\"",
                "\"default_twig\"",
            )
        },
        "pull-request-answer-malformed",
    )
    .under(COMPARE),
];

/// Another chain, with an image of its own graph.
fn other(release: fn() -> Release) -> Option<Chain> {
    Release { seed: 7, images_from: Images::OwnGraph, ..release() }.build().ok()
}
