//! A copy of what a task left in its artifact directory, which no other process can change.
//!
//! All files are copied, one after the other, into one file that has no name. What is uploaded is read from
//! there, so that it is what was measured. A process of the task that still runs can change neither.

use crate::copy::Copy;
use catena_model::task::ArtifactName;
use catena_signing::beneath::{self, Beyond, Fingerprint, Opened};
use catena_signing::{Measured, artifact_name};
use catena_taskcluster::ErrorReason;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

/// Bytes that are read at once.
const BLOCK: usize = 256 << 10;

/// Where the body of an artifact is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// S3: text is compressed, and a body has at most 5 GiB.
    S3,
    /// The object service: bodies are kept as they are.
    Object,
}

/// What a task may leave behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotLimits {
    /// Files and directories.
    pub entries: usize,
    /// Bytes of a file that goes to S3, where one request can put 5 GiB. A larger file goes to the object service.
    pub s3_bytes: u64,
    /// Bytes of all files together.
    pub total_bytes: u64,
    /// Directories inside one another.
    pub depth: usize,
    /// A file that is never copied, whatever leads to it: its device and its inode.
    pub secret: Option<(u64, u64)>,
    /// Artifacts that only the worker makes: the document and its signature, and its logs of the task. What the
    /// task left under these names is passed over.
    pub reserved: BTreeSet<ArtifactName>,
}

impl Default for SnapshotLimits {
    fn default() -> Self {
        Self {
            entries: 100_000,
            s3_bytes: 5 << 30,
            total_bytes: 64 << 30,
            depth: 64,
            secret: None,
            reserved: [ArtifactName::document(), ArtifactName::signature()].into(),
        }
    }
}

/// A file to upload.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// Its name: its path below the directory.
    pub name: ArtifactName,
    /// Its type.
    pub content_type: &'static str,
    /// Bytes of the file.
    pub size: u64,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// Where its body is kept.
    pub storage: Storage,
    /// SHA-512 of the file, which only the object service wants.
    pub(crate) sha512: Option<[u8; 64]>,
    /// Whether what is sent is the file compressed with gzip.
    pub is_compressed: bool,
    /// Where what is sent stands in the snapshot.
    pub(crate) place: Place,
}

/// A part of the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// Something in the directory that cannot be an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its path below the directory, as text.
    pub path: String,
    /// Its name as an artifact, if it can have one.
    pub name: Option<ArtifactName>,
    /// Why not.
    pub reason: RefusedReason,
}

/// Why something cannot be an artifact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefusedReason {
    /// A link out of the directory, or one that never ends.
    #[error("it is a link that leads out of the artifact directory or never ends")]
    Link,
    /// A socket, a FIFO or a device.
    #[error("it is a socket, a FIFO or a device; only regular files can be artifacts")]
    Special,
    /// The queue has no such names.
    #[error("its name is not that of an artifact: printable ASCII without backslashes, at most 1,024 bytes")]
    Name,
    /// It is the file that must not leave the machine.
    #[error("it is the worker's signing key")]
    Secret,
    /// Directories are nested too deep.
    #[error("it is nested deeper than {0} directories")]
    Depth(usize),
    /// All artifacts are too large together.
    #[error("it has {size} bytes, and {left} are left of what all artifacts together may have")]
    TooLarge {
        /// Its bytes.
        size: u64,
        /// Bytes that are left.
        left: u64,
    },
    /// There are more files and directories than a task may leave.
    #[error("there are more than {0} files and directories")]
    TooMany(usize),
    /// The system says no.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It changed while it was read.
    #[error("it changed while it was read; is a process of the task still running?")]
    Changed,
}

impl RefusedReason {
    /// The queue's word for it.
    #[must_use]
    pub fn as_error(&self) -> ErrorReason {
        match self {
            Self::TooLarge { .. } | Self::TooMany(_) => ErrorReason::TooLarge,
            Self::Unreadable(_) => ErrorReason::NotReadable,
            _ => ErrorReason::Invalid,
        }
    }
}

/// Why there is no snapshot: the directory itself cannot be read, or the copy cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The directory cannot be read.
    #[error("cannot read the artifact directory: {0}")]
    Directory(io::Error),
    /// The copy cannot be written.
    #[error("cannot write the copy of the artifacts: {0}; is the disk full?")]
    Scratch(io::Error),
}

/// An artifact that the document and the snapshot do not have alike.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is not in the snapshot as the document lists it; did a process of the task still run?")]
pub struct Mismatch {
    /// Its name.
    pub name: String,
    /// What the document lists, if it lists it.
    pub expected: Option<Measured>,
    /// What the snapshot has, if it has it.
    pub actual: Option<Measured>,
}

/// Immutable copies of artifacts.
#[derive(Debug)]
pub struct Snapshot {
    file: Arc<File>,
    end: u64,
    artifacts: Vec<Artifact>,
    refused: Vec<Refused>,
}

impl Snapshot {
    /// An empty one, which is kept in `scratch` in a file without a name.
    ///
    /// # Errors
    /// No file can be made there.
    pub fn new(scratch: &Path) -> Result<Self, SnapshotError> {
        let file = Arc::new(tempfile::tempfile_in(scratch).map_err(SnapshotError::Scratch)?);
        Ok(Self { file, end: 0, artifacts: Vec::new(), refused: Vec::new() })
    }

    /// Copies everything below a directory that can be an artifact, in the order of names, but for what has a
    /// reserved name. Links to files inside of the directory are files; directories behind links are not entered.
    ///
    /// # Errors
    /// The directory cannot be read, or the copy cannot be written. What cannot be an artifact is no error
    /// here: see [`Snapshot::refused`].
    pub fn take(directory: &Path, scratch: &Path, limits: &SnapshotLimits) -> Result<Self, SnapshotError> {
        let root = File::open(directory).map_err(SnapshotError::Directory)?;
        Self::take_from(root.into(), scratch, limits)
    }

    /// The same of an open directory. A caller that opened it before the task ran has the directory that the task was
    /// given, even if something else has its name now.
    ///
    /// # Errors
    /// As [`Snapshot::take`].
    pub fn take_from(root: OwnedFd, scratch: &Path, limits: &SnapshotLimits) -> Result<Self, SnapshotError> {
        let mut snapshot = Self::new(scratch)?;
        let mut walk = Walk { root, limits, found: 0, bytes: 0 };
        let mut todo: Vec<(OsString, usize)> = vec![(OsString::new(), 0)];
        while let Some((path, depth)) = todo.pop() {
            match walk.visit(&path, depth, &mut snapshot)? {
                Visited::File => {}
                Visited::Directory(names) => {
                    let below = depth.saturating_add(1);
                    todo.extend(names.into_iter().rev().map(|name| (beneath::join(&path, &name), below)));
                }
                Visited::End => break,
            }
        }
        Ok(snapshot)
    }

    /// Adds an artifact that is in memory, such as the document.
    ///
    /// # Errors
    /// The copy cannot be written.
    pub fn add(&mut self, name: ArtifactName, content: &[u8]) -> Result<(), SnapshotError> {
        let mut copy = self.copy(&name, Storage::S3);
        copy.write(content).map_err(SnapshotError::Scratch)?;
        let artifact = copy.end(name).map_err(SnapshotError::Scratch)?;
        self.keep(artifact);
        Ok(())
    }

    /// Adds an artifact that the worker wrote into a file which no task can reach. The file is read from its
    /// beginning.
    ///
    /// # Errors
    /// The file cannot be read, or the copy cannot be written.
    pub fn add_file(&mut self, name: ArtifactName, file: &File) -> Result<(), SnapshotError> {
        let mut copy = self.copy(&name, Storage::S3);
        let mut block = vec![0; BLOCK];
        loop {
            let read = match file.read_at(&mut block, copy.size()) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(SnapshotError::Scratch(error)),
            };
            copy.write(block.get(..read).unwrap_or_default()).map_err(SnapshotError::Scratch)?;
        }
        let artifact = copy.end(name).map_err(SnapshotError::Scratch)?;
        self.keep(artifact);
        Ok(())
    }

    /// Sizes and digests of everything that can be uploaded so far, for the document.
    #[must_use]
    pub fn measured(&self) -> BTreeMap<String, Measured> {
        let measured = |one: &Artifact| Measured { size: one.size, sha256: one.sha256 };
        self.artifacts.iter().map(|one| (one.name.as_str().to_owned(), measured(one))).collect()
    }

    /// Compares it with what a document lists, before the document itself is added.
    ///
    /// # Errors
    /// The first artifact that the two do not have alike.
    pub fn compare(&self, document: &BTreeMap<String, Measured>) -> Result<(), Mismatch> {
        let measured = self.measured();
        let differing = |name: &&String| document.get(*name) != measured.get(*name);
        match document.keys().chain(measured.keys()).find(differing) {
            None => Ok(()),
            Some(name) => Err(Mismatch {
                name: name.clone(),
                expected: document.get(name).copied(),
                actual: measured.get(name).copied(),
            }),
        }
    }

    /// What can be uploaded.
    #[must_use]
    pub fn artifacts(&self) -> &[Artifact] {
        &self.artifacts
    }

    /// What cannot.
    #[must_use]
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    pub(crate) fn file(&self) -> &Arc<File> {
        &self.file
    }

    fn copy(&self, name: &ArtifactName, storage: Storage) -> Copy {
        Copy::begin(name, storage, self.file.clone(), self.end)
    }

    fn refuse(&mut self, path: &OsStr, name: Option<ArtifactName>, reason: RefusedReason) {
        self.refused.push(Refused { path: path.to_string_lossy().into_owned(), name, reason });
    }

    fn keep(&mut self, artifact: Artifact) {
        self.end = artifact.place.offset.saturating_add(artifact.place.length);
        self.artifacts.push(artifact);
    }
}

/// What is at a path.
enum Found {
    File(File, ArtifactName),
    Directory(Vec<OsString>),
    /// The worker's, or behind a link.
    Passed,
}

/// How the way goes on.
enum Visited {
    File,
    Directory(Vec<OsString>),
    /// There are too many files.
    End,
}

/// The way through a directory.
struct Walk<'a> {
    root: OwnedFd,
    limits: &'a SnapshotLimits,
    found: usize,
    bytes: u64,
}

impl Walk<'_> {
    fn visit(
        &mut self,
        path: &OsStr,
        depth: usize,
        snapshot: &mut Snapshot,
    ) -> Result<Visited, SnapshotError> {
        self.found = self.found.saturating_add(1);
        let name = artifact_name(path);
        if self.found > self.limits.entries.saturating_add(1) {
            snapshot.refuse(path, name, RefusedReason::TooMany(self.limits.entries));
            return Ok(Visited::End);
        }
        match self.look(path, depth, name.as_ref()) {
            Ok(Found::Passed) => {}
            Ok(Found::Directory(names)) => return Ok(Visited::Directory(names)),
            Ok(Found::File(file, name)) => match self.copied(file, &name, snapshot) {
                Ok(artifact) => snapshot.keep(artifact),
                Err(Uncopied::Refused(reason)) => snapshot.refuse(path, Some(name), reason),
                Err(Uncopied::Scratch(error)) => return Err(SnapshotError::Scratch(error)),
            },
            Err(RefusedReason::Unreadable(why)) if depth == 0 => {
                return Err(SnapshotError::Directory(io::Error::other(why)));
            }
            Err(reason) => snapshot.refuse(path, name, reason),
        }
        Ok(Visited::File)
    }

    /// What is at a path, if it can be an artifact or hold some.
    fn look(&self, path: &OsStr, depth: usize, name: Option<&ArtifactName>) -> Result<Found, RefusedReason> {
        let unreadable = |errno: rustix::io::Errno| RefusedReason::Unreadable(errno.to_string());
        if name.is_some_and(|name| self.limits.reserved.contains(name)) {
            return Ok(Found::Passed);
        }
        match beneath::open(self.root.as_fd(), path) {
            Ok(Opened::Directory) if depth > 0 && beneath::is_link(self.root.as_fd(), path) => {
                Ok(Found::Passed)
            }
            Ok(Opened::Directory) if depth > self.limits.depth => {
                Err(RefusedReason::Depth(self.limits.depth))
            }
            Ok(Opened::Directory) => beneath::names(self.root.as_fd(), path, self.limits.entries)
                .map(Found::Directory)
                .map_err(unreadable),
            Ok(Opened::File(file)) => match name {
                None => Err(RefusedReason::Name),
                Some(name) => Ok(Found::File(File::from(file), name.clone())),
            },
            Err(Beyond::Link) => Err(RefusedReason::Link),
            Err(Beyond::Special) => Err(RefusedReason::Special),
            Err(Beyond::System(errno)) => Err(unreadable(errno)),
        }
    }

    /// Copies a file. What it is before and after must be the same.
    fn copied(
        &mut self,
        mut file: File,
        name: &ArtifactName,
        snapshot: &Snapshot,
    ) -> Result<Artifact, Uncopied> {
        let before = fingerprint(&file)?;
        let size = before.size;
        if self.limits.secret == Some(before.identity) {
            return Err(Uncopied::Refused(RefusedReason::Secret));
        }
        self.room(size)?;
        let storage = if size > self.limits.s3_bytes { Storage::Object } else { Storage::S3 };
        let mut copy = snapshot.copy(name, storage);
        let mut block = vec![0; BLOCK];
        loop {
            let read = match file.read(&mut block) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Uncopied::Refused(RefusedReason::Unreadable(error.to_string()))),
            };
            copy.write(block.get(..read).unwrap_or_default()).map_err(Uncopied::Scratch)?;
            if copy.size() > size {
                return Err(Uncopied::Refused(RefusedReason::Changed));
            }
        }
        if before != fingerprint(&file)? || copy.size() != size {
            return Err(Uncopied::Refused(RefusedReason::Changed));
        }
        self.bytes = self.bytes.saturating_add(size);
        copy.end(name.clone()).map_err(Uncopied::Scratch)
    }

    /// Whether a file of this size may be copied.
    fn room(&self, size: u64) -> Result<(), Uncopied> {
        let left = self.limits.total_bytes.saturating_sub(self.bytes);
        if size > left { Err(Uncopied::Refused(RefusedReason::TooLarge { size, left })) } else { Ok(()) }
    }
}

/// Why a file was not copied.
enum Uncopied {
    Refused(RefusedReason),
    Scratch(io::Error),
}

fn fingerprint(file: &File) -> Result<Fingerprint, Uncopied> {
    Fingerprint::of(file).map_err(|errno| Uncopied::Refused(RefusedReason::Unreadable(errno.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256, Sha512};
    use std::io::Write as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn take_with(folder: &tempfile::TempDir, limits: &SnapshotLimits) -> Snapshot {
        let scratch = tempfile::tempdir().unwrap();
        Snapshot::take(folder.path(), scratch.path(), limits).unwrap()
    }

    fn take(folder: &tempfile::TempDir) -> Snapshot {
        take_with(folder, &SnapshotLimits::default())
    }

    fn names(snapshot: &Snapshot) -> Vec<&str> {
        snapshot.artifacts().iter().map(|artifact| artifact.name.as_str()).collect()
    }

    fn refused(snapshot: &Snapshot) -> BTreeMap<String, RefusedReason> {
        snapshot.refused().iter().map(|refused| (refused.path.clone(), refused.reason.clone())).collect()
    }

    fn sent(snapshot: &Snapshot, number: usize) -> Vec<u8> {
        let place = snapshot.artifacts()[number].place;
        let mut bytes = vec![0; usize::try_from(place.length).unwrap()];
        snapshot.file().read_exact_at(&mut bytes, place.offset).unwrap();
        bytes
    }

    #[test]
    fn b065_digests_are_of_what_the_task_wrote() {
        let folder = folder(&[("public/a.log", "abc"), ("public/b.bin", "abc")]);
        let snapshot = take(&folder);
        assert_eq!(names(&snapshot), ["public/a.log", "public/b.bin"]);
        for artifact in snapshot.artifacts() {
            assert_eq!((artifact.sha256, artifact.size), (Sha256::digest("abc").into(), 3));
        }
        assert_eq!(sent(&snapshot, 1), b"abc");
        let mut unpacked = String::new();
        io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&sent(&snapshot, 0)[..]), &mut unpacked)
            .unwrap();
        assert_eq!(unpacked, "abc");
    }

    #[test]
    fn b072_a_document_of_the_task_is_passed_over() {
        let folder = folder(&[
            ("public/chain-of-trust.json", "{}"),
            ("public/chain-of-trust.json.sig", "x"),
            ("chain-of-trust.json", "{}"),
        ]);
        assert_eq!(names(&take(&folder)), ["chain-of-trust.json"]);
    }

    #[test]
    fn reserved_names_are_passed_over_whatever_stands_there() {
        let folder = folder(&[("logs/file", "x"), ("logs/directory/x", ""), ("logs/other", "")]);
        symlink("/etc/passwd", folder.path().join("logs/link")).unwrap();
        let reserved = ["logs/file", "logs/directory", "logs/link", "logs/missing"];
        let reserved = reserved.map(|name| ArtifactName::parse(name).unwrap()).into();
        let snapshot = take_with(&folder, &SnapshotLimits { reserved, ..SnapshotLimits::default() });
        assert_eq!((names(&snapshot), snapshot.refused()), (vec!["logs/other"], &[][..]));
    }

    #[test]
    fn a_file_of_the_workers_is_added_from_its_beginning() {
        let mut snapshot = take(&folder(&[("a", "abc")]));
        let mut file = tempfile::tempfile().unwrap();
        let content = vec![7; BLOCK + 1];
        file.write_all(&content).unwrap();
        snapshot.add_file(ArtifactName::parse("own.bin").unwrap(), &file).unwrap();
        assert_eq!(snapshot.measured()["own.bin"].sha256, <[u8; 32]>::from(Sha256::digest(&content)));
        assert_eq!((sent(&snapshot, 0), sent(&snapshot, 1)), (b"abc".to_vec(), content));
    }

    #[test]
    fn b073_hidden_files_are_artifacts_and_empty_directories_are_not() {
        let folder = folder(&[("public/.hidden/.x", "")]);
        std::fs::create_dir_all(folder.path().join("public/empty")).unwrap();
        assert_eq!(names(&take(&folder)), ["public/.hidden/.x"]);
    }

    #[test]
    fn b075_an_empty_text_is_compressed() {
        let folder = folder(&[("a.txt", ""), ("b.bin", "")]);
        let snapshot = take(&folder);
        assert!(snapshot.artifacts()[0].is_compressed && snapshot.artifacts()[0].place.length > 0);
        assert!(!snapshot.artifacts()[1].is_compressed && snapshot.artifacts()[1].place.length == 0);
    }

    #[test]
    fn b082_links_out_of_the_directory_are_refused() {
        let folder = folder(&[("public/a", "abc")]);
        symlink("a", folder.path().join("public/inside")).unwrap();
        symlink("public", folder.path().join("again")).unwrap();
        symlink("/etc/passwd", folder.path().join("absolute.txt")).unwrap();
        symlink("../../etc/passwd", folder.path().join("out")).unwrap();
        symlink("round", folder.path().join("round")).unwrap();
        let snapshot = take(&folder);
        assert_eq!(names(&snapshot), ["public/a", "public/inside"]);
        let refused = refused(&snapshot);
        assert_eq!(refused.keys().collect::<Vec<_>>(), ["absolute.txt", "out", "round"]);
        assert!(refused.values().all(|reason| *reason == RefusedReason::Link));
        assert!(std::fs::read_to_string("/etc/passwd").unwrap().contains("root"));
    }

    #[test]
    fn only_regular_files_with_good_names_are_artifacts() {
        let folder = folder(&[("ü", ""), ("a\nb", ""), ("a\\b", ""), ("good", "")]);
        rustix::fs::mknodat(
            rustix::fs::CWD,
            folder.path().join("fifo"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        let snapshot = take(&folder);
        assert_eq!(names(&snapshot), ["good"]);
        let refused = refused(&snapshot);
        assert_eq!(refused.len(), 5);
        assert_eq!(
            (&refused["fifo"], &refused["socket"]),
            (&RefusedReason::Special, &RefusedReason::Special)
        );
        assert!(["ü", "a\nb", "a\\b"].iter().all(|name| refused[*name] == RefusedReason::Name));
    }

    #[test]
    fn limits_hold_and_the_rest_is_taken() {
        let folder = folder(&[("a", "1234"), ("b", "12345"), ("c", "1"), ("d/e/f", "1")]);
        std::fs::File::create(folder.path().join("sparse")).unwrap().set_len(1 << 40).unwrap();
        let limits = SnapshotLimits { total_bytes: 6, depth: 1, ..SnapshotLimits::default() };
        let snapshot = take_with(&folder, &limits);
        assert_eq!(names(&snapshot), ["a", "c"]);
        let refused = refused(&snapshot);
        let total = RefusedReason::TooLarge { size: 5, left: 2 };
        assert_eq!(refused["b"], total);
        assert_eq!(refused["d/e"], RefusedReason::Depth(1));
        assert!(matches!(refused["sparse"], RefusedReason::TooLarge { left: 1, .. }));
        let few = take_with(&folder, &SnapshotLimits { entries: 1, ..SnapshotLimits::default() });
        assert_eq!((few.artifacts().len(), few.refused().len()), (1, 1));
        assert_eq!(few.refused()[0].reason, RefusedReason::TooMany(1));
    }

    #[test]
    fn a_secret_is_not_copied_by_whichever_name() {
        let folder = folder(&[("a", "secret"), ("c", "x")]);
        std::fs::hard_link(folder.path().join("a"), folder.path().join("b")).unwrap();
        let stat = rustix::fs::stat(folder.path().join("a")).unwrap();
        let secret = Some((stat.st_dev, stat.st_ino));
        let snapshot = take_with(&folder, &SnapshotLimits { secret, ..SnapshotLimits::default() });
        assert_eq!(names(&snapshot), ["c"]);
        assert!(["a", "b"].iter().all(|name| refused(&snapshot)[*name] == RefusedReason::Secret));
    }

    #[test]
    fn a_document_lists_what_is_in_the_snapshot() {
        let snapshot = take(&folder(&[("a", "abc"), ("b", "")]));
        let document = snapshot.measured();
        assert_eq!(snapshot.compare(&document), Ok(()));
        let mut missing = document.clone();
        missing.remove("b");
        assert_eq!(snapshot.compare(&missing).unwrap_err().name, "b");
        let mut altered = document.clone();
        altered.get_mut("a").unwrap().sha256[0] ^= 1;
        assert_eq!(snapshot.compare(&altered).unwrap_err().name, "a");
        let mut more = document;
        more.insert("c".to_owned(), Measured { size: 0, sha256: [0; 32] });
        assert_eq!(snapshot.compare(&more).unwrap_err().actual, None);
    }

    #[test]
    fn what_is_added_is_an_artifact_of_its_type() {
        let mut snapshot = take(&folder(&[("a", "abc")]));
        snapshot.add(ArtifactName::document(), b"{}").unwrap();
        snapshot.add(ArtifactName::signature(), b"signature").unwrap();
        let types: Vec<_> =
            snapshot.artifacts().iter().map(|one| (one.content_type, one.is_compressed)).collect();
        let expected =
            [("application/binary", false), ("application/json", true), ("application/pgp-signature", false)];
        assert_eq!(types, expected);
        assert_eq!(sent(&snapshot, 0), b"abc");
        assert_eq!(sent(&snapshot, 2), b"signature");
    }

    #[test]
    fn a_file_that_s3_does_not_take_is_an_object_and_kept_as_it_is() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = folder(&[("a.txt", "abcd"), ("b.txt", "abc")]);
        let limits = SnapshotLimits { s3_bytes: 3, ..SnapshotLimits::default() };
        let snapshot = Snapshot::take(folder.path(), scratch.path(), &limits).unwrap();
        let [object, other] = snapshot.artifacts() else { panic!("{:?}", snapshot.artifacts()) };
        assert_eq!((object.storage, object.is_compressed), (Storage::Object, false));
        assert_eq!(object.sha512, Some(Sha512::digest("abcd").into()));
        assert_eq!((other.storage, other.is_compressed, other.sha512), (Storage::S3, true, None));
    }

    #[test]
    fn a_directory_that_cannot_be_read_is_refused_alone() {
        let folder = folder(&[("a", ""), ("closed/b", "")]);
        let closed = folder.path().join("closed");
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
        let snapshot = take(&folder);
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
        // Root reads everything.
        if !rustix::process::geteuid().is_root() {
            assert_eq!(names(&snapshot), ["a"]);
            assert!(matches!(refused(&snapshot)["closed"], RefusedReason::Unreadable(_)));
        }
    }
}
