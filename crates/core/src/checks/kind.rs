//! A link's kind is one the policy knows, and was run by what that kind asks for.
//!
//! verification.md sections 2.1, 2.2 and 8.1.

use super::{Examined, worker_implementation};
use crate::inquiry::{Cx, Link, Stop};
use crate::policy::KindRole;
use crate::task::WorkerImplementation;
use crate::verdict::{Class, Code, Finding, Side, Standing};

const CHECK: &str = "kind";

const KNOWN: Code = Code::new(
    "kind-known",
    Class::Policy,
    "The policy knows the link's kind, and what ran it is what the kind asks for.",
);
const UNKNOWN: Code = Code::new("kind-unknown", Class::Policy, "The policy does not know the link's kind.");
const NOT_SCRIPTWORKER: Code = Code::new(
    "kind-needs-scriptworker",
    Class::Policy,
    "The link's kind must be run by a scriptworker, and another worker ran it.",
);

pub(crate) const CODES: &[Code] = &[KNOWN, UNKNOWN, NOT_SCRIPTWORKER];

pub(crate) fn examine(cx: &Cx<'_>, link: &Link) -> Examined {
    let Some(role) = link.role else {
        let known: Vec<&str> = cx.case.product.kinds.keys().map(crate::task::Kind::as_str).collect();
        let declared = link.name.parts().last().map_or("", String::as_str);
        let finding = Finding::new(
            CHECK,
            UNKNOWN,
            Standing::Failed,
            link.task_id,
            "The policy does not know this kind.",
        )
        .expected(Side::Policy, known.join(", "))
        .actual(Side::Task, declared);
        return Ok(vec![finding].into());
    };
    if role == KindRole::Scriptworker {
        let implementation =
            worker_implementation::of(&cx.case.product, &link.definition).map_err(|_| Stop::Blocked)?;
        if implementation != WorkerImplementation::Scriptworker {
            let message = format!("A {} task must be run by a scriptworker.", link.kind);
            let finding = Finding::new(CHECK, NOT_SCRIPTWORKER, Standing::Failed, link.task_id, message)
                .expected(Side::Policy, WorkerImplementation::Scriptworker.as_str())
                .actual(Side::Queue, implementation.as_str());
            return Ok(vec![finding].into());
        }
    }
    let message = format!("{} is a kind of the policy.", link.kind);
    Ok(vec![Finding::new(CHECK, KNOWN, Standing::Passed, link.task_id, message)].into())
}
