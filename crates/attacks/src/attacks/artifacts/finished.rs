//! Attacks on the artifacts of a finished target, and on the inputs of other links.

use super::super::{Attack, Q, S, T, W, attack};
use super::{bytes, redirect, redirect_to};
use crate::change::{
    ARTIFACT, ask_about, document_of, empty, first_build, first_decision, inside, json, link_of, list, make,
    nth_build, remove, set,
};
use crate::valid::{action, cron, finished, mobile, promotion, promotion_of_rounds, push, rounds, tag};
use catena_testbed::{Artifact, Chain, Release};

/// An artifact of a finished target beside its log.
const SIGNATURE_FILE: &str = "public/build/target.tar.xz.asc";
/// The log of a scriptworker's run.
const LOG: &str = "public/logs/live_backing.log";
/// The image that an image task made.
const IMAGE: &str = "public/image.tar.zst";
/// The log of other workers' runs.
const CERTIFIED: &str = "public/logs/certified.log";

/// A release on GitHub whose target has finished.
fn finished_tag() -> Release {
    Release { finished: true, ..tag() }
}

/// A promotion whose target has finished.
fn finished_promotion() -> Release {
    Release { finished: true, ..promotion() }
}

/// A finished target that ran twice.
fn finished_again() -> Release {
    Release { retried: true, ..finished() }
}

/// Changes the bytes of a target's file without changing its document.
fn own(chain: &mut Chain, name: &str, change: impl FnOnce(&mut Vec<u8>) -> Option<()>) -> Option<()> {
    let id = chain.target.clone();
    bytes(chain, &id, name, change)
}

fn flip(bytes: &mut [u8]) -> Option<()> {
    *bytes.last_mut()? ^= 1;
    Some(())
}

/// Replaces the hashes of the target's first file in its document.
fn says(chain: &mut Chain, entry: &str) -> Option<()> {
    let (id, entry) = (chain.target.clone(), json(entry)?);
    document_of(chain, &id, |document| set(document, &["artifacts", ARTIFACT], entry))
}

/// Adds a file with this name to the target, with an entry in its signed document.
fn makes(chain: &mut Chain, name: &str) -> Option<()> {
    let id = chain.target.clone();
    make(chain, &id, name)
}

/// Verifies the inputs of all links of the chain, and changes a signing task before the target.
fn signing_before(chain: &mut Chain) -> Option<String> {
    chain.artifacts = "all";
    chain.tasks.keys().find(|id| **id != chain.target && is_signing(chain, id)).cloned()
}

fn is_signing(chain: &Chain, id: &str) -> bool {
    chain.definition(id).is_some_and(|task| task.pointer(&["payload", "upstreamArtifacts"]).is_some())
}

/// Sets the paths that a signing task before the target names.
fn paths_before(chain: &mut Chain, path: &str) -> Option<()> {
    let id = signing_before(chain)?;
    crate::change::edit(chain, &id, |task| {
        set(task, &["payload", "upstreamArtifacts", "0", "paths"], list(path))
    })
}

pub(super) const ATTACKS: &[Attack] = &[
    // Artifacts of the target.
    attack(
        "finished target's file altered",
        &[S, Q],
        "The last bit of a finished target's file is flipped.",
        finished,
        |c| own(c, ARTIFACT, |bytes| flip(bytes)),
        "artifact-altered",
    ),
    attack(
        "finished target's signature altered",
        &[S, Q],
        "A detached signature that a finished target on GitHub made is replaced.",
        finished_tag,
        |c| {
            own(c, SIGNATURE_FILE, |bytes| {
                bytes.fill(b'x');
                Some(())
            })
        },
        "artifact-altered",
    ),
    attack(
        "finished target's log altered",
        &[S, Q],
        "A line is added to the log of a finished target.",
        finished_promotion,
        |c| {
            own(c, LOG, |bytes| {
                bytes.extend_from_slice(b"all is well\n");
                Some(())
            })
        },
        "artifact-altered",
    ),
    attack(
        "finished target's file emptied",
        &[S, Q],
        "A finished target's file has no bytes.",
        finished_promotion,
        |c| {
            own(c, ARTIFACT, |bytes| {
                bytes.clear();
                Some(())
            })
        },
        "artifact-altered",
    ),
    attack(
        "finished target's file replaced by its input",
        &[S, Q],
        "A finished target's file is replaced by the build's file that it was made from.",
        finished,
        |c| {
            let (id, build) = (c.target.clone(), first_build(c)?);
            redirect_to(c, &id, ARTIFACT, &build)
        },
        "artifact-altered",
    ),
    attack(
        "finished target's files swapped",
        &[S, Q],
        "Two files of a finished target are swapped; its document lists both.",
        finished_tag,
        |c| {
            let id = c.target.clone();
            let second = c.artifact_mut(&id, SIGNATURE_FILE)?.clone();
            let first = std::mem::replace(c.artifact_mut(&id, ARTIFACT)?, second);
            *c.artifact_mut(&id, SIGNATURE_FILE)? = first;
            Some(())
        },
        "artifact-altered",
    ),
    attack(
        "finished target's file from another run",
        &[S, Q],
        "A finished target's file is replaced by the log of the earlier, abandoned run.",
        finished_again,
        |c| {
            let id = c.target.clone();
            redirect(c, &id, ARTIFACT, &format!("{id}/0/{LOG}"))
        },
        "artifact-altered",
    ),
    attack(
        "finished target's file listed but missing",
        &[S, Q],
        "The queue lists a finished target's file, and the redirect leads to nothing.",
        finished,
        |c| {
            let id = c.target.clone();
            redirect(c, &id, SIGNATURE_FILE, &format!("{id}/9/{SIGNATURE_FILE}"))
        },
        "artifact-listed-absent",
    ),
    attack(
        "finished target's log listed but missing",
        &[S, Q],
        "The queue lists the log of a finished target on GitHub, and the redirect leads to nothing.",
        finished_tag,
        |c| {
            let id = c.target.clone();
            redirect(c, &id, LOG, &format!("{id}/9/{LOG}"))
        },
        "artifact-listed-absent",
    ),
    attack(
        "finished target's file without a hash",
        &[W],
        "The document of a finished target lists a file without any hash.",
        finished,
        |c| says(c, "{}"),
        "artifact-without-digest",
    ),
    attack(
        "finished target's file with a weak hash",
        &[W],
        "The document of a finished target has only an MD5 hash for a file.",
        finished_tag,
        |c| says(c, r#"{"md5": "d41d8cd98f00b204e9800998ecf8427e"}"#),
        "artifact-digest-malformed",
    ),
    attack(
        "finished target's file whose entry is a string",
        &[W],
        "The document of a finished target has a string in place of a file's hashes.",
        finished_promotion,
        |c| says(c, "\"sha256\""),
        "artifact-digest-malformed",
    ),
    attack(
        "finished target's file with a correct hash and a wrong one",
        &[S, W],
        "The document of a finished target has the correct SHA-256 and a wrong SHA-512 for a file.",
        finished,
        |c| {
            let id = c.target.clone();
            document_of(c, &id, |document| set(document, &["artifacts", ARTIFACT, "sha512"], "0".repeat(128)))
        },
        "artifact-altered",
    ),
    attack(
        "finished target's file with parent segments",
        &[W],
        "A finished target signed a file whose name escapes its directory.",
        finished,
        |c| makes(c, "public/../../x"),
        "artifact-name",
    ),
    attack(
        "finished target's file with an absolute path",
        &[W],
        "A finished target signed a file whose name is an absolute path.",
        finished_promotion,
        |c| makes(c, "/etc/passwd"),
        "artifact-name",
    ),
    attack(
        "finished target's file with a backslash",
        &[W],
        "A finished target signed a file whose name escapes its directory on Windows.",
        finished_tag,
        |c| makes(c, "public\\..\\..\\x"),
        "artifact-name",
    ),
    attack(
        "finished target's document listed as a file",
        &[W],
        "The document of a finished target lists a Chain of Trust document as one of its files.",
        finished,
        |c| {
            let id = c.target.clone();
            document_of(c, &id, |document| {
                let entry = inside(document, &["artifacts", ARTIFACT])?.clone();
                set(document, &["artifacts", "public/Chain-of-trust.json"], entry)
            })
        },
        "artifact-reserved",
    ),
    attack(
        "finished target with too many files",
        &[W],
        "The document of a finished target lists more files than the limit allows.",
        finished,
        |c| (0..4).try_for_each(|number| makes(c, &format!("public/build/part-{number}"))),
        "artifacts-too-many",
    )
    .within(|limits| limits.artifacts = 6),
    attack(
        "finished build's log altered",
        &[S, Q],
        "The target is a finished build, and its log is altered.",
        push,
        |c| {
            let id = first_build(c)?;
            ask_about(c, &id, "build")?;
            own(c, CERTIFIED, |bytes| flip(bytes))
        },
        "artifact-altered",
    ),
    attack(
        "finished build's file of another build",
        &[S, Q],
        "The target is a finished build, and its file is replaced by that of another build.",
        mobile,
        |c| {
            let (id, other) = (first_build(c)?, nth_build(c, 1)?);
            ask_about(c, &id, "build")?;
            redirect_to(c, &id, ARTIFACT, &other)
        },
        "artifact-altered",
    ),
    attack(
        "finished image altered",
        &[S, Q],
        "The target is a finished image task, and one bit of its image is flipped.",
        push,
        |c| {
            let id = c.images.first()?.clone();
            ask_about(c, &id, "docker-image")?;
            own(c, IMAGE, |bytes| flip(bytes))
        },
        "artifact-altered",
    ),
    attack(
        "finished decision task's log altered",
        &[S, Q],
        "The target is a finished decision task, and its log is altered.",
        cron,
        |c| {
            let id = first_decision(c)?;
            ask_about(c, &id, "decision")?;
            own(c, CERTIFIED, |bytes| flip(bytes))
        },
        "artifact-altered",
    ),
    attack(
        "finished action's actions altered",
        &[S, Q],
        "The target is a finished action task, and the actions that it published are altered.",
        action,
        |c| {
            let id = c.action.clone()?;
            ask_about(c, &id, "action")?;
            own(c, crate::change::ACTIONS, |bytes| flip(bytes))
        },
        "artifact-altered",
    ),
    // By digest only.
    attack(
        "finished target's file without a hash, by digest",
        &[W],
        "The document of a finished target, verified by digest only, lists a file without any hash.",
        finished,
        |c| {
            c.artifacts = "named";
            let id = c.target.clone();
            document_of(c, &id, |document| set(document, &["artifacts", LOG], empty()))
        },
        "artifact-without-digest",
    ),
    attack(
        "finished target's file with a weak hash, by digest",
        &[W],
        "The document of a finished target, verified by digest only, has a SHA-1 hash beside the \
         correct one.",
        finished_tag,
        |c| {
            c.artifacts = "named";
            let id = c.target.clone();
            document_of(c, &id, |document| {
                let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
                set(document, &["artifacts", ARTIFACT, "sha1"], sha1)
            })
        },
        "artifact-digest-malformed",
    ),
    attack(
        "finished target's file with parent segments, by digest",
        &[W],
        "A finished target, verified by digest only, signed a file whose name escapes its directory.",
        finished_promotion,
        |c| {
            c.artifacts = "named";
            makes(c, "public/build/../../../x")
        },
        "artifact-name",
    ),
    attack(
        "input altered of a target verified by digest",
        &[S, Q],
        "An input of a finished target is altered, and only the target's own files are verified by \
         digest.",
        finished,
        |c| {
            c.artifacts = "named";
            crate::change::alter(c, ARTIFACT)
        },
        "artifact-altered",
    ),
    // Inputs of other links.
    attack(
        "input of an earlier signing task altered",
        &[S, Q],
        "One bit of a build's file is flipped that a signing task before the target used.",
        rounds,
        |c| {
            signing_before(c)?;
            crate::change::alter(c, ARTIFACT)
        },
        "artifact-altered",
    ),
    attack(
        "input of an earlier signing task missing",
        &[S, Q],
        "A build's file that a signing task before the target used no longer exists.",
        promotion_of_rounds,
        |c| {
            signing_before(c)?;
            let id = first_build(c)?;
            c.artifacts_mut(&id)?.remove(ARTIFACT).map(drop)
        },
        "artifact-missing",
    ),
    attack(
        "input of an earlier signing task unlisted",
        &[S, W],
        "A build's document does not name a file that a signing task before the target used.",
        rounds,
        |c| {
            signing_before(c)?;
            let id = first_build(c)?;
            document_of(c, &id, |document| remove(document, &["artifacts", ARTIFACT]))
        },
        "artifact-unlisted",
    ),
    attack(
        "path of an earlier signing task with parent segments",
        &[T],
        "A signing task before the target names a file by a path that escapes its directory.",
        rounds,
        |c| paths_before(c, "public/../../x"),
        "artifact-name",
    ),
    attack(
        "mandatory pattern of an earlier signing task",
        &[T],
        "A signing task before the target names files by a mandatory pattern, which may match \
         nothing.",
        promotion_of_rounds,
        |c| paths_before(c, "public/build/*"),
        "artifact-glob-mandatory",
    ),
    attack(
        "file added for an earlier signing task",
        &[S, T],
        "A signing task before the target used a file that was added to a build's files later.",
        rounds,
        |c| {
            let build = link_of(c, "build")?;
            let artifact = Artifact::new("added", "application/octet-stream");
            c.artifacts_mut(&build)?.insert("public/build/target.mar".into(), artifact);
            paths_before(c, "public/build/target.mar")
        },
        "artifact-not-made",
    ),
];
