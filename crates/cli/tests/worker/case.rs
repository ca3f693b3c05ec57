//! A chain whose target waits for a worker, and the worker.

use super::support::Catena;
use catena_testbed::queue::RunView;
use catena_testbed::seeds::SearchedDir;
use catena_testbed::{Chain, Options, Testbed};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

pub(crate) const TOKEN: &str = "GBEQTf20RJ-4HCLo8Y6fvgLyNzREdhRZSuRyc7VAgXHw";

pub(crate) const SECOND: &str = "AAAAAAAAQAKAAAAAAAAAAA";

/// A script that makes one artifact of its verified inputs.
pub(crate) const SIGNING: &str = "set -e; cd $ROOM; mkdir -p artifacts/public/build; \
    find work/cot -type f -not -path '*/.catena*' | sort > artifacts/public/build/inputs.txt; \
    test -s artifacts/public/build/inputs.txt; cp -r work/cot kept; echo signed";

/// A chain whose target waits for a worker, and what belongs to the worker.
pub(crate) struct Case {
    pub(crate) testbed: Testbed,
    pub(crate) room: SearchedDir,
    /// Where its key is, which stands above nothing that a script makes.
    etc: tempfile::TempDir,
    pub(crate) target: String,
    pub(crate) definition: Value,
    pub(crate) kind: String,
    pub(crate) product: String,
    pub(crate) pool: String,
    pub(crate) keys: Value,
    pub(crate) key: String,
}

impl Case {
    pub(crate) fn new(chain: Chain) -> Self {
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
        let etc = tempfile::tempdir().unwrap();
        let case = Self { testbed, room, etc, target, definition, kind, product, pool, keys, key };
        let file = case.path("etc/key");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &case.key).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        case
    }

    /// A path in its room; `etc` is elsewhere.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let (first, rest) = name.split_once('/').unwrap_or((name, ""));
        if first == "etc" { self.etc.path().join(rest) } else { self.room.path().join(name) }
    }

    /// The configuration that scriptworker would be started with too.
    pub(crate) fn config(&self, script: &str, change: impl Fn(&mut Value)) -> PathBuf {
        let (provisioner, worker_type) = self.pool.split_once('/').unwrap();
        let path = |name: &str| self.path(name).to_str().unwrap().to_owned();
        let mut config = json!({
            "taskcluster_root_url": self.testbed.root_url(), "provisioner_id": provisioner, "worker_type": worker_type,
            "worker_group": "the-group", "worker_id": "the-worker",
            "credentials": {"clientId": "project/releng/worker", "accessToken": TOKEN},
            "work_dir": path("work"), "artifact_dir": path("artifacts"), "log_dir": path("logs"),
            "task_log_dir": path("artifacts/public/logs"), "ed25519_private_key_path": path("etc/key"),
            "task_script": ["/bin/bash", "-c", script.replace("$ROOM/etc", self.etc.path().to_str().unwrap()).replace("$ROOM", self.room.path().to_str().unwrap())],
            "cot_product": self.product, "cot_job_type": self.kind, "verify_chain_of_trust": true,
            "verify_cot_signature": true, "sign_chain_of_trust": true, "ed25519_public_keys": self.keys,
            "poll_interval": 1, "verbose": true,
        });
        change(&mut config);
        let file = self.path("scriptworker.yaml");
        std::fs::write(&file, config.to_string()).unwrap();
        file
    }

    pub(crate) fn catena(&self) -> Catena {
        let mut catena = Catena::through(&self.testbed, self.room.path());
        catena.env("PATH", std::env::var("PATH").unwrap());
        catena.command().current_dir(self.room.path());
        catena
    }

    /// Starts the worker.
    pub(crate) fn start(&self, script: &str) -> Running<'_> {
        let config = self.config(script, |_| {});
        self.start_with(&config)
    }

    pub(crate) fn start_with(&self, config: &Path) -> Running<'_> {
        let mut catena = self.catena();
        let log = std::fs::File::create(self.path("stderr")).unwrap();
        let command = catena.arg("worker").arg(config).command();
        let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Running { case: self, child }
    }

    /// The bytes of an artifact of the target's first run, without their encoding; none of a link.
    pub(crate) fn body(&self, name: &str) -> Option<Vec<u8>> {
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

    pub(crate) fn artifact(&self, name: &str) -> String {
        String::from_utf8(self.body(name).unwrap_or_else(|| panic!("{name} has no body"))).unwrap()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.testbed.queue().artifacts(&self.target, 0).contains_key(name)
    }

    /// Waits until the script has made a file.
    pub(crate) fn wait_for(&self, name: &str) {
        let begun = Instant::now();
        while !self.path(name).exists() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn said(&self) -> String {
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
pub(crate) struct Running<'a> {
    pub(crate) case: &'a Case,
    pub(crate) child: Child,
}

impl Running<'_> {
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits until the run is resolved.
    pub(crate) fn resolved(&mut self, run: usize) -> RunView {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let resolved = self.case.testbed.queue().resolved(&self.case.target, run);
        let limit = Duration::from_secs(90);
        runtime
            .block_on(async { tokio::time::timeout(limit, resolved).await })
            .unwrap_or_else(|_| panic!("not resolved: {}", self.case.said()))
    }

    /// Waits until the worker has ended; its exit status.
    pub(crate) fn ended(mut self) -> i32 {
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
    pub(crate) fn drained(self) -> i32 {
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

pub(crate) fn push() -> Chain {
    Chain::demo().unwrap()
}

/// A push with an artifact that is not what its document says: the chain, the build and the artifact.
pub(crate) fn altered() -> (Chain, String, String) {
    let mut chain = push();
    let build = chain.builds[0].clone();
    let artifacts = chain.artifacts_mut(&build).unwrap();
    let name = artifacts.keys().find(|name| name.starts_with("public/build/")).unwrap().clone();
    artifacts.get_mut(&name).unwrap().body = b"something else".to_vec().into();
    (chain, build, name)
}

/// Waits until something is so.
pub(crate) fn until(case: &Case, what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}: {}", case.said());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A configuration whose tasks run whatever their chain is.
pub(crate) fn unverified(config: &mut Value) {
    config["verify_chain_of_trust"] = json!(false);
    config["verify_cot_signature"] = json!(false);
}
