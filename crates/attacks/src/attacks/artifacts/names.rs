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
        "path that climbs",
        &[T],
        "The target wants a file by a path that climbs out of its directory.",
        push,
        |c| upstream(c, "paths", list("public/../../x")),
        "artifact-name",
    ),
    attack(
        "path from the root",
        &[T],
        "The target wants a file by an absolute path.",
        mobile,
        |c| upstream(c, "paths", list("/etc/passwd")),
        "artifact-name",
    ),
    attack(
        "path with a zero byte",
        &[T],
        "The target wants a file by a path with a zero byte in it.",
        tag,
        |c| named(c, "public/build/target.tar.xz\0.asc"),
        "artifact-name",
    ),
    attack(
        "path with a backslash",
        &[T],
        "The target wants a file by a path that climbs on another system.",
        action,
        |c| named(c, "public\\.\\x"),
        "artifact-name",
    ),
    attack(
        "path with a line end",
        &[T],
        "The target wants a file by a path with a line end in it, and a worker made that file.",
        push,
        |c| named(c, "public/build/target.tar.xz\n"),
        "artifact-name",
    ),
    attack(
        "path that stays in place",
        &[T],
        "The target wants a file by a second spelling of its path, with a dot for a segment.",
        cron,
        |c| named(c, "public/./build/target.tar.xz"),
        "artifact-name",
    ),
    attack(
        "path with an empty segment",
        &[T],
        "The target wants a file by a second spelling of its path, with two slashes for one.",
        fork,
        |c| named(c, "public//build/target.tar.xz"),
        "artifact-name",
    ),
    attack(
        "path of a directory",
        &[T],
        "The target wants a file by a path that ends in a slash.",
        mobile,
        |c| named(c, "public/build/"),
        "artifact-name",
    ),
    attack(
        "path that is empty",
        &[T],
        "The target wants a file whose path is empty.",
        push,
        |c| named(c, ""),
        "artifact-name",
    ),
    attack(
        "path that no file system has room for",
        &[T],
        "The target wants a file by a path with a segment of 300 bytes.",
        tag,
        |c| {
            let name = format!("public/{}", "x".repeat(300));
            named(c, &name)
        },
        "artifact-name",
    ),
    attack(
        "pattern that climbs",
        &[T],
        "The target wants files by a pattern that climbs out of its directory.",
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
        "file that climbs, found by a pattern",
        &[T, W],
        "A worker made and signed a file whose name climbs, and a pattern of the target stands for it.",
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
        "file with a backslash, found by a pattern",
        &[T, W],
        "A worker made and signed a file whose name climbs on another system, and a pattern finds it.",
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
        "The target wants a build's Chain of Trust document.",
        push,
        |c| upstream(c, "paths", list(DOCUMENT)),
        "artifact-reserved",
    ),
    attack(
        "signature as an input",
        &[T],
        "The target wants the signature over a build's document.",
        tag,
        |c| upstream(c, "paths", list(SIGNATURE)),
        "artifact-reserved",
    ),
    attack(
        "document as an input, in another case",
        &[T, W],
        "The target wants a file that a worker signed and that a disk may take for the document.",
        mobile,
        |c| named(c, "public/Chain-of-Trust.JSON"),
        "artifact-reserved",
    ),
    attack(
        "pattern that is not optional",
        &[T],
        "A pattern of the target is not optional, so that it may stand for no file.",
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
        "pattern that stands for nothing",
        &[T],
        "The target's only path of a build is a pattern that no file fits.",
        pull_request,
        |c| upstream(c, "paths", list("public/build/*.nothing")),
        "artifact-glob-mandatory",
    ),
    attack(
        "files of the target itself",
        &[T],
        "The target wants a file of its own, which it has not made.",
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
        "The target wants more files than any may.",
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
        "A pattern of the target stands for more files than any task may want.",
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
