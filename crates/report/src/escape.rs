//! Outside text, made safe to show.
//!
//! Task definitions, documents and answers of servers may be written by an attacker, and a terminal
//! obeys what it is sent: control sequences move the cursor and recolour lines, bidirectional overrides
//! and invisible characters make one word look like a different one. All displayed text goes through here.

use catena_model::lookalike::is_mistakable;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character can change how other text is shown, or is invisible: control characters, line
/// and paragraph separators, bidirectional formatting, zero-width and other invisible characters,
/// variation selectors, tags, and noncharacters.
#[must_use]
pub fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Printable ASCII, which is never deceptive. Most text is only that, and bytes are checked much faster
/// than characters.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// Text for one line of a terminal: every deceptive character, line breaks too, as `\u{202e}`
/// (`\n`, `\r` and `\t` by their usual names). In a word with letters of ASCII, so is every letter of another
/// script that is taken for one of them.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    if text.bytes().all(is_plain) || !text.chars().any(|one| is_deceptive(one) || is_mistakable(one)) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        let is_mixed = word.bytes().any(|byte| byte.is_ascii_alphabetic());
        escape_word(word, is_mixed, &mut safe);
    }
    Cow::Owned(safe)
}

/// Text between words of ours on one line: in quotation marks unless it is a word of lowercase letters, digits
/// and `-`, so that it cannot continue the line in our words.
pub(crate) fn word(text: &str) -> Cow<'_, str> {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !text.is_empty() && text.bytes().all(is_part) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("\"{}\"", line(text)))
}

fn escape_word(word: &str, is_mixed: bool, safe: &mut String) {
    for character in word.chars() {
        match character {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            deceptive if is_deceptive(deceptive) || (is_mixed && is_mistakable(deceptive)) => {
                // Writing to a string does not fail.
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(deceptive));
            }
            plain => safe.push(plain),
        }
    }
}

/// JSON text with every deceptive character except its own line breaks as `\u202e`. Outside of strings
/// JSON contains none of them, so the value is unchanged.
#[must_use]
pub fn json(text: &str) -> Cow<'_, str> {
    let deceptive = |character: char| character != '\n' && is_deceptive(character);
    if text.bytes().all(|byte| byte == b'\n' || is_plain(byte)) || !text.chars().any(deceptive) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if !deceptive(character) {
            safe.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a string does not fail.
            let _ = write!(safe, "\\u{unit:04x}");
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deceptive_characters_are_escaped() {
        assert_eq!(line("plain é 你好 ✓"), "plain é 你好 ✓");
        assert_eq!(line("a\u{1b}[2Jb\r\n\tc"), "a\\u{1b}[2Jb\\r\\n\\tc");
        assert_eq!(line("\u{202e}gnp.exe\u{2066}\u{200b}"), "\\u{202e}gnp.exe\\u{2066}\\u{200b}");
        assert_eq!(
            line("hg.m\u{43e}zilla.org \u{43f}\u{440}\u{438}"),
            "hg.m\\u{43e}zilla.org \u{43f}\u{440}\u{438}"
        );
        assert_eq!(line("\u{9b}31m\u{7f}\u{2028}\u{e0041}"), "\\u{9b}31m\\u{7f}\\u{2028}\\u{e0041}");
    }

    #[test]
    fn only_words_stand_without_quotation_marks() {
        assert_eq!(word("docker-image"), "docker-image");
        assert_eq!(word("build  verified"), "\"build  verified\"");
        assert_eq!((word(""), word("a\n")), ("\"\"".into(), "\"a\\n\"".into()));
    }

    #[test]
    fn json_keeps_its_value() {
        let text = "{\n  \"a\": \"x\u{202e}y\u{e0041}\u{7f}\"\n}";
        let safe = json(text);
        assert_eq!(safe, "{\n  \"a\": \"x\\u202ey\\udb40\\udc41\\u007f\"\n}");
        let limits = catena_json::Limits::default();
        assert_eq!(
            catena_json::parse(safe.as_bytes(), &limits).unwrap().get("a"),
            Some(&catena_json::Value::from("x\u{202e}y\u{e0041}\u{7f}"))
        );
    }
}
