//! What `PyYAML` reads, written down by scripts/yaml-golden.py, is read alike; what it refuses is refused.
// Helpers of tests are not seen as tests by the lints.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "golden/encode.rs"]
mod encode;

use catena_json::Value;
use catena_yaml::{Document, Error, Limits, load, load_bytes};

const CASES: &str = include_str!("golden/cases.json");

fn read(case: &Value) -> Result<Document, Error> {
    let limits = Limits::default();
    match (case.get("text"), case.get("bytes")) {
        (Some(text), _) => load(text.as_str().unwrap(), &limits),
        (None, Some(hex)) => {
            let hex = hex.as_str().unwrap().as_bytes();
            let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
            let bytes: Vec<u8> = hex.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
            load_bytes(&bytes, &limits)
        }
        _ => panic!("a case needs a text or bytes: {case}"),
    }
}

/// One difference, or nothing.
fn difference(case: &Value) -> Option<String> {
    let read = read(case).map(|document| encode::encode(&document.root));
    match (case.get("value"), read) {
        (None | Some(Value::Null), Err(_)) => None,
        (None, Ok(read)) => Some(format!("{case} is read as {read}")),
        (Some(Value::Null), Ok(read)) => Some(format!("{case} is read as {read}, PyYAML refuses it")),
        (Some(expected), Ok(read)) if *expected == read => None,
        (Some(_), Ok(read)) => Some(format!("{case} is read as {read}")),
        (Some(_), Err(error)) => Some(format!("{case} is refused: {error}")),
    }
}

#[test]
fn every_case_is_read_as_pyyaml_reads_it() {
    let cases = catena_json::parse(CASES.as_bytes(), &catena_json::Limits::default()).unwrap();
    let cases = cases.as_array().unwrap();
    assert!(cases.len() > 300);
    let differences: Vec<String> = cases.iter().filter_map(difference).collect();
    assert!(
        differences.is_empty(),
        "{} of {} cases differ:\n{}",
        differences.len(),
        cases.len(),
        differences.join("\n")
    );
}
