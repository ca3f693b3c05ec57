//! `catena completions`: for shells.

use crate::cli::Cli;
use crate::failure::Failure;
use crate::output::show;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

pub(crate) const EXAMPLES: &str = "\
Examples:
  catena completions bash > ~/.local/share/bash-completion/completions/catena
  catena completions zsh > \"${fpath[1]}/_catena\"
  catena completions fish > ~/.config/fish/completions/catena.fish";

/// Prints a completion script for catena's commands and options.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "catena", &mut script);
    show(&String::from_utf8_lossy(&script))
}
