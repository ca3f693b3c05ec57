//! `live_backing.log`: what a script writes, and how the worker ended it.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The file's name.
pub(crate) const FILE: &str = "live_backing.log";
/// No log is larger: what a script writes beyond is read and dropped, so that it neither fills the disk nor
/// waits for ever.
const MAX_BYTES: u64 = 1 << 30;

/// The log of one task's script. It always exists, and says at its end how the script ended.
///
/// The script can do anything to the file in the directory of its logs, which is for people who watch a task. What
/// is uploaded is a second file, without a name, that no script can reach.
#[derive(Debug)]
pub struct LiveLog {
    file: File,
    path: PathBuf,
    own: File,
    left: u64,
    is_cut: bool,
}

impl LiveLog {
    /// Begins the log in the directory of a task's logs. The file that is uploaded is in `temporary`.
    ///
    /// # Errors
    /// A file cannot be made.
    pub fn begin(task_logs: &Path, temporary: &Path) -> io::Result<Self> {
        Self::bounded(task_logs, temporary, MAX_BYTES)
    }

    fn bounded(task_logs: &Path, temporary: &Path, left: u64) -> io::Result<Self> {
        let path = task_logs.join(FILE);
        let file = File::options().create(true).append(true).mode(0o666).open(&path)?;
        let own = tempfile::tempfile_in(temporary)?;
        Ok(Self { file, path, own, left, is_cut: false })
    }

    /// The file that is uploaded.
    pub(crate) fn own(&self) -> &File {
        &self.own
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a line that the script wrote. What cannot be written is lost, and the task goes on. Returns whether
    /// there was room: no other log takes a line that this one does not.
    pub fn script_line(&mut self, line: &str) -> bool {
        let bytes = u64::try_from(line.len()).unwrap_or(u64::MAX).saturating_add(1);
        if self.is_cut {
            return false;
        }
        if bytes > self.left {
            self.is_cut = true;
            self.line(&format!("The log is full at {MAX_BYTES} bytes; what follows is dropped."));
            return false;
        }
        self.left = self.left.saturating_sub(bytes);
        self.line(line);
        true
    }

    /// Writes a line of the worker's.
    pub fn line(&mut self, line: &str) {
        // A disk that is full is no reason to run a task in another way; the upload tells it.
        let line = format!("{line}\n");
        let _ = self.own.write_all(line.as_bytes());
        let _ = self.file.write_all(line.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_the_end_is_still_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = LiveLog::bounded(folder.path(), folder.path(), 10).unwrap();
        let kept = ["12345", "678901", "x"].map(|line| log.script_line(line));
        assert_eq!(kept, [true, false, false]);
        log.line("exit code: 0");
        let text = std::fs::read_to_string(log.path()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines.len(), lines[0], lines[2]), (3, "12345", "exit code: 0"), "{text}");
        assert!(lines[1].starts_with("The log is full"), "{text}");
    }
}
