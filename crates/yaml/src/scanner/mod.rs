//! Characters to tokens, as YAML 1.1 and `PyYAML` cut them.
//!
//! The one thing that needs thought is the simple key: in `a: b` the scanner learns that `a` was a key
//! only at the colon. A token that may turn out to be a key is therefore held back until the colon, the
//! end of its line or 1024 characters, whichever comes first. That also bounds how far the scanner runs
//! ahead of its reader.

mod properties;
mod scalars;

use std::collections::VecDeque;

use crate::error::{Error, Mark};
use crate::reader::{END, Reader, is_blank_or_end, is_break_or_end};

/// A simple key may be this many characters long, and must end on its line.
const SIMPLE_KEY_LENGTH: usize = 1024;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Directive(Directive),
    DocumentStart,
    DocumentEnd,
    StreamEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(String),
    Anchor(String),
    Tag { handle: Option<String>, suffix: String },
    Scalar { text: String, plain: bool },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Directive {
    /// `%YAML`; only major version 1 is read.
    Yaml {
        major_is_one: bool,
    },
    Tag {
        handle: String,
        prefix: String,
    },
    Other,
}

/// A token that may turn out to start a simple key.
#[derive(Clone, Copy)]
struct SimpleKey {
    /// How many tokens of the stream come before it.
    number: usize,
    /// It stands where the block mapping around it must have a key.
    required: bool,
    index: usize,
    line: usize,
    column: usize,
    mark: Mark,
}

pub(crate) struct Scanner {
    reader: Reader,
    /// Tokens scanned and not yet handed out.
    queue: VecDeque<(Token, Mark)>,
    /// How many tokens were handed out.
    taken: usize,
    finished: bool,
    /// Column of the block collection around the cursor; -1 outside of all.
    indent: isize,
    /// The columns of the block collections around that one.
    indents: Vec<isize>,
    /// The possible key of each flow level, from the block context (the first) inwards.
    possible_keys: Vec<Option<SimpleKey>>,
    /// A simple key (or a block collection) may start at the cursor.
    key_allowed: bool,
}

impl Scanner {
    pub(crate) fn new(reader: Reader) -> Self {
        Self {
            reader,
            queue: VecDeque::new(),
            taken: 0,
            finished: false,
            indent: -1,
            indents: Vec::new(),
            possible_keys: vec![None],
            key_allowed: true,
        }
    }

    /// The next token, without taking it. After the last it is [`Token::StreamEnd`] for ever.
    pub(crate) fn peek(&mut self) -> Result<(&Token, Mark), Error> {
        while self.needs_more()? {
            self.scan_next()?;
        }
        let end = self.reader.mark();
        Ok(self.queue.front().map_or((&Token::StreamEnd, end), |(token, mark)| (token, *mark)))
    }

    /// Takes the next token.
    pub(crate) fn next(&mut self) -> Result<(Token, Mark), Error> {
        self.peek()?;
        self.taken = self.taken.saturating_add(1);
        let end = self.reader.mark();
        Ok(self.queue.pop_front().unwrap_or((Token::StreamEnd, end)))
    }

    fn needs_more(&mut self) -> Result<bool, Error> {
        if self.finished {
            return Ok(false);
        }
        if self.queue.is_empty() {
            return Ok(true);
        }
        self.drop_stale_keys()?;
        // Keys of outer levels come first in the stream.
        let first = self.possible_keys.iter().flatten().next();
        Ok(first.is_some_and(|key| key.number == self.taken))
    }

    fn in_flow(&self) -> bool {
        self.possible_keys.len() > 1
    }

    fn push(&mut self, token: Token) {
        let mark = self.reader.mark();
        self.queue.push_back((token, mark));
    }

    /// Queues `token` and moves over its `width` characters.
    fn push_over(&mut self, token: Token, width: usize) {
        self.push(token);
        self.reader.forward(width);
    }

    fn scan_next(&mut self) -> Result<(), Error> {
        self.skip_to_token();
        self.drop_stale_keys()?;
        self.unwind_indent(column_of(self.reader.column()));
        let (c, next) = (self.reader.current(), self.reader.peek(1));
        let (flow, first_column) = (self.in_flow(), self.reader.column() == 0);
        match c {
            END => self.stream_end(),
            '%' if first_column => self.directive(),
            '-' if first_column && self.reader.is_document_marker('-') => {
                self.document_marker(Token::DocumentStart)
            }
            '.' if first_column && self.reader.is_document_marker('.') => {
                self.document_marker(Token::DocumentEnd)
            }
            '[' => self.flow_start(Token::FlowSequenceStart),
            '{' => self.flow_start(Token::FlowMappingStart),
            ']' => self.flow_end(Token::FlowSequenceEnd),
            '}' => self.flow_end(Token::FlowMappingEnd),
            ',' => self.flow_entry(),
            '-' if is_blank_or_end(next) => self.block_entry(),
            '?' if flow || is_blank_or_end(next) => self.explicit_key(),
            ':' if flow || is_blank_or_end(next) => self.value(),
            '*' => self.property(Self::scan_alias),
            '&' => self.property(Self::scan_anchor),
            '!' => self.property(Self::scan_tag),
            '|' if !flow => self.block_scalar(false),
            '>' if !flow => self.block_scalar(true),
            '\'' => self.property(|scanner| scanner.scan_quoted('\'')),
            '"' => self.property(|scanner| scanner.scan_quoted('"')),
            _ if starts_plain(c) => self.property(Self::scan_plain),
            // These start a plain scalar when a character follows; `-` in flow context as well.
            '-' | '?' | ':' => self.property(Self::scan_plain),
            _ => Err(Error::syntax("a character that cannot start a token", self.reader.mark())),
        }
    }

    /// Moves over spaces, comments and line breaks. A tab is not a space here: it starts no token.
    fn skip_to_token(&mut self) {
        if self.reader.index() == 0 && self.reader.current() == '\u{FEFF}' {
            self.reader.forward(1);
        }
        loop {
            self.reader.skip_while(|c| c == ' ');
            self.skip_comment();
            if self.reader.line_break().is_none() {
                return;
            }
            if !self.in_flow() {
                self.key_allowed = true;
            }
        }
    }

    fn skip_comment(&mut self) {
        if self.reader.current() == '#' {
            self.reader.skip_while(|c| !is_break_or_end(c));
        }
    }
}

/// Simple keys.
impl Scanner {
    /// Forgets possible keys whose line has ended or that grew too long.
    fn drop_stale_keys(&mut self) -> Result<(), Error> {
        let (line, index) = (self.reader.line(), self.reader.index());
        for slot in &mut self.possible_keys {
            if let Some(key) = slot
                && (key.line != line || index.saturating_sub(key.index) > SIMPLE_KEY_LENGTH)
            {
                if key.required {
                    return Err(Error::syntax("a key without ':'", key.mark));
                }
                *slot = None;
            }
        }
        Ok(())
    }

    /// Notes that the token about to be scanned may be a key.
    fn note_possible_key(&mut self) -> Result<(), Error> {
        if !self.key_allowed {
            return Ok(());
        }
        self.forget_possible_key()?;
        let column = self.reader.column();
        let key = SimpleKey {
            number: self.taken.saturating_add(self.queue.len()),
            required: !self.in_flow() && self.indent == column_of(column),
            index: self.reader.index(),
            line: self.reader.line(),
            column,
            mark: self.reader.mark(),
        };
        if let Some(slot) = self.possible_keys.last_mut() {
            *slot = Some(key);
        }
        Ok(())
    }

    fn take_possible_key(&mut self) -> Option<SimpleKey> {
        self.possible_keys.last_mut().and_then(Option::take)
    }

    fn forget_possible_key(&mut self) -> Result<(), Error> {
        match self.take_possible_key() {
            Some(key) if key.required => Err(Error::syntax("a key without ':'", key.mark)),
            _ => Ok(()),
        }
    }
}

/// Indentation.
impl Scanner {
    /// Ends the block collections that are indented more than `column`.
    fn unwind_indent(&mut self, column: isize) {
        if self.in_flow() {
            return;
        }
        while self.indent > column {
            self.indent = self.indents.pop().unwrap_or(-1);
            self.push(Token::BlockEnd);
        }
    }

    /// Opens a block collection at `column`, unless the current one stands there already.
    fn add_indent(&mut self, column: usize) -> bool {
        let column = column_of(column);
        if self.indent >= column {
            return false;
        }
        self.indents.push(self.indent);
        self.indent = column;
        true
    }
}

/// One function for each kind of token.
impl Scanner {
    fn stream_end(&mut self) -> Result<(), Error> {
        self.unwind_indent(-1);
        self.forget_possible_key()?;
        self.key_allowed = false;
        self.possible_keys.fill(None);
        self.push(Token::StreamEnd);
        self.finished = true;
        Ok(())
    }

    fn directive(&mut self) -> Result<(), Error> {
        self.unwind_indent(-1);
        self.forget_possible_key()?;
        self.key_allowed = false;
        let mark = self.reader.mark();
        let directive = self.scan_directive()?;
        self.queue.push_back((Token::Directive(directive), mark));
        Ok(())
    }

    fn document_marker(&mut self, token: Token) -> Result<(), Error> {
        self.unwind_indent(-1);
        self.forget_possible_key()?;
        self.key_allowed = false;
        self.push_over(token, 3);
        Ok(())
    }

    fn flow_start(&mut self, token: Token) -> Result<(), Error> {
        self.note_possible_key()?;
        self.possible_keys.push(None);
        self.key_allowed = true;
        self.push_over(token, 1);
        Ok(())
    }

    fn flow_end(&mut self, token: Token) -> Result<(), Error> {
        if !self.in_flow() {
            return Err(Error::syntax("a closing bracket without its opening", self.reader.mark()));
        }
        self.forget_possible_key()?;
        self.possible_keys.pop();
        self.key_allowed = false;
        self.push_over(token, 1);
        Ok(())
    }

    fn flow_entry(&mut self) -> Result<(), Error> {
        self.key_allowed = true;
        self.forget_possible_key()?;
        self.push_over(Token::FlowEntry, 1);
        Ok(())
    }

    fn block_entry(&mut self) -> Result<(), Error> {
        if !self.in_flow() {
            if !self.key_allowed {
                return Err(Error::syntax("a sequence item is not allowed here", self.reader.mark()));
            }
            if self.add_indent(self.reader.column()) {
                self.push(Token::BlockSequenceStart);
            }
        }
        self.key_allowed = true;
        self.forget_possible_key()?;
        self.push_over(Token::BlockEntry, 1);
        Ok(())
    }

    fn explicit_key(&mut self) -> Result<(), Error> {
        if !self.in_flow() {
            if !self.key_allowed {
                return Err(Error::syntax("a mapping key is not allowed here", self.reader.mark()));
            }
            if self.add_indent(self.reader.column()) {
                self.push(Token::BlockMappingStart);
            }
        }
        self.key_allowed = !self.in_flow();
        self.forget_possible_key()?;
        self.push_over(Token::Key, 1);
        Ok(())
    }

    fn value(&mut self) -> Result<(), Error> {
        if let Some(key) = self.take_possible_key() {
            let at = key.number.saturating_sub(self.taken).min(self.queue.len());
            self.queue.insert(at, (Token::Key, key.mark));
            if !self.in_flow() && self.add_indent(key.column) {
                self.queue.insert(at, (Token::BlockMappingStart, key.mark));
            }
            self.key_allowed = false;
        } else {
            if !self.in_flow() {
                if !self.key_allowed {
                    return Err(Error::syntax("a mapping value is not allowed here", self.reader.mark()));
                }
                // A value without a key: the event parser refuses what follows.
                if self.add_indent(self.reader.column()) {
                    self.push(Token::BlockMappingStart);
                }
            }
            self.key_allowed = !self.in_flow();
        }
        self.push_over(Token::Value, 1);
        Ok(())
    }

    /// An alias, anchor, tag, quoted or plain scalar: each may start a simple key.
    fn property(&mut self, scan: impl FnOnce(&mut Self) -> Result<Token, Error>) -> Result<(), Error> {
        self.note_possible_key()?;
        // A plain scalar that runs to the start of a line allows a key again.
        self.key_allowed = false;
        let mark = self.reader.mark();
        let token = scan(self)?;
        self.queue.push_back((token, mark));
        Ok(())
    }

    fn block_scalar(&mut self, folded: bool) -> Result<(), Error> {
        self.key_allowed = true;
        self.forget_possible_key()?;
        let mark = self.reader.mark();
        let token = self.scan_block_scalar(folded)?;
        self.queue.push_back((token, mark));
        Ok(())
    }
}

/// A column as an indentation, which may be -1. A text has fewer characters than `isize` can count.
fn column_of(column: usize) -> isize {
    isize::try_from(column).unwrap_or(isize::MAX)
}

fn starts_plain(c: char) -> bool {
    !is_blank_or_end(c) && !"-?:,[]{}#&*!|>'\"%@`".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn tokens(text: &str) -> Result<Vec<Token>, Error> {
        let mut scanner = Scanner::new(Reader::new(text, &Limits::default())?);
        let mut tokens = Vec::new();
        loop {
            match scanner.next()?.0 {
                Token::StreamEnd => return Ok(tokens),
                token => tokens.push(token),
            }
        }
    }

    fn plain(text: &str) -> Token {
        Token::Scalar { text: text.to_owned(), plain: true }
    }

    #[test]
    fn a_key_is_known_at_its_colon() {
        let expected =
            [Token::BlockMappingStart, Token::Key, plain("a"), Token::Value, plain("b"), Token::BlockEnd];
        assert_eq!(tokens("a: b").unwrap(), expected);
    }

    #[test]
    fn a_key_ends_on_its_line_and_within_its_length() {
        let long = "k".repeat(SIMPLE_KEY_LENGTH);
        assert!(tokens(&format!("{long}: v")).is_ok());
        assert!(tokens(&format!("{long}k: v")).is_err());
        assert!(tokens("'a\n b': v").is_err());
    }

    #[test]
    fn a_tab_starts_no_token() {
        assert!(tokens("a:\tb").is_err());
        assert!(tokens("a: b\t").is_err());
        assert!(tokens("a: 'b\tc'").is_ok());
    }
}
