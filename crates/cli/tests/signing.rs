//! `catena keys` and `catena sign`, through the real binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use catena_keys::PublicKey;
use catena_testbed::chain::{DOCUMENT, Layout, SIGNATURE};
use catena_testbed::{Artifact, Chain, Options, Release, Testbed, Trigger};
use serde_json::{Value, json};
use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use support::{Catena, keys_file};

/// Signs one task of a chain again; answers the document and its signature.
fn signed(chain: &Chain, id: &str, style: &str, room: &Path) -> (Vec<u8>, Vec<u8>) {
    let task = &chain.tasks[id];
    let (run, artifacts) = task.runs.iter().next_back().unwrap();
    let folder = room.join(id);
    for (name, artifact) in artifacts {
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let mut file = std::fs::File::create(file).unwrap();
        artifact.body.for_each(|bytes| file.write_all(bytes)).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    let said: Value = serde_json::from_slice(&task.document.as_ref().unwrap().bytes()).unwrap();
    let text = |name: &str| said[name].as_str().unwrap().to_owned();
    let (mut environment, mut additional) = (json!({}), json!({"environment": {}}));
    for (name, value) in said["environment"].as_object().unwrap() {
        let hash = name.starts_with("image");
        (if hash { &mut additional["environment"] } else { &mut environment })[name] = value.clone();
    }
    let write = |name: &str, text: &str| {
        let file = room.join(format!("{id}-{name}"));
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        file
    };
    let mut catena = Catena::new();
    catena.arg("sign").arg("--task").arg(write("task", &said["task"].to_string()));
    catena.args(["--run", &run.to_string(), "--style", style, "--task-id", id]);
    catena.args(["--worker-group", &text("workerGroup"), "--worker-id", &text("workerId")]);
    catena.arg("--artifacts").arg(&folder);
    catena.arg("--key").arg(write("key", &chain.keys.signing_key(task.implementation).to_base64()));
    catena.arg("--environment").arg(write("environment", &environment.to_string()));
    if !additional["environment"].as_object().unwrap().is_empty() {
        catena.arg("--additional-data").arg(write("additional", &additional.to_string()));
    }
    let answer = catena.run();
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""), "{id}");
    (std::fs::read(folder.join(DOCUMENT)).unwrap(), std::fs::read(folder.join(SIGNATURE)).unwrap())
}

fn release() -> Chain {
    Release { finished: true, ..Release::new("firefox", Trigger::Push).unwrap() }.build().unwrap()
}

/// The tasks that have run.
fn finished(chain: &Chain) -> Vec<String> {
    chain.tasks.iter().filter(|(_, task)| task.document.is_some()).map(|(id, _)| id.clone()).collect()
}

/// A document without its task, whose members the testbed's workers write in the order of the definition.
fn around_the_task(text: &str) -> (&str, &str) {
    let (before, rest) = text.split_once("\n  \"task\": {").unwrap();
    (before, rest.split_once("\n  },\n").unwrap().1)
}

#[test]
fn documents_are_those_of_the_workers_byte_for_byte() {
    let (chain, room) = (release(), tempfile::tempdir().unwrap());
    let mut compared = Vec::new();
    for id in finished(&chain) {
        let document = chain.tasks[&id].document.as_ref().unwrap();
        let style = match document.layout {
            Layout::Go => "generic-worker",
            Layout::Python => "scriptworker",
            Layout::JavaScript => continue,
        };
        let (bytes, signature) = signed(&chain, &id, style, room.path());
        let (text, expected) =
            (String::from_utf8(bytes).unwrap(), String::from_utf8(document.bytes()).unwrap());
        if document.layout == Layout::Python {
            assert_eq!(text, expected, "{id}");
            assert_eq!(signature, document.signature, "{id}");
        } else {
            assert_eq!(around_the_task(&text), around_the_task(&expected), "{id}");
            let values = [text, expected].map(|text| serde_json::from_str::<Value>(&text).unwrap());
            assert_eq!(values[0], values[1], "{id}");
        }
        compared.push(style);
    }
    assert!(compared.contains(&"generic-worker") && compared.contains(&"scriptworker"), "{compared:?}");
}

#[test]
fn a_release_that_catena_signs_is_verified() {
    let (mut chain, room) = (release(), tempfile::tempdir().unwrap());
    for id in finished(&chain) {
        let is_python = chain.tasks[&id].document.as_ref().unwrap().layout == Layout::Python;
        let style = if is_python { "scriptworker" } else { "generic-worker" };
        let (bytes, signature) = signed(&chain, &id, style, room.path());
        *chain.signature_mut(&id).unwrap() = signature;
        chain
            .artifacts_mut(&id)
            .unwrap()
            .insert(DOCUMENT.into(), Artifact::new(bytes, "text/plain; charset=utf-8"));
    }
    let keys: Value = chain
        .keys
        .public_keys_base64()
        .into_iter()
        .map(|(name, keys)| (name.to_owned(), json!(keys)))
        .collect();
    let keys = keys_file(room.path(), &keys);
    let (kind, product, target) = (chain.kind.clone(), chain.product.clone(), chain.target.clone());
    let testbed = Testbed::start_blocking(chain.into_site(), Options::default()).unwrap();
    let mut catena = Catena::through(&testbed, room.path());
    catena.args(["verify", "--task-type", &kind, "--product", &product, "--format", "json", "--keys"]);
    let answer = catena.arg(keys).args(["--", &target]).run();
    assert_eq!(answer.status, 0, "{}{}", answer.failed(), answer.stderr);
}

#[test]
fn a_key_is_made_once_and_tells_its_public_key() {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("worker.key");
    let run = |arguments: &[&str]| {
        let mut catena = Catena::new();
        catena.arg("keys").args([arguments[0]]).arg(&file).args(&arguments[1..]).run()
    };
    let made = run(&["new"]);
    let public = PublicKey::parse_base64(made.stdout.trim_end()).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let seed = std::fs::read_to_string(&file).unwrap();
    assert_eq!(seed.len(), 44);
    assert_eq!(run(&["public"]).stdout, format!("{public}\n"));
    let inspected: Value = serde_json::from_str(&run(&["inspect", "--format", "json"]).stdout).unwrap();
    assert_eq!(inspected["publicKey"], public.to_string());
    let again = run(&["new", "--form", "pem"]);
    assert_eq!((again.status, again.stdout.as_str()), (2, ""));
    assert!(again.stderr.contains("exists already") && again.stderr.contains("--force"), "{}", again.stderr);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), seed);
    assert_eq!(run(&["new", "--form", "pem", "--force"]).status, 0);
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert_ne!(run(&["public"]).stdout, format!("{public}\n"));
    for answer in [made, again, run(&["inspect"])] {
        assert!(!answer.stdout.contains(&seed) && !answer.stderr.contains(&seed));
    }
}

#[test]
fn a_key_that_others_may_read_signs_nothing() {
    let (chain, room) = (release(), tempfile::tempdir().unwrap());
    let id = chain.builds[0].clone();
    signed(&chain, &id, "generic-worker", room.path());
    let key = room.path().join(format!("{id}-key"));
    std::fs::set_permissions(&key, Permissions::from_mode(0o640)).unwrap();
    let folder = room.path().join(&id);
    std::fs::remove_file(folder.join(SIGNATURE)).unwrap();
    let mut catena = Catena::new();
    catena.arg("sign").arg("--task").arg(room.path().join(format!("{id}-task"))).args(["--task-id", &id]);
    catena.args(["--run", "0", "--worker-group", "g", "--worker-id", "w"]);
    let answer = catena.arg("--artifacts").arg(&folder).arg("--key").arg(&key).run();
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.contains("chmod 600"), "{}", answer.stderr);
    assert!(!folder.join(SIGNATURE).exists());
}

/// A definition with text and numbers that writers of JSON write in different ways.
const AWKWARD: &str = r#"{"provisionerId":"p","workerType":"w","taskQueueId":"p/w","schedulerId":"s","projectId":"none",
    "taskGroupId":"CGXvczcYQ-KGh-llaMTiEA","dependencies":[],"requires":"all-completed","routes":[],"priority":"low",
    "retries":5,"created":"2026-08-12T09:30:12.345Z","deadline":"2026-08-13T09:30:12.345Z",
    "expires":"2027-08-12T09:30:12.345Z","scopes":["a:b"],"tags":{},"metadata":{"name":"ü","owner":"o@x",
    "source":"https://s","description":"\u2028<&>\u007f\u0001\b\f\n\t\"\\/\ud83d\ude00"},
    "extra":{"z":[],"é":{},"Z":null,"a":true,"":"empty"},
    "payload":{"numbers":[0,-0,1.0,-1.50,1e3,1E-7,123456789012345678901234567890,0.1,1e16,1e15,123456.789e3,5e-324]}}"#;

/// With `CATENA_SCRIPTWORKER_PYTHON`, a Python with scriptworker 63.6.1, both write the same document.
#[test]
fn scriptworker_writes_the_same_bytes() {
    let Some(python) = std::env::var_os("CATENA_SCRIPTWORKER_PYTHON") else {
        eprintln!("CATENA_SCRIPTWORKER_PYTHON is not set: documents are not compared with scriptworker's");
        return;
    };
    let room = tempfile::tempdir().unwrap();
    let (ours, theirs) = (room.path().join("ours"), room.path().join("theirs"));
    for folder in [&ours, &theirs] {
        for (name, text) in [("public/logs/live_backing.log", "log"), ("public/.hidden", ""), ("a & b", "x")]
        {
            let file = folder.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        std::os::unix::fs::symlink("logs/live_backing.log", folder.join("public/link")).unwrap();
    }
    let (task, key) = (room.path().join("task.json"), room.path().join("key"));
    std::fs::write(&task, AWKWARD).unwrap();
    assert_eq!(Catena::new().args(["keys", "new"]).arg(&key).run().status, 0);
    let id = "IFn9x5gaQz-HXl2pa7Ny_w";
    let question = json!({
        "task_file": task, "task_id": id, "run_id": 3, "worker_group": "g", "worker_id": "w-1", "worker_type": "t",
        "artifacts": theirs, "key": key,
    });
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/reference-sign.py");
    let output = Command::new(python).arg(script).arg(question.to_string()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut catena = Catena::new();
    catena.args(["sign", "--style", "scriptworker", "--task-id", id, "--run", "3", "--worker-group", "g"]);
    catena.args(["--worker-id", "w-1", "--worker-type", "t", "--task"]).arg(&task);
    let answer = catena.arg("--artifacts").arg(&ours).arg("--key").arg(&key).run();
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    let read = |folder: &Path, name: &str| std::fs::read(folder.join(name)).unwrap();
    let text = |folder: &Path| String::from_utf8(read(folder, DOCUMENT)).unwrap();
    assert_eq!(text(&ours), text(&theirs));
    assert_eq!(read(&ours, SIGNATURE), read(&theirs, SIGNATURE));
}
