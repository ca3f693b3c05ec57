//! The catalogue as a whole: nothing in it twice, and nothing that a check can find left out.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it does not expect")]

use catena_core::checks;
use catena_core::verdict::Standing;
use catena_testbed::Release;
use catena_testbed::chain::{Images, Scope};
use catena_threats::{Attack, Question, THREATS, honest};
use std::collections::BTreeSet;

/// Codes that findings fail with and that no chain can show, and why.
const UNSHOWN: &[(&str, &str)] = &[
    ("tree-scope-ambiguous", "a policy with two rules for one scope is refused before any chain is seen"),
    ("outside-unfinished", "shown by a driver that withholds an answer, and by no answer"),
];

/// Codes that only findings that passed have: each is seen in an honest chain.
const PASSING: &[&str] = &[
    "artifact-absent-optional",
    "artifacts-match",
    "artifacts-none",
    "artifacts-wanted",
    "chain-shape",
    "definition-sound",
    "document-agrees",
    "document-not-needed",
    "graph-agrees",
    "graph-not-needed",
    "image-allowed",
    "image-matches",
    "image-not-needed",
    "interactive-none",
    "kind-known",
    "pull-request-none",
    "pull-request-not-needed",
    "rebuild-agrees",
    "rebuild-not-needed",
    "run-completed",
    "run-not-needed",
    "signature-not-needed",
    "signature-verified",
    "source-inside-repository",
    "source-without-repository",
    "tree-trusted",
    "worker-implementation-told",
    "worker-pool-allowed",
];
/// Passes where a switch of the command line says so, and is seen in no honest chain.
const SKIPPED: &str = "signature-skipped";

fn attacks() -> impl Iterator<Item = &'static Attack> {
    THREATS.iter().flat_map(|threat| threat.attacks())
}

#[test]
fn names_are_unique_and_attacks_are_told() {
    let mut seen = BTreeSet::new();
    for attack in attacks() {
        assert!(seen.insert(attack.name), "attack {:?} is there twice", attack.name);
        assert!(!attack.by.is_empty(), "nobody does {:?}", attack.name);
        assert!(attack.what.ends_with('.'), "{:?} is not told in a sentence", attack.name);
    }
    assert!(seen.len() >= 1000, "{} attacks", seen.len());
    let mut seen = BTreeSet::new();
    for honest in honest::chains() {
        assert!(seen.insert(honest.name.clone()), "honest chain {:?} is there twice", honest.name);
    }
    assert!(seen.len() >= 40, "{} honest chains", seen.len());
}

#[test]
fn every_class_is_attacked() {
    let numbers: Vec<u8> = THREATS.iter().map(|threat| threat.number).collect();
    assert_eq!(numbers, (1..=10).collect::<Vec<u8>>());
    for threat in THREATS {
        assert!(threat.attacks().count() >= 30, "class {}: {}", threat.number, threat.name);
    }
}

#[test]
fn every_code_that_can_fail_has_an_attack() {
    let shown: BTreeSet<&str> = attacks().map(|attack| attack.code).collect();
    for code in &shown {
        assert!(checks::find_code(code).is_some(), "there is no code {code}");
        assert!(!PASSING.contains(code) && *code != SKIPPED, "{code} cannot fail");
    }
    let unshown: BTreeSet<&str> = UNSHOWN.iter().map(|(code, _)| *code).collect();
    for code in &unshown {
        assert!(checks::find_code(code).is_some(), "there is no code {code}");
        assert!(!shown.contains(code), "{code} has an attack");
    }
    let mut missing = Vec::new();
    for check in checks::ALL {
        let failing = check.codes.iter().map(|code| code.name);
        let failing = failing.filter(|code| !PASSING.contains(code) && *code != SKIPPED);
        missing.extend(failing.filter(|code| !shown.contains(code) && !unshown.contains(code)));
    }
    assert_eq!(missing, Vec::<&str>::new(), "these have no attack");
}

#[test]
fn codes_that_only_pass_are_those_of_honest_chains() {
    let releases = [
        honest::finished(),
        honest::globs(),
        Release { images_from: Images::Prebuilt, scope: Scope::Unrestricted, ..honest::mobile() },
    ];
    let mut passed = BTreeSet::new();
    for release in releases {
        let chain = release.build().unwrap();
        let verdict = Question::of(&chain).unwrap().judge(chain);
        for finding in &verdict.findings {
            assert_eq!(finding.standing, Standing::Passed, "{}", finding.message);
            passed.insert(finding.code.name);
        }
    }
    assert_eq!(passed.into_iter().collect::<Vec<_>>(), PASSING);
}
