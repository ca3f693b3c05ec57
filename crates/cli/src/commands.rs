//! One file per command.

pub(crate) mod cache;
pub(crate) mod completions;
#[cfg(feature = "demo")]
pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod fetch;
pub(crate) mod keys;
pub(crate) mod man;
pub(crate) mod offline_exec;
pub(crate) mod policy;
pub(crate) mod shadow;
pub(crate) mod show;
pub(crate) mod sign;
pub(crate) mod test_workdir;
pub(crate) mod verify;
pub(crate) mod worker;
pub(crate) mod worker_tools;

use crate::cli::{Cli, Command};
use crate::failure::Failure;
use crate::log;
use crate::progress::Screen;
use clap::Parser as _;

/// Runs a command, and returns its exit status.
pub(crate) fn run(cli: Cli) -> Result<u8, Failure> {
    let Cli { command, output_options } = cli;
    // The others show their progress above the log, or have a log of their own.
    if !matches!(
        command,
        Command::Verify(_)
            | Command::Show(_)
            | Command::Fetch(_)
            | Command::Worker(_)
            | Command::VerifyCot(_)
    ) {
        log::start(&output_options, &Screen::still())?;
    }
    match command {
        Command::Verify(args) => verify::run(*args, &output_options),
        Command::Show(args) => show::run(&args, &output_options),
        Command::Fetch(args) => fetch::run(*args, &output_options),
        Command::OfflineExec(args) => offline_exec::run(&args),
        Command::Explain(args) => explain::run(&args, &output_options),
        Command::Keys(command) => keys::run(&command),
        Command::Sign(args) => sign::run(&args),
        Command::Shadow(args) => shadow::run(&args),
        Command::Worker(args) => worker::run(&args, &output_options),
        Command::CreateTestWorkdir(args) => test_workdir::run(&args),
        Command::GenEd25519Key(args) => worker_tools::generate(&args),
        Command::VerifyEd25519Signature(args) => worker_tools::verify_signature(&args),
        Command::VerifyCot(args) => {
            let cli = Cli::try_parse_from(args.as_verify(output_options.verbose)).map_err(Failure::usage)?;
            match run(cli)? {
                0 => Ok(0),
                _ => Ok(worker_tools::NOT_VALID),
            }
        }
        Command::Policy(command) => policy::run(command),
        Command::Cache(command) => cache::run(command),
        #[cfg(feature = "demo")]
        Command::Demo(args) => demo::run(&args, &output_options),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}
