//! Content that was downloaded before, by its SHA-256: shared by all tasks of a machine, and not trusted.
//!
//! It is the store of the verifier's cache ([`DirectoryStore`]): a file is there under the digest of its content,
//! whole or not at all, and every use measures it again, in a copy that nobody else can change. What is not what
//! its name says is removed and downloaded.

use crate::follower::{CHUNK, follow};
use crate::sink::{Measured, create};
use catena_store::{DirectoryStore, Name, Store as _};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::mpsc::channel;

/// Files up to this length are copied and hashed in one loop: a thread for each would take longer than it saves.
const SMALL: u64 = 4 << 20;
/// Bytes of a larger file that are copied between two looks of the hashing thread.
const STEP: u64 = 4 << 20;

/// What was downloaded before.
#[derive(Debug)]
pub struct ContentCache {
    store: DirectoryStore,
    links: bool,
}

/// What becomes of a file that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// It is put in place.
    Stays,
    /// It is not needed any more.
    Goes,
}

impl ContentCache {
    /// A cache in this store. With `links` files in place are hard links to it, without permission to write: no
    /// bytes are copied, but whoever changes such a file nevertheless changes it in the cache and in every other place.
    #[must_use]
    pub fn new(store: DirectoryStore, links: bool) -> Self {
        Self { store, links }
    }

    /// Puts content of this digest into a new file, if it is there and what it must be. `goes` says that the file
    /// is only read and removed, so that a link is no use.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn take(
        &self,
        digest: &[u8; 32],
        limit: u64,
        to: &Path,
        source: Source,
    ) -> io::Result<Option<Measured>> {
        let name = Name::Blob(*digest);
        let cached = match self.store.file(&name) {
            Ok(Some(cached)) => cached,
            Ok(None) => return Ok(None),
            Err(error) => {
                self.forget(&name, &error.to_string());
                return Ok(None);
            }
        };
        if cached.metadata()?.len() > limit {
            return Ok(None);
        }
        let links = self.links && source == Source::Stays;
        let measured = if links { self.link(&name, to)? } else { None };
        let measured = match measured {
            Some(measured) => measured,
            None => copy(&cached, to)?,
        };
        if measured.sha256 == *digest {
            return Ok(Some(measured));
        }
        self.forget(&name, "the content is not that of its name");
        fs::remove_file(to)?;
        Ok(None)
    }

    /// A link to the content; none where the file systems differ.
    fn link(&self, name: &Name, to: &Path) -> io::Result<Option<Measured>> {
        let _ = fs::remove_file(to);
        if self.store.link_out(name, to).is_err() {
            return Ok(None);
        }
        let file = File::open(to)?;
        let length = file.metadata()?.len();
        measure(&file, length).map(Some)
    }

    /// Keeps content that was measured. What cannot be kept is downloaded again the next time.
    pub(crate) fn keep(&self, measured: &Measured, from: &Path, source: Source) {
        let name = Name::Blob(measured.sha256);
        let kept = match source {
            Source::Goes => self.store.move_in(&name, from),
            Source::Stays if self.links => self.store.link_in(&name, from),
            Source::Stays => File::open(from).and_then(|file| self.store.copy_in(&name, &file)),
        };
        if let Err(error) = kept {
            tracing::warn!(%name, %error, "a download cannot be cached");
        }
    }

    /// Makes room where that is needed, and removes what killed processes left half-written.
    pub fn tidy(&self) {
        if let Err(error) = self.store.tidy() {
            tracing::warn!(%error, "no room can be made in the cache");
        }
    }

    fn forget(&self, name: &Name, why: &str) {
        tracing::warn!(%name, why, "dropped from the cache, and downloaded again");
        if let Err(error) = self.store.remove(name) {
            tracing::warn!(%name, %error, "cannot be dropped from the cache");
        }
    }
}

/// Copies a file to a new one, which shares its blocks where the file system can, and measures the copy.
fn copy(from: &File, to: &Path) -> io::Result<Measured> {
    let copy = create(to)?;
    let length = from.metadata()?.len();
    if catena_store::share_blocks(from, &copy) {
        return measure(&copy, length);
    }
    if length <= SMALL { copy_small(from, &copy, length) } else { copy_large(from, &copy, length) }
}

/// Hashes what it writes, in one loop.
fn copy_small(from: &File, mut to: &File, length: u64) -> io::Result<Measured> {
    let mut from = from.take(length);
    let mut sha256 = Sha256::new();
    let mut buffer = vec![0; CHUNK.min(usize::try_from(length).unwrap_or(CHUNK))];
    let mut copied = 0_u64;
    loop {
        let read = from.read(&mut buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        to.write_all(bytes)?;
        sha256.update(bytes);
        copied = copied.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }
    Ok(Measured { sha256: sha256.finalize().into(), sha512: None, length: copied })
}

/// Hashes the copy on a second thread while it grows.
fn copy_large(from: &File, to: &File, length: u64) -> io::Result<Measured> {
    let (frontier, moved) = channel();
    std::thread::scope(|scope| {
        let hashing = scope.spawn(move || follow(to, &moved, false));
        let mut copied = 0_u64;
        let copying = loop {
            let step = length.saturating_sub(copied).min(STEP);
            match io::copy(&mut from.take(step), &mut &*to) {
                Ok(0) => break Ok(()),
                Ok(step) => copied = copied.saturating_add(step),
                Err(error) => break Err(error),
            }
            if frontier.send(copied).is_err() {
                break Ok(());
            }
        };
        drop(frontier);
        let measured = hashing.join().unwrap_or_else(|_| Err(io::Error::other("the hashing thread failed")));
        copying.and(measured)
    })
}

fn measure(file: &File, length: u64) -> io::Result<Measured> {
    let (frontier, moved) = channel();
    let _ = frontier.send(length);
    drop(frontier);
    follow(file, &moved, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(content: &[u8]) -> Measured {
        Measured { sha256: Sha256::digest(content).into(), sha512: None, length: content.len() as u64 }
    }

    struct Case {
        room: tempfile::TempDir,
        cache: ContentCache,
    }

    impl Case {
        fn new(links: bool) -> Self {
            let room = tempfile::tempdir().unwrap();
            let store = DirectoryStore::open(&room.path().join("cache"), 1 << 20).unwrap();
            Self { room, cache: ContentCache::new(store, links) }
        }

        fn keep(&self, content: &[u8], source: Source) -> std::path::PathBuf {
            let file = self.room.path().join("kept");
            fs::write(&file, content).unwrap();
            self.cache.keep(&measured(content), &file, source);
            file
        }

        fn take(&self, content: &[u8], source: Source) -> Option<Vec<u8>> {
            let to = self.room.path().join("taken");
            let taken = self.cache.take(&measured(content).sha256, 1 << 30, &to, source).unwrap();
            assert_eq!(to.exists(), taken.is_some());
            let taken = taken?;
            assert_eq!(taken, measured(content));
            Some(fs::read(to).unwrap())
        }

        /// The file of some content.
        fn blob(&self, content: &[u8]) -> std::path::PathBuf {
            let name = hex::encode(Sha256::digest(content));
            let shelf: String = name.chars().take(2).collect();
            self.room.path().join("cache/v1/blobs").join(shelf).join(name)
        }
    }

    #[test]
    fn what_is_kept_is_taken_as_it_was() {
        let large = b"content".repeat(1_000_000);
        let few = usize::try_from(SMALL).unwrap();
        for content in [&large[..], &large[..few], &large[..few + 1], &large[..CHUNK + 1], b"x", b""] {
            for (links, source) in [(false, Source::Stays), (false, Source::Goes), (true, Source::Stays)] {
                let case = Case::new(links);
                assert_eq!(case.take(content, source), None);
                let file = case.keep(content, source);
                assert_eq!(file.exists(), source == Source::Stays);
                let taken = case.take(content, source);
                assert_eq!(taken.as_deref(), Some(content), "{} {links} {source:?}", content.len());
            }
        }
    }

    /// A file of the cache that grows while it is copied fills no disk.
    #[test]
    fn no_more_is_copied_than_there_was() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("file");
        let small: fn(&File, &File, u64) -> _ = copy_small;
        for (length, copy) in [(10, small), (300_000, small), (SMALL + 10, copy_large)] {
            let longer = vec![7; usize::try_from(length).unwrap() + 100_000];
            fs::write(&path, &longer).unwrap();
            let to = create(&room.path().join("copy")).unwrap();
            let measured = copy(&File::open(&path).unwrap(), &to, length).unwrap();
            assert_eq!((measured.length, to.metadata().unwrap().len()), (length, length));
        }
    }

    /// Whoever can write to the cache decides nothing.
    #[test]
    fn what_is_not_what_its_name_says_is_dropped() {
        for links in [false, true] {
            let case = Case::new(links);
            case.keep(b"content", Source::Goes);
            fs::remove_file(case.blob(b"content")).unwrap();
            fs::write(case.blob(b"content"), b"altered").unwrap();
            assert_eq!(case.take(b"content", Source::Stays), None);
            assert!(!case.blob(b"content").exists());
        }
    }

    #[test]
    fn links_cannot_be_written_to_and_copies_are_ones_own() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        let case = Case::new(true);
        let file = case.keep(b"content", Source::Stays);
        let kept = fs::metadata(case.blob(b"content")).unwrap();
        assert_eq!(kept.ino(), fs::metadata(&file).unwrap().ino());
        assert_eq!(kept.permissions().mode() & 0o222, 0);
        case.take(b"content", Source::Stays).unwrap();
        assert_eq!(fs::metadata(case.room.path().join("taken")).unwrap().ino(), kept.ino());
        // What is only read is a copy all the same.
        case.take(b"content", Source::Goes).unwrap();
        assert_ne!(fs::metadata(case.room.path().join("taken")).unwrap().ino(), kept.ino());

        let case = Case::new(false);
        case.keep(b"content", Source::Stays);
        case.take(b"content", Source::Stays).unwrap();
        fs::write(case.room.path().join("taken"), b"changed").unwrap();
        fs::write(case.room.path().join("kept"), b"changed").unwrap();
        assert_eq!(case.take(b"content", Source::Stays).unwrap(), b"content");
    }

    #[test]
    fn the_cache_is_bounded() {
        let case = Case::new(false);
        for number in 0..5_u8 {
            case.keep(&vec![number; 400 << 10], Source::Goes);
        }
        case.cache.tidy();
        let left = (0..5_u8).filter(|number| case.blob(&vec![*number; 400 << 10]).exists()).count();
        assert_eq!(left, 2);
    }
}
