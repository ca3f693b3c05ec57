//! Any bytes as a log of scriptworker and as a line of a comparison: no panic; a result agrees with itself, and a
//! line that is read is summed up as it is.
#![no_main]

use catena_report::shadow::{Reference, ReferenceOutcome, ShadowLine, ShadowSum, mapped_checks};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let log = Reference::read_log(&text);
    assert!(log.outcome == ReferenceOutcome::Failed || log.errors.is_empty());
    for check in log.errors.iter().filter_map(|error| error.check) {
        assert!(mapped_checks().any(|known| known == check));
    }
    let Ok(line) = ShadowLine::parse(&text) else { return };
    let agreement = line.agreement;
    let mut sum = ShadowSum::default();
    sum.add(line.clone());
    sum.add(line);
    assert_eq!(sum.agreements()[&agreement].count, 1);
    assert!(sum.text().starts_with("1 tasks") && sum.json().contains(agreement.as_str()));
});
