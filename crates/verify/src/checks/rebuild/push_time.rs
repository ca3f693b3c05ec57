//! When the tree was pushed that a decision task was made for.
//!
//! Off-reference: a decision task is not made before its push (rule `push-time`), nor longer after it than
//! the product allows (`max-push-age`).

use super::answers::{self, Answered};
use super::context::{github, repository_url, revision, tag};
use super::{BEFORE_PUSH, OLD, Parent, Rebuild, hg, vcs};
use crate::verdict::Authority;
use crate::verification::{CheckContext, Need};
use catena_model::moment::parse_moment;
use catena_model::task::Trigger;
use catena_policy::Vcs;
use jiff::{SignedDuration, Timestamp};

/// How far the clocks of two services may be apart.
const SKEW: SignedDuration = SignedDuration::from_mins(1);
/// How far a committer's clock may be ahead: the error of a wrong time zone.
const COMMITTER: SignedDuration = SignedDuration::from_hours(24);

/// When it was pushed, as far as version control says.
pub(super) struct Pushed {
    time: Timestamp,
    /// How much later than in truth that may be.
    ahead: SignedDuration,
}

/// When it was pushed: the push log's date, a release's publication, or a commit's date where GitHub knows
/// nothing better. What is not asked for otherwise is asked for where the product limits a push's age.
pub(super) fn fetch(cx: &CheckContext<'_>, parent: Parent<'_>, trigger: Trigger) -> Rebuild<Option<Pushed>> {
    if trigger.is_action() {
        return Ok(None);
    }
    let is_limited = cx.evidence.product.max_push_age.is_some();
    let pushed = match (vcs(cx, parent)?, trigger) {
        (Vcs::Hg, _) => Pushed { time: hg::pushed(cx, parent)?, ahead: SKEW },
        (Vcs::Github, Trigger::GithubRelease) => {
            let repository = github(parent, &repository_url(cx, parent, "HEAD_REPOSITORY")?)?;
            let release = answers::ask(cx, parent, Need::Release { repository, tag: tag(cx, parent)? })?;
            Pushed { time: moment(&release, parent, &["published_at"])?, ahead: SKEW }
        }
        (Vcs::Github, trigger) if is_limited || trigger == Trigger::GithubPush => {
            let repository = github(parent, &repository_url(cx, parent, "HEAD_REPOSITORY")?)?;
            let revision = revision(cx, parent)?;
            let need = Need::Commit { repository, revision: revision.clone() };
            let commit = answers::ask(cx, parent, need)?;
            commit.is_about(cx, parent, &["sha"], revision.as_str())?;
            Pushed { time: moment(&commit, parent, &["commit", "committer", "date"])?, ahead: COMMITTER }
        }
        (Vcs::Github, _) => return Ok(None),
    };
    Ok(Some(pushed))
}

fn moment(answer: &Answered, parent: Parent<'_>, keys: &[&str]) -> Rebuild<Timestamp> {
    let time = parse_moment(answer.text(parent, keys)?);
    time.ok_or_else(|| answer.malformed(parent, keys, "a time"))
}

/// Holds the task's creation against the push.
pub(super) fn check(cx: &CheckContext<'_>, parent: Parent<'_>, pushed: Option<Pushed>) -> Rebuild<()> {
    let created = parse_moment(parent.link.definition.created());
    let (Some(Pushed { time, ahead }), Some(created)) = (pushed, created) else { return Ok(()) };
    let said = |code, message: String, expected: String| {
        parent
            .in_decision(code, message, &["created"])
            .expected(Authority::Vcs, expected)
            .actual(Authority::Queue, created.to_string())
    };
    if time.duration_since(created) > ahead {
        let message = "The task was created before its push.".to_owned();
        return Err(said(BEFORE_PUSH, message, format!("not before {time}")).into());
    }
    let Some(days) = cx.evidence.product.max_push_age else { return Ok(()) };
    if created.duration_since(time) > SignedDuration::from_hours(i64::from(days).saturating_mul(24)) {
        let message = format!("The task was created more than {days} days after its push.");
        let expected = format!("at most {days} days after {time}");
        return Err(said(OLD, message, expected).into());
    }
    Ok(())
}
