//! The final places of artifacts: a folder `DIR/cot/<taskId>/` for each task.
//!
//! A folder is put in place as a whole and taken away as a whole, so that it never holds what different
//! verdicts vouch for. A record says for which target's sake each folder is there: after any other answer
//! about that target it is taken away. Whoever changes the places holds a lock.

use super::PublishError;
use catena_model::task::TaskId;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Where the record and the lock are, in `DIR/cot`. No task has this id.
const OWN: &str = ".catena";
/// A line for each folder: the task it is of, and the target it is there for.
const RECORD: &str = "published";
const LOCK: &str = "lock";
/// Others hold the lock for as long as some folders take to be renamed.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(5);

/// The final places in a work directory, until it is dropped ours alone to change.
#[derive(Debug)]
pub(super) struct Places {
    cot: PathBuf,
    /// None on a file system that knows no locks.
    _lock: Option<File>,
    /// By the task of a folder, the target it is there for.
    record: BTreeMap<TaskId, TaskId>,
}

impl Places {
    /// Opens the places of a work directory, and makes them where there are none.
    pub(super) fn open(work_dir: &Path) -> Result<Self, PublishError> {
        let cot = work_dir.join("cot");
        make_directory(&cot)?;
        make_directory(&cot.join(OWN))?;
        let lock = lock(&cot.join(OWN).join(LOCK))?;
        let record = read(&cot.join(OWN).join(RECORD));
        Ok(Self { cot, _lock: lock, record })
    }

    /// Whether anything was put in place here since the record is kept.
    pub(super) fn are_used(work_dir: &Path) -> bool {
        fs::symlink_metadata(work_dir.join("cot").join(OWN)).is_ok_and(|found| found.is_dir())
    }

    /// The tasks whose folders are there for a target.
    pub(super) fn of(&self, target: TaskId) -> BTreeSet<TaskId> {
        self.record.iter().filter(|(_, whose)| **whose == target).map(|(task_id, _)| *task_id).collect()
    }

    /// The folder of a task.
    pub(super) fn folder(&self, task_id: TaskId) -> PathBuf {
        self.cot.join(task_id.as_str())
    }

    /// Nothing but a folder may stand where one is to be put or taken away; links are not followed.
    pub(super) fn check<'a>(&self, tasks: impl IntoIterator<Item = &'a TaskId>) -> Result<(), PublishError> {
        for task_id in tasks {
            let folder = self.folder(*task_id);
            if fs::symlink_metadata(&folder).is_ok_and(|found| !found.is_dir()) {
                return Err(PublishError::NotDirectory(folder));
            }
        }
        Ok(())
    }

    /// Says for which target's sake folders are about to be there. What was killed after this is found and
    /// taken away by whoever asks about the target next.
    pub(super) fn claim<'a>(
        &mut self,
        tasks: impl IntoIterator<Item = &'a TaskId>,
        target: TaskId,
    ) -> Result<(), PublishError> {
        self.record.extend(tasks.into_iter().map(|task_id| (*task_id, target)));
        self.write()
    }

    /// Moves a task's folder, if there is one, to `away`.
    pub(super) fn take_away(&self, task_id: TaskId, away: &Path) -> Result<(), PublishError> {
        let folder = self.folder(task_id);
        match fs::rename(&folder, away) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(PublishError::Io { path: folder, error })
            }
            _ => Ok(()),
        }
    }

    /// Moves a new folder to the place of a task, which is free.
    pub(super) fn put(&self, task_id: TaskId, folder: &Path) -> Result<(), PublishError> {
        let place = self.folder(task_id);
        fs::rename(folder, &place).map_err(|error| PublishError::Io { path: place, error })
    }

    /// Forgets folders that are not there.
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

/// What the record says; lines that are none of ours say nothing.
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

/// Waits until nobody else changes the places.
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

/// Makes one directory, mode 0755. What stands there must be a directory itself, not
/// a link to one. Whoever can put a link there between this look and the rename can write to the
/// work directory anyway.
pub(super) fn make_directory(path: &Path) -> Result<(), PublishError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => return Err(PublishError::NotDirectory(path.to_owned())),
        Err(_) => {}
    }
    let io = |error| PublishError::Io { path: path.to_owned(), error };
    if let Err(error) = fs::create_dir(path) {
        // Another verifier may have made it since.
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
    fn the_record_is_read_as_it_was_written_and_forgets_what_is_gone() {
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

    /// The record stands where others may write too: it names tasks, and nothing else.
    #[test]
    fn lines_that_name_no_tasks_say_nothing() {
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
