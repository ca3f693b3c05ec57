//! Attacks on how files lie beside each other: names of which one is a directory of another.

use super::super::{Attack, T, W, attack};
use super::{globs_on_github, named};
use crate::change::{ARTIFACT, ask_about, document, document_of, first_build, inside, json, make, set};
use crate::valid::{action, finished, globs, mobile, push, rounds, tag};
use catena_testbed::{Chain, Release};

const CODE: &str = "artifact-names-collide";

fn finished_tag() -> Release {
    Release { finished: true, ..tag() }
}

/// Lets the target make a file of this name.
fn makes(chain: &mut Chain, name: &str) -> Option<()> {
    let id = chain.target.clone();
    make(chain, &id, name)
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "file below another file",
        &[T, W],
        "The target wants a file whose directory is another file that it wants.",
        push,
        |c| named(c, &format!("{ARTIFACT}/inner")),
        CODE,
    ),
    attack(
        "file in place of a directory",
        &[T, W],
        "The target wants a file that has the name of the directory of the other files.",
        mobile,
        |c| named(c, "public/build"),
        CODE,
    ),
    attack(
        "file in place of the directory of all",
        &[T, W],
        "The target wants a file that has the name of the directory of everything that it wants.",
        tag,
        |c| named(c, "public/build"),
        CODE,
    ),
    attack(
        "file far below another file",
        &[T, W],
        "The target wants a file four directories below another file that it wants.",
        action,
        |c| named(c, &format!("{ARTIFACT}/a/b/c/d")),
        CODE,
    ),
    attack(
        "file below another file, with one between them",
        &[T, W],
        "A name that sorts between them stands between a file and the one below it.",
        push,
        |c| {
            named(c, "public/build/target.tar.xz-1")?;
            named(c, &format!("{ARTIFACT}/inner"))
        },
        CODE,
    ),
    attack(
        "file below another file, found by a pattern",
        &[T, W],
        "A worker made and signed a file below another one, and a pattern of the target stands for both.",
        globs,
        |c| {
            let id = first_build(c)?;
            make(c, &id, "public/build/target.langpack.xpi/inner")
        },
        CODE,
    ),
    attack(
        "directory in place of a file, found by a pattern",
        &[T, W],
        "On GitHub a pattern of the target stands for a file and for one that is below it.",
        globs_on_github,
        |c| {
            let id = first_build(c)?;
            make(c, &id, "public/build/set")?;
            make(c, &id, "public/build/set/inner")
        },
        CODE,
    ),
    attack(
        "file below a repackaged one",
        &[T, W],
        "A task that repackages what was signed made a file below another one, and the target wants both.",
        rounds,
        |c| {
            let (id, name) = super::wanted(c)?;
            let inner = format!("{name}/inner");
            make(c, &id, &inner)?;
            crate::change::target(c, |task| {
                crate::change::add(task, &["payload", "upstreamArtifacts", "0", "paths"], inner.as_str())
            })
        },
        CODE,
    ),
    attack(
        "finished target's file below another file",
        &[W],
        "A finished target made a file below another one.",
        finished,
        |c| makes(c, &format!("{ARTIFACT}/inner")),
        CODE,
    ),
    attack(
        "finished target's file in place of a directory",
        &[W],
        "A finished target on GitHub made a file that has the name of the directory of its log.",
        finished_tag,
        |c| makes(c, "public/logs"),
        CODE,
    ),
    attack(
        "finished target's file below another file, by digest",
        &[W],
        "A finished target whose files are not measured made a file below another one.",
        finished,
        |c| {
            c.artifacts = "named";
            makes(c, &format!("{ARTIFACT}/inner"))
        },
        CODE,
    ),
    attack(
        "finished build's file below another file",
        &[W],
        "A finished build, about which is asked, made a file below another one.",
        push,
        |c| {
            let id = first_build(c)?;
            ask_about(c, &id, "build")?;
            makes(c, &format!("{ARTIFACT}/inner"))
        },
        CODE,
    ),
    attack(
        "graph that is a directory",
        &[W],
        "A decision task, about which is asked, made a file below its graph.",
        push,
        |c| {
            let id = crate::change::first_decision(c)?;
            ask_about(c, &id, "decision")?;
            makes(c, "public/task-graph.json/inner")
        },
        CODE,
    ),
    attack(
        "file below another file whose document names it without bytes of its own",
        &[W],
        "A build's document names the same hash for a file and for one below it.",
        mobile,
        |c| {
            let (id, inner) = (first_build(c)?, format!("{ARTIFACT}/inner"));
            let artifact = c.artifact_mut(&id, ARTIFACT)?.clone();
            c.artifacts_mut(&id)?.insert(inner.clone(), artifact);
            let entry = inside(c.document_mut(&id)?, &["artifacts", ARTIFACT])?.clone();
            document(c, &["artifacts", &inner], entry)?;
            crate::change::target(c, |task| {
                crate::change::add(task, &["payload", "upstreamArtifacts", "0", "paths"], inner.as_str())
            })
        },
        CODE,
    ),
    attack(
        "file below another file that is only named",
        &[W],
        "The document of a finished target names a file below another one with a hash in capital letters.",
        finished,
        |c| {
            let id = c.target.clone();
            let entry = json(&format!("{{\"sha256\": \"{}\"}}", "AB".repeat(32)))?;
            document_of(c, &id, |document| set(document, &["artifacts", &format!("{ARTIFACT}/inner")], entry))
        },
        "artifact-digest-malformed",
    ),
];
