//! A push scanner over `public/task-graph.json` that keeps only the wanted entries.

use super::blocks::Inside;
use super::index::{GraphIndex, IndexBuilder};
use crate::digest::Measurement;
use crate::task::{TaskId, TaskSet};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What was seen of a task graph.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphScan {
    /// What was measured of the whole body.
    pub measurement: Measurement,
    /// The JSON text of each wanted entry that was found, or why the graph cannot be read.
    pub entries: Result<BTreeMap<TaskId, Arc<[u8]>>, GraphError>,
}

/// Why a task graph cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// The body is not one JSON object whose keys are strings.
    #[error("the task graph is not a JSON object (byte {offset})")]
    Malformed {
        /// Bytes before the place.
        offset: u64,
    },
    /// The same task twice; readers disagree about which counts.
    #[error("the task graph holds task {task_id} twice")]
    Duplicate {
        /// The task.
        task_id: TaskId,
    },
    /// One entry is larger than the limit.
    #[error("the task graph's entry for task {task_id} is larger than {limit} bytes")]
    EntryTooLarge {
        /// The task.
        task_id: TaskId,
        /// `Limits::graph_entry_bytes`
        limit: usize,
    },
    /// Nested deeper than the limit.
    #[error("the task graph nests deeper than {limit}")]
    TooDeep {
        /// `Limits::json_depth`
        limit: usize,
    },
}

/// Reads a task graph as it arrives: `write` each chunk, then `finish`. It holds at most the wanted
/// entries and one key.
#[derive(Debug)]
pub struct Scanner {
    wanted: TaskSet,
    entries: BTreeMap<TaskId, Arc<[u8]>>,
    entry_limit: usize,
    depth_limit: usize,
    error: Option<GraphError>,
    offset: u64,
    state: State,
    depth: usize,
    /// The key or entry that is being kept.
    text: Vec<u8>,
    keeping: Option<TaskId>,
    /// Where every entry stands, when that is wanted.
    index: Option<IndexBuilder>,
}

/// Where in the text the scanner is. Strings inside skipped or kept values have their own states,
/// because brackets in them do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Start,
    KeyOrEnd,
    Key,
    KeyEscape,
    Colon,
    ValueStart,
    Value,
    ValueString,
    ValueEscape,
    Scalar,
    CommaOrEnd,
    NextKey,
    End,
}

/// The longest key that can still be a task id: 22 characters, each written as `\uXXXX`.
const LONGEST_KEY: usize = 22 * 6;

impl Scanner {
    /// A scanner that keeps the entries of `wanted`.
    #[must_use]
    pub fn new(wanted: TaskSet, limits: &crate::Limits) -> Self {
        Self {
            wanted,
            entries: BTreeMap::new(),
            entry_limit: limits.graph_entry_bytes,
            depth_limit: limits.json_depth,
            error: None,
            offset: 0,
            state: State::Start,
            depth: 0,
            text: Vec::new(),
            keeping: None,
            index: None,
        }
    }

    /// Notes where every entry stands, so that others can be read later without another scan.
    #[must_use]
    pub fn indexing(mut self) -> Self {
        self.index = Some(IndexBuilder::default());
        self
    }

    /// Takes the next bytes.
    pub fn write(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        // Where to look at blocks again: one that does not pass is looked at byte by byte.
        let mut blocks_at = 0;
        while self.error.is_none() && !rest.is_empty() {
            let at = chunk.len().saturating_sub(rest.len());
            if at >= blocks_at {
                let passed = self.pass_blocks(rest);
                blocks_at = at.saturating_add(passed).saturating_add(Inside::BLOCK);
                rest = rest.get(passed..).unwrap_or_default();
            }
            let used = match self.state {
                State::Value => self.skip_value(rest),
                State::ValueString => self.skip_string(rest),
                _ => 0,
            };
            let (skipped, left) = rest.split_at_checked(used).unwrap_or((rest, &[]));
            self.keep(skipped);
            self.offset = self.offset.saturating_add(u64::try_from(skipped.len()).unwrap_or(u64::MAX));
            let Some((byte, left)) = left.split_first() else { return };
            if let Err(error) = self.step(*byte) {
                self.error = Some(error);
            }
            self.offset = self.offset.saturating_add(1);
            rest = left;
        }
    }

    /// Where the entries stand, of a graph that was scanned to its end without an error. None too when
    /// there are more than [`GraphIndex::LARGEST`].
    #[must_use]
    pub fn take_index(&mut self) -> Option<GraphIndex> {
        let index = self.index.take()?;
        if self.error.is_none() && self.state == State::End { index.finish() } else { None }
    }

    /// What was found, with what the caller measured of the same bytes.
    #[must_use]
    pub fn finish(self, measurement: Measurement) -> GraphScan {
        let entries = match self.error {
            Some(error) => Err(error),
            None if self.state != State::End => Err(GraphError::Malformed { offset: self.offset }),
            None => Ok(self.entries),
        };
        GraphScan { measurement, entries }
    }

    /// How many bytes of a value that nobody wants pass at once.
    fn pass_blocks(&mut self, rest: &[u8]) -> usize {
        let in_string = self.state == State::ValueString;
        if self.keeping.is_some() || self.depth == 0 || !(in_string || self.state == State::Value) {
            return 0;
        }
        let begin = Inside { depth: self.depth, in_string, escaped: false };
        let (passed, end) = begin.pass(rest, self.depth_limit);
        self.depth = end.depth;
        self.state = match (end.escaped, end.in_string) {
            (true, _) => State::ValueEscape,
            (false, true) => State::ValueString,
            (false, false) => State::Value,
        };
        self.offset = self.offset.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX));
        passed
    }

    /// How many bytes of a value pass before one that matters: a quote or a bracket.
    fn skip_value(&self, rest: &[u8]) -> usize {
        rest.iter().position(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']')).unwrap_or(rest.len())
    }

    /// How many bytes of a string inside a value pass before its end or an escape.
    fn skip_string(&self, rest: &[u8]) -> usize {
        rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(rest.len())
    }

    fn keep(&mut self, bytes: &[u8]) {
        if let Some(task_id) = self.keeping {
            self.text.extend_from_slice(bytes);
            if self.text.len() > self.entry_limit {
                self.error = Some(GraphError::EntryTooLarge { task_id, limit: self.entry_limit });
            }
        }
    }

    fn step(&mut self, byte: u8) -> Result<(), GraphError> {
        let malformed = GraphError::Malformed { offset: self.offset };
        let space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        match self.state {
            State::Key | State::KeyEscape => return self.step_key(byte),
            State::ValueStart | State::Value | State::ValueString | State::ValueEscape | State::Scalar => {
                return self.step_value(byte);
            }
            _ if space => return Ok(()),
            _ => {}
        }
        self.state = match (self.state, byte) {
            (State::Start, b'{') => State::KeyOrEnd,
            (State::KeyOrEnd | State::NextKey, b'"') => {
                self.text.clear();
                State::Key
            }
            (State::KeyOrEnd | State::CommaOrEnd, b'}') => State::End,
            (State::Colon, b':') => State::ValueStart,
            (State::CommaOrEnd, b',') => State::NextKey,
            _ => return Err(malformed),
        };
        Ok(())
    }

    fn step_key(&mut self, byte: u8) -> Result<(), GraphError> {
        match (self.state, byte) {
            (State::Key, b'"') => {
                self.begin_entry()?;
                self.state = State::Colon;
                return Ok(());
            }
            (State::Key, b'\\') => self.state = State::KeyEscape,
            _ => self.state = State::Key,
        }
        // A longer key is no task's, but must still be read to its end.
        if self.text.len() <= LONGEST_KEY {
            self.text.push(byte);
        }
        Ok(())
    }

    /// The key is complete: is it a wanted task, and for the first time?
    fn begin_entry(&mut self) -> Result<(), GraphError> {
        let key = if self.text.contains(&b'\\') {
            let quoted = [b"\"", self.text.as_slice(), b"\""].concat();
            match catena_json::parse(&quoted, &catena_json::Limits::default()) {
                Ok(catena_json::Value::String(key)) => key,
                _ if self.text.len() > LONGEST_KEY => String::new(),
                _ => return Err(GraphError::Malformed { offset: self.offset }),
            }
        } else {
            String::from_utf8_lossy(&self.text).into_owned()
        };
        self.text.clear();
        let task_id = TaskId::parse(&key).ok();
        if let Some(index) = &mut self.index {
            index.key(task_id);
        }
        self.keeping = task_id.filter(|task_id| self.wanted.contains(task_id));
        match self.keeping {
            Some(task_id) if self.entries.contains_key(&task_id) => Err(GraphError::Duplicate { task_id }),
            _ => Ok(()),
        }
    }

    fn step_value(&mut self, byte: u8) -> Result<(), GraphError> {
        let malformed = GraphError::Malformed { offset: self.offset };
        if let (State::ValueStart, Some(index)) = (self.state, &mut self.index) {
            index.begins(self.offset);
        }
        match (self.state, byte) {
            (State::ValueStart, b' ' | b'\t' | b'\n' | b'\r') => return Ok(()),
            (State::ValueStart | State::Value, b'{' | b'[') => {
                self.depth = self.depth.saturating_add(1);
                if self.depth > self.depth_limit {
                    return Err(GraphError::TooDeep { limit: self.depth_limit });
                }
                self.state = State::Value;
            }
            (State::Value, b'}' | b']') => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    self.keep(&[byte]);
                    self.end_entry(self.offset.saturating_add(1));
                    self.state = State::CommaOrEnd;
                    return Ok(());
                }
            }
            (State::ValueStart, b',' | b':' | b'}' | b']') => return Err(malformed),
            (State::ValueStart | State::Value, b'"') => self.state = State::ValueString,
            (State::ValueString, b'\\') => self.state = State::ValueEscape,
            (State::ValueEscape, _) => self.state = State::ValueString,
            (State::ValueString, b'"') if self.depth == 0 => {
                self.keep(&[byte]);
                self.end_entry(self.offset.saturating_add(1));
                self.state = State::CommaOrEnd;
                return Ok(());
            }
            (State::ValueString, b'"') => self.state = State::Value,
            (State::Scalar, b',' | b'}' | b' ' | b'\t' | b'\n' | b'\r') => {
                self.end_entry(self.offset);
                self.state = State::CommaOrEnd;
                return self.step(byte);
            }
            (State::ValueStart, _) => self.state = State::Scalar,
            _ => {}
        }
        self.keep(&[byte]);
        Ok(())
    }

    /// An entry has ended before this offset.
    fn end_entry(&mut self, end: u64) {
        if let Some(index) = &mut self.index {
            index.ends(end);
        }
        if let Some(task_id) = self.keeping.take() {
            self.entries.insert(task_id, Arc::from(self.text.as_slice()));
        }
        self.text.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use proptest::prelude::*;

    const A: &str = "IFn9x5gaQz-HXl2pa7Ny_w";
    const B: &str = "B1Y7D4twTB620sjIgyd3lg";

    fn scan_in(
        text: &[u8],
        chunk: usize,
        limits: &Limits,
    ) -> Result<BTreeMap<TaskId, Arc<[u8]>>, GraphError> {
        let wanted = [TaskId::parse(A).unwrap()].into();
        let mut scanner = Scanner::new(wanted, limits);
        for part in text.chunks(chunk) {
            scanner.write(part);
        }
        scanner.finish(Measurement { length: 0, sha256: [0; 32], sha512: None }).entries
    }

    fn entry(text: &str) -> Result<Option<String>, GraphError> {
        let whole = scan_in(text.as_bytes(), usize::MAX, &Limits::default());
        assert_eq!(whole, scan_in(text.as_bytes(), 1, &Limits::default()), "chunks do not matter");
        whole.map(|entries| {
            entries.get(&TaskId::parse(A).unwrap()).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        })
    }

    #[test]
    fn wanted_entries_are_kept_exactly() {
        let text = format!(
            r#" {{"{B}": {{"x": "}}{{\"["}}, "{A}" : {{"task":{{"a":[1,"]\\"]}}}} , "odd": 1, "s": "x"}} "#
        );
        assert_eq!(entry(&text), Ok(Some(r#"{"task":{"a":[1,"]\\"]}}"#.to_owned())));
        assert_eq!(entry("{}"), Ok(None));
        assert_eq!(entry(&format!("{{\"{A}\":null}}")), Ok(Some("null".to_owned())));
        assert_eq!(entry(&format!("{{\"{A}\":\"x\"}}")), Ok(Some("\"x\"".to_owned())));
    }

    #[test]
    fn a_task_twice_is_refused_however_its_key_is_written() {
        let duplicate = Err(GraphError::Duplicate { task_id: TaskId::parse(A).unwrap() });
        assert_eq!(entry(&format!("{{\"{A}\":{{}},\"{A}\":{{}}}}")), duplicate);
        let escaped = A.replacen('I', "\\u0049", 1);
        assert_eq!(entry(&format!("{{\"{A}\":{{}},\"{escaped}\":{{}}}}")), duplicate);
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        for wrong in [
            "",
            "[]",
            "null",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1 2}",
            "{} x",
            "{\"a\":{}",
            "{a:1}",
            "{\"a\":,\"b\":1}",
            "{\"a\"::1}",
            "{\"a\":]}",
            "<html>",
        ] {
            assert!(matches!(entry(wrong), Err(GraphError::Malformed { .. })), "{wrong}: {:?}", entry(wrong));
        }
    }

    #[test]
    fn the_first_mistake_is_told() {
        assert_eq!(entry("{} x y"), Err(GraphError::Malformed { offset: 3 }));
        let twice = format!("{{\"{A}\":1,\"{A}\":1,\"b\" x");
        assert_eq!(entry(&twice), Err(GraphError::Duplicate { task_id: TaskId::parse(A).unwrap() }));
    }

    #[test]
    fn keys_are_read_to_their_end() {
        let escaped: String = A.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
        assert_eq!(escaped.len(), LONGEST_KEY);
        assert_eq!(entry(&format!("{{\"{escaped}\":[]}}")), Ok(Some("[]".to_owned())));
        // What is too long for a task is not looked at; what is not, must be text.
        let long = format!("{}\\q", "x".repeat(LONGEST_KEY));
        assert_eq!(entry(&format!("{{\"{long}\":[],\"{A}\":1}}")), Ok(Some("1".to_owned())));
        let wrong = format!("\\q{}", "x".repeat(LONGEST_KEY - 2));
        assert!(matches!(entry(&format!("{{\"{wrong}\":[]}}")), Err(GraphError::Malformed { .. })));
        assert_eq!(entry(&format!("{{\"a\\\"b\":[],\"{A}\":1}}")), Ok(Some("1".to_owned())));
        assert_eq!(entry(&format!("{{\"{A}x\":[],\"x{A}\":[]}}")), Ok(None));
    }

    #[test]
    fn limits_hold() {
        let limits = Limits { graph_entry_bytes: 8, json_depth: 3, ..Limits::default() };
        let large = format!("{{\"{A}\":[\"123456789\"]}}");
        assert!(matches!(scan_in(large.as_bytes(), 64, &limits), Err(GraphError::EntryTooLarge { .. })));
        let unwanted = format!("{{\"{B}\":[\"123456789\"]}}");
        assert!(scan_in(unwanted.as_bytes(), 64, &limits).is_ok());
        let fits = format!("{{\"{A}\":[[[12]]]}}");
        assert!(scan_in(fits.as_bytes(), 64, &limits).is_ok());
        assert!(scan_in(fits.as_bytes(), 1, &limits).is_ok());
        assert!(matches!(scan_in(b"{\"a\":[[[[]]]]}", 64, &limits), Err(GraphError::TooDeep { limit: 3 })));
    }

    #[test]
    fn a_chunk_may_end_after_a_backslash() {
        let text = format!(r#"{:64}{{"{B}":["\n[{:99}"],"{A}":1}}"#, "", "");
        let after = text.find('n').unwrap();
        let whole = scan_in(text.as_bytes(), usize::MAX, &Limits::default());
        assert!(whole.as_ref().is_ok_and(|entries| entries.len() == 1));
        assert_eq!(scan_in(text.as_bytes(), after, &Limits::default()), whole);
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_chunks_do_not_matter(bytes in prop::collection::vec(any::<u8>(), 0..200), chunk in 1_usize..9) {
            prop_assert_eq!(scan_in(&bytes, chunk, &Limits::default()), scan_in(&bytes, 1000, &Limits::default()));
        }

        /// Blocks are only passed over where at least one is there at once.
        #[test]
        fn what_passes_in_blocks_is_what_passes_byte_by_byte(
            values in prop::collection::vec(r#"\[("[a{\[\]]{0,40}(\\["\\]){0,2}",[{]"a":[\[][12,]{0,80}[\]][}],|[\\"{}\[\]]){0,12}\]"#, 1..4),
            chunk in 64_usize..300,
        ) {
            let entry = |(number, value): (usize, &String)| format!("\"{}\": {value}", [A, B, "other"][number % 3]);
            let entries: Vec<String> = values.iter().enumerate().map(entry).collect();
            let text = format!("{{{}}}", entries.join(", "));
            for limits in [Limits::default(), Limits { json_depth: 3, ..Limits::default() }] {
                let slowly = scan_in(text.as_bytes(), 1, &limits);
                prop_assert_eq!(&scan_in(text.as_bytes(), chunk, &limits), &slowly);
                prop_assert_eq!(&scan_in(text.as_bytes(), usize::MAX, &limits), &slowly);
            }
        }
    }
}
