//! Values as text.

use crate::Value;
use std::fmt::{self, Write};

/// Compact JSON: no spaces, members in their order, floats as Python prints them, characters beyond
/// ASCII unchanged. Control characters are escaped, so the text is safe on a terminal.
impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_value(self, None, 0, out)
    }
}

impl Value {
    /// JSON over several lines, indented by two spaces.
    #[must_use]
    pub fn to_pretty(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = write_value(self, Some(2), 0, &mut text);
        text
    }
}

fn write_value(value: &Value, indent: Option<usize>, level: usize, out: &mut impl Write) -> fmt::Result {
    match value {
        Value::Null => out.write_str("null"),
        Value::Bool(true) => out.write_str("true"),
        Value::Bool(false) => out.write_str("false"),
        Value::Number(number) => write!(out, "{number}"),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            let inner = level.saturating_add(1);
            out.write_char('[')?;
            for (position, item) in items.iter().enumerate() {
                separate(position, indent, inner, out)?;
                write_value(item, indent, inner, out)?;
            }
            close(']', items.is_empty(), indent, level, out)
        }
        Value::Object(members) => {
            let inner = level.saturating_add(1);
            out.write_char('{')?;
            for (position, (key, member)) in members.iter().enumerate() {
                separate(position, indent, inner, out)?;
                write_string(key, out)?;
                out.write_str(if indent.is_some() { ": " } else { ":" })?;
                write_value(member, indent, inner, out)?;
            }
            close('}', members.is_empty(), indent, level, out)
        }
    }
}

fn separate(position: usize, indent: Option<usize>, level: usize, out: &mut impl Write) -> fmt::Result {
    if position > 0 {
        out.write_char(',')?;
    }
    new_line(indent, level, out)
}

fn close(
    bracket: char,
    empty: bool,
    indent: Option<usize>,
    level: usize,
    out: &mut impl Write,
) -> fmt::Result {
    if !empty {
        new_line(indent, level, out)?;
    }
    out.write_char(bracket)
}

fn new_line(indent: Option<usize>, level: usize, out: &mut impl Write) -> fmt::Result {
    let Some(indent) = indent else { return Ok(()) };
    let width = indent.saturating_mul(level);
    write!(out, "\n{:width$}", "")
}

fn write_string(text: &str, out: &mut impl Write) -> fmt::Result {
    out.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            control if control.is_control() => {
                let mut units = [0; 2];
                for unit in control.encode_utf16(&mut units) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
            other => out.write_char(other)?,
        }
    }
    out.write_char('"')
}

#[cfg(test)]
mod tests {
    use crate::{Limits, parse};

    #[test]
    fn printing_reads_back() {
        let text = r#"{"b":[1,2.5,"a\n\u0001\"é"],"a":{},"c":[],"d":null,"e":true}"#;
        let value = parse(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(value.to_string(), text);
        assert_eq!(parse(value.to_pretty().as_bytes(), &Limits::default()).unwrap(), value);
        assert!(value.to_pretty().starts_with("{\n  \"b\": [\n    1,\n"));
    }
}
