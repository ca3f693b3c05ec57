//! Genuine signatures over something else, and documents that were changed without a new signature.

use crate::attacks::documents::{action_task, artifacts_of, bytes_of_document, image, later_run};
use crate::attacks::{Attack, Q, S, W, attack};
use crate::change::{ARTIFACT, alter, first_build, first_decision, graph, nth_build, remove, set};
use crate::valid::{action, cron, mobile, pr_action, push, tag};
use catena_testbed::chain::{DOCUMENT, Implementation, SIGNATURE};
use catena_testbed::{Artifact, Chain, Release};
use sha2::{Digest as _, Sha512};

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "signature over a hash",
        &[W],
        "A worker signed the SHA-512 of its document in place of the document.",
        push,
        |c| {
            let id = first_build(c)?;
            let hash = Sha512::digest(bytes_of_document(c, &id)?);
            let signature = c.keys.signing_key(Implementation::DockerWorker).sign(&hash);
            *c.signature_mut(&id)? = signature.as_bytes().to_vec();
            Some(())
        },
        "signature-unknown-key",
    ),
    attack(
        "signature of another document",
        &[S, Q],
        "A build has the genuine signature of another build's document.",
        push,
        |c| {
            let (id, other) = (first_build(c)?, nth_build(c, 1)?);
            *c.signature_mut(&id)? = c.task(&other)?.document.as_ref()?.signature.clone();
            Some(())
        },
        "signature-unknown-key",
    ),
    attack(
        "genuine document of another build",
        &[S, Q],
        "A build has the genuine document and signature of another build.",
        push,
        |c| {
            let (id, other) = (first_build(c)?, nth_build(c, 1)?);
            replay(c, &id, &other)
        },
        "document-of-another-task",
    ),
    attack(
        "genuine document of another decision task",
        &[S, Q],
        "A decision task has the genuine document and signature of an earlier push's decision task.",
        cron,
        |c| {
            let (id, other) = (first_decision(c)?, c.decisions.get(1)?.clone());
            replay(c, &id, &other)
        },
        "document-of-another-task",
    ),
    attack(
        "genuine document of the decision task for its action",
        &[S, Q],
        "An action task has the genuine document of its decision task.",
        action,
        |c| {
            let (id, other) = (action_task(c)?, first_decision(c)?);
            replay(c, &id, &other)
        },
        "document-of-another-task",
    ),
    attack(
        "genuine document of an earlier release",
        &[S, Q],
        "A build has the genuine document of the same build of an earlier release.",
        tag,
        |c| {
            let mut earlier = Release { seed: 7, ..tag() }.build().ok()?;
            earlier.keys = c.keys.clone();
            let (id, other) = (first_build(c)?, first_build(&earlier)?);
            earlier.resign(&other).then_some(())?;
            c.tasks.get_mut(&id)?.document = Some(earlier.task(&other)?.document.clone()?);
            Some(())
        },
        "document-of-another-task",
    ),
    attack(
        "document redirected to another task's",
        &[S, Q],
        "The queue redirects requests for an image's document and signature to those of a build.",
        mobile,
        |c| {
            let (id, other) = (image(c)?, first_build(c)?);
            for name in [DOCUMENT, SIGNATURE] {
                let there = format!("{other}/0/{name}");
                let mut artifact = Artifact::new("", "text/plain");
                artifact.redirect = Some(there);
                artifacts_of(c, &id)?.insert(name.into(), artifact);
            }
            Some(())
        },
        "document-of-another-task",
    ),
    attack(
        "genuine document of an earlier run",
        &[S, Q],
        "A build ran twice, and has the genuine document and files of its first run.",
        push,
        |c| {
            let id = first_build(c)?;
            later_run(c, &id, "completed")
        },
        "document-of-another-run",
    ),
    attack(
        "decision task's document of an earlier run",
        &[S, Q],
        "A decision task ran twice, and has the genuine document of its first run.",
        mobile,
        |c| {
            let id = first_decision(c)?;
            later_run(c, &id, "completed")
        },
        "document-of-another-run",
    ),
    attack(
        "document with an extra line feed",
        &[S, Q],
        "A line feed is added to a signed document.",
        push,
        |c| rewrite(c, |text| Some(format!("{text}\n"))),
        "signature-other-bytes",
    ),
    attack(
        "reformatted document",
        &[S, Q],
        "A signed document is reformatted without white space.",
        cron,
        |c| {
            let id = first_build(c)?;
            let printed = c.task(&id)?.document.as_ref()?.value.to_string();
            rewrite(c, |_| Some(printed))
        },
        "signature-other-bytes",
    ),
    attack(
        "document with other line endings",
        &[S, Q],
        "A signed document has the line endings of another system.",
        tag,
        |c| rewrite(c, |text| Some(text.replace('\n', "\r\n"))),
        "signature-other-bytes",
    ),
    attack(
        "worker changed in a document after signing",
        &[S, Q],
        "The worker's name is changed in a document after it was signed.",
        push,
        |c| {
            let id = first_build(c)?;
            set(c.document_mut(&id)?, &["workerId"], "i-0")
        },
        "signature-other-bytes",
    ),
    attack(
        "task changed in a document after signing",
        &[S, Q],
        "The task's id is changed in a document after it was signed.",
        push,
        |c| {
            let id = first_build(c)?;
            set(c.document_mut(&id)?, &["taskId"], crate::change::NOBODY)
        },
        "signature-other-bytes",
    ),
    attack(
        "emptied document",
        &[S, Q],
        "A signed document is emptied, and its signature remains.",
        mobile,
        |c| rewrite(c, |_| Some(String::new())),
        "signature-other-bytes",
    ),
    attack(
        "document changed to match a changed file",
        &[S],
        "A build's file and its hash in the document are changed; the signature is not.",
        push,
        |c| {
            alter(c, ARTIFACT)?;
            let id = first_build(c)?;
            let before = c.task(&id)?.document.as_ref()?.signature.clone();
            c.reseal(&id).ok()?.then_some(())?;
            *c.signature_mut(&id)? = before;
            Some(())
        },
        "signature-unknown-key",
    ),
    attack(
        "document changed to match a changed graph",
        &[S],
        "A task is removed from a graph, and its hash in the document is changed; the signature is \
         not.",
        pr_action,
        |c| {
            let (id, build) = (first_decision(c)?, first_build(c)?);
            let before = c.task(&id)?.document.as_ref()?.signature.clone();
            graph(c, &id, |graph| remove(graph, &[&build]))?;
            *c.signature_mut(&id)? = before;
            Some(())
        },
        "signature-unknown-key",
    ),
];

/// Publishes another task's document and signature as this one's.
fn replay(chain: &mut Chain, id: &str, other: &str) -> Option<()> {
    let genuine = chain.task(other)?.document.clone()?;
    chain.tasks.get_mut(id)?.document = Some(genuine);
    Some(())
}

/// Changes the text of the first build's document without signing it again.
fn rewrite(chain: &mut Chain, change: impl FnOnce(String) -> Option<String>) -> Option<()> {
    let id = first_build(chain)?;
    let text = change(String::from_utf8(bytes_of_document(chain, &id)?).ok()?)?;
    chain.artifacts_mut(&id)?.insert(DOCUMENT.into(), Artifact::new(text, "text/plain; charset=utf-8"));
    Some(())
}
