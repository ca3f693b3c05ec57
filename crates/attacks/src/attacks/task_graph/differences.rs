//! Tasks that differ from their parent's graph.

use super::{image_only, nth_only, target_only};
use crate::attacks::{Attack, Q, T, attack};
use crate::change::{add, build_only, graph_entry, inside, list, only, remove, set};
use crate::valid::{
    action, cron, finished, fork, mirrored, mobile, pr_action, promotion, promotion_of_rounds, pull_request,
    push, tag,
};
use catena_json::Value;
use catena_testbed::chain::{Images, Product};
use catena_testbed::{Chain, Release, Trigger};

/// A push whose builds are run by generic-worker with docker-worker's payload.
fn thunderbird_cron() -> Release {
    Release::of(Product::THUNDERBIRD, Trigger::Cron)
}

/// A push to GitHub whose images are made in its own graph.
fn own_image() -> Release {
    Release { images_from: Images::OwnGraph, ..mobile() }
}

/// The last kind of task before the target: a link whose tag is `kind`.
fn of_kind(chain: &Chain, kind: &str) -> Option<String> {
    let mut tasks = chain.tasks.iter();
    let found = tasks.find(|(id, task)| {
        **id != chain.target
            && task.definition.pointer(&["tags", "kind"]).and_then(Value::as_str) == Some(kind)
    });
    found.map(|(id, _)| id.clone())
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "build with scopes that the graph lacks",
        &[T],
        "A build has scopes, and its entry in the graph has none.",
        push,
        |c| graph_entry(c, &["scopes"], Vec::new()),
        "graph-definition-differs",
    ),
    attack(
        "build with an extra scope",
        &[T],
        "A build on GitHub has a scope for every secret, and its graph entry does not.",
        mobile,
        |c| nth_only(c, 0, |task| add(task, &["scopes"], "secrets:get:*")),
        "graph-definition-differs",
    ),
    attack(
        "target with an extra scope",
        &[T],
        "A release's signing task has a scope for signing nightlies, and its graph entry does not.",
        tag,
        |c| {
            target_only(c, |task| {
                add(task, &["scopes"], "project:mobile:reference-browser:releng:signing:cert:nightly-signing")
            })
        },
        "graph-definition-differs",
    ),
    attack(
        "target without a scope",
        &[T],
        "The signing task lacks a scope of its graph entry.",
        cron,
        |c| {
            target_only(c, |task| {
                inside(task, &["scopes"])?.as_array_mut()?.pop()?;
                Some(())
            })
        },
        "graph-definition-differs",
    ),
    attack(
        "build with another command",
        &[T],
        "A build's command in the queue differs from that in the graph.",
        push,
        |c| graph_entry(c, &["payload", "command"], Vec::new()),
        "graph-definition-differs",
    ),
    attack(
        "Windows build with another command",
        &[T],
        "The command of generic-worker's build continues after that of the graph.",
        push,
        |c| nth_only(c, 2, |task| add(task, &["payload", "command"], "python3 more.py")),
        "graph-definition-differs",
    ),
    attack(
        "command in another order",
        &[T],
        "The parts of a build's command are in a different order from the graph's.",
        fork,
        |c| {
            nth_only(c, 1, |task| {
                inside(task, &["payload", "command"])?.as_array_mut()?.reverse();
                Some(())
            })
        },
        "graph-definition-differs",
    ),
    attack(
        "environment added",
        &[T],
        "A build has a variable that the graph lacks.",
        push,
        |c| build_only(c, &["payload", "env", "EXTRA"], "1"),
        "graph-definition-differs",
    ),
    attack(
        "environment changed",
        &[T],
        "A variable of a cron job's build has a different value from the graph's.",
        thunderbird_cron,
        |c| nth_only(c, 1, |task| set(task, &["payload", "env", "MOZ_SIMPLE_PACKAGE_NAME"], "other")),
        "graph-definition-differs",
    ),
    attack(
        "environment without a variable",
        &[T],
        "A build of a pull request lacks a variable of its graph entry.",
        pull_request,
        |c| nth_only(c, 2, |task| remove(task, &["payload", "env", "MOZ_AUTOMATION"])),
        "graph-definition-differs",
    ),
    attack(
        "build from the mirror with another variable",
        &[T],
        "A build with sources in the git mirror has a variable that the graph lacks.",
        mirrored,
        |c| nth_only(c, 1, |task| set(task, &["payload", "env", "PATH"], "/x")),
        "graph-definition-differs",
    ),
    attack(
        "build in an image from elsewhere",
        &[T],
        "A build runs in an image from a registry, and not in the graph's.",
        push,
        |c| {
            build_only(
                c,
                &["payload", "image"],
                "debian:12@sha256:00000000000000000000000000000000000000000000000000000000000000ff",
            )
        },
        "graph-definition-differs",
    ),
    attack(
        "image from another directory",
        &[T],
        "An image task of an earlier push builds from a different directory from the graph's.",
        push,
        |c| {
            image_only(c, |task| {
                set(task, &["payload", "env", "CONTEXT_PATH"], "public/docker-contexts/x.tar.gz")
            })
        },
        "graph-definition-differs",
    ),
    attack(
        "image of the same graph from another directory",
        &[T],
        "An image task builds from a different directory from its own push's graph.",
        own_image,
        |c| {
            image_only(c, |task| {
                set(task, &["payload", "env", "CONTEXT_PATH"], "public/docker-contexts/x.tar.gz")
            })
        },
        "graph-definition-differs",
    ),
    attack(
        "metadata changed",
        &[T],
        "A build names a different owner from the graph.",
        tag,
        |c| nth_only(c, 0, |task| set(task, &["metadata", "owner"], "somebody@example.org")),
        "graph-definition-differs",
    ),
    attack(
        "source of another kind of task",
        &[T],
        "A build names a different directory of its tree from the graph's.",
        push,
        |c| {
            nth_only(c, 0, |task| {
                let source = inside(task, &["metadata", "source"])?;
                *source = format!("{}-test", source.as_str()?).into();
                Some(())
            })
        },
        "graph-definition-differs",
    ),
    attack(
        "tags changed",
        &[T],
        "A build is tagged for a different user from the graph's.",
        pr_action,
        |c| nth_only(c, 0, |task| set(task, &["tags", "createdForUser"], "somebody@example.org")),
        "graph-definition-differs",
    ),
    attack(
        "extra changed",
        &[T],
        "A build has the highest index rank, and its graph entry does not.",
        push,
        |c| nth_only(c, 0, |task| set(task, &["extra", "index", "rank"], 9_i64)),
        "graph-definition-differs",
    ),
    attack(
        "extra added",
        &[T],
        "A build on GitHub names one extra input.",
        mobile,
        |c| {
            nth_only(c, 0, |task| {
                let other = task.pointer(&["extra", "parent"])?.clone();
                set(task, &["extra", "chainOfTrust", "inputs", "build"], other)
            })
        },
        "graph-definition-differs",
    ),
    attack(
        "parent left out",
        &[T],
        "A build does not name the task that made it, and its graph entry does.",
        push,
        |c| nth_only(c, 0, |task| remove(task, &["extra", "parent"])),
        "graph-definition-differs",
    ),
    attack(
        "expiry of artifacts changed",
        &[T],
        "A build's artifacts expire later than the graph says.",
        push,
        |c| {
            nth_only(c, 0, |task| {
                set(task, &["payload", "artifacts", "public/build", "expires"], "2040-01-01T00:00:00.000Z")
            })
        },
        "graph-definition-differs",
    ),
    attack(
        "worker type changed",
        &[T],
        "A build runs in a different pool from the graph's.",
        push,
        |c| {
            nth_only(c, 0, |task| {
                set(task, &["workerType"], "b-linux-xlarge")?;
                set(task, &["taskQueueId"], "gecko-3/b-linux-xlarge")
            })
        },
        "graph-definition-differs",
    ),
    attack(
        "target in a pool of another level",
        &[T],
        "The signing task runs in the pool of another level.",
        action,
        |c| {
            target_only(c, |task| {
                set(task, &["workerType"], "gecko-1-signing")?;
                set(task, &["taskQueueId"], "scriptworker-k8s/gecko-1-signing")
            })
        },
        "graph-definition-differs",
    ),
    attack(
        "provisioner changed",
        &[T],
        "A build runs in the pool of the same name of another level.",
        fork,
        |c| {
            nth_only(c, 1, |task| {
                set(task, &["provisionerId"], "mobile-3")?;
                let pool = format!("mobile-3/{}", task.get("workerType")?.as_str()?);
                set(task, &["taskQueueId"], pool)
            })
        },
        "graph-definition-differs",
    ),
    attack(
        "target with other inputs",
        &[T],
        "The signing task uses different files of a build from the graph's.",
        push,
        |c| {
            target_only(c, |task| {
                set(task, &["payload", "upstreamArtifacts", "0", "paths"], list("public/build/target.tar.xz"))
            })
        },
        "graph-definition-differs",
    ),
    attack(
        "target with another format",
        &[T],
        "A pull request's signing task uses a different format from the graph's.",
        pr_action,
        |c| {
            target_only(c, |task| {
                set(task, &["payload", "upstreamArtifacts", "0", "formats"], list("autograph_apk"))
            })
        },
        "graph-definition-differs",
    ),
    attack(
        "finished target with a longer limit",
        &[T],
        "A finished signing task has a longer maximum run time than the graph says.",
        finished,
        |c| target_only(c, |task| set(task, &["payload", "maxRunTime"], 7201_i64)),
        "graph-definition-differs",
    ),
    attack(
        "mounted file changed",
        &[T],
        "A file that generic-worker writes before a build differs from the graph's.",
        mobile,
        |c| nth_only(c, 2, |task| set(task, &["payload", "mounts", "1", "content", "raw"], "evil\n")),
        "graph-definition-differs",
    ),
    attack(
        "repackage with another command",
        &[T],
        "A repackage of a release promotion runs a different command from the action's graph.",
        promotion_of_rounds,
        |c| {
            let id = of_kind(c, "repackage")?;
            only(c, &id, |task| set(task, &["payload", "command", "3"], "./evil.sh"))
        },
        "graph-definition-differs",
    ),
    attack(
        "intermediate signing task with another format",
        &[T],
        "A signing task before a promotion's target uses a different format from the action's graph.",
        promotion_of_rounds,
        |c| {
            let id = of_kind(c, "build-signing")?;
            only(c, &id, |task| {
                set(task, &["payload", "upstreamArtifacts", "0", "formats"], list("widevine"))
            })
        },
        "graph-definition-differs",
    ),
    attack(
        "true replaced by 1",
        &[T, Q],
        "A switch that the graph sets to true is 1 in a build.",
        push,
        |c| build_only(c, &["payload", "features", "chainOfTrust"], 1_i64),
        "graph-definition-differs",
    ),
    attack(
        "0 replaced by false",
        &[T, Q],
        "A number that is 0 in the graph is false in a build.",
        cron,
        |c| build_only(c, &["extra", "index", "rank"], false),
        "graph-definition-differs",
    ),
    attack(
        "number replaced by a string",
        &[T, Q],
        "The maximum run time of a build is a string of the same digits.",
        tag,
        |c| build_only(c, &["payload", "maxRunTime"], "7200"),
        "graph-definition-differs",
    ),
    attack(
        "string replaced by a list",
        &[T, Q],
        "A build's description is a list of one string, and in the graph a string.",
        push,
        |c| build_only(c, &["metadata", "description"], list("build of mozilla-central")),
        "graph-definition-differs",
    ),
    attack(
        "null added",
        &[T],
        "A build's payload has one extra null member.",
        pull_request,
        |c| build_only(c, &["payload", "supersederUrl"], Value::Null),
        "graph-definition-differs",
    ),
    attack(
        "empty object added to a build",
        &[T],
        "A build's payload has one extra member, an empty object.",
        push,
        |c| build_only(c, &["payload", "onExitStatus"], crate::change::empty()),
        "graph-definition-differs",
    ),
    attack(
        "route changed",
        &[T],
        "A build is indexed in a different place from the graph's.",
        push,
        |c| build_only(c, &["routes"], list("index.x")),
        "graph-definition-differs",
    ),
    attack(
        "retries changed",
        &[T],
        "A build has more retries than the graph says.",
        promotion,
        |c| build_only(c, &["retries"], 49_i64),
        "graph-definition-differs",
    ),
    attack(
        "unresolved reference",
        &[T],
        "The graph has a reference to a task by name where a build has its id.",
        push,
        |c| {
            graph_entry(
                c,
                &["payload", "env", "MOZ_AUTOMATION"],
                crate::change::json(r#"{"task-reference":"<decision>"}"#)?,
            )
        },
        "graph-definition-differs",
    ),
    attack(
        "build with a null payload in the graph",
        &[T],
        "A build's payload is null in the graph.",
        push,
        |c| graph_entry(c, &["payload"], Value::Null),
        "graph-definition-differs",
    ),
];
