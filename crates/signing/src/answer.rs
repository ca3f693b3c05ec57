//! What a signer outside of this process answers: its public key, and a signature.

use catena_keys::{KeyError, PublicKey, Signature};

/// The lines of an answer: the raw public key and, if something was signed, the raw signature, each in base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerAnswer {
    /// The key.
    pub key: PublicKey,
    /// The signature. Nothing says yet that the key made it.
    pub signature: Option<Signature>,
}

/// Why an answer cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It is not one or two lines.
    #[error("it has {0} lines instead of 1 or 2")]
    Lines(usize),
    /// The first line is not a public key.
    #[error("the public key is malformed: {0}")]
    Key(KeyError),
    /// The second line is not a signature.
    #[error("the signature is not the base64 of 64 bytes")]
    Signature,
    /// A signature was asked for.
    #[error("the signature is missing")]
    Unsigned,
    /// The signature is not over the message, or by another key.
    #[error("the signature does not verify under the public key {0}")]
    Mismatch(Box<PublicKey>),
}

impl SignerAnswer {
    /// Reads the lines of an answer.
    ///
    /// # Errors
    /// Text of another form.
    pub fn parse(text: &str) -> Result<Self, AnswerError> {
        let mut lines = text.lines();
        let (Some(key), signature, None) = (lines.next(), lines.next(), lines.next()) else {
            return Err(AnswerError::Lines(text.lines().count()));
        };
        let key = PublicKey::parse_base64(key).map_err(AnswerError::Key)?;
        let signature = signature.map(|line| Signature::parse_base64(line).ok_or(AnswerError::Signature));
        Ok(Self { key, signature: signature.transpose()? })
    }

    /// The key and its signature over a message.
    ///
    /// # Errors
    /// There is no signature, or it does not verify.
    pub fn signed(self, message: &[u8]) -> Result<(PublicKey, Signature), AnswerError> {
        let signature = self.signature.ok_or(AnswerError::Unsigned)?;
        if self.key.verify(message, &signature) {
            Ok((self.key, signature))
        } else {
            Err(AnswerError::Mismatch(Box::new(self.key)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_keys::SigningKey;

    #[test]
    fn an_answer_is_a_key_and_perhaps_a_signature() {
        let key = SigningKey::from_seed(&[7; 32]);
        let (public, signature) = (key.public_key(), key.sign(b"message"));
        let answer = |text: &str| SignerAnswer::parse(text);
        let both = format!("{public}\n{}\n", signature.to_base64());
        assert_eq!(answer(&both).unwrap().signed(b"message"), Ok((public.clone(), signature.clone())));
        assert_eq!(
            answer(&both).unwrap().signed(b"other"),
            Err(AnswerError::Mismatch(Box::new(public.clone())))
        );
        let alone = answer(&public.to_string()).unwrap();
        assert_eq!(alone.signature, None);
        assert_eq!(alone.signed(b"message"), Err(AnswerError::Unsigned));
        for (text, error) in [
            (String::new(), AnswerError::Lines(0)),
            (format!("{both}\n"), AnswerError::Lines(3)),
            (format!("{public}\nAAAA"), AnswerError::Signature),
            (format!("{public}\n"), AnswerError::Unsigned),
        ] {
            assert_eq!(answer(&text).and_then(|read| read.signed(b"message")), Err(error), "{text}");
        }
        assert!(matches!(answer("x"), Err(AnswerError::Key(_))));
    }
}
