//! Opening a cache of immutable data.

use crate::Error;
use catena_fetch::cache::Cache;
use catena_model::Limits;
use catena_store::{DirectoryStore, Key};
use catena_taskcluster::RootUrl;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The location of a cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheOptions {
    /// The directory; it is created if it does not exist.
    pub directory: PathBuf,
    /// The file of the secret that authenticates entries, outside of the directory; it is created if it
    /// does not exist.
    pub key_file: PathBuf,
    /// The maximum size in bytes.
    pub bound: u64,
}

impl CacheOptions {
    /// A cache of the default size, 10 GiB.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>, key_file: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), key_file: key_file.into(), bound: DirectoryStore::BOUND }
    }

    pub(crate) fn open(&self, root: &RootUrl, limits: &Limits) -> Result<Arc<Cache>, Error> {
        let store = DirectoryStore::open(&self.directory, self.bound)?;
        if is_inside(&self.key_file, &self.directory) {
            return Err(Error::CacheKeyInside(self.key_file.clone()));
        }
        let key = Key::read_or_make(&self.key_file)?;
        Ok(Arc::new(Cache::new(Box::new(store), key, root.clone(), limits.clone())))
    }
}

/// Whether a file is below a directory, after links are resolved.
fn is_inside(file: &Path, directory: &Path) -> bool {
    let folder = file.ancestors().skip(1).find_map(|folder| {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        folder.canonicalize().ok()
    });
    directory.canonicalize().is_ok_and(|directory| folder.is_some_and(|folder| folder.starts_with(directory)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_the_cache_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("cache");
        std::fs::create_dir(&cache).unwrap();
        assert!(is_inside(&cache.join("key"), &cache));
        assert!(is_inside(&cache.join("not/there/yet/key"), &cache));
        assert!(is_inside(&folder.path().join("cache/../cache/key"), &cache));
        assert!(!is_inside(&folder.path().join("key"), &cache));
        assert!(!is_inside(&folder.path().join("cache-key/key"), &cache));
        let options = CacheOptions::new(&cache, cache.join("key"));
        let root = RootUrl::parse("https://tc.example").unwrap();
        assert!(matches!(options.open(&root, &Limits::default()), Err(Error::CacheKeyInside(_))));
    }
}
