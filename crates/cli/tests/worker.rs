//! `catena worker`: the real binary with the loopback queue, from the claim to the verdict about what came out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use catena_testbed::chain::{DOCUMENT, SIGNATURE};
use catena_testbed::queue::{Action, RunView};
use catena_testbed::seeds::SearchedDir;
use catena_testbed::{Chain, Fault, Options, Queue, Release, Testbed, Trigger};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{Answer, Catena};

const TOKEN: &str = "GBEQTf20RJ-4HCLo8Y6fvgLyNzREdhRZSuRyc7VAgXHw";

/// A chain whose target waits for a worker, and what belongs to the worker.
struct Case {
    testbed: Testbed,
    room: SearchedDir,
    target: String,
    definition: Value,
    kind: String,
    product: String,
    pool: String,
    keys: Value,
    key: String,
}

impl Case {
    fn new(chain: Chain) -> Self {
        let target = chain.target.clone();
        let task = &chain.tasks[&target];
        let definition: Value = serde_json::from_str(&task.definition.to_string()).unwrap();
        let pool = definition["taskQueueId"].as_str().unwrap().to_owned();
        let keys =
            chain.keys.public_keys_base64().into_iter().map(|(name, keys)| (name.to_owned(), json!(keys)));
        let keys = Value::Object(keys.collect());
        let key = chain.keys.signing_key(task.implementation).to_base64().to_string();
        let (kind, product) = (chain.kind.clone(), chain.product.clone());
        let testbed = Testbed::start_blocking(chain.into_site(), Options::default()).unwrap();
        let queue = testbed.queue();
        let claim = format!("queue:claim-work:{pool}");
        queue.add_client(
            "project/releng/worker",
            TOKEN,
            &[&claim, "queue:worker-id:the-group/the-worker", "queue:get-artifact:*"],
        );
        queue.add_task(&target, &definition);
        queue.set_long_poll(Duration::from_millis(300));
        let room = SearchedDir::new().unwrap();
        let case = Self { testbed, room, target, definition, kind, product, pool, keys, key };
        let file = case.path("etc/key");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &case.key).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.room.path().join(name)
    }

    /// The configuration that scriptworker would be started with too.
    fn config(&self, script: &str, change: impl Fn(&mut Value)) -> PathBuf {
        let (provisioner, worker_type) = self.pool.split_once('/').unwrap();
        let path = |name: &str| self.path(name).to_str().unwrap().to_owned();
        let mut config = json!({
            "taskcluster_root_url": self.testbed.root_url(), "provisioner_id": provisioner, "worker_type": worker_type,
            "worker_group": "the-group", "worker_id": "the-worker",
            "credentials": {"clientId": "project/releng/worker", "accessToken": TOKEN},
            "work_dir": path("work"), "artifact_dir": path("artifacts"), "log_dir": path("logs"),
            "task_log_dir": path("artifacts/public/logs"), "ed25519_private_key_path": path("etc/key"),
            "task_script": ["/bin/bash", "-c", script.replace("$ROOM", self.room.path().to_str().unwrap())],
            "cot_product": self.product, "cot_job_type": self.kind, "verify_chain_of_trust": true,
            "verify_cot_signature": true, "sign_chain_of_trust": true, "ed25519_public_keys": self.keys,
            "poll_interval": 1, "verbose": true,
        });
        change(&mut config);
        let file = self.path("scriptworker.yaml");
        std::fs::write(&file, config.to_string()).unwrap();
        file
    }

    fn catena(&self) -> Catena {
        let mut catena = Catena::through(&self.testbed, self.room.path());
        catena.env("PATH", std::env::var("PATH").unwrap());
        catena.command().current_dir(self.room.path());
        catena
    }

    /// Starts the worker.
    fn start(&self, script: &str) -> Running<'_> {
        let config = self.config(script, |_| {});
        self.start_with(&config)
    }

    fn start_with(&self, config: &Path) -> Running<'_> {
        let mut catena = self.catena();
        let log = std::fs::File::create(self.path("stderr")).unwrap();
        let command = catena.arg("worker").arg(config).command();
        let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Running { case: self, child }
    }

    /// The bytes of an artifact of the target's first run, without their encoding; none of a link.
    fn body(&self, name: &str) -> Option<Vec<u8>> {
        let artifacts = self.testbed.queue().artifacts(&self.target, 0);
        let found = artifacts.get(name).unwrap_or_else(|| panic!("no {name}: {:?}", artifacts.keys()));
        let bytes = found.bytes().unwrap()?;
        if found.encoding.as_deref() != Some("gzip") {
            return Some(bytes);
        }
        let mut unpacked = Vec::new();
        let mut decoder = flate2::read::GzDecoder::new(bytes.as_slice());
        std::io::Read::read_to_end(&mut decoder, &mut unpacked).unwrap();
        Some(unpacked)
    }

    fn artifact(&self, name: &str) -> String {
        String::from_utf8(self.body(name).unwrap_or_else(|| panic!("{name} has no body"))).unwrap()
    }

    fn has(&self, name: &str) -> bool {
        self.testbed.queue().artifacts(&self.target, 0).contains_key(name)
    }

    /// Waits until the script has made a file.
    fn wait_for(&self, name: &str) {
        let begun = Instant::now();
        while !self.path(name).exists() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.path("stderr")).unwrap()
    }
}

/// Whatever a test is about: nothing that was uploaded shows the worker's key. Its room is searched besides.
impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let names: Vec<String> = self.testbed.queue().artifacts(&self.target, 0).keys().cloned().collect();
        let bodies = names.iter().filter_map(|name| Some((name.as_str(), self.body(name)?)));
        let bodies: Vec<(&str, Vec<u8>)> = bodies.collect();
        let outputs: Vec<_> = bodies.iter().map(|(name, body)| (*name, body.as_slice())).collect();
        let leaks = self.room.leaks(&outputs);
        assert!(leaks.is_empty(), "the worker's key is shown by {leaks:?}");
    }
}

/// A worker at work.
struct Running<'a> {
    case: &'a Case,
    child: Child,
}

impl Running<'_> {
    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits until the run is resolved.
    fn resolved(&mut self, run: usize) -> RunView {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let resolved = self.case.testbed.queue().resolved(&self.case.target, run);
        let limit = Duration::from_secs(90);
        runtime
            .block_on(async { tokio::time::timeout(limit, resolved).await })
            .unwrap_or_else(|_| panic!("not resolved: {}", self.case.said()))
    }

    /// Waits until the worker has ended; its exit status.
    fn ended(mut self) -> i32 {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or_else(|| panic!("{status}: {}", self.case.said()));
            }
            if begun.elapsed() > Duration::from_secs(60) {
                let _ = self.child.kill();
                panic!("it does not end: {}", self.case.said());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Drains the worker; its exit status.
    fn drained(self) -> i32 {
        self.signal(Signal::USR1);
        self.ended()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn push() -> Chain {
    Chain::demo().unwrap()
}

/// A script that makes one artifact of its verified inputs.
const SIGNING: &str = "set -e; cd $ROOM; mkdir -p artifacts/public/build; \
    find work/cot -type f -not -path '*/.catena*' | sort > artifacts/public/build/inputs.txt; \
    test -s artifacts/public/build/inputs.txt; cp -r work/cot kept; echo signed";

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
fn b017_an_emptied_environment_gives_the_script_four_variables() {
    let case = Case::new(push());
    let config = case.config("", |config| {
        config["verify_chain_of_trust"] = json!(false);
        config["task_script"] = json!(["/usr/bin/env"]);
    });
    let log = std::fs::File::create(case.path("stderr")).unwrap();
    let mut catena = Catena::new();
    let command = catena.arg("worker").arg(&config).command();
    let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let mut worker = Running { case: &case, child };
    assert_eq!(worker.resolved(0).state, "completed");
    assert_eq!(worker.drained(), 0);
    let live = case.artifact("public/logs/live_backing.log");
    let mut names: Vec<&str> = live.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    names.sort_unstable();
    let expected = ["RUN_ID", "TASKCLUSTER_CREDENTIALS_FD", "TASKCLUSTER_ROOT_URL", "TASK_ID"];
    assert_eq!(names, expected, "{live}");
}

#[test]
fn b030_told_to_drain_an_idle_worker_ends_at_once() {
    let case = Case::new(push());
    let config = case.config("true", |config| {
        (config["poll_interval"], config["worker_type"]) = (json!(600), json!("another"));
    });
    let worker = case.start_with(&config);
    let begun = Instant::now();
    while case.testbed.queue().events().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", case.said());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(worker.drained(), 0);
}

#[test]
fn b032_told_to_drain_many_times_a_worker_still_finishes_its_task() {
    let case = Case::new(push());
    let mut worker = case.start(
        "touch $ROOM/ran; sleep 0.5; mkdir -p $ROOM/artifacts/public; echo x > $ROOM/artifacts/public/x",
    );
    case.wait_for("ran");
    for _ in 0..20 {
        worker.signal(Signal::USR1);
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(worker.resolved(0).state, "completed");
    assert_eq!(worker.ended(), 0);
    assert!(case.has(DOCUMENT) && case.has("public/x"));
    assert_eq!(case.testbed.queue().count("claimWork", 200), 1);
}

#[test]
fn b061_the_log_of_a_rejected_chain_is_one_whole_gzip_member() {
    let mut chain = push();
    let build = chain.builds[0].clone();
    let artifacts = chain.artifacts_mut(&build).unwrap();
    let name = artifacts.keys().find(|name| name.starts_with("public/build/")).unwrap().clone();
    artifacts.get_mut(&name).unwrap().body = b"something else".to_vec().into();
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
    let mut chain = push();
    let build = chain.builds[0].clone();
    let artifacts = chain.artifacts_mut(&build).unwrap();
    let name = artifacts.keys().find(|name| name.starts_with("public/build/")).unwrap().clone();
    artifacts.get_mut(&name).unwrap().body = b"something else".to_vec().into();
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
    let mut chain = push();
    let build = chain.builds[0].clone();
    let artifacts = chain.artifacts_mut(&build).unwrap();
    let name = artifacts.keys().find(|name| name.starts_with("public/build/")).unwrap().clone();
    artifacts.get_mut(&name).unwrap().body = b"something else".to_vec().into();
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
fn b022_and_b026_a_worker_that_may_not_claim_lives_until_it_is_told() {
    let case = Case::new(push());
    let config = case.config("true", |config| config["credentials"]["clientId"] = json!("nobody"));
    let worker = case.start_with(&config);
    let begun = Instant::now();
    while case.said().matches("claimWork failed").count() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", case.said());
        std::thread::sleep(Duration::from_millis(50));
    }
    let told = Instant::now();
    worker.signal(Signal::TERM);
    assert_eq!(worker.ended(), 0);
    assert!(told.elapsed() < Duration::from_secs(3), "{:?}", told.elapsed());
}

#[test]
fn b027_a_worker_that_is_told_to_end_stops_its_script() {
    let case = Case::new(push());
    let mut worker =
        case.start("trap 'echo told; exit 0' TERM; touch $ROOM/ran; while true; do sleep 0.05; done");
    case.wait_for("ran");
    worker.signal(Signal::TERM);
    let run = worker.resolved(0);
    assert_eq!((run.state.as_str(), run.reason.as_deref()), ("exception", Some("worker-shutdown")));
    assert_eq!(worker.ended(), 0);
    assert!(case.artifact("public/logs/live_backing.log").contains("told\n"));
    assert!(!case.has(DOCUMENT));
}

#[test]
fn b033_signals_at_the_start_do_not_kill() {
    let case = Case::new(push());
    let config = case.config("true", |_| {});
    for signal in [Signal::USR1, Signal::HUP] {
        let worker = case.start_with(&config);
        let begun = Instant::now();
        // As soon as the process catches the signal at all.
        while !catches(worker.child.id(), signal) {
            assert!(begun.elapsed() < Duration::from_secs(20), "{}", case.said());
        }
        worker.signal(signal);
        worker.signal(Signal::USR1);
        assert_eq!(worker.ended(), 0, "{}", case.said());
    }
}

/// Whether a process has a handler for a signal.
fn catches(pid: u32, signal: Signal) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim();
    u64::from_str_radix(mask, 16).unwrap() & (1 << (signal.as_raw() - 1)) != 0
}

/// What `catena worker` says of a configuration that it does not start with.
fn refused(case: &Case, config: &Path) -> String {
    let answer = case.catena().arg("worker").arg(config).run();
    assert_eq!(answer.status, 1, "{answer:?}");
    assert!(answer.stderr.ends_with("Exiting...\n"), "{}", answer.stderr);
    answer.stderr
}

#[test]
fn b001_and_b002_the_default_file_is_looked_for_in_the_current_directory() {
    let case = Case::new(push());
    let answer = case.catena().arg("worker").run();
    assert_eq!(
        (answer.status, answer.stderr.as_str()),
        (1, "./scriptworker.yaml doesn't exist! Exiting...\n")
    );
    case.config("true", |_| {});
    let answer = case.catena().args(["worker", "check"]).run();
    assert_eq!(
        (answer.status, answer.stdout.as_str()),
        (0, "./scriptworker.yaml: can be used\n"),
        "{}",
        answer.stderr
    );
}

#[test]
fn b007_a_configuration_with_errors_is_refused_at_once() {
    let case = Case::new(push());
    let config = case.config("true", |config| {
        config["poll_interval"] = json!(1.5);
        config["elephant"] = json!(1);
    });
    let told = refused(&case, &config);
    assert!(
        told.contains("poll_interval: type <class 'float'>") && told.contains("Unknown key elephant"),
        "{told}"
    );
    let answer = case.catena().args(["worker", "check"]).arg(&config).run();
    assert_eq!(answer.status, 2);
    assert!(
        answer.stdout.contains("Unknown key elephant") && answer.stdout.ends_with("cannot be used\n"),
        "{}",
        answer.stdout
    );
}

#[test]
fn b071_a_worker_without_its_key_or_script_does_not_start() {
    let case = Case::new(push());
    let config = case.config("true", |config| config["task_script"] = json!(["/nowhere/script"]));
    std::fs::remove_file(case.path("etc/key")).unwrap();
    let told = refused(&case, &config);
    assert!(told.contains("etc/key") && told.contains("/nowhere/script"), "{told}");
    assert_eq!(case.testbed.stats().requests, 0);
    assert!(!case.path("work").exists());
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

/// Waits until something is so.
fn until(case: &Case, what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}: {}", case.said());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A port that nothing listens on.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn probes_and_metrics_are_answered_on_this_machine() {
    let case = Case::new(push());
    let address = format!("127.0.0.1:{}", free_port());
    let config = case.config("printf 12345 > $ROOM/artifacts/a.bin", |config| {
        config["metrics_address"] = json!(address);
    });
    let probe =
        |arguments: &[&str]| case.catena().args(["worker", "probe"]).args(arguments).arg(&config).run();
    assert_eq!(probe(&[]).status, 1);
    let mut worker = case.start_with(&config);
    assert_eq!(worker.resolved(0).state, "completed");
    until(&case, "not ready", || probe(&["--ready"]).status == 0);
    assert_eq!(probe(&[]).status, 0);
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    std::io::Write::write_all(&mut stream, b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
    let mut metrics = String::new();
    std::io::Read::read_to_string(&mut stream, &mut metrics).unwrap();
    let value = |name: &str| {
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name} in {metrics}")).parse::<f64>().unwrap()
    };
    assert_eq!(value("catena_worker_claims_total"), 1.0);
    assert_eq!(value("catena_worker_verdicts_total{outcome=\"verified\",class=\"\"}"), 1.0);
    assert_eq!(value("catena_worker_tasks_total{resolution=\"completed\"}"), 1.0);
    assert!(value("catena_worker_uploaded_bytes_total") > 5.0);
    assert!(value("catena_worker_received_bytes_total") > 1000.0);
    for phase in ["verify", "run", "sign", "upload", "resolve"] {
        assert_eq!(value(&format!("catena_worker_phases_total{{phase=\"{phase}\"}}")), 1.0);
        assert!(value(&format!("catena_worker_phase_seconds_total{{phase=\"{phase}\"}}")) > 0.0);
    }
    assert_eq!(worker.drained(), 0);
    let answer = probe(&["--ready"]);
    assert_eq!(answer.status, 1);
    assert!(answer.stderr.contains(&address), "{}", answer.stderr);
}

/// A configuration whose tasks run whatever their chain is.
fn unverified(config: &mut Value) {
    config["verify_chain_of_trust"] = json!(false);
    config["verify_cot_signature"] = json!(false);
}

const SECOND: &str = "AAAAAAAAQAKAAAAAAAAAAA";

#[test]
fn a_configuration_is_read_again_between_tasks() {
    let case = Case::new(push());
    let config = case.config("touch $ROOM/one; until test -e $ROOM/go; do sleep 0.02; done", unverified);
    let mut worker = case.start_with(&config);
    until(&case, "not run", || case.path("one").exists());
    case.config("true", |config| config["elephant"] = json!(1));
    worker.signal(Signal::HUP);
    until(&case, "no signal", || case.said().contains("SIGHUP"));
    // While a task is at work, nothing is read.
    assert!(!case.said().contains("elephant"));
    std::fs::write(case.path("go"), "").unwrap();
    assert_eq!(worker.resolved(0).state, "completed");
    until(&case, "not refused", || {
        case.said().contains("The old configuration stays in use") && case.said().contains("elephant")
    });
    case.config("touch $ROOM/two", unverified);
    worker.signal(Signal::HUP);
    until(&case, "not taken", || case.said().contains("The new configuration is in use"));
    case.testbed.queue().add_task(SECOND, &Queue::definition(&case.pool, &json!({})));
    until(&case, "not run", || case.path("two").exists());
    assert_eq!(worker.drained(), 0);
}

/// The messages that a service manager has got.
fn messages(socket: &std::os::unix::net::UnixDatagram) -> Vec<String> {
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let mut found = Vec::new();
    let mut bytes = [0; 64];
    while let Ok(count) = socket.recv(&mut bytes) {
        found.push(String::from_utf8(bytes[..count].to_vec()).unwrap());
    }
    found
}

#[test]
fn several_tasks_run_at_the_same_time_each_in_its_slot() {
    let case = Case::new(push());
    let config = case.config(
        "env > $ROOM/env-{slot}; read -r _ _ _ parent _ < /proc/$PPID/stat; \
         cat /proc/$parent/environ > $ROOM/parent-{slot}; touch $ROOM/ran-{slot}; \
         until test -e $ROOM/ran-1 -a -e $ROOM/ran-2; do sleep 0.02; done; echo slot {slot}; sleep 60 &",
        |config| slots(&case, config),
    );
    case.testbed.queue().add_task(SECOND, &Queue::definition(&case.pool, &json!({})));
    let socket = std::os::unix::net::UnixDatagram::bind(case.path("notify")).unwrap();
    let mut catena = case.catena();
    catena.env("NOTIFY_SOCKET", case.path("notify").to_str().unwrap());
    let log = std::fs::File::create(case.path("stderr")).unwrap();
    // Landlock would keep scripts from other processes too.
    let command = catena.args(["worker", "--danger-expose-key"]).arg(&config).command();
    let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let mut worker = Running { case: &case, child };
    // Each script ends only once the other runs.
    assert_eq!(worker.resolved(0).state, "completed");
    until(&case, "not resolved", || {
        case.testbed.queue().run(SECOND, 0).is_some_and(|run| run.state == "completed")
    });
    assert_eq!(messages(&socket), ["READY=1"]);
    assert_eq!(worker.drained(), 0);
    assert_eq!(messages(&socket), ["STOPPING=1"]);
    for slot in [1, 2] {
        let log = std::fs::read_to_string(case.path(&format!("{slot}/logs/worker.log"))).unwrap();
        assert!(log.contains(&format!("INFO - slot {slot}")), "{log}");
        let env = std::fs::read_to_string(case.path(&format!("env-{slot}"))).unwrap();
        assert!(env.contains("TASK_ID=") && !env.contains("NOTIFY_SOCKET"), "{env}");
        // The environment of the process that starts the slots may have the worker's credentials. Root's scripts
        // have too few capabilities to read it; those of other users could.
        assert_eq!(std::fs::read_to_string(case.path(&format!("parent-{slot}"))).unwrap(), "");
    }
}

/// Two slots, each with directories of its own.
fn slots(case: &Case, config: &mut Value) {
    unverified(config);
    let path = |name: &str| json!(case.path("{slot}").join(name).to_str().unwrap());
    config["capacity"] = json!(2);
    for (key, name) in [
        ("work_dir", "work"),
        ("log_dir", "logs"),
        ("artifact_dir", "artifacts"),
        ("task_log_dir", "artifacts/public/logs"),
    ] {
        config[key] = path(name);
    }
}

#[test]
fn a_slot_that_does_not_start_drains_the_others() {
    let case = Case::new(push());
    // The port of the second slot is taken.
    let (first, taken) = loop {
        let first = free_port();
        if let Ok(taken) = std::net::TcpListener::bind(("127.0.0.1", first + 1)) {
            break (first, taken);
        }
    };
    let config = case.config("true", |config| {
        slots(&case, config);
        config["metrics_address"] = json!(format!("127.0.0.1:{first}"));
    });
    let answer = case.catena().arg("worker").arg(&config).run();
    drop(taken);
    assert_eq!(answer.status, 1);
    assert!(answer.stderr.contains("slot 2 does not start"), "{}", answer.stderr);
    assert!(
        answer.stderr.contains(&format!("metrics_address: 127.0.0.1:{}", first + 1)),
        "{}",
        answer.stderr
    );
}

#[test]
fn the_trust_of_a_configuration_is_shown_as_a_policy_layer() {
    let case = Case::new(push());
    let config = case.config("true", |_| {});
    let answer = case.catena().args(["policy", "import", "--worker"]).arg(&config).run();
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let file = case.path("layer.yml");
    std::fs::write(&file, &answer.stdout).unwrap();
    assert!(answer.stdout.contains("products:\n  firefox:\n    keys:"), "{}", answer.stdout);
    let shown = case
        .catena()
        .args(["policy", "show", "--product", "firefox", "--policy", "shipped:firefox-ci", "--policy"])
        .arg(&file)
        .run();
    let own = case.keys["scriptworker"][0].as_str().unwrap();
    assert!(shown.stdout.contains(own), "{}{}", shown.stdout, shown.stderr);
}

#[test]
fn the_old_tools_are_there_and_also_by_their_links() {
    let room = SearchedDir::new().unwrap();
    let link = |name: &str| {
        let link = room.path().join(name);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_catena"), &link).unwrap();
        let mut command = Command::new(link);
        command.current_dir(room.path());
        command
    };
    let generated = link("gen_ed25519_key").arg("x").output().unwrap();
    assert!(generated.status.success() && generated.stdout.is_empty(), "{generated:?}");
    let private = room.path().join("x_private_key");
    assert_eq!(std::fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o600);
    let public = std::fs::read_to_string(room.path().join("x_public_key")).unwrap();
    assert_eq!(public.len(), 44);
    // A key is never overwritten.
    let again =
        Catena::new().args(["gen-ed25519-key", "x"]).command().current_dir(room.path()).output().unwrap();
    assert_eq!(again.status.code(), Some(2));

    let seed = std::fs::read_to_string(&private).unwrap();
    let key = catena_keys::SigningKey::parse_base64(&seed).unwrap();
    std::fs::write(room.path().join("file"), "content").unwrap();
    std::fs::write(room.path().join("file.sig"), key.sign(b"content").as_bytes()).unwrap();
    let mut verify = link("verify_ed25519_signature");
    let good = verify.args(["--pubkey", "x_public_key", "file", "file.sig"]).output().unwrap();
    let expected = format!("Verified good with given seed {public} !\n");
    assert_eq!((good.status.code(), String::from_utf8(good.stderr).unwrap()), (Some(0), expected));
    let verify = |arguments: &[&str]| {
        let mut catena = Catena::new();
        catena.arg("verify-ed25519-signature").args(arguments).command().current_dir(room.path());
        catena.run()
    };
    let bad = verify(&["file", "file.sig"]);
    assert_eq!((bad.status, bad.stderr.as_str()), (1, "This is not a valid signature!\n"));
    std::fs::write(room.path().join("file"), "other").unwrap();
    assert_eq!(verify(&["--pubkey", "x_public_key", "file", "file.sig"]).status, 1);
}

#[test]
fn a_test_directory_has_the_inputs_that_their_documents_name() {
    let case = Case::new(push());
    let path = |name: &str| case.path(name).to_str().unwrap().to_owned();
    let create = |more: &[&str]| {
        let mut catena = case.catena();
        catena.args(["create-test-workdir", &case.target]).args(more).run()
    };
    let answer = create(&[]);
    assert_eq!((answer.status, answer.stdout.as_str()), (0, ""), "{}", answer.stderr);
    assert!(answer.stderr.ends_with("Done.\n"), "{}", answer.stderr);
    let task: Value =
        serde_json::from_str(&std::fs::read_to_string(path("work/task.json")).unwrap()).unwrap();
    let mut inputs = 0;
    for upstream in task["payload"]["upstreamArtifacts"].as_array().unwrap() {
        for name in upstream["paths"].as_array().unwrap() {
            let name = name.as_str().unwrap();
            if upstream["optional"] != json!(true) {
                let below = format!("work/cot/{}/{name}", upstream["taskId"].as_str().unwrap());
                assert!(case.path(&below).is_file(), "{below}");
                inputs += 1;
            }
        }
    }
    assert!(inputs > 0);
    let answer = create(&[]);
    assert_eq!(answer.status, 1);
    assert!(answer.stderr.contains("--overwrite"), "{}", answer.stderr);
    std::fs::write(path("work/old"), "").unwrap();
    assert_eq!(create(&["--overwrite", "--path", &path("work")]).status, 0);
    assert!(!case.path("work/old").exists());
}

#[test]
fn a_test_directory_with_an_altered_input_is_not_made() {
    let mut chain = push();
    let build = chain.builds[0].clone();
    let artifacts = chain.artifacts_mut(&build).unwrap();
    let name = artifacts.keys().find(|name| name.starts_with("public/build/")).unwrap().clone();
    artifacts.get_mut(&name).unwrap().body = b"something else".to_vec().into();
    let case = Case::new(chain);
    std::fs::create_dir(case.path("work")).unwrap();
    let link = case.path("create_test_workdir");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_catena"), &link).unwrap();
    let mut catena = case.catena();
    let command = catena.args([&case.target, "--overwrite"]).command();
    let (arguments, variables): (Vec<_>, Vec<_>) = (
        command.get_args().collect(),
        command.get_envs().filter_map(|(name, value)| Some((name, value?))).collect(),
    );
    let answer = Command::new(link)
        .args(arguments)
        .env_clear()
        .envs(variables)
        .current_dir(case.path(""))
        .output()
        .unwrap();
    assert_eq!(answer.status.code(), Some(1));
    let told = String::from_utf8(answer.stderr).unwrap();
    assert!(told.contains("the SHA-256") && told.contains(&name), "{told}");
    // The old directory is still there, and nothing else.
    assert_eq!(std::fs::read_dir(case.path("work")).unwrap().count(), 0);
    let entries = std::fs::read_dir(case.path("")).unwrap();
    assert!(entries.flatten().all(|entry| !entry.file_name().to_string_lossy().starts_with(".tmp")));
}

#[test]
fn verify_cot_has_its_old_arguments_and_statuses() {
    let case = Case::new(push());
    let verify = |more: &[&str]| {
        let mut catena = case.catena();
        catena.args([
            "verify-cot",
            &case.target,
            "--task-type",
            &case.kind,
            "--cot-product",
            &case.product,
            "--no-check-task",
        ]);
        catena.args(more).run()
    };
    // Without --verify-sigs signatures do not count; with it the keys that ship do not know the testbed's.
    assert_eq!(verify(&[]).status, 0);
    assert_eq!(verify(&["--verify-sigs", "--cleanup", "-v"]).status, 1);
    assert_eq!(case.catena().args(["verify-cot", &case.target]).run().status, 2);
}
