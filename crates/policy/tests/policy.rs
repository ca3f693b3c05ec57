//! Policies as files: parsing, errors with positions, and layers.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::indexing_slicing)]

use catena_keys::Validity;
use catena_model::source::{RepositoryUrl, SourceUrl};
use catena_model::task::{Kind, Trigger, WorkerImplementation, WorkerPool};
use catena_policy::{
    FIREFOX_CI, ImageKinds, KeyRing, KindRole, Landed, Policy, RepositoryRule, Rule, Severity, Vcs,
};
use std::collections::BTreeMap;

/// A policy with one product, without warnings.
const SMALL: &str = r"catena-policy: 1
defaults:
  hg-hosts: [hg.example.com]
  projects-url: 'https://example.com/projects.yml'
  scriptworker-provisioners: [scriptworker-k8s]
  kinds: {action: action, build: plain, decision: decision, docker-image: docker-image, signing: scriptworker}
  keys:
    docker-worker: [kni6ts7z/MRkvs7i6+SF/T6UWj0hAJoHEcrgHB8BBR0=]
    generic-worker: [Kz/aZIVeR6NP8gQU1U+2CCIZqvbd+4QCP6J63lflwik=]
    scriptworker: [KO3FX9JnNga/XViTRBiUMHYnji9Fu3s332sU2lXjSwE=]
products:
  one:
    vcs: [hg]
    source-env-prefix: ONE
    tasks-for: [hg-push, cron]
    decision-worker-pools: [one-3/decision]
    docker-image-worker-pools: [one-3/images]
    prebuilt-image-kinds: [decision]
    repositories: [{schemes: [https], hosts: [hg.example.com], paths: ['^(?P<path>/(central|beta))(/|$)']}]
    trees: {central: [/central], all: [/central, /beta]}
    restricted-scopes: {'project:sign:nightly': all, 'project:sign:release:*': central}
";

fn load(files: &[(&str, &str)]) -> Result<Policy, String> {
    let (name, text) = files[0];
    let others: BTreeMap<&str, &str> = files.iter().copied().collect();
    let loader =
        |name: &str| others.get(name).map(|text| (*text).to_owned()).ok_or_else(|| "no such file".to_owned());
    Policy::load(name, text, &loader)
        .map_err(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// The diagnostics of one file.
fn wrong(text: &str) -> String {
    load(&[("p.yml", text)]).unwrap_err()
}

/// The diagnostics of the small policy after a change.
fn changed(from: &str, to: &str) -> String {
    assert_eq!(SMALL.matches(from).count(), 1, "{from}");
    match load(&[("p.yml", &SMALL.replace(from, to))]) {
        Ok(policy) => policy.warnings().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        Err(all) => all,
    }
}

/// A policy of the small one (as `base.yml`) and a file over it.
fn extended(over: &str) -> Result<Policy, String> {
    load(&[("p.yml", &format!("catena-policy: 1\nextends: base.yml\n{over}")), ("base.yml", SMALL)])
}

fn warnings(policy: &Policy) -> String {
    policy.warnings().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn kind(text: &str) -> Kind {
    Kind::parse(text).unwrap()
}

#[test]
fn the_small_policy_is_parsed() {
    let policy = load(&[("p.yml", SMALL)]).unwrap();
    assert_eq!(warnings(&policy), "");
    assert_eq!(policy.products().collect::<Vec<_>>(), ["one"]);
    let one = policy.product("one").unwrap();
    assert_eq!((one.name.as_str(), one.source_env_prefix.as_str()), ("one", "ONE"));
    assert_eq!(one.vcs.iter().copied().collect::<Vec<_>>(), [Vcs::Hg]);
    assert_eq!(one.role(&kind("signing")), Some(KindRole::Scriptworker));
    assert_eq!(one.role(&kind("balrog")), None);
    assert_eq!((one.max_chain_length, one.landed), (20, Landed::BranchCommits));
    assert!(
        one.prebuilt_image_kinds.allow(&kind("decision")) && !one.prebuilt_image_kinds.allow(&kind("build"))
    );
    assert!(one.decision_worker_pools.contains(&WorkerPool::parse("one-3/decision").unwrap()));
    let source = SourceUrl::parse("https://hg.example.com/beta/file/abc").unwrap();
    assert_eq!(one.repository_path(&source).as_deref(), Some("/beta"));
    assert_eq!(policy.keys("one").unwrap().iter().count(), 3);
    assert_eq!(policy.root_url(), None);
    insta::assert_snapshot!(policy.product("two").unwrap_err(), @r#"the policy has no product "two"; it has: one"#);
    insta::assert_snapshot!(policy.keys("two").unwrap_err(), @r#"the policy has no product "two"; it has: one"#);
}

#[test]
fn what_is_not_yaml() {
    insta::assert_snapshot!(wrong("catena-policy: 1\nproducts: [\n"), @"p.yml:2:11: error: $: unclosed bracket '['");
    insta::assert_snapshot!(wrong("catena-policy: 1\nproducts: {}\nproducts: {}\n"), @r#"p.yml:3:1: error: $: duplicate key "products""#);
    insta::assert_snapshot!(wrong("catena-policy: 1\ndefaults: &a {}\nproducts: {b: {<<: *a}}\n"), @"p.yml:3:16: error: $: merge keys (<<) are not supported; `defaults` and `extends` share settings");
    insta::assert_snapshot!(wrong("catena-policy: 1\n---\ncatena-policy: 1\n"), @"p.yml:2:1: error: $: a second document in one file");
    insta::assert_snapshot!(wrong("catena-policy: 1\nproducts: !new {}\n"), @"p.yml:2:16: error: $: unsupported tag `!new`");
    insta::assert_snapshot!(wrong(&format!("catena-policy: 1\nproducts: {}", "[".repeat(50))), @"p.yml:2:23: error: $: recursion limit exceeded");
    insta::assert_snapshot!(wrong(&format!("{}: 1\n", "k".repeat(400))), @"p.yml:1:1: error: $: a key longer than 300 bytes");
    insta::assert_snapshot!(wrong(&" ".repeat(2 << 20)), @"p.yml:1:1: error: $: larger than 1048576 bytes");
    insta::assert_snapshot!(wrong(""), @"p.yml:1:1: error: $: expected a map, found nothing");
}

#[test]
fn aliases_are_bounded() {
    let mut bomb = "catena-policy: 1\ndefaults:\n  kinds: &a0 {x: plain}\nproducts:\n".to_owned();
    for level in 1..9 {
        let before = format!("*a{}", level - 1);
        bomb += &format!("  p{level}: &a{level} [{}]\n", vec![before; 9].join(", "));
    }
    insta::assert_snapshot!(wrong(&bomb), @"p.yml:8:37: error: $: alias replay limit exceeded: total_replayed_events=20001 > 20000");
}

#[test]
fn what_is_not_a_policy() {
    insta::assert_snapshot!(wrong("products: {}\n"), @r"
    p.yml:1:1: error: $: this is not a policy
      hint: a policy starts with `catena-policy: 1`
    ");
    insta::assert_snapshot!(wrong("- catena-policy: 1\n"), @"p.yml:1:1: error: $: expected a map, found a list");
    insta::assert_snapshot!(wrong("catena-policy: 2\n"), @r"
    p.yml:1:16: error: catena-policy: version 2 of the format is unsupported
      hint: a policy starts with `catena-policy: 1`
    ");
    insta::assert_snapshot!(wrong("catena-policy: '1'\n"), @"p.yml:1:16: error: catena-policy: expected a number, found text");
    insta::assert_snapshot!(wrong("catena-policy: 1\n"), @"p.yml:1:1: error: $: the policy has no products");
    insta::assert_snapshot!(wrong("catena-policy: 1\nproduct: {}\n"), @r#"
    p.yml:2:1: error: product: unknown key "product"
      hint: did you mean "products"?
    "#);
    insta::assert_snapshot!(wrong("catena-policy: 1\nroot-url: http://tc.example.com\nproducts: {}\n"), @r#"p.yml:2:11: error: root-url: "http://tc.example.com" is not an https:// address (http:// is for this machine only)"#);
    insta::assert_snapshot!(wrong("catena-policy: 1\nproducts:\n  One: {}\n"), @r"
    p.yml:3:3: error: products.One: `decision-worker-pools` is missing: neither the product nor `defaults` has it
    p.yml:3:3: error: products.One: `kinds` is missing: neither the product nor `defaults` has it
    p.yml:3:3: error: products.One: `projects-url` is missing: neither the product nor `defaults` has it
    p.yml:3:3: error: products.One: `repositories` is missing: neither the product nor `defaults` has it
    p.yml:3:3: error: products.One: `restricted-scopes` is missing: neither the product nor `defaults` has it
    p.yml:3:3: error: products.One: `scriptworker-provisioners` is missing: neither the product nor `defaults` has it
    p.yml:3:3: error: products.One: `source-env-prefix` is missing: neither the product nor `defaults` has it
    p.yml:3:3: error: products.One: `tasks-for` is missing: neither the product nor `defaults` has it
    p.yml:3:3: error: products.One: `vcs` is missing: neither the product nor `defaults` has it
    p.yml:3:3: error: products.One: a product's name has 1 to 60 of a-z 0-9 -
    ");
}

#[test]
fn values_of_the_wrong_type() {
    insta::assert_snapshot!(changed("source-env-prefix: ONE", "source-env-prefix: 1"), @r"
    p.yml:14:24: error: products.one.source-env-prefix: expected text, found a number
      hint: put it in quotes to make it text
    ");
    insta::assert_snapshot!(changed("vcs: [hg]", "vcs: hg"), @r#"
    p.yml:13:10: error: products.one.vcs: expected a list, found text
      hint: a list of one is written ["hg"]
    "#);
    insta::assert_snapshot!(changed("vcs: [hg]", "vcs:"), @r"
    p.yml:13:8: error: products.one.vcs: expected a list, found nothing
      hint: an empty list is written []
    ");
    insta::assert_snapshot!(changed("prebuilt-image-kinds: [decision]", "prebuilt-image-kinds: all"), @r#"p.yml:18:27: error: products.one.prebuilt-image-kinds: expected a list or the word "any", found text"#);
    insta::assert_snapshot!(changed("trees: {central: [/central], all: [/central, /beta]}", "trees:"), @r#"
    p.yml:20:10: error: products.one.trees: expected a map, found nothing
      hint: an empty map is written {}
    p.yml:21:49: error: products.one.restricted-scopes["project:sign:nightly"]: "all" is not one of the product's trees
    p.yml:21:80: error: products.one.restricted-scopes["project:sign:release:*"]: "central" is not one of the product's trees
    "#);
    insta::assert_snapshot!(changed("source-env-prefix: ONE", "max-chain-length: many"), @r"
    p.yml:12:3: error: products.one: `source-env-prefix` is missing: neither the product nor `defaults` has it
    p.yml:14:23: error: products.one.max-chain-length: expected a number, found text
    ");
    insta::assert_snapshot!(changed("[hg-push, cron]", "[hg-push, [cron]]"), @"p.yml:15:26: error: products.one.tasks-for[1]: expected text, found a list");
}

#[test]
fn values_that_do_not_parse() {
    insta::assert_snapshot!(changed("source-env-prefix: ONE", "source-env-prefix: one"), @r#"p.yml:14:24: error: products.one.source-env-prefix: "one" is not a prefix of environment variables (A-Z 0-9 _)"#);
    insta::assert_snapshot!(changed("[hg-push, cron]", "[hg-push, crom]"), @r#"
    p.yml:15:26: error: products.one.tasks-for[1]: "crom" is unknown
      hint: did you mean "cron"?
    "#);
    insta::assert_snapshot!(changed("vcs: [hg]", "vcs: [hg, svn]"), @r#"
    p.yml:13:15: error: products.one.vcs[1]: "svn" is unknown
      hint: known values: github, hg
    "#);
    insta::assert_snapshot!(changed("one-3/decision", "one-3"), @r#"p.yml:16:29: error: products.one.decision-worker-pools[0]: "one-3" is not a worker pool (provisionerId/workerType, each 1 to 38 of a-z A-Z 0-9 _ -)"#);
    insta::assert_snapshot!(changed("[scriptworker-k8s]", "[scriptworker/k8s]"), @r#"p.yml:5:31: error: defaults.scriptworker-provisioners[0]: "scriptworker/k8s" is not a provisioner (1 to 38 of a-z A-Z 0-9 _ -)"#);
    insta::assert_snapshot!(changed("/central, /beta]", "/central, beta/]"), @r#"p.yml:20:50: error: products.one.trees.all[1]: "beta/" is not the path of a repository, such as /mozilla-central or /owner/name"#);
    insta::assert_snapshot!(changed("https://example.com", "ftp://example.com"), @r#"p.yml:4:17: error: defaults.projects-url: "ftp://example.com/projects.yml" is not an https:// address (http:// is for this machine only)"#);
    insta::assert_snapshot!(changed("hg-hosts: [hg.example.com]", "hg-hosts: [hg.example.com, 'HG.example.com:443']"), @r#"p.yml:3:30: error: defaults.hg-hosts[1]: "HG.example.com:443" is not a plain lowercase host name"#);
    insta::assert_snapshot!(changed("hg-hosts: [hg.example.com]", "hg-hosts: [hg.example.com, hg.example.com/a]"), @r#"p.yml:3:30: error: defaults.hg-hosts[1]: "hg.example.com/a" is not a plain lowercase host name"#);
    insta::assert_snapshot!(changed("vcs: [hg]", "vcs: [hg]\n    landed: maybe\n    max-chain-length: 0"), @r#"
    p.yml:14:13: error: products.one.landed: "maybe" is unknown
      hint: known values: assumed, branch-commits, compare
    p.yml:15:23: error: products.one.max-chain-length: a chain's length is between 1 and 100
    "#);
    insta::assert_snapshot!(changed("vcs: [hg]", "vcs: [hg]\n    hg-git-mirrors: {/central: git/hub, central: /a/b}"), @r#"
    p.yml:14:32: error: products.one.hg-git-mirrors["/central"]: "git/hub" is not the path of a repository, such as /mozilla-central or /owner/name
    p.yml:14:41: error: products.one.hg-git-mirrors.central: "central" is not the path of a repository, such as /mozilla-central or /owner/name
    "#);
    insta::assert_snapshot!(changed("vcs: [hg]", "vcs: [hg]\n    official-owners: ['', a/b]"), @r#"
    p.yml:14:23: error: products.one.official-owners[0]: "" is not the name of an owner on GitHub
    p.yml:14:27: error: products.one.official-owners[1]: "a/b" is not the name of an owner on GitHub
    "#);
}

#[test]
fn prefixes_are_names_of_variables() {
    let told = |prefix: &str| changed("source-env-prefix: ONE", &format!("source-env-prefix: '{prefix}'"));
    for fits in ["A", "ONE_2", &"A".repeat(60)] {
        assert_eq!(told(fits), "", "{fits}");
    }
    for wrong in ["", "_ONE", "2ONE", "One", "ON-E", "ONÉ", "ON E", &"A".repeat(61)] {
        assert!(told(wrong).contains("is not a prefix of environment variables"), "{wrong}");
    }
}

#[test]
fn addresses_of_services_are_plain() {
    let told = |url: &str| changed("https://example.com/projects.yml", url);
    let long = |length: usize| format!("https://a/{}", "b".repeat(length - 10));
    for fits in ["https://a.b:80/c?d", "http://localhost:8080/a", "http://127.0.0.1/a", &long(300)] {
        assert_eq!(told(fits), "", "{fits}");
    }
    for wrong in [
        "https://",
        "https:///a",
        "https://a b/c",
        "https://ä.b/c",
        "https://user@a.b/c",
        "https://a.b/c#d",
        "https://a.b\\c",
        "http://localhost.example.com/a",
        "http://a.b/c",
        &long(301),
    ] {
        assert!(told(wrong).contains("is not an https:// address"), "{wrong}");
    }
}

#[test]
fn a_malformed_product_is_reported_once() {
    insta::assert_snapshot!(wrong("catena-policy: 1\nproducts: {one: 3}\n"), @"p.yml:2:17: error: products.one: expected a map, found a number");
}

#[test]
fn apparently_empty_settings_cause_no_warning() {
    // Trees on GitHub alone need no host like hg.mozilla.org.
    let git = SMALL
        .replace("hg-hosts: [hg.example.com]", "hg-hosts: []")
        .replace("vcs: [hg]", "vcs: [github]\n    official-owners: [a]")
        .replace("hosts: [hg.example.com], paths", "hosts: [github.com], paths");
    assert_eq!(warnings(&load(&[("p.yml", &git)]).unwrap()), "");
    // Every kind may use a prebuilt image, so that no pool need build one.
    let prebuilt = SMALL
        .replace("    docker-image-worker-pools: [one-3/images]\n", "")
        .replace("prebuilt-image-kinds: [decision]", "prebuilt-image-kinds: any");
    assert_eq!(warnings(&load(&[("p.yml", &prebuilt)]).unwrap()), "");
    // The error of an item is reported, and not that the list is empty without it.
    assert_eq!(changed("[one-3/decision]", "[one-3]").lines().count(), 1);
}

#[test]
fn repository_rules() {
    insta::assert_snapshot!(changed("schemes: [https]", "schemes: [https, git]"), @r#"
    p.yml:19:38: error: products.one.repositories[0].schemes[1]: "git" is unknown
      hint: known values: https, ssh
    "#);
    insta::assert_snapshot!(changed("schemes: [https], ", ""), @"p.yml:19:20: error: products.one.repositories[0]: this rule has no schemes, so it matches nothing");
    insta::assert_snapshot!(changed("'^(?P<path>/(central|beta))(/|$)'", "'(?P<path>/(central|beta))'"), @"p.yml:19:72: error: products.one.repositories[0].paths[0]: the expression does not start with ^, so it could match in the middle of a path");
    insta::assert_snapshot!(changed("'^(?P<path>/(central|beta))(/|$)'", "'^/(central|beta)'"), @"p.yml:19:72: error: products.one.repositories[0].paths[0]: the expression has no group (?P<path>…) for the repository's path");
    insta::assert_snapshot!(changed("'^(?P<path>/(central|beta))(/|$)'", "'^(?P<path>/(central|beta)(/|$)'"), @"p.yml:19:72: error: products.one.repositories[0].paths[0]: the expression is not a regular expression: found open group without closing ')'");
    insta::assert_snapshot!(changed("'^(?P<path>/(central|beta))(/|$)'", "'^(?P<path>/(?!evil)\\w+)'"), @"p.yml:19:72: error: products.one.repositories[0].paths[0]: the expression uses (?!, which Python and Catena do not interpret in the same way");
    insta::assert_snapshot!(changed("hosts: [hg.example.com], paths", "hosts: [git.example.com], paths"), @r"
    p.yml:19:47: warning: products.one.repositories[0].hosts[0]: git.example.com is neither github.com nor in `hg-hosts`, so nothing can be asked of it
      hint: if it answers like hg.mozilla.org, add it to `hg-hosts`
    ");
    insta::assert_snapshot!(changed("hosts: [hg.example.com], paths", "hosts: [hg.example.com], path: [], paths"), @r#"
    p.yml:19:64: error: products.one.repositories[0].path: unknown key "path"
      hint: did you mean "paths"?
    "#);
}

#[test]
fn scopes_and_trees() {
    insta::assert_snapshot!(changed("nightly': all", "nightly': al"), @r#"
    p.yml:21:49: error: products.one.restricted-scopes["project:sign:nightly"]: "al" is not one of the product's trees
      hint: did you mean "all"?
    "#);
    insta::assert_snapshot!(changed("project:sign:nightly", "project:*:nightly"), @r#"p.yml:21:25: error: products.one.restricted-scopes["project:*:nightly"]: a scope may have a * only at its end"#);
    insta::assert_snapshot!(changed("project:sign:nightly", "project:sign:release:x"), @r#"p.yml:21:25: error: products.one.restricted-scopes["project:sign:release:x"]: the rule for "project:sign:release:*" matches this scope as well"#);
    insta::assert_snapshot!(changed("project:sign:nightly", "project:*"), @r#"p.yml:21:43: error: products.one.restricted-scopes["project:sign:release:*"]: the rule for "project:*" matches this scope as well"#);
    insta::assert_snapshot!(changed("project:sign:nightly", "project:sign:release:"), @r#"p.yml:21:25: error: products.one.restricted-scopes["project:sign:release:"]: the rule for "project:sign:release:*" matches this scope as well"#);
    insta::assert_snapshot!(changed("project:sign:nightly", "project:sígn"), @r#"p.yml:21:25: error: products.one.restricted-scopes["project:sígn"]: "project:sígn" is not a scope (printable ASCII)"#);
    insta::assert_snapshot!(changed("/central, /beta]", "/central, /gamma]"), @"p.yml:20:50: warning: products.one.trees.all[1]: no rule in `repositories` yields /gamma, so no task can be of this tree");
    insta::assert_snapshot!(changed("/central, /beta]", "/central, /central/sub]"), @"p.yml:20:50: warning: products.one.trees.all[1]: no rule in `repositories` yields /central/sub, so no task can be of this tree");
    insta::assert_snapshot!(changed("/central, /beta]", "/central, /central]"), @"p.yml:20:50: warning: products.one.trees.all[1]: this is already in the list");
    insta::assert_snapshot!(changed("{central: [/central],", "{central: [],"), @"p.yml:20:22: warning: products.one.trees.central: a set without trees: its scopes cannot be used by any task");
    insta::assert_snapshot!(changed("{'project:sign:nightly': all, 'project:sign:release:*': central}", "{}"), @"p.yml:21:5: warning: products.one.restricted-scopes: no scope is restricted: a task of any trusted tree may have any scope");
}

#[test]
fn kinds_and_pools() {
    insta::assert_snapshot!(changed("decision: decision", "decision: plain"), @"p.yml:6:51: error: defaults.kinds.decision: the kind decision can only have the role decision");
    insta::assert_snapshot!(changed("build: plain", "build: builder"), @r#"
    p.yml:6:34: error: defaults.kinds.build: "builder" is unknown
      hint: known values: action, decision, docker-image, plain, scriptworker
    "#);
    insta::assert_snapshot!(changed("build: plain", "Build: plain"), @r#"p.yml:6:27: error: defaults.kinds.Build: "Build" is not a kind (1 to 60 of a-z 0-9 -)"#);
    insta::assert_snapshot!(changed("action: action, ", ""), @r#"p.yml:6:3: warning: defaults.kinds: without the kind "action" no chain with one verifies"#);
    insta::assert_snapshot!(changed("prebuilt-image-kinds: [decision]", "prebuilt-image-kinds: [decisions]"), @r#"
    p.yml:18:28: error: products.one.prebuilt-image-kinds[0]: "decisions" is not one of the kinds
      hint: did you mean "decision"?
    "#);
    insta::assert_snapshot!(changed("[one-3/decision]", "[]"), @"p.yml:16:5: warning: products.one.decision-worker-pools: `decision-worker-pools` is empty: no chain of this product can verify");
    insta::assert_snapshot!(changed("    docker-image-worker-pools: [one-3/images]\n", ""), @"p.yml:12:3: warning: products.one: no pool may build docker images, and not every kind may use prebuilt ones");
    insta::assert_snapshot!(changed("    restricted-scopes: {'project:sign:nightly': all, 'project:sign:release:*': central}\n", ""), @"p.yml:12:3: error: products.one: `restricted-scopes` is missing: neither the product nor `defaults` has it");
    insta::assert_snapshot!(changed("vcs: [hg]", "vcs: [hg, github]"), @"p.yml:12:3: warning: products.one: no owner is official: every repository on GitHub counts as a fork, restricted scopes cannot be used");
}

#[test]
fn keys_of_a_policy() {
    insta::assert_snapshot!(changed("scriptworker: [KO3FX", "scriptworkers: [KO3FX"), @r#"
    p.yml:10:5: error: defaults.keys.scriptworkers: "scriptworkers" is not a worker implementation
      hint: did you mean "scriptworker"?
    "#);
    insta::assert_snapshot!(changed("[kni6ts7z/MRkvs7i6+SF/T6UWj0hAJoHEcrgHB8BBR0=]", "[kni6]"), @"p.yml:8:21: error: defaults.keys.docker-worker[0]: 3 bytes where an Ed25519 key has 32");
    insta::assert_snapshot!(changed("[kni6ts7z/MRkvs7i6+SF/T6UWj0hAJoHEcrgHB8BBR0=]", "[]"), @r"
    p.yml:7:3: warning: defaults.keys: no keys for docker-worker
      hint: keys can also be given in a separate file
    ");
}

#[test]
fn rules_are_relaxed_by_name_and_for_a_reason() {
    let with = |relaxed: &str| changed("vcs: [hg]", &format!("vcs: [hg]\n    relaxed: [{relaxed}]"));
    insta::assert_snapshot!(with("{rule: run-states, because: x}"), @r#"
    p.yml:14:22: error: products.one.relaxed[0].rule: "run-states" is not a rule that can be relaxed
      hint: did you mean "run-state"?
    "#);
    insta::assert_snapshot!(with("{rule: run-state}"), @"p.yml:14:15: error: products.one.relaxed[0]: `because` is missing: a rule is relaxed for a reason");
    insta::assert_snapshot!(with("{because: x}"), @"p.yml:14:15: error: products.one.relaxed[0]: `rule` is missing: the name of the rule to relax");
    insta::assert_snapshot!(with("{rule: run-state, because: x}, {rule: run-state, because: y}"), @r#"p.yml:14:53: error: products.one.relaxed[1].rule: "run-state" is relaxed twice"#);
    insta::assert_snapshot!(with("run-state"), @"p.yml:14:15: error: products.one.relaxed[0]: expected a map, found text");
    assert_eq!(with("{rule: run-state, because: 'older workers'}"), "");
    let policy = extended("products: {one: {relaxed: [{rule: run-state, because: x}]}}").unwrap();
    assert!(policy.product("one").unwrap().relaxed.contains(&Rule::RunState));
}

#[test]
fn an_extending_file_replaces_adds_and_removes() {
    let policy = extended(
        "defaults: {kinds: {push: scriptworker}, hg-hosts: {add: [hg2.example.com]}}
products:
  one:
    tasks-for: [cron]
    decision-worker-pools: {add: [one-4/decision], remove: [one-3/decision]}
    repositories: {add: [{schemes: [ssh], hosts: [hg2.example.com], paths: ['^(?P<path>/new)$']}]}
    trees: {central: {add: [/new]}}
    restricted-scopes: {'project:sign:nightly': ~, 'project:push': all}
    kinds: {build: ~, odd: plain}
    keys: {docker-worker: {add: [Kz/aZIVeR6NP8gQU1U+2CCIZqvbd+4QCP6J63lflwik=]}}
",
    )
    .unwrap();
    assert_eq!(warnings(&policy), "");
    let one = policy.product("one").unwrap();
    let pools: Vec<_> = one.decision_worker_pools.iter().map(WorkerPool::as_str).collect();
    assert_eq!(pools, ["one-4/decision"]);
    assert_eq!(one.tasks_for.iter().collect::<Vec<_>>(), [&Trigger::Cron]);
    assert_eq!(one.trees["central"].iter().collect::<Vec<_>>(), ["/central", "/new"]);
    let scopes: Vec<_> =
        one.restricted_scopes.iter().map(|rule| (rule.scope.as_str(), rule.trees.as_str())).collect();
    assert_eq!(scopes, [("project:push", "all"), ("project:sign:release:*", "central")]);
    let kinds: Vec<_> = one.kinds.keys().map(Kind::as_str).collect();
    assert_eq!(kinds, ["action", "decision", "docker-image", "odd", "push", "signing"]);
    assert_eq!(one.hg_hosts.iter().collect::<Vec<_>>(), ["hg.example.com", "hg2.example.com"]);
    let new = SourceUrl::parse("ssh://hg2.example.com/new").unwrap();
    assert_eq!(one.repository_path(&new).as_deref(), Some("/new"));
    assert_eq!(policy.keys("one").unwrap().for_implementation(WorkerImplementation::DockerWorker).len(), 2);
}

#[test]
fn a_product_changes_the_defaults_whatever_file_they_are_in() {
    let middle = "catena-policy: 1\nextends: base.yml\nproducts: {one: {hg-hosts: {add: [b.example.com]}}}\n";
    let top = "catena-policy: 1\nextends: middle.yml
defaults: {hg-hosts: [a.example.com, hg.example.com]}
products: {one: {hg-hosts: {add: [c.example.com]}}, two: ~}\n";
    let two = SMALL.replace("products:\n", "products:\n  two: {}\n");
    let policy = load(&[("top.yml", top), ("middle.yml", middle), ("base.yml", &two)]).unwrap();
    let hosts = policy.product("one").unwrap().hg_hosts;
    let wanted = ["a.example.com", "b.example.com", "c.example.com", "hg.example.com"];
    assert_eq!(hosts.iter().collect::<Vec<_>>(), wanted);
    assert_eq!(policy.products().collect::<Vec<_>>(), ["one"]);
}

#[test]
fn a_trusted_tree_can_be_required() {
    let requires = |value: &str| {
        let policy = extended(&format!("products: {{one: {{trusted-tree: {value}}}}}"));
        policy.map(|policy| policy.product("one").unwrap().requires_trusted_tree)
    };
    assert_eq!([requires("required"), requires("optional")], [Ok(true), Ok(false)]);
    insta::assert_snapshot!(requires("yes please").unwrap_err(), @r#"
    p.yml:3:32: error: products.one.trusted-tree: "yes please" is unknown
      hint: known values: optional, required
    "#);
    assert!(!load(&[("p.yml", SMALL)]).unwrap().product("one").unwrap().requires_trusted_tree);
}

#[test]
fn products_know_the_others_trees_and_scopes() {
    let policy = Policy::shipped().unwrap();
    for name in policy.products() {
        let product = policy.product(name).unwrap();
        let shared =
            product.restricted_scopes.iter().find(|rule| product.foreign_scopes.contains_key(&rule.scope));
        assert_eq!(shared, None, "{name}");
        assert!(product.foreign_scopes.values().all(|products| !products.contains(name)));
    }
    let mobile = policy.product("mobile").unwrap();
    let release = "project:comm:thunderbird:releng:signing:cert:release-signing";
    assert_eq!(mobile.foreign_scopes[release], ["thunderbird".to_owned()].into());
    let trusts = |prefix: &str, url: &str| {
        let url = RepositoryUrl::parse(url).unwrap();
        RepositoryRule::exact_path(&mobile.repositories_by_prefix[prefix], &url).is_some()
    };
    assert!(trusts("COMM", "https://hg.mozilla.org/comm-central"));
    assert!(
        trusts("COMM", "https://github.com/thunderbird/thunderbird-desktop.git"),
        "the second prefix of enterprise"
    );
    assert!(!trusts("COMM", "https://hg.mozilla.org/comm-central/user-repo"));
    assert!(!trusts("COMM", "https://github.com/thunderbird"));
    assert!(!trusts("COMM", "https://hg.mozilla.org/mozilla-central"));
}

#[test]
fn several_files_are_layers() {
    let over = "catena-policy: 1\nroot-url: https://tc.example.com\nproducts: {one: {landed: compare}}\n";
    let none = |_: &str| Err("no such file".to_owned());
    let policy = Policy::load_all(&[("a.yml", SMALL), ("b.yml", over)], &none).unwrap();
    assert_eq!(policy.product("one").unwrap().landed, Landed::Compare);
    assert_eq!(policy.root_url(), Some("https://tc.example.com"));
    assert!(Policy::load_all(&[], &none).is_err());
}

#[test]
fn extending_a_missing_file() {
    let wrong = |over: &str| extended(over).unwrap_err();
    insta::assert_snapshot!(wrong("products: {one: {tasks-for: {remove: [action]}}}"), @"p.yml:3:39: error: products.one.tasks-for.remove[0]: this is not in the list, so it cannot be removed");
    insta::assert_snapshot!(wrong("products: {one: {official-owners: {add: [a]}}}"), @"p.yml:3:42: error: products.one.official-owners.add[0]: no file below has a list to change");
    insta::assert_snapshot!(wrong("products: {one: {kinds: {balrog: ~}}}"), @"p.yml:3:26: error: products.one.kinds.balrog: no file below has an entry of this name to remove");
    insta::assert_snapshot!(wrong("products: {two: ~}"), @"p.yml:3:12: error: products.two: no file below has an entry of this name to remove");
    insta::assert_snapshot!(wrong("products: {one: {trees: ~}}"), @r#"
    base.yml:21:49: error: products.one.restricted-scopes["project:sign:nightly"]: "all" is not one of the product's trees
    base.yml:21:80: error: products.one.restricted-scopes["project:sign:release:*"]: "central" is not one of the product's trees
    p.yml:3:25: error: products.one.trees: expected a map, found nothing
      hint: an empty map is written {}
    "#);
    insta::assert_snapshot!(wrong("products: {one: {tasks-for: {append: [action]}}}"), @r#"p.yml:3:30: error: products.one.tasks-for.append: expected a list, or `add` and `remove` with a list each, found "append""#);
    insta::assert_snapshot!(wrong("products: {one: {tasks-for: {add: action}}}"), @"p.yml:3:35: error: products.one.tasks-for.add: expected a list, found text");
    let replaced = extended("products: {one: {tasks-for: {add: [cron], remove: [cron]}}}").unwrap();
    assert_eq!(replaced.product("one").unwrap().tasks_for.len(), 2, "removals come first");
    let twice = extended("products: {one: {tasks-for: {add: [cron]}}}").unwrap();
    insta::assert_snapshot!(warnings(&twice), @"p.yml:3:36: warning: products.one.tasks-for.add[0]: this is already in the list");
    let mistake_below =
        load(&[("p.yml", "catena-policy: 1\nextends: [q.yml]\n"), ("q.yml", "catena-policy: 1\nx: 1\n")]);
    insta::assert_snapshot!(mistake_below.unwrap_err(), @r#"
    q.yml:2:1: error: x: unknown key "x"
      hint: known values: catena-policy, extends, root-url, defaults, products, trusted-keys
    "#);
}

#[test]
fn files_that_extend_one_another() {
    insta::assert_snapshot!(wrong("catena-policy: 1\nextends: gone.yml\n"), @"p.yml:2:10: error: extends: gone.yml cannot be read: no such file");
    insta::assert_snapshot!(wrong("catena-policy: 1\nextends: p.yml\n"), @"p.yml:2:10: error: extends: p.yml extends itself: p.yml → p.yml");
    let one = "catena-policy: 1\nextends: two.yml\n";
    let two = "catena-policy: 1\nextends:\n- ./one.yml\n";
    insta::assert_snapshot!(load(&[("a/one.yml", one), ("a/two.yml", two)]).unwrap_err(), @"a/two.yml:3:3: error: extends[0]: a/one.yml extends itself: a/one.yml → a/two.yml → a/one.yml");
    let chain: Vec<(String, String)> = (0..12)
        .map(|at| (format!("{at}.yml"), format!("catena-policy: 1\nextends: {}.yml\n", at + 1)))
        .collect();
    let chain: Vec<(&str, &str)> = chain.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    insta::assert_snapshot!(load(&chain).unwrap_err(), @"7.yml:2:10: error: extends: more than 8 files extend one another, or more than 32 in all");
    let wide = format!("catena-policy: 1\nextends: [{}]\n", vec!["base.yml"; 40].join(", "));
    insta::assert_snapshot!(load(&[("p.yml", &wide), ("base.yml", SMALL)]).unwrap_err(), @r"
    p.yml:2:321: error: extends[31]: more than 8 files extend one another, or more than 32 in all
    p.yml:2:331: error: extends[32]: more than 8 files extend one another, or more than 32 in all
    p.yml:2:341: error: extends[33]: more than 8 files extend one another, or more than 32 in all
    p.yml:2:351: error: extends[34]: more than 8 files extend one another, or more than 32 in all
    p.yml:2:361: error: extends[35]: more than 8 files extend one another, or more than 32 in all
    p.yml:2:371: error: extends[36]: more than 8 files extend one another, or more than 32 in all
    p.yml:2:381: error: extends[37]: more than 8 files extend one another, or more than 32 in all
    p.yml:2:391: error: extends[38]: more than 8 files extend one another, or more than 32 in all
    p.yml:2:401: error: extends[39]: more than 8 files extend one another, or more than 32 in all
    ");
}

#[test]
fn the_shipped_policy_can_be_extended_without_its_file() {
    let over = "catena-policy: 1\nextends: shipped:firefox-ci
products: {firefox: {kinds: {treescript: scriptworker}, decision-worker-pools: {add: [gecko-t/decision]}}}\n";
    let firefox = load(&[("policies/own.yml", over)]).unwrap().product("firefox").unwrap();
    assert_eq!(firefox.role(&kind("treescript")), Some(KindRole::Scriptworker));
    assert!(firefox.decision_worker_pools.contains(&WorkerPool::parse("gecko-t/decision").unwrap()));
    assert!(firefox.decision_worker_pools.contains(&WorkerPool::parse("gecko-3/decision").unwrap()));
}

#[test]
fn the_shipped_policy_carries_eleven_products() {
    let policy = Policy::shipped().unwrap();
    let products: Vec<_> = policy.products().collect();
    let wanted = "adhoc app-services enterprise firefox glean mobile mozillavpn scriptworker thunderbird translations xpi";
    assert_eq!(products.join(" "), wanted);
    assert_eq!(policy.root_url(), Some("https://firefox-ci-tc.services.mozilla.com"));
    let firefox = policy.product("firefox").unwrap();
    assert_eq!(firefox.vcs.iter().copied().collect::<Vec<_>>(), [Vcs::Hg, Vcs::Github]);
    assert_eq!((firefox.kinds.len(), firefox.restricted_scopes.len(), firefox.trees.len()), (14, 31, 14));
    assert_eq!(firefox.hg_git_mirrors["/mozilla-central"], "/mozilla-firefox/firefox");
    let path = |source: &str| firefox.repository_path(&SourceUrl::parse(source).unwrap());
    let esr = path("https://hg.mozilla.org/releases/mozilla-esr140/file/abc/taskcluster");
    assert_eq!(esr.as_deref(), Some("/releases/mozilla-esr140"));
    assert_eq!(path("https://hg.mozilla.org/try/file/abc"), None);
    let git = path("ssh://github.com/mozilla-firefox/firefox.git");
    assert_eq!(git.as_deref(), Some("/mozilla-firefox/firefox"));
    let enterprise = policy.product("enterprise").unwrap();
    assert_eq!(enterprise.overriding_source_env_prefixes, ["COMM"]);
    assert_eq!(policy.product("xpi").unwrap().prebuilt_image_kinds, ImageKinds::Any);
    assert!(policy.product("thunderbird").unwrap().official_owners.is_empty());
    let keys = policy.keys("glean").unwrap();
    let counts =
        WorkerImplementation::ALL.map(|implementation| keys.for_implementation(implementation).len());
    assert_eq!(counts, [2, 1, 2]);
}

/// Each of these is in scriptworker's own defaults, without any warning there.
#[test]
fn the_shipped_policy_has_only_the_mistakes_it_was_made_from() {
    let policy = Policy::shipped().unwrap();
    assert!(policy.warnings().iter().all(|warning| warning.severity == Severity::Warning));
    insta::assert_snapshot!(warnings(&policy), @r"
    shipped:firefox-ci:158:11: warning: products.firefox.trees.all-nightly-branches[10]: no rule in `repositories` yields /releases/mozilla-unified, so no task can be of this tree
    shipped:firefox-ci:175:11: warning: products.firefox.trees.all-release-branches[0]: no rule in `repositories` yields /projects/birch, so no task can be of this tree
    shipped:firefox-ci:184:11: warning: products.firefox.trees.all-release-branches-and-autoland[1]: no rule in `repositories` yields /projects/birch, so no task can be of this tree
    shipped:firefox-ci:277:26: warning: products.mobile.trees.firefox-ios-repo[0]: no rule in `repositories` yields /mozilla-mobile/firefox-ios, so no task can be of this tree
    ");
}

#[test]
fn an_error_in_the_defaults_is_reported_once() {
    let text = FIREFOX_CI.replace("hg-hosts: [hg.mozilla.org]", "hg-hosts: [hg.mozilla.org, '']");
    let all = load(&[("p.yml", &text)]).unwrap_err();
    assert_eq!(all.matches("error").count(), 1, "{all}");
    assert!(all.contains("p.yml:8:30: error: defaults.hg-hosts[1]"), "{all}");
}

#[test]
fn files_of_keys() {
    let wrong = |text: &str| {
        let all = KeyRing::parse("keys.yml", text).unwrap_err();
        all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(wrong("docker-worker: [a]\n"), @"keys.yml:1:17: error: docker-worker[0]: not standard padded base64");
    insta::assert_snapshot!(wrong("docker-worker: KO3FX9JnNga/XViTRBiUMHYnji9Fu3s332sU2lXjSwE=\n"), @r#"
    keys.yml:1:16: error: docker-worker: expected a list, found text
      hint: a list of one is written ["KO3FX9JnNga/XViTRBiUMHYnji9Fu3s332sU2lXjSwE="]
    "#);
    insta::assert_snapshot!(wrong("docker:\n- KO3FX9JnNga/XViTRBiUMHYnji9Fu3s332sU2lXjSwE=\n"), @r#"
    keys.yml:1:1: error: docker: "docker" is not a worker implementation
      hint: known values: docker-worker, generic-worker, scriptworker
    "#);
    insta::assert_snapshot!(wrong("scriptworker:\n- KO3FX9JnNga/XViTRBiUMHYnji9Fu3s332sU2lXjSwE=\n- KO3FX9JnNga/XViTRBiUMHYnji9Fu3s332sU2lXjSwE=\n"), @"keys.yml:3:3: error: scriptworker[1]: this key is already in the list");
    insta::assert_snapshot!(wrong("scriptworker:\n- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n- AAAA\n"), @r"
    keys.yml:2:3: error: scriptworker[0]: a weak key: anyone can make signatures that it accepts
    keys.yml:3:3: error: scriptworker[1]: 3 bytes where an Ed25519 key has 32
    ");
    insta::assert_snapshot!(wrong("scriptworker: {add: [KO3FX9JnNga/XViTRBiUMHYnji9Fu3s332sU2lXjSwE=]}\n"), @"keys.yml:1:22: error: scriptworker.add[0]: no file below has a list to change");
    insta::assert_snapshot!(wrong("scriptworker: ~\n"), @"keys.yml:1:1: error: scriptworker: no file below has an entry of this name to remove");
    insta::assert_snapshot!(wrong("scriptworker: []\n"), @r"
    keys.yml:1:1: error: $: the list has no keys
      hint: a map from worker implementation to a list of base64 public keys
    ");
    insta::assert_snapshot!(wrong("[]"), @"keys.yml:1:1: error: $: expected a map, found a list");
    insta::assert_snapshot!(wrong("{\"scriptworker\": [\"a\"],\n \"scriptworker\": []}"), @r#"keys.yml:2:2: error: $: duplicate key "scriptworker""#);
}

#[test]
fn sizes_are_bounded() {
    let products: String = (0..201).map(|at| format!("  p{at:03}: {{}}\n")).collect();
    let many = SMALL.replace("products:\n", &format!("products:\n{products}"));
    insta::assert_snapshot!(wrong(&many), @"p.yml:211:3: error: products.p199: a policy of more than 200 products");
    let paths = vec!["'^(?P<path>/(central|beta))(/|$)'"; 201].join(", ");
    insta::assert_snapshot!(changed("'^(?P<path>/(central|beta))(/|$)'", &paths), @"p.yml:19:19: error: products.one.repositories: more than 200 expressions for paths");
    let paths = vec!["'^(?P<path>/(central|beta))(/|$)'"; 200].join(", ");
    assert_eq!(changed("'^(?P<path>/(central|beta))(/|$)'", &paths), "");
    let items = format!("[{}]", vec!["cron"; 2001].join(", "));
    insta::assert_snapshot!(changed("[hg-push, cron]", &items), @"p.yml:15:16: error: $: a list of more than 2000 items");
    let words = vec!["crom"; 300].join(", ");
    assert_eq!(changed("[hg-push, cron]", &format!("[{words}]")).matches("error").count(), 200);
    let long = format!("'^(?P<path>/{})'", "(a{99}){99}".repeat(9));
    insta::assert_snapshot!(changed("'^(?P<path>/(central|beta))(/|$)'", &long), @"p.yml:19:72: error: products.one.repositories[0].paths[0]: the expression is not a regular expression: compiled regex exceeded size limit");
}

/// The examples in `docs/policy.md` are policies.
#[test]
fn the_examples_in_the_documentation_are_read() {
    let page = include_str!("../../../docs/policy.md");
    let examples: Vec<&str> =
        page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let whole = examples.iter().filter(|example| example.starts_with("catena-policy: 1\n"));
    let pools = "catena-policy: 1\n";
    let read: Vec<Policy> =
        whole.map(|example| load(&[("p.yml", example), ("pools.yml", pools)]).unwrap()).collect();
    assert_eq!(read.len(), 3);
    assert!(read[0].product("firefox").unwrap().restricted_scopes.iter().any(|rule| rule.trees == "tools"));
    let keys = read[1].keys("firefox").unwrap();
    let limited = keys.iter().filter(|(_, key)| key.validity != Validity::default()).count();
    // One of the three is docker-worker's as well.
    assert_eq!(limited, 4);
    assert!(!read[2].products().any(|name| name == "xpi"));
}

#[test]
fn keys_have_their_time() {
    let text = "scriptworker:\n- KO3FX9JnNga/XViTRBiUMHYnji9Fu3s332sU2lXjSwE=\n- key: kni6ts7z/MRkvs7i6+SF/T6UWj0hAJoHEcrgHB8BBR0=\n  not-before: 2026-01-01T00:00:00Z\n  not-after: 2027-01-01T01:00:00+01:00\n  revoked: always\n  because: stolen\n";
    let ring = KeyRing::parse("keys.yml", text).unwrap();
    let told: Vec<_> = ring.iter().map(|(_, key)| key.to_string()).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    KO3FX9JnNga/XViTRBiUMHYnji9Fu3s332sU2lXjSwE=
    kni6ts7z/MRkvs7i6+SF/T6UWj0hAJoHEcrgHB8BBR0= (not-before: 2026-01-01T00:00:00Z, not-after: 2027-01-01T00:00:00Z, revoked: always, because: stolen)
    ");
}

#[test]
fn errors_in_a_keys_validity_have_positions() {
    let key = "key: KO3FX9JnNga/XViTRBiUMHYnji9Fu3s332sU2lXjSwE=";
    let wrong = |rest: &str| {
        let text = format!("scriptworker:\n- {key}\n  {rest}\n");
        let all = KeyRing::parse("keys.yml", &text).unwrap_err();
        all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(wrong("not-after: tomorrow"), @r#"
    keys.yml:3:14: error: scriptworker[0].not-after: "tomorrow" is not a moment (RFC 3339)
      hint: a moment is written 2026-08-12T09:30:00Z
    "#);
    insta::assert_snapshot!(wrong("revoked: 2026-08-12T09:30:00"), @r#"
    keys.yml:3:12: error: scriptworker[0].revoked: "2026-08-12T09:30:00" is not a moment (RFC 3339)
      hint: a moment is written 2026-08-12T09:30:00Z
    "#);
    insta::assert_snapshot!(wrong("revoked: true"), @r"
    keys.yml:3:12: error: scriptworker[0].revoked: expected text, found a boolean
      hint: put it in quotes to make it text
    ");
    insta::assert_snapshot!(wrong("not-before: 2026-08-12T09:30:00Z\n  not-after: 2026-08-12T09:29:59Z"), @"keys.yml:4:14: error: scriptworker[0].not-after: this is before `not-before`, so the key is never valid");
    let moment = "2026-08-12T09:30:00Z";
    let one_moment = format!("scriptworker:\n- {key}\n  not-before: {moment}\n  not-after: {moment}\n");
    assert!(KeyRing::parse("keys.yml", &one_moment).is_ok());
    insta::assert_snapshot!(wrong("not-afer: 2026-08-12T09:30:00Z"), @r#"
    keys.yml:3:3: error: scriptworker[0].not-afer: unknown key "not-afer"
      hint: did you mean "not-after"?
    "#);
    insta::assert_snapshot!(wrong(&format!("revoked: always\n- {key}")), @"keys.yml:4:3: error: scriptworker[1]: this key is already in the list");
    insta::assert_snapshot!(wrong("revoked: always\n- revoked: always"), @r"
    keys.yml:4:3: error: scriptworker[1]: the key is missing
      hint: key: the base64 of its raw 32 bytes
    ");
}
