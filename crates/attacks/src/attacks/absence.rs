//! Answers that say "there is none" and are not the service's own: a proxy's, an ingress's, a portal's; or
//! GitHub's, which says the same of what it hides. None of them is taken for absence.

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
        "push log that a proxy does not find",
        &[V],
        "A proxy answers 404 in place of the Mercurial host that is asked for a push.",
        push,
        |c| page_answers(c, "json-pushes", 404, NGINX),
        UNREACHABLE,
    ),
    attack(
        "push log that is gone without a word",
        &[V],
        "Something answers 410 and nothing else when the Mercurial host is asked for a push.",
        cron,
        |c| page_answers(c, "json-pushes", 410, ""),
        UNREACHABLE,
    ),
    attack(
        "push log that is not found in another service's words",
        &[V],
        "GitHub's words for what it does not have come in place of the Mercurial host's.",
        action,
        |c| page_answers(c, "json-pushes", 404, GITHUBS),
        UNREACHABLE,
    ),
    attack(
        "template that a proxy does not find",
        &[V],
        "A proxy answers 404 in place of the Mercurial host that is asked for the tree's template.",
        promotion,
        |c| page_answers(c, "/raw-file/", 404, NGINX),
        UNREACHABLE,
    ),
    attack(
        "template at a name without a backend",
        &[V],
        "An ingress has no backend for the Mercurial host that is asked for the tree's template.",
        push,
        |c| page_answers(c, "/raw-file/", 404, INGRESS),
        UNREACHABLE,
    ),
    attack(
        "template that is gone for ever",
        &[V],
        "The Mercurial host's words for a missing file come with a status that it never uses.",
        cron,
        |c| {
            let page = "error: .taskcluster.yml@0a0a0a0a0a0a: not found in manifest";
            page_answers(c, "/raw-file/", 410, page)
        },
        UNREACHABLE,
    ),
    attack(
        "projects that a proxy does not find",
        &[V],
        "A proxy answers 404 in place of the list of projects.",
        mirrored,
        |c| page_answers(c, "projects.yml", 404, NGINX),
        UNREACHABLE,
    ),
    attack(
        "projects behind a gateway without a route",
        &[V],
        "A gateway has no route to the list of projects, and says so with 404.",
        cron,
        |c| page_answers(c, "projects.yml", 404, GATEWAY),
        UNREACHABLE,
    ),
    // GitHub.
    attack(
        "template on GitHub that a proxy does not find",
        &[V],
        "A proxy answers 404 in place of GitHub's API that is asked for a template.",
        mobile,
        |c| page_answers(c, "contents/.taskcluster.yml", 404, NGINX),
        UNREACHABLE,
    ),
    attack(
        "template on GitHub behind a gateway without a route",
        &[V],
        "A gateway answers 404 in JSON of its own in place of GitHub's API.",
        pr_action,
        |c| page_answers(c, "contents/.taskcluster.yml", 404, GATEWAY),
        UNREACHABLE,
    ),
    attack(
        "commit at a name without a backend",
        &[V],
        "An ingress has no backend for GitHub's API that is asked for a commit.",
        mobile,
        |c| page_answers(c, "/commits/", 404, INGRESS),
        UNREACHABLE,
    ),
    attack(
        "commit that a gateway cannot process",
        &[V],
        "A gateway answers 422 in JSON of its own in place of GitHub's API.",
        mobile,
        |c| page_answers(c, "/commits/", 422, GATEWAY),
        UNREACHABLE,
    ),
    attack(
        "pull request behind a portal",
        &[V],
        "The portal of a network answers 404 in place of GitHub's API that is asked for a pull request.",
        pull_request,
        |c| page_answers(c, "/pulls/", 404, PORTAL),
        UNREACHABLE,
    ),
    attack(
        "release that is gone without a word",
        &[V],
        "Something answers 410 and nothing else when GitHub is asked for a release.",
        tag,
        |c| page_answers(c, "/releases/tags/", 410, ""),
        UNREACHABLE,
    ),
    attack(
        "tags in another service's words",
        &[V],
        "The queue's words for what it does not have come in place of GitHub's list of tags.",
        tag,
        |c| page_answers(c, "/tags?per_page", 404, QUEUES),
        UNREACHABLE,
    ),
    attack(
        "comparison that a proxy does not find",
        &[V],
        "A proxy answers 404 in place of GitHub's API that is asked whether a branch holds a commit.",
        mobile,
        |c| page_answers(c, "/compare/", 404, NGINX),
        UNREACHABLE,
    )
    .under(COMPARE),
    attack(
        "branches that a proxy does not find",
        &[V],
        "A proxy answers 404 in place of GitHub's page of the branches of a commit.",
        mobile,
        |c| page_answers(c, "branch_commits", 404, NGINX),
        UNREACHABLE,
    ),
    attack(
        "branches behind a portal",
        &[V],
        "The portal of a network answers 404 in place of GitHub's page of the branches of a commit.",
        tag,
        |c| page_answers(c, "branch_commits", 404, PORTAL),
        UNREACHABLE,
    ),
    attack(
        "branches of a private repository",
        &[V],
        "GitHub has no page of the branches of a commit for those who do not log in, since the repository \
         is private.",
        mobile,
        |c| {
            page_missing(c, "branch_commits")?;
            replace_page(c, "/repos/", "\"private\":false", "\"private\":true")
        },
        REFUSED,
    ),
    attack(
        "branches of a repository that is hidden",
        &[V],
        "GitHub has neither a page of the branches of a commit nor, for this asker, the repository.",
        mobile,
        |c| {
            page_missing(c, "branch_commits")?;
            hide(c)
        },
        REFUSED,
    ),
    attack(
        "template of a repository that is hidden",
        &[V],
        "GitHub has neither a template nor, for this asker, the repository that it is asked of.",
        mobile,
        |c| {
            page_missing(c, "contents/.taskcluster.yml")?;
            hide(c)
        },
        REFUSED,
    ),
    attack(
        "commit of a repository that is hidden",
        &[V],
        "GitHub has neither a commit nor, for this asker, the repository that it is asked of.",
        mobile,
        |c| {
            page_missing(c, "/commits/")?;
            hide(c)
        },
        REFUSED,
    ),
    attack(
        "pull request into a repository that is hidden",
        &[V],
        "GitHub has neither a pull request nor, for this asker, the repository that it was made to.",
        fork,
        |c| {
            page_missing(c, "/pulls/")?;
            hide(c)
        },
        REFUSED,
    ),
    attack(
        "release of a repository that is hidden",
        &[V],
        "GitHub has neither a release nor, for this asker, the repository that it is asked of.",
        tag,
        |c| {
            page_missing(c, "/releases/tags/")?;
            hide(c)
        },
        REFUSED,
    ),
    attack(
        "tags of a repository that is hidden",
        &[V],
        "GitHub has neither tags nor, for this asker, the repository that they are asked of.",
        tag,
        |c| {
            page_missing(c, "/tags?per_page")?;
            hide(c)
        },
        REFUSED,
    ),
    attack(
        "template of a repository that a proxy does not find",
        &[V],
        "GitHub has no template; whether it shows the repository is not known, since a proxy answers for it.",
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
        "optional file that is listed and not there",
        &[S],
        "The queue lists an optional file of a build, and its storage has lost it.",
        globs,
        |c| {
            only_path(c)?;
            lose(c)
        },
        LISTED,
    ),
    attack(
        "optional file of a pattern that is not there",
        &[S],
        "The queue lists a file that optional patterns alone stand for, and its storage has lost it.",
        globs,
        |c| {
            only_optional(c)?;
            lose(c)
        },
        LISTED,
    ),
    attack(
        "optional file on GitHub that is listed and not there",
        &[S],
        "The queue lists an optional file of a build made for GitHub, and its storage has lost it.",
        || Release { optional_and_globs: true, ..mobile() },
        |c| {
            only_path(c)?;
            lose(c)
        },
        LISTED,
    ),
    attack(
        "optional file among many that is not there",
        &[S],
        "Among many files of a build, all there, one that is optional and listed is lost.",
        || Release { optional_and_globs: true, kind: Some("beetmover"), artifacts: 5, ..push() },
        |c| {
            only_optional(c)?;
            lose(c)
        },
        LISTED,
    ),
    wire(
        "optional file that a proxy does not find",
        &[S],
        "A proxy answers 404 in place of the store that is asked for an optional file.",
        globs,
        |c| in_store(c, OPTIONAL, answers(404, NGINX)),
        UNREACHABLE,
    ),
    wire(
        "optional file that is gone without a word",
        &[S],
        "Something answers 410 and nothing else in place of the store.",
        globs,
        |c| in_store(c, OPTIONAL, answers(410, "")),
        UNREACHABLE,
    ),
    wire(
        "optional file that the task failed to make, says a proxy",
        &[Q],
        "A proxy answers 424 in place of the queue that is asked for an optional file.",
        globs,
        |c| of_build(c, &format!("/runs/0/artifacts/{OPTIONAL}"), answers(424, NGINX)),
        UNREACHABLE,
    ),
    // The queue and its store.
    wire(
        "definition that a proxy does not find",
        &[Q],
        "A proxy answers 404 in place of the queue that is asked for a definition.",
        push,
        |c| of_build(c, "", answers(404, NGINX)),
        UNREACHABLE,
    ),
    wire(
        "definition at a name without a backend",
        &[Q],
        "An ingress has no backend for the queue that is asked for a definition.",
        mobile,
        |c| of_build(c, "", answers(404, INGRESS)),
        UNREACHABLE,
    ),
    wire(
        "status behind a gateway without a route",
        &[Q],
        "A gateway answers 404 in JSON of its own in place of the queue that is asked for a status.",
        tag,
        |c| of_build(c, "/status", answers(404, GATEWAY)),
        UNREACHABLE,
    ),
    wire(
        "status of an expired task, says the wrong code",
        &[Q],
        "The status 410 comes with the queue's code for what it never had.",
        cron,
        |c| of_build(c, "/status", answers(410, QUEUES)),
        UNREACHABLE,
    ),
    wire(
        "list of files that a proxy does not find",
        &[Q],
        "A proxy answers 404 in place of the queue that is asked for the list of a build's files.",
        globs,
        |c| of_build(c, "/runs/0/artifacts", answers(404, NGINX)),
        UNREACHABLE,
    ),
    wire(
        "document that a proxy does not find",
        &[S],
        "A proxy answers 404 in place of the store that is asked for a build's document.",
        tag,
        |c| in_store(c, "public/chain-of-trust.json", answers(404, NGINX)),
        UNREACHABLE,
    ),
    wire(
        "document that the store lacks in the queue's words",
        &[S],
        "Where a build's document is stored, something answers in the words of the queue that it is not.",
        push,
        |c| in_store(c, "public/chain-of-trust.json", answers(404, QUEUES)),
        UNREACHABLE,
    ),
    wire(
        "signature in a bucket that does not exist",
        &[S],
        "The store does not know the bucket that a build's signature is in.",
        action,
        |c| {
            let body = "<?xml version='1.0'?><Error><Code>NoSuchBucket</Code></Error>";
            in_store(c, "public/chain-of-trust.json.sig", answers(404, body))
        },
        UNREACHABLE,
    ),
    wire(
        "file that a portal does not find",
        &[Q],
        "The portal of a network answers 404 in place of the queue that is asked the way to a file.",
        push,
        |c| of_build(c, &format!("/runs/0/artifacts/{ARTIFACT}"), answers(404, PORTAL)),
        UNREACHABLE,
    ),
];

fn answers(status: u16, body: &'static str) -> Fault {
    Fault::Instead { status, headers: Vec::new(), body: body.into() }
}

/// GitHub's page of the repository that most chains there are of.
fn repository(chain: &mut Chain) -> Option<&mut Page> {
    chain.pages.get_mut("https://api.github.com/repos/mozilla-mobile/reference-browser")
}

fn hide(chain: &mut Chain) -> Option<()> {
    let url = "https://api.github.com/repos/mozilla-mobile/reference-browser";
    *repository(chain)? = Page::missing(url);
    Some(())
}

/// The storage loses the optional file of the first build; the queue still sends its askers there.
fn lose(chain: &mut Chain) -> Option<()> {
    let id = first_build(chain)?;
    let artifact: &mut Artifact = chain.artifact_mut(&id, OPTIONAL)?;
    artifact.redirect = Some(format!("{id}/0/public/lost"));
    Some(())
}

/// The target takes nothing but what is optional.
fn only_optional(chain: &mut Chain) -> Option<()> {
    target(chain, |task| {
        let entries = inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?;
        entries.retain(|entry| entry.get("optional").is_some());
        Some(())
    })
}

/// The target takes nothing but the optional file, by its name.
fn only_path(chain: &mut Chain) -> Option<()> {
    only_optional(chain)?;
    target(chain, |task| {
        let entries = inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?;
        entries.truncate(1);
        let paths = json(&format!("[{OPTIONAL:?}]"))?;
        set(entries.first_mut()?, &["paths"], paths)
    })
}
