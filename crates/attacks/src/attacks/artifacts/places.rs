//! Attacks on the location of files: redirects, the wire, lists.

use super::super::documents::action_task;
use super::super::{Attack, Q, S, attack, wire};
use super::{
    LOG, SECOND, globs_on_github, in_store, listing, on_the_wire, only_optional, redirect, redirect_to,
    run_again,
};
use crate::change::{ARTIFACT, GRAPH, first_build, first_decision, nth_build};
use crate::valid::{cron, globs, mobile, promotion, push, tag};
use catena_testbed::Fault;

pub(super) const ATTACKS: &[Attack] = &[
    // Other places.
    attack(
        "file redirected to another task's",
        &[S, Q],
        "The queue redirects requests for a build's file to the file of the same name of another \
         build.",
        push,
        |c| {
            let (id, other) = (first_build(c)?, nth_build(c, 1)?);
            redirect_to(c, &id, ARTIFACT, &other)
        },
        "artifact-altered",
    ),
    attack(
        "file redirected to another file",
        &[S, Q],
        "The queue redirects requests for a build's file to the log of the same run.",
        mobile,
        |c| {
            let id = first_build(c)?;
            redirect(c, &id, ARTIFACT, &format!("{id}/0/{LOG}"))
        },
        "artifact-altered",
    ),
    attack(
        "file redirected to an earlier run's",
        &[S, Q],
        "The queue redirects requests for a file of a build's second run to the file of its first \
         run.",
        tag,
        |c| {
            let id = first_build(c)?;
            run_again(c, &id)?;
            redirect(c, &id, ARTIFACT, &format!("{id}/0/{ARTIFACT}"))
        },
        "artifact-altered",
    ),
    attack(
        "graph redirected to another task's",
        &[S, Q],
        "The queue redirects requests for an action task's graph to the graph of its decision task.",
        promotion,
        |c| {
            let (id, other) = (action_task(c)?, first_decision(c)?);
            redirect_to(c, &id, GRAPH, &other)
        },
        "artifact-altered",
    ),
    attack(
        "optional file redirected to another task's",
        &[S, Q],
        "The queue redirects requests for an optional file to that of another build.",
        globs,
        |c| {
            only_optional(c)?;
            let (id, other) = (first_build(c)?, nth_build(c, 2)?);
            redirect_to(c, &id, SECOND, &other)
        },
        "artifact-altered-optional",
    ),
    attack(
        "file redirected to a missing object",
        &[S, Q],
        "The queue redirects requests for a build's file to an object that the store does not have.",
        push,
        |c| {
            let id = first_build(c)?;
            redirect(c, &id, ARTIFACT, &format!("{id}/9/{ARTIFACT}"))
        },
        "artifact-missing",
    ),
    attack(
        "files of the previous run",
        &[S, Q],
        "The document is of a build's second run, and its file is that of the first run.",
        cron,
        |c| {
            let id = first_build(c)?;
            let before = run_again(c, &id)?;
            *c.artifact_mut(&id, ARTIFACT)? = before;
            Some(())
        },
        "artifact-altered",
    ),
    // On the wire.
    wire(
        "file from another host",
        &[S, Q],
        "The queue redirects requests for a build's file to a page of another host.",
        push,
        |c| {
            let page = c.pages.keys().find(|url| url.contains("/raw-file/"))?.clone();
            on_the_wire(c, Fault::Redirect(page))
        },
        "artifact-altered",
    ),
    wire(
        "file over plain HTTP",
        &[S, Q],
        "The queue redirects requests for a build's file to an unencrypted address.",
        mobile,
        |c| on_the_wire(c, Fault::Redirect("http://example.org/target.tar.xz".to_owned())),
        "availability-unreachable",
    ),
    wire(
        "file on the verifier's disk",
        &[S, Q],
        "The queue redirects requests for a build's file to a file of the verifying machine.",
        tag,
        |c| on_the_wire(c, Fault::Redirect("file:///etc/hostname".to_owned())),
        "availability-unreachable",
    ),
    wire(
        "file shorter than announced",
        &[S, Q],
        "The store announces the full length of a build's file and sends half of it.",
        push,
        |c| in_store(c, Fault::Truncate { after: 1500 }),
        "availability-unreachable",
    ),
    wire(
        "file with a wrong content coding",
        &[S, Q],
        "The store declares a build's file as compressed, which it is not.",
        push,
        |c| in_store(c, Fault::Encoding("gzip".to_owned())),
        "availability-unreachable",
    ),
    wire(
        "file in an unrequested coding",
        &[S, Q],
        "The store sends a build's file in a coding that the client did not request.",
        mobile,
        |c| in_store(c, Fault::Encoding("br".to_owned())),
        "availability-unreachable",
    ),
    wire(
        "file in two codings",
        &[S, Q],
        "The store declares that a build's file was compressed twice.",
        cron,
        |c| in_store(c, Fault::Encoding("gzip, gzip".to_owned())),
        "availability-unreachable",
    ),
    wire(
        "file that unpacks to another file",
        &[S, Q],
        "The store sends a small compressed body in place of a build's file, which unpacks to zeros.",
        tag,
        |c| in_store(c, Fault::GzipBomb { unpacked: 3000 }),
        "artifact-altered",
    ),
    wire(
        "malformed list of files",
        &[Q],
        "The queue's answer for the list of a build's files has no list in it.",
        globs,
        |c| listing(c, Fault::Replace("{}".into())),
        "artifacts-listing-malformed",
    ),
    wire(
        "list of files with an unnamed file",
        &[Q],
        "The queue's list of a build's files has an entry without a name.",
        globs_on_github,
        |c| listing(c, Fault::Replace(r#"{"artifacts": [{"storageType": "s3"}]}"#.into())),
        "artifacts-listing-malformed",
    ),
    wire(
        "endless list of files",
        &[Q],
        "Every page of the queue's list of a build's files points to a further page.",
        globs,
        |c| {
            let page = r#"{"artifacts": [], "continuationToken": "1"}"#;
            listing(c, Fault::Replace(page.into()))
        },
        "artifacts-listing-endless",
    ),
    wire(
        "list of files with a malformed token",
        &[Q],
        "The continuation token of the queue's list of files is a number.",
        globs_on_github,
        |c| {
            let page = r#"{"artifacts": [], "continuationToken": 1}"#;
            listing(c, Fault::Replace(page.into()))
        },
        "artifacts-listing-malformed",
    ),
    wire(
        "list of files missing",
        &[Q],
        "The queue has no list of the files of a build that patterns of the target refer to.",
        globs,
        |c| listing(c, Fault::Status(404)),
        "artifacts-listing-unknown",
    ),
];
