//! Block scalars, quoted scalars and plain scalars.

use super::{Scanner, Token, column_of};
use crate::error::{Error, ErrorKind, Mark};
use crate::reader::{END, is_blank_or_end, is_break, is_break_or_end, is_space_or_end};

/// What happens to the line breaks at the end of a block scalar.
#[derive(Clone, Copy, PartialEq)]
enum Chomping {
    /// `-`: none is kept.
    Strip,
    /// The first is kept.
    Clip,
    /// `+`: all are kept.
    Keep,
}

fn is_tab_or_space(c: char) -> bool {
    c == ' ' || c == '\t'
}

/// Block scalars.
impl Scanner {
    pub(super) fn scan_block_scalar(&mut self, folded: bool) -> Result<Token, Error> {
        self.reader.forward(1);
        let (chomping, increment) = self.scan_block_header()?;
        self.skip_rest_of_line()?;
        let (indent, mut breaks) = self.scan_block_start(increment);
        let mut text = String::new();
        let mut last_break = None;
        while self.reader.column() == indent && self.reader.current() != END {
            text.push_str(&breaks);
            let starts_with_text = !is_tab_or_space(self.reader.current());
            self.reader.take(self.reader.count_while(|c| !is_break_or_end(c)), &mut text);
            last_break = self.reader.line_break();
            breaks = self.scan_block_breaks(indent);
            if self.reader.column() != indent || self.reader.current() == END {
                break;
            }
            // Two lines of text fold into one; a line that starts with a blank is never folded.
            if folded
                && last_break == Some('\n')
                && starts_with_text
                && !is_tab_or_space(self.reader.current())
            {
                if breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.extend(last_break);
            }
            last_break = None;
        }
        if chomping != Chomping::Strip {
            text.extend(last_break);
        }
        if chomping == Chomping::Keep {
            text.push_str(&breaks);
        }
        Ok(Token::Scalar { text, plain: false })
    }

    /// The column of the scalar's lines, and the empty lines before the first of them.
    fn scan_block_start(&mut self, increment: Option<usize>) -> (usize, String) {
        let least = usize::try_from(self.indent.saturating_add(1)).unwrap_or(0).max(1);
        if let Some(increment) = increment {
            let indent = least.saturating_add(increment).saturating_sub(1);
            return (indent, self.scan_block_breaks(indent));
        }
        let (deepest, breaks) = self.scan_block_indentation();
        (least.max(deepest), breaks)
    }

    /// The chomping indicator and the indentation indicator, in either order.
    fn scan_block_header(&mut self) -> Result<(Chomping, Option<usize>), Error> {
        let (mut chomping, mut increment) = (None, None);
        loop {
            match self.reader.current() {
                '+' if chomping.is_none() => chomping = Some(Chomping::Keep),
                '-' if chomping.is_none() => chomping = Some(Chomping::Strip),
                c @ '1'..='9' if increment.is_none() => {
                    increment = c.to_digit(10).and_then(|digit| usize::try_from(digit).ok());
                }
                c if is_space_or_end(c) => return Ok((chomping.unwrap_or(Chomping::Clip), increment)),
                _ => return Err(Error::syntax("not a block scalar's header", self.reader.mark())),
            }
            self.reader.forward(1);
        }
    }

    /// The empty lines before the first line of text, and the widest indentation among them and it.
    fn scan_block_indentation(&mut self) -> (usize, String) {
        let (mut deepest, mut breaks) = (0, String::new());
        loop {
            self.reader.skip_while(|c| c == ' ');
            deepest = deepest.max(self.reader.column());
            match self.reader.line_break() {
                Some(c) => breaks.push(c),
                None => return (deepest, breaks),
            }
        }
    }

    /// The empty lines before the next line of text; moves to its indentation.
    fn scan_block_breaks(&mut self, indent: usize) -> String {
        let mut breaks = String::new();
        loop {
            while self.reader.column() < indent && self.reader.current() == ' ' {
                self.reader.forward(1);
            }
            match self.reader.line_break() {
                Some(c) => breaks.push(c),
                None => return breaks,
            }
        }
    }
}

/// Quoted scalars.
impl Scanner {
    pub(super) fn scan_quoted(&mut self, quote: char) -> Result<Token, Error> {
        let start = self.reader.mark();
        self.reader.forward(1);
        let mut text = String::new();
        self.scan_quoted_text(quote, start, &mut text)?;
        while self.reader.current() != quote {
            self.scan_quoted_spaces(start, &mut text)?;
            self.scan_quoted_text(quote, start, &mut text)?;
        }
        self.reader.forward(1);
        Ok(Token::Scalar { text, plain: false })
    }

    /// Reads up to the closing quote or a blank.
    fn scan_quoted_text(&mut self, quote: char, start: Mark, text: &mut String) -> Result<(), Error> {
        loop {
            let length = self.reader.count_while(|c| !is_blank_or_end(c) && !"'\"\\".contains(c));
            self.reader.take(length, text);
            match self.reader.current() {
                '\'' if quote == '\'' && self.reader.peek(1) == '\'' => {
                    text.push('\'');
                    self.reader.forward(2);
                }
                '\\' if quote == '"' => self.scan_escape(start, text)?,
                c @ ('\'' | '"' | '\\') if c != quote => self.reader.take(1, text),
                _ => return Ok(()),
            }
        }
    }

    fn scan_escape(&mut self, start: Mark, text: &mut String) -> Result<(), Error> {
        self.reader.forward(1);
        let c = self.reader.current();
        if is_break(c) {
            self.reader.line_break();
            return self.scan_quoted_breaks(start, text);
        }
        let length = match c {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => {
                text.push(self.single_escape(c)?);
                self.reader.forward(1);
                return Ok(());
            }
        };
        self.reader.forward(1);
        let mark = self.reader.mark();
        let code = self.scan_hex(length, "an escape needs its hexadecimal digits")?;
        if (0xD800..0xE000).contains(&code) {
            // Python keeps half of a surrogate pair in its string; no UTF-8 text can.
            return Err(Error::new(ErrorKind::Unsupported { what: "an escaped surrogate" }, mark));
        }
        text.push(char::from_u32(code).ok_or(Error::syntax("an escape is beyond U+10FFFF", mark))?);
        Ok(())
    }

    fn single_escape(&self, c: char) -> Result<char, Error> {
        Ok(match c {
            '0' => '\0',
            'a' => '\u{7}',
            'b' => '\u{8}',
            't' | '\t' => '\t',
            'n' => '\n',
            'v' => '\u{B}',
            'f' => '\u{C}',
            'r' => '\r',
            'e' => '\u{1B}',
            ' ' | '"' | '\\' | '/' => c,
            'N' => '\u{85}',
            '_' => '\u{A0}',
            'L' => '\u{2028}',
            'P' => '\u{2029}',
            _ => return Err(Error::syntax("an unknown escape", self.reader.mark())),
        })
    }

    /// Blanks inside of a line are kept; around a line break they are dropped and the break is folded.
    fn scan_quoted_spaces(&mut self, start: Mark, text: &mut String) -> Result<(), Error> {
        let mut blanks = String::new();
        self.reader.take(self.reader.count_while(is_tab_or_space), &mut blanks);
        if self.reader.current() == END {
            return Err(Error::syntax("a quoted scalar without its end", start));
        }
        match self.reader.line_break() {
            None => text.push_str(&blanks),
            Some(first) => {
                let mut breaks = String::new();
                self.scan_quoted_breaks(start, &mut breaks)?;
                push_folded(first, &breaks, text);
            }
        }
        Ok(())
    }

    fn scan_quoted_breaks(&mut self, start: Mark, breaks: &mut String) -> Result<(), Error> {
        loop {
            // Each round starts in the first column.
            if self.reader.is_any_document_marker() {
                return Err(Error::syntax("a document marker inside of a quoted scalar", start));
            }
            self.reader.skip_while(is_tab_or_space);
            match self.reader.line_break() {
                Some(c) => breaks.push(c),
                None => return Ok(()),
            }
        }
    }
}

/// Plain scalars.
impl Scanner {
    pub(super) fn scan_plain(&mut self) -> Result<Token, Error> {
        let indent = self.indent.saturating_add(1);
        let (mut text, mut spaces) = (String::new(), String::new());
        while self.reader.current() != '#' {
            let length = self.count_plain();
            if length == 0 {
                break;
            }
            self.key_allowed = false;
            text.push_str(&spaces);
            self.reader.take(length, &mut text);
            spaces = self.scan_plain_spaces();
            if spaces.is_empty() || (!self.in_flow() && column_of(self.reader.column()) < indent) {
                break;
            }
        }
        Ok(Token::Scalar { text, plain: true })
    }

    /// How many characters of plain text stand here, up to a blank or an indicator.
    fn count_plain(&self) -> usize {
        let flow = self.in_flow();
        let mut length = 0_usize;
        loop {
            let c = self.reader.peek(length);
            let next = self.reader.peek(length.saturating_add(1));
            let ends = is_blank_or_end(c)
                || (c == ':' && (is_blank_or_end(next) || (flow && ",[]{}".contains(next))))
                || (flow && ",?[]{}".contains(c));
            if ends {
                return length;
            }
            length = length.saturating_add(1);
        }
    }

    /// What stands for the blanks before the next plain text; empty when the scalar ends here.
    fn scan_plain_spaces(&mut self) -> String {
        let mut blanks = String::new();
        self.reader.take(self.reader.count_while(|c| c == ' '), &mut blanks);
        let Some(first) = self.reader.line_break() else { return blanks };
        self.key_allowed = true;
        let mut breaks = String::new();
        loop {
            if self.reader.is_any_document_marker() {
                return String::new();
            }
            self.reader.skip_while(|c| c == ' ');
            match self.reader.line_break() {
                Some(c) => breaks.push(c),
                None => break,
            }
        }
        let mut folded = String::new();
        push_folded(first, &breaks, &mut folded);
        folded
    }
}

/// One line break becomes a space, more lose the first; a Unicode separator is always kept.
fn push_folded(first: char, breaks: &str, text: &mut String) {
    if first != '\n' {
        text.push(first);
    } else if breaks.is_empty() {
        text.push(' ');
    }
    text.push_str(breaks);
}
