//! Attacks on where files come from: redirects, the wire, lists.

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
        "The queue sends readers of a build's file to the file of the same name of another build.",
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
        "The queue sends readers of a build's file to the log of the same run.",
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
        "The queue sends readers of a file of a build's second run to the file of its first run.",
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
        "The queue sends readers of an action task's graph to the graph of its decision task.",
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
        "The queue sends readers of an optional file to that of another build.",
        globs,
        |c| {
            only_optional(c)?;
            let (id, other) = (first_build(c)?, nth_build(c, 2)?);
            redirect_to(c, &id, SECOND, &other)
        },
        "artifact-altered-optional",
    ),
    attack(
        "file redirected to nowhere",
        &[S, Q],
        "The queue sends readers of a build's file to a place in the store where nothing is.",
        push,
        |c| {
            let id = first_build(c)?;
            redirect(c, &id, ARTIFACT, &format!("{id}/9/{ARTIFACT}"))
        },
        "artifact-missing",
    ),
    attack(
        "files of the run before",
        &[S, Q],
        "The document is of a build's second run, and its file is still the one of the first run.",
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
        "The queue sends readers of a build's file to a page of another host.",
        push,
        |c| {
            let page = c.pages.keys().find(|url| url.contains("/raw-file/"))?.clone();
            on_the_wire(c, Fault::Redirect(page))
        },
        "artifact-altered",
    ),
    wire(
        "file over plain http",
        &[S, Q],
        "The queue sends readers of a build's file to an address that is not encrypted.",
        mobile,
        |c| on_the_wire(c, Fault::Redirect("http://example.org/target.tar.xz".to_owned())),
        "availability-unreachable",
    ),
    wire(
        "file on the verifier's disk",
        &[S, Q],
        "The queue sends readers of a build's file to a file of the machine that verifies.",
        tag,
        |c| on_the_wire(c, Fault::Redirect("file:///etc/hostname".to_owned())),
        "availability-unreachable",
    ),
    wire(
        "file shorter than announced",
        &[S, Q],
        "The store announces the whole of a build's file and sends half of it.",
        push,
        |c| in_store(c, Fault::Truncate { after: 1500 }),
        "availability-unreachable",
    ),
    wire(
        "file in a coding that it does not have",
        &[S, Q],
        "The store says that a build's file is compressed, which it is not.",
        push,
        |c| in_store(c, Fault::Encoding("gzip".to_owned())),
        "availability-unreachable",
    ),
    wire(
        "file in a coding that nobody asked for",
        &[S, Q],
        "The store says that a build's file is in a coding that no reader asked for.",
        mobile,
        |c| in_store(c, Fault::Encoding("br".to_owned())),
        "availability-unreachable",
    ),
    wire(
        "file in two codings",
        &[S, Q],
        "The store says that a build's file was compressed twice.",
        cron,
        |c| in_store(c, Fault::Encoding("gzip, gzip".to_owned())),
        "availability-unreachable",
    ),
    wire(
        "file that unpacks to another",
        &[S, Q],
        "The store sends a small compressed file in place of a build's, which unpacks to zeros.",
        tag,
        |c| in_store(c, Fault::GzipBomb { unpacked: 3000 }),
        "artifact-altered",
    ),
    wire(
        "list of files that is none",
        &[Q],
        "The queue's list of the files of a build has no files in it.",
        globs,
        |c| listing(c, Fault::Replace("{}".into())),
        "artifacts-listing-malformed",
    ),
    wire(
        "list of files with a file without a name",
        &[Q],
        "The queue's list of the files of a build has one without a name.",
        globs_on_github,
        |c| listing(c, Fault::Replace(r#"{"artifacts": [{"storageType": "s3"}]}"#.into())),
        "artifacts-listing-malformed",
    ),
    wire(
        "list of files without end",
        &[Q],
        "Every page of the queue's list of the files of a build says that there is another one.",
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
        "The token for the next page of the queue's list of files is a number.",
        globs_on_github,
        |c| {
            let page = r#"{"artifacts": [], "continuationToken": 1}"#;
            listing(c, Fault::Replace(page.into()))
        },
        "artifacts-listing-malformed",
    ),
    wire(
        "list of files gone",
        &[Q],
        "The queue has no list of the files of a build that patterns of the target are about.",
        globs,
        |c| listing(c, Fault::Status(404)),
        "artifacts-listing-unknown",
    ),
];
