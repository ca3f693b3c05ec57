//! The text as characters with a position: decoding, refused characters, line breaks.

use crate::error::{Error, ErrorKind, LimitKind, Mark};
use crate::limits::Limits;

/// What [`Reader::peek`] gives after the last character. No text holds it: it is not printable.
pub(crate) const END: char = '\0';

/// A line break as YAML 1.1 has them.
pub(crate) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// A line break or the end of the text.
pub(crate) fn is_break_or_end(c: char) -> bool {
    is_break(c) || c == END
}

/// A space, a line break or the end of the text.
pub(crate) fn is_space_or_end(c: char) -> bool {
    c == ' ' || is_break_or_end(c)
}

/// A space, a tab, a line break or the end of the text.
pub(crate) fn is_blank_or_end(c: char) -> bool {
    c == '\t' || is_space_or_end(c)
}

/// Turns bytes into text: UTF-16 when they start with its byte order mark, else UTF-8.
pub(crate) fn decode(bytes: &[u8]) -> Result<String, Error> {
    let refused = || Error::new(ErrorKind::Encoding, Mark::START);
    let unit: fn([u8; 2]) -> u16 = match bytes {
        [0xFF, 0xFE, ..] => u16::from_le_bytes,
        [0xFE, 0xFF, ..] => u16::from_be_bytes,
        _ => return std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| refused()),
    };
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(refused());
    }
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect::<Result<_, _>>().map_err(|_| refused())
}

fn is_printable(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{A0}'..='\u{FFFD}' | '\u{10000}'..)
}

/// A cursor over the characters of a text.
pub(crate) struct Reader {
    chars: Vec<char>,
    index: usize,
    line: usize,
    column: usize,
}

impl Reader {
    /// Checks the size and every character of `text`.
    pub(crate) fn new(text: &str, limits: &Limits) -> Result<Self, Error> {
        limits.check(LimitKind::Bytes, text.len(), Mark::START)?;
        let mut reader = Self { chars: text.chars().collect(), index: 0, line: 0, column: 0 };
        if let Some(at) = reader.chars.iter().position(|&c| !is_printable(c)) {
            let refused = reader.peek(at);
            reader.forward(at);
            return Err(Error::new(ErrorKind::Unprintable(refused), reader.mark()));
        }
        Ok(reader)
    }

    /// The character `ahead` places after the cursor, or [`END`].
    pub(crate) fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.index.saturating_add(ahead)).copied().unwrap_or(END)
    }

    /// The character at the cursor, or [`END`].
    pub(crate) fn current(&self) -> char {
        self.peek(0)
    }

    /// Moves over `count` characters, or to the end.
    pub(crate) fn forward(&mut self, count: usize) {
        for _ in 0..count {
            let Some(&c) = self.chars.get(self.index) else { return };
            self.index = self.index.saturating_add(1);
            if is_break(c) && !(c == '\r' && self.current() == '\n') {
                self.line = self.line.saturating_add(1);
                self.column = 0;
            } else if c != '\u{FEFF}' {
                // A byte order mark has no width.
                self.column = self.column.saturating_add(1);
            }
        }
    }

    /// Moves over `count` characters and gives them to `into`.
    pub(crate) fn take(&mut self, count: usize, into: &mut String) {
        let end = self.index.saturating_add(count).min(self.chars.len());
        into.extend(self.chars.get(self.index..end).unwrap_or_default());
        self.forward(count);
    }

    /// Counts the characters from the cursor on for which `accept` holds. `accept` must refuse [`END`].
    pub(crate) fn count_while(&self, accept: impl Fn(char) -> bool) -> usize {
        let rest = self.chars.get(self.index..).unwrap_or_default();
        rest.iter().take_while(|&&c| accept(c)).count()
    }

    /// Moves over the characters for which `accept` holds.
    pub(crate) fn skip_while(&mut self, accept: impl Fn(char) -> bool) {
        self.forward(self.count_while(accept));
    }

    /// Moves over one line break, if there is one, and gives what it stands for in a scalar: a newline,
    /// or the Unicode separator itself.
    pub(crate) fn line_break(&mut self) -> Option<char> {
        let c = self.current();
        if !is_break(c) {
            return None;
        }
        self.forward(if c == '\r' && self.peek(1) == '\n' { 2 } else { 1 });
        Some(if matches!(c, '\u{2028}' | '\u{2029}') { c } else { '\n' })
    }

    /// Whether `marker` (`---` or `...`) stands here, followed by a blank or the end. The caller has
    /// checked that this is the first column.
    pub(crate) fn is_document_marker(&self, marker: char) -> bool {
        (0..3).all(|ahead| self.peek(ahead) == marker) && is_blank_or_end(self.peek(3))
    }

    /// Whether either document marker stands here.
    pub(crate) fn is_any_document_marker(&self) -> bool {
        self.is_document_marker('-') || self.is_document_marker('.')
    }

    /// Characters read so far.
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// The line, counted from 0.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    /// The column, counted from 0.
    pub(crate) fn column(&self) -> usize {
        self.column
    }

    /// The position for people.
    pub(crate) fn mark(&self) -> Mark {
        Mark { line: self.line.saturating_add(1), column: self.column.saturating_add(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_of_yaml_1_1_count() {
        let mut reader = Reader::new("a\r\nb\rc\u{85}d\u{2028}e\u{FEFF}f", &Limits::default()).unwrap();
        let mut lines = Vec::new();
        while reader.current() != END {
            lines.push((reader.current(), reader.line(), reader.column()));
            reader.forward(1);
        }
        lines.retain(|(c, ..)| c.is_ascii_alphabetic());
        assert_eq!(lines, [('a', 0, 0), ('b', 1, 0), ('c', 2, 0), ('d', 3, 0), ('e', 4, 0), ('f', 4, 1)]);
    }

    #[test]
    fn utf_16_needs_its_mark_and_whole_units() {
        assert_eq!(decode(b"\xFF\xFEa\0").unwrap(), "\u{FEFF}a");
        assert_eq!(decode(b"\xFE\xFF\0a").unwrap(), "\u{FEFF}a");
        for refused in [&b"\xFF\xFEa"[..], b"\xFF\xFE\0\xD8", b"\xC3"] {
            assert_eq!(decode(refused).unwrap_err().kind, ErrorKind::Encoding);
        }
    }

    #[test]
    fn unprintable_characters_are_refused_with_positions() {
        let error = Reader::new("a\nb\u{7}", &Limits::default()).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Unprintable('\u{7}'));
        assert_eq!(error.mark, Mark { line: 2, column: 2 });
    }
}
