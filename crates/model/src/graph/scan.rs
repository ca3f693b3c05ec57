//! A push scanner over `public/task-graph.json` that keeps only the wanted entries.

use super::blocks::{BLOCK, Block, Marks, Rare, escaped, places, running_parity};
use super::grammar::{Expect, Scalar, Token};
use super::index::{GraphIndex, IndexBuilder};
use crate::digest::Measurement;
use crate::task::{TaskId, TaskSet};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The result of scanning a task graph.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphScan {
    /// The measurement of the whole body.
    pub measurement: Measurement,
    /// The JSON text of each wanted entry, or why the graph cannot be parsed.
    pub entries: Result<BTreeMap<TaskId, Arc<[u8]>>, GraphError>,
}

/// Why a task graph cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// The body is not one JSON object whose keys are strings.
    #[error("the task graph is not a JSON object (byte {offset})")]
    Malformed {
        /// Bytes before the error.
        offset: u64,
    },
    /// A duplicate task; parsers disagree about which entry counts.
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

/// Scans a task graph as it arrives: `write` each chunk, then `finish`. It holds at most the wanted
/// entries, one key, and the rest of a block.
///
/// All of the text must be one JSON object by the grammar of RFC 8259, including unused parts: a graph
/// that other parsers reject, or read differently, is refused. Blocks of 64 bytes are counted from the
/// start of the text, so that chunk boundaries have no effect.
#[derive(Debug)]
pub struct Scanner {
    wanted: TaskSet,
    entries: BTreeMap<TaskId, Arc<[u8]>>,
    entry_limit: usize,
    depth_limit: usize,
    error: Option<GraphError>,
    /// Bytes of the complete blocks.
    offset: u64,
    /// The start of the next block, and its length so far.
    begun: Block,
    filled: usize,
    place: Place,
    /// The key or entry that is being kept.
    text: Vec<u8>,
    /// The wanted task whose key was the last one.
    found: Option<TaskId>,
    keeping: Option<TaskId>,
    /// Bytes of the entries that are kept.
    held: usize,
    /// The positions of all entries, if requested.
    index: Option<IndexBuilder>,
}

/// The state of the scanner.
#[derive(Debug)]
struct Place {
    expect: Expect,
    /// The states to return to when each open list or object ends.
    open: Vec<Expect>,
    in_string: bool,
    /// Whether it is directly after a backslash.
    escaped: bool,
    /// The number of digits that a `\u` still needs, one bit for each.
    digits: u64,
    /// An unfinished number or literal.
    scalar: Option<Scalar>,
    /// An unfinished key or string of the top-level object.
    outer: Option<Outer>,
    /// An unfinished character.
    utf8: Vec<u8>,
    /// Whether an escape or a character is unfinished.
    hangs: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outer {
    Key,
    Text,
}

/// A block with the positions of its special bytes.
struct Seen<'a> {
    block: &'a Block,
    /// The quotes that begin or end a string.
    quotes: u64,
    /// Bytes outside of strings, other than their closing quotes and white space.
    outside: u64,
}

/// The rest of a block.
struct Left {
    outside: u64,
    /// Where kept data begins: before this block, unless it began in it.
    kept_from: usize,
}

/// The longest key that can be a task id: 22 characters, each written as `\uXXXX`.
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
            begun: [b' '; BLOCK],
            filled: 0,
            place: Place::new(),
            text: Vec::new(),
            found: None,
            keeping: None,
            held: 0,
            index: None,
        }
    }

    /// Records the positions of all entries, so that others can be read later without another scan.
    #[must_use]
    pub fn indexing(mut self) -> Self {
        self.index = Some(IndexBuilder::default());
        self
    }

    /// Takes the next bytes.
    pub fn write(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        if self.filled > 0 {
            let missing = self.begun.get_mut(self.filled..).unwrap_or_default();
            let (first, after) = rest.split_at(missing.len().min(rest.len()));
            missing.iter_mut().zip(first).for_each(|(to, from)| *to = *from);
            self.filled = self.filled.saturating_add(first.len());
            rest = after;
            if self.filled < BLOCK {
                return;
            }
            let block = self.begun;
            self.filled = 0;
            self.read(&block);
        }
        let (blocks, rest) = rest.as_chunks();
        for block in blocks {
            self.read(block);
        }
        self.begun.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.filled = rest.len();
    }

    /// Bytes of the entries kept so far.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held
    }

    /// The positions of the entries, for a graph that was scanned to its end without an error. `None`
    /// also if there are more than [`GraphIndex::LARGEST`].
    #[must_use]
    pub fn take_index(&mut self) -> Option<GraphIndex> {
        self.end();
        let index = self.index.take()?;
        if self.error.is_none() { index.finish() } else { None }
    }

    /// The result, with the caller's measurement of the same bytes.
    #[must_use]
    pub fn finish(mut self, measurement: Measurement) -> GraphScan {
        self.end();
        let entries = self.error.map_or(Ok(self.entries), Err);
        GraphScan { measurement, entries }
    }

    /// All bytes have arrived.
    fn end(&mut self) {
        let length = self.offset.saturating_add(u64::try_from(self.filled).unwrap_or(u64::MAX));
        if self.filled > 0 {
            let mut block = self.begun;
            block.iter_mut().skip(self.filled).for_each(|byte| *byte = b' ');
            self.filled = 0;
            self.read(&block);
            self.offset = length;
        }
        if self.error.is_none() && (self.place.expect != Expect::End || !self.place.utf8.is_empty()) {
            self.error = Some(GraphError::Malformed { offset: length });
        }
    }

    fn read(&mut self, block: &Block) {
        if self.error.is_none()
            && let Err(error) = self.block(block)
        {
            self.error = Some(error);
        }
        self.offset = self.offset.saturating_add(BLOCK as u64);
    }

    fn block(&mut self, block: &Block) -> Result<(), GraphError> {
        let marks = Marks::of(block);
        let rare = if self.place.hangs { Some(Rare::of(block)) } else { marks.rare };
        let escaped = rare.map_or(0, |rare| self.place.escaped(rare.backslashes));
        let quotes = marks.quotes & !escaped;
        // From each opening quote of a string to the byte before its closing quote.
        let turns = running_parity(quotes);
        let strings = if self.place.in_string { !turns } else { turns };
        self.place.in_string = strings >> 63 == 1;
        let mut wrong = marks.newlines & strings;
        if let Some(rare) = rare {
            wrong |= self.place.wrong(block, rare, escaped, strings);
        }
        // The bytes before the first error.
        let right = wrong.wrapping_sub(1) & !wrong;
        // Bytes outside of strings, other than their closing quotes and white space.
        let outside = !(strings ^ quotes | marks.blanks) & right;
        let seen = Seen { block, quotes: quotes & right, outside };
        let goes_on = self.place.scalar.is_some() || self.place.outer.is_some();
        let from = if goes_on { self.go_on(&seen)? } else { 0 };
        self.tokens(&seen, from)?;
        match places(wrong).next() {
            Some(place) => Err(self.malformed(place)),
            None => Ok(()),
        }
    }

    /// Continues a token that began in an earlier block; returns the earliest position of the next
    /// token.
    fn go_on(&mut self, seen: &Seen<'_>) -> Result<usize, GraphError> {
        if let Some(scalar) = self.place.scalar.take() {
            return self.scalar(seen, scalar, 0, 0);
        }
        match self.place.outer.take() {
            Some(Outer::Key) => self.key(seen, 0)?,
            Some(Outer::Text) => self.outer_text(seen, 0, 0)?,
            None => {}
        }
        Ok(0)
    }

    /// Scans the tokens that begin in a block, from a position on.
    fn tokens(&mut self, seen: &Seen<'_>, at: usize) -> Result<(), GraphError> {
        let mut left = Left { outside: from_place(seen.outside, at), kept_from: 0 };
        let (mut expect, mut outer) = (self.place.expect, self.place.is_outer());
        while let Some(place) = places(left.outside).next() {
            left.outside &= left.outside.wrapping_sub(1);
            let token = Token::of(byte_at(seen.block, place));
            let expected = expect;
            expect = expected.after(token);
            // Most tokens only change the state.
            if outer || !token.is_plain() || expect == Expect::Wrong {
                self.place.expect = expect;
                self.token(seen, place, (expected, token), &mut left)?;
                (expect, outer) = (self.place.expect, self.place.is_outer());
            }
        }
        self.place.expect = expect;
        if self.keeping.is_some() {
            self.keep(seen.block.get(left.kept_from..).unwrap_or_default())?;
        }
        Ok(())
    }

    /// Handles a token in the current state.
    fn token(
        &mut self,
        seen: &Seen<'_>,
        place: usize,
        (expected, token): (Expect, Token),
        left: &mut Left,
    ) -> Result<(), GraphError> {
        if self.place.expect == Expect::Wrong {
            return Err(self.malformed(place));
        }
        let (outer, after) = (self.place.is_outer(), place.saturating_add(1));
        if outer && expected == Expect::Member {
            left.kept_from = place;
            self.begin_value(place);
        }
        match token {
            Token::OpenObject | Token::OpenList => self.place.open(expected, self.depth_limit),
            Token::CloseObject | Token::CloseList => {
                self.place.close();
                if self.place.is_outer() { self.end_entry(seen, left.kept_from, after) } else { Ok(()) }
            }
            Token::Scalar => {
                let begun = Scalar::begin(byte_at(seen.block, place)).ok_or_else(|| self.malformed(place))?;
                let end = self.scalar(seen, begun, left.kept_from, after)?;
                left.outside = from_place(left.outside, end);
                Ok(())
            }
            Token::Text if outer && self.place.expect == Expect::Colon => self.key(seen, after),
            Token::Text if outer => self.outer_text(seen, left.kept_from, after),
            Token::Text | Token::Colon | Token::Comma => Ok(()),
        }
    }

    /// Scans a number or literal from `at` to its end, or the block's, and returns that position. If it
    /// is an entry, the kept data begins at `from`.
    fn scalar(
        &mut self,
        seen: &Seen<'_>,
        mut scalar: Scalar,
        from: usize,
        at: usize,
    ) -> Result<usize, GraphError> {
        let others = seen.block.iter().enumerate().skip(at).zip(places(from_place(seen.outside, at)));
        let mut end = at;
        for ((place, byte), outside) in others {
            if place != outside || Token::of(*byte) != Token::Scalar {
                break;
            }
            scalar = scalar.read(*byte).ok_or_else(|| self.malformed(place))?;
            end = place.saturating_add(1);
        }
        if end == BLOCK {
            self.place.scalar = Some(scalar);
        } else if !scalar.is_whole() {
            return Err(self.malformed(end));
        } else if self.place.is_outer() {
            self.end_entry(seen, from, end)?;
        }
        Ok(end)
    }

    /// Scans a key of the graph from here to its end, or the block's.
    fn key(&mut self, seen: &Seen<'_>, at: usize) -> Result<(), GraphError> {
        let end = place_of(seen.quotes, at);
        // A longer key is not a task id, but must still be scanned to its end.
        if self.text.len() <= LONGEST_KEY {
            self.text.extend_from_slice(seen.block.get(at..end).unwrap_or_default());
        }
        if end < BLOCK {
            return self.end_key();
        }
        self.place.outer = Some(Outer::Key);
        Ok(())
    }

    /// Scans an entry that is a string from here to its end, or the block's.
    fn outer_text(&mut self, seen: &Seen<'_>, from: usize, at: usize) -> Result<(), GraphError> {
        let end = place_of(seen.quotes, at);
        if end < BLOCK {
            return self.end_entry(seen, from, end.saturating_add(1));
        }
        self.place.outer = Some(Outer::Text);
        Ok(())
    }

    /// The key is complete: is it a wanted task, and for the first time?
    fn end_key(&mut self) -> Result<(), GraphError> {
        let key = if self.text.contains(&b'\\') {
            let quoted = [b"\"", self.text.as_slice(), b"\""].concat();
            match catena_json::parse(&quoted, &catena_json::Limits::default()) {
                Ok(catena_json::Value::String(key)) => key,
                // Truncated, or half of a surrogate pair: not a task id.
                _ => String::new(),
            }
        } else {
            String::from_utf8_lossy(&self.text).into_owned()
        };
        self.text.clear();
        let task_id = TaskId::parse(&key).ok();
        if let Some(index) = &mut self.index {
            index.key(task_id);
        }
        self.found = task_id.filter(|task_id| self.wanted.contains(task_id));
        match self.found {
            Some(task_id) if self.entries.contains_key(&task_id) => Err(GraphError::Duplicate { task_id }),
            _ => Ok(()),
        }
    }

    /// The entry of the last key begins at this position of the block.
    fn begin_value(&mut self, place: usize) {
        let offset = self.at(place);
        if let Some(index) = &mut self.index {
            index.begins(offset);
        }
        self.keeping = self.found.take();
    }

    /// An entry has ended before this position of the block.
    fn end_entry(&mut self, seen: &Seen<'_>, from: usize, end: usize) -> Result<(), GraphError> {
        self.keep(seen.block.get(from..end).unwrap_or_default())?;
        let offset = self.at(end);
        if let Some(index) = &mut self.index {
            index.ends(offset);
        }
        if let Some(task_id) = self.keeping.take() {
            self.entries.insert(task_id, Arc::from(self.text.as_slice()));
            self.text.clear();
        }
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), GraphError> {
        let Some(task_id) = self.keeping else { return Ok(()) };
        if self.text.len().saturating_add(bytes.len()) > self.entry_limit {
            return Err(GraphError::EntryTooLarge { task_id, limit: self.entry_limit });
        }
        self.held = self.held.saturating_add(bytes.len());
        self.text.extend_from_slice(bytes);
        Ok(())
    }

    fn malformed(&self, place: usize) -> GraphError {
        GraphError::Malformed { offset: self.at(place) }
    }

    /// The offset of a position of the block.
    fn at(&self, place: usize) -> u64 {
        self.offset.saturating_add(u64::try_from(place).unwrap_or(u64::MAX))
    }
}

impl Place {
    fn new() -> Self {
        Self {
            expect: Expect::Start,
            open: Vec::new(),
            in_string: false,
            escaped: false,
            digits: 0,
            scalar: None,
            outer: None,
            utf8: Vec::new(),
            hangs: false,
        }
    }

    /// Whether it is directly in the top-level object.
    fn is_outer(&self) -> bool {
        self.open.len() == 1
    }

    /// A list or object begins in this state. The graph itself does not count for the depth.
    fn open(&mut self, expected: Expect, limit: usize) -> Result<(), GraphError> {
        if self.open.len() > limit {
            return Err(GraphError::TooDeep { limit });
        }
        self.open.push(expected.after(Token::Scalar));
        Ok(())
    }

    /// A list or object ends.
    fn close(&mut self) {
        self.expect = match self.open.pop() {
            Some(after) if !self.open.is_empty() => after,
            _ => Expect::End,
        };
    }

    /// Which bytes directly follow a backslash.
    fn escaped(&mut self, backslashes: u64) -> u64 {
        let (escaped, next) = escaped(backslashes, self.escaped);
        self.escaped = next;
        escaped
    }

    /// Errors in the rare bytes of a block.
    fn wrong(&mut self, block: &Block, rare: Rare, escaped: u64, strings: u64) -> u64 {
        let mut wrong = rare.controls & strings;
        wrong |= matching(block, rare.controls & !strings, |byte| !matches!(byte, b'\t' | b'\n' | b'\r'));
        wrong |= self.wrong_escapes(block, escaped & strings);
        if rare.beyond_ascii || !self.utf8.is_empty() {
            wrong |= self.wrong_utf8(block);
        }
        self.hangs = self.escaped || self.digits != 0 || !self.utf8.is_empty();
        wrong
    }

    /// Errors in these bytes, each of which follows a backslash, and in the digits that they require.
    fn wrong_escapes(&mut self, block: &Block, escaped: u64) -> u64 {
        let wrong = matching(block, escaped, |byte| !br#""\/bfnrtu"#.contains(&byte));
        let units = u128::from(matching(block, escaped, |byte| byte == b'u'));
        let digits = u128::from(self.digits) | units << 1 | units << 2 | units << 3 | units << 4;
        let [here, next] = [digits, digits >> 64].map(|half| u64::try_from(half & u128::from(u64::MAX)));
        self.digits = next.unwrap_or_default();
        wrong | matching(block, here.unwrap_or_default(), |byte| !byte.is_ascii_hexdigit())
    }

    /// The first byte that is not part of a valid character, if there is one.
    fn wrong_utf8(&mut self, block: &Block) -> u64 {
        let before = self.utf8.len();
        self.utf8.extend_from_slice(block);
        match std::str::from_utf8(&self.utf8) {
            Ok(_) => self.utf8.clear(),
            Err(error) if error.error_len().is_none() => drop(self.utf8.drain(..error.valid_up_to())),
            Err(error) => {
                let place = u32::try_from(error.valid_up_to().saturating_sub(before)).unwrap_or_default();
                return 1_u64.checked_shl(place).unwrap_or_default();
            }
        }
        0
    }
}

fn byte_at(block: &Block, place: usize) -> u8 {
    block.get(place).copied().unwrap_or_default()
}

/// Those of the marked bytes that match.
fn matching(block: &Block, marked: u64, is: impl Fn(u8) -> bool) -> u64 {
    let found = places(marked).filter(|place| is(byte_at(block, *place)));
    found.fold(0, |bits, place| bits | 1 << place)
}

/// The bits from a position on.
fn from_place(bits: u64, from: usize) -> u64 {
    bits & u32::try_from(from).ok().and_then(|from| u64::MAX.checked_shl(from)).unwrap_or_default()
}

/// The first set bit from a position on; the block's end if there is none.
fn place_of(bits: u64, from: usize) -> usize {
    places(from_place(bits, from)).next().unwrap_or(BLOCK)
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
    fn only_an_object_is_accepted() {
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
    fn the_first_error_is_reported() {
        assert_eq!(entry("{} x y"), Err(GraphError::Malformed { offset: 3 }));
        let twice = format!("{{\"{A}\":1,\"{A}\":1,\"b\" x");
        assert_eq!(entry(&twice), Err(GraphError::Duplicate { task_id: TaskId::parse(A).unwrap() }));
    }

    #[test]
    fn keys_are_read_to_their_end() {
        let escaped: String = A.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
        assert_eq!(escaped.len(), LONGEST_KEY);
        assert_eq!(entry(&format!("{{\"{escaped}\":[]}}")), Ok(Some("[]".to_owned())));
        // Text that is too long for a task is still valid, and so is text that is not valid for most
        // other uses.
        for (before, after) in [(0, 0), (0, LONGEST_KEY), (LONGEST_KEY, 0), (500, 500)] {
            let key = |escape| format!("{}{escape}{}", "x".repeat(before), "x".repeat(after));
            for escape in ["\\n", "\\ud800"] {
                let text = format!("{{\"{}\":[],\"{A}\":1}}", key(escape));
                assert_eq!(entry(&text), Ok(Some("1".to_owned())));
            }
            for escape in ["\\q", "\\u00g0", "\n"] {
                let wrong = entry(&format!("{{\"{}\":[]}}", key(escape)));
                assert!(matches!(wrong, Err(GraphError::Malformed { .. })), "{escape:?} {wrong:?}");
            }
        }
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

    /// Whether other parsers accept the text as a JSON object, of any depth.
    fn is_object(text: &[u8]) -> bool {
        let read = |text| serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
        let starts = text.trim_ascii_start().starts_with(b"{");
        starts && std::str::from_utf8(text).is_ok_and(read)
    }

    /// Scans without limits except one, in several chunks; returns whether the text is a graph.
    fn is_graph(text: &[u8]) -> bool {
        let limits = Limits { json_depth: usize::MAX, ..Limits::default() };
        let whole = scan_in(text, usize::MAX, &limits);
        for chunk in [1, 3, 63, 64, 65] {
            assert_eq!(whole, scan_in(text, chunk, &limits), "chunks of {chunk} do not matter");
        }
        assert!(!matches!(whole, Err(GraphError::TooDeep { .. } | GraphError::EntryTooLarge { .. })));
        // A duplicate task is valid JSON to other parsers, like any duplicate key.
        !matches!(whole, Err(GraphError::Malformed { .. }))
    }

    #[test]
    fn unused_parts_must_be_json_too() {
        for wrong in [
            "[}",
            "{]",
            "[1 2]",
            "[1,]",
            "[,1]",
            "{\"a\" 1}",
            "{\"a\":1,}",
            "{\"a\":1 \"b\":2}",
            "{1:2}",
            "[\"a\":1]",
            "[tru]",
            "[nul]",
            "[True]",
            "[NaN]",
            "[-]",
            "[01]",
            "[1.]",
            "[.5]",
            "[1e]",
            "[+1]",
            "[0x1]",
            "[1\"a\"]",
            "[\"a\"1]",
            "[\"\\x\"]",
            "[\"\\u12g4\"]",
            "[\"\\u12\"]",
            "[\"\t\"]",
            "[\"\0\"]",
            "[\u{b}1]",
            "[\\]",
            "[\\\"]",
            "['a']",
            "[//\n1]",
            "[\u{a0}1]",
            "\u{feff}[]",
            "[1];",
            "[[[]]",
            "{\"a\"}",
            "{\"a\":}",
            "{:1}",
            "{,}",
            "[:]",
        ] {
            for before in [0, 17, 50, 63, 64, 200] {
                let text = |value: &str| format!("{{{}\"x\":{value},\"{A}\":1}}", " ".repeat(before));
                assert!(!is_graph(text(wrong).as_bytes()), "{before} {wrong}");
                let deep = text(&format!("[{{\"a\":[0,{wrong}]}}]"));
                assert!(!is_graph(deep.as_bytes()), "{before} {deep}");
                assert!(!is_object(deep.as_bytes()), "{deep}");
            }
        }
    }

    #[test]
    fn invalid_utf8_is_refused_everywhere() {
        for wrong in [
            &b"\xff"[..],
            b"\xc3",
            b"\xc3\xc3\xa9",
            b"\xa9",
            b"\xe2\x82",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xc0\x80",
        ] {
            for before in 0..70 {
                let text = |middle: &[u8]| {
                    let start = format!("{{\"x\":[\"{}", "a".repeat(before));
                    [start.as_bytes(), middle, b"\"]}"].concat()
                };
                assert!(!is_graph(&text(wrong)), "{before} {wrong:?}");
                assert!(is_graph(&text("\u{e9}\u{20ac}\u{10ffff}".as_bytes())));
            }
        }
        assert!(!is_graph(b"{}\xc3"));
        assert!(!is_graph("{}\u{e9}".as_bytes()));
    }

    #[test]
    fn escapes_may_be_cut_in_two() {
        for before in 0..70 {
            for (escape, right) in
                [("\\u00e9", true), ("\\\\\\\"", true), ("\\u00e", false), ("\\\\\\", false), ("\\u", false)]
            {
                let text = format!("{{\"x\":[\"{}{escape}\"]}}", "a".repeat(before));
                assert_eq!(is_graph(text.as_bytes()), right, "{text}");
                assert_eq!(is_object(text.as_bytes()), right, "{text}");
            }
        }
    }

    #[test]
    fn held_bytes_are_those_of_kept_entries() {
        let mut scanner = Scanner::new([TaskId::parse(A).unwrap()].into(), &Limits::default());
        scanner.write(format!("{{\"{B}\":[{:999}],\"{A}\":[{:200}", 1, "").as_bytes());
        assert!((100..=201).contains(&scanner.held()), "{}", scanner.held());
        scanner.write(format!("],\"c\":[{:999}]}}  ", 1).as_bytes());
        assert_eq!(scanner.held(), 202);
    }

    /// JSON of all kinds, with all alternative notations.
    fn json() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            r#"-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?([eE][-+]?[0-9]{1,2})?"#,
            Just("true".to_owned()),
            Just("false".to_owned()),
            Just("null".to_owned()),
            r#""([ -!#-\[\]-~\u{e9}\u{1f600}]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}){0,40}""#,
        ];
        let space = || prop::sample::select(&["", " ", "\n  ", "\r\n\t", "        "][..]);
        scalar.prop_recursive(5, 60, 6, move |inner| {
            let list = prop::collection::vec((space(), inner.clone(), space()), 0..6).prop_map(|items| {
                let items: Vec<String> = items.iter().map(|(a, item, b)| format!("{a}{item}{b}")).collect();
                format!("[{}]", items.join(","))
            });
            let member = (space(), "[a-z\\\\/]{0,9}", space(), inner, space());
            let object = prop::collection::vec(member, 0..6).prop_map(|members| {
                let text = |(a, key, b, value, c): &(&str, String, &str, String, &str)| {
                    format!("{a}\"{}\"{b}:{b}{value}{c}", key.replace('\\', "\\\\"))
                };
                format!("{{{}}}", members.iter().map(text).collect::<Vec<_>>().join(","))
            });
            prop_oneof![list, object]
        })
    }

    fn graph() -> impl Strategy<Value = String> {
        let key = prop_oneof![Just(A.to_owned()), Just(B.to_owned()), "[a-z]{1,70}"];
        prop::collection::btree_map(key, json(), 0..5).prop_map(|entries| {
            let entries = entries.iter().map(|(key, value)| format!("\"{key}\": {value}"));
            format!("{{\n{}\n}}\n", entries.collect::<Vec<_>>().join(",\n"))
        })
    }

    /// What a text becomes where something is left out, put in, or put in the place of something else.
    const PIECES: [&[u8]; 24] = [
        b"",
        b"\"",
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b" ",
        b"\n",
        b"\t",
        b"\0",
        b"0",
        b"-",
        b".",
        b"e",
        b"u",
        b"true",
        b"\xff",
        b"\xc3\xa9",
        b"\xe2",
        b"\\u00",
        b"'",
    ];

    proptest! {
        #[test]
        fn no_bytes_panic_and_chunks_do_not_matter(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(is_graph(&bytes), is_object(&bytes));
        }

        #[test]
        fn graphs_match_other_json_parsers(text in graph()) {
            prop_assert!(is_object(text.as_bytes()), "{}", text);
            prop_assert!(is_graph(text.as_bytes()), "{}", text);
            let found = scan_in(text.as_bytes(), 1000, &Limits::default()).unwrap();
            // What they cannot hold, such as half of a surrogate pair, is not compared.
            if let Ok(read) = serde_json::from_str::<serde_json::Value>(&text) {
                let found = found.get(&TaskId::parse(A).unwrap());
                let found = found.map(|entry| serde_json::from_slice(entry).unwrap());
                prop_assert_eq!(found.as_ref(), read.get(A));
            }
        }

        #[test]
        fn a_graph_with_a_mistake_is_one_to_others_too(
            text in graph(),
            edits in prop::collection::vec(
                (any::<prop::sample::Index>(), 0..3_usize, prop::sample::select(&PIECES[..])),
                1..3,
            ),
        ) {
            let mut bytes = text.into_bytes();
            for (place, out, piece) in edits {
                let at = place.index(bytes.len() + 1);
                let end = (at + out).min(bytes.len());
                bytes.splice(at..end, piece.iter().copied());
            }
            prop_assert_eq!(is_graph(&bytes), is_object(&bytes), "{}", String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn so_it_is_with_text_of_nothing_but_signs(text in r#"\{"a":\[([\[\]{}:,"0 ]|\[\]|\{\}|"a":|"",|0,){0,60}\]\}"#) {
            prop_assert_eq!(is_graph(text.as_bytes()), is_object(text.as_bytes()), "{}", text);
        }

        #[test]
        fn depth_counts_from_below_the_graph(depth in 1..200_usize, limit in 1..200_usize, chunk in 1..99_usize) {
            let limits = Limits { json_depth: limit, ..Limits::default() };
            let text = format!("{{\"x\":{}{},\"{A}\":1}}", "[{\"a\":".repeat(depth) + "0", "}]".repeat(depth));
            let scanned = scan_in(text.as_bytes(), chunk, &limits);
            let expected = if 2 * depth > limit { Err(GraphError::TooDeep { limit }) } else { Ok(1) };
            prop_assert_eq!(scanned.map(|entries| entries.len()), expected);
        }
    }
}
