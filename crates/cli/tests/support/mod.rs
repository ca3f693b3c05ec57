//! Running the real binary against a testbed.
#![allow(dead_code, unreachable_pub)]

pub mod daemon;
pub mod relay;
pub mod resign;

use catena_testbed::seeds::Seed;
use catena_testbed::{Body, Chain, Options, Site, Testbed};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha512};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Numbers that a seed chooses (SplitMix64).
pub fn splitmix(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0xd134_2543_de82_ef95);
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// One run of the binary, with an environment of its own.
pub struct Catena(Command);

/// Its output.
#[derive(Debug)]
pub struct Answer {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Catena {
    /// The binary with an empty environment.
    pub fn new() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_catena"));
        command.env_clear().stdin(Stdio::null());
        Self(command)
    }

    /// The binary, with a testbed as its network; the CA file is put into `room`.
    pub fn through(testbed: &Testbed, room: &Path) -> Self {
        let ca_file = room.join("ca.pem");
        // Not written again: another binary may be reading it, and would find it empty for a moment.
        if std::fs::read(&ca_file).ok().as_deref() != Some(testbed.ca_pem().as_bytes()) {
            std::fs::write(&ca_file, testbed.ca_pem()).unwrap();
        }
        let mut catena = Self::new();
        catena
            .0
            .env("TASKCLUSTER_ROOT_URL", testbed.root_url())
            .env("HTTPS_PROXY", testbed.proxy_url())
            .env("SSL_CERT_FILE", ca_file);
        catena
    }

    pub fn arg(&mut self, argument: impl AsRef<OsStr>) -> &mut Self {
        self.0.arg(argument);
        self
    }

    pub fn args<A: AsRef<OsStr>>(&mut self, arguments: impl IntoIterator<Item = A>) -> &mut Self {
        self.0.args(arguments);
        self
    }

    pub fn env(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut Self {
        self.0.env(name, value);
        self
    }

    pub fn command(&mut self) -> &mut Command {
        &mut self.0
    }

    pub fn run(&mut self) -> Answer {
        let output = self.0.output().unwrap();
        let answer = Answer {
            status: output.status.code().expect("not ended by a signal"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        self.shows_no_secret(&answer);
        answer
    }

    /// Whatever a test is about: no private key that the binary was given, or made, is in its output or log.
    /// What it writes into the room of a test is searched when that ends ([`SearchedDir`]).
    ///
    /// [`SearchedDir`]: catena_testbed::seeds::SearchedDir
    fn shows_no_secret(&self, answer: &Answer) {
        let arguments: Vec<&Path> = self.0.get_args().map(Path::new).collect();
        let log = arguments.windows(2).find(|pair| pair[0] == Path::new("--log")).map(|pair| pair[1]);
        let log = log.and_then(|file| std::fs::read(file).ok()).unwrap_or_default();
        for seed in arguments.iter().filter_map(|file| Seed::in_file(file)) {
            let outputs = [answer.stdout.as_bytes(), answer.stderr.as_bytes(), &log];
            let shown = outputs.iter().any(|bytes| seed.is_shown_by(bytes));
            assert!(!shown, "a private key is shown by {:?}", self.0);
        }
    }
}

impl Answer {
    /// The failed findings of a JSON verdict, or the output in its place.
    pub fn failed(&self) -> String {
        let Ok(verdict) = serde_json::from_str::<Value>(&self.stdout) else { return self.stdout.clone() };
        let findings = verdict["findings"].as_array().into_iter().flatten();
        let failed = findings.filter(|finding| finding["disposition"] == "failed");
        failed
            .map(|finding| format!("{} on {}: {}\n", finding["code"], finding["link"], finding["message"]))
            .collect()
    }

    /// The codes of the failed findings of a JSON verdict.
    pub fn codes(&self) -> Vec<String> {
        let verdict: Value = serde_json::from_str(&self.stdout).unwrap();
        let findings = verdict["findings"].as_array().unwrap().iter();
        let failed = findings.filter(|finding| finding["disposition"] == "failed");
        failed.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
    }
}

/// A served chain, and a directory with its keys.
pub struct Case {
    pub testbed: Testbed,
    pub room: TempDir,
    pub target: String,
    pub kind: String,
    pub product: String,
}

impl Case {
    pub fn serving(chain: Chain) -> Self {
        let room = tempfile::tempdir().unwrap();
        keys_file(room.path(), &chain.keys.public_keys_base64());
        let (target, kind, product) = (chain.target.clone(), chain.kind.clone(), chain.product.clone());
        let testbed = Testbed::start_blocking(chain.into_site(), Options::default()).unwrap();
        Self { testbed, room, target, kind, product }
    }

    /// A command about the kind and product of the target, by the chain's keys, run in its directory. The keys are
    /// named as a user would, so that a verdict is the same wherever it is made.
    pub fn command(&self, command: &str) -> Catena {
        let mut catena = Catena::through(&self.testbed, self.room.path());
        catena.args([command, "--task-type", &self.kind, "--product", &self.product]);
        catena.arg("--keys").arg("keys.json").command().current_dir(self.room.path());
        catena
    }

    pub fn work_dir(&self) -> PathBuf {
        self.room.path().join("work")
    }
}

/// A chain with an artifact of its first build changed in storage.
pub fn altered(mut chain: Chain) -> Chain {
    let build = chain.builds[0].clone();
    let artifacts = chain.artifacts_mut(&build).unwrap();
    let name = artifacts.keys().find(|name| name.starts_with("public/build/")).unwrap().clone();
    artifacts.get_mut(&name).unwrap().body = b"something else".to_vec().into();
    chain
}

/// A file of keys in `room`.
pub fn keys_file(room: &Path, keys: &impl Serialize) -> PathBuf {
    let file = room.join("keys.json");
    std::fs::write(&file, serde_json::to_vec(keys).unwrap()).unwrap();
    file
}

/// The entries of a directory, sorted.
pub fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()));
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

/// Compares every file below `cot` with the document of its task; returns the number of files.
pub fn check_published(cot: &Path, site: &Site) -> usize {
    let mut checked = 0;
    // Catena's own record of the directories.
    for task in children(cot).into_iter().filter(|task| !task.ends_with(".catena")) {
        let task_id = task.file_name().unwrap().to_str().unwrap().to_owned();
        let run = site.tasks[&task_id].runs.values().next_back().unwrap();
        let document = match &run.artifacts["public/chain-of-trust.json"].body {
            Body::Bytes(bytes) => bytes.to_vec(),
            Body::File(file) => std::fs::read(file).unwrap(),
            other => panic!("a document made of {other:?}"),
        };
        let document: Value = serde_json::from_slice(&document).unwrap();
        for file in files(&task) {
            let name = file.strip_prefix(&task).unwrap().to_str().unwrap();
            let entry = document["artifacts"][name]
                .as_object()
                .unwrap_or_else(|| panic!("{name} is not in the document"));
            let bytes = std::fs::read(&file).unwrap();
            for (algorithm, digest) in entry {
                let measured = match algorithm.as_str() {
                    "sha256" => hex(&Sha256::digest(&bytes)),
                    "sha512" => hex(&Sha512::digest(&bytes)),
                    other => panic!("{other}"),
                };
                assert_eq!(Some(measured.as_str()), digest.as_str(), "{name} of {task_id}");
            }
            assert!(!entry.is_empty(), "{name} of {task_id} has no digest");
            checked += 1;
        }
    }
    checked
}

fn files(folder: &Path) -> Vec<PathBuf> {
    children(folder)
        .into_iter()
        .flat_map(|entry| if entry.is_dir() { files(&entry) } else { vec![entry] })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
