//! `catena fetch mounts`: what a task needs before it runs, as a worker says it.

use super::arguments::MountsArgs;
use super::lines::{Lines, Suite};
use super::order::{Order, Origin};
use super::{Done, Task, verified};
use crate::failure::Failure;
use crate::progress::Screen;
use catena_download::{Input, Mounts};
use catena_http::Shown;
use catena_model::custody::Trust;
use std::io::Read as _;

/// Bytes of the request: a payload is at most 1 MiB.
const LARGEST: u64 = 4 << 20;

pub(super) fn run<'a>(args: &'a MountsArgs, screen: &Screen) -> Result<Done<'a>, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().take(LARGEST.saturating_add(1)).read_to_string(&mut text);
    read.map_err(|error| wrong(&error.to_string()))?;
    if u64::try_from(text.len()).is_ok_and(|length| length > LARGEST) {
        return Err(wrong("it is larger than 4 MiB"));
    }
    let Mounts { task_id, run_id, artifacts, files } =
        Mounts::parse(&text).map_err(|error| wrong(&error.to_string()))?;
    tracing::info!(%task_id, %run_id, artifacts = artifacts.len(), files = files.len(), "mounts of a task");
    let further = files.into_iter().map(|input: Input| {
        let origin = Origin::Url(Shown(&input.download.url).to_string());
        Order { origin, trust: Trust::Hash, input }
    });
    let task = if args.check { Task::Check } else { Task::Deliver };
    let lines = Lines::new(Suite::None, screen.clone());
    verified(task, &artifacts, further.collect(), &args.dest, &args.common, &lines)
}

fn wrong(what: &str) -> Failure {
    Failure::usage(format!("the request on standard input: {what}"))
        .next("it is a JSON object of taskId, runId and mounts, as generic-worker's payload has them")
}
