//! Chains as people see them: `catena show`, `verify --tree` and `--explain`, `explain FILE`, and the commands of
//! `docs/verify.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use catena_testbed::{Chain, Fault, Release, Trigger};
use insta::assert_snapshot;
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use support::{Answer, Case, Catena, altered};

impl Case {
    fn answer(&self, command: &str, more: &[&str]) -> Answer {
        self.command(command).args(more).args(["--", &self.target]).run()
    }

    /// Runs a script of the page for this task, with the keys of the testbed.
    fn script(&self, script: &str) -> (Option<i32>, String) {
        // Writes the certificate of the testbed.
        drop(Catena::through(&self.testbed, self.room.path()));
        let binary = Path::new(env!("CARGO_BIN_EXE_catena")).parent().unwrap();
        let script = format!("{WITH_KEYS}\n{}", script.replace("TASK_ID", &self.target));
        let mut shell = Command::new("/bin/sh");
        shell.args(["-u", "-c", &script]).current_dir(self.room.path()).env_clear();
        shell.env("PATH", format!("{}:/usr/bin:/bin", binary.display()));
        shell
            .env("TASKCLUSTER_ROOT_URL", self.testbed.root_url())
            .env("HTTPS_PROXY", self.testbed.proxy_url());
        shell.env("SSL_CERT_FILE", "ca.pem").env("HOME", ".");
        let output = shell.stdin(Stdio::null()).output().unwrap();
        let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.code(), told.concat())
    }
}

/// The keys that the testbed's workers sign with are not those of the policy.
const WITH_KEYS: &str = r#"catena() {
    command=$1; shift
    case "$command $*" in
        *--replay*) command catena "$command" "$@" ;;
        verify*|show*) command catena "$command" --keys keys.json "$@" ;;
        *) command catena "$command" "$@" ;;
    esac
}"#;

fn release() -> Chain {
    Release { finished: true, ..Release::new("firefox", Trigger::Push).unwrap() }.build().unwrap()
}

/// Blocks of the page in a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let page = include_str!("../../../docs/verify.md");
    let starts = page.split(language).skip(1);
    starts.map(|rest| rest.split_once("\n```").unwrap().0).collect()
}

#[test]
fn the_commands_of_the_page_do_what_it_says() {
    let script = blocks("```sh\n").join("\n");
    let words =
        ["verify", "--no-check-task", "--work-dir", "show", "explain", "--record", "--replay", "--batch"];
    assert!(words.iter().all(|word| script.contains(word)), "{script}");
    let (status, verified) = Case::serving(release()).script(&format!("set -e\n{script}"));
    assert_eq!(status, Some(0), "{verified}");
    let (_, rejected) = Case::serving(altered(release())).script(&script);
    let lines = blocks("```text\n").into_iter().flat_map(str::lines).filter(|line| line.trim() != "…");
    let lines: Vec<&str> = lines.collect();
    assert!(lines.len() > 20, "{lines:?}");
    for line in lines {
        let is_told = verified.lines().chain(rejected.lines()).any(|told| told == line);
        assert!(is_told, "{line:?} is in neither\n{verified}\nnor\n{rejected}");
    }
}

#[test]
fn a_chain_is_shown() {
    let case = Case::serving(release());
    let answer = case.answer("show", &[]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""), "{}", answer.stdout);
    assert_snapshot!("show", answer.stdout);
    let json = case.answer("show", &["--format", "json"]);
    let verdict: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json.status, &verdict["outcome"]), (0, &Value::from("verified")));
    assert_eq!(verdict["links"][0]["runState"], "completed");
    assert!(verdict["links"][0]["workerPool"].as_str().unwrap().contains('/'));
    assert!(!answer.stdout.contains('\u{1b}'));
    assert!(case.answer("show", &["--color", "always"]).stdout.contains("\u{1b}[1;32mverified\u{1b}[0m"));
}

#[test]
fn a_refused_chain_is_shown_with_the_status_of_verify() {
    let case = Case::serving(altered(release()));
    let shown = case.answer("show", &[]);
    assert_eq!((shown.status, shown.stderr.as_str()), (1, ""), "{}", shown.stdout);
    assert_snapshot!("show_altered", shown.stdout);
    let verified = case.answer("verify", &[]);
    let both = case.answer("verify", &["--tree"]);
    let (_, tree) = shown.stdout.split_once("\n\n").unwrap();
    assert_eq!((both.status, both.stdout), (1, format!("{}\n{tree}", verified.stdout)));
}

#[test]
fn what_is_not_reached_is_undetermined() {
    let chain = release();
    let build = chain.builds[0].clone();
    let case = Case::serving(chain);
    case.testbed.fault(&format!("/api/queue/v1/task/{build}"), .., Fault::Status(403));
    let answer = case.answer("show", &[]);
    assert_eq!(answer.status, 3, "{}", answer.stdout);
    assert!(
        answer.stdout.contains("  not reached: UNDETERMINED availability-refused\n"),
        "{}",
        answer.stdout
    );
    assert!(!answer.stdout.contains("  verified"), "{}", answer.stdout);
}

#[test]
fn the_pages_of_what_failed_are_printed_below_the_verdict() {
    let case = Case::serving(altered(release()));
    let (plain, explained) = (case.answer("verify", &[]), case.answer("verify", &["--explain"]));
    assert_eq!((plain.status, explained.status), (1, 1));
    let pages = explained.stdout.strip_prefix(&plain.stdout).unwrap();
    assert!(pages.contains("\nartifact-altered (tamper)\n") && pages.contains("\n# artifacts\n"), "{pages}");
    assert_eq!(pages.matches("\n# ").count(), 1, "{pages}");
    let json = case.answer("verify", &["--explain", "--format", "json"]);
    assert_eq!((json.status, json.stdout.as_str()), (2, ""));
    // Nothing failed, nothing to explain.
    let case = Case::serving(release());
    assert_eq!(case.answer("verify", &["--explain"]).stdout, case.answer("verify", &[]).stdout);
}

#[test]
fn a_stored_verdict_is_explained_and_not_believed() {
    let case = Case::serving(altered(release()));
    let json = case.answer("verify", &["--format", "json", "-o", "verdict.json"]);
    assert_eq!(json.status, 1);
    let explain = |name: &str| {
        let mut catena = Catena::new();
        catena.args(["explain", name]).command().current_dir(case.room.path());
        catena.run()
    };
    let answer = explain("verdict.json");
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    let told = &answer.stdout;
    assert!(told.starts_with("A verdict from a file. Nothing was verified now, "), "{told}");
    for part in [
        "rejected: signing task",
        "1. artifact-altered [tamper]",
        "FAILED artifact-altered",
        "\n# artifacts\n",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let stored = std::fs::read_to_string(case.room.path().join("verdict.json")).unwrap();
    let mut catena = Catena::new();
    let command = catena.args(["explain", "-"]).command().stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stored.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap(), *told);
    // What contradicts itself, or is not a verdict.
    for (content, words) in [
        (stored.replacen("\"rejected\"", "\"verified\"", 1), "the verdict contradicts itself"),
        (stored.replacen("catena-verdict/1", "catena-verdict/9\\u001b", 1), "catena-verdict/9"),
        ("{}".to_owned(), "malformed at schema"),
        ("\u{1b}[2J".to_owned(), "not readable as JSON"),
        (" ".repeat((64 << 20) + 1), "not readable as JSON"),
    ] {
        std::fs::write(case.room.path().join("other.json"), content).unwrap();
        let answer = explain("other.json");
        assert_eq!((answer.status, answer.stdout.as_str()), (2, ""), "{words}");
        assert!(answer.stderr.contains(words) && !answer.stderr.contains('\u{1b}'), "{}", answer.stderr);
    }
    let missing = explain("missing.json");
    assert_eq!((missing.status, missing.stdout.as_str()), (2, ""));
    assert!(
        missing.stderr.contains("missing.json") && missing.stderr.contains("next:"),
        "{}",
        missing.stderr
    );
}

#[test]
fn a_stored_verified_is_only_reported() {
    let case = Case::serving(release());
    let json = case.answer("verify", &["--format", "json", "-o", "verdict.json"]);
    assert_eq!(json.status, 0);
    let mut catena = Catena::new();
    let told = catena.arg("explain").arg(case.room.path().join("verdict.json")).run().stdout;
    assert!(told.contains("  reports   verified: signing task "), "{told}");
    assert!(told.lines().all(|line| !line.contains("VERIFIED") && !line.ends_with("  verified")), "{told}");
}
