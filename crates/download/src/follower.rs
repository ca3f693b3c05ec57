//! A file that is hashed in order while others write to it, as far as it is there without a gap.

use crate::sink::Measured;
use sha2::{Digest as _, Sha256, Sha512};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

/// Bytes that are read at once.
pub(crate) const CHUNK: usize = 256 << 10;

/// Hashes a file from its beginning to a frontier that only moves forward. Bytes before the frontier must not
/// change any more.
#[derive(Debug)]
pub(crate) struct Follower {
    frontier: Sender<u64>,
    thread: JoinHandle<io::Result<Measured>>,
}

impl Follower {
    /// Begins at the first byte of a file.
    pub(crate) fn of(file: Arc<File>, wide: bool) -> Self {
        let (frontier, moved) = channel();
        let thread = tokio::task::spawn_blocking(move || follow(&file, &moved, wide));
        Self { frontier, thread }
    }

    /// Everything before this is there. What keeps it from being hashed is told at the end.
    pub(crate) fn advance(&self, to: u64) {
        let _ = self.frontier.send(to);
    }

    /// The digest of everything before the last frontier.
    pub(crate) async fn end(self) -> io::Result<Measured> {
        drop(self.frontier);
        self.thread.await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

/// Hashes a file up to each frontier that is told, until there are no more.
pub(crate) fn follow(file: &File, moved: &Receiver<u64>, wide: bool) -> io::Result<Measured> {
    let (mut sha256, mut sha512) = (Sha256::new(), wide.then(Sha512::new));
    // Most files are smaller than a chunk.
    let mut buffer = Vec::new();
    let mut length = 0_u64;
    while let Ok(frontier) = moved.recv() {
        while length < frontier {
            let most = usize::try_from(frontier.saturating_sub(length)).unwrap_or(CHUNK).min(CHUNK);
            if buffer.len() < most {
                buffer.resize(most, 0);
            }
            let space = buffer.get_mut(..most).unwrap_or_default();
            file.read_exact_at(space, length)?;
            sha256.update(&*space);
            if let Some(hash) = &mut sha512 {
                hash.update(&*space);
            }
            length = length.saturating_add(u64::try_from(most).unwrap_or(u64::MAX));
        }
    }
    Ok(Measured {
        sha256: sha256.finalize().into(),
        sha512: sha512.map(|hash| hash.finalize().into()),
        length,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_before_the_frontier_is_hashed_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
        let file = Arc::new(file);
        let content: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let follower = Follower::of(file.clone(), true);
        file.write_all_at(&content[2_000_000..], 2_000_000).unwrap();
        for part in 0..4_u64 {
            let at = part * 500_000;
            file.write_all_at(&content[at as usize..][..500_000], at).unwrap();
            follower.advance(at + 500_000);
        }
        follower.advance(4_000_000);
        let measured = follower.end().await.unwrap();
        assert_eq!(measured.length, 4_000_000);
        assert_eq!(measured.sha256, <[u8; 32]>::from(Sha256::digest(&content)));
        assert_eq!(measured.sha512, Some(Sha512::digest(&content).into()));
    }

    #[tokio::test]
    async fn a_file_that_is_shorter_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"short").unwrap();
        let follower = Follower::of(Arc::new(File::open(&path).unwrap()), false);
        follower.advance(6);
        assert!(follower.end().await.is_err());
    }
}
