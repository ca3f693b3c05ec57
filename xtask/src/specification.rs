//! Every citation of the specification resolves to a clause, and every clause has its own number.

use crate::process::root;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a citation starts with.
const CITES: &str = "specification ";

/// Files below a folder with one of some endings.
fn files(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                files(&path, endings, found);
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
}

/// The clauses of the specification, in the order of its pages: `**7.12**` starts one.
fn clauses() -> Vec<String> {
    let mut pages = Vec::new();
    files(&root().join("docs/specification"), &[".md"], &mut pages);
    pages.sort();
    let texts = pages.iter().map(|page| std::fs::read_to_string(page).unwrap());
    let starts = |line: &str| {
        let number = line.strip_prefix("**")?.split_once("**")?.0;
        is_clause(number).then(|| number.to_owned())
    };
    texts.flat_map(|text| text.lines().filter_map(starts).collect::<Vec<_>>()).collect()
}

fn is_clause(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.').is_some_and(|(page, clause)| is_number(page) && is_number(clause))
}

/// The clauses that a text cites: `specification 9.3 to 9.5, 9.7 and 9.9`. Comments are joined first, so that
/// a citation may go on in the next line.
fn citations(text: &str) -> Vec<String> {
    let words =
        text.split_whitespace().filter(|word| !word.bytes().all(|byte| matches!(byte, b'/' | b'!' | b'#')));
    let joined = words.collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    let mut found = Vec::new();
    for behind in joined.split(CITES).skip(1) {
        for word in behind.split(' ') {
            let number = word.trim_matches(|letter: char| !letter.is_ascii_digit());
            if is_clause(number) {
                found.push(number.to_owned());
            } else if !matches!(word, "to" | "and") {
                break;
            }
            // A sentence or a parenthesis ends the list.
            if word.ends_with(['.', ')', ';', ':', '`']) {
                break;
            }
        }
    }
    found
}

#[test]
fn every_clause_stands_once_and_in_order() {
    let clauses = clauses();
    assert!(clauses.len() > 100);
    let number = |clause: &String| {
        let (page, clause) = clause.split_once('.').unwrap();
        (page.parse::<u32>().unwrap(), clause.parse::<u32>().unwrap())
    };
    let numbers: Vec<_> = clauses.iter().map(number).collect();
    let mut expected = (1, 0);
    for number in numbers {
        let next = |count: u32| count.checked_add(1).unwrap();
        expected =
            if number.0 == expected.0 { (expected.0, next(expected.1)) } else { (next(expected.0), 1) };
        assert_eq!(number, expected);
    }
}

#[test]
fn every_citation_leads_to_a_clause() {
    let clauses: BTreeSet<String> = clauses().into_iter().collect();
    let mut cited = Vec::new();
    for folder in ["crates", "docs", "fuzz", "xtask", "scripts"] {
        files(&root().join(folder), &[".rs", ".md", ".py"], &mut cited);
    }
    let mut count = 0;
    for path in cited.iter().filter(|path| !path.ends_with("specification.rs")) {
        let text = std::fs::read_to_string(path).unwrap();
        for citation in citations(&text) {
            assert!(clauses.contains(&citation), "{} cites {citation}", path.display());
            count += 1;
        }
        assert!(!text.contains("verification.md"), "{} cites a file that is not here", path.display());
    }
    assert!(count > 50, "{count} citations");
}

#[test]
fn citations_are_lists_of_clauses() {
    assert_eq!(citations("as it is (specification 9.1)"), ["9.1"]);
    assert_eq!(
        citations("Implements: specification 9.3 to 9.5, 9.7 and 9.9. See 1.2"),
        ["9.3", "9.5", "9.7", "9.9"]
    );
    assert_eq!(citations("//! specification 2.1,\n//! 2.2, and that"), ["2.1", "2.2"]);
    assert_eq!(citations("the specification says 1.2"), [""; 0]);
}
