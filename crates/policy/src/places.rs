//! Where the files of a policy say what, for reports.

use super::document::{Node, Place};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The lines of a product's keys, and of the entries of those that are maps (`trees`, `kinds`): for each the line
/// that says it last, since later layers replace what earlier ones say.
#[derive(Clone, Debug, Default)]
pub struct Places(BTreeMap<(String, Option<String>), PolicyLine>);

/// A line of a policy's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyLine {
    /// The file's name, as it was given or as `extends` has it.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u64,
}

impl PolicyLine {
    fn of(place: &Place) -> Self {
        Self { file: Arc::from(&*place.file), line: place.line }
    }
}

impl fmt::Display for PolicyLine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} line {}", self.file, self.line)
    }
}

impl Places {
    /// The lines of a product, after all layers are merged.
    pub(super) fn of(product: &Node) -> Self {
        let mut lines = BTreeMap::new();
        for (key, entry) in product.as_map().into_iter().flatten() {
            lines.insert((key.clone(), None), PolicyLine::of(&entry.key_place));
            for (name, inner) in entry.value.as_map().into_iter().flatten() {
                lines.insert((key.clone(), Some(name.clone())), PolicyLine::of(&inner.key_place));
            }
        }
        Self(lines)
    }

    /// Says that the keys of workers are in a trust file, and where.
    pub(super) fn trust(&mut self, place: &Place) {
        self.0.insert(("keys".to_owned(), None), PolicyLine::of(place));
    }

    /// The line of a key.
    #[must_use]
    pub fn key(&self, key: &str) -> Option<&PolicyLine> {
        self.0.get(&(key.to_owned(), None))
    }

    /// The line of an entry of a key, or of the key where there is no such entry.
    #[must_use]
    pub fn entry(&self, key: &str, entry: &str) -> Option<&PolicyLine> {
        self.0.get(&(key.to_owned(), Some(entry.to_owned()))).or_else(|| self.key(key))
    }
}

#[cfg(test)]
mod tests {
    use crate::Policy;

    #[test]
    fn a_key_is_named_by_the_line_that_counts() {
        let above = [
            "catena-policy: 1",
            "extends: shipped:firefox-ci",
            "products:",
            "  firefox:",
            "    trees:",
            "      all-release-branches: [/releases/mozilla-release]",
            "    max-push-age: 30",
        ];
        let none = |_: &str| Err("no other file".to_owned());
        let policy = Policy::load("ours.yml", &above.join("\n"), &none).unwrap();
        let product = policy.product("firefox").unwrap();
        let key = |key: &str| product.places.key(key).map(ToString::to_string);
        let entry = |key: &str, entry: &str| product.places.entry(key, entry).map(ToString::to_string);
        assert_eq!(key("max-push-age").as_deref(), Some("ours.yml line 7"));
        assert_eq!(entry("trees", "all-release-branches").as_deref(), Some("ours.yml line 6"));
        // What the layer does not say is the shipped policy's word, by its own line.
        let shipped = entry("trees", "all-nightly-branches").unwrap();
        let line: usize = shipped.strip_prefix("shipped:firefox-ci line ").unwrap().parse().unwrap();
        assert!(
            crate::FIREFOX_CI.lines().nth(line - 1).unwrap().contains("all-nightly-branches:"),
            "{shipped}"
        );
        assert_eq!(entry("trees", "no-such-entry"), key("trees"));
        assert_eq!(key("no-such-key"), None);
    }
}
