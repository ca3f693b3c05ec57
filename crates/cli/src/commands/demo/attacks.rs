//! `catena demo --attacks`: running the catalogue.

use super::{stage, stuck};
use crate::cli::OutputOptions;
use crate::commands::verify::text_options;
use crate::failure::{DONE, Failure, UNDETERMINED};
use crate::output::{Output, show};
use catena_attacks::{Attack, Attacker, Mutation, Scenario, THREATS, Threat, valid};
use catena_verify::verdict::{Outcome, Verdict};

const LEGEND: &str = "\
Each attack changes one thing in a valid chain. Attackers: S changes stored artifacts, Q answers for
the queue, T creates tasks, W holds a worker and its key, V answers for hg or GitHub.
";

/// The number of expected results.
#[derive(Clone, Copy, Default)]
struct Tally {
    tried: usize,
    wrong: usize,
}

impl Tally {
    fn count(&mut self, right: bool) {
        self.tried = self.tried.saturating_add(1);
        self.wrong = self.wrong.saturating_add(usize::from(!right));
    }

    fn told(self, many: &str, right: &str) -> String {
        match self.wrong {
            0 => format!("{} {many}: all {right}.\n", self.tried),
            wrong => format!("{} {many}: {wrong} NOT {right}.\n", self.tried),
        }
    }
}

/// Tries the attacks that have `wanted` in their name, class or code, and prints the full output of
/// each. Without a text, tries all of them, with one line each, and then every valid chain.
pub(super) fn run(wanted: &str, output_options: &OutputOptions) -> Result<u8, Failure> {
    let is_any = |threat: &Threat| threat.attacks().any(|attack| is_wanted(threat, attack, wanted));
    if !THREATS.iter().any(is_any) {
        return Err(Failure::usage(format!("no attack has {wanted:?} in its name, class or code"))
            .next("`catena demo --attacks` lists them all"));
    }
    let mut attacks = Tally::default();
    show(LEGEND)?;
    for threat in THREATS {
        let tried: Vec<&Attack> =
            threat.attacks().filter(|attack| is_wanted(threat, attack, wanted)).collect();
        if !tried.is_empty() {
            show(&format!("\n{}. {}\n", threat.number, threat.name))?;
        }
        for attack in tried {
            let verdict = verdict(attack)?;
            attacks.count(attack.is_met_by(&verdict));
            show(&line(attack, &verdict))?;
            if !wanted.is_empty() {
                show(&whole(attack, &verdict, output_options))?;
            }
        }
    }
    show(&format!("\n{}", attacks.told("attacks", "rejected or undetermined, each with the expected code")))?;
    let mut chains = Tally::default();
    if wanted.is_empty() {
        chains = honest_chains()?;
        show(&chains.told("valid chains", "accepted"))?;
    }
    Ok(if attacks.wrong == 0 && chains.wrong == 0 { DONE } else { UNDETERMINED })
}

fn is_wanted(threat: &Threat, attack: &Attack, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    [attack.name, threat.name, attack.code].iter().any(|text| text.to_lowercase().contains(&wanted))
}

fn verdict(attack: &Attack) -> Result<Verdict, Failure> {
    let (chain, faults) = attack.build().map_err(stuck)?;
    let scenario = attack.scenario(&chain).map_err(stuck)?;
    match attack.mutation {
        Mutation::Chain(_) | Mutation::Task(..) => Ok(scenario.judge(chain)),
        Mutation::Wire(_) => Ok(stage::verdict(&scenario, &chain, &faults)?.0),
    }
}

/// An attack in one line: the result, its name, its attackers, and the finding.
fn line(attack: &Attack, verdict: &Verdict) -> String {
    let came = match (attack.is_met_by(verdict), verdict.outcome) {
        (true, Outcome::Rejected) => "rejected",
        (true, outcome) => outcome.as_str(),
        (false, _) => "NOT REJECTED",
    };
    let letters: String = attack.by.iter().map(|attacker| Attacker::letter(*attacker)).collect();
    format!("  {came:<13} {:<58} {letters:<5} {}\n", attack.name, attack.code)
}

/// What is changed, and the output of `catena verify`.
fn whole(attack: &Attack, verdict: &Verdict, output_options: &OutputOptions) -> String {
    let options = text_options(output_options.color.on_stdout(), &Output::Stdout, output_options);
    let answer = catena_report::text(verdict, &options);
    let answer =
        answer.lines().map(|line| if line.is_empty() { "\n".into() } else { format!("    {line}\n") });
    format!("    {}\n\n{}\n", attack.what, answer.collect::<String>())
}

fn honest_chains() -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    for chain in valid::chains() {
        if chain.is_allowed().map_err(stuck)? {
            let name = chain.name.clone();
            let chain = chain.build().map_err(stuck)?;
            let verdict = Scenario::of(&chain).map_err(stuck)?.judge(chain);
            let accepted = verdict.outcome == Outcome::Verified;
            tally.count(accepted);
            if !accepted {
                show(&format!("  NOT ACCEPTED {name}\n"))?;
            }
        }
    }
    Ok(tally)
}
