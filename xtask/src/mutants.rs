//! Mutation testing: does a test fail when the code is changed?
//!
//! What is left out, and why, is in `.cargo/mutants.toml`. The mutants are those of cargo-mutants. It
//! builds the tests again for each; so that thousands can be tried, all are put into one build, which of
//! them is alive is chosen when the tests run, and only those tests run that come to where it is. Names
//! are then in `target/mutants/missed.txt` and beside it. Mutants that cannot be built so (`unwoven.txt`)
//! are left to cargo-mutants itself, `--one-by-one`, whose answer is in `target/mutants/mutants.out`.

mod mutant;
mod weave;
mod woven;

use crate::failure::Failure;
use crate::process::{cargo, target_dir};
use clap::Args;
use std::path::PathBuf;

/// What to mutate, and what to judge it with.
#[derive(Debug, Args)]
pub(crate) struct Mutants {
    /// Mutate this package
    #[arg(long, value_name = "NAME", default_value = "catena-keys")]
    package: String,
    /// Mutate these files only; a pattern, from the repository's folder
    #[arg(long, value_name = "GLOB")]
    file: Vec<String>,
    /// Judge with the tests of these packages too
    #[arg(long, value_name = "NAME")]
    tests_of: Vec<String>,
    /// Only one part of the mutants, for several machines: 1/4
    #[arg(long, value_name = "K/N")]
    shard: Option<String>,
    /// Leave out those that the last run caught
    #[arg(long)]
    iterate: bool,
    /// Build for each mutant, as cargo-mutants does; slow
    #[arg(long)]
    one_by_one: bool,
    /// Judge with the attacks of the class that a file is there against, and not with all
    #[arg(long, conflicts_with = "one_by_one")]
    quick: bool,
    /// Begin with files that have this in their name
    #[arg(long, value_name = "NAME", conflicts_with = "one_by_one")]
    first: Vec<String>,
    /// Name the mutants and test none
    #[arg(long)]
    list: bool,
    /// Given to `cargo test`: --lib, --test NAME
    #[arg(last = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(mutants: &Mutants) -> Result<(), Failure> {
    if !cargo(["mutants", "--version"]).succeeds() {
        return Err(Failure::Missing {
            what: "cargo-mutants",
            remedy: "cargo install cargo-mutants --locked",
        });
    }
    if !mutants.one_by_one && !mutants.list {
        return woven::run(mutants);
    }
    // One job, which cargo itself spreads over the cores, can keep what it built for the next run; two
    // would each build all dependencies in a folder of their own.
    let folder = target_dir().join("mutants");
    cargo(mutants.words())
        .arg("--output")
        .arg(&folder)
        .env("CARGO_TARGET_DIR", &folder)
        .env("CARGO_INCREMENTAL", "1")
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("INSTA_UPDATE", "no")
        .envs(shared())
        .run()
}

/// The tests run in a copy of the repository: what is beside it has to be named in full.
fn shared() -> Option<(&'static str, PathBuf)> {
    let folder = std::env::var_os("CATENA_SHARED")?;
    Some(("CATENA_SHARED", std::path::absolute(folder).ok()?))
}

impl Mutants {
    fn words(&self) -> Vec<&str> {
        let mut words = self.selection();
        words.extend(["--jobs", "1"]);
        if !self.tests_of.is_empty() {
            let packages = std::iter::once(&self.package).chain(&self.tests_of);
            words.extend(packages.flat_map(|package| ["--test-package", package]));
        }
        words.extend(self.iterate.then_some("--iterate"));
        words.extend(self.list.then_some("--list"));
        words.extend(self.arguments.iter().flat_map(|argument| ["--cargo-test-arg", argument]));
        words
    }

    /// Which mutants.
    fn selection(&self) -> Vec<&str> {
        let mut words = vec!["mutants", "--package", &self.package];
        words.extend(self.file.iter().flat_map(|file| ["--file", file]));
        words.extend(self.shard.iter().flat_map(|part| ["--shard", part]));
        words
    }
}
