//! `catena shadow`: the real binary beside a result of scriptworker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use catena_testbed::{Chain, Fault, Options, Testbed};
use serde_json::{Value, json};
use std::path::PathBuf;
use support::{Answer, Catena, altered, children};
use tempfile::TempDir;

/// A chain, and the configuration of the worker that is to run its target.
struct Case {
    testbed: Testbed,
    folder: TempDir,
    target: String,
    config: Value,
}

const GOOD: &str = "2026-11-28T00:17:35     INFO - Running scriptworker version 63.6.1\n\
                    2026-11-28T00:17:36     INFO - Good.\n";
const BAD_HASH: &str = "2026-11-28T00:17:35     INFO - Running scriptworker version 63.6.1\n\
    2026-11-28T00:17:36 CRITICAL - Chain of Trust verification error!\n\
    Traceback (most recent call last):\n\
    scriptworker.exceptions.CoTError: 'BAD HASH on file /x: build: Expected sha256 a; got b!'\n";

impl Case {
    fn new(chain: Chain) -> Self {
        let keys = json!(chain.keys.public_keys_base64());
        let (target, kind, product) = (chain.target.clone(), chain.kind.clone(), chain.product.clone());
        let testbed = Testbed::start_blocking(chain.into_site(), Options::default()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join("worker").join(name).to_str().unwrap().to_owned();
        let config = json!({
            "taskcluster_root_url": testbed.root_url(), "provisioner_id": "p", "worker_type": "t",
            "worker_group": "g", "worker_id": "w", "credentials": {"clientId": "c", "accessToken": "t"},
            "work_dir": path("work"), "artifact_dir": path("artifacts"), "log_dir": path("logs"),
            "task_log_dir": path("artifacts/public/logs"), "ed25519_private_key_path": path("key"),
            "task_script": ["true"], "cot_product": product, "cot_job_type": kind,
            "verify_chain_of_trust": true, "verify_cot_signature": true, "ed25519_public_keys": keys,
        });
        Self { testbed, folder, target, config }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    fn shadow(&self, arguments: &[&str]) -> Answer {
        let config = self.write("scriptworker.yaml", &self.config.to_string());
        let mut catena = Catena::through(&self.testbed, self.folder.path());
        catena.command().current_dir(self.folder.path());
        catena.args(["shadow", "--config"]).arg(config).args(arguments).args(["--", &self.target]).run()
    }

    fn line(&self, arguments: &[&str]) -> Value {
        let answer = self.shadow(arguments);
        assert_eq!(answer.status, 0, "{}", answer.stderr);
        assert_eq!(answer.stdout.lines().count(), 1, "{}", answer.stdout);
        serde_json::from_str(&answer.stdout).unwrap()
    }
}

#[test]
fn what_both_verify_agrees_and_nothing_is_written() {
    let case = Case::new(Chain::demo().unwrap());
    case.write("good.log", GOOD);
    for arguments in [["--expect", "pass"], ["--reference-log", "good.log"]] {
        let line = case.line(&arguments);
        assert_eq!(line["schema"], "catena-shadow/1");
        assert_eq!((&line["agreement"], &line["catena"]["outcome"]), (&json!("agree"), &json!("verified")));
        assert_eq!(line["disagreements"], json!([]));
    }
    assert!(!case.folder.path().join("worker").exists());
    assert!(case.testbed.queue().events().is_empty());
}

#[test]
fn a_disagreement_is_written_check_by_check() {
    let case = Case::new(altered(Chain::demo().unwrap()));
    case.write("good.log", GOOD);
    case.write("bad.log", BAD_HASH);
    let line = case.line(&["--reference-log", "good.log"]);
    assert_eq!(line["agreement"], "stricter");
    let expected = json!([{"check": "artifacts", "only": "catena", "codes": ["artifact-altered"]}]);
    assert_eq!(line["disagreements"], expected, "{line}");
    assert_eq!(line["catena"]["findings"][0]["class"], "tamper");
    let line = case.line(&["--reference-log", "bad.log"]);
    assert_eq!((&line["agreement"], &line["disagreements"]), (&json!("agree"), &json!([])));
    assert_eq!(line["reference"]["errors"][0]["check"], "artifacts");
    assert_eq!(case.line(&["--expect", "fail"])["agreement"], "agree");
    let good = Case::new(Chain::demo().unwrap());
    good.write("bad.log", BAD_HASH);
    let line = good.line(&["--reference-log", "bad.log"]);
    assert_eq!(line["agreement"], "laxer");
    assert_eq!(line["disagreements"], json!([{"check": "artifacts", "only": "reference", "codes": []}]));
}

#[test]
fn a_chain_that_is_not_determined_is_not_compared() {
    let case = Case::new(Chain::demo().unwrap());
    case.testbed.fault("*/.taskcluster.yml*", 1.., Fault::Status(403));
    let line = case.line(&["--expect", "pass"]);
    assert_eq!((&line["agreement"], &line["catena"]["outcome"]), (&json!("unknown"), &json!("undetermined")));
}

#[test]
fn lines_are_appended_and_summed_up() {
    let case = Case::new(altered(Chain::demo().unwrap()));
    let file = case.folder.path().join("shadow.jsonl");
    let output = file.to_str().unwrap();
    for expected in ["fail", "pass"] {
        let answer = case.shadow(&["--expect", expected, "--output", output]);
        assert_eq!((answer.status, answer.stdout.as_str()), (0, ""), "{}", answer.stderr);
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 2);
    let report = |format: &str| Catena::new().args(["shadow", "report", "--format", format]).arg(&file).run();
    let text = report("text").stdout;
    assert!(text.starts_with("1 tasks\n") && text.contains("artifacts: artifact-altered"), "{text}");
    let json: Value = serde_json::from_str(&report("json").stdout).unwrap();
    assert_eq!(json["agreements"]["stricter"], json!({"tasks": 1, "examples": [case.target]}));
    std::fs::write(&file, "{}\n").unwrap();
    let answer = report("text");
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.contains("line 1: not a line of catena-shadow/1"), "{}", answer.stderr);
    assert!(children(case.folder.path()).iter().all(|path| !path.ends_with("worker")));
}

#[test]
fn a_configuration_that_does_not_verify_is_a_usage_error() {
    let mut case = Case::new(Chain::demo().unwrap());
    case.config["verify_chain_of_trust"] = json!(false);
    let answer = case.shadow(&["--expect", "pass"]);
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.contains("verify_chain_of_trust is off"), "{}", answer.stderr);
    case.config["elephant"] = json!(1);
    assert!(case.shadow(&["--expect", "pass"]).stderr.contains("Unknown key elephant"));
    assert_eq!(case.shadow(&[]).status, 2);
}
