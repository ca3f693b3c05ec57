//! Tasks: from the claim to the verdict about what came out.

use super::case::{Case, Running, SIGNING, altered, push, unverified};
use super::support::{Answer, Catena};
use catena_testbed::chain::{DOCUMENT, SIGNATURE};
use catena_testbed::queue::Action;
use catena_testbed::{Fault, Queue, Release, Trigger};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn a_verified_task_runs_and_what_it_makes_is_verified() {
    let case = Case::new(push());
    let mut worker = case.start(SIGNING);
    let run = worker.resolved(0);
    let live = case.artifact("public/logs/live_backing.log");
    assert_eq!(
        (run.state.as_str(), run.worker.clone()),
        ("completed", Some(("the-group".into(), "the-worker".into()))),
        "{live}"
    );
    assert_eq!(worker.drained(), 0);
    assert_eq!(live, "signed\nexit code: 0\n");
    let chain = case.artifact("public/logs/chain_of_trust.log");
    assert!(chain.ends_with("    INFO - Good.\n"), "{chain}");
    let verdict: Value = serde_json::from_str(&case.artifact("public/logs/chain_of_trust.json")).unwrap();
    assert_eq!(verdict["outcome"], "verified");
    assert!(case.artifact("public/build/inputs.txt").lines().count() > 0);
    assert!(case.has(DOCUMENT) && case.has(SIGNATURE));
    recorded(&case);
    // The task has run, and its own document is part of the chain now.
    let mut catena = case.catena();
    catena.args([
        "verify",
        "--task-type",
        &case.kind,
        "--product",
        &case.product,
        "--check-task",
        "--format",
        "json",
    ]);
    std::fs::write(case.path("keys.json"), case.keys.to_string()).unwrap();
    let answer: Answer = catena.arg("--keys").arg(case.path("keys.json")).args(["--", &case.target]).run();
    assert_eq!(answer.status, 0, "{}{}", answer.failed(), answer.stderr);
}

/// The record of custody is what the worker knows: the key, the machine, what it verified, and what it uploaded.
fn recorded(case: &Case) {
    let document: Value = serde_json::from_str(&case.artifact(DOCUMENT)).unwrap();
    let custody = &document["custody"];
    let key = catena_keys::SigningKey::parse_base64(&case.key).unwrap().public_key().fingerprint();
    let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(custody["keyId"], format!("sha256:{key}"));
    assert_eq!(custody["worker"]["name"], "catena");
    let inputs = custody["inputs"].as_array().unwrap();
    for input in inputs {
        let (task, name) = (input["taskId"].as_str().unwrap(), input["name"].as_str().unwrap());
        let bytes = std::fs::read(case.path(&format!("kept/{task}/{name}"))).unwrap();
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((&input["sha256"], &input["size"]), (&json!(digest), &json!(bytes.len())));
        assert_eq!((&input["verified"], &input["runId"]), (&json!("chain"), &json!(0)));
    }
    // Each input that the script found is recorded, and nothing else.
    let found = case.artifact("public/build/inputs.txt");
    let listed: BTreeSet<String> = inputs
        .iter()
        .map(|input| {
            format!("work/cot/{}/{}", input["taskId"].as_str().unwrap(), input["name"].as_str().unwrap())
        })
        .collect();
    assert_eq!(listed, found.lines().map(str::to_owned).collect());
    let log = "public/logs/live_backing.log";
    let expected = json!({
        "size": case.artifact(log).len(), "contentType": "text/plain", "contentEncoding": "gzip",
    });
    assert_eq!(custody["artifacts"][log], expected);
    let stored = case.testbed.queue().artifacts(&case.target, 0).remove(log).unwrap();
    assert_eq!((stored.content_type.as_str(), stored.encoding.as_deref()), ("text/plain", Some("gzip")));
}

#[test]
fn b064_without_a_record_the_document_has_the_members_of_scriptworker() {
    let case = Case::new(push());
    let config = case.config(SIGNING, |config| config["record_custody"] = json!(false));
    let mut worker = case.start_with(&config);
    assert_eq!(worker.resolved(0).state, "completed");
    assert_eq!(worker.drained(), 0);
    let text = case.artifact(DOCUMENT);
    let document: Value = serde_json::from_str(&text).unwrap();
    let members = [
        "artifacts",
        "chainOfTrustVersion",
        "environment",
        "runId",
        "task",
        "taskId",
        "workerGroup",
        "workerId",
        "workerType",
    ];
    assert_eq!(document.as_object().unwrap().keys().collect::<Vec<_>>(), members);
    // As Python prints it: two spaces, sorted keys, nothing at the end.
    assert!(
        text.starts_with("{\n  \"artifacts\": {\n    \"public/build/inputs.txt\": {\n      \"sha256\": \""),
        "{text}"
    );
    assert!(
        text.contains("\n  \"chainOfTrustVersion\": 1,\n  \"environment\": {},\n  \"runId\": 0,\n"),
        "{text}"
    );
    assert!(text.ends_with("\"\n}"), "{text}");
}

#[test]
fn a_claim_with_another_definition_than_the_queues_never_runs() {
    let case = Case::new(push());
    let mut claimed = case.definition.clone();
    claimed["payload"]["maxRunTime"] = json!(7);
    case.testbed.queue().claim_as(&case.target, &claimed);
    let mut worker = case.start("touch $ROOM/ran");
    let run = worker.resolved(0);
    assert_eq!((run.state.as_str(), run.reason.as_deref()), ("exception", Some("malformed-payload")));
    assert_eq!(worker.drained(), 0);
    assert!(!case.path("ran").exists() && !case.has(DOCUMENT));
    let live = case.artifact("public/logs/live_backing.log");
    assert!(
        live.contains("The definition that was claimed is not the definition that was verified."),
        "{live}"
    );
}

#[test]
fn b061_the_log_of_a_rejected_chain_is_one_whole_gzip_member() {
    let (chain, _, _) = altered();
    let case = Case::new(chain);
    let mut worker = case.start("true");
    worker.resolved(0);
    assert_eq!(worker.drained(), 0);
    let stored =
        case.testbed.queue().artifacts(&case.target, 0).remove("public/logs/chain_of_trust.log").unwrap();
    assert_eq!(stored.encoding.as_deref(), Some("gzip"));
    let bytes = stored.bytes().unwrap().unwrap();
    let mut decoder = flate2::bufread::GzDecoder::new(bytes.as_slice());
    let mut text = String::new();
    std::io::Read::read_to_string(&mut decoder, &mut text).unwrap();
    // Nothing stands behind the member: the log was closed before it was packed.
    assert_eq!(decoder.into_inner().len(), 0);
    assert!(text.ends_with('\n') && text.contains("CRITICAL - Chain of Trust verification error!"), "{text}");
}

#[test]
fn b066_and_b070_a_key_with_a_line_end_signs_what_the_old_tool_verifies() {
    let case = Case::new(push());
    std::fs::write(case.path("etc/key"), format!("{}\n", case.key)).unwrap();
    let mut worker = case.start(SIGNING);
    assert_eq!(worker.resolved(0).state, "completed");
    assert_eq!(worker.drained(), 0);
    let signature = case.testbed.queue().artifacts(&case.target, 0).remove(SIGNATURE).unwrap();
    let public = catena_keys::SigningKey::parse_base64(&case.key).unwrap().public_key();
    std::fs::write(case.path("public_key"), public.to_string()).unwrap();
    std::fs::write(case.path("document"), case.artifact(DOCUMENT)).unwrap();
    std::fs::write(case.path("signature"), signature.bytes().unwrap().unwrap()).unwrap();
    let mut catena = Catena::new();
    catena.args(["verify-ed25519-signature", "--pubkey", "public_key", "document", "signature"]);
    catena.command().current_dir(case.room.path());
    let answer = catena.run();
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert!(answer.stderr.starts_with("Verified good with given seed"), "{}", answer.stderr);
}

#[test]
fn b059_a_rejected_task_never_runs() {
    let (chain, _, _) = altered();
    let case = Case::new(chain);
    let mut worker = case.start("touch $ROOM/ran");
    let run = worker.resolved(0);
    assert_eq!((run.state.as_str(), run.reason.as_deref()), ("exception", Some("malformed-payload")));
    assert_eq!(worker.drained(), 0);
    assert!(!case.path("ran").exists() && !case.has(DOCUMENT));
    let live = case.artifact("public/logs/live_backing.log");
    assert!(live.starts_with("The task was not run:\nREJECTED"), "{live}");
    let chain = case.artifact("public/logs/chain_of_trust.log");
    assert!(chain.contains("CRITICAL - Chain of Trust verification error!"), "{chain}");
    assert!(!case.path("work/cot").exists(), "inputs of a rejected task are left");
}

#[test]
fn a_rejected_task_runs_with_its_inputs_where_verdicts_are_not_enforced() {
    let (chain, build, name) = altered();
    let case = Case::new(chain);
    let config = case.config(SIGNING, |config| {
        config["cot_mode"] = json!({"by-cot-product": {"firefox": "warn", "other": "enforce"}});
    });
    let mut worker = case.start_with(&config);
    let run = worker.resolved(0);
    let live = case.artifact("public/logs/live_backing.log");
    assert_eq!(run.state, "completed", "{live}");
    assert_eq!(worker.drained(), 0);
    assert!(live.contains("RUNS WITHOUT A CLEARANCE") && live.ends_with("signed\nexit code: 0\n"), "{live}");
    let inputs = case.artifact("public/build/inputs.txt");
    assert!(inputs.contains(&format!("work/cot/{build}/{name}\n")), "{inputs}");
    let verdict: Value = serde_json::from_str(&case.artifact("public/logs/chain_of_trust.json")).unwrap();
    assert_eq!(verdict["outcome"], "rejected");
    let document: Value = serde_json::from_str(&case.artifact(DOCUMENT)).unwrap();
    assert_eq!(document["environment"], json!({"clearance": "none", "clearanceMode": "warn"}));
}

#[test]
fn b062_an_undetermined_task_is_given_back() {
    let case = Case::new(push());
    case.testbed.fault("*/.taskcluster.yml*", 1.., Fault::Status(403));
    case.testbed.fault("*/contents/.taskcluster.yml*", 1.., Fault::Status(403));
    let mut worker = case.start("touch $ROOM/ran");
    let run = worker.resolved(0);
    assert_eq!((run.state.as_str(), run.reason.as_deref()), ("exception", Some("intermittent-task")));
    assert_eq!(worker.drained(), 0);
    assert!(!case.path("ran").exists());
}

#[test]
fn b056_a_cancelled_task_never_runs() {
    let case = Case::new(push());
    // The definition is asked for when the verification begins.
    case.testbed.queue().after("claimWork", 1, Action::Cancel);
    let mut worker = case.start("touch $ROOM/ran");
    let run = worker.resolved(0);
    assert_eq!(run.state, "exception");
    assert_eq!(worker.drained(), 0);
    assert!(!case.path("ran").exists());
}

#[test]
fn b055_a_task_that_is_cancelled_is_stopped() {
    let case = Case::new(push());
    let config = case.config("touch $ROOM/ran; sleep 60; touch $ROOM/ended", |config| {
        config["reclaim_interval"] = json!(1)
    });
    let mut worker = case.start_with(&config);
    case.wait_for("ran");
    case.testbed.queue().act(&case.target, Action::Cancel);
    worker.resolved(0);
    assert_eq!(worker.drained(), 0);
    assert!(!case.path("ended").exists());
    assert!(case.said().contains("409: not reporting"), "{}", case.said());
}

#[test]
fn b038_a_script_inherits_standard_input_only_where_it_is_told_to() {
    for (option, expected) in
        [(None, "end\nexit code: 0\n"), (Some("--inherit-stdin"), "given\nend\nexit code: 0\n")]
    {
        let case = Case::new(push());
        let config = case.config("cat; echo end", unverified);
        std::fs::write(case.path("given"), "given\n").unwrap();
        let mut catena = case.catena();
        let command = catena.arg("worker").args(option).arg(&config).command();
        let log = std::fs::File::create(case.path("stderr")).unwrap();
        let given = std::fs::File::open(case.path("given")).unwrap();
        let child = command.stdin(given).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut worker = Running { case: &case, child };
        assert_eq!(worker.resolved(0).state, "completed");
        assert_eq!(worker.drained(), 0);
        assert_eq!(case.artifact("public/logs/live_backing.log"), expected, "{option:?}");
    }
}

#[test]
fn a_script_cannot_read_the_key_and_its_environment_has_no_credentials_of_the_worker() {
    let case = Case::new(push());
    let config = case.config(
        "cat $ROOM/etc/key; env; cat /proc/$PPID/environ; dd if=/proc/$PPID/mem bs=1 count=1; true",
        |_| {},
    );
    let mut catena = case.catena();
    catena.env("TASKCLUSTER_ACCESS_TOKEN", "hidden-token").env("TASKCLUSTER_CLIENT_ID", "hidden-client");
    let command = catena.arg("worker").arg(&config).command();
    let log = std::fs::File::create(case.path("stderr")).unwrap();
    let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let mut worker = Running { case: &case, child };
    assert_eq!(worker.resolved(0).state, "completed");
    assert_eq!(worker.drained(), 0);
    let live = case.artifact("public/logs/live_backing.log");
    assert!(!live.contains(&case.key) && !live.contains("hidden-"), "{live}");
    assert_eq!(live.matches("ermission denied").count(), 3, "{live}");
    assert!(live.contains("TASK_ID="), "{live}");
}

#[test]
fn two_workers_of_a_pool_share_its_tasks() {
    let release = Release::new("firefox", Trigger::Push).unwrap();
    let chain = Release { ..release }.build().unwrap();
    let case = Case::new(chain);
    let second = "AAAAAAAAQAKAAAAAAAAAAA";
    // Not part of any chain: it is refused, and still resolved by one of the two.
    case.testbed.queue().add_task(second, &Queue::definition(&case.pool, &json!({})));
    let mut one = case.start(SIGNING);
    let config = case.path("scriptworker.yaml");
    let text = std::fs::read_to_string(&config).unwrap();
    let own = |name: &str| {
        (
            case.path(name).to_str().unwrap().to_owned(),
            case.path(&format!("two/{name}")).to_str().unwrap().to_owned(),
        )
    };
    let text = ["work", "artifacts", "logs"]
        .into_iter()
        .map(own)
        .fold(text, |text, (from, to)| text.replace(&format!("\"{from}"), &format!("\"{to}")));
    let other = case.path("two.yaml");
    std::fs::write(&other, text).unwrap();
    let mut catena = case.catena();
    let child = catena
        .arg("worker")
        .arg(&other)
        .command()
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let two = Running { case: &case, child };
    assert_ne!(one.resolved(0).state, "pending");
    let begun = Instant::now();
    while case
        .testbed
        .queue()
        .run(second, 0)
        .is_none_or(|run| matches!(run.state.as_str(), "pending" | "running"))
    {
        assert!(begun.elapsed() < Duration::from_secs(90), "{}", case.said());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!((one.drained(), two.drained()), (0, 0));
}
