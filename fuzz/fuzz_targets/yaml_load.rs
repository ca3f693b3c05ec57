//! Any bytes: no panic, no endless work; and what is read compares and turns to JSON.
#![no_main]

use catena_yaml::{Limits, load_bytes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(document) = load_bytes(data, &Limits::default()) else { return };
    let _ = document.root.to_json();
    assert_eq!(load_bytes(data, &Limits::default()).map(|again| again.root.mark), Ok(document.root.mark));
});
