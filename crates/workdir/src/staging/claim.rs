//! Who uses a staging folder: whoever holds the lock on the file `lock` in it. A lock ends with its
//! process, however that ends, so a folder that can be locked is nobody's any more.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// What the names of staging folders begin with.
pub const PREFIX: &str = ".catena-";

const LOCK: &str = "lock";
/// The lock file before it is locked. It gets its name only then, so that none that has the name is
/// free while its owner lives.
const UNLOCKED: &str = "lock.new";

/// A folder without a lock is one that is just being made, by us in another process, or one whose
/// maker was killed within that moment.
const MAKING: Duration = Duration::from_secs(3600);

/// The use of a staging folder, for as long as it is held.
#[derive(Debug)]
pub struct Claim(#[allow(dead_code)] Option<File>);

impl Claim {
    /// Claims a folder that was just made. On a file system that knows no locks the folder stays
    /// without one, and is taken for one that is being made.
    ///
    /// # Errors
    /// What the file system says.
    pub fn on(folder: &Path) -> io::Result<Self> {
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

/// Removes what verifiers left that were killed. What cannot be removed stays: it is in nobody's way.
pub fn sweep(work_dir: &Path) {
    let Ok(entries) = fs::read_dir(work_dir) else { return };
    for entry in entries.filter_map(Result::ok) {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let folder = entry.path();
        if ours && fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir()) {
            remove_abandoned(&folder);
        }
    }
}

fn remove_abandoned(folder: &Path) {
    let lock = folder.join(LOCK);
    let removed = match fs::symlink_metadata(&lock) {
        Ok(found) if found.is_file() => {
            let Ok(file) = File::open(&lock) else { return };
            // Ours until it is gone, so that of two who sweep only one does.
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
    fn what_nobody_holds_is_swept_and_what_somebody_holds_is_not() {
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
    fn what_is_being_made_is_not_swept_until_it_is_old() {
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
    fn nothing_else_is_swept() {
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
