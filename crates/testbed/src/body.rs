//! Bodies: what an artifact or a page consists of, never copied whole for a request.

use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

/// How much of a file or of generated noise is in memory at once.
pub(crate) const CHUNK: usize = 128 * 1024;

/// The bytes of an artifact or page.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Bytes in memory, shared between requests.
    Bytes(Bytes),
    /// A file, read anew for each request.
    File(PathBuf),
    /// `len` pseudo-random bytes that depend on `seed` alone: huge artifacts without disk or memory.
    Generated {
        /// Chooses the bytes.
        seed: u64,
        /// Length in bytes.
        len: u64,
    },
    /// Each piece as often as it says, one after the other: huge bodies that mean something.
    Repeated(Vec<(Bytes, u64)>),
}

impl Body {
    /// A JSON list of this many lists inside one another.
    pub fn nested(depth: u64) -> Body {
        Body::Repeated(vec![(Bytes::from_static(b"["), depth), (Bytes::from_static(b"]"), depth)])
    }

    /// A flat JSON object of about this many bytes, all in the list of one member.
    pub fn long_json(len: u64) -> Body {
        let unit = Bytes::from("1234567,".repeat(2048));
        let times = len / unit.len() as u64;
        let (head, tail) = (Bytes::from_static(b"{\"numbers\":["), Bytes::from_static(b"0]}"));
        Body::Repeated(vec![(head, 1), (unit, times), (tail, 1)])
    }

    /// Length in bytes.
    ///
    /// # Errors
    /// When the file cannot be inspected.
    pub fn len(&self) -> io::Result<u64> {
        match self {
            Body::Bytes(bytes) => Ok(bytes.len() as u64),
            Body::File(path) => Ok(path.metadata()?.len()),
            Body::Generated { len, .. } => Ok(*len),
            Body::Repeated(pieces) => {
                Ok(pieces.iter().map(|(piece, times)| piece.len() as u64 * times).sum())
            }
        }
    }

    /// Whether there are no bytes at all.
    ///
    /// # Errors
    /// When the file cannot be inspected.
    pub fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// SHA-256 of the bytes, streamed.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sha256(&self) -> io::Result<[u8; 32]> {
        let mut hash = Sha256::new();
        self.for_each(|chunk| {
            hash.update(chunk);
            Ok(())
        })?;
        Ok(hash.finalize().into())
    }

    /// Calls `f` with every chunk in order.
    ///
    /// # Errors
    /// When the file cannot be read, or `f` fails.
    pub fn for_each(&self, mut f: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        match self {
            Body::Bytes(bytes) => f(bytes),
            Body::File(path) => {
                let (mut file, mut buffer) = (File::open(path)?, vec![0; CHUNK]);
                loop {
                    let n = file.read(&mut buffer)?;
                    match buffer.get(..n) {
                        Some([]) | None => return Ok(()),
                        Some(chunk) => f(chunk)?,
                    }
                }
            }
            Body::Generated { seed, len } => {
                let mut noise = Noise::new(*seed, *len);
                while let Some(chunk) = noise.chunk() {
                    f(&chunk)?;
                }
                Ok(())
            }
            Body::Repeated(pieces) => {
                pieces.iter().try_for_each(|(piece, times)| (0..*times).try_for_each(|_| f(piece)))
            }
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Body::Bytes(Bytes::new())
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Body::Bytes(bytes)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Body::Bytes(bytes.into())
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Body::Bytes(text.into())
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Body::Bytes(Bytes::from_static(text.as_bytes()))
    }
}

/// SplitMix64: small, fast, good enough for bytes that must not compress.
#[derive(Clone, Debug)]
pub(crate) struct SplitMix(u64);

impl SplitMix {
    pub(crate) fn new(seed: u64) -> Self {
        SplitMix(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            for (to, from) in chunk.iter_mut().zip(self.next().to_le_bytes()) {
                *to = from;
            }
        }
    }
}

/// The stream behind [`Body::Generated`].
#[derive(Debug)]
pub(crate) struct Noise {
    random: SplitMix,
    left: u64,
}

impl Noise {
    pub(crate) fn new(seed: u64, len: u64) -> Self {
        Noise { random: SplitMix::new(seed), left: len }
    }

    pub(crate) fn chunk(&mut self) -> Option<Bytes> {
        let n = usize::try_from(self.left.min(CHUNK as u64)).unwrap_or(CHUNK);
        if n == 0 {
            return None;
        }
        let mut chunk = BytesMut::zeroed(n);
        self.random.fill(&mut chunk);
        self.left -= n as u64;
        Some(chunk.freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_bodies_depend_on_seed_and_length_alone() {
        let digest = |seed, len| Body::Generated { seed, len }.sha256().unwrap();
        assert_eq!(digest(1, 300_000), digest(1, 300_000));
        assert_ne!(digest(1, 300_000), digest(2, 300_000));
        assert_ne!(digest(1, 300_000), digest(1, 300_001));
    }

    #[test]
    fn repeated_bodies_are_the_json_they_say() {
        for body in [Body::nested(50), Body::long_json(100_000)] {
            let mut bytes = Vec::new();
            body.for_each(|chunk| {
                bytes.extend_from_slice(chunk);
                Ok(())
            })
            .unwrap();
            assert_eq!(body.len().unwrap(), bytes.len() as u64);
            let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            assert!(value.is_array() || value["numbers"].as_array().unwrap().len() > 10_000);
        }
        assert_eq!(Body::long_json(1 << 30).len().unwrap() >> 20, 1024);
    }

    #[test]
    fn a_body_hashes_alike_in_memory_and_on_disk() {
        let mut bytes = vec![0; CHUNK + 77];
        SplitMix::new(9).fill(&mut bytes);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("body");
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(Body::File(path.clone()).sha256().unwrap(), Body::from(bytes.clone()).sha256().unwrap());
        assert_eq!(Body::File(path).len().unwrap(), bytes.len() as u64);
    }
}
