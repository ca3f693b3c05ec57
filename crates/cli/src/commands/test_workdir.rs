//! `catena create-test-workdir`: the directory that a script finds when it runs a task, for a test by hand.

use super::worker::{SetupArgs, runtime, seed};
use super::worker_tools::NOT_VALID;
use crate::failure::{DONE, Failure};
use catena::Options;
use catena_download::{Downloader, Queue};
use catena_model::Limits;
use catena_model::task::TaskId;
use catena_policy::Policy;
use catena_report::escape;
use catena_taskcluster::RootUrl;
use catena_worker::config::found_credentials;
use catena_worker::inputs::{Check, InputFetcher};
use clap::Args;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// How long everything may take.
const LIMIT: Duration = Duration::from_secs(3600);

/// Which task, and where its directory goes.
#[derive(Debug, Args)]
pub(crate) struct TestWorkdirArgs {
    /// The task
    #[arg(value_name = "TASK_ID")]
    task_id: String,
    /// The directory
    #[arg(long, value_name = "DIR", default_value = "work")]
    path: PathBuf,
    /// Replace a directory that exists
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    setup: SetupArgs,
}

/// Writes the definition and the inputs of a task. Each input has the digest that the document of its run names;
/// the signature of that document is not verified.
pub(crate) fn run(args: &TestWorkdirArgs) -> Result<u8, Failure> {
    let task_id = TaskId::parse(&args.task_id).map_err(Failure::usage)?;
    if args.path.symlink_metadata().is_ok() && !args.overwrite {
        eprintln!("{} exists and is not deleted without --overwrite", args.path.display());
        return Ok(NOT_VALID);
    }
    let failed = |what: String| Failure::with_status(NOT_VALID, what);
    let parent = args.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let staging = std::fs::create_dir_all(parent).and_then(|()| tempfile::tempdir_in(parent));
    let staging = staging.map_err(|cause| failed(format!("{}: {cause}", parent.display())))?;
    let work = staging.path().join("work");
    let inputs = runtime()?.block_on(fill(task_id, &work, &args.setup))?;
    put_in_place(&work, &args.path).map_err(|cause| failed(format!("{}: {cause}", args.path.display())))?;
    for input in inputs {
        let input = input.strip_prefix(&work).map_or(input.clone(), |below| args.path.join(below));
        eprintln!("{}", escape::line(&input.display().to_string()));
    }
    eprintln!("Done.");
    Ok(DONE)
}

/// Fills a new directory; returns its inputs.
async fn fill(task_id: TaskId, work: &Path, setup: &SetupArgs) -> Result<Vec<PathBuf>, Failure> {
    let failed = |what: &dyn std::fmt::Display| Failure::with_status(NOT_VALID, what);
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let options = Options { danger_allow_http: setup.danger_allow_http, seed: seed(), ..Options::default() };
    let fetcher = InputFetcher {
        downloader: Downloader::new(setup.transport()?, options),
        root: root_url(variable("TASKCLUSTER_ROOT_URL"))?,
        credentials: found_credentials(&variable).map_err(Failure::usage)?,
        limits: Limits::default(),
    };
    let deadline = Instant::now().checked_add(LIMIT).unwrap_or_else(Instant::now);
    let scratch = tempfile::tempdir().map_err(|cause| failed(&cause))?;
    let queue = Queue {
        downloader: &fetcher.downloader,
        root: &fetcher.root,
        credentials: fetcher.credentials.as_ref(),
        scratch: scratch.path(),
        limits: &fetcher.limits,
        deadline,
    };
    let task = queue.definition(task_id).await.map_err(|error| failed(&error))?;
    std::fs::create_dir(work).map_err(|cause| failed(&cause))?;
    std::fs::write(work.join("task.json"), catena_signing::python_json(&task))
        .map_err(|cause| failed(&cause))?;
    fetcher.fetch(&task, work, Check::Document, deadline).await.map_err(|error| failed(&error))
}

fn root_url(named: Option<String>) -> Result<RootUrl, Failure> {
    let policy = Policy::shipped()
        .map_err(|diagnostics| Failure::diagnostics("the policy cannot be used:", &diagnostics))?;
    let text = named.or_else(|| policy.root_url().map(str::to_owned)).unwrap_or_default();
    RootUrl::parse(&text).map_err(|error| Failure::usage(error).next("set TASKCLUSTER_ROOT_URL"))
}

/// Moves a complete directory to its place. What stood there is removed only now.
fn put_in_place(work: &Path, path: &Path) -> std::io::Result<()> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => std::fs::remove_dir_all(path)?,
        Ok(_) => std::fs::remove_file(path)?,
        Err(_) => {}
    }
    std::fs::rename(work, path)
}
