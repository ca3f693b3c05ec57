//! With restricted scopes, what the target takes in comes from the target's own tree, and in a promotion
//! from the revision that is promoted. Images are another matter: they are kept and used again, so that
//! their trees are held against the level that is required (see `levels`).
//!
//! Off-reference: rules of their own, `input-tree`, `input-revision` and `mirror-commit`.

use super::{CHECK, INPUT_REVISION, INPUT_TREE, MIRROR_COMMIT, mirrored};
use crate::checks::source::source;
use crate::checks::{branch, tags};
use crate::verdict::{Authority, Disposition, Finding};
use crate::verification::{CheckContext, Link, Stop};
use catena_json::Path;
use catena_model::source::{RepositoryUrl, Revision, SourceUrl, TagName};
use catena_model::task::{Kind, TaskId};
use catena_policy::KindRole;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn examine(
    cx: &CheckContext<'_>,
    target: &Link,
    trees: &BTreeMap<TaskId, Option<String>>,
) -> Result<Vec<Finding>, Stop> {
    let inputs = without_images(cx, target);
    let inputs: Vec<&Link> = cx.closed()?.links().filter(|link| inputs.contains(&link.task_id)).collect();
    let mut findings = of_tree(cx, target, &inputs, trees);
    findings.extend(of_revision(cx, target, &inputs)?);
    findings.extend(of_mirror(cx)?);
    Ok(findings)
}

/// The tasks that the target goes back to other than by an image that a task runs in.
fn without_images(cx: &CheckContext<'_>, target: &Link) -> BTreeSet<TaskId> {
    let is_image = |kind: &str| {
        let kind = Kind::parse(kind).ok();
        kind.and_then(|kind| cx.evidence.product.role(&kind)) == Some(KindRole::DockerImage)
    };
    let mut found = BTreeSet::from([target.task_id]);
    let mut todo = vec![target.task_id];
    while let Some(link) = todo.pop().map(|task_id| cx.chain.link(task_id)) {
        let Some(definition) = link.map(|link| &link.definition) else { continue };
        let inputs = definition.inputs().iter().filter(|(kind, _)| !is_image(kind));
        let upstream = definition.upstream_artifacts().iter().map(|entry| entry.task_id);
        let next = inputs.map(|(_, task_id)| *task_id).chain(upstream).chain([definition.parent_task_id()]);
        todo.extend(next.filter(|task_id| found.insert(*task_id)));
    }
    found
}

/// Links of the target's own graph, and the target's parent, are judged for all targets; a link of no
/// trusted tree is said to be that.
fn of_tree(
    cx: &CheckContext<'_>,
    target: &Link,
    inputs: &[&Link],
    trees: &BTreeMap<TaskId, Option<String>>,
) -> Vec<Finding> {
    let tree = |task_id: TaskId| trees.get(&task_id).and_then(Option::as_deref);
    let (graph, parent) = (target.definition.decision_task_id(), target.definition.parent_task_id());
    let others =
        inputs.iter().filter(|link| link.definition.decision_task_id() != graph && link.task_id != parent);
    let own = tree(target.task_id);
    others
        .filter_map(|link| {
            let theirs = tree(mirrored(cx, link).map_or(link.task_id, |decision| decision.task_id))?;
            (Some(theirs) != own).then(|| {
                let message = "The target uses an artifact of this task, which is of a different tree.";
                Finding::new(CHECK, INPUT_TREE, Disposition::Failed, link.task_id, message)
                    .at("the queue's definition", Some(Path::of(&["metadata", "source"])))
                    .expected_by(Authority::Task, "the target", super::origin_of(target, own))
                    .actual(Authority::Queue, theirs)
            })
        })
        .collect()
}

/// A promotion takes in what the revision made that it is of.
fn of_revision(cx: &CheckContext<'_>, target: &Link, inputs: &[&Link]) -> Result<Vec<Finding>, Stop> {
    let Some(parent) = cx.chain.link(target.definition.parent_task_id()) else { return Ok(Vec::new()) };
    if target.definition.decision_task_id() == parent.definition.decision_task_id() {
        return Ok(Vec::new());
    }
    let Some((_, promoted)) = revisions(cx, parent)?.into_iter().next() else { return Ok(Vec::new()) };
    let commit = of_tag(cx, parent, &promoted)?;
    let mut findings = Vec::new();
    for link in inputs.iter().filter(|link| mirrored(cx, link).is_none()) {
        let told = revisions(cx, link)?;
        let is_same = |text: &String| *text == promoted || Some(text) == commit.as_ref();
        let other = told.iter().find(|(_, text)| !is_same(text));
        let (path, actual) = match other {
            Some((path, text)) => (path.clone(), text.as_str()),
            None if told.is_empty() => (Path::of(&["metadata", "source"]), "no revision"),
            None => continue,
        };
        let message = "The task was not made from the promoted revision.";
        findings.push(
            Finding::new(CHECK, INPUT_REVISION, Disposition::Failed, link.task_id, message)
                .at("the queue's definition", Some(path))
                .expected_by(Authority::Queue, format!("the promotion {}", parent.task_id), promoted.as_str())
                .actual_by(Authority::Queue, "the task", actual),
        );
    }
    Ok(findings)
}

/// The commit of what a release's promotion is of, if that is a tag.
fn of_tag(cx: &CheckContext<'_>, parent: &Link, text: &str) -> Result<Option<String>, Stop> {
    let source = source(cx.evidence, &parent.definition).map_err(|_| Stop::Blocked)?;
    let (Err(_), Ok(tag), [owner, name, ..]) =
        (Revision::parse(text), TagName::parse(text), source.segments())
    else {
        return Ok(None);
    };
    let url = RepositoryUrl::parse(&format!("https://{}/{owner}/{name}", source.host()));
    let Some(repository) = url.ok().and_then(|url| url.github()) else { return Ok(None) };
    Ok(tags::commit(cx, &repository, &tag)?.ok().map(|commit| commit.to_string()))
}

/// All tasks of a graph that use the mirror of its tree use one commit of it. A promotion's graph and the
/// graph that it promotes are one.
fn of_mirror(cx: &CheckContext<'_>) -> Result<Vec<Finding>, Stop> {
    let mut first: BTreeMap<TaskId, String> = BTreeMap::new();
    let mut findings = Vec::new();
    for link in cx.closed()?.links().filter(|link| mirrored(cx, link).is_some()) {
        let root = branch::root(cx, link)?.task_id;
        for (path, text) in revisions(cx, link)? {
            let expected = first.entry(root).or_insert_with(|| text.clone());
            if *expected != text {
                let message = "The task does not use the commit of the git mirror that other tasks of its \
                               graph use.";
                findings.push(
                    Finding::new(CHECK, MIRROR_COMMIT, Disposition::Failed, link.task_id, message)
                        .at("the queue's definition", Some(path))
                        .expected_by(Authority::Queue, "other tasks of its graph", expected.as_str())
                        .actual_by(Authority::Queue, "the task", text),
                );
            }
        }
    }
    Ok(findings)
}

/// The revisions of its tree that a task names, with where: in its environment and in its source.
fn revisions(cx: &CheckContext<'_>, link: &Link) -> Result<Vec<(Path, String)>, Stop> {
    let source = source(cx.evidence, &link.definition).map_err(|_| Stop::Blocked)?;
    let own = branch::repositories(link)
        .filter(|(_, text)| RepositoryUrl::parse(text).is_ok_and(|url| source.is_of(&url)));
    let in_env = own.filter_map(|(prefix, _)| {
        let variable = format!("{prefix}_HEAD_REV");
        let text = link.definition.env(&variable)?.to_owned();
        Some((Path::of(&["payload", "env", &variable]), text))
    });
    let in_source = of_source(&source).map(|text| (Path::of(&["metadata", "source"]), text.to_owned()));
    Ok(in_env.chain(in_source).collect())
}

/// The revision in an address of something in a tree: what follows the word for how it is shown.
fn of_source(source: &SourceUrl) -> Option<&str> {
    const WORDS: [&str; 4] = ["file", "raw-file", "rev", "browse"];
    let parts = source.segments();
    let at = match source.host() {
        "github.com" => 2,
        _ => parts.iter().position(|part| WORDS.contains(&part.as_str()))?,
    };
    parts.get(at.checked_add(1)?).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_tells_its_revision() {
        let told = |text: &str| of_source(&SourceUrl::parse(text).unwrap()).map(str::to_owned);
        for (source, revision) in [
            ("https://hg.mozilla.org/mozilla-central/file/0a/taskcluster", Some("0a")),
            ("https://hg.mozilla.org/releases/mozilla-beta/raw-file/0a/.taskcluster.yml", Some("0a")),
            ("https://github.com/o/file/blob/0a/x", Some("0a")),
            ("https://github.com/o/r/raw/v1/x", Some("v1")),
            ("https://github.com/o/r", None),
            ("https://hg.mozilla.org/mozilla-central", None),
            ("https://hg.mozilla.org/mozilla-central/file", None),
        ] {
            assert_eq!(told(source).as_deref(), revision, "{source}");
        }
    }
}
