//! `catena fetch`: inputs, verified before a byte of them is used.

mod arguments;
mod chain;
mod exec;
mod network;
mod record;
mod report;
mod static_url;
mod toolchain;
mod trust;
mod wanted;

pub(crate) use arguments::{EXAMPLES, FetchArgs};

use crate::cli::OutputOptions;
use crate::commands::verify::block_on;
use crate::failure::{DONE, Failure};
use crate::key_source::trust_config;
use crate::log;
use crate::progress::Screen;
use arguments::{CommonArgs, Form, NetworkArgs};
use catena_download::{Delivery, Download, Expected, Input, Place, TaskRun, deliver};
use catena_extract::Options as ExtractOptions;
use catena_model::custody::Trust as Proof;
use catena_policy::Policy;
use http::HeaderMap;
use network::Network;
use report::{Fetched, Lines};
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;
use trust::{Judge, Vouched, pin};
use wanted::Wanted;

/// Downloads at the same time: enough for small files to share what each waits for.
const JOBS: usize = 16;

pub(crate) fn run(args: FetchArgs, output_options: &OutputOptions) -> Result<u8, Failure> {
    let screen = Screen::new(output_options.verbose > 0);
    log::start(output_options, &screen)?;
    let fetched = match &args.form {
        None => artifacts(&Wanted::of(&args)?, &args.dest, &args.common, Style::Own, &screen),
        Some(Form::TaskArtifacts(form)) => {
            let wanted = Wanted::of_moz_fetches(&form.moz_fetches)?;
            artifacts(&wanted, &form.dest, &form.common, Style::FetchContent, &screen)
        }
        Some(Form::StaticUrl(form)) => static_url::run(form, &screen).map(|()| DONE),
        Some(Form::Toolchain(form)) => toolchain::run(form, &screen),
    };
    screen.finish();
    fetched
}

/// How it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// A line for each file on standard output.
    Own,
    /// As fetch-content tells it, on standard error, beside that.
    FetchContent,
}

fn artifacts(
    wanted: &[Wanted],
    dest: &Path,
    args: &CommonArgs,
    style: Style,
    screen: &Screen,
) -> Result<u8, Failure> {
    let trust_config = trust_config(&args.policy, args.keys.as_deref(), args.network.ca_file.as_deref())?;
    let root_url = root_url(&args.network, trust_config.policy())?;
    let judge = Judge::new(args, trust_config, wanted)?;
    let lines = Lines::new(style == Style::FetchContent, screen.clone());
    let fetched = block_on(async |cancellation| {
        let fetched = fetch(wanted, dest, args, &root_url, &judge, &lines);
        cancellation.run_until_cancelled(fetched).await.unwrap_or_else(|| Err(interrupted()))
    })?;
    let inputs = record::inputs(&fetched)?;
    args.record.as_ref().map(|file| record::write(file, &inputs)).transpose()?;
    args.claim.as_ref().map(|file| record::claim(file, &inputs)).transpose()?;
    report::tell(&fetched, screen)?;
    if style == Style::FetchContent {
        lines.perfherder();
    }
    if args.exec.offline_exec {
        screen.finish();
        exec::become_command(&args.exec)?;
    }
    Ok(DONE)
}

fn interrupted() -> Failure {
    Failure::undetermined("interrupted before everything was there; nothing was put in place")
}

/// Where Taskcluster is, as it is said or as the policy says.
fn root_url(args: &NetworkArgs, policy: &Policy) -> Result<String, Failure> {
    let said = args.root_url.clone().filter(|url| !url.is_empty());
    said.or_else(|| policy.root_url().map(str::to_owned)).ok_or_else(|| {
        Failure::usage("it is not known where Taskcluster is")
            .next("say so with --root-url URL or TASKCLUSTER_ROOT_URL, or in the policy (root-url)")
    })
}

async fn fetch(
    wanted: &[Wanted],
    dest: &Path,
    args: &CommonArgs,
    root_url: &str,
    judge: &Judge,
    lines: &Lines,
) -> Result<Vec<Fetched>, Failure> {
    let network = Network::open(&args.network, root_url)?;
    let pinned = pin(wanted, &network).await?;
    let runs: BTreeSet<TaskRun> = pinned.values().copied().collect();
    let runs: Vec<TaskRun> = runs.into_iter().collect();
    let vouched = judge.vouch(&runs, args, &network).await?;
    let (mut inputs, mut fetched) = (Vec::new(), Vec::new());
    for wanted in wanted {
        let Some(run) = pinned.get(&wanted.source).copied() else { continue };
        let vouched = vouched.get(&run).unwrap_or(&Vouched::Nobody);
        for (name, digest) in vouched.select(run, wanted)? {
            let file = name.as_str().rsplit('/').next().unwrap_or_default();
            let place = Place::new(&wanted.directory, file)
                .map_err(|error| Failure::usage(error).next("name a `dest` below the destination"))?;
            let (url, beside) = network.artifact(run, &name)?;
            // Nobody vouches, but the caller gave a digest.
            let by_hash = digest.is_some() && vouched.proof() == Proof::None;
            let trust = if by_hash { Proof::Hash } else { vouched.proof() };
            fetched.push(Fetched { run, name, place: place.path(), trust, delivered: None });
            inputs.push(Input {
                download: Download {
                    url,
                    credentials: network.credentials.clone(),
                    headers: HeaderMap::new(),
                    artifact: true,
                    beside,
                    expected: Expected { digest, length: None },
                    limit: network.limits.artifact_bytes,
                },
                place,
                extract: wanted.extract,
            });
        }
    }
    distinct(&inputs)?;
    lines.begin(&inputs);
    let delivery = delivery(&args.network, args.allow_case_collisions);
    let delivered = deliver(&network.downloader, &inputs, dest, &delivery, lines).await;
    let delivered = delivered.map_err(|error| network::deliver_failure(&error))?;
    for (fetched, delivered) in fetched.iter_mut().zip(delivered) {
        fetched.delivered = Some(delivered);
    }
    Ok(fetched)
}

/// Two different artifacts may not become one file.
fn distinct(inputs: &[Input]) -> Result<(), Failure> {
    let mut places = std::collections::BTreeMap::new();
    for input in inputs {
        let other = places.insert(input.place.path(), &input.download.url);
        if other.is_some_and(|other| *other != input.download.url) && !input.extract {
            let what = format!("two artifacts would become one file, {}", input.place.path().display());
            return Err(Failure::usage(what).next("give one of them another `dest`"));
        }
    }
    Ok(())
}

fn delivery(args: &NetworkArgs, allow_case_collisions: bool) -> Delivery {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    Delivery {
        downloads: args.jobs.map_or(JOBS, NonZeroUsize::get),
        extractions: cores,
        options: ExtractOptions { allow_case_collisions, ..ExtractOptions::default() },
        deadline: network::deadline(args),
    }
}
