//! The plan of docs/migrating-from-scriptworker.md, and docs/worker.md: their commands are run with the real binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use catena_testbed::seeds::SearchedDir;
use catena_testbed::{Chain, Options, Testbed};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use support::daemon::catches;
use support::{Answer, Catena};

const GUIDE: &str = include_str!("../../../docs/migrating-from-scriptworker.md");
const PAGE: &str = include_str!("../../../docs/worker.md");
const TOKEN: &str = "GBEQTf20RJ-4HCLo8Y6fvgLyNzREdhRZSuRyc7VAgXHw";

/// The commands of the guide and of the page, in their order, without comments.
fn commands() -> Vec<&'static str> {
    let blocks = [GUIDE, PAGE].into_iter().flat_map(|text| text.split("```console\n").skip(1));
    let lines = blocks.flat_map(|rest| rest.split("```").next().unwrap().lines());
    lines.map(|line| line.split(" #").next().unwrap()).collect()
}

/// The folder of a worker, with the files that the guide names.
fn prepare(testbed: &Testbed, chain: &Described, folder: &Path) {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (provisioner, worker_type) = chain.pool.split_once('/').unwrap();
    let mut config = json!({
        "taskcluster_root_url": testbed.root_url(), "provisioner_id": provisioner, "worker_type": worker_type,
        "worker_group": "the-group", "worker_id": "the-worker",
        "credentials": {"clientId": "project/releng/worker", "accessToken": TOKEN},
        "work_dir": path("work"), "artifact_dir": path("artifacts"), "log_dir": path("logs"),
        "task_log_dir": path("artifacts/public/logs"), "ed25519_private_key_path": path("etc/key"),
        "task_script": ["/bin/true"], "cot_product": chain.product, "cot_job_type": chain.kind,
        "verify_chain_of_trust": true, "verify_cot_signature": true, "sign_chain_of_trust": true,
        "ed25519_public_keys": chain.keys, "poll_interval": 1,
    });
    std::fs::write(path("scriptworker.yaml"), config.to_string()).unwrap();
    config["cot_mode"] = json!("warn");
    std::fs::write(path("catena.yaml"), config.to_string()).unwrap();
    std::fs::create_dir(path("etc")).unwrap();
    std::fs::write(path("etc/key"), &chain.key).unwrap();
    std::fs::set_permissions(path("etc/key"), Permissions::from_mode(0o600)).unwrap();
    let log = "2026-11-28T00:17:35     INFO - Running scriptworker version 63.6.1\n\
               2026-11-28T00:17:36     INFO - Good.\n";
    std::fs::write(path("chain_of_trust.log"), log).unwrap();
}

/// What the configuration needs to know of a chain.
struct Described {
    pool: String,
    product: String,
    kind: String,
    keys: Value,
    key: String,
}

/// Starts a worker, drains it once it listens, and waits for its end.
fn start_and_drain(mut catena: Catena) -> Answer {
    let mut child = catena.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    while !catches(child.id(), Signal::USR1) {
        std::thread::sleep(Duration::from_millis(5));
    }
    kill_process(pid, Signal::USR1).unwrap();
    let status = child.wait().unwrap();
    Answer { status: status.code().unwrap(), stdout: String::new(), stderr: String::new() }
}

#[test]
fn the_commands_of_the_documentation_do_what_it_says() {
    let chain = Chain::demo().unwrap();
    let target = chain.target.clone();
    let task = &chain.tasks[&target];
    let definition: Value = serde_json::from_str(&task.definition.to_string()).unwrap();
    let described = Described {
        pool: definition["taskQueueId"].as_str().unwrap().to_owned(),
        product: chain.product.clone(),
        kind: chain.kind.clone(),
        keys: json!(chain.keys.public_keys_base64()),
        key: chain.keys.signing_key(task.implementation).to_base64().to_string(),
    };
    let testbed = Testbed::start_blocking(chain.into_site(), Options::default()).unwrap();
    let claim = format!("queue:claim-work:{}", described.pool);
    let scopes = [claim.as_str(), "queue:worker-id:the-group/the-worker", "queue:get-artifact:*"];
    testbed.queue().add_client("project/releng/worker", TOKEN, &scopes);
    testbed.queue().set_long_poll(Duration::from_millis(100));
    let folder = SearchedDir::new().unwrap();
    prepare(&testbed, &described, folder.path());
    let commands = commands();
    assert!(commands.len() >= 10, "{commands:?}");
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().collect();
        assert_eq!(words[0], "catena", "{command}");
        let mut catena = Catena::through(&testbed, folder.path());
        catena.env("PATH", std::env::var("PATH").unwrap()).command().current_dir(folder.path());
        catena.args(words[1..].iter().map(|word| if *word == "TASK" { target.as_str() } else { word }));
        let is_daemon = words[1] == "worker" && words[2] != "check";
        let answer = if is_daemon { start_and_drain(catena) } else { catena.run() };
        assert_eq!(answer.status, 0, "{command}: {}{}", answer.stdout, answer.stderr);
        match words[1..] {
            ["worker", "check", "catena.yaml"] => assert!(answer.stdout.contains("cot_mode is warn")),
            ["policy", ..] => assert!(answer.stdout.contains("products:")),
            ["shadow", "report", _] => assert!(answer.stdout.starts_with("1 tasks\n  both agree  ")),
            _ => {}
        }
    }
}

#[test]
fn the_guide_names_every_key_of_catena_alone() {
    for key in ["capacity", "cot_mode", "metrics_address", "metrics_public"] {
        let rows = GUIDE.lines().filter(|line| line.starts_with(&format!("| `{key}` |")));
        assert_eq!(rows.filter(|row| row.contains("Catena only")).count(), 1, "{key}");
    }
}
