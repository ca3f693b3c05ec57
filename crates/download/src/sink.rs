//! Where a body goes: decoded, capped, hashed and written by a thread of its own while it arrives.

use bytes::Bytes;
use catena_http::headers::Coding;
use catena_model::Limits;
use flate2::write::MultiGzDecoder;
use sha2::{Digest as _, Sha256, Sha512};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What was measured of a body, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Its SHA-256.
    pub sha256: [u8; 32],
    /// Its SHA-512, where it was asked for.
    pub sha512: Option<[u8; 64]>,
    /// Its length.
    pub length: u64,
}

/// Why a body cannot be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SinkError {
    /// Not what its coding says; may pass.
    #[error("the body is not coded as its headers say: {0}")]
    Coding(String),
    /// Too large.
    #[error("it has more than {0} bytes")]
    TooLarge(u64),
    /// Far larger than what was sent for it.
    #[error("it decodes to more than {0} times its size on the wire")]
    Expands(u64),
    /// The disk.
    #[error("{0}")]
    Disk(io::Error),
}

/// Chunks that wait for the thread: enough for the network not to wait for every write.
const WAITING: usize = 4;

/// A body on its way to a file.
#[derive(Debug)]
pub(crate) struct Sink {
    chunks: Option<mpsc::Sender<Bytes>>,
    thread: JoinHandle<Result<Measured, SinkError>>,
}

impl Sink {
    /// Opens a sink to a new file.
    pub(crate) fn open(path: &Path, coding: Coding, limit: u64, wide: bool) -> io::Result<Self> {
        let file = create(path)?;
        let out = Out {
            file,
            sha256: Sha256::new(),
            sha512: wide.then(Sha512::new),
            received: 0,
            length: 0,
            limit,
            failure: None,
        };
        let (chunks, mut received) = mpsc::channel::<Bytes>(WAITING);
        let thread = tokio::task::spawn_blocking(move || {
            let mut coder = Coder::of(coding, out);
            while let Some(chunk) = received.blocking_recv() {
                coder.write(&chunk)?;
            }
            coder.end()
        });
        Ok(Self { chunks: Some(chunks), thread })
    }

    /// Takes a chunk. Fails where the thread has ended, which [`Sink::end`] says why.
    pub(crate) async fn write(&mut self, chunk: Bytes) -> Result<(), Ended> {
        match &self.chunks {
            Some(chunks) => chunks.send(chunk).await.map_err(|_| Ended),
            None => Err(Ended),
        }
    }

    /// The body has ended.
    pub(crate) async fn end(mut self) -> Result<Measured, SinkError> {
        self.chunks = None;
        let gone = |error| Err(SinkError::Disk(io::Error::other(error)));
        self.thread.await.unwrap_or_else(gone)
    }
}

/// A new file in the place of what was there. The thread of an attempt that was given up may still write to the
/// old one.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    File::options().read(true).write(true).create_new(true).open(path)
}

/// The thread has ended before the body.
#[derive(Debug)]
pub(crate) struct Ended;

enum Coder {
    Identity(Box<Out>),
    Gzip(Box<MultiGzDecoder<Out>>),
}

impl Coder {
    fn of(coding: Coding, out: Out) -> Self {
        match coding {
            Coding::Identity => Self::Identity(Box::new(out)),
            Coding::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(out))),
        }
    }

    fn write(&mut self, chunk: &[u8]) -> Result<(), SinkError> {
        let received = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        let out = self.out();
        out.received = out.received.saturating_add(received);
        let written = match self {
            Self::Identity(out) => out.write_all(chunk),
            Self::Gzip(decoder) => decoder.write_all(chunk),
        };
        written.map_err(|error| self.out().cause(error))
    }

    fn out(&mut self) -> &mut Out {
        match self {
            Self::Identity(out) => out,
            Self::Gzip(decoder) => decoder.get_mut(),
        }
    }

    fn end(self) -> Result<Measured, SinkError> {
        match self {
            Self::Identity(out) => out.end(),
            Self::Gzip(mut decoder) => match decoder.try_finish() {
                Err(error) => Err(decoder.get_mut().cause(error)),
                Ok(()) => decoder.finish().map_err(SinkError::Disk)?.end(),
            },
        }
    }
}

/// The decoded bytes.
struct Out {
    file: File,
    sha256: Sha256,
    sha512: Option<Sha512>,
    /// Bytes as they came over the wire.
    received: u64,
    length: u64,
    limit: u64,
    /// What went wrong here, which a decoder passes on as if it were its own.
    failure: Option<SinkError>,
}

impl Out {
    fn cause(&mut self, error: io::Error) -> SinkError {
        self.failure.take().unwrap_or_else(|| SinkError::Coding(error.to_string()))
    }

    fn end(mut self) -> Result<Measured, SinkError> {
        self.file.flush().map_err(SinkError::Disk)?;
        Ok(Measured {
            sha256: self.sha256.finalize().into(),
            sha512: self.sha512.map(|hash| hash.finalize().into()),
            length: self.length,
        })
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let stop = || io::Error::other("the sink has stopped");
        self.length = self.length.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.length > self.limit {
            self.failure = Some(SinkError::TooLarge(self.limit));
            return Err(stop());
        }
        let Limits { expansion, expansion_free, .. } = Limits::default();
        if self.length > expansion_free && self.length > self.received.saturating_mul(expansion) {
            self.failure = Some(SinkError::Expands(expansion));
            return Err(stop());
        }
        if let Err(error) = self.file.write_all(bytes) {
            self.failure = Some(SinkError::Disk(error));
            return Err(stop());
        }
        self.sha256.update(bytes);
        if let Some(hash) = &mut self.sha512 {
            hash.update(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    async fn take(coding: Coding, limit: u64, body: &[u8]) -> Result<Vec<u8>, SinkError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut sink = Sink::open(&path, coding, limit, true).unwrap();
        for chunk in body.chunks(7) {
            if sink.write(Bytes::copy_from_slice(chunk)).await.is_err() {
                break;
            }
        }
        let measured = sink.end().await?;
        let bytes = std::fs::read(path).unwrap();
        assert_eq!(measured.length, bytes.len() as u64);
        assert_eq!(measured.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
        assert_eq!(measured.sha512, Some(Sha512::digest(&bytes).into()));
        Ok(bytes)
    }

    #[tokio::test]
    async fn bodies_are_decoded_and_measured() {
        let text = b"some text ".repeat(100);
        assert_eq!(take(Coding::Identity, 1000, &text).await.unwrap(), text);
        assert_eq!(take(Coding::Gzip, 1000, &gzip(&text)).await.unwrap(), text);
        let members = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(take(Coding::Gzip, 1000, &members).await.unwrap(), b"one two");
        assert_eq!(take(Coding::Identity, 0, b"").await.unwrap(), b"");
    }

    #[tokio::test]
    async fn half_a_body_is_none() {
        let whole = gzip(&b"some text ".repeat(100));
        for length in 1..whole.len() {
            let taken = take(Coding::Gzip, 5000, &whole[..length]).await;
            assert!(matches!(taken, Err(SinkError::Coding(_))), "{length}");
        }
        let garbage = [whole.as_slice(), b"more"].concat();
        assert!(matches!(take(Coding::Gzip, 5000, &garbage).await, Err(SinkError::Coding(_))));
    }

    /// A small answer cannot fill a disk.
    #[tokio::test]
    async fn a_body_expands_within_a_limit() {
        let free = usize::try_from(Limits::default().expansion_free).unwrap();
        let bomb = gzip(&vec![0; free + 1]);
        assert!(matches!(take(Coding::Gzip, u64::MAX, &bomb).await, Err(SinkError::Expands(200))));
        assert!(take(Coding::Gzip, u64::MAX, &gzip(&vec![0; free])).await.is_ok());
    }

    #[tokio::test]
    async fn the_limit_counts_decoded_bytes() {
        assert!(matches!(take(Coding::Identity, 99, &[0; 100]).await, Err(SinkError::TooLarge(99))));
        assert!(matches!(take(Coding::Gzip, 99, &gzip(&[0; 100])).await, Err(SinkError::TooLarge(99))));
        assert!(take(Coding::Gzip, 100, &gzip(&[0; 100])).await.is_ok());
    }
}
