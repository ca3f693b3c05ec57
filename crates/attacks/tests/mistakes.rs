//! Operator mistakes and failures produce the code, the class and the hint that help, and are never
//! called tampering; no attack is called a mistake.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it does not expect")]

mod trials;

use catena_attacks::mistakes::{self, Mistake};
use catena_attacks::{Attack, THREATS};
use catena_report::{TextOptions, code_advice, text};
use catena_verify::checks::find_code;
use catena_verify::verdict::{Class, Outcome, Verdict};
use libtest_mimic::{Arguments, Failed};
use std::collections::BTreeSet;
use trials::{run, trial};

/// Phrases in a hint or a closing line that call a finding harmless.
const INNOCENT: &[&str] =
    &["othing was altered", "othing was proven wrong", "nothing to do", "honest mistake", "is fine"];

fn main() {
    let arguments = Arguments::from_args();
    let mistakes = mistakes::all();
    let mut trials = vec![
        trial("the catalogue".to_owned(), the_catalogue_is_whole),
        trial("attacks are not called innocent".to_owned(), attacks_are_not_called_innocent),
    ];
    trials.extend(mistakes.into_iter().map(|mistake| trial(mistake.name.clone(), move || met(&mistake))));
    run(&arguments, trials);
}

fn the_catalogue_is_whole() -> Result<(), Failed> {
    let mistakes = mistakes::all();
    let names: BTreeSet<&str> = mistakes.iter().map(|mistake| mistake.name.as_str()).collect();
    if names.len() != mistakes.len() || names.len() < 80 {
        return Err(format!("{} names of {} mistakes", names.len(), mistakes.len()).into());
    }
    Ok(())
}

fn met(mistake: &Mistake) -> Result<(), Failed> {
    let chain = mistake.build()?;
    let verdict = mistake.scenario(&chain)?.judge(chain);
    let named = verdict.failed().find(|finding| finding.code.name == mistake.code);
    let Some(named) = named else {
        return Err(format!("{:?}, not {}\n{}", verdict.outcome, mistake.code, told(&verdict)).into());
    };
    let hint = code_advice(&named.code);
    if !hint.contains(mistake.hint) {
        return Err(format!("the hint lacks {:?}: {hint}", mistake.hint).into());
    }
    let tamper = verdict.failed().find(|finding| finding.code.class == Class::Tamper);
    if let Some(tamper) = tamper {
        return Err(format!("{} is called tampering\n{}", tamper.code.name, told(&verdict)).into());
    }
    let shown = text(&verdict, &TextOptions::default());
    if named.code.class != mistake.class || shown.contains("tampering") {
        return Err(format!("{:?}\n{shown}", named.code.class).into());
    }
    // Data that was not available yet is not called rejected.
    if mistake.class == Class::Infra && verdict.outcome != Outcome::Undetermined {
        return Err(format!("{:?}\n{}", verdict.outcome, told(&verdict)).into());
    }
    Ok(())
}

fn attacks_are_not_called_innocent() -> Result<(), Failed> {
    let rejected = |attack: &&Attack| attack.outcome() == Some(Outcome::Rejected);
    for attack in THREATS.iter().flat_map(|threat| threat.attacks()).filter(rejected) {
        let code = find_code(attack.code).map(|(_, code)| *code);
        let (class, hint) = (code.map(|code| code.class), code.as_ref().map(code_advice).unwrap_or_default());
        if let Some(word) = INNOCENT.iter().find(|word| hint.contains(**word)) {
            return Err(format!("{} ({class:?}): the hint has {word:?}: {hint}", attack.code).into());
        }
    }
    // The closing line of one attack for each code.
    let mut seen = BTreeSet::new();
    for attack in THREATS.iter().flat_map(|threat| threat.attacks()).filter(rejected) {
        if attack.needs_server() || !seen.insert(attack.code) {
            continue;
        }
        let (chain, _) = attack.build()?;
        let shown = text(&attack.scenario(&chain)?.judge(chain), &TextOptions::default());
        if let Some(word) = INNOCENT.iter().find(|word| shown.contains(**word)) {
            return Err(format!("{}: {word:?}\n{shown}", attack.name).into());
        }
    }
    Ok(())
}

fn told(verdict: &Verdict) -> String {
    let failed = verdict.failed().map(|finding| format!("{}: {}", finding.code.name, finding.message));
    failed.collect::<Vec<_>>().join("\n")
}
