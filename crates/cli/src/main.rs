//! `catena`: Taskcluster's Chain of Trust on the command line. It parses arguments, calls the other crates and
//! prints.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod cache_options;
mod cli;
mod commands;
mod failure;
mod key_source;
mod log;
mod output;
mod progress;

use catena_worker::script;
use clap::Parser;
use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // The worker starts this program again to run a script: this happens first, and is not a public
    // command.
    if let [_, command, order @ ..] = arguments.as_slice()
        && command == script::COMMAND
    {
        return ExitCode::from(script::launch(order));
    }
    let cli = cli::Cli::parse_from(commands::worker_tools::by_link(arguments));
    match commands::run(cli) {
        Ok(status) => ExitCode::from(status),
        Err(failure) => failure.tell(),
    }
}
