//! What ran a task can be told from its definition, and in one way only: it selects the keys.
//!
//! Specification 3.9 and 3.10.

use crate::verdict::{Authority, Class, Code, Disposition, Finding};
use crate::verification::{Check, CheckContext, Established, Examination, Examined, Link, Scope};
use catena_json::Value;
use catena_model::task::{Definition, WorkerImplementation};
use catena_policy::Product;
use std::collections::BTreeSet;

pub(super) const DESCRIPTION: Check = describe!("worker-implementation", CODES, Scope::Link(examine));
const CHECK: &str = DESCRIPTION.name;

const TOLD: Code =
    Code::passing("worker-implementation-told", "The definition tells in one way what ran the task.");
const MISSING: Code = Code::new(
    "worker-implementation-missing",
    Class::Invalid,
    "Nothing in the definition tells what ran the task.",
);
const AMBIGUOUS: Code = Code::new(
    "worker-implementation-ambiguous",
    Class::Invalid,
    "The definition tells of more than one worker implementation.",
);
const UNKNOWN: Code = Code::new(
    "worker-implementation-unknown",
    Class::Invalid,
    "The definition names a worker implementation that does not exist.",
);

const CODES: &[Code] = &[TOLD, MISSING, AMBIGUOUS, UNKNOWN];

/// Why it cannot be told what ran a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Untold {
    Missing,
    Ambiguous(Vec<String>),
    Unknown(String),
}

/// What ran a task, from everything that says so.
pub(crate) fn of(product: &Product, definition: &Definition) -> Result<WorkerImplementation, Untold> {
    let claims: BTreeSet<String> = claims(product, definition).map(|(_, claim)| claim).collect();
    let mut claims = claims.into_iter();
    match (claims.next(), claims.len()) {
        (None, _) => Err(Untold::Missing),
        (Some(one), 0) => WorkerImplementation::parse(&one).ok_or(Untold::Unknown(one)),
        (Some(one), _) => Err(Untold::Ambiguous(std::iter::once(one).chain(claims).collect())),
    }
}

/// Every part of a definition that says what runs it: the part's name and what it says.
fn claims<'a>(
    product: &'a Product,
    definition: &'a Definition,
) -> impl Iterator<Item = (&'static str, String)> + 'a {
    use WorkerImplementation::{DockerWorker, GenericWorker, Scriptworker};
    let payload = definition.payload();
    let present = |key: &str| payload.get(key).is_some_and(|value| !value.is_null());
    let image = payload.get("image").is_some_and(catena_model::task::is_truthy);
    let scriptworker = product.scriptworker_provisioners.contains(definition.worker_pool().provisioner_id());
    let by_scope = definition.scopes().iter().any(|scope| scope.starts_with("docker-worker:"));
    let tag = match definition.value().pointer(&["tags", "worker-implementation"]) {
        Some(Value::String(text)) if text.is_empty() => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) if catena_model::task::is_truthy(other) => Some(other.to_string()),
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
    .filter_map(|(place, claim)| claim.map(|claim| (place, claim.as_str().to_owned())))
    .chain(tag.map(|tag| ("tags.worker-implementation", tag)))
}

fn examine(cx: &CheckContext<'_>, link: &Link) -> Examined {
    let shown = || {
        let claims = claims(&cx.evidence.product, &link.definition);
        claims.map(|(place, claim)| format!("{place}: {claim}")).collect::<Vec<_>>().join("; ")
    };
    let failed = |code, message: &str| {
        let finding = Finding::new(CHECK, code, Disposition::Failed, link.task_id, message);
        let expected = WorkerImplementation::ALL.map(WorkerImplementation::as_str).join(" or ");
        finding.expected(Authority::Policy, expected).actual(Authority::Queue, shown())
    };
    let implementation = of(&cx.evidence.product, &link.definition);
    let established =
        implementation.as_ref().ok().map(|implementation| Established::Implementation(*implementation));
    let finding = match implementation {
        Ok(implementation) => {
            let message = format!("The task was run by {implementation} ({}).", shown());
            Finding::new(CHECK, TOLD, Disposition::Passed, link.task_id, message)
        }
        Err(Untold::Missing) => failed(MISSING, "Nothing in the definition tells what ran the task.")
            .actual(Authority::Queue, "nothing"),
        Err(Untold::Ambiguous(_)) => {
            failed(AMBIGUOUS, "The definition tells of more than one worker implementation.")
        }
        Err(Untold::Unknown(name)) => failed(UNKNOWN, &format!("{name:?} is not a worker implementation.")),
    };
    let established = established.into_iter().collect();
    Ok(Examination { established, ..vec![finding].into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_tells_unless_it_is_empty() {
        let mut product = Product::empty("p");
        product.scriptworker_provisioners.insert("gecko-3".to_owned());
        let told = |tag: &str| {
            let tags = format!(r#""scopes":[],"tags":{{"worker-implementation":{tag}}}"#);
            of(&product, &Definition::sample(r#""scopes":[]"#, &tags))
        };
        for empty in ["\"\"", "null", "false", "0", "[]", "{}"] {
            assert_eq!(told(empty), Ok(WorkerImplementation::Scriptworker), "{empty}");
        }
        assert_eq!(told("\"scriptworker\""), Ok(WorkerImplementation::Scriptworker));
        for other in ["\"docker-worker\"", "true", "7", "[\"scriptworker\"]"] {
            assert!(matches!(told(other), Err(Untold::Ambiguous(claims)) if claims.len() == 2), "{other}");
        }
        let alone = Definition::sample(r#""scopes":[]"#, r#""scopes":[],"tags":{"worker-implementation":7}"#);
        assert_eq!(of(&Product::empty("p"), &alone), Err(Untold::Unknown("7".to_owned())));
        assert_eq!(of(&Product::empty("p"), &Definition::sample("", "")), Err(Untold::Missing));
    }
}
