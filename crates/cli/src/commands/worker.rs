//! `catena worker`: the daemon, and the check of its configuration.

mod setup;

pub(crate) use setup::SetupArgs;

use crate::failure::{DONE, Failure, USAGE};
use crate::output::show;
use catena_report::escape;
use catena_signing::Signer;
use catena_taskcluster::ClientOptions;
use catena_worker::config::{Checked, Config, DEFAULT_FILE};
use catena_worker::gate::{Gate, Open};
use catena_worker::log::Log;
use catena_worker::queue::TaskclusterQueue;
use catena_worker::script::{Launcher, adopt_orphans, hide_memory};
use catena_worker::signals::Signals;
use catena_worker::startup;
use catena_worker::worker::{Exit, Worker};
use clap::{Args, Subcommand};
use setup::{contents, seed};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

pub(crate) const EXAMPLES: &str = "\
Examples:
  catena worker scriptworker.yaml
      Claim tasks, verify their chains, run them, sign and upload what they made, until SIGTERM
      (stop the task) or SIGUSR1 (finish the task).
  catena worker check scriptworker.yaml
      Say everything that is wrong with a configuration, and what Catena does not read.

The configuration is scriptworker's, YAML or JSON. docs/worker.md explains it.

Exit status:
  0  ended as it was told
  1  the configuration cannot be used, or the worker cannot start
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
    /// Start even though scripts can read the signing key
    #[arg(long)]
    danger_expose_key: bool,
}

pub(crate) fn run(args: &WorkerArgs) -> Result<u8, Failure> {
    match &args.command {
        Some(WorkerCommand::Check(args)) => check(args),
        None => work(&args.run),
    }
}

fn check(args: &RunArgs) -> Result<u8, Failure> {
    let runtime = runtime()?;
    let (config, mut lines) = args.setup.read(&args.config)?;
    if let Some(config) = &config
        && let Err(wrong) = runtime.block_on(startup::check(config, &launcher(args, config)?))
    {
        lines.extend(wrong);
        show_lines(&lines, "cannot be used")?;
        return Ok(USAGE);
    }
    let (status, answer) = if config.is_some() { (DONE, "can be used") } else { (USAGE, "cannot be used") };
    show_lines(&lines, &format!("{}: {answer}", args.config.display()))?;
    Ok(status)
}

fn show_lines(lines: &[String], answer: &str) -> Result<u8, Failure> {
    let lines = lines.iter().map(String::as_str).chain([answer]);
    show(&lines.map(|line| format!("{}\n", escape::line(line))).collect::<String>())
}

fn work(args: &RunArgs) -> Result<u8, Failure> {
    let runtime = runtime()?;
    // Before anything else: a signal that comes earlier ends the process where it stands.
    let signals = runtime.block_on(async { Signals::listen() }).map_err(Failure::undetermined)?;
    adopt_orphans();
    hide_memory();
    let (config, lines) = args.setup.read(&args.config)?;
    let Some(config) = config else { return Ok(unusable(&lines)) };
    let launcher = launcher(args, &config)?;
    let signer = match runtime.block_on(startup::check(&config, &launcher)) {
        Ok(signer) => signer.map(|signer| Arc::new(signer) as Arc<dyn Signer + Send + Sync>),
        Err(wrong) => return Ok(unusable(&wrong)),
    };
    let log = Log::open(&config.directories.logs, config.log.clone())
        .map_err(|error| Failure::undetermined(format!("{}: {error}", config.directories.logs.display())))?;
    log.info(format!("Catena worker {} starting up", env!("CARGO_PKG_VERSION")));
    lines.iter().for_each(|line| log.warning(line));
    let transport = args.setup.transport()?;
    let gate: Arc<dyn Gate> = match &config.trust {
        None => Arc::new(Open),
        Some(trust) => Arc::new(args.setup.chain_gate(&config, trust, transport.clone())?),
    };
    let options = ClientOptions {
        danger_allow_http: args.setup.danger_allow_http,
        seed: seed(),
        ..ClientOptions::default()
    };
    let queue = TaskclusterQueue::new(transport, &config, options, log.clone()).map_err(Failure::usage)?;
    let queue = Arc::new(queue);
    let worker =
        Worker { config, queue, gate, launcher, signer, log: log.clone(), temporary: std::env::temp_dir() };
    let exit = runtime.block_on(async { worker.run(signals.into_orders(log)).await });
    Ok(if exit == Exit::Told { DONE } else { UNUSABLE })
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

/// What starts scripts; and whether services may be asked at all.
fn launcher(args: &RunArgs, config: &Config) -> Result<Launcher, Failure> {
    args.setup.protected(config)?;
    let program =
        std::env::current_exe().map_err(|cause| Failure::undetermined(format!("own program: {cause}")))?;
    Ok(Launcher {
        program,
        hide: config.private_key.clone().filter(|_| !args.danger_expose_key),
        grace: Duration::from_secs(args.kill_grace.into()),
        inherit_stdin: args.inherit_stdin,
    })
}
