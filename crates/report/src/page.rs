//! Lines of text with labels, colours and a width.

use crate::escape;

/// The width of a label in columns.
const LABEL: usize = 10;
/// The narrowest text column that still wraps.
const NARROWEST: usize = 30;

/// The style of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Bold,
    Dim,
    Good,
    Bad,
    Unsure,
    Expected,
    Actual,
}

impl Paint {
    fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Good => "1;32",
            Self::Bad => "1;31",
            Self::Unsure => "1;33",
            Self::Expected => "32",
            Self::Actual => "31",
        }
    }
}

/// A page under construction. All text that is added to it is escaped.
pub(crate) struct Page {
    out: String,
    color: bool,
    width: Option<usize>,
}

impl Page {
    pub(crate) fn new(color: bool, width: Option<usize>) -> Self {
        Self { out: String::new(), color, width }
    }

    /// The finished page.
    pub(crate) fn into_text(self) -> String {
        self.out
    }

    /// An empty line.
    pub(crate) fn gap(&mut self) {
        self.out.push('\n');
    }

    /// One line of styled words, never wrapped.
    pub(crate) fn words(&mut self, words: &[(Option<Paint>, &str)]) {
        for (paint, word) in words {
            self.paint(*paint, word);
        }
        self.out.push('\n');
    }

    /// A paragraph indented by `indent` spaces.
    pub(crate) fn paragraph(&mut self, indent: usize, text: &str) {
        for line in self.wrapped(text, indent) {
            self.indent(indent);
            self.paint(None, &line);
            self.out.push('\n');
        }
    }

    /// A label and its text, indented by `indent` spaces; further lines of the text are aligned with
    /// its first.
    pub(crate) fn labelled(&mut self, indent: usize, label: &str, text: &str) {
        let column = indent.saturating_add(LABEL);
        for (number, line) in self.wrapped(text, column).into_iter().enumerate() {
            self.indent(indent);
            self.paint(Some(Paint::Dim), &format!("{:LABEL$}", if number == 0 { label } else { "" }));
            self.paint(None, &line);
            self.out.push('\n');
        }
    }

    /// One side of a difference, on one line.
    pub(crate) fn side(&mut self, indent: usize, paint: Paint, mark: &str, who: &str, text: &str) {
        self.indent(indent);
        self.paint(Some(paint), &format!("{mark} {who:8} {text}"));
        self.out.push('\n');
    }

    /// Columns left for text after `indent` spaces; `otherwise` if the width is unlimited.
    pub(crate) fn room(&self, indent: usize, otherwise: usize) -> usize {
        self.width.map_or(otherwise, |width| width.saturating_sub(indent).max(NARROWEST))
    }

    fn indent(&mut self, columns: usize) {
        self.out.extend(std::iter::repeat_n(' ', columns));
    }

    fn paint(&mut self, paint: Option<Paint>, text: &str) {
        let text = escape::line(text);
        match paint.filter(|_| self.color) {
            Some(paint) => {
                for part in ["\x1b[", paint.code(), "m", &text, "\x1b[0m"] {
                    self.out.push_str(part);
                }
            }
            None => self.out.push_str(&text),
        }
    }

    /// The text's own lines, wrapped at spaces to fit after `indent` columns. A line break in outside
    /// text leads to a line that starts with a bar, so that it never looks like one of the report's
    /// own.
    fn wrapped(&self, text: &str, indent: usize) -> Vec<String> {
        let room = self.room(indent, usize::MAX);
        let mut lines = Vec::new();
        for (number, own) in text.trim_end().split('\n').enumerate() {
            if number == 0 {
                wrap(&escape::line(own), room, &mut lines);
            } else {
                // Carets point at columns: these lines are never wrapped.
                lines.push(format!("| {}", escape::line(own)));
            }
        }
        lines
    }
}

fn wrap(text: &str, room: usize, lines: &mut Vec<String>) {
    let mut line = String::new();
    let mut length = 0_usize;
    for word in text.split(' ') {
        let columns = word.chars().count();
        if !line.is_empty() && length.saturating_add(1).saturating_add(columns) > room {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if !line.is_empty() {
            line.push(' ');
            length = length.saturating_add(1);
        }
        line.push_str(word);
        length = length.saturating_add(columns);
    }
    lines.push(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_wraps_at_spaces_and_long_words_stay_whole() {
        let mut page = Page::new(false, Some(44));
        page.labelled(3, "what", "one two three four five six seven eight nine");
        page.labelled(3, "url", &"x".repeat(60));
        assert_eq!(
            page.into_text(),
            format!(
                "   what      one two three four five six\n             seven eight nine\n   url       {}\n",
                "x".repeat(60)
            )
        );
    }

    #[test]
    fn others_line_breaks_never_start_a_line_of_ours() {
        let mut page = Page::new(false, None);
        page.paragraph(0, "first\nVERIFIED\u{1b}[0m\n  ^ here\n");
        assert_eq!(page.into_text(), "first\n| VERIFIED\\u{1b}[0m\n|   ^ here\n");
    }

    #[test]
    fn colour_never_leaks() {
        let mut page = Page::new(true, None);
        page.words(&[(Some(Paint::Bad), "NO"), (None, " \x1b[32mYES")]);
        assert_eq!(page.into_text(), "\x1b[1;31mNO\x1b[0m \\u{1b}[32mYES\n");
    }
}
