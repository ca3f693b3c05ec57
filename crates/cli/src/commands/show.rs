//! `catena show`: the chain of a task as a tree.

use crate::cli::OutputOptions;
use crate::commands::verify::{ChainArgs, conclude};
use crate::failure::Failure;

pub(crate) const EXAMPLES: &str = "\
Examples:
  catena show TASK_ID --task-type signing --product firefox
      The chain of a finished task.
  catena show TASK_ID --task-type signing --product firefox --no-check-task -v
      Of a task that is about to run, with every link.
  catena show --replay case
      Of a recording, without a network.";

pub(crate) fn run(args: &ChainArgs, output_options: &OutputOptions) -> Result<u8, Failure> {
    conclude(args, None, output_options, |verdict, options| {
        format!("{}\n\n{}", catena_report::line(verdict), catena_report::tree(verdict, options))
    })
}
