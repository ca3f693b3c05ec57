//! Task graphs whose bytes are kept beside the answer, so that several verifications can read their
//! entries.

use catena_model::Limits;
use catena_model::digest::Measurement;
use catena_model::graph::{GraphIndex, GraphScan, Scanner};
use catena_verify::verification::Need;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// A task graph in transfer.
#[derive(Debug)]
pub(crate) struct GraphDecoder {
    scanner: Scanner,
    file: Option<BufWriter<File>>,
}

impl GraphDecoder {
    /// A graph that is only scanned.
    pub(crate) fn scanned(scanner: Scanner) -> Self {
        Self { scanner, file: None }
    }

    /// A graph that is also kept, in an unnamed file in `folder` that disappears with its handle. If
    /// there is no space for it, it is only scanned: keeping it is an optimization.
    pub(crate) fn kept(scanner: Scanner, folder: &Path) -> Self {
        match tempfile::tempfile_in(folder) {
            Ok(file) => {
                Self { scanner: scanner.indexing(), file: Some(BufWriter::with_capacity(256 << 10, file)) }
            }
            Err(error) => {
                tracing::debug!(%error, "a task graph is not kept");
                Self::scanned(scanner)
            }
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.scanner.write(bytes);
        if let Some(Err(error)) = self.file.as_mut().map(|file| file.write_all(bytes)) {
            tracing::debug!(%error, "a task graph is not kept");
            self.file = None;
        }
    }

    /// Bytes of the entries that are kept in memory so far.
    pub(crate) fn held(&self) -> usize {
        self.scanner.held()
    }

    /// The scan's result, and the graph if it is kept. A graph that cannot be parsed, or that has too
    /// many entries, is not kept.
    pub(crate) fn finish(mut self, measurement: Measurement) -> (GraphScan, Option<KeptGraph>) {
        let file = self.file.and_then(|file| file.into_inner().ok());
        let kept = file.zip(self.scanner.take_index());
        let kept = kept.map(|(file, index)| KeptGraph { measurement, index, file: Mutex::new(file) });
        (self.scanner.finish(measurement), kept)
    }
}

/// A task graph that was measured and scanned once, with its bytes. Only this process can access them.
#[derive(Debug)]
pub struct KeptGraph {
    measurement: Measurement,
    index: GraphIndex,
    file: Mutex<File>,
}

impl KeptGraph {
    /// The result of a scan for this need. `None` if it needs a digest that was not measured.
    pub(crate) fn scan(&self, need: &Need, limits: &Limits) -> Option<io::Result<GraphScan>> {
        let Need::TaskGraph { wanted, sha512, .. } = need else { return None };
        if *sha512 && self.measurement.sha512.is_none() {
            return None;
        }
        Some(self.index.scan(wanted, limits, self.measurement, |range| self.read(range)))
    }

    /// The measurement of the whole graph.
    pub(crate) fn measurement(&self) -> &Measurement {
        &self.measurement
    }

    /// The positions of its entries.
    pub(crate) fn index(&self) -> &GraphIndex {
        &self.index
    }

    /// A range of its bytes.
    pub(crate) fn read(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(range.start))?;
        let length = range.end.saturating_sub(range.start);
        let mut bytes = Vec::new();
        let read = (&mut *file).take(length).read_to_end(&mut bytes)?;
        let whole = u64::try_from(read).is_ok_and(|read| read == length);
        if whole { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::measure;
    use catena_model::task::TaskSet;
    use catena_model::task::{RunId, TaskId};

    const A: &str = "IFn9x5gaQz-HXl2pa7Ny_w";
    const B: &str = "B1Y7D4twTB620sjIgyd3lg";

    fn need(wanted: &[&str], sha512: bool) -> Need {
        let wanted = wanted.iter().map(|id| TaskId::parse(id).unwrap()).collect();
        Need::TaskGraph { task_id: TaskId::parse(A).unwrap(), run_id: RunId(0), wanted, sha512 }
    }

    fn kept(text: &str) -> (GraphScan, Option<KeptGraph>) {
        let folder = tempfile::tempdir().unwrap();
        let scanner = Scanner::new([TaskId::parse(A).unwrap()].into(), &Limits::default());
        let mut intake = GraphDecoder::kept(scanner, folder.path());
        text.as_bytes().chunks(5).for_each(|chunk| intake.write(chunk));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it has no name");
        intake.finish(measure(text.as_bytes(), false))
    }

    #[test]
    fn entries_without_an_earlier_need_are_available() {
        let text = format!("{{\"{A}\":{{\"a\":1}},\"{B}\":{{\"b\":[2]}}}}");
        let (first, graph) = kept(&text);
        let graph = graph.unwrap();
        assert_eq!(first, graph.scan(&need(&[A], false), &Limits::default()).unwrap().unwrap());
        for wanted in [&[A, B][..], &[B], &[]] {
            let need = need(wanted, false);
            let Need::TaskGraph { wanted, .. } = &need else { unreachable!() };
            let mut scanner = Scanner::new(wanted.clone(), &Limits::default());
            scanner.write(text.as_bytes());
            let scan = graph.scan(&need, &Limits::default()).unwrap().unwrap();
            assert_eq!(scan, scanner.finish(measure(text.as_bytes(), false)));
        }
        assert!(graph.scan(&need(&[A], true), &Limits::default()).is_none(), "SHA-512 was not measured");
    }

    #[test]
    fn malformed_graphs_are_not_kept() {
        let (scan, graph) = kept("{\"a\":1");
        assert!(scan.entries.is_err() && graph.is_none());
        let scanner = Scanner::new(TaskSet::default(), &Limits::default());
        let mut intake = GraphDecoder::scanned(scanner);
        intake.write(b"{}");
        assert!(intake.finish(measure(b"{}", false)).1.is_none());
    }

    #[test]
    fn without_disk_space_a_graph_is_still_scanned() {
        let text = format!("{{\"{A}\":1}}");
        let scanner = || Scanner::new([TaskId::parse(A).unwrap()].into(), &Limits::default());
        let mut nowhere = GraphDecoder::kept(scanner(), Path::new("/nonexistent/folder"));
        let mut full = GraphDecoder::scanned(scanner().indexing());
        full.file =
            File::options().write(true).open("/dev/full").ok().map(|file| BufWriter::with_capacity(1, file));
        for intake in [&mut nowhere, &mut full] {
            intake.write(text.as_bytes());
        }
        for intake in [nowhere, full] {
            let (scan, kept) = intake.finish(measure(text.as_bytes(), false));
            assert!(scan.entries.is_ok_and(|entries| entries.len() == 1) && kept.is_none());
        }
    }
}
