//! A body in transfer: decoded, capped, measured, and passed to its sink, all while it streams. Only
//! kept data is held in memory.

use crate::budget::{Reservation, length, weight};
use crate::graphs::{GraphDecoder, KeptGraph};
use catena_http::headers::Coding;
use catena_model::Limits;
use catena_model::digest::Measurement;
use catena_model::graph::GraphScan;
use catena_verify::verification::{Body, Fact};
use catena_workdir::StagedFile;
use flate2::write::MultiGzDecoder;
use sha2::{Digest as _, Sha256, Sha512};
use std::io::{self, Write};
use std::sync::Arc;

/// What happens to the decoded bytes.
#[derive(Debug)]
pub(crate) enum Keep {
    /// They are kept as a whole.
    Whole,
    /// A task graph is scanned, and optionally kept.
    Graph(Box<GraphDecoder>),
    /// Nothing.
    Nothing,
}

/// Why a body was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    /// More decoded bytes than the limit.
    #[error("the answer is larger than the limit of {limit} bytes")]
    TooLarge { limit: u64 },
    /// It decodes to more than the allowed multiple of its size on the wire.
    #[error("the answer decodes to more than {factor} times its size on the wire")]
    Expands { factor: u64 },
    /// All answers together take too much memory.
    #[error("the answers together take more than {limit} bytes of memory")]
    Full { limit: u64 },
    /// The coding is malformed or truncated.
    #[error("the answer's gzip coding is broken or incomplete")]
    Coding,
    /// The local disk.
    #[error("cannot write to the work directory: {0}")]
    Disk(String),
}

/// Receives one body.
#[derive(Debug)]
pub(crate) struct BodyDecoder {
    decoder: Decoder,
}

/// The limits of a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Decoded bytes.
    pub(crate) bytes: u64,
    /// The maximum ratio of decoded size to size on the wire.
    pub(crate) expansion: u64,
    /// Decoded bytes below which the ratio is ignored.
    pub(crate) expansion_free: u64,
}

impl Bounds {
    pub(crate) fn new(bytes: u64, limits: &Limits) -> Self {
        Self { bytes, expansion: limits.expansion, expansion_free: limits.expansion_free }
    }

    /// Few enough bytes to ignore the ratio.
    pub(crate) fn plain(bytes: u64) -> Self {
        Self { bytes, expansion: 0, expansion_free: bytes }
    }

    /// Whether this many decoded bytes may result from this many received ones.
    fn hold(&self, decoded: u64, received: u64) -> Result<(), BodyError> {
        if decoded > self.bytes {
            return Err(BodyError::TooLarge { limit: self.bytes });
        }
        if decoded > self.expansion_free && decoded > received.saturating_mul(self.expansion) {
            return Err(BodyError::Expands { factor: self.expansion });
        }
        Ok(())
    }
}

#[derive(Debug)]
enum Decoder {
    Identity(Box<Sink>),
    Gzip(Box<MultiGzDecoder<Sink>>),
}

impl BodyDecoder {
    pub(crate) fn new(
        coding: Coding,
        bounds: Bounds,
        sha512: bool,
        keep: Keep,
        staged: Option<StagedFile>,
    ) -> Self {
        let sink = Sink {
            bounds,
            share: None,
            received: 0,
            length: 0,
            sha256: Sha256::new(),
            sha512: sha512.then(Sha512::new),
            keep,
            bytes: Vec::new(),
            staged,
            failure: None,
        };
        let decoder = match coding {
            Coding::Identity => Decoder::Identity(Box::new(sink)),
            Coding::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(sink))),
        };
        Self { decoder }
    }

    /// Kept data counts towards the memory for all answers.
    pub(crate) fn within(mut self, share: Option<Reservation>) -> Self {
        self.sink_mut().share = share;
        self
    }

    /// Takes one chunk.
    pub(crate) fn write(&mut self, chunk: &[u8]) -> Result<(), BodyError> {
        let sink = self.sink_mut();
        sink.received = sink.received.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        let written = match &mut self.decoder {
            Decoder::Identity(sink) => sink.write_all(chunk),
            Decoder::Gzip(decoder) => decoder.write_all(chunk),
        };
        written.map_err(|_| self.failure())
    }

    fn failure(&self) -> BodyError {
        self.sink().failure.clone().unwrap_or(BodyError::Coding)
    }

    fn sink_mut(&mut self) -> &mut Sink {
        match &mut self.decoder {
            Decoder::Identity(sink) => sink,
            Decoder::Gzip(decoder) => decoder.get_mut(),
        }
    }

    fn sink(&self) -> &Sink {
        match &self.decoder {
            Decoder::Identity(sink) => sink,
            Decoder::Gzip(decoder) => decoder.get_ref(),
        }
    }

    /// Whether its bytes on the wire differ from the decoded bytes.
    pub(crate) fn is_coded(&self) -> bool {
        matches!(self.decoder, Decoder::Gzip(_))
    }

    /// Decoded bytes so far.
    pub(crate) fn decoded(&self) -> u64 {
        self.sink().length
    }

    /// The body is complete.
    pub(crate) fn finish(mut self) -> Result<ReceivedBody, BodyError> {
        if let Decoder::Gzip(decoder) = &mut self.decoder
            // An empty body is a valid empty coding, as it is to other clients.
            && decoder.get_ref().received > 0
            && decoder.try_finish().is_err()
        {
            return Err(self.failure());
        }
        let sink = match self.decoder {
            Decoder::Identity(sink) => *sink,
            Decoder::Gzip(mut decoder) => std::mem::replace(decoder.get_mut(), Sink::closed()),
        };
        Ok(sink.finish())
    }
}

/// A complete body.
#[derive(Debug)]
pub(crate) struct ReceivedBody {
    pub(crate) fact: Fact,
    pub(crate) measurement: Measurement,
    pub(crate) staged: Option<StagedFile>,
    /// A task graph that is kept for other needs.
    pub(crate) graph: Option<KeptGraph>,
    /// The memory that it takes while it is held.
    pub(crate) share: Option<Reservation>,
}

/// Where decoded bytes go.
#[derive(Debug)]
struct Sink {
    bounds: Bounds,
    share: Option<Reservation>,
    /// Bytes as they came over the wire.
    received: u64,
    /// Decoded bytes.
    length: u64,
    sha256: Sha256,
    sha512: Option<Sha512>,
    keep: Keep,
    bytes: Vec<u8>,
    staged: Option<StagedFile>,
    failure: Option<BodyError>,
}

impl Sink {
    /// A placeholder for a sink that was taken out of its decoder.
    fn closed() -> Self {
        Self {
            bounds: Bounds::plain(0),
            share: None,
            received: 0,
            length: 0,
            sha256: Sha256::new(),
            sha512: None,
            keep: Keep::Nothing,
            bytes: Vec::new(),
            staged: None,
            failure: None,
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), BodyError> {
        let added = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.length = self.length.saturating_add(added);
        self.bounds.hold(self.length, self.received)?;
        self.sha256.update(bytes);
        if let Some(sha512) = &mut self.sha512 {
            sha512.update(bytes);
        }
        match &mut self.keep {
            Keep::Whole => {
                if let Some(share) = &mut self.share {
                    share.take(weight(bytes))?;
                }
                self.bytes.extend_from_slice(bytes);
            }
            Keep::Graph(graph) => {
                graph.write(bytes);
                if let Some(share) = &mut self.share {
                    share.grow_to(length(graph.held()))?;
                }
            }
            Keep::Nothing => {}
        }
        if let Some(staged) = &mut self.staged {
            staged.write(bytes).map_err(|error| BodyError::Disk(error.to_string()))?;
        }
        Ok(())
    }

    fn finish(self) -> ReceivedBody {
        let measurement = Measurement {
            length: self.length,
            sha256: self.sha256.finalize().into(),
            sha512: self.sha512.map(|hasher| hasher.finalize().into()),
        };
        let mut graph = None;
        let fact = match self.keep {
            Keep::Whole => Fact::Body(Body { bytes: Arc::from(self.bytes), measurement }),
            Keep::Graph(intake) => {
                let (scan, kept) = intake.finish(measurement);
                graph = kept;
                Fact::Graph(scan)
            }
            Keep::Nothing => Fact::Measured(measurement),
        };
        ReceivedBody { fact, measurement, staged: self.staged, graph, share: self.share }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failure.is_none() {
            self.failure = self.take(bytes).err();
        }
        match self.failure {
            None => Ok(bytes.len()),
            Some(_) => Err(io::Error::other("not taken")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The measurement of bytes that are all available.
pub(crate) fn measure(bytes: &[u8], sha512: bool) -> Measurement {
    Measurement {
        length: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        sha256: Sha256::digest(bytes).into(),
        sha512: sha512.then(|| Sha512::digest(bytes).into()),
    }
}

/// The measurement in a fact, whatever else the fact holds.
pub(crate) fn measured(fact: &Fact) -> Option<&Measurement> {
    match fact {
        Fact::Body(Body { measurement, .. })
        | Fact::Measured(measurement)
        | Fact::Graph(GraphScan { measurement, .. }) => Some(measurement),
        Fact::Recalled(fact) | Fact::Confirmed(fact) => measured(fact),
        Fact::Absent { .. } | Fact::Refused { .. } | Fact::Unreachable { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::MemoryBudget;
    use catena_model::graph::Scanner;
    use catena_model::task::TaskId;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn take(coding: Coding, limit: u64, body: &[u8], chunk: usize) -> Result<ReceivedBody, BodyError> {
        let bounds = Bounds::new(limit, &Limits::default());
        let mut intake = BodyDecoder::new(coding, bounds, true, Keep::Whole, None);
        for chunk in body.chunks(chunk) {
            intake.write(chunk)?;
        }
        intake.finish()
    }

    fn bytes(taken: Result<ReceivedBody, BodyError>) -> Result<Vec<u8>, BodyError> {
        taken.map(|taken| match taken.fact {
            Fact::Body(body) => {
                assert_eq!(body.measurement, measure(&body.bytes, true));
                body.bytes.to_vec()
            }
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn decoded_bytes_are_measured() {
        let text = b"a chain of trust ".repeat(100);
        for chunk in [1, 7, 100_000] {
            assert_eq!(bytes(take(Coding::Identity, 2000, &text, chunk)), Ok(text.clone()));
            assert_eq!(bytes(take(Coding::Gzip, 2000, &gzip(&text), chunk)), Ok(text.clone()));
            let two = [gzip(&text[..50]), gzip(&text[50..])].concat();
            assert_eq!(bytes(take(Coding::Gzip, 2000, &two, chunk)), Ok(text.clone()));
        }
        assert_eq!(bytes(take(Coding::Gzip, 10, b"", 1)), Ok(Vec::new()));
        assert_eq!(bytes(take(Coding::Gzip, 10, &gzip(b""), 1)), Ok(Vec::new()));
    }

    #[test]
    fn broken_gzip_never_counts_as_whole() {
        let whole = gzip(&b"a chain of trust ".repeat(100));
        for length in 1..whole.len() {
            assert_eq!(
                bytes(take(Coding::Gzip, 5000, &whole[..length], 64)),
                Err(BodyError::Coding),
                "{length}"
            );
        }
        let garbage = [whole.as_slice(), b"more"].concat();
        assert_eq!(bytes(take(Coding::Gzip, 5000, &garbage, 64)), Err(BodyError::Coding));
        assert_eq!(
            bytes(take(Coding::Gzip, 5000, b"<html>not gzip at all</html>", 64)),
            Err(BodyError::Coding)
        );
        for position in [0, 1, whole.len() / 2, whole.len() - 6, whole.len() - 1] {
            let mut broken = whole.clone();
            broken[position] ^= 1;
            assert_eq!(bytes(take(Coding::Gzip, 5000, &broken, 64)), Err(BodyError::Coding), "{position}");
        }
    }

    #[test]
    fn the_limit_counts_decoded_bytes() {
        let too_large = Err(BodyError::TooLarge { limit: 99 });
        assert_eq!(bytes(take(Coding::Identity, 99, &[0; 100], 10)), too_large);
        assert_eq!(bytes(take(Coding::Gzip, 99, &gzip(&[0; 100]), 1)), too_large);
        // 64 MiB in 64 KiB: the sink stops the decoder at its first block.
        assert_eq!(bytes(take(Coding::Gzip, 99, &gzip(&vec![0; 64 << 20]), 1 << 20)), too_large);
        assert_eq!(bytes(take(Coding::Gzip, 100, &gzip(&[0; 100]), 1)), Ok(vec![0; 100]));
    }

    #[test]
    fn a_decompression_bomb_is_refused_within_the_size_limit() {
        let limits = Limits::default();
        let free = usize::try_from(limits.expansion_free).unwrap();
        let take = |body: &[u8]| {
            let bounds = Bounds::new(limits.artifact_bytes, &limits);
            let mut intake = BodyDecoder::new(Coding::Gzip, bounds, false, Keep::Nothing, None);
            body.chunks(16 << 10).try_for_each(|chunk| intake.write(chunk))?;
            intake.finish().map(|taken| taken.measurement.length)
        };
        assert_eq!(take(&gzip(&vec![0; free])), Ok(limits.expansion_free));
        assert_eq!(take(&gzip(&vec![0; free + (4 << 20)])), Err(BodyError::Expands { factor: 200 }));
        // Repetition as in logs stays far below it.
        let line =
            |number: usize| format!("[task 2026-05-04T03:02:01Z] {number} tests passed, none failed\n");
        let log: String = (0..400_000).map(line).collect();
        assert_eq!(take(&gzip(log.as_bytes())), Ok(log.len() as u64));
    }

    #[test]
    fn answers_share_one_memory_budget() {
        let budget = MemoryBudget::new(&Limits { held_bytes: 2000, ..Limits::default() });
        let take = |body: &[u8]| {
            let bounds = Bounds::new(500, &Limits::default());
            let mut intake = BodyDecoder::new(Coding::Identity, bounds, false, Keep::Whole, None);
            intake = intake.within(Some(Reservation::of(&budget)));
            body.chunks(7).try_for_each(|chunk| intake.write(chunk))?;
            intake.finish()
        };
        // Too large: its memory is released.
        for _ in 0..10 {
            assert!(matches!(take(&[b' '; 501]), Err(BodyError::TooLarge { .. })));
        }
        let held = [take(&[b' '; 400]).unwrap(), take(&[b' '; 400]).unwrap()];
        assert_eq!(take(&[b' '; 400]).err(), Some(BodyError::Full { limit: 2000 }));
        // 400 are left: a list takes 260 of them, two take more.
        assert!(take(b"[[]]").is_err());
        let lists = take(b"[]").unwrap();
        assert_eq!(take(b"[]").err(), Some(BodyError::Full { limit: 2000 }));
        // Released memory is available to others.
        assert!(budget.is_scarce());
        drop((held, lists));
        assert!(!budget.is_scarce() && take(&[b' '; 400]).is_ok());
    }
    #[test]
    fn kept_entries_of_graphs_share_it_too() {
        const A: &str = "IFn9x5gaQz-HXl2pa7Ny_w";
        let limits = Limits { held_bytes: 1000, ..Limits::default() };
        let budget = MemoryBudget::new(&limits);
        let take = |wanted: &[&str]| {
            let wanted = wanted.iter().map(|id| TaskId::parse(id).unwrap()).collect();
            let keep = Keep::Graph(Box::new(GraphDecoder::scanned(Scanner::new(wanted, &limits))));
            let intake = BodyDecoder::new(Coding::Identity, Bounds::new(9000, &limits), false, keep, None);
            let mut intake = intake.within(Some(Reservation::of(&budget)));
            let text = format!("{{\"{A}\":[\"{}\"]}}", "x".repeat(600));
            text.as_bytes().chunks(50).try_for_each(|chunk| intake.write(chunk))?;
            intake.finish()
        };
        let held = take(&[A]).unwrap();
        assert_eq!(take(&[A]).err(), Some(BodyError::Full { limit: 1000 }));
        assert!(take(&[]).is_ok(), "what is passed over takes nothing");
        drop(held);
        assert!(take(&[A]).is_ok());
    }
}
