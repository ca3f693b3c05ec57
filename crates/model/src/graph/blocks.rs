//! Classification of 64 bytes of JSON at a time.

/// Bytes that are classified together.
pub(super) const BLOCK: usize = 64;

/// Some bytes of JSON text.
pub(super) type Block = [u8; BLOCK];

/// The positions of certain bytes in a block: bit n for byte n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) quotes: u64,
    /// Spaces and all lower bytes: white space between tokens, and control characters.
    pub(super) blanks: u64,
    pub(super) newlines: u64,
    /// Bytes that few blocks contain, so that their positions are computed only if there are any.
    pub(super) rare: Option<Rare>,
}

/// The positions of those rare bytes in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rare {
    pub(super) backslashes: u64,
    /// Bytes below the space.
    pub(super) controls: u64,
    pub(super) beyond_ascii: bool,
}

impl Marks {
    pub(super) fn of(block: &Block) -> Self {
        let rare = |byte: u8| (byte == b'\\') | ((byte < b' ') & (byte != b'\n')) | !byte.is_ascii();
        let any_rare = block.map(|byte| u8::from(rare(byte))).into_iter().fold(0, |any, one| any | one) != 0;
        Self {
            quotes: marks(block, |byte| byte == b'"'),
            blanks: marks(block, |byte| byte <= b' '),
            newlines: marks(block, |byte| byte == b'\n'),
            rare: any_rare.then(|| Rare::of(block)),
        }
    }
}

impl Rare {
    #[cold]
    pub(super) fn of(block: &Block) -> Self {
        Self {
            backslashes: marks(block, |byte| byte == b'\\'),
            controls: marks(block, |byte| byte < b' '),
            beyond_ascii: !block.is_ascii(),
        }
    }
}

/// Which bytes match. They are tested one by one for a whole block, a form that compilers can
/// vectorize.
fn marks(block: &Block, is: impl Fn(u8) -> bool) -> u64 {
    /// Moves the lowest bit of the nth of eight bytes to bit 56 + n.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let marked = block.map(|byte| u8::from(is(byte)));
    let words = marked.as_chunks().0.iter().rev().map(|word| u64::from_le_bytes(*word));
    words.fold(0, |marks, word| marks << 8 | word.wrapping_mul(GATHER) >> 56)
}

/// Which bytes directly follow an unescaped backslash, and whether the first byte after the block does.
pub(super) fn escaped(backslashes: u64, first: bool) -> (u64, bool) {
    let mut escaped = u64::from(first);
    let mut left = backslashes & !escaped;
    while left != 0 {
        let escape = left & left.wrapping_neg();
        let next = escape << 1;
        if next == 0 {
            return (escaped, true);
        }
        escaped |= next;
        // All after the escaped byte.
        left &= !(next | next.wrapping_sub(1));
    }
    (escaped, false)
}

/// Bit n is whether an odd number of bits up to the nth are set.
pub(super) fn running_parity(bits: u64) -> u64 {
    [1, 2, 4, 8, 16, 32].into_iter().fold(bits, |parity, shift| parity ^ (parity << shift))
}

/// The positions of the set bits, from the lowest.
pub(super) fn places(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
        usize::try_from(place).ok().filter(|place| *place < BLOCK)
    })
}

/// The byte at a position.
pub(super) fn byte_at(block: &Block, place: usize) -> u8 {
    block.get(place).copied().unwrap_or_default()
}

/// Those of the marked bytes that match.
pub(super) fn matching(block: &Block, marked: u64, is: impl Fn(u8) -> bool) -> u64 {
    let found = places(marked).filter(|place| is(byte_at(block, *place)));
    found.fold(0, |bits, place| bits | 1 << place)
}

/// The bits from a position on.
pub(super) fn from_place(bits: u64, from: usize) -> u64 {
    bits & u32::try_from(from).ok().and_then(|from| u64::MAX.checked_shl(from)).unwrap_or_default()
}

/// The first set bit from a position on; the block's end if there is none.
pub(super) fn place_of(bits: u64, from: usize) -> usize {
    places(from_place(bits, from)).next().unwrap_or(BLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bits_of(block: &Block, is: impl Fn(u8) -> bool) -> u64 {
        block.iter().rev().fold(0, |bits, byte| bits << 1 | u64::from(is(*byte)))
    }

    fn escaped_slowly(backslashes: u64, mut first: bool) -> (u64, bool) {
        let mut escaped = 0;
        for place in 0..64 {
            let is_backslash = backslashes >> place & 1 == 1;
            escaped |= u64::from(first) << place;
            first = is_backslash && !first;
        }
        (escaped, first)
    }

    proptest! {
        #[test]
        fn every_byte_is_found_at_its_position(
            block in prop_oneof![
                prop::collection::vec(any::<u8>(), BLOCK),
                prop::collection::vec(prop::sample::select(&b"\"{:,1 \n\x7f"[..]), BLOCK),
                prop::collection::vec(prop::sample::select(&b"\"\\{}[]:, \t\n\r\x00\x1f\x7f\x80\xff;|Zz_"[..]), BLOCK),
            ],
        ) {
            let block: &Block = block.as_slice().try_into().unwrap();
            let rare = Rare {
                backslashes: bits_of(block, |byte| byte == b'\\'),
                controls: bits_of(block, |byte| byte < b' '),
                beyond_ascii: !block.is_ascii(),
            };
            let newlines = bits_of(block, |byte| byte == b'\n');
            let any = rare.backslashes != 0 || rare.controls != newlines || rare.beyond_ascii;
            let expected = Marks {
                quotes: bits_of(block, |byte| byte == b'"'),
                blanks: bits_of(block, |byte| byte <= b' '),
                newlines,
                rare: any.then_some(rare),
            };
            prop_assert_eq!(Marks::of(block), expected);
        }

        #[test]
        fn escapes_match_a_bytewise_scan(bits: u64, more: u64, first: bool) {
            for bits in [bits, bits & more, bits | more] {
                prop_assert_eq!(escaped(bits, first), escaped_slowly(bits, first));
            }
        }

        #[test]
        fn parity_and_places_are_those_of_the_bits(bits: u64) {
            let set: Vec<usize> = (0..64).filter(|place| bits >> place & 1 == 1).collect();
            prop_assert_eq!(places(bits).collect::<Vec<_>>(), set.clone());
            for place in 0..64 {
                let before = set.iter().filter(|set| **set <= place).count();
                prop_assert_eq!(running_parity(bits) >> place & 1 == 1, before % 2 == 1);
            }
        }
    }
}
