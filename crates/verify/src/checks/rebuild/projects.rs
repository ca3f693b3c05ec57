//! What the list of projects says of the tree that a parent comes from.

use super::{PROJECT, PROJECTS, Parent, Rebuild};
use crate::verdict::{Authority, Finding};
use crate::verification::{Answer, CheckContext};

/// The list of projects.
pub(super) struct Projects<'a>(&'a catena_model::projects::Projects);

pub(super) fn fetch<'a>(cx: &CheckContext<'a>, parent: Parent<'_>) -> Rebuild<Projects<'a>> {
    let what = match cx.projects()? {
        Answer::Is(Ok(projects)) => return Ok(Projects(projects)),
        Answer::Is(Err(error)) => format!("The list of projects is malformed: {error}."),
        Answer::Absent(answer) => format!("There is no list of projects: {answer}"),
    };
    Err(parent.failed(PROJECTS, what).at(cx.evidence.product.projects_url.clone(), None).into())
}

impl Projects<'_> {
    /// The name of the project whose repository a source lies in: the first that says so.
    pub(super) fn of_source(&self, cx: &CheckContext<'_>, parent: Parent<'_>) -> Rebuild<String> {
        let source = parent.decision.definition.source();
        self.0.by_text(source).map(|project| project.name.clone()).ok_or_else(|| {
            let message = "No project of the list has the repository of the decision task's source.";
            let finding = parent.in_decision(PROJECT, message, &["metadata", "source"]);
            self.unknown(cx, finding, "the repository of a project").actual(Authority::Queue, source).into()
        })
    }

    /// The SCM level of a project as templates get it.
    pub(super) fn level(&self, cx: &CheckContext<'_>, parent: Parent<'_>, name: &str) -> Rebuild<String> {
        self.0.by_name(name).and_then(catena_model::projects::Project::level_text).ok_or_else(|| {
            let message = format!("The list of projects does not state the SCM level of {name}.");
            self.unknown(cx, parent.failed(PROJECT, message), "a project with a level").into()
        })
    }

    fn unknown(&self, cx: &CheckContext<'_>, finding: Finding, expected: &str) -> Finding {
        finding.expected_by(Authority::Policy, cx.evidence.product.projects_url.as_str(), expected)
    }
}
