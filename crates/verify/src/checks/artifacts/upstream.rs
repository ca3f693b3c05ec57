//! The upstream artifacts that tasks name.

use super::super::target;
use super::{CHECK, FOREIGN, GLOB, NAME, PATTERN, TOO_MANY, WANTED};
use crate::verdict::{Authority, Disposition, Finding, Findings};
use crate::verification::{CheckContext, Examined, Extent, Link, Stop};
use catena_json::Path;
use catena_model::fnmatch::LONGEST;
use catena_model::task::{TaskId, UpstreamArtifacts};

/// The links whose `payload.upstreamArtifacts` are measured: the target, and with it every link that
/// has run if everything is to be measured.
pub(super) fn takers<'a>(cx: &CheckContext<'a>) -> Result<Vec<&'a Link>, Stop> {
    let target = target(cx)?;
    let others = match cx.evidence.target.extent {
        Extent::All => Some(cx.closed()?.links().filter(|link| link.has_run && !link.is_target)),
        Extent::Listed | Extent::Named => None,
    };
    Ok(std::iter::once(target).chain(others.into_iter().flatten()).collect())
}

/// Every task of which artifacts are wanted is a link that has run. The chain is built that way; this check
/// does not rely on it.
pub(super) fn examine_wanted(cx: &CheckContext<'_>) -> Examined {
    cx.closed()?;
    let mut findings = Findings::default();
    for taker in takers(cx)? {
        examine_taker(cx, taker, &mut findings)?;
    }
    if findings.is_empty() {
        let message = "Every wanted artifact is of a task that has run in this chain.";
        findings.push(Finding::new(CHECK, WANTED, Disposition::Passed, target(cx)?.task_id, message));
    }
    Ok(findings.into_vec().into())
}

fn examine_taker(cx: &CheckContext<'_>, taker: &Link, findings: &mut Findings) -> Result<(), Stop> {
    let chain = cx.closed()?;
    let target_id = taker.task_id;
    let mut wanted = 0_usize;
    for (number, entry) in taker.definition.upstream_artifacts().iter().enumerate() {
        wanted = wanted.saturating_add(entry.paths.len());
        // Without a definition it is no link, and the definition check says why.
        let known = cx.evidence.definition(entry.task_id).is_some_and(|definition| definition.is_err());
        if !known && !chain.link(entry.task_id).is_some_and(|link| link.has_run) {
            let message = format!(
                "The task uses artifacts of task {}, which has not run in this chain.",
                entry.task_id
            );
            let place = Path::of(&["payload", "upstreamArtifacts"]).index(number).key("taskId");
            let finding = Finding::new(CHECK, FOREIGN, Disposition::Failed, target_id, message);
            findings.push(finding.at("the queue's definition", Some(place)));
        }
        let place = Path::of(&["payload", "upstreamArtifacts"]).index(number).key("paths");
        for (number, path) in entry.paths.iter().enumerate() {
            findings.extend(examine_path(target_id, path, entry, place.index(number)));
        }
    }
    if wanted > cx.evidence.limits.artifacts {
        findings.push(
            Finding::new(
                CHECK,
                TOO_MANY,
                Disposition::Failed,
                target_id,
                "The task wants too many artifacts.",
            )
            .expected(Authority::Policy, format!("at most {}", cx.evidence.limits.artifacts))
            .actual(Authority::Task, wanted.to_string()),
        );
    }
    Ok(())
}

/// The finding about a path that a task must not name, whatever artifacts exist.
fn examine_path(target_id: TaskId, path: &str, entry: &UpstreamArtifacts, place: Path) -> Option<Finding> {
    let failed = |code, message: String| {
        let finding = Finding::new(CHECK, code, Disposition::Failed, target_id, message);
        Some(finding.at("the queue's definition", Some(place)).actual(Authority::Task, path))
    };
    if path.starts_with('/') || path.contains("..") {
        return failed(NAME, format!("A path of {} could lead out of its directory.", entry.task_id));
    }
    if path.contains('*') && path.len() > LONGEST {
        let length = path.len();
        return failed(PATTERN, format!("A pattern has {length} bytes, and at most {LONGEST} are matched."));
    }
    if path.contains('*') && !entry.optional {
        return failed(
            GLOB,
            format!("A pattern of {} is not optional, although it could match nothing.", entry.task_id),
        );
    }
    None
}
