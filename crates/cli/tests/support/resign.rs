//! Signing the output of a run of a testbed's chain, with `catena sign` and any key.

use super::Catena;
use catena_testbed::Chain;
use catena_testbed::chain::{DOCUMENT, Layout, SIGNATURE};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;

/// Signs the last run of a task again; returns the document and its signature.
pub fn sign_run(chain: &Chain, id: &str, key: &Path, room: &Path) -> (Vec<u8>, Vec<u8>) {
    let task = &chain.tasks[id];
    let (run, artifacts) = task.runs.iter().next_back().unwrap();
    let folder = room.join(id);
    std::fs::create_dir_all(&folder).unwrap();
    for (name, artifact) in artifacts {
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let mut file = std::fs::File::create(file).unwrap();
        artifact.body.for_each(|bytes| file.write_all(bytes)).unwrap();
    }
    let document = task.document.as_ref().unwrap();
    let said: Value = serde_json::from_slice(&document.bytes()).unwrap();
    let style = if document.layout == Layout::Python { "scriptworker" } else { "generic-worker" };
    let (mut environment, mut images) = (json!({}), json!({}));
    for (name, value) in said["environment"].as_object().unwrap() {
        (if name.starts_with("image") { &mut images } else { &mut environment })[name] = value.clone();
    }
    let write = |name: &str, value: &Value| {
        let file = room.join(format!("{id}-{name}"));
        std::fs::write(&file, value.to_string()).unwrap();
        file
    };
    let mut catena = Catena::new();
    catena.arg("sign").arg("--task").arg(write("task", &said["task"]));
    // The run is long past: a record of custody would say that it is signed now.
    catena.args(["--run", &run.to_string(), "--style", style, "--task-id", id, "--no-custody"]);
    catena.args(["--worker-group", said["workerGroup"].as_str().unwrap()]);
    catena.args(["--worker-id", said["workerId"].as_str().unwrap()]);
    catena.arg("--environment").arg(write("environment", &environment));
    if !images.as_object().unwrap().is_empty() {
        catena.arg("--additional-data").arg(write("additional", &json!({"environment": images})));
    }
    let answer = catena.arg("--artifacts").arg(&folder).arg("--key").arg(key).run();
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""), "{id}");
    (std::fs::read(folder.join(DOCUMENT)).unwrap(), std::fs::read(folder.join(SIGNATURE)).unwrap())
}
