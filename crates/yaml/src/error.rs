//! Why and where a text was refused.

use std::fmt;

/// A place in the source text. Lines and columns count from 1; a column is a character, not a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
}

impl Mark {
    /// The first character of the text.
    pub const START: Self = Self { line: 1, column: 1 };
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} column {}", self.line, self.column)
    }
}

/// A text that was refused: what is wrong and where.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{kind} at {mark}")]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where it was noticed.
    pub mark: Mark,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, mark: Mark) -> Self {
        Self { kind, mark }
    }

    pub(crate) fn syntax(problem: &'static str, mark: Mark) -> Self {
        Self::new(ErrorKind::Syntax { problem }, mark)
    }
}

/// What is wrong with a refused text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// The bytes are neither UTF-8 nor UTF-16 with a byte order mark.
    #[error("not UTF-8, nor UTF-16 with a byte order mark")]
    Encoding,
    /// A character that YAML does not allow in a text.
    #[error("character U+{:04X} is not allowed in YAML", *.0 as u32)]
    Unprintable(char),
    /// The text breaks YAML's grammar.
    #[error("{problem}")]
    Syntax {
        /// The rule that is broken.
        problem: &'static str,
    },
    /// An alias names an anchor that was not defined before it.
    #[error("alias *{0} has no anchor")]
    UndefinedAlias(String),
    /// The same anchor is defined twice in the document.
    #[error("anchor &{0} is defined twice")]
    DuplicateAnchor(String),
    /// An alias stands inside the node it names. `PyYAML` would build an endless object.
    #[error("alias *{0} is within its own node")]
    RecursiveAlias(String),
    /// A tag that `safe_load` has no constructor for.
    #[error("unknown tag {0}")]
    UnknownTag(String),
    /// A known tag on a node of the wrong kind, as `!!map` on a scalar.
    #[error("tag {tag} does not apply to a {found}")]
    TagMismatch {
        /// The tag.
        tag: String,
        /// What it stands on: `scalar`, `sequence` or `mapping`.
        found: &'static str,
    },
    /// A scalar that its tag cannot read, as `!!int five` or `2001-02-30`.
    #[error("not a value of {tag}: {text:?}")]
    BadScalar {
        /// The tag the scalar carries or that its form implies.
        tag: String,
        /// The scalar, cut to its first 80 characters.
        text: String,
    },
    /// A mapping key that is itself a collection.
    #[error("a collection cannot be a mapping key")]
    UnhashableKey,
    /// The value of a `<<` key is neither a mapping nor a list of mappings.
    #[error("<< needs a mapping or a list of mappings")]
    BadMerge,
    /// An item of `!!omap` or `!!pairs` is not a mapping with exactly one key.
    #[error("an item of {tag} must be a mapping with one key")]
    BadPair {
        /// `tag:yaml.org,2002:omap` or `tag:yaml.org,2002:pairs`.
        tag: String,
    },
    /// The stream holds more than one document.
    #[error("more than one document")]
    MultipleDocuments,
    /// `PyYAML` reads this, but its reading cannot be kept here without a change.
    #[error("refused: {what}")]
    Unsupported {
        /// What would have to be changed.
        what: &'static str,
    },
    /// A limit of [`crate::Limits`] was passed.
    #[error("more than {allowed} {limit}")]
    Limit {
        /// Which limit.
        limit: LimitKind,
        /// Its value.
        allowed: usize,
    },
}

/// Names a member of [`crate::Limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKind {
    /// [`crate::Limits::bytes`].
    Bytes,
    /// [`crate::Limits::depth`].
    Depth,
    /// [`crate::Limits::nodes`].
    Nodes,
    /// [`crate::Limits::scalar`].
    Scalar,
    /// [`crate::Limits::number`].
    Number,
    /// [`crate::Limits::expanded`].
    Expanded,
}

impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "bytes of text",
            Self::Depth => "levels of nesting",
            Self::Nodes => "nodes after aliases are expanded",
            Self::Scalar => "bytes in one scalar",
            Self::Number => "characters in one number",
            Self::Expanded => "bytes of scalars after aliases are expanded",
        })
    }
}
