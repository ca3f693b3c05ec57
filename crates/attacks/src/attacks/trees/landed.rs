//! Commits on a branch other than the required one, and pages that only resemble a list of branches.

use super::super::{Attack, T, V, attack};
use crate::change::{
    branch_level, build, compared, edit_at, first_decision, landed_on, landed_page, listing, mirror_pages,
    nth_build, on_branch, page_missing, pages, project, replace_page, revision_of, second_sources, tagged,
    template_of,
};
use crate::valid::{mirrored, mobile, tag};
use catena_testbed::chain::{Product, Scope};
use catena_testbed::{Body, Chain, Page, Release, Trigger};

const OTHER_REV: &str = "00112233445566778899aabbccddeeff00112233";
const BROWSER: &str = "https://github.com/mozilla-mobile/reference-browser";
/// The second sources of enterprise, with two protected branches.
const DESKTOP: &str = "thunderbird-desktop:\n  repo: https://github.com/thunderbird/thunderbird-desktop\n  repo_type: git\n  branches:\n    - name: main\n      level: 3\n    - name: beta\n      level: 3\n";
/// A policy that asks the compare API.
const COMPARE: &str = "catena-policy: 1\nproducts:\n  mobile:\n    landed: compare\n";

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "commit on a branch other than the named one",
        &[T],
        "A push names the main branch, and its commit is on one that anyone may push to.",
        mobile,
        |c| landed_on(c, &["faster"]),
        "pull-request-not-landed",
    ),
    attack(
        "cron job's commit on another branch",
        &[T],
        "A cron job names the main branch, and its commit is on two others.",
        || Release::of(Product::GLEAN, Trigger::Cron),
        |c| landed_on(c, &["faster", "smaller"]),
        "pull-request-not-landed",
    ),
    attack(
        "action on a commit of another branch",
        &[T],
        "An action acts on a push that names the main branch, and whose commit is on another.",
        || Release::of(Product::XPI, Trigger::Action),
        |c| landed_on(c, &["faster"]),
        "pull-request-not-landed",
    ),
    attack(
        "promotion of a commit of another branch",
        &[T],
        "A promotion promotes a push that names the main branch, and whose commit is on another.",
        || Release::of(Product::ENTERPRISE, Trigger::ReleasePromotion),
        |c| landed_on(c, &["enterprise"]),
        "pull-request-not-landed",
    ),
    attack(
        "commit on a branch with the same prefix",
        &[T],
        "A commit is on a branch whose name has the named branch's as a prefix.",
        mobile,
        |c| landed_on(c, &["main-2", "mainline", "Main", "xmain"]),
        "pull-request-not-landed",
    ),
    attack(
        "commit on a branch that ends in the named branch",
        &[T],
        "A commit is on a branch whose name has the named branch's as its last segment.",
        mobile,
        |c| landed_on(c, &["origin/main", "refs/heads/main"]),
        "pull-request-not-landed",
    ),
    attack(
        "branch in an HTML comment",
        &[T],
        "The page of a commit's branches names the correct one in a comment.",
        mobile,
        |c| landed_as(c, "<ul class=\"branches-list\"><!-- <li class=\"branch\"><a>main</a></li> --></ul>"),
        "pull-request-not-landed",
    ),
    attack(
        "tags in place of branches",
        &[T],
        "A commit is on no branch, and one of its tags is named like a branch.",
        mobile,
        |c| {
            landed_as(
                c,
                "<ul class=\"branches-tag-list\"><li class=\"branch\"><a href=\"/x\">main</a></li></ul>",
            )
        },
        "pull-request-not-landed",
    ),
    attack(
        "branch name that contains another entry",
        &[T],
        "A branch that anyone may create has a name that imitates another entry of the list.",
        mobile,
        |c| landed_on(c, &["x&lt;/a&gt;&lt;/li&gt;&lt;li class=&quot;branch&quot;&gt;&lt;a&gt;main"]),
        "pull-request-not-landed",
    ),
    attack(
        "branch named in an attribute",
        &[T],
        "The correct branch is in the address and title of an entry, and another one in its text.",
        mobile,
        |c| {
            landed_as(
                c,
                "<ul class=\"branches-list\"><li class=\"branch\" title=\">main</a>\"><a href=\"/o/r/tree/main\">faster</a></li></ul>",
            )
        },
        "pull-request-not-landed",
    ),
    attack(
        "branch in a pull request's title",
        &[T],
        "The correct branch is in the entry for the pull request that introduced a commit.",
        mobile,
        |c| {
            landed_as(
                c,
                "<ul class=\"branches-list\"><li class=\"branch\"><a>faster</a> (<a>main</a>)</li><li class=\"pull-request\">(<a>main</a>)</li></ul>",
            )
        },
        "pull-request-not-landed",
    ),
    attack(
        "warning for a commit on no branch",
        &[T],
        "GitHub's page only warns that the commit is on no branch of the repository.",
        mobile,
        |c| landed_as(c, "\n<div class=\"js-spoofed-commit-warning-trigger\"></div>\n"),
        "pull-request-not-landed",
    ),
    attack(
        "list without an entry",
        &[T],
        "The list of a commit's branches has no entry.",
        tag,
        |c| landed_as(c, "<ul class=\"branches-list\">\n</ul>\n"),
        "pull-request-not-landed",
    ),
    attack(
        "release of a commit on a branch of level 1",
        &[T],
        "A release names the main branch, and its tag's commit is only on another branch.",
        tag,
        |c| landed_on(c, &["faster"]),
        "pull-request-not-landed",
    ),
    attack(
        "release of a commit on unprotected branches",
        &[T],
        "The commit of a release's tag is only on branches that the list of projects does not \
         protect.",
        || Release::of(Product::GLEAN, Trigger::Release),
        |c| landed_on(c, &["faster", "main2", "Main"]),
        "pull-request-not-landed",
    ),
    attack(
        "mirrored build of a commit on a branch of level 1",
        &[T],
        "A build uses a commit of the git mirror, without naming a branch, that is only on an \
         unprotected one.",
        mirrored,
        |c| {
            let id = nth_build(c, 1)?;
            let commit = revision_of(c, &id)?;
            edit_at(c, &id, &["payload", "env", "GECKO_HEAD_REF"], commit.as_str())?;
            let id = nth_build(c, 3)?;
            edit_at(c, &id, &["payload", "env", "GECKO_HEAD_REF"], commit.as_str())?;
            pages(c, "branch_commits")?.for_each(|page| page.body = listing(&["faster"]).into());
            Some(())
        },
        "pull-request-not-landed",
    ),
    attack(
        "commit missing from its release branch",
        &[T],
        "A push names a protected release branch, and GitHub lists only the main branch for its \
         commit.",
        mobile,
        |c| {
            on_release_branch(c)?;
            landed_on(c, &["main"])?;
            compared(c, "releases/v151", "diverged")
        },
        "pull-request-not-landed",
    ),
    attack(
        "commit of the main branch declared as a release branch's",
        &[T],
        "According to the compare API, the main branch contains a commit, and the named release \
         branch does not.",
        mobile,
        |c| {
            on_release_branch(c)?;
            compared(c, "releases/v151", "ahead")
        },
        "pull-request-not-landed",
    )
    .under(COMPARE),
    attack(
        "release of a commit on neither branch",
        &[T],
        "According to the compare API, neither the main branch nor the release's branch contains \
         its commit.",
        tag,
        |c| replace_page(c, "/compare/", "\"behind\"", "\"diverged\""),
        "pull-request-not-landed",
    )
    .under(COMPARE),
    attack(
        "release of a commit on neither branch, with images of the main branch",
        &[T],
        "According to the compare API, neither branch contains a release's commit; that of its \
         images has landed.",
        tag,
        |c| {
            let commit = tagged(c, "v151.0")?;
            replace_page(c, &format!("/compare/main...{commit}"), "\"behind\"", "\"diverged\"")
        },
        "pull-request-not-landed",
    )
    .under(COMPARE),
    attack(
        "release made for a pull request's reference",
        &[T],
        "A release names a pull request's reference, which contains its commit, and no branch does.",
        tag,
        |c| {
            let commit = tagged(c, "v151.0")?;
            let (from, to) = ("\"target_commitish\":\"main\"", "\"target_commitish\":\"pull/7/head\"");
            replace_page(c, "releases/tags", from, to)?;
            let address = format!("/compare/main...{commit}");
            let url = c.pages.keys().find(|url| url.ends_with(&address))?.clone();
            let page = Page::new(r#"{"status":"identical"}"#, "application/json");
            c.pages.insert(url.replace("/main...", "/pull/7/head..."), page);
            replace_page(c, &address, "\"behind\"", "\"diverged\"")
        },
        "pull-request-not-landed",
    )
    .under(COMPARE),
    attack(
        "second sources' commit on another protected branch",
        &[T],
        "A build names the main branch of the second sources, whose commit is on another branch of \
         that level.",
        || Release::of(Product::ENTERPRISE, Trigger::Push),
        |c| {
            second_sources(c)?;
            build(c, &["payload", "env", "COMM_HEAD_REF"], "main")?;
            project(c, DESKTOP)?;
            pages(c, "thunderbird-desktop/branch_commits")?
                .for_each(|page| page.body = listing(&["beta"]).into());
            replace_page(c, "thunderbird-desktop/compare/", "\"behind\"", "\"diverged\"")
        },
        "pull-request-not-landed",
    ),
    attack(
        "one word in place of the branches",
        &[V],
        "The page of a commit's branches is a single word.",
        mobile,
        |c| landed_as(c, "yes\n"),
        "pull-request-listing-malformed",
    ),
    attack(
        "branches as JSON",
        &[V],
        "The branches of a commit arrive as JSON in place of an HTML page.",
        mobile,
        |c| landed_as(c, "{\"branches\": [{\"branch\": \"main\"}]}"),
        "pull-request-listing-malformed",
    ),
    attack(
        "login page in place of branches",
        &[V],
        "Part of a login page arrives in place of the branches of a release's commit.",
        tag,
        |c| landed_as(c, "<div class=\"auth-form\"><a href=\"/login\">main</a></div>"),
        "pull-request-listing-malformed",
    ),
    attack(
        "entries outside of a list",
        &[V],
        "The page has an entry for the correct branch without a list around it.",
        mobile,
        |c| landed_as(c, "<li class=\"branch\"><a href=\"/x\">main</a></li>"),
        "pull-request-listing-malformed",
    ),
    attack(
        "truncated list of branches",
        &[V],
        "The page of a cron job's commit ends after the first entry.",
        || Release::of(Product::APP_SERVICES, Trigger::Cron),
        |c| landed_as(c, "<ul class=\"branches-list\"><li class=\"branch\"><a href=\"/x\">main</a></li>"),
        "pull-request-listing-malformed",
    ),
    attack(
        "list of branches in a script",
        &[V],
        "The page has the list of branches in a script element, whose content is not markup.",
        mobile,
        |c| landed_as(c, &format!("<template>{}</template>", listing(&["main"]))),
        "pull-request-listing-malformed",
    ),
    attack(
        "list of branches and a warning",
        &[V],
        "The page lists the correct branch, and warns that the commit is on none.",
        mobile,
        |c| {
            let warning = "<div class=\"js-spoofed-commit-warning-trigger\"></div>";
            landed_as(c, &format!("{}{warning}", listing(&["main"])))
        },
        "pull-request-listing-malformed",
    ),
    attack(
        "entry with an unknown character reference",
        &[V],
        "The name of a branch has a character reference that HTML does not define.",
        mobile,
        |c| landed_on(c, &["m&aiin;ain", "main"]),
        "pull-request-listing-malformed",
    ),
    attack(
        "tag that was moved to a commit without a template",
        &[V],
        "GitHub lists a release's tag at another commit, and has the template at the tag only.",
        tag,
        |c| {
            let commit = tagged(c, "v151.0")?;
            page_missing(c, &format!("contents/.taskcluster.yml?ref={commit}"))
        },
        "rebuild-template-missing",
    ),
    attack(
        "tag that was moved to a commit with another template",
        &[V],
        "The template at a release's tag made its decision task, and the one at the tag's commit does not.",
        tag,
        |c| {
            let commit = tagged(c, "v151.0")?;
            let at_tag = c.pages.iter().find(|(url, _)| url.ends_with(".taskcluster.yml?ref=v151.0"))?;
            let (url, before) = (at_tag.0.clone(), at_tag.1.clone());
            let id = first_decision(c)?;
            template_of(c, &id, |text| Some(text.replace("maxRunTime: 1800", "maxRunTime: 7200")))?;
            c.pages.insert(url, before);
            c.pages.keys().any(|url| url.ends_with(&commit)).then_some(())
        },
        "rebuild-differs",
    ),
    attack(
        "tag that was moved to a commit on no branch",
        &[T, V],
        "GitHub lists a release's tag at a commit on no branch, with the same template.",
        tag,
        |c| {
            let commit = tagged(c, "v151.0")?;
            mirror_pages(c, &commit, OTHER_REV);
            replace_page(c, "/tags?per_page", &commit, OTHER_REV)?;
            let id = first_decision(c)?;
            landed_page(c, &id, "\n".to_owned())
        },
        "pull-request-not-landed",
    ),
    attack(
        "release's tag missing from the list",
        &[T, V],
        "The list of tags lacks the tag of a release without restricted scopes.",
        unrestricted,
        |c| replace_page(c, "/tags?per_page", "\"v151.0\"", "\"v150.9\""),
        "rebuild-unknown-to-vcs",
    ),
    attack(
        "release's tag listed twice",
        &[V],
        "The list of tags has the tag of a release without restricted scopes at two commits.",
        unrestricted,
        |c| replace_page(c, "/tags?per_page", "\"v150.0\"", "\"v151.0\""),
        "rebuild-answer-malformed",
    ),
    attack(
        "release's tag after the limit of tags",
        &[T, V],
        "The list of tags exceeds the limit without the tag of a release that has no restricted \
         scopes.",
        unrestricted,
        |c| {
            let many = (0..100).map(|number| format!("{{\"name\":\"v{number}\"}}")).collect::<Vec<_>>();
            let many = Body::from(format!("[{}]", many.join(",")));
            let url = c.pages.keys().find(|url| url.ends_with("/tags?per_page=100"))?.clone();
            c.pages.insert(format!("{url}&page=2"), Page::new(many.clone(), "application/json"));
            c.pages.insert(url, Page::new(many, "application/json"));
            Some(())
        },
        "rebuild-tags-endless",
    )
    .within(|limits| limits.pages = 2),
];

/// A release on GitHub without restricted scopes.
fn unrestricted() -> Release {
    Release { scope: Scope::Unrestricted, ..tag() }
}

/// Replaces the page of the branches of the target's commit.
fn landed_as(chain: &mut Chain, page: &str) -> Option<()> {
    let id = first_decision(chain)?;
    landed_page(chain, &id, page.to_owned())
}

/// Moves the target's graph to a protected release branch.
fn on_release_branch(chain: &mut Chain) -> Option<()> {
    branch_level(chain, BROWSER, "releases/*", 3)?;
    let id = first_decision(chain)?;
    on_branch(chain, &id, "releases/v151")
}
