//! Any bytes as a request to the port of probes and metrics: one whole answer, whose length is as announced.
#![no_main]

use catena_worker::metrics::{Metrics, respond};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let answer = respond(bytes, &Metrics::default());
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.starts_with("HTTP/1.1 "));
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).expect("a length");
    let is_head = bytes.starts_with(b"HEAD ") && body.is_empty();
    assert!(is_head || length.parse() == Ok(body.len()));
});
