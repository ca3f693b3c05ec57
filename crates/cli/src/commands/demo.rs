//! `catena demo`: a yes and a no, on a Taskcluster of our own; or every attack there is.

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
Everything happens on this machine: a Taskcluster, hg.mozilla.org and GitHub on the loopback
interface, with keys made for the occasion. Nothing is left behind.

With --attacks, most chains are judged without even that: what is asked is answered from memory.
docs/attacks.md lists the same attacks.

Exit status: 0 when what is honest was accepted and what is not was refused, 3 otherwise.";

/// The artifact that is changed.
const CHANGED: &str = "public/build/target.tar.xz";

/// What is shown.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Try every attack of the catalogue instead, and accept every valid chain
    ///
    /// With TEXT, only attacks that have it in their name, class or code, each with the whole answer.
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

fn stuck(cause: impl Display) -> Failure {
    Failure::undetermined(format!("the demo cannot be shown: {cause}"))
}
