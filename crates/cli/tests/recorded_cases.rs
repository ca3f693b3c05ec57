//! Every recorded case under `$CATENA_SHARED/samples`, through the real binary: served on loopback like
//! production, verified, and compared with the expected result.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use catena_testbed::{Options, Site, Testbed};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use std::path::{Path, PathBuf};
use support::{Catena, check_published, children, keys_file};

fn main() {
    let arguments = Arguments::from_args();
    let trials = match std::env::var_os("CATENA_SHARED") {
        Some(shared) => trials(&PathBuf::from(shared).join("samples")),
        None => {
            eprintln!("CATENA_SHARED is not set: the recorded cases are skipped");
            vec![Trial::test("recorded cases (CATENA_SHARED is not set)", || Ok(())).with_ignored_flag(true)]
        }
    };
    libtest_mimic::run(&arguments, trials).exit();
}

fn trials(samples: &Path) -> Vec<Trial> {
    let mut trials = Vec::new();
    for group in ["honest", "dishonest"] {
        for folder in children(&samples.join(group)) {
            let name = format!("{group}/{}", folder.file_name().unwrap().to_string_lossy());
            trials.push(Trial::test(name, move || verify(&folder)));
        }
    }
    assert!(!trials.is_empty(), "no recorded cases in {}", samples.display());
    trials
}

fn verify(folder: &Path) -> Result<(), Failed> {
    let case: Value = serde_json::from_slice(&std::fs::read(folder.join("chain.json"))?)?;
    let testbed = Testbed::start_blocking(Site::from_folder(folder)?, Options::default())?;
    let room = tempfile::tempdir()?;
    let keys = keys_file(room.path(), &case["ed25519_public_keys"]);
    let work_dir = room.path().join("work");
    let text =
        |name: &str| case[name].as_str().unwrap_or_else(|| panic!("no {name} in chain.json")).to_owned();
    let mut catena = Catena::through(&testbed, room.path());
    catena.args([
        "verify",
        "--task-type",
        &text("task_type"),
        "--product",
        &text("product"),
        "--format",
        "json",
    ]);
    catena.arg("--keys").arg(&keys).arg("--work-dir").arg(&work_dir);
    if case["check_task"] != Value::Bool(true) {
        catena.arg("--no-check-task");
    }
    catena.args(["--", &text("task_id")]);
    let answer = catena.run();
    let expected = if case["expect"] == "accept" { 0 } else { 1 };
    if answer.status != expected {
        return Err(format!(
            "exit status {}, expected {expected}\n{}\n{}",
            answer.status,
            answer.failed(),
            answer.stderr
        )
        .into());
    }
    let published = work_dir.join("cot");
    if expected == 0 {
        if check_published(&published, testbed.site()) == 0 {
            return Err("nothing was published".into());
        }
    } else if published.exists() {
        return Err("something was published although the verdict is no".into());
    }
    Ok(())
}
