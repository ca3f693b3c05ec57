//! A Python with the reference verifier, for what is made of it and compared with it.

use crate::failure::Failure;
use crate::process::{Step, cargo, target_dir};
use std::path::PathBuf;

/// Names a Python that has everything already.
const PYTHON: &str = "CATENA_SCRIPTWORKER_PYTHON";
/// The packages that Catena is compared with: scriptworker's, from which the golden cases of `crates/yaml` and
/// `policies/firefox-ci.yml` come, and fetch-content with what it needs to read zstd.
const PACKAGES: [&str; 5] = [
    "scriptworker==63.6.1",
    "json-e==4.8.4",
    "PyYAML==6.0.3",
    "taskcluster-taskgraph==24.5.1",
    "zstandard==0.25.0",
];

/// The Python that the environment names, or one below target/ that is made once.
pub(crate) fn python() -> Result<PathBuf, Failure> {
    if let Some(python) = std::env::var_os(PYTHON) {
        return Ok(python.into());
    }
    let folder = target_dir().join("scriptworker-63.6.1");
    let python = folder.join("bin/python");
    let complete = folder.join("complete");
    let packages = PACKAGES.join("\n");
    if std::fs::read_to_string(&complete).ok().as_ref() != Some(&packages) {
        Step::new("python3").args(["-m", "venv", "--clear"]).arg(&folder).run()?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        Step::new(&python).args(pip).args(PACKAGES).run()?;
        std::fs::write(&complete, packages).map_err(|cause| Failure::File { path: complete, cause })?;
    }
    Ok(python)
}

/// Runs the comparison of the two verifiers, and that of `catena fetch` with fetch-content.
pub(crate) fn compare(arguments: &[String]) -> Result<(), Failure> {
    let python = python()?;
    // Of the whole workspace, so that nothing is built a second time with other features.
    const TESTS: [&str; 4] = ["daemons", "differential", "keys", "signing"];
    let tests = TESTS.iter().flat_map(|test| ["--test", test]);
    cargo(["test", "--workspace"].into_iter().chain(tests).chain(["--"]))
        .args(arguments)
        .env(PYTHON, &python)
        .run()?;
    let fetch_content = "the_files_are_those_of_the_installed_fetch_content";
    cargo(["test", "--workspace", "--test", "fetch", "--", fetch_content]).env(PYTHON, python).run()
}
