//! A YAML file as a tree with source positions.

use catena_json::Path;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{Location, Spanned};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

/// Bytes of one file; the largest known policy has 30 KB.
const MAX_BYTES: usize = 1 << 20;
/// Nesting of lists and maps; the format has six levels.
const MAX_DEPTH: usize = 12;
/// Bytes of one key; scopes are the longest.
const MAX_KEY_BYTES: usize = 300;
/// Values in one file; the largest known policy has 800.
const MAX_NODES: usize = 20_000;
/// Items in one list; the longest known has twelve.
pub(super) const MAX_ITEMS: usize = 2_000;

/// A position.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) file: Rc<str>,
    /// From 1.
    pub(super) line: u64,
    /// From 1, in characters.
    pub(super) column: u64,
    pub(super) path: Path,
}

impl Place {
    /// The top of a file.
    pub(super) fn top(file: &str) -> Self {
        Self { file: file.into(), line: 1, column: 1, path: Path::new() }
    }

    fn at(&self, location: Location, path: Path) -> Self {
        Self { file: Rc::clone(&self.file), line: location.line(), column: location.column(), path }
    }
}

/// A value and its position.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) content: Content,
    pub(super) place: Place,
}

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Null,
    Bool(bool),
    /// As the YAML parser prints it.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(BTreeMap<String, Entry>),
    /// Changes to a list that is not known yet (created while layering, never parsed).
    Edit(Vec<Step>),
    /// A removed entry (created while layering, never parsed); whether there was something to remove.
    Removed(bool),
}

/// A value in a map, and the position of its key.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key_place: Place,
    pub(super) value: Node,
}

/// One change to a list.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Add(Vec<Node>),
    Remove(Vec<Node>),
}

impl Content {
    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Edit(_) => "a change to a list",
            Self::Removed(_) => "a removal",
        }
    }
}

impl Node {
    pub(super) fn as_text(&self) -> Option<&str> {
        if let Content::Text(text) = &self.content { Some(text) } else { None }
    }

    /// The items of a list; `None` for anything else.
    pub(super) fn items(&self) -> &[Node] {
        if let Content::List(items) = &self.content { items } else { &[] }
    }

    pub(super) fn as_map(&self) -> Option<&BTreeMap<String, Entry>> {
        if let Content::Map(map) = &self.content { Some(map) } else { None }
    }

    /// The value under a key of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key).map(|entry| &entry.value)
    }

    /// Whether both have the same contents, regardless of position.
    pub(super) fn says_same(&self, other: &Self) -> bool {
        match (&self.content, &other.content) {
            (Content::Null, Content::Null) => true,
            (Content::Bool(one), Content::Bool(other)) => one == other,
            (Content::Number(one), Content::Number(other)) | (Content::Text(one), Content::Text(other)) => {
                one == other
            }
            (Content::List(one), Content::List(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.says_same(other))
            }
            (Content::Map(one), Content::Map(other)) => {
                one.len() == other.len()
                    && one.iter().zip(other).all(|((key, one), (other_key, other))| {
                        key == other_key && one.value.says_same(&other.value)
                    })
            }
            _ => false,
        }
    }
}

/// Why a file could not be read as a tree: where, and why.
pub(super) struct Unreadable {
    pub(super) place: Place,
    pub(super) message: String,
}

/// Parses YAML, of which JSON is a subset. Duplicate and merge keys are refused, aliases limited.
pub(super) fn read(file: &str, text: &str) -> Result<Node, Unreadable> {
    let top = Place::top(file);
    if text.len() > MAX_BYTES {
        return Err(Unreadable { place: top, message: format!("larger than {MAX_BYTES} bytes") });
    }
    match serde_saphyr::from_str_with_options::<Raw>(text, options()) {
        Ok(raw) => Ok(raw.into_node(&top, Path::new())),
        Err(error) => {
            let place =
                error.location().map_or_else(|| top.clone(), |location| top.at(location, Path::new()));
            Err(Unreadable { place, message: plain_message(&error) })
        }
    }
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_events: 60_000,
            max_nodes: MAX_NODES,
            max_documents: 1,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_total_scalar_bytes: MAX_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 20_000,
            max_replay_stack_depth: 8,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
        emit_comments: false,
    }
}

/// The error, in terms of the policy format.
fn plain_message(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error as E;
    match error.without_snippet() {
        E::DuplicateMappingKey { key: Some(key), .. } => format!("duplicate key {key:?}"),
        E::DuplicateMappingKey { key: None, .. } => "duplicate key".to_owned(),
        E::MergeKeyNotAllowed { .. } => {
            "merge keys (<<) are not supported; `defaults` and `extends` share settings".to_owned()
        }
        E::Budget { breach: BudgetBreach::Documents { .. }, .. } => {
            "a second document in one file".to_owned()
        }
        E::Budget { .. } => "more values, aliases or nesting than any policy needs".to_owned(),
        other => without_place(&other.to_string()),
    }
}

/// A message without the position, which a diagnostic adds.
fn without_place(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let end = line.find(" at line ").or_else(|| line.find(" (line ")).unwrap_or(line.len());
    line.get(..end).unwrap_or(line).chars().take(300).collect()
}

/// A value as the YAML parser returns it.
struct Raw(Spanned<RawContent>);

enum RawContent {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Raw>),
    Map(Vec<(Spanned<String>, Raw)>),
}

impl Raw {
    fn into_node(self, file: &Place, path: Path) -> Node {
        let Spanned { value, referenced, .. } = self.0;
        let content = match value {
            RawContent::Null => Content::Null,
            RawContent::Bool(value) => Content::Bool(value),
            RawContent::Number(text) => Content::Number(text),
            RawContent::Text(text) => Content::Text(text),
            RawContent::List(items) => Content::List(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(position, item)| item.into_node(file, path.index(position)))
                    .collect(),
            ),
            RawContent::Map(entries) => Content::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| {
                        let path = path.key(&key.value);
                        let key_place = file.at(key.referenced, path.clone());
                        (key.value, Entry { key_place, value: value.into_node(file, path) })
                    })
                    .collect(),
            ),
        };
        Node { content, place: file.at(referenced, path) }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for RawContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = RawContent;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("text, a number, a boolean, a list or a map")
    }

    fn visit_unit<E>(self) -> Result<RawContent, E> {
        Ok(RawContent::Null)
    }

    fn visit_none<E>(self) -> Result<RawContent, E> {
        Ok(RawContent::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawContent, E> {
        Ok(RawContent::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawContent, E> {
        Ok(RawContent::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<RawContent, E> {
        Ok(RawContent::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawContent, E> {
        Ok(RawContent::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<RawContent, E> {
        Ok(RawContent::Text(value.to_owned()))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<RawContent, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<RawContent, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            if list.len() >= MAX_ITEMS {
                return Err(A::Error::custom(format!("a list of more than {MAX_ITEMS} items")));
            }
            list.push(item);
        }
        Ok(RawContent::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<RawContent, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            if key.value.len() > MAX_KEY_BYTES {
                return Err(A::Error::custom(format!("a key longer than {MAX_KEY_BYTES} bytes")));
            }
            map.push((key, entries.next_value()?));
        }
        Ok(RawContent::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_ignores_positions() {
        let values = [
            "~",
            "true",
            "false",
            "1",
            "'1'",
            "a",
            "[]",
            "[a]",
            "[b]",
            "[a, b]",
            "{}",
            "{a: 1}",
            "{a: 2}",
            "{b: 1}",
            "{a: 1, b: 1}",
        ];
        let node = |text: &str| read("p.yml", text).ok().unwrap();
        for (one, text) in values.iter().enumerate() {
            for (other, with) in values.iter().enumerate() {
                assert_eq!(
                    node(text).says_same(&node(&format!("# later\n{with}"))),
                    one == other,
                    "{text} {with}"
                );
            }
        }
    }

    #[test]
    fn a_file_is_read_up_to_its_bound() {
        let padded = |length: usize| format!("a: 1\n#{}", "x".repeat(length - 6));
        assert!(read("p.yml", &padded(MAX_BYTES)).is_ok());
        let unread = read("p.yml", &padded(MAX_BYTES + 1)).err().unwrap();
        assert_eq!((unread.place.line, unread.message.as_str()), (1, "larger than 1048576 bytes"));
        let key = |length: usize| read("p.yml", &format!("{}: 1", "k".repeat(length))).is_ok();
        assert!(key(MAX_KEY_BYTES) && !key(MAX_KEY_BYTES + 1));
    }
}
