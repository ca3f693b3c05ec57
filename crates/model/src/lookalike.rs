//! Characters outside ASCII, by code point and name, so that a reader sees what a letter is.

/// Letters of other scripts that look like a letter of ASCII, by that letter. The usual ones; what is missing
/// here is still named by its script.
const ALIKE: &[(char, char)] = &[
    ('ı', 'i'),
    ('ɡ', 'g'),
    ('Α', 'A'),
    ('Β', 'B'),
    ('Ε', 'E'),
    ('Ζ', 'Z'),
    ('Η', 'H'),
    ('Ι', 'I'),
    ('Κ', 'K'),
    ('Μ', 'M'),
    ('Ν', 'N'),
    ('Ο', 'O'),
    ('Ρ', 'P'),
    ('Τ', 'T'),
    ('Υ', 'Y'),
    ('Χ', 'X'),
    ('α', 'a'),
    ('ι', 'i'),
    ('κ', 'k'),
    ('ν', 'v'),
    ('ο', 'o'),
    ('ρ', 'p'),
    ('τ', 't'),
    ('υ', 'u'),
    ('А', 'A'),
    ('В', 'B'),
    ('Е', 'E'),
    ('К', 'K'),
    ('М', 'M'),
    ('Н', 'H'),
    ('О', 'O'),
    ('Р', 'P'),
    ('С', 'C'),
    ('Т', 'T'),
    ('Х', 'X'),
    ('а', 'a'),
    ('г', 'r'),
    ('е', 'e'),
    ('о', 'o'),
    ('р', 'p'),
    ('с', 'c'),
    ('у', 'y'),
    ('х', 'x'),
    ('ѕ', 's'),
    ('і', 'i'),
    ('ј', 'j'),
    ('һ', 'h'),
    ('ԁ', 'd'),
    ('ԛ', 'q'),
    ('ԝ', 'w'),
    ('ո', 'n'),
    ('ս', 'u'),
    ('օ', 'o'),
];

/// Scripts by ranges of code points, in order.
const SCRIPTS: &[(u32, u32, &str)] = &[
    (0x00c0, 0x024f, "Latin"),
    (0x0250, 0x02af, "Latin"),
    (0x0300, 0x036f, "combining"),
    (0x0370, 0x03ff, "Greek"),
    (0x0400, 0x052f, "Cyrillic"),
    (0x0530, 0x058f, "Armenian"),
    (0x0590, 0x05ff, "Hebrew"),
    (0x0600, 0x06ff, "Arabic"),
    (0x13a0, 0x13ff, "Cherokee"),
    (0x1e00, 0x1eff, "Latin"),
    (0x1f00, 0x1fff, "Greek"),
    (0x2100, 0x214f, "letterlike"),
    (0x3040, 0x30ff, "kana"),
    (0x4e00, 0x9fff, "Han"),
    (0xac00, 0xd7a3, "Hangul"),
    (0xff00, 0xffef, "fullwidth"),
    (0x1d400, 0x1d7ff, "mathematical"),
];

/// Scripts whose letters are taken for those of ASCII.
const MISTAKABLE: [&str; 8] =
    ["combining", "Greek", "Cyrillic", "Armenian", "Cherokee", "letterlike", "fullwidth", "mathematical"];

/// The script of a character outside ASCII, as far as it is known here.
fn script(character: char) -> Option<&'static str> {
    let code = u32::from(character);
    SCRIPTS.iter().find(|(first, last, _)| (*first..=*last).contains(&code)).map(|(_, _, name)| *name)
}

/// The letter of ASCII that a character looks like.
fn alike(character: char) -> Option<char> {
    let code = u32::from(character);
    if let Some(plain) = code.checked_sub(0xfee0).filter(|_| (0xff01..=0xff5e).contains(&code)) {
        return char::from_u32(plain);
    }
    ALIKE.iter().find(|(other, _)| *other == character).map(|(_, plain)| *plain)
}

/// Whether a character may be taken for a letter of ASCII: in a word that has such letters too, it is named.
#[must_use]
pub fn is_mistakable(character: char) -> bool {
    !character.is_ascii()
        && (alike(character).is_some() || script(character).is_some_and(|name| MISTAKABLE.contains(&name)))
}

/// A character by its code point, its script, and the letter that it looks like: `U+043E (Cyrillic о, not o)`.
#[must_use]
pub fn named(character: char) -> String {
    let code = format!("U+{:04X}", u32::from(character));
    // Controls and what has no script here are not shown as they are.
    let Some(script) = script(character) else { return code };
    match alike(character) {
        Some(plain) => format!("{code} ({script} {character}, not {plain})"),
        None => format!("{code} ({script} {character})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_named_by_code_point_script_and_what_it_looks_like() {
        assert_eq!(named('о'), "U+043E (Cyrillic о, not o)");
        assert_eq!(named('ο'), "U+03BF (Greek ο, not o)");
        assert_eq!(named('ｍ'), "U+FF4D (fullwidth ｍ, not m)");
        assert_eq!(named('ж'), "U+0436 (Cyrillic ж)");
        assert_eq!(named('\u{202e}'), "U+202E");
    }

    #[test]
    fn letters_of_other_scripts_are_mistakable_and_accents_are_not() {
        for letter in ['о', 'ж', 'Ο', 'ｍ', '𝐦', 'ı'] {
            assert!(is_mistakable(letter), "{letter}");
        }
        for letter in ['o', 'é', 'ß', '測', '가', '\u{202e}'] {
            assert!(!is_mistakable(letter), "{letter}");
        }
    }
}
