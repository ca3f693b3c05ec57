//! Digests and measurements of a body.

use std::fmt;

/// A SHA-256 or SHA-512 digest. The two are the algorithms a Chain of Trust document may name
/// (specification 5.6).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Digest {
    /// 32 bytes.
    Sha256([u8; 32]),
    /// 64 bytes.
    Sha512([u8; 64]),
}

/// Why text is not a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// Neither `sha256` nor `sha512`; nothing weaker is believed.
    #[error("{0:?} is not sha256 or sha512")]
    Algorithm(String),
    /// Not lowercase hexadecimal of the algorithm's length.
    #[error("{0:?} is not a digest in lowercase hexadecimal of the right length")]
    Text(String),
}

impl Digest {
    /// Reads a digest as a Chain of Trust document writes it: the algorithm's name beside
    /// lowercase hexadecimal.
    ///
    /// # Errors
    /// Another algorithm, or text that is not exactly such a digest.
    pub fn parse(algorithm: &str, text: &str) -> Result<Self, DigestError> {
        let wrong = || DigestError::Text(text.chars().take(160).collect());
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(wrong());
        }
        match algorithm {
            "sha256" => {
                let mut bytes = [0; 32];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| wrong())?;
                Ok(Self::Sha256(bytes))
            }
            "sha512" => {
                let mut bytes = [0; 64];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| wrong())?;
                Ok(Self::Sha512(bytes))
            }
            other => Err(DigestError::Algorithm(other.chars().take(40).collect())),
        }
    }

    /// Reads `sha256:<hex>`, as a document's `environment.imageArtifactHash` is written.
    ///
    /// # Errors
    /// As [`Digest::parse`]; text without a colon names no algorithm.
    pub fn parse_prefixed(text: &str) -> Result<Self, DigestError> {
        let (algorithm, digest) =
            text.split_once(':').ok_or_else(|| DigestError::Text(text.chars().take(160).collect()))?;
        Self::parse(algorithm, digest)
    }

    /// `sha256` or `sha512`.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "sha256",
            Self::Sha512(_) => "sha512",
        }
    }

    /// The digest alone, in lowercase hexadecimal.
    #[must_use]
    pub fn to_hex(&self) -> String {
        match self {
            Self::Sha256(bytes) => hex::encode(bytes),
            Self::Sha512(bytes) => hex::encode(bytes),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.algorithm(), self.to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// The measurement of a body while it streamed: always of the decoded bytes, never a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// Decoded bytes.
    pub length: u64,
    /// SHA-256 of the decoded bytes.
    pub sha256: [u8; 32],
    /// SHA-512 of the decoded bytes, if the need requested it.
    pub sha512: Option<[u8; 64]>,
}

impl Measurement {
    /// The measured digest of the same algorithm as `digest`, if that was measured.
    #[must_use]
    pub fn like(&self, digest: &Digest) -> Option<Digest> {
        match digest {
            Digest::Sha256(_) => Some(Digest::Sha256(self.sha256)),
            Digest::Sha512(_) => self.sha512.map(Digest::Sha512),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_read() {
        let text = "ab".repeat(32);
        assert_eq!(Digest::parse("sha256", &text).map(|digest| digest.to_hex()), Ok(text.clone()));
        assert_eq!(
            Digest::parse_prefixed(&format!("sha256:{text}")).map(|digest| digest.to_string()),
            Ok(format!("sha256:{text}"))
        );
        assert!(Digest::parse("sha512", &"0f".repeat(64)).is_ok());
        for (algorithm, wrong) in [
            ("sha256", text.to_uppercase()),
            ("sha256", "ab".repeat(31)),
            ("sha256", String::new()),
            ("sha512", text.clone()),
            ("sha256", format!(" {text}")),
        ] {
            assert!(matches!(Digest::parse(algorithm, &wrong), Err(DigestError::Text(_))), "{wrong}");
        }
        assert!(matches!(Digest::parse("md5", &text), Err(DigestError::Algorithm(_))));
        assert!(matches!(Digest::parse("SHA256", &text), Err(DigestError::Algorithm(_))));
        assert!(Digest::parse_prefixed(&text).is_err());
    }

    #[test]
    fn a_digest_is_shown_with_its_algorithm() {
        let digest = Digest::Sha512([0x0f; 64]);
        assert_eq!(format!("{digest:?}"), format!("sha512:{}", "0f".repeat(64)));
    }

    #[test]
    fn a_measurement_answers_in_the_same_algorithm() {
        let measured = Measurement { length: 0, sha256: [1; 32], sha512: None };
        assert_eq!(measured.like(&Digest::Sha256([0; 32])), Some(Digest::Sha256([1; 32])));
        assert_eq!(measured.like(&Digest::Sha512([0; 64])), None);
    }
}
