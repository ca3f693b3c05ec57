//! `docs/attacks.md` lists the catalogue as it is. `cargo xtask regenerate attacks` writes it again.
#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use catena_threats::{Attack, Attacker, Means, THREATS, Threat};
use std::fmt::Write as _;
use std::path::Path;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/attacks.md");

const INTRODUCTION: &str = "\
# The attacks

<!-- Written by `cargo xtask regenerate attacks`; the source is crates/threats/src/attacks/. -->

Every attack takes an honest chain, changes one thing, and is refused with the finding that names the
cause. `cargo run --release -- demo --attacks` runs them all; with a text after it, those that have the
text in their name, class or code, each with the whole answer. The classes and the attackers are those
of the [threat model](threat-model.md): **S** changes what is stored, **Q** answers for the queue, **T**
creates tasks, **W** holds a worker and its key, **V** answers for hg or GitHub.

";

#[test]
fn the_page_is_the_catalogue() {
    let page = page();
    if std::env::var_os("CATENA_REGENERATE").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let stands = std::fs::read_to_string(Path::new(PAGE)).unwrap_or_default();
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
    for threat in THREATS {
        writeln!(page, "\n## {}. {}\n", threat.number, threat.name).unwrap();
        for attack in threat.attacks() {
            let letters: Vec<String> = attack.by.iter().map(|by| by.letter().to_string()).collect();
            let wire = if matches!(attack.means, Means::Wire(_)) { " On the wire." } else { "" };
            let (name, what, code) = (attack.name, attack.what, attack.code);
            writeln!(page, "- **{name}** ({}): {what}{wire} → `{code}`", letters.join(", ")).unwrap();
        }
    }
    page
}

/// How many of the attacks each attacker could make.
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
