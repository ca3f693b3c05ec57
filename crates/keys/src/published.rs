//! Keys whose private half everybody can read.

use crate::PublicKey;

/// Public keys whose private half is published in documentation or in a standard.
const PUBLISHED: [&str; 8] = [
    // The example of generic-worker's documentation.
    "hobjtV57/8vRKhn/vzbJcGo27uNbjuhwY3Vcrhc6OQc=",
    // A seed of zeros.
    "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=",
    // RFC 8410, section 10.
    "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
    // RFC 8032, section 7.1.
    "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=",
    "/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=",
    "J4EX/BRMcjQPZ9DyMW6Dhs7/vyskKMnFH+98WX8dQm4=",
    "7Bcrk61eVjv0kyxw4SRQNMNUZ+8u/U1k6/gZaDRn4r8=",
];

impl PublicKey {
    /// Whether the private half of this key is published in documentation or in a standard, so that
    /// anyone can sign with it.
    #[must_use]
    pub fn is_published(&self) -> bool {
        let text = self.to_string();
        PUBLISHED.contains(&text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SigningKey;

    #[test]
    fn examples_are_known_as_such() {
        for text in PUBLISHED {
            assert!(PublicKey::parse_base64(text).unwrap().is_published(), "{text}");
        }
        assert!(SigningKey::from_seed(&[0; 32]).public_key().is_published());
        assert!(!SigningKey::from_seed(&[7; 32]).public_key().is_published());
    }
}
