//! `catena fetch`: inputs, verified before a byte of them is used.

mod arguments;
mod chain;
mod codes;
mod exec;
mod git;
mod gpg;
mod lines;
mod mounts;
mod network;
mod order;
mod record;
mod repacking;
mod report;
mod staged;
mod static_url;
mod toolchain;
mod trust;
mod wanted;

pub(crate) use arguments::{EXAMPLES, FetchArgs};
pub(crate) use codes::{CODES, FetchCode};

use crate::cli::OutputOptions;
use crate::commands::verify::block_on;
use crate::failure::{DONE, Failure};
use crate::key_source::trust_config;
use crate::log;
use crate::progress::Screen;
use arguments::{CommonArgs, ExecArgs, Form, Format};
use catena::CancellationToken;
use catena_download::{Download, Downloader, Expected, Input, Place, Source, TaskRun, Wanted};
use catena_model::custody::Trust as Proof;
use catena_policy::Policy;
use http::HeaderMap;
use lines::{Lines, Suite};
use network::Network;
use order::{Order, Origin};
use report::Fetched;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use trust::{Judge, Vouched, name, pin};

/// What a form has fetched, and the command that is run then.
struct Done<'a> {
    files: Vec<Fetched>,
    exec: Option<&'a ExecArgs>,
}

pub(crate) fn run(mut args: FetchArgs, output_options: &OutputOptions) -> Result<u8, Failure> {
    let screen = Screen::new(output_options.verbose > 0);
    log::start(output_options, &screen)?;
    let settled = match &mut args.form {
        Some(Form::Toolchain(form)) => form.settle(),
        _ => Ok(()),
    };
    let fetched = settled.and_then(|()| fetched(&args, &screen));
    screen.finish();
    report(fetched, args.format())
}

/// Fetches what a form asks for.
fn fetched<'a>(args: &'a FetchArgs, screen: &Screen) -> Result<Done<'a>, Failure> {
    let lines = |suite| Lines::new(suite, screen.clone());
    match &args.form {
        None => {
            let wanted = wanted::of_arguments(args)?;
            artifacts(&wanted, Vec::new(), &args.dest, &args.common, &lines(Suite::None))
        }
        Some(Form::TaskArtifacts(form)) => {
            let wanted = wanted::of_moz_fetches(&form.moz_fetches)?;
            artifacts(&wanted, Vec::new(), &form.dest, &form.common, &lines(Suite::FetchContent))
        }
        Some(Form::StaticUrl(form)) => static_url::run(form, screen),
        Some(Form::GitCheckoutArchive(form)) => git::run(form, screen),
        Some(Form::Mounts(form)) => mounts::run(form, screen),
        Some(Form::Toolchain(form)) => toolchain::run(form, screen),
    }
}

/// Tells what was fetched or why not, and becomes the command that is run then.
fn report(fetched: Result<Done<'_>, Failure>, format: Format) -> Result<u8, Failure> {
    match (&fetched, format) {
        (Ok(done), Format::Text) => report::text(&done.files)?,
        (Ok(done), Format::Json) => report::json(Ok(&done.files))?,
        // The failure itself is told on standard error.
        (Err(_), Format::Text) => {}
        (Err(failure), Format::Json) => report::json(Err(failure))?,
    }
    match fetched?.exec {
        Some(exec) if exec.offline_exec => exec::become_command(exec).map(|()| DONE),
        _ => Ok(DONE),
    }
}

/// What is done with files once it is known what they must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    /// They are downloaded and put in place.
    Deliver,
    /// They are in place already, and are measured there.
    Check,
}

/// Fetches artifacts, and further files whose digests are known already.
fn artifacts<'a>(
    wanted: &[Wanted],
    further: Vec<Order>,
    dest: &Path,
    args: &'a CommonArgs,
    lines: &Lines,
) -> Result<Done<'a>, Failure> {
    verified(Task::Deliver, wanted, further, dest, args, lines)
}

/// The same, or for files that are there.
fn verified<'a>(
    task: Task,
    wanted: &[Wanted],
    further: Vec<Order>,
    dest: &Path,
    args: &'a CommonArgs,
    lines: &Lines,
) -> Result<Done<'a>, Failure> {
    // What can be seen to be wrong is said before anything is requested.
    wanted.iter().filter(|one| !one.is_pattern).try_for_each(|one| name(&one.name).map(drop))?;
    if dest.exists() && !dest.is_dir() {
        let what = format!("{} is not a directory", dest.display());
        return Err(Failure::usage(what).next("name the directory that the files go to with --dest"));
    }
    let trust_config = trust_config(&args.policy, args.keys.as_deref(), args.network.ca_file.as_deref())?;
    let judge = Judge::new(args, trust_config, wanted)?;
    let (fetched, interrupted) = block_on(async |cancellation| {
        let fetch = Fetch { task, dest, args, judge: &judge, lines, cancellation: &cancellation };
        let fetched = fetch.run(wanted, further).await?;
        Ok((fetched, cancellation.is_cancelled()))
    })?;
    let inputs = record::inputs(&fetched)?;
    args.record.as_ref().map(|file| record::write(file, &inputs)).transpose()?;
    args.claim.as_ref().map(|file| record::claim(file, &inputs)).transpose()?;
    lines.end();
    if interrupted && args.exec.offline_exec {
        let what = "interrupted when everything was in place; the command was not started";
        return Err(Failure::coded("fetch-interrupted", what).next("run the command again"));
    }
    Ok(Done { files: fetched, exec: Some(&args.exec) })
}

/// Work that a signal ends.
async fn until_interrupted<T>(
    cancellation: &CancellationToken,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    cancellation.run_until_cancelled(work).await.unwrap_or_else(|| Err(interrupted()))
}

fn interrupted() -> Failure {
    Failure::coded("fetch-interrupted", "interrupted before everything was there; nothing was put in place")
}

/// Where Taskcluster is, as it is said or as the policy says.
fn root_url(said: Option<&str>, policy: &Policy) -> Result<String, Failure> {
    let said = said.filter(|url| !url.is_empty());
    said.or(policy.root_url()).map(str::to_owned).ok_or_else(|| {
        Failure::usage("it is not known where Taskcluster is")
            .next("say so with --root-url URL or TASKCLUSTER_ROOT_URL, or in the policy (root-url)")
    })
}

/// How files are fetched.
struct Fetch<'a> {
    task: Task,
    dest: &'a Path,
    args: &'a CommonArgs,
    judge: &'a Judge,
    lines: &'a Lines,
    cancellation: &'a CancellationToken,
}

impl Fetch<'_> {
    async fn run(&self, wanted: &[Wanted], further: Vec<Order>) -> Result<Vec<Fetched>, Failure> {
        let Self { dest, args, judge, cancellation, .. } = *self;
        let deadline = network::deadline(&args.network);
        let transport = network::transport(&args.network)?;
        let options = network::options(&args.network);
        let downloader = Downloader::new(transport.clone(), options.clone());
        let mut orders = further;
        if !wanted.is_empty() {
            let root_url = root_url(args.network.root_url.as_deref(), judge.policy())?;
            let network = Network::open(&args.network, &root_url, transport, options, deadline)?;
            let ordered = ordered(wanted, args, judge, &network);
            orders.extend(until_interrupted(cancellation, ordered).await?);
        }
        match self.task {
            Task::Check => order::check(orders, dest),
            Task::Deliver => {
                let delivery = order::delivery(&args.network, args.allow_case_collisions, deadline)?;
                order::deliver(&downloader, orders, dest, &delivery, self.lines, cancellation).await
            }
        }
    }
}

/// What is to be downloaded, with the digests that are vouched for.
async fn ordered(
    wanted: &[Wanted],
    args: &CommonArgs,
    judge: &Judge,
    network: &Network,
) -> Result<Vec<Order>, Failure> {
    let pinned = pin(wanted, network).await?;
    let mut seen = BTreeSet::new();
    let runs = pinned.iter().map(|(_, run)| *run).filter(|run| seen.insert(*run));
    let runs: Vec<TaskRun> = runs.collect();
    let pinned: BTreeMap<Source, TaskRun> = pinned.into_iter().collect();
    let vouched = judge.vouch(&runs, args, network).await?;
    let mut orders = Vec::new();
    for wanted in wanted {
        let Some(run) = pinned.get(&wanted.source).copied() else { continue };
        let vouched = vouched.get(&run).unwrap_or(&Vouched::Nobody);
        for (name, digests) in vouched.select(run, wanted)? {
            let own = || name.as_str().rsplit('/').next().unwrap_or_default();
            let file = wanted.file.as_deref().unwrap_or_else(own);
            let place = Place::new(&wanted.directory, file)
                .map_err(|error| Failure::usage(error).next("name a `dest` below the destination"))?;
            let (url, beside) = network.artifact(run, &name)?;
            // Nobody vouches, but the caller gave a digest.
            let by_hash = !digests.is_empty() && vouched.proof() == Proof::None;
            let trust = if by_hash { Proof::Hash } else { vouched.proof() };
            let download = Download {
                url,
                credentials: network.credentials.clone(),
                headers: HeaderMap::new(),
                artifact: true,
                beside,
                expected: Expected { digests, length: None },
                limit: network.limits.artifact_bytes,
            };
            let input = Input { download, place, extract: wanted.extract };
            orders.push(Order { origin: Origin::Artifact { run, name }, trust, input });
        }
    }
    Ok(orders)
}
