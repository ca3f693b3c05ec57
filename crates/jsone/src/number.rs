//! Numbers while rendering: integers of any size, and floats that may be infinite or not a number.
//! Arithmetic is Python's: integers stay integers except in `/` and in powers below zero.

use crate::error::{ErrorKind, LimitKind};
use crate::limits::Budget;
use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{FromPrimitive, Signed, ToPrimitive, Zero};
use std::cmp::Ordering;
use std::fmt;

#[derive(Clone, Debug)]
pub(crate) enum Number {
    Integer(BigInt),
    Float(f64),
}

impl From<&catena_json::Number> for Number {
    fn from(number: &catena_json::Number) -> Self {
        number.to_bigint().map_or_else(|| Self::Float(number.as_f64()), Self::Integer)
    }
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        Self::Integer(BigInt::from(value))
    }
}

/// As Python's `str` prints it.
impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => write!(out, "{value}"),
            Self::Float(value) => match catena_json::Number::from_f64(*value) {
                Some(finite) => write!(out, "{finite}"),
                None if value.is_nan() => out.write_str("nan"),
                None if *value > 0.0 => out.write_str("inf"),
                None => out.write_str("-inf"),
            },
        }
    }
}

/// Exact across both forms; a float that is not a number equals nothing and has no order.
impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => Some(left.cmp(right)),
            (Self::Float(left), Self::Float(right)) => left.partial_cmp(right),
            (Self::Integer(left), Self::Float(right)) => compare(left, *right),
            (Self::Float(left), Self::Integer(right)) => compare(right, *left).map(Ordering::reverse),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

/// The shortest digits that read back as the same float, placed as JavaScript places them.
fn javascript(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let text = format!("{:e}", value.abs());
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = digits.replace('.', "");
    // The point stands after so many digits.
    let point = exponent.parse::<i32>().unwrap_or_default().saturating_add(1);
    let sign = if value < 0.0 { "-" } else { "" };
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
    let length = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    if (-5..=0).contains(&point) {
        return format!("{sign}0.{}{digits}", zeros(point.saturating_neg()));
    }
    if (1..=21).contains(&point) {
        return match usize::try_from(point).ok().and_then(|point| digits.split_at_checked(point)) {
            Some((whole, "")) => format!("{sign}{whole}"),
            Some((whole, rest)) => format!("{sign}{whole}.{rest}"),
            None => format!("{sign}{digits}{}", zeros(point.saturating_sub(length))),
        };
    }
    let (first, rest) = digits.split_at_checked(1).unwrap_or((&digits, ""));
    let rest = if rest.is_empty() { String::new() } else { format!(".{rest}") };
    format!("{sign}{first}{rest}e{:+}", point.saturating_sub(1))
}

fn compare(integer: &BigInt, float: f64) -> Option<Ordering> {
    match BigInt::from_f64(float.trunc()) {
        Some(whole) => {
            Some(integer.cmp(&whole).then_with(|| 0.0.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal)))
        }
        None if float.is_nan() => None,
        None if float > 0.0 => Some(Ordering::Less),
        None => Some(Ordering::Greater),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

fn problem(problem: &'static str) -> ErrorKind {
    ErrorKind::Arithmetic { problem }
}

/// Integers up to here are the same in JavaScript.
const LARGEST_SAFE: u64 = 1 << 53;

impl Number {
    /// As JavaScript prints it (ECMA-262, `Number::toString`).
    pub(crate) fn to_javascript(&self) -> String {
        match self {
            Self::Integer(value) if *value.magnitude() <= BigUint::from(LARGEST_SAFE) => value.to_string(),
            Self::Integer(value) => javascript(value.to_f64().unwrap_or(f64::INFINITY)),
            Self::Float(value) => javascript(*value),
        }
    }

    pub(crate) fn is_zero(&self) -> bool {
        match self {
            Self::Integer(value) => value.is_zero(),
            Self::Float(value) => *value == 0.0,
        }
    }

    /// Size in 64-bit words, what arithmetic on it costs.
    fn words(&self) -> usize {
        match self {
            Self::Integer(value) => {
                usize::try_from(value.bits() / 64).unwrap_or(usize::MAX).saturating_add(1)
            }
            Self::Float(_) => 1,
        }
    }

    /// The float nearest to it; an error when it is too large to have one.
    pub(crate) fn to_float(&self) -> Result<f64, ErrorKind> {
        match self {
            Self::Integer(value) => {
                divide(value, &BigInt::from(1)).ok_or_else(|| problem("int too large to convert to float"))
            }
            Self::Float(value) => Ok(*value),
        }
    }

    /// The integer below (or above) a float.
    pub(crate) fn rounded(&self, round: fn(f64) -> f64) -> Result<Self, ErrorKind> {
        match self {
            Self::Integer(value) => Ok(Self::Integer(value.clone())),
            Self::Float(value) => BigInt::from_f64(round(*value))
                .map(Self::Integer)
                .ok_or_else(|| problem("cannot convert float infinity or NaN to integer")),
        }
    }

    pub(crate) fn absolute(&self) -> Self {
        match self {
            Self::Integer(value) => Self::Integer(value.abs()),
            Self::Float(value) => Self::Float(value.abs()),
        }
    }

    #[allow(clippy::arithmetic_side_effects, reason = "negating a big integer cannot overflow")]
    pub(crate) fn negated(&self) -> Self {
        match self {
            Self::Integer(value) => Self::Integer(-value),
            Self::Float(value) => Self::Float(-value),
        }
    }

    pub(crate) fn root(&self) -> Result<Self, ErrorKind> {
        let float = self.to_float()?;
        if float < 0.0 {
            return Err(problem("square root of a negative number"));
        }
        Ok(Self::Float(float.sqrt()))
    }

    /// `left operation right`, within the budget. For powers, `left` is the base.
    #[allow(clippy::arithmetic_side_effects, reason = "big integers and floats cannot overflow")]
    pub(crate) fn calculate(
        operation: Arithmetic,
        left: &Self,
        right: &Self,
        budget: &Budget<'_>,
    ) -> Result<Self, ErrorKind> {
        // Schoolbook cost, an upper bound for what num-bigint does.
        budget.spend(left.words().saturating_mul(right.words()) / 16)?;
        let result = match (operation, left, right) {
            (Arithmetic::Divide, ..) => return quotient(left, right),
            (Arithmetic::Power, ..) => return power(left, right, budget),
            (Arithmetic::Add, Self::Integer(left), Self::Integer(right)) => Self::Integer(left + right),
            (Arithmetic::Subtract, Self::Integer(left), Self::Integer(right)) => Self::Integer(left - right),
            (Arithmetic::Multiply, Self::Integer(left), Self::Integer(right)) => Self::Integer(left * right),
            (Arithmetic::Add, ..) => Self::Float(left.to_float()? + right.to_float()?),
            (Arithmetic::Subtract, ..) => Self::Float(left.to_float()? - right.to_float()?),
            (Arithmetic::Multiply, ..) => Self::Float(left.to_float()? * right.to_float()?),
        };
        result.within(budget)
    }

    /// The number, unless it is an integer larger than the limit.
    pub(crate) fn within(self, budget: &Budget<'_>) -> Result<Self, ErrorKind> {
        match &self {
            Self::Integer(value) if value.bits() > budget.limits.integer_bits => Err(too_large(budget)),
            _ => Ok(self),
        }
    }
}

fn too_large(budget: &Budget<'_>) -> ErrorKind {
    ErrorKind::Limit { limit: LimitKind::IntegerBits, allowed: budget.limits.integer_bits }
}

fn quotient(left: &Number, right: &Number) -> Result<Number, ErrorKind> {
    if right.is_zero() {
        return Err(ErrorKind::DivisionByZero);
    }
    if let (Number::Integer(left), Number::Integer(right)) = (left, right) {
        return divide(left, right)
            .map(Number::Float)
            .ok_or_else(|| problem("integer division result too large for a float"));
    }
    Ok(Number::Float(left.to_float()? / right.to_float()?))
}

/// The float nearest to the quotient of two integers (half to even), as Python divides; none when
/// it is too large for a float. The divisor is not zero.
#[allow(
    clippy::arithmetic_side_effects,
    reason = "bit counts are far below i64::MAX; the divisor is not zero"
)]
fn divide(left: &BigInt, right: &BigInt) -> Option<f64> {
    let (above, below) = (left.magnitude(), right.magnitude());
    let sign = if (left.sign() == Sign::Minus) == (right.sign() == Sign::Minus) { 1.0 } else { -1.0 };
    if above.is_zero() {
        return Some(sign * 0.0);
    }
    // The exponent of the quotient's highest bit, then that of the lowest bit a float keeps.
    let difference = i64::try_from(above.bits()).ok()? - i64::try_from(below.bits()).ok()?;
    let (scaled, divisor) = scale(above, below, -difference)?;
    let highest = if scaled >= divisor { difference } else { difference - 1 };
    let lowest = (highest - 52).max(-1074);
    // Two bits more than are kept, and whether anything was lost below them, decide the rounding.
    let (scaled, divisor) = scale(above, below, 2 - lowest)?;
    let lost = !(&scaled % &divisor).is_zero();
    let digits = (scaled / divisor).to_u64()?;
    let (kept, rest) = (digits >> 2, digits & 3);
    let up = rest == 3 || (rest == 2 && (lost || kept & 1 == 1));
    let kept = (kept + u64::from(up)).to_f64()?;
    let result = kept * power_of_two(lowest)?;
    result.is_finite().then_some(sign * result)
}

/// Both sides of a fraction after multiplying it by a power of two.
#[allow(clippy::arithmetic_side_effects, reason = "shifts of big integers by less than their limit")]
fn scale(above: &BigUint, below: &BigUint, bits: i64) -> Option<(BigUint, BigUint)> {
    let shift = usize::try_from(bits.unsigned_abs()).ok()?;
    Some(if bits >= 0 { (above << shift, below.clone()) } else { (above.clone(), below << shift) })
}

/// Exactly two to that power, from -1074 on; none above the range of floats.
fn power_of_two(exponent: i64) -> Option<f64> {
    if exponent > 1023 {
        return None;
    }
    let bits = if exponent >= -1022 {
        u64::try_from(exponent.checked_add(1023)?).ok()?.checked_shl(52)?
    } else {
        1_u64.checked_shl(u32::try_from(exponent.checked_add(1074)?).ok()?)?
    };
    Some(f64::from_bits(bits))
}

fn power(base: &Number, exponent: &Number, budget: &Budget<'_>) -> Result<Number, ErrorKind> {
    if let (Number::Integer(base), Number::Integer(exponent)) = (base, exponent)
        && exponent.sign() != Sign::Minus
    {
        return whole_power(base, exponent, budget);
    }
    let (base, exponent) = (base.to_float()?, exponent.to_float()?);
    if base == 0.0 && exponent < 0.0 {
        return Err(problem("0.0 cannot be raised to a negative power"));
    }
    if base < 0.0 && base.is_finite() && exponent.is_finite() && exponent.fract() != 0.0 {
        return Err(problem("a negative number to a fractional power is a complex number"));
    }
    let result = base.powf(exponent);
    if result.is_infinite() && base.is_finite() && exponent.is_finite() {
        return Err(problem("power too large for a float"));
    }
    Ok(Number::Float(result))
}

fn whole_power(base: &BigInt, exponent: &BigInt, budget: &Budget<'_>) -> Result<Number, ErrorKind> {
    if base.magnitude() <= &BigUint::from(1_u8) {
        // 0, 1 and -1 stay small, however large the exponent.
        let odd = exponent.bit(0);
        let value =
            if exponent.is_zero() || (base.is_negative() && !odd) { BigInt::from(1) } else { base.clone() };
        return Ok(Number::Integer(value));
    }
    let exponent = exponent.to_u32().ok_or_else(|| too_large(budget))?;
    // The result has more bits than this, unless the base is a power of two; then exactly one more.
    let bits = base.bits().saturating_sub(1).saturating_mul(u64::from(exponent));
    if bits >= budget.limits.integer_bits {
        return Err(too_large(budget));
    }
    let words = usize::try_from(bits / 64).unwrap_or(usize::MAX).saturating_mul(2);
    budget.spend(words.saturating_mul(words) / 16)?;
    Number::Integer(base.pow(exponent)).within(budget)
}

/// Reads a number as Python's `float` does: spaces around it, a sign, underscores between digits,
/// an exponent, `inf`, `infinity` and `nan` in any case. ASCII only.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim_matches(crate::text::is_space);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if ["inf", "infinity", "nan"].iter().any(|word| unsigned.eq_ignore_ascii_case(word)) {
        return text.parse().ok();
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let good = |part: &str| part.is_empty() || is_grouped_digits(part);
    if (whole.is_empty() && fraction.is_empty())
        || !good(whole)
        || !good(fraction)
        || !exponent.is_none_or(is_grouped_digits)
    {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// Digits, with single underscores between them.
fn is_grouped_digits(text: &str) -> bool {
    text.split('_').all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn integer(text: &str) -> Number {
        Number::Integer(text.parse().unwrap())
    }

    fn calculate(operation: Arithmetic, left: &Number, right: &Number) -> Result<Number, ErrorKind> {
        let limits = Limits::default();
        Number::calculate(operation, left, right, &Budget::new(&limits))
    }

    fn printed(operation: Arithmetic, left: &Number, right: &Number) -> String {
        calculate(operation, left, right).unwrap().to_string()
    }

    #[test]
    fn integers_stay_integers() {
        let large = integer("123456789012345678901234567890");
        let one = integer("1");
        assert_eq!(printed(Arithmetic::Add, &large, &one), "123456789012345678901234567891");
        assert_eq!(printed(Arithmetic::Subtract, &one, &large), "-123456789012345678901234567889");
        assert_eq!(
            printed(Arithmetic::Multiply, &integer("4294967296"), &integer("4294967296")),
            "18446744073709551616"
        );
        assert_eq!(printed(Arithmetic::Power, &integer("-3"), &integer("41")), "-36472996377170786403");
        assert_eq!(printed(Arithmetic::Add, &one, &Number::Float(1.0)), "2.0");
    }

    /// Every result is what CPython 3.11 prints.
    #[test]
    fn division_rounds_as_python_does() {
        for (left, right, result) in [
            ("6", "2", "3.0"),
            ("1", "3", "0.3333333333333333"),
            ("-7", "2", "-3.5"),
            ("0", "-5", "-0.0"),
            ("9007199254740993", "1", "9007199254740992.0"),
            ("9007199254740995", "1", "9007199254740996.0"),
            ("9007199254740993", "3", "3002399751580331.0"),
            ("123456789012345678901234567890", "987654321", "1.249999988734375e+20"),
        ] {
            assert_eq!(
                printed(Arithmetic::Divide, &integer(left), &integer(right)),
                result,
                "{left} / {right}"
            );
        }
    }

    #[test]
    fn division_reaches_the_ends_of_the_floats() {
        let two = integer("2");
        let power = |exponent: &str| calculate(Arithmetic::Power, &two, &integer(exponent)).unwrap();
        assert_eq!(printed(Arithmetic::Divide, &integer("1"), &power("1074")), "5e-324");
        assert_eq!(printed(Arithmetic::Divide, &integer("3"), &power("1075")), "1e-323");
        assert_eq!(printed(Arithmetic::Divide, &integer("1"), &power("1075")), "0.0");
        assert_eq!(printed(Arithmetic::Divide, &power("1023"), &integer("1")), "8.98846567431158e+307");
        assert!(calculate(Arithmetic::Divide, &power("1024"), &integer("1")).is_err());
        let almost = calculate(Arithmetic::Subtract, &power("1024"), &integer("1")).unwrap();
        assert!(calculate(Arithmetic::Divide, &almost, &integer("1")).is_err());
        assert_eq!(printed(Arithmetic::Divide, &power("2000"), &power("2001")), "0.5");
        assert!(almost.to_float().is_err());
    }

    #[test]
    fn division_by_zero_is_refused() {
        for zero in [integer("0"), Number::Float(0.0), Number::Float(-0.0)] {
            assert_eq!(calculate(Arithmetic::Divide, &integer("1"), &zero), Err(ErrorKind::DivisionByZero));
        }
    }

    #[test]
    fn powers_have_pythons_edges() {
        assert_eq!(printed(Arithmetic::Power, &integer("2"), &integer("-1")), "0.5");
        assert_eq!(printed(Arithmetic::Power, &integer("0"), &integer("0")), "1");
        assert_eq!(printed(Arithmetic::Power, &integer("-1"), &integer("100000000000000000001")), "-1");
        assert_eq!(printed(Arithmetic::Power, &integer("-1"), &integer("100000000000000000000")), "1");
        assert_eq!(printed(Arithmetic::Power, &integer("2"), &Number::Float(0.5)), "1.4142135623730951");
        assert!(calculate(Arithmetic::Power, &integer("0"), &integer("-1")).is_err());
        assert!(calculate(Arithmetic::Power, &integer("-8"), &Number::Float(0.5)).is_err());
        assert!(calculate(Arithmetic::Power, &Number::Float(10.0), &integer("400")).is_err());
    }

    #[test]
    fn integers_are_limited() {
        let limit = ErrorKind::Limit { limit: LimitKind::IntegerBits, allowed: 14_284 };
        let two = integer("2");
        let most = calculate(Arithmetic::Power, &two, &integer("14283")).unwrap();
        assert_eq!(most.to_string().len(), 4300);
        assert_eq!(calculate(Arithmetic::Power, &two, &integer("14284")), Err(limit.clone()));
        assert_eq!(calculate(Arithmetic::Add, &most, &most), Err(limit.clone()));
        assert_eq!(calculate(Arithmetic::Multiply, &most, &two), Err(limit.clone()));
        assert_eq!(
            calculate(Arithmetic::Power, &integer("10"), &integer("10000000000000000000")),
            Err(limit.clone())
        );
        assert_eq!(calculate(Arithmetic::Power, &integer("10"), &integer("4000000000")), Err(limit));
    }

    #[test]
    fn comparison_is_exact_across_forms() {
        assert_eq!(integer("1"), Number::Float(1.0));
        assert_ne!(integer("9007199254740993"), Number::Float(9_007_199_254_740_992.0));
        assert!(integer("1") < Number::Float(1.5));
        assert!(integer("-1") > Number::Float(-1.5));
        assert!(integer("5") < Number::Float(f64::INFINITY));
        assert!(Number::Float(f64::NEG_INFINITY) < integer("5"));
        assert_eq!(integer("5").partial_cmp(&Number::Float(f64::NAN)), None);
    }

    /// Every result is what Node.js prints.
    #[test]
    fn numbers_print_as_in_javascript() {
        for (value, text) in [
            (0.00001, "0.00001"),
            (1e-7, "1e-7"),
            (1.5e-7, "1.5e-7"),
            (0.000001, "0.000001"),
            (-0.5, "-0.5"),
            (-0.0, "0"),
            (1.0, "1"),
            (100.0, "100"),
            (123.456, "123.456"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.25e21, "1.25e+21"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            assert_eq!(Number::Float(value).to_javascript(), text);
        }
        for (value, text) in [
            ("0", "0"),
            ("-7", "-7"),
            ("9007199254740992", "9007199254740992"),
            ("9007199254740993", "9007199254740992"),
            ("12345678901234567890", "12345678901234567000"),
        ] {
            assert_eq!(integer(value).to_javascript(), text);
        }
    }

    #[test]
    fn rounding_gives_integers() {
        assert_eq!(Number::Float(1.5).rounded(f64::ceil).unwrap().to_string(), "2");
        assert_eq!(Number::Float(-0.5).rounded(f64::ceil).unwrap().to_string(), "0");
        assert_eq!(Number::Float(1e20).rounded(f64::floor).unwrap().to_string(), "100000000000000000000");
        assert!(Number::Float(f64::INFINITY).rounded(f64::floor).is_err());
        assert!(Number::Float(f64::NAN).rounded(f64::floor).is_err());
    }

    #[test]
    fn floats_are_read_as_python_reads_them() {
        for (text, value) in [
            ("3", 3.0),
            (" -14.15\n", -14.15),
            ("1_000.5", 1000.5),
            ("+1e5", 1e5),
            (".5", 0.5),
            ("5.", 5.0),
            ("1E-2", 0.01),
            ("-Infinity", f64::NEG_INFINITY),
            ("1e999", f64::INFINITY),
        ] {
            assert_eq!(parse_float(text), Some(value), "{text:?}");
        }
        assert!(parse_float("NaN").unwrap().is_nan());
        for text in [
            "", " ", ".", "e5", "1e", "1__0", "_1", "1_", "1_.5", "0x10", "1 2", "+-1", "infin", "1e+-5",
            "--1",
        ] {
            assert_eq!(parse_float(text), None, "{text:?}");
        }
    }
}
