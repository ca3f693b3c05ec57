//! Public keys and signatures, whatever their scheme.

use crate::ed25519;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A way to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Ed25519 (RFC 8032, pure), as today's workers sign.
    Ed25519,
}

impl Scheme {
    /// Every scheme there is.
    pub const ALL: [Self; 1] = [Self::Ed25519];

    /// Its name in files and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
        }
    }

    /// The scheme of a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.as_str() == text)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Why text is not a usable key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not standard base64 with padding.
    #[error("not standard padded base64")]
    Base64,
    /// Not 32 bytes.
    #[error("{0} bytes where an Ed25519 key has 32")]
    Length(usize),
    /// The bytes are not the canonical encoding of a point.
    #[error("not the encoding of an Ed25519 public key")]
    NotAKey,
    /// A key of small order: anyone can sign for it.
    #[error("a weak key: anyone can make signatures that it accepts")]
    Weak,
    /// Not a private key in the PKCS#8 form that Ed25519 uses (RFC 8410).
    #[error("not a PKCS#8 private key for Ed25519")]
    Pkcs8,
    /// A key with a part of small order: made on purpose, since no generator of keys makes one.
    #[error("a key of mixed order: which signatures it accepts depends on who verifies")]
    MixedOrder,
}

/// A public key that can be trusted to mean one signer.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(Key);

#[derive(Clone, PartialEq, Eq)]
enum Key {
    Ed25519(ed25519::VerifyingKey),
}

impl PublicKey {
    /// Reads the text of a key of a scheme. Of Ed25519 this is the base64 of the raw 32 bytes.
    ///
    /// # Errors
    /// Anything that is not one canonical, strong key.
    pub fn parse(scheme: Scheme, text: &str) -> Result<Self, KeyError> {
        match scheme {
            Scheme::Ed25519 => Self::parse_base64(text),
        }
    }

    /// Reads the base64 of the raw 32 bytes of an Ed25519 key, as policies and `ed25519_public_keys` have
    /// them.
    ///
    /// # Errors
    /// Anything that is not one canonical, strong key.
    pub fn parse_base64(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(&*ed25519::decode(text)?)
    }

    /// Takes the raw 32 bytes of an Ed25519 key.
    ///
    /// # Errors
    /// Bytes that are not the canonical encoding of a point, a weak key, or one of mixed order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        ed25519::VerifyingKey::from_bytes(bytes).map(Key::Ed25519).map(Self)
    }

    pub(crate) fn of_ed25519(key: ed25519::VerifyingKey) -> Self {
        Self(Key::Ed25519(key))
    }

    /// Its scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        match self.0 {
            Key::Ed25519(_) => Scheme::Ed25519,
        }
    }

    /// Whether this key made the signature over exactly these bytes. Strict: a signature has one encoding,
    /// and one of a different scheme is never accepted.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        match (&self.0, &signature.0) {
            (Key::Ed25519(key), Material::Ed25519(signature)) => key.verify(message, signature),
        }
    }

    /// The raw bytes, as its scheme has them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Key::Ed25519(key) => key.as_bytes(),
        }
    }

    /// The SHA-256 of the raw bytes: the id of the key in records, logs and reports.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(self.as_bytes()).into()
    }

    /// The fingerprint in hexadecimal digits.
    #[must_use]
    pub fn fingerprint_hex(&self) -> String {
        self.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The base64 of the raw bytes, as policies have it.
impl fmt::Display for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&STANDARD.encode(self.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PublicKey({self})")
    }
}

/// A detached signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature(Material);

#[derive(Clone, PartialEq, Eq)]
enum Material {
    Ed25519([u8; ed25519::SIGNATURE]),
}

/// Why bytes are not a signature. Each is a different accident or attack, so each has its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No bytes at all.
    #[error("the signature is empty")]
    Empty,
    /// Fewer bytes than the scheme's signatures have.
    #[error("the signature is truncated: {length} of {expected} bytes")]
    Truncated {
        /// How many there are.
        length: usize,
        /// How many a signature of the scheme has.
        expected: usize,
    },
    /// More bytes than the scheme's signatures have, as when it was encoded as text.
    #[error("the signature has {length} bytes instead of {expected}")]
    TooLong {
        /// How many there are.
        length: usize,
        /// How many a signature of the scheme has.
        expected: usize,
    },
}

impl Signature {
    /// Takes the bytes of a `.sig` file, an Ed25519 signature.
    ///
    /// # Errors
    /// Any length but that of a signature.
    pub fn parse(bytes: &[u8]) -> Result<Self, SignatureError> {
        let (length, expected) = (bytes.len(), ed25519::SIGNATURE);
        match <[u8; ed25519::SIGNATURE]>::try_from(bytes) {
            Ok(bytes) => Ok(Self(Material::Ed25519(bytes))),
            Err(_) if bytes.is_empty() => Err(SignatureError::Empty),
            Err(_) if length < expected => Err(SignatureError::Truncated { length, expected }),
            Err(_) => Err(SignatureError::TooLong { length, expected }),
        }
    }

    pub(crate) fn of_ed25519(bytes: [u8; ed25519::SIGNATURE]) -> Self {
        Self(Material::Ed25519(bytes))
    }

    /// Reads the standard padded base64 of an Ed25519 signature; none for any other text.
    #[must_use]
    pub fn parse_base64(text: &str) -> Option<Self> {
        Self::parse(&STANDARD.decode(text).ok()?).ok()
    }

    /// Its scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        match self.0 {
            Material::Ed25519(_) => Scheme::Ed25519,
        }
    }

    /// The base64 of the bytes.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.as_bytes())
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Material::Ed25519(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Signature({})", self.to_base64())
    }
}
