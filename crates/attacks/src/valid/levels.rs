//! Changes to branches, levels and lists of branches that leave a chain valid.

use super::changes::Changed;
use super::{mirrored, mobile, promotion, push, tag};
use crate::change::{
    branch_level, build, compared, edit_at, first_decision, graft, image_elsewhere, in_project, landed_on,
    landed_page, listing, nth_build, on_branch, pages, project, replace_page, revision_of, upstream,
};
use catena_testbed::chain::{Images, Product};
use catena_testbed::{Chain, Release, Trigger};

const BROWSER: &str = "https://github.com/mozilla-mobile/reference-browser";
const HEAD_REF: &[&str] = &["payload", "env", "MOBILE_HEAD_REF"];

pub(super) const CHANGED: &[Changed] = &[
    ("push to a release branch", mobile, |c| on_release_branch(c, "releases/*", "releases/v151")),
    ("cron job on a release branch", git_cron, |c| on_release_branch(c, "releases/*", "releases/v151")),
    (
        "action on a push to a release branch",
        || Release::of(Product::MOBILE, Trigger::Action),
        |c| on_release_branch(c, "release*", "release_v151"),
    ),
    (
        "private repository's cron job on a release branch",
        || Release { ssh: true, ..Release::of(Product::MOZILLAVPN, Trigger::Cron) },
        |c| {
            let vpn = "https://github.com/mozilla-mobile/mozilla-vpn-client";
            branch_level(c, vpn, "releases/*", 3)?;
            let id = first_decision(c)?;
            on_branch(c, &id, "releases/2.20")?;
            landed_on(c, &["releases/2.20"])
        },
    ),
    ("release made for a release branch", tag, |c| {
        branch_level(c, BROWSER, "releases/*", 3)?;
        let (from, to) = ("\"target_commitish\":\"main\"", "\"target_commitish\":\"releases/v151\"");
        replace_page(c, "releases/tags", from, to)?;
        let id = first_decision(c)?;
        on_branch(c, &id, "releases/v151")?;
        landed_on(c, &["releases/v151"])
    }),
    ("release of a release branch's commit, whose tag was there before it", tag, |c| {
        branch_level(c, BROWSER, "releases/*", 3)?;
        landed_on(c, &["releases/v151", "faster"])
    }),
    ("release made for a commit", tag, |c| {
        let id = first_decision(c)?;
        let commit = crate::change::tagged(c, "v151.0")?;
        let to = format!("\"target_commitish\":\"{commit}\"");
        replace_page(c, "releases/tags", "\"target_commitish\":\"main\"", &to)?;
        on_branch(c, &id, &commit)
    }),
    ("push to a new release branch of a commit that GitHub lists on the main one", mobile, |c| {
        on_release_branch(c, "releases/*", "releases/v151")?;
        landed_on(c, &["main"])?;
        compared(c, "releases/v151", "identical")
    }),
    ("commit on branches of every kind", git_cron, |c| {
        landed_on(c, &["faster", "a&amp;b", "&#x3C;script&#62;", "main", "user/x"])
    }),
    ("list of branches as GitHub writes it", mobile, |c| {
        let id = first_decision(c)?;
        landed_page(c, &id, GITHUBS.to_owned())
    }),
    ("build that names its commit in place of its branch", mobile, |c| {
        let id = first_decision(c)?;
        let revision = revision_of(c, &id)?;
        build(c, HEAD_REF, revision)
    }),
    ("build that names its branch by its whole reference", git_cron, |c| {
        build(c, HEAD_REF, "refs/heads/main")
    }),
    ("builds that name the mirror's commit in place of a branch", mirrored, |c| {
        for number in [1, 3] {
            let id = nth_build(c, number)?;
            let commit = revision_of(c, &id)?;
            edit_at(c, &id, &["payload", "env", "GECKO_HEAD_REF"], commit)?;
        }
        pages(c, "branch_commits")?.for_each(|page| page.body = listing(&["faster", "main"]).into());
        Some(())
    }),
    ("promotion of mirrored builds on the beta tree", promotion_of_mirrored, |_| Some(())),
    ("image of another trusted tree of the level", push, |c| {
        image_elsewhere(c, "hg.mozilla.org/mozilla-central", "hg.mozilla.org/integration/autoland")
    }),
    ("image of another trusted repository of the level", enterprise, |c| {
        image_elsewhere(c, "mozilla/enterprise-firefox", "thunderbird/thunderbird-desktop")?;
        project(c, DESKTOP)
    }),
    ("tree that is no project", mobile, |c| {
        in_project(c, BROWSER, "reference-browser\n", "reference-browser-2\n")
    }),
    ("level of branches told as text", tag, |c| in_project(c, BROWSER, "level: 3", "level: '3'")),
    ("library that is no project, with a prefix that no product has", git_cron, |c| {
        build(c, &["payload", "env", "WORDS_HEAD_REPOSITORY"], "https://github.com/mozilla-mobile/words")
    }),
    (
        "scheduler of a higher level than is needed",
        || Release::of(Product::TRANSLATIONS, Trigger::Push),
        |c| build(c, &["schedulerId"], "translations-level-3"),
    ),
    ("task of an earlier push to GitHub taken in", enterprise, |c| {
        let other = Release { seed: 7, ..enterprise() }.build().ok()?;
        let earlier = other.builds.first()?.clone();
        graft(c, other);
        upstream(c, "taskId", earlier)
    }),
    ("mirrored task of an earlier push taken in", push, |c| {
        let other = Release { seed: 7, ..mirrored() }.build().ok()?;
        let earlier = other.builds.get(1)?.clone();
        graft(c, other);
        upstream(c, "taskId", earlier)
    }),
];

/// A repository on GitHub that enterprise trusts beside its own.
const DESKTOP: &str = "thunderbird-desktop:\n  repo: https://github.com/thunderbird/thunderbird-desktop\n  repo_type: git\n  branches:\n    - name: main\n      level: 3\n";

/// The page's contents beside the entries: drawings, pull requests, omitted tags.
const GITHUBS: &str = "\n\n\n    <svg class=\"octicon octicon-git-branch\" viewBox=\"0 0 16 16\" version=\"1.1\" aria-hidden=\"true\"><path fill-rule=\"evenodd\" d=\"M10 5c0-1\"/></svg>
    <ul class=\"branches-list\">
        <li class=\"branch\"><a href=\"/mozilla-mobile/reference-browser\">main</a></li>
          <li class=\"pull-request\">(<a title=\"Merged Pull Request: &lt;b&gt; or not\" href=\"/mozilla-mobile/reference-browser/pull/7\">#7</a>)</li>
    </ul>
    <svg class=\"octicon octicon-tag\" height=\"16\"><path d=\"M1 7\"></path></svg>
    <ul class=\"branches-tag-list js-details-container\">
        <li><a href=\"/mozilla-mobile/reference-browser/releases/tag/v1\">v1</a></li>
        <li class=\"abbrev-tags\"><span class=\"hidden-text-expander inline\"><button type=\"button\" aria-expanded=\"false\" hidden>&hellip;</button></span></li>
    </ul>\n";

fn git_cron() -> Release {
    Release::of(Product::MOBILE, Trigger::Cron)
}

fn enterprise() -> Release {
    Release::of(Product::ENTERPRISE, Trigger::Push)
}

fn promotion_of_mirrored() -> Release {
    Release { mirrored: true, builds: 6, depth: 1, images_from: Images::OwnGraph, ..promotion() }
}

/// Moves the target's graph to a branch that a pattern protects, which then contains its commit.
fn on_release_branch(chain: &mut Chain, pattern: &str, name: &str) -> Option<()> {
    branch_level(chain, BROWSER, pattern, 3)?;
    let id = first_decision(chain)?;
    on_branch(chain, &id, name)?;
    landed_on(chain, &[name])
}
