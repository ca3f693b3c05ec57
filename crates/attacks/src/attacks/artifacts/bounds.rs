//! Attacks by length and number: patterns, names and errors that cost more than they should.

use super::super::{Attack, T, W, attack};
use super::globs_on_github;
use crate::change::{first_build, list, patterns, upstream};
use crate::valid::{globs, push, tag};
use catena_json::Value;
use catena_testbed::Artifact;

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "pattern of 30 kilobytes",
        &[T],
        "A pattern of the target has fifteen thousand stars, each before the same letter.",
        globs,
        |c| patterns(c, list("*a".repeat(15_000))),
        "artifact-pattern-too-long",
    ),
    attack(
        "pattern longer than any name",
        &[T],
        "A pattern of the target matches files, but is one byte longer than the limit for patterns.",
        globs_on_github,
        |c| patterns(c, list(format!("public/{}", "*".repeat(1_018)))),
        "artifact-pattern-too-long",
    ),
    attack(
        "pattern with a long set",
        &[T],
        "A pattern of the target has a set of nine hundred characters of two bytes each.",
        globs,
        |c| patterns(c, list(format!("public/*[{}]", "é".repeat(900)))),
        "artifact-pattern-too-long",
    ),
    attack(
        "one pattern too long among others",
        &[T],
        "The target has two patterns: one matches files, and the other exceeds the limit.",
        globs,
        |c| patterns(c, vec![Value::from("public/*"), Value::from("?*".repeat(600))]),
        "artifact-pattern-too-long",
    ),
    attack(
        "ten thousand paths with parent segments",
        &[T],
        "The target has ten thousand paths, and each of them escapes its directory.",
        push,
        |c| {
            let paths: Vec<Value> = (0..10_000).map(|n| Value::from(format!("public/../../{n}"))).collect();
            upstream(c, "paths", paths)
        },
        "artifact-name",
    ),
    attack(
        "path of one megabyte",
        &[T],
        "The target lists a file by a path of one megabyte.",
        tag,
        |c| upstream(c, "paths", list(format!("public/{}", "a".repeat(1 << 20)))),
        "artifact-name",
    ),
    attack(
        "file with a long name, matched by a pattern",
        &[T, W],
        "A worker signed a file whose name is as long as a pattern may match, too long for a disk.",
        globs,
        |c| {
            let id = first_build(c)?;
            let name = format!("public/build/{}", "a".repeat(1_011));
            c.artifacts_mut(&id)?.insert(name, Artifact::new("x", "application/octet-stream"));
            patterns(c, list("public/build/a*a"))?;
            c.reseal(&id).ok()?.then_some(())
        },
        "artifact-name",
    ),
    attack(
        "two thousand files missing from a document",
        &[T, W],
        "The target lists two thousand files that the build's document does not name.",
        push,
        |c| {
            let paths: Vec<Value> = (0..2_000).map(|n| Value::from(format!("public/build/{n}"))).collect();
            upstream(c, "paths", paths)
        },
        "artifact-not-made",
    ),
];
