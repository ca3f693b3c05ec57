//! `catena`: Taskcluster's Chain of Trust on the command line. It parses arguments, calls the other crates and
//! prints.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod cache_options;
mod cli;
mod commands;
mod failure;
mod log;
mod output;
mod progress;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match commands::run(cli) {
        Ok(status) => ExitCode::from(status),
        Err(failure) => failure.tell(),
    }
}
