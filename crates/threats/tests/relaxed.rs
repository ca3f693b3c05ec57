//! Every rule beyond the reference verifier's can be relaxed by its name: what it refuses is then no
//! longer refused by it, the verdict says what was relaxed, and nothing else is let through with it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it does not expect")]

use catena_core::checks::{RULES, find_code};
use catena_core::inquiry::Switches;
use catena_core::policy::{FIREFOX_CI, Policy};
use catena_core::verdict::{Outcome, Standing, Verdict};
use catena_threats::{Attack, Means, Question, THREATS, honest};
use std::collections::BTreeSet;

/// How many attacks on each rule are tried.
const OF_EACH: usize = 8;

/// Rules whose attacks are all refused by another check too when they are relaxed.
const SEEN_BY_OTHERS: &[&str] = &["action-source"];

/// The policy that ships, with a rule relaxed for every product.
fn without(rule: &str) -> Policy {
    let text =
        format!("catena-policy: 1\ndefaults:\n  relaxed:\n    - rule: {rule}\n      because: a test\n");
    let nothing = |_: &str| Err("it extends nothing".to_owned());
    Policy::load_all(&[("shipped:firefox-ci", FIREFOX_CI), ("relaxed", &text)], RULES, &nothing).unwrap()
}

fn judge(policy: &Policy, attack: &Attack) -> Verdict {
    let (chain, _) = attack.build().unwrap();
    Question::under(policy, &chain).unwrap().judge(chain)
}

/// Attacks that a rule refuses.
fn on(rule: &str) -> Vec<&'static Attack> {
    let attacks = THREATS.iter().flat_map(|threat| threat.attacks());
    let of_rule = |attack: &&Attack| find_code(attack.code).is_some_and(|(_, code)| code.rule == Some(rule));
    attacks.filter(of_rule).filter(|it| it.is_usual() && matches!(it.means, Means::Chain(_))).collect()
}

#[test]
fn a_relaxed_rule_refuses_nothing_and_shows() {
    let mut never = BTreeSet::new();
    for rule in RULES {
        let (policy, attacks) = (without(rule), on(rule));
        let step = attacks.len().div_ceil(OF_EACH).max(1);
        let mut accepted = 0;
        for attack in attacks.into_iter().step_by(step) {
            let verdict = judge(&policy, attack);
            let of_rule = |code: &str| find_code(code).is_some_and(|(_, code)| code.rule == Some(rule));
            let refused = verdict.failed().find(|finding| of_rule(finding.code.name));
            assert!(refused.is_none(), "{rule} is relaxed, and refuses {:?}: {refused:?}", attack.name);
            assert!(verdict.relaxed.iter().any(|relaxed| relaxed.rule == *rule), "{rule} does not show");
            accepted += usize::from(verdict.outcome == Outcome::Verified);
        }
        if accepted == 0 {
            never.insert(*rule);
        }
    }
    assert_eq!(never, BTreeSet::from_iter(SEEN_BY_OTHERS.iter().copied()));
}

#[test]
fn honest_chains_stay_accepted_without_a_rule() {
    for rule in RULES {
        let policy = without(rule);
        for release in [honest::globs(), honest::promotion(), honest::tag()] {
            let chain = release.build().unwrap();
            let verdict = Question::under(&policy, &chain).unwrap().judge(chain);
            let failed: BTreeSet<&str> = verdict.failed().map(|finding| finding.code.name).collect();
            assert_eq!(verdict.outcome, Outcome::Verified, "without {rule}: {failed:?}");
        }
    }
}

#[test]
fn signatures_that_are_not_looked_at_show_and_excuse_nothing_else() {
    let skip = Switches { danger_skip_signatures: true, ..Switches::default() };
    let judge = |attack: &Attack| {
        let (chain, _) = attack.build().unwrap();
        Question::of(&chain).unwrap().with(skip.clone()).judge(chain)
    };
    let attacks = THREATS.iter().flat_map(|threat| threat.attacks());
    let attacks = attacks.filter(|it| it.is_usual() && matches!(it.means, Means::Chain(_)));
    let (mut accepted, mut refused) = (0, 0);
    for attack in attacks.step_by(7) {
        let verdict = judge(attack);
        assert!(verdict.relaxed.iter().any(|relaxed| relaxed.rule == "danger-skip-signatures"));
        assert!(verdict.findings.iter().any(|finding| finding.code.name == "signature-skipped"
            && finding.standing == Standing::Relaxed
            || finding.check != "signature"));
        match verdict.outcome {
            Outcome::Verified => {
                assert!(attack.code.starts_with("signature-"), "{:?} is let through", attack.name);
                accepted += 1;
            }
            _ => refused += 1,
        }
    }
    assert!(accepted > 0 && refused > 0, "{accepted} accepted, {refused} refused");
}
