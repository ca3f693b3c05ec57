//! `catena demo`: a yes and a no, on a Taskcluster of our own.

use crate::cli::Manner;
use crate::commands::verify::{after, text_options};
use crate::failure::{DONE, Failure, UNDETERMINED};
use crate::output::{Output, show};
use catena_core::Limits;
use catena_core::inquiry::{Inquiry, Switches, Target};
use catena_core::policy::{KeyRing, Policy};
use catena_core::task::{Kind, TaskId, WorkerImplementation};
use catena_core::verdict::{Outcome, Verdict};
use catena_fetch::{Fetcher, HttpOptions, HttpTransport, Proxy, Quiet, RootUrl, investigate};
use catena_report::TextOptions;
use catena_testbed::{Artifact, Chain, Options, Testbed};
use clap::Args;
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

pub(crate) const EXAMPLES: &str = "\
Everything happens on this machine: a Taskcluster, hg.mozilla.org and GitHub on the loopback
interface, with keys made for the occasion. Nothing is left behind.

Exit status: 0 when the whole chain was verified and the changed one was refused, 3 otherwise.";

/// When the demo is concluded; always the same, as its chain is.
const NOW: &str = "2026-05-04T03:02:01Z";
/// A demo that takes longer is stuck.
const PATIENCE: Duration = Duration::from_secs(30);
/// The artifact that is changed.
const CHANGED: &str = "public/build/target.tar.xz";

/// Nothing to choose.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {}

pub(crate) fn run(_: &DemoArgs, manner: &Manner) -> Result<u8, Failure> {
    let chain = Chain::demo().map_err(stuck)?;
    let (changed, what) = change(chain.clone())?;
    let (yes, took) = verdict(&chain)?;
    let (no, _) = verdict(&changed)?;
    let options = text_options(manner.color.on_stdout(), &Output::Stdout, manner);
    let mut text = format!(
        "1. A small release: a decision task from a source tree, a docker image, {} builds, and the task\n   \
         that signs them. May it be signed?\n\n",
        chain.builds.len()
    );
    text.push_str(&catena_report::text(&yes, &TextOptions { elapsed: Some(took), ..options }));
    text.push_str(&format!("\n2. The same again, but in storage one byte was changed of\n   {what}.\n\n"));
    text.push_str(&catena_report::text(&no, &options));
    let as_it_should = yes.outcome == Outcome::Verified && no.outcome == Outcome::Rejected;
    text.push_str(if as_it_should { SHOWN } else { NOT_SHOWN });
    show(&text)?;
    Ok(if as_it_should { DONE } else { UNDETERMINED })
}

const SHOWN: &str = "
What was shown:
  - Every worker signed what it ran and made: each signature and each hash was verified.
  - Every task stands, unchanged, in the graph that its decision task published.
  - The decision task was made again from the tree's own template, and the policy trusts that tree.
  - One changed byte broke one promise; the answer names the task, the file and both hashes.
  - All of it was asked over loopback, by what asks the real Taskcluster (`catena verify --help`).
";

const NOT_SHOWN: &str = "
This is not what the demo is to show. Please report it with the text above.
";

/// Changes one byte of an artifact of the first build, and says of which.
fn change(mut chain: Chain) -> Result<(Chain, String), Failure> {
    let build = chain.builds.first().cloned().unwrap_or_default();
    let name = artifact_name(&mut chain, &build).ok_or_else(|| stuck("the build has no artifact"))?;
    let artifact = chain.artifact_mut(&build, &name).ok_or_else(|| stuck("the build has no artifact"))?;
    let mut bytes = Vec::new();
    artifact
        .body
        .for_each(|chunk| {
            bytes.extend_from_slice(chunk);
            Ok(())
        })
        .map_err(stuck)?;
    let middle = bytes.len() / 2;
    let byte = bytes.get_mut(middle).ok_or_else(|| stuck("the artifact is empty"))?;
    *byte ^= 1;
    *artifact = Artifact::new(bytes, artifact.content_type.clone());
    Ok((chain, format!("{name} of build {build}")))
}

/// The artifact that is changed, or else the first that the task itself made.
fn artifact_name(chain: &mut Chain, task_id: &str) -> Option<String> {
    let artifacts = chain.artifacts_mut(task_id)?;
    if artifacts.contains_key(CHANGED) {
        return Some(CHANGED.to_owned());
    }
    artifacts.keys().find(|name| name.starts_with("public/build/")).cloned()
}

/// Serves a chain on loopback and verifies it there, over the real driver.
fn verdict(chain: &Chain) -> Result<(Verdict, Duration), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(stuck)?;
    let room = tempfile::tempdir().map_err(stuck)?;
    let inquiry = inquiry(chain)?;
    runtime.block_on(async {
        let site = chain.clone().into_site();
        let testbed = Testbed::start_with(site, Options::default()).await.map_err(stuck)?;
        let fetcher = fetcher(&testbed, room.path())?;
        let began = Instant::now();
        let inquiry = investigate(inquiry, &fetcher, after(PATIENCE), &Quiet).await;
        Ok((inquiry.conclude(NOW), began.elapsed()))
    })
}

fn inquiry(chain: &Chain) -> Result<Inquiry, Failure> {
    let target = Target {
        task_id: TaskId::parse(&chain.target).map_err(stuck)?,
        kind: Kind::parse(&chain.kind).map_err(stuck)?,
        check_task: chain.check_target,
    };
    let policy = Policy::shipped(catena_core::checks::RULES)
        .map_err(|diagnostics| Failure::diagnostics("the policy that ships cannot be used:", &diagnostics))?;
    let product = policy.product(&chain.product).map_err(stuck)?;
    let keys = chain.keys.public_keys().into_iter().flat_map(|(name, keys)| {
        let implementation = WorkerImplementation::parse(name);
        keys.into_iter().filter_map(move |key| Some((implementation?, key)))
    });
    Ok(Inquiry::new(target, Arc::new(product), KeyRing::of(keys), Limits::default(), Switches::default()))
}

fn fetcher(testbed: &Testbed, room: &Path) -> Result<Fetcher, Failure> {
    let ca_file = room.join("ca.pem");
    std::fs::write(&ca_file, testbed.ca_pem()).map_err(stuck)?;
    let proxy = Url::parse(&testbed.proxy_url()).map_err(stuck)?;
    let http = HttpOptions { ca_file: Some(ca_file), proxy: Proxy::Through(proxy), ..HttpOptions::default() };
    let transport = HttpTransport::new(&http).map_err(stuck)?;
    let root = RootUrl::parse(&testbed.root_url()).map_err(stuck)?;
    Ok(Fetcher::new(Arc::new(transport), root, Limits::default(), catena_fetch::Options::default()))
}

fn stuck(cause: impl Display) -> Failure {
    Failure::undetermined(format!("the demo cannot be shown: {cause}"))
}
