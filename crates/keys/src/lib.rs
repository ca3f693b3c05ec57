//! Who signed: keys and signatures.
//!
//! Chain of Trust documents carry a detached Ed25519 signature (RFC 8032, pure, 64 raw bytes) over
//! their exact decoded bytes. Keys travel as standard padded base64: 32 bytes of public key, or the
//! 32-byte seed of a private key (specification 4.1). Other schemes will join behind the
//! same two verbs, [`PublicKey::verify`] and [`SigningKey::sign`].
//!
//! ```
//! use catena_keys::{PublicKey, SigningKey};
//! let key = SigningKey::parse_base64("tmURKlS2TRxNQSF5SmrZzXrTIsfmG0m60HeNPY77RIw=")?;
//! let public = PublicKey::parse_base64("hobjtV57/8vRKhn/vzbJcGo27uNbjuhwY3Vcrhc6OQc=")?;
//! let signature = key.sign(b"bytes");
//! assert!(public.verify(b"bytes", &signature));
//! assert!(!public.verify(b"other bytes", &signature));
//! # Ok::<(), catena_keys::KeyError>(())
//! ```
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod ed25519;
mod fingerprint;

pub use ed25519::{KeyError, PublicKey, Signature, SignatureError, SigningKey};
