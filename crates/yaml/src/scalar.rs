//! Scalars to values: integers, floats, booleans, binary.
//!
//! Python's `int()` and `float()` take more than YAML's forms (white space, signs, prefixes), which shows
//! behind an explicit tag. What of that is not read here is refused.

use std::ops::Neg;

use num_bigint::BigInt;

/// White space that Python's `int()` and `float()` pass over, as far as it is ASCII. Any other white
/// space, like any digit that is not ASCII, is refused here.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c| matches!(c, '\t'..='\r' | '\u{1C}'..='\u{1F}' | ' '))
}

/// Takes one sign off: whether it was a minus, and the rest.
fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// The negative of `value`, if `minus`.
pub(crate) fn with_sign(minus: bool, value: BigInt) -> BigInt {
    let (sign, magnitude) = value.into_parts();
    BigInt::from_biguint(if minus { sign.neg() } else { sign }, magnitude)
}

/// Python's `int(text, radix)` for a text without underscores.
fn python_int(text: &str, radix: u32) -> Option<BigInt> {
    let (minus, digits) = signed(trimmed(text));
    let prefix = match radix {
        2 => ["0b", "0B"],
        8 => ["0o", "0O"],
        16 => ["0x", "0X"],
        _ => ["", ""],
    };
    let digits = prefix.iter().find_map(|prefix| digits.strip_prefix(prefix)).unwrap_or(digits);
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let value = BigInt::parse_bytes(digits.as_bytes(), radix)?;
    Some(with_sign(minus, value))
}

/// Reads `!!int`. The caller has bounded the length of `text`.
pub(crate) fn int(text: &str) -> Option<BigInt> {
    let text = text.replace('_', "");
    let (minus, digits) = signed(&text);
    let value = if digits == "0" {
        BigInt::ZERO
    } else if let Some(digits) = digits.strip_prefix("0b") {
        python_int(digits, 2)?
    } else if let Some(digits) = digits.strip_prefix("0x") {
        python_int(digits, 16)?
    } else if digits.starts_with('0') {
        python_int(digits, 8)?
    } else if digits.contains(':') {
        let mut value = BigInt::ZERO;
        for part in digits.split(':') {
            value = value.checked_mul(&BigInt::from(60))?.checked_add(&python_int(part, 10)?)?;
        }
        value
    } else {
        python_int(digits, 10)?
    };
    Some(with_sign(minus, value))
}

/// Python's `float(text)` for a text without underscores.
fn python_float(text: &str) -> Option<f64> {
    let text = trimmed(text);
    // Rust reads the same forms, `inf`, `infinity` and `nan` among them.
    if text.is_ascii() { text.parse().ok() } else { None }
}

/// More parts than this need a power of 60 that no float holds exactly; Python rounds it once, a loop
/// over floats would round it often. Refused.
const SEXAGESIMAL_PARTS: usize = 13;

/// Reads `!!float`.
pub(crate) fn float(text: &str) -> Option<f64> {
    let text = text.replace('_', "").to_ascii_lowercase();
    let (minus, digits) = signed(&text);
    let value = match digits {
        ".inf" => f64::INFINITY,
        ".nan" => f64::NAN,
        _ if digits.contains(':') => sexagesimal(digits)?,
        _ => python_float(digits)?,
    };
    Some(if minus { -value } else { value })
}

fn sexagesimal(digits: &str) -> Option<f64> {
    if digits.split(':').count() > SEXAGESIMAL_PARTS {
        return None;
    }
    // From the last part to the first, in Python's order: additions of floats do not commute.
    let (mut value, mut base) = (0.0_f64, 1.0_f64);
    for part in digits.rsplit(':') {
        value += python_float(part)? * base;
        base *= 60.0;
    }
    Some(value)
}

/// Reads `!!bool`.
pub(crate) fn bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" => Some(true),
        "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

/// Reads `!!binary`: base64 as Python's `decodebytes` takes it, which passes over every character that is
/// not of its alphabet and stops at complete padding.
pub(crate) fn binary(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() {
        return None;
    }
    let mut bytes = Vec::new();
    let (mut bits, mut held, mut pads) = (0_u32, 0_u32, 0_u32);
    for c in text.bytes() {
        if c == b'=' {
            if held >= 2 {
                pads = pads.saturating_add(1);
                if held.saturating_add(pads) >= 4 {
                    return Some(bytes);
                }
            }
            continue;
        }
        let Some(sextet) = sextet(c) else { continue };
        pads = 0;
        bits = bits.wrapping_shl(6) | u32::from(sextet);
        // After the first character of four nothing is complete, after each other one a byte is.
        let unused = match held {
            0 => None,
            1 => Some(4),
            2 => Some(2),
            _ => Some(0),
        };
        if let Some(unused) = unused {
            bytes.push(bits.wrapping_shr(unused).to_le_bytes()[0]);
        }
        held = if held == 3 { 0 } else { held.saturating_add(1) };
    }
    (held == 0).then_some(bytes)
}

fn sextet(c: u8) -> Option<u8> {
    match c {
        b'A'..=b'Z' => c.checked_sub(b'A'),
        b'a'..=b'z' => c.checked_sub(b'a')?.checked_add(26),
        b'0'..=b'9' => c.checked_sub(b'0')?.checked_add(52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_in_every_base() {
        for (text, value) in [
            ("0", 0),
            ("-0b1_01", -5),
            ("0x_1F", 31),
            ("010", 8),
            ("0o17", 15),
            ("1_000", 1000),
            ("190:20:30", 685_230),
            ("-1:30", -90),
            (" 12\n", 12),
            ("+-3", -3),
        ] {
            assert_eq!(int(text), Some(BigInt::from(value)), "{text}");
        }
        for text in ["", "-", "_", "0b", "0x", "08", "five", "1:", "1 2", "٣", "\u{A0}1"] {
            assert_eq!(int(text), None, "{text}");
        }
    }

    #[test]
    fn floats_as_python_reads_them() {
        for (text, value) in [
            ("1_000.5", 1000.5),
            ("1.e+3", 1000.0),
            (".5", 0.5),
            ("190:20:30.15", 685_230.15),
            ("-.INF", f64::NEG_INFINITY),
            ("1e400", f64::INFINITY),
            ("Infinity", f64::INFINITY),
            ("3", 3.0),
        ] {
            assert_eq!(float(text), Some(value), "{text}");
        }
        assert!(float(".NaN").unwrap().is_nan());
        assert!(float("-0.0").unwrap().is_sign_negative());
        for text in ["", ".", "1e", "x", "1:x", "1:2:3:4:5:6:7:8:9:10:11:12:13:14.0"] {
            assert_eq!(float(text), None, "{text}");
        }
    }

    #[test]
    fn base64_as_python_reads_it() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("YWJj", b"abc"),
            ("YW\n Jj", b"abc"),
            ("YWI=", b"ab"),
            ("YQ==", b"a"),
            ("YQ==YQ==", b"a"),
            ("YQ=*=", b"a"),
            ("====", b""),
            ("Y=WJj", b"abc"),
        ] {
            assert_eq!(binary(text).as_deref(), Some(bytes), "{text}");
        }
        for text in ["Y", "YQ", "YQ=", "YWJjZ", "é"] {
            assert_eq!(binary(text), None, "{text}");
        }
    }
}
