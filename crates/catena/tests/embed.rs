//! The example on the front page and in the README verifies a task of a testbed.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::path::PathBuf;
use std::process::{Command, Output};
use support::{Served, altered, finished};

/// Where cargo puts the examples that it builds with the tests.
fn example() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let built = tests.ancestors().nth(2).unwrap().join("examples").join("embed");
    if !built.exists() {
        let build = ["build", "--quiet", "--package", "catena", "--example", "embed"];
        assert!(Command::new(env!("CARGO")).args(build).status().unwrap().success());
    }
    built
}

fn run(served: &Served) -> Output {
    let target = &served.spec.target;
    let mut embed = Command::new(example());
    embed.env_clear().current_dir(served.folder.path());
    embed.env("TASKCLUSTER_ROOT_URL", served.testbed.root_url());
    embed.env("HTTPS_PROXY", served.testbed.proxy_url()).env("SSL_CERT_FILE", served.path("ca.pem"));
    embed.args([target.task_id.as_str(), target.kind.as_str(), &served.spec.product, "keys.json"]);
    embed.output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_verifies_a_task() {
    let served = Served::new(finished()).await;
    let output = run(&served);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains(": verified\n"), "{told}");
    assert!(served.files("work") > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_refuses_a_task_that_is_not_verified() {
    let served = Served::new(altered()).await;
    let output = run(&served);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success() && told.contains(": rejected\n"), "{told}");
    assert!(told.contains("artifact-altered"), "{told}");
    assert_eq!(served.files("work"), 0);
}

#[test]
fn the_example_is_short_and_the_readme_shows_it() {
    let example = include_str!("../examples/embed.rs");
    assert!(example.lines().count() <= 40, "{}", example.lines().count());
    assert!(include_str!("../../../README.md").contains(example), "README.md shows another example");
}
