//! Attacks on the names of files, and on patterns.

use super::super::documents::artifacts_of;
use super::super::{Attack, S, T, W, attack};
use super::{globs_on_github, named};
use crate::change::{first_build, inside, list, remove, set, target, upstream};
use crate::valid::{action, cron, fork, globs, mobile, pull_request, push, tag};
use catena_json::Value;
use catena_testbed::Artifact;
use catena_testbed::chain::{DOCUMENT, SIGNATURE};

pub(super) const ATTACKS: &[Attack] = &[
    // Names.
    attack(
        "path with parent segments",
        &[T],
        "The target lists a file by a path that escapes its directory.",
        push,
        |c| upstream(c, "paths", list("public/../../x")),
        "artifact-name",
    ),
    attack(
        "absolute path",
        &[T],
        "The target lists a file by an absolute path.",
        mobile,
        |c| upstream(c, "paths", list("/etc/passwd")),
        "artifact-name",
    ),
    attack(
        "path with a zero byte",
        &[T],
        "The target lists a file by a path with a zero byte in it.",
        tag,
        |c| named(c, "public/build/target.tar.xz\0.asc"),
        "artifact-name",
    ),
    attack(
        "path with a backslash",
        &[T],
        "The target lists a file by a path that escapes its directory on Windows.",
        action,
        |c| named(c, "public\\.\\x"),
        "artifact-name",
    ),
    attack(
        "path with a line feed",
        &[T],
        "The target lists a file by a path with a line feed in it, and a worker made that file.",
        push,
        |c| named(c, "public/build/target.tar.xz\n"),
        "artifact-name",
    ),
    attack(
        "path with a dot segment",
        &[T],
        "The target lists a file by a second spelling of its path, with a `.` segment.",
        cron,
        |c| named(c, "public/./build/target.tar.xz"),
        "artifact-name",
    ),
    attack(
        "path with an empty segment",
        &[T],
        "The target lists a file by a second spelling of its path, with a double slash.",
        fork,
        |c| named(c, "public//build/target.tar.xz"),
        "artifact-name",
    ),
    attack(
        "path of a directory",
        &[T],
        "The target lists a file by a path that ends in a slash.",
        mobile,
        |c| named(c, "public/build/"),
        "artifact-name",
    ),
    attack(
        "path that is empty",
        &[T],
        "The target lists a file whose path is empty.",
        push,
        |c| named(c, ""),
        "artifact-name",
    ),
    attack(
        "path too long for a file system",
        &[T],
        "The target lists a file by a path with a segment of 300 bytes.",
        tag,
        |c| {
            let name = format!("public/{}", "x".repeat(300));
            named(c, &name)
        },
        "artifact-name",
    ),
    attack(
        "pattern with parent segments",
        &[T],
        "The target lists files by a pattern that escapes its directory.",
        globs,
        |c| {
            target(c, |task| {
                let entries = inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?;
                let entry = entries.iter_mut().find(|entry| entry.get("optional").is_some())?;
                set(entry, &["paths"], list("public/../*"))
            })
        },
        "artifact-name",
    ),
    attack(
        "file with parent segments, matched by a pattern",
        &[T, W],
        "A worker signed a file whose name escapes its directory, and a pattern of the target \
         matches it.",
        globs,
        |c| {
            let id = first_build(c)?;
            let artifact = Artifact::new("x", "application/octet-stream");
            artifacts_of(c, &id)?.insert("public/build/s/../../../x".into(), artifact);
            c.reseal(&id).ok()?.then_some(())
        },
        "artifact-name",
    ),
    attack(
        "file with a backslash, matched by a pattern",
        &[T, W],
        "A worker signed a file whose name escapes its directory on Windows, and a pattern matches \
         it.",
        globs_on_github,
        |c| {
            let id = first_build(c)?;
            let artifact = Artifact::new("x", "application/octet-stream");
            artifacts_of(c, &id)?.insert("public/build/s\\..\\x".into(), artifact);
            c.reseal(&id).ok()?.then_some(())
        },
        "artifact-name",
    ),
    attack(
        "document as an input",
        &[T],
        "The target lists a build's Chain of Trust document as an input.",
        push,
        |c| upstream(c, "paths", list(DOCUMENT)),
        "artifact-reserved",
    ),
    attack(
        "signature as an input",
        &[T],
        "The target lists the signature over a build's document as an input.",
        tag,
        |c| upstream(c, "paths", list(SIGNATURE)),
        "artifact-reserved",
    ),
    attack(
        "document as an input, in another case",
        &[T, W],
        "The target lists a signed file that a case-insensitive disk takes for the document.",
        mobile,
        |c| named(c, "public/Chain-of-Trust.JSON"),
        "artifact-reserved",
    ),
    attack(
        "mandatory pattern",
        &[T],
        "A pattern of the target is not optional, and may match no file.",
        globs,
        |c| {
            target(c, |task| {
                let entries = inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?;
                remove(entries.last_mut()?, &["optional"])
            })
        },
        "artifact-glob-mandatory",
    ),
    attack(
        "pattern that matches nothing",
        &[T],
        "The target lists a build's files only by a pattern that matches no file.",
        pull_request,
        |c| upstream(c, "paths", list("public/build/*.nothing")),
        "artifact-glob-mandatory",
    ),
    attack(
        "files of the target itself",
        &[T],
        "The target lists a file of its own, which it has not made yet.",
        push,
        |c| {
            let id = c.target.clone();
            target(c, |task| {
                let entries = inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?;
                let mut entry = entries.first()?.clone();
                set(&mut entry, &["taskId"], id.as_str())?;
                entries.push(entry);
                Some(())
            })
        },
        "artifacts-foreign",
    ),
    attack(
        "too many files",
        &[T],
        "The target lists more files than the limit allows.",
        tag,
        |c| {
            let paths: Vec<Value> = (0..600).map(|n| Value::from(format!("public/build/{n}"))).collect();
            upstream(c, "paths", paths)
        },
        "artifacts-too-many",
    )
    .within(|limits| limits.artifacts = 500),
    attack(
        "too many files for a pattern",
        &[T, S],
        "A pattern of the target matches more files than the limit allows.",
        globs,
        |c| {
            let id = first_build(c)?;
            for n in 0..60 {
                let artifact = Artifact::new(format!("{n}"), "application/octet-stream");
                artifacts_of(c, &id)?.insert(format!("public/build/t{n}"), artifact);
            }
            c.reseal(&id).ok()?.then_some(())
        },
        "artifacts-too-many",
    )
    .within(|limits| limits.artifacts = 50),
];
