//! Everyday commands of developers: `cargo xtask --help`.

mod api;
mod architecture;
mod dist;
mod failure;
mod fuzz;
mod process;
mod regenerate;
mod scriptworker;
#[cfg(test)]
mod specification;

use clap::{Parser, Subcommand};
use failure::Failure;
use process::{Step, cargo, target_dir};
use std::path::PathBuf;
use std::process::ExitCode;

/// Everyday commands
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Everything that must hold before a change goes in: formatting, lints, documentation, tests
    Check,
    /// Fuzz the parsers; needs a C++ compiler, and no other toolchain
    Fuzz {
        /// A file in fuzz/fuzz_targets, without its extension [default: each in turn]
        target: Option<String>,
        /// How long each target runs
        #[arg(long, value_name = "N", default_value_t = 60)]
        seconds: u32,
        /// Try the same inputs as another run of the same seed, so that a gate is not red by chance
        #[arg(long, value_name = "N")]
        seed: Option<u32>,
        /// Run the target once, on this file, instead
        #[arg(long, value_name = "FILE", requires = "target")]
        input: Option<PathBuf>,
    },
    /// Change every field of every document of valid chains, and see each refused
    Fields {
        /// Try every N-th change only
        #[arg(long, value_name = "N", default_value_t = 1)]
        every: u32,
        /// Passed to the test: names of chains, --list
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Regenerate files that programs make; read the difference before committing it
    Regenerate {
        /// What to regenerate [default: all]
        #[arg(value_enum)]
        what: Vec<regenerate::Made>,
    },
    /// Compare Catena with scriptworker on chains from the testbed, and with taskgraph's fetch-content
    ///
    /// Installs both from PyPI below target/, unless CATENA_SCRIPTWORKER_PYTHON names a Python that has
    /// them.
    Differential {
        /// Passed to the test: names of chains, --list
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Measure the hot parts, each alone
    Bench {
        /// Passed to the benches: names, --sample-count N
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Measure catena beside scriptworker, the floor and its critical path (scripts/versus)
    Versus {
        /// Passed to the script: --sections, --chains, --pairs, --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Change the code in one place at a time, and see whether a test fails; needs cargo-mutants
    Mutants {
        /// Only what differs from this commit
        #[arg(long, value_name = "COMMIT")]
        since: Option<String>,
        /// Passed to cargo-mutants: --package NAME, --file GLOB, --shard K/N, --list
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Show which lines the tests do not run; needs cargo-llvm-cov
    Coverage {
        /// Passed to cargo-llvm-cov: --package NAME, --html, -- --lib
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Check the dependencies against deny.toml; needs cargo-deny
    Deny,
    /// Build the static binary that is distributed, twice, and compare the two
    Dist {
        /// A target of rustc that can be linked statically [default: musl if it is installed, else glibc]
        #[arg(long, value_name = "TRIPLE")]
        target: Option<String>,
        /// Build once, and compare nothing
        #[arg(long)]
        once: bool,
        /// Sign the binary with the private key in FILE
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Print the refusals of attacks and operator mistakes as a reader sees them
    Refusal {
        /// Parts of their names; --list prints all names
        #[arg(required = true, allow_hyphen_values = true)]
        names: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<(), Failure> {
    match task {
        Task::Check => check(),
        Task::Fuzz { target, seconds, seed, input } => {
            fuzz::run(target.as_deref(), seconds, seed, input.as_deref())
        }
        Task::Fields { every, arguments } => fields(every, &arguments),
        Task::Regenerate { what } => regenerate::run(&what),
        Task::Differential { arguments } => scriptworker::compare(&arguments),
        Task::Bench { arguments } => bench(&arguments),
        Task::Versus { arguments } => {
            Step::new("python3").arg("scripts/versus-scriptworker").args(&arguments).run()
        }
        Task::Mutants { since, arguments } => mutants(since.as_deref(), &arguments),
        Task::Coverage { arguments } => coverage(&arguments),
        Task::Deny => deny(),
        Task::Dist { target, once, key } => dist::run(target.as_deref(), once, key.as_deref()),
        Task::Refusal { names } => refusal(&names),
    }
}

fn check() -> Result<(), Failure> {
    cargo(["fmt", "--all", "--check"]).run()?;
    cargo(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]).run()?;
    cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]).run()?;
    cargo(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings").run()?;
    cargo(["test", "--workspace"]).run()
}

/// In a release build: there are a hundred thousand of them, and each is a whole verification.
fn fields(every: u32, arguments: &[String]) -> Result<(), Failure> {
    cargo(["test", "--release", "--package", "catena-attacks", "--test", "fields", "--"])
        .args(arguments)
        .env("CATENA_FIELDS", every.to_string())
        .run()
}

/// By name: the libraries would be run as benches too, and do not understand their arguments.
fn bench(arguments: &[String]) -> Result<(), Failure> {
    let names = ["document", "graph", "hashing", "measure", "template"].map(|name| ["--bench", name]);
    let packages = ["catena-model", "catena-verify", "catena-fetch", "catena-jsone", "catena-signing"]
        .map(|name| ["--package", name]);
    cargo(["bench"]).args(packages.concat()).args(names.concat()).arg("--").args(arguments).run()
}

/// What is left out, and why, is in `.cargo/mutants.toml`.
fn mutants(since: Option<&str>, arguments: &[String]) -> Result<(), Failure> {
    if !cargo(["mutants", "--version"]).succeeds() {
        let remedy = "cargo install cargo-mutants --locked";
        return Err(Failure::Missing { what: "cargo-mutants", remedy });
    }
    let folder = target_dir().join("mutants");
    let mut step = cargo(["mutants", "--output"]).arg(&folder).env("INSTA_UPDATE", "no");
    // The tests run in a copy of the repository: what is beside it has to be named in full.
    if let Some(shared) = std::env::var_os("CATENA_SHARED").and_then(|it| std::path::absolute(it).ok()) {
        step = step.env("CATENA_SHARED", shared);
    }
    if let Some(since) = since {
        let (patch, text) = (folder.join("since.diff"), Step::new("git").args(["diff", since]).output()?);
        let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&patch, text));
        written.map_err(|cause| Failure::File { path: patch.clone(), cause })?;
        step = step.arg("--in-diff").arg(patch);
    }
    step.args(arguments).run()
}

fn coverage(arguments: &[String]) -> Result<(), Failure> {
    if !cargo(["llvm-cov", "--version"]).succeeds() {
        let remedy = "cargo install cargo-llvm-cov --locked";
        return Err(Failure::Missing { what: "cargo-llvm-cov", remedy });
    }
    cargo(["llvm-cov"]).args(arguments).run()
}

fn refusal(names: &[String]) -> Result<(), Failure> {
    let example = ["run", "--quiet", "--package", "catena-attacks", "--example", "refusal", "--"];
    cargo(example).args(names).run()
}

fn deny() -> Result<(), Failure> {
    if !cargo(["deny", "--version"]).succeeds() {
        return Err(Failure::Missing { what: "cargo-deny", remedy: "cargo install cargo-deny --locked" });
    }
    cargo(["deny", "check"]).run()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
