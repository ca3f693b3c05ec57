//! The fields that may differ without a no, each with its reason.

use super::Side;
use super::mutation::How::{self, Changed, Nulled, Removed, Retyped, Twice};
use std::collections::BTreeSet;

/// Fields that may differ.
pub(crate) struct Exception {
    pub(crate) side: Side,
    /// `<link or address>: <place>`; `*` stands for any text.
    pub(crate) place: &'static str,
    pub(crate) how: &'static [How],
    #[expect(dead_code, reason = "for those who read this list")]
    pub(crate) because: &'static str,
}

const ANY: &[How] = &[Removed, Changed, Retyped, Nulled, Twice];

const fn may(side: Side, place: &'static str, how: &'static [How], because: &'static str) -> Exception {
    Exception { side, place, how, because }
}

pub(crate) const EXCEPTIONS: &[Exception] = &[];

/// What is read of documents of which little is read: `<need or link>: <place>`, items as `N`.
pub(crate) const READ: &[(Side, &[&str])] = &[];

/// Whether a place is on that list.
pub(crate) fn is_read(side: Side, place: &str) -> bool {
    READ.iter().any(|(other, places)| *other == side && places.contains(&place))
}

/// Whether the list is exactly what was found to be read.
pub(crate) fn are_read(found: &BTreeSet<(Side, String)>) -> bool {
    let listed =
        READ.iter().flat_map(|(side, places)| places.iter().map(|place| (*side, (*place).to_owned())));
    listed.collect::<BTreeSet<_>>() == *found
}

/// The exception that a change falls under.
pub(crate) fn find(side: Side, place: &str, how: How) -> Option<usize> {
    EXCEPTIONS.iter().position(|exception| {
        exception.side == side && exception.how.contains(&how) && matches(exception.place, place)
    })
}

/// Whether a text is of this form; `*` stands for any text.
fn matches(form: &str, text: &str) -> bool {
    match form.split_once('*') {
        None => form == text,
        Some((before, rest)) => text.strip_prefix(before).is_some_and(|text| {
            (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| matches(rest, &text[at..]))
        }),
    }
}
