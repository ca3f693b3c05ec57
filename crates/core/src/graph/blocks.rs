//! Passing over a value 64 bytes at a time, where nothing but its end is looked for.

/// A place inside a value that began with a bracket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inside {
    /// Brackets that are open, at least one.
    pub(super) depth: usize,
    /// Whether it is inside of a string.
    pub(super) in_string: bool,
    /// Whether it is right after a backslash in a string.
    pub(super) escaped: bool,
}

impl Inside {
    /// Bytes that are looked at together.
    pub(super) const BLOCK: usize = 64;

    /// How many bytes pass, in whole blocks, and the place after them. It stops before a block in which
    /// the value might end or nest deeper than `deepest`, or in which a backslash stands outside of
    /// strings: those are for whoever looks at every byte.
    pub(super) fn pass(mut self, bytes: &[u8], deepest: usize) -> (usize, Self) {
        let mut passed = 0_usize;
        for block in bytes.as_chunks().0 {
            let Some(after) = self.after(block, deepest) else { break };
            self = after;
            passed = passed.saturating_add(Self::BLOCK);
        }
        (passed, self)
    }

    fn after(self, block: &[u8; Self::BLOCK], deepest: usize) -> Option<Self> {
        let marks = Marks::of(block);
        let (escaped, escapes_next) = escaped(marks.backslashes, self.escaped);
        let turns = running_parity(marks.quotes & !escaped);
        let strings = if self.in_string { !turns } else { turns };
        if marks.backslashes & !strings != 0 {
            return None;
        }
        let count = |marks: u64| usize::try_from((marks & !strings).count_ones()).ok();
        let (opened, closed) = (count(marks.opening)?, count(marks.closing)?);
        let (highest, lowest) = (self.depth.checked_add(opened)?, self.depth.checked_sub(closed)?);
        if lowest == 0 || highest > deepest {
            return None;
        }
        let in_string = strings >> 63 == 1;
        Some(Self { depth: highest.checked_sub(closed)?, in_string, escaped: escapes_next })
    }
}

/// Where in a block certain bytes stand: bit n for byte n.
struct Marks {
    quotes: u64,
    backslashes: u64,
    opening: u64,
    closing: u64,
}

impl Marks {
    fn of(block: &[u8; Inside::BLOCK]) -> Self {
        // `[` differs from `{`, and `]` from `}`, by one bit.
        let mut either = *block;
        either.iter_mut().for_each(|byte| *byte |= 0x20);
        Self {
            quotes: equal(block, b'"'),
            backslashes: equal(block, b'\\'),
            opening: equal(&either, b'{'),
            closing: equal(&either, b'}'),
        }
    }
}

/// Which bytes are this one. Bytes are compared one by one into a whole block, since that is a form in
/// which compilers make use of wide registers.
fn equal(block: &[u8; Inside::BLOCK], byte: u8) -> u64 {
    /// Moves the lowest bit of the nth of eight bytes to bit 56 + n.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut same = [0; Inside::BLOCK];
    for (same, there) in same.iter_mut().zip(block) {
        *same = u8::from(*there == byte);
    }
    let words = same.as_chunks().0.iter().rev().map(|word| u64::from_le_bytes(*word));
    words.fold(0, |marks, word| marks << 8 | word.wrapping_mul(GATHER) >> 56)
}

/// Which bytes stand right after a backslash that is not itself after one, and whether the byte after the
/// block does.
fn escaped(backslashes: u64, first: bool) -> (u64, bool) {
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
fn running_parity(bits: u64) -> u64 {
    [1, 2, 4, 8, 16, 32].into_iter().fold(bits, |parity, shift| parity ^ (parity << shift))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BLOCK: usize = Inside::BLOCK;

    /// One byte after the other, as JSON is read; none where a block is not passed over.
    fn byte_by_byte(mut place: Inside, bytes: &[u8]) -> Option<(Inside, usize)> {
        let mut deepest = place.depth;
        for byte in bytes {
            match byte {
                _ if place.escaped => place.escaped = false,
                b'\\' if place.in_string => place.escaped = true,
                b'\\' => return None,
                b'"' => place.in_string = !place.in_string,
                b'{' | b'[' if !place.in_string => place.depth += 1,
                b'}' | b']' if !place.in_string => place.depth = place.depth.checked_sub(1)?,
                _ => {}
            }
            deepest = deepest.max(place.depth);
            if place.depth == 0 {
                return None;
            }
        }
        Some((place, deepest))
    }

    #[test]
    fn a_block_passes_that_may_be_as_deep_as_it_might_get() {
        let begin = Inside { depth: 1, in_string: false, escaped: false };
        let passed = |deepest| begin.pass(&[b'['; BLOCK], deepest).0;
        assert_eq!([passed(BLOCK), passed(BLOCK + 1)], [0, BLOCK]);
    }

    proptest! {
        #[test]
        fn a_block_is_its_bytes_one_after_the_other(
            text in r#"[\\"{}\[\]aZ;é|]{16,200}"#,
            depth in 1..100_usize,
            in_string: bool,
            escaped: bool,
        ) {
            let begin = Inside { depth, in_string, escaped: in_string && escaped };
            let (passed, end) = begin.pass(text.as_bytes(), usize::MAX);
            prop_assert_eq!(passed % BLOCK, 0);
            let slowly = byte_by_byte(begin, &text.as_bytes()[..passed]);
            prop_assert_eq!(slowly.map(|(place, _)| place), Some(end));
            // What does not pass is a block that ends the value, or brings it near its end, or none.
            if let Some(block) = text.as_bytes().get(passed..passed + BLOCK)
                && let Some((_, _)) = byte_by_byte(end, block)
            {
                let closing = block.iter().filter(|byte| matches!(byte, b'}' | b']')).count();
                prop_assert!(closing >= end.depth, "{:?} {:?}", end, block);
            }
            if let Some((_, deepest)) = slowly {
                let (passed, _) = begin.pass(text.as_bytes(), deepest.saturating_sub(1));
                let slowly = byte_by_byte(begin, &text.as_bytes()[..passed]);
                prop_assert!(slowly.is_some_and(|(_, reached)| passed == 0 || reached < deepest));
            }
        }

        #[test]
        fn every_byte_is_found_where_it_stands(block in proptest::collection::vec(any::<u8>(), BLOCK)) {
            let marks = Marks::of(block.as_slice().try_into().unwrap());
            for (position, byte) in block.iter().enumerate() {
                let is = |marks: u64| marks >> position & 1 == 1;
                prop_assert_eq!(is(marks.quotes), *byte == b'"');
                prop_assert_eq!(is(marks.backslashes), *byte == b'\\');
                prop_assert_eq!(is(marks.opening), matches!(byte, b'{' | b'['));
                prop_assert_eq!(is(marks.closing), matches!(byte, b'}' | b']'));
            }
        }
    }
}
