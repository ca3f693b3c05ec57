//! The catalogue as a whole: without duplicates, and complete for every failing code.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it does not expect")]

use catena_attacks::{Attack, Scenario, THREATS, valid};
use catena_policy::{FIREFOX_CI, Policy};
use catena_testbed::chain::{Images, Scope};
use catena_testbed::{Chain, Release};
use catena_verify::checks;
use catena_verify::verdict::{Code, Disposition};
use std::collections::BTreeSet;

/// Codes without an attack, although they can fail, and why.
const UNSHOWN: &[(&str, &str)] = &[
    ("tree-scope-ambiguous", "a policy with two rules for one scope is refused before any chain is verified"),
    ("availability-unfinished", "caused by a fact source that withholds an answer"),
    ("availability-cancelled", "caused by a deadline or a signal (crates/cli/tests/bounds.rs)"),
    ("signature-skipped", "relaxed by a switch of the command line, and never failed"),
];

fn codes() -> impl Iterator<Item = &'static Code> {
    checks::ALL.iter().flat_map(|check| check.codes)
}

fn attacks() -> impl Iterator<Item = &'static Attack> {
    THREATS.iter().flat_map(|threat| threat.attacks())
}

#[test]
fn names_are_unique_and_attacks_are_described() {
    let mut seen = BTreeSet::new();
    for attack in attacks() {
        assert!(seen.insert(attack.name), "duplicate attack {:?}", attack.name);
        assert!(!attack.by.is_empty(), "{:?} has no attacker", attack.name);
        assert!(attack.what.ends_with('.'), "{:?} is not described by a sentence", attack.name);
    }
    assert!(seen.len() >= 1000, "{} attacks", seen.len());
    let mut seen = BTreeSet::new();
    for honest in valid::chains() {
        assert!(seen.insert(honest.name.clone()), "duplicate valid chain {:?}", honest.name);
    }
    assert!(seen.len() >= 40, "{} valid chains", seen.len());
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
    for name in &shown {
        let Some((_, code)) = checks::find_code(name) else { panic!("there is no code {name}") };
        assert!(!code.passes, "{name} cannot fail");
    }
    let unshown: BTreeSet<&str> = UNSHOWN.iter().map(|(code, _)| *code).collect();
    for code in &unshown {
        assert!(checks::find_code(code).is_some(), "there is no code {code}");
        assert!(!shown.contains(code), "{code} has an attack");
    }
    let mut missing = Vec::new();
    for code in codes().filter(|code| !code.passes) {
        if !shown.contains(code.name) && !unshown.contains(code.name) {
            missing.push(code.name);
        }
    }
    assert_eq!(missing, Vec::<&str>::new(), "these have no attack");
}

#[test]
fn valid_chains_show_exactly_the_passing_codes() {
    let releases = [
        valid::finished(),
        valid::globs(),
        Release { images_from: Images::Prebuilt, scope: Scope::Unrestricted, ..valid::mobile() },
        valid::fork(),
        valid::custody(),
    ];
    let usual = Policy::shipped().unwrap();
    let assumed = "catena-policy: 1\ndefaults: {landed: assumed}\n";
    let nothing = |_: &str| Err("it extends nothing".to_owned());
    let assumed = Policy::load_all(&[("shipped:firefox-ci", FIREFOX_CI), ("assumed", assumed)], &nothing);
    let mut cases: Vec<_> = releases.into_iter().map(|release| (release, &usual)).collect();
    let assumed = assumed.unwrap();
    cases.push((valid::mobile(), &assumed));
    let mut passed = BTreeSet::new();
    let gone = |mut chain: Chain| {
        let id = chain.target.clone();
        chain.artifacts_mut(&id).unwrap().remove("public/build/target.tar.xz").unwrap();
        chain
    };
    let mut chains: Vec<_> =
        cases.into_iter().map(|(release, policy)| (release.build().unwrap(), policy)).collect();
    chains.push((gone(valid::finished().build().unwrap()), &usual));
    for (chain, policy) in chains {
        let verdict = Scenario::under(policy, &chain).unwrap().judge(chain);
        for finding in &verdict.findings {
            assert_eq!(finding.disposition, Disposition::Passed, "{}", finding.message);
            passed.insert(finding.code.name);
        }
    }
    let passing = codes().filter(|code| code.passes);
    assert_eq!(passed, passing.map(|code| code.name).collect());
}
