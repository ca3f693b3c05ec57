//! Storage of entries: the interface through which several machines can share a cache.

use std::fmt;
use std::io::{self, Read};

/// The name of a stored object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// An entry, by the SHA-256 of its address.
    Entry([u8; 32]),
    /// The bytes of an artifact, by their SHA-256.
    Blob([u8; 32]),
}

/// Stores bytes under names. It is untrusted: entries are authenticated and blobs hashed on every use,
/// so that a store may lose, swap and invent contents. Calls may block; they are made on threads where
/// that is allowed, several in parallel.
pub trait Store: Send + Sync + fmt::Debug {
    /// The object under a name, to be read as far as the caller needs.
    ///
    /// # Errors
    /// It exists and cannot be read.
    fn read(&self, name: &Name) -> io::Result<Option<Box<dyn Read + Send>>>;

    /// Stores everything that `from` yields, completely or not at all, in place of the previous
    /// contents; returns the number of bytes.
    ///
    /// # Errors
    /// It cannot be stored, or `from` cannot be read.
    fn write(&self, name: &Name, from: &mut dyn Read) -> io::Result<u64>;

    /// Removes the object under a name.
    ///
    /// # Errors
    /// It still exists.
    fn remove(&self, name: &Name) -> io::Result<()>;

    /// A user is done: the moment to make room.
    ///
    /// # Errors
    /// No room could be made.
    fn tidy(&self) -> io::Result<()>;
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(digest) => write!(out, "entry {}", hex::encode(digest)),
            Self::Blob(digest) => write!(out, "blob {}", hex::encode(digest)),
        }
    }
}
