//! A cache on disk, through the real binary: what it saves, and what an attacker with write access gains.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use catena_attacks::change;
use catena_testbed::{Chain, Fault, Release, Trigger};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use support::{Answer, Case, Catena, check_published, children, keys_file};

/// Another task of the same kind as the target, made by the same decision task.
const SECOND: &str = change::NOBODY;

impl Case {
    /// Two signing tasks of one push.
    fn new() -> Self {
        let mut chain = Chain::demo().unwrap();
        add_second_target(&mut chain).unwrap();
        Self::serving(chain)
    }

    fn cache(&self) -> PathBuf {
        self.room.path().join("cache")
    }

    fn key(&self) -> PathBuf {
        self.room.path().join("state/cache.key")
    }

    fn verify(&self, target: &str, more: &[&str]) -> Catena {
        self.verify_in(&self.work_dir(), target, more)
    }

    fn verify_in(&self, work_dir: &Path, target: &str, more: &[&str]) -> Catena {
        let mut catena = self.command("verify");
        catena
            .args(["--no-check-task", "--format", "json", "--work-dir"])
            .arg(work_dir)
            .args(more)
            .args(["--", target]);
        catena
    }

    fn cached(&self, target: &str, more: &[&str]) -> Catena {
        let mut catena = self.verify(target, more);
        catena.env("CATENA_CACHE", self.cache()).env("CATENA_CACHE_KEY", self.key());
        catena
    }

    /// Expects "verified" with all files published, and returns the requests.
    fn verified(&self, target: &str, with_cache: bool) -> (Value, Vec<String>, Answer) {
        self.testbed.reset_stats();
        let _ = fs::remove_dir_all(self.work_dir());
        let mut catena = if with_cache { self.cached(target, &[]) } else { self.verify(target, &[]) };
        let answer = catena.run();
        assert_eq!(answer.status, 0, "{}{}", answer.failed(), answer.stderr);
        assert_eq!(check_published(&self.work_dir().join("cot"), self.testbed.site()), PUBLISHED);
        assert_eq!(children(&self.work_dir()).len(), 1);
        let asked = self.testbed.requests().into_iter().map(|request| request.url);
        (without_time(&answer), asked.filter(|url| !url.contains("/_store/")).collect(), answer)
    }

    fn cache_command(&self, arguments: &[&str]) -> Answer {
        let mut catena = Catena::new();
        catena.arg("cache").args(arguments).env("CATENA_CACHE", self.cache());
        catena.env("CATENA_CACHE_KEY", self.key()).run()
    }

    fn info(&self) -> Value {
        let answer = self.cache_command(&["info", "--check", "--format", "json"]);
        assert_eq!(answer.status, 0, "{}", answer.stderr);
        serde_json::from_str(&answer.stdout).unwrap()
    }

    /// All files below a directory of the cache.
    fn kept(&self, folder: &str) -> Vec<PathBuf> {
        let folder = self.cache().join("v1").join(folder);
        children(&folder).iter().flat_map(|shelf| children(shelf)).collect()
    }
}

/// Files that a "verified" leaves: two artifacts of each of two builds, and what the decision task publishes.
const PUBLISHED: usize = 7;

/// Adds a copy of the target under another id, which the decision task made too.
fn add_second_target(chain: &mut Chain) -> Option<()> {
    let target = chain.target.clone();
    let mut task = chain.task(&target)?.clone();
    change::set(&mut task.status, &["status", "taskId"], SECOND)?;
    chain.tasks.insert(SECOND.to_owned(), task);
    let decision = change::target_parent(chain)?;
    change::graph(chain, &decision, |graph| {
        let entry = graph.get(&target)?.clone();
        change::set(graph, &[SECOND], entry)
    })
}

fn without_time(answer: &Answer) -> Value {
    let mut verdict: Value = serde_json::from_str(&answer.stdout).unwrap();
    verdict.as_object_mut().unwrap().remove("concluded");
    verdict
}

fn may_change(url: &str) -> bool {
    url.ends_with("/status") || url.ends_with("/artifacts") || url.contains("projects.yml")
}

#[test]
fn the_second_task_of_a_push_requests_only_mutable_and_own_data() {
    let case = Case::new();
    let (plain, all, _) = case.verified(&case.target, false);
    let (first, asked, answer) = case.verified(&case.target, true);
    assert_eq!((first, asked.len(), answer.stderr.as_str()), (plain.clone(), all.len(), ""));
    let (again, asked, answer) = case.verified(&case.target, true);
    assert_eq!((again, answer.stderr.as_str()), (plain, ""));
    assert!(asked.iter().all(|url| may_change(url)) && !asked.is_empty(), "{asked:?}");
    let (second, asked, _) = case.verified(SECOND, true);
    let new: Vec<_> = asked.iter().filter(|url| !may_change(url)).collect();
    assert_eq!(new.len(), 1, "{new:?}");
    assert!(new[0].ends_with(&format!("/task/{SECOND}")), "{new:?}");
    assert_eq!(second, case.verified(SECOND, false).0);
    let info = case.info();
    assert_eq!((&info["broken"], &info["artifacts"]), (&Value::from(0), &Value::from(5)), "{info}");
}

/// What an attacker with write access to the cache may put in place of a file.
fn poisons(file: &Path, elsewhere: &Path) {
    let bytes = fs::read(file).unwrap();
    let changed = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        bytes
    };
    match file.file_name().unwrap().as_encoded_bytes()[0] % 8 {
        0 => fs::write(file, changed(bytes.len() - 1)).unwrap(),
        1 => fs::write(file, changed(0)).unwrap(),
        2 => fs::write(file, &bytes[..bytes.len() / 2]).unwrap(),
        3 => fs::write(file, b"").unwrap(),
        4 => fs::write(file, [bytes.as_slice(), b"more"].concat()).unwrap(),
        5 => fs::File::options().write(true).open(file).unwrap().set_len(20 << 30).unwrap(),
        6 => {
            // The right bytes in the wrong place.
            let target = elsewhere.join(file.file_name().unwrap());
            fs::rename(file, &target).unwrap();
            symlink(target, file).unwrap();
        }
        _ => {
            fs::remove_file(file).unwrap();
            fs::create_dir(file).unwrap();
            fs::write(file.join("x"), b"x").unwrap();
        }
    }
}

#[test]
fn whatever_is_put_into_the_cache_the_verdict_is_the_same() {
    let case = Case::new();
    let (plain, all, _) = case.verified(&case.target, true);
    let elsewhere = case.room.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    for file in case.kept("entries").iter().chain(&case.kept("blobs")) {
        poisons(file, &elsewhere);
    }
    let (verdict, asked, answer) = case.verified(&case.target, true);
    assert_eq!(verdict, plain);
    let mut missing = all;
    missing.retain(|url| !asked.contains(url));
    assert_eq!(missing, Vec::<String>::new());
    assert_eq!(answer.stderr.matches("dropped from the cache").count(), 1, "{}", answer.stderr);
    // Dropped entries were stored again.
    let (verdict, asked, answer) = case.verified(&case.target, true);
    assert_eq!((verdict, answer.stderr.as_str()), (plain, ""));
    assert!(asked.iter().all(|url| may_change(url)), "{asked:?}");
    assert_eq!(case.info()["broken"], 0);
}

#[test]
fn an_artifact_with_other_bytes_never_reaches_its_place() {
    let case = Case::new();
    let (plain, _, _) = case.verified(&case.target, true);
    for file in case.kept("blobs") {
        let length = fs::metadata(&file).unwrap().len() as usize;
        fs::write(&file, vec![b'x'; length]).unwrap();
    }
    assert_eq!(case.info()["broken"], 5);
    // The network has nothing better.
    case.testbed.fault("/_store/*", 1.., Fault::Replace(b"evil".to_vec().into()));
    let _ = fs::remove_dir_all(case.work_dir());
    let answer = case.cached(&case.target, &[]).run();
    assert_eq!(answer.status, 1, "{}", answer.stderr);
    assert_eq!(children(&case.work_dir()), Vec::<PathBuf>::new());
    case.testbed.clear_faults();
    assert_eq!(case.verified(&case.target, true).0, plain);
}

#[test]
fn a_cache_or_key_that_others_can_reach_is_refused() {
    let case = Case::new();
    case.verified(&case.target, true);
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let refused = |told: &str| {
        case.testbed.reset_stats();
        let answer = case.cached(&case.target, &[]).run();
        assert_eq!((answer.status, answer.stdout.as_str()), (2, ""));
        assert!(answer.stderr.contains(told) && answer.stderr.contains("next: "), "{}", answer.stderr);
        assert_eq!(case.testbed.requests(), []);
    };
    mode(&case.cache(), 0o777);
    refused("other users can write to");
    mode(&case.cache(), 0o700);
    mode(&case.key(), 0o644);
    refused("is accessible to other users (mode 644)");
    mode(&case.key(), 0o600);
    fs::write(case.key(), b"short\n").unwrap();
    refused("is not a key file");
    // Without its key, a cache starts anew.
    fs::remove_file(case.key()).unwrap();
    let (_, asked, answer) = case.verified(&case.target, true);
    assert!(asked.iter().any(|url| !may_change(url)));
    assert!(answer.stderr.contains("dropped from the cache"), "{}", answer.stderr);
    let answer = case.verify(&case.target, &["--cache-key"]).run();
    assert_eq!(answer.status, 2);
    let inside = case.cache().join("key");
    let mut catena = case.verify(&case.target, &["--cache-key", inside.to_str().unwrap()]);
    let answer = catena.env("CATENA_CACHE", case.cache()).run();
    assert_eq!((answer.status, inside.exists()), (2, false), "{}", answer.stderr);
}

#[test]
fn an_unwritable_cache_changes_no_verdict() {
    let case = Case::new();
    let (plain, _, _) = case.verified(&case.target, true);
    let new = case.cache().join("v1/new");
    fs::remove_dir(&new).unwrap();
    fs::write(&new, b"in the way").unwrap();
    for file in case.kept("entries") {
        fs::remove_file(file).unwrap();
    }
    let (verdict, _, answer) = case.verified(&case.target, true);
    assert_eq!(verdict, plain);
    assert!(answer.stderr.contains("the cache does not keep"), "{}", answer.stderr);
    fs::remove_file(&new).unwrap();
    // Another process cleared the cache while this one ran: to this one it looks like an unwritable
    // cache.
    case.testbed.fault("/api/queue/*/status", 1.., Fault::Delay(Duration::from_millis(400)));
    let mut catena = case.cached(&case.target, &[]);
    let child = catena.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while !new.exists() {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(Duration::from_millis(50));
    fs::remove_dir_all(case.cache().join("v1")).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("the cache does not keep"), "{told}");
    let mut verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
    verdict.as_object_mut().unwrap().remove("concluded");
    assert_eq!(verdict, plain);
}

#[test]
fn many_at_once_share_a_cache() {
    let case = Case::new();
    let (plain, _, _) = case.verified(&case.target, false);
    for _ in 0..2 {
        let running: Vec<_> = (0..4)
            .map(|number| {
                let work_dir = case.room.path().join(format!("work-{number}"));
                let mut catena = case.verify_in(&work_dir, &case.target, &[]);
                catena.env("CATENA_CACHE", case.cache()).env("CATENA_CACHE_KEY", case.key());
                catena.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for child in running {
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(output.stderr, b"");
            let mut verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
            verdict.as_object_mut().unwrap().remove("concluded");
            assert_eq!(verdict, plain);
        }
    }
    assert_eq!(case.info()["broken"], 0);
}

#[test]
fn killed_at_any_moment_it_leaves_a_cache_that_is_whole() {
    let case = Case::new();
    let began = Instant::now();
    let (plain, _, _) = case.verified(&case.target, true);
    let took = began.elapsed();
    for moment in 1..=10 {
        case.cache_command(&["clear"]);
        let mut catena = case.cached(&case.target, &[]);
        let mut child = catena.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(took.mul_f64(0.4 + 0.06 * f64::from(moment)));
        child.kill().unwrap();
        child.wait().unwrap();
        if case.cache().join("v1").exists() {
            assert_eq!(case.info()["broken"], 0);
        }
        let (verdict, _, answer) = case.verified(&case.target, true);
        assert_eq!((verdict, answer.stderr.as_str()), (plain.clone(), ""));
    }
}

#[test]
fn offline_makes_no_requests_and_the_verdict_says_so() {
    let case = Case::new();
    let answer = case.cached(&case.target, &["--offline"]).run();
    assert_eq!(answer.status, 3, "{}", answer.stderr);
    assert!(answer.stderr.contains("the cache has no verified verdict"), "{}", answer.stderr);
    let (plain, _, _) = case.verified(&case.target, true);
    case.testbed.reset_stats();
    let _ = fs::remove_dir_all(case.work_dir());
    let recording = case.room.path().join("recording");
    let answer = case.cached(&case.target, &["--offline", "--record", recording.to_str().unwrap()]).run();
    assert_eq!(answer.status, 0, "{}{}", answer.failed(), answer.stderr);
    assert!(answer.stderr.contains("mutable data is as of 20"), "{}", answer.stderr);
    assert_eq!(case.testbed.requests(), []);
    assert_eq!(check_published(&case.work_dir().join("cot"), case.testbed.site()), PUBLISHED);
    let mut verdict = without_time(&answer);
    assert_eq!(verdict["relaxed"], serde_json::json!([{"rule": "offline", "by": "switch"}]));
    verdict["relaxed"] = serde_json::json!([]);
    assert_eq!(verdict, plain);
    // The recording says so as well, and stores nothing in the cache that was not requested.
    let again = Catena::new().args(["verify", "--format", "json", "--replay"]).arg(&recording).run();
    assert_eq!(again.stdout, of_recording(&answer.stdout));
    // Another task of the push was not verified yet: its own definition is unknown.
    assert_eq!(case.cached(SECOND, &["--offline"]).run().status, 3);
    // It replaces a cache.
    assert_eq!(case.verify(&case.target, &["--offline"]).run().status, 2);
}

/// The verdict of the same chain's recording.
fn of_recording(told: &str) -> String {
    told.replacen(r#""source": "services""#, r#""source": "recording""#, 1)
}

#[test]
fn a_recording_from_a_cache_can_be_replayed() {
    let case = Case::new();
    case.verified(&case.target, true);
    let recording = case.room.path().join("recording");
    let answer = case.cached(&case.target, &["--record", recording.to_str().unwrap()]).run();
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let again = Catena::new().args(["verify", "--format", "json", "--replay"]).arg(&recording).run();
    assert_eq!((again.status, again.stdout), (0, of_recording(&answer.stdout)));
}

#[test]
fn a_cache_is_inspected_and_reduced() {
    let case = Case::new();
    let answer = case.cache_command(&["info"]);
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.contains("there is no cache at"), "{}", answer.stderr);
    case.verified(&case.target, true);
    let answer = case.cache_command(&["info", "--check"]);
    for told in [
        "entries, ",
        "5 artifacts, ",
        " of 10.00 GiB in use",
        "unused for longest: since 20",
        "all as it was",
    ] {
        assert!(answer.stdout.contains(told), "{told}: {}", answer.stdout);
    }
    let before = case.info()["entryBytes"].as_u64().unwrap() + case.info()["artifactBytes"].as_u64().unwrap();
    let answer = case.cache_command(&["gc", "--size", &format!("{}", before / 2)]);
    assert!(answer.status == 0 && answer.stdout.contains("removed"), "{}", answer.stdout);
    let left = case.info();
    let left = left["entryBytes"].as_u64().unwrap() + left["artifactBytes"].as_u64().unwrap();
    assert!(left > 0 && left <= before / 2, "{left} of {before}");
    // The remaining entries are used, and the rest is fetched.
    case.verified(&case.target, true);
    assert_eq!(case.cache_command(&["clear"]).status, 0);
    assert_eq!(children(&case.cache()), Vec::<PathBuf>::new());
    // A run makes room by itself.
    let mut catena = case.cached(&case.target, &["--cache-size", "20KiB"]);
    assert_eq!(catena.run().status, 0);
    let info = case.info();
    let left = info["entryBytes"].as_u64().unwrap() + info["artifactBytes"].as_u64().unwrap();
    assert!(left <= 20 << 10, "{left}");
}

#[test]
fn a_rejection_caches_nothing() {
    let release = Release::new("firefox", Trigger::Push).unwrap();
    let mut chain = release.build().unwrap();
    let build = chain.builds[0].clone();
    chain.signature_mut(&build).unwrap()[5] ^= 1;
    let mut case = Case::new();
    keys_file(case.room.path(), &chain.keys.public_keys_base64());
    case.target = chain.target.clone();
    case.testbed = case.testbed.start_beside(chain.into_site()).unwrap();
    let answer = case.cached(&case.target, &[]).run();
    assert_eq!(answer.status, 1, "{}", answer.stderr);
    assert_eq!((case.kept("entries").len(), case.kept("blobs").len()), (0, 0));
}
