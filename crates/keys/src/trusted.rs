//! Keys that are trusted, and whose signature something is.

use crate::{Invalid, Period, PublicKey, Scheme, Signature, Validity};
use std::fmt;

/// The longest name of a key.
const LONGEST_ID: usize = 64;

/// A name that people give to a key, by which files, verdicts and logs tell keys apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// Reads a name: 1 to 64 of `a-z 0-9 - _ .`, the first a letter or digit; none for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let fits = text.len() <= LONGEST_ID
            && text.bytes().next().is_some_and(is_plain)
            && text.bytes().all(|byte| is_plain(byte) || b"-_.".contains(&byte));
        fits.then(|| Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A key that is trusted, and when it is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    /// Its name, where it has one.
    pub id: Option<KeyId>,
    /// The key.
    pub key: PublicKey,
    /// When it is valid.
    pub validity: Validity,
}

impl TrustedKey {
    /// The key as messages name it: `ID (KEY)`, or the key alone.
    #[must_use]
    pub fn name(&self) -> String {
        self.id.as_ref().map_or_else(|| self.key.to_string(), |id| format!("{id} ({})", self.key))
    }
}

impl From<PublicKey> for TrustedKey {
    fn from(key: PublicKey) -> Self {
        Self { id: None, key, validity: Validity::default() }
    }
}

/// The key, and its limits as a policy writes them.
impl fmt::Display for TrustedKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.key)?;
        if self.validity != Validity::default() {
            write!(out, " ({})", self.validity)?;
        }
        Ok(())
    }
}

/// Who signed something, and when as far as is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The trusted key that made the signature.
    pub trusted: TrustedKey,
    /// The time that the key was held against; none where it is unknown.
    pub signed: Option<Period>,
}

impl Signer {
    /// The scheme of the signature.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.trusted.key.scheme()
    }
}

/// Why a signature is not that of a valid trusted key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unverified {
    /// No key of the set made it over these bytes.
    UnknownKey,
    /// A key of the set made it, and is not valid at that time.
    NotValid(Box<Signer>, Invalid),
}

/// Keys that are trusted for the same purpose, in the order in which they were listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet(Vec<TrustedKey>);

impl KeySet {
    /// Whose signature over exactly these bytes it is, and whether that key was valid throughout the
    /// period in which it was made.
    ///
    /// # Errors
    /// No key of the set made it, or one that is not valid then.
    pub fn verify(
        &self,
        signature: &Signature,
        message: &[u8],
        at: Option<Period>,
    ) -> Result<Signer, Unverified> {
        let (_, trusted) = self.find(signature, message, None).ok_or(Unverified::UnknownKey)?;
        trusted.valid_at(at)
    }

    /// The key that made a signature over exactly these bytes, and its place. The key at the place `first`
    /// is tried before the others; which key is found does not depend on it, since no signature is of two
    /// keys.
    #[must_use]
    pub fn find(
        &self,
        signature: &Signature,
        message: &[u8],
        first: Option<usize>,
    ) -> Option<(usize, &TrustedKey)> {
        let made = |trusted: &TrustedKey| trusted.key.verify(message, signature);
        let tried = first.and_then(|place| Some((place, self.0.get(place)?)));
        if let Some(found) = tried.filter(|(_, trusted)| made(trusted)) {
            return Some(found);
        }
        let others = self.0.iter().enumerate().filter(|(place, _)| Some(*place) != first);
        others.into_iter().find(|(_, trusted)| made(trusted))
    }

    /// Whether a key is among them, at whatever time.
    #[must_use]
    pub fn contains(&self, key: &PublicKey) -> bool {
        self.0.iter().any(|trusted| trusted.key == *key)
    }

    /// Adds a key. Whether it is there already is the caller's to ask.
    pub fn push(&mut self, trusted: TrustedKey) {
        self.0.push(trusted);
    }

    /// The keys.
    #[must_use]
    pub fn as_slice(&self) -> &[TrustedKey] {
        &self.0
    }

    /// The keys, to be limited further.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut TrustedKey> {
        self.0.iter_mut()
    }

    /// Keeps the keys for which this holds.
    pub fn retain(&mut self, keep: impl FnMut(&TrustedKey) -> bool) {
        self.0.retain(keep);
    }
}

impl TrustedKey {
    /// The key as the signer of something that was signed within a period.
    ///
    /// # Errors
    /// It is not valid throughout.
    pub fn valid_at(&self, signed: Option<Period>) -> Result<Signer, Unverified> {
        let signer = Signer { trusted: self.clone(), signed };
        match self.validity.holds_over(signed) {
            Ok(()) => Ok(signer),
            Err(invalid) => Err(Unverified::NotValid(Box::new(signer), invalid)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Revoked, SigningKey};

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&[seed; 32])
    }

    fn set() -> KeySet {
        let moment = "2026-06-01T12:00:00Z".parse().unwrap();
        let revoked = Validity { revoked: Some(Revoked::At(moment)), ..Validity::default() };
        let mut set = KeySet::default();
        set.push(key(1).public_key().into());
        set.push(TrustedKey { id: KeyId::parse("two"), key: key(2).public_key(), validity: revoked });
        set
    }

    fn at(time: &str) -> Option<Period> {
        let time = time.parse().unwrap();
        Some(Period { first: time, last: time })
    }

    #[test]
    fn a_signer_is_named_with_its_time() {
        let (set, made) = (set(), key(2).sign(b"bytes"));
        let before = at("2026-06-01T11:00:00Z");
        let signer = set.verify(&made, b"bytes", before).unwrap();
        assert_eq!((signer.scheme(), signer.signed), (Scheme::Ed25519, before));
        assert_eq!(signer.trusted.name(), format!("two ({})", key(2).public_key()));
        let after = at("2026-06-01T12:00:00Z");
        let Err(Unverified::NotValid(signer, Invalid::Revoked)) = set.verify(&made, b"bytes", after) else {
            panic!("a revoked key is valid")
        };
        assert_eq!(signer.signed, after);
        assert!(matches!(
            set.verify(&made, b"bytes", None),
            Err(Unverified::NotValid(_, Invalid::TimeUnknown))
        ));
    }

    #[test]
    fn what_no_key_of_the_set_made_is_of_an_unknown_key() {
        let set = set();
        assert_eq!(set.verify(&key(3).sign(b"bytes"), b"bytes", None), Err(Unverified::UnknownKey));
        assert_eq!(set.verify(&key(1).sign(b"bytes"), b"other", None), Err(Unverified::UnknownKey));
        assert_eq!(set.verify(&key(1).sign(b"bytes"), b"bytes", None).unwrap().trusted.id, None);
    }

    #[test]
    fn the_key_that_is_tried_first_changes_nothing() {
        let set = set();
        let made = key(2).sign(b"bytes");
        for first in [None, Some(0), Some(1), Some(9)] {
            assert_eq!(set.find(&made, b"bytes", first).map(|(place, _)| place), Some(1));
            assert_eq!(set.find(&made, b"other", first), None);
        }
    }

    #[test]
    fn names_of_keys_are_plain() {
        for good in ["a", "gecko-3_2026.1", "0"] {
            assert_eq!(KeyId::parse(good).unwrap().as_str(), good);
        }
        for wrong in ["", "-a", "A", "a b", "a/b", "é", "a\n"] {
            assert_eq!(KeyId::parse(wrong), None, "{wrong:?}");
        }
        assert!(KeyId::parse(&"a".repeat(64)).is_some() && KeyId::parse(&"a".repeat(65)).is_none());
    }
}
