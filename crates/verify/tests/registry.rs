//! The registry of checks, their pages, the specification and the state machine stay in step.
#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use catena_policy::Rule;
use catena_verify::checks;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files of a directory and its subdirectories, by name.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn every_check_has_a_page_and_every_page_a_check() {
    let checks: BTreeSet<String> = checks::ALL.iter().map(|check| check.name.to_owned()).collect();
    assert_eq!(checks.len(), checks::ALL.len(), "a check is registered twice");
    let pages: BTreeSet<String> = files("docs/checks").iter().map(|page| stem(page)).collect();
    assert_eq!(checks, pages);
}

#[test]
fn every_check_has_a_file_of_its_own() {
    for check in checks::ALL {
        let name = check.name.replace('-', "_");
        let folder = root().join("crates/verify/src/checks");
        let places = [folder.join(format!("{name}.rs")), folder.join(&name).join("mod.rs")];
        assert!(places.iter().any(|place| place.exists()), "{name}");
    }
}

/// Text in backquotes that follows `(rule ` or `(rules ` up to the closing parenthesis.
fn rules_of(text: &str) -> BTreeSet<String> {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let lists = joined.split("(rule").skip(1).filter_map(|behind| behind.split_once(')'));
    lists
        .flat_map(|(list, _)| list.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[test]
fn every_rule_has_a_clause_and_relaxes_a_code() {
    let specification: String =
        files("docs/specification").iter().map(|page| fs::read_to_string(page).unwrap()).collect();
    let clauses = rules_of(&specification);
    let rules: BTreeSet<String> = Rule::ALL.iter().map(|rule| rule.as_str().to_owned()).collect();
    assert_eq!(clauses, rules, "the specification and the rules differ");
    let relaxing: BTreeSet<Rule> = checks::ALL.iter().flat_map(|check| check.rules()).collect();
    assert_eq!(relaxing, Rule::ALL.iter().copied().collect());
}

#[test]
fn the_state_machine_imports_no_check() {
    for path in files("crates/verify/src/verification") {
        let text = fs::read_to_string(&path).unwrap();
        let imports = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let found: Vec<&str> = imports.filter(|line| line.contains("checks::")).collect();
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }
}

#[test]
fn every_rule_that_can_be_relaxed_is_documented() {
    let page = include_str!("../../../docs/policy.md");
    let (_, section) = page.split_once("\n| rule | asks | findings |\n|---|---|---|\n").unwrap();
    let rows: Vec<Vec<&str>> = section
        .lines()
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').map(|cell| cell.trim().trim_matches('`')).collect())
        .collect();
    let listed: Vec<_> = rows.iter().map(|row| Rule::parse(row[1])).collect();
    let rules: Vec<_> = Rule::ALL.iter().copied().map(Some).collect();
    assert_eq!(listed, rules, "docs/policy.md lists other rules than there are");
    for row in rows {
        let told: Vec<&str> = row[3].split(", ").map(|code| code.trim_matches('`')).collect();
        let codes = checks::ALL.iter().flat_map(|check| check.codes);
        let relaxed: Vec<&str> =
            codes.filter(|code| code.rule == Rule::parse(row[1])).map(|code| code.name).collect();
        assert!(relaxed.iter().all(|code| told.contains(code)), "{}: {told:?} {relaxed:?}", row[1]);
        assert_eq!(told.len(), relaxed.len(), "{}: {told:?} {relaxed:?}", row[1]);
    }
}
