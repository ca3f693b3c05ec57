//! The destination of data: standard output or a file.

use crate::failure::Failure;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// The destination of data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Standard output.
    Stdout,
    /// A file, which has either all of the data or its previous contents.
    File(PathBuf),
}

/// A number of things, such as "1 error" and "2 errors".
pub(crate) fn counted(number: impl TryInto<u64>, one: &str, many: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{number} {}", if number == 1 { one } else { many })
}

impl Output {
    /// The named file, or standard output; `-` is standard output too.
    pub(crate) fn of(file: Option<PathBuf>) -> Self {
        match file {
            Some(file) if file.as_os_str() != OsStr::new("-") => Self::File(file),
            _ => Self::Stdout,
        }
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// Undetermined (3): the data was not delivered. Silent if the reader of standard output has closed
    /// it.
    pub(crate) fn write(&self, data: &str) -> Result<(), Failure> {
        match self {
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(data.as_bytes()).and_then(|()| stdout.flush()).map_err(|cause| {
                    if cause.kind() == ErrorKind::BrokenPipe {
                        Failure::silent(crate::failure::UNDETERMINED)
                    } else {
                        Failure::undetermined(format!("standard output: {cause}"))
                    }
                })
            }
            Self::File(file) => replace(file, data).map_err(|cause| {
                Failure::undetermined(format!("{}: {cause}", file.display()))
                    .next("name a writable file on a disk with free space")
            }),
        }
    }

    /// Whether the destination is writable, checked before any work is done.
    ///
    /// # Errors
    /// A usage error (2): the directory of the file does not exist or is not a directory.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let Self::File(file) = self else { return Ok(()) };
        if folder(file).is_dir() && !file.is_dir() {
            return Ok(());
        }
        Err(Failure::usage(format!("{}: not a file in an existing directory", file.display()))
            .next("create the directory first"))
    }
}

/// Replaces a file as a whole. Special files (`/dev/stderr`, a pipe) are written to directly.
fn replace(file: &Path, data: &str) -> io::Result<()> {
    if std::fs::metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
        let mut special = File::options().write(true).open(file)?;
        return special.write_all(data.as_bytes());
    }
    let mut staged = tempfile::Builder::new().prefix(".catena-").tempfile_in(folder(file))?;
    readable_by_others(staged.as_file())?;
    staged.write_all(data.as_bytes())?;
    staged.as_file().sync_all()?;
    staged.persist(file).map(drop).map_err(|failed| failed.error)
}

/// Temporary files are private to their owner; a report is an ordinary file.
#[cfg(unix)]
fn readable_by_others(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_others(_: &File) -> io::Result<()> {
    Ok(())
}

fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Writes the output of a command. A reader that closes the output early (`| head`) is not an error.
pub(crate) fn show(data: &str) -> Result<u8, Failure> {
    match Output::Stdout.write(data) {
        Err(failure) if failure != Failure::silent(crate::failure::UNDETERMINED) => Err(failure),
        _ => Ok(crate::failure::DONE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("verdict.json");
        Output::File(file.clone()).write("one").unwrap();
        Output::File(file.clone()).write("two").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let nowhere = Output::File(folder.path().join("missing/verdict.json"));
        assert_eq!(nowhere.check().unwrap_err().status, crate::failure::USAGE);
        assert_eq!(nowhere.write("x").unwrap_err().status, crate::failure::UNDETERMINED);
    }

    #[test]
    fn one_is_not_many() {
        let told = [0_u64, 1, 2].map(|number| counted(number, "error", "errors"));
        assert_eq!(told, ["0 errors", "1 error", "2 errors"]);
    }
}
