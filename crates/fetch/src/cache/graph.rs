//! A task graph in parts, each of which is a separate entry.
//!
//! Every task of a push needs other entries of the same graph. Its entries are distributed by their
//! task's id over parts of some hundred kilobytes, so that a reader reads and authenticates only the
//! parts of the tasks that it needs, and not tens of megabytes. The measurement of the whole graph is
//! stored beside them.

use super::Cache;
use super::payload::{array, measurement, part, write_bytes, write_measurement};
use super::subject::Address;
use crate::graphs::KeptGraph;
use catena_model::Limits;
use catena_model::digest::Measurement;
use catena_model::graph::{GraphIndex, GraphScan, Span};
use catena_model::task::TaskId;
use catena_verify::verification::Need;
use catena_workdir::in_shares;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io;

/// The approximate size of a part in bytes. A read needs some tens of entries of a few kilobytes:
/// reading that many parts takes some milliseconds, and writing all of a large graph some hundred
/// files.
const PART: u64 = 256 << 10;
/// Parts of the largest graphs.
const MOST: u32 = 1024;

/// Stores a graph, independent of the entries that a need wants; but only the one with the digest in
/// `vouched`. A graph that was fetched again since then may differ.
pub(super) fn keep(cache: &Cache, need: &Need, graph: &KeptGraph, vouched: &Measurement) -> io::Result<()> {
    let measured = graph.measurement();
    if measured != vouched {
        return Ok(());
    }
    let parts = u32::try_from(measured.length / PART).unwrap_or(MOST).clamp(1, MOST);
    let mut dealt: Vec<Vec<Span>> = vec![Vec::new(); usize::try_from(parts).unwrap_or(1)];
    for span in graph.index().spans() {
        if let Some(part) = dealt.get_mut(number(span.task_id, parts)) {
            part.push(*span);
        }
    }
    let keep_part = |(number, spans): (usize, &Vec<Span>)| {
        let mut payload = Vec::new();
        for span in spans {
            payload.extend_from_slice(span.task_id.as_str().as_bytes());
            payload.extend_from_slice(&span.start.to_be_bytes());
            write_bytes(&mut payload, &graph.read(span.start..span.end)?);
        }
        cache.keep(&Address::graph_part(&cache.root, need, number), &payload)
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    in_shares(&dealt.iter().enumerate().collect::<Vec<_>>(), cores, keep_part)?;
    // Last, so that everything it refers to exists.
    let mut head = parts.to_be_bytes().to_vec();
    write_measurement(&mut head, measured);
    cache.keep(&Address::graph(&cache.root, need), &head)
}

/// The result of scanning the whole graph for this need; `None` if it is not stored completely.
pub(super) fn scan(cache: &Cache, need: &Need) -> Option<GraphScan> {
    let Need::TaskGraph { wanted, sha512, .. } = need else { return None };
    let (parts, measured) = head(&cache.payload(&Address::graph(&cache.root, need), cache.longest())?)?;
    if *sha512 && measured.sha512.is_none() {
        return None;
    }
    let numbers: BTreeSet<usize> = wanted.iter().map(|task_id| number(*task_id, parts)).collect();
    let (mut spans, mut texts) = (Vec::new(), BTreeMap::new());
    for number in numbers {
        let payload =
            cache.payload(&Address::graph_part(&cache.root, need, number), longest(&cache.limits))?;
        entries(&payload, wanted, &mut spans, &mut texts)?;
    }
    let read =
        |range: std::ops::Range<u64>| Ok::<_, Infallible>(texts.remove(&range.start).unwrap_or_default());
    let index = GraphIndex::new(spans)?;
    match index.scan(wanted, &cache.limits, measured, read) {
        Ok(scan) => Some(scan),
        Err(never) => match never {},
    }
}

/// The part of a task's entry. Task ids can be chosen by anyone, but making all of them fall into one
/// part gains nothing.
fn number(task_id: TaskId, parts: u32) -> usize {
    let digest: [u8; 32] = Sha256::digest(task_id.as_str().as_bytes()).into();
    let [first, second, third, fourth, ..] = digest;
    let number = u32::from_be_bytes([first, second, third, fourth]).checked_rem(parts).unwrap_or_default();
    usize::try_from(number).unwrap_or_default()
}

/// Bytes of the longest part: that of a graph with one entry of maximum length.
fn longest(limits: &Limits) -> u64 {
    limits.graph_bytes.min(64 << 20)
}

fn head(payload: &[u8]) -> Option<(u32, Measurement)> {
    let mut rest = payload;
    let parts = u32::from_be_bytes(array(&mut rest)?);
    let measured = measurement(&mut rest)?;
    (rest.is_empty() && (1..=MOST).contains(&parts)).then_some((parts, measured))
}

/// The wanted entries of a part: their positions and contents.
fn entries(
    payload: &[u8],
    wanted: &BTreeSet<TaskId>,
    spans: &mut Vec<Span>,
    texts: &mut BTreeMap<u64, Vec<u8>>,
) -> Option<()> {
    let mut rest = payload;
    while !rest.is_empty() {
        let id: [u8; 22] = array(&mut rest)?;
        let start = u64::from_be_bytes(array(&mut rest)?);
        let text = part(&mut rest)?;
        let task_id = TaskId::parse(std::str::from_utf8(&id).ok()?).ok()?;
        if wanted.contains(&task_id) {
            let end = start.checked_add(u64::try_from(text.len()).ok()?)?;
            spans.push(Span { task_id, start, end });
            texts.insert(start, text.to_vec());
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::{DirectoryStore, Key};
    use super::*;
    use crate::body::measure;
    use crate::graphs::GraphDecoder;
    use catena_model::graph::Scanner;
    use catena_model::task::RunId;
    use catena_model::task::TaskSet;
    use catena_taskcluster::RootUrl;

    fn task_id(number: u32) -> TaskId {
        TaskId::parse(&format!("{number:0>8}QACAAAAAAAAAAA")).unwrap()
    }

    fn need(wanted: &[u32]) -> Need {
        let wanted = wanted.iter().map(|number| task_id(*number)).collect();
        Need::TaskGraph { task_id: task_id(0), run_id: RunId(0), wanted, sha512: false }
    }

    fn cache(folder: &std::path::Path) -> Cache {
        let store = DirectoryStore::open(&folder.join("cache"), 1 << 30).unwrap();
        let key = Key::of([7; 32]);
        Cache::new(Box::new(store), key, RootUrl::parse("https://tc.example").unwrap(), Limits::default())
    }

    fn text(entries: u32) -> String {
        let entry = |number| {
            format!("\"{}\": {{\"number\": {number}, \"pad\": \"{}\"}}", task_id(number), "x".repeat(2000))
        };
        format!("{{{}}}", (0..entries).map(entry).collect::<Vec<_>>().join(", "))
    }

    fn kept(text: &str) -> KeptGraph {
        let scanner = Scanner::new(TaskSet::default(), &Limits::default());
        let mut intake = GraphDecoder::kept(scanner, &std::env::temp_dir());
        intake.write(text.as_bytes());
        intake.finish(measure(text.as_bytes(), false)).1.unwrap()
    }

    fn scanned(text: &str, need: &Need) -> GraphScan {
        let Need::TaskGraph { wanted, .. } = need else { unreachable!() };
        let mut scanner = Scanner::new(wanted.clone(), &Limits::default());
        scanner.write(text.as_bytes());
        scanner.finish(measure(text.as_bytes(), false))
    }

    #[test]
    fn any_entries_are_found_in_parts() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        let text = text(800);
        assert_eq!(scan(&cache, &need(&[1])), None);
        keep(&cache, &need(&[]), &kept(&text), &measure(b"another graph", false)).unwrap();
        assert_eq!(scan(&cache, &need(&[1])), None, "it is not covered");
        keep(&cache, &need(&[]), &kept(&text), &measure(text.as_bytes(), false)).unwrap();
        for wanted in [&[][..], &[0], &[7, 8, 799], &[799, 800], &(0..800).collect::<Vec<_>>()] {
            let need = need(wanted);
            assert_eq!(scan(&cache, &need), Some(scanned(&text, &need)), "{wanted:?}");
        }
        let mut other = need(&[1]);
        if let Need::TaskGraph { run_id, .. } = &mut other {
            *run_id = RunId(1);
        }
        assert_eq!(scan(&cache, &other), None, "of another run");
        if let Need::TaskGraph { run_id, sha512, .. } = &mut other {
            (*run_id, *sha512) = (RunId(0), true);
        }
        assert_eq!(scan(&cache, &other), None, "SHA-512 was not measured");
    }

    #[test]
    fn a_duplicate_task_is_still_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        let text = format!("{{\"{0}\": {{}}, \"{0}\": {{}}, \"{1}\": 1}}", task_id(1), task_id(2));
        keep(&cache, &need(&[]), &kept(&text), &measure(text.as_bytes(), false)).unwrap();
        assert_eq!(scan(&cache, &need(&[1])), Some(scanned(&text, &need(&[1]))));
        assert!(scan(&cache, &need(&[1])).unwrap().entries.is_err());
        assert_eq!(scan(&cache, &need(&[2])), Some(scanned(&text, &need(&[2]))));
    }

    #[test]
    fn a_part_that_is_missing_or_not_ours_makes_nothing_known() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        let text = text(800);
        keep(&cache, &need(&[]), &kept(&text), &measure(text.as_bytes(), false)).unwrap();
        let place = number(task_id(5), 6);
        assert_eq!(
            head(&cache.payload(&Address::graph(&cache.root, &need(&[])), 1000).unwrap()).unwrap().0,
            6
        );
        let name = super::super::Name::Entry(Address::graph_part(&cache.root, &need(&[]), place).digest());
        cache.store.write(&name, &mut b"not ours".as_slice()).unwrap();
        assert_eq!(scan(&cache, &need(&[5])), None);
        assert_eq!(cache.statistics().broken, 1);
        assert_eq!(scan(&cache, &need(&[5])), None, "it was dropped");
        let elsewhere = (0..800).find(|other| number(task_id(*other), 6) != place).unwrap();
        assert!(scan(&cache, &need(&[elsewhere])).is_some());
    }

    #[test]
    fn heads_and_parts_are_read_to_their_last_byte() {
        let mut whole = 3_u32.to_be_bytes().to_vec();
        write_measurement(&mut whole, &measure(b"x", false));
        assert!(head(&whole).is_some());
        assert!(
            head(&whole[..whole.len() - 1]).is_none() && head(&[whole.as_slice(), &[0]].concat()).is_none()
        );
        for parts in [0_u32, MOST + 1] {
            assert!(head(&[&parts.to_be_bytes(), &whole[4..]].concat()).is_none());
        }
        let mut part = task_id(1).as_str().as_bytes().to_vec();
        part.extend_from_slice(&7_u64.to_be_bytes());
        write_bytes(&mut part, b"{}");
        let read = |bytes: &[u8]| {
            let (mut spans, mut texts) = (Vec::new(), BTreeMap::new());
            entries(bytes, &[task_id(1)].into(), &mut spans, &mut texts).map(|()| spans)
        };
        assert_eq!(read(&part).unwrap(), [Span { task_id: task_id(1), start: 7, end: 9 }]);
        (1..part.len()).for_each(|length| assert_eq!(read(&part[..length]), None, "{length}"));
        let huge = [&part[..22], &u64::MAX.to_be_bytes(), &part[30..]].concat();
        assert_eq!(read(&huge), None);
    }
}
