//! Keys and signatures that no honest signer makes, each with the reason why it is refused.
//!
//! Verifiers of Ed25519 differ on them (Chalkias, Garillot, Nikolaenko: "Taming the many EdDSAs",
//! 2020), so a document that one accepts another may not, or a key may accept what was never signed.
//! The cases are made here, with the equations that a lenient verifier would check beside them: what
//! is refused is shown to be something that another one accepts.
//!
//! Where each is refused: what is wrong with a key, when the key is read (`PublicKey::from_bytes`);
//! what is wrong with a signature, when it is verified.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice
)]

use catena_keys::{KeyError, PublicKey, Signature, SignatureError, SigningKey};
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::{EdwardsPoint, Scalar};
use sha2::{Digest as _, Sha512};

const MESSAGE: &[u8] = b"what is signed";

/// The order of the base point, least byte first.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// What the key, the first half of a signature and the message are hashed to.
fn challenge(first: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
    let hash: [u8; 64] =
        Sha512::new().chain_update(first).chain_update(key).chain_update(message).finalize().into();
    Scalar::from_bytes_mod_order_wide(&hash)
}

/// A signature's parts, before they are bytes.
struct Crafted {
    key: [u8; 32],
    first: [u8; 32],
    scalar: Scalar,
}

impl Crafted {
    /// Solves for the scalar as a signer does who knows the logarithms of the key and the first half,
    /// but for what is of small order in them.
    fn new(key: [u8; 32], secret: Scalar, first: [u8; 32], nonce: Scalar) -> Self {
        let scalar = nonce + challenge(&first, &key, MESSAGE) * secret;
        Self { key, first, scalar }
    }

    fn signature(&self) -> Signature {
        Signature::parse(&[self.first, self.scalar.to_bytes()].concat()).unwrap()
    }

    /// What the two sides of the equation differ by: nothing for a verifier without a cofactor.
    fn rest(&self) -> EdwardsPoint {
        let key = decoded(self.key).unwrap();
        EdwardsPoint::mul_base(&self.scalar)
            - challenge(&self.first, &self.key, MESSAGE) * key
            - decoded(self.first).unwrap()
    }

    /// Whether a verifier that only looks at the equation accepts it.
    fn holds(&self) -> bool {
        self.rest() == EdwardsPoint::default()
    }

    /// Whether a verifier that multiplies the equation by the cofactor accepts it.
    fn holds_times_the_cofactor(&self) -> bool {
        self.rest().is_small_order()
    }
}

/// Decodes as a lenient reader does: a number that is not reduced is taken for its remainder.
fn decoded(bytes: [u8; 32]) -> Option<EdwardsPoint> {
    CompressedEdwardsY(bytes).decompress()
}

fn encoded(point: EdwardsPoint) -> [u8; 32] {
    point.compress().to_bytes()
}

/// All encodings with y from p to 2^255 - 1: second ways of writing what y - p means.
fn unreduced() -> impl Iterator<Item = [u8; 32]> {
    (0..38_u8).map(|which| {
        let mut bytes = [0xff; 32];
        bytes[0] = 0xed + which / 2;
        bytes[31] = if which % 2 == 0 { 0x7f } else { 0xff };
        bytes
    })
}

/// Every encoding of a point of small order: canonical, unreduced, or with a sign where x is zero.
fn small_order_encodings() -> Vec<[u8; 32]> {
    let canonical = EIGHT_TORSION.iter().map(|point| encoded(*point));
    let signed = canonical.clone().map(|mut bytes| {
        bytes[31] ^= 0x80;
        bytes
    });
    let candidates = canonical.chain(signed).chain(unreduced());
    let mut all: Vec<_> =
        candidates.filter(|bytes| decoded(*bytes).is_some_and(|point| point.is_small_order())).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn honest() -> (SigningKey, PublicKey, Scalar) {
    let seed = [7; 32];
    let key = SigningKey::from_seed(&seed);
    let mut half: [u8; 32] = Sha512::digest(seed)[..32].try_into().unwrap();
    half[0] &= 248;
    half[31] = half[31] & 63 | 64;
    let secret = Scalar::from_bytes_mod_order(half);
    assert_eq!(&encoded(EdwardsPoint::mul_base(&secret)), key.public_key().as_bytes());
    let public = key.public_key();
    (key, public, secret)
}

fn nonce(number: u64) -> Scalar {
    Scalar::from_hash(Sha512::new().chain_update(b"nonce").chain_update(number.to_le_bytes()))
}

/// What the others are compared with: crafted without anything crooked, it is a signature.
#[test]
fn a_signature_made_here_without_a_trick_is_accepted() {
    let (_, public, secret) = honest();
    let first = encoded(EdwardsPoint::mul_base(&nonce(0)));
    let made = Crafted::new(public.as_bytes().try_into().unwrap(), secret, first, nonce(0));
    assert!(made.holds());
    assert!(public.verify(MESSAGE, &made.signature()));
}

/// Anyone can sign for a key of small order: its part of the equation is one of eight points,
/// whatever the message.
#[test]
fn keys_of_small_order_are_refused_in_every_encoding() {
    let all = small_order_encodings();
    assert_eq!(all.len(), 14);
    for key in all {
        let first = encoded(EdwardsPoint::mul_base(&nonce(0)));
        assert!(Crafted::new(key, Scalar::ZERO, first, nonce(0)).holds_times_the_cofactor(), "{key:02x?}");
        assert_eq!(PublicKey::from_bytes(&key), Err(KeyError::Weak), "{key:02x?}");
    }
}

/// One key, two texts: a policy that names one would not know the other, and both are hashed.
#[test]
fn unreduced_encodings_of_other_points_are_refused() {
    let others = unreduced().filter(|bytes| decoded(*bytes).is_some_and(|point| !point.is_small_order()));
    let mut count = 0;
    for bytes in others {
        assert_eq!(PublicKey::from_bytes(&bytes), Err(KeyError::NotAKey), "{bytes:02x?}");
        count += 1;
    }
    assert_eq!(count, 20);
}

#[test]
fn bytes_that_are_no_point_are_refused() {
    let mut count = 0;
    for bytes in (0..=255_u8).map(|byte| [byte; 32]).chain(unreduced()) {
        if decoded(bytes).is_none() {
            assert_eq!(PublicKey::from_bytes(&bytes), Err(KeyError::NotAKey), "{bytes:02x?}");
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}

/// Who has the secret of a key can make seven more from it, and signatures that some verifiers accept
/// under them and others do not; one in eight is accepted by all of these, under the honest key too.
#[test]
fn keys_of_mixed_order_are_refused() {
    let (_, public, secret) = honest();
    let point = decoded(public.as_bytes().try_into().unwrap()).unwrap();
    for torsion in &EIGHT_TORSION[1..] {
        let key = encoded(point + torsion);
        let made = |number| {
            Crafted::new(key, secret, encoded(EdwardsPoint::mul_base(&nonce(number))), nonce(number))
        };
        assert!((0..100).map(made).any(|made| made.holds()));
        assert!((0..100).map(made).any(|made| !made.holds() && made.holds_times_the_cofactor()));
        assert_eq!(PublicKey::from_bytes(&key), Err(KeyError::MixedOrder));
    }
    assert!(PublicKey::from_bytes(&encoded(point + EIGHT_TORSION[0])).is_ok());
}

/// With a first half of small order the scalar is a multiple of the secret. No honest signer makes
/// one; for the point zero in its canonical encoding even the strict equation holds.
#[test]
fn first_halves_of_small_order_are_refused_in_every_encoding() {
    let (_, public, secret) = honest();
    let mut strictly = 0;
    for first in small_order_encodings() {
        let made = Crafted::new(public.as_bytes().try_into().unwrap(), secret, first, Scalar::ZERO);
        assert!(made.holds_times_the_cofactor(), "{first:02x?}");
        strictly += usize::from(made.holds());
        assert!(!public.verify(MESSAGE, &made.signature()), "{first:02x?}");
    }
    // 1, p + 1, and each with a sign.
    assert_eq!(strictly, 4);
}

/// Accepted by verifiers that multiply by the cofactor, and in batches, but not one at a time.
#[test]
fn first_halves_of_mixed_order_are_refused() {
    let (_, public, secret) = honest();
    for torsion in &EIGHT_TORSION[1..] {
        let first = encoded(EdwardsPoint::mul_base(&nonce(1)) + torsion);
        let made = Crafted::new(public.as_bytes().try_into().unwrap(), secret, first, nonce(1));
        assert!(!made.holds() && made.holds_times_the_cofactor());
        assert!(!public.verify(MESSAGE, &made.signature()));
    }
}

/// The point's encoding is hashed, so a second one is another signature; none is accepted.
#[test]
fn first_halves_that_are_unreduced_or_no_point_are_refused() {
    let (key, public, _) = honest();
    let made = key.sign(MESSAGE);
    for first in unreduced().chain((0..=255_u8).map(|byte| [byte; 32])) {
        let bytes = [&first[..], &made.as_bytes()[32..]].concat();
        assert!(!public.verify(MESSAGE, &Signature::parse(&bytes).unwrap()), "{first:02x?}");
    }
}

/// The scalar plus a multiple of the order: the same residue, a second signature that the key's owner never made.
#[test]
fn scalars_that_are_not_reduced_are_refused() {
    let (key, public, _) = honest();
    let mut bytes = key.sign(MESSAGE).as_bytes().to_vec();
    assert!(public.verify(MESSAGE, &Signature::parse(&bytes).unwrap()));
    let mut count = 0;
    while add(&mut bytes[32..]) {
        assert!(!public.verify(MESSAGE, &Signature::parse(&bytes).unwrap()), "{bytes:02x?}");
        count += 1;
    }
    assert_eq!(count, 15);
}

/// Adds the order; whether the sum fits.
fn add(scalar: &mut [u8]) -> bool {
    let mut carry = 0;
    for (at, add) in scalar.iter_mut().zip(L) {
        let sum = u16::from(*at) + u16::from(add) + carry;
        *at = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    carry == 0
}

#[test]
fn scalars_at_the_ends_of_the_range_are_refused_where_nobody_signed() {
    let (key, public, _) = honest();
    let mut below = L;
    below[0] -= 1;
    for scalar in [[0; 32], Scalar::ONE.to_bytes(), below, L, [0xff; 32]] {
        let mut bytes = key.sign(MESSAGE).as_bytes().to_vec();
        bytes[32..].copy_from_slice(&scalar);
        assert!(!public.verify(MESSAGE, &Signature::parse(&bytes).unwrap()), "{scalar:02x?}");
    }
}

#[test]
fn only_who_signed_and_what_was_signed_counts() {
    let (key, public, _) = honest();
    let made = key.sign(MESSAGE);
    let other = SigningKey::from_seed(&[8; 32]);
    assert!(!other.public_key().verify(MESSAGE, &made));
    assert!(!public.verify(MESSAGE, &other.sign(MESSAGE)));
    assert!(!public.verify(&MESSAGE[1..], &made));
    let (first, second) = made.as_bytes().split_at(32);
    assert!(!public.verify(MESSAGE, &Signature::parse(&[second, first].concat()).unwrap()));
    assert!(!public.verify(MESSAGE, &Signature::parse(&[0; 64]).unwrap()));
}

#[test]
fn a_signature_has_64_bytes() {
    for length in 0..=200 {
        let expected = match length {
            0 => Some(SignatureError::Empty),
            1..=63 => Some(SignatureError::Truncated { length, expected: 64 }),
            64 => None,
            _ => Some(SignatureError::TooLong { length, expected: 64 }),
        };
        assert_eq!(Signature::parse(&vec![1; length]).err(), expected);
    }
}

/// A key has one text, so that a policy that names it twice is seen to.
#[test]
fn a_key_has_one_text() {
    let (_, public, _) = honest();
    let text = public.to_string();
    assert_eq!(PublicKey::parse_base64(&text), Ok(public));
    let last = |digit: char| format!("{}{digit}=", &text[..42]);
    // Four digits decode to the same last byte; the bits that do not count are zero in one.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let accepted = alphabet
        .chars()
        .filter(|digit| !matches!(PublicKey::parse_base64(&last(*digit)), Err(KeyError::Base64)));
    assert_eq!(accepted.count(), 16);
    for changed in [format!("{text}\n"), format!(" {text}"), text.replace('=', ""), format!("{text}=")] {
        assert_eq!(PublicKey::parse_base64(&changed), Err(KeyError::Base64), "{changed:?}");
    }
    let slashed = "hobjtV57/8vRKhn/vzbJcGo27uNbjuhwY3Vcrhc6OQc=";
    assert!(PublicKey::parse_base64(slashed).is_ok());
    assert_eq!(PublicKey::parse_base64(&slashed.replace('/', "_")), Err(KeyError::Base64));
    assert_eq!(PublicKey::parse_base64(""), Err(KeyError::Length(0)));
    assert_eq!(PublicKey::parse_base64("AAAA"), Err(KeyError::Length(3)));
}
