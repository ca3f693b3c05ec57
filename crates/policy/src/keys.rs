//! The public keys of workers.

use super::diagnostic::{Diagnostic, Notes};
use super::document::{self, Node, Unreadable};
use super::format::{KEYS, conform};
use super::identity::{KeysId, sha256};
use super::layers::settle;
use super::restrictions::Restrictions;
use super::trust::TrustRecord;
use super::usage::Usage;
use super::validity;
use catena_keys::{KeyError, KeySet, PublicKey, Scheme, TrustedKey, Validity};
use catena_model::task::WorkerImplementation;
use std::collections::BTreeMap;

/// Which keys sign for which worker implementation. Several keys of one allow rotation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRing {
    keys: BTreeMap<WorkerImplementation, KeySet>,
    /// What keys may sign for, by their base64; a key that is not listed has no limits.
    usages: BTreeMap<String, Usage>,
    /// The file that replaces the policy's keys.
    file: Option<String>,
    /// Keys that the policy does not trust for that implementation.
    widened: Vec<(WorkerImplementation, PublicKey)>,
    /// Keys of the file that the trust file does not have for that implementation. They are not trusted.
    ignored: Vec<(WorkerImplementation, PublicKey)>,
}

impl KeyRing {
    /// Parses a key file: a map, in YAML or JSON, from worker implementation to a list of public keys
    /// (base64 of the raw 32 bytes), or of maps of a key and its validity. `name` is the file's, for
    /// diagnostics.
    ///
    /// # Errors
    /// All errors at once: unknown worker implementations, malformed keys, weak keys, duplicate keys in
    /// a list, malformed times, no keys at all.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut notes = Notes::default();
        let ring = match document::read(name, text) {
            Ok(node) => conform(node, &KEYS, &mut notes)
                .and_then(|node| settle(node, &mut notes))
                .map(|node| (read(&node, &mut KnownKeys::default(), &mut notes), node.place)),
            Err(Unreadable { place, message }) => {
                notes.error(&place, message);
                None
            }
        };
        if let Some((_, place)) = ring.as_ref().filter(|(ring, _)| ring.is_empty() && !notes.has_errors()) {
            let hint = Some("a map from worker implementation to a list of base64 public keys".to_owned());
            notes.error_with(place, "the list has no keys", hint);
        }
        notes.into_result()?;
        Ok(ring.map(|(ring, _)| ring.restricted(&Restrictions::default())).unwrap_or_default())
    }

    /// A ring of these keys; a key without limits is always valid.
    #[must_use]
    pub fn of<K: Into<TrustedKey>>(keys: impl IntoIterator<Item = (WorkerImplementation, K)>) -> Self {
        let mut ring = Self::default();
        for (implementation, key) in keys {
            ring.keys.entry(implementation).or_default().push(key.into());
        }
        ring
    }

    /// The keys that may have signed for an implementation; empty if there are none.
    #[must_use]
    pub fn for_implementation(&self, implementation: WorkerImplementation) -> &[TrustedKey] {
        self.keys.get(&implementation).map_or(&[], KeySet::as_slice)
    }

    /// The same as a set that signatures are held against.
    pub fn set(&self, implementation: WorkerImplementation) -> Option<&KeySet> {
        self.keys.get(&implementation)
    }

    /// What a key may sign for; `None` if that is not limited.
    #[must_use]
    pub fn usage(&self, key: &PublicKey) -> Option<&Usage> {
        self.usages.get(&key.to_string())
    }

    /// The keys of a file that were ignored because the trust file does not have them.
    #[must_use]
    pub fn ignored(&self) -> &[(WorkerImplementation, PublicKey)] {
        &self.ignored
    }

    /// The keys of a trust file.
    pub(super) fn of_records(records: &[TrustRecord]) -> Self {
        let mut ring = Self::default();
        for record in records {
            for implementation in &record.worker_implementations {
                ring.keys.entry(*implementation).or_default().push(record.trusted());
            }
            if record.usage != Usage::default() {
                ring.usages.insert(record.key.to_string(), record.usage.clone());
            }
        }
        ring
    }

    /// Every key with its implementation, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (WorkerImplementation, &TrustedKey)> {
        let all = self.keys.iter();
        all.flat_map(|(owner, keys)| keys.as_slice().iter().map(|trusted| (*owner, trusted)))
    }

    /// The identity of these keys.
    #[must_use]
    pub fn id(&self) -> KeysId {
        let line = |(owner, trusted): (_, &TrustedKey)| line(owner, trusted, self.usage(&trusted.key));
        let mut lines: Vec<String> = self.iter().map(line).collect();
        lines.sort();
        let (file, widened) = (self.file.clone(), self.widened.clone());
        KeysId { digest: sha256(lines.concat().as_bytes()), file, widened }
    }

    /// Applies to every key all limits that are stated for it anywhere: here, under another
    /// implementation, and in `said`.
    pub(super) fn restricted(mut self, said: &Restrictions) -> Self {
        let own = Restrictions::of(self.iter().map(|(_, trusted)| trusted));
        for TrustedKey { key, validity, .. } in self.keys.values_mut().flat_map(KeySet::iter_mut) {
            *validity = said.on(key, &own.on(key, validity));
        }
        self
    }

    /// The same for the keys of a file that replaces a policy's own.
    pub(super) fn instead_of(mut self, policy: &Self, file: &str) -> Self {
        let is_trusted = |owner, key: &PublicKey| {
            policy.for_implementation(owner).iter().any(|trusted| trusted.key == *key)
        };
        let widened = self.iter().filter(|(owner, trusted)| !is_trusted(*owner, &trusted.key));
        self.widened = widened.map(|(owner, trusted)| (owner, trusted.key.clone())).collect();
        self.file = Some(file.to_owned());
        self
    }

    /// Those keys of a trust file that a key file also lists for the same implementation, limited by
    /// both. No key is added from the file.
    pub(super) fn narrowed_to(&self, given: Self, file: &str) -> Self {
        let mut ring = self.clone();
        for (implementation, keys) in &mut ring.keys {
            let given = given.set(*implementation);
            keys.retain(|trusted| given.is_some_and(|given| given.contains(&trusted.key)));
        }
        let limits = Restrictions::of(given.iter().map(|(_, trusted)| trusted));
        let is_known = |owner, key: &PublicKey| self.set(owner).is_some_and(|keys| keys.contains(key));
        let ignored = given.iter().filter(|(owner, trusted)| !is_known(*owner, &trusted.key));
        ring.ignored = ignored.map(|(owner, trusted)| (owner, trusted.key.clone())).collect();
        ring.file = Some(file.to_owned());
        ring.restricted(&limits)
    }

    /// Whether it has no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.values().all(|keys| keys.as_slice().is_empty())
    }
}

/// A key in the hashed text: implementation, base64, and each limit in the order of a policy.
fn line(owner: WorkerImplementation, trusted: &TrustedKey, usage: Option<&Usage>) -> String {
    let limits = trusted.validity.limits().map(|(name, value)| format!(" {name}: {value}"));
    let usage = usage.into_iter().flat_map(Usage::limits);
    let usage = usage.map(|(name, values)| format!(" {name}: {}", values.join(",")));
    format!("{owner} {}{}\n", trusted.key, limits.chain(usage).collect::<String>())
}

/// Keys that were parsed before: products of one policy share them, and checking whether a key may be
/// trusted takes a tenth of a millisecond.
#[derive(Default)]
pub(super) struct KnownKeys(BTreeMap<String, PublicKey>);

impl KnownKeys {
    /// Parses a key of a signature scheme.
    pub(super) fn parse(&mut self, scheme: Scheme, text: &str) -> Result<PublicKey, KeyError> {
        if let Some(known) = self.0.get(text).filter(|known| known.scheme() == scheme) {
            return Ok(known.clone());
        }
        let key = PublicKey::parse(scheme, text)?;
        self.0.insert(text.to_owned(), key.clone());
        Ok(key)
    }
}

/// Parses a map that matches [`KEYS`].
pub(super) fn read(node: &Node, known: &mut KnownKeys, notes: &mut Notes) -> KeyRing {
    let mut ring: BTreeMap<_, KeySet> = BTreeMap::new();
    for (name, entry) in node.as_map().into_iter().flatten() {
        let Some(implementation) = WorkerImplementation::parse(name) else {
            let hint =
                notes.suggest(name, WorkerImplementation::ALL.into_iter().map(WorkerImplementation::as_str));
            notes.error_with(&entry.key_place, format!("{name:?} is not a worker implementation"), hint);
            continue;
        };
        let keys = ring.entry(implementation).or_default();
        for item in entry.value.items() {
            match read_key(item, known, notes) {
                Some(trusted) if keys.contains(&trusted.key) => {
                    notes.error(&item.place, "this key is already in the list")
                }
                Some(trusted) => keys.push(trusted),
                None => {}
            }
        }
    }
    KeyRing { keys: ring, ..KeyRing::default() }
}

/// Parses a key, or a map of a key and its validity.
fn read_key(item: &Node, known: &mut KnownKeys, notes: &mut Notes) -> Option<TrustedKey> {
    let limited = item.as_map().is_some();
    let Some(node) = (if limited { item.get("key") } else { Some(item) }) else {
        let hint = Some("key: the base64 of its raw 32 bytes".to_owned());
        notes.error_with(&item.place, "the key is missing", hint);
        return None;
    };
    let validity = if limited { validity::read(item, notes) } else { Validity::default() };
    match known.parse(Scheme::Ed25519, node.as_text()?) {
        Ok(key) => Some(TrustedKey { id: None, key, validity }),
        Err(error) => {
            notes.error(&node.place, error.to_string());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use WorkerImplementation::{DockerWorker, GenericWorker, Scriptworker};
    use catena_keys::SigningKey;

    fn key(seed: u8) -> PublicKey {
        SigningKey::from_seed(&[seed; 32]).public_key()
    }

    #[test]
    fn yaml_and_json_are_read() {
        let yaml = format!("docker-worker: [{}, {}]\nscriptworker:\n- {}\n", key(1), key(2), key(3));
        let json = format!(
            "{{\"docker-worker\": [\"{}\", \"{}\"],\n\t\"scriptworker\": [\"{}\"]}}",
            key(1),
            key(2),
            key(3)
        );
        let ring = KeyRing::parse("keys.yml", &yaml).unwrap();
        assert_eq!(ring, KeyRing::parse("keys.json", &json).unwrap());
        assert_eq!(ring.for_implementation(DockerWorker), [key(1).into(), key(2).into()]);
        assert_eq!(ring.for_implementation(GenericWorker), []);
        assert_eq!(
            ring.iter().map(|(owner, _)| owner).collect::<Vec<_>>(),
            [DockerWorker, DockerWorker, Scriptworker]
        );
        assert!(!ring.is_empty() && KeyRing::default().is_empty());
    }
}
