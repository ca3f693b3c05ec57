//! The fields that may differ without a rejection, each with its reason.

use super::Side;
use super::mutation::How::{self, Changed, Nulled, Removed, Retyped};
use std::collections::BTreeSet;

/// Fields that may differ.
pub(crate) struct Exception {
    pub(crate) side: Side,
    /// `<link or address>: <place>`; `*` stands for any text.
    pub(crate) place: &'static str,
    pub(crate) how: &'static [How],
    #[expect(dead_code, reason = "for those who read this list")]
    pub(crate) because: &'static str,
}

const ANY: &[How] = &[Removed, Changed, Retyped, Nulled];
const GONE: &[How] = &[Removed];
const MORE: &[How] = &[Changed];

const fn may(side: Side, place: &'static str, how: &'static [How], because: &'static str) -> Exception {
    Exception { side, place, how, because }
}

const FEWER: &str = "a dependency that has ended well may be left out when a task is made";
const DEFAULT: &str = "what the platform takes when a definition does not say it";
const EMPTY: &str = "empty in the rendering, and what is empty may be left out (specification 7.30)";
const UNREAD: &str = "no rule concerns it, and it is not taken as evidence";
const UNWANTED: &str = "a file that no link and no target takes in";
const EXPIRED: &str = "what the target made may have expired; the verdict names its digest";
const ENTRY: &str = "of an entry in a graph only `task` is the task; the rest is for those who make graphs";
const UNRENDERED: &str = "the template of this tree does not use it, or not all of it, for what it renders";
const BOTH: &str = "only what the definition and the status both say is compared";
const SET_LATER: &str = "set when the task is made; the definition's own is reckoned with";

/// All exceptions. `Twice` is in none: a duplicate key is refused everywhere.
pub(crate) const EXCEPTIONS: &[Exception] = &[
    may(Side::Definition, "*: dependencies.*", GONE, FEWER),
    may(Side::Definition, "*: priority", GONE, DEFAULT),
    may(Side::Definition, "*: projectId", GONE, DEFAULT),
    may(Side::Definition, "*: requires", GONE, DEFAULT),
    may(Side::Definition, "*: taskQueueId", GONE, "provisionerId and workerType say the same"),
    may(Side::Definition, "*:action: extra.action.context.parameters.do_not_optimize", GONE, EMPTY),
    may(Side::Definition, "*:action: extra.action.context.parameters.existing_tasks", GONE, EMPTY),
    may(Side::Definition, "*:action: extra.action.context.parameters.next_version", GONE, EMPTY),
    may(Side::Definition, "*:action: payload.env.ACTION_TASK_ID", GONE, EMPTY),
    may(Side::Queue, "target: dependencies.*", GONE, FEWER),
    may(Side::Queue, "target: priority", GONE, DEFAULT),
    may(Side::Queue, "target: projectId", GONE, DEFAULT),
    may(Side::Queue, "target: requires", GONE, DEFAULT),
    may(Side::Queue, "target: taskQueueId", GONE, "provisionerId and workerType say the same"),
    may(Side::Document, "*: ", MORE, UNREAD),
    may(Side::Document, "*: artifacts", MORE, UNWANTED),
    may(Side::Document, "*: artifacts.public/logs/*", ANY, UNWANTED),
    may(Side::Document, "*: artifacts.public/actions.json*", ANY, UNWANTED),
    may(Side::Document, "*: artifacts.public/parameters.yml*", ANY, UNWANTED),
    may(
        Side::Document,
        "signing: artifacts.public/build/*",
        GONE,
        "files that the target's document does not list are not measured, and the verdict does not cover them",
    ),
    may(Side::Bytes, "signing: public/build/*", GONE, EXPIRED),
    may(Side::Bytes, "signing: public/logs/*", GONE, EXPIRED),
    may(Side::Document, "*: environment", MORE, UNREAD),
    may(Side::Document, "*: environment.imageHash", ANY, UNREAD),
    may(Side::Document, "*: environment.instanceId", ANY, UNREAD),
    may(Side::Document, "*: environment.instanceType", ANY, UNREAD),
    may(Side::Document, "*: environment.privateIpAddress", ANY, UNREAD),
    may(Side::Document, "*: environment.publicIpAddress", ANY, UNREAD),
    may(Side::Document, "*: environment.region", ANY, UNREAD),
    may(Side::Document, "*: workerType", ANY, UNREAD),
    may(Side::Document, "*: task.priority", MORE, "the queue changes it after the worker has taken the task"),
    may(Side::Document, "*: task.projectId", GONE, DEFAULT),
    may(Side::Document, "*: task.taskQueueId", GONE, "provisionerId and workerType say the same"),
    may(Side::Graph, "*: ", MORE, ENTRY),
    may(Side::Graph, "*: attributes*", ANY, ENTRY),
    may(Side::Graph, "*: dependencies*", ANY, ENTRY),
    may(Side::Graph, "*: description", ANY, ENTRY),
    may(Side::Graph, "*: if_dependencies", ANY, ENTRY),
    may(Side::Graph, "*: kind", ANY, ENTRY),
    may(Side::Graph, "*: label", ANY, ENTRY),
    may(Side::Graph, "*: optimization", ANY, ENTRY),
    may(Side::Graph, "*: soft_dependencies", ANY, ENTRY),
    may(Side::Graph, "*: task.created*", ANY, SET_LATER),
    may(Side::Graph, "*: task.deadline", GONE, SET_LATER),
    may(Side::Graph, "*: task.expires", GONE, SET_LATER),
    may(Side::Graph, "*: task.retries", GONE, DEFAULT),
    may(Side::Graph, "*: task.schedulerId", GONE, "the group's own, which the queue holds all its tasks to"),
    may(Side::Graph, "*: task.priority", ANY, "the queue lowers it to what the task's creator may ask for"),
    may(Side::Graph, "*: task.dependencies", ANY, "more than the task has, or none but the decision task"),
    may(Side::Status, "status: status.provisionerId", GONE, BOTH),
    may(Side::Status, "status: status.workerType", GONE, BOTH),
    may(Side::Status, "status: status.taskQueueId", GONE, BOTH),
    may(Side::Status, "status: status.taskGroupId", GONE, BOTH),
    may(Side::Status, "status: status.schedulerId", GONE, BOTH),
    may(
        Side::Actions,
        "actions: actions.used.hookId",
        MORE,
        "the digest at its end is for those who make hooks",
    ),
    may(
        Side::Actions,
        "actions: actions.used.extra.actionPerm",
        &[Removed, Retyped, Nulled],
        "the generic one, which is taken when none is said",
    ),
    may(Side::Actions, "actions: actions.used.hookPayload.decision.push.branch", ANY, UNRENDERED),
    may(Side::Actions, "actions: actions.used.hookPayload.decision.push.base_branch", ANY, UNRENDERED),
    may(Side::Actions, "actions: actions.used.hookPayload.decision.push.base_revision", ANY, UNRENDERED),
    may(Side::Actions, "actions: actions.used.hookPayload.decision.push.owner", ANY, UNRENDERED),
    may(Side::Actions, "actions: actions.used.hookPayload.decision.push.pushlog_id", ANY, UNRENDERED),
    may(Side::Actions, "actions: actions.used.hookPayload.decision.repository.base_url", ANY, UNRENDERED),
    may(Side::Actions, "actions: actions.used.hookPayload.decision.action.symbol", ANY, UNRENDERED),
    may(
        Side::Actions,
        "actions: actions.used.hookPayload.decision.repository.level",
        &[Removed, Retyped, Nulled],
        "the hook's own id says the level too",
    ),
    may(Side::Actions, "actions: actions.used.hookPayload.decision.parameters", ANY, UNRENDERED),
    may(Side::Actions, "actions: actions.used.hookPayload.decision.parameters.$eval", GONE, UNRENDERED),
    may(
        Side::Actions,
        "actions: actions.used.hookPayload.user.taskId",
        &[Nulled],
        "what it is rendered to is empty",
    ),
    may(Side::Actions, "actions: actions.used.hookPayload.user.taskGroupId", &[Retyped, Nulled], UNRENDERED),
    may(Side::Actions, "actions: actions.used.hookPayload.user.taskGroupId.$eval", GONE, UNRENDERED),
    may(Side::Answer, "push: pushes.*.changesets.*.desc", ANY, UNRENDERED),
    may(Side::Answer, "push: pushes.*.user", ANY, UNRENDERED),
    may(Side::Answer, "pull request: head.repo.full_name", GONE, "its address says the same"),
    may(Side::Answer, "pull request: head.user.login", MORE, UNRENDERED),
    may(Side::Answer, "pull request: number", &[Retyped], "a number as text is rendered as the number is"),
    may(Side::Answer, "tags: *", ANY, "of all tags only the release's own is looked for"),
    may(Side::Answer, "template on GitHub: url", ANY, "looked at where it is text"),
    may(Side::Graph, "*: task.dependencies.*", ANY, "more than the task has, or none but the decision task"),
];

/// What is read of rarely read documents: `<need or link>: <place>`, items as `N`.
pub(crate) const READ: &[(Side, &[&str])] = &[
    (
        Side::Status,
        &[
            "status: status",
            "status: status.runs",
            "status: status.runs.N",
            "status: status.runs.N.reasonResolved",
            "status: status.runs.N.resolved",
            "status: status.runs.N.runId",
            "status: status.runs.N.scheduled",
            "status: status.runs.N.started",
            "status: status.runs.N.state",
            "status: status.runs.N.workerGroup",
            "status: status.runs.N.workerId",
            "status: status.provisionerId",
            "status: status.schedulerId",
            "status: status.state",
            "status: status.taskGroupId",
            "status: status.taskId",
            "status: status.taskQueueId",
            "status: status.workerType",
        ],
    ),
    (
        Side::Actions,
        &[
            "actions: actions",
            "actions: actions.used",
            "actions: actions.used.extra.actionPerm",
            "actions: actions.used.hookGroupId",
            "actions: actions.used.hookId",
            "actions: actions.used.hookPayload",
            "actions: actions.used.hookPayload.decision",
            "actions: actions.used.hookPayload.decision.action",
            "actions: actions.used.hookPayload.decision.action.cb_name",
            "actions: actions.used.hookPayload.decision.action.description",
            "actions: actions.used.hookPayload.decision.action.name",
            "actions: actions.used.hookPayload.decision.action.symbol",
            "actions: actions.used.hookPayload.decision.action.taskGroupId",
            "actions: actions.used.hookPayload.decision.action.title",
            "actions: actions.used.hookPayload.decision.parameters",
            "actions: actions.used.hookPayload.decision.parameters.$eval",
            "actions: actions.used.hookPayload.decision.push",
            "actions: actions.used.hookPayload.decision.push.base_branch",
            "actions: actions.used.hookPayload.decision.push.base_revision",
            "actions: actions.used.hookPayload.decision.push.branch",
            "actions: actions.used.hookPayload.decision.push.owner",
            "actions: actions.used.hookPayload.decision.push.pushlog_id",
            "actions: actions.used.hookPayload.decision.push.revision",
            "actions: actions.used.hookPayload.decision.repository",
            "actions: actions.used.hookPayload.decision.repository.base_url",
            "actions: actions.used.hookPayload.decision.repository.level",
            "actions: actions.used.hookPayload.decision.repository.project",
            "actions: actions.used.hookPayload.decision.repository.url",
            "actions: actions.used.hookPayload.user",
            "actions: actions.used.hookPayload.user.input",
            "actions: actions.used.hookPayload.user.input.$eval",
            "actions: actions.used.hookPayload.user.taskGroupId",
            "actions: actions.used.hookPayload.user.taskGroupId.$eval",
            "actions: actions.used.hookPayload.user.taskId",
            "actions: actions.used.hookPayload.user.taskId.$eval",
            "actions: actions.used.kind",
        ],
    ),
    (
        Side::Answer,
        &[
            "commit: commit",
            "commit: commit.committer",
            "commit: commit.committer.date",
            "commit: sha",
            "pull request: base",
            "pull request: base.ref",
            "pull request: base.repo",
            "pull request: base.repo.full_name",
            "pull request: base.repo.html_url",
            "pull request: base.repo.name",
            "pull request: head",
            "pull request: head.ref",
            "pull request: head.repo",
            "pull request: head.repo.full_name",
            "pull request: head.repo.html_url",
            "pull request: head.user",
            "pull request: head.user.login",
            "pull request: number",
            "pull request: user",
            "pull request: user.login",
            "push: pushes",
            "push: pushes.N",
            "push: pushes.N.changesets",
            "push: pushes.N.changesets.N",
            "push: pushes.N.changesets.N.desc",
            "push: pushes.N.changesets.N.node",
            "push: pushes.N.changesets.N.parents",
            "push: pushes.N.changesets.N.parents.N",
            "push: pushes.N.date",
            "push: pushes.N.user",
            "repository: fork",
            "repository: full_name",
            "repository: parent",
            "repository: parent.name",
            "repository: parent.owner",
            "repository: parent.owner.login",
            "release: author",
            "release: author.login",
            "release: draft",
            "release: published_at",
            "release: tag_name",
            "release: target_commitish",
            "tags: N",
            "tags: N.commit",
            "tags: N.commit.sha",
            "tags: N.name",
            "template on GitHub: content",
            "template on GitHub: encoding",
            "template on GitHub: path",
            "template on GitHub: url",
        ],
    ),
];

/// A position in the format of the lists: the used action is distinguished from the others.
pub(crate) fn named(side: Side, place: &str, used: Option<usize>) -> String {
    match used {
        Some(used) if side == Side::Actions => {
            let of = |text: &str| format!("actions.{used}{text}");
            let ending = if place.ends_with(&of("")) { "" } else { "." };
            place.replacen(&of(ending), &format!("actions.used{ending}"), 1)
        }
        _ => place.to_owned(),
    }
}

/// Whether a place is on that list.
pub(crate) fn is_read(side: Side, place: &str) -> bool {
    READ.iter().any(|(other, places)| *other == side && places.contains(&place))
}

/// Whether the list is exactly what was found to be read.
pub(crate) fn are_read(found: &BTreeSet<(Side, String)>) -> bool {
    let listed =
        READ.iter().flat_map(|(side, places)| places.iter().map(|place| (*side, (*place).to_owned())));
    listed.collect::<BTreeSet<_>>() == *found
}

/// The exception that a change falls under.
pub(crate) fn find(side: Side, place: &str, how: How) -> Option<usize> {
    EXCEPTIONS.iter().position(|exception| {
        exception.side == side && exception.how.contains(&how) && matches(exception.place, place)
    })
}

/// Whether a text matches; `*` stands for any text.
fn matches(form: &str, text: &str) -> bool {
    match form.split_once('*') {
        None => form == text,
        Some((before, rest)) => text.strip_prefix(before).is_some_and(|text| {
            (0..=text.len()).filter_map(|at| text.get(at..)).any(|text| matches(rest, text))
        }),
    }
}
