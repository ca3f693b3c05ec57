//! `docs/attacks.md` matches the catalogue. `cargo xtask regenerate attacks` writes it.
#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use catena_attacks::{Attack, Attacker, THREATS, Threat};
use catena_testbed::Release;
use catena_testbed::chain::Trigger;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/attacks.md");

const INTRODUCTION: &str = "\
# The attacks

<!-- Written by `cargo xtask regenerate attacks`; the source is crates/attacks/src/attacks/. -->

Every attack takes a valid chain, changes one thing, and is rejected with the finding that names the cause. Each row
below shows the attacks of one class that one code rejects: the titles of the first ones, who can carry them out, the
subjects (what triggered the changed chain), and their number. `cargo run --release -- demo --attacks` runs and lists
all of them; with a text after it, it shows the full verdict of each attack that has the text in its title, class or
code. The classes and the attackers are those of the [threat model](threat-model.md): **S** changes stored artifacts,
**Q** answers for the queue, **T** creates tasks, **W** holds a worker and its key, **V** answers for hg or GitHub.

";

/// Attacks that a row names.
const NAMED: usize = 6;
/// The maximum number of words on the page: a table that a person can scan.
const MOST_WORDS: usize = 6000;

#[test]
fn the_page_is_the_catalogue() {
    let page = page();
    if std::env::var_os("CATENA_REGENERATE").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let stands = std::fs::read_to_string(Path::new(PAGE)).unwrap_or_default();
    let words = page.split_whitespace().count();
    assert!(words < MOST_WORDS, "{words} words are more than a person scans");
    assert!(stands == page, "docs/attacks.md is not the catalogue: `cargo xtask regenerate attacks`");
}

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push_str("| class | attacks | S | Q | T | W | V |\n|---|--:|--:|--:|--:|--:|--:|\n");
    for threat in THREATS {
        let Threat { number, name, .. } = threat;
        let attacks: Vec<Attack> = threat.attacks().copied().collect();
        writeln!(page, "| {number}. {name} | {} | {} |", attacks.len(), by(&attacks)).unwrap();
    }
    let all: Vec<Attack> = THREATS.iter().flat_map(|threat| threat.attacks()).copied().collect();
    writeln!(page, "| all | {} | {} |", all.len(), by(&all)).unwrap();
    page.push_str("\n| attacks | class | by | code | subjects | number |\n|---|---|---|---|---|--:|\n");
    for threat in THREATS {
        let mut codes: Vec<&str> = Vec::new();
        for attack in threat.attacks() {
            if !codes.contains(&attack.code) {
                codes.push(attack.code);
            }
        }
        for code in codes {
            let attacks: Vec<&Attack> = threat.attacks().filter(|attack| attack.code == code).collect();
            writeln!(page, "{}", row(threat.number, code, &attacks)).unwrap();
        }
    }
    page
}

/// The attacks that one code rejects in one class.
fn row(class: u8, code: &str, attacks: &[&Attack]) -> String {
    let named: Vec<&str> = attacks.iter().take(NAMED).map(|attack| attack.name).collect();
    let more = if attacks.len() > NAMED { "; …" } else { "" };
    let by: BTreeSet<char> = attacks.iter().flat_map(|attack| attack.by).map(|by| by.letter()).collect();
    let by: String = by.into_iter().collect();
    let subjects: BTreeSet<&str> = attacks.iter().map(|attack| subject(&(attack.release)())).collect();
    let subjects = subjects.into_iter().collect::<Vec<_>>().join(", ");
    format!("|{}{more}|{class}|{by}|`{code}`|{subjects}|{}|", named.join("; "), attacks.len())
}

fn subject(release: &Release) -> &'static str {
    match release.trigger {
        Trigger::Push => "push",
        Trigger::Cron => "cron",
        Trigger::PullRequest => "pull-request",
        Trigger::PullRequestUntrusted => "fork",
        Trigger::Release => "release",
        Trigger::Action => "action",
        Trigger::PrAction => "pr-action",
        Trigger::ReleasePromotion => "promotion",
    }
}

/// The number of attacks for each attacker.
fn by(attacks: &[Attack]) -> String {
    let all = [
        Attacker::Storage,
        Attacker::Queue,
        Attacker::TaskAuthor,
        Attacker::Worker,
        Attacker::VersionControl,
    ];
    let counts = all.map(|by| attacks.iter().filter(|attack| attack.by.contains(&by)).count().to_string());
    counts.join(" | ")
}
