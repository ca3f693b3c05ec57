//! The positions of the entries of a task graph, so that one scan serves several verifications.
//!
//! Every task of a push needs other entries of the same graph, which is tens of megabytes long. With
//! its bytes and this index, a few kilobytes are read for each task, with the same result as a scan.

use super::error::GraphError;
use super::scan::GraphScan;
use crate::Limits;
use crate::digest::Measurement;
use crate::task::TaskId;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// The position of one entry of a graph: the bytes of its JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The task.
    pub task_id: TaskId,
    /// The offset of its first byte.
    pub start: u64,
    /// The offset after its last byte.
    pub end: u64,
}

/// The positions of the entries of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphIndex {
    /// By task, then by offset: a task that occurs twice in a graph occurs twice here.
    spans: Vec<Span>,
}

impl GraphIndex {
    /// The most entries an index holds. The largest graphs have some tens of thousands.
    pub const LARGEST: usize = 1 << 20;

    /// An index from its entries, in any order. `None` if there are too many, or one ends before it
    /// begins.
    #[must_use]
    pub fn new(mut spans: Vec<Span>) -> Option<Self> {
        if spans.len() > Self::LARGEST || spans.iter().any(|span| span.start > span.end) {
            return None;
        }
        spans.sort_unstable();
        Some(Self { spans })
    }

    /// All entries, by task and offset.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The result of a scan for `wanted` in the indexed graph. `read` returns the bytes of a range.
    ///
    /// # Errors
    /// The errors of `read`.
    pub fn scan<E>(
        &self,
        wanted: &BTreeSet<TaskId>,
        limits: &Limits,
        measurement: Measurement,
        mut read: impl FnMut(Range<u64>) -> Result<Vec<u8>, E>,
    ) -> Result<GraphScan, E> {
        let spans: Vec<Span> = wanted.iter().flat_map(|task_id| self.of(*task_id)).copied().collect();
        if let Some(error) = first_error(&spans, limits) {
            return Ok(GraphScan { measurement, entries: Err(error) });
        }
        let mut entries = BTreeMap::new();
        for span in spans {
            entries.insert(span.task_id, Arc::from(read(span.start..span.end)?));
        }
        Ok(GraphScan { measurement, entries: Ok(entries) })
    }

    fn of(&self, task_id: TaskId) -> &[Span] {
        let first = self.spans.partition_point(|span| span.task_id < task_id);
        let rest = self.spans.get(first..).unwrap_or_default();
        let count = rest.iter().take_while(|span| span.task_id == task_id).count();
        rest.get(..count).unwrap_or_default()
    }
}

/// The first error that a scan would report: an entry that is too large, or a duplicate task.
fn first_error(spans: &[Span], limits: &Limits) -> Option<GraphError> {
    let mut in_order = spans.to_vec();
    in_order.sort_unstable_by_key(|span| span.start);
    let mut seen = BTreeSet::new();
    let limit = limits.graph_entry_bytes;
    in_order.into_iter().find_map(|Span { task_id, start, end }| {
        if !seen.insert(task_id) {
            return Some(GraphError::Duplicate { task_id });
        }
        let length = usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX);
        (length > limit).then_some(GraphError::EntryTooLarge { task_id, limit })
    })
}

/// Collects spans during a scan.
#[derive(Debug, Default)]
pub(super) struct IndexBuilder {
    spans: Vec<Span>,
    task_id: Option<TaskId>,
    start: u64,
    too_many: bool,
}

impl IndexBuilder {
    /// The key of the next entry; `None` if it is not a task id.
    pub(super) fn key(&mut self, task_id: Option<TaskId>) {
        self.task_id = task_id;
    }

    /// The entry begins here, or after the white space here.
    pub(super) fn begins(&mut self, offset: u64) {
        self.start = offset;
    }

    /// The entry ends before this offset.
    pub(super) fn ends(&mut self, end: u64) {
        let Some(task_id) = self.task_id.take() else { return };
        if self.spans.len() >= GraphIndex::LARGEST {
            self.too_many = true;
            self.spans.clear();
        }
        if !self.too_many {
            self.spans.push(Span { task_id, start: self.start, end });
        }
    }

    pub(super) fn finish(self) -> Option<GraphIndex> {
        if self.too_many { None } else { GraphIndex::new(self.spans) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Scanner;
    use super::*;
    use crate::task::TaskSet;
    use proptest::prelude::*;

    const A: &str = "IFn9x5gaQz-HXl2pa7Ny_w";
    const B: &str = "B1Y7D4twTB620sjIgyd3lg";

    fn wanted() -> BTreeSet<TaskId> {
        [A, B].map(|id| TaskId::parse(id).unwrap()).into()
    }

    fn unmeasured() -> Measurement {
        Measurement { length: 0, sha256: [0; 32], sha512: None }
    }

    /// The result of a scan, and that of an index built by a scan without wanted tasks. If a scan ends
    /// in an error, there is no index.
    fn both(text: &[u8], chunk: usize, limits: &Limits) -> (GraphScan, Option<GraphScan>) {
        let (mut scanner, mut indexing) =
            (Scanner::new(wanted().into(), limits), Scanner::new(TaskSet::default(), limits).indexing());
        for part in text.chunks(chunk) {
            scanner.write(part);
            indexing.write(part);
        }
        let read = |range: Range<u64>| {
            let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
            Ok::<_, ()>(text.get(range).unwrap().to_vec())
        };
        let indexed = indexing.take_index().map(|index| {
            assert_eq!(GraphIndex::new(index.spans().iter().rev().copied().collect()).as_ref(), Some(&index));
            index.scan(&wanted(), limits, unmeasured(), read).unwrap()
        });
        (scanner.finish(unmeasured()), indexed)
    }

    fn the_same(text: &str) -> GraphScan {
        let limits = Limits::default();
        let (scanned, indexed) = both(text.as_bytes(), 1000, &limits);
        assert_eq!(Some(&scanned), indexed.as_ref(), "{text}");
        assert_eq!(indexed, both(text.as_bytes(), 1, &limits).1, "chunks do not matter: {text}");
        scanned
    }

    #[test]
    fn an_index_finds_what_a_scan_finds() {
        for entry in [r#"{"a":[1,"]\\"]}"#, "null", "\"x\"", "[]", " 17", "  \"\" ", "true "] {
            for other in ["", ",\"B\":{}", &format!(",\"{B}\": {{\"x\": {{}}}} ")] {
                let scan = the_same(&format!("{{ \"{A}\" : {entry}{other}}}"));
                let found = scan.entries.unwrap();
                let text = &found[&TaskId::parse(A).unwrap()];
                assert_eq!(std::str::from_utf8(text).unwrap(), entry.trim());
            }
        }
        assert_eq!(the_same("{}").entries, Ok(BTreeMap::new()));
    }

    #[test]
    fn duplicate_and_oversized_entries_are_errors_if_wanted() {
        let twice = format!("{{\"{A}\":{{}},\"x\":1,\"{A}\":{{}}}}");
        let task_id = TaskId::parse(A).unwrap();
        assert_eq!(the_same(&twice).entries, Err(GraphError::Duplicate { task_id }));
        let limits = Limits { graph_entry_bytes: 8, ..Limits::default() };
        let large = format!("{{\"{A}\":[\"12345678\"],\"{B}\":1,\"{B}\":1}}");
        let (scanned, indexed) = both(large.as_bytes(), 7, &limits);
        assert_eq!(indexed.as_ref(), Some(&scanned));
        assert!(matches!(scanned.entries, Err(GraphError::EntryTooLarge { limit: 8, .. })));
        let fits = format!("{{\"{A}\":[\"1234\"]}}");
        assert!(both(fits.as_bytes(), 7, &limits).1.unwrap().entries.is_ok());
        let other = large.replace(A, "AAAAAAAAQAGAAAAAAAAAAA");
        assert!(matches!(
            both(other.as_bytes(), 7, &limits).1.unwrap().entries,
            Err(GraphError::Duplicate { .. })
        ));
    }

    #[test]
    fn a_malformed_graph_has_no_index() {
        for wrong in ["", "{", "[]", "{\"a\":1,}", "{} x"] {
            assert_eq!(both(wrong.as_bytes(), 3, &Limits::default()).1, None, "{wrong}");
        }
        let backwards = Span { task_id: TaskId::parse(A).unwrap(), start: 2, end: 1 };
        assert_eq!(GraphIndex::new(vec![backwards]), None);
    }

    fn graph() -> impl Strategy<Value = String> {
        let key = prop_oneof![Just(A.to_owned()), Just(B.to_owned()), "[a-z]{0,3}"];
        let value = prop_oneof![
            Just("{}".to_owned()),
            Just(r#"{"a":["}",{"b":"\""}]}"#.to_owned()),
            Just("\"]\"".to_owned()),
            Just("-1e5".to_owned()),
        ];
        let space = prop_oneof![Just(""), Just(" "), Just("\n\t")];
        let entry = (key, space.clone(), value, space)
            .prop_map(|(key, before, value, after)| format!("\"{key}\"{before}:{before}{value}{after}"));
        prop::collection::vec(entry, 0..6).prop_map(|entries| format!("{{{}}}", entries.join(",")))
    }

    proptest! {
        #[test]
        fn of_any_graph_too(text in graph()) {
            the_same(&text);
        }
    }
}
