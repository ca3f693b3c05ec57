//! A task before it is a task: as the task graph holds it, and as the queue got it.

use super::product::Vcs;
use super::time::Time;
use super::tree::{PUSHER, Tree};
use super::value::{extend, list, merged, object, strings};
use crate::body::Body;
use catena_json::{Map, Value};

/// Which implementation runs a task, and so what its payload looks like and which key signs for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    DockerWorker,
    /// A docker-worker payload that generic-worker runs and signs for.
    D2g,
    GenericWorker,
    Scriptworker,
}

/// One task of a graph.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) id: String,
    pub(super) label: String,
    /// The kind in the tree; chains name some of them differently.
    pub(super) kind: &'static str,
    pub(super) worker: Engine,
    pub(super) scopes: Vec<String>,
    pub(super) payload: Value,
    /// Members of `extra` that are this task's own.
    pub(super) extra: Value,
    pub(super) dependencies: Vec<String>,
    pub(super) artifacts: Vec<(String, Body)>,
    /// What it takes in, by the task that made it and the name, where its worker records that.
    pub(super) inputs: Vec<(String, &'static str)>,
    /// Where its sources are: its decision task's tree, or that tree's mirror.
    pub(super) tree: Tree,
}

impl Plan {
    fn pool(&self) -> (String, String) {
        let product = self.tree.product;
        let (domain, level, suffix) = (product.domain, self.tree.level, product.pool_suffix);
        let worker = match (self.worker, self.kind) {
            (Engine::Scriptworker, kind) => {
                let kind = kind.strip_prefix("build-").unwrap_or(kind);
                return ("scriptworker-k8s".into(), format!("{domain}-{level}-{kind}"));
            }
            (Engine::GenericWorker, _) => "b-win2022".to_owned(),
            (_, "docker-image") => format!("images{suffix}"),
            _ => format!("b-linux{suffix}"),
        };
        (format!("{domain}-{level}"), worker)
    }

    /// The definition as its decision task publishes it, times still relative.
    pub(super) fn published(&self, parent: &str) -> Value {
        let (provisioner, worker_type) = self.pool();
        let tree = &self.tree;
        let after = |time: &str| object! {"relative-datestamp" => time};
        let implementation = match self.worker {
            Engine::DockerWorker | Engine::D2g => "docker-worker",
            Engine::GenericWorker => "generic-worker",
            Engine::Scriptworker => "scriptworker",
        };
        let index = format!("index.{}.v2.{}", tree.product.domain, tree.project());
        object! {
            "provisionerId" => provisioner, "workerType" => worker_type,
            "schedulerId" => format!("{}-level-{}", tree.product.domain, tree.level),
            "created" => after("0 seconds"), "deadline" => after("1 day"), "expires" => after("1 year"),
            "priority" => "medium", "retries" => 5_i64,
            "dependencies" => strings(self.dependencies.clone()),
            "routes" => list![format!("{index}.latest.{}.{}", self.kind, self.label.replace('/', "-"))],
            "scopes" => strings(self.scopes.clone()),
            "metadata" => object! {
                "name" => self.label.as_str(), "description" => format!("{} of {}", self.kind, tree.project()),
                "owner" => PUSHER, "source" => tree.source(self.kind),
            },
            "tags" => object! {
                "createdForUser" => PUSHER, "kind" => self.kind, "label" => self.label.as_str(),
                "os" => if self.worker == Engine::GenericWorker { "windows" } else { "linux" },
                "worker-implementation" => implementation,
            },
            "extra" => merged([
                object! {"index" => object! {"rank" => 0_i64}, "parent" => parent},
                self.extra.clone(),
            ]),
            "payload" => self.payload.clone(),
        }
    }

    /// The definition as the queue got it.
    pub(super) fn definition(&self, parent: &str, group: &str, created: Time) -> Value {
        let mut task = resolved(&self.published(parent), created);
        let (provisioner, worker_type) = self.pool();
        let more = object! {
            "taskGroupId" => group, "requires" => "all-completed", "projectId" => "none",
            "taskQueueId" => format!("{provisioner}/{worker_type}"),
        };
        extend(&mut task, more);
        task
    }

    /// The entry in `public/task-graph.json`.
    fn entry(&self, parent: &str) -> Value {
        let edges: Map = self
            .dependencies
            .iter()
            .enumerate()
            .map(|(i, id)| (format!("edge-{i}"), Value::from(id.as_str())))
            .collect();
        object! {
            "attributes" => object! {
                "kind" => self.kind, "run_on_projects" => list!["all"],
                "shippable" => self.worker != Engine::Scriptworker,
            },
            "dependencies" => edges, "description" => format!("{} of {}", self.kind, self.tree.project()),
            "if_dependencies" => list![], "kind" => self.kind, "label" => self.label.as_str(),
            "optimization" => Value::Null, "soft_dependencies" => list![], "task" => self.published(parent),
        }
    }
}

/// `public/task-graph.json` of a decision or action task.
pub(super) fn task_graph(parent: &str, plans: &[Plan]) -> Value {
    Value::Object(plans.iter().map(|plan| (plan.id.clone(), plan.entry(parent))).collect())
}

/// Puts times in place of relative ones. Definitions made here are not deep.
fn resolved(value: &Value, created: Time) -> Value {
    if let Some(after) = value.get("relative-datestamp").and_then(Value::as_str) {
        let days = match after {
            "1 day" => 1,
            "1 year" => 365,
            _ => 0,
        };
        return Value::from(created.plus_days(days).to_string());
    }
    match value {
        Value::Object(map) => {
            map.iter().map(|(k, v)| (k.clone(), resolved(v, created))).collect::<Map>().into()
        }
        Value::Array(items) => items.iter().map(|item| resolved(item, created)).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}

/// The payload of a task that runs in a container of `image`.
pub(super) fn docker_payload(tree: &Tree, image: Value, command: &str, own_env: Value) -> Value {
    let directory = object! {
        "type" => "directory", "path" => "/builds/worker/artifacts/",
        "expires" => object! {"relative-datestamp" => "1 year"},
    };
    object! {
        "image" => image, "maxRunTime" => 7200_i64,
        "features" => object! {"chainOfTrust" => true, "taskclusterProxy" => true},
        "env" => merged([tree.environment(), object! {"MOZ_AUTOMATION" => "1"}, own_env]),
        "cache" => object! {format!("{}-level-{}-checkouts", tree.product.domain, tree.level) => "/builds/worker/checkouts"},
        "command" => list!["run-task", "--src-checkout=/builds/worker/checkouts/src", "--", command],
        "artifacts" => object! {"public/build" => directory},
    }
}

/// The payload of a task that generic-worker runs on its own.
pub(super) fn generic_payload(tree: &Tree) -> Value {
    let checkout = if tree.vcs == Vcs::Hg { "hg" } else { "git" };
    let directory = object! {
        "type" => "directory", "name" => "public/build", "path" => "public/build",
        "expires" => object! {"relative-datestamp" => "1 year"},
    };
    object! {
        "maxRunTime" => 7200_i64, "osGroups" => list![],
        "features" => object! {"chainOfTrust" => true, "taskclusterProxy" => true},
        "env" => merged([tree.environment(), object! {"MOZ_AUTOMATION" => "1", "GENERIC_WORKER" => "<windows & more>"}]),
        "mounts" => list![
            object! {"cacheName" => format!("level-{}-checkouts", tree.level), "directory" => "build"},
            object! {
                "file" => "run-task", "content" => object! {"raw" => format!("checkout with {checkout}\n")},
            },
        ],
        "command" => list!["python3 run-task --src-checkout=build/src -- build.sh"],
        "artifacts" => list![directory],
    }
}

/// The payload of a scriptworker task.
pub(super) fn script_payload(upstream: Vec<Value>) -> Value {
    object! {"maxRunTime" => 3600_i64, "upstreamArtifacts" => upstream}
}

/// One entry of `upstreamArtifacts`.
pub(super) fn upstream(kind: &str, id: &str, paths: Vec<String>) -> Value {
    object! {"taskType" => kind, "taskId" => id, "paths" => strings(paths), "formats" => list!["autograph_gpg"]}
}
