//! The command that is run once everything is there.

use super::arguments::ExecArgs;
use crate::failure::Failure;
use std::process::Command;

/// Becomes the command, without any network. Comes back only where that fails.
pub(super) fn become_command(args: &ExecArgs) -> Result<(), Failure> {
    let own = std::env::current_exe().map_err(Failure::undetermined)?;
    let mut command = Command::new(own);
    for variable in &args.env {
        let (name, value) =
            variable.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
                Failure::usage(format!("{variable:?} sets no variable")).next("write it as NAME=VALUE")
            })?;
        command.env(name, value);
    }
    if let Some(directory) = &args.cd {
        command.current_dir(directory);
    }
    command.arg("offline-exec").arg("--").args(&args.command);
    Err(run(command))
}

#[cfg(unix)]
fn run(mut command: Command) -> Failure {
    use std::os::unix::process::CommandExt as _;
    let error = command.exec();
    Failure::usage(format!("the command cannot be started: {error}")).next("see to --cd and the command")
}

#[cfg(not(unix))]
fn run(_command: Command) -> Failure {
    Failure::usage("a command can be kept from the network only on Linux")
        .next("run it without --offline-exec")
}
