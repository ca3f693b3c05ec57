//! Errors, their positions and their messages.

use catena_json::{Path, Segment};
use std::fmt;

/// A failed rendering.
///
/// [`Error::message`] is the reference's text. Printed with `Display`, the place in the template
/// and the expression with a caret follow on further lines:
///
/// ```text
/// InterpreterError at template.tasks[0].name: unknown context value evnt
///   at tasks.in[0].name
///   | Decision task for ${evnt.ref}
///   |                     ^
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// The error.
    pub kind: ErrorKind,
    /// Its location in the reference's format: `.tasks[0].name`. Empty at the root. It omits operators
    /// and names the keys of the result.
    pub location: String,
    /// Its location in the template, including operators and keys.
    pub path: Path,
    /// The expression, if one was being parsed or evaluated.
    pub expression: Option<Box<Excerpt>>,
}

/// A place in an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The whole string of the template that the expression stands in.
    pub text: String,
    /// The place in it, in bytes; on a character's border, at most the length of the text.
    pub offset: usize,
}

/// The kind of error. The texts are the reference's, where it has one.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ErrorKind {
    /// A token that is not allowed at its position.
    #[error("Found: {found} token, expected one of: {expected}")]
    UnexpectedToken {
        /// The token's text.
        found: String,
        /// The allowed tokens, separated by commas.
        expected: String,
    },
    /// An expression that ends too early.
    #[error("Unexpected end of input")]
    UnexpectedEnd,
    /// A character that starts no token.
    #[error("Unexpected input for '{input}' at '{remainder}'")]
    UnexpectedInput {
        /// The text being read, from the expression's start.
        input: String,
        /// What of it could not be read.
        remainder: String,
    },
    /// A `${` without its `}`.
    #[error("unterminated ${{..}} expression")]
    Unterminated,

    /// A name that is not in the context.
    #[error("unknown context value {name}")]
    UnknownName {
        /// The name.
        name: String,
    },
    /// `.name` on an object without it.
    #[error("object has no property \"{name}\"")]
    NoProperty {
        /// The name.
        name: String,
    },
    /// An infix operator between values it is not for.
    #[error("infix: {operator} expects {expected}")]
    Operands {
        /// The operator.
        operator: &'static str,
        /// What it is for.
        expected: &'static str,
    },
    /// A sign before a value that is not a number.
    #[error("unary {operator} expects number")]
    Sign {
        /// `+` or `-`.
        operator: char,
    },
    /// A division by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// A call of a value that is not a function.
    #[error("{value} is not callable")]
    NotCallable {
        /// The value, printed as Python prints it.
        value: String,
    },
    /// An index outside the list or string.
    #[error("index out of bounds")]
    IndexOutOfBounds,
    /// An index that is not an integer.
    #[error("should only use integers to access arrays or strings")]
    IndexNotInteger,
    /// A slice whose ends are not integers.
    #[error("cannot perform interval access with non-integers")]
    SliceNotInteger,
    /// A key of an object that is not a string.
    #[error("object keys must be strings")]
    KeyNotString,

    /// Two operators in one object.
    #[error("only one operator allowed")]
    SeveralOperators,
    /// A key that looks like an operator.
    #[error("$<identifier> is reserved; use $$<identifier>")]
    ReservedKey,
    /// Members an operator does not know.
    #[error("{operator} has undefined properties: {properties}")]
    UndefinedProperties {
        /// The operator.
        operator: &'static str,
        /// Their names, sorted, separated by spaces.
        properties: String,
    },
    /// An operator with an unsupported value.
    #[error("{rule}")]
    Operator {
        /// The operator.
        operator: &'static str,
        /// The violated rule, in full.
        rule: &'static str,
    },
    /// `$map` over an object whose template returns something else.
    #[error("$map on objects expects {each} to evaluate to an object")]
    MapOnObject {
        /// The `each(..)` key.
        each: String,
    },
    /// `${..}` with a list or object in it.
    #[error("interpolation of '{expression}' produced an array or object")]
    InterpolatedCollection {
        /// The expression.
        expression: String,
    },
    /// A function that was named and not called.
    #[error("evaluated template contained uncalled functions")]
    UncalledFunction,
    /// A name in the context that expressions could not use.
    #[error("top level keys of context must follow /[a-zA-Z_][a-zA-Z0-9_]*/")]
    ContextName,
    /// A malformed time offset.
    #[error("offset string: '{offset}' does not parse")]
    TimeOffset {
        /// The offset, without its sign.
        offset: String,
    },

    /// Invalid arguments of a built-in.
    #[error("invalid arguments to builtin: {function}")]
    Arguments {
        /// The built-in.
        function: &'static str,
    },
    /// Too few arguments.
    #[error("invalid arguments to builtin: {function}: expected at least {minimum} arguments")]
    TooFewArguments {
        /// The built-in.
        function: &'static str,
        /// How many it needs.
        minimum: usize,
    },

    /// Arithmetic without a result in JSON (the reference raises Python errors here).
    #[error("{problem}")]
    Arithmetic {
        /// The reason.
        problem: &'static str,
    },
    /// A time that is not written as `2017-01-19T16:27:20.974Z`, or is outside the years 1 to 9999.
    #[error("time '{time}' is not of the form 2017-01-19T16:27:20.974Z or out of range")]
    Time {
        /// The time, shortened.
        time: String,
    },
    /// The time is needed, and the context has no `now`.
    #[error("the context has no time: `now` must be a string")]
    NoClock,
    /// A number of the result that JSON cannot hold (infinite, or not a number).
    #[error("the result contains a number JSON cannot hold: {number}")]
    NotFinite {
        /// `inf`, `-inf` or `nan`.
        number: String,
    },
    /// A host function failed.
    #[error("{function}: {problem}")]
    Host {
        /// The name it was put into the context with.
        function: String,
        /// The function's own message.
        problem: String,
    },
    /// The watch ended the rendering.
    #[error("the rendering was interrupted")]
    Interrupted,
    /// A limit was reached.
    #[error("limit reached: {limit} (allowed: {allowed})")]
    Limit {
        /// Which one.
        limit: LimitKind,
        /// Its value.
        allowed: u64,
    },
}

/// The limit that was reached; see [`crate::Limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitKind {
    /// [`crate::Limits::steps`]
    #[error("steps")]
    Steps,
    /// [`crate::Limits::template_depth`]
    #[error("depth of the template")]
    TemplateDepth,
    /// [`crate::Limits::expression_depth`]
    #[error("depth of the expression")]
    ExpressionDepth,
    /// [`crate::Limits::value_depth`]
    #[error("depth of a value")]
    ValueDepth,
    /// [`crate::Limits::string_bytes`]
    #[error("bytes of a string")]
    StringBytes,
    /// [`crate::Limits::value_bytes`]
    #[error("bytes of a value")]
    ValueBytes,
    /// [`crate::Limits::integer_bits`]
    #[error("bits of an integer")]
    IntegerBits,
}

impl ErrorKind {
    /// The reference's name for this class of error; `LimitError` for limits, which it lacks.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::UnexpectedToken { .. }
            | Self::UnexpectedEnd
            | Self::UnexpectedInput { .. }
            | Self::Unterminated => "SyntaxError",
            Self::UnknownName { .. }
            | Self::NoProperty { .. }
            | Self::Operands { .. }
            | Self::Sign { .. }
            | Self::DivisionByZero
            | Self::NotCallable { .. }
            | Self::IndexOutOfBounds
            | Self::IndexNotInteger
            | Self::SliceNotInteger
            | Self::KeyNotString
            | Self::Arithmetic { .. } => "InterpreterError",
            Self::SeveralOperators
            | Self::ReservedKey
            | Self::UndefinedProperties { .. }
            | Self::Operator { .. }
            | Self::MapOnObject { .. }
            | Self::InterpolatedCollection { .. }
            | Self::UncalledFunction
            | Self::ContextName
            | Self::TimeOffset { .. }
            | Self::Time { .. }
            | Self::NoClock
            | Self::NotFinite { .. } => "TemplateError",
            Self::Arguments { .. } | Self::TooFewArguments { .. } | Self::Host { .. } => "BuiltinError",
            Self::Limit { .. } | Self::Interrupted => "LimitError",
        }
    }
}

impl Error {
    /// The reference's text: class, location and what went wrong, on one line unless the
    /// template's own text in it has several.
    #[must_use]
    pub fn message(&self) -> String {
        let class = self.kind.class();
        if self.location.is_empty() {
            return format!("{class}: {}", self.kind);
        }
        format!("{class} at template{}: {}", self.location, self.kind)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&printable(&self.message()))?;
        write!(out, "\n  at {}", self.path)?;
        self.expression.as_ref().map_or(Ok(()), |expression| write!(out, "\n{expression}"))
    }
}

impl std::error::Error for Error {}

/// Characters shown on either side of the caret.
const SHOWN: usize = 60;

impl fmt::Display for Excerpt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = self.text.split_at_checked(self.offset).unwrap_or((&self.text, ""));
        let before = before.rsplit('\n').next().unwrap_or("");
        let after = after.split('\n').next().unwrap_or("");
        let cut = before.chars().count().saturating_sub(SHOWN);
        let before: String = before.chars().skip(cut).collect();
        let after: String = after.chars().take(SHOWN).collect();
        let width = before.chars().count();
        writeln!(out, "  | {}{}", printable(&before), printable(&after))?;
        write!(out, "  | {:width$}^", "")
    }
}

/// The text with control characters and those that turn the direction of writing replaced, so
/// that a template can neither steer a terminal nor show itself in another order.
fn printable(text: &str) -> String {
    let steers = |character: char| {
        character.is_control()
            || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|character| if steers(character) { '\u{fffd}' } else { character }).collect()
}

/// An error on its way out of the template: places are added from the inside to the outside.
#[derive(Debug)]
pub(crate) struct Fault(Box<Parts>);

#[derive(Debug)]
struct Parts {
    kind: ErrorKind,
    /// Innermost first.
    location: Vec<String>,
    /// Innermost first.
    path: Vec<Segment>,
    expression: Option<Box<Excerpt>>,
    offset: Option<usize>,
}

impl From<ErrorKind> for Fault {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(Parts { kind, location: Vec::new(), path: Vec::new(), expression: None, offset: None }))
    }
}

impl Fault {
    /// Says where in the expression's text it happened; the innermost place counts.
    pub(crate) fn at(mut self, offset: usize) -> Self {
        self.0.offset.get_or_insert(offset);
        self
    }

    /// Says in which text.
    pub(crate) fn in_text(mut self, text: &str) -> Self {
        if let Some(offset) = self.0.offset.take() {
            self.0.expression.get_or_insert_with(|| Box::new(Excerpt { text: text.to_owned(), offset }));
        }
        self
    }

    /// Adds a step of the way there, the one outside of all steps added before.
    pub(crate) fn under(mut self, segment: Segment) -> Self {
        self.0.path.push(segment);
        self
    }

    /// Adds a step to the location in the reference's writing.
    pub(crate) fn located(mut self, step: String) -> Self {
        self.0.location.push(step);
        self
    }

    pub(crate) fn finish(self) -> Error {
        let parts = *self.0;
        let mut path = Path::new();
        for segment in parts.path.into_iter().rev() {
            path.push(segment);
        }
        let location = parts.location.into_iter().rev().collect();
        Error { kind: parts.kind, location, path, expression: parts.expression }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_ordered_from_the_outside() {
        let fault = Fault::from(ErrorKind::DivisionByZero)
            .at(2)
            .at(0)
            .in_text("1 / 0")
            .located("[0]".to_owned())
            .under(Segment::Index(0))
            .located(".a".to_owned())
            .under(Segment::Key("a".to_owned()));
        let error = fault.finish();
        assert_eq!(error.message(), "InterpreterError at template.a[0]: division by zero");
        assert_eq!(
            error.to_string(),
            "InterpreterError at template.a[0]: division by zero\n  at a[0]\n  | 1 / 0\n  |   ^"
        );
    }

    #[test]
    fn an_excerpt_shows_one_line_around_its_place() {
        let text = format!("first\n{}X{}\nlast", "a".repeat(100), "b".repeat(100));
        let shown = Excerpt { offset: 106, text }.to_string();
        assert_eq!(shown, format!("  | {}X{}\n  | {}^", "a".repeat(60), "b".repeat(59), " ".repeat(60)));
    }

    #[test]
    fn a_template_cannot_steer_the_terminal() {
        let error = Error {
            kind: ErrorKind::UnknownName { name: "\u{1b}[2J".to_owned() },
            location: String::new(),
            path: Path::new(),
            expression: Some(Box::new(Excerpt { text: "\u{1b}[2J\r".to_owned(), offset: 5 })),
        };
        let shown = error.to_string();
        assert!(!shown.contains('\u{1b}') && !shown.contains('\r'), "{shown:?}");
    }

    #[test]
    fn an_excerpt_past_its_text_still_prints() {
        assert_eq!(Excerpt { text: "ab".to_owned(), offset: 2 }.to_string(), "  | ab\n  |   ^");
        assert_eq!(Excerpt { text: "ä".to_owned(), offset: 1 }.to_string(), "  | ä\n  |  ^");
    }
}
