//! Policies made from scriptworker's defaults.
#![allow(clippy::arithmetic_side_effects, clippy::panic, clippy::unwrap_used)]

use catena_json::{Limits, Value};
use catena_policy::import::{DUMP, ImportError, from_scriptworker};
use catena_policy::{FIREFOX_CI, Landed, Policy};

/// The minimum input: one product, all settings valid.
const DEFAULTS: &str = r#"{
  "cot_product_type": {"by-cot-product": {"one": "github"}},
  "cot_restricted_scopes": {"by-cot-product": {"one": {"project:one": "trees"}}},
  "cot_restricted_trees": {"by-cot-product": {"one": {"trees": ["/o/b", "/o/a"]}}},
  "ed25519_public_keys": {
    "docker-worker": ["kni6ts7z/MRkvs7i6+SF/T6UWj0hAJoHEcrgHB8BBR0="],
    "generic-worker": ["Kz/aZIVeR6NP8gQU1U+2CCIZqvbd+4QCP6J63lflwik="],
    "scriptworker": ["KO3FX9JnNga/XViTRBiUMHYnji9Fu3s332sU2lXjSwE="]
  },
  "hg_git_mirrors": {"by-cot-product": {"one": {}}},
  "log_dir": "...",
  "max_chain_length": 20,
  "official_github_repos_owner": {"by-cot-product": {"one": "o"}},
  "prebuilt_docker_image_task_types": {"by-cot-product": {"one": "any"}},
  "project_configuration_url": "https://example.com/projects.yml",
  "pushlog_url": "{repo}/json-pushes?changeset={revision}&version=2&full=1",
  "scriptworker_provisioners": ["scriptworker-k8s"],
  "source_env_prefix": {"by-cot-product": {"one": "ONE"}},
  "taskcluster_root_url": "https://tc.example.com/",
  "trusted_vcs_rules": {"by-cot-product": {"one": [
    {"schemes": ["ssh", "https"], "netlocs": ["github.com"], "path_regexes": ["^(?P<path>/o/[ab])(/|.git|$)"]}
  ]}},
  "valid_decision_worker_pools": {"by-cot-product": {"one": ["one-3/decision"]}},
  "valid_docker_image_worker_pools": {"by-cot-product": {"one": ["one-3/images"]}},
  "valid_hash_algorithms": ["sha256", "sha512"],
  "valid_tasks_for": {"by-cot-product": {"one": ["github-push", "action"]}}
}"#;

fn parse(text: &str) -> Value {
    catena_json::parse(text.as_bytes(), &Limits::default()).unwrap()
}

fn import(text: &str) -> Result<catena_policy::import::Imported, ImportError> {
    from_scriptworker(&parse(text), "scriptworker 0.0.1")
}

/// Why the defaults are refused after a change.
fn changed(from: &str, to: &str) -> String {
    assert_eq!(DEFAULTS.matches(from).count(), 1, "{from}");
    import(&DEFAULTS.replace(from, to)).unwrap_err().to_string()
}

fn shared(path: &str) -> Option<std::path::PathBuf> {
    let Some(root) = std::env::var_os("CATENA_SHARED") else {
        println!("skipped: CATENA_SHARED names no folder with {path}");
        return None;
    };
    Some(std::path::Path::new(&root).join(path))
}

#[test]
fn the_shipped_policy_is_the_import_of_63_6_1() {
    let Some(path) = shared("reference/scriptworker-63.6.1-defaults.json") else { return };
    let made =
        from_scriptworker(&parse(&std::fs::read_to_string(path).unwrap()), "scriptworker 63.6.1").unwrap();
    assert_eq!(made.unknown, Vec::<String>::new());
    assert!(made.text == FIREFOX_CI, "the import of 63.6.1 is not policies/firefox-ci.yml:\n{}", made.text);
}

#[test]
fn the_least_that_is_taken() {
    let made = import(DEFAULTS).unwrap();
    assert_eq!(made.unknown, Vec::<String>::new());
    insta::assert_snapshot!(made.text, @r"
    # Made from the defaults of scriptworker 0.0.1 by `catena policy import`.
    # To change it, write a file that starts with `extends:` and keep this one as it is, so that the
    # next import can replace it. docs/policy.md explains every key.
    catena-policy: 1
    root-url: 'https://tc.example.com'

    defaults:
      hg-hosts: [hg.mozilla.org]
      projects-url: 'https://example.com/projects.yml'
      max-chain-length: 20
      scriptworker-provisioners: [scriptworker-k8s]
      keys:
        docker-worker: [kni6ts7z/MRkvs7i6+SF/T6UWj0hAJoHEcrgHB8BBR0=]
        generic-worker: [Kz/aZIVeR6NP8gQU1U+2CCIZqvbd+4QCP6J63lflwik=]
        scriptworker: [KO3FX9JnNga/XViTRBiUMHYnji9Fu3s332sU2lXjSwE=]
      kinds:
        action: action
        balrog: scriptworker
        beetmover: scriptworker
        bouncer: scriptworker
        build: plain
        decision: decision
        docker-image: docker-image
        l10n: plain
        partials: plain
        pushapk: scriptworker
        repackage: plain
        scriptworker: scriptworker
        shipit: scriptworker
        signing: scriptworker

    products:
      one:
        vcs: [github]
        source-env-prefix: ONE
        tasks-for: [action, github-push]
        decision-worker-pools: [one-3/decision]
        docker-image-worker-pools: [one-3/images]
        prebuilt-image-kinds: any
        official-owners: [o]
        repositories:
          - schemes: [https, ssh]
            hosts: [github.com]
            paths:
              - '^(?P<path>/o/[ab])(/|.git|$)'
        trees:
          trees: [/o/a, /o/b]
        restricted-scopes:
          'project:one': trees
    ");
    let policy = Policy::load("p.yml", &made.text, &|_| Err(String::new())).unwrap();
    assert!(policy.warnings().is_empty());
}

#[test]
fn the_order_of_the_defaults_does_not_show() {
    let value = parse(DEFAULTS);
    let mut entries: Vec<_> =
        value.as_object().unwrap().iter().map(|(key, value)| (key.to_owned(), value.clone())).collect();
    entries.reverse();
    let reversed = Value::Object(entries.into_iter().collect());
    let made = from_scriptworker(&reversed, "scriptworker 0.0.1").unwrap();
    assert_eq!(made, import(DEFAULTS).unwrap());
}

#[test]
fn a_product_whose_repositories_are_private_assumes_landed() {
    let made = import(&DEFAULTS.replace("{\"schemes\"", "{\"require_secret\": true, \"schemes\"")).unwrap();
    let policy = Policy::load("p.yml", &made.text, &|_| Err(String::new())).unwrap();
    assert_eq!(policy.product("one").unwrap().landed, Landed::Assumed);
}

#[test]
fn unknown_settings_are_reported() {
    let made = import(&DEFAULTS.replace("\"log_dir\"", "\"cot_new\\n\": 1, \"log_dir\"")).unwrap();
    assert_eq!(made.unknown, ["cot_new"]);
    assert!(made.text.contains("# Omitted, because it is unknown: cot_new\n"));
}

#[test]
fn unsupported_values_are_errors() {
    insta::assert_snapshot!(import("[]").unwrap_err(), @"$: expected an object, found array");
    insta::assert_snapshot!(import("{}").unwrap_err(), @"pushlog_url is missing; these are not the defaults of a supported scriptworker");
    insta::assert_snapshot!(changed("&full=1", ""), @"pushlog_url: {repo}/json-pushes?changeset={revision}&version=2 cannot be expressed in a policy; supported is {repo}/json-pushes?changeset={revision}&version=2&full=1");
    insta::assert_snapshot!(changed("\"sha256\", \"sha512\"", "\"sha1\""), @"valid_hash_algorithms: sha1 cannot be expressed in a policy; supported is sha256, sha512");
    insta::assert_snapshot!(changed("{\"one\": \"github\"}", "{}"), @"cot_product_type.by-cot-product.one is missing; these are not the defaults of a supported scriptworker");
    insta::assert_snapshot!(changed("{\"one\": \"github\"}", "{\"one\": \"github\", \"two\": \"hg\"}"), @"prebuilt_docker_image_task_types.by-cot-product.two is missing; these are not the defaults of a supported scriptworker");
    insta::assert_snapshot!(changed("{\"one\": \"ONE\"}", "{\"one\": 1}"), @"source_env_prefix.by-cot-product.one: expected a string, found number");
    insta::assert_snapshot!(changed("{\"schemes\"", "{\"branches\": [\"main\"], \"schemes\""), @r#"trusted_vcs_rules.by-cot-product.one[0]: "branches" cannot be expressed in a policy; supported is netlocs, path_regexes, require_secret, schemes"#);
    insta::assert_snapshot!(changed("{\"schemes\"", "{\"require_secret\": \"yes\", \"schemes\""), @"trusted_vcs_rules.by-cot-product.one[0].require_secret: expected a boolean, found string");
    insta::assert_snapshot!(changed("/o/[ab])", "/o/(?=[ab]).)"), @"the generated policy has errors, the first: scriptworker 0.0.1:45:13: error: products.one.repositories[0].paths[0]: the expression uses (?=, which Python and Catena do not interpret in the same way");
    insta::assert_snapshot!(changed("\"any\"", "\"all\""), @"prebuilt_docker_image_task_types.by-cot-product.one: expected a list, found string");
    insta::assert_snapshot!(changed("[\"one-3/decision\"]", "[\"one-3\"]"), @r#"the generated policy has errors, the first: scriptworker 0.0.1:37:29: error: products.one.decision-worker-pools[0]: "one-3" is not a worker pool (provisionerId/workerType, each 1 to 38 of a-z A-Z 0-9 _ -)"#);
    insta::assert_snapshot!(changed("\"project:one\": \"trees\"", "\"project:one\": \"tree\""), @r#"
    the generated policy has errors, the first: scriptworker 0.0.1:49:22: error: products.one.restricted-scopes["project:one"]: "tree" is not one of the product's trees
      hint: did you mean "trees"?
    "#);
    insta::assert_snapshot!(changed("\"max_chain_length\": 20", "\"max_chain_length\": -1"), @"max_chain_length: expected a whole number, found number");
}

/// Releases before 63.5 know no mirrors, and so have none.
#[test]
fn what_an_older_release_lacks_means_none() {
    let mirrors = "  \"hg_git_mirrors\": {\"by-cot-product\": {\"one\": {}}},\n";
    assert_eq!(DEFAULTS.matches(mirrors).count(), 1);
    let made = import(&DEFAULTS.replace(mirrors, "")).unwrap();
    assert_eq!((made.lacking.as_slice(), made.unknown.len()), (&["hg_git_mirrors"][..], 0));
    let note = "# This release has no hg_git_mirrors: the policy has none either.\n";
    assert_eq!(made.text.replace(note, ""), import(DEFAULTS).unwrap().text);
    // Where it is there, every product must have it.
    insta::assert_snapshot!(changed("{\"one\": {}}", "{}"), @"hg_git_mirrors.by-cot-product.one is missing; these are not the defaults of a supported scriptworker");
}

/// The defaults of releases: every `VERSION.json` in the directory that `CATENA_SCRIPTWORKER_DEFAULTS` names.
#[test]
fn releases_are_imported() {
    let Some(folder) = std::env::var_os("CATENA_SCRIPTWORKER_DEFAULTS") else {
        println!("skipped: CATENA_SCRIPTWORKER_DEFAULTS names no folder");
        return;
    };
    let mut imported = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let made = from_scriptworker(&parse(&std::fs::read_to_string(&path).unwrap()), "scriptworker");
        let made = made.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(made.unknown, Vec::<String>::new(), "{}", path.display());
        imported += 1;
    }
    assert!(imported > 0, "the directory has no defaults");
}

/// What the program prints of an installed scriptworker is what is imported. It needs the
/// interpreter that scriptworker is installed for, named by `CATENA_SCRIPTWORKER_PYTHON`.
#[test]
fn an_installed_scriptworker_prints_its_defaults() {
    let Some(python) = std::env::var_os("CATENA_SCRIPTWORKER_PYTHON") else {
        println!("skipped: CATENA_SCRIPTWORKER_PYTHON names no interpreter");
        return;
    };
    let output = std::process::Command::new(python).args(["-I", "-c", DUMP]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = parse(&String::from_utf8(output.stdout).unwrap());
    let version = printed.get("version").and_then(Value::as_str).unwrap();
    let made =
        from_scriptworker(printed.get("defaults").unwrap(), &format!("scriptworker {version}")).unwrap();
    if version == "63.6.1" {
        assert_eq!(made.unknown, Vec::<String>::new());
        assert!(made.text == FIREFOX_CI, "{}", made.text);
    }
}
