//! Mounts, as workers say them.

use crate::case::{ARCHIVE, Case};
use crate::support::Catena;
use serde_json::{Value, json};

/// What a worker says of a task on standard input, and what is in place then.
#[test]
fn mounts_are_put_in_place_or_verified_there() {
    let case = Case::new();
    let run = |mounts: &Value, more: &[&str]| {
        let request = json!({"taskId": case.build, "runId": 0, "mounts": mounts});
        let file = case.room.path().join("request.json");
        std::fs::write(&file, request.to_string()).unwrap();
        let mut catena = case.catena();
        catena.command().stdin(std::fs::File::open(file).unwrap());
        let answer = catena.args(["mounts", "--dest", "fetches"]).args(more).run();
        let told: Value = serde_json::from_str(&answer.stdout).unwrap_or_else(|_| panic!("{answer:?}"));
        (answer.status, told)
    };
    let file = json!({"file": "bin/tool", "content": {"taskId": case.build, "artifact": case.name}});
    let directory = json!({"directory": "deps", "format": "tar.gz", "content": {"namespace": "a.b", "artifact": ARCHIVE}});
    let (status, told) =
        run(&json!([file, directory, {"directory": "c", "cacheName": "x"}]), &["--keys", "keys.json"]);
    assert_eq!((status, &told["outcome"]), (0, &json!("verified")), "{told}");
    assert_eq!(told["files"][0]["verified"], "signature");
    assert_eq!(case.read("bin/tool"), case.content);
    assert_eq!(case.read("deps/tools/README"), b"read me\n");

    let (status, told) = run(&json!([file]), &["--check", "--keys", "keys.json"]);
    assert_eq!((status, &told["outcome"]), (0, &json!("verified")), "{told}");
    std::fs::write(case.dest().join("bin/tool"), "altered").unwrap();
    let (status, told) = run(&json!([file]), &["--check", "--keys", "keys.json"]);
    assert_eq!(
        (status, &told["error"]["code"], &told["error"]["class"]),
        (1, &json!("fetch-mismatch"), &json!("tamper"))
    );
    assert_eq!(case.read("bin/tool"), b"altered");
    let (status, told) = run(&json!([directory]), &["--check", "--keys", "keys.json"]);
    assert_eq!((status, &told["outcome"]), (2, &json!("misconfigured")), "{told}");
    // A directory must be what its format says: nothing else may be left there in its place.
    let content = json!({"taskId": case.build, "artifact": case.name});
    let plain = json!({"directory": "plain", "format": "tar.gz", "content": content});
    let (status, told) = run(&json!([plain]), &["--keys", "keys.json"]);
    assert_eq!((status, &told["error"]["code"]), (1, &json!("archive-unsupported")), "{told}");
    assert!(!case.dest().join("plain").exists());
    let (status, told) = run(&json!([{"file": "x"}]), &["--keys", "keys.json"]);
    assert_eq!((status, &told["error"]["class"]), (2, &json!("config")), "{told}");
}

/// The request of the example is what its mounts say, and the first command verifies them.
#[test]
fn the_example_payload_verifies_its_mounts() {
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/fetch/generic-worker-payload.json"
    ))
    .unwrap();
    let payload: Value = serde_json::from_str(&text).unwrap();
    let known = ["artifacts", "command", "env", "features", "maxRunTime", "mounts"];
    assert!(payload.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())), "{payload}");
    assert!((1..=86400).contains(&payload["maxRunTime"].as_u64().unwrap()));
    let commands: Vec<Vec<String>> = serde_json::from_value(payload["command"].clone()).unwrap();
    assert!(commands[0].iter().any(|word| word.contains("catena fetch mounts --check")), "{commands:?}");
    let mounts = payload["mounts"].as_array().unwrap();
    let request = mounts.iter().find(|mount| mount["file"] == "request.json").unwrap();
    let request: Value = serde_json::from_str(request["content"]["raw"].as_str().unwrap()).unwrap();
    let verified = request["mounts"].as_array().unwrap();
    assert!(!verified.is_empty() && verified.iter().all(|mount| mounts.contains(mount)), "{request}");
    // The binary itself is pinned by the definition.
    let binary = mounts.iter().find(|mount| mount["file"] == "catena").unwrap();
    assert_eq!(binary["content"]["sha256"].as_str().unwrap().len(), 64);
    // All of it is read as a request, up to the place where Taskcluster is asked.
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("request.json");
    std::fs::write(&file, request.to_string()).unwrap();
    let mut catena = Catena::new();
    catena.command().stdin(std::fs::File::open(file).unwrap());
    let answer = catena
        .args(["fetch", "mounts", "--check", "--product", "firefox", "--attempts", "1"])
        .args(["--root-url", "http://127.0.0.1:1"])
        .run();
    assert_eq!(answer.status, 3, "{answer:?}");
}
