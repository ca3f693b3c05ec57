//! `catena worker`: the daemon, and the check of its configuration.

mod daemon;
mod probe;
mod setup;
mod slots;

pub(crate) use setup::{SetupArgs, seed};

use crate::cli::OutputOptions;
use crate::failure::{DONE, Failure, USAGE};
use crate::output::show;
use catena_report::escape;
use catena_worker::config::{Checked, Config, DEFAULT_FILE};
use catena_worker::startup;
use clap::{Args, Subcommand};
use setup::contents;
use std::path::{Path, PathBuf};
use tokio::runtime::Runtime;

pub(crate) const EXAMPLES: &str = "\
Examples:
  catena worker scriptworker.yaml
      Claim tasks, verify their chains, run them, sign and upload what they made, until SIGTERM
      (stop the task) or SIGUSR1 (finish the task).
  catena worker check scriptworker.yaml
      Say everything that is wrong with a configuration, and what Catena does not read.
  catena worker probe --ready scriptworker.yaml
      Ask the worker of this configuration whether it takes tasks.

The configuration is scriptworker's, YAML or JSON. docs/worker.md explains it.

Exit status:
  0  ended as it was told; for probe: the worker is healthy, or takes tasks
  1  the configuration cannot be used, the worker cannot start, or it stopped claiming; for probe: it is not healthy or not ready
  2  wrong usage; for check: the configuration cannot be used";

/// The configuration cannot be used, or the worker cannot start: scriptworker's status for it.
const UNUSABLE: u8 = 1;
/// The last word of scriptworker when it does not start.
const EXITING: &str = "Exiting...";

/// How to work.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct WorkerArgs {
    #[command(subcommand)]
    command: Option<WorkerCommand>,
    #[command(flatten)]
    run: RunArgs,
}

/// What else can be done with a configuration.
#[derive(Debug, Subcommand)]
enum WorkerCommand {
    /// Say everything that is wrong with a configuration, and what is not read, and why
    Check(RunArgs),
    /// Ask a running worker whether it is healthy, through metrics_address
    Probe(probe::ProbeArgs),
}

/// A configuration, and what it cannot say because scriptworker would refuse it.
#[derive(Debug, Args)]
struct RunArgs {
    /// The configuration
    #[arg(value_name = "CONFIG", default_value = DEFAULT_FILE)]
    config: PathBuf,
    #[command(flatten)]
    setup: SetupArgs,
    /// Seconds that a script has between SIGTERM and SIGKILL
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    kill_grace: u16,
    /// Let scripts inherit standard input instead of an empty one
    #[arg(long)]
    inherit_stdin: bool,
    /// Start even though scripts can read the signing key and change the directories of other slots
    #[arg(long)]
    danger_expose_key: bool,
    /// The slot, from 1, of a worker with a capacity of several tasks
    #[arg(long, value_name = "NUMBER", hide = true)]
    slot: Option<u32>,
}

pub(crate) fn run(args: &WorkerArgs, output_options: &OutputOptions) -> Result<u8, Failure> {
    match &args.command {
        Some(WorkerCommand::Check(args)) => check(args),
        Some(WorkerCommand::Probe(args)) => probe::run(args),
        None => daemon::run(&args.run, output_options),
    }
}

/// Checks the configuration of every slot.
fn check(args: &RunArgs) -> Result<u8, Failure> {
    let runtime = runtime()?;
    let (mut lines, mut is_usable, mut slot) = (Vec::new(), true, 1);
    loop {
        let (config, told) = args.setup.read(&args.config, slot)?;
        // What is wrong with each slot is said once.
        for line in told {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        let Some(config) = config else {
            is_usable = false;
            break;
        };
        if let Err(wrong) = runtime.block_on(startup::check(&config, &daemon::launcher(args, &config)?)) {
            lines.extend(wrong);
            is_usable = false;
        }
        if slot >= config.capacity {
            break;
        }
        slot = slot.saturating_add(1);
    }
    let (status, answer) = if is_usable { (DONE, "can be used") } else { (USAGE, "cannot be used") };
    show_lines(&lines, &format!("{}: {answer}", args.config.display()))?;
    Ok(status)
}

fn show_lines(lines: &[String], answer: &str) -> Result<u8, Failure> {
    let lines = lines.iter().map(String::as_str).chain([answer]);
    show(&lines.map(|line| format!("{}\n", escape::line(line))).collect::<String>())
}

/// What a configuration says about trust, as a policy layer. Nothing else of it has to be right.
pub(crate) fn trust_layer(file: &Path) -> Result<String, Failure> {
    let text = contents(file).map_err(|cause| {
        Failure::usage(format!("{}: {cause}", file.display())).next("name a file that exists and can be read")
    })?;
    let Checked { layer, problems, .. } = Config::read(file, &text, &[], &|_| None);
    if layer.is_empty() {
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let what = format!("{} says nothing about trust:\n{}", file.display(), told.join("\n"));
        return Err(Failure::usage(what).next("see whether it has cot_product"));
    }
    Ok(layer)
}

/// Tells what is wrong, as scriptworker does.
fn unusable(lines: &[String]) -> u8 {
    lines.iter().for_each(|line| eprintln!("{}", escape::line(line)));
    if lines.last().is_none_or(|line| !line.ends_with(EXITING)) {
        eprintln!("{EXITING}");
    }
    UNUSABLE
}

pub(crate) fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|cause| Failure::undetermined(format!("cannot start: {cause}")))
}
