//! No one could log in to the machine while the task ran.
//!
//! Specification 3.13 to 3.15.

use super::worker_implementation;
use crate::verdict::{Authority, Class, Code, Disposition, Finding};
use crate::verification::{Check, CheckContext, Examined, Link, Scope, Stop};
use catena_json::Path;
use catena_model::task::{Definition, WorkerImplementation, is_truthy};

pub(super) const DESCRIPTION: Check = describe!("interactive", CODES, Scope::Link(examine));
const CHECK: &str = DESCRIPTION.name;

const NONE: Code = Code::passing("interactive-none", "Nothing in the definition permits a login.");
const FOUND: Code = Code::new(
    "interactive-found",
    Class::Policy,
    "The definition permits a login to the machine while the task runs.",
);
const UNDETERMINED: Code = Code::new(
    "interactive-undetermined",
    Class::Policy,
    "A docker-worker payload lacks features or env, so it does not show whether the task is interactive.",
);

const CODES: &[Code] = &[NONE, FOUND, UNDETERMINED];

fn examine(cx: &CheckContext<'_>, link: &Link) -> Examined {
    let implementation =
        worker_implementation::of(&cx.evidence.product, &link.definition).map_err(|_| Stop::Blocked)?;
    let definition = &link.definition;
    let untold =
        if implementation == WorkerImplementation::DockerWorker { untold(definition) } else { Vec::new() };
    let found = found(definition);
    let place = "the queue's definition";
    let mut findings: Vec<Finding> = untold
        .into_iter()
        .map(|path| {
            let message =
                format!("The definition has no {path}, so it does not show whether the task is interactive.");
            Finding::new(CHECK, UNDETERMINED, Disposition::Failed, link.task_id, message)
                .at(place, Some(path))
        })
        .collect();
    findings.extend(found.into_iter().map(|(path, value)| {
        Finding::new(CHECK, FOUND, Disposition::Failed, link.task_id, "The task is interactive.")
            .at(place, Some(path))
            .expected(Authority::Policy, "absent or false")
            .actual(Authority::Queue, value)
    }));
    if findings.is_empty() {
        findings.push(Finding::new(
            CHECK,
            NONE,
            Disposition::Passed,
            link.task_id,
            "The task is not interactive.",
        ));
    }
    Ok(findings.into())
}

fn untold(definition: &Definition) -> Vec<Path> {
    let missing = ["features", "env"].into_iter().filter(|key| definition.payload().get(key).is_none());
    missing.map(|key| Path::of(&["payload", key])).collect()
}

fn truthy(definition: &Definition, keys: &[&str]) -> Option<(Path, String)> {
    let value = definition.value().pointer(keys).filter(|value| is_truthy(value))?;
    Some((Path::of(keys), value.to_string().chars().take(80).collect()))
}

/// Every form that any worker knows. One worker implementation may run the payload of another, so all
/// forms are looked at whatever ran the task.
///
/// Off-reference: all forms, for every implementation.
fn found(definition: &Definition) -> Vec<(Path, String)> {
    const FORMS: [&[&str]; 3] = [
        &["payload", "features", "interactive"],
        &["payload", "env", "TASKCLUSTER_INTERACTIVE"],
        &["payload", "rdpInfo"],
    ];
    let by_payload = FORMS.into_iter().filter_map(|keys| truthy(definition, keys));
    let scopes = definition.scopes().iter().enumerate();
    let rdp = scopes.filter(|(_, scope)| scope.starts_with("generic-worker:allow-rdp:"));
    by_payload.chain(rdp.map(|(index, scope)| (Path::of(&["scopes"]).index(index), scope.clone()))).collect()
}
