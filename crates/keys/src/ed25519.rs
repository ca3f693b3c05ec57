//! Ed25519, strictly.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer as _;
use std::fmt;
use zeroize::Zeroizing;

/// A public key that can be trusted to mean one signer: it decodes canonically and is not of small
/// order (such keys accept signatures over any message).
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(ed25519_dalek::VerifyingKey);

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
}

impl PublicKey {
    /// Reads the base64 of the raw 32 bytes, as policies and `ed25519_public_keys` have them.
    ///
    /// # Errors
    /// Anything that is not one canonical, strong key.
    pub fn parse_base64(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(&*decode(text)?)
    }

    /// Takes the raw 32 bytes.
    ///
    /// # Errors
    /// Bytes that are not the canonical encoding of a point, or a weak key.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotAKey)?;
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        // A point has several encodings when its y is not reduced; only one of them is a key.
        if key.to_edwards().compress().as_bytes() != bytes {
            return Err(KeyError::NotAKey);
        }
        Ok(Self(key))
    }

    /// Whether this key made the signature over exactly these bytes. Strict: signatures with a
    /// scalar out of range or a point of small order are never accepted.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        self.0.verify_strict(message, &signature).is_ok()
    }

    /// The raw 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

/// The base64 of the raw bytes, as policies have it.
impl fmt::Display for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&STANDARD.encode(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PublicKey({self})")
    }
}

/// A detached signature: 64 raw bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature([u8; 64]);

/// Why bytes are not a signature. Each is a different accident or attack, so each has its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No bytes at all.
    #[error("the signature is empty")]
    Empty,
    /// Fewer than 64 bytes.
    #[error("the signature is cut off: {0} of 64 bytes")]
    Truncated(usize),
    /// More than 64 bytes, as when it was encoded as text.
    #[error("the signature has {0} bytes instead of 64")]
    TooLong(usize),
}

impl Signature {
    /// Takes the bytes of a `.sig` file.
    ///
    /// # Errors
    /// Any length but 64.
    pub fn parse(bytes: &[u8]) -> Result<Self, SignatureError> {
        match <[u8; 64]>::try_from(bytes) {
            Ok(bytes) => Ok(Self(bytes)),
            Err(_) if bytes.is_empty() => Err(SignatureError::Empty),
            Err(_) if bytes.len() < 64 => Err(SignatureError::Truncated(bytes.len())),
            Err(_) => Err(SignatureError::TooLong(bytes.len())),
        }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Signature({})", STANDARD.encode(self.0))
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

    /// Signs exactly these bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SigningKey(..)")
    }
}

fn decode(text: &str) -> Result<Zeroizing<[u8; 32]>, KeyError> {
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

    /// RFC 8032 section 7.1, tests 1 to 3.
    #[test]
    fn rfc_8032_vectors() {
        for (seed, public, message, signature) in [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                &[][..],
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
                &[0x72][..],
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            ),
            (
                "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
                &[0xaf, 0x82][..],
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
            ),
        ] {
            let key = SigningKey::from_seed(&unhex(seed));
            assert_eq!(key.public_key().as_bytes(), &unhex(public));
            let made = key.sign(message);
            assert_eq!(made.as_bytes(), &unhex(signature));
            assert!(key.public_key().verify(message, &made));
            assert!(!key.public_key().verify(&[message, b"x"].concat(), &made));
        }
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

    #[test]
    fn malleated_signatures_are_refused() {
        let key = SigningKey::from_seed(&[7; 32]);
        let mut bytes = *key.sign(b"m").as_bytes();
        // S + L: the same residue, out of range.
        let order: [u8; 32] = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        let mut carry = 0_u16;
        for (at, add) in order.iter().enumerate() {
            let sum = u16::from(bytes[32 + at]) + u16::from(*add) + carry;
            bytes[32 + at] = (sum & 0xff) as u8;
            carry = sum >> 8;
        }
        assert!(!key.public_key().verify(b"m", &Signature::parse(&bytes).unwrap()));
    }

    #[test]
    fn wrong_lengths_have_their_own_names() {
        assert_eq!(Signature::parse(&[]).unwrap_err(), SignatureError::Empty);
        assert_eq!(Signature::parse(&[0; 63]).unwrap_err(), SignatureError::Truncated(63));
        assert_eq!(Signature::parse(&[0; 88]).unwrap_err(), SignatureError::TooLong(88));
    }

    #[test]
    fn seeds_are_read_as_workers_write_them_and_never_print() {
        let seed = "tmURKlS2TRxNQSF5SmrZzXrTIsfmG0m60HeNPY77RIw=";
        let key = SigningKey::parse_base64(&format!("{seed}\r\n")).unwrap();
        assert_eq!(key.public_key().to_string(), "hobjtV57/8vRKhn/vzbJcGo27uNbjuhwY3Vcrhc6OQc=");
        assert_eq!(format!("{key:?}"), "SigningKey(..)");
        assert!(SigningKey::parse_base64("tmUR").is_err());
    }
}
