//! The next state of a trust file, as text. Comments and layout of unchanged parts are kept.

use super::{TrustFile, TrustRecord, is_never_valid};
use crate::usage::Usage;
use catena_keys::{KeyId, PublicKey, Revoked};
use jiff::Timestamp;

/// One key replaces another.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The key that ends.
    pub old: KeyId,
    /// The name of the new key.
    pub new: KeyId,
    /// The new key.
    pub key: PublicKey,
    /// The start of the new key's validity.
    pub at: Timestamp,
    /// The end of the old key's validity: not before `at`.
    pub old_until: Timestamp,
    /// The end of the new key's validity.
    pub new_until: Option<Timestamp>,
}

/// The revocation of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The time of the decision.
    pub at: Timestamp,
    /// The time from which no signature of the key is accepted; at most `at`.
    pub compromised_from: Revoked,
    /// The reason.
    pub reason: String,
}

/// Why a file cannot be changed in this way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// No key has this name.
    #[error("the trust file has no key {0}")]
    UnknownKey(KeyId),
    /// A key already has this name.
    #[error("the trust file already has a key {0}")]
    IdTaken(KeyId),
    /// The new key is already in the file.
    #[error("the new key is already in the trust file, as {0}")]
    KeyTaken(KeyId),
    /// The private half of the new key is published.
    #[error("the private half of the new key is published, so anyone can sign with it")]
    Published,
    /// The old key has expired, or is revoked, before the new one becomes valid.
    #[error("the key {0} is not valid at {1}, so that nothing would overlap; add the new key by hand")]
    Ended(KeyId, Timestamp),
    /// The request contradicts itself.
    #[error("{0}")]
    Unsound(&'static str),
    /// The key is already revoked, and the request would not make the revocation stricter.
    #[error("the key {0} is already revoked from an earlier time")]
    Revoked(KeyId),
    /// The text is in a YAML form that is not supported for editing.
    #[error(
        "the record of {0} is not written as a block with a line for each of its keys (`- id: …`); edit the file by hand"
    )]
    Layout(KeyId),
}

impl TrustFile {
    /// The text of the file after a rotation: the old key ends, and the new one starts with the same
    /// permissions.
    ///
    /// # Errors
    /// Why there is no such state, or why this file cannot be edited.
    pub fn rotated(&self, rotation: &Rotation) -> Result<String, EditError> {
        let (place, old) = self.find(&rotation.old)?;
        self.check_rotation(rotation, old)?;
        let until = old.not_after.map_or(rotation.old_until, |end| end.min(rotation.old_until));
        let ended = TrustRecord { not_after: Some(until), ..old.clone() };
        let begun = TrustRecord {
            id: rotation.new.clone(),
            key: rotation.key.clone(),
            not_before: Some(rotation.at),
            not_after: rotation.new_until,
            comment: Some(format!("replaces {}", old.id)),
            ..old.clone()
        };
        let mut block = self.block(place)?;
        block.set("not-after", &until.to_string());
        block.insert_after(&begun);
        let mut expected = self.records.clone();
        expected.splice(place..=place, [ended, begun]);
        self.checked(block, &rotation.old, &expected)
    }

    /// The text of the file after a revocation.
    ///
    /// # Errors
    /// Why there is no such state, or why this file cannot be edited.
    pub fn revoked(&self, id: &KeyId, revocation: &Revocation) -> Result<String, EditError> {
        let (place, old) = self.find(id)?;
        if revocation.compromised_from > Revoked::At(revocation.at) {
            return Err(EditError::Unsound("a key cannot be compromised from a time after its revocation"));
        }
        if revocation.reason.trim().is_empty() || revocation.reason.chars().any(char::is_control) {
            return Err(EditError::Unsound("the reason of a revocation is one line of text"));
        }
        let stands = old.revoked.as_ref().map(|revoked| revoked.compromised_from);
        if stands.is_some_and(|stands| stands <= revocation.compromised_from) {
            return Err(EditError::Revoked(id.clone()));
        }
        let mut block = self.block(place)?;
        block.set("revoked-at", &revocation.at.to_string());
        block.set("compromised-from", &revocation.compromised_from.to_string());
        block.set("reason", &quoted(&revocation.reason));
        let mut expected = self.records.clone();
        let revoked = TrustRecord { revoked: Some(revocation.clone()), ..old.clone() };
        expected.splice(place..=place, [revoked]);
        self.checked(block, id, &expected)
    }

    fn find(&self, id: &KeyId) -> Result<(usize, &TrustRecord), EditError> {
        let found = self.records.iter().enumerate().find(|(_, record)| record.id == *id);
        found.ok_or_else(|| EditError::UnknownKey(id.clone()))
    }

    fn check_rotation(&self, rotation: &Rotation, old: &TrustRecord) -> Result<(), EditError> {
        if self.records.iter().any(|record| record.id == rotation.new) {
            return Err(EditError::IdTaken(rotation.new.clone()));
        }
        if let Some(taken) = self.records.iter().find(|record| record.key == rotation.key) {
            return Err(EditError::KeyTaken(taken.id.clone()));
        }
        if rotation.key.is_published() {
            return Err(EditError::Published);
        }
        if old.revoked.is_some() || is_never_valid(old) || !old.is_valid_at(rotation.at) {
            return Err(EditError::Ended(old.id.clone(), rotation.at));
        }
        if rotation.old_until < rotation.at {
            return Err(EditError::Unsound("the old key would end before the new one begins"));
        }
        if rotation.new_until.is_some_and(|until| until <= rotation.old_until) {
            return Err(EditError::Unsound("the new key would end before the old one does"));
        }
        Ok(())
    }

    /// The new text, if it means exactly what was requested.
    fn checked(&self, block: Block, id: &KeyId, expected: &[TrustRecord]) -> Result<String, EditError> {
        let text = block.text();
        match Self::parse(&self.name, &text) {
            Ok(file) if file.records == expected => Ok(text),
            _ => Err(EditError::Layout(id.clone())),
        }
    }

    fn block(&self, place: usize) -> Result<Block, EditError> {
        let record = self.records.get(place);
        let line = self.places.get(place).and_then(|place| usize::try_from(place.line).ok());
        let block = line.and_then(|line| Block::find(&self.text, line.checked_sub(1)?));
        block.ok_or_else(|| match record {
            Some(record) => EditError::Layout(record.id.clone()),
            None => EditError::Unsound("the trust file has no such record"),
        })
    }
}

/// The lines of a file, and which of them are one record.
struct Block {
    lines: Vec<String>,
    /// The line of the dash.
    start: usize,
    /// The line after the last one of the record.
    end: usize,
    /// Spaces before the dash.
    dash: usize,
    /// Spaces before the keys of the record.
    indent: usize,
    ends_with_line: bool,
}

impl Block {
    fn find(text: &str, start: usize) -> Option<Self> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let first = lines.get(start)?;
        let dash = indentation(first);
        let rest = first.get(dash..)?.strip_prefix("- ")?;
        let indent = dash.checked_add(2)?.checked_add(indentation(rest))?;
        let after = start.checked_add(1)?;
        let inside = |line: &&String| line.trim().is_empty() || indentation(line) > dash;
        let length = lines.iter().skip(after).take_while(inside).count();
        let body = lines.get(after..after.checked_add(length)?)?;
        let blank = body.iter().rev().take_while(|line| line.trim().is_empty()).count();
        let end = after.checked_add(length)?.checked_sub(blank)?;
        Some(Self { start, end, dash, indent, ends_with_line: text.ends_with('\n'), lines })
    }

    /// Replaces the value of a key of the record, or adds a line for it.
    fn set(&mut self, name: &str, value: &str) {
        let (start, indent, dash) = (self.start, self.indent, self.dash);
        let own = |number: usize, line: &str| {
            let head = if number == start { dash.saturating_add(2) } else { 0 };
            let text = line.get(head..).unwrap_or_default().trim_start();
            let column = line.len().saturating_sub(text.len());
            column == indent && text.strip_prefix(name).is_some_and(|rest| rest.starts_with(':'))
        };
        let lines = self.lines.iter_mut().enumerate().take(self.end).skip(start);
        for (number, line) in lines {
            if own(number, line) {
                let head = line.get(..indent).unwrap_or_default().to_owned();
                let comment = line.find(" #").and_then(|at| line.get(at..)).unwrap_or_default().to_owned();
                *line = format!("{head}{name}: {value}{comment}");
                return;
            }
        }
        self.lines.insert(self.end, format!("{}{name}: {value}", " ".repeat(indent)));
        self.end = self.end.saturating_add(1);
    }

    /// Adds a record after this one, with a blank line between them if there is one before this one.
    fn insert_after(&mut self, record: &TrustRecord) {
        let before = self.start.checked_sub(1).and_then(|before| self.lines.get(before));
        let blank = before.is_some_and(|line| line.trim().is_empty()).then(String::new);
        let (dash, indent) = (" ".repeat(self.dash), " ".repeat(self.indent));
        let first = format!("{dash}-{}", " ".repeat(self.indent.saturating_sub(self.dash).saturating_sub(1)));
        let fields = fields(record).into_iter().enumerate();
        let lines = fields.map(|(at, field)| format!("{}{field}", if at == 0 { &first } else { &indent }));
        let added: Vec<String> = blank.into_iter().chain(lines).collect();
        self.lines.splice(self.end..self.end, added);
    }

    fn text(&self) -> String {
        let mut text = self.lines.join("\n");
        if self.ends_with_line {
            text.push('\n');
        }
        text
    }
}

fn indentation(line: &str) -> usize {
    line.len().saturating_sub(line.trim_start_matches(' ').len())
}

/// A record as lines of YAML.
fn fields(record: &TrustRecord) -> Vec<String> {
    let TrustRecord { id, key, worker_implementations, usage, not_before, not_after, revoked, comment } =
        record;
    let implementations: Vec<&str> = worker_implementations.iter().map(|one| one.as_str()).collect();
    let mut fields = vec![
        format!("id: {}", quoted(id.as_str())),
        format!("scheme: {}", key.scheme()),
        format!("key: {key}"),
        format!("worker-implementations: [{}]", implementations.join(", ")),
    ];
    fields.extend(usage_fields(usage));
    fields.extend(not_before.map(|time| format!("not-before: {time}")));
    fields.extend(not_after.map(|time| format!("not-after: {time}")));
    if let Some(revoked) = revoked {
        fields.push(format!("revoked-at: {}", revoked.at));
        fields.push(format!("compromised-from: {}", revoked.compromised_from));
        fields.push(format!("reason: {}", quoted(&revoked.reason)));
    }
    fields.extend(comment.as_ref().map(|comment| format!("comment: {}", quoted(comment))));
    fields
}

fn usage_fields(usage: &Usage) -> impl Iterator<Item = String> {
    usage.limits().map(|(name, values)| {
        let plain = name == "levels";
        let values = values.iter().map(|value| if plain { value.clone() } else { quoted(value) });
        format!("{name}: [{}]", values.collect::<Vec<_>>().join(", "))
    })
}

/// Text as YAML: plain if that is unambiguous, else in single quotes.
fn quoted(text: &str) -> String {
    let plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./ ".contains(&byte))
        && !text.ends_with(' ')
        && !["true", "false", "null", "yes", "no", "on", "off"].contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}
