//! Extraction of hostile archives into a staging directory, merged into place only as a whole.
//!
//! [`extract`] reads one archive, tar or zip, into an empty directory that nobody else writes to. Whatever the
//! archive holds, nothing is written outside that directory, no link leads out of it, and no device, set-id bit
//! or foreign owner is made. After an error nothing is left there. [`merge`] moves a tree into place.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod error;
mod format;
mod limits;
mod merge;
mod meter;
mod name;
mod nodes;
mod repack;
mod tarball;
mod tree;
mod zipfile;

pub use error::{ExtractError, Refusal};
pub use format::{Compression, Format, detect};
pub use limits::{Limits, Options};
pub use merge::{MergeError, merge, merge_file};
pub use repack::{Repacking, pack, repack};

use std::fs::{self, File};
use std::path::Path;

/// What an archive held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Its members, directories among them.
    pub entries: u64,
    /// Bytes of its files.
    pub bytes: u64,
}

/// Extracts an archive of a known format into an empty directory that nobody else writes to.
///
/// `cancelled` is asked while members are read.
///
/// # Errors
/// A malformed or unsupported archive, a member that is refused, a limit, or the file system. The directory is
/// removed then.
pub fn extract(
    archive: File,
    format: Format,
    into: &Path,
    options: &Options,
    cancelled: &dyn Fn() -> bool,
) -> Result<Summary, ExtractError> {
    let mut tree = tree::Tree::new(into, options);
    let extracted = match format {
        Format::Tar(compression) => tarball::extract(archive, compression, &mut tree, cancelled),
        Format::Zip => zipfile::extract(archive, &mut tree, cancelled),
    };
    let ended = extracted.and_then(|()| tree.finish());
    if ended.is_err() {
        // What cannot be removed is in a staging directory, which is removed as a whole.
        let _ = fs::remove_dir_all(into);
    }
    ended
}
