//! The bytes of one artifact on their way: read from the snapshot, hashed, and compared before the last of them
//! is handed over.

use crate::snapshot::{Artifact, Place};
use bytes::Bytes;
use catena_http::{Chunks, RequestBody, TransportError};
use flate2::write::GzDecoder;
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Bytes that are read at once.
const BLOCK: u64 = 256 << 10;
/// Blocks that are read before they are sent.
const AHEAD: usize = 2;

/// How one attempt gets on.
#[derive(Debug)]
pub(crate) struct Progress(Mutex<State>);

#[derive(Debug)]
struct State {
    moved: Instant,
    /// Why the bytes are not those of the document.
    mismatch: Option<String>,
}

impl Progress {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { moved: Instant::now(), mismatch: None })))
    }

    /// When the last bytes were taken.
    pub(crate) fn moved(&self) -> Instant {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).moved
    }

    /// Why the attempt was broken off, if it was for its bytes.
    pub(crate) fn mismatch(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).mismatch.clone()
    }

    fn moves(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).moved = Instant::now();
    }

    fn mismatched(&self, why: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).mismatch = Some(why.to_owned());
    }
}

/// The body that an artifact is sent as. What it unpacks to must have this digest; a body that has another
/// fails before its last byte, so that no complete copy of it exists.
pub(crate) fn body(file: &Arc<File>, artifact: &Artifact, progress: &Arc<Progress>) -> RequestBody {
    let (file, progress) = (file.clone(), progress.clone());
    let (place, expected, is_compressed) = (artifact.place, artifact.sha256, artifact.is_compressed);
    RequestBody::stream(place.length, move || {
        chunks(file.clone(), place, Check::new(is_compressed, expected), progress.clone())
    })
}

/// Reads and hashes on another thread, a little ahead of what is sent.
fn chunks(file: Arc<File>, place: Place, check: Check, progress: Arc<Progress>) -> Chunks {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let told = progress.clone();
    tokio::task::spawn_blocking(move || {
        if let Err(error) = read(&file, place, check, &sender) {
            told.mismatched(&error);
            let _ = sender.blocking_send(Err(TransportError::lasting(error)));
        }
    });
    futures_util::stream::unfold((receiver, progress), |(mut receiver, progress)| async move {
        let chunk = receiver.recv().await?;
        progress.moves();
        Some((chunk, (receiver, progress)))
    })
    .boxed()
}

type Sender = mpsc::Sender<Result<Bytes, TransportError>>;

/// Sends every block; the last only after the digest was compared. Ends early when the receiver is gone.
fn read(file: &File, place: Place, mut check: Check, sender: &Sender) -> Result<(), String> {
    let mut done = 0_u64;
    while done < place.length {
        let length = place.length.saturating_sub(done).min(BLOCK);
        let mut block = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        let at = place.offset.saturating_add(done);
        let broken = |error: io::Error| format!("the copy of the artifact cannot be read: {error}");
        file.read_exact_at(&mut block, at).map_err(broken)?;
        check.write(&block).map_err(broken)?;
        done = done.saturating_add(length);
        if done == place.length {
            return check.end().map(|()| drop(sender.blocking_send(Ok(block.into()))));
        }
        if sender.blocking_send(Ok(block.into())).is_err() {
            return Ok(());
        }
    }
    check.end()
}

/// Compares bytes that are sent with the digest of what they stand for.
enum Check {
    Plain(Sha256, [u8; 32]),
    Gzip(Box<GzDecoder<Hashed>>, [u8; 32]),
}

struct Hashed(Sha256);

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Check {
    fn new(is_compressed: bool, expected: [u8; 32]) -> Self {
        if is_compressed {
            return Self::Gzip(Box::new(GzDecoder::new(Hashed(Sha256::new()))), expected);
        }
        Self::Plain(Sha256::new(), expected)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(hash, _) => {
                hash.update(bytes);
                Ok(())
            }
            Self::Gzip(decoder, _) => decoder.write_all(bytes),
        }
    }

    fn end(self) -> Result<(), String> {
        let (actual, expected): ([u8; 32], _) = match self {
            Self::Plain(hash, expected) => (hash.finalize().into(), expected),
            Self::Gzip(decoder, expected) => {
                let hashed = decoder.finish().map_err(|error| format!("the copy is broken: {error}"))?;
                (hashed.0.finalize().into(), expected)
            }
        };
        if actual == expected {
            return Ok(());
        }
        let (actual, expected) = (hex::encode(actual), hex::encode(expected));
        Err(format!("its bytes have SHA-256 {actual} instead of {expected}, which was measured before"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Snapshot;
    use catena_model::task::ArtifactName;
    use futures_util::TryStreamExt as _;

    fn snapshot(name: &str, content: &[u8]) -> Snapshot {
        let mut snapshot = Snapshot::new(tempfile::tempdir().unwrap().path()).unwrap();
        snapshot.add(ArtifactName::parse(name).unwrap(), content).unwrap();
        snapshot
    }

    async fn sent(snapshot: &Snapshot, progress: &Arc<Progress>) -> Result<Vec<u8>, TransportError> {
        let RequestBody::Stream(stream) = body(snapshot.file(), &snapshot.artifacts()[0], progress) else {
            panic!("not a stream");
        };
        let chunks: Vec<Bytes> = stream.open().try_collect().await?;
        Ok(chunks.concat())
    }

    fn noise(length: usize) -> Vec<u8> {
        (0..length).map(|number| u8::try_from(number * number % 251).unwrap()).collect()
    }

    #[tokio::test]
    async fn every_byte_is_sent_in_order() {
        for length in [0, 1, 262_143, 262_144, 262_145, 1_000_000] {
            let (content, progress) = (noise(length), Progress::new());
            assert_eq!(sent(&snapshot("a.bin", &content), &progress).await.unwrap(), content, "{length}");
            let packed = sent(&snapshot("a.log", &content), &progress).await.unwrap();
            let mut unpacked = Vec::new();
            io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut unpacked).unwrap();
            assert_eq!(unpacked, content, "{length}");
            assert_eq!(progress.mismatch(), None);
        }
    }

    #[tokio::test]
    async fn what_is_not_what_was_measured_is_never_sent_whole() {
        for name in ["a.bin", "a.log"] {
            let (snapshot, progress) = (snapshot(name, &noise(600_000)), Progress::new());
            let place = snapshot.artifacts()[0].place;
            snapshot.file().write_all_at(b"x", place.offset + place.length / 2).unwrap();
            let RequestBody::Stream(stream) = body(snapshot.file(), &snapshot.artifacts()[0], &progress)
            else {
                panic!("not a stream");
            };
            let results: Vec<_> = stream.open().collect().await;
            let sent: usize = results.iter().flatten().map(Bytes::len).sum();
            assert!(results.last().unwrap().is_err(), "{name}");
            assert!((sent as u64) < place.length, "{name}");
            assert!(progress.mismatch().is_some(), "{name}");
        }
    }
}
