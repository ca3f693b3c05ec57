//! Configurations: refused, read again, and shown as a policy.

use super::case::{Case, Running, SECOND, push, until, unverified};
use super::support::Catena;
use catena_testbed::Queue;
use rustix::process::Signal;
use serde_json::json;
use std::path::Path;
use std::process::Stdio;

/// What `catena worker` says of a configuration that it does not start with.
fn refused(case: &Case, config: &Path) -> String {
    let answer = case.catena().arg("worker").arg(config).run();
    assert_eq!(answer.status, 1, "{answer:?}");
    assert!(answer.stderr.ends_with("Exiting...\n"), "{}", answer.stderr);
    answer.stderr
}

#[test]
fn b001_and_b002_the_default_file_is_looked_for_in_the_current_directory() {
    let case = Case::new(push());
    let answer = case.catena().arg("worker").run();
    assert_eq!(
        (answer.status, answer.stderr.as_str()),
        (1, "./scriptworker.yaml doesn't exist! Exiting...\n")
    );
    let told = refused(&case, case.room.path());
    assert!(told.contains("cannot be read: Is a directory"), "{told}");
    case.config("true", |_| {});
    let answer = case.catena().args(["worker", "check"]).run();
    assert_eq!(
        (answer.status, answer.stdout.as_str()),
        (0, "./scriptworker.yaml: can be used\n"),
        "{}",
        answer.stderr
    );
}

#[test]
fn b007_a_configuration_with_errors_is_refused_at_once() {
    let case = Case::new(push());
    let config = case.config("true", |config| {
        config["poll_interval"] = json!(1.5);
        config["elephant"] = json!(1);
    });
    let told = refused(&case, &config);
    assert!(
        told.contains("poll_interval: type <class 'float'>") && told.contains("Unknown key elephant"),
        "{told}"
    );
    let answer = case.catena().args(["worker", "check"]).arg(&config).run();
    assert_eq!(answer.status, 2);
    assert!(
        answer.stdout.contains("Unknown key elephant") && answer.stdout.ends_with("cannot be used\n"),
        "{}",
        answer.stdout
    );
}

#[test]
fn b071_a_worker_without_its_key_or_script_does_not_start() {
    let case = Case::new(push());
    let config = case.config("true", |config| config["task_script"] = json!(["/nowhere/script"]));
    std::fs::remove_file(case.path("etc/key")).unwrap();
    let told = refused(&case, &config);
    assert!(
        told.contains(case.path("etc/key").to_str().unwrap()) && told.contains("/nowhere/script"),
        "{told}"
    );
    assert_eq!(case.testbed.stats().requests, 0);
    assert!(!case.path("work").exists());
}

#[test]
fn a_key_in_a_directory_that_is_emptied_is_found_through_links_too() {
    let case = Case::new(push());
    std::os::unix::fs::symlink(case.path("etc"), case.path("link")).unwrap();
    for name in ["work_dir", "artifact_dir", "task_log_dir"] {
        let config = case.config("true", |config| config[name] = json!(case.path("link").to_str().unwrap()));
        let told = refused(&case, &config);
        let expected =
            format!("{name}: {} is emptied before each task and would take", case.path("link").display());
        assert!(told.contains(&expected) && told.contains("ed25519_private_key_path"), "{told}");
        assert!(case.path("etc/key").exists());
    }
    let config = case.config("true", |config| {
        std::fs::create_dir_all(case.path("etc/logs")).unwrap();
        config["log_dir"] = json!(case.path("etc/logs").to_str().unwrap());
        config["work_dir"] = json!(case.path("link").to_str().unwrap());
    });
    assert!(refused(&case, &config).contains("log_dir"));
}

#[test]
fn b017_an_emptied_environment_gives_the_script_four_variables() {
    let case = Case::new(push());
    let config = case.config("", |config| {
        config["verify_chain_of_trust"] = json!(false);
        config["task_script"] = json!(["/usr/bin/env"]);
    });
    let log = std::fs::File::create(case.path("stderr")).unwrap();
    let mut catena = Catena::new();
    let command = catena.arg("worker").arg(&config).command();
    let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let mut worker = Running { case: &case, child };
    assert_eq!(worker.resolved(0).state, "completed");
    assert_eq!(worker.drained(), 0);
    let live = case.artifact("public/logs/live_backing.log");
    let mut names: Vec<&str> = live.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    names.sort_unstable();
    let expected = ["RUN_ID", "TASKCLUSTER_CREDENTIALS_FD", "TASKCLUSTER_ROOT_URL", "TASK_ID"];
    assert_eq!(names, expected, "{live}");
}

#[test]
fn a_configuration_is_read_again_between_tasks() {
    let case = Case::new(push());
    let config = case.config("touch $ROOM/one; until test -e $ROOM/go; do sleep 0.02; done", unverified);
    let mut worker = case.start_with(&config);
    until(&case, "not run", || case.path("one").exists());
    case.config("true", |config| config["elephant"] = json!(1));
    worker.signal(Signal::HUP);
    until(&case, "no signal", || case.said().contains("SIGHUP"));
    // While a task is at work, nothing is read.
    assert!(!case.said().contains("elephant"));
    std::fs::write(case.path("go"), "").unwrap();
    assert_eq!(worker.resolved(0).state, "completed");
    until(&case, "not refused", || {
        case.said().contains("The old configuration stays in use") && case.said().contains("elephant")
    });
    case.config("touch $ROOM/two", unverified);
    worker.signal(Signal::HUP);
    until(&case, "not taken", || case.said().contains("The new configuration is in use"));
    case.testbed.queue().add_task(SECOND, &Queue::definition(&case.pool, &json!({})));
    until(&case, "not run", || case.path("two").exists());
    assert_eq!(worker.drained(), 0);
}

#[test]
fn the_trust_of_a_configuration_is_shown_as_a_policy_layer() {
    let case = Case::new(push());
    let config = case.config("true", |_| {});
    let answer = case.catena().args(["policy", "import", "--worker"]).arg(&config).run();
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let file = case.path("layer.yml");
    std::fs::write(&file, &answer.stdout).unwrap();
    assert!(answer.stdout.contains("products:\n  firefox:\n    keys:"), "{}", answer.stdout);
    let shown = case
        .catena()
        .args(["policy", "show", "--product", "firefox", "--policy", "shipped:firefox-ci", "--policy"])
        .arg(&file)
        .run();
    let own = case.keys["scriptworker"][0].as_str().unwrap();
    assert!(shown.stdout.contains(own), "{}{}", shown.stdout, shown.stderr);
}
