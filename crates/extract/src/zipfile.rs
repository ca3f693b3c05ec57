//! Zip archives, read by their central directory, which every local header must agree with.
//!
//! Two programs that read one zip archive may find different files in it: by different directories, local
//! headers or sizes. An archive that leaves room for that is refused.

use crate::error::{ExtractError, shown};
use crate::tree::{Attributes, Tree};
use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;

const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const LOCAL: u32 = 0x0403_4b50;

const END_LENGTH: u64 = 22;
const END_64_LENGTH: u64 = 56;
const LOCATOR_64_LENGTH: u64 = 20;
const CENTRAL_LENGTH: usize = 46;
const LOCAL_LENGTH: usize = 30;

const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// Extracts a zip archive.
pub(crate) fn extract(
    archive: File,
    tree: &mut Tree<'_>,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), ExtractError> {
    let length = archive.metadata().map_err(ExtractError::Read)?.len();
    let directory = Directory::find(&archive, length)?;
    let limits = tree.limits();
    let most = length.saturating_mul(limits.expansion).saturating_add(limits.expansion_free);
    let mut reader =
        BufReader::with_capacity(64 << 10, Section::of(&archive, directory.begin, directory.end));
    let (mut ranges, mut decoded) = (Vec::new(), 0_u64);
    for _ in 0..directory.entries {
        if cancelled() {
            return Err(ExtractError::Cancelled);
        }
        let member = Member::read(&mut reader)?;
        decoded = decoded.saturating_add(member.length);
        if decoded > most {
            return Err(ExtractError::Limit(format!("it expands to more than {most} bytes")));
        }
        let data = member.data(&archive, directory.begin)?;
        ranges.push((member.offset, data.end));
        member.extract(data, tree)?;
    }
    if reader.read(&mut [0]).map_err(ExtractError::Read)? > 0 {
        return Err(malformed("its directory has more members than it says"));
    }
    disjoint(ranges)
}

/// No two members may share bytes: that is how a small archive becomes a large tree.
fn disjoint(mut ranges: Vec<(u64, u64)>) -> Result<(), ExtractError> {
    ranges.sort_unstable();
    let overlaps = ranges.windows(2).any(|pair| matches!(pair, [(_, end), (begin, _)] if begin < end));
    if overlaps { Err(malformed("two of its members overlap")) } else { Ok(()) }
}

/// Where the central directory is.
struct Directory {
    entries: u64,
    begin: u64,
    end: u64,
}

impl Directory {
    fn find(archive: &File, length: u64) -> Result<Self, ExtractError> {
        let tail_length = length.min(END_LENGTH.saturating_add(u64::from(u16::MAX)));
        let tail_begin = length.saturating_sub(tail_length);
        let tail = read(archive, tail_begin, tail_length)?;
        let at = find_end(&tail).ok_or_else(|| malformed("it has no end of its directory"))?;
        let end_at = tail_begin.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
        let mut fields = Fields(tail.get(at..).unwrap_or_default());
        let found = (|| {
            fields.skip(4)?;
            let (disk, directory_disk) = (fields.u16()?, fields.u16()?);
            let (entries_here, entries) = (fields.u16()?, fields.u16()?);
            let (size, begin) = (fields.u32()?, fields.u32()?);
            (disk == 0 && directory_disk == 0 && entries_here == entries).then_some((entries, size, begin))
        })();
        let (entries, size, begin) = found.ok_or_else(|| malformed("it is one of several disks"))?;
        if entries == u16::MAX || size == u32::MAX || begin == u32::MAX {
            return Self::find_64(archive, end_at);
        }
        Self { entries: u64::from(entries), begin: u64::from(begin), end: end_at }.checked(u64::from(size))
    }

    fn find_64(archive: &File, end_at: u64) -> Result<Self, ExtractError> {
        let wrong = || malformed("the 64-bit end of its directory cannot be read");
        let locator_at = end_at.checked_sub(LOCATOR_64_LENGTH).ok_or_else(wrong)?;
        let end_64_at = locator_at.checked_sub(END_64_LENGTH).ok_or_else(wrong)?;
        let bytes = read(archive, end_64_at, END_64_LENGTH.saturating_add(LOCATOR_64_LENGTH))?;
        let mut fields = Fields(&bytes);
        let found = (|| {
            let (signature, rest) = (fields.u32()?, fields.u64()?);
            fields.skip(4)?;
            let (disk, directory_disk) = (fields.u32()?, fields.u32()?);
            let (entries_here, entries, size, begin) =
                (fields.u64()?, fields.u64()?, fields.u64()?, fields.u64()?);
            let (locator, _, end_64, disks) = (fields.u32()?, fields.u32()?, fields.u64()?, fields.u32()?);
            let plain = signature == END_64
                && rest == END_64_LENGTH.saturating_sub(12)
                && (disk, directory_disk, disks) == (0, 0, 1)
                && entries_here == entries
                && locator == LOCATOR_64
                && end_64 == end_64_at;
            plain.then_some((entries, size, begin))
        })();
        let (entries, size, begin) = found.ok_or_else(wrong)?;
        Self { entries, begin, end: end_64_at }.checked(size)
    }

    /// The directory must reach to its end record, so that there is no other one.
    fn checked(self, size: u64) -> Result<Self, ExtractError> {
        if self.begin.checked_add(size) != Some(self.end) {
            return Err(malformed("its directory does not stand before its end"));
        }
        Ok(self)
    }
}

/// Where the end record is: the comment after it reaches to the end of the file. Only one place may do so.
fn find_end(tail: &[u8]) -> Option<usize> {
    let fixed = usize::try_from(END_LENGTH).ok()?;
    let fits = |at: &usize| {
        let record = tail.get(*at..).unwrap_or_default();
        let comment = record.get(20..22).and_then(|bytes| bytes.try_into().ok()).map(u16::from_le_bytes);
        record.starts_with(&END.to_le_bytes())
            && comment.is_some_and(|comment| fixed.checked_add(usize::from(comment)) == Some(record.len()))
    };
    let mut places = (0..=tail.len().checked_sub(fixed)?).filter(fits);
    let place = places.next()?;
    places.next().is_none().then_some(place)
}

/// A member, as the central directory has it.
struct Member {
    name: Vec<u8>,
    made_on_unix: bool,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    length: u64,
    offset: u64,
    external: u32,
    modified: Option<u64>,
}

impl Member {
    fn read(directory: &mut impl Read) -> Result<Self, ExtractError> {
        let fixed: [u8; CENTRAL_LENGTH] = exactly(directory)?;
        let mut fields = Fields(&fixed);
        let parsed = (|| {
            let signature = fields.u32()?;
            let (made_by, _, flags, method) = (fields.u16()?, fields.u16()?, fields.u16()?, fields.u16()?);
            let (time, date, crc) = (fields.u16()?, fields.u16()?, fields.u32()?);
            let (packed, length) = (fields.u32()?, fields.u32()?);
            let lengths = (fields.u16()?, fields.u16()?, fields.u16()?);
            let (disk, _, external, offset) = (fields.u16()?, fields.u16()?, fields.u32()?, fields.u32()?);
            let member = Self {
                name: Vec::new(),
                // 3 is Unix, 19 is macOS.
                made_on_unix: matches!(made_by >> 8, 3 | 19),
                flags,
                method,
                crc,
                packed: u64::from(packed),
                length: u64::from(length),
                offset: u64::from(offset),
                external,
                modified: dos_time(date, time),
            };
            (signature == CENTRAL && disk == 0).then_some((member, lengths))
        })();
        let (mut member, (name, extra, comment)) =
            parsed.ok_or_else(|| malformed("an entry of its directory cannot be read"))?;
        member.name = some(directory, name)?;
        let extra = some(directory, extra)?;
        some(directory, comment)?;
        member.read_extra(&extra)?;
        Ok(member)
    }

    /// Sizes of 64 bits, and a time in UTC.
    fn read_extra(&mut self, extra: &[u8]) -> Result<(), ExtractError> {
        let wide = |value: &mut u64, fields: &mut Fields<'_>| -> Option<()> {
            if *value == u64::from(u32::MAX) {
                *value = fields.u64()?;
            }
            Some(())
        };
        let mut fields = Fields(extra);
        while let Some(id) = fields.u16() {
            let field = fields.u16().and_then(|length| fields.take(usize::from(length)));
            let mut field = Fields(field.ok_or_else(|| malformed("extra fields cannot be read"))?);
            match id {
                1 => {
                    let read = wide(&mut self.length, &mut field)
                        .and_then(|()| wide(&mut self.packed, &mut field))
                        .and_then(|()| wide(&mut self.offset, &mut field));
                    read.ok_or_else(|| malformed("sizes of 64 bits cannot be read"))?;
                }
                0x5455 => {
                    if let (Some(1..), Some(time)) = (field.u8().map(|flags| flags & 1), field.u32()) {
                        self.modified = Some(u64::from(time));
                    }
                }
                // A second name, which some programs prefer: a version and a checksum stand before it.
                0x7075 if field.0.get(5..) != Some(self.name.as_slice()) => {
                    return Err(malformed(format!("member {} has two names", shown(&self.name))));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Where the data is. The local header must say the same as the directory.
    fn data<'a>(&self, archive: &'a File, directory: u64) -> Result<Section<'a>, ExtractError> {
        if self.flags & ENCRYPTED != 0 {
            return Err(unsupported(&self.name, "is encrypted"));
        }
        let mut local = Section::of(archive, self.offset, directory);
        let fixed: [u8; LOCAL_LENGTH] = exactly(&mut local)?;
        let mut fields = Fields(&fixed);
        let parsed = (|| {
            let (signature, _, flags, method) = (fields.u32()?, fields.u16()?, fields.u16()?, fields.u16()?);
            fields.skip(4)?;
            let sizes = (fields.u32()?, fields.u32()?, fields.u32()?);
            Some((signature, flags, method, sizes, fields.u16()?, fields.u16()?))
        })();
        let differs = || malformed(format!("member {} differs in its two headers", shown(&self.name)));
        let (signature, flags, method, (crc, packed, length), name, extra) = parsed.ok_or_else(differs)?;
        let same_name = some(&mut local, name)? == self.name;
        some(&mut local, extra)?;
        // What is only known after the data is left out before it.
        let later = flags & (1 << 3) != 0;
        let size = |local: u32, central: u64| {
            local == u32::MAX || u64::from(local) == central || later && local == 0
        };
        let same = signature == LOCAL
            && same_name
            && flags == self.flags
            && method == self.method
            && size(packed, self.packed)
            && size(length, self.length)
            && (crc == self.crc || later && crc == 0);
        let end = local.at.checked_add(self.packed).filter(|end| *end <= directory);
        match (same, end) {
            (true, Some(end)) => Ok(Section::of(archive, local.at, end)),
            _ => Err(differs()),
        }
    }

    fn extract(&self, data: Section<'_>, tree: &mut Tree<'_>) -> Result<(), ExtractError> {
        let path = tree.path(&self.name)?;
        let unix = if self.made_on_unix { self.external >> 16 } else { 0 };
        let named_directory = self.name.ends_with(b"/");
        let kind = match unix & 0o170_000 {
            0o120_000 => Kind::Symlink,
            0o040_000 => Kind::Directory,
            0 if named_directory => Kind::Directory,
            0 | 0o100_000 => Kind::File,
            _ => {
                let refusal = crate::Refusal::Type("neither a file, a directory nor a symbolic link");
                return Err(ExtractError::member(&self.name, refusal));
            }
        };
        if named_directory != (kind == Kind::Directory) || kind == Kind::Directory && self.length > 0 {
            return Err(unsupported(&self.name, "is a directory by its name or its type alone"));
        }
        let attributes = Attributes { mode: self.mode(unix, kind), modified: self.modified };
        match kind {
            Kind::Directory => tree.directory(&path, attributes),
            Kind::Symlink => {
                let target = self.link_target(data, tree)?;
                tree.symlink(&path, &target)
            }
            Kind::File => {
                let mut content = Content::of(self, data)?;
                tree.file(&path, attributes, self.length, &mut content)?;
                content.end(self)
            }
        }
    }

    /// What is not said is as programs make it. DOS has one bit: nobody may write.
    fn mode(&self, unix: u32, kind: Kind) -> u32 {
        match unix & 0o777 {
            0 if kind == Kind::Directory => 0o755,
            0 if !self.made_on_unix && self.external & 1 != 0 => 0o444,
            0 => 0o644,
            mode => mode,
        }
    }

    fn link_target(&self, data: Section<'_>, tree: &Tree<'_>) -> Result<Vec<u8>, ExtractError> {
        let most = u64::try_from(tree.limits().path_bytes).unwrap_or(u64::MAX);
        if self.length > most {
            return Err(ExtractError::Limit(format!("the target of a link has more than {most} bytes")));
        }
        let mut content = Content::of(self, data)?;
        let mut target = Vec::new();
        content
            .by_ref()
            .take(most.saturating_add(1))
            .read_to_end(&mut target)
            .map_err(crate::meter::failure)?;
        content.end(self)?;
        Ok(target)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
    Symlink,
}

/// The decoded content of a member, whose checksum and length are looked at.
struct Content<'a> {
    decoder: Decoder<'a>,
    crc: Crc,
}

enum Decoder<'a> {
    Stored(Section<'a>),
    Deflated(DeflateDecoder<BufReader<Section<'a>>>),
}

impl<'a> Content<'a> {
    fn of(member: &Member, data: Section<'a>) -> Result<Self, ExtractError> {
        let decoder = match member.method {
            STORED => Decoder::Stored(data),
            DEFLATED => {
                // No larger than the member: most are small.
                let buffer = usize::try_from(member.packed).unwrap_or(usize::MAX).clamp(1, 64 << 10);
                Decoder::Deflated(DeflateDecoder::new(BufReader::with_capacity(buffer, data)))
            }
            other => {
                let what = format!("is compressed by method {other}; only deflate is known");
                return Err(unsupported(&member.name, &what));
            }
        };
        Ok(Self { decoder, crc: Crc::new() })
    }

    /// Nothing may be left, neither decoded nor packed.
    fn end(mut self, member: &Member) -> Result<(), ExtractError> {
        let more = self.read(&mut [0]).map_err(crate::meter::failure)? > 0;
        let unread = match &mut self.decoder {
            Decoder::Stored(_) => false,
            Decoder::Deflated(decoder) => decoder.total_in() != member.packed,
        };
        let short = u64::from(self.crc.amount()) != member.length & u64::from(u32::MAX);
        if more || unread || short {
            return Err(malformed(format!("member {} is not as long as it says", shown(&member.name))));
        }
        if self.crc.sum() != member.crc {
            return Err(malformed(format!("the checksum of member {} is wrong", shown(&member.name))));
        }
        Ok(())
    }
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.decoder {
            Decoder::Stored(section) => section.read(buffer)?,
            Decoder::Deflated(decoder) => decoder.read(buffer)?,
        };
        self.crc.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// A range of a file.
struct Section<'a> {
    file: &'a File,
    at: u64,
    end: u64,
}

impl<'a> Section<'a> {
    fn of(file: &'a File, begin: u64, end: u64) -> Self {
        Self { file, at: begin, end }
    }
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let most = left.min(buffer.len());
        let read = self.file.read_at(buffer.get_mut(..most).unwrap_or_default(), self.at)?;
        self.at = self.at.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

/// Little-endian numbers, one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn skip(&mut self, length: usize) -> Option<()> {
        self.take(length).map(|_| ())
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}

/// Seconds since 1970 of DOS's local time, taken as UTC.
fn dos_time(date: u16, time: u16) -> Option<u64> {
    let part = |value: u16, shift: u32, bits: u16| i8::try_from((value >> shift) & bits).ok();
    let year = i16::try_from((date >> 9) & 0x7f).ok()?.checked_add(1980)?;
    let seconds = part(time, 0, 0x1f)?.checked_mul(2)?;
    let moment = DateTime::new(
        year,
        part(date, 5, 0xf)?,
        part(date, 0, 0x1f)?,
        part(time, 11, 0x1f)?,
        part(time, 5, 0x3f)?,
        seconds,
        0,
    );
    let moment = moment.ok()?.to_zoned(TimeZone::UTC).ok()?;
    u64::try_from(moment.timestamp().as_second()).ok()
}

fn read(archive: &File, at: u64, length: u64) -> Result<Vec<u8>, ExtractError> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    archive.read_exact_at(&mut bytes, at).map_err(ended)?;
    Ok(bytes)
}

fn exactly<const N: usize>(from: &mut impl Read) -> Result<[u8; N], ExtractError> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes).map_err(ended)?;
    Ok(bytes)
}

fn some(from: &mut impl Read, length: u16) -> Result<Vec<u8>, ExtractError> {
    let mut bytes = vec![0; usize::from(length)];
    from.read_exact(&mut bytes).map_err(ended)?;
    Ok(bytes)
}

fn ended(error: io::Error) -> ExtractError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => malformed("it ends within a header"),
        _ => ExtractError::Read(error),
    }
}

fn malformed(what: impl Into<String>) -> ExtractError {
    ExtractError::Malformed(what.into())
}

fn unsupported(name: &[u8], what: &str) -> ExtractError {
    ExtractError::Unsupported(format!("member {} {what}", shown(name)))
}
