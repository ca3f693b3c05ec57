//! Mistakes in a policy or a file of keys, with their places.

use super::document::Place;
use std::collections::BTreeSet;
use std::fmt;

/// The severity of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but probably does not do what was intended.
    Warning,
}

impl Severity {
    /// The word that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// An error or warning in a file. Ordered by its position.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Diagnostic {
    /// The file's name, as it was given or as `extends` has it.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
    /// Its severity.
    pub severity: Severity,
    /// The path from the root of the file: `products.firefox.trees.beta[0]`; `$` is the root.
    pub path: String,
    /// The mistake.
    pub message: String,
    /// What may help.
    pub hint: Option<String>,
}

/// On one line: `policy.yml:3:5: error: products.firefox.vcs[0]: …`, then the hint on its own.
impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, severity, path, message, hint } = self;
        write!(out, "{file}:{line}:{column}: {}: {path}: {message}", severity.as_str())?;
        hint.iter().try_for_each(|hint| write!(out, "\n  hint: {hint}"))
    }
}

/// The maximum number of diagnostics; a file with more usually repeats one mistake.
const MAX_TOLD: usize = 200;

/// The number of words that a misspelled one is compared with.
const MAX_COMPARED: usize = 500;

/// Collects diagnostics, each once: those in parts that products share would otherwise be repeated for
/// each.
#[derive(Default)]
pub(super) struct Notes {
    told: BTreeSet<Diagnostic>,
    has_errors: bool,
}

impl Notes {
    pub(super) fn error(&mut self, place: &Place, message: impl Into<String>) {
        self.add(Severity::Error, place, message.into(), None);
    }

    pub(super) fn error_with(&mut self, place: &Place, message: impl Into<String>, hint: Option<String>) {
        self.add(Severity::Error, place, message.into(), hint);
    }

    pub(super) fn warning(&mut self, place: &Place, message: impl Into<String>, hint: Option<String>) {
        self.add(Severity::Warning, place, message.into(), hint);
    }

    fn add(&mut self, severity: Severity, place: &Place, message: String, hint: Option<String>) {
        self.has_errors |= severity == Severity::Error;
        if self.told.len() < MAX_TOLD {
            self.told.insert(Diagnostic {
                file: place.file.to_string(),
                line: place.line,
                column: place.column,
                severity,
                path: place.path.to_string(),
                message,
                hint,
            });
        }
    }

    /// Like [`suggest`], while the limit is not reached.
    pub(super) fn suggest<'a>(
        &self,
        word: &str,
        known: impl Iterator<Item = &'a str> + Clone,
    ) -> Option<String> {
        if self.told.len() < MAX_TOLD { suggest(word, known.take(MAX_COMPARED)) } else { None }
    }

    pub(super) fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// The warnings if there are no errors, else the errors alone: many warnings would only follow from
    /// them.
    pub(super) fn into_result(self) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        let Self { told, has_errors } = self;
        let is_error = |note: &Diagnostic| note.severity == Severity::Error;
        if has_errors {
            Err(told.into_iter().filter(is_error).collect())
        } else {
            Ok(told.into_iter().collect())
        }
    }
}

/// `did you mean "…"?` for a word close to a known one, else the list of known words.
fn suggest<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    let close = known.clone().map(|other| (distance(word, other), other)).min();
    match close {
        Some((distance, other)) if distance <= other.len().div_ceil(3) => {
            Some(format!("did you mean {other:?}?"))
        }
        Some(_) => Some(format!("known values: {}", known.take(20).collect::<Vec<_>>().join(", "))),
        None => None,
    }
}

/// The number of letters to add, drop or change between two words (Levenshtein); words too long for a
/// typing mistake count as distant.
fn distance(one: &str, other: &str) -> usize {
    if one.len() > 80 || other.len() > 80 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (position, letter) in one.chars().enumerate() {
        let mut diagonal = position;
        let mut left = position.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, target) in row.iter_mut().skip(1).zip(other.chars()) {
            let changed = diagonal.saturating_add(usize::from(letter != target));
            diagonal = *cell;
            left = changed.min(left.saturating_add(1)).min(cell.saturating_add(1));
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (one, other, wanted) in
            [("", "", 0), ("a", "", 1), ("tree", "trees", 1), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            assert_eq!(distance(one, other), wanted, "{one} {other}");
            assert_eq!(distance(other, one), wanted, "{other} {one}");
        }
        for (length, wanted) in [(80, 79), (81, usize::MAX), (82, usize::MAX)] {
            assert_eq!(distance(&"a".repeat(length), "a"), wanted, "{length}");
            assert_eq!(distance("a", &"a".repeat(length)), wanted, "{length}");
        }
    }

    #[test]
    fn close_words_are_suggested() {
        let known = ["trees", "kinds"];
        assert_eq!(suggest("tree", known.into_iter()).as_deref(), Some("did you mean \"trees\"?"));
        assert_eq!(suggest("elephant", known.into_iter()).as_deref(), Some("known values: trees, kinds"));
        assert_eq!(suggest("tree", std::iter::empty()), None);
    }
}
