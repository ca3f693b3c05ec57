//! Attacks by length and number: patterns, names and mistakes that cost more than they should.

use super::super::{Attack, T, W, attack};
use super::globs_on_github;
use crate::change::{first_build, list, patterns, upstream};
use crate::valid::{globs, push, tag};
use catena_json::Value;
use catena_testbed::Artifact;

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "pattern of thirty kilobytes",
        &[T],
        "A pattern of the target has fifteen thousand stars, each before the same letter.",
        globs,
        |c| patterns(c, list("*a".repeat(15_000))),
        "artifact-pattern-too-long",
    ),
    attack(
        "pattern that is longer than any name",
        &[T],
        "A pattern of the target is one byte longer than any that is matched, and would find files.",
        globs_on_github,
        |c| patterns(c, list(format!("public/{}", "*".repeat(1_018)))),
        "artifact-pattern-too-long",
    ),
    attack(
        "pattern of a long set",
        &[T],
        "A pattern of the target has a set of nine hundred signs that are two bytes each.",
        globs,
        |c| patterns(c, list(format!("public/*[{}]", "é".repeat(900)))),
        "artifact-pattern-too-long",
    ),
    attack(
        "one pattern that is too long among others",
        &[T],
        "Of two patterns of the target one finds files and the other is too long.",
        globs,
        |c| patterns(c, vec![Value::from("public/*"), Value::from("?*".repeat(600))]),
        "artifact-pattern-too-long",
    ),
    attack(
        "ten thousand paths that climb",
        &[T],
        "Every path of the target climbs, and each of the ten thousand is a mistake of its own.",
        push,
        |c| {
            let paths: Vec<Value> = (0..10_000).map(|n| Value::from(format!("public/../../{n}"))).collect();
            upstream(c, "paths", paths)
        },
        "artifact-name",
    ),
    attack(
        "path of a megabyte",
        &[T],
        "The target wants a file by a path of a megabyte.",
        tag,
        |c| upstream(c, "paths", list(format!("public/{}", "a".repeat(1 << 20)))),
        "artifact-name",
    ),
    attack(
        "file of a long name, found by a pattern",
        &[T, W],
        "A worker made and signed a file whose name is as long as a pattern may match, and no disk takes it.",
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
        "two thousand files that a document does not list",
        &[T, W],
        "The target wants two thousand files that its build never made.",
        push,
        |c| {
            let paths: Vec<Value> = (0..2_000).map(|n| Value::from(format!("public/build/{n}"))).collect();
            upstream(c, "paths", paths)
        },
        "artifact-not-made",
    ),
];
