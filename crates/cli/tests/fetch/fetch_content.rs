//! In the place of fetch-content.

use crate::case::{ARCHIVE, Case, archive};
use crate::support::children;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

#[test]
fn moz_fetches_in_the_place_of_fetch_content() {
    let case = Case::new();
    let fetches = json!([
        {"artifact": ARCHIVE, "extract": true, "task": case.build},
        {"artifact": case.name, "extract": true, "task": case.build, "dest": "deep/er"},
        {"artifact": ARCHIVE, "extract": false, "task": case.build, "dest": "whole"},
    ]);
    let answer = case
        .catena()
        .args(["task-artifacts"])
        .args(case.chain())
        .env("MOZ_FETCHES", fetches.to_string())
        .env("MOZ_FETCHES_DIR", case.dest())
        .run();
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert_eq!(case.read("tools/README"), b"read me\n");
    assert_eq!(case.read(&format!("deep/er/{}", case.file())), case.content);
    assert_eq!(case.read("whole/tools.tar.gz"), archive());
    assert_eq!(children(&case.dest()).len(), 3);
    let line = answer.stderr.lines().find(|line| line.starts_with("PERFHERDER_DATA: ")).unwrap();
    let data: Value = serde_json::from_str(line.strip_prefix("PERFHERDER_DATA: ").unwrap()).unwrap();
    assert_eq!(data["suites"][0]["name"], "fetch_content");
    // One task: its document is fetched once for all three.
    let documents = case.testbed.requests().into_iter();
    let documents = documents
        .filter(|request| request.url.contains("/api/") && request.url.ends_with("chain-of-trust.json"));
    assert!(documents.filter(|request| request.url.contains(&case.build)).count() <= 1);

    let outside = json!([{"artifact": ARCHIVE, "extract": true, "task": case.build, "dest": "../x"}]);
    let answer = case
        .catena()
        .args(["task-artifacts", "--danger-unverified", "--dest", "d"])
        .env("MOZ_FETCHES", outside.to_string())
        .run();
    assert_eq!(answer.status, 2, "{}", answer.stderr);
}

/// With CATENA_SCRIPTWORKER_PYTHON, a Python that has taskgraph and zstandard too: the same files as fetch-content.
#[test]
fn the_files_are_those_of_the_installed_fetch_content() {
    let Some(python) = std::env::var_os("CATENA_SCRIPTWORKER_PYTHON") else {
        eprintln!("CATENA_SCRIPTWORKER_PYTHON is not set: nothing is compared with fetch-content");
        return;
    };
    let find = "import os, taskgraph, zstandard; print(os.path.dirname(taskgraph.__file__))";
    let found = Command::new(&python).args(["-c", find]).output().unwrap();
    let told = String::from_utf8_lossy(&found.stderr);
    assert!(found.status.success(), "install taskcluster-taskgraph and zstandard in that Python: {told}");
    let package = String::from_utf8(found.stdout).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/compare_fetch_content.py");
    let compared = Command::new(&python)
        .arg(script)
        .arg(Path::new(package.trim_end()).join("run-task/fetch-content"))
        .arg(env!("CARGO_BIN_EXE_catena"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&compared.stdout);
    assert!(compared.status.success(), "{told}{}", String::from_utf8_lossy(&compared.stderr));
    assert!(told.lines().filter(|line| line.starts_with("ok  ")).count() > 30, "{told}");
}

/// run-task starts the file named fetch-content with its own Python.
#[test]
fn the_stub_stands_in_for_fetch_content() {
    let case = Case::new();
    let stub = case.room.path().join("fetch-content");
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/fetch-content"), &stub).unwrap();
    let run = |binary: Option<&str>, arguments: &[&str]| {
        let mut python = Command::new("python3");
        python.arg("-u").arg(&stub).args(arguments).env_clear().current_dir(case.room.path());
        python.env("PATH", std::env::var_os("PATH").unwrap());
        python
            .env("TASKCLUSTER_ROOT_URL", case.testbed.root_url())
            .env("CATENA_FETCH_ARGS", "--keys keys.json");
        python.env("MOZ_FETCHES_DIR", case.dest()).env(
            "MOZ_FETCHES",
            json!([{"artifact": ARCHIVE, "extract": true, "task": case.build}]).to_string(),
        );
        python.env("HTTPS_PROXY", case.testbed.proxy_url());
        if let Some(binary) = binary {
            python.env("CATENA_BINARY", binary);
        }
        python.output().unwrap()
    };
    let binary = env!("CARGO_BIN_EXE_catena");
    let output = run(Some(binary), &["task-artifacts"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert_eq!(case.read("tools/README"), b"read me\n");
    // The lines of fetch-content, in their order.
    let mut rest = told.as_str();
    for line in [
        "Downloading http",
        "resolved to",
        "Verified sha256 integrity of http",
        "Extracting ",
        " extracted in ",
        "Removing ",
        "PERFHERDER_DATA: {",
    ] {
        rest = rest.split_once(line).unwrap_or_else(|| panic!("{line:?} is not in its place in {told}")).1;
    }
    // The options of CATENA_FETCH_ARGS are those of task-artifacts alone, and statuses are passed on.
    let output = run(Some(binary), &["static-url"]);
    assert_eq!(output.status.code(), Some(2));
    // Beside the stub.
    std::os::unix::fs::symlink(binary, case.room.path().join("catena")).unwrap();
    assert_eq!(run(None, &["task-artifacts"]).status.code(), Some(0));
    std::fs::remove_file(case.room.path().join("catena")).unwrap();
    let output = run(None, &["task-artifacts"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("CATENA_BINARY"));
}
