//! Regenerates files that programs make.

use crate::api;
use crate::failure::Failure;
use crate::process::{Step, cargo};
use crate::scriptworker;
use clap::ValueEnum;

/// A generated file in the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Made {
    /// crates/yaml/tests/golden/cases.json, by PyYAML
    Yaml,
    /// policies/firefox-ci.yml, of scriptworker's defaults
    Policy,
    /// docs/attacks.md, of the catalogue in crates/attacks
    Attacks,
    /// docs/api/catena.txt, of the code in crates/catena
    Api,
    /// fuzz/corpus/*/seed-testbed-*, cut out of the testbed's chains
    Corpus,
    /// The crates of docs/architecture.md, of the manifests
    Architecture,
    /// Snapshots of what a user sees, by the tests themselves
    Snapshots,
}

pub(crate) fn run(what: &[Made]) -> Result<(), Failure> {
    let what = if what.is_empty() { Made::value_variants() } else { what };
    what.iter().try_for_each(|made| match made {
        Made::Yaml => yaml(),
        Made::Policy => policy(),
        Made::Attacks => attacks(),
        Made::Api => api::write(),
        Made::Corpus => corpus(),
        Made::Architecture => crate::architecture::regenerate(),
        Made::Snapshots => snapshots(),
    })
}

fn yaml() -> Result<(), Failure> {
    Step::new(scriptworker::python()?).args(["scripts/yaml-golden.py", "write"]).run()
}

fn policy() -> Result<(), Failure> {
    // The release build already exists if the demo was run.
    let import = ["run", "--release", "--quiet", "--", "policy", "import"];
    cargo(import)
        .args(["--output", "policies/firefox-ci.yml", "--installed"])
        .arg(scriptworker::python()?)
        .run()
}

fn attacks() -> Result<(), Failure> {
    cargo(["test", "--package", "catena-attacks", "--test", "page"]).env("CATENA_REGENERATE", "1").run()
}

fn corpus() -> Result<(), Failure> {
    let example = ["run", "--quiet", "--package", "catena-testbed", "--example", "write_seeds"];
    cargo(example).args(["--", "fuzz/corpus"]).run()
}

fn snapshots() -> Result<(), Failure> {
    cargo(["test", "--workspace"]).env("INSTA_UPDATE", "always").run()
}
