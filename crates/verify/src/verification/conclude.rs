//! From all findings to one outcome.

use super::chain::dependencies;
use super::registry::{Scope, Unresolved};
use super::{CheckContext, Established, Link, Need, State, Subject, Verification};
use crate::verdict::{
    Class, Disposition, Edge, Finding, Findings, LinkSummary, Outcome, Relaxed, SignedDocument, Verdict,
    VerifiedArtifact, Worker, bounded_chain, bounded_text,
};
use catena_model::Timestamp;
use catena_model::task::{Run, TaskId, WorkerImplementation};
use catena_policy::Landed;
use std::collections::{BTreeSet, HashMap};

/// The maximum number of edges in a verdict. The largest known chains have a few thousand; the authors
/// of definitions determine the number.
const MOST_EDGES: usize = 50_000;

/// Moves the findings to the verdict: a large chain has thousands.
pub(super) fn conclude(verification: &mut Verification, now: Timestamp) -> Verdict {
    let mut findings = Findings::default();
    let mut artifacts: Vec<VerifiedArtifact> = Vec::new();
    for item in &mut verification.items {
        let State::Done(examination) = &mut item.state else { continue };
        if examination.findings.is_empty() {
            // A defect. It is no proof, and the same is true after an earlier conclusion.
            item.state = State::Waiting;
            continue;
        }
        findings.extend(std::mem::take(&mut examination.findings));
        artifacts.append(&mut examination.artifacts);
    }
    let verification = &*verification;
    let at_last = examine_at_last(verification);
    let found_last: BTreeSet<&str> = at_last.iter().map(|finding| finding.check).collect();
    findings.extend(at_last);
    let mut findings = findings.into_vec();
    // Findings that passed before the work stopped prove nothing, and there may be very many of them.
    // Neither does a check that did not complete, whatever it passed before.
    let stopped = verification.evidence.work.halted().is_some();
    let proves = |passed: &Finding| !stopped && !found_last.contains(passed.check);
    findings.retain(|finding| finding.disposition != Disposition::Passed || proves(finding));
    relax(verification, &mut findings);
    if findings.iter().all(|finding| finding.disposition != Disposition::Failed) {
        let unfinished = unfinished(verification);
        if unfinished.is_empty() || !all_is_known(verification) || !restore(verification, &mut findings) {
            findings.extend(unfinished);
        }
    }
    order(verification, &mut findings);
    let mut findings = bounded_chain(findings);
    order(verification, &mut findings);
    artifacts.sort_by(|left, right| (left.task_id, &left.name).cmp(&(right.task_id, &right.name)));
    artifacts.dedup_by(|left, right| (left.task_id, &left.name) == (right.task_id, &right.name));
    let outcome = outcome(&findings);
    Verdict {
        outcome,
        tree: tree(verification).filter(|_| outcome == Outcome::Verified),
        task_id: verification.evidence.target.task_id,
        kind: verification.evidence.target.kind.clone(),
        product: verification.evidence.product.name.clone(),
        policy: verification.evidence.product.policy.clone(),
        keys: verification.evidence.keys.id(),
        root_url: verification.root_url.clone(),
        source: verification.source,
        check_task: verification.evidence.target.check_task,
        extent: verification.evidence.target.extent,
        concluded: now,
        links: links(verification),
        findings,
        relaxed: relaxed(verification),
        artifacts,
    }
}

/// Findings that checks make only at the conclusion.
fn examine_at_last(verification: &Verification) -> Vec<Finding> {
    // Where the work has stopped, open items are open because of that.
    let asked =
        verification.handed_out.iter().chain(&verification.ready).filter(|_| !verification.has_stopped());
    let mut untold: Vec<&Need> = asked.filter(|need| !verification.evidence.knows(need)).collect();
    untold.sort_unstable();
    let cx = CheckContext::new(&verification.evidence, &verification.chain);
    let unresolved = Unresolved { cx: &cx, untold: &untold, halted: verification.evidence.work.halted() };
    let scopes = verification.registry.checks.iter().flat_map(|check| check.scopes);
    let found = scopes.map(|scope| match scope {
        Scope::Conclusion(examine) => examine(&unresolved),
        Scope::Task(_) | Scope::Link(_) | Scope::Chain(_) => Vec::new(),
    });
    found.flatten().collect()
}

/// The trusted tree that the chain is traced back to, if a check has established it.
fn tree(verification: &Verification) -> Option<String> {
    verification.examinations().flat_map(|examination| &examination.established).find_map(|one| match one {
        Established::Tree(tree) => Some(tree.clone()),
        Established::Implementation(_) | Established::Document(_) | Established::Completed => None,
    })
}

/// "Rejected" outweighs "undetermined", and that outweighs "misconfigured": once a chain is known to be
/// wrong, missing evidence cannot correct it. It is "verified" only without any failed finding,
/// whatever its class.
fn outcome(findings: &[Finding]) -> Outcome {
    let mut outcome = Outcome::Verified;
    for finding in findings.iter().filter(|finding| finding.disposition == Disposition::Failed) {
        outcome = match (finding.code.class, outcome) {
            (Class::Tamper | Class::Invalid | Class::Policy, _) => return Outcome::Rejected,
            (Class::Infra, _) => Outcome::Undetermined,
            (Class::Config, Outcome::Undetermined) => Outcome::Undetermined,
            (Class::Config, _) => Outcome::Misconfigured,
        };
    }
    outcome
}

/// No finding failed, so nothing may be open: an examination that waits or is blocked, or a chain that
/// is not closed, is a defect or a withheld fact, and is never "verified".
fn unfinished(verification: &Verification) -> Vec<Finding> {
    let target = verification.evidence.target.task_id;
    let finding = verification.registry.unfinished;
    let mut findings = Vec::new();
    if !verification.chain.is_closed() {
        findings.push(finding(target, "The links of the chain are not all known.".to_owned()));
    }
    for item in &verification.items {
        if !matches!(item.state, State::Done(_)) {
            let (task_id, whole) = match item.subject {
                Subject::Task(task_id, _) | Subject::Link(task_id, _) => (task_id, ""),
                Subject::Chain(_) => (target, " of the chain"),
            };
            findings
                .push(finding(task_id, format!("The check {}{whole} did not complete.", item.check.name)));
        }
    }
    findings
}

fn relax(verification: &Verification, findings: &mut [Finding]) {
    for finding in findings.iter_mut().filter(|finding| finding.disposition == Disposition::Failed) {
        if finding.code.rule.is_some_and(|rule| verification.evidence.relaxes(rule)) {
            finding.disposition = Disposition::Relaxed;
        }
    }
}

/// Whether nothing is waited for, so that a check that did not complete was blocked by the finding of
/// another check.
fn all_is_known(verification: &Verification) -> bool {
    verification.chain.is_closed()
        && verification.items.iter().all(|item| !matches!(item.state, State::Waiting))
}

/// A value that a relaxed rule lets through must still be usable by the other checks, unlike a source
/// that cannot be parsed or a graph without a digest. Otherwise the outcome is "rejected", on every
/// retry. Returns whether there was such a finding.
fn restore(verification: &Verification, findings: &mut [Finding]) -> bool {
    let mut restored = false;
    for finding in findings.iter_mut().filter(|finding| finding.disposition == Disposition::Relaxed) {
        if let Some(rule) = finding.code.rule.filter(|rule| verification.evidence.relaxes(*rule)) {
            finding.disposition = Disposition::Failed;
            finding.message.push_str(&format!(
                " The policy relaxes {rule}, but the finding counts, because other checks did not complete."
            ));
            restored = true;
        }
    }
    restored
}

fn relaxed(verification: &Verification) -> Vec<Relaxed> {
    let (product, switches) = (&verification.evidence.product, &verification.evidence.switches);
    let others = [
        (Relaxed::LandedAssumed, product.landed == Landed::Assumed),
        (Relaxed::AllowHttp, switches.danger_allow_http),
        (Relaxed::SkipSignatures, switches.danger_skip_signatures),
        (Relaxed::Offline, switches.offline),
    ];
    let others = others.into_iter().filter(|(_, on)| *on).map(|(relaxed, _)| relaxed);
    product.relaxed.iter().copied().map(Relaxed::Rule).chain(others).collect()
}

/// By the position of their links, and for each link failed before relaxed before passed. Messages are
/// compared last, in a separate step, so that they need not be copied.
fn order(verification: &Verification, findings: &mut [Finding]) {
    let key = |finding: &Finding| {
        let place = verification.chain.place_of(finding.task_id).unwrap_or(usize::MAX);
        let disposition: u8 = match finding.disposition {
            Disposition::Failed => 0,
            Disposition::Relaxed => 1,
            Disposition::Passed => 2,
        };
        (place, disposition, finding.check, finding.code.name)
    };
    findings.sort_by_cached_key(key);
    for alike in findings.chunk_by_mut(|left, right| key(left) == key(right)) {
        alike.sort_by(|left, right| left.message.cmp(&right.message));
    }
}

fn links(verification: &Verification) -> Vec<LinkSummary> {
    let cx = CheckContext::new(&verification.evidence, &verification.chain);
    let established = established(verification);
    let mut room = MOST_EDGES;
    let summary = |link: &Link| {
        let run = if link.has_run { cx.latest_run(link).ok() } else { None };
        let found = established.get(&link.task_id);
        let (edges, edges_left_out) = edges(link, &mut room);
        LinkSummary {
            name: link.name.clone(),
            task_id: link.task_id,
            kind: link.kind.clone(),
            run_id: run.map(|run| run.run_id),
            run_state: run.map(|run| run.state),
            worker_pool: link.definition.worker_pool().clone(),
            worker: run.and_then(worker),
            worker_implementation: found.and_then(|found| found.implementation),
            title: link.definition.text(&["metadata", "name"]).map(|title| bounded_text(title.to_owned())),
            document: found.and_then(|found| found.document.clone()),
            edges,
            edges_left_out,
        }
    };
    verification.chain.links().map(summary).collect()
}

fn worker(run: &Run) -> Option<Worker> {
    let text = |text: &Option<String>| text.clone().map(bounded_text);
    Some(Worker { group: text(&run.worker_group)?, id: text(&run.worker_id)? })
}

/// The dependencies of a link, up to the verdict's limit, and the number of the rest.
fn edges(link: &Link, room: &mut usize) -> (Vec<Edge>, usize) {
    let mut all = dependencies(&link.definition);
    let left_out = all.len().saturating_sub(*room);
    all.truncate(*room);
    *room = room.saturating_sub(all.len());
    let edge = |(name, task_id)| Edge { name: bounded_text(name), task_id };
    (all.into_iter().map(edge).collect(), left_out)
}

/// What checks have established about a link.
#[derive(Default)]
struct OfLink {
    implementation: Option<WorkerImplementation>,
    document: Option<SignedDocument>,
}

fn established(verification: &Verification) -> HashMap<TaskId, OfLink> {
    let mut found: HashMap<TaskId, OfLink> = HashMap::new();
    for item in &verification.items {
        let (State::Done(examination), Subject::Link(task_id, _)) = (&item.state, item.subject) else {
            continue;
        };
        for established in &examination.established {
            let of_link = found.entry(task_id).or_default();
            match established {
                Established::Implementation(implementation) => of_link.implementation = Some(*implementation),
                Established::Document(document) => of_link.document = Some((**document).clone()),
                Established::Tree(_) | Established::Completed => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Code;
    use proptest::prelude::*;

    fn finding() -> impl Strategy<Value = Finding> {
        let class = prop::sample::select(vec![
            Class::Tamper,
            Class::Invalid,
            Class::Policy,
            Class::Config,
            Class::Infra,
        ]);
        let disposition =
            prop_oneof![Just(Disposition::Passed), Just(Disposition::Failed), Just(Disposition::Relaxed)];
        let target = TaskId::parse("fN1SbArXTPSVFUUvaOlinQ").unwrap();
        (class, disposition).prop_map(move |(class, disposition)| {
            Finding::new(
                "a check",
                Code::new("a-code", class, "Something."),
                disposition,
                target,
                "Something.",
            )
        })
    }

    /// The order of severity: rejected is final.
    fn firmness(outcome: Outcome) -> u8 {
        match outcome {
            Outcome::Verified => 0,
            Outcome::Misconfigured => 1,
            Outcome::Undetermined => 2,
            Outcome::Rejected => 3,
        }
    }

    proptest! {
        #[test]
        fn a_further_finding_never_improves_the_outcome(
            findings in prop::collection::vec(finding(), 0..6),
            more in finding(),
            place in any::<prop::sample::Index>(),
        ) {
            let before = outcome(&findings);
            let mut after = findings;
            after.insert(place.index(after.len() + 1), more.clone());
            let after = outcome(&after);
            prop_assert!(firmness(after) >= firmness(before), "{before:?} became {after:?}");
            if more.disposition != Disposition::Failed {
                prop_assert_eq!(after, before);
            } else {
                prop_assert_ne!(after, Outcome::Verified);
            }
        }
    }
}
