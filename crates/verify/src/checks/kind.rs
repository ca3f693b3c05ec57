//! A link's kind is one the policy knows, and was run by what that kind asks for.
//!
//! Specification 2.4 to 2.6 and 2.10.

use super::worker_implementation;
use crate::verdict::{Authority, Class, Code, Disposition, Finding};
use crate::verification::{Check, CheckContext, Examined, Link, Scope, Stop};
use catena_json::Path;
use catena_model::task::{Kind, TaskId, WorkerImplementation};
use catena_policy::{KindRole, Rule};

pub(super) const DESCRIPTION: Check = describe!("kind", CODES, Scope::Link(examine));
const CHECK: &str = DESCRIPTION.name;

const KNOWN: Code = Code::passing(
    "kind-known",
    "The policy knows the link's kind, and the link ran on a worker that the kind requires.",
);
const UNKNOWN: Code = Code::new("kind-unknown", Class::Invalid, "The policy does not know the link's kind.");
const NOT_SCRIPTWORKER: Code = Code::new(
    "kind-needs-scriptworker",
    Class::Policy,
    "Only a scriptworker may run the link's kind, and the worker that ran it is not one.",
);

const OTHER: Code = Code::new(
    "kind-mismatch",
    Class::Invalid,
    "The task's own kind tag contradicts the kind that it is declared as.",
)
.relaxable(Rule::KindTag);

const CODES: &[Code] = &[KNOWN, UNKNOWN, NOT_SCRIPTWORKER, OTHER];

fn examine(cx: &CheckContext<'_>, link: &Link) -> Examined {
    let Some(role) = link.role else {
        let known: Vec<&str> = cx.evidence.product.kinds.keys().map(Kind::as_str).collect();
        let declared = link.name.parts().last().map_or("", String::as_str);
        let finding = Finding::new(
            CHECK,
            UNKNOWN,
            Disposition::Failed,
            link.task_id,
            format!("The policy does not know the kind {declared:?}."),
        )
        .expected_by(Authority::Policy, cx.policy("kinds"), known.join(", "))
        .actual(Authority::Task, declared);
        return Ok(vec![declared_at(cx, link, declared, finding)].into());
    };
    if role == KindRole::Scriptworker {
        let implementation =
            worker_implementation::of(&cx.evidence.product, &link.definition).map_err(|_| Stop::Blocked)?;
        if implementation != WorkerImplementation::Scriptworker {
            let message = format!("A {} task must be run by a scriptworker.", link.kind);
            let finding = Finding::new(CHECK, NOT_SCRIPTWORKER, Disposition::Failed, link.task_id, message)
                .expected_by(
                    Authority::Policy,
                    cx.policy_entry("kinds", link.kind.as_str()),
                    WorkerImplementation::Scriptworker.as_str(),
                )
                .actual(Authority::Queue, implementation.as_str());
            return Ok(vec![finding].into());
        }
    }
    if let Some(tag) = other_kind(cx, link, role) {
        let message = format!("The task is declared as {}, but its own tag says {tag}.", link.kind);
        let finding = Finding::new(CHECK, OTHER, Disposition::Failed, link.task_id, message)
            .at("the queue's definition", Some(Path::of(&["tags", "kind"])))
            .expected(Authority::Task, link.kind.as_str())
            .actual(Authority::Queue, tag.as_str());
        return Ok(vec![finding].into());
    }
    let message = format!("{} is a kind of the policy.", link.kind);
    Ok(vec![Finding::new(CHECK, KNOWN, Disposition::Passed, link.task_id, message)].into())
}

/// A finding about a kind, at the place that says it: the request, or the task that takes the link in.
fn declared_at(cx: &CheckContext<'_>, link: &Link, declared: &str, finding: Finding) -> Finding {
    if link.is_target {
        return finding.at("the request (--task-type)", None);
    }
    let place = cx.chain.links().find_map(|taker| {
        let is_input = |(kind, id): &(String, TaskId)| kind == declared && *id == link.task_id;
        let path = if taker.definition.inputs().iter().any(is_input) {
            Path::of(&["extra", "chainOfTrust", "inputs", declared])
        } else {
            let entries = taker.definition.upstream_artifacts();
            let entry = entries.iter().position(|entry| entry.task_id == link.task_id)?;
            Path::of(&["payload", "upstreamArtifacts"]).index(entry).key("taskType")
        };
        Some((format!("the queue's definition of {}", taker.name), path))
    });
    match place {
        Some((document, path)) => finding.at(document, Some(path)),
        None => finding,
    }
}

/// The kind in the task's own tags, where it is another one that the policy knows. Trees have many
/// more kinds than policies (`build-signing`, `mar-signing`); those say nothing against the declared one. Of
/// the kinds with a role of their own, other checks say more.
///
/// Off-reference: a rule of its own, `kind-tag`.
fn other_kind(cx: &CheckContext<'_>, link: &Link, role: KindRole) -> Option<Kind> {
    let tag = Kind::parse(link.definition.text(&["tags", "kind"])?).ok()?;
    let plain = role == KindRole::Plain && cx.evidence.product.role(&tag) == Some(KindRole::Plain);
    (plain && tag != link.kind).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verification::{Chain, Evidence};
    use catena_model::task::Definition;
    use catena_policy::Product;

    #[test]
    fn only_another_plain_kind_speaks_against_a_plain_one() {
        let mut product = Product::empty("p");
        for (name, role) in
            [("build", KindRole::Plain), ("test", KindRole::Plain), ("signing", KindRole::Scriptworker)]
        {
            product.kinds.insert(Kind::parse(name).unwrap(), role);
        }
        let (case, chain) = (Evidence::sample(product), Chain::default());
        let told = |declared: &str, role: KindRole, tags: &str| {
            let definition = Definition::sample(r#""scopes":[]"#, &format!(r#""scopes":[],"tags":{tags}"#));
            let mut link = Link::sample(Definition::sample_id(), definition);
            link.kind = Kind::parse(declared).unwrap();
            other_kind(&CheckContext::new(&case, &chain), &link, role).map(|kind| kind.to_string())
        };
        let plain = KindRole::Plain;
        assert_eq!(told("build", plain, r#"{"kind":"test"}"#), Some("test".to_owned()));
        assert_eq!(told("build", plain, r#"{"kind":"build"}"#), None);
        assert_eq!(told("build", plain, r#"{"kind":"mar-signing"}"#), None, "the policy does not know it");
        assert_eq!(told("build", plain, r#"{"kind":"signing"}"#), None, "it has a role of its own");
        assert_eq!(told("build", plain, r#"{"kind":"Test"}"#), None);
        assert_eq!(told("build", plain, "{}"), None);
        assert_eq!(told("signing", KindRole::Scriptworker, r#"{"kind":"test"}"#), None);
    }
}
