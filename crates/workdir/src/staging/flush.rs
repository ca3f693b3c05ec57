//! Flushing: writeback starts while data arrives, so that a flush has little left to do.

use crate::shares::in_shares;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;

/// Bytes of one file after which its writeback starts, while more arrive.
const AHEAD: usize = 8 << 20;
/// Files that wait for the writeback thread; each is open in the meantime.
const WAITING: usize = 32;
/// Files that are flushed in parallel, so that the disk combines its work.
const AT_ONCE: usize = 16;

/// Flushes files.
#[derive(Debug, Default)]
pub(super) struct Flusher {
    worker: Arc<Worker>,
}

impl Flusher {
    /// For a new file.
    pub(super) fn ahead(&self) -> Ahead {
        Ahead { worker: self.worker.clone(), begun: 0, waiting: 0 }
    }

    /// The files at these paths are on disk when this returns. Each is flushed separately: flushing the
    /// whole file system would wait for the data of other processes.
    pub(super) fn flush(&self, paths: &[&Path]) -> Result<(), (PathBuf, io::Error)> {
        if self.worker.missed.load(Ordering::Relaxed) {
            // Writeback of all files starts before one is awaited: otherwise one small file would take
            // as long as hundreds.
            paths.iter().filter_map(|path| File::open(path).ok()).for_each(|file| write(&file, 0));
        }
        in_shares(paths, AT_ONCE, |path| {
            let flushed = File::open(path).and_then(|file| file.sync_all());
            flushed.map_err(|error| (path.to_path_buf(), error))
        })
    }
}

/// Starts writeback of a file while it grows and when it is complete, so that little is left when all
/// of them are flushed.
#[derive(Debug)]
pub(super) struct Ahead {
    worker: Arc<Worker>,
    /// The end of the last writeback.
    begun: u64,
    /// Bytes since then.
    waiting: usize,
}

impl Ahead {
    /// This many more bytes were written to the file.
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

    /// The file is complete.
    pub(super) fn ended(self, file: File) {
        self.worker.begin(file, self.begun);
    }
}

/// A thread that starts writeback of one file after another, which may block while the disk is busy. It
/// starts with the first file and ends when all senders are dropped.
#[derive(Debug, Default)]
struct Worker {
    files: OnceLock<Option<SyncSender<(File, u64)>>>,
    /// Whether there was a file that it could not accept.
    missed: AtomicBool,
}

impl Worker {
    /// Requests writeback of a file from this position. If that fails, or the queue is full, nothing is
    /// lost: everything is flushed at the end.
    fn begin(&self, file: File, from: u64) {
        let files = self.files.get_or_init(|| start().ok());
        if files.as_ref().is_none_or(|files| files.try_send((file, from)).is_err()) {
            self.missed.store(true, Ordering::Relaxed);
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

/// Starts writing a file from this position to disk, without waiting for the end. Errors are ignored
/// here and stay pending, so that the flush that counts reports them.
#[cfg(target_os = "linux")]
fn write(file: &File, from: u64) {
    // The one advice that takes effect at once: pages must be written before they are dropped from
    // memory. Dirty pages are not dropped, so that the next reader of the file finds them in memory.
    let _ = rustix::fs::fadvise(file, from, None, rustix::fs::Advice::DontNeed);
}

/// On other systems, the system decides when to write.
#[cfg(not(target_os = "linux"))]
fn write(_file: &File, _from: u64) {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn unflushable_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let (path, missing) = (folder.path().join("file"), folder.path().join("missing"));
        std::fs::write(&path, b"bytes").unwrap();
        let flusher = Flusher::default();
        flusher.flush(&[&path, &path]).unwrap();
        flusher.flush(&[]).unwrap();
        for missed in [false, true] {
            flusher.worker.missed.store(missed, Ordering::Relaxed);
            assert_eq!(flusher.flush(&[&path, &missing]).unwrap_err().0, missing);
        }
    }

    #[test]
    fn the_disk_is_set_to_work_while_a_file_grows() {
        let folder = tempfile::tempdir().unwrap();
        let (flusher, path) = (Flusher::default(), folder.path().join("large"));
        let (mut file, mut ahead) = (File::create(&path).unwrap(), flusher.ahead());
        for megabytes in 1..=20_usize {
            file.write_all(&[0; 1 << 20]).unwrap();
            ahead.written(&file, 1 << 20);
            assert_eq!(ahead.begun, u64::try_from((megabytes / 8) << 23).unwrap());
            assert_eq!(ahead.waiting, (megabytes % 8) << 20);
            assert_eq!(flusher.worker.files.get().is_some(), megabytes >= 8);
        }
        ahead.ended(file);
        flusher.flush(&[&path]).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 20 << 20);
    }

    /// More files than the queue of the thread: none waits, and all are flushed.
    #[test]
    fn writes_do_not_wait_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let flusher = Flusher::default();
        // A thread with more work than it can accept.
        let (full, _files) = sync_channel(1);
        flusher.worker.files.set(Some(full)).unwrap();
        let paths: Vec<PathBuf> = (0..4).map(|number| folder.path().join(number.to_string())).collect();
        for (number, path) in paths.iter().enumerate() {
            let mut file = File::create(path).unwrap();
            file.write_all(b"bytes").unwrap();
            flusher.ahead().ended(file);
            assert_eq!(flusher.worker.missed.load(Ordering::Relaxed), number > 0);
        }
        flusher.flush(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>()).unwrap();
        assert!(paths.iter().all(|path| std::fs::read(path).is_ok_and(|bytes| bytes == b"bytes")));
    }
}
