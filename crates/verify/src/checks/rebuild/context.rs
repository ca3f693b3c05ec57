//! What every template is rendered with, and what the decision task says of its source.

use super::inputs::{Form, Told};
use super::{ANSWER, ENDLESS, ENVIRONMENT, Fail, HOST, Parent, REPOSITORY, REVISION, Rebuild, UNKNOWN};
use crate::checks::source::repository;
use crate::checks::tags::{self, NoCommit};
use crate::verdict::Authority;
use crate::verification::CheckContext;
use catena_json::{Map, Value};
use catena_model::source::{GithubRepository, RepositoryUrl, Revision, TagName};
use catena_model::task::Trigger;
use catena_policy::Rule;

/// The part of the context that all triggers share.
pub(super) fn common(
    cx: &CheckContext<'_>,
    parent: Parent<'_>,
    trigger: Trigger,
) -> Rebuild<catena_jsone::Context> {
    let mut context = catena_jsone::Context::new();
    context.set("now", Told::of(parent.link, &["created"]).value(cx, parent, Form::Time)?);
    context.set("tasks_for", trigger.as_str());
    context.set("ownTaskId", parent.link.task_id.as_str());
    context.set("taskId", Value::Null);
    if let Some(root_url) = &cx.evidence.product.root_url {
        context.set("taskcluster_root_url", root_url.as_str());
    }
    set_slugids(&mut context, parent);
    Ok(context)
}

/// `as_slugid(name)`: the decision task's id for "decision", else the parent's own.
pub(super) fn set_slugids(context: &mut catena_jsone::Context, parent: Parent<'_>) {
    let own = parent.link.task_id.to_string();
    let decision = parent.decision.task_id.to_string();
    context.set_function("as_slugid", move |arguments| match arguments {
        [Value::String(name)] if name == "decision" => Ok(Value::from(decision.as_str())),
        [_] => Ok(Value::from(own.as_str())),
        _ => Err("as_slugid takes one argument".to_owned()),
    });
}

/// E(x): a variable of the decision task with the product's prefix.
pub(super) fn env<'a>(cx: &CheckContext<'_>, parent: Parent<'a>, name: &str) -> Option<&'a str> {
    parent.decision.definition.env(&format!("{}_{name}", cx.evidence.product.source_env_prefix))
}

/// E(HEAD_REPOSITORY) or E(BASE_REPOSITORY), which must be there and plain.
pub(super) fn repository_url(
    cx: &CheckContext<'_>,
    parent: Parent<'_>,
    name: &str,
) -> Rebuild<RepositoryUrl> {
    let variable = format!("{}_{name}", cx.evidence.product.source_env_prefix);
    let keys = ["payload", "env", &variable];
    match repository(cx.evidence, &parent.decision.definition, &variable) {
        Some(Ok(url)) => Ok(url),
        Some(Err(error)) => {
            let message = format!("The address in {variable} {error}.");
            let text = parent.decision.definition.env(&variable).unwrap_or_default();
            Err(parent.in_decision(REPOSITORY, message, &keys).actual(Authority::Queue, text).into())
        }
        None => {
            Err(parent.in_decision(REPOSITORY, format!("The decision task has no {variable}."), &keys).into())
        }
    }
}

/// The repository on GitHub that an address names.
pub(super) fn github(parent: Parent<'_>, url: &RepositoryUrl) -> Rebuild<GithubRepository> {
    url.github().ok_or_else(|| {
        let message = format!("{url} is not a repository on GitHub.");
        Fail::from(
            parent
                .failed(HOST, message)
                .expected(Authority::Policy, "github.com")
                .actual(Authority::Queue, url.as_str()),
        )
    })
}

/// E(HEAD_REV), a full hash.
pub(super) fn revision(cx: &CheckContext<'_>, parent: Parent<'_>) -> Rebuild<Revision> {
    let variable = format!("{}_HEAD_REV", cx.evidence.product.source_env_prefix);
    let text = parent.decision.definition.env(&variable).unwrap_or_default();
    let parsed = Revision::parse(text);
    match (parsed, TagName::parse(text)) {
        (Ok(revision), _) => Ok(revision),
        (Err(_), Ok(name)) if cx.evidence.relaxes(Rule::RevisionForm) => Ok(Revision::relaxed(&name)),
        (Err(_), _) => Err(parent
            .in_decision(
                REVISION,
                format!("{variable} does not name one revision."),
                &["payload", "env", &variable],
            )
            .expected(Authority::Policy, "40 lowercase hexadecimal digits")
            .actual(Authority::Queue, text)
            .into()),
    }
}

/// E(HEAD_REV), the tag of a release.
pub(super) fn tag(cx: &CheckContext<'_>, parent: Parent<'_>) -> Rebuild<TagName> {
    let variable = format!("{}_HEAD_REV", cx.evidence.product.source_env_prefix);
    let text = parent.decision.definition.env(&variable).unwrap_or_default();
    TagName::parse(text).map_err(|error| {
        let message = format!("{variable} does not name a release's tag: {error}.");
        parent
            .in_decision(ENVIRONMENT, message, &["payload", "env", &variable])
            .actual(Authority::Queue, text)
            .into()
    })
}

/// The commit that the tree is looked at: the revision, or that of the tag when the decision task is a
/// release's.
pub(super) fn commit(
    cx: &CheckContext<'_>,
    parent: Parent<'_>,
    repository: &GithubRepository,
) -> Rebuild<Revision> {
    if parent.decision.definition.trigger() != Some(Trigger::GithubRelease) {
        return revision(cx, parent);
    }
    let tag = tag(cx, parent)?;
    tags::commit(cx, repository, &tag)?.map_err(|error| {
        Fail::from(match error {
            NoCommit::Unknown(what) => {
                let variable = format!("{}_HEAD_REV", cx.evidence.product.source_env_prefix);
                let finding = parent.in_decision(UNKNOWN, what, &["payload", "env", &variable]);
                finding.actual(Authority::Queue, tag.as_str())
            }
            NoCommit::Endless(what) => parent.failed(ENDLESS, what),
            NoCommit::Malformed(need, why) => parent
                .failed(ANSWER, format!("The answer for {need} is malformed: {why}."))
                .at(need.to_string(), None),
        })
    })
}

/// An object of the given members.
pub(super) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verification::{Chain, Evidence, Link};
    use catena_model::task::{Definition, TaskId};
    use catena_policy::Product;

    #[test]
    fn a_template_knows_the_ids_of_the_task_and_of_its_decision_task() {
        let own = TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap();
        let link = Link::sample(own, Definition::sample("", ""));
        let decision = Link::sample(Definition::sample_id(), Definition::sample("", ""));
        let parent = Parent { link: &link, decision: &decision };
        let root_url = Some("https://tc.example".to_owned());
        let product = Product { root_url, ..Product::empty("p") };
        let (case, chain) = (Evidence::sample(product), Chain::default());
        let evaluated = |expression: &str| {
            let template = object([("$eval", expression.into())]);
            let context = common(&CheckContext::new(&case, &chain), parent, Trigger::Cron).unwrap();
            let value = catena_jsone::render(&template, &context, &catena_jsone::Limits::default());
            value.ok().map(|value| value.as_str().unwrap_or("nothing").to_owned())
        };
        let told = |text: &str| Some(text.to_owned());
        assert_eq!(evaluated("ownTaskId"), told(own.as_str()));
        assert_eq!(evaluated("taskId"), told("nothing"));
        assert_eq!(evaluated("taskcluster_root_url"), told("https://tc.example"));
        assert_eq!(evaluated("tasks_for + now"), told("cron2026-08-12T09:30:12.345Z"));
        assert_eq!(evaluated("as_slugid('decision')"), told(decision.task_id.as_str()));
        assert_eq!(evaluated("as_slugid('other')"), told(own.as_str()));
        assert_eq!(evaluated("as_slugid(7)"), told(own.as_str()));
        assert_eq!(evaluated("as_slugid()"), None);
        assert_eq!(evaluated("as_slugid('decision', 'other')"), None);
    }
}
