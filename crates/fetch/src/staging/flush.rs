//! Bytes on the disk: large files are flushed while they arrive, and many files at once.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;

/// Bytes of one file after which the disk is set to work on them, while more arrive.
const AHEAD: usize = 32 << 20;
/// Files from which on the whole file system is flushed once, and not each file by itself: on a journaling
/// file system a flush of one small file takes the disk about as long as one of hundreds.
#[cfg(target_os = "linux")]
const MANY: usize = 4;

/// Flushes files of one folder's file system.
#[derive(Debug)]
pub(super) struct Flusher {
    /// Opened before anything is written, so that whatever goes wrong later is told to it.
    #[cfg(target_os = "linux")]
    folder: File,
    ahead: Ahead,
}

impl Flusher {
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        #[cfg(not(target_os = "linux"))]
        let _ = folder;
        Ok(Self {
            #[cfg(target_os = "linux")]
            folder: File::open(folder)?,
            ahead: Ahead::default(),
        })
    }

    /// Flushes one file ahead of its end.
    pub(super) fn ahead(&self) -> Ahead {
        Ahead { worker: self.ahead.worker.clone(), waiting: 0 }
    }

    /// What these paths lead to is on the disk when this returns.
    pub(super) fn flush(&self, paths: &[&Path]) -> Result<(), (PathBuf, io::Error)> {
        if self.ahead.worker.failed.load(Ordering::Acquire) {
            let path = paths.first().map(|path| path.to_path_buf()).unwrap_or_default();
            return Err((path, io::Error::other("the disk could not take what was written to it")));
        }
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

/// Sets the disk to work on a file before it is whole, so that little is left to do at its end.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    worker: Arc<Worker>,
    /// Bytes since it last was.
    waiting: usize,
}

/// A thread that flushes one file after another, from the first large file on.
#[derive(Debug, Default)]
struct Worker {
    files: OnceLock<Option<SyncSender<File>>>,
    /// A failure is told only once by the system, so it is kept for the flush that counts.
    failed: Arc<AtomicBool>,
}

impl Ahead {
    /// So many bytes more were written to the file.
    pub(super) fn written(&mut self, file: &File, bytes: usize) {
        self.waiting = self.waiting.saturating_add(bytes);
        if self.waiting >= AHEAD {
            self.waiting = 0;
            self.worker.flush(file);
        }
    }
}

impl Worker {
    /// Has it flushed soon. Where that cannot be, or there is enough to do already, nothing is lost:
    /// everything is flushed at the end.
    fn flush(&self, file: &File) {
        let files = self.files.get_or_init(|| start(Arc::clone(&self.failed)).ok());
        if let (Some(files), Ok(file)) = (files, file.try_clone()) {
            // Full, or gone.
            let _ = files.try_send(file);
        }
    }
}

/// Ends when nobody can send to it any more.
fn start(failed: Arc<AtomicBool>) -> io::Result<SyncSender<File>> {
    let (sender, files) = sync_channel::<File>(32);
    thread::Builder::new().name("flush".to_owned()).spawn(move || {
        for file in files {
            if file.sync_data().is_err() {
                failed.store(true, Ordering::Release);
            }
        }
    })?;
    Ok(sender)
}

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
    fn a_large_file_is_flushed_while_it_arrives_and_a_failure_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let flusher = Flusher::new(folder.path()).unwrap();
        let path = folder.path().join("large");
        let mut file = File::create(&path).unwrap();
        let mut ahead = flusher.ahead();
        for _ in 0..40 {
            file.write_all(&[0; 1 << 20]).unwrap();
            ahead.written(&file, 1 << 20);
        }
        assert_eq!(ahead.waiting, 8 << 20);
        assert!(flusher.ahead.worker.files.get().is_some_and(Option::is_some), "the worker was started");
        flusher.flush(&[&path]).unwrap();
        flusher.ahead.worker.failed.store(true, Ordering::Release);
        assert_eq!(flusher.flush(&[&path]).unwrap_err().0, path);
    }

    #[test]
    fn small_files_start_no_thread() {
        let folder = tempfile::tempdir().unwrap();
        let flusher = Flusher::new(folder.path()).unwrap();
        let file = File::create(folder.path().join("small")).unwrap();
        flusher.ahead().written(&file, AHEAD - 1);
        assert!(flusher.ahead.worker.files.get().is_none());
    }
}
