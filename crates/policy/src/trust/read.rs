//! From the list under `trusted-keys` to its records.

use super::{Revocation, TrustRecord};
use crate::diagnostic::Notes;
use crate::document::{Content, Node};
use crate::keys::KnownKeys;
use crate::usage::{PairPattern, Usage};
use crate::validity::{read_limits, read_time};
use catena_keys::{KeyId, PublicKey, Revoked, Scheme};
use catena_model::projects::Level;
use catena_model::task::{Kind, WorkerImplementation};
use std::collections::BTreeSet;

/// Parses a resolved list of the right shape. Errors are reported, and the items left out.
pub(crate) fn read(list: &Node, known: &mut KnownKeys, notes: &mut Notes) -> Vec<TrustRecord> {
    if list.items().is_empty() {
        notes.error(&list.place, "the list has no keys, so no signature would be accepted");
    }
    let mut records: Vec<TrustRecord> = Vec::new();
    for item in list.items() {
        let Some(record) = (Record { item, notes }).read(known) else { continue };
        if records.iter().any(|other| other.id == record.id) {
            notes.error(&item.place, format!("the id {} is another key's already", record.id));
        }
        if let Some(other) = records.iter().find(|other| other.key == record.key) {
            notes.error(&item.place, format!("the file already has this key, as {}", other.id));
        }
        records.push(record);
    }
    records
}

/// One item of the list.
struct Record<'a> {
    item: &'a Node,
    notes: &'a mut Notes,
}

impl Record<'_> {
    fn read(&mut self, known: &mut KnownKeys) -> Option<TrustRecord> {
        let id = self.id();
        let scheme = self.scheme();
        let key = scheme.and_then(|scheme| self.key(scheme, known));
        let worker_implementations = self.worker_implementations();
        let usage = self.usage();
        let limits = read_limits(self.item, self.notes);
        let revoked = self.revoked();
        let never = revoked.as_ref().zip(limits.not_before);
        if never.is_some_and(|(revoked, from)| revoked.compromised_from <= Revoked::At(from))
            && revoked.as_ref().is_some_and(|revoked| revoked.compromised_from != Revoked::Always)
        {
            let hint = Some("write `compromised-from: always`".to_owned());
            self.warning(
                "compromised-from",
                "the key is compromised before `not-before`, so it is never valid",
                hint,
            );
        }
        Some(TrustRecord {
            id: id?,
            key: key?,
            worker_implementations,
            usage,
            not_before: limits.not_before,
            not_after: limits.not_after,
            revoked,
            comment: self.text("comment").map(str::to_owned),
        })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.item.get(name).and_then(Node::as_text)
    }

    fn error(&mut self, name: &str, message: impl Into<String>) {
        let place = self.item.get(name).map_or(&self.item.place, |node| &node.place);
        self.notes.error(place, message);
    }

    fn warning(&mut self, name: &str, message: &str, hint: Option<String>) {
        let place = self.item.get(name).map_or(&self.item.place, |node| &node.place);
        self.notes.warning(place, message, hint);
    }

    fn required(&mut self, name: &str) -> Option<String> {
        let text = self.text(name).map(str::to_owned);
        // Values that are not text were reported when the file was checked against its shape.
        if self.item.get(name).is_none() {
            self.error(name, format!("`{name}` is missing"));
        }
        text
    }

    fn id(&mut self) -> Option<KeyId> {
        let text = self.required("id")?;
        let id = KeyId::parse(&text);
        if id.is_none() {
            self.error("id", "an id has 1 to 64 of a-z 0-9 - _ . and starts with a letter or digit");
        }
        id
    }

    fn scheme(&mut self) -> Option<Scheme> {
        let text = self.required("scheme")?;
        let scheme = Scheme::parse(&text);
        if scheme.is_none() {
            let known = Scheme::ALL.map(Scheme::as_str).join(", ");
            self.error("scheme", format!("{text:?} is not a signature scheme; known values: {known}"));
        }
        scheme
    }

    fn key(&mut self, scheme: Scheme, known: &mut KnownKeys) -> Option<PublicKey> {
        let text = self.required("key")?;
        match known.parse(scheme, &text) {
            Ok(key) if key.is_published() => {
                self.error("key", "a weak key: its private half is published, so anyone can sign with it");
                None
            }
            Ok(key) => Some(key),
            Err(error) => {
                self.error("key", error.to_string());
                None
            }
        }
    }

    fn worker_implementations(&mut self) -> BTreeSet<WorkerImplementation> {
        let known = WorkerImplementation::ALL.map(WorkerImplementation::as_str).join(", ");
        let parse = |text: &str| {
            WorkerImplementation::parse(text)
                .ok_or_else(|| format!("{text:?} is not a worker implementation; known values: {known}"))
        };
        if self.item.get("worker-implementations").is_none() {
            self.error(
                "worker-implementations",
                "`worker-implementations` is missing: whose documents the key signs",
            );
        }
        self.values("worker-implementations", parse).unwrap_or_default().into_iter().collect()
    }

    fn usage(&mut self) -> Usage {
        let product = |text: &str| match Kind::parse(text) {
            Ok(_) => Ok(text.to_owned()),
            Err(_) => Err(format!("{text:?} is not the name of a product (1 to 60 of a-z 0-9 -)")),
        };
        let level =
            |text: &str| Level::parse(text).ok_or_else(|| format!("{text} is not a level: 1, 2 or 3"));
        Usage {
            products: self.values("products", product).map(|values| values.into_iter().collect()),
            worker_pools: self.values("worker-pools", PairPattern::parse),
            levels: self.values("levels", level).map(|values| values.into_iter().collect()),
            workers: self.values("workers", PairPattern::parse),
        }
    }

    /// The values of a list; `None` if there is no list. An empty list and duplicate values are errors.
    fn values<T: PartialEq>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let list = self.item.get(name)?;
        if list.items().is_empty() && matches!(list.content, Content::List(_)) {
            self.notes.error(&list.place, "an empty list permits nothing");
        }
        let mut values = Vec::new();
        for item in list.items() {
            let (Content::Text(text) | Content::Number(text)) = &item.content else { continue };
            match parse(text) {
                Ok(value) if values.contains(&value) => {
                    self.notes.error(&item.place, "this is already in the list");
                }
                Ok(value) => values.push(value),
                Err(message) => self.notes.error(&item.place, message),
            }
        }
        Some(values)
    }

    fn revoked(&mut self) -> Option<Revocation> {
        let at = self.item.get("revoked-at").and_then(|node| read_time(node, self.notes));
        let from = self.item.get("compromised-from").and_then(|node| match node.as_text() {
            Some("always") => Some(Revoked::Always),
            _ => read_time(node, self.notes).map(Revoked::At),
        });
        let reason = self.text("reason").map(str::to_owned);
        if self.item.get("revoked-at").is_none() {
            for name in
                ["compromised-from", "reason"].into_iter().filter(|name| self.item.get(name).is_some())
            {
                self.error(
                    name,
                    format!("`{name}` belongs to a key that is revoked, and `revoked-at` is missing"),
                );
            }
            return None;
        }
        if self.item.get("reason").is_none()
            || reason.as_deref().is_some_and(|reason| reason.trim().is_empty())
        {
            self.error("reason", "`reason` is missing: a key is revoked for a reason");
        }
        let at = at?;
        if from.is_some_and(|from| from > Revoked::At(at)) {
            self.error(
                "compromised-from",
                "this is after `revoked-at`: a key that is revoked is not trusted from then on",
            );
        }
        Some(Revocation { at, compromised_from: from.unwrap_or(Revoked::At(at)), reason: reason? })
    }
}
