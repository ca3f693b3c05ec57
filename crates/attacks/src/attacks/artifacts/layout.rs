//! Attacks on the layout of files: names of which one is a directory of another.

use super::super::{Attack, T, W, attack};
use super::{globs_on_github, named};
use crate::change::{ARTIFACT, ask_about, document, document_of, first_build, inside, json, make, set};
use crate::valid::{action, finished, globs, mobile, push, rounds, tag};
use catena_testbed::{Chain, Release};

const CODE: &str = "artifact-names-collide";

fn finished_tag() -> Release {
    Release { finished: true, ..tag() }
}

/// Adds a file with this name to the target.
fn makes(chain: &mut Chain, name: &str) -> Option<()> {
    let id = chain.target.clone();
    make(chain, &id, name)
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "file below another file",
        &[T, W],
        "The target lists a file whose directory is another file that it lists.",
        push,
        |c| named(c, &format!("{ARTIFACT}/inner")),
        CODE,
    ),
    attack(
        "file in place of a directory",
        &[T, W],
        "The target lists a file that has the name of the directory of the other files.",
        mobile,
        |c| named(c, "public/build"),
        CODE,
    ),
    attack(
        "file in place of the top directory",
        &[T, W],
        "The target lists a file that has the name of the directory of all its files.",
        tag,
        |c| named(c, "public/build"),
        CODE,
    ),
    attack(
        "file far below another file",
        &[T, W],
        "The target lists a file four directories below another file that it lists.",
        action,
        |c| named(c, &format!("{ARTIFACT}/a/b/c/d")),
        CODE,
    ),
    attack(
        "file below another file, with one between them in order",
        &[T, W],
        "A name sorts between a file's name and the name of the file below it.",
        push,
        |c| {
            named(c, "public/build/target.tar.xz-1")?;
            named(c, &format!("{ARTIFACT}/inner"))
        },
        CODE,
    ),
    attack(
        "file below another file, matched by a pattern",
        &[T, W],
        "A worker signed a file below another one, and a pattern of the target matches both.",
        globs,
        |c| {
            let id = first_build(c)?;
            make(c, &id, "public/build/target.langpack.xpi/inner")
        },
        CODE,
    ),
    attack(
        "directory in place of a file, matched by a pattern",
        &[T, W],
        "On GitHub, a pattern of the target matches a file and another file below it.",
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
        "A repackaging task made a file below another one, and the target lists both.",
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
        "A finished target, verified by digest only, made a file below another one.",
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
        "The target is a finished build that made a file below another one.",
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
        "The target is a decision task that made a file below its graph.",
        push,
        |c| {
            let id = crate::change::first_decision(c)?;
            ask_about(c, &id, "decision")?;
            makes(c, "public/task-graph.json/inner")
        },
        CODE,
    ),
    attack(
        "file below another file with the same hash",
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
        "file below another file, with an uppercase hash",
        &[W],
        "The document of a finished target names a file below another one, with a hash in uppercase.",
        finished,
        |c| {
            let id = c.target.clone();
            let entry = json(&format!("{{\"sha256\": \"{}\"}}", "AB".repeat(32)))?;
            document_of(c, &id, |document| set(document, &["artifacts", &format!("{ARTIFACT}/inner")], entry))
        },
        "artifact-digest-malformed",
    ),
];
