//! What ran a task can be told from its definition, and in one way only: it selects the keys.
//!
//! Specification 3.9 and 3.10.

use crate::verdict::{Authority, Class, Code, Disposition, Finding};
use crate::verification::{Check, CheckContext, Established, Examination, Examined, Link, Scope};
use catena_json::Path;
use catena_model::task::{Definition, WorkerImplementation};
use catena_policy::{Product, UnknownImplementation, worker_signs};

pub(super) const DESCRIPTION: Check = describe!("worker-implementation", CODES, Scope::Link(examine));
const CHECK: &str = DESCRIPTION.name;

const TOLD: Code =
    Code::passing("worker-implementation-told", "The definition names one worker implementation.");
const MISSING: Code = Code::new(
    "worker-implementation-missing",
    Class::Invalid,
    "Nothing in the definition names the worker implementation.",
);
const AMBIGUOUS: Code = Code::new(
    "worker-implementation-ambiguous",
    Class::Invalid,
    "The definition names more than one worker implementation.",
);
const UNKNOWN: Code = Code::new(
    "worker-implementation-unknown",
    Class::Invalid,
    "The definition names a worker implementation that does not exist.",
);

const CODES: &[Code] = &[TOLD, MISSING, AMBIGUOUS, UNKNOWN];

/// What ran a task, from everything that says so.
pub(crate) fn of(
    product: &Product,
    definition: &Definition,
) -> Result<WorkerImplementation, UnknownImplementation> {
    catena_policy::worker_implementation(definition, &product.scriptworker_provisioners)
}

fn examine(cx: &CheckContext<'_>, link: &Link) -> Examined {
    let shown = || {
        let signs = worker_signs(&link.definition, &cx.evidence.product.scriptworker_provisioners);
        signs.map(|(place, sign)| format!("{place}: {sign}")).collect::<Vec<_>>().join("; ")
    };
    let failed = |code, message: &str| {
        let finding = Finding::new(CHECK, code, Disposition::Failed, link.task_id, message);
        let expected = WorkerImplementation::ALL.map(WorkerImplementation::as_str).join(" or ");
        finding.expected(Authority::Policy, expected)
    };
    let at_tag = |finding: Finding| {
        finding.at("the queue's definition", Some(Path::of(&["tags", "worker-implementation"])))
    };
    let implementation = of(&cx.evidence.product, &link.definition);
    let established =
        implementation.as_ref().ok().map(|implementation| Established::Implementation(*implementation));
    let finding = match implementation {
        Ok(implementation) => {
            let message = format!("The task was run by {implementation} ({}).", shown());
            Finding::new(CHECK, TOLD, Disposition::Passed, link.task_id, message)
        }
        Err(UnknownImplementation::Missing) => {
            at_tag(failed(MISSING, "Nothing in the definition names the worker implementation."))
                .actual(Authority::Queue, "missing")
        }
        Err(UnknownImplementation::Ambiguous(_)) => {
            failed(AMBIGUOUS, "The definition names more than one worker implementation.")
                .actual(Authority::Queue, shown())
        }
        Err(UnknownImplementation::Unsupported(name)) => {
            at_tag(failed(UNKNOWN, "The task's tag does not name a worker implementation."))
                .actual(Authority::Queue, format!("{name:?}"))
        }
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
            assert!(
                matches!(told(other), Err(UnknownImplementation::Ambiguous(claims)) if claims.len() == 2),
                "{other}"
            );
        }
        let alone = Definition::sample(r#""scopes":[]"#, r#""scopes":[],"tags":{"worker-implementation":7}"#);
        assert_eq!(of(&Product::empty("p"), &alone), Err(UnknownImplementation::Unsupported("7".to_owned())));
        assert_eq!(
            of(&Product::empty("p"), &Definition::sample("", "")),
            Err(UnknownImplementation::Missing)
        );
    }
}
