//! Writing YAML for people: plain scalars where that is safe, short lists on one line.

/// Longest line a list may take.
const WIDTH: usize = 110;

/// A YAML file under construction.
#[derive(Default)]
pub(super) struct Writer {
    text: String,
    depth: usize,
    /// Whether the next line is the first of a list's item.
    item: bool,
}

impl Writer {
    pub(super) fn into_text(self) -> String {
        self.text
    }

    pub(super) fn comment(&mut self, text: &str) {
        self.line(&format!("# {text}"));
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.line(&format!("{}: {}", scalar(key), scalar(value)));
    }

    /// Digits, which are not put in quotes.
    pub(super) fn number(&mut self, key: &str, digits: &str) {
        self.line(&format!("{}: {digits}", scalar(key)));
    }

    /// Removes an entry of a file below.
    pub(super) fn null(&mut self, key: &str) {
        self.line(&format!("{}: ~", scalar(key)));
    }

    pub(super) fn list(&mut self, key: &str, items: &[String]) {
        let items: Vec<String> = items.iter().map(|item| scalar(item)).collect();
        let line = format!("{}: [{}]", scalar(key), items.join(", "));
        let is_plain = items.iter().all(|item| !item.starts_with('\''));
        let width = self.indent().len().saturating_add(line.len());
        if items.is_empty() || (is_plain && width <= WIDTH) {
            return self.line(&line);
        }
        self.map(key, |file| items.iter().for_each(|item| file.line(&format!("- {item}"))));
    }

    pub(super) fn map(&mut self, key: &str, inner: impl FnOnce(&mut Self)) {
        let before = self.text.len();
        self.line(&format!("{}:", scalar(key)));
        let filled = self.text.len();
        self.deeper(1, inner);
        if self.text.len() == filled {
            self.text.truncate(before);
            self.line(&format!("{}: {{}}", scalar(key)));
        }
    }

    pub(super) fn records<T>(&mut self, key: &str, records: &[T], inner: impl Fn(&mut Self, &T)) {
        self.map(key, |file| {
            for record in records {
                file.item = true;
                file.deeper(1, |file| inner(file, record));
            }
        });
    }

    fn deeper(&mut self, by: usize, inner: impl FnOnce(&mut Self)) {
        self.depth = self.depth.saturating_add(by);
        inner(self);
        self.depth = self.depth.saturating_sub(by);
    }

    fn indent(&self) -> String {
        "  ".repeat(self.depth)
    }

    fn line(&mut self, line: &str) {
        let indent = self.indent();
        match indent.strip_suffix("  ").filter(|_| std::mem::take(&mut self.item)) {
            Some(outer) => self.text.extend([outer, "- ", line, "\n"]),
            None => self.text.extend([indent.as_str(), line, "\n"]),
        }
    }
}

/// Text as YAML 1.1 and 1.2 both parse it back.
fn scalar(text: &str) -> String {
    const WORDS: [&str; 10] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan"];
    let plain = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+=".contains(&byte))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    // Control characters cannot stand in single quotes.
    if plain {
        text.to_owned()
    } else if text.chars().any(char::is_control) {
        catena_json::Value::from(text).to_string()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_read_back_as_text() {
        for text in [
            "a", "yes", "1", "1e3", "a: b", "# a", "it's", "", "~", "*a", "/a/b", "a\nb", "\\d", "é", "0x1f",
            "null", "a\u{1}",
        ] {
            assert_eq!(serde_saphyr::from_str::<String>(&scalar(text)).unwrap(), text, "{}", scalar(text));
            let any = serde_saphyr::from_str::<std::collections::BTreeMap<String, String>>(&format!(
                "{}: {0}",
                scalar(text)
            ));
            assert_eq!(any.unwrap().into_iter().next(), Some((text.to_owned(), text.to_owned())));
        }
        assert_eq!(
            scalar("KO3FX9JnNga/XViTRBiUMHYnji9Fu3s332sU2lXjSwE="),
            "KO3FX9JnNga/XViTRBiUMHYnji9Fu3s332sU2lXjSwE="
        );
        assert_eq!(scalar("yes"), "'yes'");
    }

    #[test]
    fn lists_break_where_they_are_long() {
        let mut file = Writer::default();
        file.map("a", |file| {
            file.list("short", &["b".to_owned(), "c".to_owned()]);
            file.list("long", &["b".repeat(60), "c".repeat(60)]);
            file.list("none", &[]);
            file.records("records", &[1, 2], |file, number| {
                file.text("x", &number.to_string());
                file.list("quoted", &["^".to_owned()]);
            });
            file.map("empty", |_| {});
        });
        let wanted = format!(
            "a:\n  short: [b, c]\n  long:\n    - {}\n    - {}\n  none: []\n  records:\n    - x: '1'\n      quoted:\n        - '^'\n    - x: '2'\n      quoted:\n        - '^'\n  empty: {{}}\n",
            "b".repeat(60),
            "c".repeat(60)
        );
        assert_eq!(file.into_text(), wanted);
    }
}
