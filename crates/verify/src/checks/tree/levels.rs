//! With restricted scopes, all that the target goes back to has the level of the target's tree: the trees
//! that links come from or take in, the branches that ran, the schedulers.
//!
//! Levels are those of `projects.yml`. Where it does not list the target's tree no level is known, and
//! nothing can be compared but that the lowest is not enough.
//!
//! Off-reference: rules of their own, `tree-level`, `branch-level` and `scheduler-level`.

use super::{BRANCH_LEVEL, CHECK, PROJECTS, SCHEDULER_LEVEL, TREE_LEVEL, mirrored};
use crate::checks::rebuild::is_github;
use crate::checks::source::source;
use crate::checks::{branch, target};
use crate::verdict::{Authority, Disposition, Finding};
use crate::verification::{Answer, CheckContext, Link, Stop};
use catena_json::Path;
use catena_model::projects::{Level, Project, Projects};
use catena_model::source::RepositoryUrl;
use catena_model::task::TaskId;
use catena_policy::Landed;
use std::collections::BTreeMap;

/// What links are held against.
struct Levels<'a> {
    cx: &'a CheckContext<'a>,
    projects: &'a Projects,
    required: Level,
}

pub(super) fn examine(
    cx: &CheckContext<'_>,
    target: &Link,
    trees: &BTreeMap<TaskId, Option<String>>,
) -> Result<Vec<Finding>, Stop> {
    let unreadable = |why: String| {
        let finding = Finding::new(CHECK, PROJECTS, Disposition::Failed, target.task_id, why);
        vec![finding.at(cx.evidence.product.projects_url.clone(), None)]
    };
    let projects = match cx.projects()? {
        Answer::Is(Ok(projects)) => projects,
        // On Mercurial no parent can be rebuilt without the list, and the rebuild check says so.
        _ if !is_github(cx.evidence, &target.definition) => return Err(Stop::Blocked),
        Answer::Is(Err(error)) => {
            return Ok(unreadable(format!("The list of projects is malformed: {error}.")));
        }
        Answer::Absent(answer) => return Ok(unreadable(format!("There is no list of projects: {answer}"))),
    };
    let mut findings = Vec::new();
    let own = own_project(cx, projects)?;
    let required = own.and_then(Project::level);
    findings.extend(cx.closed()?.links().filter_map(|link| scheduler(link, required)));
    match (own, required) {
        (Some(own), None) => {
            let message =
                format!("The list of projects does not state the level of {}, the target's tree.", own.name);
            findings.push(Finding::new(CHECK, TREE_LEVEL, Disposition::Failed, target.task_id, message));
        }
        (Some(_), Some(required)) => {
            let levels = Levels { cx, projects, required };
            for link in cx.closed()?.links() {
                // A link of no trusted tree is said to be that.
                if trees.get(&link.task_id).is_some_and(Option::is_some) && mirrored(cx, link).is_none() {
                    findings.extend(levels.tree(link)?);
                }
                findings.extend(levels.other_trees(link)?);
                findings.extend(levels.branches(link)?);
            }
        }
        (None, _) => {}
    }
    Ok(findings)
}

/// The level of the target's tree, if the list of projects tells one.
pub(crate) fn required_level(cx: &CheckContext<'_>, projects: &Projects) -> Result<Option<Level>, Stop> {
    Ok(own_project(cx, projects)?.and_then(Project::level))
}

/// The project that the target's tree is; a mirror is what it mirrors.
fn own_project<'a>(cx: &CheckContext<'_>, projects: &'a Projects) -> Result<Option<&'a Project>, Stop> {
    let target = target(cx)?;
    let link = mirrored(cx, target).unwrap_or(target);
    let source = source(cx.evidence, &link.definition).map_err(|_| Stop::Blocked)?;
    Ok(projects.by_source(&source))
}

/// `<trust domain>-level-<N>` is the scheduler of what a tree or branch of level N makes. A level that
/// cannot be read is below all.
fn scheduler(link: &Link, required: Option<Level>) -> Option<Finding> {
    let id = link.definition.scheduler_id();
    let (_, digit) = id.split_once("-level-")?;
    let suffices = Level::parse(digit).is_some_and(|level| match required {
        Some(required) => level >= required,
        None => level > Level::LOWEST,
    });
    (!suffices).then(|| {
        let message = "The task's scheduler has a lower level than the target's tree.";
        let expected = match required {
            Some(required) => format!("a scheduler of {required}"),
            None => format!("no scheduler of {}", Level::LOWEST),
        };
        Finding::new(CHECK, SCHEDULER_LEVEL, Disposition::Failed, link.task_id, message)
            .at("the queue's definition", Some(Path::of(&["schedulerId"])))
            .expected(Authority::Policy, expected)
            .actual(Authority::Queue, id)
    })
}

impl Levels<'_> {
    fn suffices(&self, level: Option<Level>) -> bool {
        level.is_some_and(|level| level >= self.required)
    }

    fn failed(&self, link: &Link, keys: &[&str], project: Option<&Project>, repository: &str) -> Finding {
        let told = match project.map(|project| (project, project.level())) {
            Some((project, Some(level))) => format!("{}, of {level}", project.name),
            Some((project, None)) => format!("{}, of a level that is malformed", project.name),
            None => format!("{repository}, which is not in the list of projects"),
        };
        let message = "The task comes from, or uses, a tree of a lower level than the target's.";
        Finding::new(CHECK, TREE_LEVEL, Disposition::Failed, link.task_id, message)
            .at("the queue's definition", Some(Path::of(keys)))
            .expected(Authority::Policy, self.required.to_string())
            .actual(Authority::Queue, told)
    }

    /// The tree that a link comes from.
    fn tree(&self, link: &Link) -> Result<Option<Finding>, Stop> {
        let source = source(self.cx.evidence, &link.definition).map_err(|_| Stop::Blocked)?;
        let project = self.projects.by_source(&source);
        let suffices = self.suffices(project.and_then(Project::level));
        Ok((!suffices).then(|| self.failed(link, &["metadata", "source"], project, source.as_str())))
    }

    /// The trees that a link names beside the one that its source lies in. Which of them are trusted is
    /// judged apart, and what is no repository's address too. What is named with a prefix that no product
    /// has need not be a project.
    fn other_trees(&self, link: &Link) -> Result<Vec<Finding>, Stop> {
        let source = source(self.cx.evidence, &link.definition).map_err(|_| Stop::Blocked)?;
        let product = &self.cx.evidence.product;
        let others = branch::repositories(link).filter_map(|(prefix, text)| {
            let url = RepositoryUrl::parse(text).ok().filter(|url| !source.is_of(url))?;
            let project = self.projects.by_repository(&url);
            let is_declared = product.repositories_by_prefix.contains_key(prefix)
                || product.overriding_source_env_prefixes.iter().any(|other| other == prefix)
                || product.source_env_prefix == prefix;
            let suffices = match project {
                Some(project) => self.suffices(project.level()),
                None => !is_declared,
            };
            let variable = format!("{prefix}_HEAD_REPOSITORY");
            (!suffices).then(|| self.failed(link, &["payload", "env", &variable], project, text))
        });
        Ok(others.collect())
    }

    /// The branches that a link names, of each repository that it names; and of a decision task what it
    /// was made for.
    fn branches(&self, link: &Link) -> Result<Vec<Finding>, Stop> {
        let root = branch::root(self.cx, link)?;
        let released = branch::released(self.cx, root);
        let is_asked = self.cx.evidence.product.landed != Landed::Assumed;
        let mut findings = Vec::new();
        for (prefix, text) in branch::repositories(link) {
            let Ok(url) = RepositoryUrl::parse(text) else { continue };
            let Some(project) = self.projects.by_repository(&url).filter(|project| project.is_git()) else {
                continue;
            };
            let mut names = branch::names(link, prefix);
            let is_released = released.is_some() && url.github() == released;
            let is_root =
                root.task_id == link.task_id && self.cx.evidence.product.source_env_prefix == prefix;
            if is_released {
                // A release's reference is its tag.
                let target = if is_root { branch::of_release(self.cx, root)? } else { None };
                names = target.map(|name| (format!("{prefix}_HEAD_REV"), name)).into_iter().collect();
            }
            if names.is_empty() && is_root && !is_asked {
                findings.push(self.branch(link, &format!("{prefix}_HEAD_REF"), "no branch", None));
            }
            for (variable, name) in names {
                let level = project.branch_level(&name);
                if !self.suffices(level) {
                    findings.push(self.branch(link, &variable, &name, level));
                }
            }
        }
        Ok(findings)
    }

    fn branch(&self, link: &Link, variable: &str, name: &str, level: Option<Level>) -> Finding {
        let level = level.map_or("no level".to_owned(), |level| level.to_string());
        let message = "The task ran for a branch of a lower level than the target's tree.";
        Finding::new(CHECK, BRANCH_LEVEL, Disposition::Failed, link.task_id, message)
            .at("the queue's definition", Some(Path::of(&["payload", "env", variable])))
            .expected(Authority::Policy, format!("a branch of {}", self.required))
            .actual(Authority::Queue, format!("{name}, of {level}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_model::task::Definition;

    #[test]
    fn schedulers_have_the_level_at_their_end() {
        let refused = |id: &str, required: Option<&str>| {
            let definition = Definition::sample("gecko-level-3", id);
            let link = Link::sample(Definition::sample_id(), definition);
            scheduler(&link, required.and_then(Level::parse)).is_some()
        };
        for (id, by_three, by_one, unknown) in [
            ("gecko-level-3", false, false, false),
            ("app-services-level-3", false, false, false),
            ("mobile-level-2", true, false, false),
            ("comm-level-1", true, false, true),
            ("comm-level-03", true, true, true),
            ("comm-level-4", true, true, true),
            ("comm-level-", true, true, true),
            ("comm-level-1-level-3", true, true, true),
            ("taskcluster-github", false, false, false),
            ("-", false, false, false),
        ] {
            let told = [refused(id, Some("3")), refused(id, Some("1")), refused(id, None)];
            assert_eq!(told, [by_three, by_one, unknown], "{id}");
        }
    }
}
