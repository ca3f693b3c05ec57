//! Any bytes: no panic, no endless work; and what is read prints, compares and turns to JSON.
#![no_main]

use catena_yaml::{DuplicateKeys, Options, load_bytes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let lax = Options { strict: true, ..Options::default() };
    let strict = Options { duplicate_keys: DuplicateKeys::Refuse, ..lax };
    let read = load_bytes(data, &lax);
    if let Ok(document) = &read {
        let _ = document.root.to_json();
        for notice in &document.notices {
            let _ = notice.to_string();
        }
    }
    // Refusing duplicate keys refuses more and changes nothing else.
    if let Ok(document) = load_bytes(data, &strict) {
        assert!(read.is_ok_and(|read| read.notices.len() == document.notices.len()));
    }
});
