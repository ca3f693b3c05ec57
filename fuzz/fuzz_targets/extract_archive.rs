//! Archives of any bytes: no panic, nothing outside the directory, no link that leads out, nothing left after an
//! error, and within the limits.
#![no_main]

use catena_extract::{Compression, Format, Limits, Options, detect, extract};
use libfuzzer_sys::fuzz_target;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// Every path below a directory is a plain file, a directory or a link to somewhere below the directory.
fn check(root: &Path, folder: &Path, bytes: &mut u64) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let found = fs::symlink_metadata(&path).unwrap();
        let kind = found.file_type();
        assert!(!kind.is_fifo() && !kind.is_block_device() && !kind.is_char_device() && !kind.is_socket());
        if kind.is_symlink() {
            if let Ok(target) = path.canonicalize() {
                assert!(target.starts_with(root), "{path:?} leads to {target:?}");
            }
            continue;
        }
        assert_eq!(found.mode() & 0o7022, 0, "{path:?}");
        if kind.is_dir() {
            check(root, &path, bytes);
        } else {
            *bytes += found.len();
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let room = tempfile::tempdir().unwrap();
    let root = room.path().canonicalize().unwrap().join("tree");
    fs::create_dir(&root).unwrap();
    let stored = room.path().join("archive");
    File::create(&stored).unwrap().write_all(input).unwrap();
    let mut archive = File::open(&stored).unwrap();
    let format = detect(&mut archive).unwrap().unwrap_or(Format::Tar(Compression::None));
    let limits = Limits {
        entries: 100,
        total_bytes: 1 << 20,
        expansion: 50,
        expansion_free: 1 << 20,
        ..Limits::default()
    };
    let options = Options { limits, ..Options::default() };
    let extracted = extract(archive, format, &root, &options, &|| false);
    assert_eq!(fs::read_dir(room.path()).unwrap().count(), if extracted.is_ok() { 2 } else { 1 });
    if let Ok(summary) = extracted {
        let mut bytes = 0;
        check(&root, &root, &mut bytes);
        assert!(summary.entries <= 100 && summary.bytes <= 1 << 20);
    }
});
