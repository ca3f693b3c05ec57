//! Workers and signers that record custody otherwise than they should, and inputs that changed since they were used.

use super::{One, mistake};
use crate::attacks::{TOOLCHAIN, toolchain};
use crate::change::{
    ARTIFACT, document_of, first_build, inside, json, nth_build, remove, run_is, set, unpublish_from,
};
use crate::valid::{custody, finished_custody, mobile_custody};
use catena_json::Value;
use catena_testbed::Chain;
use catena_testbed::chain::{DOCUMENT, SIGNATURE};
use catena_verify::verdict::Class::{Infra, Invalid, Policy};

pub(super) const ONES: &[(&str, One)] = &[
    (
        "record of custody by a worker that is newer than the verifier",
        mistake(
            custody,
            |c| record(c, |record| set(record, &["version"], 2_i64)),
            "custody-unsupported",
            Policy,
            "upgrade Catena",
        ),
    ),
    (
        "record of custody with a member of somebody's experiment",
        mistake(
            mobile_custody,
            |c| record(c, |record| set(record, &["costCentre"], "4711")),
            "custody-malformed",
            Invalid,
            "version",
        ),
    ),
    (
        "record of custody that names the key before a rotation",
        mistake(
            custody,
            |c| record(c, |record| set(record, &["keyId"], format!("sha256:{}", "0d".repeat(32)))),
            "custody-key-mismatched",
            Invalid,
            "contradict each other",
        ),
    ),
    ("worker whose clock is an hour slow", clock(|c| signed_at(c, "2026-08-12T08:50:12.345Z"))),
    ("worker whose clock is an hour fast", clock(|c| signed_at(c, "2026-08-12T10:50:12.345Z"))),
    ("worker whose clock began in 1970", clock(|c| signed_at(c, "1970-01-01T00:03:12.345Z"))),
    (
        "record of custody that was made before the last file",
        mistake(
            finished_custody,
            |c| {
                let id = c.target.clone();
                document_of(c, &id, |document| remove(document, &["custody", "artifacts", ARTIFACT]))
            },
            "custody-artifacts-mismatched",
            Invalid,
            "contradict each other",
        ),
    ),
    (
        "record of custody with the sizes of what was sent compressed",
        mistake(
            custody,
            |c| record(c, |record| set(record, &["artifacts", ARTIFACT, "size"], 1_234_i64)),
            "artifact-size-mismatched",
            Invalid,
            "contradict each other",
        ),
    ),
    (
        "record of custody with the size of an input as it was sent",
        mistake(
            custody,
            |c| record(c, |record| set(record, &["inputs", "0", "size"], 1_234_i64)),
            "input-inconsistent",
            Invalid,
            "digest of other bytes",
        ),
    ),
    (
        "record of custody by a machine that was cloned with the description of another",
        mistake(
            custody,
            |c| record(c, |record| set(record, &["worker", "instanceId"], "i-of-the-first")),
            "custody-environment-mismatched",
            Invalid,
            "contradict each other",
        ),
    ),
    (
        "build by d2g whose digests were passed to the signer as additional data",
        mistake(
            custody,
            |c| {
                let id = nth_build(c, 1)?;
                let claims = ["/environment/imageArtifactHash", "/environment/imageHash"].map(Value::from);
                document_of(c, &id, |document| {
                    remove(document, &["custody", "image"])?;
                    set(document, &["custody", "taskClaims"], claims.to_vec())
                })
            },
            "custody-image-claimed",
            Policy,
            "catena sign --facts",
        ),
    ),
    (
        "toolchain that was renamed between its tasks",
        mistake(
            custody,
            |c| {
                let id = toolchain(c)?;
                document_of(c, &id, |document| {
                    let digest = inside(document, &["artifacts", TOOLCHAIN])?.clone();
                    remove(document, &["artifacts", TOOLCHAIN])?;
                    set(document, &["artifacts", "public/build/clang-20.tar.zst"], digest)?;
                    remove(document, &["custody"])
                })
            },
            "input-unlisted",
            Invalid,
            "how the input reached the task",
        ),
    ),
    (
        "toolchain whose task has expired",
        mistake(
            custody,
            |c| {
                let id = toolchain(c)?;
                c.tasks.remove(&id).map(drop)
            },
            "task-unknown",
            Invalid,
            "expires",
        ),
    ),
    (
        "toolchain whose document has expired",
        mistake(
            mobile_custody,
            |c| {
                let id = toolchain(c)?;
                unpublish_from(c, &id, &[DOCUMENT, SIGNATURE])
            },
            "input-document",
            Policy,
            "document has expired",
        ),
    ),
    (
        "toolchain of a task without Chain of Trust",
        mistake(
            custody,
            |c| {
                let id = toolchain(c)?;
                unpublish_from(c, &id, &[DOCUMENT, SIGNATURE])
            },
            "input-document",
            Policy,
            "with Chain of Trust enabled",
        ),
    ),
    (
        "toolchain that was used before its run failed",
        mistake(
            custody,
            |c| {
                let id = toolchain(c)?;
                run_is(c, &id, "failed")
            },
            "input-run",
            Policy,
            "run the task that makes the input again",
        ),
    ),
    (
        "toolchain that was taken from a run that has not ended",
        mistake(
            custody,
            |c| {
                let id = toolchain(c)?;
                run_is(c, &id, "running")
            },
            "input-not-finished",
            Infra,
            "wait for the run",
        ),
    ),
    (
        "build whose record has no digest of an input",
        mistake(
            custody,
            |c| {
                let entry = r#"[{"taskId":"IFn9x5gaQz-HXl2pa7Ny_w","runId":0,"name":"public/a","size":1,"verified":"none"}]"#;
                record(c, |record| set(record, &["inputs"], json(entry)?))
            },
            "custody-malformed",
            Invalid,
            "version",
        ),
    ),
];

const fn clock(change: fn(&mut Chain) -> Option<()>) -> One {
    mistake(custody, change, "custody-time-implausible", Policy, "clock")
}

/// Lets the first build be signed at another time. Its run ends at 09:50:12.345.
fn signed_at(chain: &mut Chain, time: &str) -> Option<()> {
    record(chain, |record| set(record, &["signedAt"], time))
}

/// Changes the first build's record, which its worker signs.
fn record(chain: &mut Chain, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    let id = first_build(chain)?;
    document_of(chain, &id, |document| change(inside(document, &["custody"])?))
}
