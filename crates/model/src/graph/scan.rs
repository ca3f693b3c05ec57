//! A push scanner over `public/task-graph.json` that keeps only the wanted entries.

use super::blocks::{BLOCK, Block, Marks, Rare, byte_at, from_place, place_of, places, running_parity};
use super::error::GraphError;
use super::grammar::{Expect, Scalar, Token};
use super::index::{GraphIndex, IndexBuilder};
use super::state::{Outer, State};
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
    state: State,
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
            state: State::new(),
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
        if self.error.is_none() && !self.state.is_end() {
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
        let rare = if self.state.hangs { Some(Rare::of(block)) } else { marks.rare };
        let escaped = rare.map_or(0, |rare| self.state.escaped(rare.backslashes));
        let quotes = marks.quotes & !escaped;
        // From each opening quote of a string to the byte before its closing quote.
        let turns = running_parity(quotes);
        let strings = if self.state.in_string { !turns } else { turns };
        self.state.in_string = strings >> 63 == 1;
        let mut wrong = marks.newlines & strings;
        if let Some(rare) = rare {
            wrong |= self.state.wrong(block, rare, escaped, strings);
        }
        // The bytes before the first error.
        let right = wrong.wrapping_sub(1) & !wrong;
        // Bytes outside of strings, other than their closing quotes and white space.
        let outside = !(strings ^ quotes | marks.blanks) & right;
        let seen = Seen { block, quotes: quotes & right, outside };
        let goes_on = self.state.scalar.is_some() || self.state.outer.is_some();
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
        if let Some(scalar) = self.state.scalar.take() {
            return self.scalar(seen, scalar, 0, 0);
        }
        match self.state.outer.take() {
            Some(Outer::Key) => self.key(seen, 0)?,
            Some(Outer::Text) => self.outer_text(seen, 0, 0)?,
            None => {}
        }
        Ok(0)
    }

    /// Scans the tokens that begin in a block, from a position on.
    fn tokens(&mut self, seen: &Seen<'_>, at: usize) -> Result<(), GraphError> {
        let mut left = Left { outside: from_place(seen.outside, at), kept_from: 0 };
        let (mut expect, mut outer) = (self.state.expect, self.state.is_outer());
        while let Some(place) = places(left.outside).next() {
            left.outside &= left.outside.wrapping_sub(1);
            let token = Token::of(byte_at(seen.block, place));
            let expected = expect;
            expect = expected.after(token);
            // Most tokens only change the state.
            if outer || !token.is_plain() || expect == Expect::Wrong {
                self.state.expect = expect;
                self.token(seen, place, (expected, token), &mut left)?;
                (expect, outer) = (self.state.expect, self.state.is_outer());
            }
        }
        self.state.expect = expect;
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
        if self.state.expect == Expect::Wrong {
            return Err(self.malformed(place));
        }
        let (outer, after) = (self.state.is_outer(), place.saturating_add(1));
        if outer && expected == Expect::Member {
            left.kept_from = place;
            self.begin_value(place);
        }
        match token {
            Token::OpenObject | Token::OpenList => self.state.open(expected, self.depth_limit),
            Token::CloseObject | Token::CloseList => {
                self.state.close();
                if self.state.is_outer() { self.end_entry(seen, left.kept_from, after) } else { Ok(()) }
            }
            Token::Scalar => {
                let begun = Scalar::begin(byte_at(seen.block, place)).ok_or_else(|| self.malformed(place))?;
                let end = self.scalar(seen, begun, left.kept_from, after)?;
                left.outside = from_place(left.outside, end);
                Ok(())
            }
            Token::Text if outer && self.state.expect == Expect::Colon => self.key(seen, after),
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
            self.state.scalar = Some(scalar);
        } else if !scalar.is_whole() {
            return Err(self.malformed(end));
        } else if self.state.is_outer() {
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
        self.state.outer = Some(Outer::Key);
        Ok(())
    }

    /// Scans an entry that is a string from here to its end, or the block's.
    fn outer_text(&mut self, seen: &Seen<'_>, from: usize, at: usize) -> Result<(), GraphError> {
        let end = place_of(seen.quotes, at);
        if end < BLOCK {
            return self.end_entry(seen, from, end.saturating_add(1));
        }
        self.state.outer = Some(Outer::Text);
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

#[cfg(test)]
mod tests;
