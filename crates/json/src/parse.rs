//! Parsing JSON text strictly (RFC 8259), within limits.

use crate::{Map, Number, Value};
use std::fmt;

/// Limits on the size and nesting of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Nesting of lists and objects. Valid definitions stay below 20; the parser recurses once per
    /// level, so this also limits its stack.
    pub depth: usize,
    /// Bytes of text. Documents and definitions are far smaller; task graphs are scanned, not parsed.
    pub bytes: usize,
    /// Values of all kinds, including lists and objects. The smallest takes three bytes of text and
    /// seventy of memory.
    pub values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 128, bytes: 64 << 20, values: 4 << 20 }
    }
}

/// Why text is not an acceptable JSON value, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// Bytes before the position.
    pub offset: usize,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters (bytes where the text is not UTF-8), from 1.
    pub column: usize,
}

/// What is wrong with the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// More bytes than [`Limits::bytes`].
    TooLong,
    /// Deeper than [`Limits::depth`].
    TooDeep,
    /// More values than [`Limits::values`].
    TooMany,
    /// Not UTF-8.
    NotUtf8,
    /// The text ends inside a value.
    UnexpectedEnd,
    /// A character that is not allowed here.
    Unexpected(char),
    /// `NaN`, `Infinity` or `-Infinity`, which some writers produce and JSON does not have.
    NotFinite,
    /// A malformed number, one that is too long, or too large for a float.
    BadNumber,
    /// A wrong escape, an unescaped control character, or half a surrogate pair.
    BadString,
    /// The same key twice in one object.
    DuplicateKey(String),
    /// Data after the value.
    TrailingBytes,
}

impl ParseErrorKind {
    /// Whether the text may be JSON that only exceeds the limits.
    #[must_use]
    pub fn is_beyond_limits(&self) -> bool {
        matches!(self, Self::TooLong | Self::TooDeep | Self::TooMany)
    }
}

impl fmt::Display for ParseErrorKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => out.write_str("longer than the limit"),
            Self::TooDeep => out.write_str("nested deeper than the limit"),
            Self::TooMany => out.write_str("more values than the limit"),
            Self::NotUtf8 => out.write_str("not UTF-8"),
            Self::UnexpectedEnd => out.write_str("ends inside a value"),
            Self::Unexpected(character) => write!(out, "unexpected {character:?}"),
            Self::NotFinite => out.write_str("NaN and Infinity are not JSON"),
            Self::BadNumber => out.write_str("not a number that JSON can hold"),
            Self::BadString => out.write_str("not a string that JSON can hold"),
            Self::DuplicateKey(key) => write!(out, "the key {key:?} stands twice in one object"),
            Self::TrailingBytes => out.write_str("something follows the value"),
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {} column {}: {}", self.line, self.column, self.kind)
    }
}

impl std::error::Error for ParseError {}

/// Parses exactly one value.
///
/// # Errors
/// Anything that strict JSON refuses, a duplicate key, and anything beyond the limits.
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Value, ParseError> {
    if bytes.len() > limits.bytes {
        return Err(error_at(bytes, limits.bytes, ParseErrorKind::TooLong));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| error_at(bytes, error.valid_up_to(), ParseErrorKind::NotUtf8))?;
    let mut reader = Reader { bytes, text, offset: 0, depth_left: limits.depth, values_left: limits.values };
    let value = reader.value().and_then(|value| {
        reader.skip_space();
        if reader.peek().is_some() { Err(ParseErrorKind::TrailingBytes) } else { Ok(value) }
    });
    value.map_err(|kind| error_at(bytes, reader.offset, kind))
}

fn error_at(bytes: &[u8], offset: usize, kind: ParseErrorKind) -> ParseError {
    let before = bytes.get(..offset).unwrap_or(bytes);
    let lines = before.iter().filter(|byte| **byte == b'\n').count();
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at.saturating_add(1));
    let last = before.get(start..).unwrap_or_default();
    let characters = std::str::from_utf8(last).map_or(last.len(), |text| text.chars().count());
    ParseError { kind, offset, line: lines.saturating_add(1), column: characters.saturating_add(1) }
}

struct Reader<'a> {
    bytes: &'a [u8],
    text: &'a str,
    offset: usize,
    depth_left: usize,
    values_left: usize,
}

type Read<T> = Result<T, ParseErrorKind>;

/// For each byte, whether it needs special treatment in a string: a lookup table, since most of the
/// time is spent in strings.
#[allow(clippy::indexing_slicing)] // by the compiler
const ENDS_PLAIN: [bool; 256] = {
    let mut ends = [false; 256];
    let mut byte = 0_usize;
    while byte < ends.len() {
        ends[byte] = matches!(byte, 0..=0x1f | 0x22 | 0x5c);
        byte = byte.saturating_add(1);
    }
    ends
};

fn ends_plain(byte: &u8) -> bool {
    ENDS_PLAIN.get(usize::from(*byte)).copied().unwrap_or(true)
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Read<Value> {
        self.skip_space();
        self.values_left = self.values_left.checked_sub(1).ok_or(ParseErrorKind::TooMany)?;
        match self.peek() {
            None => Err(ParseErrorKind::UnexpectedEnd),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'a'..=b'z' | b'A'..=b'Z') => self.word(),
            Some(_) => Err(self.unexpected()),
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Read<Value>) -> Read<Value> {
        self.depth_left = self.depth_left.checked_sub(1).ok_or(ParseErrorKind::TooDeep)?;
        self.advance(1);
        let value = read(self)?;
        self.depth_left = self.depth_left.saturating_add(1);
        Ok(value)
    }

    fn array(&mut self) -> Read<Value> {
        let mut items = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value()?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            self.require(b',')?;
        }
    }

    fn object(&mut self) -> Read<Value> {
        let mut members = Map::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected());
            }
            let start = self.offset;
            let key = self.string()?;
            if members.contains_key(&key) {
                self.offset = start;
                return Err(ParseErrorKind::DuplicateKey(key));
            }
            self.skip_space();
            self.require(b':')?;
            let value = self.value()?;
            members.append(key, value);
            self.skip_space();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            self.require(b',')?;
        }
    }

    fn number(&mut self) -> Read<Value> {
        let start = self.offset;
        while matches!(self.peek(), Some(b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
            self.advance(1);
        }
        let text = self.text.get(start..self.offset).unwrap_or_default();
        if text == "-" && self.rest().starts_with(b"Infinity") {
            return Err(ParseErrorKind::NotFinite);
        }
        Number::parse(text).map(Value::Number).ok_or_else(|| {
            self.offset = start;
            ParseErrorKind::BadNumber
        })
    }

    fn word(&mut self) -> Read<Value> {
        for (word, value) in
            [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)]
        {
            if self.rest().starts_with(word.as_bytes()) {
                self.advance(word.len());
                return Ok(value);
            }
        }
        let infinite = self.rest().starts_with(b"NaN") || self.rest().starts_with(b"Infinity");
        Err(if infinite { ParseErrorKind::NotFinite } else { self.unexpected() })
    }

    /// Parses a string that starts here. Nearly all are one run of plain characters, allocated without
    /// spare capacity.
    fn string(&mut self) -> Read<String> {
        self.advance(1);
        let mut result = self.plain()?.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.advance(1);
                    return Ok(result);
                }
                Some(b'\\') => result.push(self.escape()?),
                _ => return Err(ParseErrorKind::BadString),
            }
            result.push_str(self.plain()?);
        }
    }

    /// A run of plain characters in a string, up to a special one.
    fn plain(&mut self) -> Read<&'a str> {
        let start = self.offset;
        let length = self.rest().iter().position(ends_plain).ok_or(ParseErrorKind::UnexpectedEnd)?;
        self.advance(length);
        Ok(self.text.get(start..self.offset).unwrap_or_default())
    }

    fn escape(&mut self) -> Read<char> {
        self.advance(1);
        let byte = self.peek().ok_or(ParseErrorKind::UnexpectedEnd)?;
        self.advance(1);
        Ok(match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(ParseErrorKind::BadString),
        })
    }

    /// The four digits of `\uXXXX`, and the second half of a surrogate pair if the first half requires
    /// it.
    fn unicode(&mut self) -> Read<char> {
        let first = self.unit()?;
        let second = if (0xd800..0xdc00).contains(&first) {
            if !self.rest().starts_with(b"\\u") {
                return Err(ParseErrorKind::BadString);
            }
            self.advance(2);
            Some(self.unit()?)
        } else {
            None
        };
        let mut decoded = char::decode_utf16(std::iter::once(first).chain(second));
        match (decoded.next(), decoded.next()) {
            (Some(Ok(character)), None) => Ok(character),
            _ => Err(ParseErrorKind::BadString),
        }
    }

    fn unit(&mut self) -> Read<u16> {
        let end = self.offset.saturating_add(4);
        let digits = self.bytes.get(self.offset..end).ok_or(ParseErrorKind::UnexpectedEnd)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(ParseErrorKind::BadString);
        }
        let text = self.text.get(self.offset..end).ok_or(ParseErrorKind::BadString)?;
        self.offset = end;
        u16::from_str_radix(text, 16).map_err(|_| ParseErrorKind::BadString)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.advance(1);
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.advance(1);
        }
        found
    }

    fn require(&mut self, byte: u8) -> Read<()> {
        if self.take(byte) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> ParseErrorKind {
        let next = self.text.get(self.offset..).and_then(|rest| rest.chars().next());
        next.map_or(ParseErrorKind::UnexpectedEnd, ParseErrorKind::Unexpected)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.offset).copied()
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.offset..).unwrap_or_default()
    }

    fn advance(&mut self, bytes: usize) {
        self.offset = self.offset.saturating_add(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kind(text: &str) -> ParseErrorKind {
        parse(text.as_bytes(), &Limits::default()).unwrap_err().kind
    }

    #[test]
    fn strict_json_refuses_these_texts() {
        assert_eq!(kind(""), ParseErrorKind::UnexpectedEnd);
        assert_eq!(kind("{\"a\":1"), ParseErrorKind::UnexpectedEnd);
        assert_eq!(kind("[1,]"), ParseErrorKind::Unexpected(']'));
        assert_eq!(kind("{a: 1}"), ParseErrorKind::Unexpected('a'));
        assert_eq!(kind("[NaN]"), ParseErrorKind::NotFinite);
        assert_eq!(kind("-Infinity"), ParseErrorKind::NotFinite);
        assert_eq!(kind("Infinity"), ParseErrorKind::NotFinite);
        assert_eq!(kind("1e999"), ParseErrorKind::BadNumber);
        assert_eq!(kind("01"), ParseErrorKind::BadNumber);
        assert_eq!(kind("\"\\x\""), ParseErrorKind::BadString);
        assert_eq!(kind("\"\\ud800\""), ParseErrorKind::BadString);
        assert_eq!(kind("\"\\ud800\\u0041\""), ParseErrorKind::BadString);
        assert_eq!(kind("\"\\udc00\""), ParseErrorKind::BadString);
        assert_eq!(kind("\"\\u+041\""), ParseErrorKind::BadString);
        assert_eq!(kind("\"\n\""), ParseErrorKind::BadString);
        assert_eq!(kind("{} {}"), ParseErrorKind::TrailingBytes);
        assert_eq!(kind("{\"a\":{\"b\":1,\"\\u0062\":2}}"), ParseErrorKind::DuplicateKey("b".to_owned()));
        assert_eq!(parse(b"\"\xff\"", &Limits::default()).unwrap_err().kind, ParseErrorKind::NotUtf8);
    }

    #[test]
    fn errors_name_the_place() {
        let error = parse("{\n  \"é\": tru\n}".as_bytes(), &Limits::default()).unwrap_err();
        assert_eq!((error.line, error.column), (2, 8));
        assert_eq!(error.to_string(), "line 2 column 8: unexpected 't'");
    }

    #[test]
    fn limits_hold_and_the_deepest_allowed_is_read() {
        let limits = Limits { depth: 3, bytes: 16, values: 6 };
        assert!(parse(b"[1,{\"a\":2},[],4]", &Limits { bytes: 20, ..limits }).is_ok());
        let seven = parse(b"[1,{\"a\":2},[],4,5]", &Limits { bytes: 20, ..limits });
        assert_eq!(seven.unwrap_err().kind, ParseErrorKind::TooMany);
        assert!(parse(b"[[[]]]", &limits).is_ok());
        assert_eq!(parse(b"[[[[]]]]", &limits).unwrap_err().kind, ParseErrorKind::TooDeep);
        assert!(parse(b"[[],[],[[]]]", &limits).is_ok(), "depth is given back");
        assert_eq!(parse(&[b' '; 17], &limits).unwrap_err().kind, ParseErrorKind::TooLong);
        let deep = "[".repeat(1 << 20);
        assert_eq!(kind(&deep), ParseErrorKind::TooDeep);
    }

    #[test]
    fn exceeded_limits_and_malformed_json_are_different_errors() {
        let limits = Limits { depth: 2, bytes: 8, values: 3 };
        let beyond = |text: &str| parse(text.as_bytes(), &limits).unwrap_err().kind.is_beyond_limits();
        for text in ["[[[]]]", "[1,2,3]", "[1,     2]"] {
            assert!(beyond(text), "{text}");
        }
        for text in ["[[", "[1,]", "{\"a\":1,", "[] []", "NaN"] {
            assert!(!beyond(text), "{text}");
        }
    }

    #[test]
    fn strings_are_decoded() {
        let value = parse(br#""a\u00e9\ud83d\ude00\/\b""#, &Limits::default()).unwrap();
        assert_eq!(value.as_str(), Some("aé😀/\u{8}"));
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_filter_map("finite", |f| Number::from_f64(f).map(Value::Number)),
            any::<String>().prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::vec((any::<String>(), inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_reads_back(value in any_value()) {
            let text = value.to_string();
            prop_assert_eq!(parse(text.as_bytes(), &Limits::default()), Ok(value));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            let _ = parse(&bytes, &Limits::default());
        }
    }
}
