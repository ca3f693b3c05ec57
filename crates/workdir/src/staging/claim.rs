//! Use of a staging directory: its user holds a lock on the file `lock` in it. A lock ends with its
//! process, so a directory that can be locked is unused.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// The prefix of the names of staging directories.
const PREFIX: &str = ".catena-";

const LOCK: &str = "lock";
/// The lock file before it is locked. It gets its final name only then, so that a file with that name
/// is always locked while its owner is alive.
const UNLOCKED: &str = "lock.new";

/// A directory without a lock is just being created by another process, or its creator was killed at
/// that moment.
const MAKING: Duration = Duration::from_secs(3600);

/// The use of a staging directory while it is held.
#[derive(Debug)]
struct Claim(#[allow(dead_code)] Option<File>);

impl Claim {
    /// Claims a new directory. On a file system without locks the directory has no lock file, and
    /// counts as being created.
    ///
    /// # Errors
    /// The file system's error.
    fn on(folder: &Path) -> io::Result<Self> {
        let unlocked = folder.join(UNLOCKED);
        let file = File::options().write(true).create_new(true).open(&unlocked)?;
        if file.try_lock().is_err() {
            fs::remove_file(unlocked)?;
            return Ok(Self(None));
        }
        fs::rename(unlocked, folder.join(LOCK))?;
        Ok(Self(Some(file)))
    }
}

/// A claimed directory `PARENT/.catena-<random>/`, which is removed when it is dropped.
#[derive(Debug)]
pub struct ClaimedDir {
    folder: TempDir,
    /// Dropped after the directory.
    _claim: Claim,
}

impl ClaimedDir {
    /// Creates a directory, and the one above it where there is none. What killed processes left there is removed.
    ///
    /// # Errors
    /// The file system's error.
    pub fn create_in(parent: &Path) -> io::Result<Self> {
        fs::create_dir_all(parent)?;
        sweep(parent);
        let folder = private_folder(parent)?;
        let claim = Claim::on(folder.path())?;
        Ok(Self { folder, _claim: claim })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

#[cfg(unix)]
fn private_folder(work_dir: &Path) -> io::Result<TempDir> {
    use std::os::unix::fs::PermissionsExt;
    let ours = fs::Permissions::from_mode(0o700);
    tempfile::Builder::new().prefix(PREFIX).permissions(ours).tempdir_in(work_dir)
}

#[cfg(not(unix))]
fn private_folder(work_dir: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(PREFIX).tempdir_in(work_dir)
}

/// Removes the leftovers of killed verifiers. Files that cannot be removed do no harm.
fn sweep(work_dir: &Path) {
    let Ok(entries) = fs::read_dir(work_dir) else { return };
    for entry in entries.filter_map(Result::ok) {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let folder = entry.path();
        if ours && fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir() && is_own(&found)) {
            remove_abandoned(&folder);
        }
    }
}

/// What belongs to another user, as in a directory for all, is not ours to judge.
#[cfg(unix)]
fn is_own(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    found.uid() == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn is_own(_: &fs::Metadata) -> bool {
    true
}

fn remove_abandoned(folder: &Path) {
    let lock = folder.join(LOCK);
    let removed = match fs::symlink_metadata(&lock) {
        Ok(found) if found.is_file() => {
            let Ok(file) = File::open(&lock) else { return };
            // Held until it is removed, so that only one of two cleaners removes it.
            if file.try_lock().is_err() {
                return;
            }
            fs::remove_dir_all(folder)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_old(folder) => fs::remove_dir_all(folder),
        _ => return,
    };
    match removed {
        Ok(()) => tracing::info!(folder = %folder.display(), "removed what a killed verifier left"),
        Err(error) => tracing::debug!(folder = %folder.display(), %error, "cannot remove"),
    }
}

fn is_old(folder: &Path) -> bool {
    let changed = fs::symlink_metadata(folder).and_then(|found| found.modified());
    changed.is_ok_and(|changed| SystemTime::now().duration_since(changed).is_ok_and(|age| age > MAKING))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(work_dir: &Path, name: &str) -> std::path::PathBuf {
        let folder = work_dir.join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("0"), b"unverified").unwrap();
        folder
    }

    #[test]
    fn unused_directories_are_removed_and_used_ones_are_not() {
        let work = tempfile::tempdir().unwrap();
        let (held, left) = (folder(work.path(), ".catena-held"), folder(work.path(), ".catena-left"));
        let claim = Claim::on(&held).unwrap();
        drop(Claim::on(&left).unwrap());
        sweep(work.path());
        assert!(held.join("0").exists() && !left.exists());
        drop(claim);
        sweep(work.path());
        assert!(!held.exists());
    }

    #[test]
    fn claimed_directories_are_removed_with_their_owner_or_by_the_next() {
        let room = tempfile::tempdir().unwrap();
        let work = room.path().join("made");
        let first = ClaimedDir::create_in(&work).unwrap();
        let left = folder(&work, ".catena-left");
        drop(Claim::on(&left).unwrap());
        let second = ClaimedDir::create_in(&work).unwrap();
        assert!(first.path().exists() && second.path().exists() && !left.exists());
        drop((first, second));
        assert_eq!(fs::read_dir(&work).unwrap().count(), 0);
    }

    #[test]
    fn new_directories_are_not_removed_until_they_are_old() {
        let work = tempfile::tempdir().unwrap();
        let making = folder(work.path(), ".catena-making");
        sweep(work.path());
        assert!(making.exists());
        let two_hours_ago = SystemTime::now() - Duration::from_secs(7200);
        File::open(&making).unwrap().set_modified(two_hours_ago).unwrap();
        sweep(work.path());
        assert!(!making.exists());
    }

    #[test]
    fn nothing_else_is_removed() {
        let work = tempfile::tempdir().unwrap();
        for name in ["cot", "catena-x", ".git"] {
            drop(Claim::on(&folder(work.path(), name)).unwrap());
        }
        fs::write(work.path().join(".catena-file"), b"").unwrap();
        sweep(work.path());
        assert_eq!(fs::read_dir(work.path()).unwrap().count(), 4);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        use std::os::unix::fs::symlink;
        let (work, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let theirs = folder(elsewhere.path(), "theirs");
        drop(Claim::on(&theirs).unwrap());
        symlink(&theirs, work.path().join(".catena-link")).unwrap();
        let odd = folder(work.path(), ".catena-odd");
        symlink(theirs.join(LOCK), odd.join(LOCK)).unwrap();
        sweep(work.path());
        assert!(theirs.join("0").exists() && odd.exists());
    }
}
