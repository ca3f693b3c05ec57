//! A tree moved into a directory, over what stands there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why a tree could not be moved into place.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A directory stands where a file or a link would go.
    #[error("{path} is a directory, and something else would replace it", path = path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// The file system.
    #[error("cannot move {path} into place: {source}", path = path.display())]
    Disk {
        /// What could not be moved.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Moves everything in a directory into another one on the same file system. Of a directory that stands there
/// only what has the same name is replaced; a link that stands there is replaced and never followed.
///
/// # Errors
/// A directory that stands where something else would go, and what the file system says. What was moved before
/// stays where it is.
pub fn merge(from: &Path, into: &Path) -> Result<(), MergeError> {
    let failed = |source| MergeError::Disk { path: into.to_owned(), source };
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        place(&entry.path(), &into.join(entry.file_name()))?;
    }
    Ok(())
}

/// Moves one file to a path below a directory on the same file system, as if it came in a tree of its own.
///
/// # Errors
/// As [`merge`].
pub fn merge_file(from: &Path, into: &Path, at: &Path) -> Result<(), MergeError> {
    let mut directory = into.to_owned();
    for part in at.parent().into_iter().flat_map(Path::components) {
        directory.push(part);
        make_directory(&directory)?;
    }
    place(from, &into.join(at))
}

fn make_directory(at: &Path) -> Result<(), MergeError> {
    let failed = |source| MergeError::Disk { path: at.to_owned(), source };
    match fs::symlink_metadata(at) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => fs::remove_file(at).map_err(failed)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    match fs::create_dir(at) {
        // Somebody else, such as a second fetcher, made it meanwhile.
        Err(error) if is_taken(&error) && fs::symlink_metadata(at).is_ok_and(|it| it.is_dir()) => Ok(()),
        made => made.map_err(failed),
    }
}

fn place(from: &Path, to: &Path) -> Result<(), MergeError> {
    let failed = |source| MergeError::Disk { path: to.to_owned(), source };
    let directory = fs::symlink_metadata(from).map_err(failed)?.is_dir();
    let standing = match fs::symlink_metadata(to) {
        Ok(found) => Some(found.is_dir()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    match (directory, standing) {
        (true, Some(true)) => return place_directory(from, to),
        (false, Some(true)) => return Err(MergeError::Directory { path: to.to_owned() }),
        // A directory cannot be renamed over a file; a file can over a file.
        (true, Some(false)) => fs::remove_file(to).map_err(failed)?,
        (_, None) | (false, Some(false)) => {}
    }
    match fs::rename(from, to) {
        // Somebody else, such as a second fetcher, made the directory meanwhile.
        Err(error)
            if directory && is_taken(&error) && fs::symlink_metadata(to).is_ok_and(|it| it.is_dir()) =>
        {
            place_directory(from, to)
        }
        renamed => renamed.map_err(failed),
    }
}

/// A directory over another one, whose permissions become those of the first.
fn place_directory(from: &Path, to: &Path) -> Result<(), MergeError> {
    let failed = |source| MergeError::Disk { path: to.to_owned(), source };
    merge(from, to)?;
    let mode = fs::symlink_metadata(from).map_err(failed)?.permissions();
    fs::set_permissions(to, mode).map_err(failed)
}

fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn files_are_replaced_and_neighbours_stay() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(&from.path().join("a/new"), "new");
        write(&from.path().join("a/both"), "from");
        write(&to.path().join("a/both"), "to");
        write(&to.path().join("a/old"), "old");
        merge(from.path(), to.path()).unwrap();
        let read = |name: &str| fs::read_to_string(to.path().join(name)).unwrap();
        assert_eq!(
            (read("a/new"), read("a/both"), read("a/old")),
            ("new".into(), "from".into(), "old".into())
        );
    }

    #[test]
    fn directories_take_the_permissions_of_what_comes_later() {
        use std::os::unix::fs::PermissionsExt;
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(&from.path().join("a/x"), "");
        write(&to.path().join("a/y"), "");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        fs::set_permissions(from.path().join("a"), fs::Permissions::from_mode(0o750)).unwrap();
        merge(from.path(), to.path()).unwrap();
        assert_eq!(mode(&to.path().join("a")), 0o750);
    }

    #[test]
    fn links_are_replaced_and_not_followed() {
        let (from, to, outside) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(&from.path().join("a/file"), "new");
        write(&from.path().join("b"), "new");
        write(&outside.path().join("victim"), "untouched");
        symlink(outside.path(), to.path().join("a")).unwrap();
        symlink(outside.path().join("victim"), to.path().join("b")).unwrap();
        merge(from.path(), to.path()).unwrap();
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(outside.path().join("victim")).unwrap(), "untouched");
        assert!(fs::symlink_metadata(to.path().join("a")).unwrap().is_dir());
        assert_eq!(fs::read_to_string(to.path().join("b")).unwrap(), "new");
    }

    #[test]
    fn one_file_is_moved_by_the_same_rules() {
        let (from, to, outside) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = from.path().join("file");
        let moved = |at: &str| {
            fs::write(&file, "new").unwrap();
            merge_file(&file, to.path(), Path::new(at))
        };
        write(&outside.path().join("victim"), "untouched");
        symlink(outside.path(), to.path().join("a")).unwrap();
        symlink(outside.path().join("victim"), to.path().join("b")).unwrap();
        write(&to.path().join("d/old"), "old");
        for at in ["a/x/victim", "b", "c", "d/new"] {
            moved(at).unwrap();
            assert_eq!(fs::read_to_string(to.path().join(at)).unwrap(), "new");
        }
        assert_eq!(fs::read_to_string(outside.path().join("victim")).unwrap(), "untouched");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(to.path().join("d/old")).unwrap(), "old");
        assert!(matches!(moved("d"), Err(MergeError::Directory { .. })));
    }

    #[test]
    fn a_directory_is_replaced_by_nothing_else() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        symlink("elsewhere", from.path().join("a")).unwrap();
        write(&to.path().join("a/file"), "old");
        assert!(matches!(merge(from.path(), to.path()), Err(MergeError::Directory { .. })));
        assert_eq!(fs::read_to_string(to.path().join("a/file")).unwrap(), "old");
    }
}
