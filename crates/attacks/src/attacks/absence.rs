//! Answers that claim absence and are not the service's own: a proxy's, an ingress's, a portal's; or
//! GitHub's, which gives the same answer for what it hides. None of them counts as absence.

use super::availability::{REFUSED, UNREACHABLE, in_store, of_build};
use super::{Attack, Q, S, V, attack, wire};
use crate::change::{
    ARTIFACT, first_build, inside, json, page_answers, page_missing, replace_page, set, target,
};
use crate::valid::{
    action, cron, fork, globs, mirrored, mobile, pr_action, promotion, pull_request, push, tag,
};
use catena_testbed::{Artifact, Chain, Fault, Page, Release};

const COMPARE: &str = "catena-policy: 1\nproducts:\n  mobile:\n    landed: compare\n";
const LISTED: &str = "artifact-listed-absent";
const OPTIONAL: &str = "public/build/target.langpack.xpi";

const NGINX: &str = "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not \
    Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
const INGRESS: &str = "default backend - 404";
const GATEWAY: &str = r#"{"message":"no Route matched with those values"}"#;
const PORTAL: &str = "<!DOCTYPE html><html><head><title>Sign in to the network</title></head></html>";
const GITHUBS: &str = r#"{"message":"Not Found","documentation_url":"https://docs.github.com/rest"}"#;
const QUEUES: &str = r#"{"code":"ResourceNotFound","message":"no such thing","requestInfo":{}}"#;

pub(super) const ATTACKS: &[Attack] = &[
    // Version control.
    attack(
        "push log answered by a proxy's 404",
        &[V],
        "A proxy answers 404 instead of the Mercurial host when a push is requested.",
        push,
        |c| page_answers(c, "json-pushes", 404, NGINX),
        UNREACHABLE,
    ),
    attack(
        "push log answered by an empty 410",
        &[V],
        "An unknown service answers 410 with an empty body when the Mercurial host is asked for a \
         push.",
        cron,
        |c| page_answers(c, "json-pushes", 410, ""),
        UNREACHABLE,
    ),
    attack(
        "push log answered by GitHub's 404",
        &[V],
        "GitHub's 404 body arrives in place of the Mercurial host's answer.",
        action,
        |c| page_answers(c, "json-pushes", 404, GITHUBS),
        UNREACHABLE,
    ),
    attack(
        "template answered by a proxy's 404",
        &[V],
        "A proxy answers 404 instead of the Mercurial host when the tree's template is requested.",
        promotion,
        |c| page_answers(c, "/raw-file/", 404, NGINX),
        UNREACHABLE,
    ),
    attack(
        "template behind an ingress without a backend",
        &[V],
        "An ingress has no backend for the Mercurial host when the tree's template is requested.",
        push,
        |c| page_answers(c, "/raw-file/", 404, INGRESS),
        UNREACHABLE,
    ),
    attack(
        "template answered by 410",
        &[V],
        "The Mercurial host's text for a missing file comes with a status that it never uses.",
        cron,
        |c| {
            let page = "error: .taskcluster.yml@0a0a0a0a0a0a: not found in manifest";
            page_answers(c, "/raw-file/", 410, page)
        },
        UNREACHABLE,
    ),
    attack(
        "list of projects answered by a proxy's 404",
        &[V],
        "A proxy answers 404 in place of the list of projects.",
        mirrored,
        |c| page_answers(c, "projects.yml", 404, NGINX),
        UNREACHABLE,
    ),
    attack(
        "list of projects behind a gateway without a route",
        &[V],
        "A gateway has no route to the list of projects and answers 404.",
        cron,
        |c| page_answers(c, "projects.yml", 404, GATEWAY),
        UNREACHABLE,
    ),
    // GitHub.
    attack(
        "template on GitHub answered by a proxy's 404",
        &[V],
        "A proxy answers 404 instead of GitHub's API when a template is requested.",
        mobile,
        |c| page_answers(c, "contents/.taskcluster.yml", 404, NGINX),
        UNREACHABLE,
    ),
    attack(
        "template on GitHub behind a gateway without a route",
        &[V],
        "A gateway answers 404 with its own JSON in place of GitHub's API.",
        pr_action,
        |c| page_answers(c, "contents/.taskcluster.yml", 404, GATEWAY),
        UNREACHABLE,
    ),
    attack(
        "commit behind an ingress without a backend",
        &[V],
        "An ingress has no backend for GitHub's API when a commit is requested.",
        mobile,
        |c| page_answers(c, "/commits/", 404, INGRESS),
        UNREACHABLE,
    ),
    attack(
        "commit answered by a gateway's 422",
        &[V],
        "A gateway answers 422 with its own JSON in place of GitHub's API.",
        mobile,
        |c| page_answers(c, "/commits/", 422, GATEWAY),
        UNREACHABLE,
    ),
    attack(
        "pull request behind a captive portal",
        &[V],
        "A captive portal answers 404 instead of GitHub's API when a pull request is requested.",
        pull_request,
        |c| page_answers(c, "/pulls/", 404, PORTAL),
        UNREACHABLE,
    ),
    attack(
        "release answered by an empty 410",
        &[V],
        "An unknown service answers 410 with an empty body when a release is requested from GitHub.",
        tag,
        |c| page_answers(c, "/releases/tags/", 410, ""),
        UNREACHABLE,
    ),
    attack(
        "tags answered by the queue's 404",
        &[V],
        "The queue's 404 body arrives in place of GitHub's list of tags.",
        tag,
        |c| page_answers(c, "/tags?per_page", 404, QUEUES),
        UNREACHABLE,
    ),
    attack(
        "comparison answered by a proxy's 404",
        &[V],
        "A proxy answers 404 instead of GitHub's API when it is asked whether a branch contains a \
         commit.",
        mobile,
        |c| page_answers(c, "/compare/", 404, NGINX),
        UNREACHABLE,
    )
    .under(COMPARE),
    attack(
        "branches answered by a proxy's 404",
        &[V],
        "A proxy answers 404 in place of GitHub's page of the branches of a commit.",
        mobile,
        |c| page_answers(c, "branch_commits", 404, NGINX),
        UNREACHABLE,
    ),
    attack(
        "branches behind a captive portal",
        &[V],
        "A captive portal answers 404 in place of GitHub's page of the branches of a commit.",
        tag,
        |c| page_answers(c, "branch_commits", 404, PORTAL),
        UNREACHABLE,
    ),
    attack(
        "branches of a private repository",
        &[V],
        "GitHub shows the branches of a commit only after a login, since the repository is private.",
        mobile,
        |c| {
            page_missing(c, "branch_commits")?;
            replace_page(c, "/repos/", "\"private\":false", "\"private\":true")
        },
        REFUSED,
    ),
    attack(
        "branches of a hidden repository",
        &[V],
        "GitHub answers 404 both for the branches of a commit and for the repository.",
        mobile,
        |c| {
            page_missing(c, "branch_commits")?;
            hide(c)
        },
        REFUSED,
    ),
    attack(
        "template of a hidden repository",
        &[V],
        "GitHub answers 404 both for a template and for its repository.",
        mobile,
        |c| {
            page_missing(c, "contents/.taskcluster.yml")?;
            hide(c)
        },
        REFUSED,
    ),
    attack(
        "commit of a hidden repository",
        &[V],
        "GitHub answers 404 both for a commit and for its repository.",
        mobile,
        |c| {
            page_missing(c, "/commits/")?;
            hide(c)
        },
        REFUSED,
    ),
    attack(
        "pull request into a hidden repository",
        &[V],
        "GitHub answers 404 both for a pull request and for the repository that it targets.",
        fork,
        |c| {
            page_missing(c, "/pulls/")?;
            hide(c)
        },
        REFUSED,
    ),
    attack(
        "release of a hidden repository",
        &[V],
        "GitHub answers 404 both for a release and for its repository.",
        tag,
        |c| {
            page_missing(c, "/releases/tags/")?;
            hide(c)
        },
        REFUSED,
    ),
    attack(
        "tags of a hidden repository",
        &[V],
        "GitHub answers 404 both for the tags and for their repository.",
        tag,
        |c| {
            page_missing(c, "/tags?per_page")?;
            hide(c)
        },
        REFUSED,
    ),
    attack(
        "template of a repository answered by a proxy's 404",
        &[V],
        "GitHub has no template, and a proxy answers for its repository, so that the repository may \
         be hidden.",
        mobile,
        |c| {
            page_missing(c, "contents/.taskcluster.yml")?;
            *repository(c)? = Page { body: NGINX.into(), ..Page::status(404) };
            Some(())
        },
        UNREACHABLE,
    ),
    // Optional files.
    attack(
        "optional file listed but missing",
        &[S],
        "The queue lists an optional file of a build, and the storage has lost it.",
        globs,
        |c| {
            only_path(c)?;
            lose(c)
        },
        LISTED,
    ),
    attack(
        "optional file of a pattern listed but missing",
        &[S],
        "The queue lists a file that only optional patterns match, and the storage has lost it.",
        globs,
        |c| {
            only_optional(c)?;
            lose(c)
        },
        LISTED,
    ),
    attack(
        "optional file on GitHub listed but missing",
        &[S],
        "The queue lists an optional file of a build on GitHub, and the storage has lost it.",
        || Release { optional_and_globs: true, ..mobile() },
        |c| {
            only_path(c)?;
            lose(c)
        },
        LISTED,
    ),
    attack(
        "one missing optional file among many files",
        &[S],
        "A build lists many files, and the storage has lost one that is optional.",
        || Release { optional_and_globs: true, kind: Some("beetmover"), artifacts: 5, ..push() },
        |c| {
            only_optional(c)?;
            lose(c)
        },
        LISTED,
    ),
    wire(
        "optional file answered by a proxy's 404",
        &[S],
        "A proxy answers 404 instead of the store when an optional file is requested.",
        globs,
        |c| in_store(c, OPTIONAL, answers(404, NGINX)),
        UNREACHABLE,
    ),
    wire(
        "optional file answered by an empty 410",
        &[S],
        "An unknown service answers 410 with an empty body in place of the store.",
        globs,
        |c| in_store(c, OPTIONAL, answers(410, "")),
        UNREACHABLE,
    ),
    wire(
        "optional file answered by a proxy's 424",
        &[Q],
        "A proxy answers 424 instead of the queue when an optional file is requested.",
        globs,
        |c| of_build(c, &format!("/runs/0/artifacts/{OPTIONAL}"), answers(424, NGINX)),
        UNREACHABLE,
    ),
    // The queue and its store.
    wire(
        "definition answered by a proxy's 404",
        &[Q],
        "A proxy answers 404 instead of the queue when a definition is requested.",
        push,
        |c| of_build(c, "", answers(404, NGINX)),
        UNREACHABLE,
    ),
    wire(
        "definition behind an ingress without a backend",
        &[Q],
        "An ingress has no backend for the queue when a definition is requested.",
        mobile,
        |c| of_build(c, "", answers(404, INGRESS)),
        UNREACHABLE,
    ),
    wire(
        "status behind a gateway without a route",
        &[Q],
        "A gateway answers 404 with its own JSON instead of the queue when a status is requested.",
        tag,
        |c| of_build(c, "/status", answers(404, GATEWAY)),
        UNREACHABLE,
    ),
    wire(
        "status answered by 410 with the wrong code",
        &[Q],
        "HTTP status 410 comes with the code that the queue uses for unknown tasks.",
        cron,
        |c| of_build(c, "/status", answers(410, QUEUES)),
        UNREACHABLE,
    ),
    wire(
        "list of files answered by a proxy's 404",
        &[Q],
        "A proxy answers 404 instead of the queue when the list of a build's files is requested.",
        globs,
        |c| of_build(c, "/runs/0/artifacts", answers(404, NGINX)),
        UNREACHABLE,
    ),
    wire(
        "document answered by a proxy's 404",
        &[S],
        "A proxy answers 404 instead of the store when a build's document is requested.",
        tag,
        |c| in_store(c, "public/chain-of-trust.json", answers(404, NGINX)),
        UNREACHABLE,
    ),
    wire(
        "document answered by the queue's 404 in the store",
        &[S],
        "The store answers with the queue's 404 body when a build's document is requested.",
        push,
        |c| in_store(c, "public/chain-of-trust.json", answers(404, QUEUES)),
        UNREACHABLE,
    ),
    wire(
        "signature in a missing bucket",
        &[S],
        "The bucket that holds a build's signature does not exist in the store.",
        action,
        |c| {
            let body = "<?xml version='1.0'?><Error><Code>NoSuchBucket</Code></Error>";
            in_store(c, "public/chain-of-trust.json.sig", answers(404, body))
        },
        UNREACHABLE,
    ),
    wire(
        "file behind a captive portal",
        &[Q],
        "A captive portal answers 404 instead of the queue when the location of a file is requested.",
        push,
        |c| of_build(c, &format!("/runs/0/artifacts/{ARTIFACT}"), answers(404, PORTAL)),
        UNREACHABLE,
    ),
];

fn answers(status: u16, body: &'static str) -> Fault {
    Fault::Instead { status, headers: Vec::new(), body: body.into() }
}

/// GitHub's page of the repository that most chains on GitHub use.
fn repository(chain: &mut Chain) -> Option<&mut Page> {
    chain.pages.get_mut("https://api.github.com/repos/mozilla-mobile/reference-browser")
}

fn hide(chain: &mut Chain) -> Option<()> {
    let url = "https://api.github.com/repos/mozilla-mobile/reference-browser";
    *repository(chain)? = Page::missing(url);
    Some(())
}

/// The storage loses the optional file of the first build; the queue still redirects to it.
fn lose(chain: &mut Chain) -> Option<()> {
    let id = first_build(chain)?;
    let artifact: &mut Artifact = chain.artifact_mut(&id, OPTIONAL)?;
    artifact.redirect = Some(format!("{id}/0/public/lost"));
    Some(())
}

/// The target lists only optional files.
fn only_optional(chain: &mut Chain) -> Option<()> {
    target(chain, |task| {
        let entries = inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?;
        entries.retain(|entry| entry.get("optional").is_some());
        Some(())
    })
}

/// The target lists only the optional file, by its name.
fn only_path(chain: &mut Chain) -> Option<()> {
    only_optional(chain)?;
    target(chain, |task| {
        let entries = inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?;
        entries.truncate(1);
        let paths = json(&format!("[{OPTIONAL:?}]"))?;
        set(entries.first_mut()?, &["paths"], paths)
    })
}
