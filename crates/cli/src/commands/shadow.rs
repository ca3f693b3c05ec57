//! `catena shadow`: verification beside a running scriptworker, which it never changes.

use super::worker::{SetupArgs, runtime};
use crate::failure::{DONE, Failure};
use crate::output::show;
use catena_model::task::TaskId;
use catena_report::shadow::{Comparison, Reference, ShadowLine, ShadowSum, Subject};
use clap::{Args, Subcommand, ValueEnum};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) const EXAMPLES: &str = "\
Examples:
  catena shadow TASK --config scriptworker.yaml --expect pass
      Verify TASK as a worker of this configuration would, and compare the result with scriptworker's.
  catena shadow TASK --config FILE --reference-log chain_of_trust.log --output shadow.jsonl
      Compare check by check, and append one line of JSON.
  catena shadow report shadow.jsonl
      Sum up many comparisons.

Nothing of the task, of the queue and of scriptworker is changed, and nothing is kept of what is fetched.

Exit status:
  0  compared, whatever the result
  2  usage error, or a configuration that cannot be used
  3  the line could not be written";

/// A log is read up to so many bytes. The largest known has 20 MB.
const LARGEST_LOG: u64 = 256 << 20;
/// Bytes of one line of a comparison.
const LONGEST_LINE: u64 = 1 << 20;

/// What is compared.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct ShadowArgs {
    #[command(subcommand)]
    command: Option<ShadowCommand>,
    #[command(flatten)]
    compare: CompareArgs,
}

/// What else can be done.
#[derive(Debug, Subcommand)]
enum ShadowCommand {
    /// Sum up many comparisons
    Report(ReportArgs),
}

/// One comparison.
#[derive(Debug, Args)]
struct CompareArgs {
    /// The task
    #[arg(value_name = "TASK", required = true)]
    task_id: Option<String>,
    /// The configuration of the worker that runs the task
    #[arg(long, value_name = "FILE", required = true)]
    config: Option<PathBuf>,
    /// The result of scriptworker
    #[arg(long, value_enum, value_name = "RESULT", conflicts_with = "reference_log")]
    expect: Option<Expected>,
    /// The chain_of_trust.log of scriptworker
    #[arg(long, value_name = "FILE", required_unless_present = "expect")]
    reference_log: Option<PathBuf>,
    /// Append the line to FILE instead of printing it
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Seconds that the verification may take
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    deadline: u32,
    #[command(flatten)]
    setup: SetupArgs,
}

/// A result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Expected {
    /// The chain is verified
    Pass,
    /// The chain is refused
    Fail,
}

/// Many comparisons.
#[derive(Debug, Args)]
struct ReportArgs {
    /// Files of lines
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The form of the report: text, json
    #[arg(long, value_enum, default_value_t, value_name = "FORM", hide_possible_values = true)]
    format: Format,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

pub(crate) fn run(args: &ShadowArgs) -> Result<u8, Failure> {
    let CompareArgs { task_id, config, .. } = &args.compare;
    match (&args.command, task_id, config) {
        (Some(ShadowCommand::Report(args)), ..) => report(args),
        (None, Some(task_id), Some(config)) => compare(task_id, config, &args.compare),
        (None, ..) => Err(Failure::usage("no task").next("name a task, or `report` and its files")),
    }
}

fn compare(task_id: &str, file: &Path, args: &CompareArgs) -> Result<u8, Failure> {
    let task_id = TaskId::parse(task_id).map_err(Failure::usage)?;
    let reference = match (&args.reference_log, args.expect) {
        (Some(file), _) => read_log(file)?,
        (None, expected) => Reference::without_log(expected == Some(Expected::Pass)),
    };
    let (config, lines) = args.setup.read(file, 1)?;
    let config = config.ok_or_else(|| {
        Failure::usage(lines.join("\n")).next("`catena worker check CONFIG` lists everything that is wrong")
    })?;
    let trust = config.trust.as_ref().ok_or_else(|| {
        Failure::usage(format!("{}: verify_chain_of_trust is off", file.display()))
            .next("use a configuration that verifies")
    })?;
    args.setup.protected(&config)?;
    let gate = args.setup.chain_gate(&config, trust, args.setup.transport()?)?;
    let limit = Duration::from_secs(args.deadline.into());
    let verdict = runtime()?.block_on(gate.judge(task_id, limit)).map_err(|error| error.to_string());
    let subject = Subject {
        task_id,
        product: trust.product.name.clone(),
        kind: trust.kind.clone(),
        time: catena_model::Timestamp::now(),
    };
    let verdict = verdict.as_ref().map_err(String::as_str);
    let line = Comparison { subject: &subject, verdict, reference: &reference }.line();
    match &args.output {
        None => show(&line),
        Some(file) => append(file, &line).map(|()| DONE),
    }
}

fn read_log(file: &Path) -> Result<Reference, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|log| log.take(LARGEST_LOG).read_to_end(&mut bytes));
    read.map_err(|cause| {
        Failure::usage(format!("{}: {cause}", file.display())).next("name a log that can be read")
    })?;
    Ok(Reference::read_log(&String::from_utf8_lossy(&bytes)))
}

/// One write, so that lines of several processes do not mix.
fn append(file: &Path, line: &str) -> Result<(), Failure> {
    let written = File::options()
        .create(true)
        .append(true)
        .open(file)
        .and_then(|mut file| file.write_all(line.as_bytes()));
    written.map_err(|cause| {
        Failure::undetermined(format!("{}: {cause}", file.display())).next("name a file that can be written")
    })
}

fn report(args: &ReportArgs) -> Result<u8, Failure> {
    let mut sum = ShadowSum::default();
    for file in &args.files {
        let wrong = |what: String| Failure::usage(format!("{}: {what}", file.display()));
        let mut reader = BufReader::new(File::open(file).map_err(|cause| wrong(cause.to_string()))?);
        for number in 1_u64.. {
            let mut line = String::new();
            let read = reader.by_ref().take(LONGEST_LINE).read_line(&mut line);
            if read.map_err(|cause| wrong(cause.to_string()))? == 0 {
                break;
            }
            sum.add(ShadowLine::parse(line.trim_end()).map_err(|error| {
                wrong(format!("line {number}: {error}")).next("name files that `catena shadow` wrote")
            })?);
        }
    }
    show(&if args.format == Format::Json { sum.json() } else { sum.text() })
}
