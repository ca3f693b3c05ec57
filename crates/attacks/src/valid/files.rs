//! Changes to the files of a valid chain that leave it valid.

use super::changes::Changed;
use super::{action, cron, finished, globs, mobile, promotion_of_rounds, push, rounds, tag};
use crate::change::{
    ARTIFACT, add, ask_about, document_of, first_build, first_decision, inside, make, set, target,
};
use catena_testbed::{Artifact, Body, Chain, Release};
use sha2::{Digest as _, Sha512};
use std::fmt::Write as _;

pub(super) const CHANGED: &[Changed] = &[
    ("finished, and a file expired", finished, |c| gone(c, ARTIFACT)),
    ("finished on GitHub, and its log expired", finished_tag, |c| gone(c, "public/logs/live_backing.log")),
    ("finished, and everything expired", finished, |c| {
        let id = c.target.clone();
        c.artifacts_mut(&id)?.clear();
        Some(())
    }),
    ("finished with SHA-512 alone", finished, |c| sha512(c, false)),
    ("finished with two hashes of each file", finished_tag, |c| sha512(c, true)),
    ("finished with a live log", finished, |c| {
        let id = c.target.clone();
        c.artifacts_mut(&id)?.insert("public/logs/live.log".into(), Artifact::new("x", "text/plain"));
        Some(())
    }),
    ("finished with an empty file", finished, |c| {
        let id = c.target.clone();
        c.artifact_mut(&id, ARTIFACT)?.body = Vec::new().into();
        c.reseal(&id).ok()?.then_some(())
    }),
    ("finished with names that begin alike", finished, |c| {
        [
            "public/build/target",
            "public/build/target.tar",
            "public/build/target-1/x",
            "public/build/target.d/x",
        ]
        .into_iter()
        .try_for_each(|name| makes(c, name))
    }),
    ("finished with names that differ in case", finished_tag, |c| makes(c, "public/build/Target.tar.xz")),
    ("finished with names beyond ASCII", finished, |c| {
        makes(c, "public/build/a b é.txt")?;
        makes(c, "public/build/a b e\u{301}.txt")
    }),
    ("finished without a file of its own", finished, |c| {
        let id = c.target.clone();
        c.artifacts_mut(&id)?.clear();
        c.reseal(&id).ok()?.then_some(())
    }),
    ("finished build", push, |c| {
        let id = first_build(c)?;
        ask_about(c, &id, "build")
    }),
    ("finished image", push, |c| {
        let id = c.images.first()?.clone();
        ask_about(c, &id, "docker-image")
    }),
    ("finished decision task", cron, |c| {
        let id = first_decision(c)?;
        ask_about(c, &id, "decision")
    }),
    ("finished action task", action, |c| {
        let id = c.action.clone()?;
        ask_about(c, &id, "action")
    }),
    ("finished, by digest", finished, |c| by(c, "named")),
    ("finished, by digest, and everything expired", finished_tag, |c| {
        let id = c.target.clone();
        c.artifacts_mut(&id)?.clear();
        by(c, "named")
    }),
    ("finished decision task, by digest", push, |c| {
        let id = first_decision(c)?;
        ask_about(c, &id, "decision")?;
        by(c, "named")
    }),
    ("about to run, by digest", mobile, |c| by(c, "named")),
    ("finished, everything measured", finished, |c| by(c, "all")),
    ("one round, everything measured", rounds, |c| by(c, "all")),
    ("promotion of rounds, everything measured", promotion_of_rounds, |c| by(c, "all")),
    ("patterns, everything measured", globs, |c| by(c, "all")),
    ("file that was signed before, expired", rounds, |c| {
        let id = first_build(c)?;
        c.artifacts_mut(&id)?.remove(ARTIFACT).map(drop)
    }),
    ("files with names that begin alike", push, |c| {
        let id = first_build(c)?;
        for name in
            ["public/build/target.tar", "public/build/target.tar.xz-1", "public/build/target.tar.xz.d/x"]
        {
            make(c, &id, name)?;
            target(c, |task| add(task, &["payload", "upstreamArtifacts", "0", "paths"], name))?;
        }
        Some(())
    }),
    ("file below another unused file", mobile, |c| {
        let id = first_build(c)?;
        make(c, &id, "public/build/target.tar.xz/inner")
    }),
];

fn finished_tag() -> Release {
    Release { finished: true, ..tag() }
}

/// Verifies other artifacts than the default ones.
fn by(chain: &mut Chain, artifacts: &'static str) -> Option<()> {
    chain.artifacts = artifacts;
    Some(())
}

/// A file of the target has expired: neither the queue nor storage has it.
fn gone(chain: &mut Chain, name: &str) -> Option<()> {
    let id = chain.target.clone();
    chain.artifacts_mut(&id)?.remove(name).map(drop)
}

/// Adds a file with this name to the target.
fn makes(chain: &mut Chain, name: &str) -> Option<()> {
    let id = chain.target.clone();
    make(chain, &id, name)
}

/// Adds SHA-512 to the target's document, beside SHA-256 or in its place.
fn sha512(chain: &mut Chain, beside: bool) -> Option<()> {
    let id = chain.target.clone();
    let made = chain.task(&id)?.runs.values().next_back()?.clone();
    document_of(chain, &id, |document| {
        made.iter().try_for_each(|(name, artifact)| {
            let Body::Bytes(bytes) = &artifact.body else { return None };
            let digest = Sha512::digest(bytes).iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            });
            if !beside {
                inside(document, &["artifacts", name])?.as_object_mut()?.remove("sha256")?;
            }
            set(document, &["artifacts", name, "sha512"], digest)
        })
    })
}
