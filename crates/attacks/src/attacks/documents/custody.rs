//! Attacks on the record of custody: on its statements about the run, and on the inputs that it pins.

use super::super::{Attack, Q, S, T, W, attack};
use crate::change::{
    NOBODY, add, document_of, first_build, first_decision, inside, json, nth_build, remove, run_has, run_is,
    set, unpublish_from,
};
use crate::trust::trusted;
use crate::valid::{custody, finished_custody, mobile_custody, push};
use catena_json::Value;
use catena_testbed::chain::{Builders, DOCUMENT, Implementation, SIGNATURE};
use catena_testbed::{Chain, Release};

pub(super) const ATTACKS: &[Attack] = &[
    // The record itself.
    attack(
        "record of a newer version",
        &[W],
        "The custody record of a build is of version 2.",
        custody,
        |c| record(c, &["version"], 2_i64),
        "custody-unsupported",
    ),
    attack(
        "record whose version is a string",
        &[W],
        "The version of a build's custody record is a string.",
        custody,
        |c| record(c, &["version"], "1"),
        "custody-malformed",
    ),
    attack(
        "record that is a list",
        &[W, T],
        "The custody record of a build is a list.",
        mobile_custody,
        |c| of_build(c, |document| set(document, &["custody"], Vec::new())),
        "custody-malformed",
    ),
    attack(
        "record without a key id",
        &[W],
        "The custody record of a build names no key.",
        custody,
        |c| unrecord(c, &["keyId"]),
        "custody-malformed",
    ),
    attack(
        "record with an unknown member",
        &[W],
        "The custody record of a build has a member that its version does not define.",
        custody,
        |c| record(c, &["approvedBy"], "release engineering"),
        "custody-malformed",
    ),
    attack(
        "record with a time in another format",
        &[W],
        "The custody record of a build states the time of signing without milliseconds.",
        custody,
        |c| record(c, &["signedAt"], "2026-08-12T09:50:12Z"),
        "custody-malformed",
    ),
    attack(
        "record with a negative size",
        &[W],
        "The custody record of a build states a negative artifact size.",
        custody,
        |c| record(c, &["artifacts", ARTIFACT, "size"], -1_i64),
        "custody-malformed",
    ),
    // Key and time.
    attack(
        "record of an unknown key",
        &[W],
        "The custody record of a build names a key that does not exist.",
        custody,
        |c| record(c, &["keyId"], format!("sha256:{}", "ab".repeat(32))),
        "custody-key-mismatched",
    ),
    attack(
        "record of another worker's key",
        &[W],
        "The custody record of the target names the key of the decision task's worker.",
        finished_custody,
        |c| {
            let (id, decision) = (c.target.clone(), first_decision(c)?);
            let key = c.document_mut(&decision)?.pointer(&["custody", "keyId"])?.clone();
            document_of(c, &id, |document| set(document, &["custody", "keyId"], key))
        },
        "custody-key-mismatched",
    ),
    attack(
        "record that names another implementation's key",
        &[S, W],
        "A docker-worker's build is signed, with its record, by the scriptworkers' key.",
        custody,
        |c| crate::change::sign_as(c, Implementation::Scriptworker),
        "signature-other-implementation",
    ),
    attack(
        "signed before the run",
        &[W],
        "A build was signed 16 minutes before its run began.",
        custody,
        |c| signed_at(c, "2026-08-12T09:34:12.344Z"),
        "custody-time-implausible",
    ),
    attack(
        "signed after the run",
        &[W],
        "A build was signed more than 15 minutes after its run had ended.",
        custody,
        |c| signed_at(c, "2026-08-12T10:05:12.346Z"),
        "custody-time-implausible",
    ),
    attack(
        "signed a year later",
        &[W],
        "A build on GitHub was signed a year after its run.",
        mobile_custody,
        |c| signed_at(c, "2027-08-12T09:50:12.345Z"),
        "custody-time-implausible",
    ),
    // Artifacts.
    attack(
        "artifact missing from the record",
        &[W],
        "The custody record of a build does not name one of its artifacts.",
        custody,
        |c| unrecord(c, &["artifacts", ARTIFACT]),
        "custody-artifacts-mismatched",
    ),
    attack(
        "artifact only in the record",
        &[W],
        "The custody record of a build names an artifact that its document does not.",
        custody,
        |c| record(c, &["artifacts", "public/build/other.zip"], json(r#"{"size":1}"#)?),
        "custody-artifacts-mismatched",
    ),
    attack(
        "size one byte too large",
        &[W],
        "The custody record of a build states a size one byte larger than the artifact's.",
        custody,
        |c| record(c, &["artifacts", ARTIFACT, "size"], 3001_i64),
        "artifact-size-mismatched",
    ),
    attack(
        "size of zero",
        &[W],
        "The custody record of the target states that its artifact is empty.",
        finished_custody,
        |c| {
            let id = c.target.clone();
            document_of(c, &id, |document| set(document, &["custody", "artifacts", ARTIFACT, "size"], 0_i64))
        },
        "artifact-size-mismatched",
    ),
    // The machine and the image.
    attack(
        "record of another machine",
        &[W],
        "The custody record of a build names a different machine from its document.",
        custody,
        |c| record(c, &["worker", "instanceId"], "i-0000"),
        "custody-environment-mismatched",
    ),
    attack(
        "record of another region",
        &[W],
        "The custody record of a build names a different region from its document.",
        mobile_custody,
        |c| record(c, &["worker", "region"], "elsewhere"),
        "custody-environment-mismatched",
    ),
    attack(
        "record of another image",
        &[W],
        "The custody record of a build names a different image from its document.",
        custody,
        |c| record(c, &["image", "artifact"], format!("sha256:{}", "ab".repeat(32))),
        "custody-environment-mismatched",
    ),
    attack(
        "image digest written by the task",
        &[T],
        "A build wrote the digest of its image itself, and its worker records it as the task's claim.",
        custody,
        |c| record(c, &["taskClaims"], claims(&["/environment/imageArtifactHash"])),
        "custody-image-claimed",
    ),
    attack(
        "environment written by the task",
        &[T],
        "A build wrote its whole environment itself, including the digest of its image.",
        custody,
        |c| record(c, &["taskClaims"], claims(&["/environment"])),
        "custody-image-claimed",
    ),
    attack(
        "image of d2g that the task itself names",
        &[T],
        "A build of generic-worker's d2g wrote the digest of its image itself, and its worker says so.",
        custody,
        |c| of_nth(c, 1, |document| claims_image(document, &["/environment/imageArtifactHash"])),
        "custody-image-claimed",
    ),
    attack(
        "id of an image of d2g that the task itself names",
        &[T],
        "A build of generic-worker's d2g wrote the id of its image itself, and its worker says so.",
        || Release { builders: Builders::D2g, ..mobile_custody() },
        |c| of_build(c, |document| claims_image(document, &["/environment/imageHash"])),
        "custody-image-claimed",
    ),
    attack(
        "image of a generic-worker's task that is not the recorded one",
        &[T, W],
        "A build of generic-worker names an image itself, and its worker recorded another one.",
        custody,
        |c| {
            let digest = |byte: &str| format!("sha256:{}", byte.repeat(32));
            of_nth(c, 2, |document| {
                set(document, &["environment", "imageHash"], digest("ab"))?;
                set(document, &["custody", "image"], json(&format!(r#"{{"id":"{}"}}"#, digest("cd")))?)?;
                claims_image(document, &["/environment/imageHash"])
            })
        },
        "custody-environment-mismatched",
    ),
    // Inputs.
    attack(
        "toolchain replaced in transit",
        &[S, W],
        "A build used a toolchain with different bytes from the published one.",
        custody,
        |c| input(c, TOOLCHAIN, "sha256", "ab".repeat(32)),
        "input-mismatched",
    ),
    attack(
        "toolchain of another size",
        &[W],
        "A build used a toolchain of a different size from the published one.",
        mobile_custody,
        |c| input(c, TOOLCHAIN, "size", 7_i64),
        "input-inconsistent",
    ),
    attack(
        "image replaced in transit",
        &[S, W],
        "A build used an image with different bytes from the published one.",
        custody,
        |c| input(c, IMAGE, "sha256", "ab".repeat(32)),
        "input-mismatched",
    ),
    attack(
        "toolchain rebuilt elsewhere",
        &[Q, W],
        "The document of the toolchain that a build used now names a different toolchain.",
        custody,
        |c| {
            let id = toolchain(c)?;
            let name = format!("artifacts/{TOOLCHAIN}");
            let path: Vec<&str> = vec!["artifacts", name.strip_prefix("artifacts/")?, "sha256"];
            document_of(c, &id, |document| set(document, &path, "cd".repeat(32)))
        },
        "input-mismatched",
    ),
    attack(
        "input missing from its producer's document",
        &[W],
        "A build used a file that the toolchain's document does not name.",
        custody,
        |c| input(c, TOOLCHAIN, "name", "public/build/unknown.tar.zst"),
        "input-unlisted",
    ),
    attack(
        "input whose digest is of another algorithm",
        &[W],
        "The toolchain's document names the file that a build used by SHA-512 only.",
        custody,
        |c| {
            let id = toolchain(c)?;
            let digest = json(&format!(r#"{{"sha512":"{}"}}"#, "ab".repeat(64)))?;
            document_of(c, &id, |document| set(document, &["artifacts", TOOLCHAIN], digest))
        },
        "input-unlisted",
    ),
    attack(
        "input of a run that does not exist",
        &[W],
        "A build used a toolchain of a run that the queue does not know.",
        custody,
        |c| input(c, TOOLCHAIN, "runId", 5_i64),
        "input-run",
    ),
    attack(
        "input of a failed run",
        &[T, W],
        "A build used a toolchain whose task failed.",
        mobile_custody,
        |c| {
            let id = toolchain(c)?;
            run_is(c, &id, "failed")
        },
        "input-run",
    ),
    attack(
        "input with the status of another task",
        &[Q],
        "The queue answers with the status of a build when a toolchain's is requested.",
        custody,
        |c| {
            let (id, build) = (toolchain(c)?, first_build(c)?);
            let status = c.task(&build)?.status.clone();
            *c.status_mut(&id)? = status;
            Some(())
        },
        "input-run",
    ),
    attack(
        "input of a task that does not exist",
        &[W],
        "A build used a file of a task that the queue does not know.",
        custody,
        |c| input(c, TOOLCHAIN, "taskId", NOBODY),
        "task-unknown",
    ),
    attack(
        "input of a run that has not ended",
        &[Q, T, W],
        "A build used a file of a run that is still running, whose artifacts may change.",
        custody,
        |c| {
            let id = toolchain(c)?;
            run_is(c, &id, "running")
        },
        "input-not-finished",
    ),
    attack(
        "input whose producer has no document",
        &[S],
        "The document of the toolchain that a build used was removed with its signature.",
        custody,
        |c| {
            let id = toolchain(c)?;
            unpublish_from(c, &id, &[DOCUMENT, SIGNATURE])
        },
        "input-document",
    ),
    attack(
        "input whose producer has no signature",
        &[S],
        "The document of the toolchain that a build used has no signature.",
        custody,
        |c| {
            let id = toolchain(c)?;
            unpublish_from(c, &id, &[SIGNATURE])
        },
        "input-signature",
    ),
    attack(
        "input whose producer was signed with a foreign key",
        &[S, W],
        "The document of the toolchain that a build used is signed by the scriptworkers' key.",
        custody,
        |c| {
            let id = toolchain(c)?;
            let keys = c.keys.clone();
            let document = c.tasks.get_mut(&id)?.document.as_mut()?;
            document.sign(keys.signing_key(Implementation::Scriptworker));
            Some(())
        },
        "input-signature",
    ),
    attack(
        "input whose producer's document was altered",
        &[S],
        "The toolchain's document was altered after signing, so that it names the file that a build \
         used.",
        mobile_custody,
        |c| {
            let id = toolchain(c)?;
            let digest = "ab".repeat(32);
            input(c, TOOLCHAIN, "sha256", digest.as_str())?;
            set(c.document_mut(&id)?, &["artifacts", TOOLCHAIN, "sha256"], digest)
        },
        "input-signature",
    ),
    attack(
        "input whose producer's document is of another run",
        &[S, W],
        "The toolchain's document is about a different run from the one that the build used.",
        custody,
        |c| {
            let id = toolchain(c)?;
            document_of(c, &id, |document| set(document, &["runId"], 1_i64))
        },
        "input-document-wrong",
    ),
    attack(
        "input whose producer's document is of another worker",
        &[S, W],
        "The toolchain's document names a different worker from the one that the queue assigned.",
        custody,
        |c| {
            let id = toolchain(c)?;
            document_of(c, &id, |document| set(document, &["workerId"], "somebody"))
        },
        "input-document-wrong",
    ),
    attack(
        "input whose producer signed with a key for other workers",
        &[W],
        "A worker signed the document of a toolchain with a key that is permitted for other workers only.",
        custody,
        |c| {
            let id = toolchain(c)?;
            run_has(c, &id, "0", &[("workerGroup", "elsewhere")])?;
            document_of(c, &id, |document| set(document, &["workerGroup"], "elsewhere"))
        },
        "input-key",
    )
    .under(trusted!("", ", workers: ['us-central1/*']", "")),
    attack(
        "input without a digest",
        &[W],
        "A build pins its toolchain without a digest.",
        custody,
        |c| {
            of_build(c, |document| {
                let number = position(document, TOOLCHAIN)?;
                remove(document, &["custody", "inputs", &number, "sha256"])
            })
        },
        "custody-malformed",
    ),
    attack(
        "input twice",
        &[W],
        "A build lists one input twice, with two digests.",
        custody,
        |c| {
            of_build(c, |document| {
                let number = position(document, TOOLCHAIN)?;
                let mut again = inside(document, &["custody", "inputs", &number])?.clone();
                set(&mut again, &["sha256"], "ab".repeat(32))?;
                let list = inside(document, &["custody", "inputs"])?.as_array_mut()?;
                list.insert(number.parse().ok()?, again);
                Some(())
            })
        },
        "custody-malformed",
    ),
    attack(
        "inputs of more runs than a chain may have links",
        &[W],
        "A build lists inputs of 5,001 runs of one toolchain.",
        custody,
        |c| {
            let id = toolchain(c)?;
            of_build(c, |document| {
                let inputs = (0..=5000).map(|run| {
                    let digest = "ab".repeat(32);
                    let entry = format!(
                        r#"{{"taskId":"{id}","runId":{run},"name":"a","sha256":"{digest}","size":1,"verified":"none"}}"#
                    );
                    json(&entry)
                });
                let inputs: Vec<Value> = inputs.collect::<Option<_>>()?;
                set(document, &["custody", "inputs"], inputs)
            })
        },
        "inputs-too-many",
    ),
    // Claims of the task itself.
    attack(
        "claimed input that was replaced",
        &[T, S],
        "A build of a worker without custody records claims an image with a different digest from \
         the image task's.",
        push,
        |c| {
            claim(
                c,
                r#""sha256":"abababababababababababababababababababababababababababababababab","size":1"#,
            )
        },
        "input-inconsistent",
    ),
    attack(
        "malformed claimed inputs",
        &[T],
        "A build of a worker without custody records claims an input without a digest.",
        push,
        |c| claim(c, r#""size":1"#),
        "custody-malformed",
    ),
];

/// An artifact of every build.
const ARTIFACT: &str = crate::change::ARTIFACT;
/// An input of builds from a task that is not a link.
pub(crate) const TOOLCHAIN: &str = "public/build/clang.tar.zst";
/// An input of builds from their image's task.
const IMAGE: &str = "public/image.tar.zst";

/// The task that made the toolchain of the first build.
pub(crate) fn toolchain(chain: &mut Chain) -> Option<String> {
    let id = first_build(chain)?;
    let document = chain.document_mut(&id)?;
    let number = position(document, TOOLCHAIN)?;
    Some(inside(document, &["custody", "inputs", &number, "taskId"])?.as_str()?.to_owned())
}

/// The index of an input in a document's record.
fn position(document: &Value, name: &str) -> Option<String> {
    let inputs = document.pointer(&["custody", "inputs"])?.as_array()?;
    let named = |input: &Value| input.get("name").and_then(Value::as_str) == Some(name);
    Some(inputs.iter().position(named)?.to_string())
}

fn of_build(chain: &mut Chain, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    let id = first_build(chain)?;
    document_of(chain, &id, change)
}

/// Changes the document of a build by its number: docker-worker's, d2g's, generic-worker's.
fn of_nth(chain: &mut Chain, number: usize, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    let id = nth_build(chain, number)?;
    document_of(chain, &id, change)
}

/// Lets a document's record say that the task wrote members of the environment, which must be there.
fn claims_image(document: &mut Value, pointers: &[&str]) -> Option<()> {
    for pointer in pointers {
        inside(document, &pointer.strip_prefix('/')?.split('/').collect::<Vec<_>>())?;
    }
    set(document, &["custody", "taskClaims"], claims(pointers))
}

/// Sets a member of the first build's record, which its worker signs.
fn record(chain: &mut Chain, path: &[&str], new: impl Into<Value>) -> Option<()> {
    of_build(chain, |document| set(document, &[&["custody"], path].concat(), new))
}

/// Removes a member of the first build's record, and signs it again.
fn unrecord(chain: &mut Chain, path: &[&str]) -> Option<()> {
    of_build(chain, |document| remove(document, &[&["custody"], path].concat()))
}

/// Signs the first build at another time. Its run starts at 09:50:12.345.
fn signed_at(chain: &mut Chain, time: &str) -> Option<()> {
    record(chain, &["signedAt"], time)
}

/// Sets a member of an input in the first build's record, and signs it again.
fn input(chain: &mut Chain, name: &str, key: &str, new: impl Into<Value>) -> Option<()> {
    of_build(chain, |document| {
        let number = position(document, name)?;
        let keep = inside(document, &["custody", "inputs", &number])?.clone();
        let list = inside(document, &["custody", "inputs"])?;
        // The list stays sorted: it has no other entries.
        *list = Value::from(Vec::new());
        add(document, &["custody", "inputs"], keep)?;
        set(document, &["custody", "inputs", "0", key], new)
    })
}

fn claims(pointers: &[&str]) -> Value {
    pointers.iter().map(|pointer| Value::from(*pointer)).collect::<Vec<_>>().into()
}

/// Makes the first build, on a worker without custody records, claim its image as an input.
fn claim(chain: &mut Chain, bytes: &str) -> Option<()> {
    let image = chain.images.first()?.clone();
    let claimed = format!(
        r#"{{"version":1,"inputs":[{{"taskId":"{image}","runId":0,"name":"{IMAGE}",{bytes},"verified":"hash"}}]}}"#
    );
    of_build(chain, |document| set(document, &["claimedInputs"], json(&claimed)?))
}
