//! Sizes and digests of everything that a task left in its artifact directory.

use crate::beneath::{self, Beyond, Fingerprint, Opened};
use crate::document::{DOCUMENT, SIGNATURE};
use catena_model::task::ArtifactName;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};

/// Bytes that are read at once.
const BLOCK: usize = 256 << 10;
/// From this size on, one thread reads a file while another one hashes it.
const LARGE: u64 = 8 << 20;
/// Blocks of a large file that have been read and wait to be hashed.
const BLOCKS_AHEAD: usize = 4;
/// Files that are open and wait for a thread.
const WAITING: usize = 32;
/// Directories inside one another.
const DEEPEST: usize = 64;

/// What was measured of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Its bytes.
    pub size: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}

/// Why a directory cannot be measured. Every variant has the path below the directory.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The system cannot open or read it.
    #[error("cannot read {}: {cause}", path.display())]
    Io {
        /// What was read.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// It is a socket, a FIFO or a device.
    #[error("{} is a socket, a FIFO or a device; only regular files can be artifacts", .0.display())]
    Special(PathBuf),
    /// It is a link that leads out of the directory, or around in a circle.
    #[error("{} is a link that leads out of the artifact directory or never ends", .0.display())]
    Link(PathBuf),
    /// It changed while it was read: a process of the task may still be running.
    #[error("{} changed while it was read; is a process of the task still running?", .0.display())]
    Changed(PathBuf),
    /// Its name cannot be that of an artifact: printable ASCII without backslashes, at most 1,024 bytes.
    #[error("{} cannot be the name of an artifact: printable ASCII without backslashes, at most 1,024 bytes", .0.display())]
    Name(PathBuf),
    /// Directories are nested deeper than 64.
    #[error("{} is nested deeper than {DEEPEST} directories", .0.display())]
    Depth(PathBuf),
}

type Found = BTreeMap<String, Measured>;

/// Measures every file below a directory, by its name as an artifact: the path below the directory. A
/// document or signature that the task left is not listed, and neither are directories and links to them.
/// Each file is read once, on as many threads as there are processors.
///
/// # Errors
/// The first thing that cannot be an artifact, or that cannot be read.
pub fn measure(directory: &Path) -> Result<Found, MeasureError> {
    let root = File::open(directory).map_err(|cause| io(directory, cause))?;
    let root: OwnedFd = root.into();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (sender, receiver) = mpsc::sync_channel::<(String, OwnedFd)>(WAITING);
    let receiver = Arc::new(Mutex::new(receiver));
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let receiver = Arc::clone(&receiver);
                scope.spawn(move || hash_all(&receiver))
            })
            .collect();
        // Only the threads hold it from here on, so that sending ends when all of them have failed.
        drop(receiver);
        let walked = walk(&root, &sender);
        drop(sender);
        let mut found = Found::new();
        let mut failed = walked.err();
        for worker in workers {
            match worker.join() {
                Ok(Ok(part)) => found.extend(part),
                Ok(Err(error)) => failed = Some(error),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        failed.map_or(Ok(found), Err)
    })
}

fn io(path: &Path, cause: impl Into<std::io::Error>) -> MeasureError {
    MeasureError::Io { path: path.to_owned(), cause: cause.into() }
}

/// Opens every file and hands it to the threads. Ends early when none of them listens any more, since one of
/// them has failed then.
fn walk(root: &OwnedFd, sender: &mpsc::SyncSender<(String, OwnedFd)>) -> Result<(), MeasureError> {
    let mut todo: Vec<(OsString, usize)> = vec![(OsString::new(), 0)];
    while let Some((folder, depth)) = todo.pop() {
        let names = beneath::names(root.as_fd(), &folder, usize::MAX);
        let here = beneath::open_folder(root.as_fd(), &folder);
        for name in names.map_err(|errno| io(Path::new(&folder), errno))? {
            let path = beneath::join(&folder, &name);
            let shown = || PathBuf::from(path.clone());
            let file = here.as_ref().ok().and_then(|here| beneath::open_regular(here.as_fd(), &name));
            match file.map_or_else(|| beneath::open(root.as_fd(), &path), |file| Ok(Opened::File(file))) {
                Ok(Opened::File(file)) => {
                    let Some(name) = artifact_name(&path) else { return Err(MeasureError::Name(shown())) };
                    let is_of_worker = [DOCUMENT, SIGNATURE].contains(&name.as_str());
                    if !is_of_worker && sender.send((name.as_str().to_owned(), file)).is_err() {
                        return Ok(());
                    }
                }
                // A link to a directory is not entered: its files have names of their own elsewhere.
                Ok(Opened::Directory) if beneath::is_link(root.as_fd(), &path) => {}
                Ok(Opened::Directory) if depth >= DEEPEST => return Err(MeasureError::Depth(shown())),
                Ok(Opened::Directory) => todo.push((path, depth.saturating_add(1))),
                Err(Beyond::Link) => return Err(MeasureError::Link(shown())),
                Err(Beyond::Special) => return Err(MeasureError::Special(shown())),
                Err(Beyond::System(errno)) => return Err(io(&shown(), errno)),
            }
        }
    }
    Ok(())
}

/// The name of what is at a path below the artifact directory. The queue takes names of printable ASCII only.
#[must_use]
pub fn artifact_name(path: &OsStr) -> Option<ArtifactName> {
    let name = ArtifactName::parse(path.to_str()?).ok()?;
    name.as_str().bytes().all(|byte| matches!(byte, b' '..=b'~')).then_some(name)
}

fn hash_all(receiver: &Mutex<mpsc::Receiver<(String, OwnedFd)>>) -> Result<Found, MeasureError> {
    let mut found = Found::new();
    let mut block = vec![0; BLOCK];
    loop {
        let next = match receiver.lock() {
            Ok(receiver) => receiver.recv(),
            Err(_) => return Ok(found),
        };
        let Ok((name, file)) = next else { return Ok(found) };
        let measured = hash(File::from(file), &name, &mut block)?;
        found.insert(name, measured);
    }
}

/// Reads a file to its end. What it is before and after must be the same.
fn hash(mut file: File, name: &str, block: &mut [u8]) -> Result<Measured, MeasureError> {
    let path = Path::new(name);
    let before = Fingerprint::of(&file).map_err(|errno| io(path, errno))?;
    let (mut hasher, mut size) = (Sha256::new(), 0_u64);
    let add = |bytes: &[u8]| {
        hasher.update(bytes);
        size = size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    };
    let read = if before.size < LARGE { each_block(&mut file, block, add) } else { ahead(&mut file, add) };
    read.map_err(|error| io(path, error))?;
    let after = Fingerprint::of(&file).map_err(|errno| io(path, errno))?;
    if before != after || after.size != size {
        return Err(MeasureError::Changed(path.to_owned()));
    }
    Ok(Measured { size, sha256: hasher.finalize().into() })
}

/// Reads to the end, one block after the other.
fn each_block(file: &mut File, block: &mut [u8], mut add: impl FnMut(&[u8])) -> std::io::Result<()> {
    loop {
        match file.read(block) {
            Ok(0) => return Ok(()),
            Ok(read) => add(block.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The same, where a thread reads ahead: one large file would keep only one processor at work.
fn ahead(file: &mut File, mut add: impl FnMut(&[u8])) -> std::io::Result<()> {
    let (full_sender, full) = mpsc::sync_channel::<Vec<u8>>(BLOCKS_AHEAD);
    let (empty, empty_receiver) = mpsc::channel::<Vec<u8>>();
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut first = vec![0; BLOCK];
            each_block(file, &mut first, |bytes| {
                let mut filled = empty_receiver.try_recv().unwrap_or_default();
                filled.clear();
                filled.extend_from_slice(bytes);
                // The one who hashes takes all blocks.
                let _ = full_sender.send(filled);
            })
        });
        for block in full {
            add(&block);
            let _ = empty.send(block);
        }
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn listed(folder: &tempfile::TempDir) -> Vec<String> {
        measure(folder.path()).unwrap().into_keys().collect()
    }

    #[test]
    fn every_file_is_measured_by_its_path() {
        let folder = folder(&[("public/a", "abc"), ("public/.hidden", ""), ("private/logs/x.log", "y")]);
        let found = measure(folder.path()).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), ["private/logs/x.log", "public/.hidden", "public/a"]);
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((hex::encode(found["public/a"].sha256).as_str(), found["public/a"].size), (abc, 3));
        assert_eq!(found["public/.hidden"].size, 0);
    }

    #[test]
    fn many_files_are_measured_once_each() {
        let names: Vec<String> = (0..500).map(|number| format!("public/{}/{number}", number % 7)).collect();
        let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
        let found = measure(folder(&files).path()).unwrap();
        assert_eq!(found.len(), 500);
        for (name, measured) in found {
            assert_eq!(measured.sha256, <[u8; 32]>::from(Sha256::digest(&name)));
        }
    }

    #[test]
    fn a_document_of_the_task_is_not_listed() {
        let folder =
            folder(&[(DOCUMENT, "{}"), (SIGNATURE, "x"), ("public/a", ""), ("chain-of-trust.json", "")]);
        assert_eq!(listed(&folder), ["chain-of-trust.json", "public/a"]);
    }

    #[test]
    fn links_inside_are_files_and_links_outside_are_errors() {
        let inside = folder(&[("public/a", "abc")]);
        symlink("a", inside.path().join("public/b")).unwrap();
        symlink("public", inside.path().join("again")).unwrap();
        assert_eq!(listed(&inside), ["public/a", "public/b"]);
        for target in ["../../etc/passwd", "/etc/passwd", "x"] {
            let outside = folder(&[("y", "")]);
            symlink(target, outside.path().join("x")).unwrap();
            let refused = measure(outside.path());
            assert!(
                matches!(&refused, Err(MeasureError::Link(path)) if path == Path::new("x")),
                "{refused:?}"
            );
        }
    }

    #[test]
    fn only_regular_files_can_be_artifacts() {
        let folder = folder(&[("a", "")]);
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        assert!(matches!(measure(folder.path()), Err(MeasureError::Special(_))));
    }

    #[test]
    fn names_are_those_that_the_queue_takes() {
        for name in ["ü", "a\nb", "a\\b"] {
            let refused = measure(folder(&[(name, "")]).path());
            assert!(matches!(refused, Err(MeasureError::Name(_))), "{name:?}");
        }
    }
}
