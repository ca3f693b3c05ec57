//! The secret that authenticates the entries of a cache.

use hmac::{Hmac, KeyInit};
use sha2::Sha256;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Bytes of a key: as many as SHA-256 outputs.
const LENGTH: usize = 32;

/// The authentication key of a cache's entries. It leaves its file only into memory, is wiped there,
/// and cannot be printed.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; LENGTH]>);

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Other users can read or write it.
    #[error("{} is accessible to other users (mode {mode:o}), who could create entries with it", path.display())]
    NotPrivate {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It belongs to another user.
    #[error("{} belongs to another user", .0.display())]
    NotOurs(PathBuf),
    /// A file in another format.
    #[error("{} is not a key file: expected {LENGTH} bytes in lowercase hexadecimal and a line break", .0.display())]
    Malformed(PathBuf),
    /// It does not exist, and was not to be created.
    #[error("there is no key at {}", .0.display())]
    Missing(PathBuf),
    /// The file system, or the source of random numbers.
    #[error("cannot use the key {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's message.
        error: io::Error,
    },
}

impl Key {
    /// A key of these bytes.
    #[must_use]
    pub fn of(bytes: [u8; LENGTH]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads the key in a file.
    ///
    /// # Errors
    /// A missing file, one that other users can read, or one with other contents.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let io = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => KeyError::Missing(path.to_owned()),
            _ => KeyError::Io { path: path.to_owned(), error },
        };
        // Checked before it is opened: opening a pipe would wait for its other end.
        if !fs::metadata(path).map_err(io)?.is_file() {
            return Err(KeyError::Malformed(path.to_owned()));
        }
        let file = File::open(path).map_err(io)?;
        is_private(path, &file)?;
        // Never reallocated, so that no copy remains; one more byte than a key reveals a longer file.
        let mut text = Zeroizing::new([0_u8; 2 * LENGTH + 2]);
        let length = fill(file, text.as_mut_slice()).map_err(io)?;
        let malformed = || KeyError::Malformed(path.to_owned());
        let digits = match text.get(..length).and_then(<[u8]>::split_last) {
            Some((b'\n', digits)) if !digits.iter().any(u8::is_ascii_uppercase) => digits,
            _ => return Err(malformed()),
        };
        let mut bytes = Zeroizing::new([0; LENGTH]);
        hex::decode_to_slice(digits, bytes.as_mut_slice()).map_err(|_| malformed())?;
        Ok(Self(bytes))
    }

    /// Reads the key in a file, or creates a key and the file if it does not exist. Processes that do
    /// so in parallel all get the same key.
    ///
    /// # Errors
    /// As [`Key::read`]; the file cannot be created.
    pub fn read_or_make(path: &Path) -> Result<Self, KeyError> {
        match Self::read(path) {
            Err(KeyError::Missing(_)) => {}
            other => return other,
        }
        make(path).map_err(|error| KeyError::Io { path: path.to_owned(), error })?;
        Self::read(path)
    }

    /// A MAC without any input yet.
    pub(super) fn mac(&self) -> Hmac<Sha256> {
        let key: &[u8; LENGTH] = &self.0;
        // A block of SHA-256 is 64 bytes: the key and zeros, as RFC 2104 has it.
        let mut block = Zeroizing::new([0_u8; 2 * LENGTH]);
        block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
        Hmac::new((&*block).into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

fn fill(mut file: File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0_usize;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            more => filled = filled.saturating_add(more),
        }
    }
    Ok(filled)
}

/// Creates a key file, unless another process has just done so.
fn make(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    super::directory::make_private(folder)?;
    let mut key = Zeroizing::new([0; LENGTH]);
    getrandom::fill(key.as_mut_slice()).map_err(io::Error::other)?;
    let mut text = Zeroizing::new([b'\n'; 2 * LENGTH + 1]);
    if let Some(digits) = text.get_mut(..2 * LENGTH) {
        hex::encode_to_slice(key.as_slice(), digits).map_err(io::Error::other)?;
    }
    // Readable by this user alone from the start.
    let mut file = tempfile::Builder::new().prefix(".catena-").tempfile_in(folder)?;
    file.write_all(text.as_slice())?;
    // A key that is lost in a power failure makes every entry worthless.
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(failed) if failed.error.kind() != io::ErrorKind::AlreadyExists => Err(failed.error),
        _ => Ok(()),
    }
}

/// Only this user (and root) can read or write it.
#[cfg(unix)]
fn is_private(path: &Path, file: &File) -> Result<(), KeyError> {
    use std::os::unix::fs::MetadataExt as _;
    let found = file.metadata().map_err(|error| KeyError::Io { path: path.to_owned(), error })?;
    if !found.is_file() {
        return Err(KeyError::Malformed(path.to_owned()));
    }
    if found.uid() != rustix::process::geteuid().as_raw() && found.uid() != 0 {
        return Err(KeyError::NotOurs(path.to_owned()));
    }
    let mode = found.mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyError::NotPrivate { path: path.to_owned(), mode }) }
}

/// Modes are a Unix notion.
#[cfg(not(unix))]
fn is_private(_path: &Path, _file: &File) -> Result<(), KeyError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_from_then_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/catena/cache.key");
        assert!(matches!(Key::read(&path), Err(KeyError::Missing(_))));
        let made = Key::read_or_make(&path).unwrap();
        assert_eq!(made.0, Key::read_or_make(&path).unwrap().0);
        assert_ne!(made.0, Key::read_or_make(&folder.path().join("other")).unwrap().0);
        assert_ne!(*made.0, [0; LENGTH]);
        assert_eq!(format!("{made:?}"), "***");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn those_who_make_one_at_once_have_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let making: Vec<_> = (0..8).map(|_| scope.spawn(|| Key::read_or_make(&path).unwrap())).collect();
            making.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| key.0 == keys[0].0));
    }

    #[test]
    fn anything_else_is_not_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let good = Key::read_or_make(&path).map(|_| fs::read(&path).unwrap()).unwrap();
        let longer = [good.as_slice(), b"\n"].concat();
        let upper = [&[b'A'; 64][..], b"\n"].concat();
        let odd = [&[b'a'; 63][..], b"\n"].concat();
        for wrong in [&good[..64], &longer, &upper, &odd, b"", b"\n", &[b'a'; 4096]] {
            fs::write(&path, wrong).unwrap();
            assert!(matches!(Key::read_or_make(&path), Err(KeyError::Malformed(_))), "{wrong:?}");
        }
        assert!(matches!(Key::read_or_make(folder.path()), Err(KeyError::Malformed(_))));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_use_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        Key::read_or_make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o620, 0o602, 0o644] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = Key::read(&path);
            assert!(matches!(&refused, Err(KeyError::NotPrivate { mode: told, .. }) if *told == mode));
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(Key::read(&path).is_ok());
    }

    #[test]
    fn the_mac_is_the_one_of_rfc_4231() {
        use hmac::Mac as _;
        // Test case 2 of RFC 4231 has a short key; padding with zeros is what HMAC does to it.
        let mut key = [0; LENGTH];
        key[..4].copy_from_slice(b"Jefe");
        let mut mac = Key::of(key).mac();
        mac.update(b"what do ya want for nothing?");
        let wanted = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex::encode(mac.finalize().into_bytes()), wanted);
    }
}
