//! JSON as Go's `json.MarshalIndent(v, "", "  ")` and Python's `json.dumps(v, indent=2, sort_keys=True)` write
//! it. Neither ends with a line break.

use catena_json::{Number, Value};
use std::fmt::Write as _;

/// A value as Python's `json.dumps(value, indent=2, sort_keys=True)` writes it.
#[must_use]
pub fn python_json(value: &Value) -> String {
    let mut out = Printer::default();
    out.python(value);
    out.finish()
}

/// Writes JSON with two spaces for each level.
#[derive(Debug, Default)]
pub(crate) struct Printer {
    text: String,
    depth: usize,
}

impl Printer {
    pub(crate) fn finish(self) -> String {
        self.text
    }

    /// An object or a list: `open`, the items, `close`. Each item is written by `write` behind its own line
    /// break.
    pub(crate) fn group<T>(
        &mut self,
        brackets: (char, char),
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.text.push(brackets.0);
        self.depth = self.depth.saturating_add(1);
        let mut empty = true;
        for item in items {
            if !empty {
                self.text.push(',');
            }
            empty = false;
            self.line();
            write(self, item);
        }
        self.depth = self.depth.saturating_sub(1);
        if !empty {
            self.line();
        }
        self.text.push(brackets.1);
    }

    fn line(&mut self) {
        self.text.push('\n');
        (0..self.depth).for_each(|_| self.text.push_str("  "));
    }

    /// Text that is JSON already.
    pub(crate) fn push(&mut self, json: &str) {
        self.text.push_str(json);
    }

    /// A string as Go writes it: `<`, `>`, `&` and the line separators are escaped.
    pub(crate) fn go_string(&mut self, text: &str) {
        self.text.push('"');
        for letter in text.chars() {
            match letter {
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    self.unit(u16::try_from(u32::from(letter)).unwrap_or(0))
                }
                other => self.letter(other),
            }
        }
        self.text.push('"');
    }

    /// A string as Python writes it: everything but printable ASCII is escaped.
    fn python_string(&mut self, text: &str) {
        self.text.push('"');
        for letter in text.chars() {
            if letter.is_ascii() && letter != '\u{7f}' {
                self.letter(letter);
            } else {
                letter.encode_utf16(&mut [0; 2]).iter().for_each(|unit| self.unit(*unit));
            }
        }
        self.text.push('"');
    }

    /// A character that both escape in the same way, or not at all.
    fn letter(&mut self, letter: char) {
        match letter {
            '"' => self.text.push_str("\\\""),
            '\\' => self.text.push_str("\\\\"),
            '\u{8}' => self.text.push_str("\\b"),
            '\u{c}' => self.text.push_str("\\f"),
            '\n' => self.text.push_str("\\n"),
            '\r' => self.text.push_str("\\r"),
            '\t' => self.text.push_str("\\t"),
            control if control < ' ' => self.unit(u16::try_from(u32::from(control)).unwrap_or(0)),
            other => self.text.push(other),
        }
    }

    fn unit(&mut self, unit: u16) {
        // Writing to a string does not fail.
        let _ = write!(self.text, "\\u{unit:04x}");
    }

    /// A value as Python writes it, with the keys of every object in the order of their code points.
    pub(crate) fn python(&mut self, value: &Value) {
        self.value(value, &Self::python_string, &|number| number.to_string());
    }

    /// A value as Go writes one: keys sorted, numbers as they are.
    pub(crate) fn go_value(&mut self, value: &Value) {
        self.value(value, &Self::go_string, &|number| number.to_string());
    }

    /// A value as Go writes one that it has read into a `map[string]any`: keys sorted, every number a float.
    pub(crate) fn go_map(&mut self, value: &Value) {
        self.value(value, &Self::go_string, &go_float);
    }

    fn value(&mut self, value: &Value, string: &dyn Fn(&mut Self, &str), number: &dyn Fn(&Number) -> String) {
        match value {
            Value::Null => self.push("null"),
            Value::Bool(true) => self.push("true"),
            Value::Bool(false) => self.push("false"),
            Value::Number(value) => self.push(&number(value)),
            Value::String(text) => string(self, text),
            Value::Array(items) => self.group(('[', ']'), items, |out, item| out.value(item, string, number)),
            Value::Object(map) => self.group(('{', '}'), map.sorted(), |out, (key, item)| {
                string(out, key);
                out.push(": ");
                out.value(item, string, number);
            }),
        }
    }

    /// JSON text as Go writes a `json.RawMessage`: indented anew, `<`, `>`, `&` and the line separators
    /// escaped, everything else as it is written. The text must be JSON.
    pub(crate) fn go_raw(&mut self, json: &str) {
        let mut letters = json.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                ' ' | '\t' | '\r' | '\n' => {}
                '"' => self.raw_string(&mut letters),
                '{' | '[' => {
                    self.text.push(letter);
                    while letters.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                    if let Some(end) = letters.next_if(|next| matches!(next, '}' | ']')) {
                        self.text.push(end);
                    } else {
                        self.depth = self.depth.saturating_add(1);
                        self.line();
                    }
                }
                '}' | ']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.line();
                    self.text.push(letter);
                }
                ',' => {
                    self.text.push(letter);
                    self.line();
                }
                ':' => self.text.push_str(": "),
                other => self.text.push(other),
            }
        }
    }

    /// The rest of a string, as it is written.
    fn raw_string(&mut self, letters: &mut impl Iterator<Item = char>) {
        self.text.push('"');
        let mut escaped = false;
        for letter in letters {
            match letter {
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    self.unit(u16::try_from(u32::from(letter)).unwrap_or(0))
                }
                other => self.text.push(other),
            }
            if letter == '"' && !escaped {
                return;
            }
            escaped = letter == '\\' && !escaped;
        }
    }
}

/// A number that went through Go's `float64`: the shortest digits that are that float, with an exponent below
/// 1e-6 and from 1e21 on.
fn go_float(number: &Number) -> String {
    let float = number.as_f64();
    let size = float.abs();
    if float != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{float:e}");
        return match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
            _ => text,
        };
    }
    if float == 0.0 && float.is_sign_negative() { "-0".to_owned() } else { format!("{float}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_json::{Limits, parse};

    fn printed(json: &str, print: impl Fn(&mut Printer, &Value)) -> String {
        let mut out = Printer::default();
        print(&mut out, &parse(json.as_bytes(), &Limits::default()).unwrap());
        out.finish()
    }

    #[test]
    fn python_escapes_what_is_not_printable_ascii_and_sorts_keys() {
        let text =
            printed(r#"{"b":"<ü\u007f😀\u2028\u0001\b/","a":[1,1.0,1e3,[],{}],"B":null}"#, Printer::python);
        assert_eq!(
            text,
            "{\n  \"B\": null,\n  \"a\": [\n    1,\n    1.0,\n    1000.0,\n    [],\n    {}\n  ],\n  \
             \"b\": \"<\\u00fc\\u007f\\ud83d\\ude00\\u2028\\u0001\\b/\"\n}"
        );
    }

    #[test]
    fn go_escapes_html_and_keeps_what_a_raw_message_writes() {
        let mut out = Printer::default();
        out.go_raw(
            "{ \"b\" : \"<\\u00fc\\\"&ü\\/\u{2028}\\\\\" ,\n\"a\":[ ] ,\"n\": [1.0, 1e3,-0 ,{}], \"o\":{ } }",
        );
        assert_eq!(
            out.finish(),
            "{\n  \"b\": \"\\u003c\\u00fc\\\"\\u0026ü\\/\\u2028\\\\\",\n  \"a\": [],\n  \"n\": [\n    1.0,\n    \
             1e3,\n    -0,\n    {}\n  ],\n  \"o\": {}\n}"
        );
    }

    #[test]
    fn go_maps_have_sorted_keys_and_floats() {
        let text = printed(
            r#"{"b":"<\u007f","a":[1,1.5,9007199254740993,1e21,1e-7,123456789012345678901,-0.0,0]}"#,
            Printer::go_map,
        );
        assert_eq!(
            text,
            "{\n  \"a\": [\n    1,\n    1.5,\n    9007199254740992,\n    1e+21,\n    1e-7,\n    \
             123456789012345680000,\n    -0,\n    0\n  ],\n  \"b\": \"\\u003c\u{7f}\"\n}"
        );
    }
}
