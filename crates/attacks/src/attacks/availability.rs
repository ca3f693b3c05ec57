//! Faults of services: down, slow, broken or hostile. None of them leads to "rejected" or "verified".
//! The fault suite of the command line injects every fault for every kind of need; these are examples.

use super::{Attack, Q, S, V, Wire, attack, wire};
use crate::change::{first_build, first_decision, json, pages, set, target_parent};
use crate::valid::{
    action, cron, fork, globs, mirrored, mobile, pr_action, promotion, pull_request, push, tag,
};
use catena_json::Value;
use catena_testbed::{Body, Chain, Fault};
use std::time::Duration;

pub(super) const UNREACHABLE: &str = "availability-unreachable";
pub(super) const REFUSED: &str = "availability-refused";

pub(super) const ATTACKS: &[Attack] = &[
    wire(
        "queue that is down",
        &[Q],
        "The queue answers every request for a build with an internal error.",
        push,
        |c| of_build(c, "", Fault::Status(500)),
        UNREACHABLE,
    ),
    wire(
        "queue behind a broken proxy",
        &[Q],
        "A proxy answers that it cannot reach the queue.",
        mobile,
        |c| of_build(c, "/status", Fault::Status(502)),
        UNREACHABLE,
    ),
    wire(
        "endless 429",
        &[Q],
        "The queue answers every request for a task's status with 429 Too Many Requests.",
        cron,
        |c| of_build(c, "/status", Fault::Status(429)),
        UNREACHABLE,
    ),
    wire(
        "queue that hangs up",
        &[Q],
        "The queue resets every connection that requests a definition.",
        tag,
        |c| of_build(c, "", Fault::HangUp),
        UNREACHABLE,
    ),
    wire(
        "queue that does not answer",
        &[Q],
        "The queue accepts the request for a status and never answers.",
        push,
        |c| of_build(c, "/status", Fault::Silence),
        UNREACHABLE,
    ),
    wire(
        "queue that stops mid-answer",
        &[Q],
        "The queue sends half of a definition and resets the connection.",
        action,
        |c| of_build(c, "", Fault::Reset { after: 200 }),
        UNREACHABLE,
    ),
    wire(
        "HTML page for a status",
        &[Q],
        "A service answers in place of the queue with an HTML page and status 200.",
        push,
        |c| of_build(c, "/status", Fault::Replace("<html><body>Welcome</body></html>".into())),
        UNREACHABLE,
    ),
    wire(
        "empty answer for a definition",
        &[Q],
        "The queue answers with an empty body and status 200.",
        promotion,
        |c| of_build(c, "", Fault::Replace("".into())),
        UNREACHABLE,
    ),
    wire(
        "definition that requires a login",
        &[Q],
        "The queue requires authentication for a definition.",
        push,
        |c| of_build(c, "", Fault::Status(401)),
        REFUSED,
    ),
    wire(
        "forbidden status",
        &[Q],
        "The queue answers 403 for a task's status.",
        mobile,
        |c| of_build(c, "/status", Fault::Status(403)),
        REFUSED,
    ),
    wire(
        "definition behind endless redirects",
        &[Q],
        "The queue redirects requests for a definition without end.",
        fork,
        |c| Some(vec![Wire { pattern: format!("{}*", definition(c)?), fault: Fault::Wander }]),
        UNREACHABLE,
    ),
    wire(
        "definition on the verifier's disk",
        &[Q],
        "The queue redirects requests for a definition to a file of the verifying machine.",
        push,
        |c| of_build(c, "", Fault::Redirect("file:///etc/hostname".to_owned())),
        UNREACHABLE,
    ),
    wire(
        "unavailable list of files",
        &[Q],
        "The queue answers the request for the list of a build's files with an error, which does \
         not mean that files are absent.",
        globs,
        |c| of_build(c, "/runs/0/artifacts", Fault::Status(503)),
        UNREACHABLE,
    ),
    wire(
        "unavailable optional file",
        &[S],
        "The store is down when an optional file is requested, which does not mean that the file is \
         absent.",
        globs,
        |c| in_store(c, "public/build/target.langpack.xpi", Fault::Status(503)),
        UNREACHABLE,
    ),
    wire(
        "forbidden optional file",
        &[S],
        "The store answers 403 for an optional file, which does not mean that the file is absent.",
        globs,
        |c| in_store(c, "public/build/target.langpack.xpi", Fault::Status(403)),
        REFUSED,
    ),
    wire(
        "unavailable document",
        &[S],
        "The store is down when a build's document is requested.",
        tag,
        |c| in_store(c, "public/chain-of-trust.json", Fault::Status(500)),
        UNREACHABLE,
    ),
    wire(
        "signature cut off in transit",
        &[S],
        "The connection ends in the middle of a signature, which does not mean that the signature \
         is missing.",
        push,
        |c| in_store(c, "public/chain-of-trust.json.sig", Fault::Truncate { after: 32 }),
        UNREACHABLE,
    ),
    wire(
        "endless file",
        &[S],
        "The body of a build's document never ends.",
        mobile,
        |c| in_store(c, "public/chain-of-trust.json", Fault::Endless),
        UNREACHABLE,
    ),
    wire(
        "file sent byte by byte",
        &[S],
        "A build's file is sent one byte at a time, with pauses.",
        push,
        |c| {
            let drip = Fault::Drip { bytes: 1, every: Duration::from_millis(300) };
            in_store(c, crate::change::ARTIFACT, drip)
        },
        UNREACHABLE,
    ),
    wire(
        "decompression bomb as a document",
        &[S],
        "A document of a few kilobytes unpacks to gigabytes.",
        cron,
        |c| in_store(c, "public/chain-of-trust.json", Fault::GzipBomb { unpacked: 4 << 30 }),
        UNREACHABLE,
    ),
    wire(
        "decompression bomb as a task graph",
        &[S],
        "A task graph of a few kilobytes unpacks to gigabytes.",
        push,
        |c| {
            let pattern = format!("/_store/{}/0/{}", first_decision(c)?, crate::change::GRAPH);
            Some(vec![Wire { pattern, fault: Fault::GzipBomb { unpacked: 4 << 30 } }])
        },
        UNREACHABLE,
    ),
    wire(
        "task graph cut off in transit",
        &[S],
        "The connection ends in the middle of an action task's graph.",
        action,
        |c| {
            let pattern = format!("/_store/{}/0/{}", target_parent(c)?, crate::change::GRAPH);
            Some(vec![Wire { pattern, fault: Fault::Truncate { after: 1000 } }])
        },
        UNREACHABLE,
    ),
    wire(
        "unavailable push log",
        &[V],
        "The Mercurial host is down when a push is requested.",
        push,
        |c| of_page(c, "json-pushes", Fault::Status(503)),
        UNREACHABLE,
    ),
    wire(
        "HTML page for a push log",
        &[V],
        "The Mercurial host answers with an HTML page in place of a push.",
        cron,
        |c| of_page(c, "json-pushes", Fault::Replace("<!DOCTYPE html><p>maintenance</p>".into())),
        UNREACHABLE,
    ),
    wire(
        "HTML page for a template",
        &[V],
        "The Mercurial host answers with an HTML page in place of the tree's template.",
        push,
        |c| of_page(c, "/raw-file/", Fault::Replace("<!DOCTYPE html><p>maintenance</p>".into())),
        UNREACHABLE,
    ),
    wire(
        "template that never arrives",
        &[V],
        "The Mercurial host accepts the request for the template and never answers.",
        promotion,
        |c| of_page(c, "/raw-file/", Fault::Silence),
        UNREACHABLE,
    ),
    wire(
        "GitHub that is down",
        &[V],
        "GitHub's API answers the request for a release with an error.",
        tag,
        |c| of_page(c, "/releases/tags/", Fault::Status(502)),
        UNREACHABLE,
    ),
    wire(
        "pull request cut off",
        &[V],
        "The connection to GitHub ends in the middle of a pull request.",
        pull_request,
        |c| of_page(c, "/pulls/", Fault::Truncate { after: 300 }),
        UNREACHABLE,
    ),
    wire(
        "pull request that requires a login",
        &[V],
        "GitHub requires authentication for a pull request.",
        pr_action,
        |c| of_page(c, "/pulls/", Fault::Status(401)),
        REFUSED,
    ),
    wire(
        "HTML page in place of a commit's branches",
        &[V],
        "GitHub answers with a complete HTML page when the branches of a commit are requested; the \
         page names no branch.",
        mobile,
        |c| {
            let page = "<!DOCTYPE html>\n<html><head><title>GitHub</title></head><body>main</body></html>";
            of_page(c, "branch_commits", Fault::Replace(page.into()))
        },
        UNREACHABLE,
    ),
    wire(
        "unavailable list of a commit's branches",
        &[V],
        "GitHub is down when the branches of a commit are requested.",
        mobile,
        |c| of_page(c, "branch_commits", Fault::Status(500)),
        UNREACHABLE,
    ),
    wire(
        "unavailable list of projects",
        &[V],
        "The list of projects, which states a tree's level, is unavailable.",
        mirrored,
        |c| of_page(c, "projects.yml", Fault::Status(500)),
        UNREACHABLE,
    ),
    wire(
        "GitHub over plain HTTP",
        &[V],
        "GitHub redirects requests for a template to an unencrypted address.",
        mobile,
        |c| of_page(c, "contents/.taskcluster.yml", Fault::Redirect("http://example.org/".to_owned())),
        UNREACHABLE,
    ),
    attack(
        "definition nested too deep",
        &[Q],
        "The queue's definition of a build is nested deeper than the limit.",
        push,
        |c| {
            let id = first_build(c)?;
            set(c.definition_mut(&id)?, &["extra", "more"], nested(100)?)
        },
        UNREACHABLE,
    ),
    attack(
        "status nested too deep",
        &[Q],
        "The queue's status of a task is nested deeper than the limit.",
        tag,
        |c| more_status(c, nested(100)?),
        UNREACHABLE,
    ),
    attack(
        "status with too many values",
        &[Q],
        "The queue's status of a task holds more values than the limit.",
        action,
        |c| more_status(c, json(&format!("[{}0]", "0,".repeat(3_000)))?),
        UNREACHABLE,
    )
    .within(|limits| limits.json_values = 2_000),
    attack(
        "push log nested too deep",
        &[V],
        "The Mercurial host's answer for a push is nested deeper than the limit.",
        cron,
        |c| deep_page(c, "json-pushes"),
        UNREACHABLE,
    ),
    attack(
        "commit nested too deep",
        &[V],
        "GitHub's answer for a commit is nested deeper than the limit.",
        mobile,
        |c| deep_page(c, "/commits/"),
        UNREACHABLE,
    ),
    attack(
        "tags nested too deep",
        &[V],
        "GitHub's list of a repository's tags is nested deeper than the limit.",
        tag,
        |c| deep_page(c, "/tags?per_page"),
        UNREACHABLE,
    ),
];

fn nested(depth: usize) -> Option<Value> {
    json(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)))
}

/// Adds members to the queue's status of the first build.
fn more_status(chain: &mut Chain, more: Value) -> Option<()> {
    let id = first_build(chain)?;
    set(chain.status_mut(&id)?, &["more"], more)
}

/// Replaces pages by nested lists.
fn deep_page(chain: &mut Chain, part: &str) -> Option<()> {
    pages(chain, part)?.for_each(|page| page.body = Body::nested(100_000));
    Some(())
}

fn definition(chain: &Chain) -> Option<String> {
    Some(format!("/api/queue/v1/task/{}", first_build(chain)?))
}

/// The queue's status of the first build.
pub(super) fn of_build(chain: &Chain, rest: &str, fault: Fault) -> Option<Vec<Wire>> {
    Some(vec![Wire { pattern: format!("{}{rest}", definition(chain)?), fault }])
}

/// A file of the first build in the store.
pub(super) fn in_store(chain: &Chain, name: &str, fault: Fault) -> Option<Vec<Wire>> {
    let id = first_build(chain)?;
    Some(vec![Wire { pattern: format!("/_store/{id}/0/{name}"), fault }])
}

/// Pages whose address contains `part`.
fn of_page(chain: &Chain, part: &str, fault: Fault) -> Option<Vec<Wire>> {
    chain.pages.keys().find(|url| url.contains(part))?;
    Some(vec![Wire { pattern: format!("*{part}*"), fault }])
}
