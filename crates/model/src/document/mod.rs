//! The Chain of Trust document that a worker signs (specification 4.6).

use crate::custody::{CLAIMED_INPUTS, CUSTODY, Custody, CustodyError, PinnedInputs};
use crate::digest::{Digest, DigestError};
use crate::found::found;
use crate::task::{RunId, TaskId};
use catena_json::{Map, ParseError, Path, Value};

/// A well-formed document. Its signature is verified separately: checks receive documents only in the
/// wrapper that the signature check creates.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The task that it is about.
    pub task_id: TaskId,
    /// The run that it is about.
    pub run_id: RunId,
    /// The worker's group, as the worker states it.
    pub worker_group: String,
    /// The worker, as it states itself.
    pub worker_id: String,
    /// The definition that it ran.
    pub task: Value,
    /// Its artifacts: name → algorithm → digest.
    pub artifacts: Map,
    /// The environment of the run.
    pub environment: Map,
    /// The worker's record of custody, if there is one, or why it cannot be used.
    pub custody: Option<Result<Custody, CustodyError>>,
    /// The task's own claim about its inputs, if there is one, or why it cannot be used.
    pub claimed_inputs: Option<Result<PinnedInputs, CustodyError>>,
}

/// Why a body is not a Chain of Trust document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not strict JSON.
    #[error("not JSON: {0}")]
    Json(ParseError),
    /// `chainOfTrustVersion` is not the integer 1.
    #[error("chainOfTrustVersion is {0} (expected 1)")]
    Version(String),
    /// A member is missing or has another type.
    #[error("{path} is {found} (expected {expected})")]
    Malformed {
        /// The place.
        path: Path,
        /// The expected value.
        expected: &'static str,
        /// The actual value, in words: `missing`, `null`, `a list`.
        found: String,
    },
}

/// A document's entry for one artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// The artifact is not named.
    Absent,
    /// It is named, with at least one digest.
    Digests(Vec<Digest>),
    /// It is named without a digest.
    NoDigest,
    /// It is named with a malformed or unsupported digest.
    Wrong(DigestError),
    /// Its entry is not an object of strings.
    Malformed,
}

impl Document {
    /// Parses a document.
    ///
    /// # Errors
    /// Anything except strict JSON of version 1 with every member in its type. Integers are integers:
    /// `"0"`, `0.0` and `true` are not run 0.
    pub fn parse(bytes: &[u8], limits: &catena_json::Limits) -> Result<Self, DocumentError> {
        let parse = || catena_json::parse(bytes, limits).map_err(DocumentError::Json);
        match Self::read(parse()?) {
            Err(DocumentError::Malformed { path, expected, .. }) => {
                // Parsed again only to describe the actual value.
                let found = found(&parse()?, &path);
                Err(DocumentError::Malformed { path, expected, found })
            }
            read => read,
        }
    }

    fn read(value: Value) -> Result<Self, DocumentError> {
        let Value::Object(mut members) = value else { return malformed(&[], "an object") };
        match members.get("chainOfTrustVersion") {
            Some(version) if version.as_i64() == Some(1) => {}
            Some(other) => return Err(DocumentError::Version(other.to_string().chars().take(40).collect())),
            None => return Err(DocumentError::Version("missing".to_owned())),
        }
        let task_id = match members.get("taskId").and_then(Value::as_str).map(TaskId::parse) {
            Some(Ok(task_id)) => task_id,
            _ => return malformed(&["taskId"], "a task id"),
        };
        let run_id = match members.get("runId").and_then(Value::as_u64).map(u32::try_from) {
            Some(Ok(run_id)) => RunId(run_id),
            _ => return malformed(&["runId"], "the number of a run"),
        };
        Ok(Self {
            task_id,
            run_id,
            worker_group: text(&members, "workerGroup")?,
            worker_id: text(&members, "workerId")?,
            artifacts: object(&mut members, "artifacts")?,
            environment: object(&mut members, "environment")?,
            custody: members.get(CUSTODY).map(Custody::parse),
            claimed_inputs: members.get(CLAIMED_INPUTS).map(PinnedInputs::from_claim),
            task: Value::Object(object(&mut members, "task")?),
        })
    }

    /// Its entry for one artifact.
    #[must_use]
    pub fn listing(&self, name: &str) -> Listing {
        let Some(entry) = self.artifacts.get(name) else { return Listing::Absent };
        let Value::Object(entry) = entry else { return Listing::Malformed };
        if entry.is_empty() {
            return Listing::NoDigest;
        }
        let mut digests = Vec::new();
        for (algorithm, digest) in entry {
            let Value::String(digest) = digest else { return Listing::Malformed };
            match Digest::parse(algorithm, digest) {
                Ok(digest) => digests.push(digest),
                Err(error) => return Listing::Wrong(error),
            }
        }
        Listing::Digests(digests)
    }
}

fn malformed<T>(keys: &[&str], expected: &'static str) -> Result<T, DocumentError> {
    Err(DocumentError::Malformed { path: Path::of(keys), expected, found: String::new() })
}

fn text(members: &Map, key: &str) -> Result<String, DocumentError> {
    match members.get(key) {
        Some(Value::String(text)) => Ok(text.clone()),
        _ => malformed(&[key], "a string"),
    }
}

fn object(members: &mut Map, key: &str) -> Result<Map, DocumentError> {
    match members.remove(key) {
        Some(Value::Object(object)) => Ok(object),
        _ => malformed(&[key], "an object"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_json::Limits;

    fn document(change: impl FnOnce(&mut Map)) -> Result<Document, DocumentError> {
        let text = format!(
            r#"{{"chainOfTrustVersion":1,"taskId":"IFn9x5gaQz-HXl2pa7Ny_w","runId":0,"workerGroup":"g","workerId":"w","environment":{{}},
            "task":{{}},"artifacts":{{"public/a":{{"sha256":"{}"}},"none":{{}},"md5":{{"md5":"x"}},"odd":3,"number":{{"sha256":1}}}}}}"#,
            "ab".repeat(32)
        );
        let Value::Object(mut members) = catena_json::parse(text.as_bytes(), &Limits::default()).unwrap()
        else {
            unreachable!()
        };
        change(&mut members);
        Document::parse(Value::Object(members).to_string().as_bytes(), &Limits::default())
    }

    #[test]
    fn entries_are_distinguished() {
        let document = document(|_| ()).unwrap();
        assert!(matches!(document.listing("public/a"), Listing::Digests(digests) if digests.len() == 1));
        assert_eq!(document.listing("public/b"), Listing::Absent);
        assert_eq!(document.listing("none"), Listing::NoDigest);
        assert!(matches!(document.listing("md5"), Listing::Wrong(_)));
        assert_eq!(document.listing("odd"), Listing::Malformed);
        assert_eq!(document.listing("number"), Listing::Malformed);
    }

    #[test]
    fn versions_are_the_integer_1() {
        for wrong in [
            Value::from("1"),
            Value::from(2_i64),
            Value::Bool(true),
            Value::Null,
            catena_json::Number::from_f64(1.0).unwrap().into(),
        ] {
            assert!(matches!(
                document(|members| drop(members.insert("chainOfTrustVersion", wrong))),
                Err(DocumentError::Version(_))
            ));
        }
        assert!(matches!(
            document(|members| drop(members.remove("chainOfTrustVersion"))),
            Err(DocumentError::Version(_))
        ));
    }

    #[test]
    fn every_member_has_its_type() {
        for key in ["taskId", "runId", "workerGroup", "workerId", "environment", "task", "artifacts"] {
            for wrong in [
                None,
                Some(Value::Bool(true)),
                Some(Value::from(-1_i64)),
                Some(catena_json::Number::from_f64(0.0).unwrap().into()),
            ] {
                let error = document(|members| match wrong {
                    Some(wrong) => drop(members.insert(key, wrong)),
                    None => drop(members.remove(key)),
                })
                .unwrap_err();
                assert!(
                    matches!(&error, DocumentError::Malformed { path, .. } if path.to_string() == key),
                    "{key}: {error}"
                );
            }
        }
        assert!(document(|members| drop(members.insert("runId", Value::from("0")))).is_err());
        assert!(matches!(Document::parse(b"[]", &Limits::default()), Err(DocumentError::Malformed { .. })));
        assert!(matches!(Document::parse(b"{} x", &Limits::default()), Err(DocumentError::Json(_))));
    }
}
