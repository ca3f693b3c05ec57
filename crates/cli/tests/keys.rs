//! The trust file through the real binary: the walk of `docs/keys.md`, rotation and revocation of the keys of a
//! release, audits, and that no output ever has a private key.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

#[path = "differential/reference.rs"]
#[allow(dead_code)]
mod reference;
mod support;

use catena_keys::SigningKey;
use catena_testbed::chain::DOCUMENT;
use catena_testbed::seeds::SearchedDir;
use catena_testbed::{Artifact, Chain, Options, Release, Testbed, Trigger};
use reference::{Reference, Word};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::resign::sign_run;
use support::{Answer, Catena};

/// Blocks of the page in a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let page = include_str!("../../../docs/keys.md");
    let starts = page.split(language).skip(1);
    starts.map(|rest| rest.split_once("\n```").unwrap().0).collect()
}

#[test]
fn the_commands_of_the_page_work() {
    let room = SearchedDir::new().unwrap();
    let script = blocks("```sh\n").join("\n");
    assert!(["keys new", "rotate", "revoke", "audit", "check"].iter().all(|word| script.contains(word)));
    let binary = Path::new(env!("CARGO_BIN_EXE_catena")).parent().unwrap();
    let path = format!("{}:/usr/bin:/bin", binary.display());
    let mut shell = Command::new("/bin/sh");
    shell.args(["-eu", "-c", &script]).current_dir(room.path()).env_clear().env("PATH", path);
    let output = shell.output().unwrap();
    let (stdout, stderr) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{stdout}{stderr}");
    for line in blocks("```diff\n").iter().flat_map(|block| block.lines()) {
        assert!(stdout.lines().any(|told| told == line), "{line:?} is not in\n{stdout}");
    }
    let leaks = room.leaks(&[("stdout", stdout.as_bytes()), ("stderr", stderr.as_bytes())]);
    assert!(leaks.is_empty(), "{leaks:?}");
    let made = std::fs::read_to_string(room.path().join("trust.yml")).unwrap();
    assert!(
        made.contains("reason: 'the image was public (bug 123)'") && made.contains("id: gecko-3-2027"),
        "{made}"
    );
}

/// A release of which every run is signed by `catena sign` with one key.
struct Signed {
    testbed: Testbed,
    kind: String,
    target: String,
}

impl Signed {
    fn by(key: &Path, room: &Path) -> Self {
        let release =
            Release { finished: true, builds: 2, ..Release::new("firefox", Trigger::Push).unwrap() };
        let mut chain: Chain = release.build().unwrap();
        let finished = chain.tasks.iter().filter(|(_, task)| task.document.is_some());
        for id in finished.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            let (bytes, signature) = sign_run(&chain, &id, key, room);
            *chain.signature_mut(&id).unwrap() = signature;
            let document = Artifact::new(bytes, "text/plain; charset=utf-8");
            chain.artifacts_mut(&id).unwrap().insert(DOCUMENT.into(), document);
        }
        let (kind, target) = (chain.kind.clone(), chain.target.clone());
        Self {
            testbed: Testbed::start_blocking(chain.into_site(), Options::default()).unwrap(),
            kind,
            target,
        }
    }

    fn verify(&self, room: &Path, policy: &Path, more: &[&str]) -> Answer {
        let mut catena = Catena::through(&self.testbed, room);
        catena.args(["verify", "--task-type", &self.kind, "--product", "firefox", "--format", "json"]);
        catena.args(more).arg("--policy").arg(policy).args(["--", &self.target]).run()
    }
}

impl Signed {
    /// What the installed scriptworker says, which knows these public keys and no time of theirs. None where
    /// `CATENA_SCRIPTWORKER_PYTHON` is not set.
    fn by_reference(&self, keys: &[String], room: &Path) -> Option<Word> {
        let python = std::env::var_os("CATENA_SCRIPTWORKER_PYTHON")?;
        let port: u16 = self.testbed.root_url().rsplit(':').next().unwrap().parse().unwrap();
        let keys: serde_json::Map<String, Value> = ["docker-worker", "generic-worker", "scriptworker"]
            .map(|implementation| (implementation.to_owned(), json!(keys)))
            .into_iter()
            .collect();
        let question = json!({
            "port": port, "product": "firefox", "kind": self.kind, "task_id": self.target, "check_task": true,
            "keys": keys, "work_dir": room.join("reference"),
        });
        Some(Reference::new(python.into(), self.testbed.ca_pem()).ask(&question))
    }
}

/// A folder with two keys, a trust file for the first, and the policy over it.
struct Room(SearchedDir);

const OLD: &str = "workers-1";
const NEW: &str = "workers-2";

impl Room {
    fn new() -> Self {
        let room = Self(SearchedDir::new().unwrap());
        for name in [OLD, NEW] {
            let made = Catena::new().args(["keys", "new"]).arg(room.key(name)).run();
            assert_eq!(made.status, 0, "{}", made.stderr);
        }
        let record = format!(
            "# The keys of our workers.\ncatena-policy: 1\ntrusted-keys:\n  - id: {OLD}\n    scheme: ed25519\n    key: {}\n    worker-implementations: [docker-worker, generic-worker, scriptworker]\n    products: [firefox]\n    levels: [3]\n    not-before: 2026-01-01T00:00:00Z\n    not-after: 2027-01-01T00:00:00Z\n",
            room.public(OLD)
        );
        std::fs::write(room.path("trust.yml"), record).unwrap();
        std::fs::write(
            room.path("policy.yml"),
            "catena-policy: 1\nextends: [shipped:firefox-ci, trust.yml]\n",
        )
        .unwrap();
        room
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn key(&self, name: &str) -> PathBuf {
        self.path(&format!("{name}.key"))
    }

    fn public(&self, name: &str) -> String {
        let told = Catena::new().args(["keys", "public"]).arg(self.key(name)).run();
        told.stdout.trim_end().to_owned()
    }

    fn keys(&self, arguments: &[&str]) -> Answer {
        let mut catena = Catena::new();
        catena.args(["keys", arguments[0]]).arg(self.path("trust.yml")).args(&arguments[1..]).run()
    }

    /// The policy with the trust file after a change; the file itself stays.
    fn after(&self, name: &str, change: &[&str]) -> PathBuf {
        let before = std::fs::read(self.path("trust.yml")).unwrap();
        let done = self.keys(&[change, &["--write"]].concat());
        assert_eq!(done.status, 0, "{}", done.stderr);
        std::fs::rename(self.path("trust.yml"), self.path(&format!("{name}-trust.yml"))).unwrap();
        std::fs::write(self.path("trust.yml"), before).unwrap();
        let policy = self.path(&format!("{name}.yml"));
        let text = format!("catena-policy: 1\nextends: [shipped:firefox-ci, {name}-trust.yml]\n");
        std::fs::write(&policy, text).unwrap();
        policy
    }

    fn rotated(&self, name: &str, at: &str) -> PathBuf {
        let public = self.public(NEW);
        let change =
            ["rotate", "--key", OLD, "--new-id", NEW, "--public-key", &public, "--at", at, "--overlap", "3"];
        self.after(name, &change)
    }

    fn revoked(&self, name: &str, from: &str) -> PathBuf {
        let at = "2026-10-01T00:00:00Z";
        self.after(
            name,
            &["revoke", "--key", OLD, "--compromised-from", from, "--at", at, "--reason", "stolen"],
        )
    }
}

fn messages(answer: &Answer, code: &str) -> Vec<String> {
    let verdict: Value = serde_json::from_str(&answer.stdout).unwrap();
    let findings = verdict["findings"].as_array().unwrap().iter();
    let own = findings.filter(|finding| finding["code"] == code);
    own.map(|finding| finding["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn history_stays_good_and_what_follows_a_compromise_is_rejected() {
    let room = Room::new();
    let (old, new) =
        (Signed::by(&room.key(OLD), &room.path("old")), Signed::by(&room.key(NEW), &room.path("new")));
    let verdict = |release: &Signed, policy: &Path| release.verify(room.0.path(), policy, &[]);
    #[track_caller]
    fn verified(answer: Answer) -> Answer {
        assert_eq!(answer.status, 0, "{}{}", answer.failed(), answer.stderr);
        answer
    }
    #[track_caller]
    fn rejected(answer: &Answer, code: &str) {
        assert_eq!(answer.status, 1, "{}{}", answer.failed(), answer.stderr);
        assert!(answer.codes().iter().all(|other| other == code), "{}", answer.failed());
    }
    let plain = room.path("policy.yml");
    verified(verdict(&old, &plain));
    let unknown = verdict(&new, &plain);
    assert_eq!(unknown.status, 1);
    assert!(unknown.codes().contains(&"signature-unknown-key".to_owned()), "{}", unknown.failed());

    // A rotation after the release: history stays good, and the new key was not valid yet.
    let later = room.rotated("rotated-later", "2026-09-01T00:00:00Z");
    verified(verdict(&old, &later));
    rejected(&verdict(&new, &later), "signature-key-not-yet-valid");
    // A rotation before it: the new key signs, and a worker that was forgotten is found.
    let earlier = room.rotated("rotated-earlier", "2026-08-01T00:00:00Z");
    verified(verdict(&new, &earlier));
    rejected(&verdict(&old, &earlier), "signature-key-expired");

    // A revocation: what was signed before the compromise passes, and says why.
    let told = messages(
        &verified(verdict(&old, &room.revoked("revoked-later", "2026-08-20T00:00:00Z"))),
        "signature-verified",
    );
    assert!(!told.is_empty());
    for message in told {
        for part in
            ["workers-1", "between 2026-08-1", "revoked: 2026-08-20T00:00:00Z", "These times are the queue's"]
        {
            assert!(message.contains(part), "{part}: {message}");
        }
    }
    for (name, from) in [("revoked-earlier", "2026-08-11T00:00:00Z"), ("revoked-always", "always")] {
        rejected(&verdict(&old, &room.revoked(name, from)), "signature-key-revoked");
    }
    // Runs end one after the other: of those that ended after the compromise each is rejected.
    let between = verdict(&old, &room.revoked("revoked-between", "2026-08-12T09:45:00Z"));
    rejected(&between, "signature-key-revoked");
    assert!(!messages(&between, "signature-verified").is_empty(), "{}", between.stdout);
}

/// With `CATENA_SCRIPTWORKER_PYTHON`, scriptworker verifies what `catena sign` signed before and after a rotation, as
/// long as its list has both keys; it has no trust file, so that it knows no revocation.
#[test]
fn the_reference_verifies_releases_of_both_keys_of_a_rotation() {
    if std::env::var_os("CATENA_SCRIPTWORKER_PYTHON").is_none() {
        eprintln!("CATENA_SCRIPTWORKER_PYTHON is not set: rotated releases are not judged by scriptworker");
        return;
    }
    let room = Room::new();
    let public = [room.public(OLD), room.public(NEW)];
    let rotate = ["rotate", "--key", OLD, "--new-id", NEW, "--public-key", &public[1]];
    let rotated =
        room.after("rotated", &[&rotate[..], &["--at", "2026-08-01T00:00:00Z", "--overlap", "14"]].concat());
    for (number, name) in [OLD, NEW].into_iter().enumerate() {
        let release = Signed::by(&room.key(name), &room.path(name));
        let ours = release.verify(room.0.path(), &rotated, &[]);
        assert_eq!(ours.status, 0, "{name}: {}{}", ours.failed(), ours.stderr);
        let word = release.by_reference(&public, &room.path(&format!("{name}-both"))).unwrap();
        assert!(matches!(word, Word::Accepted { .. }), "{name}: {word:?}");
        let other = [public[1 - number].clone()];
        let word = release.by_reference(&other, &room.path(&format!("{name}-other"))).unwrap();
        assert!(matches!(word, Word::Rejected { .. }), "{name}: {word:?}");
    }
}

/// A server that answers each connection with the same bytes; returns its address.
fn served(answer: String) -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/keys?token=hidden-token", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut block = [0; 1024];
            while !head.windows(4).any(|part| part == b"\r\n\r\n") {
                let read = stream.read(&mut block).unwrap_or(0);
                if read == 0 {
                    break;
                }
                head.extend_from_slice(&block[..read]);
            }
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address
}

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

#[test]
fn keys_from_an_address_narrow_the_trust_file_and_add_nothing() {
    let room = Room::new();
    let release = Signed::by(&room.key(NEW), &room.path("new"));
    let set = |names: &[&str]| {
        let keys: Vec<String> = names.iter().map(|name| room.public(name)).collect();
        json!({"docker-worker": keys, "generic-worker": keys, "scriptworker": keys}).to_string()
    };
    let rotated = room.rotated("rotated", "2026-08-01T00:00:00Z");
    let verify = |policy: &Path, address: &str, more: &[&str]| {
        let answer = release.verify(room.0.path(), policy, &[&["--keys", address], more].concat());
        assert!(!answer.stderr.contains("hidden-token") && !answer.stdout.contains("hidden-token"));
        answer
    };
    let (both, old) = (served(answer("200 OK", &set(&[OLD, NEW]))), served(answer("200 OK", &set(&[OLD]))));
    // What the trust file has and the set, too, is verified; the recording holds the set.
    let recording = room.path("recording");
    let verified = verify(&rotated, &both, &["--record", recording.to_str().unwrap()]);
    assert_eq!(verified.status, 0, "{}{}", verified.failed(), verified.stderr);
    let replayed = Catena::new().args(["verify", "--format", "json", "--replay"]).arg(&recording).run();
    assert_eq!((replayed.status, replayed.stderr.as_str()), (0, ""));
    // A key that the set leaves out is not trusted, and one that only the set has is not either.
    let unknown = |answer: &Answer| {
        assert_eq!(answer.status, 1, "{}{}", answer.failed(), answer.stderr);
        assert!(answer.codes().contains(&"signature-unknown-key".to_owned()), "{}", answer.failed());
    };
    unknown(&verify(&rotated, &old, &[]));
    let added = verify(&room.path("policy.yml"), &both, &["-v"]);
    unknown(&added);
    assert!(added.stderr.contains("the trust file does not have"), "{}", added.stderr);
    // Without a trust file an address would add keys; what cannot be fetched decides nothing.
    let plain = room.path("plain.yml");
    std::fs::write(&plain, "catena-policy: 1\nextends: shipped:firefox-ci\n").unwrap();
    for (policy, address, status, told) in [
        (&plain, both.clone(), 2, "no trust file"),
        (&rotated, served(answer("404 Not Found", "")), 3, "status 404"),
        (&rotated, served(answer("302 Found\r\nlocation: https://x.example/", "")), 3, "redirects"),
        (&rotated, served(answer("200 OK", "docker-worker: [x]\n")), 2, "the keys are invalid"),
        (&rotated, served(answer("200 OK", &" ".repeat((1 << 20) + 1))), 3, "larger than 1 MiB"),
        (&rotated, "http://keys.example/set".to_owned(), 2, "plain http is only for this machine"),
        (&rotated, "https://me@keys.example/set".to_owned(), 2, "a user"),
    ] {
        let refused = verify(policy, &address, &[]);
        assert_eq!((refused.status, refused.stdout.as_str()), (status, ""), "{told}: {}", refused.stderr);
        assert!(refused.stderr.contains(told), "{told}: {}", refused.stderr);
    }
    let offline = ["--offline", "--cache", "cache"];
    assert_eq!(verify(&rotated, &both, &offline).status, 2);
}

/// What administrators do wrong: each with its exit status, its place and what to do.
#[test]
fn mistakes_of_administrators_are_told_with_what_to_do() {
    let room = Room::new();
    let good = std::fs::read_to_string(room.path("trust.yml")).unwrap();
    let key = room.public(OLD);
    let (start, end) = key.split_at(20);
    let swapped = format!("{start}{}", end.chars().rev().collect::<String>());
    for (from, to, place, told) in [
        ("not-before", "not-befor", "trust.yml:10:5", "did you mean \"not-before\"?"),
        ("products: [firefox]", "product: [firefox]", "trust.yml:8:5", "did you mean \"products\"?"),
        (
            "scriptworker]",
            "script-worker]",
            "trust.yml:7:61",
            "known values: docker-worker, generic-worker, scriptworker",
        ),
        ("ed25519", "ed25518", "trust.yml:5:13", "ed25519"),
        (key.as_str(), key.get(1..).unwrap(), "trust.yml:6:10", "base64"),
        (&key, &swapped, "trust.yml:6:10", ""),
        ("2027-01-01", "2025-01-01", "trust.yml:11:16", "before `not-before`"),
        ("2027-01-01T00:00:00Z", "1 January 2027", "trust.yml:11:16", "not a moment"),
        ("levels: [3]", "levels: 3", "trust.yml:9:", "list"),
        (
            "    products",
            "    revoked-at: 2026-08-01T00:00:00Z\n    products",
            "trust.yml:4:5",
            "`reason` is missing",
        ),
    ] {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{from}");
        std::fs::write(room.path("trust.yml"), text).unwrap();
        let checked = room.keys(&["check"]);
        let output = format!("{}{}", checked.stdout, checked.stderr);
        assert_eq!(checked.status, 2, "{to}: {output}");
        assert!(output.contains(place) && output.contains(told), "{to}: {output}");
        assert!(!output.contains("tamper"), "{output}");
    }
    // Files that can be read, and keys that somebody must look after.
    let other =
        good.split_once("  - id").unwrap().1.replacen(OLD, NEW, 1).replacen(&key, &room.public(NEW), 1);
    let doubled = format!("{good}  - id{other}");
    let endless = good.replacen("    not-after: 2027-01-01T00:00:00Z\n", "", 1);
    for (text, at, status, told) in [
        (
            &good,
            "2026-12-20T00:00:00Z",
            1,
            "workers-1: expiring: The key ends at 2027-01-01T00:00:00Z, and no other",
        ),
        (&good, "2027-02-01T00:00:00Z", 0, "workers-1: expired: The key ended"),
        (&good, "2026-08-12T00:00:00Z", 0, ""),
        (&endless, "2026-08-12T00:00:00Z", 1, "workers-1: endless: The key has no not-after"),
        (
            &doubled,
            "2026-08-12T00:00:00Z",
            1,
            "workers-1: overlapping: It and workers-2 have the same permissions",
        ),
    ] {
        std::fs::write(room.path("trust.yml"), text).unwrap();
        let audited = room.keys(&["audit", "--at", at]);
        assert_eq!(audited.status, status, "{told}: {}{}", audited.stdout, audited.stderr);
        assert!(audited.stdout.contains(told), "{told}: {}", audited.stdout);
    }
    std::fs::write(room.path("trust.yml"), &good).unwrap();
    let file = room.key(OLD);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let open = Catena::new().args(["keys", "public"]).arg(&file).run();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!((open.status, open.stdout.as_str()), (2, ""));
    assert!(open.stderr.contains("0640") && open.stderr.contains("chmod 600"), "{}", open.stderr);
}

#[test]
fn a_file_of_keys_narrows_the_trust_file_and_adds_nothing() {
    let room = Room::new();
    let release = Signed::by(&room.key(NEW), &room.path("new"));
    let all = |name: &str| {
        let key = room.public(name);
        json!({"docker-worker": [key], "generic-worker": [key], "scriptworker": [key]}).to_string()
    };
    let file = room.path("keys.json");
    let verify = |policy: &Path, more: &[&str]| {
        let named = file.to_str().unwrap();
        release.verify(room.0.path(), policy, &[&["--keys", named], more].concat())
    };
    std::fs::write(&file, all(NEW)).unwrap();
    let added = verify(&room.path("policy.yml"), &["-v"]);
    assert_eq!(added.status, 1, "{}", added.failed());
    assert!(added.stderr.contains("the trust file does not have"), "{}", added.stderr);
    let rotated = room.rotated("rotated", "2026-08-01T00:00:00Z");
    let narrowed = verify(&rotated, &[]);
    assert_eq!(narrowed.status, 0, "{}{}", narrowed.failed(), narrowed.stderr);
    std::fs::write(&file, all(OLD)).unwrap();
    assert_eq!(verify(&rotated, &[]).status, 1);
}

#[test]
fn an_audit_compares_keys_with_what_they_signed() {
    let room = Room::new();
    let release = Signed::by(&room.key(OLD), &room.path("old"));
    let recording = room.path("recording");
    let record = ["--record", recording.to_str().unwrap()];
    assert_eq!(release.verify(room.0.path(), &room.path("policy.yml"), &record).status, 0);
    let text = std::fs::read_to_string(room.path("trust.yml")).unwrap();
    let other = format!(
        "  - id: {NEW}\n    scheme: ed25519\n    key: {}\n    worker-implementations: [scriptworker]\n    worker-pools: [none/none]\n    not-after: 2027-01-01T00:00:00Z\n",
        room.public(NEW)
    );
    std::fs::write(room.path("trust.yml"), text + &other).unwrap();
    let audit = |more: &[&str]| room.keys(&[&["audit", "--at", "2026-08-13T00:00:00Z"], more].concat());
    let told = audit(&[]);
    assert_eq!((told.status, told.stderr.as_str()), (1, ""), "{}", told.stdout);
    assert!(told.stdout.contains("problem: workers-1: overlapping"), "{}", told.stdout);
    assert!(!told.stdout.contains("unused"), "{}", told.stdout);
    let told = audit(&["--recording", record[1]]);
    assert_eq!(told.status, 1);
    assert!(told.stdout.contains("problem: workers-2: unused"), "{}", told.stdout);
    assert!(
        told.stdout.contains("problem: workers-1: broader: The key has no `worker-pools`"),
        "{}",
        told.stdout
    );
    assert!(!told.stdout.contains("`levels`") && !told.stdout.contains("`products`"), "{}", told.stdout);
    let told: Value =
        serde_json::from_str(&audit(&["--recording", record[1], "--format", "json"]).stdout).unwrap();
    assert!(
        told["notes"].as_array().unwrap().iter().any(|note| note["kind"] == "unused" && note["key"] == NEW)
    );
    let nowhere = audit(&["--recording", "/nowhere"]);
    assert_eq!((nowhere.status, nowhere.stdout.as_str()), (2, ""));
}

#[test]
fn check_and_rotate_exit_with_what_scripts_can_tell() {
    let room = Room::new();
    let good = room.keys(&["check"]);
    assert_eq!((good.status, good.stderr.as_str()), (0, ""));
    assert!(good.stdout.ends_with("valid: 1 key, 0 warnings\n"), "{}", good.stdout);
    let public = room.public(NEW);
    let rotate =
        ["rotate", "--key", OLD, "--new-id", NEW, "--public-key", &public, "--at", "2026-08-01T00:00:00Z"];
    let before = std::fs::read_to_string(room.path("trust.yml")).unwrap();
    let shown = room.keys(&rotate);
    assert_eq!(shown.status, 0, "{}", shown.stderr);
    assert!(
        shown
            .stdout
            .contains("\n-    not-after: 2027-01-01T00:00:00Z\n+    not-after: 2026-08-08T00:00:00Z\n"),
        "{}",
        shown.stdout
    );
    assert_eq!(std::fs::read_to_string(room.path("trust.yml")).unwrap(), before, "without --write");
    let unknown = room.keys(&["rotate", "--key", "other", "--new-id", NEW, "--public-key", &public]);
    assert_eq!((unknown.status, unknown.stdout.as_str()), (2, ""));
    assert!(unknown.stderr.contains("has no key other"), "{}", unknown.stderr);
    let malformed = room.keys(&["rotate", "--key", OLD, "--new-id", NEW, "--public-key", "x"]);
    assert_eq!(malformed.status, 2);
    std::fs::write(room.path("trust.yml"), before.replace("ed25519", "rsa")).unwrap();
    let bad = room.keys(&["check", "--format", "json"]);
    let told: Value = serde_json::from_str(&bad.stdout).unwrap();
    assert_eq!((bad.status, &told["usable"]), (2, &json!(false)));
    assert_eq!(told["diagnostics"][0]["line"], 5);
}

#[test]
fn a_signed_file_is_verified_by_the_old_tool() {
    let room = Room::new();
    let (key, file) = (room.key(OLD), room.path("catena-linux"));
    std::fs::write(&file, b"\x7fELF and more").unwrap();
    let sign = |file: &Path, more: &[&str]| {
        let mut catena = Catena::new();
        catena.args(["keys", "sign"]).arg(file).arg("--key").arg(&key).args(more).run()
    };
    assert_eq!(sign(&file, &[]).status, 0);
    let (signature, public) = (room.path("catena-linux.sig"), room.path("public"));
    assert_eq!(std::fs::read(&signature).unwrap().len(), 64);
    std::fs::write(&public, Catena::new().args(["keys", "public"]).arg(&key).run().stdout).unwrap();
    let verify = || {
        let mut catena = Catena::new();
        catena.arg("verify-ed25519-signature").arg("--pubkey").arg(&public).arg(&file).arg(&signature);
        catena.run().status
    };
    assert_eq!(verify(), 0);
    let again = sign(&file, &[]);
    assert!(again.status == 2 && again.stderr.contains("exists already"), "{}", again.stderr);
    std::fs::write(&file, b"\x7fELF and less").unwrap();
    assert_eq!(verify(), 1);
    assert_eq!(sign(&file, &["--force"]).status, 0);
    assert_eq!(verify(), 0);
    // What could be a document vouches for a run.
    let document = room.path("document");
    std::fs::write(&document, b" \n{\"chainOfTrustVersion\": 1}").unwrap();
    let refused = sign(&document, &[]);
    assert!(refused.status == 2 && refused.stderr.contains("Chain of Trust document"), "{}", refused.stderr);
    assert!(!room.path("document.sig").exists());
}

#[test]
fn no_command_shows_a_seed() {
    let room = Room::new();
    let (base64, pem, log) = (room.key(OLD), room.path("pem.key"), room.path("log"));
    let mut new = Catena::new();
    let new = new.arg("--log").arg(&log).args(["keys", "new", "--form", "pem"]).arg(&pem).run();
    assert_eq!(new.status, 0);
    let logged = std::fs::read_to_string(&log).unwrap();
    assert!(logged.contains("wrote a private key") && logged.contains(new.stdout.trim()), "{logged}");
    // A key with something behind it, and one that others can read: what is refused is not shown either.
    let (damaged, exposed) = (room.path("damaged.key"), room.path("exposed.key"));
    let write = |file: &Path, text: &str, mode: u32| {
        std::fs::write(file, text).unwrap();
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let text = std::fs::read_to_string(&base64).unwrap();
    write(&damaged, &format!("{text} x"), 0o600);
    write(&exposed, &text, 0o644);
    let mut told = String::new();
    for file in [&base64, &pem, &damaged, &exposed] {
        for command in [
            &["public"][..],
            &["inspect"],
            &["inspect", "--format", "json"],
            &["new"],
            &["check"],
            &["audit"],
        ] {
            let mut catena = Catena::new();
            catena.args(["-vvv", "--log"]).arg(&log).args(["keys", command[0]]).arg(file).args(&command[1..]);
            let answer = catena.run();
            told += &(answer.stdout + &answer.stderr);
        }
        for option in ["--public-key", "--new-id"] {
            let answer = room.keys(&["rotate", "--key", OLD, option, file.to_str().unwrap()]);
            told += &(answer.stdout + &answer.stderr);
        }
        let mut catena = Catena::new();
        let folder = room.path("artifacts");
        std::fs::create_dir_all(folder.join("public")).unwrap();
        let task = room.path("task.json");
        std::fs::write(&task, "{}").unwrap();
        catena.args([
            "-vvv",
            "sign",
            "--task-id",
            "IFn9x5gaQz-HXl2pa7Ny_w",
            "--run",
            "0",
            "--worker-group",
            "g",
        ]);
        catena.args(["--worker-id", "w", "--artifacts"]).arg(&folder).arg("--task").arg(&task);
        let answer = catena.arg("--key").arg(file).run();
        told += &(answer.stdout + &answer.stderr);
    }
    // Neither is searched for a seed itself: the test wrote it there.
    std::fs::remove_file(&damaged).unwrap();
    std::fs::remove_file(&exposed).unwrap();
    let signed = Signed::by(&base64, &room.path("old"));
    let answer = signed.verify(room.0.path(), &room.path("policy.yml"), &["-vvv"]);
    assert_eq!(answer.status, 0, "{}", answer.failed());
    told += &(answer.stdout + &answer.stderr);
    let documents = support::children(&room.path("old")).into_iter().map(|task| task.join(DOCUMENT));
    assert!(documents.filter(|document| document.exists()).count() > 0);
    // The documents, and a log if there is one, stand in the room.
    let leaks = room.0.leaks(&[("outputs", told.as_bytes())]);
    assert!(leaks.is_empty(), "{leaks:?}");
}

/// Wherever the binary gets or makes a private key, what it writes is searched.
#[test]
fn tests_with_private_keys_have_searched_rooms() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut searched = 0;
    for file in support::children(&folder).into_iter().filter(|file| file.is_file()) {
        let text = std::fs::read_to_string(&file).unwrap();
        let words = ["signing_key(", "to_base64()", "[\"keys\", \"new\"])", "gen_ed25519", "--signer"];
        if words.iter().any(|word| text.contains(word)) {
            // Written in two parts: this file has it, too.
            let unsearched = concat!("tempfile::", "tempdir()");
            assert!(!text.contains(unsearched), "{}: use SearchedDir", file.display());
            searched += 1;
        }
    }
    assert!(searched >= 3, "{searched}");
}

/// Words of 44 characters of base64, of which a seed is one.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "+/=".contains(letter);
    text.split(move |letter| !is_part(letter)).filter(|word| word.len() == 44)
}

/// A seed that stands in what tests captured is found by its public key, which stands somewhere, too.
#[test]
fn nothing_that_tests_captured_has_a_seed_of_a_key_that_is_named() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut texts = Vec::new();
    let folders = support::children(&root).into_iter().map(|member| member.join("tests/snapshots"));
    for file in folders.filter(|folder| folder.is_dir()).flat_map(|folder| support::children(&folder)) {
        texts.push(std::fs::read_to_string(file).unwrap());
    }
    assert!(texts.len() > 10);
    let mut named: BTreeSet<String> = texts.iter().flat_map(|text| words(text)).map(str::to_owned).collect();
    let chain = Release::new("firefox", Trigger::Push).unwrap().build().unwrap();
    named.extend(chain.keys.public_keys_base64().into_values().flatten());
    let leaks = |text: &str| {
        let is_seed = |word: &&str| {
            SigningKey::parse_base64(word).is_ok_and(|key| named.contains(&key.public_key().to_string()))
        };
        words(text).find(is_seed).is_some() || text.contains("PRIVATE KEY")
    };
    assert!(!texts.iter().any(|text| leaks(text)));
    // The search finds what it looks for.
    let seed = chain.keys.signing_key(catena_testbed::chain::Implementation::Scriptworker).to_base64();
    assert!(leaks(&format!("key: {}\n", seed.as_str())));
}
