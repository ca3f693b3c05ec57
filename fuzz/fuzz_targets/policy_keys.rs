//! Any text as a file of keys: no panic; what is read holds each key once per implementation.
#![no_main]

use catena_model::task::WorkerImplementation;
use catena_policy::KeyRing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match KeyRing::parse("keys.yml", text) {
        Ok(ring) => {
            assert!(!ring.is_empty());
            for implementation in WorkerImplementation::ALL {
                let keys = ring.for_implementation(implementation);
                for (at, trusted) in keys.iter().enumerate() {
                    assert!(keys[..at].iter().all(|other| other.key != trusted.key));
                }
            }
        }
        Err(mistakes) => assert!(mistakes.iter().all(|mistake| mistake.line > 0), "{mistakes:?}"),
    }
});
