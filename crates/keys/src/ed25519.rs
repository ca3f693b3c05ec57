//! Ed25519, strictly.

use crate::{KeyError, PublicKey, Signature};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of a signature.
pub(crate) const SIGNATURE: usize = ed25519_dalek::SIGNATURE_LENGTH;

/// A public key that decodes canonically and is of prime order. Keys of small order accept signatures over
/// any message; those with a part of small order stand beside another key that accepts the same signatures.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotAKey)?;
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        // A point has several encodings when its y is not reduced; only one of them is a key.
        if key.to_edwards().compress().as_bytes() != bytes {
            return Err(KeyError::NotAKey);
        }
        if !key.to_edwards().is_torsion_free() {
            return Err(KeyError::MixedOrder);
        }
        Ok(Self(key))
    }

    /// Strict: signatures with a scalar out of range or a point of small order are never accepted.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.0.verify_strict(message, &signature).is_ok()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A private key. Its bytes are wiped when it is dropped, and it never prints.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Takes the 32-byte seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// Reads the base64 of the seed, as workers keep it in a file; line ends are tolerated.
    ///
    /// # Errors
    /// Text that is not the base64 of 32 bytes.
    pub fn parse_base64(text: &str) -> Result<Self, KeyError> {
        Ok(Self::from_seed(&*decode(text.trim_end_matches(['\r', '\n']))?))
    }

    /// Reads a PKCS#8 private key in PEM (RFC 8410), as OpenSSL writes it.
    ///
    /// # Errors
    /// Text that is not the PEM of one Ed25519 private key, or whose public key is not its own.
    pub fn parse_pkcs8_pem(text: &str) -> Result<Self, KeyError> {
        ed25519_dalek::SigningKey::from_pkcs8_pem(text).map(Self).map_err(|_| KeyError::Pkcs8)
    }

    /// Reads a private key in either form that key files have: the base64 of the seed, or PKCS#8 PEM.
    ///
    /// # Errors
    /// Text in neither form.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.trim_start().starts_with("-----BEGIN") {
            Self::parse_pkcs8_pem(text)
        } else {
            Self::parse_base64(text)
        }
    }

    /// The base64 of the seed, as generic-worker and scriptworker keep it in a file.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_bytes()))
    }

    /// PKCS#8 PEM without the public key (version 1), which every OpenSSL with Ed25519 reads.
    ///
    /// # Errors
    /// The encoder failed, which it does for no key.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let pair = KeypairBytes { secret_key: *self.0.as_bytes(), public_key: None };
        pair.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError::Pkcs8)
    }

    /// Signs exactly these bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature::of_ed25519(self.0.sign(message).to_bytes())
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey::of_ed25519(VerifyingKey(self.0.verifying_key()))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SigningKey(..)")
    }
}

pub(crate) fn decode(text: &str) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let bytes = Zeroizing::new(STANDARD.decode(text).map_err(|_| KeyError::Base64)?);
    let array = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| KeyError::Length(bytes.len()))?;
    Ok(Zeroizing::new(array))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex<const N: usize>(text: &str) -> [u8; N] {
        let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).unwrap() as u8).collect();
        let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        bytes.try_into().unwrap()
    }

    #[test]
    fn weak_and_malformed_keys_are_refused() {
        let encode = |bytes: &[u8]| STANDARD.encode(bytes);
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(PublicKey::parse_base64(&encode(&identity)), Err(KeyError::Weak));
        assert_eq!(PublicKey::parse_base64(&encode(&[0; 32])), Err(KeyError::Weak));
        assert_eq!(
            PublicKey::from_bytes(&unhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")),
            Err(KeyError::Weak)
        );
        // y = p + 1 is the identity again, written in a second way.
        let mut noncanonical = [0xff; 32];
        noncanonical[0] = 0xee;
        noncanonical[31] = 0x7f;
        assert!(PublicKey::from_bytes(&noncanonical).is_err());
        assert_eq!(PublicKey::parse_base64(&encode(&[1; 31])), Err(KeyError::Length(31)));
        assert_eq!(PublicKey::parse_base64("!"), Err(KeyError::Base64));
        assert_eq!(
            PublicKey::parse_base64("hobjtV57/8vRKhn/vzbJcGo27uNbjuhwY3Vcrhc6OQc"),
            Err(KeyError::Base64)
        );
        assert_eq!(PublicKey::from_bytes(&[2; 32]), Err(KeyError::NotAKey));
    }

    /// Findings and logs show them so.
    #[test]
    fn public_keys_and_signatures_print_as_their_text() {
        let key = SigningKey::from_seed(&[7; 32]);
        assert_eq!(format!("{:?}", key.public_key()), format!("PublicKey({})", key.public_key()));
        let made = Signature::parse(&[1; 64]).unwrap();
        assert_eq!(format!("{made:?}"), format!("Signature({}AQ==)", "AQEB".repeat(21)));
    }

    #[test]
    fn seeds_are_read_as_workers_write_them_and_never_print() {
        let seed = "tmURKlS2TRxNQSF5SmrZzXrTIsfmG0m60HeNPY77RIw=";
        let key = SigningKey::parse_base64(&format!("{seed}\r\n")).unwrap();
        assert_eq!(key.public_key().to_string(), "hobjtV57/8vRKhn/vzbJcGo27uNbjuhwY3Vcrhc6OQc=");
        assert_eq!(format!("{key:?}"), "SigningKey(..)");
        assert!(SigningKey::parse_base64("tmUR").is_err());
    }

    #[test]
    fn a_private_key_has_two_written_forms() {
        let key = SigningKey::from_seed(&[7; 32]);
        let (base64, pem) = (key.to_base64(), key.to_pkcs8_pem().unwrap());
        assert_eq!(base64.len(), 44);
        for text in [base64.as_str(), pem.as_str()] {
            assert_eq!(SigningKey::parse(text).unwrap().public_key(), key.public_key());
        }
        // The example of RFC 8410, sections 10.1 and 10.3.
        let text = "-----BEGIN PRIVATE KEY-----\n\
            MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        let read = SigningKey::parse(text).unwrap();
        assert!(read.to_pkcs8_pem().unwrap().as_str() == text);
        assert_eq!(read.public_key().to_string(), "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
    }

    #[test]
    fn what_is_not_one_private_key_is_refused() {
        let pem = SigningKey::from_seed(&[7; 32]).to_pkcs8_pem().unwrap();
        let cut = pem.replace("MC4C", "MC4");
        for text in ["-----BEGIN PRIVATE KEY-----", cut.as_str(), &pem.replace("PRIVATE", "PUBLIC")] {
            assert_eq!(SigningKey::parse(text).err(), Some(KeyError::Pkcs8));
        }
        assert_eq!(SigningKey::parse("").err(), Some(KeyError::Length(0)));
    }
}
