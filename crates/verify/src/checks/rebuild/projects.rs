//! What the list of projects says of the tree that a parent comes from.

use super::{PROJECT, Parent, Rebuild};
use crate::verification::{Answer, CheckContext};

/// The list of projects.
pub(super) struct Projects<'a>(&'a catena_model::projects::Projects);

pub(super) fn fetch<'a>(cx: &CheckContext<'a>, parent: Parent<'_>) -> Rebuild<Projects<'a>> {
    let what = match cx.projects()? {
        Answer::Is(Ok(projects)) => return Ok(Projects(projects)),
        Answer::Is(Err(error)) => format!("The list of projects is malformed: {error}."),
        Answer::Absent(answer) => format!("There is no list of projects: {answer}"),
    };
    Err(parent.failed(PROJECT, what).at(cx.evidence.product.projects_url.clone(), None).into())
}

impl Projects<'_> {
    /// The name of the project whose repository a source lies in: the first that says so.
    pub(super) fn of_source(&self, parent: Parent<'_>, source: &str) -> Rebuild<String> {
        self.0.by_text(source).map(|project| project.name.clone()).ok_or_else(|| {
            parent.failed(PROJECT, format!("No project of the list has the source {source}.")).into()
        })
    }

    /// The SCM level of a project as templates get it.
    pub(super) fn level(&self, parent: Parent<'_>, name: &str) -> Rebuild<String> {
        self.0.by_name(name).and_then(catena_model::projects::Project::level_text).ok_or_else(|| {
            parent
                .failed(PROJECT, format!("The list of projects does not tell the SCM level of {name}."))
                .into()
        })
    }
}
