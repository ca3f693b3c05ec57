//! Writes a chain in the layout of recorded cases: `write_chain FOLDER PRODUCT TRIGGER [name=value…]`.
//!
//! Names and values: vcs=hg|git, seed, builds, builders=mixed|docker-worker|d2g|generic-worker, images,
//! images-from=own|earlier|indexed|prebuilt, image-builder=true|false, artifacts, size, graph, depth,
//! targets, retried, mirrored, globs, finished, ssh, gzip (all true|false), scope=fitting|none|<scope>, kind.
//! `write_chain FOLDER demo` writes the demo chain.

use catena_testbed::chain::{Builders, Images, Scope, Vcs};
use catena_testbed::{Chain, Release, Trigger};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let chain = match arguments.as_slice() {
        [_, demo] if demo == "demo" => Chain::demo()?,
        [_, product, trigger, settings @ ..] => {
            let mut release = Release::new(product, self::trigger(trigger)?)?;
            for setting in settings {
                let (name, value) = setting.split_once('=').ok_or("a setting is name=value")?;
                set(&mut release, name, value)?;
            }
            release.build()?
        }
        _ => return Err("usage: write_chain FOLDER PRODUCT TRIGGER [name=value…]".into()),
    };
    let folder = arguments.first().ok_or("no folder")?;
    Ok(chain.write_folder(folder)?)
}

fn trigger(name: &str) -> Result<Trigger, Box<dyn Error>> {
    Ok(match name {
        "push" => Trigger::Push,
        "cron" => Trigger::Cron,
        "pull-request" => Trigger::PullRequest,
        "pull-request-untrusted" => Trigger::PullRequestUntrusted,
        "release" => Trigger::Release,
        "action" => Trigger::Action,
        "pr-action" => Trigger::PrAction,
        "release-promotion" => Trigger::ReleasePromotion,
        _ => return Err(format!("no trigger is called {name:?}").into()),
    })
}

fn set(release: &mut Release, name: &str, value: &str) -> Result<(), Box<dyn Error>> {
    match (name, value) {
        ("vcs", "hg") => release.vcs = Vcs::Hg,
        ("vcs", "git") => release.vcs = Vcs::Git,
        ("seed", _) => release.seed = value.parse()?,
        ("builds", _) => release.builds = value.parse()?,
        ("builders", "mixed") => release.builders = Builders::Mixed,
        ("builders", "docker-worker") => release.builders = Builders::DockerWorker,
        ("builders", "d2g") => release.builders = Builders::D2g,
        ("builders", "generic-worker") => release.builders = Builders::GenericWorker,
        ("images", _) => release.images = value.parse()?,
        ("images-from", "own") => release.images_from = Images::OwnGraph,
        ("images-from", "earlier") => release.images_from = Images::EarlierGraph,
        ("images-from", "indexed") => release.images_from = Images::Indexed,
        ("images-from", "prebuilt") => release.images_from = Images::Prebuilt,
        ("image-builder", _) => release.image_builder = value.parse()?,
        ("artifacts", _) => release.artifacts = value.parse()?,
        ("size", _) => release.artifact_size = value.parse()?,
        ("graph", _) => release.graph_size = value.parse()?,
        ("depth", _) => release.depth = value.parse()?,
        ("targets", _) => release.targets = value.parse()?,
        ("retried", _) => release.retried = value.parse()?,
        ("mirrored", _) => release.mirrored = value.parse()?,
        ("globs", _) => release.optional_and_globs = value.parse()?,
        ("finished", _) => release.finished = value.parse()?,
        ("ssh", _) => release.ssh = value.parse()?,
        ("gzip", _) => release.gzip = value.parse()?,
        ("scope", "fitting") => release.scope = Scope::Fitting,
        ("scope", "none") => release.scope = Scope::Unrestricted,
        ("scope", _) => release.scope = Scope::Exactly(value.to_owned()),
        ("kind", _) => release.kind = Some(kind(value)?),
        _ => return Err(format!("cannot set {name:?} to {value:?}").into()),
    }
    Ok(())
}

fn kind(name: &str) -> Result<&'static str, Box<dyn Error>> {
    let kinds = ["balrog", "beetmover", "bouncer", "pushapk", "scriptworker", "shipit", "signing"];
    let found = kinds.into_iter().find(|kind| *kind == name);
    found.ok_or_else(|| format!("no target is of kind {name:?}").into())
}
