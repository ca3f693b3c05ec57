//! Any bytes as a record of custody or a file of pinned inputs: no panic; what is read is written as the same
//! value and read again as the same record.
#![no_main]

use catena_json::{Limits, parse};
use catena_model::custody::{Custody, PinnedInputs};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(inputs) = PinnedInputs::parse(bytes) {
        assert_eq!(PinnedInputs::parse(inputs.to_json().as_bytes()), Ok(inputs.clone()));
        assert_eq!(PinnedInputs::new(inputs.iter().cloned()), Ok(inputs));
    }
    let Ok(value) = parse(bytes, &Limits::default()) else { return };
    if let Ok(custody) = Custody::parse(&value) {
        assert_eq!(custody.to_value(), value);
        assert_eq!(Custody::parse(&custody.to_value()), Ok(custody));
    }
});
