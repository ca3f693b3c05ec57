//! JSON's grammar (RFC 8259), token by token.

/// The kind of a token, determined by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// `"`, including everything up to its end.
    Text,
    Colon,
    Comma,
    OpenObject,
    CloseObject,
    OpenList,
    CloseList,
    /// Anything else: a number, `true`, `false`, `null`, or a byte that JSON does not allow.
    Scalar,
}

/// The tokens that may come next, and in which container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// The object that the whole text is.
    Start,
    /// In an object: its first key, or its end.
    KeyOrEnd,
    Key,
    Colon,
    Member,
    AfterMember,
    /// In a list: its first item, or its end.
    ItemOrEnd,
    Item,
    AfterItem,
    /// Nothing: the object has ended.
    End,
    /// A token that is not allowed.
    Wrong,
}

const TOKENS: [Token; 8] = [
    Token::Text,
    Token::Colon,
    Token::Comma,
    Token::OpenObject,
    Token::CloseObject,
    Token::OpenList,
    Token::CloseList,
    Token::Scalar,
];

const EXPECTATIONS: [Expect; 11] = [
    Expect::Start,
    Expect::KeyOrEnd,
    Expect::Key,
    Expect::Colon,
    Expect::Member,
    Expect::AfterMember,
    Expect::ItemOrEnd,
    Expect::Item,
    Expect::AfterItem,
    Expect::End,
    Expect::Wrong,
];

/// The kind of token that each byte starts. A lookup table, since every token needs it.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // by the compiler
const BEGINS: [Token; 256] = {
    let mut begins = [Token::Scalar; 256];
    begins[b'"' as usize] = Token::Text;
    begins[b':' as usize] = Token::Colon;
    begins[b',' as usize] = Token::Comma;
    begins[b'{' as usize] = Token::OpenObject;
    begins[b'}' as usize] = Token::CloseObject;
    begins[b'[' as usize] = Token::OpenList;
    begins[b']' as usize] = Token::CloseList;
    begins
};

/// The state after each token, in each state.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // by the compiler
const NEXT: [[Expect; TOKENS.len()]; EXPECTATIONS.len()] = {
    let mut next = [[Expect::Wrong; TOKENS.len()]; EXPECTATIONS.len()];
    let mut from = 0;
    while from < EXPECTATIONS.len() {
        let mut token = 0;
        while token < TOKENS.len() {
            next[EXPECTATIONS[from] as usize][TOKENS[token] as usize] =
                rule(EXPECTATIONS[from], TOKENS[token]);
            token += 1;
        }
        from += 1;
    }
    next
};

/// The grammar. After the end of a list or an object, its container determines the state.
const fn rule(expect: Expect, token: Token) -> Expect {
    use Expect::{AfterItem, AfterMember, Colon, End, Item, ItemOrEnd, Key, KeyOrEnd, Member, Start, Wrong};
    match (expect, token) {
        (Start | Member | ItemOrEnd | Item, Token::OpenObject) => KeyOrEnd,
        (Member | ItemOrEnd | Item, Token::OpenList) => ItemOrEnd,
        (KeyOrEnd | Key, Token::Text) => Colon,
        (Colon, Token::Colon) => Member,
        (Member, Token::Text | Token::Scalar) => AfterMember,
        (ItemOrEnd | Item, Token::Text | Token::Scalar) => AfterItem,
        (AfterMember, Token::Comma) => Key,
        (AfterItem, Token::Comma) => Item,
        (KeyOrEnd | AfterMember, Token::CloseObject) => End,
        (ItemOrEnd | AfterItem, Token::CloseList) => End,
        _ => Wrong,
    }
}

impl Token {
    pub(super) fn of(byte: u8) -> Self {
        BEGINS.get(usize::from(byte)).copied().unwrap_or(Self::Scalar)
    }

    /// Whether it has no structural effect, and is complete with its first byte.
    pub(super) fn is_plain(self) -> bool {
        matches!(self, Self::Text | Self::Colon | Self::Comma)
    }
}

impl Expect {
    /// The state after a token; [`Expect::Wrong`] if it is not allowed here.
    pub(super) fn after(self, token: Token) -> Self {
        let row = NEXT.get(self as usize);
        row.and_then(|row| row.get(token as usize)).copied().unwrap_or(Self::Wrong)
    }
}

/// A partially scanned number or literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    /// The rest of `true`, `false` or `null`.
    Word(&'static [u8]),
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
    Exponent,
    Sign,
    Power,
}

impl Scalar {
    /// Scans the first byte.
    pub(super) fn begin(byte: u8) -> Option<Self> {
        Some(match byte {
            b't' => Self::Word(b"rue"),
            b'f' => Self::Word(b"alse"),
            b'n' => Self::Word(b"ull"),
            b'-' => Self::Minus,
            b'0' => Self::Zero,
            b'1'..=b'9' => Self::Whole,
            _ => return None,
        })
    }

    /// Scans one more byte; `None` if it does not belong to the token.
    pub(super) fn read(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Word(rest), byte) => match rest.split_first() {
                Some((first, rest)) if *first == byte => Self::Word(rest),
                _ => return None,
            },
            (Self::Minus, b'0') => Self::Zero,
            (Self::Minus, b'1'..=b'9') | (Self::Whole, b'0'..=b'9') => Self::Whole,
            (Self::Zero | Self::Whole, b'.') => Self::Point,
            (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Zero | Self::Whole | Self::Fraction, b'e' | b'E') => Self::Exponent,
            (Self::Exponent, b'+' | b'-') => Self::Sign,
            (Self::Exponent | Self::Sign | Self::Power, b'0'..=b'9') => Self::Power,
            _ => return None,
        })
    }

    /// Whether it may end here.
    pub(super) fn is_whole(self) -> bool {
        match self {
            Self::Word(rest) => rest.is_empty(),
            Self::Zero | Self::Whole | Self::Fraction | Self::Power => true,
            Self::Minus | Self::Point | Self::Exponent | Self::Sign => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_scalar(text: &str) -> bool {
        let mut bytes = text.bytes();
        let first = bytes.next().and_then(Scalar::begin);
        first.and_then(|first| bytes.try_fold(first, Scalar::read)).is_some_and(Scalar::is_whole)
    }

    #[test]
    fn numbers_and_literals_are_those_of_json() {
        for right in ["0", "-0", "10", "1.5", "-0.0e1", "1E+05", "1e-5", "true", "false", "null"] {
            assert!(is_scalar(right), "{right}");
        }
        for wrong in
            ["", "-", "01", "-01", "1.", ".5", "+1", "1e", "1e+", "1.e5", "1.5.5", "1e5e5", "1e5.5", "0x1"]
        {
            assert!(!is_scalar(wrong), "{wrong}");
        }
        for wrong in ["tru", "truee", "True", "nul", "falsey", "NaN", "Infinity", "-Infinity", "1-", "1_0"] {
            assert!(!is_scalar(wrong), "{wrong}");
        }
    }

    #[test]
    fn errors_are_final() {
        for token in TOKENS {
            assert_eq!(Expect::Wrong.after(token), Expect::Wrong);
            assert_eq!(Expect::End.after(token), Expect::Wrong, "nothing follows the object");
        }
    }

    #[test]
    fn the_tables_match_the_rules() {
        for expect in EXPECTATIONS {
            for token in TOKENS {
                assert_eq!(expect.after(token), rule(expect, token), "{expect:?} {token:?}");
            }
        }
    }
}
