//! The descriptor that a script reads its task's credentials from.
//!
//! It is open for reading and writing and leads to a regular file that has no name: readers `pread` from 0,
//! anew for each use, since the offset is shared by everybody who holds it.

use catena_json::{Map, Value};
use catena_taskcluster::TaskclusterCredentials;
use rustix::io::FdFlags;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, RawFd};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// The contents of the descriptor: sorted keys, two spaces, ASCII.
fn text(credentials: &TaskclusterCredentials) -> Zeroizing<String> {
    let mut map = Map::new();
    map.insert("accessToken", credentials.access_token().expose().into());
    if let Some(certificate) = credentials.certificate() {
        map.insert("certificate", certificate.expose().into());
    }
    map.insert("clientId", credentials.client_id().into());
    Zeroizing::new(catena_signing::python_json(&Value::Object(map)))
}

/// Bytes of the file from the start; the credentials of a task have two to three thousand.
const ROOM: usize = 16 << 10;

/// The descriptor.
#[derive(Debug)]
pub struct Descriptor {
    file: File,
    /// Bytes of the file.
    length: Mutex<usize>,
}

impl Descriptor {
    /// Makes the file in a directory for temporary files, readable by its owner alone, and takes its name away.
    ///
    /// # Errors
    /// It cannot be made or written.
    pub fn new(temporary: &Path, credentials: &TaskclusterCredentials) -> io::Result<Self> {
        let file = tempfile::tempfile_in(temporary)?;
        let descriptor = Self { file, length: Mutex::new(0) };
        descriptor.rewrite(credentials)?;
        Ok(descriptor)
    }

    /// Puts other credentials in the place of those that are there, by one write. What is shorter is filled up
    /// with spaces, and the file has room from the start, so that its size never changes while somebody reads
    /// it: otherwise a reader could find the new text cut at the old end. What the system itself does not do at
    /// once is a read in the very moment of the write, which few file systems exclude.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn rewrite(&self, credentials: &TaskclusterCredentials) -> io::Result<()> {
        let text = text(credentials);
        let mut held = self.length.lock().unwrap_or_else(PoisonError::into_inner);
        let length = held.max(text.len()).max(ROOM);
        // With its final capacity from the start: a buffer that grows would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        bytes.extend_from_slice(text.as_bytes());
        bytes.resize(length, b' ');
        self.file.write_all_at(&bytes, 0)?;
        *held = length;
        Ok(())
    }

    /// Its number, which the script gets as `TASKCLUSTER_CREDENTIALS_FD`.
    #[must_use]
    pub fn number(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    /// Whether processes that are started from now on inherit it.
    ///
    /// # Errors
    /// The system refuses.
    pub fn inherit(&self, inherited: bool) -> io::Result<()> {
        let flags = if inherited { FdFlags::empty() } else { FdFlags::CLOEXEC };
        Ok(rustix::io::fcntl_setfd(self.file.as_fd(), flags)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_http::Secret;
    use std::io::Read as _;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn credentials(client: &str, certificate: Option<&str>) -> TaskclusterCredentials {
        let certificate = certificate.map(|text| Secret::new(text.to_owned()));
        TaskclusterCredentials::new(client.to_owned(), Secret::new("t".repeat(44)), certificate).unwrap()
    }

    fn pread(file: &File) -> String {
        let mut bytes = vec![0; 1 << 16];
        let read = file.read_at(&mut bytes, 0).unwrap();
        String::from_utf8(bytes[..read].to_vec()).unwrap()
    }

    #[test]
    fn b041_it_holds_sorted_json() {
        let folder = tempfile::tempdir().unwrap();
        let descriptor =
            Descriptor::new(folder.path(), &credentials("task-client/x", Some(r#"{"version":"é"}"#)))
                .unwrap();
        let expected = format!(
            "{{\n  \"accessToken\": \"{}\",\n  \"certificate\": \"{{\\\"version\\\":\\\"\\u00e9\\\"}}\",\n  \"clientId\": \"task-client/x\"\n}}",
            "t".repeat(44)
        );
        assert_eq!(pread(&descriptor.file).trim_end(), expected);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the file has a name");
    }

    #[test]
    fn b042_a_shorter_value_leaves_no_tail_and_the_offset_stays() {
        let folder = tempfile::tempdir().unwrap();
        let descriptor =
            Descriptor::new(folder.path(), &credentials("long".repeat(99).as_str(), None)).unwrap();
        let before = pread(&descriptor.file).len();
        assert_eq!(before, ROOM);
        let mut shared = descriptor.file.try_clone().unwrap();
        shared.read_exact(&mut [0; 10]).unwrap();
        descriptor.rewrite(&credentials("short", None)).unwrap();
        let text = pread(&descriptor.file);
        assert_eq!(text.len(), before);
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["clientId"], "short");
        assert_eq!(std::io::Seek::stream_position(&mut shared).unwrap(), 10);
    }

    #[test]
    fn b042_a_reader_always_finds_json() {
        let folder = tempfile::tempdir().unwrap();
        let descriptor = Descriptor::new(folder.path(), &credentials("one", None)).unwrap();
        let (reader, done) = (descriptor.file.try_clone().unwrap(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let reading = scope.spawn(|| {
                let mut seen = std::collections::BTreeSet::new();
                while !done.load(Ordering::Relaxed) {
                    let text = pread(&reader);
                    let read: serde_json::Value =
                        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
                    seen.insert(read["clientId"].as_str().unwrap().len());
                }
                seen
            });
            for round in 0..5_000 {
                descriptor.rewrite(&credentials(&"x".repeat(1 + round % 700), None)).unwrap();
            }
            done.store(true, Ordering::Relaxed);
            assert!(!reading.join().unwrap().is_empty());
        });
    }
}
