//! Where entries are kept: the seam behind which a fleet can share one.

use std::fmt;
use std::io::{self, Read};

/// What a store is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// An entry, by the SHA-256 of its address.
    Entry([u8; 32]),
    /// The bytes of an artifact, by their SHA-256.
    Blob([u8; 32]),
}

/// Keeps bytes under names. It is not believed: entries are authenticated and blobs hashed whenever
/// they are used, so that a store may lose, mix up and make up what it likes. Calls may block; they
/// are made where that is allowed, from several threads.
pub trait Store: Send + Sync + fmt::Debug {
    /// What is kept under a name, to be read by whoever asks as far as it pleases them.
    ///
    /// # Errors
    /// It is there, and cannot be read.
    fn read(&self, name: &Name) -> io::Result<Option<Box<dyn Read + Send>>>;

    /// Keeps everything `from` gives, whole or not at all, in place of what was kept before; returns
    /// how many bytes.
    ///
    /// # Errors
    /// It cannot be kept, or `from` cannot be read.
    fn write(&self, name: &Name, from: &mut dyn Read) -> io::Result<u64>;

    /// Forgets what is kept under a name.
    ///
    /// # Errors
    /// It is still there.
    fn remove(&self, name: &Name) -> io::Result<()>;

    /// A user has written so many bytes and is done: the moment to make room.
    ///
    /// # Errors
    /// There is no room to be made.
    fn tidy(&self, written: u64) -> io::Result<()>;
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(digest) => write!(out, "entry {}", hex::encode(digest)),
            Self::Blob(digest) => write!(out, "blob {}", hex::encode(digest)),
        }
    }
}
