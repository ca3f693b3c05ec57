//! The state of the scanner between two blocks.

use super::blocks::{Block, Rare, escaped, matching};
use super::error::GraphError;
use super::grammar::{Expect, Scalar, Token};

/// The state of the scanner.
#[derive(Debug)]
pub(super) struct State {
    pub(super) expect: Expect,
    /// The states to return to when each open list or object ends.
    open: Vec<Expect>,
    pub(super) in_string: bool,
    /// Whether it is directly after a backslash.
    escaped: bool,
    /// The number of digits that a `\u` still needs, one bit for each.
    digits: u64,
    /// An unfinished number or literal.
    pub(super) scalar: Option<Scalar>,
    /// An unfinished key or string of the top-level object.
    pub(super) outer: Option<Outer>,
    /// An unfinished character.
    utf8: Vec<u8>,
    /// Whether an escape or a character is unfinished.
    pub(super) hangs: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outer {
    Key,
    Text,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            expect: Expect::Start,
            open: Vec::new(),
            in_string: false,
            escaped: false,
            digits: 0,
            scalar: None,
            outer: None,
            utf8: Vec::new(),
            hangs: false,
        }
    }

    /// Whether it is directly in the top-level object.
    pub(super) fn is_outer(&self) -> bool {
        self.open.len() == 1
    }

    /// Whether the text may end here: the top-level object has ended, and no character is unfinished.
    pub(super) fn is_end(&self) -> bool {
        self.expect == Expect::End && self.utf8.is_empty()
    }

    /// A list or object begins in this state. The graph itself does not count for the depth.
    pub(super) fn open(&mut self, expected: Expect, limit: usize) -> Result<(), GraphError> {
        if self.open.len() > limit {
            return Err(GraphError::TooDeep { limit });
        }
        self.open.push(expected.after(Token::Scalar));
        Ok(())
    }

    /// A list or object ends.
    pub(super) fn close(&mut self) {
        self.expect = match self.open.pop() {
            Some(after) if !self.open.is_empty() => after,
            _ => Expect::End,
        };
    }

    /// Which bytes directly follow a backslash.
    pub(super) fn escaped(&mut self, backslashes: u64) -> u64 {
        let (escaped, next) = escaped(backslashes, self.escaped);
        self.escaped = next;
        escaped
    }

    /// Errors in the rare bytes of a block.
    pub(super) fn wrong(&mut self, block: &Block, rare: Rare, escaped: u64, strings: u64) -> u64 {
        let mut wrong = rare.controls & strings;
        wrong |= matching(block, rare.controls & !strings, |byte| !matches!(byte, b'\t' | b'\n' | b'\r'));
        wrong |= self.wrong_escapes(block, escaped & strings);
        if rare.beyond_ascii || !self.utf8.is_empty() {
            wrong |= self.wrong_utf8(block);
        }
        self.hangs = self.escaped || self.digits != 0 || !self.utf8.is_empty();
        wrong
    }

    /// Errors in these bytes, each of which follows a backslash, and in the digits that they require.
    fn wrong_escapes(&mut self, block: &Block, escaped: u64) -> u64 {
        let wrong = matching(block, escaped, |byte| !br#""\/bfnrtu"#.contains(&byte));
        let units = u128::from(matching(block, escaped, |byte| byte == b'u'));
        let digits = u128::from(self.digits) | units << 1 | units << 2 | units << 3 | units << 4;
        let [here, next] = [digits, digits >> 64].map(|half| u64::try_from(half & u128::from(u64::MAX)));
        self.digits = next.unwrap_or_default();
        wrong | matching(block, here.unwrap_or_default(), |byte| !byte.is_ascii_hexdigit())
    }

    /// The first byte that is not part of a valid character, if there is one.
    fn wrong_utf8(&mut self, block: &Block) -> u64 {
        let before = self.utf8.len();
        self.utf8.extend_from_slice(block);
        match std::str::from_utf8(&self.utf8) {
            Ok(_) => self.utf8.clear(),
            Err(error) if error.error_len().is_none() => drop(self.utf8.drain(..error.valid_up_to())),
            Err(error) => {
                let place = u32::try_from(error.valid_up_to().saturating_sub(before)).unwrap_or_default();
                return 1_u64.checked_shl(place).unwrap_or_default();
            }
        }
        0
    }
}
