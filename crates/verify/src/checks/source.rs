//! A task's source lies inside the repository it says it was made from.
//!
//! Specification 9.1. Off-reference: addresses have one plain form, so that no two readers
//! take them differently.

use crate::verdict::{Authority, Class, Code, Disposition, Finding};
use crate::verification::{Check, CheckContext, Evidence, Examined, Link, Scope};
use catena_json::Path;
use catena_model::source::{RepositoryError, RepositoryUrl, SourceUrl};
use catena_model::task::Definition;
use catena_policy::Rule;

pub(super) const DESCRIPTION: Check = describe!("source", CODES, Scope::Link(examine));
const CHECK: &str = DESCRIPTION.name;

const INSIDE: Code =
    Code::passing("source-inside-repository", "The task's source lies inside its repository.");
const NONE: Code =
    Code::passing("source-without-repository", "The task names no repository of its own, only a source.");
const REPOSITORY: Code = Code::new(
    "source-repository-malformed",
    Class::Invalid,
    "The address of the task's repository is not in the plain form.",
)
.relaxable(Rule::RepositoryForm);
const SOURCE: Code = Code::new(
    "source-malformed",
    Class::Invalid,
    "The address of the task's source is not in the plain form.",
)
.relaxable(Rule::RepositoryForm);
const OUTSIDE: Code =
    Code::new("source-outside-repository", Class::Invalid, "The task's source lies outside its repository.");

const CODES: &[Code] = &[INSIDE, NONE, REPOSITORY, SOURCE, OUTSIDE];

/// The address of a repository in a variable of `payload.env`, if it is there: read plainly, or, where
/// the policy relaxes that, by its plain form.
pub(crate) fn repository(
    case: &Evidence,
    definition: &Definition,
    variable: &str,
) -> Option<Result<RepositoryUrl, RepositoryError>> {
    let text = definition.env(variable).filter(|text| !text.is_empty())?;
    Some(match RepositoryUrl::parse(text) {
        Err(_) if case.relaxes(Rule::RepositoryForm) => RepositoryUrl::relaxed(text),
        parsed => parsed,
    })
}

/// The address of a task's source, read plainly, or by its plain form where the policy relaxes that.
pub(crate) fn source(case: &Evidence, definition: &Definition) -> Result<SourceUrl, RepositoryError> {
    match SourceUrl::parse(definition.source()) {
        Err(_) if case.relaxes(Rule::RepositoryForm) => SourceUrl::relaxed(definition.source()),
        parsed => parsed,
    }
}

/// The variable that names the repository a task's source must lie in: that of an overriding prefix
/// where the task has it, else that of the product's own (specification 9.1).
pub(crate) fn head_repository_variable(case: &Evidence, definition: &Definition) -> String {
    let product = &case.product;
    let variable = |prefix: &String| format!("{prefix}_HEAD_REPOSITORY");
    let overriding = product.overriding_source_env_prefixes.iter().map(variable);
    let present = |name: &String| definition.env(name).is_some_and(|text| !text.is_empty());
    overriding.into_iter().find(present).unwrap_or_else(|| variable(&product.source_env_prefix))
}

fn examine(cx: &CheckContext<'_>, link: &Link) -> Examined {
    let definition = &link.definition;
    let variable = head_repository_variable(cx.evidence, definition);
    let finding =
        |code, disposition, message: String| Finding::new(CHECK, code, disposition, link.task_id, message);
    let failed = |code, message: String, keys: &[&str]| {
        finding(code, Disposition::Failed, message).at("the queue's definition", Some(Path::of(keys)))
    };
    let mut findings = Vec::new();
    if let Err(error) = SourceUrl::parse(definition.source()) {
        let message = format!("The address of the task's source {error}.");
        findings.push(
            failed(SOURCE, message, &["metadata", "source"]).actual(Authority::Queue, definition.source()),
        );
    }
    if let Some(Err(error)) =
        definition.env(&variable).filter(|text| !text.is_empty()).map(RepositoryUrl::parse)
    {
        let message = format!("The address of the task's repository {error}.");
        let text = definition.env(&variable).unwrap_or_default();
        findings
            .push(failed(REPOSITORY, message, &["payload", "env", &variable]).actual(Authority::Queue, text));
    }
    match (source(cx.evidence, definition), repository(cx.evidence, definition, &variable)) {
        (Ok(source), Some(Ok(repository))) if !source.is_inside(&repository) => {
            let message = format!("The task's source is outside the repository that {variable} names.");
            let finding = failed(OUTSIDE, message, &["metadata", "source"]);
            findings.push(
                finding.expected_by(Authority::Queue, variable.as_str(), repository.as_str()).actual_by(
                    Authority::Queue,
                    "metadata.source",
                    source.as_str(),
                ),
            );
        }
        (Ok(source), Some(Ok(repository))) if findings.is_empty() => {
            let message = format!("{} is inside {repository}.", source.as_str());
            findings.push(finding(INSIDE, Disposition::Passed, message));
        }
        (Ok(source), None) if findings.is_empty() => {
            let message = format!("The task has no {variable}; its source is {}.", source.as_str());
            findings.push(finding(NONE, Disposition::Passed, message));
        }
        _ => {}
    }
    Ok(findings.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_policy::Product;

    #[test]
    fn only_a_policy_takes_an_address_by_its_plain_form() {
        let mut product = Product::empty("p");
        let strict = Evidence::sample(product.clone());
        product.relaxed.insert(Rule::RepositoryForm);
        let relaxed = Evidence::sample(product);
        let read = |case: &Evidence, url: &str| {
            let env = format!(r#""payload":{{"env":{{"P_HEAD_REPOSITORY":"{url}"}}}}"#);
            let repository =
                repository(case, &Definition::sample(r#""payload":{}"#, &env), "P_HEAD_REPOSITORY");
            let definition = Definition::sample("https://hg.mozilla.org/mozilla-central/file/x", url);
            let source = source(case, &definition).ok().map(|source| source.as_str().to_owned());
            assert_eq!(repository.unwrap().ok().map(|url| url.as_str().to_owned()), source, "{url}");
            source
        };
        let plain = Some("https://hg.mozilla.org/a".to_owned());
        assert_eq!(read(&strict, "https://hg.mozilla.org/a"), plain);
        assert_eq!(read(&relaxed, "https://hg.mozilla.org/a"), plain);
        assert_eq!(read(&strict, "https://hg.mozilla.org:443/a?b"), None);
        assert_eq!(read(&relaxed, "https://hg.mozilla.org:443/a?b"), plain);
        assert_eq!(read(&relaxed, "ftp://hg.mozilla.org/a"), None);
    }
}
