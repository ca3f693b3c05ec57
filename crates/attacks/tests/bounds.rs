//! The cost of a chain in steps of work: linear in its links, far below the limit, and independent of
//! the order of facts.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects)]

use catena_attacks::valid::{action, promotion, push};
use catena_attacks::{InMemorySource, NOW, Scenario, THREATS};
use catena_model::Limits;
use catena_testbed::{Chain, Release};
use catena_verify::verdict::{Outcome, Verdict};
use catena_verify::verification::{Cancel, Need, Verification};

fn answered(chain: &Chain, order: impl Fn(&mut Vec<Need>)) -> Verification {
    let question = Scenario::of(chain).unwrap();
    let memory = InMemorySource::new(chain.clone().into_site(), question.limits().clone());
    let mut verification = question.verification();
    let mut open = verification.needs();
    while !open.is_empty() {
        order(&mut open);
        let need = open.pop().unwrap();
        let fact = memory.answer(&need);
        verification.supply(&need, fact);
        open.extend(verification.needs());
    }
    verification
}

#[test]
fn steps_do_not_depend_on_the_order_of_facts() {
    for release in [push(), promotion(), action()] {
        let chain = release.build().unwrap();
        let mut first = answered(&chain, |_| ());
        let steps = first.steps();
        let verdict = first.conclude(NOW).into_verdict();
        assert_eq!(verdict.outcome, Outcome::Verified);
        println!("{:?}: {} links, {steps} steps", release.trigger, verdict.links.len());
        assert!(steps * 10 < Limits::default().steps);
        assert_eq!(answered(&chain, |open| open.reverse()).steps(), steps);
        assert_eq!(answered(&chain, |open| open.sort()).steps(), steps);
    }
}

#[test]
fn steps_are_linear_in_the_links() {
    let steps = |builds| {
        let chain = Release { builds, ..push() }.build().unwrap();
        answered(&chain, |_| ()).steps()
    };
    let [ten, twenty, forty] = [10, 20, 40].map(steps);
    assert!((forty - twenty) * 10 < (twenty - ten) * 25, "{ten} {twenty} {forty}");
}

/// A rejection by a limit is not caused by a limit that is too tight for every chain.
#[test]
fn within_the_same_bounds_the_usual_chain_is_verified() {
    let attacks = THREATS.iter().flat_map(|threat| threat.attacks());
    let mut count = 0;
    for attack in attacks.filter(|attack| attack.code == "chain-too-much-work") {
        let chain = (attack.release)().build().unwrap();
        let verdict = Scenario::of(&chain).unwrap().within(attack.limits.unwrap()).judge(chain);
        assert_eq!(verdict.outcome, Outcome::Verified, "{}: {:?}", attack.name, verdict.failed().next());
        count += 1;
    }
    assert!(count >= 15, "{count}");
}

fn codes(verdict: &Verdict) -> Vec<&str> {
    verdict.failed().map(|finding| finding.code.name).collect()
}

/// A verification that is cancelled reports only that, however far it has come.
#[test]
fn cancellation_at_any_moment_prevents_verified() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let chain = promotion().build().unwrap();
    let question = Scenario::of(&chain).unwrap();
    let memory = InMemorySource::new(chain.into_site(), question.limits().clone());
    let asked = |at: usize| {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        let mut verification = question.verification();
        verification.cancel_when(Cancel::when(move || counted.fetch_add(1, Ordering::Relaxed) == at));
        memory.investigate(&mut verification);
        (verification.conclude(NOW).into_verdict(), count.load(Ordering::Relaxed))
    };
    let (verdict, times) = asked(usize::MAX);
    assert_eq!(verdict.outcome, Outcome::Verified);
    assert!(times > 100, "{times}");
    for at in (0..times).step_by(times / 40) {
        let (verdict, _) = asked(at);
        assert_eq!(
            (verdict.outcome, codes(&verdict)),
            (Outcome::Undetermined, vec!["availability-cancelled"]),
            "{at}"
        );
    }
}

/// Wherever the limit takes effect, it is reported, and the outcome is "rejected".
#[test]
fn exceeding_the_step_limit_anywhere_is_rejected() {
    let chain = promotion().build().unwrap();
    let needed = answered(&chain, |_| ()).steps();
    let question = Scenario::of(&chain).unwrap();
    let judged = |steps: u64| {
        let question = question.clone().within(|limits| limits.steps = steps);
        let verdict = question.judge(chain.clone());
        (verdict.outcome, codes(&verdict).into_iter().map(str::to_owned).collect::<Vec<_>>())
    };
    assert_eq!(judged(needed), (Outcome::Verified, vec![]));
    for steps in [1, 10, 100, 1000, needed / 2, needed - 100, needed - 1] {
        assert_eq!(judged(steps), (Outcome::Rejected, vec!["chain-too-much-work".to_owned()]), "{steps}");
    }
}
