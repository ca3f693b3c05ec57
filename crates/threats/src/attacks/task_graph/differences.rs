//! Tasks that are not what their parent's graph says.

use crate::attacks::{Attack, Q, T, attack};
use crate::change::{
    add, build, build_only, first_build, graph, graph_entry, inside, list, only, parent_of, remove, set,
};
use crate::honest::{
    action, cron, finished, fork, mirrored, mobile, pr_action, promotion, pull_request, push, tag,
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

/// A promotion that signs and repackages before.
fn promotion_of_rounds() -> Release {
    Release { depth: 1, ..promotion() }
}

/// Changes the target in the queue and in its own document.
fn target_only(chain: &mut Chain, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    let id = chain.target.clone();
    only(chain, &id, change)
}

/// Changes a build in the queue and in its own document: 0 is docker-worker's, 1 generic-worker's with
/// docker-worker's payload, 2 generic-worker's own.
fn nth_only(chain: &mut Chain, nth: usize, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    let id = chain.builds.get(nth)?.clone();
    only(chain, &id, change)
}

/// Changes the first image task in the queue and in its own document.
fn image_only(chain: &mut Chain, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    let id = chain.images.first()?.clone();
    only(chain, &id, change)
}

/// Takes a part out of the first build's definition in the graph.
fn graph_lacks(chain: &mut Chain, key: &str) -> Option<()> {
    let id = first_build(chain)?;
    let parent = parent_of(chain, &id)?;
    graph(chain, &parent, |graph| remove(graph.get_mut(&id)?, &["task", key]))
}

/// Takes a part out of the first build's definition in the graph, and changes it elsewhere.
fn added(chain: &mut Chain, key: &str, new: impl Into<Value>) -> Option<()> {
    graph_lacks(chain, key)?;
    build_only(chain, &[key], new)
}

/// The last kind of task before the target: one of the chain whose tag says `kind`.
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
        "build with a scope more",
        &[T],
        "A build on GitHub may fetch every secret, which the graph does not let it.",
        mobile,
        |c| nth_only(c, 0, |task| add(task, &["scopes"], "secrets:get:*")),
        "graph-definition-differs",
    ),
    attack(
        "target with a scope more",
        &[T],
        "The task that signs a release may sign nightlies too, which the graph does not let it.",
        tag,
        |c| {
            target_only(c, |task| {
                add(task, &["scopes"], "project:mobile:reference-browser:releng:signing:cert:nightly-signing")
            })
        },
        "graph-definition-differs",
    ),
    attack(
        "target with a scope less",
        &[T],
        "The task that signs lacks a scope that the graph gives it.",
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
        "A build's command in the queue is not the one in the graph.",
        push,
        |c| graph_entry(c, &["payload", "command"], Vec::new()),
        "graph-definition-differs",
    ),
    attack(
        "Windows build with another command",
        &[T],
        "The command of generic-worker's build goes on after that of the graph.",
        push,
        |c| nth_only(c, 2, |task| add(task, &["payload", "command"], "python3 more.py")),
        "graph-definition-differs",
    ),
    attack(
        "command in another order",
        &[T],
        "The parts of a build's command are those of the graph in another order.",
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
        "A variable of a build of a cron job has another value than in the graph.",
        thunderbird_cron,
        |c| nth_only(c, 1, |task| set(task, &["payload", "env", "MOZ_SIMPLE_PACKAGE_NAME"], "other")),
        "graph-definition-differs",
    ),
    attack(
        "environment less",
        &[T],
        "A build of a pull request lacks a variable of the graph.",
        pull_request,
        |c| nth_only(c, 2, |task| remove(task, &["payload", "env", "MOZ_AUTOMATION"])),
        "graph-definition-differs",
    ),
    attack(
        "build from the mirror with another variable",
        &[T],
        "A build whose sources are the git mirror's has a variable that the graph lacks.",
        mirrored,
        |c| nth_only(c, 1, |task| set(task, &["payload", "env", "PATH"], "/x")),
        "graph-definition-differs",
    ),
    attack(
        "build in an image from elsewhere",
        &[T],
        "A build runs in an image of a registry, and not in the one of the graph.",
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
        "image of another content",
        &[T],
        "An image task of an earlier push builds from another folder than its graph says.",
        push,
        |c| {
            image_only(c, |task| {
                set(task, &["payload", "env", "CONTEXT_PATH"], "public/docker-contexts/x.tar.gz")
            })
        },
        "graph-definition-differs",
    ),
    attack(
        "image of the same graph with another content",
        &[T],
        "An image task builds from another folder than the graph of its own push says.",
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
        "A build names another owner than the graph.",
        tag,
        |c| nth_only(c, 0, |task| set(task, &["metadata", "owner"], "somebody@example.org")),
        "graph-definition-differs",
    ),
    attack(
        "source of another kind of task",
        &[T],
        "A build names another folder of its tree than the graph.",
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
        "A build is tagged as made for another user than in the graph.",
        pr_action,
        |c| nth_only(c, 0, |task| set(task, &["tags", "createdForUser"], "somebody@example.org")),
        "graph-definition-differs",
    ),
    attack(
        "extra changed",
        &[T],
        "A build enters the index above all others, which the graph does not let it.",
        push,
        |c| nth_only(c, 0, |task| set(task, &["extra", "index", "rank"], 9_i64)),
        "graph-definition-differs",
    ),
    attack(
        "extra added",
        &[T],
        "A build on GitHub names one input more than the graph.",
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
        "A build does not name the task that made it, which the graph does.",
        push,
        |c| nth_only(c, 0, |task| remove(task, &["extra", "parent"])),
        "graph-definition-differs",
    ),
    attack(
        "expiry of what is published changed",
        &[T],
        "What a build publishes is kept for longer than the graph says.",
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
        "A build runs in another pool than the graph says.",
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
        "The task that signs runs where those of another level do.",
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
        "target that takes something else",
        &[T],
        "The task that signs takes other files of a build than the graph says.",
        push,
        |c| {
            target_only(c, |task| {
                set(task, &["payload", "upstreamArtifacts", "0", "paths"], list("public/build/target.tar.xz"))
            })
        },
        "graph-definition-differs",
    ),
    attack(
        "target that signs otherwise",
        &[T],
        "The task that signs a pull request's builds uses another format than the graph says.",
        pr_action,
        |c| {
            target_only(c, |task| {
                set(task, &["payload", "upstreamArtifacts", "0", "formats"], list("autograph_apk"))
            })
        },
        "graph-definition-differs",
    ),
    attack(
        "finished target that ran longer",
        &[T],
        "A task that has signed already was allowed to run longer than the graph says.",
        finished,
        |c| target_only(c, |task| set(task, &["payload", "maxRunTime"], 7201_i64)),
        "graph-definition-differs",
    ),
    attack(
        "mounted file changed",
        &[T],
        "A file that generic-worker writes before a build has another content than in the graph.",
        mobile,
        |c| nth_only(c, 2, |task| set(task, &["payload", "mounts", "1", "content", "raw"], "evil\n")),
        "graph-definition-differs",
    ),
    attack(
        "repackage with another command",
        &[T],
        "A repackage of a release promotion runs another command than the action's graph says.",
        promotion_of_rounds,
        |c| {
            let id = of_kind(c, "repackage")?;
            only(c, &id, |task| set(task, &["payload", "command", "3"], "./evil.sh"))
        },
        "graph-definition-differs",
    ),
    attack(
        "signing between with another format",
        &[T],
        "A signing task before the target of a promotion signs otherwise than the action's graph says.",
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
        "truth turned into a number",
        &[T, Q],
        "A switch that the graph sets to true is 1 in a build.",
        push,
        |c| build_only(c, &["payload", "features", "chainOfTrust"], 1_i64),
        "graph-definition-differs",
    ),
    attack(
        "number turned into an untruth",
        &[T, Q],
        "A number that is 0 in the graph is false in a build.",
        cron,
        |c| build_only(c, &["extra", "index", "rank"], false),
        "graph-definition-differs",
    ),
    attack(
        "number turned into a text",
        &[T, Q],
        "The time a build may run is a text of the same digits.",
        tag,
        |c| build_only(c, &["payload", "maxRunTime"], "7200"),
        "graph-definition-differs",
    ),
    attack(
        "text turned into a list",
        &[T, Q],
        "A build's description is a list of one, and in the graph a text.",
        push,
        |c| build_only(c, &["metadata", "description"], list("build of mozilla-central")),
        "graph-definition-differs",
    ),
    attack(
        "null added",
        &[T],
        "A build's payload has one member more than in the graph, which is null.",
        pull_request,
        |c| build_only(c, &["payload", "supersederUrl"], Value::Null),
        "graph-definition-differs",
    ),
    attack(
        "empty object added to a build",
        &[T],
        "A build's payload has one member more than in the graph, which is an empty object.",
        push,
        |c| build_only(c, &["payload", "onExitStatus"], crate::change::empty()),
        "graph-definition-differs",
    ),
    attack(
        "route changed",
        &[T],
        "A build enters the index in another place than the graph says.",
        push,
        |c| build_only(c, &["routes"], list("index.x")),
        "graph-definition-differs",
    ),
    attack(
        "retries changed",
        &[T],
        "A build is tried more often than the graph says.",
        promotion,
        |c| build_only(c, &["retries"], 49_i64),
        "graph-definition-differs",
    ),
    attack(
        "reference that survives",
        &[T],
        "The graph still has a reference to a task by name where a build has its id.",
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
        "build that the graph makes nothing of",
        &[T],
        "What a build runs is null in the graph.",
        push,
        |c| graph_entry(c, &["payload"], Value::Null),
        "graph-definition-differs",
    ),
    attack(
        "dependency added",
        &[T],
        "A build waits for another build, which the graph does not let it.",
        push,
        |c| {
            let other = c.builds.get(1)?.clone();
            nth_only(c, 0, |task| add(task, &["dependencies"], other))
        },
        "graph-dependencies-added",
    ),
    attack(
        "dependency added to an image",
        &[T],
        "An image task of an earlier push waits for a build of a later one.",
        tag,
        |c| {
            let other = first_build(c)?;
            image_only(c, |task| add(task, &["dependencies"], other))
        },
        "graph-dependencies-added",
    ),
    attack(
        "dependency added to the target",
        &[T],
        "The task that signs for an action waits for a task that its graph does not name.",
        action,
        |c| target_only(c, |task| add(task, &["dependencies"], crate::change::NOBODY)),
        "graph-dependencies-added",
    ),
    attack(
        "dependency of a graph without any",
        &[T],
        "A build waits for its image, and the graph lets it wait for nothing.",
        pr_action,
        |c| graph_entry(c, &["dependencies"], Vec::new()),
        "graph-dependencies-added",
    ),
    attack(
        "dependencies of a graph that are no list",
        &[T],
        "The graph's dependencies of a build are an object whose keys are their ids.",
        push,
        |c| {
            let id = first_build(c)?;
            let of = c.definition(&id)?.pointer(&["dependencies"])?.as_array()?.first()?.as_str()?.to_owned();
            let mut ids = crate::change::empty();
            set(&mut ids, &[&of], true)?;
            graph_entry(c, &["dependencies"], ids)
        },
        "graph-dependencies-added",
    ),
    attack(
        "route added",
        &[T],
        "A build enters the index, and the graph gives it no routes.",
        push,
        |c| graph_lacks(c, "routes"),
        "graph-definition-additions",
    ),
    attack(
        "scopes added",
        &[T],
        "A build has scopes, and the graph says nothing of scopes.",
        mobile,
        |c| graph_lacks(c, "scopes"),
        "graph-definition-additions",
    ),
    attack(
        "tags added",
        &[T],
        "A build of a release has tags, and the graph says nothing of tags.",
        tag,
        |c| graph_lacks(c, "tags"),
        "graph-definition-additions",
    ),
    attack(
        "payload added",
        &[T],
        "A build of a cron job runs something, and the graph does not say what.",
        cron,
        |c| graph_lacks(c, "payload"),
        "graph-definition-additions",
    ),
    attack(
        "condition added",
        &[T],
        "A build also runs when what it waits for has failed, of which the graph says nothing.",
        push,
        |c| build_only(c, &["requires"], "all-resolved"),
        "graph-definition-additions",
    ),
    attack(
        "condition added to the target",
        &[T],
        "The task that signs a promotion also runs when the builds have failed.",
        promotion,
        |c| target_only(c, |task| set(task, &["requires"], "all-resolved")),
        "graph-definition-additions",
    ),
    attack(
        "retries added",
        &[T],
        "A build is tried 49 times, and the graph says nothing of it.",
        pull_request,
        |c| added(c, "retries", 49_i64),
        "graph-definition-additions",
    ),
    attack(
        "part added",
        &[T],
        "A build has a part at the top that neither the graph nor the platform knows.",
        push,
        |c| build_only(c, &["bonus"], "x"),
        "graph-definition-additions",
    ),
    attack(
        "null part added",
        &[T],
        "A build of a fork has a part at the top that is null, which the graph lacks.",
        fork,
        |c| build_only(c, &["bonus"], Value::Null),
        "graph-definition-additions",
    ),
    attack(
        "project added",
        &[T],
        "A build belongs to a project of Taskcluster that the graph does not name.",
        push,
        |c| build_only(c, &["projectId"], "somebodys"),
        "graph-definition-additions",
    ),
    attack(
        "group of another push",
        &[T],
        "A build is in the task group of an earlier push.",
        push,
        |c| {
            let other = c.decisions.get(1)?.clone();
            nth_only(c, 0, |task| set(task, &["taskGroupId"], other))
        },
        "graph-definition-additions",
    ),
    attack(
        "queue added by the graph",
        &[T],
        "The graph names another queue for a build than it has.",
        push,
        |c| graph_entry(c, &["taskQueueId"], "gecko-3/images-gcp"),
        "graph-definition-additions",
    ),
    attack(
        "other scheduler",
        &[T],
        "A build is of another scheduler than the graph says.",
        push,
        |c| build_only(c, &["schedulerId"], "other"),
        "graph-definition-additions",
    ),
    attack(
        "scheduler of another level",
        &[T],
        "The task that signs a release is of the scheduler of another level.",
        tag,
        |c| target_only(c, |task| set(task, &["schedulerId"], "mobile-level-2")),
        "graph-definition-additions",
    ),
    attack(
        "scheduler added",
        &[T],
        "A build is of a scheduler of another trust domain, and the graph names none.",
        mobile,
        |c| added(c, "schedulerId", "gecko-level-3"),
        "graph-definition-additions",
    ),
    attack(
        "priority that is none",
        &[T],
        "A build has a priority that the platform does not have.",
        action,
        |c| build_only(c, &["priority"], "urgent"),
        "graph-definition-additions",
    ),
    attack(
        "priority as a number",
        &[T],
        "A build's priority is a number.",
        push,
        |c| build_only(c, &["priority"], 1_i64),
        "graph-definition-additions",
    ),
    attack(
        "later deadline",
        &[T],
        "A build may be run for years.",
        push,
        |c| build_only(c, &["deadline"], "2030-01-01T00:00:00.000Z"),
        "graph-times-differ",
    ),
    attack(
        "no deadline",
        &[Q],
        "A build of a pull request has no deadline, and the graph sets one.",
        pull_request,
        |c| nth_only(c, 0, |task| remove(task, &["deadline"])),
        "graph-times-differ",
    ),
    attack(
        "earlier expiry",
        &[T],
        "The task that signs is forgotten before the graph says so.",
        mobile,
        |c| target_only(c, |task| set(task, &["expires"], "2026-08-20T00:00:00.000Z")),
        "graph-times-differ",
    ),
    attack(
        "deadline in another form",
        &[T],
        "A build's deadline is the graph's, in the form of another time zone.",
        cron,
        |c| {
            nth_only(c, 0, |task| {
                let deadline = inside(task, &["deadline"])?;
                *deadline = deadline.as_str()?.replace('Z', "+00:00").into();
                Some(())
            })
        },
        "graph-times-differ",
    ),
    attack(
        "created later",
        &[T, Q],
        "A build was created years after what its deadline and expiry tell.",
        push,
        |c| build_only(c, &["created"], "2029-01-01T00:00:00.000Z"),
        "graph-times-differ",
    ),
    attack(
        "time without milliseconds",
        &[T, Q],
        "A build's creation is told without milliseconds.",
        push,
        |c| build_only(c, &["created"], "2026-08-12T09:30:12Z"),
        "graph-created-malformed",
    ),
    attack(
        "time of another zone",
        &[T, Q],
        "The creation of the task that signs is told in another time zone.",
        tag,
        |c| target_only(c, |task| set(task, &["created"], "2026-08-12T09:30:12.000+0")),
        "graph-created-malformed",
    ),
    attack(
        "time with a blank",
        &[T, Q],
        "The creation of an image task has a blank between date and time.",
        push,
        |c| {
            image_only(c, |task| {
                let created = inside(task, &["created"])?;
                *created = created.as_str()?.replace('T', " ").into();
                Some(())
            })
        },
        "graph-created-malformed",
    ),
    attack(
        "time that does not exist",
        &[T, Q],
        "A build was created on the thirtieth of February.",
        mobile,
        |c| build_only(c, &["created"], "2026-02-30T00:00:00.000Z"),
        "graph-created-malformed",
    ),
    attack(
        "two pools",
        &[T, Q],
        "A build names one pool in one form and another in the other.",
        push,
        |c| build(c, &["taskQueueId"], "gecko-1/x"),
        "definition-pool-contradiction",
    ),
];
