//! Who signed, when and with what: keys, signatures and the time in which keys are valid.
//!
//! Chain of Trust documents carry a detached Ed25519 signature (RFC 8032, pure, 64 raw bytes) over
//! their exact decoded bytes. Keys travel as standard padded base64: 32 bytes of public key, or the
//! 32-byte seed of a private key (specification 4.1). The types do not say so: a [`PublicKey`] and a
//! [`Signature`] know their [`Scheme`], and a verifier asks a [`KeySet`] for the [`Signer`].
//!
//! ```
//! use catena_keys::{KeySet, PublicKey, SigningKey};
//! let key = SigningKey::parse_base64("tmURKlS2TRxNQSF5SmrZzXrTIsfmG0m60HeNPY77RIw=")?;
//! let public = PublicKey::parse_base64("hobjtV57/8vRKhn/vzbJcGo27uNbjuhwY3Vcrhc6OQc=")?;
//! let signature = key.sign(b"bytes");
//! let mut trusted = KeySet::default();
//! trusted.push(public.clone().into());
//! assert_eq!(trusted.verify(&signature, b"bytes", None).unwrap().trusted.key, public);
//! assert!(trusted.verify(&signature, b"other bytes", None).is_err());
//! # Ok::<(), catena_keys::KeyError>(())
//! ```
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::panic))]

mod ed25519;
mod public_key;
mod published;
mod trusted;
mod validity;

pub use ed25519::SigningKey;
pub use public_key::{KeyError, PublicKey, Scheme, Signature, SignatureError};
pub use trusted::{KeyId, KeySet, Signer, TrustedKey, Unverified};
pub use validity::{Invalid, Period, Revoked, Validity};
