//! The directories of a worker, and the files that a script finds there.

use crate::config::Directories;
use catena_json::{Map, Value};
use catena_taskcluster::TaskRun;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The task that the script is to run.
const TASK_FILE: &str = "task.json";
/// Which run of which task it is; nobody reads it.
const RUN_FILE: &str = "current_task_info.json";

/// A directory cannot be emptied or written to.
#[derive(Debug, thiserror::Error)]
#[error("{}: {cause}", path.display())]
pub struct WorkDirError {
    /// The directory or file.
    pub path: PathBuf,
    /// Why not.
    pub cause: io::Error,
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> WorkDirError {
    let path = path.to_owned();
    move |cause| WorkDirError { path, cause }
}

impl Directories {
    /// The same directories by names without links. They are made where they are missing.
    ///
    /// # Errors
    /// The first that cannot be made.
    pub fn resolved(&self) -> Result<Self, WorkDirError> {
        let resolve = |path: &Path| {
            let made = fs::create_dir_all(path).and_then(|()| path.canonicalize());
            made.map_err(failed(path))
        };
        Ok(Self {
            work: resolve(&self.work)?,
            artifacts: resolve(&self.artifacts)?,
            task_logs: resolve(&self.task_logs)?,
            logs: self.logs.clone(),
        })
    }

    /// Makes the directories of a task anew, with nothing in them. A directory that is a mount point stays, and
    /// only what is in it goes. A link is not followed: a script put it there, once the names are those of
    /// [`Directories::resolved`].
    ///
    /// # Errors
    /// The first that cannot be emptied or made.
    pub fn empty(&self) -> Result<(), WorkDirError> {
        for path in [&self.work, &self.artifacts, &self.task_logs] {
            empty(path).map_err(failed(path))?;
        }
        Ok(())
    }

    /// Writes what a script reads about its task.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_task(&self, task: &Value, run: TaskRun) -> Result<(), WorkDirError> {
        let mut info = Map::new();
        info.insert("runId", i64::from(run.run_id.0).into());
        info.insert("taskId", run.task_id.as_str().into());
        write(&self.work.join(TASK_FILE), &catena_signing::python_json(task))?;
        write(&self.work.join(RUN_FILE), &catena_signing::python_json(&Value::Object(info)))
    }
}

/// A path without links. What is not there yet keeps its name below what is.
pub(crate) fn without_links(path: &Path) -> io::Result<PathBuf> {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Err(error), Some(parent), Some(name)) if error.kind() == io::ErrorKind::NotFound => {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            Ok(without_links(parent)?.join(name))
        }
        (resolved, ..) => resolved,
    }
}

/// Writes a new file: never through a link.
fn write(path: &Path, text: &str) -> Result<(), WorkDirError> {
    let mut file = File::options().write(true).create_new(true).open(path).map_err(failed(path))?;
    file.write_all(text.as_bytes()).map_err(failed(path))
}

fn empty(path: &Path) -> io::Result<()> {
    // A script may have put anything in its place.
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_dir()) {
        fs::remove_file(path)?;
    }
    fs::create_dir_all(path)?;
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_up(path)?;
            fs::read_dir(path)
        }
        other => other,
    };
    for entry in entries? {
        let entry = entry?;
        remove(&entry.path(), entry.file_type()?.is_dir())?;
    }
    Ok(())
}

/// Removes whatever stands there. A script may have left directories that nobody may write to.
fn remove(path: &Path, is_directory: bool) -> io::Result<()> {
    if !is_directory {
        return fs::remove_file(path);
    }
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_up(path)?;
            fs::remove_dir_all(path)
        }
        other => other,
    }
}

/// Lets the owner change everything below a directory. Does not recurse: a script chooses the depth.
fn open_up(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut todo = vec![path.to_owned()];
    while let Some(directory) = todo.pop() {
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                todo.push(entry.path());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_model::task::{RunId, TaskId};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn directories(folder: &Path) -> Directories {
        Directories {
            work: folder.join("work"),
            artifacts: folder.join("artifacts"),
            task_logs: folder.join("artifacts/public/logs"),
            logs: folder.join("logs"),
        }
    }

    fn value(text: &str) -> Value {
        catena_json::parse(text.as_bytes(), &catena_json::Limits::default()).unwrap()
    }

    #[test]
    fn b018_and_b085_the_directories_are_emptied_and_made() {
        let folder = tempfile::tempdir().unwrap();
        let directories = directories(folder.path());
        directories.empty().unwrap();
        let kept = folder.path().join("kept");
        fs::write(&kept, "x").unwrap();
        fs::create_dir_all(directories.work.join("a/b")).unwrap();
        fs::write(directories.work.join("a/b/c"), "").unwrap();
        symlink(&kept, directories.artifacts.join("link")).unwrap();
        symlink(folder.path(), directories.artifacts.join("directory")).unwrap();
        fs::set_permissions(directories.work.join("a/b"), fs::Permissions::from_mode(0o500)).unwrap();
        directories.empty().unwrap();
        assert_eq!(fs::read_dir(&directories.work).unwrap().count(), 0);
        assert_eq!(fs::read_dir(&directories.task_logs).unwrap().count(), 0);
        let names: Vec<_> =
            fs::read_dir(&directories.artifacts).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["public"]);
        assert!(kept.exists(), "a link was followed");
    }

    #[test]
    fn links_that_were_there_at_the_start_stay() {
        let folder = tempfile::tempdir().unwrap();
        let directories = directories(folder.path());
        fs::create_dir(folder.path().join("real")).unwrap();
        symlink(folder.path().join("real"), &directories.work).unwrap();
        let resolved = directories.resolved().unwrap();
        resolved.empty().unwrap();
        assert!(directories.work.is_symlink() && resolved.work.ends_with("real"));
        assert!(resolved.task_logs.is_dir());
    }

    #[test]
    fn whatever_a_script_puts_in_the_place_of_a_directory_goes() {
        let folder = tempfile::tempdir().unwrap();
        let directories = directories(folder.path());
        directories.empty().unwrap();
        fs::remove_dir(&directories.work).unwrap();
        fs::write(&directories.work, "a file").unwrap();
        fs::remove_dir_all(&directories.artifacts).unwrap();
        symlink(folder.path().join("nowhere"), &directories.artifacts).unwrap();
        directories.empty().unwrap();
        assert!(fs::symlink_metadata(&directories.artifacts).unwrap().is_dir() && directories.work.is_dir());
        let elsewhere = folder.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("kept"), "").unwrap();
        fs::remove_dir_all(&directories.artifacts).unwrap();
        symlink(&elsewhere, &directories.artifacts).unwrap();
        directories.empty().unwrap();
        assert!(elsewhere.join("kept").exists() && !directories.artifacts.is_symlink());
        fs::set_permissions(&directories.work, fs::Permissions::from_mode(0o000)).unwrap();
        directories.empty().unwrap();
        fs::write(directories.work.join("x"), "").unwrap();
    }

    #[test]
    fn b035_the_files_have_the_bytes_that_scriptworker_writes() {
        let folder = tempfile::tempdir().unwrap();
        let directories = directories(folder.path());
        directories.empty().unwrap();
        let run = TaskRun { task_id: TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap(), run_id: RunId(0) };
        let task = value(r#"{"b":[],"a":{"ü":1.5,"x":[1,"<"]},"c":{}}"#);
        directories.write_task(&task, run).unwrap();
        let read = |name| fs::read_to_string(directories.work.join(name)).unwrap();
        assert_eq!(
            read(TASK_FILE),
            "{\n  \"a\": {\n    \"x\": [\n      1,\n      \"<\"\n    ],\n    \"\\u00fc\": 1.5\n  },\n  \"b\": [],\n  \"c\": {}\n}"
        );
        assert_eq!(read(RUN_FILE), "{\n  \"runId\": 0,\n  \"taskId\": \"IFn9x5gaQz-HXl2pa7Ny_w\"\n}");
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let told = directories(&folder.path().join("file")).empty().unwrap_err();
        assert!(told.to_string().contains("work"), "{told}");
    }
}
