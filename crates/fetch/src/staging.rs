//! Keeping artifacts: what streams in is written beside its final place, and only what a verdict
//! vouches for is moved there.

mod claim;
mod flush;

use catena_core::digest::Measurement;
use catena_core::task::{ArtifactName, RunId, TaskId};
use catena_core::verdict::{Outcome, Verdict, VerifiedArtifact};
use claim::{Claim, PREFIX};
use flush::{Ahead, Flusher};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::{TempDir, TempPath};

/// One artifact of one run.
type Key = (TaskId, RunId, ArtifactName);

/// A folder `DIR/.catena-<random>/` that only we read, on the file system of `DIR/cot`. It is
/// removed when dropped, with everything in it that was not published. What a verifier left that was
/// killed goes when the next one begins.
#[derive(Debug)]
pub struct Staging {
    work_dir: PathBuf,
    folder: TempDir,
    /// Tells others that the folder is in use; it goes after the folder.
    _claim: Claim,
    counter: AtomicU64,
    held: Mutex<BTreeMap<Key, Held>>,
    flusher: Flusher,
}

/// An artifact that arrived whole.
#[derive(Debug)]
struct Held {
    path: TempPath,
    measurement: Measurement,
}

/// What was moved to its final place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The files, in the verdict's order.
    pub files: Vec<PathBuf>,
    /// Verified artifacts of which no bytes are held: the verdict was made from a recording.
    pub not_held: Vec<(TaskId, ArtifactName)>,
}

/// Why artifacts were not moved to their final place.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The verdict is not "verified"; nothing was moved.
    #[error("only a verified task's artifacts are kept")]
    NotVerified,
    /// The bytes that are held are not those the verdict vouches for; nothing was moved.
    #[error("the bytes held of {name} of task {task_id} are not the ones that were verified")]
    Differs {
        /// The task.
        task_id: TaskId,
        /// The artifact.
        name: ArtifactName,
    },
    /// Something stands where a directory should be: a file, or a link that leads elsewhere.
    #[error("{} is not a directory (symbolic links are not followed)", .0.display())]
    NotDirectory(PathBuf),
    /// A directory stands where a file should be.
    #[error("{} is a directory", .0.display())]
    Directory(PathBuf),
    /// The file system.
    #[error("cannot write {}: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

impl Staging {
    /// Makes a staging folder in a work directory, and the work directory where there is none.
    ///
    /// # Errors
    /// The work directory cannot be made or written to.
    pub fn new(work_dir: &Path) -> io::Result<Arc<Self>> {
        fs::create_dir_all(work_dir)?;
        let work_dir = work_dir.canonicalize()?;
        claim::sweep(&work_dir);
        let folder = private_folder(&work_dir)?;
        let claim = Claim::on(folder.path())?;
        let flusher = Flusher::default();
        let (counter, held) = (AtomicU64::new(0), Mutex::new(BTreeMap::new()));
        Ok(Arc::new(Self { work_dir, folder, _claim: claim, counter, held, flusher }))
    }

    /// A file to stream an artifact into.
    pub(crate) fn begin(&self) -> io::Result<StagedFile> {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.path().join(number.to_string());
        let file = File::options().write(true).create_new(true).open(&path)?;
        let path = TempPath::try_from_path(path)?;
        Ok(StagedFile { path, file: BufWriter::with_capacity(64 << 10, file), ahead: self.flusher.ahead() })
    }

    /// Keeps what arrived whole until the verdict.
    pub(crate) fn hold(&self, key: Key, staged: StagedFile, measurement: Measurement) -> io::Result<()> {
        let path = staged.finish()?;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(key, Held { path, measurement });
        Ok(())
    }

    /// Moves what is vouched for to `DIR/cot/<taskId>/<name>`: everything is checked first, then every
    /// file is flushed to the disk, then all are renamed. So whatever a final name leads to is whole, even
    /// after the machine has lost its power; the names themselves may be lost with it, which is why
    /// nothing waits for them. A file that stands there is replaced in one step. What is not vouched for
    /// stays behind and goes with the folder.
    ///
    /// # Errors
    /// A verdict other than "verified", with which nothing is moved; bytes that are not those the
    /// verdict vouches for; anything that stands in the way of the final places.
    pub fn publish(&self, verdict: &Verdict) -> Result<Published, PublishError> {
        if verdict.outcome == Outcome::Verified {
            self.settle(&verdict.artifacts)
        } else {
            Err(PublishError::NotVerified)
        }
    }

    fn settle(&self, vouched: &[VerifiedArtifact]) -> Result<Published, PublishError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut published = Published::default();
        let mut moves = Vec::new();
        for artifact in vouched {
            let key = (artifact.task_id, artifact.run_id, artifact.name.clone());
            match held.get(&key) {
                None => published.not_held.push((artifact.task_id, artifact.name.clone())),
                Some(held) if !is_the_same(held, artifact) => {
                    return Err(PublishError::Differs {
                        task_id: artifact.task_id,
                        name: artifact.name.clone(),
                    });
                }
                Some(_) => moves.push((key, self.prepare(artifact)?)),
            }
        }
        // An artifact that is vouched for twice is moved once.
        let moves: Vec<_> =
            moves.into_iter().filter_map(|(key, target)| Some((held.remove(&key)?, target))).collect();
        for (held, target) in &moves {
            set_mode(&held.path, 0o644).map_err(|error| PublishError::Io { path: target.clone(), error })?;
        }
        self.flush(moves.iter().map(|(held, _)| held.path.as_ref()))?;
        for (held, target) in moves {
            let renamed = held.path.persist(&target);
            renamed.map_err(|error| PublishError::Io { path: target.clone(), error: error.error })?;
            published.files.push(target);
        }
        Ok(published)
    }

    /// Files are on the disk when this returns.
    fn flush<'a>(&self, paths: impl Iterator<Item = &'a Path>) -> Result<(), PublishError> {
        let paths: Vec<&Path> = paths.collect();
        self.flusher.flush(&paths).map_err(|(path, error)| PublishError::Io { path, error })
    }

    /// The final place of an artifact, its directory made.
    fn prepare(&self, artifact: &VerifiedArtifact) -> Result<PathBuf, PublishError> {
        let mut directory = self.work_dir.join("cot");
        make_directory(&directory)?;
        directory.push(artifact.task_id.as_str());
        make_directory(&directory)?;
        // An `ArtifactName` has only plain segments.
        let (parents, file) = artifact.name.as_str().rsplit_once('/').unwrap_or(("", artifact.name.as_str()));
        for segment in parents.split('/').filter(|segment| !segment.is_empty()) {
            directory.push(segment);
            make_directory(&directory)?;
        }
        let target = directory.join(file);
        match fs::symlink_metadata(&target) {
            Ok(found) if found.is_dir() => Err(PublishError::Directory(target)),
            _ => Ok(target),
        }
    }
}

fn is_the_same(held: &Held, artifact: &VerifiedArtifact) -> bool {
    held.measurement.length == artifact.length
        && held.measurement.like(&artifact.digest) == Some(artifact.digest)
}

/// Makes one directory, mode 0755. What stands there must be a directory itself, not
/// a link to one. Whoever can put a link there between this look and the rename can write to the
/// work directory anyway.
fn make_directory(path: &Path) -> Result<(), PublishError> {
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
fn private_folder(work_dir: &Path) -> io::Result<TempDir> {
    use std::os::unix::fs::PermissionsExt;
    let ours = fs::Permissions::from_mode(0o700);
    tempfile::Builder::new().prefix(PREFIX).permissions(ours).tempdir_in(work_dir)
}

#[cfg(not(unix))]
fn private_folder(work_dir: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(PREFIX).tempdir_in(work_dir)
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Modes are a Unix notion.
#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

/// An artifact on its way in. Dropped, it is gone.
#[derive(Debug)]
pub(crate) struct StagedFile {
    path: TempPath,
    file: BufWriter<File>,
    ahead: Ahead,
}

impl StagedFile {
    /// Appends. It blocks as long as the page cache takes; streaming waits for the body's next chunk
    /// far longer than for this.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.ahead.written(self.file.get_ref(), bytes.len());
        Ok(())
    }

    fn finish(self) -> io::Result<TempPath> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        self.ahead.ended(file);
        Ok(self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::measure;
    use catena_core::digest::Digest;

    fn task_id() -> TaskId {
        TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap()
    }

    fn hold(staging: &Staging, name: &str, bytes: &[u8]) -> VerifiedArtifact {
        let name = ArtifactName::parse(name).unwrap();
        let mut file = staging.begin().unwrap();
        file.write(bytes).unwrap();
        let measurement = measure(bytes, false);
        staging.hold((task_id(), RunId(0), name.clone()), file, measurement).unwrap();
        let digest = Digest::Sha256(measurement.sha256);
        VerifiedArtifact { task_id: task_id(), run_id: RunId(0), name, digest, length: measurement.length }
    }

    fn files(path: &Path) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![path.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path)
                } else {
                    found.push(path.display().to_string())
                }
            }
        }
        found.sort();
        found
    }

    #[test]
    fn only_what_is_vouched_for_reaches_its_place() {
        let work = tempfile::tempdir().unwrap();
        let staging = Staging::new(work.path()).unwrap();
        let good = hold(&staging, "public/build/target.tar.xz", b"good");
        hold(&staging, "public/build/other", b"other");
        assert!(!work.path().join("cot").exists());
        let published = staging.settle(&[good.clone(), good]).unwrap();
        let target = work.path().join("cot").join(task_id().as_str()).join("public/build/target.tar.xz");
        assert_eq!(published.files.len(), 1);
        assert_eq!(fs::read(&target).unwrap(), b"good");
        drop(staging);
        assert_eq!(files(work.path()), [target.display().to_string()]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o644);
            let folder = target.parent().unwrap();
            assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o755);
            let staging = Staging::new(work.path()).unwrap();
            assert_eq!(fs::metadata(staging.folder.path()).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn another_digest_or_length_moves_nothing() {
        let work = tempfile::tempdir().unwrap();
        let staging = Staging::new(work.path()).unwrap();
        let good = hold(&staging, "public/a", b"good");
        let digest = VerifiedArtifact { digest: Digest::Sha256([0; 32]), ..hold(&staging, "public/b", b"b") };
        let length = VerifiedArtifact { length: 3, ..hold(&staging, "public/c", b"c") };
        let unmeasured =
            VerifiedArtifact { digest: Digest::Sha512([0; 64]), ..hold(&staging, "public/d", b"d") };
        for wrong in [digest, length, unmeasured] {
            let result = staging.settle(&[good.clone(), wrong]);
            assert!(matches!(result, Err(PublishError::Differs { .. })));
        }
        drop(staging);
        assert_eq!(files(work.path()), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_held_is_said() {
        let work = tempfile::tempdir().unwrap();
        let staging = Staging::new(work.path()).unwrap();
        let other_run = VerifiedArtifact { run_id: RunId(1), ..hold(&staging, "public/a", b"good") };
        let published = staging.settle(std::slice::from_ref(&other_run)).unwrap();
        assert_eq!(published, Published { files: vec![], not_held: vec![(task_id(), other_run.name)] });
    }

    #[test]
    fn a_file_is_replaced_and_a_directory_is_not() {
        let work = tempfile::tempdir().unwrap();
        let folder = work.path().join("cot").join(task_id().as_str()).join("public");
        fs::create_dir_all(folder.join("taken")).unwrap();
        fs::write(folder.join("a"), b"old and longer").unwrap();
        let staging = Staging::new(work.path()).unwrap();
        staging.settle(&[hold(&staging, "public/a", b"new")]).unwrap();
        assert_eq!(fs::read(folder.join("a")).unwrap(), b"new");
        let taken = hold(&staging, "public/taken", b"x");
        assert!(matches!(staging.settle(&[taken]), Err(PublishError::Directory(_))));
        let below_a_file = hold(&staging, "public/a/b", b"x");
        assert!(matches!(staging.settle(&[below_a_file]), Err(PublishError::NotDirectory(_))));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        use std::os::unix::fs::symlink;
        for at in ["cot", "cot/IFn9x5gaQz-HXl2pa7Ny_w", "cot/IFn9x5gaQz-HXl2pa7Ny_w/public"] {
            let (work, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let link = work.path().join(at);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(outside.path(), &link).unwrap();
            let staging = Staging::new(work.path()).unwrap();
            let result = staging.settle(&[hold(&staging, "public/a", b"x")]);
            assert!(matches!(result, Err(PublishError::NotDirectory(_))), "{at}: {result:?}");
            assert_eq!(files(outside.path()), Vec::<String>::new());
        }
        let (work, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folder = work.path().join("cot").join(task_id().as_str()).join("public");
        fs::create_dir_all(&folder).unwrap();
        fs::write(outside.path().join("b"), b"theirs").unwrap();
        symlink(outside.path().join("b"), folder.join("a")).unwrap();
        let staging = Staging::new(work.path()).unwrap();
        staging.settle(&[hold(&staging, "public/a", b"ours")]).unwrap();
        assert_eq!(fs::read(outside.path().join("b")).unwrap(), b"theirs");
        assert!(!folder.join("a").is_symlink());
    }

    #[test]
    fn many_make_the_same_directories() {
        let work = tempfile::tempdir().unwrap();
        let publish = |number: usize| {
            let staging = Staging::new(work.path()).unwrap();
            let deep = format!("public/{}/a", (0..20).map(|n| n.to_string()).collect::<Vec<_>>().join("/"));
            let artifact = hold(&staging, &deep, b"same");
            staging.settle(&[artifact]).map_err(|error| format!("{number}: {error}"))
        };
        std::thread::scope(|scope| {
            let running: Vec<_> = (0..8).map(|number| scope.spawn(move || publish(number))).collect();
            for thread in running {
                thread.join().unwrap().unwrap();
            }
        });
        assert_eq!(files(work.path()).len(), 1);
    }

    #[test]
    fn an_unfinished_file_is_gone() {
        let work = tempfile::tempdir().unwrap();
        let staging = Staging::new(work.path()).unwrap();
        let empty = files(work.path());
        let mut file = staging.begin().unwrap();
        file.write(b"half").unwrap();
        assert_eq!(files(work.path()).len(), empty.len() + 1);
        drop(file);
        assert_eq!(files(work.path()), empty);
        drop(staging);
        assert_eq!(files(work.path()), Vec::<String>::new());
    }
}
