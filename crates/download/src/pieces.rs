//! A large body in pieces: which are there, which somebody fetches, and the file they are written to.
//!
//! Pieces are written in any order and hashed in theirs. An attempt that failed may have left a thread behind
//! that still writes; it is of an older generation, and writes nothing any more. So what was hashed cannot change.

use crate::follower::Follower;
use crate::sink::{Measured, create};
use bytes::Bytes;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How large bodies are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranges {
    /// Bytes of a piece. A body of less than two is not divided.
    pub piece: u64,
    /// Pieces of one body that are fetched at the same time.
    pub streams: usize,
    /// Pieces of all bodies that are fetched beside the first of each.
    pub total: usize,
}

impl Default for Ranges {
    /// Pieces that are worth the request for them, and few enough connections that a store does not refuse them.
    fn default() -> Self {
        Self { piece: 32 << 20, streams: 4, total: 12 }
    }
}

/// The pieces of one body.
#[derive(Debug)]
pub(crate) struct Pieces {
    shared: Arc<Shared>,
    follower: Follower,
    /// The number of the attempt that may write.
    generation: u64,
}

#[derive(Debug)]
struct Shared {
    file: Arc<File>,
    pieces: Vec<Piece>,
}

#[derive(Debug)]
struct Piece {
    from: u64,
    /// The byte after its last.
    to: u64,
    /// The next byte that is wanted.
    next: AtomicU64,
    claimed: AtomicBool,
    /// Who may write. Held while something is written.
    generation: Mutex<u64>,
}

/// A piece that somebody fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claimed {
    number: usize,
    /// The next byte that is wanted.
    pub(crate) next: u64,
    /// The byte after its last.
    pub(crate) to: u64,
}

impl Pieces {
    /// Of a body of this length, to a new file.
    pub(crate) fn create(path: &Path, length: u64, piece: u64, wide: bool) -> io::Result<Self> {
        let file = create(path)?;
        file.set_len(length)?;
        let file = Arc::new(file);
        let mut pieces = Vec::new();
        let mut from = 0_u64;
        while from < length {
            let to = from.saturating_add(piece.max(1)).min(length);
            let (next, claimed, generation) = (AtomicU64::new(from), AtomicBool::new(false), Mutex::new(0));
            pieces.push(Piece { from, to, next, claimed, generation });
            from = to;
        }
        let follower = Follower::of(file.clone(), wide);
        Ok(Self { shared: Arc::new(Shared { file, pieces }), follower, generation: 0 })
    }

    /// A new attempt: nobody has claimed a piece, and whoever still writes for an earlier one has ended.
    pub(crate) fn begin(&mut self) {
        self.generation = self.generation.saturating_add(1);
        for piece in &self.shared.pieces {
            *piece.generation.lock().unwrap_or_else(PoisonError::into_inner) = self.generation;
            piece.claimed.store(piece.is_there(), Ordering::Release);
        }
    }

    /// Claims the first piece that is neither there nor claimed.
    pub(crate) fn claim(&self) -> Option<Claimed> {
        (0..self.shared.pieces.len()).find_map(|number| self.claim_number(number))
    }

    /// Claims the piece that begins where this one ends.
    pub(crate) fn claim_after(&self, claimed: Claimed) -> Option<Claimed> {
        self.claim_number(claimed.number.saturating_add(1))
    }

    fn claim_number(&self, number: usize) -> Option<Claimed> {
        let piece = self.shared.pieces.get(number)?;
        let free = piece.claimed.compare_exchange(false, true, Ordering::AcqRel, Ordering::Acquire);
        free.ok().map(|_| Claimed { number, next: piece.next.load(Ordering::Acquire), to: piece.to })
    }

    /// Leaves a piece to others.
    pub(crate) fn release(&self, claimed: Claimed) {
        if let Some(piece) = self.shared.pieces.get(claimed.number) {
            piece.claimed.store(false, Ordering::Release);
        }
    }

    /// Whether this is the last piece.
    pub(crate) fn is_last(&self, claimed: Claimed) -> bool {
        claimed.number.saturating_add(1) >= self.shared.pieces.len()
    }

    /// Writes what comes next of a piece, and no more than is wanted of it.
    pub(crate) async fn write(&self, claimed: &mut Claimed, chunks: Vec<Bytes>) -> io::Result<()> {
        let (shared, number, generation) = (self.shared.clone(), claimed.number, self.generation);
        let written = tokio::task::spawn_blocking(move || shared.write(number, generation, &chunks));
        claimed.next = written.await.unwrap_or_else(|error| Err(io::Error::other(error)))?;
        self.follower.advance(self.shared.frontier());
        Ok(())
    }

    /// Bytes that are there.
    pub(crate) fn received(&self) -> u64 {
        let there = |piece: &Piece| piece.next.load(Ordering::Acquire).saturating_sub(piece.from);
        self.shared.pieces.iter().map(there).fold(0, u64::saturating_add)
    }

    /// Everything is there: its digest.
    pub(crate) async fn end(self) -> io::Result<Measured> {
        self.follower.advance(self.shared.frontier());
        self.follower.end().await
    }
}

impl Shared {
    fn write(&self, number: usize, generation: u64, chunks: &[Bytes]) -> io::Result<u64> {
        let stale = || io::Error::other("the attempt has ended");
        let piece = self.pieces.get(number).ok_or_else(stale)?;
        let current = piece.generation.lock().unwrap_or_else(PoisonError::into_inner);
        if *current != generation {
            return Err(stale());
        }
        let mut next = piece.next.load(Ordering::Acquire);
        for chunk in chunks {
            let left = usize::try_from(piece.to.saturating_sub(next)).unwrap_or(usize::MAX);
            let wanted = chunk.get(..left.min(chunk.len())).unwrap_or_default();
            self.file.write_all_at(wanted, next)?;
            next = next.saturating_add(u64::try_from(wanted.len()).unwrap_or(u64::MAX));
        }
        piece.next.store(next, Ordering::Release);
        Ok(next)
    }

    /// Everything before this is there.
    fn frontier(&self) -> u64 {
        let unfinished = self.pieces.iter().find(|piece| !piece.is_there());
        let all = || self.pieces.last().map_or(0, |last| last.to);
        unfinished.map_or_else(all, |piece| piece.next.load(Ordering::Acquire))
    }
}

impl Piece {
    fn is_there(&self) -> bool {
        self.next.load(Ordering::Acquire) >= self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};

    fn bytes(content: &'static [u8]) -> Vec<Bytes> {
        vec![Bytes::from_static(content)]
    }

    #[tokio::test]
    async fn pieces_come_in_any_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut pieces = Pieces::create(&path, 10, 4, false).unwrap();
        pieces.begin();
        let (mut first, mut second) = (pieces.claim().unwrap(), pieces.claim().unwrap());
        let mut third = pieces.claim_after(second).unwrap();
        assert!(pieces.claim().is_none() && pieces.is_last(third) && !pieces.is_last(second));
        pieces.write(&mut third, bytes(b"89")).await.unwrap();
        pieces.write(&mut second, bytes(b"45")).await.unwrap();
        pieces.write(&mut first, bytes(b"0123, and more than is wanted")).await.unwrap();
        assert_eq!((first.next, second.next, third.next), (4, 6, 10));
        assert_eq!(pieces.received(), 8);
        // The next attempt begins where this one ended.
        pieces.begin();
        let mut rest = pieces.claim().unwrap();
        assert_eq!((rest.next, rest.to), (6, 8));
        assert!(pieces.claim().is_none());
        pieces.write(&mut rest, bytes(b"67")).await.unwrap();
        let measured = pieces.end().await.unwrap();
        assert_eq!(measured.sha256, <[u8; 32]>::from(Sha256::digest(b"0123456789")));
        assert_eq!(std::fs::read(path).unwrap(), b"0123456789");
    }

    /// What was hashed is what is in the file, whoever still writes.
    #[tokio::test]
    async fn an_older_attempt_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut pieces = Pieces::create(&folder.path().join("file"), 8, 8, false).unwrap();
        pieces.begin();
        pieces.claim().unwrap();
        let (shared, old) = (pieces.shared.clone(), pieces.generation);
        pieces.begin();
        assert!(shared.write(0, old, &bytes(b"stale")).is_err());
        assert_eq!(pieces.received(), 0);
        assert!(pieces.claim().is_some());
    }

    #[tokio::test]
    async fn a_piece_that_was_released_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let mut pieces = Pieces::create(&folder.path().join("file"), 8, 4, false).unwrap();
        pieces.begin();
        let first = pieces.claim().unwrap();
        let second = pieces.claim_after(first).unwrap();
        assert_eq!(pieces.claim_after(first), None);
        pieces.release(second);
        assert_eq!(pieces.claim_after(first), Some(second));
    }
}
