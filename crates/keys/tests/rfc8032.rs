//! The Ed25519 vectors of RFC 8032, section 7.1: keys are derived, messages signed and signatures
//! verified as the standard has it, byte for byte.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use catena_keys::{PublicKey, Signature, SigningKey};
use std::collections::HashMap;

const VECTORS: &str = include_str!("rfc8032.txt");

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn vectors() -> Vec<HashMap<&'static str, String>> {
    let mut vectors: Vec<HashMap<&str, String>> = Vec::new();
    let mut field = "";
    for line in VECTORS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line.starts_with(' ') {
            vectors.last_mut().unwrap().get_mut(field).unwrap().push_str(line.trim());
            continue;
        }
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        if name == "test" {
            vectors.push(HashMap::new());
        }
        field = name;
        vectors.last_mut().unwrap().insert(name, value.to_owned());
    }
    vectors
}

#[test]
fn keys_and_signatures_are_those_of_the_standard() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 5);
    for vector in vectors {
        let name = &vector["test"];
        let bytes = |field: &str| unhex(&vector[field]);
        let (seed, public, message) = (bytes("seed"), bytes("public"), bytes("message"));
        let key = SigningKey::from_seed(&seed.try_into().unwrap());
        let public = PublicKey::from_bytes(&public.try_into().unwrap()).unwrap();
        assert_eq!(key.public_key(), public, "{name}");
        let signature = Signature::parse(&bytes("signature")).unwrap();
        assert_eq!(key.sign(&message), signature, "{name}");
        assert!(public.verify(&message, &signature), "{name}");
    }
}

/// Every bit of what is signed and of the signature counts.
#[test]
fn a_flipped_bit_anywhere_is_refused() {
    for vector in vectors() {
        let public = PublicKey::from_bytes(&unhex(&vector["public"]).try_into().unwrap()).unwrap();
        let (message, signature) = (unhex(&vector["message"]), unhex(&vector["signature"]));
        let made = Signature::parse(&signature).unwrap();
        // The long message would take a while, bit by bit.
        for bit in (0..message.len() * 8).take(1000) {
            assert!(!public.verify(&flipped(&message, bit), &made), "{} message {bit}", vector["test"]);
        }
        for bit in 0..signature.len() * 8 {
            let changed = Signature::parse(&flipped(&signature, bit)).unwrap();
            assert!(!public.verify(&message, &changed), "{} signature {bit}", vector["test"]);
        }
        assert!(!public.verify(&[&message[..], b"\0"].concat(), &made), "{}", vector["test"]);
    }
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}
