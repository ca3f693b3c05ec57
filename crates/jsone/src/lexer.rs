//! Expressions as tokens, read one at a time and once only.

use crate::error::{ErrorKind, Fault};
use crate::text::is_space;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Brackets, operators and other punctuation; the token's text tells which.
    Symbol(&'static str),
    True,
    False,
    In,
    Null,
    Number,
    Identifier,
    String,
}

impl TokenKind {
    /// The name messages use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Symbol(symbol) => symbol,
            Self::True => "true",
            Self::False => "false",
            Self::In => "in",
            Self::Null => "null",
            Self::Number => "number",
            Self::Identifier => "identifier",
            Self::String => "string",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: TokenKind,
    pub(crate) text: &'a str,
    /// Where it begins in the whole text, in bytes.
    pub(crate) start: usize,
}

/// Longest first, where one begins with another.
const SYMBOLS: [&str; 23] = [
    "**", "+", "-", "*", "/", "[", "]", ".", "(", ")", "{", "}", ":", ",", ">=", "<=", "<", ">", "==", "!=",
    "!", "&&", "||",
];

pub(crate) struct Lexer<'a> {
    /// From the expression's start to the end of the text it stands in.
    input: &'a str,
    rest: &'a str,
    /// Where `rest` begins in the whole text.
    offset: usize,
}

impl<'a> Lexer<'a> {
    /// Reads an expression that begins at an offset of a text and may go on to its end.
    pub(crate) fn new(text: &'a str, offset: usize) -> Self {
        let input = text.get(offset..).unwrap_or("");
        Self { input, rest: input, offset }
    }

    /// The next token; none at the end of the text.
    pub(crate) fn next(&mut self) -> Result<Option<Token<'a>>, Fault> {
        let trimmed = self.rest.trim_start_matches(is_space);
        self.advance(self.rest.len().saturating_sub(trimmed.len()));
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        let Some((kind, length)) = measure(self.rest, first) else { return Err(self.unexpected()) };
        let start = self.offset;
        let text = self.advance(length);
        Ok(Some(Token { kind, text, start }))
    }

    fn advance(&mut self, length: usize) -> &'a str {
        let (text, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        self.offset = self.offset.saturating_add(text.len());
        text
    }

    fn unexpected(&self) -> Fault {
        let kind =
            ErrorKind::UnexpectedInput { input: self.input.to_owned(), remainder: self.rest.to_owned() };
        Fault::from(kind).at(self.offset)
    }
}

/// Kind and length of the token at the beginning of a text.
fn measure(text: &str, first: char) -> Option<(TokenKind, usize)> {
    match first {
        'a'..='z' | 'A'..='Z' | '_' => {
            let length = run(text, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
            Some((word(text.get(..length)?), length))
        }
        '0'..='9' => Some((TokenKind::Number, number_length(text)?)),
        '\'' | '"' => {
            let inside = text.get(1..)?.find(first)?;
            Some((TokenKind::String, inside.checked_add(2)?))
        }
        _ => {
            let symbol = SYMBOLS.into_iter().find(|symbol| text.starts_with(symbol))?;
            Some((TokenKind::Symbol(symbol), symbol.len()))
        }
    }
}

fn word(text: &str) -> TokenKind {
    match text {
        "true" => TokenKind::True,
        "false" => TokenKind::False,
        "in" => TokenKind::In,
        "null" => TokenKind::Null,
        _ => TokenKind::Identifier,
    }
}

/// `[0-9]+(\.[0-9]+)?`
fn number_length(text: &str) -> Option<usize> {
    let whole = run(text, |byte| byte.is_ascii_digit());
    let fraction =
        text.get(whole..)?.strip_prefix('.').map_or(0, |digits| run(digits, |byte| byte.is_ascii_digit()));
    // A point without digits after it is a token of its own.
    if fraction == 0 { Some(whole) } else { whole.checked_add(1)?.checked_add(fraction) }
}

fn run(text: &str, keep: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| keep(*byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Result<Vec<(&'static str, &str)>, ErrorKind> {
        let mut lexer = Lexer::new(text, 0);
        let mut found = Vec::new();
        while let Some(token) = lexer.next().map_err(|fault| fault.finish().kind)? {
            assert!(text.get(token.start..).unwrap().starts_with(token.text));
            found.push((token.kind.name(), token.text));
        }
        Ok(found)
    }

    #[test]
    fn every_kind_of_token() {
        assert_eq!(
            tokens("a**b>=1.5 in 'x \" y' truex true").unwrap(),
            [
                ("identifier", "a"),
                ("**", "**"),
                ("identifier", "b"),
                (">=", ">="),
                ("number", "1.5"),
                ("in", "in"),
                ("string", "'x \" y'"),
                ("identifier", "truex"),
                ("true", "true"),
            ]
        );
        for symbol in SYMBOLS {
            assert_eq!(tokens(symbol).unwrap(), [(symbol, symbol)]);
        }
    }

    #[test]
    fn points_without_digits_are_tokens() {
        assert_eq!(tokens("1.").unwrap(), [("number", "1"), (".", ".")]);
        assert_eq!(tokens("1.a").unwrap(), [("number", "1"), (".", "."), ("identifier", "a")]);
        assert_eq!(tokens("1.5.2").unwrap(), [("number", "1.5"), (".", "."), ("number", "2")]);
    }

    #[test]
    fn white_space_is_unicodes_and_the_separators() {
        assert_eq!(tokens(" \t\n\u{a0}\u{2003}\u{1c}\u{85}1 ").unwrap(), [("number", "1")]);
        assert_eq!(tokens(" \n").unwrap(), []);
    }

    #[test]
    fn other_characters_are_refused_with_what_is_left() {
        for (text, remainder) in
            [("a = b", "= b"), ("'abc", "'abc"), ("é", "é"), ("1 & 2", "& 2"), ("\u{200b}", "\u{200b}")]
        {
            assert_eq!(
                tokens(text),
                Err(ErrorKind::UnexpectedInput { input: text.to_owned(), remainder: remainder.to_owned() })
            );
        }
    }

    #[test]
    fn text_after_a_token_is_not_read() {
        let mut lexer = Lexer::new("${a} # 'open", 2);
        assert_eq!(lexer.next().unwrap().unwrap().text, "a");
        assert_eq!(lexer.next().unwrap().unwrap().start, 3);
        let fault = lexer.next().unwrap_err().finish();
        assert_eq!(
            fault.kind,
            ErrorKind::UnexpectedInput { input: "a} # 'open".to_owned(), remainder: "# 'open".to_owned() }
        );
    }
}
