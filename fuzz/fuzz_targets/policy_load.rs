//! Any text as a policy, alone and over others: no panic, no endless work; mistakes
//! have places; what is read can be asked.
#![no_main]

use catena_model::source::SourceUrl;
use catena_policy::{Diagnostic, Policy, Severity};
use libfuzzer_sys::fuzz_target;

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

/// What texts are laid over: two products that differ, so that everything a file can change is there.
const SMALL: &str = "catena-policy: 1
root-url: 'https://tc.example'
defaults:
  hg-hosts: [hg.example]
  projects-url: 'https://tc.example/projects.yml'
  keys: {generic-worker: [Kz/aZIVeR6NP8gQU1U+2CCIZqvbd+4QCP6J63lflwik=]}
  kinds: {action: action, build: plain, decision: decision, docker-image: docker-image, signing: scriptworker}
products:
  gecko:
    vcs: [hg]
    source-env-prefix: GECKO
    tasks-for: [cron, hg-push]
    decision-worker-pools: [gecko-3/decision]
    repositories:
      - {schemes: [https, ssh], hosts: [hg.example], paths: ['^(?P<path>/central)(/|$)']}
    trees: {central: [/central]}
    restricted-scopes: {'project:releng:signing:release': central}
  mobile:
    vcs: [github]
    source-env-prefix: MOBILE
    tasks-for: [action, github-push]
    decision-worker-pools: [mobile-3/decision]
    prebuilt-image-kinds: any
    official-owners: [mozilla]
    repositories:
      - {schemes: [https], hosts: [github.com], paths: ['^(?P<path>/mozilla/mobile)(/|.git|$)']}
";

fuzz_target!(|text: &str| {
    // Reading the policy that ships takes a hundred times as long as reading a small one, so few
    // of those who name it get it.
    let given = if text.len() % 64 == 0 { text } else { &text.replace("shipped:firefox-ci", "small.yml") };
    let loader = |name: &str| match name {
        "self.yml" => Ok(given.to_owned()),
        "small.yml" => Ok(SMALL.to_owned()),
        _ => Err("no such file".to_owned()),
    };
    look(Policy::load("p.yml", given, &loader));
    look(Policy::load_all(&[("small.yml", SMALL), ("p.yml", given)], &loader));
});
