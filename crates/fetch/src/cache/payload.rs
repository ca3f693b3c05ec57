//! The encoding of a fact in an entry.
//!
//! A byte that states the variant, then its parts: numbers are 64 bits, big-endian; text and bytes are
//! prefixed with their length. There is one encoding of a fact, and any other is refused. Of a body
//! only the bytes are stored: they are measured again.

use catena_model::digest::Measurement;
use catena_model::graph::GraphScan;
use catena_model::task::TaskId;
use catena_verify::verification::{Fact, Need, Shape};
use std::collections::BTreeMap;
use std::sync::Arc;

const BODY: u8 = 1;
const MEASURED: u8 = 2;
const GRAPH: u8 = 3;
const ABSENT: u8 = 4;

/// A decoded entry, whose body is not measured yet.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload<'a> {
    /// The bytes of a small answer.
    Body(&'a [u8]),
    /// The measurement of a large body.
    Measured(Measurement),
    /// A graph's measurement and entries.
    Graph(GraphScan),
    /// Absence.
    Absent {
        /// The HTTP status.
        status: u16,
        /// The answer's text, shortened.
        message: &'a str,
    },
}

/// A fact as bytes; `None` for facts that are not worth storing.
#[must_use]
pub fn encode(fact: &Fact) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match fact {
        Fact::Body(body) => {
            out.push(BODY);
            out.extend_from_slice(&body.bytes);
        }
        Fact::Measured(measurement) => {
            out.push(MEASURED);
            write_measurement(&mut out, measurement);
        }
        Fact::Graph(GraphScan { measurement, entries: Ok(entries) }) => {
            out.push(GRAPH);
            write_measurement(&mut out, measurement);
            for (task_id, bytes) in entries {
                write_bytes(&mut out, task_id.as_str().as_bytes());
                write_bytes(&mut out, bytes);
            }
        }
        Fact::Absent { status, message } => {
            out.push(ABSENT);
            out.extend_from_slice(&status.to_be_bytes());
            out.extend_from_slice(message.as_bytes());
        }
        Fact::Confirmed(fact) => return encode(fact),
        // A cache that recalls something has it already.
        Fact::Graph(_) | Fact::Recalled(_) | Fact::Refused { .. } | Fact::Unreachable { .. } => return None,
    }
    Some(out)
}

/// The answer to a need; `None` for bytes that are not an encoded answer to it.
#[must_use]
pub fn decode<'a>(need: &Need, bytes: &'a [u8]) -> Option<Payload<'a>> {
    let (kind, mut rest) = bytes.split_first()?;
    let payload = match (*kind, need.shape()) {
        (BODY, Shape::Body) => Payload::Body(std::mem::take(&mut rest)),
        (MEASURED, Shape::Measurement) => Payload::Measured(measurement(&mut rest)?),
        (GRAPH, Shape::Graph) => Payload::Graph(graph(need, &mut rest)?),
        (ABSENT, _) => {
            let status = u16::from_be_bytes(array(&mut rest)?);
            Payload::Absent { status, message: std::str::from_utf8(std::mem::take(&mut rest)).ok()? }
        }
        _ => return None,
    };
    rest.is_empty().then_some(payload)
}

fn graph(need: &Need, rest: &mut &[u8]) -> Option<GraphScan> {
    let Need::TaskGraph { wanted, .. } = need else { return None };
    let measurement = measurement(rest)?;
    let mut entries = BTreeMap::new();
    while !rest.is_empty() {
        let task_id = TaskId::parse(std::str::from_utf8(part(rest)?).ok()?).ok()?;
        let follows = entries.last_key_value().is_none_or(|(last, _)| *last < task_id);
        if !follows || !wanted.contains(&task_id) {
            return None;
        }
        entries.insert(task_id, Arc::from(part(rest)?));
    }
    Some(GraphScan { measurement, entries: Ok(entries) })
}

pub(super) fn write_measurement(out: &mut Vec<u8>, measurement: &Measurement) {
    out.extend_from_slice(&measurement.length.to_be_bytes());
    out.extend_from_slice(&measurement.sha256);
    match &measurement.sha512 {
        None => out.push(0),
        Some(sha512) => {
            out.push(1);
            out.extend_from_slice(sha512);
        }
    }
}

pub(super) fn measurement(rest: &mut &[u8]) -> Option<Measurement> {
    let length = u64::from_be_bytes(array(rest)?);
    let sha256 = array(rest)?;
    let sha512 = match array(rest)? {
        [0] => None,
        [1] => Some(array(rest)?),
        _ => return None,
    };
    Some(Measurement { length, sha256, sha512 })
}

/// Writes bytes with their length before them.
pub(super) fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Reads bytes with their length before them.
pub(super) fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(u64::from_be_bytes(array(rest)?)).ok()?;
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

/// Reads this many bytes.
pub(super) fn array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::measure;
    use catena_model::graph::GraphError;
    use catena_model::task::{ArtifactName, RunId};
    use catena_verify::verification::Body;
    use proptest::prelude::*;

    fn task_id(text: &str) -> TaskId {
        TaskId::parse(text).unwrap()
    }

    const FIRST: &str = "IFn9x5gaQz-HXl2pa7Ny_w";
    const SECOND: &str = "fN1SbArXTPSVFUUvaOlinQ";

    fn needs() -> [Need; 3] {
        let (task_id, run_id, name) = (task_id(FIRST), RunId(0), ArtifactName::parse("public/a").unwrap());
        let wanted = [task_id, super::tests::task_id(SECOND)].into();
        [
            Need::Definition { task_id },
            Need::Artifact { task_id, run_id, name, sha512: true },
            Need::TaskGraph { task_id, run_id, wanted, sha512: false },
        ]
    }

    fn graph(entries: &[(&str, &[u8])]) -> Fact {
        let entries = entries.iter().map(|(id, bytes)| (task_id(id), Arc::from(*bytes))).collect();
        Fact::Graph(GraphScan { measurement: measure(b"{}", false), entries: Ok(entries) })
    }

    #[test]
    fn payloads_round_trip_for_their_kind_of_need_only() {
        let body =
            Fact::Body(Body { bytes: Arc::from(b"{}".as_slice()), measurement: measure(b"{}", false) });
        let measured = Fact::Measured(measure(b"x", true));
        let graph = graph(&[(FIRST, b"{}"), (SECOND, b"")]);
        for (position, fact) in [body, measured, graph].iter().enumerate() {
            let bytes = encode(fact).unwrap();
            for (asked, need) in needs().iter().enumerate() {
                let read = decode(need, &bytes);
                assert_eq!(read.is_some(), asked == position, "{need}");
                match (read, fact) {
                    (Some(Payload::Body(read)), Fact::Body(body)) => assert_eq!(read, &*body.bytes),
                    (Some(Payload::Measured(read)), Fact::Measured(measured)) => assert_eq!(read, *measured),
                    (Some(Payload::Graph(read)), Fact::Graph(scan)) => assert_eq!(read, *scan),
                    (read, _) => assert_eq!(read, None),
                }
            }
        }
        let absent = Fact::Absent { status: 404, message: "not “found”".to_owned() };
        for need in needs() {
            let read = Payload::Absent { status: 404, message: "not “found”" };
            assert_eq!(decode(&need, &encode(&absent).unwrap()), Some(read));
        }
    }

    #[test]
    fn other_facts_are_not_stored() {
        let scan =
            GraphScan { measurement: measure(b"", false), entries: Err(GraphError::Malformed { offset: 0 }) };
        for fact in [
            Fact::Graph(scan),
            Fact::Refused { status: 403, message: String::new() },
            Fact::Unreachable { reason: String::new(), attempts: 1 },
        ] {
            assert_eq!(encode(&fact), None);
        }
    }

    #[test]
    fn nothing_is_read_that_is_not_written() {
        let [_, artifact, wants] = needs();
        let measured = encode(&Fact::Measured(measure(b"x", true))).unwrap();
        for length in 0..measured.len() {
            assert_eq!(decode(&artifact, &measured[..length]), None);
        }
        assert_eq!(decode(&artifact, &[measured.as_slice(), &[0]].concat()), None);
        let mut flag = measured;
        flag[41] = 2;
        assert_eq!(decode(&artifact, &flag), None);

        let both = encode(&graph(&[(FIRST, b"one"), (SECOND, b"two")])).unwrap();
        for length in (1..both.len()).filter(|length| ![42, 42 + 8 + 22 + 8 + 3].contains(length)) {
            assert_eq!(decode(&wants, &both[..length]), None, "{length}");
        }
        // Duplicate, out of order, or not requested.
        let (head, entry) = both.split_at(42);
        let (one, two) = entry.split_at(8 + 22 + 8 + 3);
        assert!(decode(&wants, &[head, one, two].concat()).is_some());
        for wrong in [[head, one, one].concat(), [head, two, one].concat()] {
            assert_eq!(decode(&wants, &wrong), None);
        }
        let other = encode(&graph(&[("AAAAAAAAQACAAAAAAAAAAA", b"")])).unwrap();
        assert_eq!(decode(&wants, &other), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(bytes: Vec<u8>, kind in 0_u8..6) {
            let bytes = [&[kind], bytes.as_slice()].concat();
            for need in needs() {
                let _ = decode(&need, &bytes);
            }
        }
    }
}
