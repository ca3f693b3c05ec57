//! Mutable answers of the last "verified" of a target, with their time, for offline use.

use super::payload::{self, array, part, write_bytes};
use super::subject::written;
use catena_verify::verification::{Fact, Need};
use std::collections::HashMap;

/// Mutable answers of an earlier verification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Their time, in seconds since 1970.
    pub at: u64,
    /// Payloads by the encoded form of their needs.
    answers: HashMap<Vec<u8>, Vec<u8>>,
}

impl Snapshot {
    /// An empty snapshot.
    #[must_use]
    pub fn at(seconds: u64) -> Self {
        Self { at: seconds, answers: HashMap::new() }
    }

    pub(super) fn add(&mut self, need: &Need, fact: &Fact) {
        if let Some(payload) = payload::encode(fact) {
            self.answers.insert(written(need), payload);
        }
    }

    pub(super) fn answer(&self, need: &Need) -> Option<&[u8]> {
        self.answers.get(&written(need)).map(Vec::as_slice)
    }

    /// Encoded for an entry.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = self.at.to_be_bytes().to_vec();
        let mut answers: Vec<_> = self.answers.iter().collect();
        answers.sort();
        for (need, payload) in answers {
            write_bytes(&mut out, need);
            write_bytes(&mut out, payload);
        }
        out
    }

    /// Decodes an entry; `None` for any other encoding.
    #[must_use]
    pub fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut seen = Self::at(u64::from_be_bytes(array(&mut bytes)?));
        while !bytes.is_empty() {
            let (need, payload) = (part(&mut bytes)?, part(&mut bytes)?);
            if seen.answers.insert(need.to_vec(), payload.to_vec()).is_some() {
                return None;
            }
        }
        Some(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_model::task::TaskId;

    fn need(text: &str) -> Need {
        Need::Status { task_id: TaskId::parse(text).unwrap() }
    }

    #[test]
    fn snapshots_round_trip() {
        let mut seen = Snapshot::at(1_700_000_000);
        let absent = Fact::Absent { status: 404, message: "none".to_owned() };
        let unknown = Fact::Unreachable { reason: "x".to_owned(), attempts: 1 };
        let (one, two) = (need("IFn9x5gaQz-HXl2pa7Ny_w"), need("fN1SbArXTPSVFUUvaOlinQ"));
        seen.add(&one, &absent);
        seen.add(&two, &unknown);
        let bytes = seen.encode();
        assert_eq!(Snapshot::decode(&bytes), Some(seen.clone()));
        assert_eq!(seen.answer(&one), payload::encode(&absent).as_deref());
        assert_eq!(seen.answer(&two), None);
        for length in (0..bytes.len()).filter(|length| *length != 8) {
            assert_eq!(Snapshot::decode(&bytes[..length]), None, "{length}");
        }
        let twice = [bytes.as_slice(), &bytes[8..]].concat();
        assert_eq!(Snapshot::decode(&twice), None);
    }
}
