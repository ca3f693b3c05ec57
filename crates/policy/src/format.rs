//! The keys of a policy file, and the shape of each value. `docs/policy.md` explains them.

use super::diagnostic::Notes;
use super::document::{Content, Entry, Node, Place, Step};
use std::collections::BTreeMap;

/// The version of the format, under `catena-policy`.
pub const VERSION: &str = "1";
pub(super) const VERSION_KEY: &str = "catena-policy";
pub(super) const EXTENDS_KEY: &str = "extends";
pub(super) const TRUSTED_KEYS: &str = "trusted-keys";

/// The shape of a value.
pub(super) enum Shape {
    Text,
    Number,
    /// Text, or a list of texts.
    TextOrTexts,
    /// Text, or a map with these keys.
    TextOrRecord(Fields),
    /// A list of texts, or changes to one.
    Texts,
    /// A list of these, or changes to one.
    List(&'static Shape),
    /// This word, a list of texts, or changes to one.
    WordOrTexts(&'static str),
    /// A list of maps with these keys, or changes to one.
    Records(Fields),
    /// A map with these keys.
    Record(Fields),
    /// A map whose keys are names that the file chooses.
    Named(&'static Shape),
}

pub(super) type Fields = &'static [(&'static str, Shape)];

pub(super) const FILE: Shape = Shape::Record(&[
    (VERSION_KEY, Shape::Number),
    (EXTENDS_KEY, Shape::TextOrTexts),
    ("root-url", Shape::Text),
    ("defaults", Shape::Record(PRODUCT)),
    ("products", Shape::Named(&Shape::Record(PRODUCT))),
    (TRUSTED_KEYS, Shape::Records(TRUSTED_KEY)),
]);

const PRODUCT: Fields = &[
    ("vcs", Shape::Texts),
    ("source-env-prefix", Shape::Text),
    ("overriding-source-env-prefixes", Shape::Texts),
    ("tasks-for", Shape::Texts),
    ("decision-worker-pools", Shape::Texts),
    ("docker-image-worker-pools", Shape::Texts),
    ("scriptworker-provisioners", Shape::Texts),
    ("prebuilt-image-kinds", Shape::WordOrTexts("any")),
    ("repositories", Shape::Records(REPOSITORY)),
    ("trees", Shape::Named(&Shape::Texts)),
    ("restricted-scopes", Shape::Named(&Shape::Text)),
    ("official-owners", Shape::Texts),
    ("hg-git-mirrors", Shape::Named(&Shape::Text)),
    ("kinds", Shape::Named(&Shape::Text)),
    ("keys", KEYS),
    ("landed", Shape::Text),
    ("trusted-tree", Shape::Text),
    ("hg-hosts", Shape::Texts),
    ("projects-url", Shape::Text),
    ("max-chain-length", Shape::Number),
    ("max-push-age", Shape::Number),
    ("relaxed", Shape::Records(RELAXED)),
];

const REPOSITORY: Fields = &[("schemes", Shape::Texts), ("hosts", Shape::Texts), ("paths", Shape::Texts)];

const RELAXED: Fields = &[("rule", Shape::Text), ("because", Shape::Text)];

/// A file of keys: what `keys` holds in a policy.
pub(super) const KEYS: Shape = Shape::Named(&Shape::List(&Shape::TextOrRecord(KEY)));

const KEY: Fields = &[
    ("key", Shape::Text),
    ("not-before", Shape::Text),
    ("not-after", Shape::Text),
    ("revoked", Shape::Text),
    ("because", Shape::Text),
];

/// A key of a trust file.
const TRUSTED_KEY: Fields = &[
    ("id", Shape::Text),
    ("scheme", Shape::Text),
    ("key", Shape::Text),
    ("worker-implementations", Shape::Texts),
    ("products", Shape::Texts),
    ("worker-pools", Shape::Texts),
    ("levels", Shape::List(&Shape::Number)),
    ("workers", Shape::Texts),
    ("not-before", Shape::Text),
    ("not-after", Shape::Text),
    ("revoked-at", Shape::Text),
    ("compromised-from", Shape::Text),
    ("reason", Shape::Text),
    ("comment", Shape::Text),
];

/// Checks a file against its shape. In the result, changes to lists are [`Content::Edit`] and removed
/// entries are [`Content::Removed`]. Values of the wrong shape are reported, and left out of lists and
/// replaced by [`Content::Null`] in maps, so that they do not count as missing.
pub(super) fn conform(node: Node, shape: &Shape, notes: &mut Notes) -> Option<Node> {
    let Node { content, place } = node;
    let content = match (shape, content) {
        (Shape::Text | Shape::TextOrTexts | Shape::TextOrRecord(_), Content::Text(text)) => {
            Content::Text(text)
        }
        (Shape::WordOrTexts(word), Content::Text(text)) if text == *word => Content::Text(text),
        (Shape::Number, Content::Number(text)) => Content::Number(text),
        (Shape::Texts | Shape::TextOrTexts | Shape::WordOrTexts(_), Content::List(items)) => {
            Content::List(conform_items(items, &Shape::Text, notes))
        }
        (Shape::Texts | Shape::WordOrTexts(_), Content::Map(map)) => edit(map, &Shape::Text, notes),
        (Shape::List(item), Content::List(items)) => Content::List(conform_items(items, item, notes)),
        (Shape::List(item), Content::Map(map)) => edit(map, item, notes),
        (Shape::Records(fields), Content::List(items)) => {
            Content::List(conform_items(items, &Shape::Record(fields), notes))
        }
        (Shape::Records(fields), Content::Map(map)) => edit(map, &Shape::Record(fields), notes),
        (Shape::Record(fields) | Shape::TextOrRecord(fields), Content::Map(map)) => {
            record(map, fields, notes)
        }
        (Shape::Named(inner), Content::Map(map)) => named(map, inner, notes),
        (shape, content) => {
            misfit(&place, shape, &content, notes);
            return None;
        }
    };
    Some(Node { content, place })
}

fn conform_items(items: Vec<Node>, shape: &Shape, notes: &mut Notes) -> Vec<Node> {
    items.into_iter().filter_map(|item| conform(item, shape, notes)).collect()
}

fn conform_or_null(node: Node, shape: &Shape, notes: &mut Notes) -> Node {
    let place = node.place.clone();
    conform(node, shape, notes).unwrap_or(Node { content: Content::Null, place })
}

fn record(map: BTreeMap<String, Entry>, fields: Fields, notes: &mut Notes) -> Content {
    let mut known = BTreeMap::new();
    for (key, Entry { key_place, value }) in map {
        let Some((_, shape)) = fields.iter().find(|(name, _)| *name == key) else {
            let hint = notes.suggest(&key, fields.iter().map(|(name, _)| *name));
            notes.error_with(&key_place, format!("unknown key {key:?}"), hint);
            continue;
        };
        let value = conform_or_null(value, shape, notes);
        known.insert(key, Entry { key_place, value });
    }
    Content::Map(known)
}

fn named(map: BTreeMap<String, Entry>, inner: &Shape, notes: &mut Notes) -> Content {
    let mut known = BTreeMap::new();
    for (key, Entry { key_place, value }) in map {
        let value = if matches!(value.content, Content::Null) {
            Node { content: Content::Removed(false), place: key_place.clone() }
        } else {
            conform_or_null(value, inner, notes)
        };
        known.insert(key, Entry { key_place, value });
    }
    Content::Map(known)
}

/// `{add: […], remove: […]}` in place of a list. Removals come first, so that an item can be replaced.
fn edit(map: BTreeMap<String, Entry>, item: &Shape, notes: &mut Notes) -> Content {
    let mut added = Vec::new();
    let mut removed = Vec::new();
    for (key, Entry { key_place, value }) in map {
        match (key.as_str(), value.content) {
            ("add", Content::List(items)) => added = conform_items(items, item, notes),
            ("remove", Content::List(items)) => removed = conform_items(items, item, notes),
            ("add" | "remove", other) => {
                notes.error(&value.place, format!("expected a list, found {}", other.kind()));
            }
            _ => {
                let message =
                    format!("expected a list, or `add` and `remove` with a list each, found {key:?}");
                notes.error(&key_place, message);
            }
        }
    }
    Content::Edit(vec![Step::Remove(removed), Step::Add(added)])
}

fn misfit(place: &Place, shape: &Shape, content: &Content, notes: &mut Notes) {
    let wanted = match shape {
        Shape::Text => "expected text".to_owned(),
        Shape::Number => "expected a number".to_owned(),
        Shape::TextOrTexts => "expected text or a list of texts".to_owned(),
        Shape::TextOrRecord(_) => "expected text or a map".to_owned(),
        Shape::Texts | Shape::List(_) | Shape::Records(_) => "expected a list".to_owned(),
        Shape::WordOrTexts(word) => format!("expected a list or the word {word:?}"),
        Shape::Record(_) | Shape::Named(_) => "expected a map".to_owned(),
    };
    let hint = match (shape, content) {
        (Shape::Text, Content::Number(_) | Content::Bool(_)) => {
            Some("put it in quotes to make it text".to_owned())
        }
        (Shape::Texts | Shape::List(_), Content::Text(text)) => {
            Some(format!("a list of one is written [{text:?}]"))
        }
        (Shape::Texts | Shape::List(_) | Shape::Records(_), Content::Null) => {
            Some("an empty list is written []".to_owned())
        }
        (Shape::Named(_), Content::Null) => Some("an empty map is written {}".to_owned()),
        _ => None,
    };
    notes.error_with(place, format!("{wanted}, found {}", content.kind()), hint);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Policy;

    /// Files in which one key of a shape is misspelled: how the key is written, which it is, and the file.
    fn misspelled(
        shape: &Shape,
        wrap: &dyn Fn(String) -> String,
        found: &mut Vec<(String, &'static str, String)>,
    ) {
        let record = |fields: Fields, found: &mut Vec<_>| {
            for (key, inner) in fields {
                for typo in typos(key) {
                    if fields.iter().all(|(other, _)| *other != typo) {
                        found.push((typo.clone(), *key, wrap(format!("{{{typo}: x}}"))));
                    }
                }
                misspelled(inner, &|text| wrap(format!("{{{key}: {text}}}")), found);
            }
        };
        match shape {
            Shape::Record(fields) | Shape::TextOrRecord(fields) => record(fields, found),
            Shape::Records(fields) => {
                misspelled(&Shape::Record(fields), &|text| wrap(format!("[{text}]")), found)
            }
            Shape::List(inner) => misspelled(inner, &|text| wrap(format!("[{text}]")), found),
            Shape::Named(inner) => misspelled(inner, &|text| wrap(format!("{{name: {text}}}")), found),
            Shape::Text | Shape::Number | Shape::TextOrTexts | Shape::Texts | Shape::WordOrTexts(_) => {}
        }
    }

    fn typos(key: &str) -> [String; 3] {
        let letters: Vec<char> = key.chars().collect();
        let (first, last) = (letters[0], letters[letters.len() - 1]);
        let shorter = letters[..letters.len() - 1].iter().collect();
        [shorter, format!("{first}{key}"), format!("{key}{last}")]
    }

    #[test]
    fn a_misspelled_key_is_named_wherever_it_stands() {
        let mut found = Vec::new();
        misspelled(&FILE, &|text| text, &mut found);
        assert!(found.len() > 200, "{}", found.len());
        let mut guessed = 0;
        for (typo, key, text) in found {
            let text = text.replacen('{', "{catena-policy: 1, ", usize::from(key != VERSION_KEY));
            let told = Policy::load("p.yml", &text, &|_| Err(String::new())).map(|_| ()).unwrap_err();
            let told: Vec<String> = told.iter().map(ToString::to_string).collect();
            let named = told.iter().find(|told| told.contains(&format!("{typo:?}")) || told.contains(&typo));
            let named = named.unwrap_or_else(|| panic!("{text}: {told:#?}"));
            guessed += usize::from(named.contains(&format!("did you mean {key:?}?")) || key.len() < 4);
        }
        assert!(guessed > 190, "{guessed} keys were guessed");
    }

    #[test]
    fn every_key_is_documented() {
        const PAGE: &str = include_str!("../../../docs/policy.md");
        let Shape::Record(top) = FILE else { unreachable!() };
        for (key, _) in top.iter().chain(PRODUCT) {
            assert!(PAGE.contains(&format!("| `{key}` |")), "docs/policy.md has no row for {key}");
        }
        const KEYS_PAGE: &str = include_str!("../../../docs/keys.md");
        for (key, _) in TRUSTED_KEY {
            assert!(KEYS_PAGE.contains(&format!("| `{key}` |")), "docs/keys.md has no row for {key}");
        }
        for (key, _) in REPOSITORY.iter().chain(RELAXED).chain(KEY) {
            assert!(PAGE.contains(key), "docs/policy.md does not mention {key}");
        }
    }
}
