//! Tar archives: ustar, GNU and pax, read block by block and strictly.

use crate::error::{ExtractError, Refusal, shown};
use crate::format::{BLOCK, Compression, decoder};
use crate::meter::{Meter, failure};
use crate::tree::{Attributes, Tree};
use std::fs::File;
use std::io::{self, Read};
use tar::{EntryType, Header, PaxExtensions};

/// Whether a block is a header of a member: its checksum is right. A block of zeros is the end of an archive,
/// and an archive that begins with it is none.
pub(crate) fn is_header(block: &[u8; BLOCK]) -> bool {
    const CHECKSUM: std::ops::Range<usize> = 148..156;
    let sum = |of: fn(u8) -> i64| -> i64 {
        let bytes = block.iter().enumerate();
        let counted = bytes.map(|(at, byte)| if CHECKSUM.contains(&at) { 32 } else { of(*byte) });
        counted.fold(0, i64::saturating_add)
    };
    let wanted = Header::from_byte_slice(block).cksum().ok().map(i64::from);
    // Some old programs summed signed bytes.
    let signed = |byte: u8| i64::from(i8::from_ne_bytes([byte]));
    block.iter().any(|byte| *byte != 0) && (wanted == Some(sum(i64::from)) || wanted == Some(sum(signed)))
}

/// Extracts a tar archive.
pub(crate) fn extract(
    archive: File,
    compression: Compression,
    tree: &mut Tree<'_>,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), ExtractError> {
    let packed = archive.metadata().map_err(ExtractError::Read)?.len();
    let decoder = decoder(archive, compression, tree.limits().window_log).map_err(ExtractError::Read)?;
    let mut reader = Blocks { inner: Meter::new(decoder, packed, tree.limits(), cancelled) };
    let mut extended = Extended::default();
    while let Some(block) = reader.header()? {
        let header = Header::from_byte_slice(&block);
        let size = header.entry_size().map_err(|_| malformed("a header's size is no number"))?;
        match header.entry_type() {
            EntryType::GNULongName => once(&mut extended.name, reader.text(size, tree)?)?,
            EntryType::GNULongLink => once(&mut extended.link, reader.text(size, tree)?)?,
            EntryType::XHeader => extended.read_pax(&reader.bytes(size, tree)?, size)?,
            EntryType::XGlobalHeader => check_global(&reader.bytes(size, tree)?)?,
            _ => {
                member(header, size, std::mem::take(&mut extended), &mut reader, tree)?;
            }
        }
    }
    if extended.is_some() {
        return Err(malformed("it ends after the extended header of a member"));
    }
    reader.end()
}

/// One member, and what comes with it.
fn member<R: Read>(
    header: &Header,
    size: u64,
    extended: Extended,
    reader: &mut Blocks<R>,
    tree: &mut Tree<'_>,
) -> Result<(), ExtractError> {
    let name = extended.name.unwrap_or_else(|| header.path_bytes().into_owned());
    if extended.size.is_some_and(|pax| pax != size) {
        // Readers do not agree on which of the two counts.
        return Err(unsupported(&name, "has two sizes"));
    }
    let link = extended.link.or_else(|| header.link_name_bytes().map(|link| link.into_owned()));
    let link = link.unwrap_or_default();
    // Links have no permissions of their own.
    let attributes = || -> Result<Attributes, ExtractError> {
        let mode = header.mode().map_err(|_| malformed("a header's mode is no number"))?;
        Ok(Attributes { mode, modified: extended.modified.or_else(|| header.mtime().ok()) })
    };
    let path = tree.path(&name)?;
    let refuse = |what| Err(ExtractError::member(&name, Refusal::Type(what)));
    let kind = header.entry_type();
    // Before there was a type for directories, a slash said so.
    let is_directory = kind.is_dir() || kind == EntryType::Regular && name.ends_with(b"/");
    match kind {
        _ if is_directory => tree.directory(&path, attributes()?)?,
        EntryType::Regular | EntryType::Continuous => {
            tree.file(&path, attributes()?, size, &mut reader.inner)?;
            return reader.padding(size);
        }
        EntryType::Symlink => {
            tree.symlink(&path, &link)?;
            // What taskgraph makes of a zip archive has the target of a link as its content too.
            if size > 0 && reader.bytes(size, tree)? == link {
                return Ok(());
            }
        }
        EntryType::Link => tree.hard_link(&path, &link)?,
        EntryType::Char | EntryType::Block => return refuse("a device"),
        EntryType::Fifo => return refuse("a named pipe"),
        EntryType::GNUSparse => return refuse("a sparse file"),
        _ => return refuse("of an unknown type"),
    }
    if size > 0 {
        return Err(unsupported(&name, "has content, though it is no file"));
    }
    Ok(())
}

/// What extended headers say of the next member.
#[derive(Debug, Default)]
struct Extended {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    modified: Option<u64>,
}

impl Extended {
    fn is_some(&self) -> bool {
        self.name.is_some() || self.link.is_some() || self.size.is_some()
    }

    /// Reads pax records. Those that would change what is extracted and are not understood are refused.
    fn read_pax(&mut self, bytes: &[u8], announced: u64) -> Result<(), ExtractError> {
        let mut read: u64 = 0;
        for record in PaxExtensions::new(bytes) {
            let record = record.map_err(|_| malformed("a pax record cannot be read"))?;
            let (key, value) = (record.key_bytes(), record.value_bytes());
            read =
                read.saturating_add(u64::try_from(key.len().saturating_add(value.len())).unwrap_or(u64::MAX));
            match key {
                b"path" => once(&mut self.name, value.to_vec())?,
                b"linkpath" => once(&mut self.link, value.to_vec())?,
                b"size" => once(&mut self.size, number(value)?)?,
                b"mtime" => self.modified = seconds(value),
                key if key.starts_with(b"GNU.sparse.") => {
                    return Err(ExtractError::Unsupported("it has sparse files".to_owned()));
                }
                _ => {}
            }
        }
        if read > announced {
            return Err(malformed("pax records are longer than their header says"));
        }
        Ok(())
    }
}

/// Notes what extended headers say of a member. Readers do not agree on which of two counts.
fn once<T>(place: &mut Option<T>, value: T) -> Result<(), ExtractError> {
    if place.replace(value).is_some() {
        return Err(ExtractError::Unsupported(
            "its extended headers say twice how a member is named, linked or long".to_owned(),
        ));
    }
    Ok(())
}

/// A global header may hold comments, as those of git do, and nothing that changes a member.
fn check_global(bytes: &[u8]) -> Result<(), ExtractError> {
    for record in PaxExtensions::new(bytes) {
        let record = record.map_err(|_| malformed("a pax record cannot be read"))?;
        let key = record.key_bytes();
        if matches!(key, b"path" | b"linkpath" | b"size") || key.starts_with(b"GNU.sparse.") {
            return Err(ExtractError::Unsupported(format!("a global header with {}", shown(key))));
        }
    }
    Ok(())
}

fn number(text: &[u8]) -> Result<u64, ExtractError> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    text.and_then(|text| text.parse().ok()).ok_or_else(|| malformed("a pax size is no number"))
}

/// Whole seconds of a pax time; none where it is before 1970 or no time at all.
fn seconds(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.split('.').next()?.parse().ok()
}

/// The blocks of an archive.
struct Blocks<R> {
    inner: R,
}

impl<R: Read> Blocks<R> {
    /// The next header; none at the end of the archive, which is two blocks of zeros.
    fn header(&mut self) -> Result<Option<[u8; BLOCK]>, ExtractError> {
        let block = self.block("it ends without the two blocks that end an archive")?;
        if block.iter().all(|byte| *byte == 0) {
            let second = self.block("it ends within the two blocks that end an archive")?;
            if second.iter().any(|byte| *byte != 0) {
                return Err(malformed("a block of zeros stands between its members"));
            }
            return Ok(None);
        }
        if is_header(&block) { Ok(Some(block)) } else { Err(malformed("the checksum of a header is wrong")) }
    }

    fn block(&mut self, what: &str) -> Result<[u8; BLOCK], ExtractError> {
        let mut block = [0; BLOCK];
        match self.inner.read_exact(&mut block) {
            Ok(()) => Ok(block),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(malformed(what)),
            Err(error) => Err(failure(error)),
        }
    }

    /// The content of an extended header.
    fn bytes(&mut self, size: u64, tree: &Tree<'_>) -> Result<Vec<u8>, ExtractError> {
        let limit = tree.limits().header_bytes;
        if size > limit {
            return Err(ExtractError::Limit(format!("an extended header of more than {limit} bytes")));
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        self.inner.read_exact(&mut bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => malformed("it ends within an extended header"),
            _ => failure(error),
        })?;
        self.padding(size)?;
        Ok(bytes)
    }

    /// The content of GNU's long names, which end with a zero.
    fn text(&mut self, size: u64, tree: &Tree<'_>) -> Result<Vec<u8>, ExtractError> {
        let mut bytes = self.bytes(size, tree)?;
        if bytes.last() == Some(&0) {
            bytes.pop();
        }
        Ok(bytes)
    }

    /// What fills the last block of a member.
    fn padding(&mut self, size: u64) -> Result<(), ExtractError> {
        let used = usize::try_from(size.checked_rem(BLOCK as u64).unwrap_or(0)).unwrap_or(0);
        if used == 0 {
            return Ok(());
        }
        let mut block = [0; BLOCK];
        let Some(rest) = block.get_mut(used..) else { return Ok(()) };
        self.inner.read_exact(rest).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => malformed("it ends within the last block of a member"),
            _ => failure(error),
        })
    }

    /// After the end nothing may come but zeros. Reading on also has the decoder check its own checksum.
    fn end(&mut self) -> Result<(), ExtractError> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = self.inner.read(&mut buffer).map_err(failure)?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
            if bytes.iter().any(|byte| *byte != 0) {
                return Err(malformed("data follows its end"));
            }
        }
    }
}

fn malformed(what: impl Into<String>) -> ExtractError {
    ExtractError::Malformed(what.into())
}

fn unsupported(name: &[u8], what: &str) -> ExtractError {
    ExtractError::Unsupported(format!("member {} {what}", shown(name)))
}
