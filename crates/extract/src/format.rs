//! What an archive is, by its content and never by its name.

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use liblzma::read::XzDecoder;
use liblzma::stream::Stream;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// The format of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A tar archive.
    Tar(Compression),
    /// A zip archive.
    Zip,
}

/// How a tar archive is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, one or more members.
    Gzip,
    /// bzip2, one or more streams.
    Bzip2,
    /// xz, one or more streams.
    Xz,
    /// Zstandard, one or more frames.
    Zstd,
}

/// Bytes of the archive that are read at once.
const BUFFER: usize = 256 << 10;
/// Memory of a decoder of xz: what its strongest preset needs, and no more.
const XZ_MEMORY: u64 = 96 << 20;
/// The size of a tar header.
pub(crate) const BLOCK: usize = 512;

/// What a file is, if it is an archive. A compressed file that is not a tar archive is none: it stays as it is.
///
/// # Errors
/// What the file system says.
pub fn detect(file: &mut File) -> io::Result<Option<Format>> {
    file.seek(SeekFrom::Start(0))?;
    let mut magic = Vec::with_capacity(8);
    file.by_ref().take(6).read_to_end(&mut magic)?;
    let format = match magic.as_slice() {
        // A member, or the end of an archive without any.
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Format::Zip),
        magic => {
            let compression = compression(magic);
            file.seek(SeekFrom::Start(0))?;
            begins_with_header(file, compression).then_some(Format::Tar(compression))
        }
    };
    file.seek(SeekFrom::Start(0))?;
    Ok(format)
}

fn compression(magic: &[u8]) -> Compression {
    match magic {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [b'B', b'Z', b'h', ..] => Compression::Bzip2,
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Compression::Xz,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
        _ => Compression::None,
    }
}

/// Whether the first block is a tar header. What cannot be decoded is no archive.
fn begins_with_header(file: &File, compression: Compression) -> bool {
    let Ok(file) = file.try_clone() else { return false };
    let mut block = [0; BLOCK];
    let decoded = decoder(file, compression, crate::Limits::default().window_log)
        .and_then(|mut decoder| decoder.read_exact(&mut block));
    decoded.is_ok() && crate::tarball::is_header(&block)
}

/// The decoded bytes of a file.
pub(crate) fn decoder(
    file: File,
    compression: Compression,
    window_log: u32,
) -> io::Result<Box<dyn Read + Send>> {
    let file = BufReader::with_capacity(BUFFER, file);
    Ok(match compression {
        Compression::None => Box::new(file),
        Compression::Gzip => Box::new(MultiGzDecoder::new(file)),
        Compression::Bzip2 => Box::new(MultiBzDecoder::new(file)),
        Compression::Xz => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED)
                .map_err(io::Error::other)?;
            Box::new(XzDecoder::new_stream(file, stream))
        }
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(file)?;
            decoder.window_log_max(window_log)?;
            Box::new(decoder)
        }
    })
}
