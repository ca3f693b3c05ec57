//! Bytes on the disk: it is set to work while they arrive, so that a flush finds little left to do.

use crate::shares::in_shares;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;

/// Bytes of one file after which the disk is set to work on them, while more arrive.
const AHEAD: usize = 8 << 20;
/// Files that wait for the thread that sets the disk to work; each is open meanwhile.
const WAITING: usize = 32;
/// Files that are flushed at once: what the disk has to do for each by itself it does for them together.
const AT_ONCE: usize = 16;

/// Flushes files.
#[derive(Debug, Default)]
pub(super) struct Flusher {
    worker: Arc<Worker>,
}

impl Flusher {
    /// For one file that begins.
    pub(super) fn ahead(&self) -> Ahead {
        Ahead { worker: self.worker.clone(), begun: 0, waiting: 0 }
    }

    /// What these paths lead to is on the disk when this returns. Each file is flushed by itself: to flush
    /// the whole file system once would wait for what everybody else has written to it.
    pub(super) fn flush(&self, paths: &[&Path]) -> Result<(), (PathBuf, io::Error)> {
        if self.worker.missed.load(Ordering::Relaxed) {
            // The disk begins with all of them before one is waited for: to wait for what it has not
            // begun with takes as long for one small file as for hundreds.
            paths.iter().filter_map(|path| File::open(path).ok()).for_each(|file| write(&file, 0));
        }
        in_shares(paths, AT_ONCE, |path| {
            let flushed = File::open(path).and_then(|file| file.sync_all());
            flushed.map_err(|error| (path.to_path_buf(), error))
        })
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
    /// Whether there was a file that it could not take.
    missed: AtomicBool,
}

impl Worker {
    /// Has the disk begin soon with what stands in a file from there on. Where that cannot be, or there is
    /// enough to do already, nothing is lost: everything is flushed at the end.
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
    fn what_cannot_be_flushed_is_named() {
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

    /// More files at once than wait for the thread: none is waited for, and all are flushed.
    #[test]
    fn nobody_waits_for_the_disk_before_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let flusher = Flusher::default();
        // A thread that has more to do than it can.
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
