//! Every attack of the catalogue is refused with the finding that names its cause, and every honest
//! chain is accepted; without a network, so that a change of any check shows here within seconds.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it does not expect")]

use catena_core::verdict::{Outcome, Verdict};
use catena_threats::honest::Honest;
use catena_threats::{Attack, Means, Question, THREATS, honest};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for threat in THREATS {
        for attack in threat.attacks {
            if matches!(attack.means, Means::Chain(_)) {
                let name = format!("{}/{}", threat.number, attack.name);
                trials.push(Trial::test(name, move || refused(attack)));
            }
        }
    }
    for honest in honest::chains() {
        trials.push(Trial::test(format!("honest/{}", honest.name), move || accepted(&honest)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn refused(attack: &Attack) -> Result<(), Failed> {
    let (chain, _) = attack.build()?;
    let verdict = attack.question(&chain)?.judge(chain);
    if attack.is_met_by(&verdict) {
        return Ok(());
    }
    Err(format!("expected {:?} for {}\n{}", attack.outcome(), attack.code, told(&verdict)).into())
}

/// The finding of a chain that was made for something its product's policy does not allow.
const NOT_ALLOWED: &str = "rebuild-tasks-for";

fn accepted(honest: &Honest) -> Result<(), Failed> {
    let chain = honest.build()?;
    let verdict = Question::of(&chain)?.judge(chain);
    let allowed = honest.is_allowed()?;
    let named = verdict.failed().any(|finding| finding.code.name == NOT_ALLOWED);
    match (verdict.outcome, allowed) {
        (Outcome::Verified, true) => Ok(()),
        (Outcome::Rejected, false) if named => Ok(()),
        _ => Err(told(&verdict).into()),
    }
}

fn told(verdict: &Verdict) -> String {
    let failed = verdict.failed().map(|finding| format!("{}: {}", finding.code.name, finding.message));
    format!("{:?}\n{}", verdict.outcome, failed.collect::<Vec<_>>().join("\n"))
}
