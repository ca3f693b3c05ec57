//! Bytes on the disk: it is set to work while they arrive, and many files are flushed at once.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;

/// Bytes of one file after which the disk is set to work on them, while more arrive.
const AHEAD: usize = 8 << 20;
/// Files from which on the whole file system is flushed once, and not each file by itself: on a journaling
/// file system a flush of one small file takes the disk about as long as one of hundreds.
#[cfg(target_os = "linux")]
const MANY: usize = 4;
/// Files that wait for the thread that sets the disk to work; each is open meanwhile.
const WAITING: usize = 32;

/// Flushes files of one folder's file system.
#[derive(Debug)]
pub(super) struct Flusher {
    /// Opened before anything is written, so that whatever goes wrong later is told to it.
    #[cfg(target_os = "linux")]
    folder: File,
    worker: Arc<Worker>,
}

impl Flusher {
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        #[cfg(not(target_os = "linux"))]
        let _ = folder;
        Ok(Self {
            #[cfg(target_os = "linux")]
            folder: File::open(folder)?,
            worker: Arc::default(),
        })
    }

    /// For one file that begins.
    pub(super) fn ahead(&self) -> Ahead {
        Ahead { worker: self.worker.clone(), begun: 0, waiting: 0 }
    }

    /// What these paths lead to is on the disk when this returns.
    pub(super) fn flush(&self, paths: &[&Path]) -> Result<(), (PathBuf, io::Error)> {
        #[cfg(target_os = "linux")]
        if paths.len() >= MANY {
            let path = || paths.first().map(|path| path.to_path_buf()).unwrap_or_default();
            return rustix::fs::syncfs(&self.folder).map_err(|error| (path(), error.into()));
        }
        for path in paths {
            let flushed = File::open(path).and_then(|file| file.sync_all());
            flushed.map_err(|error| (path.to_path_buf(), error))?;
        }
        Ok(())
    }
}

/// Sets the disk to work on a file as it grows and when it is whole, so that little is left to do when all
/// of them are flushed.
#[derive(Debug)]
pub(super) struct Ahead {
    worker: Arc<Worker>,
    /// Up to where it was.
    begun: u64,
    /// Bytes after that.
    waiting: usize,
}

impl Ahead {
    /// So many bytes more were written to the file.
    pub(super) fn written(&mut self, file: &File, bytes: usize) {
        self.waiting = self.waiting.saturating_add(bytes);
        if self.waiting >= AHEAD
            && let Ok(file) = file.try_clone()
        {
            self.worker.begin(file, self.begun);
            self.begun = self.begun.saturating_add(u64::try_from(self.waiting).unwrap_or(u64::MAX));
            self.waiting = 0;
        }
    }

    /// The file is whole.
    pub(super) fn ended(self, file: File) {
        self.worker.begin(file, self.begun);
    }
}

/// A thread that sets the disk to work on one file after another, which may take as long as the disk has
/// other work. It begins with the first file and ends when nobody can send to it any more.
#[derive(Debug, Default)]
struct Worker {
    files: OnceLock<Option<SyncSender<(File, u64)>>>,
}

impl Worker {
    /// Has the disk begin soon with what stands in a file from there on. Where that cannot be, or there is
    /// enough to do already, nothing is lost: everything is flushed at the end.
    fn begin(&self, file: File, from: u64) {
        let files = self.files.get_or_init(|| start().ok());
        if let Some(files) = files {
            // Full, or gone.
            let _ = files.try_send((file, from));
        }
    }
}

fn start() -> io::Result<SyncSender<(File, u64)>> {
    let (sender, files) = sync_channel(WAITING);
    thread::Builder::new().name("flush".to_owned()).spawn(move || {
        for (file, from) in files {
            write(&file, from);
        }
    })?;
    Ok(sender)
}

/// Begins to write what stands in a file from there on, without waiting for the end of it. No failure is
/// told here, nor does one count as told, so that the flush which counts is told of it.
#[cfg(target_os = "linux")]
fn write(file: &File, from: u64) {
    // The one advice that is taken at once: what is to be dropped from memory must be written first. As
    // long as it is not, it is not dropped either, so that who reads the file next has it in memory.
    let _ = rustix::fs::fadvise(file, from, None, rustix::fs::Advice::DontNeed);
}

/// Elsewhere the system writes when it likes to.
#[cfg(not(target_os = "linux"))]
fn write(_file: &File, _from: u64) {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn few_files_and_many_are_flushed() {
        let folder = tempfile::tempdir().unwrap();
        let flusher = Flusher::new(folder.path()).unwrap();
        let paths: Vec<PathBuf> = (0..20).map(|number| folder.path().join(number.to_string())).collect();
        for path in &paths {
            std::fs::write(path, b"bytes").unwrap();
        }
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        flusher.flush(&paths).unwrap();
        flusher.flush(&paths[..2]).unwrap();
        flusher.flush(&[]).unwrap();
        let missing = folder.path().join("missing");
        assert_eq!(flusher.flush(&[paths[0], &missing]).unwrap_err().0, missing);
    }

    #[test]
    fn the_disk_is_set_to_work_while_a_file_grows() {
        let folder = tempfile::tempdir().unwrap();
        let flusher = Flusher::new(folder.path()).unwrap();
        let path = folder.path().join("large");
        let (mut file, mut ahead) = (File::create(&path).unwrap(), flusher.ahead());
        for megabytes in 1..=20 {
            file.write_all(&[0; 1 << 20]).unwrap();
            ahead.written(&file, 1 << 20);
            assert_eq!(
                (ahead.begun, ahead.waiting),
                ((megabytes / 8) << 23, (usize::try_from(megabytes).unwrap() % 8) << 20)
            );
            assert_eq!(flusher.worker.files.get().is_some(), megabytes >= 8);
        }
        ahead.ended(file);
        flusher.flush(&[&path]).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 20 << 20);
    }

    /// More files at once than wait for the thread: none is waited for, and all are there.
    #[test]
    fn nobody_waits_for_the_disk_before_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let flusher = Flusher::new(folder.path()).unwrap();
        let paths: Vec<PathBuf> =
            (0..4 * WAITING).map(|number| folder.path().join(number.to_string())).collect();
        for path in &paths {
            let mut file = File::create(path).unwrap();
            file.write_all(b"bytes").unwrap();
            flusher.ahead().ended(file);
        }
        flusher.flush(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>()).unwrap();
        assert!(paths.iter().all(|path| std::fs::read(path).is_ok_and(|bytes| bytes == b"bytes")));
    }
}
