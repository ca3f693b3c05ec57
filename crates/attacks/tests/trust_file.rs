//! A use that a trust file permits exactly is verified, and with one permission less it is not.
#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use catena_attacks::{Scenario, valid};
use catena_policy::{FIREFOX_CI, Policy};
use catena_testbed::Release;
use catena_verify::verdict::{Outcome, Verdict};

const DOCKER: &str = "S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=";
const GENERIC: &str = "gQ+U2JA57uEdkn9x4qnkVQy9owbUzY5az2AgiF7TgaE=";
const SCRIPT: &str = "ADoRIVFV9NRFqmMCtF+XkHm/O04IfJiWhw4JirZ5zMk=";

/// A trust file in which each worker's key has these further limits.
fn trusted(limits: [&str; 3]) -> String {
    let keys = [
        ("docker", DOCKER, "docker-worker"),
        ("generic", GENERIC, "docker-worker, generic-worker"),
        ("script", SCRIPT, "scriptworker"),
    ];
    let records = keys.into_iter().zip(limits).map(|((id, key, implementations), limits)| {
        format!("- {{id: {id}, scheme: ed25519, key: {key}, worker-implementations: [{implementations}]{limits}}}\n")
    });
    format!("catena-policy: 1\ntrusted-keys:\n{}", records.collect::<String>())
}

fn judged(release: Release, text: &str) -> Verdict {
    let files = [("shipped:firefox-ci", FIREFOX_CI), ("trust.yml", text)];
    let policy = Policy::load_all(&files, &|_| Err("nothing else".to_owned())).unwrap();
    let chain = release.build().unwrap();
    Scenario::under(&policy, &chain).unwrap().judge(chain)
}

fn codes(verdict: &Verdict) -> Vec<&'static str> {
    let mut codes: Vec<_> = verdict.failed().map(|finding| finding.code.name).collect();
    codes.dedup();
    codes
}

#[track_caller]
fn verified(release: Release, text: &str) {
    let verdict = judged(release, text);
    assert_eq!(verdict.outcome, Outcome::Verified, "{:?}\n{text}", codes(&verdict));
}

#[test]
fn permitted_use_is_verified() {
    let all = |limits| trusted([limits; 3]);
    verified(valid::finished(), &all(""));
    verified(valid::finished(), &all(", products: [firefox, thunderbird]"));
    verified(valid::finished(), &all(", levels: [3]"));
    verified(valid::finished(), &all(", workers: ['*/*']"));
    verified(valid::promotion_of_rounds(), &all(", products: [firefox], levels: [3]"));
    verified(valid::mobile(), &all(", products: [mobile], levels: [1, 3]"));
    verified(valid::tag(), &all(", worker-pools: ['mobile-*/*', 'scriptworker-k8s/*']"));
    let times = ", not-before: '2020-01-01T00:00:00Z', not-after: '2030-01-01T00:00:00Z'";
    verified(valid::cron(), &all(times));
    let later =
        ", revoked-at: '2026-12-01T00:00:00Z', compromised-from: '2026-11-01T00:00:00Z', reason: sold";
    verified(valid::rounds(), &all(later));
}

/// Every limit separately, on every key: the counterparts of the attacks.
#[test]
fn use_beyond_permissions_is_rejected() {
    for limit in
        [", products: [xpi]", ", levels: [1]", ", workers: ['nowhere/*']", ", worker-pools: ['nowhere/*']"]
    {
        for place in 0..3 {
            let mut limits = [""; 3];
            limits.iter_mut().enumerate().filter(|(at, _)| *at == place).for_each(|(_, it)| *it = limit);
            let verdict = judged(valid::finished(), &trusted(limits));
            assert_eq!(verdict.outcome, Outcome::Rejected, "{limits:?}");
            assert!(codes(&verdict).contains(&"signature-key-not-permitted"), "{:?}", codes(&verdict));
        }
    }
}

#[test]
fn findings_name_the_times_used_for_limited_keys() {
    let said = |text: &str| {
        let verdict = judged(valid::push(), text);
        let found = verdict.findings.into_iter().filter(|finding| finding.code.name == "signature-verified");
        found.map(|finding| finding.message).collect::<Vec<_>>()
    };
    assert!(said(&trusted([""; 3])).iter().all(|message| !message.contains("between")));
    let limited = said(&trusted([", not-after: '2030-01-01T00:00:00Z'"; 3]));
    assert!(limited.len() > 2);
    for message in limited {
        assert!(message.contains("between 2026-08-1") && message.contains("not-after: 2030"), "{message}");
        assert!(message.contains("These times are the queue's"), "{message}");
    }
}
