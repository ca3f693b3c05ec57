//! The commands of hints can be run as they are printed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use catena_report::{TextOptions, hints, text};
use catena_verify::checks::{self, code};
use catena_verify::verdict::{Authority, Disposition, Finding, Outcome, Verdict};
use support::*;

/// The commands that a report prints, of a verdict with one finding.
fn commands(verdict: &Verdict) -> Vec<String> {
    let shown = text(verdict, &TextOptions::default());
    shown.lines().filter_map(|line| line.trim_start().strip_prefix("$ ")).map(str::to_owned).collect()
}

fn of(name: &str, task_id: &str, message: &str) -> Verdict {
    let code = code(name).unwrap();
    let one = finding("check", code, Disposition::Failed, task_id, message);
    verdict(Outcome::Rejected, vec![one])
}

#[test]
fn words_are_filled_in() {
    let verdict = of("signature-unknown-key", BUILD, "No key made it.");
    let status = format!("curl -s https://tc.example/api/queue/v1/task/{BUILD}/status");
    assert_eq!(commands(&verdict), ["catena policy show --product firefox --policy ours.yml", &status]);
    let verdict = of("artifact-altered", BUILD, "It is another file.");
    let again = format!(
        "catena verify {SIGNING} --task-type signing --product firefox --policy ours.yml --no-check-task \
         --record evidence"
    );
    assert_eq!(commands(&verdict)[0], again);
    let of_parent = of("graph-unreadable", BUILD, "It is malformed.");
    let log = "artifacts/public/logs/live_backing.log";
    assert_eq!(
        commands(&of_parent),
        [format!("curl -sL https://tc.example/api/queue/v1/task/{DECISION}/{log}")]
    );
}

#[test]
fn a_deployment_that_is_not_named_is_that_of_the_environment() {
    let verdict = Verdict { root_url: None, ..of("run-none", BUILD, "It has no run.") };
    assert_eq!(
        commands(&verdict),
        [format!("curl -s $TASKCLUSTER_ROOT_URL/api/queue/v1/task/{BUILD}/status")]
    );
}

#[test]
fn repositories_and_revisions_are_those_of_the_finding() {
    let landed = |message: &str, actual: &str| {
        let code = code("pull-request-not-landed").unwrap();
        let mut one: Finding = finding("pull-request", code, Disposition::Failed, BUILD, message);
        one.actual = claim(Authority::Vcs, actual);
        commands(&verdict(Outcome::Rejected, vec![one]))
    };
    let revision = "61928a61f9ae0c558069103b34141bfee561812a";
    let message = "The commit has not landed in github.com/mozilla-mobile/reference-browser.";
    let told = format!("curl -sIL https://github.com/mozilla-mobile/reference-browser/commits/{revision}");
    assert_eq!(landed(message, &format!("{revision} (no branch)")), [told]);
    let source = format!("https://hg.mozilla.org/mozilla-central/file/{revision}/x (in no trusted tree)");
    assert_eq!(
        landed("It has not.", &source),
        [format!("curl -sIL https://hg.mozilla.org/mozilla-central/commits/{revision}")]
    );
    assert_eq!(landed("It has not.", "nothing"), ["curl -sIL REPOSITORY/commits/REVISION"]);
}

#[test]
fn nothing_that_a_shell_acts_on_is_filled_in() {
    for name in ["$(id).yml", "a b.yml", "a;b", "-x", "a`id`", "a'b", "a\nb", "~", "a&b", "a|b", "ä.yml", "*"]
    {
        let mut verdict = of("signature-unknown-key", BUILD, "No key made it.");
        verdict.policy.name = name.to_owned();
        verdict.product = format!("firefox{name}");
        verdict.root_url = Some(format!("https://tc.example/{name}"));
        let shown = commands(&verdict);
        let root = if name == "-x" { "https://tc.example/-x" } else { "$TASKCLUSTER_ROOT_URL" };
        let product = if name == "-x" { "firefox-x" } else { "PRODUCT" };
        assert_eq!(shown[0], format!("catena policy show --product {product} --policy FILE"), "{name}");
        assert_eq!(shown[1], format!("curl -s {root}/api/queue/v1/task/{BUILD}/status"), "{name}");
    }
    let hostile = of("rebuild-unknown-to-vcs", BUILD, "There is no github.com/$(id)/`id` at all.");
    assert_eq!(commands(&hostile)[0], "git ls-remote REPOSITORY");
}

#[test]
fn every_code_that_can_fail_has_a_hint_of_its_own_and_no_other() {
    for code in checks::ALL.iter().flat_map(|check| check.codes) {
        let count = hints().filter(|hint| hint.code == *code).count();
        assert_eq!(count, usize::from(!code.passes), "{}", code.name);
    }
}

#[test]
fn hints_are_short_sentences() {
    for hint in hints() {
        assert!((1..=3).contains(&hint.causes.len()), "{}", hint.code.name);
        for cause in hint.causes {
            assert!(
                cause.text.len() <= 300 && cause.text.ends_with('.'),
                "{}: {}",
                hint.code.name,
                cause.text
            );
        }
    }
}

/// The reader of a refusal has something to run.
#[test]
fn every_hint_has_a_command() {
    const PROGRAMS: [&str; 3] = ["catena", "curl", "git"];
    for hint in hints() {
        let commands: Vec<&str> = hint.causes.iter().filter_map(|cause| cause.command).collect();
        assert!(!commands.is_empty(), "{}", hint.code.name);
        for command in commands {
            let program = command.split(' ').next().unwrap_or_default();
            assert!(PROGRAMS.contains(&program), "{}: {command}", hint.code.name);
        }
    }
}
