//! Expired files, and misspelled names.

use super::{Circumstance, D2G, DECISION, DOCKER_WORKER, GENERIC_WORKER, GITHUB, One, mistake};
use crate::change::{ACTIONS, ARTIFACT, GRAPH, PARAMETERS, add, empty, list, make, set, target, upstream};
use crate::valid::{action, finished, mobile, push, tag};
use catena_testbed::{Artifact, Chain};
use catena_verify::verdict::Class::{Invalid, Policy};

pub(super) const CIRCUMSTANCES: &[Circumstance] = &[
    Circumstance {
        name: "whose file has expired",
        change: |c, id| expired(c, id, ARTIFACT),
        code: "artifact-missing",
        class: Policy,
        hint: "expired",
        of: &[DOCKER_WORKER, D2G, GENERIC_WORKER, GITHUB],
    },
    Circumstance {
        name: "whose graph has expired",
        change: |c, id| expired(c, id, GRAPH),
        code: "artifact-missing",
        class: Policy,
        hint: "Run the task",
        of: &[DECISION],
    },
    Circumstance {
        name: "whose list of actions has expired",
        change: |c, id| expired(c, id, ACTIONS),
        code: "artifact-missing",
        class: Policy,
        hint: "expired",
        of: &[DECISION],
    },
    Circumstance {
        name: "whose parameters have expired",
        change: |c, id| expired(c, id, PARAMETERS),
        code: "artifact-missing",
        class: Policy,
        hint: "expired",
        of: &[DECISION],
    },
    Circumstance {
        name: "which uploaded a file itself, past its worker",
        change: |c, id| {
            c.artifacts_mut(id)?.insert(UPLOADED.into(), Artifact::new("a report", "text/plain"));
            target(c, |task| add(task, &["payload", "upstreamArtifacts", "0", "paths"], UPLOADED))
        },
        code: "artifact-unlisted",
        class: Invalid,
        hint: "payload.artifacts",
        of: &[DOCKER_WORKER, GITHUB],
    },
    Circumstance {
        name: "whose late log the target lists",
        change: |c, id| {
            c.artifacts_mut(id)?.insert(LATE_LOG.into(), Artifact::new("[taskcluster] done", "text/plain"));
            target(c, |task| add(task, &["payload", "upstreamArtifacts", "0", "paths"], LATE_LOG))
        },
        code: "artifact-unlisted",
        class: Invalid,
        hint: "uploads its own logs after it has signed",
        of: &[DOCKER_WORKER, GITHUB],
    },
    Circumstance {
        name: "which did not make what the target lists",
        change: |c, id| {
            c.artifacts_mut(id)?.remove(ARTIFACT)?;
            c.reseal(id).ok()?.then_some(())
        },
        code: "artifact-not-made",
        class: Invalid,
        hint: "task's log",
        of: &[DOCKER_WORKER, D2G, GENERIC_WORKER, GITHUB],
    },
];

/// A file that only the task's own credentials put there.
const UPLOADED: &str = "public/report.txt";
/// A log that workers upload when all else is done.
const LATE_LOG: &str = "public/logs/live_backing.log";

fn expired(chain: &mut Chain, id: &str, name: &str) -> Option<()> {
    chain.artifacts_mut(id)?.remove(name).map(drop)
}

pub(super) const ONES: &[(&str, One)] = &[
    ("upstream artifact of another platform", wanting(push, |c| paths(c, "public/build/target.dmg"))),
    ("upstream artifact without its directory", wanting(mobile, |c| paths(c, "public/target.tar.xz"))),
    ("upstream artifact with a trailing space", wanting(tag, |c| paths(c, "public/build/target.tar.xz "))),
    ("upstream artifact in another case", wanting(action, |c| paths(c, "public/build/Target.tar.xz"))),
    (
        "upstream artifact with a leading slash",
        mistake(push, |c| paths(c, "/public/build/target.tar.xz"), "artifact-name", Invalid, "Find out who"),
    ),
    (
        "upstream artifact with a double slash",
        mistake(push, |c| paths(c, "public//build/target.tar.xz"), "artifact-name", Invalid, "Find out who"),
    ),
    (
        "mandatory pattern",
        mistake(push, |c| paths(c, "public/build/*"), "artifact-glob-mandatory", Policy, "name the files"),
    ),
    (
        "document among upstream artifacts",
        mistake(
            push,
            |c| paths(c, "public/chain-of-trust.json"),
            "artifact-reserved",
            Policy,
            "Take them out",
        ),
    ),
    (
        "upstream artifact of a misspelled kind",
        mistake(push, |c| upstream(c, "taskType", "biuld"), "kind-unknown", Invalid, "upstreamArtifacts"),
    ),
    (
        "build named as a repackage among upstream artifacts",
        mistake(push, |c| upstream(c, "taskType", "repackage"), "kind-mismatch", Invalid, "own kind"),
    ),
    (
        "upstream artifact of a missing task",
        mistake(
            push,
            |c| {
                let entry = crate::change::json(
                    r#"{"taskId":"AAAAAAAAQACAAAAAAAAAAA","taskType":"build","paths":[]}"#,
                )?;
                target(c, |task| add(task, &["payload", "upstreamArtifacts"], entry.clone()))
            },
            "task-unknown",
            Invalid,
            "check the task id",
        ),
    ),
    (
        "finished target with a file and a directory of one name",
        mistake(
            finished,
            |c| {
                let id = c.target.clone();
                make(c, &id, "public/build/x")?;
                make(c, &id, "public/build/x/y")
            },
            "artifact-names-collide",
            Policy,
            "Rename one of them",
        ),
    ),
    (
        "upstream artifacts without paths of their own",
        mistake(
            push,
            |c| target(c, |task| set(task, &["payload", "upstreamArtifacts", "0", "paths"], empty())),
            "definition-malformed",
            Invalid,
            "made as graphs make tasks",
        ),
    ),
];

const fn wanting(release: fn() -> catena_testbed::Release, change: fn(&mut Chain) -> Option<()>) -> One {
    mistake(release, change, "artifact-not-made", Invalid, "misspelled")
}

fn paths(chain: &mut Chain, path: &str) -> Option<()> {
    upstream(chain, "paths", list(path))
}
