//! Prints the text of refusals: `cargo xtask refusal NAME…`.
//!
//! Each argument is a part of the name of an attack or of an operator mistake. `--list` prints all names.

use catena_attacks::mistakes::{self, Mistake};
use catena_attacks::{Attack, Mutation, THREATS};
use catena_report::{TextOptions, text};
use catena_verify::verdict::Verdict;
use std::error::Error;
use std::process::ExitCode;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_listing = arguments.iter().any(|argument| argument == "--list");
    let is_wanted = |name: &str| arguments.iter().any(|part| name.contains(part.as_str()));
    let mut shown = 0_usize;
    for attack in THREATS.iter().flat_map(|threat| threat.attacks()) {
        if is_listing {
            println!("attack   {}", attack.name);
        } else if is_wanted(attack.name) && matches!(attack.mutation, Mutation::Chain(_)) {
            shown = shown.saturating_add(1);
            print("attack", attack.name, &of_attack(attack)?);
        }
    }
    for mistake in mistakes::all() {
        if is_listing {
            println!("mistake  {}", mistake.name);
        } else if is_wanted(&mistake.name) {
            shown = shown.saturating_add(1);
            print("mistake", &mistake.name, &of_mistake(&mistake)?);
        }
    }
    if shown == 0 && !is_listing {
        eprintln!("no attack or mistake has such a name; --list prints all names");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn of_attack(attack: &Attack) -> Result<Verdict, Box<dyn Error>> {
    let (chain, _) = attack.build()?;
    Ok(attack.scenario(&chain)?.judge(chain))
}

fn of_mistake(mistake: &Mistake) -> Result<Verdict, Box<dyn Error>> {
    let chain = mistake.build()?;
    Ok(mistake.scenario(&chain)?.judge(chain))
}

fn print(catalogue: &str, name: &str, verdict: &Verdict) {
    let options = TextOptions { width: Some(110), ..TextOptions::default() };
    println!("=== {catalogue}: {name}\n{}", text(verdict, &options));
}
