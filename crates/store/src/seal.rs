//! The format of an entry: an authentic payload that belongs to its address.
//!
//! ```text
//! 16 bytes   "catena-cache/1 \n"
//! 32 bytes   HMAC-SHA-256 over the 16 bytes above, then length and bytes of the address, then
//!            length and bytes of the payload (lengths are 64 bits, big-endian)
//!  8 bytes   length of the address
//!            the address
//!            the payload, to the end
//! ```
//!
//! The address is part of the entry, so that entries can be checked without a need. A reader compares
//! it with the requested address.

use super::key::Key;
use hmac::{Hmac, Mac};
use sha2::Sha256;

const MAGIC: &[u8; 16] = b"catena-cache/1 \n";

/// Bytes of everything before the address.
const HEAD: usize = 16 + 32 + 8;

/// Why bytes are not the requested entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It does not have the header of an entry, or is truncated before its payload.
    #[error("not an entry of a cache")]
    Form,
    /// Made with another key, or changed.
    #[error("it was changed, or made with another key")]
    Mac,
    /// An authentic entry of another address.
    #[error("it belongs to another address")]
    Address,
}

/// Creates an entry.
#[must_use]
pub fn seal(key: &Key, address: &[u8], payload: &[u8]) -> Vec<u8> {
    let mac = mac(key, address, payload).finalize().into_bytes();
    [MAGIC.as_slice(), &mac, &length(address), address, payload].concat()
}

/// The payload of an authentic entry at this address.
///
/// # Errors
/// Any other bytes.
pub fn open<'a>(key: &Key, address: &[u8], entry: &'a [u8]) -> Result<&'a [u8], Broken> {
    let (found, payload) = inspect(key, entry)?;
    if found == address { Ok(payload) } else { Err(Broken::Address) }
}

/// Address and payload of an authentic entry.
///
/// # Errors
/// Bytes that are no entry, or not ours.
pub fn inspect<'a>(key: &Key, entry: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Broken> {
    let (head, rest) = entry.split_at_checked(HEAD).ok_or(Broken::Form)?;
    let (magic, head) = head.split_at_checked(MAGIC.len()).ok_or(Broken::Form)?;
    let (claimed, length) = head.split_at_checked(32).ok_or(Broken::Form)?;
    if magic != MAGIC {
        return Err(Broken::Form);
    }
    let length = length.try_into().map(u64::from_be_bytes).map_err(|_| Broken::Form)?;
    let length = usize::try_from(length).map_err(|_| Broken::Form)?;
    let (address, payload) = rest.split_at_checked(length).ok_or(Broken::Form)?;
    // Takes the same time whichever byte differs first.
    mac(key, address, payload).verify_slice(claimed).map_err(|_| Broken::Mac)?;
    Ok((address, payload))
}

fn mac(key: &Key, address: &[u8], payload: &[u8]) -> Hmac<Sha256> {
    let mut mac = key.mac();
    mac.update(MAGIC);
    for part in [address, payload] {
        mac.update(&length(part));
        mac.update(part);
    }
    mac
}

fn length(part: &[u8]) -> [u8; 8] {
    u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> Key {
        Key::of([7; 32])
    }

    #[test]
    fn no_byte_can_be_changed_removed_or_added() {
        let entry = seal(&key(), b"address", b"payload");
        assert_eq!(open(&key(), b"address", &entry), Ok(b"payload".as_slice()));
        for position in 0..entry.len() {
            for bit in 0..8 {
                let mut changed = entry.clone();
                changed[position] ^= 1 << bit;
                assert!(open(&key(), b"address", &changed).is_err(), "{position}, {bit}");
            }
        }
        for length in 0..entry.len() {
            assert!(open(&key(), b"address", &entry[..length]).is_err(), "{length}");
        }
        assert_eq!(open(&key(), b"address", &[entry.as_slice(), b"x"].concat()), Err(Broken::Mac));
    }

    #[test]
    fn another_implementation_makes_the_same_entry() {
        // Python's hmac over the fields listed at the top of this file.
        let mac = "f3a5ea9c70db3dbe453759a6f6031ccde2b1b4c5de7faf16beb4bef2bfe5c57d";
        let entry = [MAGIC.as_slice(), &hex::decode(mac).unwrap(), &length(b"address"), b"addresspayload"];
        assert_eq!(seal(&key(), b"address", b"payload"), entry.concat());
    }

    #[test]
    fn where_the_address_ends_is_part_of_it() {
        let entry = seal(&key(), b"task a", b"bc");
        let mut moved = entry.clone();
        moved[55] += 1;
        assert_eq!(open(&key(), b"task ab", &moved), Err(Broken::Mac));
        assert_ne!(seal(&key(), b"task ab", b"c")[16..48], entry[16..48]);
    }

    #[test]
    fn another_key_and_another_address_are_different_errors() {
        let entry = seal(&key(), b"address", b"payload");
        assert_eq!(open(&Key::of([8; 32]), b"address", &entry), Err(Broken::Mac));
        assert_eq!(open(&key(), b"another", &entry), Err(Broken::Address));
        assert_eq!(open(&key(), b"", b""), Err(Broken::Form));
    }

    proptest! {
        #[test]
        fn sealed_entries_open(address: Vec<u8>, payload: Vec<u8>) {
            let entry = seal(&key(), &address, &payload);
            prop_assert_eq!(open(&key(), &address, &entry), Ok(payload.as_slice()));
            prop_assert_eq!(inspect(&key(), &entry), Ok((address.as_slice(), payload.as_slice())));
        }
    }
}
