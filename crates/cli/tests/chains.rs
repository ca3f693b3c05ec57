//! Our own chains through the real binary: every outcome, the files on disk, and the output.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use catena_testbed::{Chain, Fault, Release, Trigger};
use insta::assert_snapshot;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use support::{Answer, Case, Catena, altered, check_published, keys_file};

impl Case {
    /// The command line for this chain: a task that is about to run.
    fn verify(&self) -> Catena {
        let mut catena = self.command("verify");
        catena.arg("--no-check-task");
        catena
    }

    /// The same, run to its end with more options.
    fn answer(&self, more: &[&str]) -> Answer {
        self.verify().args(more).args(["--", &self.target]).run()
    }

    /// The output of the binary, without the parts that differ from run to run.
    fn told(&self, answer: &Answer) -> String {
        answer.stdout.replace(&self.testbed.root_url(), "http://testbed")
    }
}

fn push() -> Chain {
    Chain::demo().unwrap()
}

#[test]
fn a_valid_chain_is_verified_and_its_inputs_are_published() {
    let case = Case::serving(push());
    let work_dir = case.work_dir();
    let answer = case.answer(&["--work-dir", work_dir.to_str().unwrap()]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""), "{}", answer.stdout);
    assert_snapshot!("verified", case.told(&answer));
    assert!(check_published(&work_dir.join("cot"), case.testbed.site()) > 0);
    // No other files are left in the work directory.
    assert_eq!(names(&work_dir), ["cot"]);
}

#[test]
fn a_finished_task_is_checked_by_default() {
    let release = Release::new("firefox", Trigger::Push).unwrap();
    let case = Case::serving(Release { finished: true, ..release }.build().unwrap());
    let answer = case.answer(&["--check-task", "--format", "json"]);
    assert_eq!(answer.status, 0, "{}{}", answer.failed(), answer.stderr);
    let verdict: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(verdict["target"]["checkTask"], true);
    assert_eq!(verdict["outcome"], "verified");
}

#[test]
fn a_changed_artifact_is_refused_and_nothing_is_left() {
    let case = Case::serving(altered(push()));
    let work_dir = case.work_dir();
    let answer = case.answer(&["--work-dir", work_dir.to_str().unwrap()]);
    assert_eq!((answer.status, answer.stderr.as_str()), (1, ""), "{}", answer.stdout);
    assert_snapshot!("altered", case.told(&answer));
    assert!(names(&work_dir).is_empty(), "{:?}", names(&work_dir));
}

#[test]
fn a_changed_definition_is_refused() {
    let mut chain = push();
    let build = chain.builds[0].clone();
    let definition = chain.definition_mut(&build).unwrap();
    let env = definition.get_mut("payload").and_then(|payload| payload.get_mut("env")).unwrap();
    env.as_object_mut().unwrap().insert("EVIL", "1".into());
    chain.redocument(&build);
    let case = Case::serving(chain);
    let answer = case.answer(&[]);
    assert_eq!(answer.status, 1, "{}", answer.stdout);
    assert_snapshot!("definition", case.told(&answer));
}

#[test]
fn a_signature_by_an_unknown_key_is_refused() {
    let case = Case::serving(push());
    let other = Case::serving(
        Release { seed: 7, ..Release::new("firefox", Trigger::Push).unwrap() }.build().unwrap(),
    );
    std::fs::copy(other.room.path().join("keys.json"), case.room.path().join("keys.json")).unwrap();
    let answer = case.answer(&["--format", "json"]);
    assert_eq!(answer.status, 1);
    assert!(answer.codes().iter().all(|code| code == "signature-unknown-key"), "{:?}", answer.codes());
    assert_snapshot!("unknown_key", case.told(&case.answer(&[])));
}

#[test]
fn unavailable_evidence_is_undetermined() {
    let case = Case::serving(push());
    case.testbed.fault("*/.taskcluster.yml*", 1.., Fault::Status(403));
    case.testbed.fault("*/contents/.taskcluster.yml*", 1.., Fault::Status(403));
    let answer = case.answer(&[]);
    assert_eq!(answer.status, 3, "{}", answer.stdout);
    assert!(answer.stdout.starts_with("UNDETERMINED"), "{}", answer.stdout);
}

#[test]
fn the_deadline_ends_a_verification() {
    let case = Case::serving(push());
    case.testbed.fault("*/.taskcluster.yml*", 1.., Fault::Delay(std::time::Duration::from_secs(60)));
    let answer = case.answer(&["--deadline", "3s", "--format", "json"]);
    assert_eq!(answer.status, 3, "{}", answer.stdout);
    assert!(answer.codes().iter().any(|code| code == "availability-unreachable"), "{:?}", answer.codes());
}

#[test]
fn a_worker_without_keys_is_not_trusted() {
    let case = Case::serving(push());
    let keys: Value =
        serde_json::from_slice(&std::fs::read(case.room.path().join("keys.json")).unwrap()).unwrap();
    keys_file(case.room.path(), &serde_json::json!({"scriptworker": keys["scriptworker"]}));
    let answer = case.answer(&[]);
    assert_eq!(answer.status, 1, "{}", answer.stdout);
    assert!(answer.stdout.starts_with("REJECTED") && answer.stdout.contains("--keys"), "{}", answer.stdout);
}

#[test]
fn skipped_signatures_show() {
    let case = Case::serving(push());
    let answer = case.answer(&["--danger-skip-signatures"]);
    assert_eq!(answer.status, 0, "{}", answer.stdout);
    assert_snapshot!("skipped_signatures", case.told(&answer));
}

/// The testbed's workers have keys that the shipped policy does not list.
const WIDENED: &str = "  keys widened: 4";

/// The verdict of the same chain's recording.
fn of_recording(told: &str) -> String {
    told.replacen(" for firefox\n", " for firefox, from a recording\n", 1).replacen(
        r#""source": "services""#,
        r#""source": "recording""#,
        1,
    )
}

/// The same verdict, byte for byte except for its source, without any service.
#[test]
fn a_recording_gives_the_same_verdict_again() {
    for chain in [push(), altered(push())] {
        let case = Case::serving(chain);
        let policy = case.room.path().join("policy.yml");
        std::fs::write(&policy, "catena-policy: 1\nextends: shipped:firefox-ci\n").unwrap();
        let (record, policy) = (case.room.path().join("record"), policy.to_str().unwrap().to_owned());
        for format in ["text", "json"] {
            let first =
                case.answer(&["--format", format, "--policy", &policy, "--record", record.to_str().unwrap()]);
            let moved = case.room.path().join("moved");
            std::fs::rename(&record, &moved).unwrap();
            let again = Catena::new().args(["verify", "--format", format, "--replay"]).arg(&moved).run();
            assert_ne!(of_recording(&first.stdout), first.stdout);
            assert_eq!((again.status, again.stdout), (first.status, of_recording(&first.stdout)));
            std::fs::remove_dir_all(&moved).unwrap();
        }
    }
}

/// The time of conclusion is the recording's, not the clock's.
#[test]
fn a_recording_keeps_its_time() {
    let case = Case::serving(push());
    let record = case.room.path().join("record");
    let first = case.answer(&["--format", "json", "--record", record.to_str().unwrap()]);
    let verdict: Value = serde_json::from_str(&first.stdout).unwrap();
    let (then, concluded) = ("2001-02-03T04:05:06Z", verdict["concluded"].as_str().unwrap());
    let verification = std::fs::read_to_string(record.join("verification.json")).unwrap();
    std::fs::write(record.join("verification.json"), verification.replace(concluded, then)).unwrap();
    let again = Catena::new().args(["verify", "--format", "json", "--replay"]).arg(&record).run();
    assert_eq!(again.stdout, of_recording(&first.stdout.replace(concluded, then)));
}

#[test]
fn a_recording_that_was_touched_is_refused() {
    let case = Case::serving(altered(push()));
    let record = case.room.path().join("record");
    case.answer(&["--record", record.to_str().unwrap()]);
    let body = support::children(&record.join("bodies")).remove(0);
    std::fs::write(body, "{}").unwrap();
    let again = Catena::new().args(["verify", "--replay"]).arg(&record).run();
    assert_eq!((again.status, again.stdout.as_str()), (2, ""), "{}", again.stderr);
}

#[test]
fn a_recording_is_not_written_over() {
    let case = Case::serving(push());
    let record = case.room.path().join("record");
    let options = ["--record", record.to_str().unwrap()];
    assert_eq!(case.answer(&options).status, 0);
    let again = case.answer(&options);
    assert_eq!((again.status, again.stdout.as_str()), (2, ""));
    assert!(again.stderr.contains("already holds a recording"), "{}", again.stderr);
}

/// A verifier that is ended before its verdict leaves nothing behind, and certainly not "verified".
#[cfg(unix)]
#[test]
fn being_ended_leaves_nothing() {
    let case = Case::serving(push());
    case.testbed.fault("*/public/build/*", 1.., Fault::Silence);
    let work_dir = case.work_dir();
    let mut catena = case.verify();
    let command = catena.arg("--work-dir").arg(&work_dir).args(["--", &case.target]).command();
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while case.testbed.requests().iter().all(|request| !request.url.contains("/public/build/")) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(names(&work_dir).len(), 1, "{:?}", names(&work_dir));
    let killed =
        std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stdout),
        (Some(3), Vec::new()),
        "{} {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(names(&work_dir).is_empty(), "{:?}", names(&work_dir));
}

#[test]
fn the_verdict_goes_to_the_named_output() {
    let case = Case::serving(push());
    let (file, log) = (case.room.path().join("verdict.json"), case.room.path().join("catena.log"));
    let (file_name, log_name) = (file.to_str().unwrap(), log.to_str().unwrap());
    let answer = case.answer(&["--format", "json", "--output", file_name, "--log", log_name, "-v"]);
    assert_eq!((answer.status, answer.stdout.as_str()), (0, ""), "{}", answer.stderr);
    assert!(answer.stderr.contains("concluded"), "{}", answer.stderr);
    let verdict: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(verdict["schema"], "catena-verdict/1");
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("asked for the definition of task"), "{log}");
}

#[test]
fn an_undelivered_verified_fails() {
    let case = Case::serving(push());
    let status = |catena: &mut Catena| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let command = catena.args(["--", &case.target]).command();
        let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(status(&mut case.verify()), (Some(3), String::new()));
    let case = Case::serving(altered(push()));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut catena = case.verify();
    let output =
        catena.args(["--", &case.target]).command().stdout(writer).stderr(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_reported() {
    let case = Case::serving(push());
    let answer = case.answer(&["--output", "/dev/full"]);
    assert_eq!((answer.status, answer.stdout.as_str()), (3, ""));
    assert!(answer.stderr.starts_with("catena: /dev/full: "), "{}", answer.stderr);
}

/// The arguments of verify_cot still work.
#[test]
fn verify_cots_options_are_known() {
    let case = Case::serving(push());
    let mut catena = Catena::through(&case.testbed, case.room.path());
    catena.args(["verify", &case.target, "--task-type", &case.kind, "--cot-product", &case.product]);
    catena.args(["--verify-sigs", "--no-check-task", "--cleanup"]);
    let answer = catena.arg("--keys").arg(case.room.path().join("keys.json")).run();
    assert_eq!(answer.status, 0, "{}{}", answer.stdout, answer.stderr);
}

#[test]
fn the_demo_shows_a_verified_and_a_rejected_chain() {
    let room = tempfile::tempdir().unwrap();
    let mut catena = Catena::new();
    catena.arg("demo").env("TMPDIR", room.path()).command().current_dir(room.path());
    let answer = catena.run();
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""), "{}", answer.stdout);
    let timeless: Vec<&str> = answer.stdout.lines().filter(|line| !line.starts_with("  took")).collect();
    assert_snapshot!("demo", timeless.join("\n"));
    assert!(names(room.path()).is_empty(), "{:?}", names(room.path()));
}

#[test]
fn the_demo_shows_the_attacks_that_are_named() {
    let mut catena = Catena::new();
    let answer = catena.args(["demo", "--attacks", "Bit flipped"]).run();
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""), "{}", answer.stdout);
    assert_snapshot!("demo_attacks", answer.stdout);
}

fn names(folder: &Path) -> Vec<String> {
    let children = support::children(folder).into_iter();
    children.map(|child| child.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

/// A list of the target and its builds, all finished.
fn list(case: &Case, builds: &[String]) -> PathBuf {
    let lines: Vec<String> = builds.iter().map(|build| format!("{build} build")).collect();
    let file = case.room.path().join("tasks.txt");
    std::fs::write(&file, format!("# of one push\n{}\n\n{}\n", case.target, lines.join("\n"))).unwrap();
    file
}

fn verify_list(case: &Case, file: &Path, more: &[&str]) -> Answer {
    let mut catena = Catena::through(&case.testbed, case.room.path());
    catena.args(["verify", "--task-type", &case.kind, "--product", &case.product, "--batch"]).arg(file);
    catena.arg("--keys").arg(case.room.path().join("keys.json")).args(more).run()
}

#[test]
fn a_list_is_verified_and_shared_data_is_requested_once() {
    let release = Release::new("firefox", Trigger::Push).unwrap();
    let chain = Release { finished: true, ..release }.build().unwrap();
    let builds = chain.builds.clone();
    let case = Case::serving(chain);
    let file = list(&case, &builds);
    let answer = verify_list(&case, &file, &[]);
    assert_eq!(answer.status, 0, "{}{}", answer.stdout, answer.stderr);
    let mut lines: Vec<&str> = answer.stdout.lines().collect();
    lines.sort_unstable();
    let mut expected: Vec<String> =
        builds.iter().map(|build| format!("verified       {build}  build  firefox{WIDENED}")).collect();
    expected.push(format!("verified       {}  signing  firefox{WIDENED}", case.target));
    expected.sort_unstable();
    assert_eq!(lines, expected);
    assert!(answer.stderr.starts_with("4 of 4 tasks: 4 verified in "), "{}", answer.stderr);
    let stats = case.testbed.stats();
    assert_eq!(stats.repeated(), [], "asked for twice");
}

/// Printed verdicts stay valid, and the progress is reported; the rest of the list has no verdict.
#[cfg(unix)]
#[test]
fn an_interrupted_list_reports_its_progress() {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::process::Command;
    let release = Release::new("firefox", Trigger::Push).unwrap();
    let chain = Release { finished: true, ..release }.build().unwrap();
    let builds = chain.builds.clone();
    let case = Case::serving(chain);
    case.testbed.fault(&format!("/api/queue/v1/task/{}", builds[1]), .., Fault::Silence);
    let file = case.room.path().join("list");
    std::fs::write(&file, format!("{} build\n{} build\n", builds[0], builds[1])).unwrap();
    let mut catena = Catena::through(&case.testbed, case.room.path());
    catena.args(["verify", "--product", &case.product, "--batch"]).arg(file);
    catena.arg("--keys").arg(case.room.path().join("keys.json"));
    let mut running = catena.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = String::new();
    BufReader::new(running.stdout.take().unwrap()).read_line(&mut told).unwrap();
    assert_eq!(told, format!("verified       {}  build  firefox{WIDENED}\n", builds[0]));
    assert!(Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap().success());
    let mut said = String::new();
    running.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(3), "{said}");
    assert!(said.contains("interrupted: 1 of 2 tasks: 1 verified"), "{said}");
    assert!(said.contains("verify the tasks without a line again"), "{said}");
}

#[test]
fn one_rejection_rejects_a_list_and_says_why() {
    let release = Release::new("firefox", Trigger::Push).unwrap();
    let chain = Release { finished: true, ..release }.build().unwrap();
    let builds = chain.builds.clone();
    let case = Case::serving(altered(chain));
    let file = list(&case, &builds);
    let answer = verify_list(&case, &file, &["--jobs", "1"]);
    assert_eq!(answer.status, 1, "{}{}", answer.stdout, answer.stderr);
    let first = answer.stdout.lines().next().unwrap();
    assert!(
        first.starts_with(&format!(
            "rejected       {}  signing  firefox  artifact-altered  signing → build: ",
            case.target
        )),
        "{first}"
    );
    assert!(answer.stderr.starts_with("4 of 4 tasks: 2 verified, 2 rejected in "), "{}", answer.stderr);

    let answer = verify_list(&case, &file, &["--format", "json"]);
    assert_eq!(answer.status, 1);
    let verdicts: Vec<Value> =
        answer.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let no: Vec<&Value> = verdicts.iter().filter(|verdict| verdict["outcome"] == "rejected").collect();
    assert_eq!((verdicts.len(), no.len()), (4, 2));
    // The build's file differs from its document, and the target used it.
    for id in [case.target.as_str(), builds[0].as_str()] {
        assert!(no.iter().any(|verdict| verdict["target"]["taskId"] == id), "{id}");
    }
    // Verified by digest, the build is unchanged, and the verdict names the digests that it covers.
    let answer = verify_list(&case, &file, &["--format", "json", "--artifacts", "named"]);
    let verdicts = answer.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let build =
        verdicts.into_iter().find(|verdict| verdict["target"]["taskId"] == builds[0].as_str()).unwrap();
    assert_eq!((&build["outcome"], &build["target"]["artifacts"]), (&"verified".into(), &"named".into()));
    let own = build["artifacts"].as_array().unwrap().iter().filter(|one| one["taskId"] == builds[0].as_str());
    let own: Vec<&Value> = own.collect();
    assert!(
        own.len() > 2 && own.iter().all(|one| one["evidence"] == "named" && one["length"].is_null()),
        "{own:?}"
    );

    let told = verify_list(&case, &file, &["-v"]).stdout;
    assert!(
        told.lines().any(|line| line.starts_with("    REJECTED") || line.starts_with("    rejected")),
        "{told}"
    );
}

#[test]
fn a_list_states_the_relaxations_of_each_task() {
    let case = Case::serving(push());
    let file = list(&case, &[]);
    let answer = verify_list(&case, &file, &["--no-check-task", "--danger-skip-signatures"]);
    assert_eq!(answer.status, 0, "{}{}", answer.stdout, answer.stderr);
    let expected = format!(
        "verified       {}  {}  {}  weakened: danger-skip-signatures{WIDENED}\n",
        case.target, case.kind, case.product
    );
    assert_eq!(answer.stdout, expected);
}

#[test]
fn a_list_with_an_error_makes_no_requests() {
    let case = Case::serving(push());
    let file = case.room.path().join("tasks.txt");
    std::fs::write(&file, format!("{}\nnonsense\n{} signing nothing\n", case.target, case.target)).unwrap();
    let answer = verify_list(&case, &file, &[]);
    assert_eq!((answer.status, answer.stdout.as_str()), (2, ""));
    assert!(answer.stderr.contains("line 2: "), "{}", answer.stderr);
    std::fs::write(&file, format!("{} signing nothing\n", case.target)).unwrap();
    let answer = verify_list(&case, &file, &[]);
    assert_eq!((answer.status, answer.stdout.as_str()), (2, ""));
    assert!(answer.stderr.contains("nothing"), "{}", answer.stderr);
    assert_eq!(case.testbed.stats().requests, 0);
}
