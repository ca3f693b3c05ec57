//! `catena sign`: the Chain of Trust document of a run, and its signature.

use super::keys::key;
use crate::failure::Failure;
use crate::output::show;
use catena_core::task::TaskId;
use catena_signing::{
    CommandSigner, Document, Environment, LocalSigner, Run, Signer, Style, TaskDefinition, measure,
    write_signed,
};
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) const EXAMPLES: &str = "\
Example:
  catena sign --task task.json --task-id IFn9x5gaQz-HXl2pa7Ny_w --run 0 --worker-group us-central1 \\
      --worker-id i-0123 --artifacts artifacts --key signing.key

Measures every file below the artifact directory and writes public/chain-of-trust.json and
public/chain-of-trust.json.sig there, byte for byte as generic-worker or scriptworker writes them.

A signer is a program that is started without a shell. It reads the document from standard input
until its end, and writes two lines to standard output: the raw public key and the raw signature,
each in base64. It must end within 60 seconds, with status 0.";

/// No task definition and no description of a machine is larger.
const LARGEST: u64 = 32 << 20;
/// How long a signer may take.
const SIGNER_LIMIT: Duration = Duration::from_secs(60);

/// What is signed, and with which key.
#[derive(Debug, Args)]
pub(crate) struct SignArgs {
    /// The task's definition, as the queue gave it to the worker (JSON)
    #[arg(long, value_name = "FILE")]
    task: PathBuf,
    /// The task
    #[arg(long, value_name = "ID", value_parser = parse_task_id)]
    task_id: TaskId,
    /// The run
    #[arg(long, value_name = "N")]
    run: u32,
    /// The worker's group
    #[arg(long, value_name = "GROUP")]
    worker_group: String,
    /// The worker
    #[arg(long, value_name = "ID")]
    worker_id: String,
    /// The worker type that scriptworker writes [default: the definition's]
    #[arg(long, value_name = "TYPE")]
    worker_type: Option<String>,
    /// The directory of the task's artifacts
    #[arg(long, value_name = "DIR")]
    artifacts: PathBuf,
    /// The file of the private key
    #[arg(long, value_name = "FILE", required_unless_present = "signer", conflicts_with = "signer")]
    key: Option<PathBuf>,
    /// A program that signs, and its arguments, divided by spaces
    #[arg(long, value_name = "COMMAND")]
    signer: Option<OsString>,
    /// Whose bytes are written: generic-worker or scriptworker
    #[arg(long, value_enum, default_value_t, value_name = "STYLE", hide_possible_values = true)]
    style: StyleName,
    /// generic-worker's description of the machine: publicIpAddress, privateIpAddress, instanceId,
    /// instanceType, region (JSON)
    #[arg(long, value_name = "FILE")]
    environment: Option<PathBuf>,
    /// What generic-worker merges from chain-of-trust-additional-data.json, such as hashes of a
    /// docker image (JSON)
    #[arg(long, value_name = "FILE")]
    additional_data: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum StyleName {
    #[default]
    GenericWorker,
    Scriptworker,
}

fn parse_task_id(text: &str) -> Result<TaskId, String> {
    TaskId::parse(text).map_err(|error| error.to_string())
}

pub(crate) fn run(arguments: &SignArgs) -> Result<u8, Failure> {
    let task =
        TaskDefinition::parse(&read(&arguments.task)?).map_err(|error| wrong(&arguments.task, &error))?;
    let environment = environment(arguments)?;
    // A key that cannot be used is told before anything is measured.
    let signer = signer(arguments)?;
    let measured = measure(&arguments.artifacts).map_err(|error| wrong(&arguments.artifacts, &error))?;
    let worker_type = match &arguments.worker_type {
        Some(worker_type) => worker_type.clone(),
        None => task.value().get("workerType").and_then(|text| text.as_str()).unwrap_or_default().to_owned(),
    };
    let run = Run {
        task_id: arguments.task_id.to_string(),
        run_id: arguments.run,
        worker_group: arguments.worker_group.clone(),
        worker_id: arguments.worker_id.clone(),
        worker_type,
    };
    let count = measured.len();
    let style = match arguments.style {
        StyleName::GenericWorker => Style::GenericWorker,
        StyleName::Scriptworker => Style::Scriptworker,
    };
    let document = Document { task, run, artifacts: measured, environment }.to_bytes(style);
    let (key, signature) = signer.sign(&document).map_err(Failure::undetermined)?;
    write_signed(&arguments.artifacts, &document, &signature).map_err(|cause| {
        Failure::undetermined(format!(
            "cannot write the document below {}: {cause}",
            arguments.artifacts.display()
        ))
    })?;
    show(&format!(
        "Signed run {} of {}: {count} artifacts, {} bytes, with the key {key}.\n",
        arguments.run,
        arguments.task_id,
        document.len()
    ))
}

fn environment(arguments: &SignArgs) -> Result<Environment, Failure> {
    let environment = match &arguments.environment {
        Some(file) => Environment::parse(&read(file)?).map_err(|error| wrong(file, &error))?,
        None => Environment::default(),
    };
    match &arguments.additional_data {
        Some(file) => environment.with_additional_data(&read(file)?).map_err(|error| wrong(file, &error)),
        None => Ok(environment),
    }
}

fn signer(arguments: &SignArgs) -> Result<Box<dyn Signer>, Failure> {
    let Some(command) = &arguments.signer else {
        let file = arguments.key.as_deref().unwrap_or(Path::new(""));
        return Ok(Box::new(LocalSigner::new(key(file)?)));
    };
    let command = command.to_str().ok_or_else(|| Failure::usage("--signer is not UTF-8"))?;
    let mut words = command.split_whitespace().map(OsString::from);
    let program = words.next().ok_or_else(|| Failure::usage("--signer names no program"))?;
    Ok(Box::new(CommandSigner::new(program, words.collect(), SIGNER_LIMIT)))
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    File::open(file)
        .and_then(|opened| opened.take(LARGEST.saturating_add(1)).read_to_end(&mut content))
        .map_err(|cause| Failure::usage(format!("{}: {cause}", file.display())))?;
    if u64::try_from(content.len()).unwrap_or(u64::MAX) > LARGEST {
        return Err(Failure::usage(format!("{} has more than {LARGEST} bytes", file.display())));
    }
    Ok(content)
}

fn wrong(file: &Path, error: &dyn std::error::Error) -> Failure {
    Failure::usage(format!("{}: {error}", file.display()))
}
