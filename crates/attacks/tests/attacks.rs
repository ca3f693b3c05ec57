//! Every attack of the catalogue is rejected with the finding that names its cause, and every valid
//! chain is verified; without a network, so that a change of any check shows here within seconds.
#![allow(clippy::indexing_slicing, reason = "a test may stop at what it does not expect")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it does not expect")]

mod trials;

use catena_attacks::valid::ValidChain;
use catena_attacks::{Attack, Scenario, THREATS, valid};
use catena_verify::verdict::{Disposition, Finding, Outcome, Verdict};
use libtest_mimic::{Arguments, Failed, Trial};
use trials::{run, trial};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for threat in THREATS {
        for attack in threat.attacks() {
            if !attack.needs_server() {
                let name = format!("{}/{}", threat.number, attack.name);
                trials.push(trial(name, move || refused(attack)));
            }
        }
    }
    for honest in valid::chains() {
        trials.push(trial(format!("honest/{}", honest.name), move || accepted(&honest)));
    }
    spread(&mut trials);
    run(&arguments, trials);
}

/// Spreads similar trials apart, so that a mistake anywhere shows soon.
fn spread(trials: &mut Vec<Trial>) {
    const APART: usize = 29;
    let mut rows: Vec<Vec<Trial>> = (0..APART).map(|_| Vec::new()).collect();
    for (number, trial) in trials.drain(..).enumerate() {
        rows[number % APART].push(trial);
    }
    trials.extend(rows.into_iter().flatten());
}

fn refused(attack: &Attack) -> Result<(), Failed> {
    let (chain, _) = attack.build()?;
    let verdict = attack.scenario(&chain)?.judge(chain);
    if attack.is_met_by(&verdict) && !contradicts_itself(&verdict) {
        return Ok(());
    }
    Err(format!("expected {:?} for {}\n{}", attack.outcome(), attack.code, told(&verdict)).into())
}

/// Codes that may pass beside a failure: an optional file may be absent, and others may have expired.
const BESIDE: &[&str] = &["artifact-absent-optional", "artifact-gone", "artifacts-none"];

/// Whether a check that failed for a task also passed for the same task.
fn contradicts_itself(verdict: &Verdict) -> bool {
    verdict.failed().any(|failed| {
        verdict.findings.iter().any(|other| {
            (other.check, other.task_id, is_of_wants(other))
                == (failed.check, failed.task_id, is_of_wants(failed))
                && other.disposition == Disposition::Passed
                && !BESIDE.contains(&other.code.name)
        })
    })
}

/// Whether it is about the inputs of a task, and not about the task itself.
fn is_of_wants(finding: &Finding) -> bool {
    let definition =
        finding.location.as_ref().is_some_and(|place| place.document == "the queue's definition");
    matches!(finding.code.name, "artifacts-foreign" | "artifacts-wanted")
        || (finding.check == "artifacts" && definition)
}

/// The finding of a chain with a trigger that its product's policy does not allow.
const NOT_ALLOWED: &str = "rebuild-tasks-for";

fn accepted(honest: &ValidChain) -> Result<(), Failed> {
    let chain = honest.build()?;
    let verdict = Scenario::of(&chain)?.judge(chain);
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
