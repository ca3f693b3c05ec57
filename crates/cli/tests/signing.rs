//! `catena keys` and `catena sign`, through the real binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

#[path = "differential/reference.rs"]
#[allow(dead_code)]
mod reference;
mod support;

use catena_keys::PublicKey;
use catena_testbed::chain::{DOCUMENT, Layout, SIGNATURE};
use catena_testbed::seeds::SearchedDir;
use catena_testbed::{Artifact, Chain, Options, Release, Testbed, Trigger};
use reference::{Reference, Word};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fs::Permissions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use support::{Answer, Catena, keys_file};

/// What a worker is given for one run of a chain's task.
struct Work<'a> {
    chain: &'a Chain,
    id: &'a str,
    room: &'a Path,
    /// What the testbed's worker signed.
    signed: Value,
}

impl<'a> Work<'a> {
    /// Puts the run's artifacts into a folder of their own.
    fn new(chain: &'a Chain, id: &'a str, room: &'a Path) -> Self {
        let task = &chain.tasks[id];
        let folder = room.join(id);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, artifact) in task.runs.values().next_back().unwrap() {
            let file = folder.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            let mut file = std::fs::File::create(file).unwrap();
            artifact.body.for_each(|bytes| file.write_all(bytes)).unwrap();
        }
        let signed = serde_json::from_slice(&task.document.as_ref().unwrap().bytes()).unwrap();
        Self { chain, id, room, signed }
    }

    fn folder(&self) -> PathBuf {
        self.room.join(self.id)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.room.join(format!("{}-{name}", self.id));
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        file
    }

    fn key(&self) -> PathBuf {
        let key = self.chain.keys.signing_key(self.chain.tasks[self.id].implementation);
        self.write("key", &key.to_base64())
    }

    /// `catena sign` without a key, and without a record of custody or anything of an image.
    fn command(&self, style: &str) -> Catena {
        let text = |name: &str| self.signed[name].as_str().unwrap().to_owned();
        let run = self.signed["runId"].to_string();
        let mut environment = self.signed["environment"].clone();
        environment.as_object_mut().unwrap().retain(|name, _| !name.starts_with("image"));
        let mut catena = Catena::new();
        catena.arg("sign").arg("--task").arg(self.write("task", &self.signed["task"].to_string()));
        catena.args(["--run", &run, "--style", style, "--task-id", self.id]);
        catena.args(["--worker-group", &text("workerGroup"), "--worker-id", &text("workerId")]);
        catena.arg("--artifacts").arg(self.folder());
        catena.arg("--environment").arg(self.write("environment", &environment.to_string()));
        catena
    }

    /// `catena sign` with the key, the facts and the time of the record of custody, and without its inputs.
    fn command_with_custody(&self, style: &str) -> Catena {
        let record = &self.signed["custody"];
        let mut uploads = record["artifacts"].clone();
        for upload in uploads.as_object_mut().unwrap().values_mut() {
            upload.as_object_mut().unwrap().remove("size").unwrap();
        }
        let mut facts = json!({
            "worker": record["worker"], "creatorClientId": record["creatorClientId"], "artifacts": uploads,
        });
        if let Some(image) = record.get("image") {
            facts["image"] = image.clone();
        }
        let mut catena = self.command(style);
        catena.arg("--key").arg(self.key()).arg("--facts").arg(self.write("facts", &facts.to_string()));
        catena.args(["--signed-at", record["signedAt"].as_str().unwrap()]);
        catena
    }

    /// The document and its signature, once they are written.
    fn written(&self) -> (Vec<u8>, Vec<u8>) {
        let read = |name: &str| std::fs::read(self.folder().join(name)).unwrap();
        (read(DOCUMENT), read(SIGNATURE))
    }
}

/// Signs one task of a chain as today's workers do; answers the document and its signature.
fn signed(chain: &Chain, id: &str, style: &str, room: &Path) -> (Vec<u8>, Vec<u8>) {
    let work = Work::new(chain, id, room);
    let mut catena = work.command(style);
    catena.arg("--no-custody").arg("--key").arg(work.key());
    let mut image = work.signed["environment"].clone();
    image.as_object_mut().unwrap().retain(|name, _| name.starts_with("image"));
    if !image.as_object().unwrap().is_empty() {
        catena
            .arg("--additional-data")
            .arg(work.write("additional", &json!({"environment": image}).to_string()));
    }
    let answer = catena.run();
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""), "{id}");
    work.written()
}

/// Signs one task of a chain with a record of custody that says what the testbed's worker recorded.
fn signed_with_custody(chain: &Chain, id: &str, style: &str, room: &Path) -> (Vec<u8>, Vec<u8>) {
    let work = Work::new(chain, id, room);
    let record = &work.signed["custody"];
    let inputs = json!({"version": 1, "inputs": record["inputs"]});
    let mut catena = work.command_with_custody(style);
    let log = room.join("sign.log");
    catena.arg("--log").arg(&log).arg("--inputs").arg(work.write("inputs", &inputs.to_string()));
    let answer = catena.run();
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""), "{id}");
    let (document, signature) = work.written();
    let logged = std::fs::read_to_string(log).unwrap();
    assert!(logged.contains(&hex::encode(Sha256::digest(&document))), "{logged}");
    let written: Value = serde_json::from_slice(&document).unwrap();
    assert_eq!(written["custody"], *record, "{id}");
    assert_eq!(written["environment"], work.signed["environment"], "{id}");
    (document, signature)
}

fn release() -> Chain {
    Release { finished: true, ..Release::new("firefox", Trigger::Push).unwrap() }.build().unwrap()
}

/// The same, where every worker records custody.
fn release_with_custody() -> Chain {
    let release = Release::new("firefox", Trigger::Push).unwrap();
    Release { finished: true, custody: true, ..release }.build().unwrap()
}

/// Puts what Catena signs in the place of what the testbed's workers signed.
fn replace_documents(chain: &mut Chain, room: &Path) {
    for id in finished(chain) {
        let document = chain.tasks[&id].document.as_ref().unwrap();
        let style = if document.layout == Layout::Python { "scriptworker" } else { "generic-worker" };
        let custody = document.value.get("custody").is_some();
        let sign = if custody { signed_with_custody } else { signed };
        let (bytes, signature) = sign(chain, &id, style, room);
        *chain.signature_mut(&id).unwrap() = signature;
        let artifact = Artifact::new(bytes, "text/plain; charset=utf-8");
        chain.artifacts_mut(&id).unwrap().insert(DOCUMENT.into(), artifact);
    }
}

/// The answer about a chain, over loopback.
fn judged(chain: Chain, room: &Path) -> Answer {
    let keys = json!(chain.keys.public_keys_base64());
    let file = keys_file(room, &keys);
    let (kind, product, target) = (chain.kind.clone(), chain.product.clone(), chain.target.clone());
    let testbed = Testbed::start_blocking(chain.into_site(), Options::default()).unwrap();
    let mut catena = Catena::through(&testbed, room);
    catena.args(["verify", "--task-type", &kind, "--product", &product, "--format", "json", "--keys"]);
    let answer = catena.arg(file).args(["--", &target]).run();
    let Some(python) = std::env::var_os("CATENA_SCRIPTWORKER_PYTHON") else {
        eprintln!("CATENA_SCRIPTWORKER_PYTHON is not set: the release is not judged by scriptworker");
        return answer;
    };
    if answer.status == 0 {
        let port: u16 = testbed.root_url().rsplit(':').next().unwrap().parse().unwrap();
        let request = json!({
            "port": port, "product": product, "kind": kind, "task_id": target, "check_task": true, "keys": keys,
            "work_dir": room.join("reference"),
        });
        let word = Reference::new(python.into(), testbed.ca_pem()).ask(&request);
        assert!(matches!(word, Word::Accepted { .. }), "{word:?}");
    }
    answer
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
    let (chain, room) = (release(), SearchedDir::new().unwrap());
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

/// With `CATENA_SCRIPTWORKER_PYTHON`, scriptworker verifies it too.
#[test]
fn a_release_that_catena_signs_is_verified() {
    for mut chain in [release(), release_with_custody()] {
        let room = SearchedDir::new().unwrap();
        replace_documents(&mut chain, room.path());
        let answer = judged(chain, room.path());
        assert_eq!(answer.status, 0, "{}{}", answer.failed(), answer.stderr);
    }
}

#[test]
fn documents_with_and_without_custody_stand_in_one_chain() {
    let (mut chain, room) = (release_with_custody(), SearchedDir::new().unwrap());
    for id in [chain.decisions[0].clone(), chain.builds[1].clone()] {
        let document = chain.document_mut(&id).unwrap();
        document.as_object_mut().unwrap().remove("custody").unwrap();
        assert!(chain.resign(&id));
    }
    replace_documents(&mut chain, room.path());
    let answer = judged(chain, room.path());
    assert_eq!(answer.status, 0, "{}{}", answer.failed(), answer.stderr);
}

#[test]
fn an_input_that_was_exchanged_is_refused() {
    let (mut chain, room) = (release_with_custody(), SearchedDir::new().unwrap());
    let build = chain.builds[0].clone();
    let inputs = chain.document_mut(&build).unwrap().get_mut("custody").unwrap().get_mut("inputs").unwrap();
    let input = inputs.as_array_mut().unwrap()[0].as_object_mut().unwrap();
    input.insert("sha256", "ab".repeat(32).into());
    replace_documents(&mut chain, room.path());
    let answer = judged(chain, room.path());
    assert_eq!(answer.status, 1, "{}", answer.stderr);
    assert_eq!(answer.codes(), ["input-mismatched"]);
}

/// A release whose builds get their inputs through `catena fetch`: a copy is served as it is, each build's inputs are
/// fetched from there, and what was written down is what the build's worker signs. `bend` may change what was written.
fn release_with_fetched_inputs(room: &Path, bend: impl Fn(&mut Value)) -> Result<Chain, Answer> {
    let mut chain = release_with_custody();
    let keys = keys_file(room, &chain.keys.public_keys_base64());
    let testbed = Testbed::start_blocking(chain.clone().into_site(), Options::default()).unwrap();
    let mut fetched = 0;
    for id in finished(&chain) {
        let mut signed: Value =
            serde_json::from_slice(&chain.tasks[&id].document.as_ref().unwrap().bytes()).unwrap();
        let inputs = signed["custody"]["inputs"].as_array().cloned().unwrap_or_default();
        if inputs.is_empty() {
            continue;
        }
        let list: Vec<Value> = inputs
            .iter()
            .map(|input| json!({"task": input["taskId"], "artifact": input["name"], "dest": input["taskId"]}))
            .collect();
        let (list_file, record) = (room.join("list.json"), room.join("record.json"));
        std::fs::write(&list_file, json!(list).to_string()).unwrap();
        let mut catena = Catena::through(&testbed, room);
        catena.arg("fetch").arg("--from").arg(&list_file).arg("--dest").arg(room.join("fetched"));
        let answer = catena.arg("--keys").arg(&keys).arg("--record").arg(&record).run();
        assert_eq!(answer.status, 0, "{}", answer.stderr);
        let mut written: Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
        fetched += written["inputs"].as_array().unwrap().len();
        bend(&mut written);
        std::fs::write(&record, written.to_string()).unwrap();
        signed["custody"]["inputs"] = written["inputs"].clone();
        let work = Work { signed, ..Work::new(&chain, &id, room) };
        let style = match chain.tasks[&id].document.as_ref().unwrap().layout {
            Layout::Python => "scriptworker",
            _ => "generic-worker",
        };
        let answer = work.command_with_custody(style).arg("--inputs").arg(&record).run();
        if answer.status != 0 {
            return Err(answer);
        }
        let (document, signature) = work.written();
        *chain.signature_mut(&id).unwrap() = signature;
        let artifact = Artifact::new(document, "text/plain; charset=utf-8");
        chain.artifacts_mut(&id).unwrap().insert(DOCUMENT.into(), artifact);
    }
    assert!(fetched > 2, "{fetched}");
    Ok(chain)
}

#[test]
fn a_release_whose_builds_fetch_their_inputs_is_verified_by_them() {
    let room = SearchedDir::new().unwrap();
    let chain = release_with_fetched_inputs(room.path(), |_| {}).unwrap();
    let answer = judged(chain, room.path());
    assert_eq!(answer.status, 0, "{}{}", answer.failed(), answer.stderr);
    let verdict: Value = serde_json::from_str(&answer.stdout).unwrap();
    let findings = verdict["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| finding["code"] == "inputs-match"), "{findings:?}");
}

#[test]
fn a_fetched_input_that_was_altered_or_is_not_pinned_is_refused() {
    let first = |written: &mut Value, member: &str, value: Value| written["inputs"][0][member] = value;
    for (member, value, code) in [
        ("sha256", json!("ab".repeat(32)), "input-mismatched"),
        ("runId", json!(7), "input-run"),
        ("name", json!("public/build/another"), "input-unlisted"),
    ] {
        let room = SearchedDir::new().unwrap();
        let chain = release_with_fetched_inputs(room.path(), |written| first(written, member, value.clone()));
        let answer = judged(chain.unwrap(), room.path());
        assert_eq!(answer.status, 1, "{member}: {}", answer.stderr);
        assert!(answer.codes().contains(&code.to_owned()), "{member}: {:?}", answer.codes());
    }
    for member in ["runId", "sha256", "verified"] {
        let room = SearchedDir::new().unwrap();
        let answer = release_with_fetched_inputs(room.path(), |written| {
            written["inputs"][0].as_object_mut().unwrap().remove(member).unwrap();
        });
        let answer = answer.unwrap_err();
        assert_eq!(answer.status, 2, "{member}: {}", answer.stderr);
        assert!(answer.stderr.contains(member), "{member}: {}", answer.stderr);
    }
}

#[test]
fn a_task_cannot_write_the_record_of_custody() {
    let (chain, room) = (release(), SearchedDir::new().unwrap());
    let work = Work::new(&chain, &chain.builds[0], room.path());
    for more in [&[][..], &["--no-custody"]] {
        let mut catena = work.command("generic-worker");
        catena.args(more).arg("--key").arg(work.key());
        catena.arg("--additional-data").arg(work.write("additional", r#"{"custody":{"version":1}}"#));
        let answer = catena.run();
        assert_eq!(answer.status, 2);
        assert!(answer.stderr.contains("only the worker writes it"), "{}", answer.stderr);
    }
}

#[test]
fn an_agent_signs_for_a_process_that_cannot_read_the_key() {
    let (chain, room) = (release(), SearchedDir::new().unwrap());
    let work = Work::new(&chain, &chain.builds[0], room.path());
    let (socket, key) = (room.path().join("agent.sock"), work.key());
    let mut agent = Command::new(env!("CARGO_BIN_EXE_catena"));
    agent.env_clear().args(["keys", "agent", "--socket"]).arg(&socket).arg("--key").arg(&key);
    let mut agent = agent.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = String::new();
    BufReader::new(agent.stdout.take().unwrap()).read_line(&mut told).unwrap();
    let public = PublicKey::parse_base64(told.trim_end()).unwrap();
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    room.remember(chain.keys.signing_key(chain.tasks[work.id].implementation));
    std::fs::remove_file(&key).unwrap();
    let mut catena = work.command("generic-worker");
    let answer = catena.arg("--signer").arg(format!("unix:{}", socket.display())).run();
    agent.kill().unwrap();
    let log = agent.wait_with_output().unwrap();
    let log = String::from_utf8(log.stderr).unwrap();
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""), "{log}");
    let (document, signature) = work.written();
    assert!(public.verify(&document, &catena_keys::Signature::parse(&signature).unwrap()));
    let written: Value = serde_json::from_slice(&document).unwrap();
    let id: String = public.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(written["custody"]["keyId"], format!("sha256:{id}"));
    assert!(log.contains("signed ") && log.contains(", for user "), "{log}");
    let outputs = [("stdout", &answer.stdout), ("the agent's log", &log), ("the agent's stdout", &told)];
    let leaks = room.leaks(&outputs.map(|(name, text)| (name, text.as_bytes())));
    assert!(leaks.is_empty(), "{leaks:?}");
    let mut catena = work.command("generic-worker");
    let gone = catena.arg("--signer").arg(format!("unix:{}", socket.display())).run();
    assert_eq!(gone.status, 3);
    assert!(gone.stderr.contains("agent.sock"), "{}", gone.stderr);
}

/// The example of a signer that keeps its key elsewhere, as a hardware module does behind OpenSSL.
#[test]
fn the_example_signer_signs_with_openssl() {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("openssl is not installed: the example signer is not run");
        return;
    }
    let (chain, room) = (release(), SearchedDir::new().unwrap());
    let work = Work::new(&chain, &chain.builds[0], room.path());
    let key = room.path().join("key.pem");
    let public = Catena::new().args(["keys", "new", "--form", "pem"]).arg(&key).run().stdout;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/signer-openssl");
    let mut catena = work.command("generic-worker");
    catena.env("PATH", std::env::var_os("PATH").unwrap());
    let answer = catena.arg("--signer").arg(format!("{script} {}", key.display())).run();
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    let (document, signature) = work.written();
    let public = PublicKey::parse_base64(public.trim_end()).unwrap();
    assert!(public.verify(&document, &catena_keys::Signature::parse(&signature).unwrap()));
}

#[test]
fn a_key_is_made_once_and_tells_its_public_key() {
    let room = SearchedDir::new().unwrap();
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
    let (chain, room) = (release(), SearchedDir::new().unwrap());
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
    let room = SearchedDir::new().unwrap();
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
    let request = json!({
        "task_file": task, "task_id": id, "run_id": 3, "worker_group": "g", "worker_id": "w-1", "worker_type": "t",
        "artifacts": theirs, "key": key,
    });
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/reference-sign.py");
    let output = Command::new(python).arg(script).arg(request.to_string()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut catena = Catena::new();
    catena.args(["sign", "--style", "scriptworker", "--task-id", id, "--run", "3", "--worker-group", "g"]);
    catena.args(["--no-custody", "--worker-id", "w-1", "--worker-type", "t", "--task"]).arg(&task);
    let answer = catena.arg("--artifacts").arg(&ours).arg("--key").arg(&key).run();
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    let read = |folder: &Path, name: &str| std::fs::read(folder.join(name)).unwrap();
    let text = |folder: &Path| String::from_utf8(read(folder, DOCUMENT)).unwrap();
    assert_eq!(text(&ours), text(&theirs));
    assert_eq!(read(&ours, SIGNATURE), read(&theirs, SIGNATURE));
}
