//! A relaxation makes no other check stricter or weaker.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it does not expect")]

use catena_attacks::{Attack, Scenario, THREATS, valid};
use catena_policy::{FIREFOX_CI, Policy, Rule};
use catena_verify::verdict::{Disposition, Outcome, Relaxed};
use catena_verify::verification::Switches;
use std::collections::BTreeSet;

/// The shipped policy, with a rule relaxed for every product.
fn without(rule: Rule) -> Policy {
    let text =
        format!("catena-policy: 1\ndefaults:\n  relaxed:\n    - rule: {rule}\n      because: a test\n");
    let nothing = |_: &str| Err("it extends nothing".to_owned());
    Policy::load_all(&[("shipped:firefox-ci", FIREFOX_CI), ("relaxed", &text)], &nothing).unwrap()
}

#[test]
fn valid_chains_stay_verified_without_a_rule() {
    for rule in Rule::ALL.iter().copied() {
        let policy = without(rule);
        for release in [valid::globs(), valid::promotion(), valid::tag()] {
            let chain = release.build().unwrap();
            let verdict = Scenario::under(&policy, &chain).unwrap().judge(chain);
            let failed: BTreeSet<&str> = verdict.failed().map(|finding| finding.code.name).collect();
            assert_eq!(verdict.outcome, Outcome::Verified, "without {rule}: {failed:?}");
        }
    }
}

#[test]
fn skipped_signatures_are_reported_and_excuse_nothing_else() {
    let skip = Switches { danger_skip_signatures: true, ..Switches::default() };
    let judge = |attack: &Attack| {
        let (chain, _) = attack.build().unwrap();
        Scenario::of(&chain).unwrap().weakened(skip).judge(chain)
    };
    let attacks = THREATS.iter().flat_map(|threat| threat.attacks());
    let attacks = attacks.filter(|it| it.is_usual() && !it.needs_server());
    let (mut accepted, mut refused) = (0, 0);
    for attack in attacks.step_by(7) {
        let verdict = judge(attack);
        assert!(verdict.relaxed.contains(&Relaxed::SkipSignatures));
        assert!(verdict.findings.iter().any(|finding| finding.code.name == "signature-skipped"
            && finding.disposition == Disposition::Relaxed
            || finding.check != "signature"));
        match verdict.outcome {
            Outcome::Verified => {
                // The signing key is unknown if signatures are not verified.
                let is_of_signature =
                    attack.code.starts_with("signature-") || attack.code == "custody-key-mismatched";
                assert!(is_of_signature, "{:?} is let through", attack.name);
                accepted += 1;
            }
            _ => refused += 1,
        }
    }
    assert!(accepted > 0 && refused > 0, "{accepted} accepted, {refused} refused");
}
