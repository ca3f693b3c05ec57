//! Configuration files through the public API.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use catena_model::task::Trigger;
use catena_taskcluster::ExceptionReason as Reason;
use catena_worker::config::{Checked, Config, Mode, Severity};

use std::path::{Path, PathBuf};
use std::time::Duration;

const WHOLE: &str = "\
work_dir: /w/work
log_dir: /w/logs
artifact_dir: /w/artifacts
task_log_dir: /w/artifacts/public/logs
ed25519_private_key_path: /w/key
task_script: [bash, -c, 'true']
credentials: {clientId: me, accessToken: t}
";

fn read_as(name: &str, text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Checked {
    Config::read(Path::new(name), text.as_bytes(), &[], variable)
}

fn read(text: &str) -> Checked {
    read_as("scriptworker.yaml", text, &|_| None)
}

/// A whole file, and more.
fn with(more: &str) -> Checked {
    read(&format!("{WHOLE}{more}"))
}

fn config(more: &str) -> Config {
    let checked = with(more);
    checked.config.unwrap_or_else(|| panic!("{:?}", checked.problems))
}

/// The errors of a file.
fn errors(checked: &Checked) -> Vec<String> {
    let errors = checked.problems.iter().filter(|problem| problem.severity == Severity::Error);
    errors.map(ToString::to_string).collect()
}

/// The one error of a file.
fn error(more: &str) -> String {
    let checked = with(more);
    assert!(checked.config.is_none());
    let errors = errors(&checked);
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].clone()
}

#[test]
fn a_whole_file_has_scriptworkers_defaults() {
    let config = config("");
    assert_eq!(config.root_url_text, "https://firefox-ci-tc.services.mozilla.com/");
    assert_eq!(config.identity.provisioner_id, "test-dummy-provisioner");
    assert_eq!(config.identity.worker_id, "dummy-worker-myname1");
    assert_eq!(config.task_max_timeout, Duration::from_secs(1200));
    assert_eq!(config.timeout_status, 1);
    assert_eq!(
        (config.reclaim_interval, config.poll_interval),
        (Duration::from_secs(300), Duration::from_secs(10))
    );
    assert_eq!(
        config.reversed_statuses,
        [(241, Reason::IntermittentTask), (245, Reason::IntermittentTask)].into()
    );
    assert_eq!(config.private_key, Some(PathBuf::from("/w/key")));
    assert!(config.trust.is_none() && config.log.verbose && !config.log.watch);
}

#[test]
fn b003_json_under_any_name() {
    let text = r#"{"work_dir":"/w/work","log_dir":"/w/logs","artifact_dir":"/w/a","task_log_dir":"/w/a/l",
        "ed25519_private_key_path":"/w/key","task_script":["x"],"credentials":{"clientId":"me","accessToken":"t"},
        "reversed_statuses":{"9":"resource-unavailable"}}"#;
    let config = read(text).config.unwrap();
    assert_eq!(config.reversed_statuses, [(9, Reason::ResourceUnavailable)].into());
}

#[test]
fn b004_an_unknown_key_is_an_error_that_names_the_nearest() {
    let told = error("tsak_script: [x]\n");
    let expected = "Unknown key tsak_script in scriptworker.yaml! Did you mean task_script?";
    assert_eq!(told, format!("scriptworker.yaml:8:1: error: {expected}"));
    assert!(error("_statuses: {}\n").contains("Unknown key _statuses in scriptworker.yaml!"));
    assert!(error("1: x\n").contains("a key must be text"));
}

#[test]
fn b005_types_are_exact() {
    for (line, told) in [
        (
            "poll_interval: 10.0",
            "scriptworker.yaml poll_interval: type <class 'float'> is not <class 'int'>!",
        ),
        ("poll_interval: true", "poll_interval: type <class 'bool'> is not <class 'int'>!"),
        ("verbose: 1", "verbose: type <class 'int'> is not <class 'bool'>!"),
        ("reversed_statuses: [1]", "type <class 'tuple'> is not <class 'immutabledict.immutabledict'>!"),
        ("worker_type: null", "scriptworker.yaml worker_type needs to be defined!"),
        ("worker_type: '...'", "scriptworker.yaml worker_type needs to be defined!"),
        ("worker_type: 2026-01-01", "a date or time cannot stand here"),
        ("poll_interval: 99999999999999999999", "poll_interval"),
    ] {
        let told_of = error(&format!("{line}\n"));
        assert!(told_of.contains(told) && told_of.starts_with("scriptworker.yaml:8:"), "{told_of}");
    }
}

#[test]
fn b006_names_have_the_form_that_taskcluster_asks() {
    for key in ["provisioner_id", "worker_group", "worker_type", "worker_id"] {
        for wrong in ["x".repeat(39), "a b".to_owned(), String::new(), "a\\n".to_owned(), "é".to_owned()] {
            let told = error(&format!("{key}: \"{wrong}\"\n"));
            let expected =
                format!("{key} doesn't match \"^[a-zA-Z0-9-_]{{1,38}}$\" (required by Taskcluster)");
            assert!(told.ends_with(&expected), "{told}");
        }
    }
    assert_eq!(config(&format!("worker_id: {}\n", "x".repeat(38))).identity.worker_id.len(), 38);
}

#[test]
fn b007_everything_that_is_missing_is_told_at_once() {
    let told = errors(&read("{}"));
    for key in [
        "work_dir",
        "log_dir",
        "artifact_dir",
        "task_log_dir",
        "ed25519_private_key_path",
        "credentials",
        "task_script",
    ] {
        let expected = format!("scriptworker.yaml {key} needs to be defined!");
        assert!(told.iter().any(|problem| problem.ends_with(&expected)), "{key}: {told:?}");
    }
    assert_eq!(told.len(), 7, "{told:?}");
    for (text, part) in
        [("", "must hold a map"), ("- a", "must hold a map"), ("a: [", "is not YAML"), ("\0", "is not YAML")]
    {
        assert!(errors(&read(text)).iter().any(|error| error.contains(part)), "{text:?}");
    }
}

#[test]
fn b008_without_a_product_nothing_can_be_verified() {
    let told = error("verify_chain_of_trust: true\n");
    assert!(
        told.ends_with("scriptworker.yaml verify_chain_of_trust can't be True when cot_product is not set!")
    );
}

const VERIFYING: &str =
    "cot_job_type: scriptworker\nverify_chain_of_trust: true\nverify_cot_signature: true\n";

#[test]
fn b009_settings_of_a_product_are_given_plain_or_by_product() {
    for value in ["[hg-push]", "{by-cot-product: {firefox: [hg-push], thunderbird: [cron]}}"] {
        let config = config(&format!("{VERIFYING}cot_product: firefox\nvalid_tasks_for: {value}\n"));
        let trust = config.trust.unwrap();
        assert_eq!(trust.product.tasks_for, [Trigger::HgPush].into(), "{value}");
        assert!(trust.signatures && trust.kind.as_str() == "scriptworker");
    }
    let other = "cot_product: firefox\nvalid_tasks_for: {by-cot-product: {xpi: [cron]}}\n";
    assert!(error(other).contains("Product firefox not specified for key valid_tasks_for"));
    // Without a product, and plain, nobody asks for it.
    assert!(config("valid_tasks_for: [cron]\n").trust.is_none());
}

#[test]
fn the_mode_is_given_plain_or_by_product_and_warns_unless_it_enforces() {
    assert_eq!(config("").mode, Mode::Enforce);
    let checked = with("cot_product: firefox\ncot_mode: {by-cot-product: {firefox: shadow, xpi: enforce}}\n");
    let warnings = checked.problems.iter().filter(|problem| problem.severity == Severity::Warning);
    assert!(warnings.map(ToString::to_string).any(|told| told.contains("cot_mode is shadow")));
    assert_eq!(checked.config.unwrap().mode.as_str(), "shadow");
    assert!(error("cot_mode: off\n").contains("cot_mode"));
    assert!(error("cot_mode: warning\n").contains("use enforce, warn or shadow"));
}

#[test]
fn a_key_below_home_is_warned_of() {
    let warned = |home: &str| {
        let variable = |name: &str| (name == "HOME").then(|| home.to_owned());
        let text = WHOLE.replace("/w/key", "/app/etc/key");
        let checked = read_as("scriptworker.yaml", &text, &variable);
        assert!(checked.config.is_some(), "{:?}", checked.problems);
        checked.problems.iter().any(|problem| problem.to_string().contains("the key is below HOME, /app,"))
    };
    assert!(warned("/app"));
    assert!(!warned("/app2") && !warned("/"));
}

#[test]
fn metrics_stay_on_this_machine_unless_the_file_says_otherwise() {
    assert_eq!(config("").metrics, None);
    assert_eq!(config("metrics_address: 127.0.0.1:9464\n").metrics.unwrap().port(), 9464);
    assert_eq!(config("metrics_address: '[::1]:9464'\n").metrics.unwrap().port(), 9464);
    for address in ["0.0.0.0:9464", "10.0.0.1:9464", "'[::]:9464'"] {
        let told = error(&format!("metrics_address: {address}\n"));
        assert!(told.contains("metrics_public"), "{told}");
        assert!(config(&format!("metrics_address: {address}\nmetrics_public: true\n")).metrics.is_some());
    }
    for address in ["localhost:9464", "127.0.0.1", "'9464'"] {
        assert!(error(&format!("metrics_address: {address}\n")).contains("metrics_address"), "{address}");
    }
}

const SLOTS: &str = "\
work_dir: /w/{slot}/work
log_dir: /w/{slot}/logs
artifact_dir: /w/{slot}/artifacts
task_log_dir: /w/{slot}/artifacts/public/logs
ed25519_private_key_path: /w/key
task_script: [script, '/w/{slot}.json']
credentials: {clientId: me, accessToken: t}
worker_id: 'worker-{slot}'
metrics_address: 127.0.0.1:9464
";

#[test]
fn each_slot_has_its_own_directories_and_port() {
    let text = format!("{SLOTS}capacity: 3\n");
    let slot = |slot| {
        let checked =
            Config::read_slot(Path::new("scriptworker.yaml"), text.as_bytes(), &[], &|_| None, slot);
        checked.config.unwrap_or_else(|| panic!("{:?}", checked.problems))
    };
    let third = slot(3);
    assert_eq!(third.directories.task_logs, PathBuf::from("/w/3/artifacts/public/logs"));
    assert_eq!((third.script[1].as_str(), third.identity.worker_id.as_str()), ("/w/3.json", "worker-3"));
    assert_eq!((third.metrics.unwrap().port(), third.capacity), (9466, 3));
    assert_eq!(slot(1).metrics.unwrap().port(), 9464);
    let others: Vec<PathBuf> = [1, 2]
        .into_iter()
        .flat_map(|slot| {
            let names = ["artifacts", "logs", "artifacts/public/logs", "work"];
            names.map(|name| PathBuf::from(format!("/w/{slot}/{name}")))
        })
        .collect();
    assert_eq!(third.other_slots, others);
    assert!(config("").other_slots.is_empty());
}

#[test]
fn slots_that_would_share_a_directory_are_refused() {
    let checked = with("capacity: 2\n");
    let told = errors(&checked);
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told.iter().all(|line| line.contains("needs {slot}")), "{told:?}");
    for capacity in ["0", "-1", "65"] {
        assert!(error(&format!("capacity: {capacity}\n")).contains("from 1 to 64"));
    }
    let text = format!("{SLOTS}capacity: 2\n").replace("9464", "65535");
    let second = Config::read_slot(Path::new("x"), text.as_bytes(), &[], &|_| None, 2);
    assert!(errors(&second)[0].contains("no port for slot 2"));
}

const NEW: &str = r#"
cot_product: new
cot_product_type: github
source_env_prefix: NEW
valid_tasks_for: [github-push]
valid_decision_worker_pools: [new-3/decision]
valid_docker_image_worker_pools: []
prebuilt_docker_image_task_types: any
official_github_repos_owner: new
trusted_vcs_rules:
- {schemes: [https], netlocs: [github.com], path_regexes: ['^(?P<path>/new/repo)(/|.git|$)']}
cot_restricted_trees: {all: [/new/repo]}
cot_restricted_scopes: {'project:new:x': all}
hg_git_mirrors: {}
"#;

#[test]
fn b010_a_new_product_is_configured_by_the_old_keys() {
    let config = config(&format!("{VERIFYING}{NEW}"));
    assert_eq!(config.trust.unwrap().product.source_env_prefix, "NEW");
    let told = errors(&with("cot_product: new\nverify_chain_of_trust: true\n"));
    assert!(told.iter().any(|problem| problem.contains("products.new")), "{told:?}");
}

#[test]
fn b010_a_new_product_is_configured_by_a_policy_file() {
    let layer = with(&format!("{VERIFYING}{NEW}")).layer;
    let text = format!("{WHOLE}{VERIFYING}cot_product: new\n");
    let policies = [("own.yml".to_owned(), layer)];
    let checked = Config::read(Path::new("x.yaml"), text.as_bytes(), &policies, &|_| None);
    assert_eq!(
        checked.config.unwrap().trust.unwrap().product.source_env_prefix,
        "NEW",
        "{:?}",
        checked.problems
    );
}

#[test]
fn b011_text_and_list_are_both_taken() {
    for value in ["any", "[build]"] {
        let more = format!("{VERIFYING}cot_product: firefox\nprebuilt_docker_image_task_types: {value}\n");
        assert!(config(&more).trust.is_some(), "{value}");
    }
}

#[test]
fn b012_credentials_of_the_file_count_before_the_environment() {
    let variable = |name: &str| {
        name.starts_with("TASKCLUSTER_")
            .then(|| "other".to_owned())
            .filter(|_| name != "TASKCLUSTER_ROOT_URL")
    };
    let config = read_as("x.yaml", WHOLE, &variable).config.unwrap();
    assert_eq!(config.credentials.client_id(), "me");
}

#[test]
fn the_environment_names_worker_and_deployment_where_the_file_does_not() {
    let variable = |name: &str| match name {
        "SCRIPTWORKER_WORKER_ID" => Some("of-the-environment".to_owned()),
        "TASKCLUSTER_ROOT_URL" => Some("https://tc.example".to_owned()),
        _ => None,
    };
    let config = read_as("x.yaml", WHOLE, &variable).config.unwrap();
    assert_eq!(
        (config.identity.worker_id.as_str(), config.root_url.as_str()),
        ("of-the-environment", "https://tc.example")
    );
    let text = format!("{WHOLE}worker_id: own\ntaskcluster_root_url: https://own.example/\n");
    let config = read_as("x.yaml", &text, &variable).config.unwrap();
    assert_eq!(
        (config.identity.worker_id.as_str(), config.root_url.as_str()),
        ("own", "https://own.example")
    );
    assert_eq!(config.root_url_text, "https://own.example/");
}

#[test]
fn b016_what_the_kubernetes_template_renders_is_taken() {
    let text = r#"{"provisioner_id":"scriptworker-k8s","worker_group":"gecko-3-signing","worker_type":"gecko-3-signing",
        "worker_id":"gecko-3-signing-4tmwp7l3q0khpzxo","credentials":{"clientId":"project/releng/x","accessToken":"t"},
        "task_script":["/app/.venv/bin/signingscript","/app/configs/worker.json"],"artifact_upload_timeout":1200,
        "task_max_timeout":7200,"verbose":true,"verify_chain_of_trust":true,"sign_chain_of_trust":true,
        "verify_cot_signature":true,"cot_job_type":"scriptworker","cot_product":"firefox","github_oauth_token":"",
        "taskcluster_root_url":"https://firefox-ci-tc.services.mozilla.com","log_dir":"/app/logs","work_dir":"/app/workdir",
        "artifact_dir":"/app/artifacts","task_log_dir":"/app/artifacts/public/logs","watch_log_file":true,
        "ed25519_private_key_path":"/app/configs/ed25519_privkey",
        "scriptworker_provisioners":["scriptworker-k8s","scriptworker-prov-v1"]}"#;
    let checked = read_as("/app/configs/scriptworker.json", text, &|_| None);
    assert_eq!(errors(&checked), [""; 0]);
    let config = checked.config.unwrap();
    assert!(config.trust.unwrap().product.scriptworker_provisioners.contains("scriptworker-k8s"));
}

#[test]
fn what_is_read_by_nobody_is_told_with_the_reason() {
    let checked = with("cot_version: 3\nsign_key_timeout: 120\nvalid_artifact_rules: []\n");
    assert!(checked.config.is_some());
    let ignored = checked.problems.iter().filter(|problem| problem.severity == Severity::Ignored);
    assert_eq!(ignored.count(), 3, "{:?}", checked.problems);
}

#[test]
fn what_weakens_the_worker_is_told() {
    let told = with("cot_product: firefox\ncot_job_type: scriptworker\n").problems;
    assert!(told.iter().any(|problem| problem.message.contains("every task that is claimed is run")));
    let told =
        with("cot_product: firefox\ncot_job_type: scriptworker\nverify_chain_of_trust: true\n").problems;
    assert!(told.iter().any(|problem| problem.message.contains("accepted without a signature")));
}

#[test]
fn a_kind_that_the_policy_does_not_have_is_an_error() {
    let told = error("cot_product: firefox\nverify_chain_of_trust: true\nverify_cot_signature: true\n");
    assert!(
        told.contains("cot_job_type") && told.contains("\"unknown\"") && told.contains("signing"),
        "{told}"
    );
}

#[test]
fn values_that_cannot_work_are_errors() {
    for (line, part) in [
        ("task_script: []", "task_script"),
        ("task_script: [1]", "task_script"),
        ("task_script: ['']", "task_script"),
        ("poll_interval: -1", "poll_interval"),
        ("task_max_timeout_status: 256", "task_max_timeout_status"),
        ("reversed_statuses: {x: internal-error}", "reversed_statuses"),
        ("reversed_statuses: {9: superseded}", "reversed_statuses"),
        ("log_fmt: '%(x)s'", "log_fmt"),
        ("log_max_bytes: -1", "log_max_bytes"),
        ("chain_of_trust_hash_algorithm: md5", "md5"),
        ("pushlog_url: 'https://x'", "pushlog_url"),
        ("valid_hash_algorithms: [sha256]", "valid_hash_algorithms"),
        ("taskcluster_root_url: tc.example", "taskcluster_root_url"),
    ] {
        let text = WHOLE.replace(
            "task_script: [bash, -c, 'true']\n",
            if line.starts_with("task_script") { "" } else { "task_script: [x]\n" },
        );
        let told = errors(&read(&format!("{text}{line}\n")));
        assert!(told.len() == 1 && told[0].contains(part), "{line}: {told:?}");
    }
}

#[test]
fn directories_that_are_emptied_hold_nothing_that_must_stay() {
    for (from, to) in [
        ("/w/logs", "/w/work/logs"),
        ("/w/key", "/w/artifacts/key"),
        ("/w/artifacts\n", "/w/work/artifacts\n"),
        ("log_dir: /w/logs", "log_dir: /w/artifacts/public/logs/x"),
        ("work_dir: /w/work", "work_dir: /w"),
        ("work_dir: /w/work", "work_dir: /"),
        ("work_dir: /w/work", "work_dir: ''"),
    ] {
        let checked = read(&WHOLE.replacen(from, to, 1));
        assert!(checked.config.is_none(), "{to}");
    }
}

#[test]
fn secrets_do_not_show() {
    let config = config("github_oauth_token: hidden-token\n");
    assert!(!format!("{config:?}").contains("hidden-token"));
}

#[test]
fn the_machine_of_the_record_of_custody_is_read_strictly() {
    let record = config("custody_machine: {instanceId: i-1, region: r}\n").custody.unwrap();
    assert_eq!((record.name.as_str(), record.version.as_str()), ("catena", env!("CARGO_PKG_VERSION")));
    assert_eq!((record.instance_id.as_deref(), record.region.as_deref()), (Some("i-1"), Some("r")));
    assert_eq!(record.machine_image, None);
    assert!(config("").custody.is_some());
    assert_eq!(config("record_custody: false\n").custody, None);
    for wrong in ["{instanceID: i-1}", "{region: ''}", "{region: 7}", "{region: \"a\\nb\"}"] {
        let told = error(&format!("custody_machine: {wrong}\n"));
        assert!(
            told.contains("custody_machine: ") && told.contains("only instanceId, machineImage, region"),
            "{told}"
        );
    }
}
