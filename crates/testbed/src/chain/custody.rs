//! The record of custody, as a worker that keeps one writes it.

use super::ChainTask;
use super::document::Machine;
use super::value::{extend, object};
use crate::site::Artifact;
use catena_json::{Map, Value};
use catena_keys::PublicKey;
use std::collections::BTreeMap;
use std::io;

/// What a worker records of a run. It signs when the run was made, as long as its status is.
pub(super) fn record(
    key: &PublicKey,
    task: &Value,
    machine: &Machine,
    artifacts: Value,
    inputs: Vec<Value>,
) -> Value {
    let mut record = object! {
        "version" => 1_i64, "keyId" => format!("sha256:{}", hex::encode(key.fingerprint())),
        "signedAt" => task.get("created").cloned().unwrap_or_default(),
        "worker" => object! {
            "name" => "testbed", "version" => "1.2.3", "instanceId" => machine.id.as_str(),
            "machineImage" => "images/worker-2026-08-01", "region" => "us-central1",
        },
        "creatorClientId" => "task-client/decision",
    };
    let hashes = [("id", &machine.image), ("artifact", &machine.image_artifact)];
    let image: Map = hashes
        .into_iter()
        .filter_map(|(name, hash)| Some((name.to_owned(), format!("sha256:{}", hash.as_ref()?).into())))
        .collect();
    if !image.is_empty() {
        extend(&mut record, object! {"image" => image});
    }
    let rest = object! {"artifacts" => artifacts, "inputs" => inputs, "taskClaims" => Vec::<Value>::new()};
    extend(&mut record, rest);
    record
}

/// The member `artifacts` of the record.
pub(super) fn artifacts(run: &BTreeMap<String, Artifact>) -> io::Result<Value> {
    let entry = |(name, artifact): (&String, &Artifact)| {
        let entry = object! {
            "size" => artifact.body.len()?, "contentType" => artifact.content_type.as_str(),
            "contentEncoding" => "identity",
        };
        Ok((name.clone(), entry))
    };
    Ok(Value::Object(run.iter().map(entry).collect::<io::Result<Map>>()?))
}

/// Artifacts of tasks that have run, as inputs of another.
pub(super) fn inputs(
    tasks: &BTreeMap<String, ChainTask>,
    wanted: &[(String, &str)],
) -> io::Result<Vec<Value>> {
    let mut wanted = wanted.to_vec();
    wanted.sort();
    let entry = |(id, name): &(String, &str)| {
        let (run, artifacts) = tasks.get(id)?.runs.last_key_value()?;
        let body = &artifacts.get(*name)?.body;
        Some(body.sha256().and_then(|sha256| {
            Ok(object! {
                "taskId" => id.as_str(), "runId" => u64::from(*run), "name" => *name,
                "sha256" => hex::encode(sha256), "size" => body.len()?, "verified" => "chain",
            })
        }))
    };
    wanted.iter().filter_map(entry).collect()
}
