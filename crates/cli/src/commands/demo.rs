//! `catena demo`: a verified and a rejected release, on a local Taskcluster; or the whole catalogue of
//! attacks.

mod attacks;
mod stage;

use crate::cli::OutputOptions;
use crate::commands::verify::text_options;
use crate::failure::{DONE, Failure, UNDETERMINED};
use crate::output::{Output, show};
use catena_attacks::Scenario;
use catena_report::TextOptions;
use catena_testbed::{Artifact, Chain};
use catena_verify::verdict::Outcome;
use clap::Args;
use std::fmt::Display;

pub(crate) const EXAMPLES: &str = "\
Everything runs on this machine: a Taskcluster, hg.mozilla.org and GitHub on the loopback
interface, with temporary keys. Nothing is left behind.

With --attacks, most chains are verified without any server, with answers from memory.
docs/attacks.md lists the same attacks.

Exit status: 0 if every valid chain was verified and every other one rejected, 3 otherwise.";

/// The artifact that is changed.
const CHANGED: &str = "public/build/target.tar.xz";

/// What to show.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Try every attack of the catalogue instead, and verify every valid chain
    ///
    /// With TEXT, only attacks that have it in their name, class or code, each with its full output.
    #[arg(long, value_name = "TEXT", num_args = 0..=1, default_missing_value = "")]
    attacks: Option<String>,
}

pub(crate) fn run(arguments: &DemoArgs, output_options: &OutputOptions) -> Result<u8, Failure> {
    match &arguments.attacks {
        Some(wanted) => attacks::run(wanted, output_options),
        None => release(output_options),
    }
}

/// One release, and the same with one byte changed.
fn release(output_options: &OutputOptions) -> Result<u8, Failure> {
    let chain = Chain::demo().map_err(stuck)?;
    let (changed, what) = change(chain.clone())?;
    let (yes, took) = stage::verdict(&Scenario::of(&chain).map_err(stuck)?, &chain, &[])?;
    let (no, _) = stage::verdict(&Scenario::of(&changed).map_err(stuck)?, &changed, &[])?;
    let options = text_options(output_options.color.on_stdout(), &Output::Stdout, output_options);
    let mut text = format!(
        "1. A small release: a decision task from a source tree, a docker image, {} builds, and the task\n   \
         that signs them. May it be signed?\n\n",
        chain.builds.len()
    );
    text.push_str(&catena_report::text(&yes, &TextOptions { elapsed: Some(took), ..options }));
    text.push_str(&format!("\n2. The same chain, with one byte changed in storage, in\n   {what}.\n\n"));
    text.push_str(&catena_report::text(&no, &options));
    let as_it_should = yes.outcome == Outcome::Verified && no.outcome == Outcome::Rejected;
    text.push_str(if as_it_should { SHOWN } else { NOT_SHOWN });
    show(&text)?;
    Ok(if as_it_should { DONE } else { UNDETERMINED })
}

const SHOWN: &str = "
The demo showed:
  - Every worker signed its definition and its artifacts: each signature and each hash was verified.
  - Every task is, unchanged, in the graph that its decision task published.
  - The decision task was rebuilt from the tree's own template, and the policy trusts that tree.
  - One changed byte caused one finding, which names the task, the file and both hashes.
  - All requests went over loopback, through the code for the real Taskcluster (`catena verify --help`).
";

const NOT_SHOWN: &str = "
This is not the expected result. Please report it with the text above.
";

/// Changes one byte of an artifact of the first build, and returns which.
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

/// The changed artifact, or else the first that the task itself made.
fn artifact_name(chain: &mut Chain, task_id: &str) -> Option<String> {
    let artifacts = chain.artifacts_mut(task_id)?;
    if artifacts.contains_key(CHANGED) {
        return Some(CHANGED.to_owned());
    }
    artifacts.keys().find(|name| name.starts_with("public/build/")).cloned()
}

fn stuck(cause: impl Display) -> Failure {
    Failure::undetermined(format!("the demo failed: {cause}"))
}
