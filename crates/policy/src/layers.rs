//! How files extend one another: reading all of them, and merging each over the one below.

use super::diagnostic::Notes;
use super::document::{self, Content, Entry, MAX_ITEMS, Node, Place, Step, Unreadable};
use super::format::{EXTENDS_KEY, FILE, TRUSTED_KEYS, VERSION, VERSION_KEY, conform};
use super::restrictions::Mentions;
use std::collections::BTreeMap;

/// Files that extend one another in a row.
const MAX_DEPTH: usize = 8;
/// The total number of files of one policy.
const MAX_FILES: usize = 32;
/// `extends: shipped:firefox-ci` needs no file.
pub(super) const SHIPPED: &str = "shipped:firefox-ci";

/// Reads the files of a policy; the files that each extends come first.
pub(super) struct Layers<'a> {
    pub(super) loader: &'a dyn Fn(&str) -> Result<String, String>,
    pub(super) notes: &'a mut Notes,
    /// The files that are being read, each because the one before extends it.
    pub(super) open: Vec<String>,
    pub(super) files: usize,
    /// The merged files, the lowest first.
    pub(super) laid: Vec<String>,
    /// Where they trust keys.
    pub(super) mentions: Mentions,
    /// The list of the trust file among them.
    pub(super) trusted: Option<Node>,
}

impl Layers<'_> {
    /// Reads a file and everything that it extends, and merges it over `below`.
    pub(super) fn lay(&mut self, below: Option<Node>, name: &str, text: &str) -> Option<Node> {
        self.files = self.files.saturating_add(1);
        let file = match document::read(name, text) {
            Ok(file) => file,
            Err(Unreadable { place, message }) => {
                self.notes.error(&place, message);
                return below;
            }
        };
        check_version(&file, self.notes);
        let Some(mut file) = conform(file, &FILE, self.notes) else { return below };
        let extended = take_extends(&mut file);
        self.open.push(name.to_owned());
        let below = extended.into_iter().fold(below, |below, entry| self.lay_extended(below, name, &entry));
        self.open.pop();
        self.laid.push(name.to_owned());
        self.mentions.collect(&file);
        self.take_trusted(&mut file);
        Some(over(below, file, self.notes))
    }

    /// Removes the list of trusted keys from a file. Only one file of a policy may have it, and no
    /// other file can change it.
    fn take_trusted(&mut self, file: &mut Node) {
        let Content::Map(map) = &mut file.content else { return };
        let Some(Entry { key_place, value }) = map.remove(TRUSTED_KEYS) else { return };
        match &self.trusted {
            Some(first) => {
                let Place { file, line, .. } = &first.place;
                let message =
                    format!("`{TRUSTED_KEYS}` is already in another file of this policy ({file}:{line})");
                let hint = Some("one file is the source of truth; add the key there".to_owned());
                self.notes.error_with(&key_place, message, hint);
            }
            None => self.trusted = settle(value, self.notes),
        }
    }

    fn lay_extended(&mut self, below: Option<Node>, from: &str, entry: &Node) -> Option<Node> {
        let Some(wanted) = entry.as_text() else { return below };
        let name = beside(from, wanted);
        if self.open.contains(&name) {
            self.notes
                .error(&entry.place, format!("{name} extends itself: {} → {name}", self.open.join(" → ")));
            return below;
        }
        if self.open.len() >= MAX_DEPTH || self.files >= MAX_FILES {
            let message =
                format!("more than {MAX_DEPTH} files extend one another, or more than {MAX_FILES} in all");
            self.notes.error(&entry.place, message);
            return below;
        }
        // A recording contains the text as it was at the time.
        let text = match (self.loader)(&name) {
            Err(_) if name == SHIPPED => Ok(super::FIREFOX_CI.to_owned()),
            text => text,
        };
        match text {
            Ok(text) => self.lay(below, &name, &text),
            Err(reason) => {
                self.notes.error(&entry.place, format!("{name} cannot be read: {reason}"));
                below
            }
        }
    }
}

pub(super) fn check_version(file: &Node, notes: &mut Notes) {
    let hint = Some(format!("a policy starts with `{VERSION_KEY}: {VERSION}`"));
    match file.get(VERSION_KEY).map(|node| (&node.place, &node.content)) {
        Some((_, Content::Number(version))) if version == VERSION => {}
        Some((place, Content::Number(version))) => {
            notes.error_with(place, format!("version {version} of the format is unsupported"), hint);
        }
        // Reported when the file is checked against its shape.
        Some(_) => {}
        None if file.as_map().is_some() => notes.error_with(&file.place, "this is not a policy", hint),
        None => {}
    }
}

/// The files that a file extends, in order; keys that belong to the file and not to the policy are
/// dropped.
fn take_extends(file: &mut Node) -> Vec<Node> {
    let Content::Map(map) = &mut file.content else { return Vec::new() };
    map.remove(VERSION_KEY);
    match map.remove(EXTENDS_KEY).map(|entry| entry.value) {
        Some(Node { content: Content::List(items), .. }) => items,
        Some(one) => vec![one],
        None => Vec::new(),
    }
}

/// The name of a file as another one refers to it: relative to the directory of that file.
fn beside(from: &str, wanted: &str) -> String {
    let wanted = wanted.strip_prefix("./").unwrap_or(wanted);
    match from.rsplit_once('/') {
        Some((folder, _)) if !wanted.starts_with('/') && wanted != SHIPPED => format!("{folder}/{wanted}"),
        _ => wanted.to_owned(),
    }
}

/// Merges one value over another: maps are merged by key, changes to a list are applied, and anything
/// else is replaced.
pub(super) fn over(below: Option<Node>, above: Node, notes: &mut Notes) -> Node {
    let Some(below) = below else { return above };
    let Node { content, place } = above;
    let content = match (below.content, content) {
        (Content::Map(below), Content::Map(above)) => Content::Map(merge(below, above, notes)),
        (Content::List(items), Content::Edit(steps)) => Content::List(apply(items, steps, notes)),
        (Content::Edit(mut first), Content::Edit(then)) => {
            first.extend(then);
            Content::Edit(first)
        }
        (Content::Removed(effective), Content::Removed(_)) => Content::Removed(effective),
        (_, Content::Removed(_)) => Content::Removed(true),
        (_, content) => content,
    };
    Node { content, place }
}

fn merge(
    mut below: BTreeMap<String, Entry>,
    above: BTreeMap<String, Entry>,
    notes: &mut Notes,
) -> BTreeMap<String, Entry> {
    for (key, Entry { key_place, value }) in above {
        let value = over(below.remove(&key).map(|entry| entry.value), value, notes);
        below.insert(key, Entry { key_place, value });
    }
    below
}

fn apply(mut items: Vec<Node>, steps: Vec<Step>, notes: &mut Notes) -> Vec<Node> {
    for step in steps {
        match step {
            Step::Remove(gone) => {
                for item in gone {
                    let before = items.len();
                    items.retain(|other| !other.says_same(&item));
                    if items.len() == before {
                        notes.error(&item.place, "this is not in the list, so it cannot be removed");
                    }
                }
            }
            Step::Add(new) => {
                for item in new {
                    if items.iter().any(|other| other.says_same(&item)) {
                        notes.warning(&item.place, "this is already in the list", None);
                    } else if items.len() >= MAX_ITEMS {
                        notes.error(&item.place, format!("this makes a list of more than {MAX_ITEMS} items"));
                        return items;
                    } else {
                        items.push(item);
                    }
                }
            }
        }
    }
    items
}

/// Ends the layering: drops removed entries, and reports changes and removals without a target.
pub(super) fn settle(node: Node, notes: &mut Notes) -> Option<Node> {
    let Node { content, place } = node;
    let content = match content {
        Content::Removed(true) => return None,
        Content::Removed(false) => {
            notes.error(&place, "no file below has an entry of this name to remove");
            return None;
        }
        Content::Edit(steps) => {
            let place = steps.iter().find_map(Step::place).unwrap_or(&place);
            notes.error(place, "no file below has a list to change");
            return None;
        }
        Content::Map(map) => Content::Map(
            map.into_iter()
                .filter_map(|(key, Entry { key_place, value })| {
                    settle(value, notes).map(|value| (key, Entry { key_place, value }))
                })
                .collect(),
        ),
        other => other,
    };
    Some(Node { content, place })
}

impl Step {
    fn place(&self) -> Option<&Place> {
        let (Self::Add(items) | Self::Remove(items)) = self;
        items.first().map(|item| &item.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_beside_the_file_that_has_them() {
        assert_eq!(beside("policies/own.yml", "firefox-ci.yml"), "policies/firefox-ci.yml");
        assert_eq!(beside("policies/own.yml", "./a/b.yml"), "policies/a/b.yml");
        assert_eq!(beside("policies/own.yml", "/etc/catena/a.yml"), "/etc/catena/a.yml");
        assert_eq!(beside("own.yml", "a.yml"), "a.yml");
        assert_eq!(beside("policies/own.yml", SHIPPED), SHIPPED);
    }
}
