//! Any bytes as a Chain of Trust document: no panic; what is read says again what was written, and
//! lists only digests that have their algorithm's length.
#![no_main]

use catena_json::{Limits, Value, parse};
use catena_model::digest::Digest;
use catena_model::document::{Document, Listing};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { depth: 96, bytes: 1 << 20, ..Limits::default() };
    let Ok(document) = Document::parse(bytes, &limits) else { return };
    let value = parse(bytes, &limits).unwrap();
    assert_eq!(value.get("taskId").and_then(Value::as_str), Some(document.task_id.as_str()));
    assert_eq!(value.get("runId").and_then(Value::as_u64), Some(u64::from(document.run_id.0)));
    assert_eq!(value.get("task"), Some(&document.task));
    for (name, entry) in document.artifacts.iter() {
        match document.listing(name) {
            Listing::Absent => panic!("{name} stands in the document"),
            Listing::Digests(digests) => {
                assert_eq!(Some(digests.len()), entry.as_object().map(catena_json::Map::len));
                for digest in digests {
                    let text = digest.to_hex();
                    assert_eq!(entry.get(digest.algorithm()).and_then(Value::as_str), Some(text.as_str()));
                    assert_eq!(Digest::parse(digest.algorithm(), &text), Ok(digest));
                }
            }
            Listing::NoDigest => assert!(entry.as_object().is_some_and(catena_json::Map::is_empty)),
            Listing::Wrong(_) | Listing::Malformed => {}
        }
    }
});
