//! When the runs of a task can have happened, and when the last of them was signed.
//!
//! The queue writes all times of its record by one clock, so they are in their order without any
//! tolerance, but for two that other people's requests may bring out of order while they wait for one
//! another: the end of a run that was cancelled or reached its deadline, and the begin of a next run.
//! `created` comes from the clock of the task's creator; the queue refuses one that is farther than
//! [`DRIFT`] from its own.

use super::record::{Wrong, place};
use crate::verification::{CheckContext, Link, Stop};
use catena_json::Path;
use catena_keys::Period;
use catena_model::moment::parse_moment;
use catena_model::task::{Run, Status};
use jiff::{SignedDuration, Timestamp};

/// How far `created` may be from the queue's own clock when a task is made.
const DRIFT: SignedDuration = SignedDuration::from_mins(15);
/// How long two requests about one task may have waited for one another.
const RACE: SignedDuration = SignedDuration::from_mins(1);

/// The first thing that cannot have happened in this order.
pub(super) fn impossible(cx: &CheckContext<'_>, link: &Link, status: &Status) -> Result<Option<Wrong>, Stop> {
    let pairs = status.runs.iter().zip(status.runs.iter().skip(1));
    let within = status.runs.iter().find_map(of_run);
    let wrong = within.or_else(|| pairs.into_iter().find_map(|(run, next)| of_next(run, next)));
    match wrong.or_else(|| of_first(link, status)) {
        Some(wrong) => Ok(Some(wrong)),
        None => of_parent(cx, link),
    }
}

/// When the last run of a link was signed: after the task was made and claimed, before it ended. None
/// where the queue does not say when it ended.
///
/// Each bound is the latest that is known, so that a record in which the end was put back does not make a
/// key count that was revoked before the task was made.
pub(crate) fn signed(link: &Link, run: &Run) -> Option<Period> {
    let known = [parse_moment(link.definition.created()), Some(run.scheduled), run.started];
    let first = known.into_iter().flatten().max()?;
    Some(Period { first, last: run.resolved?.max(first) })
}

fn of_run(run: &Run) -> Option<Wrong> {
    let number = run.run_id;
    let claimed = run.started.filter(|started| is_before(*started, run.scheduled, SignedDuration::ZERO));
    if let Some(started) = claimed {
        let message = format!("Run {number} was started before it was scheduled.");
        return Some(wrong(run, "started", message, started, ("scheduled", run.scheduled)));
    }
    let begun = run.started.map_or(("scheduled", run.scheduled), |started| ("started", started));
    let claim = run.taken_until.filter(|until| is_before(*until, begun.1, SignedDuration::ZERO));
    if let Some(until) = claim {
        let message = format!("The claim of run {number} ended before the run was {}.", begun.0);
        return Some(wrong(run, "takenUntil", message, until, begun));
    }
    let by_others = matches!(run.reason_resolved.as_deref(), Some("canceled" | "deadline-exceeded"));
    let race = if by_others { RACE } else { SignedDuration::ZERO };
    let ended = run.resolved.filter(|ended| is_before(*ended, begun.1, race))?;
    let message = format!("Run {number} ended before it was {}.", begun.0);
    Some(wrong(run, "resolved", message, ended, begun))
}

fn of_next(run: &Run, next: &Run) -> Option<Wrong> {
    let ended = run.resolved.filter(|ended| is_before(next.scheduled, *ended, RACE))?;
    let message = format!("Run {} was scheduled before run {} had ended.", next.run_id, run.run_id);
    Some(wrong(next, "scheduled", message, next.scheduled, ("resolved", ended)))
}

fn of_first(link: &Link, status: &Status) -> Option<Wrong> {
    let first = status.runs.first()?;
    let created = parse_moment(link.definition.created());
    let created = created.filter(|created| is_before(first.scheduled, *created, DRIFT))?;
    let message = format!("Run {} was scheduled before the task was created.", first.run_id);
    Some(wrong(first, "scheduled", message, first.scheduled, ("created", created)))
}

/// A task is made while the run of its parent goes on that published its graph: the last.
fn of_parent(cx: &CheckContext<'_>, link: &Link) -> Result<Option<Wrong>, Stop> {
    let own = &link.definition;
    let made_by = if link.is_parent() { own.decision_task_id() } else { own.parent_task_id() };
    let parent = if made_by == link.task_id { None } else { cx.link(made_by)? };
    let Some(parent) = parent.filter(|parent| parent.has_run) else { return Ok(None) };
    // What is wrong with the parent's own status is reported on the parent.
    let run = match cx.run(parent) {
        Err(Stop::Waiting) => return Err(Stop::Waiting),
        run => run.ok(),
    };
    let started = run.and_then(|run| run.started);
    let (Some(started), Some(created)) = (started, parse_moment(own.created())) else { return Ok(None) };
    Ok(is_before(created, started, DRIFT).then(|| Wrong {
        message: format!("The task was created before the start of the run of {} that made it.", parent.name),
        path: Path::of(&["created"]),
        expected: format!("not before {started}, when the last run of {} started", parent.task_id),
        actual: created.to_string(),
    }))
}

/// Whether a moment is before another by more than a tolerance.
fn is_before(time: Timestamp, other: Timestamp, tolerance: SignedDuration) -> bool {
    other.duration_since(time) > tolerance
}

fn wrong(run: &Run, key: &str, message: String, time: Timestamp, (what, other): (&str, Timestamp)) -> Wrong {
    let expected = format!("not before {other} ({what})");
    Wrong { message, path: place(run, key), expected, actual: time.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_json::{Limits, parse};
    use catena_model::task::Definition;

    fn status(runs: &[&str]) -> Status {
        let runs: Vec<String> = runs
            .iter()
            .enumerate()
            .map(|(number, run)| format!(r#"{{"runId":{number},"state":"exception",{run}}}"#))
            .collect();
        let text = format!(
            r#"{{"status":{{"taskId":"IFn9x5gaQz-HXl2pa7Ny_w","state":"exception","runs":[{}]}}}}"#,
            runs.join(",")
        );
        // Times of day.
        let text = text.replace("@", "2026-08-12T");
        Status::parse(&parse(text.as_bytes(), &Limits::default()).unwrap()).unwrap()
    }

    fn told(runs: &[&str]) -> Option<String> {
        let status = status(runs);
        let within = status.runs.iter().find_map(of_run);
        let next =
            || status.runs.iter().zip(status.runs.iter().skip(1)).find_map(|(run, next)| of_next(run, next));
        // Created at 09:30:12.345.
        let first = || of_first(&Link::sample(Definition::sample_id(), Definition::sample("", "")), &status);
        within.or_else(next).or_else(first).map(|wrong| wrong.message)
    }

    #[test]
    fn a_run_has_no_tolerance() {
        let whole = r#""scheduled":"@09:30:12Z","started":"@09:30:12Z","takenUntil":"@09:50:12Z","resolved":"@09:30:12Z""#;
        assert_eq!(told(&[whole]), None);
        let with = |from: &str, to: &str| told(&[&whole.replacen(from, to, 1)]);
        let early = "@09:30:11.999Z";
        assert_eq!(
            with(r#""started":"@09:30:12Z""#, &format!(r#""started":"{early}""#)).as_deref(),
            Some("Run 0 was started before it was scheduled.")
        );
        assert_eq!(
            with("@09:50:12Z", early).as_deref(),
            Some("The claim of run 0 ended before the run was started.")
        );
        assert_eq!(
            with(r#""resolved":"@09:30:12Z""#, &format!(r#""resolved":"{early}""#)).as_deref(),
            Some("Run 0 ended before it was started.")
        );
    }

    #[test]
    fn requests_may_have_waited_for_one_another() {
        let run = |reason: &str, resolved: &str| {
            told(&[&format!(
                r#""scheduled":"@09:40:00Z","resolved":"@{resolved}","reasonResolved":"{reason}""#
            )])
        };
        for reason in ["canceled", "deadline-exceeded"] {
            assert_eq!(run(reason, "09:39:00Z"), None);
            assert_eq!(run(reason, "09:38:59Z").as_deref(), Some("Run 0 ended before it was scheduled."));
        }
        assert!(run("worker-shutdown", "09:39:59Z").is_some());
        let lost = r#""scheduled":"@09:40:00Z","resolved":"@09:50:00Z""#;
        let next = |time: &str| told(&[lost, &format!(r#""scheduled":"@{time}""#)]);
        assert_eq!([next("09:50:00Z"), next("09:49:00Z"), next("23:00:00Z")], [None, None, None]);
        assert_eq!(next("09:48:59Z").as_deref(), Some("Run 1 was scheduled before run 0 had ended."));
    }

    #[test]
    fn a_task_is_created_before_it_runs_within_what_the_queue_allows() {
        let scheduled = |time: &str| told(&[&format!(r#""scheduled":"@{time}""#)]);
        assert_eq!(scheduled("09:15:12.345Z"), None);
        assert_eq!(
            scheduled("09:15:12.344Z").as_deref(),
            Some("Run 0 was scheduled before the task was created.")
        );
    }

    #[test]
    fn a_signature_is_made_between_the_latest_bounds() {
        let link = Link::sample(Definition::sample_id(), Definition::sample("", ""));
        let period = |run: &str| {
            let status = status(&[run]);
            let period = signed(&link, status.latest()?)?;
            Some([period.first, period.last].map(|time| time.to_string().split_off(11)))
        };
        let whole = r#""scheduled":"@09:31:00Z","started":"@09:32:00Z","resolved":"@09:33:00Z""#;
        assert_eq!(period(whole).unwrap(), ["09:32:00Z", "09:33:00Z"]);
        assert_eq!(period(&whole.replace("@09:3", "@08:3")).unwrap(), ["09:30:12.345Z", "09:30:12.345Z"]);
        assert_eq!(period(&whole.replace("@09:33", "@09:31")).unwrap(), ["09:32:00Z", "09:32:00Z"]);
        assert_eq!(period(r#""scheduled":"@09:31:00Z""#), None);
    }
}
