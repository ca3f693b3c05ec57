//! Any bytes as a verdict's report: no panic; what is read is in the schema, and agrees with itself; what is shown
//! of it is safe on a terminal, and says nowhere that it was verified now.
#![no_main]

use catena_json::Limits;
use catena_report::escape::is_deceptive;
use catena_report::{ReadVerdict, TextOptions};
use catena_verify::verdict::Outcome;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { depth: 64, bytes: 1 << 20, ..Limits::default() };
    let Ok(read) = ReadVerdict::parse(bytes, &limits) else { return };
    assert_eq!(read.outcome == Outcome::Verified, read.failed().next().is_none());
    assert!(read.links.iter().all(|link| !link.name.parts().is_empty()));
    for verbose in [false, true] {
        let options = TextOptions { width: Some(80), verbose, ..TextOptions::default() };
        let text = format!("{}\n{}", read.text(&options), read.tree(&options));
        assert!(!text.chars().any(|character| character != '\n' && is_deceptive(character)));
        assert!(!text.lines().any(|line| line.starts_with("VERIFIED") || line.ends_with("  verified")));
    }
});
