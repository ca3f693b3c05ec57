//! The examples of `examples/worker/`: they are read, and what they start exists.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use serde_json::Value;
use support::Catena;

const UNIT: &str = include_str!("../../../examples/worker/catena-worker.service");
const DEPLOYMENT: &str = include_str!("../../../examples/worker/deployment.yaml");

/// The values of a key of the unit, in the section where it stands.
fn unit(section: &str, key: &str) -> Vec<&'static str> {
    let mut now = "";
    let mut found = Vec::new();
    for line in UNIT.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            now = name.strip_suffix(']').unwrap();
            continue;
        }
        let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("malformed: {line}"));
        if (now, name) == (section, key) {
            found.push(value);
        }
    }
    found
}

/// Starts a command of an example. Its configuration is missing on this machine, which is the only thing that may
/// be wrong.
fn start(words: &[&str]) {
    assert_eq!(words[0], "/usr/bin/catena");
    let answer = Catena::new().args(&words[1..]).run();
    let told = format!("{}{}", answer.stdout, answer.stderr);
    assert!(told.contains("scriptworker.") && told.contains("doesn't exist!"), "{words:?}: {told}");
    assert!(!told.contains("error:"), "{words:?}: {told}");
}

#[test]
fn the_unit_starts_a_worker_that_notifies() {
    for key in ["ExecStart", "ExecStartPre"] {
        let [command] = unit("Service", key)[..] else { panic!("{key}") };
        start(&command.split_whitespace().collect::<Vec<_>>());
    }
    for (key, value) in [
        ("Type", "notify"),
        ("ExecReload", "/bin/kill -HUP $MAINPID"),
        ("KillSignal", "SIGTERM"),
        // Only the worker gets SIGTERM; it stops its script itself.
        ("KillMode", "mixed"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("CapabilityBoundingSet", ""),
    ] {
        assert_eq!(unit("Service", key), [value], "{key}");
    }
    // Without these the script could read the signing key, and the worker would not start.
    let calls = unit("Service", "SystemCallFilter").join(" ");
    for call in ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"] {
        assert!(calls.contains(call), "{call}");
    }
    assert_eq!(unit("Install", "WantedBy").len(), 1);
}

/// The texts of a list.
fn words(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

#[test]
fn the_deployment_starts_a_worker_that_is_probed_and_drained() {
    let deployment: Value = serde_saphyr::from_str(DEPLOYMENT).unwrap();
    assert_eq!(deployment["kind"], "Deployment");
    let pod = &deployment["spec"]["template"]["spec"];
    let worker = &pod["containers"][0];
    let command: Vec<&str> = words(&worker["command"]).into_iter().chain(words(&worker["args"])).collect();
    start(&command);
    let port = &worker["ports"][0]["name"];
    for (probe, path) in
        [("startupProbe", "/readyz"), ("readinessProbe", "/readyz"), ("livenessProbe", "/healthz")]
    {
        assert_eq!(worker[probe]["httpGet"]["path"], path);
        assert_eq!(worker[probe]["httpGet"]["port"], *port);
    }
    let stop = words(&worker["lifecycle"]["preStop"]["exec"]["command"]);
    assert!(stop[2].starts_with("kill -USR1 1;") && stop[..2] == ["/bin/sh", "-c"], "{stop:?}");
    // Longer than the longest task of the template that scriptworker's images render.
    assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap() > 7200);
    assert_eq!(worker["securityContext"]["readOnlyRootFilesystem"], true);
    let volumes: Vec<&Value> = pod["volumes"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    for container in [worker, &pod["initContainers"][0]] {
        for mount in container["volumeMounts"].as_array().unwrap() {
            assert!(volumes.contains(&&mount["name"]), "{mount}");
        }
    }
}
