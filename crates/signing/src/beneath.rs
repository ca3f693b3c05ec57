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
/// What the system says.
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
/// What the system says.
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
/// What the system says.
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

/// What a name in a directory is, without following it.
///
/// # Errors
/// What the system says.
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
}
