//! A template comes from exactly a repository that the product trusts.

use super::{Parent, Rebuild, TEMPLATE_REPOSITORY};
use crate::checks::source::{repository, source};
use crate::verdict::Authority;
use crate::verification::CheckContext;
use catena_model::source::{RepositoryUrl, SourceUrl};
use catena_policy::{RepositoryRule, Rule};

/// What a task's source lies in decides what the task may do, and its repository what it does. So where
/// the source, or the repository, lies in the path of a trusted repository, every repository that the
/// decision task names with the product's prefixes is exactly a trusted one: not a folder that someone
/// may push to below it, nor another one that the overriding prefix hides. What has nothing to do with a
/// trusted tree is the tree check's to judge.
///
/// Off-reference: a rule of its own, `template-repository`.
pub(super) fn repositories(cx: &CheckContext<'_>, parent: Parent<'_>) -> Rebuild<()> {
    let product = &cx.evidence.product;
    if cx.evidence.relaxes(Rule::TemplateRepository) {
        return Ok(());
    }
    let definition = &parent.decision.definition;
    let sources = [parent.link, parent.decision].map(|link| source(cx.evidence, &link.definition).ok());
    let mut trees = sources.iter().flatten().filter_map(|source| product.repository_path(source));
    let from = trees.next();
    for prefix in product.source_env_prefixes() {
        let variable = format!("{prefix}_HEAD_REPOSITORY");
        // What is missing or malformed is said where it is needed.
        let Some(Ok(url)) = repository(cx.evidence, definition, &variable) else { continue };
        let inside = from.clone().or_else(|| lies_in(cx, &url));
        let (Some(tree), None) = (inside, RepositoryRule::exact_path(&product.repositories, &url)) else {
            continue;
        };
        let message =
            format!("{variable} is not a repository that the product trusts, but the task is of {tree}.");
        let finding = parent.in_decision(TEMPLATE_REPOSITORY, message, &["payload", "env", &variable]);
        return Err(finding
            .expected_by(Authority::Policy, cx.policy("repositories"), tree)
            .actual(Authority::Queue, url.as_str())
            .into());
    }
    Ok(())
}

/// The path of the trusted repository that a repository lies in.
fn lies_in(cx: &CheckContext<'_>, url: &RepositoryUrl) -> Option<String> {
    cx.evidence.product.repository_path(&SourceUrl::of_repository(url.as_str()).ok()?)
}
