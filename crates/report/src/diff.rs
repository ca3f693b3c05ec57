//! Two values side by side: long ones shortened around their first difference.

use catena_json::Value;
use catena_verify::verdict::{Difference, DifferenceKind};

/// A difference in words: its kind, and one line for each side that has a value.
pub(crate) struct Told {
    /// `changed`, or another kind of difference.
    pub(crate) what: String,
    /// The expected value.
    pub(crate) expected: Option<String>,
    /// The actual value.
    pub(crate) actual: Option<String>,
}

/// Describes a difference with at most `budget` characters per side.
pub(crate) fn tell(difference: &Difference, budget: usize) -> Told {
    let (expected, actual) = (difference.expected.as_ref(), difference.actual.as_ref());
    match difference.kind {
        DifferenceKind::Reordered => reordered(expected, actual, budget),
        DifferenceKind::Retyped => {
            let kinds = expected.zip(actual).map(|(left, right)| (left.kind(), right.kind()));
            let what = kinds.map_or_else(
                || "has another type".to_owned(),
                |(left, right)| format!("has another type: expected {left}, found {right}"),
            );
            sides(what, expected, actual, budget)
        }
        DifferenceKind::Changed => sides("changed".to_owned(), expected, actual, budget),
        DifferenceKind::Missing => sides("missing".to_owned(), expected, actual, budget),
        DifferenceKind::Added => sides("added: not expected".to_owned(), expected, actual, budget),
    }
}

fn sides(what: String, expected: Option<&Value>, actual: Option<&Value>, budget: usize) -> Told {
    let (expected, actual) = match (expected, actual) {
        (Some(expected), Some(actual)) => {
            let (expected, actual) = excerpts(&expected.to_string(), &actual.to_string(), budget);
            (Some(expected), Some(actual))
        }
        (expected, actual) => (
            expected.map(|value| excerpt(&value.to_string(), 0, budget)),
            actual.map(|value| excerpt(&value.to_string(), 0, budget)),
        ),
    };
    Told { what, expected, actual }
}

/// Lists with the same items: from the first position that differs.
fn reordered(expected: Option<&Value>, actual: Option<&Value>, budget: usize) -> Told {
    let what = "same items in another order".to_owned();
    let lists = expected.and_then(Value::as_array).zip(actual.and_then(Value::as_array));
    let Some((left, right)) = lists else { return sides(what, expected, actual, budget) };
    let Some(position) = left.iter().zip(right).position(|(left, right)| left != right) else {
        return sides(what, expected, actual, budget);
    };
    let from = |items: &[Value]| {
        let mut text = String::new();
        for item in items.iter().skip(position) {
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(&item.to_string());
            if text.len() > budget {
                break;
            }
        }
        excerpt(&text, 0, budget)
    };
    Told {
        what: format!("{what}, from [{position}] on"),
        expected: Some(from(left)),
        actual: Some(from(right)),
    }
}

/// Two texts, each with at most `budget` characters (and marks for omissions), around their first
/// difference.
pub(crate) fn excerpts(expected: &str, actual: &str, budget: usize) -> (String, String) {
    let same = expected.chars().zip(actual.chars()).take_while(|(left, right)| left == right).count();
    (excerpt(expected, same, budget), excerpt(actual, same, budget))
}

/// At most `budget` characters of a text around the character `focus`; `…` stands for the rest.
pub(crate) fn excerpt(text: &str, focus: usize, budget: usize) -> String {
    let length = text.chars().count();
    if length <= budget {
        return text.to_owned();
    }
    // A third of the budget before the difference gives context; the rest shows the text after it.
    let latest = length.saturating_sub(budget);
    let start = focus.saturating_sub(budget / 3).min(latest);
    let mut short = String::new();
    if start > 0 {
        short.push('…');
    }
    short.extend(text.chars().skip(start).take(budget));
    if start < latest {
        short.push('…');
    }
    short
}

/// At most `budget` characters of a text, without its middle where it is longer.
pub(crate) fn middle(text: &str, budget: usize) -> String {
    let length = text.chars().count();
    if length <= budget {
        return text.to_owned();
    }
    let tail = budget.saturating_sub(1) / 2;
    let head = budget.saturating_sub(1).saturating_sub(tail);
    let mut short: String = text.chars().take(head).collect();
    short.push('…');
    short.extend(text.chars().skip(length.saturating_sub(tail)));
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_json::Path;

    fn value(text: &str) -> Value {
        catena_json::parse(text.as_bytes(), &catena_json::Limits::default()).unwrap()
    }

    fn difference(kind: DifferenceKind, expected: Option<&str>, actual: Option<&str>) -> Difference {
        Difference { path: Path::new(), kind, expected: expected.map(value), actual: actual.map(value) }
    }

    #[test]
    fn long_values_are_shown_around_their_first_difference() {
        let left = format!("{}X{}", "a".repeat(100), "b".repeat(100));
        let right = format!("{}Y{}", "a".repeat(100), "b".repeat(100));
        let (left, right) = excerpts(&left, &right, 30);
        assert_eq!(left, format!("…{}X{}…", "a".repeat(10), "b".repeat(19)));
        assert_eq!(right, format!("…{}Y{}…", "a".repeat(10), "b".repeat(19)));
    }

    #[test]
    fn a_text_that_ends_earlier_shows_its_end() {
        let (left, right) = excerpts(&"a".repeat(100), &"a".repeat(90), 30);
        assert_eq!(left, format!("…{}", "a".repeat(30)));
        assert_eq!(right, format!("…{}", "a".repeat(30)));
        assert_eq!(excerpt("é".repeat(5).as_str(), 3, 3), "…ééé");
    }

    #[test]
    fn a_long_text_loses_its_middle() {
        assert_eq!(middle("abcdefghij", 10), "abcdefghij");
        assert_eq!(middle("abcdefghijk", 10), "abcde…hijk");
        assert_eq!(middle("ééééé", 3), "é…é");
    }

    #[test]
    fn another_order_says_from_where_on() {
        let told = tell(&difference(DifferenceKind::Reordered, Some("[1,2,3]"), Some("[1,3,2]")), 40);
        assert_eq!(told.what, "same items in another order, from [1] on");
        assert_eq!((told.expected.as_deref(), told.actual.as_deref()), (Some("2, 3"), Some("3, 2")));
    }

    #[test]
    fn another_type_names_both() {
        let told = tell(&difference(DifferenceKind::Retyped, Some("1"), Some("true")), 40);
        assert_eq!(told.what, "has another type: expected number, found boolean");
    }

    #[test]
    fn one_sided_values_are_shown_on_their_side() {
        let missing = tell(&difference(DifferenceKind::Missing, Some("\"x\""), None), 40);
        assert_eq!((missing.expected.as_deref(), missing.actual), (Some("\"x\""), None));
        let added = tell(&difference(DifferenceKind::Added, None, Some("{}")), 40);
        assert_eq!((added.expected, added.actual.as_deref()), (None, Some("{}")));
    }
}
