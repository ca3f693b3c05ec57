//! `projects.yml`: which tree is which project, and its SCM level.

use super::{PROJECT, Parent, Rebuild};
use crate::inquiry::{Answer, Cx, Need};
use catena_json::Value;

/// The list of projects, in its own order.
pub(super) struct Projects(Value);

pub(super) fn fetch(cx: &Cx<'_>, parent: Parent<'_>) -> Rebuild<Projects> {
    let url = cx.case.product.projects_url.clone();
    let failed = |what: String| parent.failed(PROJECT, what).at(url.clone(), None);
    let body = match cx.body(&Need::Projects { url: url.clone() })? {
        Answer::Is(body) => body,
        Answer::Absent(answer) => {
            return Err(failed(format!("There is no list of projects: {answer}")).into());
        }
    };
    let options = catena_yaml::Options { limits: cx.case.limits.yaml, ..catena_yaml::Options::default() };
    let document = catena_yaml::load_bytes(&body.bytes, &options)
        .map_err(|error| failed(format!("The list of projects cannot be read: {error}.")))?;
    let value = document
        .root
        .to_json()
        .map_err(|error| failed(format!("The list of projects cannot be read: {error}.")))?;
    Ok(Projects(value))
}

impl Projects {
    /// The name of the project whose repository a source lies in: the first that says so.
    pub(super) fn of_source(&self, parent: Parent<'_>, source: &str) -> Rebuild<String> {
        let inside = |repo: &str| {
            source == repo || source.strip_prefix(repo).is_some_and(|rest| rest.starts_with('/'))
        };
        let projects = self.0.as_object().into_iter().flatten();
        let mut found =
            projects.filter(|(_, project)| project.get("repo").and_then(Value::as_str).is_some_and(inside));
        found.next().map(|(name, _)| name.clone()).ok_or_else(|| {
            parent.failed(PROJECT, format!("No project of the list has the source {source}.")).into()
        })
    }

    /// The SCM level of a project: of an hg tree its access group's, of a git tree its default
    /// branch's.
    pub(super) fn level(&self, parent: Parent<'_>, name: &str) -> Rebuild<String> {
        let project = self.0.get(name);
        let level = project.and_then(|project| match project.get("repo_type").and_then(Value::as_str) {
            Some("hg") => {
                let access = project.get("access").and_then(Value::as_str)?;
                Some(access.replace("scm_level_", ""))
            }
            Some("git") => {
                let default = project.get("default_branch").map_or(Some("main"), Value::as_str)?;
                let mut branches = project.get("branches").and_then(Value::as_array)?.iter();
                let branch =
                    branches.find(|branch| branch.get("name").and_then(Value::as_str) == Some(default))?;
                match branch.get("level") {
                    Some(Value::Number(level)) => Some(level.to_string()),
                    Some(Value::String(level)) => Some(level.clone()),
                    _ => None,
                }
            }
            _ => None,
        });
        level.ok_or_else(|| {
            parent
                .failed(PROJECT, format!("The list of projects does not tell the SCM level of {name}."))
                .into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inquiry::Link;
    use crate::task::Definition;

    #[test]
    fn a_source_lies_in_the_first_project_whose_repository_it_is_or_is_below() {
        let text = r#"{"none":{},"a":{"repo":"https://host/a"},"ab":{"repo":"https://host/ab"},
            "again":{"repo":"https://host/a"}}"#;
        let projects =
            Projects(catena_json::parse(text.as_bytes(), &catena_json::Limits::default()).unwrap());
        let link = Link::sample(Definition::sample_id(), Definition::sample("", ""));
        let of = |source: &str| projects.of_source(Parent { link: &link, decision: &link }, source).ok();
        for (source, name) in [
            ("https://host/a", Some("a")),
            ("https://host/a/", Some("a")),
            ("https://host/a/raw-file/0/x", Some("a")),
            ("https://host/ab", Some("ab")),
            ("https://host/ab/x", Some("ab")),
            ("https://host/abc", None),
            ("https://host/", None),
            ("", None),
        ] {
            assert_eq!(of(source).as_deref(), name, "{source}");
        }
    }
}
