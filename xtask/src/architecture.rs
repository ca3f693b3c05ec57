//! The crates of `docs/architecture.md`: a table and a diagram, derived from the manifests.

use crate::failure::Failure;
use crate::process::{cargo, root};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const PAGE: &str = "docs/architecture.md";
const BEGIN: &str = "<!-- from the manifests: cargo xtask regenerate architecture -->\n";
const END: &str = "<!-- end of what comes from the manifests -->\n";

/// A crate below `crates/`: its purpose, and the crates that it depends on.
struct Crate {
    purpose: String,
    imports: BTreeSet<String>,
}

/// Writes the section of the page again.
pub(crate) fn regenerate() -> Result<(), Failure> {
    let path = root().join(PAGE);
    let failed = |cause| Failure::File { path: path.clone(), cause };
    let page = std::fs::read_to_string(&path).map_err(failed)?;
    std::fs::write(&path, replaced(&page, &section(&crates()?))?).map_err(failed)
}

fn replaced(page: &str, section: &str) -> Result<String, Failure> {
    let missing = || Failure::Unread { what: PAGE, why: "the section's markers are missing".to_owned() };
    let (before, rest) = page.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok(format!("{before}{BEGIN}{section}{END}{after}"))
}

/// The workspace's crates, by the names of their directories.
fn crates() -> Result<BTreeMap<String, Crate>, Failure> {
    let output = cargo(["metadata", "--no-deps", "--format-version", "1", "--locked"]).output()?;
    let metadata: Value = serde_json::from_str(&output)
        .map_err(|error| Failure::Unread { what: "cargo metadata", why: error.to_string() })?;
    let mut crates = BTreeMap::new();
    for package in items(&metadata, "packages") {
        let Some(name) = directory(text(package, "manifest_path")) else { continue };
        let normal =
            items(package, "dependencies").iter().filter(|one| one.get("kind").is_some_and(Value::is_null));
        let imports = normal.filter_map(|one| last(text(one, "path"))).collect();
        let purpose = text(package, "description").unwrap_or_default().trim_end_matches('.').to_owned();
        crates.insert(name, Crate { purpose, imports });
    }
    Ok(crates)
}

fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// `crates/NAME/Cargo.toml` → `NAME`.
fn directory(manifest: Option<&str>) -> Option<String> {
    let (parent, name) = manifest?.strip_suffix("/Cargo.toml")?.rsplit_once('/')?;
    parent.ends_with("/crates").then(|| name.to_owned())
}

fn last(path: Option<&str>) -> Option<String> {
    path?.rsplit('/').next().map(str::to_owned)
}

fn section(crates: &BTreeMap<String, Crate>) -> String {
    let mut text = String::from("| crate | purpose | imports |\n|---|---|---|\n");
    for name in ordered(crates) {
        let Some(one) = crates.get(&name) else { continue };
        let imports: Vec<String> = one.imports.iter().map(|import| format!("`{import}`")).collect();
        // Writing to a string does not fail.
        _ = writeln!(text, "| `{name}` | {} | {} |", one.purpose, imports.join(" "));
    }
    text.push_str("\n```mermaid\nflowchart BT\n");
    for (name, one) in crates {
        let direct = one.imports.iter().filter(|import| !is_implied(crates, one, import));
        for import in direct {
            _ = writeln!(text, "    {name} --> {import}");
        }
    }
    text.push_str("```\n");
    text
}

/// Crates after what they import; those that could stand at the same place by name.
fn ordered(crates: &BTreeMap<String, Crate>) -> Vec<String> {
    let mut placed = Vec::new();
    while placed.len() < crates.len() {
        let ready = |(name, one): &(&String, &Crate)| {
            !placed.contains(*name) && one.imports.iter().all(|import| placed.contains(import))
        };
        let mut next: Vec<String> = crates.iter().filter(ready).map(|(name, _)| name.clone()).collect();
        if next.is_empty() {
            break;
        }
        placed.append(&mut next);
    }
    placed
}

/// Whether an import is also reached through another one.
fn is_implied(crates: &BTreeMap<String, Crate>, one: &Crate, import: &str) -> bool {
    one.imports.iter().filter(|other| *other != import).any(|other| reaches(crates, other, import))
}

fn reaches(crates: &BTreeMap<String, Crate>, from: &str, to: &str) -> bool {
    crates
        .get(from)
        .is_some_and(|one| one.imports.iter().any(|import| import == to || reaches(crates, import, to)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_the_manifests() {
        let page = std::fs::read_to_string(root().join(PAGE)).unwrap();
        let expected = replaced(&page, &section(&crates().unwrap())).unwrap();
        assert_eq!(page, expected, "run `cargo xtask regenerate architecture`");
    }

    #[test]
    fn an_import_that_another_one_has_is_not_drawn() {
        let one = |imports: &[&str]| Crate {
            purpose: "p".to_owned(),
            imports: imports.iter().map(|name| (*name).to_owned()).collect(),
        };
        let crates = BTreeMap::from([
            ("a".to_owned(), one(&[])),
            ("b".to_owned(), one(&["a"])),
            ("c".to_owned(), one(&["a", "b"])),
        ]);
        let section = section(&crates);
        assert!(section.contains("| `c` | p | `a` `b` |"), "{section}");
        assert!(section.contains("c --> b") && !section.contains("c --> a"), "{section}");
    }
}
