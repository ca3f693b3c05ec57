//! Files that hold a private key.

use catena_keys::{KeyError, SigningKey};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The largest file that is read as a key. The PEM of an Ed25519 key has 119 bytes.
const LARGEST: u64 = 4096;

/// How a private key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// The base64 of the 32-byte seed without a line break, as generic-worker and scriptworker write it.
    Base64,
    /// PKCS#8 in PEM, as OpenSSL writes it.
    Pem,
}

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be opened, read or written.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// Users other than the owner can read or change the file.
    #[error("{} has mode {mode:04o}: users other than its owner may use the key; run: chmod 600 {}", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The path leads to a directory, a device, a socket or a FIFO.
    #[error("{} is not a regular file", .0.display())]
    NotAFile(PathBuf),
    /// The file is larger than a key can be.
    #[error("{} has {size} bytes; a private key has less than {LARGEST}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// The file does not hold a private key. Nothing of its content is shown.
    #[error("{} does not hold an Ed25519 private key: {cause}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: KeyError,
    },
    /// A file is there already.
    #[error("{} exists already; a key that is overwritten is lost", .0.display())]
    Exists(PathBuf),
}

/// Reads a private key. A link to the file is followed, since secrets are often mounted so; what counts are
/// the permissions of the file that was opened.
///
/// # Errors
/// The file cannot be read, is not a regular file, is open to others than its owner, is too large, or does
/// not hold a key.
pub fn read_key(path: &Path) -> Result<SigningKey, KeyFileError> {
    let failed = |cause: io::Error| KeyFileError::Io { action: "read", path: path.to_owned(), cause };
    // Opening a FIFO must not wait for its writer.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut file =
        File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| failed(errno.into()))?);
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(KeyFileError::NotAFile(path.to_owned()));
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Exposed { path: path.to_owned(), mode });
    }
    if metadata.len() > LARGEST {
        return Err(KeyFileError::TooLarge { path: path.to_owned(), size: metadata.len() });
    }
    // All at once: a string that grows would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(LARGEST).unwrap_or_default()));
    (&mut file).take(LARGEST).read_to_string(&mut text).map_err(failed)?;
    SigningKey::parse(&text).map_err(|cause| KeyFileError::Malformed { path: path.to_owned(), cause })
}

/// Writes a private key to a new file with mode 0600. With `replace`, a file that is there is replaced
/// whole; otherwise it is left alone.
///
/// # Errors
/// The file cannot be written, or is there already.
pub fn write_key(path: &Path, key: &SigningKey, form: KeyForm, replace: bool) -> Result<(), KeyFileError> {
    let failed = |cause: io::Error| match cause.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists(path.to_owned()),
        _ => KeyFileError::Io { action: "write", path: path.to_owned(), cause },
    };
    let text = match form {
        KeyForm::Base64 => key.to_base64(),
        KeyForm::Pem => {
            key.to_pkcs8_pem().map_err(|cause| KeyFileError::Malformed { path: path.to_owned(), cause })?
        }
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Temporary files have mode 0600, and get their name only when they are complete.
    let mut staged = tempfile::Builder::new().prefix(".catena-key-").tempfile_in(folder).map_err(failed)?;
    staged.write_all(text.as_bytes()).map_err(failed)?;
    staged.as_file().sync_all().map_err(failed)?;
    let kept = if replace { staged.persist(path) } else { staged.persist_noclobber(path) };
    kept.map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;

    fn key() -> SigningKey {
        SigningKey::from_seed(&[7; 32])
    }

    #[test]
    fn a_key_that_was_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        for (name, form) in [("base64", KeyForm::Base64), ("pem", KeyForm::Pem)] {
            let path = folder.path().join(name);
            write_key(&path, &key(), form, false).unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(read_key(&path).unwrap().public_key(), key().public_key());
        }
    }

    #[test]
    fn a_key_is_never_overwritten_unless_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write_key(&path, &key(), KeyForm::Base64, false).unwrap();
        let other = SigningKey::from_seed(&[8; 32]);
        let refused = write_key(&path, &other, KeyForm::Base64, false);
        assert!(matches!(refused, Err(KeyFileError::Exists(_))), "{refused:?}");
        assert_eq!(read_key(&path).unwrap().public_key(), key().public_key());
        write_key(&path, &other, KeyForm::Base64, true).unwrap();
        assert_eq!(read_key(&path).unwrap().public_key(), other.public_key());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "a temporary file stayed");
    }

    #[test]
    fn a_key_that_others_can_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write_key(&path, &key(), KeyForm::Base64, false).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o644, 0o610] {
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let refused = read_key(&path).unwrap_err().to_string();
            assert!(refused.contains(&format!("{mode:04o}")) && refused.contains("chmod 600"), "{refused}");
        }
        std::fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
        assert!(read_key(&path).is_ok());
    }

    #[test]
    fn what_is_no_key_file_is_refused_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(matches!(read_key(folder.path()), Err(KeyFileError::NotAFile(_))));
        assert!(matches!(read_key(&path), Err(KeyFileError::Io { .. })));
        for (text, expected) in [("secret-secret", "base64"), ("c2VjcmV0", "6 bytes")] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            let refused = read_key(&path).unwrap_err().to_string();
            assert!(refused.contains(expected) && !refused.contains(text), "{refused}");
        }
        std::fs::write(&path, vec![b'A'; 5000]).unwrap();
        assert!(matches!(read_key(&path), Err(KeyFileError::TooLarge { size: 5000, .. })));
    }
}
