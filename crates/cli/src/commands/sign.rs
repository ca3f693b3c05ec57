//! `catena sign`: the Chain of Trust document of a run, and its signature.

use super::keys::key;
use crate::failure::Failure;
use crate::output::{counted, show};
use catena_keys::PublicKey;
use catena_model::custody::PinnedInputs;
use catena_model::task::TaskId;
use catena_signing::{
    AgentSigner, CommandSigner, Document, Environment, Facts, LocalSigner, Run, Signer, Style,
    TaskDefinition, measure, write_signed,
};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
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
public/chain-of-trust.json.sig there, byte for byte as generic-worker or scriptworker writes them,
with one further member: the record of custody. --no-custody leaves it out.

A signer is a program that is started without a shell. It reads the document from standard input
until its end, and writes two lines to standard output: the raw public key and the raw signature,
each in base64. It must end within 60 seconds, with status 0. It is asked for its key first, with empty
input; then the first line is enough. An agent is named unix:PATH (catena keys agent).";

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
    #[command(flatten)]
    signer: SignerArgs,
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
    /// What the task consumed, as `catena fetch --record` writes it (JSON)
    #[arg(long, value_name = "FILE", conflicts_with = "no_custody")]
    inputs: Option<PathBuf>,
    /// What the worker itself knows: worker, creatorClientId, image, artifacts (JSON)
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// When the document is signed [default: now]
    #[arg(long, value_name = "TIME", conflicts_with = "no_custody")]
    signed_at: Option<Timestamp>,
    /// Write exactly what today's workers write, without the record of custody
    #[arg(long)]
    no_custody: bool,
}

/// What signs.
#[derive(Debug, Args)]
pub(crate) struct SignerArgs {
    /// The file of the private key
    #[arg(long, value_name = "FILE", required_unless_present = "signer", conflicts_with = "signer")]
    key: Option<PathBuf>,
    /// A program that signs, and its arguments, divided by spaces; or unix:PATH, an agent
    #[arg(long, value_name = "COMMAND")]
    signer: Option<OsString>,
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
    // A key that cannot be used is told before anything is measured.
    let signer = arguments.signer.open()?;
    let key = match arguments.no_custody {
        true => None,
        false => Some(signer.public_key().map_err(Failure::undetermined)?),
    };
    let document = document(arguments, key.as_ref())?;
    let artifacts = counted(document.artifacts.len(), "artifact", "artifacts");
    let document = document.to_bytes(match arguments.style {
        StyleName::GenericWorker => Style::GenericWorker,
        StyleName::Scriptworker => Style::Scriptworker,
    });
    let (signer_key, signature) = signer.sign(&document).map_err(Failure::undetermined)?;
    if key.is_some_and(|key| key != signer_key) {
        let what = "the signer named one key and signed with a different one";
        return Err(Failure::undetermined(what).next("sign again"));
    }
    write_signed(&arguments.artifacts, &document, &signature).map_err(|cause| {
        Failure::undetermined(format!(
            "cannot write the document below {}: {cause}",
            arguments.artifacts.display()
        ))
    })?;
    let sha256 = hex::encode(Sha256::digest(&document));
    tracing::info!(task = %arguments.task_id, run = arguments.run, key = %signer_key, sha256, "signed a document");
    show(&format!(
        "Signed run {} of {}: {artifacts}, {} bytes, with the key {signer_key}.\n",
        arguments.run,
        arguments.task_id,
        document.len()
    ))
}

/// What is to be signed, with a record of custody if a key is named for it.
fn document(arguments: &SignArgs, key: Option<&PublicKey>) -> Result<Document, Failure> {
    let task = TaskDefinition::parse(&read(&arguments.task, LARGEST)?)
        .map_err(|error| wrong(&arguments.task, &error))?;
    let facts = read_optional(arguments.facts.as_deref(), Facts::parse)?;
    let inputs = read_optional(arguments.inputs.as_deref(), PinnedInputs::parse)?;
    let environment = environment(arguments, &facts)?;
    let artifacts = measure(&arguments.artifacts).map_err(|error| wrong(&arguments.artifacts, &error))?;
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
    let facts = match arguments.style {
        // What generic-worker uploads has the types of the payload.
        StyleName::GenericWorker => facts,
        StyleName::Scriptworker => facts.with_usual_uploads(artifacts.keys()),
    };
    let document = Document { task, run, artifacts, environment, custody: None };
    let Some(key) = key else { return Ok(document) };
    let signed_at = arguments.signed_at.unwrap_or_else(Timestamp::now);
    document.with_custody(&facts, inputs, key, signed_at).map_err(Failure::usage)
}

fn environment(arguments: &SignArgs, facts: &Facts) -> Result<Environment, Failure> {
    let environment = read_optional(arguments.environment.as_deref(), Environment::parse)?;
    let environment = match &facts.image {
        Some(image) => environment.with_image(image.clone()),
        None => environment,
    };
    match &arguments.additional_data {
        Some(file) => {
            environment.with_additional_data(&read(file, LARGEST)?).map_err(|error| wrong(file, &error))
        }
        None => Ok(environment),
    }
}

impl SignerArgs {
    /// A key that cannot be used is an error here; a program or an agent is first asked when it signs.
    pub(crate) fn open(&self) -> Result<Box<dyn Signer>, Failure> {
        let Some(command) = &self.signer else {
            let file = self.key.as_deref().unwrap_or(Path::new(""));
            return Ok(Box::new(LocalSigner::new(key(file)?)));
        };
        let command = command.to_str().ok_or_else(|| Failure::usage("--signer is not UTF-8"))?;
        if let Some(path) = command.strip_prefix("unix:") {
            return Ok(Box::new(AgentSigner::new(path, SIGNER_LIMIT)));
        }
        let mut words = command.split_whitespace().map(OsString::from);
        let program = words.next().ok_or_else(|| Failure::usage("--signer names no program"))?;
        Ok(Box::new(CommandSigner::new(program, words.collect(), SIGNER_LIMIT)))
    }
}

/// What a file says; nothing where none is named.
fn read_optional<T: Default, E: std::error::Error>(
    file: Option<&Path>,
    parse: impl FnOnce(&[u8]) -> Result<T, E>,
) -> Result<T, Failure> {
    let Some(file) = file else { return Ok(T::default()) };
    parse(&read(file, LARGEST)?).map_err(|error| wrong(file, &error))
}

/// The content of a file of at most so many bytes.
pub(crate) fn read(file: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    File::open(file)
        .and_then(|opened| opened.take(most.saturating_add(1)).read_to_end(&mut content))
        .map_err(|cause| Failure::usage(format!("{}: {cause}", file.display())))?;
    if u64::try_from(content.len()).unwrap_or(u64::MAX) > most {
        return Err(Failure::usage(format!("{} has more than {most} bytes", file.display())));
    }
    Ok(content)
}

fn wrong(file: &Path, error: &dyn std::error::Error) -> Failure {
    Failure::usage(format!("{}: {error}", file.display()))
}
