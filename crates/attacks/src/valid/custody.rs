//! Valid chains whose workers record custody, some or all of them.

use super::changes::Changed;
use super::{custody, finished_custody, mobile_custody, push};
use crate::change::{document_of, first_build, first_decision, inside, json, nth_build, remove, set};
use catena_json::Value;
use catena_testbed::{Chain, Release, Trigger};

pub(super) const CHANGED: &[Changed] = &[
    ("custody recorded by every worker", custody, |_| Some(())),
    ("custody recorded by every worker, finished", finished_custody, |_| Some(())),
    ("custody recorded by every worker on GitHub", mobile_custody, |_| Some(())),
    (
        "custody recorded in a promotion",
        || Release { custody: true, ..super::promotion_of_rounds() },
        |_| Some(()),
    ),
    ("custody recorded of second runs", || Release { custody: true, ..super::retried() }, |_| Some(())),
    (
        "custody recorded of a pull request",
        || Release { custody: true, ..super::pull_request() },
        |_| Some(()),
    ),
    (
        "custody recorded in a cron job",
        || Release { custody: true, ..Release::of(catena_testbed::chain::Product::FIREFOX, Trigger::Cron) },
        |_| Some(()),
    ),
    ("decision task without a record among others with one", custody, |c| {
        let id = first_decision(c)?;
        document_of(c, &id, |document| remove(document, &["custody"]))
    }),
    ("toolchain of today's worker", custody, |c| {
        let id = crate::attacks::toolchain(c)?;
        document_of(c, &id, |document| remove(document, &["custody"]))
    }),
    ("signed 15 minutes before the run", custody, |c| {
        record(c, |record| set(record, &["signedAt"], "2026-08-12T09:35:12.345Z"))
    }),
    ("signed 15 minutes after the run", custody, |c| {
        record(c, |record| set(record, &["signedAt"], "2026-08-12T10:05:12.345Z"))
    }),
    ("record of what must be there only", custody, |c| {
        record(c, |record| {
            ["instanceId", "machineImage", "region"]
                .iter()
                .try_for_each(|member| remove(record, &["worker", member]))?;
            remove(record, &["creatorClientId"])?;
            remove(record, &["image"])?;
            let artifacts = inside(record, &["artifacts"])?.as_object_mut()?;
            for (_, artifact) in artifacts.iter_mut() {
                remove(artifact, &["contentType"])?;
                remove(artifact, &["contentEncoding"])?;
            }
            set(record, &["inputs"], Vec::new())
        })
    }),
    ("inputs that were verified in four ways", custody, |c| {
        record(c, |record| {
            let inputs = inside(record, &["inputs"])?.as_array_mut()?;
            let words = ["none", "hash", "signature", "chain"].into_iter().cycle();
            inputs.iter_mut().zip(words).try_for_each(|(input, word)| set(input, &["verified"], word))
        })
    }),
    ("claims of the task beside its environment", custody, |c| {
        let id = first_build(c)?;
        document_of(c, &id, |document| {
            set(document, &["note"], "of the task")?;
            set(document, &["custody", "taskClaims"], vec![Value::from("/note")])
        })
    }),
    ("image that a generic-worker's task claims for its own containers", custody, |c| {
        let id = nth_build(c, 2)?;
        document_of(c, &id, |document| {
            let members = ["imageArtifactHash", "imageHash"];
            for member in members {
                set(document, &["environment", member], format!("sha256:{}", "ab".repeat(32)))?;
            }
            let claims = members.map(|member| Value::from(format!("/environment/{member}")));
            set(document, &["custody", "taskClaims"], claims.to_vec())
        })
    }),
    ("toolchain that is made again since", custody, |c| {
        let id = crate::attacks::toolchain(c)?;
        let status = inside(c.status_mut(&id)?, &["status"])?;
        set(status, &["state"], "running")?;
        let runs = inside(status, &["runs"])?.as_array_mut()?;
        let mut again = runs.first()?.clone();
        set(&mut again, &["runId"], 1_i64)?;
        set(&mut again, &["state"], "running")?;
        remove(&mut again, &["resolved"])?;
        remove(&mut again, &["reasonResolved"])?;
        runs.push(again);
        Some(())
    }),
    ("claimed inputs in a document of today's worker", push, |c| {
        let (id, image) = (first_build(c)?, c.images.first()?.clone());
        let digest = c.document_mut(&image)?.pointer(&["artifacts", IMAGE, "sha256"])?.clone();
        let claimed = format!(
            r#"{{"version":1,"inputs":[{{"taskId":"{image}","runId":0,"name":"{IMAGE}","sha256":{digest},"size":4096,"verified":"hash"}}]}}"#
        );
        document_of(c, &id, |document| set(document, &["claimedInputs"], json(&claimed)?))
    }),
];

const IMAGE: &str = "public/image.tar.zst";

/// Changes the first build's record, which its worker signs.
fn record(chain: &mut Chain, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    let id = first_build(chain)?;
    document_of(chain, &id, |document| change(inside(document, &["custody"])?))
}
