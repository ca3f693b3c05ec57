//! A store in a directory, for several processes.
//!
//! ```text
//! DIR/CACHEDIR.TAG       tells backups that nothing here is worth keeping
//! DIR/v1/entries/ab/…    entries, by the SHA-256 of their addresses
//! DIR/v1/blobs/ab/…      artifacts, by their SHA-256
//! DIR/v1/new/            what is being written; it gets its name when it is whole
//! DIR/v1/size            lines of bytes: of all at the last count, with its time, and of each write since
//! ```
//!
//! Readers need no locks: a name leads to a complete file or to none. What is being written is locked, so that what
//! a killed process left can be told from it. Files are not synced: a file that is torn in a crash fails its check,
//! and counts as absent.

use super::store::{Name, Store};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::NamedTempFile;

/// The version of everything below.
const VERSION: &str = "v1";
const TAG: &str = "CACHEDIR.TAG";
const TAG_TEXT: &str =
    "Signature: 8a477f597d28d172789f06886806bc55\n# A cache of catena. All of it can be fetched again.\n";

/// A use is recorded at most this often, so that most uses write nothing.
const NOTED: Duration = Duration::from_secs(3600);
/// Where the file system has no locks, a file that is still incomplete after this time was left by a killed process.
const ABANDONED: Duration = Duration::from_secs(3600);
/// After this time the bytes are counted again: other programs may remove some.
const COUNTED: Duration = Duration::from_secs(24 * 3600);
/// The most that is read of the notes of writes: some 6,000.
const MOST_NOTES: u64 = 64 << 10;

const CHUNK: usize = 256 << 10;

/// A directory with a maximum size in bytes.
#[derive(Clone, Debug)]
pub struct DirectoryStore {
    root: PathBuf,
    bound: u64,
}

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// It does not exist, and was not to be created.
    #[error("there is no cache at {}", .0.display())]
    Missing(PathBuf),
    /// Not a directory.
    #[error("{} is not a directory", .0.display())]
    NotDirectory(PathBuf),
    /// It belongs to another user.
    #[error("{} belongs to another user", .0.display())]
    NotOurs(PathBuf),
    /// Other users could change its contents, or redirect writes elsewhere.
    #[error("other users can write to {} (mode {mode:o})", path.display())]
    NotPrivate {
        /// The directory.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file system.
    #[error("cannot use {}: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's message.
        error: io::Error,
    },
}

/// The contents of a directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Entries.
    pub entries: u64,
    /// Their bytes.
    pub entry_bytes: u64,
    /// Artifacts.
    pub blobs: u64,
    /// Their bytes.
    pub blob_bytes: u64,
    /// The last use, or the creation, of the file that was not used for the longest time.
    pub oldest: Option<SystemTime>,
}

/// The result of making room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Removed files.
    pub removed: u64,
    /// Their bytes.
    pub freed: u64,
    /// Remaining bytes.
    pub left: u64,
}

/// A stored file.
#[derive(Debug)]
struct Kept {
    name: Name,
    path: PathBuf,
    length: u64,
    used: SystemTime,
}

impl DirectoryStore {
    /// The default maximum size of a directory.
    pub const BOUND: u64 = 10 << 30;

    /// Uses a directory, which is created if it does not exist.
    ///
    /// # Errors
    /// It cannot be created, or other users can write to it.
    pub fn open(directory: &Path, bound: u64) -> Result<Self, DirectoryError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |error| DirectoryError::Io { path, error }
        };
        make_private(directory).map_err(io(directory))?;
        is_ours(directory)?;
        let root = directory.join(VERSION);
        for folder in [&root, &root.join("entries"), &root.join("blobs"), &root.join("new")] {
            make_private(folder).map_err(io(folder))?;
        }
        is_ours(&root)?;
        let tag = directory.join(TAG);
        if !tag.exists() {
            fs::write(&tag, TAG_TEXT).map_err(io(&tag))?;
        }
        Ok(Self { root, bound })
    }

    /// Uses a directory that is already a cache.
    ///
    /// # Errors
    /// It is not a cache, or other users can write to it.
    pub fn existing(directory: &Path, bound: u64) -> Result<Self, DirectoryError> {
        let root = directory.join(VERSION);
        if !root.is_dir() {
            return Err(DirectoryError::Missing(directory.to_owned()));
        }
        is_ours(directory)?;
        is_ours(&root)?;
        Ok(Self { root, bound })
    }

    /// Counts the contents.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn contents(&self) -> io::Result<Contents> {
        let mut contents = Contents::default();
        for kept in self.kept()? {
            let (number, bytes) = match kept.name {
                Name::Entry(_) => (&mut contents.entries, &mut contents.entry_bytes),
                Name::Blob(_) => (&mut contents.blobs, &mut contents.blob_bytes),
            };
            *number = number.saturating_add(1);
            *bytes = bytes.saturating_add(kept.length);
            contents.oldest = Some(contents.oldest.map_or(kept.used, |oldest| oldest.min(kept.used)));
        }
        Ok(contents)
    }

    /// All file names.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn names(&self) -> io::Result<Vec<Name>> {
        Ok(self.kept()?.into_iter().map(|kept| kept.name).collect())
    }

    /// Removes the files that were not used for the longest time, until the rest is well below the
    /// limit, and the leftovers of killed processes.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn make_room(&self) -> io::Result<Swept> {
        self.clear_abandoned();
        self.forget_size()?;
        let mut kept = self.kept()?;
        let mut swept = Swept { left: kept.iter().map(|kept| kept.length).sum(), ..Swept::default() };
        if swept.left > self.bound {
            // A tenth below the limit, so that not every run has to make room.
            let target = self.bound.saturating_sub(self.bound / 10);
            kept.sort_by_key(|kept| kept.used);
            for kept in kept {
                if swept.left <= target {
                    break;
                }
                // Another process may have been first.
                if fs::remove_file(&kept.path).is_ok() {
                    swept.removed = swept.removed.saturating_add(1);
                    swept.freed = swept.freed.saturating_add(kept.length);
                }
                swept.left = swept.left.saturating_sub(kept.length);
            }
        }
        self.note_count(swept.left, SystemTime::now())?;
        Ok(swept)
    }

    /// Removes all entries and blobs; other files in the directory stay.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn clear(&self) -> io::Result<Swept> {
        let kept = self.kept()?;
        let freed = kept.iter().map(|kept| kept.length).sum();
        fs::remove_dir_all(&self.root)?;
        if let Some(tag) = self.root.parent().map(|directory| directory.join(TAG))
            && fs::read_to_string(&tag).is_ok_and(|text| text == TAG_TEXT)
        {
            fs::remove_file(tag)?;
        }
        Ok(Swept { removed: u64::try_from(kept.len()).unwrap_or(u64::MAX), freed, left: 0 })
    }

    /// The file of what is kept under a name, opened.
    ///
    /// # Errors
    /// It is there, and cannot be opened.
    pub fn file(&self, name: &Name) -> io::Result<Option<File>> {
        let path = self.path(name);
        let found = match fs::symlink_metadata(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if !found.is_file() {
            return Err(io::Error::other("not a file"));
        }
        let file = File::open(path)?;
        if found.modified().is_ok_and(|used| is_older(used, NOTED)) {
            // Only the order in which things go depends on it.
            let _ = file.set_modified(SystemTime::now());
        }
        Ok(Some(file))
    }

    /// Makes a further name of what is kept. A write to it changes what is kept.
    ///
    /// # Errors
    /// Nothing is kept under the name, or the file system cannot do that.
    pub fn link_out(&self, name: &Name, to: &Path) -> io::Result<()> {
        fs::hard_link(self.path(name), to)
    }

    /// Keeps a file by a further name of it, without permission to write. Returns its bytes.
    ///
    /// # Errors
    /// It cannot be kept.
    pub fn link_in(&self, name: &Name, from: &Path) -> io::Result<u64> {
        if self.file(name).is_ok_and(|kept| kept.is_some()) {
            return Ok(0);
        }
        read_only(from)?;
        let file = File::open(from)?;
        // The link has the lock of the file.
        let _ = file.lock();
        let link = |at: &Path| fs::hard_link(from, at);
        match tempfile::Builder::new().make_in(self.root.join("new"), link) {
            Ok(link) => {
                let length = file.metadata()?.len();
                self.note_write(length)?;
                self.place(link, name).map(|()| length)
            }
            // Another file system.
            Err(_) => self.copy_in(name, &file),
        }
    }

    /// Keeps a file, which is not where it was then. Returns its bytes.
    ///
    /// # Errors
    /// It cannot be kept.
    pub fn move_in(&self, name: &Name, from: &Path) -> io::Result<u64> {
        let length = fs::symlink_metadata(from)?.len();
        read_only(from)?;
        // Where it must be copied it is noted twice, and the next count is only sooner.
        self.note_write(length)?;
        match self.rename(from, name) {
            Ok(()) => Ok(length),
            Err(_) => {
                let written = self.copy_in(name, &File::open(from)?)?;
                fs::remove_file(from)?;
                Ok(written)
            }
        }
    }

    /// Keeps a copy of a file, which shares its blocks where the file system can. Returns its bytes; none where
    /// it is there already.
    ///
    /// # Errors
    /// It cannot be kept.
    pub fn copy_in(&self, name: &Name, mut from: &File) -> io::Result<u64> {
        if self.file(name).is_ok_and(|kept| kept.is_some()) {
            return Ok(0);
        }
        let file = self.begin()?;
        let written = match share_blocks(from, file.as_file()) {
            true => from.metadata()?.len(),
            false => io::copy(&mut from, &mut file.as_file())?,
        };
        self.note_write(written)?;
        self.place(file, name)?;
        Ok(written)
    }

    fn rename(&self, from: &Path, name: &Name) -> io::Result<()> {
        let path = self.path(name);
        match fs::rename(from, &path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_private(path.parent().unwrap_or(&self.root))?;
                fs::rename(from, &path)
            }
            renamed => renamed,
        }
    }

    fn kept(&self) -> io::Result<Vec<Kept>> {
        let mut kept = Vec::new();
        for (folder, name) in [("entries", Name::Entry as fn(_) -> _), ("blobs", Name::Blob as fn(_) -> _)] {
            for shelf in listed(&self.root.join(folder))? {
                for file in listed(&shelf.path()).unwrap_or_default() {
                    // Removed in the meantime: another process makes room.
                    let Ok(found) = file.metadata() else { continue };
                    let (Some(digest), Ok(used)) = (digest_of(&file.path()), found.modified()) else {
                        continue;
                    };
                    kept.push(Kept { name: name(digest), path: file.path(), length: found.len(), used });
                }
            }
        }
        Ok(kept)
    }

    /// A new file that is locked while it is written.
    fn begin(&self) -> io::Result<NamedTempFile> {
        loop {
            let file = NamedTempFile::new_in(self.root.join("new"))?;
            let locked = file.as_file().lock();
            // Another process may have taken it for abandoned before it was locked.
            if locked.is_err() || fs::symlink_metadata(file.path()).is_ok() {
                return Ok(file);
            }
        }
    }

    /// Removes what killed processes left half-written.
    fn clear_abandoned(&self) {
        for found in listed(&self.root.join("new")).unwrap_or_default() {
            let path = found.path();
            let Ok(kind) = found.file_type() else { continue };
            let is_old = || {
                let changed = found.metadata().and_then(|found| found.modified());
                changed.is_ok_and(|changed| is_older(changed, ABANDONED))
            };
            // Anything else might never open.
            let file = if kind.is_file() || kind.is_dir() { File::open(&path).ok() } else { None };
            let is_abandoned = match file.as_ref().map(File::try_lock) {
                Some(Ok(())) => true,
                Some(Err(TryLockError::WouldBlock)) => false,
                Some(Err(TryLockError::Error(_))) | None => is_old(),
            };
            if is_abandoned {
                // What cannot be removed does no harm.
                let _ = if kind.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            }
        }
    }

    fn path(&self, name: &Name) -> PathBuf {
        let (folder, digest) = match name {
            Name::Entry(digest) => ("entries", digest),
            Name::Blob(digest) => ("blobs", digest),
        };
        let text = hex::encode(digest);
        let shelf = text.get(..2).unwrap_or_default();
        self.root.join(folder).join(shelf).join(&text)
    }

    /// Gives a complete file its name.
    fn place<F>(&self, file: NamedTempFile<F>, name: &Name) -> io::Result<()> {
        let path = self.path(name);
        let Err(failed) = file.persist(&path) else { return Ok(()) };
        match failed.error.kind() {
            io::ErrorKind::NotFound => make_private(path.parent().unwrap_or(&self.root))?,
            // Anything else there was not put there by this program.
            io::ErrorKind::IsADirectory => self.remove(name)?,
            _ => return Err(failed.error),
        }
        failed.file.persist(&path).map(drop).map_err(|failed| failed.error)
    }

    /// The bytes by the last count and later writes, and the time of the count; `None` if unknown.
    fn size(&self) -> Option<(u64, SystemTime)> {
        let mut text = String::new();
        File::open(self.size_file()).ok()?.take(MOST_NOTES).read_to_string(&mut text).ok()?;
        if u64::try_from(text.len()).ok()? >= MOST_NOTES {
            return None;
        }
        let (mut bytes, mut counted) = (0_u64, None);
        for line in text.lines() {
            let (number, time) =
                line.split_once(' ').map_or((line, None), |(number, time)| (number, Some(time)));
            bytes = bytes.saturating_add(number.parse().ok()?);
            if let Some(time) = time {
                counted = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(time.parse().ok()?));
            }
        }
        Some((bytes, counted?))
    }

    fn size_file(&self) -> PathBuf {
        self.root.join("size")
    }

    /// Notes a write before its file gets its name: a process that is killed leaves nothing uncounted, and of
    /// several that write in parallel all writes are counted.
    fn note_write(&self, bytes: u64) -> io::Result<()> {
        self.append(&format!("{bytes}\n"))
    }

    /// Notes a count.
    fn note_count(&self, bytes: u64, counted: SystemTime) -> io::Result<()> {
        let counted = counted.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        self.append(&format!("{bytes} {counted}\n"))
    }

    fn append(&self, line: &str) -> io::Result<()> {
        File::options().append(true).create(true).open(self.size_file())?.write_all(line.as_bytes())
    }

    /// Forgets the last count. What is written from now on is noted; until a count is noted, too, the size counts as
    /// unknown.
    fn forget_size(&self) -> io::Result<()> {
        self.begin()?.persist(self.size_file()).map(drop).map_err(|failed| failed.error)
    }
}

impl Store for DirectoryStore {
    fn read(&self, name: &Name) -> io::Result<Option<Box<dyn Read + Send>>> {
        Ok(self.file(name)?.map(|file| Box::new(file) as Box<dyn Read + Send>))
    }

    fn write(&self, name: &Name, from: &mut dyn Read) -> io::Result<u64> {
        let mut file = self.begin()?;
        let written = copy(from, file.as_file_mut())?;
        self.note_write(written)?;
        self.place(file, name)?;
        Ok(written)
    }

    fn remove(&self, name: &Name) -> io::Result<()> {
        let path = self.path(name);
        let removed = match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => fs::remove_dir_all(&path),
            Ok(_) => fs::remove_file(&path),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn tidy(&self) -> io::Result<()> {
        let fits = |(bytes, counted)| bytes <= self.bound && !is_older(counted, COUNTED);
        if self.size().is_some_and(fits) {
            self.clear_abandoned();
            return Ok(());
        }
        let swept = self.make_room()?;
        if swept.removed > 0 {
            tracing::info!(removed = swept.removed, freed = swept.freed, "made room in the cache");
        }
        Ok(())
    }
}

/// Makes a file share the blocks of another, where the file system can (FICLONE); whether it did.
#[cfg(target_os = "linux")]
#[must_use]
pub fn share_blocks(from: &File, to: &File) -> bool {
    rustix::fs::ioctl_ficlone(to, from).is_ok()
}

/// Other systems do it in other ways.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn share_blocks(_from: &File, _to: &File) -> bool {
    false
}

/// Through another name it cannot be written to by accident.
fn read_only(file: &Path) -> io::Result<()> {
    let mut permissions = fs::metadata(file)?.permissions();
    permissions.set_readonly(true);
    fs::set_permissions(file, permissions)
}

/// In pieces that are large enough for a disk.
fn copy(from: &mut dyn Read, to: &mut File) -> io::Result<u64> {
    let mut buffer = vec![0; CHUNK];
    let mut copied = 0_u64;
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        to.write_all(buffer.get(..read).unwrap_or_default())?;
        copied = copied.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }
}

fn listed(folder: &Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn digest_of(path: &Path) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    hex::decode_to_slice(path.file_name()?.to_str()?, &mut digest).ok()?;
    Some(digest)
}

fn is_older(time: SystemTime, age: Duration) -> bool {
    SystemTime::now().duration_since(time).is_ok_and(|passed| passed > age)
}

/// Creates a private directory, and its missing parents. Existing directories are not changed.
pub(super) fn make_private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => builder.recursive(true).create(directory),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// No other user can write to it.
#[cfg(unix)]
fn is_ours(directory: &Path) -> Result<(), DirectoryError> {
    use std::os::unix::fs::MetadataExt as _;
    let found = fs::metadata(directory);
    let found = found.map_err(|error| DirectoryError::Io { path: directory.to_owned(), error })?;
    if !found.is_dir() {
        return Err(DirectoryError::NotDirectory(directory.to_owned()));
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(DirectoryError::NotOurs(directory.to_owned()));
    }
    let mode = found.mode() & 0o777;
    if mode & 0o022 == 0 {
        Ok(())
    } else {
        Err(DirectoryError::NotPrivate { path: directory.to_owned(), mode })
    }
}

/// Modes are a Unix notion.
#[cfg(not(unix))]
fn is_ours(directory: &Path) -> Result<(), DirectoryError> {
    if directory.is_dir() { Ok(()) } else { Err(DirectoryError::NotDirectory(directory.to_owned())) }
}

#[cfg(test)]
mod tests;
