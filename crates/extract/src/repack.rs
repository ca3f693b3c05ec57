//! An archive as another one: a zstd-compressed tar archive, perhaps with other names.
//!
//! A tar archive whose names stay is compressed anew and nothing else. For everything else the archive is extracted,
//! with all that [`extract`](crate::extract) refuses, and what is on the disk then is packed: sorted by name, with
//! the owner 0, so that the same archive always becomes the same bytes.

use crate::error::{ExtractError, shown};
use crate::format::{Compression, Format, decoder, detect};
use crate::limits::Options;
use crate::meter::{Meter, failure};
use crate::{Summary, extract};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use tar::{Builder, EntryType, Header};

/// How strongly the new archive is compressed: zstd's default.
const LEVEL: i32 = 3;
/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// What becomes of the names, and of what is no archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repacking {
    /// Leading components that are removed from every name.
    pub strip_components: usize,
    /// What every name begins with then.
    pub prefix: String,
    /// The name of the one member that becomes of a file that is no archive; without it such a file is refused.
    pub single: Option<String>,
    /// A name that is left out wherever it stands, with everything below it.
    pub left_out: Option<String>,
    /// When everything was changed last, in seconds since 1970, in place of what the disk says.
    pub modified: Option<u64>,
}

impl Repacking {
    fn is_plain(&self) -> bool {
        self.strip_components == 0 && self.prefix.is_empty()
    }

    fn name(&self, path: &Path) -> Result<Vec<u8>, ExtractError> {
        let kept: Vec<&[u8]> =
            path.iter().skip(self.strip_components).map(std::os::unix::ffi::OsStrExt::as_bytes).collect();
        if kept.is_empty() {
            let count = self.strip_components;
            let name = shown(path.as_os_str().as_bytes());
            return Err(ExtractError::Unsupported(format!(
                "{name} has no more than {count} components to strip"
            )));
        }
        let mut name = self.prefix.clone().into_bytes();
        name.extend(kept.join(&b'/'));
        Ok(name)
    }
}

/// Packs an archive anew. `scratch` is an empty directory that nobody else writes to.
///
/// # Errors
/// What extraction refuses; a name with too few components; what is no archive.
pub fn repack(
    mut archive: File,
    to: &File,
    scratch: &Path,
    repacking: &Repacking,
    options: &Options,
    cancelled: &dyn Fn() -> bool,
) -> Result<Summary, ExtractError> {
    match (detect(&mut archive).map_err(ExtractError::Read)?, &repacking.single) {
        (Some(Format::Tar(compression)), _) if repacking.is_plain() => {
            recompress(archive, compression, to, options, cancelled)
        }
        (Some(format), _) => {
            extract(archive, format, scratch, options, cancelled)?;
            pack(scratch, to, repacking)
        }
        (None, Some(name)) => single(archive, name, to, repacking),
        (None, None) => Err(ExtractError::Unsupported("it is neither tar nor zip".to_owned())),
    }
}

/// The same tar archive, compressed anew.
fn recompress(
    archive: File,
    compression: Compression,
    to: &File,
    options: &Options,
    cancelled: &dyn Fn() -> bool,
) -> Result<Summary, ExtractError> {
    let packed = archive.metadata().map_err(ExtractError::Read)?.len();
    let decoder = decoder(archive, compression, options.limits.window_log).map_err(ExtractError::Read)?;
    let mut from = Meter::new(decoder, packed, &options.limits, cancelled);
    let mut encoder = encoder(to)?;
    let mut buffer = vec![0; CHUNK];
    let mut bytes = 0_u64;
    loop {
        let read = from.read(&mut buffer).map_err(failure)?;
        if read == 0 {
            break;
        }
        encoder.write_all(buffer.get(..read).unwrap_or_default()).map_err(unwritten)?;
        bytes = bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }
    encoder.finish().map_err(unwritten)?;
    Ok(Summary { entries: 0, bytes })
}

/// A tree as an archive: files and links, no directories.
///
/// # Errors
/// A name with too few components, and what the file system says.
pub fn pack(root: &Path, to: &File, repacking: &Repacking) -> Result<Summary, ExtractError> {
    let mut found = Vec::new();
    walk(root, root, repacking, &mut found).map_err(ExtractError::Read)?;
    found.sort();
    let mut names = BTreeSet::new();
    let mut builder = Builder::new(encoder(to)?);
    let mut links = BTreeMap::new();
    let mut summary = Summary::default();
    for path in found {
        let place = root.join(&path);
        let metadata = fs::symlink_metadata(&place).map_err(ExtractError::Read)?;
        let name = repacking.name(&path)?;
        if !names.insert(name.clone()) {
            let name = shown(&name);
            return Err(ExtractError::Unsupported(format!("two of its members become {name}")));
        }
        let mut header = header(&metadata);
        if let Some(modified) = repacking.modified {
            header.set_mtime(modified);
        }
        let first = links.entry((metadata.dev(), metadata.ino())).or_insert_with(|| name.clone());
        if metadata.file_type().is_symlink() {
            header.set_entry_type(EntryType::Symlink);
            let target = fs::read_link(&place).map_err(ExtractError::Read)?;
            builder.append_link(&mut header, path_of(&name), target).map_err(unwritten)?;
        } else if *first != name {
            header.set_entry_type(EntryType::Link);
            builder.append_link(&mut header, path_of(&name), path_of(first)).map_err(unwritten)?;
        } else {
            header.set_size(metadata.len());
            let file = File::open(&place).map_err(ExtractError::Read)?;
            builder.append_data(&mut header, path_of(&name), file.take(metadata.len())).map_err(unwritten)?;
            summary.bytes = summary.bytes.saturating_add(metadata.len());
        }
        summary.entries = summary.entries.saturating_add(1);
    }
    finish(builder)?;
    Ok(summary)
}

/// An archive with this file alone: a program if it begins as programs do.
fn single(file: File, name: &str, to: &File, repacking: &Repacking) -> Result<Summary, ExtractError> {
    let metadata = file.metadata().map_err(ExtractError::Read)?;
    let mut magic = [0; 4];
    let read = std::os::unix::fs::FileExt::read_at(&file, &mut magic, 0).map_err(ExtractError::Read)?;
    let mut header = header(&metadata);
    header.set_mode(if read == 4 && is_program(magic) { 0o755 } else { 0o644 });
    // The time of the download would make another archive each time.
    header.set_mtime(0);
    header.set_size(metadata.len());
    let name = repacking.name(Path::new(name))?;
    let mut builder = Builder::new(encoder(to)?);
    builder.append_data(&mut header, path_of(&name), file.take(metadata.len())).map_err(unwritten)?;
    finish(builder)?;
    Ok(Summary { entries: 1, bytes: metadata.len() })
}

/// ELF, and Mach-O of either width and byte order, alone or for several processors.
fn is_program(magic: [u8; 4]) -> bool {
    matches!(
        magic,
        [0x7f, b'E', b'L', b'F']
            | [0xfe, 0xed, 0xfa, 0xce | 0xcf]
            | [0xce | 0xcf, 0xfa, 0xed, 0xfe]
            | [0xca, 0xfe, 0xba, 0xbe]
    )
}

fn header(metadata: &Metadata) -> Header {
    let mut header = Header::new_gnu();
    header.set_size(0);
    header.set_mode(metadata.mode() & 0o777);
    header.set_uid(0);
    header.set_gid(0);
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    header.set_mtime(if metadata.file_type().is_symlink() {
        0
    } else {
        modified.map_or(0, |time| time.as_secs())
    });
    header
}

fn walk(root: &Path, directory: &Path, repacking: &Repacking, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if repacking.left_out.as_ref().is_some_and(|name| entry.file_name() == name.as_str()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            // No deeper than the extraction let it be.
            walk(root, &entry.path(), repacking, found)?;
        } else if let Ok(path) = entry.path().strip_prefix(root) {
            found.push(path.to_owned());
        }
    }
    Ok(())
}

fn encoder(to: &File) -> Result<zstd::Encoder<'_, &File>, ExtractError> {
    let mut encoder = zstd::Encoder::new(to, LEVEL).map_err(unwritten)?;
    encoder.include_checksum(true).map_err(unwritten)?;
    Ok(encoder)
}

fn finish(builder: Builder<zstd::Encoder<'_, &File>>) -> Result<(), ExtractError> {
    builder.into_inner().and_then(zstd::Encoder::finish).map(drop).map_err(unwritten)
}

fn path_of(name: &[u8]) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(name))
}

fn unwritten(source: io::Error) -> ExtractError {
    ExtractError::Disk { path: PathBuf::from("the new archive"), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek as _, SeekFrom};

    fn archive(members: &[(&str, &str, u32)]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        let mut builder = Builder::new(&mut file);
        for (name, content, mode) in members {
            let mut header = Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(*mode);
            header.set_mtime(1_000_000_000);
            builder.append_data(&mut header, name, content.as_bytes()).unwrap();
        }
        let mut link = Header::new_gnu();
        link.set_entry_type(EntryType::Link);
        link.set_size(0);
        link.set_mode(0o755);
        builder.append_link(&mut link, "top/hard", members[0].0).unwrap();
        builder.into_inner().unwrap();
        file
    }

    /// The members of what an archive becomes: name, kind, link or content, mode.
    fn repacked(file: File, repacking: &Repacking) -> Result<(Vec<u8>, Vec<String>), ExtractError> {
        let scratch = tempfile::tempdir().unwrap();
        let mut to = tempfile::tempfile().unwrap();
        repack(file, &to, scratch.path(), repacking, &Options::default(), &|| false)?;
        to.seek(SeekFrom::Start(0)).unwrap();
        let mut bytes = Vec::new();
        to.read_to_end(&mut bytes).unwrap();
        let mut members = Vec::new();
        let decoded = zstd::decode_all(bytes.as_slice()).unwrap();
        for entry in tar::Archive::new(decoded.as_slice()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            let link = entry.link_name().unwrap().map(|link| link.display().to_string()).unwrap_or_default();
            let (name, mode) = (entry.path().unwrap().display().to_string(), entry.header().mode().unwrap());
            members.push(format!("{name} {mode:o} {content}{link}"));
        }
        Ok((bytes, members))
    }

    const MEMBERS: &[(&str, &str, u32)] = &[("top/run", "x", 0o755), ("top/a/file", "y", 0o644)];

    #[test]
    fn names_are_stripped_and_prefixed_and_hard_links_with_them() {
        let repacking = Repacking { strip_components: 1, prefix: "new/".to_owned(), ..Repacking::default() };
        let (bytes, members) = repacked(archive(MEMBERS), &repacking).unwrap();
        assert_eq!(members, ["new/a/file 644 y", "new/hard 755 x", "new/run 755 new/hard"]);
        // The same archive becomes the same bytes.
        assert_eq!(repacked(archive(MEMBERS), &repacking).unwrap().0, bytes);
        let repacking = Repacking { strip_components: 2, ..Repacking::default() };
        assert!(matches!(repacked(archive(MEMBERS), &repacking), Err(ExtractError::Unsupported(_))));
    }

    #[test]
    fn a_tar_archive_whose_names_stay_is_only_compressed_anew() {
        let (_, members) = repacked(archive(MEMBERS), &Repacking::default()).unwrap();
        assert_eq!(members, ["top/run 755 x", "top/a/file 644 y", "top/hard 755 top/run"]);
    }

    #[test]
    fn what_is_no_archive_becomes_one_only_where_asked() {
        let file = |content: &[u8]| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(content).unwrap();
            file.seek(SeekFrom::Start(0)).unwrap();
            file
        };
        let (single, prefix) = (Some("tool".to_owned()), "p/".to_owned());
        let force = Repacking { single, prefix, ..Repacking::default() };
        assert_eq!(repacked(file(b"\x7fELF"), &force).unwrap().1, ["p/tool 755 \u{7f}ELF"]);
        assert_eq!(repacked(file(b"text"), &force).unwrap().1, ["p/tool 644 text"]);
        assert!(matches!(repacked(file(b"text"), &Repacking::default()), Err(ExtractError::Unsupported(_))));
    }
}
