//! Everything that looks random in a chain comes from one seed.

use crate::body::SplitMix;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use catena_keys::SigningKey;

/// Draws ids, revisions and keys.
#[derive(Debug)]
pub(super) struct Seed(SplitMix);

impl Seed {
    pub(super) fn new(seed: u64) -> Self {
        Seed(SplitMix::new(seed))
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes);
        bytes
    }

    pub(super) fn number(&mut self) -> u64 {
        self.0.next()
    }

    /// A "nice" slug id: a UUID of version 4 whose first character is a letter.
    pub(super) fn task_id(&mut self) -> String {
        let mut id: [u8; 16] = self.bytes();
        let [first, _, _, _, _, _, version, _, variant, ..] = &mut id;
        *first &= 0x7f;
        *version = (*version & 0x0f) | 0x40;
        *variant = (*variant & 0x3f) | 0x80;
        URL_SAFE_NO_PAD.encode(id)
    }

    /// A full commit or changeset hash.
    pub(super) fn revision(&mut self) -> String {
        hex::encode(self.bytes::<20>())
    }

    pub(super) fn digest(&mut self) -> String {
        hex::encode(self.bytes::<32>())
    }

    pub(super) fn key(&mut self) -> SigningKey {
        SigningKey::from_seed(&self.bytes())
    }

    /// A UUID as cloud providers name instances.
    pub(super) fn instance(&mut self) -> String {
        let text = hex::encode(self.bytes::<16>());
        let mut out = String::with_capacity(36);
        for (i, c) in text.chars().enumerate() {
            if matches!(i, 8 | 12 | 16 | 20) {
                out.push('-');
            }
            out.push(c);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_shape_the_queue_asks_for() {
        let mut seed = Seed::new(5);
        for _ in 0..500 {
            let id = seed.task_id();
            let c: Vec<char> = id.chars().collect();
            assert_eq!(c.len(), 22);
            assert!(c[0].is_ascii_alphabetic());
            assert!(
                "QRST".contains(c[8]) && "CGKOSWaeimquy26-".contains(c[10]) && "AQgw".contains(c[21]),
                "{id}"
            );
        }
    }
}
