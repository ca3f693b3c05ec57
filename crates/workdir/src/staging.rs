//! Staging of artifacts: data is written beside its final place while it streams, and only what a
//! clearance covers is moved there.

mod claim;
mod flush;
mod places;

use catena_model::digest::Measurement;
use catena_model::task::{ArtifactName, RunId, TaskId};
use catena_verify::verdict::{ArtifactEvidence, VerifiedArtifact};
use catena_verify::verification::Clearance;
pub use claim::ClaimedDir;
use flush::{Ahead, Flusher};
use places::{Places, make_directory, set_mode};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempPath;

/// One artifact of one run.
type Key = (TaskId, RunId, ArtifactName);

/// A private directory `DIR/.catena-<random>/` on the file system of `DIR/cot`. When dropped, it is
/// removed with everything in it that was not published. The leftovers of a killed verifier are removed
/// when the next one starts.
#[derive(Debug)]
pub struct Staging {
    work_dir: PathBuf,
    target: TaskId,
    folder: ClaimedDir,
    counter: AtomicU64,
    held: Mutex<BTreeMap<Key, Held>>,
    flusher: Flusher,
}

/// A complete artifact.
#[derive(Debug)]
struct Held {
    path: TempPath,
    measurement: Measurement,
}

/// The result of publishing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The files, in the verdict's order.
    pub files: Vec<PathBuf>,
    /// Artifacts without bytes: they were not measured in this run.
    pub not_held: Vec<(TaskId, ArtifactName)>,
}

/// Why artifacts were not moved to their final place.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The clearance belongs to a different task; nothing was moved.
    #[error("task {cleared} is cleared, and the files are staged for task {target}")]
    OtherTarget {
        /// The clearance's task.
        cleared: TaskId,
        /// The files' task.
        target: TaskId,
    },
    /// The staged bytes differ from those that the clearance covers; nothing was moved.
    #[error("the staged bytes of {name} of task {task_id} are not the verified ones")]
    Differs {
        /// The task.
        task_id: TaskId,
        /// The artifact.
        name: ArtifactName,
    },
    /// A file, or a link that leads elsewhere, is in place of a directory.
    #[error("{} is not a directory (symbolic links are not followed)", .0.display())]
    NotDirectory(PathBuf),
    /// Two artifacts of a task would have the same place, because this file system does not distinguish
    /// their names, or because one is a directory of the other; nothing was moved.
    #[error("{name} of task {task_id} collides with another artifact of the task on this file system")]
    Collides {
        /// The task.
        task_id: TaskId,
        /// The second of them.
        name: ArtifactName,
    },
    /// Another verifier is changing the final places and does not finish.
    #[error("timed out waiting for the lock {} of another verifier", .0.display())]
    Busy(PathBuf),
    /// The file system.
    #[error("cannot write {}: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's message.
        error: io::Error,
    },
}

impl Staging {
    /// Creates a staging directory for the verification of a target in a work directory, and the work
    /// directory if it does not exist.
    ///
    /// # Errors
    /// The work directory cannot be created or written to.
    pub fn new(work_dir: &Path, target: TaskId) -> io::Result<Arc<Self>> {
        fs::create_dir_all(work_dir)?;
        let work_dir = work_dir.canonicalize()?;
        let folder = ClaimedDir::create_in(&work_dir)?;
        let flusher = Flusher::default();
        let (counter, held) = (AtomicU64::new(0), Mutex::new(BTreeMap::new()));
        Ok(Arc::new(Self { work_dir, target, folder, counter, held, flusher }))
    }

    /// A file to stream an artifact into.
    pub fn begin(&self) -> io::Result<StagedFile> {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.path().join(number.to_string());
        let file = File::options().write(true).create_new(true).open(&path)?;
        let path = TempPath::try_from_path(path)?;
        Ok(StagedFile { path, file: BufWriter::with_capacity(64 << 10, file), ahead: self.flusher.ahead() })
    }

    /// Keeps what arrived whole until the verdict.
    pub fn hold(&self, key: Key, staged: StagedFile, measurement: Measurement) -> io::Result<()> {
        let path = staged.finish()?;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(key, Held { path, measurement });
        Ok(())
    }

    /// Moves the covered artifacts to `DIR/cot/<taskId>/<name>`: everything is checked first, then
    /// every file is flushed to disk, then they are arranged beside their places, then the directory of
    /// each task is replaced. So a final name always leads to a complete file, even after a power
    /// failure; the names themselves may be lost in one, so nothing waits for them. Nothing else
    /// remains of the chain's tasks or of an earlier "verified" of the target. Files that are not
    /// covered are removed with the staging directory.
    ///
    /// Only a clearance is accepted:
    ///
    /// ```compile_fail,E0308
    /// # use catena_verify::verdict::Verdict;
    /// # use catena_workdir::Staging;
    /// fn published(staging: &Staging, verdict: &Verdict) {
    ///     let _ = staging.publish(verdict);
    /// }
    /// ```
    ///
    /// # Errors
    /// A clearance of another task; bytes that differ from those that the clearance covers; names that
    /// collide; anything that blocks the final places.
    pub fn publish(&self, clearance: &Clearance) -> Result<Published, PublishError> {
        let cleared = clearance.task_id();
        if cleared != self.target {
            return Err(PublishError::OtherTarget { cleared, target: self.target });
        }
        let links: Vec<TaskId> = clearance.tasks().iter().map(|task| task.task_id).collect();
        self.settle(&links, clearance.artifacts())
    }

    /// Replaces the directories of these artifacts, and everything that belongs to them: `links` are
    /// the tasks of the chain, which may have further directories that this clearance does not cover.
    fn settle(&self, links: &[TaskId], vouched: &[VerifiedArtifact]) -> Result<Published, PublishError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut published = Published::default();
        let mut moves = Vec::new();
        for artifact in vouched {
            let key = (artifact.task_id, artifact.run_id, artifact.name.clone());
            match held.get(&key).filter(|_| artifact.evidence == ArtifactEvidence::Measured) {
                None => published.not_held.push((artifact.task_id, artifact.name.clone())),
                Some(held) if !is_the_same(held, artifact) => {
                    return Err(PublishError::Differs {
                        task_id: artifact.task_id,
                        name: artifact.name.clone(),
                    });
                }
                Some(_) => moves.push(key),
            }
        }
        // An artifact that is listed twice is moved once.
        let moves: Vec<_> =
            moves.into_iter().filter_map(|key| Some((held.remove(&key)?, (key.0, key.2)))).collect();
        drop(held);
        for (held, _) in &moves {
            let path = || held.path.to_path_buf();
            set_mode(&held.path, 0o644).map_err(|error| PublishError::Io { path: path(), error })?;
        }
        self.flush(moves.iter().map(|(held, _)| held.path.as_ref()))?;
        let new = self.own("new");
        make_directory(&new)?;
        let tasks: BTreeSet<TaskId> = moves.iter().map(|(_, (task_id, _))| *task_id).collect();
        for (held, (task_id, name)) in moves {
            arrange(held.path, &new, task_id, &name)?;
            published.files.push(self.work_dir.join("cot").join(task_id.as_str()).join(name.as_str()));
        }
        self.replace(links, &tasks, &new)?;
        Ok(published)
    }

    /// Puts new directories in place, and removes other directories of the chain or the target.
    fn replace(&self, links: &[TaskId], tasks: &BTreeSet<TaskId>, new: &Path) -> Result<(), PublishError> {
        if tasks.is_empty() && fs::symlink_metadata(self.work_dir.join("cot")).is_err() {
            return Ok(());
        }
        let mut places = Places::open(&self.work_dir)?;
        let mut old = places.of(self.target);
        old.extend(links.iter().chain(tasks));
        places.check(&old)?;
        places.claim(tasks, self.target)?;
        for task_id in old {
            places.take_away(task_id, &self.own("old"))?;
        }
        for task_id in tasks {
            places.put(*task_id, &new.join(task_id.as_str()))?;
        }
        places.close()
    }

    /// Removes the files of an earlier "verified" of a target in a work directory: after any other
    /// outcome they are no longer verified.
    ///
    /// # Errors
    /// Something there is not a directory, or the file system failed.
    pub fn retract(work_dir: &Path, target: TaskId) -> Result<(), PublishError> {
        if !Places::are_used(work_dir) {
            return Ok(());
        }
        let io = |error| PublishError::Io { path: work_dir.to_owned(), error };
        let staging = Self::new(work_dir, target).map_err(io)?;
        let places = Places::open(&staging.work_dir)?;
        let old = places.of(target);
        places.check(&old)?;
        for task_id in old {
            places.take_away(task_id, &staging.own("old"))?;
        }
        places.close()
    }

    /// A path in the directory with a unique name.
    fn own(&self, name: &str) -> PathBuf {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        self.folder.path().join(format!("{name}-{number}"))
    }

    /// Files are on the disk when this returns.
    fn flush<'a>(&self, paths: impl Iterator<Item = &'a Path>) -> Result<(), PublishError> {
        let paths: Vec<&Path> = paths.collect();
        self.flusher.flush(&paths).map_err(|(path, error)| PublishError::Io { path, error })
    }
}

/// Moves a file to its place in a tree of new directories, which only has files of this verdict: an
/// existing file has a name that this file system does not distinguish.
fn arrange(file: TempPath, new: &Path, task_id: TaskId, name: &ArtifactName) -> Result<(), PublishError> {
    let mut directory = new.join(task_id.as_str());
    make_directory(&directory)?;
    // An `ArtifactName` has only plain segments.
    let (parents, last) = name.as_str().rsplit_once('/').unwrap_or(("", name.as_str()));
    let collides = || PublishError::Collides { task_id, name: name.clone() };
    for segment in parents.split('/').filter(|segment| !segment.is_empty()) {
        directory.push(segment);
        make_directory(&directory).map_err(|error| match error {
            PublishError::NotDirectory(_) => collides(),
            other => other,
        })?;
    }
    let place = directory.join(last);
    if fs::symlink_metadata(&place).is_ok() {
        return Err(collides());
    }
    file.persist_noclobber(&place)
        .map_err(|error| PublishError::Io { path: place.clone(), error: error.error })
}

fn is_the_same(held: &Held, artifact: &VerifiedArtifact) -> bool {
    Some(held.measurement.length) == artifact.length
        && held.measurement.like(&artifact.digest) == Some(artifact.digest)
}

/// An artifact in transfer. When dropped, it is removed.
#[derive(Debug)]
pub struct StagedFile {
    path: TempPath,
    file: BufWriter<File>,
    ahead: Ahead,
}

impl StagedFile {
    /// Appends. It blocks as long as the page cache takes; streaming waits for the body's next chunk
    /// far longer than for this.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
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
    use catena_model::digest::Digest;
    use sha2::{Digest as _, Sha256};

    fn task_id() -> TaskId {
        TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap()
    }

    fn hold(staging: &Staging, name: &str, bytes: &[u8]) -> VerifiedArtifact {
        let name = ArtifactName::parse(name).unwrap();
        let mut file = staging.begin().unwrap();
        file.write(bytes).unwrap();
        let length = u64::try_from(bytes.len()).unwrap();
        let measurement = Measurement { length, sha256: Sha256::digest(bytes).into(), sha512: None };
        staging.hold((task_id(), RunId(0), name.clone()), file, measurement).unwrap();
        let digest = Digest::Sha256(measurement.sha256);
        let (length, evidence) = (Some(measurement.length), ArtifactEvidence::Measured);
        VerifiedArtifact { task_id: task_id(), run_id: RunId(0), name, digest, length, evidence }
    }

    fn target() -> TaskId {
        TaskId::parse("fN1SbArXTPSVFUUvaOlinQ").unwrap()
    }

    fn settle(staging: &Staging, vouched: &[VerifiedArtifact]) -> Result<Published, PublishError> {
        staging.settle(&[target(), task_id()], vouched)
    }

    /// All files except the record.
    fn files(path: &Path) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![path.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.ends_with("cot/.catena") {
                    continue;
                }
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
    fn only_covered_artifacts_are_published() {
        let work = tempfile::tempdir().unwrap();
        let staging = Staging::new(work.path(), target()).unwrap();
        let good = hold(&staging, "public/build/target.tar.xz", b"good");
        hold(&staging, "public/build/other", b"other");
        assert!(!work.path().join("cot").exists());
        let published = settle(&staging, &[good.clone(), good]).unwrap();
        let place = work.path().join("cot").join(task_id().as_str()).join("public/build/target.tar.xz");
        assert_eq!(published.files.len(), 1);
        assert_eq!(fs::read(&place).unwrap(), b"good");
        drop(staging);
        assert_eq!(files(work.path()), [place.display().to_string()]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o644);
            let folder = place.parent().unwrap();
            assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o755);
            let staging = Staging::new(work.path(), target()).unwrap();
            assert_eq!(fs::metadata(staging.folder.path()).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn another_digest_or_length_moves_nothing() {
        let work = tempfile::tempdir().unwrap();
        let staging = Staging::new(work.path(), target()).unwrap();
        let good = hold(&staging, "public/a", b"good");
        let digest = VerifiedArtifact { digest: Digest::Sha256([0; 32]), ..hold(&staging, "public/b", b"b") };
        let length = VerifiedArtifact { length: Some(3), ..hold(&staging, "public/c", b"c") };
        let unmeasured =
            VerifiedArtifact { digest: Digest::Sha512([0; 64]), ..hold(&staging, "public/d", b"d") };
        for wrong in [digest, length, unmeasured] {
            let result = settle(&staging, &[good.clone(), wrong]);
            assert!(matches!(result, Err(PublishError::Differs { .. })));
        }
        drop(staging);
        assert_eq!(files(work.path()), Vec::<String>::new());
    }

    #[test]
    fn artifacts_without_bytes_are_reported() {
        let work = tempfile::tempdir().unwrap();
        let staging = Staging::new(work.path(), target()).unwrap();
        let other_run = VerifiedArtifact { run_id: RunId(1), ..hold(&staging, "public/a", b"good") };
        let published = settle(&staging, std::slice::from_ref(&other_run)).unwrap();
        assert_eq!(published, Published { files: vec![], not_held: vec![(task_id(), other_run.name)] });
    }

    /// Existing files of a task, of an earlier verdict or of unknown origin, are replaced with the
    /// directory.
    #[test]
    fn a_directory_is_replaced_as_a_whole() {
        let work = tempfile::tempdir().unwrap();
        let folder = work.path().join("cot").join(task_id().as_str()).join("public");
        fs::create_dir_all(folder.join("taken")).unwrap();
        fs::write(folder.join("a"), b"old and longer").unwrap();
        fs::write(folder.join("taken/stale"), b"of a former run").unwrap();
        let staging = Staging::new(work.path(), target()).unwrap();
        let new = [hold(&staging, "public/a", b"new"), hold(&staging, "public/taken", b"x")];
        settle(&staging, &new).unwrap();
        assert_eq!(
            (fs::read(folder.join("a")).unwrap(), fs::read(folder.join("taken")).unwrap().len()),
            (b"new".to_vec(), 1)
        );
        assert_eq!(files(&work.path().join("cot")).len(), 2);
        settle(&staging, &[hold(&staging, "public/a/b", b"x")]).unwrap();
        assert_eq!(files(&work.path().join("cot")), [folder.join("a/b").display().to_string()]);
        drop(staging);
        assert_eq!(files(work.path()).len(), 1);
    }

    /// Tasks of the chain without covered artifacts, and leftovers of an earlier "verified" of the
    /// target.
    #[test]
    fn artifacts_no_longer_covered_are_removed() {
        let work = tempfile::tempdir().unwrap();
        let cot = work.path().join("cot");
        let staging = Staging::new(work.path(), target()).unwrap();
        let other = TaskId::parse("aLg2l0ZYS5OX4CItxpN0Qg").unwrap();
        let of_other = |name: &str| {
            let artifact = VerifiedArtifact { task_id: other, ..hold(&staging, name, b"x") };
            let held = staging.held.lock().unwrap().remove(&(task_id(), RunId(0), artifact.name.clone()));
            staging.held.lock().unwrap().insert((other, RunId(0), artifact.name.clone()), held.unwrap());
            artifact
        };
        settle(&staging, &[hold(&staging, "public/a", b"1"), of_other("public/b")]).unwrap();
        assert_eq!(files(&cot).len(), 2);
        // The chain no longer has this link, and the target's earlier verdict published it.
        settle(&staging, &[hold(&staging, "public/c", b"2")]).unwrap();
        assert_eq!(files(&cot), [cot.join(task_id().as_str()).join("public/c").display().to_string()]);
        // A link of the chain that another verification published.
        let elsewhere = cot.join(target().as_str()).join("public");
        fs::create_dir_all(&elsewhere).unwrap();
        fs::write(elsewhere.join("d"), b"of a former run").unwrap();
        settle(&staging, &[of_other("public/b")]).unwrap();
        assert_eq!(files(&cot), [cot.join(other.as_str()).join("public/b").display().to_string()]);
        settle(&staging, &[]).unwrap();
        assert_eq!(files(&cot), Vec::<String>::new());
    }

    #[test]
    fn after_another_outcome_nothing_of_the_target_remains() {
        let work = tempfile::tempdir().unwrap();
        Staging::retract(work.path(), target()).unwrap();
        assert_eq!(fs::read_dir(work.path()).unwrap().count(), 0);
        let cot = work.path().join("cot");
        let staging = Staging::new(work.path(), target()).unwrap();
        settle(&staging, &[hold(&staging, "public/a", b"1")]).unwrap();
        let theirs = cot.join("aLg2l0ZYS5OX4CItxpN0Qg");
        fs::create_dir(&theirs).unwrap();
        fs::write(theirs.join("x"), b"of another target").unwrap();
        Staging::retract(work.path(), task_id()).unwrap();
        assert_eq!(files(&cot).len(), 2, "nothing is there for that target");
        Staging::retract(work.path(), target()).unwrap();
        assert_eq!(files(&cot), [theirs.join("x").display().to_string()]);
        // The last verification of a task determines its directory.
        settle(&staging, &[hold(&staging, "public/a", b"1")]).unwrap();
        let later = TaskId::parse("aLg2l0ZYS5OX4CItxpN0Qg").unwrap();
        let of_later = Staging::new(work.path(), later).unwrap();
        of_later.settle(&[], &[hold(&of_later, "public/b", b"2")]).unwrap();
        Staging::retract(work.path(), target()).unwrap();
        assert!(cot.join(task_id().as_str()).join("public/b").exists());
        Staging::retract(work.path(), later).unwrap();
        assert_eq!(files(&cot), [theirs.join("x").display().to_string()]);
    }

    #[test]
    fn names_that_collide_move_nothing() {
        let work = tempfile::tempdir().unwrap();
        let staging = Staging::new(work.path(), target()).unwrap();
        for names in [["public/a", "public/a/b"], ["public/a/b", "public/a"]] {
            let artifacts = names.map(|name| hold(&staging, name, b"x"));
            let result = settle(&staging, &artifacts);
            assert!(matches!(result, Err(PublishError::Collides { .. })), "{result:?}");
            assert!(!work.path().join("cot").exists());
        }
    }

    #[test]
    fn unmeasured_artifacts_are_not_published() {
        let work = tempfile::tempdir().unwrap();
        let staging = Staging::new(work.path(), target()).unwrap();
        for evidence in [ArtifactEvidence::Named, ArtifactEvidence::Recalled] {
            let artifact = VerifiedArtifact { evidence, ..hold(&staging, "public/a", b"x") };
            let published = settle(&staging, std::slice::from_ref(&artifact)).unwrap();
            assert_eq!(published, Published { files: vec![], not_held: vec![(task_id(), artifact.name)] });
        }
        assert!(!work.path().join("cot").exists());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        use std::os::unix::fs::symlink;
        for at in ["cot", "cot/.catena", "cot/IFn9x5gaQz-HXl2pa7Ny_w", "cot/fN1SbArXTPSVFUUvaOlinQ"] {
            let (work, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            fs::write(outside.path().join("b"), b"theirs").unwrap();
            let link = work.path().join(at);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(outside.path(), &link).unwrap();
            let staging = Staging::new(work.path(), target()).unwrap();
            let result = settle(&staging, &[hold(&staging, "public/a", b"x")]);
            assert!(matches!(result, Err(PublishError::NotDirectory(_))), "{at}: {result:?}");
            assert_eq!(files(outside.path()).len(), 1, "{at}");
            assert!(link.is_symlink(), "{at}");
        }
        // Inside a directory that is replaced, and inside one that is removed.
        let (work, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(outside.path().join("b"), b"theirs").unwrap();
        let folder = work.path().join("cot").join(task_id().as_str());
        fs::create_dir_all(&folder).unwrap();
        symlink(outside.path(), folder.join("public")).unwrap();
        let staging = Staging::new(work.path(), target()).unwrap();
        settle(&staging, &[hold(&staging, "public/b", b"ours")]).unwrap();
        assert!(!folder.join("public").is_symlink());
        symlink(outside.path(), folder.join("link")).unwrap();
        Staging::retract(work.path(), target()).unwrap();
        drop(staging);
        assert!(!folder.exists());
        assert_eq!(fs::read(outside.path().join("b")).unwrap(), b"theirs");
    }

    #[test]
    fn many_make_the_same_directories() {
        let work = tempfile::tempdir().unwrap();
        let publish = |number: usize| {
            let staging = Staging::new(work.path(), target()).unwrap();
            let deep = format!("public/{}/a", (0..20).map(|n| n.to_string()).collect::<Vec<_>>().join("/"));
            let artifact = hold(&staging, &deep, b"same");
            settle(&staging, &[artifact]).map_err(|error| format!("{number}: {error}"))
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
        let staging = Staging::new(work.path(), target()).unwrap();
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
