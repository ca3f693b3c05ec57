//! Any bytes as a task graph, in any chunks: no panic; where the chunks end changes nothing; a graph is
//! malformed exactly where others do not read it as a JSON object; and one that reads as JSON is scanned to
//! the same entries.
#![no_main]

use catena_json::{Value, parse};
use catena_model::Limits;
use catena_model::digest::Measurement;
use catena_model::graph::{GraphError, GraphScan, Scanner};
use catena_model::task::TaskId;
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

const WANTED: [&str; 2] = ["IFn9x5gaQz-HXl2pa7Ny_w", "B1Y7D4twTB620sjIgyd3lg"];

fn scan<'a>(chunks: impl Iterator<Item = &'a [u8]>, limits: &Limits) -> GraphScan {
    let wanted = WANTED.iter().filter_map(|id| TaskId::parse(id).ok()).collect();
    let mut scanner = Scanner::new(wanted, limits);
    chunks.for_each(|chunk| scanner.write(chunk));
    scanner.finish(Measurement { length: 0, sha256: [0; 32], sha512: None })
}

/// Whether an independent reader takes the text for one JSON object.
fn is_object(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    text.trim_ascii_start().starts_with('{') && serde_json::from_str::<&RawValue>(text).is_ok()
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, bytes) = input;
    let limits = Limits { graph_entry_bytes: 1 << 10, json_depth: 20, ..Limits::default() };
    let whole = scan(std::iter::once(bytes), &limits);
    // Chunks of a size, and chunks of sizes that the bytes themselves give.
    assert_eq!(whole, scan(bytes.chunks(usize::from(size).max(1)), &limits));
    assert_eq!(whole, scan(bytes.chunk_by(|left, right| left ^ right >= size), &limits));

    if let Ok(_) | Err(GraphError::Malformed { .. }) = &whole.entries {
        assert_eq!(whole.entries.is_ok(), is_object(bytes));
    }
    let read = parse(bytes, &limits.json());
    match (&whole.entries, read) {
        (Ok(entries), Ok(graph)) => {
            let members = graph.as_object().unwrap();
            for id in WANTED {
                let id = TaskId::parse(id).unwrap();
                let scanned = entries.get(&id).map(|text| parse(text, &limits.json()).unwrap());
                assert_eq!(scanned.as_ref(), members.get(id.as_str()));
            }
        }
        (Err(GraphError::EntryTooLarge { limit, .. }), Ok(_)) => assert!(bytes.len() > *limit),
        (Err(error), Ok(graph)) => assert!(!matches!(graph, Value::Object(_)), "{error}: {graph}"),
        (_, Err(_)) => {}
    }
});
