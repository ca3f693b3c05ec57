//! A verifier that is killed, interrupted, out of space or not alone: the files that it leaves, and the
//! result of the next one.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use catena_testbed::chain::Images;
use catena_testbed::{Chain, Fault, Options, Release, Site, Testbed, Trigger};
use serde_json::Value;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};
use support::{Answer, Catena, check_published, children, keys_file};
use tempfile::TempDir;

/// A served chain.
struct Case {
    testbed: Testbed,
    site: Site,
    room: TempDir,
    target: String,
}

impl Case {
    /// Two builds with artifacts that take a while to stream: most interruptions happen then.
    fn new(seed: u64) -> Self {
        let release = Release::new("firefox", Trigger::Push).unwrap();
        let images_from = Images::OwnGraph;
        let release = Release {
            builds: 2,
            artifacts: 2,
            artifact_size: 400_000,
            images_from,
            image_builder: false,
            seed,
            ..release
        };
        let chain = release.build().unwrap();
        let room = tempfile::tempdir().unwrap();
        keys_file(room.path(), &chain.keys.public_keys_base64());
        let Chain { target, .. } = chain.clone();
        let site = chain.into_site();
        let testbed = Testbed::start_blocking(site.clone(), Options::default()).unwrap();
        let drip = Fault::Drip { bytes: 64 << 10, every: Duration::from_millis(20) };
        testbed.fault("/_store/*/public/build/*", 1.., drip);
        Self { testbed, site, room, target }
    }

    fn work_dir(&self) -> PathBuf {
        self.room.path().join("work")
    }

    fn verify(&self, work_dir: &Path) -> Catena {
        let mut catena = Catena::through(&self.testbed, self.room.path());
        catena.args(["verify", "--format", "json", "--task-type", "signing", "--product", "firefox"]);
        catena
            .args(["--no-check-task", "--deadline", "60s", "--keys"])
            .arg(self.room.path().join("keys.json"));
        catena.arg("--work-dir").arg(work_dir).args(["--", &self.target]);
        catena
    }

    fn spawn(&self) -> Child {
        let mut catena = self.verify(&self.work_dir());
        catena.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Verifies to the end, expecting "verified"; returns the verdict without its time.
    fn verified(&self) -> Value {
        let answer = self.verify(&self.work_dir()).run();
        assert_eq!(answer.status, 0, "{}{}", answer.failed(), answer.stderr);
        assert_eq!(names(&self.work_dir()), ["cot"]);
        assert_eq!(self.published(), 7);
        let mut verdict: Value = serde_json::from_str(&answer.stdout).unwrap();
        verdict.as_object_mut().unwrap().remove("concluded");
        verdict
    }

    /// The number of files at their final places; each has the digests of its document.
    fn published(&self) -> usize {
        let cot = self.work_dir().join("cot");
        if cot.exists() { check_published(&cot, &self.site) } else { 0 }
    }

    /// The served tasks.
    fn chain_tasks(&self) -> Vec<String> {
        self.site.tasks.keys().filter(|id| **id != self.target).cloned().collect()
    }

    /// Waits until an artifact is being transferred.
    fn wait_for_an_artifact(&self) {
        let began = Instant::now();
        while self
            .testbed
            .requests()
            .iter()
            .all(|request| !request.url.contains("/_store/") || !request.url.contains("/public/build/"))
        {
            assert!(began.elapsed() < Duration::from_secs(60), "nothing asks for an artifact");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    if !folder.exists() {
        return Vec::new();
    }
    let children = children(folder).into_iter();
    children.map(|child| child.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// The same moments in every run: fractions of the duration of an undisturbed verification.
fn moments(count: u64) -> impl Iterator<Item = f64> {
    (0..count).map(|number| {
        let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 40) as f64 / f64::from(1 << 24)
    })
}

fn undisturbed(case: &Case) -> (Value, Duration) {
    let began = Instant::now();
    let verdict = case.verified();
    let took = began.elapsed();
    fs::remove_dir_all(case.work_dir()).unwrap();
    (verdict, took)
}

#[test]
fn killed_at_any_moment_it_begins_again() {
    let case = Case::new(1);
    let (verdict, took) = undisturbed(&case);
    let mut left = 0;
    for moment in moments(12) {
        let mut child = case.spawn();
        std::thread::sleep(took.mul_f64(moment));
        child.kill().unwrap();
        child.wait().unwrap();
        // Every file at its final place is verified; `published` compares it with the documents.
        case.published();
        left += names(&case.work_dir()).iter().filter(|name| name.starts_with(".catena-")).count();
        assert_eq!(case.verified(), verdict);
        fs::remove_dir_all(case.work_dir()).unwrap();
    }
    assert!(left > 0, "no kill was at a moment that leaves anything");
}

#[test]
fn ended_at_any_moment_it_leaves_nothing_or_all() {
    let case = Case::new(1);
    let (_, took) = undisturbed(&case);
    for moment in moments(12) {
        let mut child = case.spawn();
        std::thread::sleep(took.mul_f64(moment));
        signal(&child, "-TERM");
        let status = child.wait().unwrap();
        let left = names(&case.work_dir());
        match (status.code(), status.signal()) {
            (Some(0), _) => assert_eq!((left, case.published()), (vec!["cot".to_owned()], 7)),
            (Some(3), _) => assert_eq!(left, Vec::<String>::new()),
            // It had not started.
            (None, Some(15)) => assert!(!case.work_dir().exists()),
            other => panic!("{other:?}"),
        }
        let _ = fs::remove_dir_all(case.work_dir());
    }
}

#[test]
fn leftovers_of_killed_verifiers_are_removed_and_used_files_are_not() {
    let case = Case::new(1);
    case.testbed.clear_faults();
    case.testbed.fault("/_store/*/public/build/*", 1..=2, Fault::Silence);
    let mut dead = case.spawn();
    case.wait_for_an_artifact();
    dead.kill().unwrap();
    dead.wait().unwrap();
    let left = names(&case.work_dir());
    assert!(matches!(left.as_slice(), [one] if one.starts_with(".catena-")), "{left:?}");

    case.testbed.reset_stats();
    case.testbed.fault("/_store/*/public/build/*", 2.., Fault::Delay(Duration::ZERO));
    let living = case.spawn();
    case.wait_for_an_artifact();
    let used = names(&case.work_dir());
    assert!(used.len() == 1 && used != left, "{used:?}, where {left:?} was left");

    case.testbed.clear_faults();
    let answer = case.verify(&case.work_dir()).run();
    assert_eq!(answer.status, 0, "{}{}", answer.failed(), answer.stderr);
    assert_eq!(names(&case.work_dir()), [used[0].as_str(), "cot"]);
    signal(&living, "-TERM");
    assert_eq!(living.wait_with_output().unwrap().status.code(), Some(3));
    assert_eq!(names(&case.work_dir()), ["cot"]);
}

#[test]
fn several_in_one_work_directory_do_not_disturb_each_other() {
    let (case, other) = (Case::new(1), Case::new(2));
    let start = |case: &Case, work_dir: &Path| -> Child {
        let mut catena = case.verify(work_dir);
        catena.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let work_dir = case.work_dir();
    let running: Vec<Child> =
        (0..6).map(|number| start(if number % 2 == 0 { &case } else { &other }, &work_dir)).collect();
    let waiting = running.into_iter().map(|child| std::thread::spawn(|| child.wait_with_output().unwrap()));
    for ended in waiting.collect::<Vec<_>>() {
        let Output { status, stdout, stderr } = ended.join().unwrap();
        let answer = Answer {
            status: status.code().expect("not ended by a signal"),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        };
        assert_eq!(answer.status, 0, "{}{}", answer.failed(), answer.stderr);
    }
    assert_eq!(names(&work_dir), ["cot"]);
    let mut both = case.site.clone();
    both.tasks.extend(other.site.tasks.clone());
    assert_eq!(check_published(&work_dir.join("cot"), &both), 14);
}

/// A verdict that reports a failure of the local disk: status 3, of the class `infra`.
fn out_of_room(status: ExitStatus, stdout: &str) {
    assert_eq!(status.code(), Some(3), "{status} {stdout}");
    let verdict: Value = serde_json::from_str(stdout).unwrap();
    let failed = verdict["findings"].as_array().unwrap().iter().filter(|one| one["disposition"] == "failed");
    let failed: Vec<&Value> = failed.collect();
    assert!(failed.iter().all(|one| one["class"] == "infra"), "{failed:?}");
    let told = |one: &&Value| one["message"].as_str().unwrap().contains("cannot write to the work directory");
    assert!(failed.iter().any(told), "{failed:?}");
}

#[test]
fn a_file_size_limit_is_reported_and_nothing_is_left() {
    let case = Case::new(1);
    let mut catena = case.verify(&case.work_dir());
    let inner = catena.command();
    // 100 blocks of 512 or 1,024 bytes, by the shell; the signal is ignored so that writing fails.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$@\"", "sh"]);
    shell.arg(inner.get_program()).args(inner.get_args()).env_clear();
    shell.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = shell.stdin(Stdio::null()).output().unwrap();
    out_of_room(output.status, &String::from_utf8_lossy(&output.stdout));
    assert_eq!(names(&case.work_dir()), Vec::<String>::new());
    case.verified();
}

/// A file system of a megabyte, until it is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Unset if a file system may not be created.
    fn at(folder: PathBuf, options: &str) -> Option<Self> {
        fs::create_dir_all(&folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "catena-test"]).arg(&folder);
        let mounted = mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        if !mounted {
            eprintln!("no file system can be mounted here: skipped");
        }
        mounted.then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_reported_and_nothing_is_left() {
    let case = Case::new(1);
    let Some(_disk) = SmallDisk::at(case.work_dir(), "size=1m") else { return };
    let answer = case.verify(&case.work_dir()).run();
    out_of_room(ExitStatus::from_raw(answer.status << 8), &answer.stdout);
    assert_eq!(names(&case.work_dir()), Vec::<String>::new());
}

#[test]
fn an_unwritable_work_directory_is_reported_before_any_request() {
    let case = Case::new(1);
    let beneath_a_file = case.room.path().join("keys.json/work");
    let disk = SmallDisk::at(case.work_dir(), "size=1m,ro");
    let read_only = disk.as_ref().map(|disk| disk.0.clone());
    for work_dir in [Some(beneath_a_file), read_only].into_iter().flatten() {
        let answer = case.verify(&work_dir).run();
        assert_eq!((answer.status, answer.stdout.as_str()), (2, ""), "{}", answer.stderr);
        assert!(answer.stderr.contains("next:") && answer.stderr.contains("--work-dir"), "{}", answer.stderr);
    }
    assert_eq!(case.testbed.requests(), []);
}

/// An obstacle at the final places is found when everything is verified: then nothing is printed, and
/// the obstacle stays.
#[test]
fn an_obstacle_to_publishing_prevents_verified() {
    let case = Case::new(1);
    fs::create_dir_all(case.work_dir()).unwrap();
    fs::write(case.work_dir().join("cot"), "in the way").unwrap();
    let answer = case.verify(&case.work_dir()).run();
    assert_eq!((answer.status, answer.stdout.as_str()), (3, ""), "{}", answer.stderr);
    assert_eq!(names(&case.work_dir()), ["cot"]);
    assert_eq!(fs::read(case.work_dir().join("cot")).unwrap(), b"in the way");
}

/// Puts a file where an earlier run would have put it.
fn leave(case: &Case, task_id: &str, name: &str) -> PathBuf {
    let path = case.work_dir().join("cot").join(task_id).join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "of an earlier run").unwrap();
    path
}

/// For the tasks of the chain no file stays beside those of the new verdict; other tasks' files are
/// left alone.
#[test]
fn files_of_an_earlier_run_do_not_stay_beside_verified_ones() {
    let case = Case::new(1);
    case.verified();
    let mut tasks: Vec<String> = case.chain_tasks();
    let others = leave(&case, "AAAAAAAAQACAAAAAAAAAAA", "public/build/target.tar.xz");
    tasks.push(case.target.clone());
    let stale: Vec<PathBuf> =
        tasks.iter().map(|id| leave(&case, id, "public/build/of-an-earlier-run")).collect();
    let answer = case.verify(&case.work_dir()).run();
    assert_eq!(answer.status, 0, "{}{}", answer.failed(), answer.stderr);
    for path in stale {
        assert!(!path.exists(), "{}", path.display());
    }
    assert!(others.exists());
    fs::remove_dir_all(others.ancestors().nth(3).unwrap()).unwrap();
    assert_eq!((names(&case.work_dir()), case.published()), (vec!["cot".to_owned()], 7));
}

/// After "rejected", "undetermined", an error and an interruption no file of an earlier "verified" is left.
#[test]
fn files_of_an_earlier_verified_are_removed_after_another_outcome() {
    let case = Case::new(1);
    let altered = Fault::Replace("altered".into());
    let refused = Fault::Status(403);
    case.testbed.clear_faults();
    for (pattern, fault, status) in
        [("/_store/*/public/build/*", altered, 1), ("/api/queue/v1/task/*", refused, 3)]
    {
        case.verified();
        case.testbed.fault(pattern, 1.., fault);
        let answer = case.verify(&case.work_dir()).run();
        assert_eq!(answer.status, status, "{}{}", answer.failed(), answer.stderr);
        assert_eq!((names(&case.work_dir()), case.published()), (vec!["cot".to_owned()], 0));
        case.testbed.clear_faults();
        case.testbed.reset_stats();
    }
    case.verified();
    case.testbed.reset_stats();
    case.testbed.fault("/_store/*/public/build/*", 1.., Fault::Silence);
    let child = case.spawn();
    case.wait_for_an_artifact();
    signal(&child, "-TERM");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(3));
    assert_eq!((names(&case.work_dir()), case.published()), (vec!["cot".to_owned()], 0));
}

/// An obstacle in one task's directory prevents every directory from being changed, and is left alone.
#[test]
fn a_link_in_place_of_a_directory_is_not_followed() {
    let case = Case::new(1);
    let outside = case.room.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("theirs"), "theirs").unwrap();
    let cot = case.work_dir().join("cot");
    fs::create_dir_all(&cot).unwrap();
    std::os::unix::fs::symlink(&outside, cot.join(&case.target)).unwrap();
    let answer = case.verify(&case.work_dir()).run();
    assert_eq!((answer.status, answer.stdout.as_str()), (3, ""), "{}", answer.stderr);
    assert!(answer.stderr.contains("symbolic links are not followed"), "{}", answer.stderr);
    assert_eq!(names(&outside), ["theirs"]);
    assert_eq!(names(&cot), [".catena", case.target.as_str()]);
}

/// The "verified" is not delivered, so the exit status is not 0; the files are verified nevertheless.
#[test]
fn a_closed_pipe_and_a_full_disk_prevent_verified() {
    let case = Case::new(1);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut outputs: Vec<Stdio> = vec![writer.into()];
    outputs.extend(File::options().write(true).open("/dev/full").map(Stdio::from));
    for stdout in outputs {
        let mut catena = case.verify(&case.work_dir());
        let status = catena.command().stdout(stdout).stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(3));
        assert_eq!((names(&case.work_dir()), case.published()), (vec!["cot".to_owned()], 7));
        fs::remove_dir_all(case.work_dir()).unwrap();
    }
}
