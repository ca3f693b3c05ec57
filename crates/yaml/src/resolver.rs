//! The type a scalar's form implies in YAML 1.1, as `PyYAML` decides it.
//!
//! `PyYAML` uses regular expressions that end in `$`, which in Python also holds before a newline at the
//! very end. A plain scalar never ends in one, but a quoted scalar with the tag `!` may.

use crate::tag::Tag;
use crate::timestamp::Fields;

/// The type that `text` implies.
pub(crate) fn resolve(text: &str) -> Tag {
    let text = match text.strip_suffix('\n') {
        // An empty text is null, a lone newline is not.
        Some("") => return Tag::Str,
        Some(line) => line,
        None => text,
    };
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Tag::Null,
        "<<" => Tag::Merge,
        "=" => Tag::Value,
        "!" | "&" | "*" => Tag::Yaml,
        "yes" | "Yes" | "YES" | "no" | "No" | "NO" => Tag::Bool,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Tag::Bool,
        "on" | "On" | "ON" | "off" | "Off" | "OFF" => Tag::Bool,
        _ if is_float(text) => Tag::Float,
        _ if is_int(text) => Tag::Int,
        _ if is_timestamp(text) => Tag::Timestamp,
        _ => Tag::Str,
    }
}

fn is_timestamp(text: &str) -> bool {
    // A date alone needs two digits for month and day; before a time one is enough.
    Fields::of(text).is_some_and(|fields| fields.time.is_some() || text.len() == 10)
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn all(text: &str, accept: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(accept)
}

fn is_digit_or_underscore(c: char) -> bool {
    c.is_ascii_digit() || c == '_'
}

/// Digits and underscores, with a digit first.
fn is_grouped(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(is_digit_or_underscore)
}

/// One digit, or two of which the first is 0 to 5.
fn is_sixtieth(text: &str) -> bool {
    matches!(text.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'])
}

/// `190:20:30`: a first group and at least one sixtieth.
fn is_sexagesimal(text: &str) -> bool {
    let mut parts = text.split(':');
    let first = parts.next().is_some_and(is_grouped);
    let mut rest = parts.peekable();
    first && rest.peek().is_some() && rest.all(is_sixtieth)
}

fn is_int(text: &str) -> bool {
    let text = unsigned(text);
    if let Some(digits) = text.strip_prefix("0b") {
        return all(digits, |c| matches!(c, '0' | '1' | '_'));
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return all(digits, |c| c.is_ascii_hexdigit() || c == '_');
    }
    if let Some(digits) = text.strip_prefix('0') {
        return digits.chars().all(|c| matches!(c, '0'..='7' | '_'));
    }
    is_grouped(text) || is_sexagesimal(text)
}

fn is_float(text: &str) -> bool {
    if matches!(text, ".nan" | ".NaN" | ".NAN") || matches!(unsigned(text), ".inf" | ".Inf" | ".INF") {
        return true;
    }
    // Without digits before the point no sign is allowed.
    if let Some(fraction) = text.strip_prefix('.') {
        return split_exponent(fraction).is_some_and(is_grouped);
    }
    let Some((whole, fraction)) = unsigned(text).split_once('.') else { return false };
    if whole.contains(':') {
        return is_sexagesimal(whole) && fraction.chars().all(is_digit_or_underscore);
    }
    is_grouped(whole)
        && split_exponent(fraction).is_some_and(|fraction| fraction.chars().all(is_digit_or_underscore))
}

/// Takes an exponent off, which needs a sign; nothing when there is a malformed one.
fn split_exponent(text: &str) -> Option<&str> {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return Some(text) };
    let digits = exponent.strip_prefix(['-', '+'])?;
    all(digits, |c| c.is_ascii_digit()).then_some(mantissa)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_imply_types() {
        let cases = [
            (Tag::Null, "~ null Null NULL"),
            (Tag::Bool, "yes Yes YES no No NO true True TRUE false False FALSE on On ON off Off OFF"),
            (Tag::Int, "0 -0 +12 1_000 0b10 -0b1_ 0x1F 0x_ 010 00 0_ 0___7 190:20:30 -1:5 1_0:59"),
            (
                Tag::Float,
                "1. 1.5 -1_0.5_ 1.e+3 1.5E-10 .5 .5_0 .5e+1 1:30. 190:20:30.15 -.inf +.Inf .INF .nan .NaN",
            ),
            (Tag::Timestamp, "2001-12-14 2001-1-4T1:02:03 2001-12-14t21:59:43.10-05:00 2001-12-14T1:02:03.Z"),
            (Tag::Merge, "<<"),
            (Tag::Value, "="),
            (
                Tag::Str,
                "y n Y N tRUE yES oN nULL 1e3 1.5e3 08 0o7 0X1F 0B1 _1 -.5 +.5 -.nan .Nan ._5 . - + 0:30 1:60 1:2:333",
            ),
            (
                Tag::Str,
                "2001-1-4 2001-12-14T1:2:3 01-01-01 1:30.e+5 .5e1 1.5.5 0x 0b << = <<< == ~~ . 1__:_ x",
            ),
        ];
        for (tag, texts) in cases {
            for text in texts.split(' ') {
                let expected = match text {
                    "<<" => Tag::Merge,
                    "=" => Tag::Value,
                    _ => tag,
                };
                assert_eq!(resolve(text), expected, "{text}");
            }
        }
        assert_eq!(resolve(""), Tag::Null);
        assert_eq!(resolve("\n"), Tag::Str);
        assert_eq!(resolve("12\n"), Tag::Int);
        assert_eq!(resolve("12\n\n"), Tag::Str);
        assert_eq!(resolve("2001-12-14 \t 21:59:43.10 Z"), Tag::Timestamp);
    }
}
