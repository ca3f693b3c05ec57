//! Values as text, in the ways the reference writes them: JSON-e's own (`${..}` and `str`),
//! Python's `str` and `repr` (`join`, messages), and JSON (`$json`, locations).

use crate::context::Numbers;
use crate::datum::Datum;
use crate::error::ErrorKind;
use crate::limits::Budget;
use crate::number::Number;
use regex::Regex;
use std::fmt::Write;
use std::sync::LazyLock;

/// White space as Python's `str.strip` and `\s` see it: Unicode's, and the four separators of ASCII.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`, and, because Python's `$` allows it, a line break after that.
pub(crate) fn is_identifier(text: &str) -> bool {
    is_plain_identifier(text.strip_suffix('\n').unwrap_or(text))
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`
pub(crate) fn is_plain_identifier(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A scalar in JSON-e's own writing; none for anything else.
pub(crate) fn scalar(datum: &Datum, budget: &Budget<'_>) -> Result<Option<String>, ErrorKind> {
    budget.spend_bytes(datum.bytes())?;
    Ok(match datum {
        Datum::Null => Some("null".to_owned()),
        Datum::Bool(value) => Some(value.to_string()),
        Datum::Number(number) => Some(number_text(number, budget)?),
        Datum::String(text) => Some(text.as_ref().to_owned()),
        _ => None,
    })
}

/// A number's digits. Writing a big integer costs the square of its size, which is paid first.
fn number_text(number: &Number, budget: &Budget<'_>) -> Result<String, ErrorKind> {
    if let Number::Integer(value) = number {
        let words = usize::try_from(value.bits() / 64).unwrap_or(usize::MAX);
        budget.spend(words.saturating_mul(words) / 16)?;
    }
    Ok(match budget.numbers {
        Numbers::Python => number.to_string(),
        Numbers::JavaScript => number.to_javascript(),
    })
}

/// Python's `str`.
pub(crate) fn python_str(datum: &Datum, budget: &Budget<'_>) -> Result<String, ErrorKind> {
    budget.spend_bytes(datum.bytes())?;
    let mut out = String::new();
    match datum {
        Datum::String(text) => out.push_str(text),
        other => repr(other, budget, &mut out)?,
    }
    // Escapes can make it longer than what was paid for.
    budget.spend_string(out.len())?;
    Ok(out)
}

/// Python's `repr`. The depth of values is limited where they are made.
fn repr(datum: &Datum, budget: &Budget<'_>, out: &mut String) -> Result<(), ErrorKind> {
    match datum {
        Datum::Null => out.push_str("None"),
        Datum::Bool(true) => out.push_str("True"),
        Datum::Bool(false) => out.push_str("False"),
        Datum::Number(number) => out.push_str(&number_text(number, budget)?),
        Datum::String(text) => repr_string(text, out),
        Datum::Array(array) => {
            out.push('[');
            for (position, item) in array.items().iter().enumerate() {
                out.push_str(if position == 0 { "" } else { ", " });
                repr(item, budget, out)?;
            }
            out.push(']');
        }
        Datum::Object(object) => {
            out.push('{');
            for (position, (key, member)) in object.members().iter().enumerate() {
                out.push_str(if position == 0 { "" } else { ", " });
                repr_string(key, out);
                out.push_str(": ");
                repr(member, budget, out)?;
            }
            out.push('}');
        }
        // The reference prints an address in memory.
        Datum::Function(_) | Datum::Deleted => return Err(ErrorKind::UncalledFunction),
    }
    Ok(())
}

fn repr_string(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for character in text.chars() {
        // Writing to a string does not fail.
        let _ = match (character, u32::from(character)) {
            ('\\', _) => write!(out, "\\\\"),
            ('\n', _) => write!(out, "\\n"),
            ('\r', _) => write!(out, "\\r"),
            ('\t', _) => write!(out, "\\t"),
            (character, _) if character == quote => write!(out, "\\{quote}"),
            (character, _) if is_printable(character) => write!(out, "{character}"),
            (_, code @ 0..=0xff) => write!(out, "\\x{code:02x}"),
            (_, code @ 0x100..=0xffff) => write!(out, "\\u{code:04x}"),
            (_, code) => write!(out, "\\U{code:08x}"),
        };
    }
    out.push(quote);
}

/// What Python calls printable: not of the categories Other and Separator, except the space.
fn is_printable(character: char) -> bool {
    static HIDDEN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\p{C}\p{Z}]$").ok());
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    let mut bytes = [0; 4];
    !HIDDEN.as_ref().is_some_and(|hidden| hidden.is_match(character.encode_utf8(&mut bytes)))
}

/// Compact JSON with sorted keys, characters beyond ASCII as they are.
pub(crate) fn json(datum: &Datum, budget: &Budget<'_>) -> Result<String, ErrorKind> {
    budget.spend_bytes(datum.bytes())?;
    let mut out = String::new();
    write_json(datum, budget, &mut out)?;
    budget.spend_string(out.len())?;
    Ok(out)
}

fn write_json(datum: &Datum, budget: &Budget<'_>, out: &mut String) -> Result<(), ErrorKind> {
    match datum {
        Datum::Null => out.push_str("null"),
        Datum::Bool(true) => out.push_str("true"),
        Datum::Bool(false) => out.push_str("false"),
        Datum::Number(Number::Float(value)) if value.is_nan() => out.push_str("NaN"),
        Datum::Number(Number::Float(f64::INFINITY)) => out.push_str("Infinity"),
        Datum::Number(Number::Float(f64::NEG_INFINITY)) => out.push_str("-Infinity"),
        Datum::Number(number) => out.push_str(&number_text(number, budget)?),
        Datum::String(text) => json_string(text, false, out),
        Datum::Array(array) => {
            out.push('[');
            for (position, item) in array.items().iter().enumerate() {
                out.push_str(if position == 0 { "" } else { "," });
                write_json(item, budget, out)?;
            }
            out.push(']');
        }
        Datum::Object(object) => {
            let mut members: Vec<_> = object.members().iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (position, (key, member)) in members.into_iter().enumerate() {
                out.push_str(if position == 0 { "" } else { "," });
                json_string(key, false, out);
                out.push(':');
                write_json(member, budget, out)?;
            }
            out.push('}');
        }
        Datum::Function(_) | Datum::Deleted => return Err(ErrorKind::UncalledFunction),
    }
    Ok(())
}

/// A JSON string as Python's `json` writes it, with or without characters beyond ASCII.
fn json_string(text: &str, ascii: bool, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        // Writing to a string does not fail.
        let _ = match character {
            '"' => write!(out, "\\\""),
            '\\' => write!(out, "\\\\"),
            '\n' => write!(out, "\\n"),
            '\r' => write!(out, "\\r"),
            '\t' => write!(out, "\\t"),
            '\u{8}' => write!(out, "\\b"),
            '\u{c}' => write!(out, "\\f"),
            '\0'..='\u{1f}' => write!(out, "\\u{:04x}", u32::from(character)),
            _ if ascii && !character.is_ascii() => {
                let mut units = [0; 2];
                character.encode_utf16(&mut units).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))
            }
            _ => write!(out, "{character}"),
        };
    }
    out.push('"');
}

/// One step of a location: `.key`, or `["other key"]` in ASCII.
pub(crate) fn location_step(key: &str) -> String {
    if is_identifier(key) {
        return format!(".{key}");
    }
    let mut out = "[".to_owned();
    json_string(key, true, &mut out);
    out.push(']');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn import(text: &str) -> Datum {
        let value = catena_json::parse(text.as_bytes(), &catena_json::Limits::default()).unwrap();
        Datum::import(&value, &Limits::default()).unwrap()
    }

    fn with<T>(print: impl Fn(&Datum, &Budget<'_>) -> Result<T, ErrorKind>, text: &str) -> T {
        let limits = Limits::default();
        print(&import(text), &Budget::new(&limits)).unwrap()
    }

    #[test]
    fn identifiers() {
        for good in ["a", "_", "A9_z", "a\n"] {
            assert!(is_identifier(good), "{good:?}");
        }
        for bad in ["", "9a", "a-b", "ä", "a\n\n", "\n", "a b"] {
            assert!(!is_identifier(bad), "{bad:?}");
        }
    }

    #[test]
    fn scalars_are_written_as_json_e_does() {
        for (value, text) in [
            ("null", "null"),
            ("true", "true"),
            ("1.0", "1.0"),
            ("1e16", "1e+16"),
            ("12345678901234567890", "12345678901234567890"),
            ("\"a'b\"", "a'b"),
        ] {
            assert_eq!(with(scalar, value).as_deref(), Some(text));
        }
        assert_eq!(with(scalar, "[]"), None);
    }

    /// Every result is what CPython 3.11 prints.
    #[test]
    fn pythons_str_and_repr() {
        for (value, text) in [
            ("\"it's\"", "it's"),
            ("null", "None"),
            ("true", "True"),
            ("[1, 1.5, null, false, \"a\"]", "[1, 1.5, None, False, 'a']"),
            ("{\"a\": {}, \"it's\": []}", "{'a': {}, \"it's\": []}"),
            (r#"["\"", "'\"", "\\\n\r\t\u0001\u007f"]"#, r#"['"', '\'"', '\\\n\r\t\x01\x7f']"#),
            (
                "[\"\u{e9}\u{a0}\u{ad}\u{2028}\u{1f600}\u{e000}\u{10ffff}\"]",
                "['\u{e9}\\xa0\\xad\\u2028\u{1f600}\\ue000\\U0010ffff']",
            ),
        ] {
            assert_eq!(with(python_str, value), text);
        }
    }

    #[test]
    fn json_is_pythons() {
        let text = r#"{"b": "\u0001\b\f\u007fé\"", "a": [1, 1.0, {}], "A": null}"#;
        assert_eq!(with(json, text), "{\"A\":null,\"a\":[1,1.0,{}],\"b\":\"\\u0001\\b\\f\u{7f}é\\\"\"}");
        let limits = Limits::default();
        let infinite = Datum::Number(Number::Float(f64::NEG_INFINITY));
        assert_eq!(json(&infinite, &Budget::new(&limits)), Ok("-Infinity".to_owned()));
    }

    #[test]
    fn locations_are_ascii() {
        assert_eq!(location_step("tasks"), ".tasks");
        assert_eq!(location_step("123"), "[\"123\"]");
        assert_eq!(location_step("é\u{1f600} \""), "[\"\\u00e9\\ud83d\\ude00 \\\"\"]");
    }
}
