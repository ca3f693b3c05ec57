//! The location, key and size of a cache.

use crate::failure::Failure;
use catena_store::{DirectoryError, DirectoryStore, Key, KeyError};
use clap::Args;
use std::path::{Path, PathBuf};

/// The location of a cache.
#[derive(Clone, Debug, Args)]
pub(crate) struct CacheOptions {
    /// Cache immutable data in DIR and use it from there: definitions, signed documents, templates,
    /// pushes, verified artifacts. Everything is authenticated on every use. A --batch shares its data
    /// without a cache
    #[arg(long, value_name = "DIR", env = "CATENA_CACHE", hide_env_values = true, help_heading = "Cache")]
    pub(crate) cache: Option<PathBuf>,
    /// The secret that authenticates the cache's entries; created if it does not exist [default:
    /// catena/cache.key in XDG_STATE_HOME, which is ~/.local/state]
    #[arg(
        long,
        value_name = "FILE",
        env = "CATENA_CACHE_KEY",
        hide_env_values = true,
        help_heading = "Cache"
    )]
    pub(crate) cache_key: Option<PathBuf>,
    /// Maximum size of the cache: 500MiB, 10GiB [default: 10GiB]
    #[arg(long, value_name = "SIZE", env = "CATENA_CACHE_SIZE", value_parser = size)]
    #[arg(hide_env_values = true, help_heading = "Cache")]
    pub(crate) cache_size: Option<u64>,
}

impl CacheOptions {
    /// The named cache, if there is one.
    ///
    /// # Errors
    /// A usage error (2): the location of its key is unknown.
    pub(crate) fn options(&self) -> Result<Option<catena::CacheOptions>, Failure> {
        let Some(directory) = &self.cache else { return Ok(None) };
        let (directory, key_file, bound) = (directory.clone(), self.key_file()?, self.bound());
        Ok(Some(catena::CacheOptions { directory, key_file, bound }))
    }

    /// The store in the directory that was named, if one was; it is made where there is none.
    ///
    /// # Errors
    /// A usage error (2): the directory should not be used.
    pub(crate) fn store(&self) -> Result<Option<DirectoryStore>, Failure> {
        let open = |directory: &PathBuf| DirectoryStore::open(directory, self.bound());
        self.cache.as_ref().map(open).transpose().map_err(|error| unusable(&error))
    }

    /// The directory that was named, which must be a cache already.
    ///
    /// # Errors
    /// A usage error (2): no directory was named, or it is not a cache, or it is unsafe.
    pub(crate) fn existing(&self) -> Result<(&Path, DirectoryStore), Failure> {
        let directory = self.cache.as_deref().ok_or_else(|| {
            Failure::usage("no cache directory is given").next("set it with --cache DIR or CATENA_CACHE")
        })?;
        let store = DirectoryStore::existing(directory, self.bound()).map_err(|error| unusable(&error))?;
        Ok((directory, store))
    }

    /// The existing key.
    ///
    /// # Errors
    /// A usage error (2): it does not exist, or is unsafe.
    pub(crate) fn key(&self) -> Result<Key, Failure> {
        Key::read(&self.key_file()?).map_err(|error| no_key(&error))
    }

    /// The maximum size in bytes.
    pub(crate) fn bound(&self) -> u64 {
        self.cache_size.unwrap_or(DirectoryStore::BOUND)
    }

    fn key_file(&self) -> Result<PathBuf, Failure> {
        let variable =
            |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let named = self.cache_key.clone();
        let state = || variable("XDG_STATE_HOME").or_else(|| Some(variable("HOME")?.join(".local/state")));
        named.or_else(|| Some(state()?.join("catena/cache.key"))).ok_or_else(|| {
            Failure::usage("the key file of the cache is missing")
                .next("set it with --cache-key FILE or CATENA_CACHE_KEY, or set HOME")
        })
    }
}

pub(crate) fn unusable(error: &DirectoryError) -> Failure {
    let next = match error {
        DirectoryError::Missing(_) => {
            "name the directory that `catena verify --cache` or `catena fetch --cache` was given"
        }
        DirectoryError::NotPrivate { .. } => {
            "remove the permissions of other users (chmod go-w), or name your own directory"
        }
        DirectoryError::NotOurs(_) | DirectoryError::NotDirectory(_) | DirectoryError::Io { .. } => {
            "name your own directory; it is created if it does not exist"
        }
    };
    Failure::usage(error).next(next)
}

pub(crate) fn no_key(error: &KeyError) -> Failure {
    let next = match error {
        KeyError::NotPrivate { .. } => {
            "if other users may have read it, remove it and the cache (catena cache clear); else chmod 600"
        }
        KeyError::Malformed(_) => "remove it; a new key is created, and the cache starts empty",
        KeyError::Missing(_) => "name the --cache-key that `catena verify` uses",
        KeyError::NotOurs(_) | KeyError::Io { .. } => "name a --cache-key of your own",
    };
    Failure::usage(error).next(next)
}

/// `500MiB`, `10GiB`, `1TB`; a number alone is bytes.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is not a size such as 500MiB or 10GiB");
    let text = text.trim();
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
    let unit = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "kb" => 1_000,
        "m" | "mib" => 1 << 20,
        "mb" => 1_000_000,
        "g" | "gib" => 1 << 30,
        "gb" => 1_000_000_000,
        "t" | "tib" => 1_u64 << 40,
        "tb" => 1_000_000_000_000,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(unit).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_people_write() {
        for (text, bytes) in [
            ("0", 0),
            ("512", 512),
            ("500MiB", 500 << 20),
            ("10GiB", 10 << 30),
            ("10 gib", 10 << 30),
            ("2T", 2 << 40),
            ("1GB", 1_000_000_000),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for wrong in ["", "GiB", "1.5GiB", "-1", "10PiB", "99999999999999999999", "99999999TiB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
