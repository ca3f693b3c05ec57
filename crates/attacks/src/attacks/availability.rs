//! What the outside does: services that are down, slow, broken or hostile. None of it is a no and none
//! a yes; the fault suite of the command line goes through every fault at every kind of need, and these
//! are for those who want to see.

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
        "The queue answers every question for a build with an internal error.",
        push,
        |c| of_build(c, "", Fault::Status(500)),
        UNREACHABLE,
    ),
    wire(
        "queue behind a broken proxy",
        &[Q],
        "A proxy answers in place of the queue that it cannot reach it.",
        mobile,
        |c| of_build(c, "/status", Fault::Status(502)),
        UNREACHABLE,
    ),
    wire(
        "queue that asks for patience for ever",
        &[Q],
        "The queue answers every question for a task's status that there were too many.",
        cron,
        |c| of_build(c, "/status", Fault::Status(429)),
        UNREACHABLE,
    ),
    wire(
        "queue that hangs up",
        &[Q],
        "The queue resets every connection that asks for a definition.",
        tag,
        |c| of_build(c, "", Fault::HangUp),
        UNREACHABLE,
    ),
    wire(
        "queue that says nothing",
        &[Q],
        "The queue takes the question for a status and never answers.",
        push,
        |c| of_build(c, "/status", Fault::Silence),
        UNREACHABLE,
    ),
    wire(
        "queue that stops in the middle",
        &[Q],
        "The queue sends half of a definition and resets the connection.",
        action,
        |c| of_build(c, "", Fault::Reset { after: 200 }),
        UNREACHABLE,
    ),
    wire(
        "page of HTML for a status",
        &[Q],
        "Something answers for the queue with a page for people, and says that all is well.",
        push,
        |c| of_build(c, "/status", Fault::Replace("<html><body>Welcome</body></html>".into())),
        UNREACHABLE,
    ),
    wire(
        "nothing for a definition",
        &[Q],
        "The queue answers with nothing at all, and says that all is well.",
        promotion,
        |c| of_build(c, "", Fault::Replace("".into())),
        UNREACHABLE,
    ),
    wire(
        "definition for those who log in",
        &[Q],
        "The queue wants to know who asks for a definition.",
        push,
        |c| of_build(c, "", Fault::Status(401)),
        REFUSED,
    ),
    wire(
        "status that is forbidden",
        &[Q],
        "The queue refuses to tell a task's status.",
        mobile,
        |c| of_build(c, "/status", Fault::Status(403)),
        REFUSED,
    ),
    wire(
        "definition behind redirects without end",
        &[Q],
        "The queue sends whoever asks for a definition from one address to the next.",
        fork,
        |c| Some(vec![Wire { pattern: format!("{}*", definition(c)?), fault: Fault::Wander }]),
        UNREACHABLE,
    ),
    wire(
        "definition on the verifier's disk",
        &[Q],
        "The queue sends whoever asks for a definition to a file of the machine that verifies.",
        push,
        |c| of_build(c, "", Fault::Redirect("file:///etc/hostname".to_owned())),
        UNREACHABLE,
    ),
    wire(
        "list of files that cannot be had",
        &[Q],
        "The queue answers the question for the list of a build's files with an error; nothing is taken to \
         be absent for it.",
        globs,
        |c| of_build(c, "/runs/0/artifacts", Fault::Status(503)),
        UNREACHABLE,
    ),
    wire(
        "optional file that cannot be had",
        &[S],
        "The store is down when an optional file is asked for; that is not the same as its absence.",
        globs,
        |c| in_store(c, "public/build/target.langpack.xpi", Fault::Status(503)),
        UNREACHABLE,
    ),
    wire(
        "optional file that is forbidden",
        &[S],
        "The store refuses to give an optional file; that is not the same as its absence.",
        globs,
        |c| in_store(c, "public/build/target.langpack.xpi", Fault::Status(403)),
        REFUSED,
    ),
    wire(
        "document that cannot be had",
        &[S],
        "The store is down when a build's document is asked for.",
        tag,
        |c| in_store(c, "public/chain-of-trust.json", Fault::Status(500)),
        UNREACHABLE,
    ),
    wire(
        "signature cut off on the way",
        &[S],
        "The connection ends in the middle of a signature; no signature was seen, and none is missing.",
        push,
        |c| in_store(c, "public/chain-of-trust.json.sig", Fault::Truncate { after: 32 }),
        UNREACHABLE,
    ),
    wire(
        "file without end",
        &[S],
        "A build's document goes on and on.",
        mobile,
        |c| in_store(c, "public/chain-of-trust.json", Fault::Endless),
        UNREACHABLE,
    ),
    wire(
        "file in drops",
        &[S],
        "A build's file comes a byte at a time, with pauses.",
        push,
        |c| {
            let drip = Fault::Drip { bytes: 1, every: Duration::from_millis(300) };
            in_store(c, crate::change::ARTIFACT, drip)
        },
        UNREACHABLE,
    ),
    wire(
        "file that unpacks without end",
        &[S],
        "A document of a few kilobytes unpacks to gigabytes.",
        cron,
        |c| in_store(c, "public/chain-of-trust.json", Fault::GzipBomb { unpacked: 4 << 30 }),
        UNREACHABLE,
    ),
    wire(
        "task graph that unpacks without end",
        &[S],
        "A decision task's graph of a few kilobytes unpacks to gigabytes.",
        push,
        |c| {
            let pattern = format!("/_store/{}/0/{}", first_decision(c)?, crate::change::GRAPH);
            Some(vec![Wire { pattern, fault: Fault::GzipBomb { unpacked: 4 << 30 } }])
        },
        UNREACHABLE,
    ),
    wire(
        "task graph cut off on the way",
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
        "push log that cannot be had",
        &[V],
        "The Mercurial host is down when it is asked for a push.",
        push,
        |c| of_page(c, "json-pushes", Fault::Status(503)),
        UNREACHABLE,
    ),
    wire(
        "push log that is a page of HTML",
        &[V],
        "The Mercurial host answers with a page for people in place of a push.",
        cron,
        |c| of_page(c, "json-pushes", Fault::Replace("<!DOCTYPE html><p>maintenance</p>".into())),
        UNREACHABLE,
    ),
    wire(
        "template that is a page of HTML",
        &[V],
        "The Mercurial host answers with a page for people in place of the tree's template.",
        push,
        |c| of_page(c, "/raw-file/", Fault::Replace("<!DOCTYPE html><p>maintenance</p>".into())),
        UNREACHABLE,
    ),
    wire(
        "template that never comes",
        &[V],
        "The Mercurial host takes the question for the template and never answers.",
        promotion,
        |c| of_page(c, "/raw-file/", Fault::Silence),
        UNREACHABLE,
    ),
    wire(
        "GitHub that is down",
        &[V],
        "GitHub's API answers the question for a release with an error.",
        tag,
        |c| of_page(c, "/releases/tags/", Fault::Status(502)),
        UNREACHABLE,
    ),
    wire(
        "pull request that is cut off",
        &[V],
        "The connection to GitHub ends in the middle of a pull request.",
        pull_request,
        |c| of_page(c, "/pulls/", Fault::Truncate { after: 300 }),
        UNREACHABLE,
    ),
    wire(
        "pull request for those who log in",
        &[V],
        "GitHub wants to know who asks for a pull request.",
        pr_action,
        |c| of_page(c, "/pulls/", Fault::Status(401)),
        REFUSED,
    ),
    wire(
        "page in place of a commit's branches",
        &[V],
        "GitHub answers with a whole page for people when it is asked for the branches of a commit, which \
         is not taken to name one.",
        mobile,
        |c| {
            let page = "<!DOCTYPE html>\n<html><head><title>GitHub</title></head><body>main</body></html>";
            of_page(c, "branch_commits", Fault::Replace(page.into()))
        },
        UNREACHABLE,
    ),
    wire(
        "commit's branches that cannot be had",
        &[V],
        "GitHub is down when it is asked for the branches of a commit.",
        mobile,
        |c| of_page(c, "branch_commits", Fault::Status(500)),
        UNREACHABLE,
    ),
    wire(
        "projects that cannot be had",
        &[V],
        "The list of projects, which says a tree's level, cannot be had.",
        mirrored,
        |c| of_page(c, "projects.yml", Fault::Status(500)),
        UNREACHABLE,
    ),
    wire(
        "GitHub over plain http",
        &[V],
        "GitHub sends whoever asks for a template to an address that is not encrypted.",
        mobile,
        |c| of_page(c, "contents/.taskcluster.yml", Fault::Redirect("http://example.org/".to_owned())),
        UNREACHABLE,
    ),
    attack(
        "definition deeper than is read",
        &[Q],
        "The queue's answer for a build is nested deeper than anything that is read.",
        push,
        |c| {
            let id = first_build(c)?;
            set(c.definition_mut(&id)?, &["extra", "more"], nested(100)?)
        },
        UNREACHABLE,
    ),
    attack(
        "status deeper than is read",
        &[Q],
        "The queue's answer for a task's status is nested deeper than anything that is read.",
        tag,
        |c| more_status(c, nested(100)?),
        UNREACHABLE,
    ),
    attack(
        "status of more values than are read",
        &[Q],
        "The queue's answer for a task's status holds more values than any that is read.",
        action,
        |c| more_status(c, json(&format!("[{}0]", "0,".repeat(3_000)))?),
        UNREACHABLE,
    )
    .within(|limits| limits.json_values = 2_000),
    attack(
        "push log deeper than is read",
        &[V],
        "The Mercurial host's answer for a push is nested deeper than anything that is read.",
        cron,
        |c| deep_page(c, "json-pushes"),
        UNREACHABLE,
    ),
    attack(
        "commit deeper than is read",
        &[V],
        "GitHub's answer for a commit is nested deeper than anything that is read.",
        mobile,
        |c| deep_page(c, "/commits/"),
        UNREACHABLE,
    ),
    attack(
        "tags deeper than are read",
        &[V],
        "GitHub's list of a repository's tags is nested deeper than anything that is read.",
        tag,
        |c| deep_page(c, "/tags?per_page"),
        UNREACHABLE,
    ),
];

fn nested(depth: usize) -> Option<Value> {
    json(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)))
}

/// Lets the queue say more of the first build's status.
fn more_status(chain: &mut Chain, more: Value) -> Option<()> {
    let id = first_build(chain)?;
    set(chain.status_mut(&id)?, &["more"], more)
}

/// Puts lists inside one another in the place of pages.
fn deep_page(chain: &mut Chain, part: &str) -> Option<()> {
    pages(chain, part)?.for_each(|page| page.body = Body::nested(100_000));
    Some(())
}

fn definition(chain: &Chain) -> Option<String> {
    Some(format!("/api/queue/v1/task/{}", first_build(chain)?))
}

/// What the queue says of the first build.
pub(super) fn of_build(chain: &Chain, rest: &str, fault: Fault) -> Option<Vec<Wire>> {
    Some(vec![Wire { pattern: format!("{}{rest}", definition(chain)?), fault }])
}

/// A file of the first build, where it is stored.
pub(super) fn in_store(chain: &Chain, name: &str, fault: Fault) -> Option<Vec<Wire>> {
    let id = first_build(chain)?;
    Some(vec![Wire { pattern: format!("/_store/{id}/0/{name}"), fault }])
}

/// Pages whose address has `part` in it.
fn of_page(chain: &Chain, part: &str, fault: Fault) -> Option<Vec<Wire>> {
    chain.pages.keys().find(|url| url.contains(part))?;
    Some(vec![Wire { pattern: format!("*{part}*"), fault }])
}
