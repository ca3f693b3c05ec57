//! Any text as a trust file: no panic; mistakes have places; what is read is rotated and revoked to what was
//! asked for, or not at all.
#![no_main]

use catena_keys::{KeyId, Revoked, SigningKey};
use catena_policy::{Revocation, Rotation, TrustFile};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let file = match TrustFile::parse("trust.yml", text) {
        Ok(file) => file,
        Err(mistakes) => return assert!(mistakes.iter().all(|mistake| mistake.line > 0), "{mistakes:?}"),
    };
    let at: jiff::Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
    for record in file.records() {
        let (old, new) = (record.id.clone(), KeyId::parse("fuzzed").unwrap());
        let key = SigningKey::from_seed(&[9; 32]).public_key();
        let rotation = Rotation { old, new: new.clone(), key, at, old_until: at, new_until: None };
        if let Ok(text) = file.rotated(&rotation) {
            let next = TrustFile::parse("trust.yml", &text).unwrap();
            assert_eq!(next.records().len(), file.records().len() + 1);
            assert!(next.records().iter().any(|other| other.id == new && other.usage == record.usage));
        }
        let revocation =
            Revocation { at, compromised_from: Revoked::Always, reason: "x: 'y' # z".to_owned() };
        if let Ok(text) = file.revoked(&record.id, &revocation) {
            let next = TrustFile::parse("trust.yml", &text).unwrap();
            let revoked = next.records().iter().find(|other| other.id == record.id).unwrap();
            assert_eq!(revoked.revoked.as_ref(), Some(&revocation));
        }
    }
});
