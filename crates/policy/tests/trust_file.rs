//! Trust files: parsing and errors, their exclusiveness, and their next state.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]

use catena_keys::{KeyId, PublicKey, Revoked, SigningKey};
use catena_model::task::WorkerImplementation;
use catena_policy::{EditError, KeyRing, Policy, Revocation, Rotation, TrustFile, audit};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn public(seed: u8) -> PublicKey {
    SigningKey::from_seed(&[seed; 32]).public_key()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn id(text: &str) -> KeyId {
    KeyId::parse(text).unwrap()
}

/// One record as a block.
fn record(name: &str, seed: u8, rest: &str) -> String {
    let head = format!("  - id: {name}\n    scheme: ed25519\n    key: {}\n", public(seed));
    format!("{head}    worker-implementations: [generic-worker]\n{rest}")
}

fn file(records: &[String]) -> String {
    format!("catena-policy: 1\ntrusted-keys:\n{}", records.concat())
}

fn read(text: &str) -> TrustFile {
    TrustFile::parse("trust.yml", text).unwrap_or_else(|mistakes| panic!("{text}\n{mistakes:?}"))
}

fn wrong(text: &str) -> String {
    let mistakes = TrustFile::parse("trust.yml", text).unwrap_err();
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_mistake_has_its_place() {
    let one = |rest: &str| wrong(&file(&[record("a", 1, rest)]));
    for (rest, place, message) in [
        ("    not-befor: x\n", "trust.yml:7:5", "unknown key \"not-befor\""),
        ("    not-before: soon\n", "trust.yml:7:17", "\"soon\" is not a moment"),
        ("    levels: [4]\n", "trust.yml:7:14", "4 is not a level"),
        ("    levels: ['3']\n", "trust.yml:7:14", "expected a number"),
        ("    levels: []\n", "trust.yml:7:13", "an empty list permits nothing"),
        ("    products: [Firefox]\n", "trust.yml:7:16", "not the name of a product"),
        ("    products: [a, a]\n", "trust.yml:7:19", "already in the list"),
        ("    worker-pools: [gecko-3]\n", "trust.yml:7:20", "not two names with a slash"),
        ("    workers: ['a/b/c']\n", "trust.yml:7:15", "not two names with a slash"),
        ("    reason: stolen\n", "trust.yml:7:13", "`revoked-at` is missing"),
        ("    compromised-from: always\n", "trust.yml:7:23", "`revoked-at` is missing"),
        ("    revoked-at: 2026-01-01T00:00:00Z\n", "trust.yml:3:5", "`reason` is missing"),
        (
            "    not-before: 2026-01-02T00:00:00Z\n    not-after: 2026-01-01T00:00:00Z\n",
            "trust.yml:8:16",
            "before `not-before`",
        ),
        (
            "    revoked-at: 2026-01-01T00:00:00Z\n    compromised-from: 2026-01-02T00:00:00Z\n    reason: x\n",
            "trust.yml:8:23",
            "after `revoked-at`",
        ),
    ] {
        let told = one(rest);
        assert!(told.contains(place) && told.contains(message), "{rest}: {told}");
    }
}

#[test]
fn a_key_is_complete_strong_and_unique() {
    let told = |from: &str, to: &str| wrong(&file(&[record("a", 1, "")]).replacen(from, to, 1));
    assert!(told("id: a", "id: A b").contains("an id has 1 to 64"));
    assert!(told("    scheme: ed25519\n", "").contains("`scheme` is missing"));
    assert!(told("ed25519", "rsa").contains("known values: ed25519"));
    assert!(told("[generic-worker]", "[worker]").contains("not a worker implementation"));
    assert!(told("[generic-worker]", "[]").contains("an empty list"));
    assert!(
        told("    worker-implementations: [generic-worker]\n", "")
            .contains("`worker-implementations` is missing")
    );
    let key = public(1).to_string();
    assert!(told(&key, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").contains("a weak key"));
    assert!(
        told(&key, "hobjtV57/8vRKhn/vzbJcGo27uNbjuhwY3Vcrhc6OQc=").contains("its private half is published")
    );
    assert!(told(&key, "AAAA").contains("3 bytes"));
    // One letter is another: such a text is mostly no key, or one that is not accepted.
    assert!(told(&key, "S7Z13k9jdqthc3Az1wFWLkQ0vh1nNlYq4puINbdjzSQ=").contains("a key of mixed order"));
    assert!(
        wrong(&file(&[record("a", 1, ""), record("a", 2, "")])).contains("the id a is another key's already")
    );
    assert!(
        wrong(&file(&[record("a", 1, ""), record("b", 1, "")]))
            .contains("the file already has this key, as a")
    );
    assert!(wrong("catena-policy: 1\ntrusted-keys: []\n").contains("the list has no keys"));
    assert!(wrong("catena-policy: 1\n").contains("this file has no `trusted-keys`"));
    assert!(wrong("trusted-keys: []\n").contains("this is not a policy"));
    assert!(
        wrong("catena-policy: 1\ntrusted-keys: {add: []}\n").contains("no file below has a list to change")
    );
}

/// A policy with this trust file over the shipped one.
fn policy(files: &[(&str, &str)]) -> Result<Policy, String> {
    let shipped = ("shipped:firefox-ci", catena_policy::FIREFOX_CI);
    let all: Vec<_> = [shipped].into_iter().chain(files.iter().copied()).collect();
    Policy::load_all(&all, &|_| Err("no such file".to_owned()))
        .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn keys(ring: &KeyRing) -> BTreeSet<(WorkerImplementation, String)> {
    ring.iter().map(|(owner, trusted)| (owner, trusted.key.to_string())).collect()
}

#[test]
fn one_file_is_the_source_of_a_policys_keys() {
    let (one, two) = (file(&[record("a", 1, "")]), file(&[record("b", 2, "")]));
    let ring = policy(&[("one.yml", &one)]).unwrap().keys("firefox").unwrap();
    let expected = BTreeSet::from([(WorkerImplementation::GenericWorker, public(1).to_string())]);
    assert_eq!(keys(&ring), expected, "the policy that ships trusts other keys, and they do not count");
    let told = policy(&[("one.yml", &one), ("two.yml", &two)]).unwrap_err();
    assert!(
        told.contains("two.yml:2:1: error: trusted-keys: `trusted-keys` is already in another file"),
        "{told}"
    );
    assert!(told.contains("one.yml"), "{told}");
    let list = format!(
        "catena-policy: 1\nproducts: {{firefox: {{keys: {{generic-worker: {{add: [{}]}}}}}}}}\n",
        public(2)
    );
    for files in [[("one.yml", &one), ("list.yml", &list)], [("list.yml", &list), ("one.yml", &one)]] {
        let files = files.map(|(name, text)| (name, text.as_str()));
        let policy = policy(&files).unwrap();
        assert_eq!(keys(&policy.keys("firefox").unwrap()), expected);
        let warnings: Vec<_> = policy.warnings().iter().map(ToString::to_string).collect();
        assert!(
            warnings.iter().any(|told| told.starts_with("list.yml:2:") && told.contains("has no effect"))
        );
        assert!(!warnings.iter().any(|told| told.starts_with("shipped") && told.contains("has no effect")));
    }
}

#[test]
fn a_product_missing_from_the_policy_is_reported() {
    let text = file(&[record("a", 1, "    products: [firefox, firefix]\n")]);
    let policy = policy(&[("one.yml", &text)]).unwrap();
    let told: Vec<_> =
        policy.warnings().iter().filter(|told| told.file == "one.yml").map(ToString::to_string).collect();
    // Of the three implementations only generic-worker has a key.
    assert_eq!(told.len(), 3, "{told:?}");
    let (none, told): (Vec<_>, Vec<_>) = told.into_iter().partition(|told| told.contains("no keys for"));
    assert!(none.iter().all(|told| told.starts_with("one.yml:3:3: warning: trusted-keys")), "{none:?}");
    assert!(
        told[0].contains("no product \"firefix\"") && told[0].contains("did you mean \"firefox\"?"),
        "{told:?}"
    );
}

#[test]
fn limits_of_lists_hold_for_keys_of_the_trust_file() {
    let text = file(&[record("a", 1, "")]);
    let list = format!(
        "catena-policy: 1\ndefaults: {{keys: {{scriptworker: {{add: [{{key: {}, revoked: always}}]}}}}}}\n",
        public(1)
    );
    let ring = policy(&[("list.yml", &list), ("one.yml", &text)]).unwrap().keys("xpi").unwrap();
    assert_eq!(ring.iter().next().unwrap().1.validity.revoked, Some(Revoked::Always));
}

#[test]
fn digests_are_of_the_trust_file_too() {
    let ids = |rest: &str| {
        let policy = policy(&[("one.yml", &file(&[record("a", 1, rest)]))]).unwrap();
        let keys = policy.keys("firefox").unwrap().id().digest.to_string();
        (policy.product("firefox").unwrap().policy.digest.to_string(), keys)
    };
    let plain = ids("");
    assert_eq!(plain, ids("    # A comment of YAML.\n"));
    for rest in ["    levels: [3]\n", "    not-after: 2030-01-01T00:00:00Z\n", "    workers: ['a/*']\n"] {
        let other = ids(rest);
        assert!(other.0 != plain.0 && other.1 != plain.1, "{rest}");
    }
}

/// A list of keys as `--keys` has it: each implementation with some of the keys 0 to 5.
fn given() -> impl Strategy<Value = Vec<(WorkerImplementation, u8)>> {
    let one = (prop::sample::select(WorkerImplementation::ALL.to_vec()), 0_u8..6);
    prop::collection::vec(one, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a key file contains: it removes keys, and never adds any.
    #[test]
    fn a_file_of_keys_never_adds_to_a_trust_file(trusted in 1_u8..6, given in given(), revoked in any::<bool>()) {
        let records: Vec<String> = (0..trusted).map(|seed| record(&format!("k{seed}"), seed + 10, "")).collect();
        let policy = policy(&[("one.yml", &file(&records))]).unwrap();
        let own = policy.keys("firefox").unwrap();
        let mut lists: std::collections::BTreeMap<&str, BTreeSet<String>> = Default::default();
        for (owner, seed) in &given {
            let limit = if revoked { ", revoked: always" } else { "" };
            lists.entry(owner.as_str()).or_default().insert(format!("{{key: {}{limit}}}", public(seed + 10)));
        }
        let text: String = lists.iter().map(|(owner, keys)| {
            format!("{owner}: [{}]\n", keys.iter().cloned().collect::<Vec<_>>().join(", "))
        }).collect();
        let narrowed = policy.keys_of_file("firefox", "keys.yml", KeyRing::parse("keys.yml", &text).unwrap()).unwrap();
        let both: BTreeSet<_> = given.iter().map(|(owner, seed)| (*owner, public(seed + 10).to_string()))
            .filter(|pair| keys(&own).contains(pair)).collect();
        prop_assert_eq!(keys(&narrowed), both.clone());
        let ignored: BTreeSet<_> = narrowed.ignored().iter().map(|(owner, key)| (*owner, key.to_string())).collect();
        prop_assert!(ignored.is_disjoint(&keys(&own)));
        prop_assert!(narrowed.id().widened.is_empty());
        if revoked {
            prop_assert!(narrowed.iter().all(|(_, trusted)| trusted.validity.revoked == Some(Revoked::Always)));
        }
    }
}

fn rotation() -> Rotation {
    Rotation {
        old: id("a"),
        new: id("c"),
        key: public(3),
        at: at("2026-06-01T00:00:00Z"),
        old_until: at("2026-06-08T00:00:00Z"),
        new_until: Some(at("2027-06-01T00:00:00Z")),
    }
}

const LIMITS: &str = "    products: [firefox]\n    worker-pools: ['gecko-3/*'] # level 3\n    levels: [3]\n    not-before: 2026-01-01T00:00:00Z\n    not-after: 2027-01-01T00:00:00Z # a year\n";

#[test]
fn a_rotation_ends_one_key_and_begins_another() {
    let before = format!("# Ours.\n{}# The end.\n", file(&[record("a", 1, LIMITS), record("b", 2, "")]));
    let after = read(&before).rotated(&rotation()).unwrap();
    let expected = before.replace(
        "2027-01-01T00:00:00Z # a year\n",
        &format!(
            "2026-06-08T00:00:00Z # a year\n{}",
            record(
                "c",
                3,
                "    products: [firefox]\n    worker-pools: ['gecko-3/*']\n    levels: [3]\n    not-before: 2026-06-01T00:00:00Z\n    not-after: 2027-06-01T00:00:00Z\n    comment: replaces a\n"
            )
        ),
    );
    assert_eq!(after, expected);
    // A key without an end gets one, after its other lines.
    let plain = file(&[record("a", 1, "")]);
    let after = read(&plain).rotated(&Rotation { new_until: None, ..rotation() }).unwrap();
    assert!(
        after.starts_with(&format!("{plain}    not-after: 2026-06-08T00:00:00Z\n  - id: c\n")),
        "{after}"
    );
    // A key that ends earlier is not extended.
    let soon = file(&[record("a", 1, "    not-after: 2026-06-02T00:00:00Z\n")]);
    let after = read(&soon).rotated(&rotation()).unwrap();
    assert!(after.contains("not-after: 2026-06-02T00:00:00Z\n  - id: c"), "{after}");
}

#[test]
fn records_are_edited_in_the_form_they_are_written_in() {
    let indented = "catena-policy: 1\ntrusted-keys:\n\n-   id: a\n    scheme: ed25519\n    worker-implementations:\n    - generic-worker\n    comment: >-\n      two\n\n      lines\n    key: KEY\n\n-   {id: b, scheme: ed25519, key: OTHER, worker-implementations: [scriptworker]}\n";
    let text = indented.replace("KEY", &public(1).to_string()).replace("OTHER", &public(2).to_string());
    let after = read(&text).rotated(&rotation()).unwrap();
    assert!(after.contains("not-after: 2026-06-08T00:00:00Z\n\n-   id: c\n    scheme: ed25519\n"), "{after}");
    let flow = Rotation { old: id("b"), ..rotation() };
    assert_eq!(read(&text).rotated(&flow), Err(EditError::Layout(id("b"))));
    // A value on a line of its own would stay behind the new one.
    let below = file(&[record("a", 1, "    not-after:\n      '2027-01-01T00:00:00Z'\n")]);
    assert_eq!(read(&below).rotated(&rotation()), Err(EditError::Layout(id("a"))));
    let shared = "catena-policy: 1\ntrusted-keys:\n- id: a\n  scheme: ed25519\n  key: KEY\n  worker-implementations: &all [generic-worker]\n  comment: &end '2026-07-01T00:00:00Z'\n  not-after: *end\n";
    let shared = shared.replace("KEY", &public(1).to_string());
    let after = read(&shared).rotated(&rotation()).unwrap();
    assert!(after.contains("  not-after: 2026-06-08T00:00:00Z\n- id: c\n"), "{after}");
}

#[test]
fn impossible_rotations_are_reported() {
    let text = file(&[
        record("a", 1, LIMITS),
        record("b", 2, "    revoked-at: 2026-02-01T00:00:00Z\n    reason: x\n"),
    ]);
    let refused = |rotation: Rotation| read(&text).rotated(&rotation).unwrap_err();
    assert_eq!(refused(Rotation { old: id("z"), ..rotation() }), EditError::UnknownKey(id("z")));
    assert_eq!(refused(Rotation { new: id("b"), ..rotation() }), EditError::IdTaken(id("b")));
    assert_eq!(refused(Rotation { key: public(2), ..rotation() }), EditError::KeyTaken(id("b")));
    let zero = SigningKey::from_seed(&[0; 32]).public_key();
    assert_eq!(refused(Rotation { key: zero, ..rotation() }), EditError::Published);
    for (old, time) in
        [("a", "2025-12-31T00:00:00Z"), ("a", "2027-01-02T00:00:00Z"), ("b", "2026-01-01T00:00:00Z")]
    {
        let rotation = Rotation { old: id(old), at: at(time), ..rotation() };
        assert_eq!(refused(rotation), EditError::Ended(id(old), at(time)));
    }
    let early = Rotation { old_until: at("2026-05-31T00:00:00Z"), ..rotation() };
    assert!(matches!(refused(early), EditError::Unsound(_)));
    let short = Rotation { new_until: Some(at("2026-06-08T00:00:00Z")), ..rotation() };
    assert!(matches!(refused(short), EditError::Unsound(_)));
}

#[test]
fn a_revocation_states_its_time_and_reason() {
    let text = file(&[record("a", 1, LIMITS), record("b", 2, "")]);
    let revocation = Revocation {
        at: at("2026-06-01T00:00:00Z"),
        compromised_from: Revoked::At(at("2026-05-01T00:00:00Z")),
        reason: "sold: it's gone".to_owned(),
    };
    let after = read(&text).revoked(&id("a"), &revocation).unwrap();
    let added = "# a year\n    revoked-at: 2026-06-01T00:00:00Z\n    compromised-from: 2026-05-01T00:00:00Z\n    reason: 'sold: it''s gone'\n";
    assert_eq!(after, text.replace("# a year\n", added));
    // It can be made stricter, and not weaker.
    let again = Revocation { compromised_from: Revoked::Always, ..revocation.clone() };
    let always = read(&after).revoked(&id("a"), &again).unwrap();
    assert_eq!(always, after.replace("compromised-from: 2026-05-01T00:00:00Z", "compromised-from: always"));
    assert_eq!(read(&always).revoked(&id("a"), &revocation), Err(EditError::Revoked(id("a"))));
    assert_eq!(read(&text).revoked(&id("z"), &revocation), Err(EditError::UnknownKey(id("z"))));
    let late = Revocation { compromised_from: Revoked::At(at("2026-06-02T00:00:00Z")), ..revocation.clone() };
    assert!(matches!(read(&text).revoked(&id("a"), &late), Err(EditError::Unsound(_))));
    for reason in ["", " ", "two\nlines"] {
        let empty = Revocation { reason: reason.to_owned(), ..revocation.clone() };
        assert!(matches!(read(&text).revoked(&id("a"), &empty), Err(EditError::Unsound(_))), "{reason:?}");
    }
}

fn audited(records: &[String]) -> Vec<String> {
    let notes =
        audit(&read(&file(records)), None, at("2026-06-01T00:00:00Z"), SignedDuration::from_hours(24 * 30));
    let told = notes.iter().map(|note| format!("{} {} {}", note.id, note.kind.as_str(), note.is_problem));
    told.collect()
}

#[test]
fn an_audit_reports_expiry_and_overlap() {
    let until = |time: &str| format!("    not-after: {time}\n");
    let (soon, later) = (until("2026-06-20T00:00:00Z"), until("2027-06-20T00:00:00Z"));
    assert_eq!(audited(&[record("a", 1, &later)]), Vec::<String>::new());
    assert_eq!(audited(&[record("a", 1, "")]), ["a endless true"]);
    assert_eq!(audited(&[record("a", 1, &soon)]), ["a expiring true"]);
    assert_eq!(audited(&[record("a", 1, &until("2026-05-01T00:00:00Z"))]), ["a expired false"]);
    assert_eq!(
        audited(&[record("a", 1, &soon), record("b", 2, &later)]),
        ["a expiring false", "a overlapping false"]
    );
    assert_eq!(audited(&[record("a", 1, &later), record("b", 2, &later)]), ["a overlapping true"]);
    let pool = |pool: &str| format!("    worker-pools: ['{pool}']\n{later}");
    assert_eq!(audited(&[record("a", 1, &pool("a/*")), record("b", 2, &pool("b/*"))]), Vec::<String>::new());
    let soon_of = |pool: &str| format!("    worker-pools: ['{pool}']\n{soon}");
    assert_eq!(
        audited(&[record("a", 1, &soon_of("a/*")), record("b", 2, &pool("b/*"))]),
        ["a expiring true"]
    );
    // One that starts only after the other has ended replaces nothing.
    let gap = format!("    not-before: 2026-06-21T00:00:00Z\n{later}");
    assert_eq!(audited(&[record("a", 1, &soon), record("b", 2, &gap)])[0], "a expiring true");
    let revoked = "    revoked-at: 2026-02-01T00:00:00Z\n    reason: x\n";
    assert_eq!(audited(&[record("a", 1, revoked)]), Vec::<String>::new());
}
