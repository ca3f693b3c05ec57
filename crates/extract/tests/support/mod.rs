//! Archives made byte by byte, so that they can be wrong in any way, and the place they are extracted in.
#![allow(dead_code, unreachable_pub)]

use catena_extract::{ExtractError, Format, Options, Summary, detect, extract as extract_into};
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use tempfile::TempDir;

/// What became of an archive.
pub struct Outcome {
    pub result: Result<Summary, ExtractError>,
    /// Where it was extracted.
    pub tree: PathBuf,
    folder: TempDir,
}

impl Outcome {
    /// What stands beside the tree.
    pub fn outside(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(fs::read(self.folder.path().join("tree.victim")).unwrap(), b"untouched");
        names
    }
}

pub fn extract(archive: &[u8]) -> Outcome {
    extract_with(archive, &Options::default())
}

pub fn extract_with(archive: &[u8], options: &Options) -> Outcome {
    run(archive, options, &|| false)
}

pub fn extract_cancelled(archive: &[u8]) -> Outcome {
    run(archive, &Options::default(), &|| true)
}

fn run(archive: &[u8], options: &Options, cancelled: &dyn Fn() -> bool) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(folder.path().join("tree.victim"), b"untouched").unwrap();
    let mut file = stored(archive);
    // What cannot be told from its first bytes is taken for what the test made of it.
    let format = detect(&mut file).unwrap().unwrap_or(Format::Tar(catena_extract::Compression::None));
    let result = extract_into(file, format, &tree, options, cancelled);
    Outcome { result, tree, folder }
}

pub fn detected(bytes: &[u8]) -> Option<Format> {
    detect(&mut stored(bytes)).unwrap()
}

fn stored(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One member, of a tar or a zip archive.
#[derive(Clone)]
pub struct Member {
    name: Vec<u8>,
    kind: u8,
    mode: u32,
    link: Vec<u8>,
    content: Vec<u8>,
    records: Vec<(String, Vec<u8>)>,
    globals: Vec<(String, Vec<u8>)>,
    gnu_long: bool,
    deflated: bool,
    zip_type: Option<u32>,
}

impl Member {
    pub fn file(name: &str, content: &[u8]) -> Self {
        Self {
            name: name.into(),
            kind: b'0',
            mode: 0o644,
            link: Vec::new(),
            content: content.to_vec(),
            records: Vec::new(),
            globals: Vec::new(),
            gnu_long: false,
            deflated: false,
            zip_type: None,
        }
    }

    pub fn directory(name: &str) -> Self {
        Self { kind: b'5', mode: 0o755, ..Self::file(&format!("{name}/"), b"") }
    }

    pub fn symlink(name: &str, target: &str) -> Self {
        Self { kind: b'2', mode: 0o777, link: target.into(), ..Self::file(name, b"") }
    }

    pub fn hard_link(name: &str, target: &str) -> Self {
        Self { kind: b'1', link: target.into(), ..Self::file(name, b"") }
    }

    /// A name that need not be text.
    pub fn named(self, name: &[u8]) -> Self {
        Self { name: name.to_vec(), ..self }
    }

    pub fn kind(self, kind: u8) -> Self {
        Self { kind, ..self }
    }

    pub fn mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }

    pub fn content(self, content: &[u8]) -> Self {
        Self { content: content.to_vec(), ..self }
    }

    pub fn deflated(self) -> Self {
        Self { deflated: true, ..self }
    }

    pub fn zip_type(self, zip_type: u32) -> Self {
        Self { zip_type: Some(zip_type), ..self }
    }

    /// The name in a pax record.
    pub fn pax(mut self) -> Self {
        let name = std::mem::replace(&mut self.name, b"short".to_vec());
        self.records.push(("path".to_owned(), name));
        self
    }

    /// Name and link as GNU's own members.
    pub fn gnu_long(self) -> Self {
        Self { gnu_long: true, ..self }
    }

    pub fn record(mut self, key: &str, value: &str) -> Self {
        self.records.push((key.to_owned(), value.into()));
        self
    }

    pub fn global(mut self, key: &str, value: &str) -> Self {
        self.globals.push((key.to_owned(), value.into()));
        self
    }
}

fn records(records: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut all = Vec::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let length = (rest..).find(|length| length.to_string().len() + rest == *length).unwrap();
        all.extend(format!("{length} {key}=").bytes());
        all.extend(value);
        all.push(b'\n');
    }
    all
}

/// A tar archive.
pub struct Tar(Vec<u8>);

impl Tar {
    pub fn new() -> Self {
        Self(Vec::new())
    }

    pub fn of(member: Member) -> Vec<u8> {
        Self::new().add(member).bytes()
    }

    pub fn add(&mut self, member: Member) -> &mut Self {
        if !member.globals.is_empty() {
            self.entry(b"global", b'g', 0o644, b"", &records(&member.globals));
        }
        if !member.records.is_empty() {
            self.entry(b"records", b'x', 0o644, b"", &records(&member.records));
        }
        let (mut name, mut link) = (member.name.clone(), member.link.clone());
        if member.gnu_long {
            self.entry(b"././@LongLink", b'L', 0o644, b"", &[name.as_slice(), b"\0"].concat());
            self.entry(b"././@LongLink", b'K', 0o644, b"", &[link.as_slice(), b"\0"].concat());
            name.truncate(100);
            link.truncate(100);
        }
        self.entry(&name, member.kind, member.mode, &link, &member.content);
        self
    }

    fn entry(&mut self, name: &[u8], kind: u8, mode: u32, link: &[u8], content: &[u8]) {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name);
        header[100..107].copy_from_slice(format!("{mode:07o}").as_bytes());
        header[108..115].copy_from_slice(b"0001750");
        header[116..123].copy_from_slice(b"0001750");
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[136..147].copy_from_slice(format!("{:011o}", 1_000_000_000).as_bytes());
        header[148..156].fill(b' ');
        header[156] = kind;
        header[157..157 + link.len()].copy_from_slice(link);
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        self.0.extend(header);
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
    }

    pub fn bytes(&self) -> Vec<u8> {
        [self.0.as_slice(), &[0; 1024]].concat()
    }

    /// Plain first.
    pub fn in_every_compression(&self) -> Vec<Vec<u8>> {
        let bytes = self.bytes();
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bzip2.write_all(&bytes).unwrap();
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(&bytes).unwrap();
        let mut zstd = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        zstd.include_checksum(true).unwrap();
        zstd.write_all(&bytes).unwrap();
        let (gzip, bzip2, xz, zstd) =
            (gzip(&bytes), bzip2.finish().unwrap(), xz.finish().unwrap(), zstd.finish().unwrap());
        vec![bytes, gzip, bzip2, xz, zstd]
    }
}

/// A zip archive.
#[derive(Default)]
pub struct Zip {
    data: Vec<u8>,
    central: Vec<u8>,
    entries: u16,
}

impl Zip {
    pub fn new() -> Self {
        Self { data: Vec::new(), central: Vec::new(), entries: 0 }
    }

    pub fn of(member: Member) -> Vec<u8> {
        Self::new().add(member).bytes()
    }

    pub fn add(&mut self, member: Member) -> &mut Self {
        let content = if member.kind == b'2' { &member.link } else { &member.content };
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let (method, packed) = if member.deflated {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(content).unwrap();
            (8_u16, encoder.finish().unwrap())
        } else {
            (0, content.clone())
        };
        let unix = member.zip_type.unwrap_or(match member.kind {
            b'2' => 0o120_000,
            b'5' => 0o040_000,
            _ => 0o100_000,
        });
        let (offset, name_length) = (self.data.len() as u32, member.name.len() as u16);
        let mut common = Vec::new();
        for field in [0_u16, method, 0, 0x5821] {
            common.extend(field.to_le_bytes());
        }
        for field in [crc.sum(), packed.len() as u32, content.len() as u32] {
            common.extend(field.to_le_bytes());
        }
        self.data.extend(b"PK\x03\x04\x14\x00");
        self.data.extend(&common);
        self.data.extend(name_length.to_le_bytes());
        self.data.extend([0; 2]);
        self.data.extend(&member.name);
        self.data.extend(packed);
        self.central.extend(b"PK\x01\x02\x14\x03\x14\x00");
        self.central.extend(&common);
        for field in [name_length, 0, 0, 0, 0] {
            self.central.extend(field.to_le_bytes());
        }
        let mode = if member.mode == 0 { 0 } else { (unix | member.mode) << 16 };
        self.central.extend(mode.to_le_bytes());
        self.central.extend(offset.to_le_bytes());
        self.central.extend(&member.name);
        self.entries += 1;
        self
    }

    /// A member whose content is another member, which the directory names too.
    pub fn nested(outer: &str, inner: Member) -> Vec<u8> {
        let inner = std::mem::take(Self::new().add(inner));
        let mut zip = Self::new();
        zip.add(Member::file(outer, &inner.data));
        let mut central = inner.central;
        let offset = u32::try_from(30 + outer.len()).unwrap();
        central[42..46].copy_from_slice(&offset.to_le_bytes());
        zip.central.extend(central);
        zip.entries += 1;
        zip.bytes()
    }

    /// Adds extra fields to the last member, in the directory alone.
    pub fn extra(&mut self, fields: &[u8]) -> &mut Self {
        let name = self.central.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap();
        self.central[name + 30..name + 32].copy_from_slice(&(fields.len() as u16).to_le_bytes());
        self.central.extend(fields);
        self
    }

    /// Replaces a field of the last member in the directory.
    pub fn central(&mut self, at: usize, field: &[u8]) -> &mut Self {
        let header = self.central.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap();
        self.central[header + at..header + at + field.len()].copy_from_slice(field);
        self
    }

    /// Replaces a field of the last member in its local header.
    pub fn local(&mut self, at: usize, field: &[u8]) -> &mut Self {
        let header = self.data.windows(4).rposition(|bytes| bytes == b"PK\x03\x04").unwrap();
        self.data[header + at..header + at + field.len()].copy_from_slice(field);
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
        end.extend(self.entries.to_le_bytes());
        end.extend(self.entries.to_le_bytes());
        end.extend((self.central.len() as u32).to_le_bytes());
        end.extend((self.data.len() as u32).to_le_bytes());
        end.extend([0; 2]);
        [self.data.as_slice(), &self.central, &end].concat()
    }
}
