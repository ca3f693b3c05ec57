//! Properties of every verification, whatever the chain.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may stop at what it does not expect"
)]

use catena_attacks::{Attack, InMemorySource, NOW, Scenario, THREATS, drive, valid};
use catena_testbed::chain::{Images, Product};
use catena_testbed::{Chain, Release, Trigger};
use catena_verify::verdict::{Outcome, Verdict};
use catena_verify::verification::{Fact, Need};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::collections::BTreeSet;

/// Small chains of every kind.
fn releases() -> Vec<Release> {
    let small = |release: Release| Release { builds: 1, artifacts: 1, graph_size: 5, ..release };
    vec![
        small(valid::finished()),
        small(valid::cron()),
        small(valid::action()),
        small(Release { optional_and_globs: true, ..valid::promotion() }),
        small(valid::tag()),
        small(valid::pull_request()),
        small(valid::pr_action()),
        small(Release { images_from: Images::OwnGraph, ..Release::of(Product::THUNDERBIRD, Trigger::Push) }),
    ]
}

fn attacks() -> Vec<&'static Attack> {
    let attacks = THREATS.iter().flat_map(|threat| threat.attacks());
    attacks.filter(|attack| !attack.needs_server() && attack.is_usual()).collect()
}

/// Verifies with facts in the order that `next` picks; returns how often each need was requested.
fn judge_in_order(chain: &Chain, mut next: impl FnMut(usize) -> usize) -> Verdict {
    let question = Scenario::of(chain).unwrap();
    let memory = InMemorySource::new(chain.clone().into_site(), question.limits().clone());
    let mut verification = question.verification();
    let (mut asked, mut open) = (BTreeSet::new(), Vec::new());
    loop {
        for need in verification.needs() {
            assert!(asked.insert(need.clone()), "{need} is asked for twice");
            open.push(need);
        }
        assert_eq!(verification.outstanding(), open.len());
        if open.is_empty() {
            return verification.conclude(NOW).into_verdict();
        }
        let need = open.swap_remove(next(open.len()));
        verification.supply(&need, memory.answer(&need));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_facts_changes_nothing(release in select(releases()), order in any::<Vec<Index>>()) {
        let chain = release.build().unwrap();
        let usual = Scenario::of(&chain).unwrap().judge(chain.clone());
        prop_assert_eq!(usual.outcome, Outcome::Verified);
        let mut order = order.into_iter();
        let other = judge_in_order(&chain, |count| order.next().map_or(0, |index| index.index(count)));
        prop_assert_eq!(usual, other);
    }

    #[test]
    fn the_order_of_facts_changes_no_rejection(attack in select(attacks()), order in any::<Vec<Index>>()) {
        let chain = attack.build().unwrap().0;
        let usual = Scenario::of(&chain).unwrap().judge(chain.clone());
        prop_assert_ne!(usual.outcome, Outcome::Verified);
        let mut order = order.into_iter();
        let other = judge_in_order(&chain, |count| order.next().map_or(0, |index| index.index(count)));
        prop_assert_eq!(usual, other);
    }
}

/// The foreseen and requested needs of a verification. Wrong facts for needs that are only foreseen are
/// supplied too, and must have no effect.
fn foresight(chain: &Chain) -> (Verdict, BTreeSet<Need>, BTreeSet<Need>) {
    let question = Scenario::of(chain).unwrap();
    let memory = InMemorySource::new(chain.clone().into_site(), question.limits().clone());
    let mut verification = question.verification();
    let (mut foreseen, mut asked) = (BTreeSet::new(), BTreeSet::new());
    loop {
        let needs = verification.needs();
        for need in verification.foreseen() {
            assert!(!asked.contains(&need), "{need} was asked for already");
            verification.supply(&need, Fact::Absent { status: 404, message: "gone".to_owned() });
            assert!(foreseen.insert(need.clone()), "{need} is foreseen twice");
        }
        if needs.is_empty() {
            return (verification.conclude(NOW).into_verdict(), foreseen, asked);
        }
        asked.extend(needs.iter().cloned());
        needs.iter().for_each(|need| verification.supply(need, memory.answer(need)));
    }
}

#[test]
fn foreseen_needs_become_needs_and_change_nothing() {
    for release in releases() {
        let chain = release.build().unwrap();
        let usual = Scenario::of(&chain).unwrap().judge(chain.clone());
        let (verdict, foreseen, asked) = foresight(&chain);
        assert_eq!(verdict, usual);
        assert_eq!(
            foreseen.difference(&asked).collect::<Vec<_>>(),
            Vec::<&Need>::new(),
            "requested unnecessarily"
        );
        let documents = asked.iter().filter(|need| matches!(need, Need::Document { .. }));
        assert_eq!(documents.filter(|need| !foreseen.contains(need)).count(), 0, "asked late");
    }
}

#[test]
fn only_the_first_run_of_a_rerun_task_is_foreseen_unnecessarily() {
    let chain = Release { retried: true, ..valid::finished() }.build().unwrap();
    let (verdict, foreseen, asked) = foresight(&chain);
    assert_eq!(verdict.outcome, Outcome::Verified);
    let vain: Vec<&Need> = foreseen.difference(&asked).collect();
    assert!(!vain.is_empty());
    for need in vain {
        let first = need.artifact().is_some_and(|(_, run_id, _)| run_id.0 == 0);
        assert!(first, "{need} was foreseen unnecessarily");
    }
}

/// Verifies with another fact for one need.
fn judge_with(chain: &Chain, instead: impl Fn(&Need) -> Option<Fact>) -> (Verdict, Vec<Need>) {
    let question = Scenario::of(chain).unwrap();
    let memory = InMemorySource::new(chain.clone().into_site(), question.limits().clone());
    let mut verification = question.verification();
    let mut asked = Vec::new();
    drive(&mut verification, |need| {
        asked.push(need.clone());
        instead(need).unwrap_or_else(|| memory.answer(need))
    });
    (verification.conclude(NOW).into_verdict(), asked)
}

/// What may be absent without a rejection: an optional artifact.
fn may_be_absent(need: &Need) -> bool {
    matches!(need, Need::Artifact { name, .. } if name.as_str().ends_with("target.missing.mar"))
}

#[test]
fn irrelevant_evidence_is_not_requested() {
    for release in releases().into_iter().step_by(2) {
        let chain = release.build().unwrap();
        let (verdict, asked) = judge_with(&chain, |_| None);
        assert_eq!(verdict.outcome, Outcome::Verified);
        for need in asked.iter().filter(|need| !may_be_absent(need)) {
            let absent = Fact::Absent { status: 404, message: "gone".to_owned() };
            let (verdict, _) = judge_with(&chain, |other| (other == need).then(|| absent.clone()));
            assert_ne!(verdict.outcome, Outcome::Verified, "{need} does not matter");
        }
    }
}

#[test]
fn unavailable_evidence_is_undetermined() {
    for release in releases().into_iter().skip(1).step_by(2) {
        let chain = release.build().unwrap();
        let (_, asked) = judge_with(&chain, |_| None);
        for need in &asked {
            for fact in [
                Fact::Unreachable { reason: "reset".to_owned(), attempts: 5 },
                Fact::Refused { status: 403, message: "no".to_owned() },
            ] {
                let (verdict, _) = judge_with(&chain, |other| (other == need).then(|| fact.clone()));
                assert_eq!(verdict.outcome, Outcome::Undetermined, "{need}: {fact:?}");
            }
        }
    }
}

#[test]
fn an_outage_never_excuses_an_attack() {
    for attack in attacks().into_iter().step_by(101) {
        let chain = attack.build().unwrap().0;
        let (_, asked) = judge_with(&chain, |_| None);
        for need in &asked {
            let lost = Fact::Unreachable { reason: "reset".to_owned(), attempts: 5 };
            let (verdict, _) = judge_with(&chain, |other| (other == need).then(|| lost.clone()));
            assert_ne!(verdict.outcome, Outcome::Verified, "{} without {need}", attack.name);
        }
    }
}
