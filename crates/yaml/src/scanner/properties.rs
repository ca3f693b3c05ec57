//! Directives, anchors, aliases and tags.

use super::{Directive, Scanner, Token};
use crate::error::Error;
use crate::reader::{END, is_blank_or_end, is_break_or_end, is_space_or_end};

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

fn is_uri(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-;/?:@&=+$,_.!~*'()[]%".contains(c)
}

impl Scanner {
    pub(super) fn scan_alias(&mut self) -> Result<Token, Error> {
        self.scan_anchor_name().map(Token::Alias)
    }

    pub(super) fn scan_anchor(&mut self) -> Result<Token, Error> {
        self.scan_anchor_name().map(Token::Anchor)
    }

    fn scan_anchor_name(&mut self) -> Result<String, Error> {
        self.reader.forward(1);
        let name = self.scan_name("an anchor's name is made of letters, digits, '-' and '_'")?;
        let c = self.reader.current();
        if !is_blank_or_end(c) && !"?:,]}%@`".contains(c) {
            return Err(Error::syntax("a character that cannot follow an anchor", self.reader.mark()));
        }
        Ok(name)
    }

    fn scan_name(&mut self, problem: &'static str) -> Result<String, Error> {
        let length = self.reader.count_while(is_name);
        if length == 0 {
            return Err(Error::syntax(problem, self.reader.mark()));
        }
        let mut name = String::new();
        self.reader.take(length, &mut name);
        Ok(name)
    }

    pub(super) fn scan_tag(&mut self) -> Result<Token, Error> {
        let next = self.reader.peek(1);
        let (handle, suffix) = if next == '<' {
            self.reader.forward(2);
            let suffix = self.scan_uri()?;
            if self.reader.current() != '>' {
                return Err(Error::syntax("a verbatim tag ends with '>'", self.reader.mark()));
            }
            self.reader.forward(1);
            (None, suffix)
        } else if is_blank_or_end(next) {
            self.reader.forward(1);
            (None, "!".to_owned())
        } else if self.tag_has_handle() {
            (Some(self.scan_tag_handle()?), self.scan_uri()?)
        } else {
            self.reader.forward(1);
            (Some("!".to_owned()), self.scan_uri()?)
        };
        if !is_space_or_end(self.reader.current()) {
            return Err(Error::syntax("a tag ends with a space", self.reader.mark()));
        }
        Ok(Token::Tag { handle, suffix })
    }

    /// Whether a second `!` stands before the next space.
    fn tag_has_handle(&self) -> bool {
        let mut ahead = 1_usize;
        loop {
            match self.reader.peek(ahead) {
                '!' => return true,
                c if is_space_or_end(c) => return false,
                _ => ahead = ahead.saturating_add(1),
            }
        }
    }

    fn scan_tag_handle(&mut self) -> Result<String, Error> {
        let problem = "a tag handle is '!', '!!' or '!name!'";
        if self.reader.current() != '!' {
            return Err(Error::syntax(problem, self.reader.mark()));
        }
        let mut handle = String::new();
        self.reader.take(1, &mut handle);
        if self.reader.current() == ' ' {
            return Ok(handle);
        }
        let length = self.reader.count_while(is_name);
        self.reader.take(length, &mut handle);
        if self.reader.current() != '!' {
            return Err(Error::syntax(problem, self.reader.mark()));
        }
        self.reader.take(1, &mut handle);
        Ok(handle)
    }

    fn scan_uri(&mut self) -> Result<String, Error> {
        let mut uri = String::new();
        while is_uri(self.reader.current()) {
            if self.reader.current() == '%' {
                self.scan_uri_escapes(&mut uri)?;
            } else {
                self.reader.take(1, &mut uri);
            }
        }
        // `%` may stand for nothing but a character, so an empty text is a missing one.
        if uri.is_empty() {
            return Err(Error::syntax("a tag needs a name", self.reader.mark()));
        }
        Ok(uri)
    }

    fn scan_uri_escapes(&mut self, uri: &mut String) -> Result<(), Error> {
        let mark = self.reader.mark();
        let mut bytes = Vec::new();
        while self.reader.current() == '%' {
            self.reader.forward(1);
            bytes.push(self.scan_hex(2, "'%' is followed by two hexadecimal digits")?);
        }
        let bytes: Vec<u8> = bytes.into_iter().filter_map(|byte| u8::try_from(byte).ok()).collect();
        match std::str::from_utf8(&bytes) {
            Ok(text) => uri.push_str(text),
            Err(_) => return Err(Error::syntax("a tag's escapes are not UTF-8", mark)),
        }
        Ok(())
    }

    /// Reads `length` hexadecimal digits (at most 8).
    pub(super) fn scan_hex(&mut self, length: usize, problem: &'static str) -> Result<u32, Error> {
        let mut code = 0_u32;
        for ahead in 0..length {
            let Some(digit) = self.reader.peek(ahead).to_digit(16) else {
                return Err(Error::syntax(problem, self.reader.mark()));
            };
            code = code.wrapping_shl(4) | digit;
        }
        self.reader.forward(length);
        Ok(code)
    }

    pub(super) fn scan_directive(&mut self) -> Result<Directive, Error> {
        self.reader.forward(1);
        let name = self.scan_name("a directive's name is made of letters, digits, '-' and '_'")?;
        self.expect_space("a directive's name ends with a space")?;
        let directive = match name.as_str() {
            "YAML" => self.scan_yaml_version()?,
            "TAG" => self.scan_tag_directive()?,
            _ => {
                self.reader.skip_while(|c| !is_break_or_end(c));
                Directive::Other
            }
        };
        self.skip_rest_of_line()?;
        Ok(directive)
    }

    fn expect_space(&self, problem: &'static str) -> Result<(), Error> {
        if is_space_or_end(self.reader.current()) {
            Ok(())
        } else {
            Err(Error::syntax(problem, self.reader.mark()))
        }
    }

    fn scan_yaml_version(&mut self) -> Result<Directive, Error> {
        self.reader.skip_while(|c| c == ' ');
        let major = self.scan_version_number()?;
        if self.reader.current() != '.' {
            return Err(Error::syntax("a version is two numbers with a dot between", self.reader.mark()));
        }
        self.reader.forward(1);
        self.scan_version_number()?;
        self.expect_space("a version ends with a space")?;
        Ok(Directive::Yaml { major_is_one: major.trim_start_matches('0') == "1" })
    }

    fn scan_version_number(&mut self) -> Result<String, Error> {
        let length = self.reader.count_while(|c| c.is_ascii_digit());
        // Longer numbers are beyond what Python reads; two digits are enough.
        if length == 0 || length > 9 {
            return Err(Error::syntax("a version number has one to nine digits", self.reader.mark()));
        }
        let mut number = String::new();
        self.reader.take(length, &mut number);
        Ok(number)
    }

    fn scan_tag_directive(&mut self) -> Result<Directive, Error> {
        self.reader.skip_while(|c| c == ' ');
        let handle = self.scan_tag_handle()?;
        if self.reader.current() != ' ' {
            return Err(Error::syntax("a tag handle ends with a space", self.reader.mark()));
        }
        self.reader.skip_while(|c| c == ' ');
        let prefix = self.scan_uri()?;
        self.expect_space("a tag prefix ends with a space")?;
        Ok(Directive::Tag { handle, prefix })
    }

    /// Moves over spaces and a comment to the next line.
    pub(super) fn skip_rest_of_line(&mut self) -> Result<(), Error> {
        self.reader.skip_while(|c| c == ' ');
        self.skip_comment();
        if self.reader.line_break().is_none() && self.reader.current() != END {
            return Err(Error::syntax("only a comment may stand here", self.reader.mark()));
        }
        Ok(())
    }
}
