//! Real worker processes, and what the queue has of their tasks.

use super::Catena;
use catena_keys::{Signature, SigningKey};
use catena_testbed::chain::{DOCUMENT, SIGNATURE};
use catena_testbed::queue::{RunView, StoredArtifact};
use catena_testbed::{Queue, Testbed};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const TOKEN: &str = "GBEQTf20RJ-4HCLo8Y6fvgLyNzREdhRZSuRyc7VAgXHw";
const GROUP: &str = "the-group";
/// Longer than anything takes, also on a machine that has much else to do.
const LONGEST: Duration = Duration::from_secs(120);

/// A worker: its directory, its key, its configuration and, once it is started, its process.
pub struct Daemon {
    pub config: Value,
    pub key: SigningKey,
    id: String,
    room: TempDir,
    /// Where its key is: beside nothing that a script changes.
    etc: TempDir,
    child: Option<Child>,
}

impl Daemon {
    /// A worker that verifies nothing, with a key of its own, made of `seed`. The queue knows it.
    pub fn new(queue: &Queue, root_url: &str, pool: &str, id: &str, seed: u8) -> Self {
        let (claim, name) = (format!("queue:claim-work:{pool}"), format!("queue:worker-id:{GROUP}/{id}"));
        let client = format!("project/releng/{id}");
        queue.add_client(&client, TOKEN, &[&claim, &name, "queue:get-artifact:*"]);
        let (room, etc) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let key = SigningKey::from_seed(&[seed; 32]);
        let path = |name: &str| room.path().join(name).to_str().unwrap().to_owned();
        let (provisioner, worker_type) = pool.split_once('/').unwrap();
        let config = json!({
            "taskcluster_root_url": root_url, "provisioner_id": provisioner, "worker_type": worker_type,
            "worker_group": GROUP, "worker_id": id, "credentials": {"clientId": client, "accessToken": TOKEN},
            "work_dir": path("work"), "artifact_dir": path("artifacts"), "log_dir": path("logs"),
            "task_log_dir": path("artifacts/public/logs"), "ed25519_private_key_path": etc.path().join("key"),
            "task_script": ["/bin/true"], "poll_interval": 1, "verbose": true,
        });
        let worker = Self { config, key, id: id.to_owned(), room, etc, child: None };
        worker.write_key();
        worker
    }

    /// Writes its key where its configuration has it.
    pub fn write_key(&self) {
        let file = self.etc.path().join("key");
        std::fs::write(&file, self.key.to_base64().as_bytes()).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    }

    /// The same worker, which runs this text with a shell; `$ROOM` is its directory.
    pub fn with_script(mut self, text: &str) -> Self {
        let text = text.replace("$ROOM", self.room.path().to_str().unwrap());
        self.config["task_script"] = json!(["/bin/bash", "-c", text]);
        self
    }

    /// The same worker, which verifies chains of a kind of tasks by these keys.
    pub fn verifying(mut self, product: &str, kind: &str, keys: &Value) -> Self {
        let settings = json!({
            "cot_product": product, "cot_job_type": kind, "verify_chain_of_trust": true,
            "verify_cot_signature": true, "ed25519_public_keys": keys,
        });
        self.config.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        self
    }

    /// The pool that it claims tasks of.
    pub fn pool(&self) -> String {
        let text = |key: &str| self.config[key].as_str().unwrap().to_owned();
        format!("{}/{}", text("provisioner_id"), text("worker_type"))
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.room.path().join(name)
    }

    /// The directory of its key.
    pub fn etc(&self) -> &Path {
        self.etc.path()
    }

    pub fn public_key(&self) -> String {
        self.key.public_key().to_string()
    }

    /// Starts it, so that it reaches the world through a testbed.
    pub fn start(&mut self, testbed: &Testbed) {
        self.start_as(testbed, None);
    }

    /// Writes its configuration.
    pub fn write_config(&self) -> PathBuf {
        let file = self.path("scriptworker.yaml");
        std::fs::write(&file, self.config.to_string()).unwrap();
        file
    }

    /// Starts it, or another program that takes the same configuration as its last argument.
    pub fn start_as(&mut self, testbed: &Testbed, program: Option<Command>) {
        let config = self.write_config();
        let mut catena = Catena::through(testbed, self.room.path());
        catena.env("PATH", std::env::var("PATH").unwrap());
        let log = std::fs::File::options().create(true).append(true).open(self.path("stderr")).unwrap();
        let mut program = program;
        let command = match &mut program {
            None => catena.arg("worker").command(),
            Some(other) => other.stdin(Stdio::null()),
        };
        let command = command.arg(&config).current_dir(self.room.path());
        self.child = Some(command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
    }

    /// Whether its process is there.
    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// Its exit status, if it ends within this time; -1 if a signal ended it.
    pub fn exit_within(&mut self, limit: Duration) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.as_mut()?.try_wait().unwrap() {
                return Some(status.code().unwrap_or(-1));
            }
            if begun.elapsed() > limit {
                return None;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Its process.
    pub fn pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.child.as_ref()?.id()).ok()?)
    }

    /// A line of what the kernel says of its process, in KiB.
    pub fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(self.process().join("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Its descriptors; none where this user may not look.
    pub fn descriptors(&self) -> Option<usize> {
        std::fs::read_dir(self.process().join("fd")).map(Iterator::count).ok()
    }

    fn process(&self) -> PathBuf {
        Path::new("/proc").join(self.pid().unwrap().as_raw_pid().to_string())
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid().unwrap(), signal).unwrap();
    }

    /// Kills it, as the machine might.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Drains it; its exit status.
    pub fn drained(&mut self) -> i32 {
        self.signal(Signal::USR1);
        let mut child = self.child.take().unwrap();
        let begun = Instant::now();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status.code().unwrap_or_else(|| panic!("{status}: {}", self.said()));
            }
            if begun.elapsed() > LONGEST {
                let _ = child.kill();
                panic!("it does not end: {}", self.said());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn said(&self) -> String {
        std::fs::read_to_string(self.path("stderr")).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether a process has a handler for a signal.
pub fn catches(pid: u32, signal: Signal) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim();
    u64::from_str_radix(mask, 16).unwrap() & (1 << (signal.as_raw() - 1)) != 0
}

/// Waits until something is so.
pub fn until(what: &dyn Fn() -> String, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < LONGEST, "{}", what());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a run has ended, one way or another.
pub fn has_ended(run: &RunView) -> bool {
    !matches!(run.state.as_str(), "pending" | "running")
}

/// Waits until a run of a task has ended.
pub fn resolved(queue: &Queue, worker: &Daemon, task: &str, run: usize) -> RunView {
    until(&|| format!("{task}/{run} is not resolved: {}", worker.said()), || {
        queue.run(task, run).is_some_and(|run| has_ended(&run))
    });
    queue.run(task, run).unwrap()
}

/// What readers get of an artifact: its bytes without their encoding, or as they are where they do not have it.
pub fn content(artifact: &StoredArtifact) -> Option<Vec<u8>> {
    let bytes = artifact.bytes().unwrap()?;
    if artifact.encoding.as_deref() != Some("gzip") {
        return Some(bytes);
    }
    let mut plain = Vec::new();
    let decoded = flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut plain);
    Some(if decoded.is_ok() { plain } else { bytes })
}

/// The artifacts of a run that have a body.
pub fn contents(queue: &Queue, task: &str, run: usize) -> BTreeMap<String, Vec<u8>> {
    let artifacts = queue.artifacts(task, run).into_iter();
    artifacts.filter_map(|(name, artifact)| Some((name, content(&artifact)?))).collect()
}

/// Holds what a run left against its document: signed by the worker's key, about this run, and every artifact
/// with the digest and the size that it names. A run that left no document must not have completed, nor may a
/// document be there without its signature where the run has completed.
pub fn check_run(queue: &Queue, worker: &Daemon, task: &str, run: usize) -> Result<Option<Value>, String> {
    let state = queue.run(task, run).ok_or("no run")?.state;
    let found = contents(queue, task, run);
    let completed = state == "completed";
    let (Some(document), Some(signature)) = (found.get(DOCUMENT), found.get(SIGNATURE)) else {
        return if completed { Err(format!("completed with {:?}", found.keys())) } else { Ok(None) };
    };
    let signature = Signature::parse(signature).map_err(|error| error.to_string())?;
    if !worker.key.public_key().verify(document, &signature) {
        return Err("the signature is not the worker's".into());
    }
    let document: Value = serde_json::from_slice(document).map_err(|error| error.to_string())?;
    if (document["taskId"].as_str(), document["runId"].as_u64()) != (Some(task), u64::try_from(run).ok()) {
        return Err(format!("the document is of {} {}", document["taskId"], document["runId"]));
    }
    let listed = document["artifacts"].as_object().ok_or("no artifacts")?;
    for (name, entry) in listed {
        match found.get(name) {
            Some(bytes) => {
                let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
                let size = &document["custody"]["artifacts"][name]["size"];
                if entry["sha256"] != digest.as_str() || *size != json!(bytes.len()) {
                    return Err(format!("{name} is not what the document says"));
                }
            }
            None if completed => return Err(format!("{name} is missing")),
            None => {}
        }
    }
    let unlisted = found
        .keys()
        .find(|name| ![DOCUMENT, SIGNATURE].contains(&name.as_str()) && !listed.contains_key(*name));
    unlisted.map_or(Ok(Some(document)), |name| Err(format!("{name} is not in the document")))
}

/// Writes what a task of a chain made into a folder, for a script that makes it again; not its logs.
pub fn write_made(chain: &catena_testbed::Chain, task: &str, folder: &Path) {
    let run = chain.tasks[task].runs.values().next_back();
    for (name, artifact) in run.into_iter().flatten().filter(|(name, _)| !name.starts_with("public/logs/")) {
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let mut bytes = Vec::new();
        artifact.body.for_each(|chunk| io::Write::write_all(&mut bytes, chunk)).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
}
