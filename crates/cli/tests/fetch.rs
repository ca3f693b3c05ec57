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
        catena.args(["--keys", "../keys.json"]).run()
    };
    manifest(&digest);
    let answer = run();
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert_eq!(case.read("tool"), case.content);
    assert_eq!(case.read("tools/README"), b"read me\n");
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
