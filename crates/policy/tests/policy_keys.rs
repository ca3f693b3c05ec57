//! Limits of keys belong to the key: no layer, list or removal lifts them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use catena_model::task::WorkerImplementation::{DockerWorker, GenericWorker};
use catena_policy::{KeyRing, Policy};
use std::collections::BTreeMap;

const KEY: &str = "kni6ts7z/MRkvs7i6+SF/T6UWj0hAJoHEcrgHB8BBR0=";
const OTHER: &str = "KO3FX9JnNga/XViTRBiUMHYnji9Fu3s332sU2lXjSwE=";

const BASE: &str = r"catena-policy: 1
defaults:
  vcs: [hg]
  hg-hosts: [hg.example.com]
  projects-url: 'https://example.com/projects.yml'
  scriptworker-provisioners: [scriptworker-k8s]
  kinds: {action: action, decision: decision}
  source-env-prefix: ONE
  tasks-for: [hg-push]
  decision-worker-pools: [one-3/decision]
  docker-image-worker-pools: [one-3/images]
  repositories: [{schemes: [https], hosts: [hg.example.com], paths: ['^(?P<path>/central)(/|$)']}]
  trees: {central: [/central]}
  restricted-scopes: {'project:sign': central}
  keys:
    docker-worker: DOCKER
    generic-worker: GENERIC
    scriptworker: [jFmyvf3lQiiX0qIFxal5KgIIq6VpUBTQfAtD6hEi8Ms=]
products:
  one: {}
  two: {}
";

/// The base with these lists of keys.
fn base(docker: &str, generic: &str) -> String {
    BASE.replace("DOCKER", docker).replace("GENERIC", generic)
}

fn revoked(time: &str) -> String {
    format!("{{key: {KEY}, revoked: '{time}'}}")
}

/// Layered files, the lowest first.
fn laid(files: &[(&str, &str)]) -> Policy {
    let others: BTreeMap<&str, &str> = files.iter().copied().collect();
    let loader =
        |name: &str| others.get(name).map(|text| (*text).to_owned()).ok_or_else(|| "none".to_owned());
    Policy::load_all(files, &loader).unwrap()
}

/// A file over the base.
fn over(base: &str, above: &str) -> Policy {
    laid(&[("base.yml", base), ("above.yml", &format!("catena-policy: 1\n{above}\n"))])
}

fn warnings(policy: &Policy) -> String {
    policy.warnings().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The validity of an implementation's key.
fn limits(ring: &KeyRing, key: &str) -> Vec<String> {
    let all = ring.iter().filter(|(_, trusted)| trusted.key.to_string() == key);
    all.map(|(owner, trusted)| format!("{owner} {}", trusted.validity)).collect()
}

fn of(policy: &Policy, product: &str) -> Vec<String> {
    limits(&policy.keys(product).unwrap(), KEY)
}

const ALWAYS: &str = "docker-worker revoked: always";

#[test]
fn a_layer_lifts_no_limit() {
    let base = base(&format!("[{}]", revoked("always")), &format!("[{OTHER}]"));
    for above in [
        // The same key again, in a list that replaces the one below.
        format!("defaults: {{keys: {{docker-worker: [{KEY}]}}}}"),
        format!("products: {{one: {{keys: {{docker-worker: [{KEY}]}}}}}}"),
        // Removed with its limit, and added without.
        format!("defaults: {{keys: {{docker-worker: {{remove: [{}], add: [{KEY}]}}}}}}", revoked("always")),
        format!(
            "products: {{one: {{keys: {{docker-worker: {{remove: [{}], add: [{KEY}]}}}}}}}}",
            revoked("always")
        ),
        // With a milder limit.
        format!("defaults: {{keys: {{docker-worker: [{}]}}}}", revoked("2030-01-01T00:00:00Z")),
    ] {
        let policy = over(&base, &above);
        assert_eq!(of(&policy, "one")[0].split(", ").next(), Some(ALWAYS), "{above}");
        let told = warnings(&policy);
        assert!(told.starts_with("above.yml:") && told.contains("base.yml:16:21"), "{above}: {told}");
    }
}

#[test]
fn a_limit_applies_after_its_list_was_replaced() {
    let said = |entry: &str| format!("catena-policy: 1\n{entry}\n");
    let middle = said(&format!("products: {{two: {{keys: {{docker-worker: [{}]}}}}}}", revoked("always")));
    let base = base(&format!("[{KEY}]"), &format!("[{OTHER}]"));
    for gone in [
        "products: {two: ~}",
        "products: {two: {keys: {docker-worker: ~}}}",
        "products: {two: {keys: {docker-worker: []}}}",
    ] {
        let policy = laid(&[("base.yml", &base), ("middle.yml", &middle), ("above.yml", &said(gone))]);
        assert_eq!(of(&policy, "one"), [ALWAYS], "{gone}");
        assert_eq!(warnings(&policy).matches("stricter").count(), 0, "what is below may say less: {gone}");
    }
}

#[test]
fn a_limit_holds_for_every_implementation_and_product() {
    let both = |limit: &str| {
        let base = base(&format!("[{KEY}]"), &format!("[{}]", revoked(limit)));
        let policy = over(&base, "");
        (of(&policy, "one"), of(&policy, "two"), warnings(&policy))
    };
    let (one, two, told) = both("2026-05-04T03:02:01Z");
    let expected =
        ["docker-worker revoked: 2026-05-04T03:02:01Z", "generic-worker revoked: 2026-05-04T03:02:01Z"];
    assert_eq!(one, expected);
    assert_eq!(two, expected);
    insta::assert_snapshot!(told, @r#"
    base.yml:16:21: warning: defaults.keys.docker-worker[0]: this key has stricter limits elsewhere (base.yml:17:22), and they apply here too: revoked: 2026-05-04T03:02:01Z
      hint: limits apply to a key everywhere; state the same here, or change them there
    "#);
    let product = format!("products: {{one: {{keys: {{docker-worker: {{add: [{}]}}}}}}}}", revoked("always"));
    let policy = over(&base(&format!("[{OTHER}]"), &format!("[{KEY}]")), &product);
    assert_eq!(of(&policy, "two"), ["generic-worker revoked: always"]);
}

#[test]
fn of_several_limits_the_strictest_counts() {
    let key = |limits: &str| format!("[{{key: {KEY}, {limits}}}]");
    let one = key("not-before: '2026-01-01T00:00:00Z', not-after: '2026-12-31T00:00:00Z', because: rented");
    let two = key("not-before: '2026-02-01T00:00:00Z', not-after: '2027-12-31T00:00:00Z'");
    let three = key("revoked: '2026-10-01T00:00:00Z', because: stolen");
    let above = format!("products: {{two: {{keys: {{scriptworker: {three}}}}}}}");
    let policy = over(&base(&one, &two), &above);
    let strictest = "not-before: 2026-02-01T00:00:00Z, not-after: 2026-12-31T00:00:00Z, revoked: 2026-10-01T00:00:00Z, because: ";
    let held = of(&policy, "one");
    assert_eq!(held.len(), 2);
    assert!(held.iter().all(|limits| limits.contains(strictest)), "{held:?}");
    insta::assert_snapshot!(warnings(&policy), @r#"
    above.yml:2:40: warning: products.two.keys.scriptworker[0]: this key has stricter limits elsewhere (base.yml:17:22), and they apply here too: not-before: 2026-02-01T00:00:00Z, not-after: 2026-12-31T00:00:00Z, revoked: 2026-10-01T00:00:00Z, because: rented; stolen
      hint: limits apply to a key everywhere; state the same here, or change them there
    base.yml:16:21: warning: defaults.keys.docker-worker[0]: this key has stricter limits elsewhere (base.yml:17:22), and they apply here too: not-before: 2026-02-01T00:00:00Z, not-after: 2026-12-31T00:00:00Z, because: rented
      hint: limits apply to a key everywhere; state the same here, or change them there
    base.yml:17:22: warning: defaults.keys.generic-worker[0]: this key has stricter limits elsewhere (base.yml:16:21), and they apply here too: not-before: 2026-02-01T00:00:00Z, not-after: 2026-12-31T00:00:00Z, because: rented
      hint: limits apply to a key everywhere; state the same here, or change them there
    "#);
}

#[test]
fn the_policys_limits_apply_to_a_key_file() {
    let policy = over(&base(&format!("[{}]", revoked("always")), &format!("[{OTHER}]")), "");
    let file =
        KeyRing::parse("keys.yml", &format!("generic-worker: [{KEY}]\ndocker-worker: [{KEY}]\n")).unwrap();
    let ring = policy.keys_of_file("one", "keys.yml", file).unwrap();
    assert_eq!(limits(&ring, KEY), [ALWAYS, "generic-worker revoked: always"]);
    let id = ring.id();
    assert_eq!(id.file.as_deref(), Some("keys.yml"));
    let widened: Vec<_> = id.widened.iter().map(|(owner, key)| (*owner, key.to_string())).collect();
    assert_eq!(widened, [(GenericWorker, KEY.to_owned())], "docker-worker's it has");
    // The policy trusts another key than the file does.
    assert_eq!(limits(&ring, OTHER), Vec::<String>::new());
}

#[test]
fn a_file_of_keys_limits_a_key_for_every_implementation() {
    let text = format!("docker-worker: [{KEY}]\ngeneric-worker: [{}]\n", revoked("always"));
    let ring = KeyRing::parse("keys.yml", &text).unwrap();
    assert_eq!(limits(&ring, KEY), [ALWAYS, "generic-worker revoked: always"]);
}

#[test]
fn malformed_limits_of_a_replaced_list_are_reported() {
    let base = base(&format!("[{}]", revoked("tomorrow")), &format!("[{OTHER}]"));
    let above = format!("catena-policy: 1\ndefaults: {{keys: {{docker-worker: [{KEY}]}}}}\n");
    let files = [("base.yml", base.as_str()), ("above.yml", above.as_str())];
    let mistakes = Policy::load_all(&files, &|_| Err("none".to_owned())).unwrap_err();
    assert!(mistakes[0].to_string().contains("\"tomorrow\" is not a moment"), "{mistakes:?}");
}

#[test]
fn contradictions_have_their_places() {
    let base = base(&format!("[{}]", revoked("always")), &format!("[{KEY}]"));
    insta::assert_snapshot!(warnings(&over(&base, "")), @r#"
    base.yml:17:22: warning: defaults.keys.generic-worker[0]: this key has stricter limits elsewhere (base.yml:16:21), and they apply here too: revoked: always
      hint: limits apply to a key everywhere; state the same here, or change them there
    "#);
    let above = format!("defaults: {{keys: {{docker-worker: [{KEY}]}}}}");
    insta::assert_snapshot!(warnings(&over(&base, &above)), @r#"
    above.yml:2:35: warning: defaults.keys.docker-worker[0]: this key has stricter limits elsewhere (base.yml:16:21), and they apply here too: revoked: always
      hint: limits apply to a key everywhere; state the same here, or change them there
    base.yml:17:22: warning: defaults.keys.generic-worker[0]: this key has stricter limits elsewhere (base.yml:16:21), and they apply here too: revoked: always
      hint: limits apply to a key everywhere; state the same here, or change them there
    "#);
    let extending = format!(
        "catena-policy: 1\nextends: base.yml\nproducts: {{two: {{keys: {{scriptworker: [{KEY}]}}}}}}\n"
    );
    let loader = |_: &str| Ok(base.clone());
    let policy = Policy::load("own.yml", &extending, &loader).unwrap();
    insta::assert_snapshot!(warnings(&policy), @r#"
    base.yml:17:22: warning: defaults.keys.generic-worker[0]: this key has stricter limits elsewhere (base.yml:16:21), and they apply here too: revoked: always
      hint: limits apply to a key everywhere; state the same here, or change them there
    own.yml:3:40: warning: products.two.keys.scriptworker[0]: this key has stricter limits elsewhere (base.yml:16:21), and they apply here too: revoked: always
      hint: limits apply to a key everywhere; state the same here, or change them there
    "#);
}

/// A rotated key: the old one ends, the new one starts, and each place states the same.
#[test]
fn consistent_limits_cause_no_warning() {
    let rotated = format!(
        "[{{key: {KEY}, not-after: '2026-09-01T00:00:00Z'}}, {{key: {OTHER}, not-before: '2026-08-31T00:00:00Z'}}]"
    );
    let policy = over(
        &base(&rotated, &rotated),
        &format!("products: {{one: {{keys: {{docker-worker: {rotated}}}}}}}"),
    );
    assert_eq!(warnings(&policy), "");
    // A list below may state less than one above: that is how a key gets limits.
    let plain = base(&format!("[{KEY}]"), &format!("[{OTHER}]"));
    let above =
        format!("defaults: {{keys: {{docker-worker: {{remove: [{KEY}], add: [{}]}}}}}}", revoked("always"));
    let policy = over(&plain, &above);
    assert_eq!((of(&policy, "one"), warnings(&policy)), (vec![ALWAYS.to_owned()], String::new()));
}

#[test]
fn a_digest_depends_on_contents_only() {
    let digest = |policy: &Policy| policy.product("one").unwrap().policy.digest.to_string();
    let keys = |policy: &Policy| policy.keys("one").unwrap().id().digest.to_string();
    let plain = base(&format!("[{KEY}]"), &format!("[{OTHER}]"));
    let one = over(&plain, "");
    // Comments, files and the order of names have no effect.
    let commented = over(&format!("# A comment.\n{plain}"), "products: {three: {vcs: [hg]}}");
    let commented = laid(&[
        ("x.yml", &format!("# A comment.\n{plain}")),
        ("y.yml", "catena-policy: 1\nproducts: {one: {}}\n"),
    ])
    .product("one")
    .map(|product| (product.policy.digest.to_string(), commented));
    let (same, more) = commented.unwrap();
    assert_eq!(same, digest(&one));
    assert_ne!(digest(&more), digest(&one));
    assert_eq!(keys(&more), keys(&one));
    let limited = over(
        &plain,
        &format!("products: {{two: {{keys: {{scriptworker: {{add: [{}]}}}}}}}}", revoked("always")),
    );
    assert_ne!(keys(&limited), keys(&one));
    assert_ne!(digest(&limited), digest(&one));
    let id = limited.product("one").unwrap().policy;
    assert_eq!(
        (id.name.as_str(), id.layers, id.digest.algorithm()),
        ("above.yml", vec!["base.yml".to_owned(), "above.yml".to_owned()], "sha256")
    );
    let shipped = Policy::shipped().unwrap().product("firefox").unwrap().policy;
    assert!(shipped.is_shipped() && shipped.name == "shipped:firefox-ci");
    let over_it = "catena-policy: 1\nextends: shipped:firefox-ci\n";
    let over_it = Policy::load("own.yml", over_it, &|_| Err("none".to_owned())).unwrap();
    let over_it = over_it.product("firefox").unwrap().policy;
    assert!(!over_it.is_shipped());
    assert_eq!(over_it.digest, shipped.digest);
}

/// The hashed text is that of `docs/policy.md`.
#[test]
fn the_digest_of_keys_is_of_lines() {
    use sha2::{Digest as _, Sha256};
    let text =
        format!("scriptworker: [{OTHER}]\ndocker-worker: [{}]\n", revoked("2026-05-04T05:02:01+02:00"));
    let ring = KeyRing::parse("keys.yml", &text).unwrap();
    let lines = format!("docker-worker {KEY} revoked: 2026-05-04T03:02:01Z\nscriptworker {OTHER}\n");
    let expected: [u8; 32] = Sha256::digest(lines.as_bytes()).into();
    assert_eq!(ring.id().digest, catena_model::digest::Digest::Sha256(expected));
    assert_eq!(ring.for_implementation(DockerWorker).len(), 1);
}

#[test]
fn the_age_of_a_push_is_a_number_of_days() {
    let age = |text: &str| {
        let above = format!("catena-policy: 1\ndefaults: {{max-push-age: {text}}}\n");
        let base = base(&format!("[{KEY}]"), &format!("[{OTHER}]"));
        let files = [("base.yml", base.as_str()), ("above.yml", above.as_str())];
        Policy::load_all(&files, &|_| Err("none".to_owned()))
            .map(|policy| policy.product("one").unwrap().max_push_age)
            .map_err(|mistakes| mistakes[0].message.clone())
    };
    assert_eq!([age("1"), age("30"), age("3650")], [Ok(Some(1)), Ok(Some(30)), Ok(Some(3650))]);
    for wrong in ["0", "3651", "-1", "1.5", "99999999999999999999"] {
        assert_eq!(age(wrong), Err("a push's age in days is between 1 and 3650".to_owned()), "{wrong}");
    }
    assert!(age("'30'").is_err());
}
