//! The command line.

#[cfg(feature = "demo")]
use crate::commands::demo;
use crate::commands::{
    cache, completions, explain, fetch, keys, man, offline_exec, policy, shadow, show, sign, test_workdir,
    verify, worker, worker_tools,
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const EXIT_STATUSES: &str = "\
Exit status:
  0  verified, or succeeded
  1  rejected: a check failed
  2  usage error, or unusable policy or keys
  3  undetermined: required data was unavailable, or output could not be delivered; retry";

#[cfg(feature = "demo")]
const DEMO: &str = "
  catena demo
      Verify a small release, and reject it once one byte has changed.";
#[cfg(not(feature = "demo"))]
const DEMO: &str = "";

const OVERVIEW: &str = "
  catena verify IFn9x5gaQz-HXl2pa7Ny_w --task-type signing --product firefox
      Verify a finished task's artifacts.
  catena verify IFn9x5gaQz-HXl2pa7Ny_w --task-type signing --product firefox --no-check-task
      Verify a task that is about to run.
  catena show IFn9x5gaQz-HXl2pa7Ny_w --task-type signing --product firefox
      Show its chain as a tree.
  catena explain signature-unknown-key
      Explain a finding, and what to do about it.";

/// Verify Taskcluster's Chain of Trust: before anything irreversible happens, prove that every byte
/// going in came from trusted machines and that the request traces back to a trusted source tree.
#[derive(Debug, Parser)]
#[command(name = "catena", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_long_help = format!("Examples:{DEMO}{OVERVIEW}\n\n{EXIT_STATUSES}"))]
pub(crate) struct Cli {
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Output options.
    #[command(flatten)]
    pub(crate) output_options: OutputOptions,
}

/// Output options of all commands.
#[derive(Clone, Debug, Args)]
pub(crate) struct OutputOptions {
    /// Colours on standard output: auto, always, never
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        global = true,
        help_heading = "Output options"
    )]
    #[arg(hide_possible_values = true)]
    pub(crate) color: Color,
    /// Increase verbosity: -v progress and passing checks, -vv details, -vvv everything
    #[arg(short, long, action = clap::ArgAction::Count, global = true, help_heading = "Output options")]
    pub(crate) verbose: u8,
    /// Write the full log to FILE
    #[arg(long, value_name = "FILE", global = true, help_heading = "Output options")]
    pub(crate) log: Option<PathBuf>,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Whether standard output gets colours.
    pub(crate) fn on_stdout(self) -> bool {
        use std::io::IsTerminal as _;
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                std::io::stdout().is_terminal()
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Decide whether a task may run, or whether its artifacts may be used
    ///
    /// Fetches the evidence of the task's chain of trust, applies every rule of the product's policy,
    /// and prints the outcome: verified, rejected (which check, which link, where, why) or
    /// undetermined. The verdict goes to standard output, everything else to standard error. If a
    /// "verified" could not be delivered in full (a full disk, a closed pipe), the exit status is never
    /// 0.
    #[command(after_long_help = format!("{}\n\n{EXIT_STATUSES}", verify::EXAMPLES))]
    Verify(Box<verify::VerifyArgs>),
    /// Show the chain of a task as a tree
    ///
    /// Verifies the task as `verify` does, with the same exit status. Prints the verdict in one line and
    /// then the chain: each link with its worker implementation, worker pool, run and signer, whether it is
    /// verified, and the codes that failed. `verify --tree` prints the same tree below the whole verdict.
    /// Similar links are counted; -v shows each.
    #[command(after_long_help = format!("{}\n\n{EXIT_STATUSES}", show::EXAMPLES))]
    Show(Box<verify::ChainArgs>),
    /// Fetch inputs of a task, verified before a byte of them is used
    ///
    /// Downloads artifacts, compares them with signed documents or verifies their whole chain of trust,
    /// and puts all of them in place, or none.
    #[command(after_long_help = format!("{}\n\n{EXIT_STATUSES}", fetch::EXAMPLES))]
    Fetch(Box<fetch::FetchArgs>),
    /// Run a command without any network except loopback, like `fetch --offline-exec`
    #[command(hide = true)]
    OfflineExec(offline_exec::OfflineExecArgs),
    /// Explain a code in a verdict, or a whole verdict, and what to do about it
    #[command(after_long_help = explain::EXAMPLES)]
    Explain(explain::ExplainArgs),
    /// Create private keys of workers, and manage trusted keys
    #[command(subcommand, after_long_help = keys::EXAMPLES)]
    Keys(keys::KeysCommand),
    /// Write and sign the Chain of Trust document of a run
    #[command(after_long_help = sign::EXAMPLES)]
    Sign(Box<sign::SignArgs>),
    /// Claim tasks, verify their chains, run them, and sign and upload their artifacts
    ///
    /// Replaces scriptworker, with its configuration.
    #[command(after_long_help = worker::EXAMPLES)]
    Worker(worker::WorkerArgs),
    /// Compare verification with a running scriptworker, without changing anything
    ///
    /// Verifies a task as a worker would and writes one line of JSON: whether Catena and scriptworker agree, and
    /// on which checks they do not.
    #[command(after_long_help = shadow::EXAMPLES)]
    Shadow(Box<shadow::ShadowArgs>),
    /// Write the directory that a script finds when it runs a task, as scriptworker's create_test_workdir does
    #[command(name = "create-test-workdir", hide = true)]
    CreateTestWorkdir(test_workdir::TestWorkdirArgs),
    /// Write a new key pair into the current directory, as scriptworker's gen_ed25519_key does
    #[command(name = "gen-ed25519-key", hide = true)]
    GenEd25519Key(worker_tools::GenerateArgs),
    /// Say which key signed a file, like scriptworker's verify_ed25519_signature
    #[command(name = "verify-ed25519-signature", hide = true)]
    VerifyEd25519Signature(worker_tools::SignatureArgs),
    /// Verify a chain, like scriptworker's verify_cot
    #[command(name = "verify-cot", hide = true)]
    VerifyCot(worker_tools::VerifyCotArgs),
    /// Check, import and show policies
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Inspect a cache, and reduce its size
    #[command(subcommand, after_long_help = cache::EXAMPLES)]
    Cache(cache::CacheCommand),
    /// Verify a small release, and reject it once one byte has changed
    #[cfg(feature = "demo")]
    #[command(after_long_help = demo::EXAMPLES)]
    Demo(demo::DemoArgs),
    /// Print completions for a shell
    #[command(after_long_help = completions::EXAMPLES)]
    Completions(completions::CompletionsArgs),
    /// Write the manual pages
    #[command(after_long_help = man::EXAMPLES)]
    Man(man::ManArgs),
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
