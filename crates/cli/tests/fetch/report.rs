//! The report on the files, and the record that is written of them.

use crate::case::{ARCHIVE, Case, archive, sha256};
use catena_testbed::Fault;
use serde_json::{Value, json};
use std::path::Path;

#[test]
fn the_answer_as_json_names_every_file_or_the_code() {
    let case = Case::new();
    let answer = case.fetch(&[&case.task(), ARCHIVE, "--keys", "keys.json", "--extract", "--format", "json"]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let told: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(
        told,
        json!({
            "schema": "catena-fetch/1",
            "program": {"name": "catena", "version": env!("CARGO_PKG_VERSION")},
            "outcome": "verified",
            "exitStatus": 0,
            "files": [{
                "verified": "signature", "taskId": case.build, "runId": case.run, "name": ARCHIVE, "url": null,
                "sha256": sha256(&archive()), "size": archive().len(), "place": ".",
                "extracted": {"entries": 3, "bytes": 18}, "cached": false,
            }],
            "error": null,
        })
    );
    let unverified = case.fetch(&[&case.task(), &case.name, "--danger-unverified", "--format", "json"]);
    let told: Value = serde_json::from_str(&unverified.stdout).unwrap();
    assert_eq!((&told["outcome"], &told["files"][0]["verified"]), (&json!("unverified"), &json!("none")));

    case.testbed.fault("/_store/*", .., Fault::Replace(b"altered".to_vec().into()));
    for (arguments, outcome, code, class) in [
        (vec!["--sha256", &sha256(b"x")], "rejected", json!("fetch-mismatch"), "tamper"),
        (vec!["--keys", "nowhere.json"], "misconfigured", Value::Null, "config"),
        (
            vec!["--sha256", &sha256(b"x"), "--root-url", "http://127.0.0.1:1", "--attempts", "1"],
            "undetermined",
            json!("fetch-unreachable"),
            "infra",
        ),
    ] {
        let task = case.task();
        let arguments = [&[task.as_str(), &case.name, "--format", "json"], arguments.as_slice()].concat();
        let answer = case.fetch(&arguments);
        let told: Value = serde_json::from_str(&answer.stdout).unwrap();
        assert_eq!(
            (&told["outcome"], &told["exitStatus"]),
            (&json!(outcome), &json!(answer.status)),
            "{told}"
        );
        assert_eq!((&told["error"]["code"], &told["error"]["class"]), (&code, &json!(class)), "{told}");
        assert_eq!(told["files"], json!([]), "{told}");
    }
}

#[test]
fn what_was_consumed_is_recorded() {
    let case = Case::new();
    let (record, claim) = (case.room.path().join("inputs.json"), case.room.path().join("additional.json"));
    std::fs::write(&claim, r#"{"environment": {"mine": true}}"#).unwrap();
    let answer = case.fetch(&[
        &case.task(),
        &case.name,
        "--keys",
        "keys.json",
        "--record",
        "inputs.json",
        "--claim",
        "additional.json",
    ]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let inputs = json!({"version": 1, "inputs": [{
        "taskId": case.build, "runId": case.run, "name": case.name, "sha256": sha256(&case.content),
        "size": case.content.len(), "verified": "signature",
    }]});
    let read = |file: &Path| serde_json::from_slice::<Value>(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(read(&record), inputs);
    assert_eq!(read(&claim), json!({"environment": {"mine": true}, "claimedInputs": inputs}));
}
