//! The final places of artifacts: a directory `DIR/cot/<taskId>/` for each task.
//!
//! A directory is put in place and removed as a whole, so that it never contains files of different
//! verdicts. A record names the target of each directory: after any other outcome for that target the
//! directory is removed. Changes are made under a lock.

use super::PublishError;
use catena_model::task::TaskId;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The directory of the record and the lock, in `DIR/cot`. No task has this id.
const OWN: &str = ".catena";
/// A line for each directory: its task, and its target.
const RECORD: &str = "published";
const LOCK: &str = "lock";
/// Others hold the lock while they rename some directories.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(5);

/// The final places in a work directory, locked until dropped.
#[derive(Debug)]
pub(super) struct Places {
    cot: PathBuf,
    /// `None` on a file system without locks.
    _lock: Option<File>,
    /// For the task of each directory, its target.
    record: BTreeMap<TaskId, TaskId>,
}

impl Places {
    /// Opens the places of a work directory, and creates them if they do not exist.
    pub(super) fn open(work_dir: &Path) -> Result<Self, PublishError> {
        let cot = work_dir.join("cot");
        make_directory(&cot)?;
        make_directory(&cot.join(OWN))?;
        let lock = lock(&cot.join(OWN).join(LOCK))?;
        let record = read(&cot.join(OWN).join(RECORD));
        Ok(Self { cot, _lock: lock, record })
    }

    /// Whether anything was put in place here since the record exists.
    pub(super) fn are_used(work_dir: &Path) -> bool {
        fs::symlink_metadata(work_dir.join("cot").join(OWN)).is_ok_and(|found| found.is_dir())
    }

    /// The tasks whose directories belong to a target.
    pub(super) fn of(&self, target: TaskId) -> BTreeSet<TaskId> {
        self.record.iter().filter(|(_, whose)| **whose == target).map(|(task_id, _)| *task_id).collect()
    }

    /// The directory of a task.
    pub(super) fn folder(&self, task_id: TaskId) -> PathBuf {
        self.cot.join(task_id.as_str())
    }

    /// Only a directory may be replaced or removed; links are not followed.
    pub(super) fn check<'a>(&self, tasks: impl IntoIterator<Item = &'a TaskId>) -> Result<(), PublishError> {
        for task_id in tasks {
            let folder = self.folder(*task_id);
            if fs::symlink_metadata(&folder).is_ok_and(|found| !found.is_dir()) {
                return Err(PublishError::NotDirectory(folder));
            }
        }
        Ok(())
    }

    /// Records the target of directories that will be put in place. If the process is killed
    /// afterwards, the next verification of the target removes them.
    pub(super) fn claim<'a>(
        &mut self,
        tasks: impl IntoIterator<Item = &'a TaskId>,
        target: TaskId,
    ) -> Result<(), PublishError> {
        self.record.extend(tasks.into_iter().map(|task_id| (*task_id, target)));
        self.write()
    }

    /// Moves a task's directory, if there is one, to `away`.
    pub(super) fn take_away(&self, task_id: TaskId, away: &Path) -> Result<(), PublishError> {
        let folder = self.folder(task_id);
        match fs::rename(&folder, away) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(PublishError::Io { path: folder, error })
            }
            _ => Ok(()),
        }
    }

    /// Moves a new directory to the place of a task, which is free.
    pub(super) fn put(&self, task_id: TaskId, folder: &Path) -> Result<(), PublishError> {
        let place = self.folder(task_id);
        fs::rename(folder, &place).map_err(|error| PublishError::Io { path: place, error })
    }

    /// Removes missing directories from the record.
    pub(super) fn close(mut self) -> Result<(), PublishError> {
        let Self { cot, record, .. } = &mut self;
        record.retain(|task_id, _| fs::symlink_metadata(cot.join(task_id.as_str())).is_ok());
        self.write()
    }

    fn write(&self) -> Result<(), PublishError> {
        let path = self.cot.join(OWN).join(RECORD);
        let new = path.with_extension("new");
        let written = || {
            let text: String =
                self.record.iter().map(|(task_id, target)| format!("{task_id} {target}\n")).collect();
            match fs::remove_file(&new) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = File::options().write(true).create_new(true).open(&new)?;
            file.write_all(text.as_bytes())?;
            fs::rename(&new, &path)
        };
        written().map_err(|error| PublishError::Io { path: path.clone(), error })
    }
}

/// The contents of the record; unknown lines are ignored.
fn read(path: &Path) -> BTreeMap<TaskId, TaskId> {
    if !fs::symlink_metadata(path).is_ok_and(|found| found.is_file()) {
        return BTreeMap::new();
    }
    let text = fs::read(path).unwrap_or_default();
    let line = |line: &str| {
        let (task_id, target) = line.split_once(' ')?;
        Some((TaskId::parse(task_id).ok()?, TaskId::parse(target).ok()?))
    };
    String::from_utf8_lossy(&text).lines().filter_map(line).collect()
}

/// Waits for the lock on the places.
fn lock(path: &Path) -> Result<Option<File>, PublishError> {
    let io = |error| PublishError::Io { path: path.to_owned(), error };
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(io(io::ErrorKind::InvalidInput.into()));
    }
    let file = File::options().write(true).create(true).truncate(false).open(path).map_err(io)?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::Error(_)) => return Ok(None),
            Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Err(PublishError::Busy(path.to_owned())),
        }
    }
}

/// Creates one directory, mode 0755. An existing one must be a directory itself, not a link to one. An
/// attacker who can put a link there between this check and the rename can write to the work directory
/// anyway.
pub(super) fn make_directory(path: &Path) -> Result<(), PublishError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => return Err(PublishError::NotDirectory(path.to_owned())),
        Err(_) => {}
    }
    let io = |error| PublishError::Io { path: path.to_owned(), error };
    if let Err(error) = fs::create_dir(path) {
        // Another verifier may have created it in the meantime.
        let made = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
        return if made { Ok(()) } else { Err(io(error)) };
    }
    set_mode(path, 0o755).map_err(io)
}

#[cfg(unix)]
pub(super) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Modes are a Unix notion.
#[cfg(not(unix))]
pub(super) fn set_mode(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> TaskId {
        TaskId::parse(&format!("{number:0>8}QACAAAAAAAAAAA")).unwrap()
    }

    #[test]
    fn the_record_round_trips_and_drops_missing_directories() {
        let work = tempfile::tempdir().unwrap();
        assert!(!Places::are_used(work.path()));
        let mut places = Places::open(work.path()).unwrap();
        places.claim(&[id(1), id(2)], id(9)).unwrap();
        places.claim(&[id(3), id(2)], id(8)).unwrap();
        fs::create_dir(places.folder(id(1))).unwrap();
        fs::create_dir(places.folder(id(2))).unwrap();
        drop(places);
        assert!(Places::are_used(work.path()));
        let places = Places::open(work.path()).unwrap();
        assert_eq!((places.of(id(9)), places.of(id(8))), ([id(1)].into(), [id(2), id(3)].into()));
        places.close().unwrap();
        let places = Places::open(work.path()).unwrap();
        assert_eq!((places.of(id(9)), places.of(id(8))), ([id(1)].into(), [id(2)].into()));
    }

    /// Others may be able to write the record too: it names tasks, and nothing else.
    #[test]
    fn malformed_lines_are_ignored() {
        let work = tempfile::tempdir().unwrap();
        drop(Places::open(work.path()).unwrap());
        let record = work.path().join("cot").join(OWN).join(RECORD);
        let text = format!("../../etc {0}\n{1}\n{1} {0} {0}\n\u{0}\n{2} {0}\n{1} ", id(9), id(1), id(2));
        fs::write(record, text).unwrap();
        assert_eq!(Places::open(work.path()).unwrap().of(id(9)), [id(2)].into());
    }

    #[test]
    fn one_at_a_time_changes_the_places() {
        let work = tempfile::tempdir().unwrap();
        let first = Places::open(work.path()).unwrap();
        let path = work.path().to_owned();
        let second = std::thread::spawn(move || Places::open(&path).map(|places| places.of(id(9))));
        sleep(Duration::from_millis(50));
        let mut first = first;
        first.claim(&[id(1)], id(9)).unwrap();
        drop(first);
        assert_eq!(second.join().unwrap().unwrap(), [id(1)].into());
    }
}
