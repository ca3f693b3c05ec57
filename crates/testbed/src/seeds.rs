//! Private keys that stand where they must not: nothing that a program writes may show the seed of a key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use catena_keys::SigningKey;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tempfile::TempDir;

/// The largest file that is read as a key.
const LARGEST: u64 = 4096;

/// A temporary directory of a test. When it is dropped, all that stands below it is searched for the seeds of the
/// private keys that have their files there, and of those that it was told of.
#[derive(Debug)]
pub struct SearchedDir {
    folder: TempDir,
    known: Mutex<Vec<Seed>>,
}

/// The forms in which a seed could be shown.
#[derive(Clone, Debug)]
pub struct Seed {
    texts: Vec<String>,
    raw: Vec<u8>,
}

impl Seed {
    /// Of a key.
    #[must_use]
    pub fn of(key: &SigningKey) -> Self {
        let seed = key.to_base64();
        let raw = STANDARD.decode(seed.as_bytes()).unwrap_or_default();
        let plain = seed.trim_end_matches('=').to_owned();
        let url = plain.replace('+', "-").replace('/', "_");
        let hex = hex::encode(&raw);
        let mut texts = vec![hex.to_uppercase(), hex, format!("{raw:?}"), plain, url];
        if let Ok(pem) = key.to_pkcs8_pem() {
            texts.extend(pem.lines().nth(1).map(str::to_owned));
        }
        Self { texts, raw }
    }

    /// Of the private key in a file; none if the file is no such, or one that all may read, as a public key, which
    /// has the same form.
    #[must_use]
    pub fn in_file(file: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(file).ok()?;
        if !metadata.is_file() || metadata.len() > LARGEST || metadata.permissions().mode() & 0o077 != 0 {
            return None;
        }
        SigningKey::parse(&std::fs::read_to_string(file).ok()?).ok().map(|key| Self::of(&key))
    }

    /// Whether bytes show it in any form.
    #[must_use]
    pub fn is_shown_by(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        self.texts.iter().any(|form| text.contains(form.as_str()))
            || bytes.windows(self.raw.len().max(1)).any(|part| part == self.raw)
    }
}

impl SearchedDir {
    /// A new one.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn new() -> io::Result<Self> {
        Ok(Self { folder: tempfile::tempdir()?, known: Mutex::default() })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Tells it of a key that has no file below it, or will not have one when it is dropped.
    pub fn remember(&self, key: &SigningKey) {
        self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(Seed::of(key));
    }

    /// Which files below it, and which of these outputs with a name, show a seed.
    #[must_use]
    pub fn leaks(&self, outputs: &[(&str, &[u8])]) -> Vec<String> {
        let files = files(self.folder.path());
        let known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let (mut seeds, mut others) = (known, Vec::new());
        for file in files {
            match Seed::in_file(&file) {
                Some(seed) => seeds.push(seed),
                None => others.push(file),
            }
        }
        let shown = |bytes: &[u8]| seeds.iter().any(|seed| seed.is_shown_by(bytes));
        let outputs = outputs.iter().filter(|(_, bytes)| shown(bytes)).map(|(name, _)| (*name).to_owned());
        let files = others.iter().filter(|file| std::fs::read(file).is_ok_and(|bytes| shown(&bytes)));
        outputs.chain(files.map(|file| file.display().to_string())).collect()
    }
}

impl Drop for SearchedDir {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let leaks = self.leaks(&[]);
            assert!(leaks.is_empty(), "a private key is shown by {leaks:?}");
        }
    }
}

/// Regular files below a folder; links are not followed.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries
        .flat_map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&entry.path()),
            Ok(kind) if kind.is_file() => vec![entry.path()],
            _ => Vec::new(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use std::fs::Permissions;

    /// A directory with a key, which is searched.
    fn with_key(mode: u32) -> (SearchedDir, SigningKey) {
        let (folder, key) = (SearchedDir::new().unwrap(), SigningKey::from_seed(&[0xfb; 32]));
        let file = folder.path().join("etc/key");
        std::fs::create_dir(file.parent().unwrap()).unwrap();
        std::fs::write(&file, key.to_base64().as_bytes()).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        (folder, key)
    }

    #[test]
    fn every_form_of_a_seed_is_found() {
        let (folder, key) = with_key(0o600);
        let seed = key.to_base64().to_string();
        let pem = key.to_pkcs8_pem().unwrap().to_string();
        assert!(seed.contains('+') || seed.contains('/'));
        for text in [
            seed.clone(),
            seed.replace('+', "-").replace('/', "_"),
            seed.trim_end_matches('=').to_owned(),
            "fb".repeat(32),
            "FB".repeat(32),
            format!("{:?}", [0xfb_u8; 32]),
            pem,
        ] {
            let text = format!("log: {text}\n");
            assert_eq!(folder.leaks(&[("stderr", text.as_bytes())]), ["stderr"], "{text}");
        }
        assert_eq!(folder.leaks(&[("upload", &[&b"x"[..], &[0xfb; 32], b"y"].concat())]), ["upload"]);
        assert!(
            folder.leaks(&[("stdout", key.public_key().to_string().as_bytes()), ("none", b"")]).is_empty()
        );
    }

    #[test]
    fn files_are_searched_when_the_directory_is_dropped() {
        let (folder, _) = with_key(0o600);
        let log = folder.path().join("etc/log");
        std::fs::write(&log, [&b"key="[..], &[0xfb; 32]].concat()).unwrap();
        assert_eq!(folder.leaks(&[]), [log.display().to_string()]);
        assert!(std::thread::spawn(move || drop(folder)).join().is_err());
        // A key that is gone, or that all can read, is searched for where it is told.
        let (folder, key) = with_key(0o644);
        assert!(folder.leaks(&[]).is_empty());
        folder.remember(&key);
        assert_eq!(folder.leaks(&[]).len(), 1);
        std::fs::remove_file(folder.path().join("etc/key")).unwrap();
    }
}
