//! Any bytes as the index of a recording, and as its bodies: no panic, and no body beyond its limit
//! is asked for.
#![no_main]

use catena_fetch::Replay;
use catena_model::Limits;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8])| {
    let (index, body) = input;
    let limits = Limits { answer_bytes: 1 << 16, graph_entry_bytes: 1 << 12, ..Limits::default() };
    let mut bodies = |_: &[u8; 32], limit: u64| {
        assert!(limit <= 1 << 16);
        Ok(body.to_vec())
    };
    let _ = Replay::parse(index, &mut bodies, &limits);
});
