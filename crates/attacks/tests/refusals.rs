//! What a reader is told of every attack and every operator mistake: code, class, headline and hint, in one
//! snapshot that people read.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at what it does not expect")]

use catena_attacks::mistakes;
use catena_attacks::{Mutation, THREATS};
use catena_report::{code_advice, headline, hints, line, text};
use catena_verify::verdict::{Claim, Finding, Outcome, Verdict};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A name, and the chain that is judged under it.
struct Case {
    name: String,
    judge: Box<dyn Fn() -> Verdict + Send + Sync>,
}

fn cases() -> Vec<Case> {
    let attacks = THREATS.iter().flat_map(|threat| threat.attacks());
    let attacks = attacks.filter(|attack| matches!(attack.mutation, Mutation::Chain(_))).map(|attack| Case {
        name: attack.name.to_owned(),
        judge: Box::new(|| {
            let (chain, _) = attack.build().unwrap();
            attack.scenario(&chain).unwrap().judge(chain)
        }),
    });
    let mistakes = mistakes::all().into_iter().map(|mistake| Case {
        name: format!("mistake: {}", mistake.name),
        judge: Box::new(move || {
            let chain = mistake.build().unwrap();
            mistake.scenario(&chain).unwrap().judge(chain)
        }),
    });
    attacks.chain(mistakes).collect()
}

/// What is told of each case, in their order, and which of its findings have one authority on both sides.
fn told() -> Vec<(String, Vec<String>)> {
    let cases = cases();
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let judge = || {
        let mut told = Vec::new();
        while let Some((number, case)) = {
            let number = next.fetch_add(1, Ordering::Relaxed);
            cases.get(number).map(|case| (number, case))
        } {
            let verdict = (case.judge)();
            told.push((number, (entry(&case.name, &verdict), of_one_authority(&case.name, &verdict))));
        }
        told
    };
    let told: BTreeMap<usize, _> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(judge)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a case panicked")).collect()
    });
    told.into_values().collect()
}

/// The name of a case and its verdict in one line, without what is the same in all.
fn entry(name: &str, verdict: &Verdict) -> String {
    let shown = text(verdict, &catena_report::TextOptions::default());
    let because = shown.lines().find_map(|line| line.trim_start().strip_prefix("because   "));
    let class = shown.lines().find_map(|line| line.strip_prefix("1. ")).unwrap_or_default();
    let class =
        class.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("", |(class, _)| class);
    match because {
        Some(because) => format!("{name}\n    {class}: {because}"),
        None => format!("{name}\n    {}", line(verdict)),
    }
}

/// The findings whose two sides a reader cannot tell apart by who says them.
fn of_one_authority(name: &str, verdict: &Verdict) -> Vec<String> {
    let who = |claim: &Claim| claim.speaker.clone().unwrap_or_else(|| claim.authority.as_str().to_owned());
    let is_alike = |finding: &&Finding| {
        let claims = finding.expected.as_ref().zip(finding.actual.as_ref());
        claims.is_some_and(|(expected, actual)| who(expected) == who(actual))
            || finding.authorities.is_some_and(|(expected, actual)| expected == actual)
    };
    let alike = verdict.failed().filter(is_alike);
    alike.map(|finding| format!("{name}: {}: {}", finding.code.name, headline(finding))).collect()
}

#[test]
fn every_refusal_is_in_the_snapshot() {
    let (mut all, mut alike) = (String::new(), Vec::new());
    for (entry, of_one_authority) in told() {
        writeln!(all, "{entry}").unwrap();
        alike.extend(of_one_authority);
    }
    assert_eq!(alike, Vec::<String>::new());
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("refusals", all);
    });
}

#[test]
fn every_hint_is_in_the_snapshot() {
    let mut all = String::new();
    for hint in hints() {
        let (name, class) = (hint.code.name, hint.code.class.as_str());
        writeln!(all, "{name} [{class}]\n    {}", code_advice(&hint.code)).unwrap();
    }
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("hints", all);
    });
}

#[test]
fn a_verified_chain_has_no_headline() {
    let chain = catena_attacks::valid::push().build().unwrap();
    let verdict = catena_attacks::Scenario::of(&chain).unwrap().judge(chain);
    assert_eq!(verdict.outcome, Outcome::Verified);
    assert!(!text(&verdict, &catena_report::TextOptions::default()).contains("because"));
}
