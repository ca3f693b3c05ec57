//! Numbers: exact integers of any size, finite floats, compared exactly.

use num_bigint::BigInt;
use num_traits::{FromPrimitive, ToPrimitive};
use std::cmp::Ordering;
use std::fmt;

/// The longest number that is parsed, in bytes. Parsing decimal digits into a big integer takes
/// quadratic time; no number in a task is longer.
const LONGEST_TEXT: usize = 4096;

/// A JSON number. Text without a decimal point or exponent is an integer of any size; everything else
/// is a finite float. Equality and order are those of the exact values, across both forms.
#[derive(Clone, Debug)]
pub struct Number(Form);

#[derive(Clone, Debug)]
enum Form {
    Small(i64),
    /// Only integers that do not fit an `i64`, so that each integer has one form.
    Big(BigInt),
    /// Always finite.
    Float(f64),
}

impl Number {
    /// A float; `None` for NaN and the infinities, which JSON cannot represent.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(Form::Float(value)))
    }

    /// Parses a number by JSON's grammar (RFC 8259 section 6). `None` for other text, for text over 4
    /// KiB, and for floats too large to be finite.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST_TEXT {
            return None;
        }
        match grammar(text.as_bytes())? {
            Grammar::Integer => {
                if let Ok(small) = text.parse::<i64>() {
                    return Some(Self(Form::Small(small)));
                }
                text.parse::<BigInt>().ok().map(Self::from)
            }
            Grammar::Float => text.parse::<f64>().ok().and_then(Self::from_f64),
        }
    }

    /// Whether it was written as an integer.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        !self.is_float()
    }

    /// Whether it was written as a float.
    #[must_use]
    pub fn is_float(&self) -> bool {
        matches!(self.0, Form::Float(_))
    }

    /// The integer, if it is one and fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        if let Form::Small(value) = self.0 { Some(value) } else { None }
    }

    /// The integer, if it is one and fits.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match &self.0 {
            Form::Small(value) => u64::try_from(*value).ok(),
            Form::Big(value) => value.to_u64(),
            Form::Float(_) => None,
        }
    }

    /// The nearest float; infinite for integers beyond its range.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            Form::Small(value) => value.to_f64().unwrap_or(f64::NAN),
            Form::Big(value) => value.to_f64().unwrap_or(f64::INFINITY),
            Form::Float(value) => *value,
        }
    }

    /// The integer, if it was written as one.
    #[must_use]
    pub fn to_bigint(&self) -> Option<BigInt> {
        match &self.0 {
            Form::Small(value) => Some(BigInt::from(*value)),
            Form::Big(value) => Some(value.clone()),
            Form::Float(_) => None,
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(Form::Small(value))
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self(i64::try_from(value).map_or_else(|_| Form::Big(BigInt::from(value)), Form::Small))
    }
}

impl From<BigInt> for Number {
    fn from(value: BigInt) -> Self {
        Self(value.to_i64().map_or(Form::Big(value), Form::Small))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (&self.0, &other.0) {
            (Form::Small(left), Form::Small(right)) => Some(left.cmp(right)),
            (Form::Float(left), Form::Float(right)) => left.partial_cmp(right),
            (Form::Float(left), _) => compare_float(*left, other),
            (_, Form::Float(right)) => compare_float(*right, self).map(Ordering::reverse),
            _ => Some(self.to_bigint()?.cmp(&other.to_bigint()?)),
        }
    }
}

/// Compares a finite float with an integer exactly: by its whole part first, then by its fraction.
fn compare_float(float: f64, integer: &Number) -> Option<Ordering> {
    let whole = BigInt::from_f64(float.trunc())?;
    let fraction = float.fract();
    Some(whole.cmp(&integer.to_bigint()?).then_with(|| {
        // The whole parts agree, so the sign of what is left decides.
        fraction.partial_cmp(&0.0).unwrap_or(Ordering::Equal)
    }))
}

/// As Python prints it: integers as digits, floats by `repr`: the shortest digits that parse to the
/// same float, with an exponent below 1e-4 and from 1e16.
impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Small(value) => write!(out, "{value}"),
            Form::Big(value) => write!(out, "{value}"),
            Form::Float(value) => float_repr(*value, out),
        }
    }
}

fn float_repr(value: f64, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    if value == 0.0 || (1e-4..1e16).contains(&value.abs()) {
        // Debug keeps the ".0" of whole floats and never uses an exponent in this range.
        return write!(out, "{value:?}");
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, magnitude) = exponent.strip_prefix('-').map_or(("+", exponent), |magnitude| ("-", magnitude));
    write!(out, "{digits}e{sign}{magnitude:0>2}")
}

enum Grammar {
    Integer,
    Float,
}

/// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
fn grammar(text: &[u8]) -> Option<Grammar> {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (digits, rest) = digits(text);
    if digits.is_empty() || (digits.len() > 1 && digits.first() == Some(&b'0')) {
        return None;
    }
    if rest.is_empty() {
        return Some(Grammar::Integer);
    }
    let rest = match rest.strip_prefix(b".") {
        Some(after) => some_digits(after)?,
        None => rest,
    };
    let rest = match rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        Some(after) => {
            some_digits(after.strip_prefix(b"+").or_else(|| after.strip_prefix(b"-")).unwrap_or(after))?
        }
        None => rest,
    };
    rest.is_empty().then_some(Grammar::Float)
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, &[]))
}

fn some_digits(text: &[u8]) -> Option<&[u8]> {
    let (digits, rest) = digits(text);
    (!digits.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn grammar_is_jsons() {
        for good in ["0", "-0", "10", "1.0", "1e3", "1E+3", "-1.5e-7", "12345678901234567890123"] {
            assert!(Number::parse(good).is_some(), "{good}");
        }
        for bad in
            ["", "-", "01", "+1", "1.", ".5", "1e", "0x1", "1_000", "NaN", "Infinity", "1e999", " 1", "1 "]
        {
            assert!(Number::parse(bad).is_none(), "{bad}");
        }
        assert!(Number::parse(&"9".repeat(LONGEST_TEXT + 1)).is_none());
    }

    #[test]
    fn equality_is_exact_across_forms() {
        assert_eq!(number("1"), number("1.0"));
        assert_eq!(number("-0"), number("0.0"));
        assert_ne!(number("9007199254740993"), number("9007199254740992.0"));
        assert_eq!(number("9007199254740992"), number("9007199254740992.0"));
        assert_ne!(number("12345678901234567890"), number("12345678901234567000"));
        assert_eq!(number("100000000000000000000"), number("1e20"));
    }

    #[test]
    fn order_is_exact_across_forms() {
        assert!(number("1") < number("1.5"));
        assert!(number("-1") > number("-1.5"));
        assert!(number("9007199254740993") > number("9007199254740992.0"));
        assert!(number("1e300") > number("123456789012345678901234567890"));
    }

    #[test]
    fn printing_is_pythons() {
        for (text, printed) in [
            ("1.0", "1.0"),
            ("1e3", "1000.0"),
            ("1e15", "1000000000000000.0"),
            ("1e16", "1e+16"),
            ("1.5e300", "1.5e+300"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("-1.25e-7", "-1.25e-07"),
            ("0.1", "0.1"),
            ("-0.0", "-0.0"),
            ("12345678901234567890", "12345678901234567890"),
        ] {
            assert_eq!(number(text).to_string(), printed);
        }
    }
}
