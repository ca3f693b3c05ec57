//! The id of a key, by which records and logs name it in short.

use crate::PublicKey;
use sha2::{Digest as _, Sha256};

impl PublicKey {
    /// SHA-256 of the raw public key.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(self.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use crate::PublicKey;

    #[test]
    fn the_id_of_a_key_is_the_digest_of_its_bytes() {
        let key = PublicKey::parse_base64("hobjtV57/8vRKhn/vzbJcGo27uNbjuhwY3Vcrhc6OQc=").unwrap();
        let expected = "9a6ede112fceb72d9047d1244e655ada53642e0f6e5cece8fefb22e02a26e1bf";
        let id: String = key.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(id, expected);
    }
}
