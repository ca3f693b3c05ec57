//! A file while it is copied: hashed, compressed if it is sent so, and written to the end of the snapshot.

use crate::snapshot::{Artifact, Place, Storage};
use catena_model::task::ArtifactName;
use catena_signing::{content_type, is_compressible};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256, Sha512};
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

/// A file while it is copied.
pub(crate) struct Copy {
    sink: Sink,
    content_type: &'static str,
    storage: Storage,
    size: u64,
    sha256: Sha256,
    sha512: Option<Sha512>,
}

enum Sink {
    Plain(Tail),
    Gzip(Box<GzEncoder<Tail>>),
}

impl Copy {
    /// Begins a copy at the end of the snapshot's file.
    pub(crate) fn begin(name: &ArtifactName, storage: Storage, file: Arc<File>, end: u64) -> Self {
        let content_type = content_type(name.as_str());
        let tail = Tail { file, offset: end, length: 0 };
        let is_compressed = storage == Storage::S3 && is_compressible(content_type);
        let sink = if is_compressed {
            Sink::Gzip(Box::new(GzEncoder::new(tail, Compression::default())))
        } else {
            Sink::Plain(tail)
        };
        let sha512 = (storage == Storage::Object).then(Sha512::new);
        Self { sink, content_type, storage, size: 0, sha256: Sha256::new(), sha512 }
    }

    /// Bytes of the file so far.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds bytes of the file.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.size = self.size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.sha256.update(bytes);
        if let Some(hash) = &mut self.sha512 {
            hash.update(bytes);
        }
        match &mut self.sink {
            Sink::Plain(tail) => tail.write_all(bytes),
            Sink::Gzip(encoder) => encoder.write_all(bytes),
        }
    }

    /// Ends the copy.
    pub(crate) fn end(self, name: ArtifactName) -> io::Result<Artifact> {
        let (tail, is_compressed) = match self.sink {
            Sink::Plain(tail) => (tail, false),
            Sink::Gzip(encoder) => (encoder.finish()?, true),
        };
        Ok(Artifact {
            name,
            content_type: self.content_type,
            storage: self.storage,
            size: self.size,
            sha256: self.sha256.finalize().into(),
            sha512: self.sha512.map(|hash| hash.finalize().into()),
            is_compressed,
            place: Place { offset: tail.offset, length: tail.length },
        })
    }
}

/// The end of the snapshot's file, which grows.
struct Tail {
    file: Arc<File>,
    offset: u64,
    length: u64,
}

impl Write for Tail {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let at = self.offset.checked_add(self.length).ok_or(io::ErrorKind::FileTooLarge)?;
        self.file.write_all_at(bytes, at)?;
        self.length = self.length.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
