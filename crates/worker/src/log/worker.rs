//! The worker's own log.

use crate::config::WorkerLogOptions;
use catena_report::escape;
use jiff::Zoned;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// The file's name in the log directory.
const FILE: &str = "worker.log";
/// The file's name in the directory of a task's logs.
pub(crate) const CHAIN_FILE: &str = "chain_of_trust.log";

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Only with `verbose`.
    Debug,
    /// What happens.
    Info,
    /// What should not happen, and is dealt with.
    Warning,
    /// What the task or the worker fails by.
    Critical,
}

impl Level {
    /// Python's name of it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
        }
    }
}

/// The worker's log, which all parts of the worker share.
#[derive(Clone, Debug)]
pub struct Log(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    file: File,
    options: WorkerLogOptions,
    /// The log of the verification that is under way: its file, and what was written to it.
    chain: Option<(File, Vec<u8>)>,
}

impl Log {
    /// Opens `worker.log` in a directory, which is made where it is not there.
    ///
    /// # Errors
    /// The directory or the file cannot be made.
    pub fn open(directory: &Path, options: WorkerLogOptions) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let path = directory.join(FILE);
        let file = append(&path)?;
        Ok(Self(Arc::new(Mutex::new(Inner { path, file, options, chain: None }))))
    }

    /// Goes on in another directory, or in another form.
    ///
    /// # Errors
    /// The directory or the file cannot be made; the log stays as it is.
    pub fn reopen(&self, directory: &Path, options: WorkerLogOptions) -> io::Result<()> {
        fs::create_dir_all(directory)?;
        let path = directory.join(FILE);
        let file = append(&path)?;
        let mut inner = self.inner();
        (inner.path, inner.file, inner.options) = (path, file, options);
        Ok(())
    }

    /// A detail.
    pub fn debug(&self, message: impl AsRef<str>) {
        self.write(Level::Debug, message.as_ref());
    }

    /// What happens.
    pub fn info(&self, message: impl AsRef<str>) {
        self.write(Level::Info, message.as_ref());
    }

    /// What should not happen, and is dealt with.
    pub fn warning(&self, message: impl AsRef<str>) {
        self.write(Level::Warning, message.as_ref());
    }

    /// What the task or the worker fails by.
    pub fn critical(&self, message: impl AsRef<str>) {
        self.write(Level::Critical, message.as_ref());
    }

    /// An event of a library. It is in `worker.log` only: logs that are published hold what Catena wrote for them.
    pub fn event(&self, level: Level, message: impl AsRef<str>) {
        let mut inner = self.inner();
        let text = inner.lines(level, message.as_ref());
        inner.write_own(text.as_bytes());
    }

    /// Until [`Log::end_chain`], everything else is written to `chain_of_trust.log` too.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn begin_chain(&self, task_logs: &Path) -> io::Result<()> {
        let file = append(&task_logs.join(CHAIN_FILE))?;
        self.inner().chain = Some((file, Vec::new()));
        Ok(())
    }

    /// Closes `chain_of_trust.log`: nothing is added to it while it is hashed and uploaded. What was written to it.
    pub fn end_chain(&self) -> Vec<u8> {
        self.inner().chain.take().map(|(_, text)| text).unwrap_or_default()
    }

    /// Shows that the worker lives, to whoever looks at the age of the file.
    pub fn touch(&self) {
        let now = SystemTime::now();
        // Only whoever watches the file would notice.
        let _ = self.inner().file.set_modified(now);
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, level: Level, message: &str) {
        let mut inner = self.inner();
        let text = inner.lines(level, message);
        inner.write_own(text.as_bytes());
        if let Some((file, written)) = &mut inner.chain {
            let _ = file.write_all(text.as_bytes());
            written.extend_from_slice(text.as_bytes());
        }
    }
}

impl Inner {
    /// A message as lines of the log; none where its level is not wanted.
    fn lines(&self, level: Level, message: &str) -> String {
        let mut text = String::new();
        if level == Level::Debug && !self.options.verbose {
            return text;
        }
        let now = Zoned::now();
        for line in message.lines() {
            text.push_str(&self.options.format.line(&now, level, &escape::line(line)));
            text.push('\n');
        }
        text
    }

    /// Writes to `worker.log`. A log that cannot be written is no reason to stop working.
    fn write_own(&mut self, text: &[u8]) {
        let _ = self.renew(text.len());
        let _ = self.file.write_all(text);
        if self.options.verbose {
            let _ = io::stderr().lock().write_all(text);
        }
    }

    /// Opens another file where the old one was moved away or is full.
    fn renew(&mut self, more: usize) -> io::Result<()> {
        let own = self.file.metadata()?;
        if self.options.watch {
            let named = fs::metadata(&self.path).ok();
            if named.is_none_or(|named| (named.dev(), named.ino()) != (own.dev(), own.ino())) {
                self.file = append(&self.path)?;
            }
        } else if let Some((bytes, backups)) = self.options.rotation
            && own.len() > 0
            && own.len().saturating_add(u64::try_from(more).unwrap_or(u64::MAX)) > bytes
        {
            let numbered = |number: u32| PathBuf::from(format!("{}.{number}", self.path.display()));
            for number in (1..backups).rev() {
                // There are fewer at first.
                let _ = fs::rename(numbered(number), numbered(number.saturating_add(1)));
            }
            fs::rename(&self.path, numbered(1))?;
            self.file = append(&self.path)?;
        }
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    File::options().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::LineFormat;

    fn options() -> WorkerLogOptions {
        WorkerLogOptions { format: LineFormat::default(), verbose: false, watch: false, rotation: None }
    }

    fn read(folder: &Path, name: &str) -> String {
        std::fs::read_to_string(folder.join(name)).unwrap_or_default()
    }

    #[test]
    fn the_chain_log_has_what_is_written_while_it_is_open() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(folder.path(), options()).unwrap();
        log.info("before");
        log.begin_chain(folder.path()).unwrap();
        log.info("Good.\n\u{1b}[2J");
        log.debug("detail");
        log.event(Level::Warning, "an event");
        let written = log.end_chain();
        log.warning("after");
        let chain = read(folder.path(), CHAIN_FILE);
        assert_eq!(chain.as_bytes(), written);
        let lines: Vec<&str> = chain.lines().map(|line| line.split_once("INFO - ").unwrap().1).collect();
        assert_eq!(lines, ["Good.", "\\u{1b}[2J"]);
        assert_eq!(read(folder.path(), FILE).lines().count(), 5);
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(folder.path(), WorkerLogOptions { watch: true, ..options() }).unwrap();
        log.info("one");
        std::fs::rename(folder.path().join(FILE), folder.path().join("old")).unwrap();
        log.info("two");
        assert!(read(folder.path(), "old").ends_with("one\n"));
        assert!(read(folder.path(), FILE).ends_with("two\n"));
    }

    #[test]
    fn files_are_rotated_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let log =
            Log::open(folder.path(), WorkerLogOptions { rotation: Some((60, 2)), ..options() }).unwrap();
        for text in ["1", "2", "3", "4", "5", "6", "7"] {
            log.info(text);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
        assert!(read(folder.path(), FILE).ends_with("7\n"));
        assert!(!read(folder.path(), "worker.log.2").contains("INFO - 1"));
    }

    #[test]
    fn b025_the_file_is_touched_without_a_word() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(folder.path(), options()).unwrap();
        let file = File::options().write(true).open(folder.path().join(FILE)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        log.touch();
        assert!(file.metadata().unwrap().modified().unwrap().elapsed().unwrap().as_secs() < 60);
        assert_eq!(read(folder.path(), FILE), "");
    }
}
