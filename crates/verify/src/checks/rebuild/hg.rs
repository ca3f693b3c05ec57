//! Contexts of trees on Mercurial.

use super::answers::{self, Answered};
use super::context::{object, repository_url, revision};
use super::{COMMENT, HOST, Parent, Rebuild, cron, projects};
use crate::verdict::Authority;
use crate::verification::{CheckContext, Need};
use catena_json::Value;
use catena_policy::Rule;
use jiff::Timestamp;

/// `hg-push`: the push that the tree's log has for the revision.
pub(super) fn push(
    cx: &CheckContext<'_>,
    parent: Parent<'_>,
    context: &mut catena_jsone::Context,
) -> Rebuild<()> {
    let repository = repository(cx, parent);
    let push = Push::fetch(cx, parent);
    let (repository, push) = (repository?, push?);
    let comment = comment(parent, push.description(parent)?)?;
    context.set("repository", repository);
    context.set("push", push.context(cx, parent, &comment, push.user(parent)?)?);
    Ok(())
}

/// `cron`: the push, without its comment and pushed by nobody.
pub(super) fn cron(
    cx: &CheckContext<'_>,
    parent: Parent<'_>,
    context: &mut catena_jsone::Context,
) -> Rebuild<()> {
    let repository = repository(cx, parent);
    let push = Push::fetch(cx, parent);
    let cron = cron::context(cx, parent);
    let (repository, push) = (repository?, push?);
    context.set("cron", cron?);
    context.set("repository", repository);
    context.set("push", push.context(cx, parent, "", "cron")?);
    Ok(())
}

/// `repository`: the tree, its project and its level.
fn repository(cx: &CheckContext<'_>, parent: Parent<'_>) -> Rebuild<Value> {
    let url = repository_url(cx, parent, "HEAD_REPOSITORY")?;
    let projects = projects::fetch(cx, parent)?;
    let project = projects.of_source(cx, parent)?;
    let level = projects.level(cx, parent, &project)?;
    Ok(object([
        ("url", url.as_str().into()),
        ("level", level.into()),
        ("project", project.into()),
        ("type", "hg".into()),
    ]))
}

/// When the revision was pushed.
pub(super) fn pushed(cx: &CheckContext<'_>, parent: Parent<'_>) -> Rebuild<Timestamp> {
    let push = Push::fetch(cx, parent)?;
    let keys = ["pushes", push.id.as_str(), "date"];
    let seconds = push.answer.member(parent, &keys)?.as_i64();
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.ok_or_else(|| push.answer.malformed(parent, &keys, "a number of seconds"))
}

/// The one push that the tree's log has for a revision.
struct Push {
    answer: Answered,
    id: String,
}

impl Push {
    fn fetch(cx: &CheckContext<'_>, parent: Parent<'_>) -> Rebuild<Self> {
        let repository = repository_url(cx, parent, "HEAD_REPOSITORY")?;
        if !cx.evidence.product.is_hg(&repository) {
            let message = format!("{repository} is not on a host whose pushes are known.");
            let hosts =
                cx.evidence.product.hg_hosts.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(parent
                .failed(HOST, message)
                .expected_by(Authority::Policy, cx.policy("hg-hosts"), hosts)
                .actual(Authority::Queue, repository.host())
                .into());
        }
        let revision = revision(cx, parent)?;
        let need = Need::Push { repository, revision: revision.clone() };
        let answer = answers::ask(cx, parent, need)?;
        let pushes = answer.value().get("pushes").and_then(Value::as_object);
        let mut ids = pushes.into_iter().flatten().map(|(id, _)| id.clone());
        let push = match (ids.next(), ids.next()) {
            (Some(id), None) => Self { answer, id },
            _ => return Err(answer.malformed(parent, &["pushes"], "exactly one push")),
        };
        let last = push.changesets(parent)?.len().saturating_sub(1);
        let tip = push.changesets(parent)?.last().and_then(|tip| tip.get("node")).and_then(Value::as_str);
        if tip != Some(revision.as_str()) && !cx.evidence.relaxes(Rule::AnswerIdentity) {
            let message = "The push that the tree's log has for the revision does not end with the revision.";
            let path = catena_json::Path::of(&["pushes", &push.id, "changesets"]).index(last).key("node");
            return Err(parent
                .failed(super::IDENTITY, message)
                .at("the push log", Some(path))
                .expected_by(Authority::Queue, "the decision task", revision.as_str())
                .actual_by(Authority::Vcs, "the push log", tip.unwrap_or("no changeset"))
                .into());
        }
        Ok(push)
    }

    fn changesets(&self, parent: Parent<'_>) -> Rebuild<&Vec<Value>> {
        let keys = ["pushes", &self.id, "changesets"];
        match self.answer.value().pointer(&keys).and_then(Value::as_array) {
            Some(changesets) if !changesets.is_empty() => Ok(changesets),
            _ => Err(self.answer.malformed(parent, &keys, "a list of changesets")),
        }
    }

    fn description(&self, parent: Parent<'_>) -> Rebuild<&str> {
        let keys = ["pushes", &self.id, "changesets"];
        let tip = self.changesets(parent)?.last().and_then(|tip| tip.get("desc")).and_then(Value::as_str);
        tip.ok_or_else(|| self.answer.malformed(parent, &keys, "a list of changesets with descriptions"))
    }

    fn user(&self, parent: Parent<'_>) -> Rebuild<&str> {
        self.answer.text(parent, &["pushes", &self.id, "user"])
    }

    fn context(
        &self,
        cx: &CheckContext<'_>,
        parent: Parent<'_>,
        comment: &str,
        owner: &str,
    ) -> Rebuild<Value> {
        let keys = ["pushes", &self.id, "changesets"];
        let base =
            self.changesets(parent)?.first().and_then(|first| first.get("parents")).and_then(Value::as_array);
        let base = base.and_then(|parents| parents.first()).and_then(Value::as_str);
        let base =
            base.ok_or_else(|| self.answer.malformed(parent, &keys, "a list of changesets with parents"))?;
        let date = self.answer.member(parent, &["pushes", &self.id, "date"])?;
        if date.as_number().is_none() {
            return Err(self.answer.malformed(parent, &["pushes", &self.id, "date"], "a number"));
        }
        Ok(object([
            ("base_revision", base.into()),
            ("revision", revision(cx, parent)?.as_str().into()),
            ("comment", comment.into()),
            ("owner", owner.into()),
            ("pushlog_id", self.id.as_str().into()),
            ("pushdate", date.clone()),
        ]))
    }
}

/// The decision task's commit message: one space, or the `try:` line of the push's description. The
/// rest of a description never reaches a command line.
fn comment(parent: Parent<'_>, description: &str) -> Rebuild<String> {
    let told = parent.decision.definition.env("GECKO_COMMIT_MSG").unwrap_or(" ");
    let line = description
        .find("try:")
        .and_then(|at| description.get(at..))
        .and_then(|rest| rest.split('\n').next());
    if told == " " || line == Some(told) {
        return Ok(told.to_owned());
    }
    let message = "GECKO_COMMIT_MSG is neither one space nor the try line of the push.";
    Err(parent
        .in_decision(COMMENT, message, &["payload", "env", "GECKO_COMMIT_MSG"])
        .expected(
            Authority::Vcs,
            line.map_or_else(|| "one space".to_owned(), |line| format!("one space, or {line:?}")),
        )
        .actual(Authority::Queue, format!("{told:?}"))
        .into())
}
