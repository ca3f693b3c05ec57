//! `catena man`: the manual pages.

use crate::cli::Cli;
use crate::failure::{DONE, Failure};
use crate::output::show;
use clap::{Args, CommandFactory as _};
use clap_mangen::Man;
use std::path::PathBuf;

pub(crate) const EXAMPLES: &str = "\
Examples:
  catena man | man -l -
      Read the page of catena itself.
  catena man ~/.local/share/man/man1
      Write a page for every command.";

/// Prints the page of catena itself, or writes the pages of all commands into DIR.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The directory for the pages of all commands; without it, the first page is printed
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs) -> Result<u8, Failure> {
    let Some(folder) = &args.folder else {
        let mut page = Vec::new();
        Man::new(Cli::command()).render(&mut page).map_err(Failure::undetermined)?;
        return show(&String::from_utf8_lossy(&page));
    };
    if !folder.is_dir() {
        return Err(Failure::usage(format!("{}: not a directory", folder.display()))
            .next("create the directory first"));
    }
    clap_mangen::generate_to(Cli::command(), folder)
        .map_err(|cause| Failure::undetermined(format!("{}: {cause}", folder.display())))?;
    Ok(DONE)
}
