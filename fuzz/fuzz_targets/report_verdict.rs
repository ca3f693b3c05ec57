//! Any bytes as a verdict's report: no panic; what is read is in the schema, and agrees with itself.
#![no_main]

use catena_json::Limits;
use catena_report::ReadVerdict;
use catena_verify::verdict::Outcome;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { depth: 64, bytes: 1 << 20, ..Limits::default() };
    let Ok(read) = ReadVerdict::parse(bytes, &limits) else { return };
    assert_eq!(read.outcome == Outcome::Verified, read.failed().next().is_none());
    assert!(read.links.iter().all(|link| !link.name.parts().is_empty()));
});
