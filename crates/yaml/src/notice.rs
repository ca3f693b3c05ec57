//! Strict mode: what a reader of YAML 1.2 reads differently.

use std::fmt;

use num_bigint::BigInt;

use crate::error::Mark;
use crate::scalar;
use crate::tag::Tag;
use crate::timestamp::Timestamp;

/// A place in a text that is read, but that another reader may read differently.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Where it stands.
    pub mark: Mark,
    /// What it is.
    pub kind: NoticeKind,
}

/// What a [`Notice`] is about.
#[derive(Clone, Debug, PartialEq)]
pub enum NoticeKind {
    /// A scalar that YAML 1.1 and the core schema of YAML 1.2 (section 10.3) read differently.
    Reading {
        /// The scalar, cut to its first 80 characters.
        text: String,
        /// The reading of YAML 1.1, which counts here.
        yaml_1_1: Reading,
        /// The reading of YAML 1.2.
        yaml_1_2: Reading,
    },
    /// A key that stands twice in a mapping; YAML forbids it and `PyYAML` takes the last value.
    DuplicateKey {
        /// The key.
        key: String,
        /// Where it stands first.
        first: Mark,
    },
}

/// What a scalar is read as.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(BigInt),
    /// A float. Not-a-number is equal to nothing, so two of them are compared by their text.
    Float(f64),
    /// A string.
    String,
    /// A date or a point in time.
    Timestamp(Timestamp),
    /// Bytes.
    Binary,
    /// The key `<<`.
    Merge,
    /// A value the schema has no reading for.
    Undefined,
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "the boolean {value}"),
            Self::Int(value) => write!(f, "the integer {value}"),
            Self::Float(value) => write!(f, "the float {value}"),
            Self::String => f.write_str("a string"),
            Self::Timestamp(value) => write!(f, "the time {value}"),
            Self::Binary => f.write_str("binary data"),
            Self::Merge => f.write_str("a merge key"),
            Self::Undefined => f.write_str("nothing it defines"),
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            NoticeKind::Reading { text, yaml_1_1, yaml_1_2 } => {
                write!(f, "{text:?} is {yaml_1_1} in YAML 1.1 and {yaml_1_2} in YAML 1.2")?;
            }
            NoticeKind::DuplicateKey { key, first } => {
                write!(f, "key {key} stands twice, first at {first}")?;
            }
        }
        write!(f, " at {}", self.mark)
    }
}

/// Longer texts are compared by their type alone: reading a long number costs time.
const LONGEST_NUMBER: usize = 4_300;

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Plain, without a tag: each schema goes by the text.
    Plain,
    /// Quoted or a block, without a tag: a string everywhere.
    Quoted,
    /// With the tag `!`: YAML 1.2 says it is a string, `PyYAML` goes by the text.
    NonSpecific,
    /// With another tag.
    Tagged,
}

/// Compares the two readings of a scalar. `tag` is what YAML 1.1 made of it.
pub(crate) fn reading(tag: &Result<Tag, String>, text: &str, form: Form, mark: Mark) -> Option<Notice> {
    let Ok(tag) = *tag else { return None };
    if text.len() > LONGEST_NUMBER || form == Form::Quoted {
        return None;
    }
    let yaml_1_1 = read_1_1(tag, text)?;
    let yaml_1_2 = match form {
        Form::Plain => read_core(text),
        Form::Quoted | Form::NonSpecific => Reading::String,
        Form::Tagged => read_tagged_core(tag, text),
    };
    let nan = |reading: &Reading| matches!(reading, Reading::Float(value) if value.is_nan());
    if yaml_1_1 == yaml_1_2 || (nan(&yaml_1_1) && nan(&yaml_1_2)) {
        return None;
    }
    let text = text.chars().take(80).collect();
    Some(Notice { mark, kind: NoticeKind::Reading { text, yaml_1_1, yaml_1_2 } })
}

/// Nothing when `PyYAML` cannot read it either: then the text is refused.
fn read_1_1(tag: Tag, text: &str) -> Option<Reading> {
    match tag {
        Tag::Null => Some(Reading::Null),
        Tag::Bool => scalar::bool(text).map(Reading::Bool),
        Tag::Int => scalar::int(text).map(Reading::Int),
        Tag::Float => scalar::float(text).map(Reading::Float),
        Tag::Timestamp => Timestamp::of(text).map(Reading::Timestamp),
        Tag::Binary => Some(Reading::Binary),
        Tag::Merge => Some(Reading::Merge),
        Tag::Str | Tag::Value => Some(Reading::String),
        Tag::Yaml | Tag::Seq | Tag::Map | Tag::Set | Tag::Omap | Tag::Pairs => None,
    }
}

fn read_tagged_core(tag: Tag, text: &str) -> Reading {
    match (tag, read_core(text)) {
        (Tag::Str, _) => Reading::String,
        (Tag::Float, Reading::Int(_)) => read_decimal(text).unwrap_or(Reading::Undefined),
        (Tag::Null, reading @ Reading::Null)
        | (Tag::Bool, reading @ Reading::Bool(_))
        | (Tag::Int, reading @ Reading::Int(_))
        | (Tag::Float, reading @ Reading::Float(_)) => reading,
        _ => Reading::Undefined,
    }
}

/// The core schema of YAML 1.2 (section 10.3.2).
fn read_core(text: &str) -> Reading {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Reading::Null,
        "true" | "True" | "TRUE" => return Reading::Bool(true),
        "false" | "False" | "FALSE" => return Reading::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Reading::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Reading::Float(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Reading::Float(f64::NAN),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let in_radix = |digits: &str, radix| {
        let fits = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        if fits { BigInt::parse_bytes(digits.as_bytes(), radix) } else { None }
    };
    let integer = if let Some(digits) = text.strip_prefix("0o") {
        in_radix(digits, 8)
    } else if let Some(digits) = text.strip_prefix("0x") {
        in_radix(digits, 16)
    } else {
        in_radix(digits, 10).map(|value| scalar::with_sign(text.starts_with('-'), value))
    };
    match integer {
        Some(value) => Reading::Int(value),
        None => read_decimal(text).unwrap_or(Reading::String),
    }
}

/// A number in decimal, with or without a point and an exponent.
fn read_decimal(text: &str) -> Option<Reading> {
    // Beside these forms Rust reads `inf` and `nan` in words.
    let numeric = text.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    if numeric { text.parse().ok().map(Reading::Float) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DuplicateKeys, ErrorKind, Options, load};

    fn notices(text: &str) -> Vec<String> {
        let options = Options { strict: true, ..Options::default() };
        load(text, &options).unwrap().notices.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn scalars_with_two_readings_are_reported() {
        for (text, yaml_1_1, yaml_1_2) in [
            ("on", "the boolean true", "a string"),
            ("010", "the integer 8", "the integer 10"),
            ("08", "a string", "the integer 8"),
            ("0o10", "a string", "the integer 8"),
            ("1_000", "the integer 1000", "a string"),
            ("1:30", "the integer 90", "a string"),
            ("1e3", "a string", "the float 1000"),
            ("-.5", "a string", "the float -0.5"),
            ("-0x1", "the integer -1", "a string"),
            ("2001-12-14", "the time 2001-12-14", "a string"),
            ("! yes", "the boolean true", "a string"),
            ("!!int 010", "the integer 8", "the integer 10"),
            ("!!int 1_0", "the integer 10", "nothing it defines"),
        ] {
            let notices = notices(text);
            let word = text.rsplit(' ').next().unwrap();
            let expected =
                format!("{word:?} is {yaml_1_1} in YAML 1.1 and {yaml_1_2} in YAML 1.2 at line 1 column 1");
            assert_eq!(notices, [expected], "{text}");
        }
    }

    #[test]
    fn scalars_with_one_reading_are_not() {
        for text in [
            "true",
            "~",
            "",
            "12",
            "-0",
            "0x1F",
            "1.5",
            "1.e+3",
            ".inf",
            ".nan",
            "y",
            "text",
            "'on'",
            "\"010\"",
            "|\n on\n",
            "!!str on",
            "!!float 3",
            "a.b",
            "infinity",
        ] {
            assert_eq!(notices(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn merge_keys_and_duplicates_are_reported_where_they_stand() {
        assert_eq!(
            notices("a: 1\nb: {<<: {c: 1}, c: 2}\na: 3\n"),
            [
                "\"<<\" is a merge key in YAML 1.1 and a string in YAML 1.2 at line 2 column 5",
                "key a stands twice, first at line 1 column 1 at line 3 column 1",
            ]
        );
        let options = Options { duplicate_keys: DuplicateKeys::Refuse, ..Options::default() };
        let error = load("a: 1\na: 2", &options).unwrap_err();
        assert_eq!(error.kind, ErrorKind::DuplicateKey { key: "a".into(), first: Mark::START });
        assert!(load("{<<: {c: 1}, c: 2}", &options).is_ok());
        assert!(load("{&k c: 1, *k : 2}", &options).is_err());
    }
}
