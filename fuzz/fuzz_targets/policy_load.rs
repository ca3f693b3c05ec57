//! Any text as a policy, alone and over the one that ships: no panic, no endless work; mistakes
//! have places; what is read can be asked.
#![no_main]

use catena_core::policy::{Diagnostic, Policy, Severity};
use catena_core::source::SourceUrl;
use libfuzzer_sys::fuzz_target;

const RULES: [&str; 2] = ["run-state", "broad-scope"];

fn look(read: Result<Policy, Vec<Diagnostic>>) {
    match read {
        Ok(policy) => {
            let source = SourceUrl::parse("https://github.com/mozilla-firefox/firefox/blob/main/x").unwrap();
            for name in policy.products() {
                let product = policy.product(name).unwrap();
                let _ = product.repository_path(&source);
                assert!(policy.keys(name).is_ok());
            }
            assert!(policy.warnings().iter().all(|note| note.severity == Severity::Warning));
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            for mistake in mistakes {
                assert!(mistake.line > 0 && mistake.column > 0, "{mistake}");
            }
        }
    }
}

fuzz_target!(|text: &str| {
    let loader =
        |name: &str| if name == "self.yml" { Ok(text.to_owned()) } else { Err("no such file".to_owned()) };
    look(Policy::load("p.yml", text, &RULES, &loader));
    // Reading the one that ships takes a hundred times as long as reading a small one.
    if text.len() % 16 != 0 {
        return;
    }
    let below = "catena-policy: 1\nextends: shipped:firefox-ci\n";
    look(Policy::load_all(&[("below.yml", below), ("p.yml", text)], &RULES, &loader));
});
