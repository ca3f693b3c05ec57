//! Which worker implementation ran a task, as its definition tells (specification 3.9 and 3.10).

use catena_json::Value;
use catena_model::task::{Definition, WorkerImplementation, is_truthy};
use std::collections::BTreeSet;
use std::fmt;

/// Why a definition does not name the worker implementation that ran its task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnknownImplementation {
    /// It has none of the signs.
    Missing,
    /// Its signs disagree.
    Ambiguous(Vec<String>),
    /// It names an implementation that does not exist.
    Unsupported(String),
}

impl fmt::Display for UnknownImplementation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => out.write_str("nothing in its definition names one"),
            Self::Ambiguous(names) => write!(out, "its definition names {}", names.join(" and ")),
            Self::Unsupported(name) => write!(out, "its definition names {name:?}, which does not exist"),
        }
    }
}

/// The worker implementation that a definition tells. `scriptworker_provisioners` are those whose workers are
/// scriptworkers.
///
/// # Errors
/// No sign, signs that disagree, or the name of an implementation that does not exist.
pub fn worker_implementation(
    definition: &Definition,
    scriptworker_provisioners: &BTreeSet<String>,
) -> Result<WorkerImplementation, UnknownImplementation> {
    let signs = worker_signs(definition, scriptworker_provisioners);
    let names: BTreeSet<String> = signs.map(|(_, name)| name).collect();
    let mut names = names.into_iter();
    match (names.next(), names.len()) {
        (None, _) => Err(UnknownImplementation::Missing),
        (Some(one), 0) => WorkerImplementation::parse(&one).ok_or(UnknownImplementation::Unsupported(one)),
        (Some(one), _) => Err(UnknownImplementation::Ambiguous(std::iter::once(one).chain(names).collect())),
    }
}

/// Every part of a definition that says which implementation runs its task: the part's name, and what it says.
pub fn worker_signs(
    definition: &Definition,
    scriptworker_provisioners: &BTreeSet<String>,
) -> impl Iterator<Item = (&'static str, String)> {
    use WorkerImplementation::{DockerWorker, GenericWorker, Scriptworker};
    let payload = definition.payload();
    let present = |key: &str| payload.get(key).is_some_and(|value| !value.is_null());
    let image = payload.get("image").is_some_and(is_truthy);
    let scriptworker = scriptworker_provisioners.contains(definition.worker_pool().provisioner_id());
    let by_scope = definition.scopes().iter().any(|scope| scope.starts_with("docker-worker:"));
    let tag = match definition.value().pointer(&["tags", "worker-implementation"]) {
        Some(Value::String(text)) if text.is_empty() => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) if is_truthy(other) => Some(other.to_string()),
        _ => None,
    };
    [
        ("payload.image", image.then_some(DockerWorker)),
        ("provisionerId", scriptworker.then_some(Scriptworker)),
        ("payload.mounts", present("mounts").then_some(GenericWorker)),
        ("payload.osGroups", present("osGroups").then_some(GenericWorker)),
        ("scopes", by_scope.then_some(DockerWorker)),
    ]
    .into_iter()
    .filter_map(|(place, sign)| sign.map(|sign| (place, sign.as_str().to_owned())))
    .chain(tag.map(|tag| ("tags.worker-implementation", tag)))
}
