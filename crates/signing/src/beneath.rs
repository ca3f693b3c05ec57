//! Opening files below a directory, wherever links point.

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::ffi::{CString, OsStr, OsString};
use std::io::Write as _;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

/// Links that are followed for one file.
const MOST_LINKS: usize = 16;

/// What a name below the directory leads to.
#[derive(Debug)]
pub enum Opened {
    /// A regular file, open for reading.
    File(OwnedFd),
    /// A directory, or a link to one.
    Directory,
}

/// Why a name cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// A link leads out of the directory, or around in a circle.
    Link,
    /// It is a socket, a FIFO or a device.
    Special,
    /// The system says no.
    System(Errno),
}

impl From<Errno> for Beyond {
    fn from(errno: Errno) -> Self {
        Self::System(errno)
    }
}

/// Opens a directory without following a link in its last component.
///
/// # Errors
/// The operating system's error.
pub fn open_directory(parent: BorrowedFd<'_>, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

/// Opens what `path`, relative to `root`, leads to. Every component is opened by itself and without
/// following links; links are resolved here, and none leads out of `root`.
///
/// # Errors
/// A link out of `root`, something that is neither a file nor a directory, or what the system says.
pub fn open(root: BorrowedFd<'_>, path: &OsStr) -> Result<Opened, Beyond> {
    let mut todo: VecDeque<OsString> = components(path);
    let mut above: Vec<OwnedFd> = Vec::new();
    let mut links = 0_usize;
    while let Some(name) = todo.pop_front() {
        match name.as_bytes() {
            b"" | b"." => continue,
            b".." => {
                above.pop().ok_or(Beyond::Link)?;
                continue;
            }
            _ => {}
        }
        let here = above.last().map_or(root, AsFd::as_fd);
        let kind = kind(here, &name)?;
        match kind {
            FileType::Symlink => {
                links = links.saturating_add(1);
                let target = OsString::from_vec(link_target(here, &name)?.into_bytes());
                if links > MOST_LINKS || target.as_bytes().starts_with(b"/") {
                    return Err(Beyond::Link);
                }
                components(&target).into_iter().rev().for_each(|name| todo.push_front(name));
            }
            FileType::Directory => {
                let directory = open_directory(here, &name)?;
                above.push(directory);
            }
            FileType::RegularFile if todo.iter().all(|rest| rest.is_empty()) => {
                // It may have become something else since it was looked at.
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let file = rustix::fs::openat(here, &name, flags, Mode::empty())?;
                let mode = rustix::fs::fstat(&file)?.st_mode;
                let is_file = FileType::from_raw_mode(mode) == FileType::RegularFile;
                return if is_file { Ok(Opened::File(file)) } else { Err(Beyond::Special) };
            }
            FileType::RegularFile => return Err(Beyond::System(Errno::NOTDIR)),
            _ => return Err(Beyond::Special),
        }
    }
    Ok(Opened::Directory)
}

/// Opens a directory below another one, which is made if it is not there. No link is followed.
///
/// # Errors
/// The operating system's error.
pub fn make_directory(parent: BorrowedFd<'_>, name: &OsStr) -> Result<OwnedFd, Errno> {
    match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => open_directory(parent, name),
        Err(errno) => Err(errno),
    }
}

/// Writes a file in a directory, in place of one that is there: under another name first, so that it is
/// never there in part.
///
/// # Errors
/// The operating system's error.
pub fn replace(directory: BorrowedFd<'_>, name: &str, content: &[u8]) -> std::io::Result<()> {
    let staged = format!(".{name}.catena");
    let _ = rustix::fs::unlinkat(directory, &staged, AtFlags::empty());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(0o644);
    let mut file = std::fs::File::from(rustix::fs::openat(directory, &staged, flags, mode)?);
    file.write_all(content)?;
    file.sync_all()?;
    Ok(rustix::fs::renameat(directory, &staged, directory, name)?)
}

/// Opens a directory that was reached without links, by the same way.
///
/// # Errors
/// A component that is a link or no directory, or what the system says.
pub fn open_folder(root: BorrowedFd<'_>, folder: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut here = rustix::fs::openat(root, ".", flags, Mode::empty())?;
    for name in folder.as_bytes().split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
        here = open_directory(here.as_fd(), OsStr::from_bytes(name))?;
    }
    Ok(here)
}

/// The names in a directory that was reached without links, in order; not many more than `most` of them.
///
/// # Errors
/// As [`open_folder`].
pub fn names(root: BorrowedFd<'_>, folder: &OsStr, most: usize) -> Result<Vec<OsString>, Errno> {
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::new(open_folder(root, folder)?)? {
        if names.len() > most {
            break;
        }
        let name = entry?.file_name().to_bytes().to_vec();
        if !matches!(name.as_slice(), b"." | b"..") {
            names.push(OsString::from_vec(name));
        }
    }
    names.sort();
    Ok(names)
}

/// Opens a regular file in a folder that was reached without links: one step instead of one for each folder above
/// it. None if it is something else, or cannot be opened; [`open`] says what.
#[must_use]
pub fn open_regular(folder: BorrowedFd<'_>, name: &OsStr) -> Option<OwnedFd> {
    // What is no file is not opened at all: a device may do something when it is.
    if kind(folder, name).ok()? != FileType::RegularFile {
        return None;
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, name, flags, Mode::empty()).ok()?;
    let mode = rustix::fs::fstat(&file).ok()?.st_mode;
    (FileType::from_raw_mode(mode) == FileType::RegularFile).then_some(file)
}

/// The path of a name in a directory; the directory without a name is the root.
#[must_use]
pub fn join(folder: &OsStr, name: &OsStr) -> OsString {
    let mut path = folder.to_owned();
    if !path.is_empty() {
        path.push("/");
    }
    path.push(name);
    path
}

/// Whether a path, whose folder was reached without links, is a link itself.
#[must_use]
pub fn is_link(root: BorrowedFd<'_>, path: &OsStr) -> bool {
    let bytes = path.as_bytes();
    let (folder, name) = match bytes.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (bytes.get(..slash), bytes.get(slash.saturating_add(1)..)),
        None => (Some(&b""[..]), Some(bytes)),
    };
    let (folder, name) = (folder.unwrap_or_default(), name.unwrap_or_default());
    let kind = open_folder(root, OsStr::from_bytes(folder))
        .and_then(|folder| kind(folder.as_fd(), OsStr::from_bytes(name)));
    kind.is_ok_and(|kind| kind == FileType::Symlink)
}

/// What changes when a file is written to: its size, and when its bytes and its inode changed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Bytes.
    pub size: u64,
    /// Device and inode: which file it is, whatever its name.
    pub identity: (u64, u64),
    times: [(i128, i128); 2],
}

impl Fingerprint {
    /// Of an open file, as it is now.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn of(file: impl AsFd) -> Result<Self, Errno> {
        let stat = rustix::fs::fstat(file)?;
        let times = [
            (stat.st_mtime.into(), stat.st_mtime_nsec.into()),
            (stat.st_ctime.into(), stat.st_ctime_nsec.into()),
        ];
        #[allow(
            clippy::unnecessary_cast,
            clippy::useless_conversion,
            reason = "the types differ by platform"
        )]
        let identity = (stat.st_dev as u64, stat.st_ino.into());
        Ok(Self { size: u64::try_from(stat.st_size).unwrap_or(u64::MAX), identity, times })
    }
}

/// What a name in a directory is, without following it.
///
/// # Errors
/// The operating system's error.
pub fn kind(directory: BorrowedFd<'_>, name: &OsStr) -> Result<FileType, Errno> {
    let stat = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(stat.st_mode))
}

fn link_target(directory: BorrowedFd<'_>, name: &OsStr) -> Result<CString, Errno> {
    rustix::fs::readlinkat(directory, name, Vec::new())
}

fn components(path: &OsStr) -> VecDeque<OsString> {
    path.as_bytes().split(|byte| *byte == b'/').map(|name| OsStr::from_bytes(name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_followed_inside_of_the_directory_only() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::write(root.join("a/b/file"), "inside").unwrap();
        std::fs::write(folder.path().join("secret"), "outside").unwrap();
        for (name, target) in [
            ("near", "a/b/file"),
            ("a/up", "../a/b/file"),
            ("dir", "a/b"),
            ("through", "dir/../b/file"),
            ("out", "../secret"),
            ("absolute", "/etc/passwd"),
            ("round", "round"),
            ("parent", ".."),
            ("dangling", "nothing"),
        ] {
            symlink(target, root.join(name)).unwrap();
        }
        let directory = std::fs::File::open(&root).unwrap();
        let told = |path: &str| match open(directory.as_fd(), OsStr::new(path)) {
            Ok(Opened::File(file)) => std::io::read_to_string(std::fs::File::from(file)).unwrap(),
            Ok(Opened::Directory) => "directory".to_owned(),
            Err(why) => format!("{why:?}"),
        };
        for path in ["a/b/file", "near", "a/up", "dir/file", "through", "./a//b/file"] {
            assert_eq!(told(path), "inside", "{path}");
        }
        for path in ["out", "absolute", "round", "parent", "parent/secret", "../secret", "dir/../../.."] {
            assert_eq!(told(path), "Link", "{path}");
        }
        assert_eq!(told("dir"), "directory");
        assert!(told("dangling").starts_with("System"), "{}", told("dangling"));
        assert!(told("near/x").starts_with("System"), "{}", told("near/x"));
    }

    #[test]
    fn a_file_that_is_written_to_has_another_fingerprint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "abc").unwrap();
        let file = std::fs::File::open(&path).unwrap();
        let before = Fingerprint::of(&file).unwrap();
        assert_eq!((before.size, Fingerprint::of(&file)), (3, Ok(before)));
        std::fs::write(&path, "abcd").unwrap();
        let longer = Fingerprint::of(&file).unwrap();
        assert_ne!(before, longer);
        // Of the same size, and with its old time of modification.
        let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::write(&path, "efgh").unwrap();
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        assert_ne!(longer, Fingerprint::of(&file).unwrap());
    }

    #[test]
    fn names_are_in_order_and_links_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("d")).unwrap();
        for name in ["d/b", "d/a", "d/c"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        symlink("a", folder.path().join("d/link")).unwrap();
        let directory = std::fs::File::open(folder.path()).unwrap();
        let root = directory.as_fd();
        let folder = OsStr::new("d");
        assert_eq!(names(root, folder, usize::MAX).unwrap(), ["a", "b", "c", "link"]);
        assert!(names(root, folder, 1).unwrap().len() < 4);
        assert!(names(root, OsStr::new("d/link"), 9).is_err());
        let links = ["a", "link"].map(|name| is_link(root, &join(folder, OsStr::new(name))));
        assert_eq!((links, is_link(root, folder)), ([false, true], false));
        let opened = open_folder(root, folder).unwrap();
        let is_file = |name: &str| open_regular(opened.as_fd(), OsStr::new(name)).is_some();
        assert!(is_file("a") && !is_file("link") && !is_file("none"));
        assert!(open_regular(root, folder).is_none());
    }
}
