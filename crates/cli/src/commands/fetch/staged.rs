//! A directory beside a file that is being made, and the file in its place at the end.

use crate::failure::Failure;
use catena_workdir::ClaimedDir;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A directory on the file system of a file that is being made. The next one removes what a killed process left.
pub(super) struct Staged {
    directory: ClaimedDir,
    target: PathBuf,
}

impl Staged {
    /// For a file, whose directory is made where there is none.
    pub(super) fn of(target: &Path) -> Result<Self, Failure> {
        let parent =
            target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let directory = ClaimedDir::create_in(parent).map_err(|error| disk(parent, &error))?;
        Ok(Self { directory, target: target.to_owned() })
    }

    /// A path in the directory.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A new directory in it.
    pub(super) fn directory(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.path(name);
        fs::create_dir(&path).map_err(|error| disk(&path, &error))?;
        Ok(path)
    }

    /// A new file in it.
    pub(super) fn file(&self, name: &str) -> Result<(PathBuf, File), Failure> {
        let path = self.path(name);
        let file = File::options().read(true).write(true).create_new(true).open(&path);
        let file = file.map_err(|error| disk(&path, &error))?;
        Ok((path, file))
    }

    /// Puts a file in its place.
    pub(super) fn place(&self, from: &Path) -> Result<(), Failure> {
        fs::rename(from, &self.target).map_err(|error| disk(&self.target, &error))
    }
}

/// What the file system says.
pub(super) fn disk(path: &Path, error: &io::Error) -> Failure {
    Failure::coded("fetch-disk", format!("cannot write {}: {error}", path.display()))
        .next("make room, or name another destination")
}
