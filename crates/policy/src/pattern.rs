//! The regular expressions of repository rules.
//!
//! Policies are generated from Python's, so only syntax that Python's `re` and this crate's
//! `regex_lite` interpret in the same way is accepted: groups, alternation, classes without set
//! operations, greedy and lazy repetition, `.`, `^` at the start and `$`. Both try alternatives from
//! the left. Three constructs are narrower than in Python: `\d` and `\w` are ASCII, and `$` never
//! matches before a line feed (no compared path can contain one).

use regex_lite::{Regex, RegexBuilder};

/// The longest expression that is accepted; the longest known has 70 characters.
const MAX_CHARS: usize = 500;
/// Memory limit for a compiled expression, in bytes.
const MAX_COMPILED: usize = 1 << 18;

/// Why text is not an expression for repository paths.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PatternError {
    #[error("longer than {MAX_CHARS} characters")]
    TooLong,
    #[error("does not start with ^, so it could match in the middle of a path")]
    NotAnchored,
    #[error(
        "has a | outside of groups, so the alternative after it is not anchored to the start of the path"
    )]
    OpenAlternation,
    #[error("has no group (?P<path>…) for the repository's path")]
    NoPathGroup,
    #[error("uses {0}, which Python and Catena do not interpret in the same way")]
    Uncommon(String),
    #[error("is not a regular expression: {0}")]
    Syntax(String),
}

/// Compiles an expression for repository paths.
pub(super) fn compile(text: &str) -> Result<Regex, PatternError> {
    if text.chars().count() > MAX_CHARS {
        return Err(PatternError::TooLong);
    }
    if !text.starts_with('^') {
        return Err(PatternError::NotAnchored);
    }
    let translated = Translation::of(text)?;
    let regex = RegexBuilder::new(&translated)
        .size_limit(MAX_COMPILED)
        .nest_limit(20)
        .build()
        .map_err(|error| PatternError::Syntax(error.to_string()))?;
    if regex.capture_names().flatten().any(|name| name == "path") {
        Ok(regex)
    } else {
        Err(PatternError::NoPathGroup)
    }
}

/// One pass over an expression: refuses syntax that is not common to both, and makes `\d` and `\w`
/// ASCII.
struct Translation<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    made: String,
    /// Groups that are open at this position.
    depth: usize,
    /// Whether the last item was a `*`, `+`, `?` or `{…}`, and whether it is already lazy.
    repeated: Option<bool>,
}

impl<'a> Translation<'a> {
    fn of(text: &'a str) -> Result<String, PatternError> {
        let mut this = Self { rest: text.chars().peekable(), made: String::new(), depth: 0, repeated: None };
        while let Some(letter) = this.rest.next() {
            this.step(letter)?;
        }
        Ok(this.made)
    }

    fn step(&mut self, letter: char) -> Result<(), PatternError> {
        let repeated = self.repeated.take();
        match letter {
            '*' | '+' | '?' | '{' => return self.repetition(letter, repeated),
            '\\' => return self.escape("[0-9]", "[0-9A-Za-z_]"),
            '[' => return self.class(),
            '(' => return self.group(),
            ')' => self.depth = self.depth.saturating_sub(1),
            '|' if self.depth == 0 => return Err(PatternError::OpenAlternation),
            '^' if !self.made.is_empty() => {
                return Err(PatternError::Uncommon("^ after the start".to_owned()));
            }
            ']' | '}' => return Err(PatternError::Uncommon(format!("a single {letter}"))),
            _ => {}
        }
        self.made.push(letter);
        Ok(())
    }

    fn repetition(&mut self, letter: char, repeated: Option<bool>) -> Result<(), PatternError> {
        match (letter, repeated) {
            _ if self.made == "^" => Err(PatternError::Uncommon("a repetition of ^".to_owned())),
            (_, None) => {
                self.made.push(letter);
                if letter == '{' {
                    self.bounds()?;
                }
                self.repeated = Some(false);
                Ok(())
            }
            ('?', Some(false)) => {
                self.made.push(letter);
                self.repeated = Some(true);
                Ok(())
            }
            _ => Err(PatternError::Uncommon("a repetition of a repetition".to_owned())),
        }
    }

    /// The rest of `{3}`, `{3,}` or `{3,5}`.
    fn bounds(&mut self) -> Result<(), PatternError> {
        let uncommon = || PatternError::Uncommon("{ without numbers".to_owned());
        let mut bounds = String::new();
        while let Some(letter) = self.rest.next().filter(|&letter| letter != '}') {
            bounds.push(letter);
        }
        let is_number =
            |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let (least, most) = bounds.split_once(',').unwrap_or((&bounds, ""));
        if !is_number(least) || !(most.is_empty() || is_number(most)) {
            return Err(uncommon());
        }
        self.made.push_str(&bounds);
        self.made.push('}');
        Ok(())
    }

    fn escape(&mut self, digits: &str, word: &str) -> Result<(), PatternError> {
        match self.rest.next() {
            Some('d') => self.made.push_str(digits),
            Some('w') => self.made.push_str(word),
            Some(letter) if letter.is_ascii_punctuation() && !"<>".contains(letter) => {
                self.made.push('\\');
                self.made.push(letter);
            }
            Some(letter) => return Err(PatternError::Uncommon(format!("\\{letter}"))),
            None => return Err(PatternError::Syntax("it ends in a backslash".to_owned())),
        }
        Ok(())
    }

    /// The rest of `[…]`.
    fn class(&mut self) -> Result<(), PatternError> {
        self.made.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.made.push('^');
        }
        let mut previous = None;
        loop {
            match self.rest.next() {
                Some(']') if previous.is_some() => break,
                Some('\\') => self.escape("0-9", "0-9A-Za-z_")?,
                Some(letter @ ('[' | ']')) => {
                    return Err(PatternError::Uncommon(format!("{letter} inside […]")));
                }
                Some(letter) if previous == Some(letter) && "&-~|".contains(letter) => {
                    return Err(PatternError::Uncommon(format!("{letter}{letter} inside […]")));
                }
                Some(letter) => {
                    self.made.push(letter);
                    previous = Some(letter);
                    continue;
                }
                None => return Err(PatternError::Syntax("unclosed […]".to_owned())),
            }
            previous = Some('\\');
        }
        self.made.push(']');
        Ok(())
    }

    /// `(`, `(?:` or `(?P<name>`.
    fn group(&mut self) -> Result<(), PatternError> {
        self.depth = self.depth.saturating_add(1);
        self.made.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            return Ok(());
        }
        self.made.push('?');
        match self.rest.next() {
            Some(':') => self.made.push(':'),
            Some('P') if self.rest.next_if_eq(&'<').is_some() => self.made.push_str("P<"),
            other => {
                return Err(PatternError::Uncommon(format!(
                    "(?{}",
                    other.map_or(String::new(), String::from)
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path<'a>(pattern: &str, text: &'a str) -> Option<&'a str> {
        compile(pattern).unwrap().captures(text)?.name("path").map(|group| group.as_str())
    }

    #[test]
    fn digits_and_words_are_ascii() {
        let esr = r"^(?P<path>/releases/mozilla-(beta|esr\d+))(/|$)";
        assert_eq!(path(esr, "/releases/mozilla-esr140/file"), Some("/releases/mozilla-esr140"));
        assert_eq!(path(esr, "/releases/mozilla-esr١٤٠/file"), None);
        assert_eq!(path(r"^(?P<path>/[\w-]{2,}?)(/|$)", "/a-b/c"), Some("/a-b"));
        assert_eq!(path(r"^(?P<path>/\w+)$", "/é"), None);
        assert_eq!(
            path(r"^(?P<path>/a\.b(?:|-scripts))(/|.git|$)", "/a.b-scripts.git"),
            Some("/a.b-scripts")
        );
    }

    #[test]
    fn only_common_syntax_is_accepted() {
        let uncommon = |text: &str| matches!(compile(text), Err(PatternError::Uncommon(_)));
        for wrong in [
            r"^(?P<path>/a(?=b))",
            r"^(?P<path>/a(?!b))",
            r"^(?i)(?P<path>/a)",
            r"^(?<path>/a)",
            r"^(?P<path>/a)(?P=path)",
            r"^(?P<path>/a*+)",
            r"^(?P<path>/a**)",
            r"^(?P<path>/a{,3})",
            r"^(?P<path>/a{b})",
            r"^(?P<path>/a}b)",
            r"^(?P<path>/[[:alpha:]])",
            r"^(?P<path>/[a&&b])",
            r"^(?P<path>/[]a])",
            r"^(?P<path>/[])",
            r"^(?P<path>/\s)",
            r"^(?P<path>/a)\Z",
            r"^(?P<path>/a)\1",
            r"^(?P<path>/\pL)",
            r"^(?P<path>/a)\b",
            r"^(?P<path>^/a)",
            r"^*(?P<path>/a)",
            r"^{0}(?P<path>/a)",
            r"^(?P<path>/a)\<",
        ] {
            assert!(uncommon(wrong), "{wrong}: {:?}", compile(wrong));
        }
    }

    #[test]
    fn anchored_with_a_group() {
        assert_eq!(compile("(?P<path>/a)").unwrap_err(), PatternError::NotAnchored);
        assert_eq!(compile("^(?P<path>/a)|/b").unwrap_err(), PatternError::OpenAlternation);
        assert_eq!(compile("^(/a)(/|$)").unwrap_err(), PatternError::NoPathGroup);
        assert_eq!(compile(&format!("^{}", "a".repeat(500))).unwrap_err(), PatternError::TooLong);
        assert_eq!(compile(&format!("^{}", "a".repeat(499))).unwrap_err(), PatternError::NoPathGroup);
        for wrong in [
            "^(?P<path>/a",
            "^(?P<path>/a))",
            "^(?P<path>/[a)",
            "^\\",
            "^[",
            "^(?P<path>/a){999}{",
            "^(?P<path",
            "^(?P<path>[b-a])",
        ] {
            assert!(compile(wrong).is_err(), "{wrong}");
        }
        assert!(matches!(compile("^(?P<path>/(a{999}){999})").unwrap_err(), PatternError::Syntax(_)));
    }
}
