//! `catena fetch` against a loopback Taskcluster: how far files are verified, what is refused, what is left.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use catena_testbed::{Artifact, Chain, Fault, Options, Page, Testbed};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use support::{Answer, Catena, children, keys_file};
use tempfile::TempDir;

/// A chain that is being served, whose first build made an archive too.
struct Case {
    testbed: Testbed,
    room: TempDir,
    build: String,
    run: u32,
    /// An artifact of the build, and its content.
    name: String,
    content: Vec<u8>,
    product: String,
}

const ARCHIVE: &str = "public/build/tools.tar.gz";

fn archive() -> Vec<u8> {
    let mut builder =
        tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, content, mode) in
        [("tools/bin/cc", "#!/bin/sh\n", 0o755), ("tools/README", "read me\n", 0o644)]
    {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(mode);
        builder.append_data(&mut header, name, content.as_bytes()).unwrap();
    }
    let mut link = tar::Header::new_ustar();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    builder.append_link(&mut link, "tools/cc", "bin/cc").unwrap();
    builder.into_inner().unwrap().finish().unwrap()
}

impl Case {
    fn new() -> Self {
        Self::bent(|_, _| {})
    }

    /// After the build's artifacts are sealed, `bend` changes the chain.
    fn bent(bend: impl FnOnce(&mut Chain, &str)) -> Self {
        let mut chain = Chain::demo().unwrap();
        let build = chain.builds[0].clone();
        chain
            .artifacts_mut(&build)
            .unwrap()
            .insert(ARCHIVE.to_owned(), Artifact::new(archive(), "application/gzip"));
        chain.reseal(&build).unwrap();
        bend(&mut chain, &build);
        let run = *chain.task(&build).unwrap().runs.keys().next_back().unwrap();
        let room = tempfile::tempdir().unwrap();
        let keys = chain.keys.public_keys_base64().into_iter();
        keys_file(
            room.path(),
            &Value::Object(keys.map(|(name, keys)| (name.to_owned(), Value::from(keys))).collect()),
        );
        let artifacts = chain.artifacts_mut(&build).unwrap();
        let (name, artifact) =
            artifacts.iter().find(|(name, _)| name.starts_with("public/build/") && *name != ARCHIVE).unwrap();
        let mut content = Vec::new();
        artifact
            .body
            .for_each(|chunk| {
                content.extend_from_slice(chunk);
                Ok(())
            })
            .unwrap();
        let (name, product) = (name.clone(), chain.product.clone());
        let mut site = chain.into_site();
        let indexed = json!({"namespace": "a.b", "taskId": build}).to_string();
        site.pages.insert("https://index/a.b".to_owned(), Page::new(indexed, "application/json"));
        let testbed = Testbed::start_blocking(site, Options::default()).unwrap();
        Self { testbed, room, build, run, name, content, product }
    }

    fn dest(&self) -> PathBuf {
        self.room.path().join("fetches")
    }

    fn task(&self) -> String {
        format!("task:{}", self.build)
    }

    fn catena(&self) -> Catena {
        let mut catena = Catena::through(&self.testbed, self.room.path());
        catena.command().current_dir(self.room.path());
        catena.arg("fetch");
        catena
    }

    /// Fetches with these options into the destination.
    fn fetch(&self, arguments: &[&str]) -> Answer {
        self.catena().args(arguments).arg("--dest").arg(self.dest()).run()
    }

    fn chain(&self) -> [&str; 4] {
        ["--product", &self.product, "--keys", "keys.json"]
    }

    /// Nothing at all is left in the destination, or there is none.
    #[track_caller]
    fn nothing_is_left(&self) {
        assert!(!self.dest().exists() || children(&self.dest()).is_empty(), "{:?}", children(&self.dest()));
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.dest().join(name)).unwrap()
    }

    fn file(&self) -> &str {
        self.name.rsplit('/').next().unwrap()
    }
}

fn sha256(content: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_strongest_trust_is_the_default_and_is_told() {
    let case = Case::new();
    let digest = sha256(&case.content);
    for (options, trust) in [
        (case.chain().to_vec(), "chain"),
        (vec!["--keys", "keys.json"], "signature"),
        (vec!["--sha256", &digest], "hash"),
        (vec!["--danger-unverified"], "none"),
        ([&case.chain()[..], &["--trust", "signature"]].concat(), "signature"),
    ] {
        let answer = case.fetch(&[&[case.task().as_str(), &case.name], options.as_slice()].concat());
        assert_eq!(answer.status, 0, "{options:?}: {}", answer.stderr);
        let told = format!("{trust:<9} sha256:{digest}");
        assert!(answer.stdout.starts_with(&told), "{options:?}: {}", answer.stdout);
        assert_eq!(case.read(case.file()), case.content);
        assert_eq!(children(&case.dest()).len(), 1);
        std::fs::remove_dir_all(case.dest()).unwrap();
    }
}

#[test]
fn without_anything_to_hold_files_against_nothing_is_fetched() {
    let case = Case::new();
    let answer = case.fetch(&[&case.task(), &case.name]);
    assert_eq!(answer.status, 2, "{}", answer.stderr);
    let answer = case.fetch(&[&case.task(), &case.name, "--trust", "chain", "--keys", "keys.json"]);
    assert_eq!(answer.status, 2, "{}", answer.stderr);
    let pattern = case.fetch(&[&case.task(), "public/*", "--danger-unverified"]);
    assert_eq!(pattern.status, 2, "{}", pattern.stderr);
    case.nothing_is_left();
    assert!(case.testbed.requests().iter().all(|request| !request.url.contains("_store")));
}

#[test]
fn an_altered_artifact_is_refused_with_both_digests() {
    let case = Case::new();
    case.testbed.fault("/_store/*", .., Fault::Replace(b"altered".to_vec().into()));
    let digest = sha256(&case.content);
    let answer = case.fetch(&[&case.task(), &case.name, "--sha256", &digest]);
    assert_eq!(answer.status, 1, "{}", answer.stderr);
    assert!(answer.stderr.contains("fetch-mismatch"), "{}", answer.stderr);
    assert!(
        answer.stderr.contains(&digest) && answer.stderr.contains(&sha256(b"altered")),
        "{}",
        answer.stderr
    );
    case.nothing_is_left();
}

#[test]
fn an_altered_artifact_of_a_verified_chain_is_refused() {
    let case = Case::bent(|chain, build| {
        chain.artifact_mut(build, ARCHIVE).unwrap().body = b"altered".to_vec().into();
    });
    let answer = case.fetch(&[&[case.task().as_str(), ARCHIVE, "--extract"], &case.chain()[..]].concat());
    assert_eq!(answer.status, 1, "{}", answer.stderr);
    assert!(answer.stderr.contains("fetch-mismatch"), "{}", answer.stderr);
    case.nothing_is_left();
}

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
fn what_the_signed_document_does_not_name_is_refused() {
    let case = Case::bent(|chain, build| {
        let artifacts = chain.artifacts_mut(build).unwrap();
        artifacts.insert("public/unsigned".to_owned(), Artifact::new(b"x".to_vec(), "text/plain"));
    });
    for options in [case.chain().to_vec(), vec!["--keys", "keys.json"]] {
        let answer = case.fetch(&[&[case.task().as_str(), "public/unsigned"], options.as_slice()].concat());
        assert_eq!(answer.status, 1, "{}", answer.stderr);
        assert!(answer.stderr.contains("fetch-not-named"), "{}", answer.stderr);
        case.nothing_is_left();
    }
}

#[test]
fn a_document_that_no_trusted_key_signed_is_refused() {
    let case = Case::bent(|chain, build| chain.signature_mut(build).unwrap()[7] ^= 1);
    for (options, code) in
        [(case.chain().to_vec(), "signature-"), (vec!["--keys", "keys.json"], "fetch-unknown-key")]
    {
        let answer = case.fetch(&[&[case.task().as_str(), &case.name], options.as_slice()].concat());
        assert_eq!(answer.status, 1, "{}", answer.stderr);
        assert!(answer.stderr.contains(code), "{}", answer.stderr);
        case.nothing_is_left();
    }
}

/// A signature says nothing of where the task came from; the chain does.
#[test]
fn a_chain_that_is_not_verified_is_refused_though_the_signature_is_right() {
    let case = Case::bent(|chain, build| {
        let definition = chain.definition_mut(build).unwrap();
        let env = definition.get_mut("payload").and_then(|payload| payload.get_mut("env")).unwrap();
        env.as_object_mut().unwrap().insert("EVIL", "1".into());
        chain.redocument(build);
    });
    let answer = case.fetch(&[&[case.task().as_str(), &case.name], &case.chain()[..]].concat());
    assert_eq!(answer.status, 1, "{}", answer.stderr);
    case.nothing_is_left();
    let answer = case.fetch(&[&case.task(), &case.name, "--keys", "keys.json"]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
}

#[test]
fn patterns_mean_what_the_document_names() {
    let case = Case::new();
    let answer = case.fetch(&[&case.task(), "public/build/*.tar.gz", "--keys", "keys.json", "--extract"]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert_eq!(case.read("tools/cc"), b"#!/bin/sh\n");
    assert_eq!(std::fs::read_link(case.dest().join("tools/cc")).unwrap(), Path::new("bin/cc"));
    assert_eq!(children(&case.dest()).len(), 1);
    let none = case.fetch(&[&case.task(), "public/none*", "--keys", "keys.json"]);
    assert_eq!(none.status, 1, "{}", none.stderr);
}

#[test]
fn a_route_of_the_index_is_pinned_and_told() {
    let case = Case::new();
    let answer = case.fetch(&["index:a.b", &case.name, "--keys", "keys.json"]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let pinned = format!("{}/{}", case.build, case.run);
    assert!(
        answer.stderr.contains(&pinned) && answer.stdout.contains(&pinned),
        "{}{}",
        answer.stderr,
        answer.stdout
    );
    let absent = case.fetch(&["index:a.c", &case.name, "--keys", "keys.json"]);
    assert_eq!(absent.status, 3, "{}", absent.stderr);
}

#[test]
fn moz_fetches_in_the_place_of_fetch_content() {
    let case = Case::new();
    let fetches = json!([
        {"artifact": ARCHIVE, "extract": true, "task": case.build},
        {"artifact": case.name, "extract": true, "task": case.build, "dest": "deep/er"},
        {"artifact": ARCHIVE, "extract": false, "task": case.build, "dest": "whole"},
    ]);
    let answer = case
        .catena()
        .args(["task-artifacts"])
        .args(case.chain())
        .env("MOZ_FETCHES", fetches.to_string())
        .env("MOZ_FETCHES_DIR", case.dest())
        .run();
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert_eq!(case.read("tools/README"), b"read me\n");
    assert_eq!(case.read(&format!("deep/er/{}", case.file())), case.content);
    assert_eq!(case.read("whole/tools.tar.gz"), archive());
    assert_eq!(children(&case.dest()).len(), 3);
    let line = answer.stderr.lines().find(|line| line.starts_with("PERFHERDER_DATA: ")).unwrap();
    let data: Value = serde_json::from_str(line.strip_prefix("PERFHERDER_DATA: ").unwrap()).unwrap();
    assert_eq!(data["suites"][0]["name"], "fetch_content");
    // One task: its document is fetched once for all three.
    let documents = case.testbed.requests().into_iter();
    let documents = documents
        .filter(|request| request.url.contains("/api/") && request.url.ends_with("chain-of-trust.json"));
    assert!(documents.filter(|request| request.url.contains(&case.build)).count() <= 1);

    let outside = json!([{"artifact": ARCHIVE, "extract": true, "task": case.build, "dest": "../x"}]);
    let answer = case
        .catena()
        .args(["task-artifacts", "--danger-unverified", "--dest", "d"])
        .env("MOZ_FETCHES", outside.to_string())
        .run();
    assert_eq!(answer.status, 2, "{}", answer.stderr);
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

#[test]
fn a_list_names_what_to_fetch() {
    let case = Case::new();
    let list = format!(
        "- task: {}\n  run: {}\n  artifact: {}\n  sha256: {}\n  dest: one\n- index: a.b\n  artifact: {ARCHIVE}\n  extract: true\n",
        case.build,
        case.run,
        case.name,
        sha256(&case.content)
    );
    std::fs::write(case.room.path().join("list.yml"), list).unwrap();
    let answer = case.fetch(&["--from", "list.yml", "--keys", "keys.json"]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert_eq!(children(&case.dest()).len(), 2);
    // The caller's digest and the document's contradict each other.
    let wrong = format!(
        "[{{\"task\": \"{}\", \"artifact\": \"{}\", \"sha256\": \"{}\"}}]",
        case.build,
        case.name,
        sha256(b"x")
    );
    std::fs::write(case.room.path().join("list.yml"), wrong).unwrap();
    let answer = case.fetch(&["--from", "list.yml", "--keys", "keys.json"]);
    assert_eq!(answer.status, 1, "{}", answer.stderr);
    assert!(answer.stderr.contains("fetch-digest-contradicts"), "{}", answer.stderr);
}

/// What one task downloaded the next one has, and nothing that was altered meanwhile.
#[test]
fn the_cache_is_used_and_not_trusted() {
    let case = Case::new();
    let fetch = |more: &[&str]| {
        let task = case.task();
        let arguments =
            [&[task.as_str(), ARCHIVE, &case.name, "--keys", "keys.json", "--format", "json"], more];
        let answer = case
            .catena()
            .args(arguments.concat())
            .args(["--cache", "cache"])
            .arg("--dest")
            .arg(case.dest())
            .run();
        assert_eq!(answer.status, 0, "{}", answer.stderr);
        let told: Value = serde_json::from_str(&answer.stdout).unwrap();
        assert_eq!(case.read(case.file()), case.content);
        std::fs::remove_dir_all(case.dest()).unwrap();
        told["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["cached"].as_bool().unwrap())
            .collect::<Vec<_>>()
    };
    let cache = |command: &str, more: &[&str]| {
        let mut catena = Catena::new();
        catena.command().current_dir(case.room.path());
        catena.args(["cache", command, "--cache", "cache"]).args(more).run()
    };
    let environment = case.room.path().join("state");
    std::fs::create_dir(&environment).unwrap();
    assert_eq!(fetch(&["--extract", "--cache-key", "state/key"]), [false, false]);
    assert_eq!(fetch(&["--extract", "--cache-key", "state/key"]), [true, true]);
    let stored = || {
        let requests = case.testbed.requests().into_iter();
        requests
            .filter(|request| request.url.contains("_store") && request.url.contains("tools.tar.gz"))
            .count()
    };
    let before = stored();
    assert_eq!(fetch(&["--cache-links", "--cache-key", "state/key"]), [true, true]);
    assert_eq!(stored(), before);
    let answer = cache("verify", &[]);
    assert!(answer.stdout.contains("all as it was written"), "{answer:?}");

    let name = sha256(&case.content);
    let shelf: String = name.chars().take(2).collect();
    let blob = case.room.path().join("cache/v1/blobs").join(shelf).join(&name);
    std::fs::remove_file(&blob).unwrap();
    std::fs::write(&blob, "altered").unwrap();
    assert_eq!(fetch(&["--cache-key", "state/key"]), [true, false]);
    std::fs::remove_file(&blob).unwrap();
    std::fs::write(&blob, "altered").unwrap();
    let answer = cache("verify", &[]);
    assert!(answer.stdout.contains("1 not as written") && !blob.exists(), "{answer:?}");
    let answer = cache("prune", &["--size", "0"]);
    assert!(answer.stdout.contains("1 file removed"), "{answer:?}");
    assert_eq!(fetch(&["--cache-key", "state/key"]), [false, false]);
}

/// Every fault at every phase: the right files, or none and a status that says why.
#[test]
fn faults_at_every_phase_leave_all_or_nothing() {
    let case = Case::new();
    let phases = [
        "*/status*",
        "/api/*chain-of-trust.json*",
        "/_store/*chain-of-trust.json.sig*",
        "/api/*tools.tar.gz*",
        "/_store/*tools.tar.gz*",
    ];
    let faults = [
        (Fault::Status(404), 3),
        (Fault::Status(403), 3),
        (Fault::HangUp, 3),
        (Fault::Truncate { after: 10 }, 3),
        (Fault::Encoding("br".into()), 3),
        (Fault::Redirect("ftp://127.0.0.1/".into()), 3),
        (Fault::Wander, 3),
        (Fault::Replace(b"{}".to_vec().into()), 0),
    ];
    for phase in phases {
        for (fault, status) in &faults {
            case.testbed.clear_faults();
            case.testbed.fault(phase, .., fault.clone());
            let answer = case.fetch(&[
                &case.task(),
                ARCHIVE,
                "--keys",
                "keys.json",
                "--extract",
                "--attempts",
                "2",
                "--stall",
                "1",
            ]);
            // A redirect whose body is broken is still a redirect.
            let redirects = phase.starts_with("/api");
            let harmless = redirects && matches!(fault, Fault::Truncate { .. } | Fault::Encoding(_));
            let wanted = if harmless { 0 } else { *status };
            let any = matches!(fault, Fault::Replace(_));
            assert!(any || answer.status == wanted, "{phase} {fault:?}: {}{}", answer.stdout, answer.stderr);
            if answer.status == 0 {
                assert_eq!(case.read("tools/README"), b"read me\n");
                std::fs::remove_dir_all(case.dest()).unwrap();
            }
            case.nothing_is_left();
        }
    }
}

/// Killed at any moment, nothing but whole files is in place, and the next one delivers all of them.
#[cfg(unix)]
#[test]
fn killed_and_run_again() {
    let case = Case::new();
    case.testbed.fault("/_store/*", .., Fault::Drip { bytes: 400, every: Duration::from_millis(4) });
    for wait in [20, 60, 120, 200, 400] {
        let mut catena = case.catena();
        catena
            .args([&case.task(), ARCHIVE, &case.name, "--keys", "keys.json", "--extract", "--dest"])
            .arg(case.dest());
        let mut child = catena.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        let left = if case.dest().exists() { children(&case.dest()) } else { Vec::new() };
        for path in left.iter().filter(|path| path.is_file()) {
            assert_eq!(std::fs::read(path).unwrap(), case.content);
        }
    }
    case.testbed.clear_faults();
    let answer = case.fetch(&[&case.task(), ARCHIVE, &case.name, "--keys", "keys.json", "--extract"]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let names: Vec<PathBuf> = children(&case.dest());
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn a_static_file_is_held_against_digest_and_length() {
    let case = Case::new();
    let url = format!("{}/_store/{}/{}/{}", case.testbed.root_url(), case.build, case.run, case.name);
    let run = |digest: &str, size: usize| {
        let size = size.to_string();
        case.catena()
            .args(["static-url", &url, "fetches/file", "--sha256", digest, "--size", &size, "-H", "x: a:b"])
            .run()
    };
    let digest = sha256(&case.content);
    let answer = run(&digest, case.content.len());
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert_eq!(case.read("file"), case.content);
    std::fs::remove_dir_all(case.dest()).unwrap();
    for (digest, size) in [
        (sha256(b"x"), case.content.len()),
        (digest.clone(), case.content.len() - 1),
        (digest, case.content.len() + 1),
    ] {
        let answer = run(&digest, size);
        assert_eq!(answer.status, 1, "{}", answer.stderr);
        case.nothing_is_left();
    }
}

/// The names and contents of a .tar.zst archive, as tar lists them.
fn listed(archive: &Path) -> Vec<String> {
    let extracted = tempfile::tempdir().unwrap();
    let mut tar = Command::new("tar");
    tar.arg("--zstd").arg("-xf").arg(archive).arg("-C").arg(extracted.path());
    assert!(tar.status().unwrap().success());
    let mut found = Vec::new();
    let mut left = vec![extracted.path().to_owned()];
    while let Some(folder) = left.pop() {
        for path in children(&folder) {
            let name = path.strip_prefix(extracted.path()).unwrap().display().to_string();
            match std::fs::read_link(&path) {
                Ok(target) => found.push(format!("{name} -> {}", target.display())),
                Err(_) if path.is_dir() => left.push(path),
                Err(_) => {
                    found.push(format!("{name}: {}", std::fs::read_to_string(&path).unwrap().trim_end()))
                }
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_static_archive_is_packed_anew() {
    let case = Case::new();
    let url = format!("{}/_store/{}/{}/{ARCHIVE}", case.testbed.root_url(), case.build, case.run);
    let (digest, size) = (sha256(&archive()), archive().len().to_string());
    let run = |dest: &str, more: &[&str]| {
        case.catena().args(["static-url", &url, dest, "--sha256", &digest, "--size", &size]).args(more).run()
    };
    let answer = run("fetches/tools.tar.zst", &[]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let members = ["tools/README: read me", "tools/bin/cc: #!/bin/sh", "tools/cc -> bin/cc"];
    assert_eq!(listed(&case.dest().join("tools.tar.zst")), members);
    let answer = run("fetches/tools.tar.zst", &["--strip-components", "1", "--add-prefix", "new/"]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let members = ["new/README: read me", "new/bin/cc: #!/bin/sh", "new/cc -> bin/cc"];
    assert_eq!(listed(&case.dest().join("tools.tar.zst")), members);
    // What has no archive's name is not made an archive of, and a refusal leaves nothing.
    std::fs::remove_dir_all(case.dest()).unwrap();
    let answer = run("fetches/tools.zip", &[]);
    assert_eq!(answer.status, 2, "{}", answer.stderr);
    let answer = run("fetches/tools.tar.zst", &["--strip-components", "3"]);
    assert_eq!(answer.status, 1, "{}", answer.stderr);
    assert!(answer.stderr.contains("archive-unsupported"), "{}", answer.stderr);
    case.nothing_is_left();
}

/// The key must be fit to sign now; gpg itself ends with 0 for the expired and the revoked one.
#[test]
fn a_static_file_is_signed_by_a_key_that_may() {
    if Command::new("gpg").arg("--version").output().is_err() {
        eprintln!("gpg is not installed: no signature is verified");
        return;
    }
    let data = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/openpgp"));
    let read = |name: &str| std::fs::read(data.join(name)).unwrap();
    let case = Case::bent(|chain, build| {
        let artifacts = chain.artifacts_mut(build).unwrap();
        for name in ["file", "good.sig", "expiring.sig", "revoked.sig", "sha1.sig", "subkey.sig", "other.sig"]
        {
            artifacts.insert(format!("public/{name}"), Artifact::new(read(name), "application/octet-stream"));
        }
    });
    let url =
        |name: &str| format!("{}/_store/{}/{}/public/{name}", case.testbed.root_url(), case.build, case.run);
    let (digest, size) = (sha256(&read("file")), read("file").len().to_string());
    let run = |signature: &str, key: &str| {
        let mut catena = case.catena();
        catena.args(["static-url", &url("file"), "fetches/file", "--sha256", &digest, "--size", &size]);
        catena.env("PATH", std::env::var_os("PATH").unwrap());
        catena.args(["--gpg-sig-url", &url(signature), "--gpg-key-path"]).arg(data.join(key)).run()
    };
    let answer = run("good.sig", "good.key");
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert!(answer.stderr.contains("GPG signature verified!"), "{}", answer.stderr);
    // Its owner extended the key.
    let answer = run("expiring.sig", "extended.key");
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    std::fs::remove_dir_all(case.dest()).unwrap();
    for (signature, key, code) in [
        ("expiring.sig", "expiring.key", "fetch-gpg-key"),
        ("revoked.sig", "revoked.key", "fetch-gpg-key"),
        ("subkey.sig", "subkey-revoked.key", "fetch-gpg-key"),
        ("subkey.sig", "subkey.key", "fetch-gpg-key"),
        ("good.sig", "revoked.key", "fetch-gpg-unknown-key"),
        ("other.sig", "good.key", "fetch-gpg-unknown-key"),
        ("sha1.sig", "good.key", "fetch-gpg-malformed"),
        ("file", "good.key", "fetch-gpg-malformed"),
    ] {
        let answer = run(signature, key);
        assert_eq!(answer.status, 1, "{signature}: {}", answer.stderr);
        assert!(answer.stderr.contains(code), "{signature}: {}", answer.stderr);
        case.nothing_is_left();
    }
    let mut catena = case.catena();
    catena.args(["static-url", &url("file"), "fetches/file", "--sha256", &digest, "--size", &size]);
    catena.args(["--gpg-sig-url", &url("good.sig"), "--gpg-key-env", "KEY"]);
    catena.env("PATH", std::env::var_os("PATH").unwrap());
    let answer = catena.env("KEY", String::from_utf8(read("good.key")).unwrap()).run();
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert!(!answer.stderr.contains("BEGIN PGP"), "{}", answer.stderr);
    // One without the other.
    let mut catena = case.catena();
    catena.args(["static-url", &url("file"), "fetches/file", "--sha256", &digest, "--size", &size]);
    assert_eq!(catena.args(["--gpg-sig-url", &url("good.sig")]).run().status, 2);
}

/// A repository with a submodule, and its commits: with the submodule and before it.
fn repository(room: &Path) -> (PathBuf, [String; 2]) {
    let git = |directory: &Path, arguments: &[&str]| {
        let output = Command::new("git")
            .args(["-c", "user.name=A", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"])
            .args(["-c", "protocol.file.allow=always"])
            .args(arguments)
            .current_dir(directory)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    };
    let (inner, outer) = (room.join("inner"), room.join("outer"));
    for (directory, file) in [(&inner, "in"), (&outer, "out")] {
        std::fs::create_dir(directory).unwrap();
        git(directory, &["init", "--quiet"]);
        std::fs::write(directory.join(file), format!("{file}\n")).unwrap();
        git(directory, &["add", "."]);
        git(directory, &["commit", "--quiet", "-m", "x"]);
    }
    std::os::unix::fs::symlink("out", outer.join("link")).unwrap();
    git(&outer, &["add", "."]);
    git(&outer, &["commit", "--quiet", "-m", "link"]);
    let before = git(&outer, &["rev-parse", "HEAD"]);
    git(&outer, &["submodule", "--quiet", "add", inner.to_str().unwrap(), "sub"]);
    git(&outer, &["commit", "--quiet", "-m", "sub"]);
    let after = git(&outer, &["rev-parse", "HEAD"]);
    (outer, [before, after])
}

#[test]
fn an_archive_of_a_commit() {
    let case = Case::new();
    let (repository, [before, after]) = repository(case.room.path());
    let config = case.room.path().join("gitconfig");
    std::fs::write(&config, "[protocol \"file\"]\n\tallow = always\n").unwrap();
    let run = |commit: &str, more: &[&str]| {
        let mut catena = case.catena();
        catena.env("PATH", std::env::var_os("PATH").unwrap()).env("GIT_CONFIG_GLOBAL", &config);
        catena
            .arg("git-checkout-archive")
            .arg(&repository)
            .args([commit, "fetches/a.tar.zst"])
            .args(more)
            .run()
    };
    let archive = case.dest().join("a.tar.zst");
    let answer = run(&before, &[]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert!(answer.stdout.starts_with("hash "), "{}", answer.stdout);
    assert_eq!(listed(&archive), ["outer/link -> out", "outer/out: out"]);
    let first = std::fs::read(&archive).unwrap();
    assert_eq!(run(&before, &[]).status, 0);
    assert_eq!(std::fs::read(&archive).unwrap(), first);

    let answer = run(&after, &["--path-prefix", "p"]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let names = listed(&archive);
    assert!(
        names.contains(&"p/sub/in: in".to_owned()) && names.contains(&"p/out: out".to_owned()),
        "{names:?}"
    );
    assert!(!names.iter().any(|name| name.contains(".git/") || name.contains("sub/.git")), "{names:?}");

    let answer = run("main", &[]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert!(answer.stdout.starts_with("none "), "{}", answer.stdout);
    std::fs::remove_dir_all(case.dest()).unwrap();
    for wrong in ["0123456789012345678901234567890123456789", "no-branch"] {
        let answer = run(wrong, &[]);
        assert_eq!(answer.status, 3, "{}", answer.stderr);
        assert!(answer.stderr.contains("fetch-git"), "{}", answer.stderr);
        case.nothing_is_left();
    }
}

/// With CATENA_SCRIPTWORKER_PYTHON, if that Python has taskgraph and zstandard: the same files as fetch-content.
#[test]
fn the_files_are_those_of_the_installed_fetch_content() {
    let Some(python) = std::env::var_os("CATENA_SCRIPTWORKER_PYTHON") else {
        eprintln!("CATENA_SCRIPTWORKER_PYTHON is not set: nothing is compared with fetch-content");
        return;
    };
    let find = "import os, taskgraph, zstandard; print(os.path.dirname(taskgraph.__file__))";
    let found = Command::new(&python).args(["-c", find]).output().unwrap();
    if !found.status.success() {
        eprintln!("that Python lacks taskgraph or zstandard: nothing is compared with fetch-content");
        return;
    }
    let package = String::from_utf8(found.stdout).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/compare_fetch_content.py");
    let compared = Command::new(&python)
        .arg(script)
        .arg(Path::new(package.trim_end()).join("run-task/fetch-content"))
        .arg(env!("CARGO_BIN_EXE_catena"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&compared.stdout);
    assert!(compared.status.success(), "{told}{}", String::from_utf8_lossy(&compared.stderr));
    assert!(told.lines().filter(|line| line.starts_with("ok  ")).count() > 30, "{told}");
}

/// run-task starts the file named fetch-content with its own Python.
#[test]
fn the_stub_stands_in_for_fetch_content() {
    let case = Case::new();
    let stub = case.room.path().join("fetch-content");
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/fetch-content"), &stub).unwrap();
    let run = |binary: Option<&str>, arguments: &[&str]| {
        let mut python = Command::new("python3");
        python.arg("-u").arg(&stub).args(arguments).env_clear().current_dir(case.room.path());
        python.env("PATH", std::env::var_os("PATH").unwrap());
        python
            .env("TASKCLUSTER_ROOT_URL", case.testbed.root_url())
            .env("CATENA_FETCH_ARGS", "--keys keys.json");
        python.env("MOZ_FETCHES_DIR", case.dest()).env(
            "MOZ_FETCHES",
            json!([{"artifact": ARCHIVE, "extract": true, "task": case.build}]).to_string(),
        );
        python.env("HTTPS_PROXY", case.testbed.proxy_url());
        if let Some(binary) = binary {
            python.env("CATENA_BINARY", binary);
        }
        python.output().unwrap()
    };
    let binary = env!("CARGO_BIN_EXE_catena");
    let output = run(Some(binary), &["task-artifacts"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert_eq!(case.read("tools/README"), b"read me\n");
    // The lines of fetch-content, in their order.
    let mut rest = told.as_str();
    for line in [
        "Downloading http",
        "resolved to",
        "Verified sha256 integrity of http",
        "Extracting ",
        " extracted in ",
        "Removing ",
        "PERFHERDER_DATA: {",
    ] {
        rest = rest.split_once(line).unwrap_or_else(|| panic!("{line:?} is not in its place in {told}")).1;
    }
    // The options of CATENA_FETCH_ARGS are those of task-artifacts alone, and statuses are passed on.
    let output = run(Some(binary), &["static-url"]);
    assert_eq!(output.status.code(), Some(2));
    // Beside the stub.
    std::os::unix::fs::symlink(binary, case.room.path().join("catena")).unwrap();
    assert_eq!(run(None, &["task-artifacts"]).status.code(), Some(0));
    std::fs::remove_file(case.room.path().join("catena")).unwrap();
    let output = run(None, &["task-artifacts"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("CATENA_BINARY"));
}

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

#[test]
fn toolchains_of_tasks_and_of_tooltool() {
    let case = Case::new();
    std::fs::create_dir(case.dest()).unwrap();
    let digest = sha256(&case.content);
    let url = format!("{}/_store/{}/{}/{}", case.testbed.root_url(), case.build, case.run, case.name);
    case.testbed.fault("/tooltool/*", .., Fault::Redirect(url));
    let manifest = |digest: &str| {
        let entry =
            json!({"filename": "tool", "size": case.content.len(), "algorithm": "sha256", "digest": digest});
        std::fs::write(case.room.path().join("manifest.tt"), json!([entry]).to_string()).unwrap();
    };
    let run = || {
        let mut catena = case.catena();
        catena.command().current_dir(case.dest());
        let from = format!("{}:{ARCHIVE}", case.build);
        catena.args(["toolchain", "--from-task", &from, "--tooltool-manifest", "../manifest.tt"]);
        catena.arg("--tooltool-url").arg(format!("{}/tooltool", case.testbed.root_url()));
        catena.args(["--retry", "1", "--cache-dir", "../cache", "--cache-key", "../state/key"]);
        catena.args(["--artifact-manifest", "../toolchains.json", "-v"]);
        catena.args(["--keys", "../keys.json"]).run()
    };
    std::fs::create_dir(case.room.path().join("state")).unwrap();
    manifest(&digest);
    let answer = run();
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert_eq!(case.read("tool"), case.content);
    assert_eq!(case.read("tools/README"), b"read me\n");
    let written = std::fs::read_to_string(case.room.path().join("toolchains.json")).unwrap();
    let written: serde_json::Map<String, Value> = serde_json::from_str(&written).unwrap();
    assert_eq!(written.len(), 2);
    for (url, entry) in written {
        let expected = if url.ends_with(ARCHIVE) { sha256(&archive()) } else { digest.clone() };
        assert_eq!(entry, json!({"sha256": expected}), "{url}");
    }
    let mut older = case.catena();
    older.args(["toolchain", "--skip-cache", "--keys", "keys.json", "--no-unpack"]);
    let answer = older.env("MOZ_TOOLCHAINS", format!("{ARCHIVE}@{}", case.build)).run();
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert_eq!(std::fs::read(case.room.path().join("tools.tar.gz")).unwrap(), archive());
    let answer = case.catena().args(["toolchain", "--from-build", "linux64-clang"]).run();
    assert_eq!(answer.status, 2, "{}", answer.stderr);
    manifest(&sha256(b"x"));
    let answer = run();
    assert_eq!(answer.status, 1, "{}", answer.stderr);
}

/// Whether this kernel gives a process a network of its own; where it does not, that must be said.
fn namespaces() -> bool {
    Command::new("unshare").args(["--user", "--net", "true"]).status().is_ok_and(|status| status.success())
}

#[cfg(target_os = "linux")]
#[test]
fn a_command_runs_without_any_network() {
    let case = Case::new();
    let port = case.testbed.root_url();
    let port = port.rsplit(':').next().unwrap();
    // Loopback is up, but it is another one: the testbed cannot be reached there.
    let script = format!(
        "cat fetches/{} >/dev/null && echo \"$SAID in $(pwd)\" && \
         ! (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null && grep -q lo: /proc/net/dev && \
         [ $(grep -c : /proc/net/dev) = 1 ] && exit 7",
        case.file()
    );
    let answer = case
        .catena()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .args([&case.task(), &case.name, "--keys", "keys.json", "--dest", "fetches"])
        .args(["--offline-exec", "--env", "SAID=hello", "--cd"])
        .arg(case.room.path())
        .args(["--", "bash", "-c", &script])
        .run();
    if namespaces() {
        assert_eq!(answer.status, 7, "{}{}", answer.stdout, answer.stderr);
        assert!(answer.stdout.contains("hello in "), "{}", answer.stdout);
    } else {
        assert_eq!(answer.status, 2, "{}", answer.stderr);
        assert!(answer.stderr.contains("user.max_user_namespaces"), "{}", answer.stderr);
    }
}
