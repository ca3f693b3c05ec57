//! From everything that was found to one answer.

use super::{Fact, Halt, Inquiry, Need, State, Subject};
use crate::checks::chain::TOO_MUCH_WORK;
use crate::checks::{definition, tree, worker_implementation};
use crate::policy::Landed;
use crate::task::TaskId;
use crate::verdict::{
    Class, Code, Finding, Findings, LinkSummary, Outcome, Relaxed, Side, Standing, Verdict, VerifiedArtifact,
    bounded_text,
};

/// The name under which findings about what could not be known stand.
pub(crate) const CHECK: &str = "outside";

/// It could not be had, however often it was tried.
pub(crate) const UNREACHABLE: Code = Code::new(
    "outside-unreachable",
    Class::Infra,
    "Something that must be known could not be had: a service was unreachable, too slow or broken.",
);
/// Credentials are missing or do not suffice.
pub(crate) const REFUSED: Code = Code::new(
    "outside-refused",
    Class::Infra,
    "A service refused to tell something that must be known: credentials are missing or do not suffice.",
);
/// A check never got to its end.
pub(crate) const UNFINISHED: Code = Code::new(
    "outside-unfinished",
    Class::Infra,
    "A check could not be finished, because something it needs was never told.",
);
/// Time was up, or somebody interrupted, while checks were at work.
pub(crate) const CANCELLED: Code = Code::new(
    "outside-cancelled",
    Class::Infra,
    "The verification was cancelled before every check had ended: its deadline passed, or it was interrupted.",
);

/// What can be said of the world outside.
pub(crate) const CODES: &[Code] = &[UNREACHABLE, REFUSED, UNFINISHED, CANCELLED];

pub(super) fn conclude(inquiry: &Inquiry, now: &str) -> Verdict {
    let mut findings = Findings::default();
    findings.extend(definition::examine(inquiry.case.definitions()));
    let mut artifacts: Vec<VerifiedArtifact> = Vec::new();
    for item in &inquiry.items {
        if let State::Done(examination) = &item.state {
            findings.extend(examination.findings.iter().cloned());
            artifacts.extend(examination.artifacts.iter().cloned());
        }
    }
    unknown(inquiry, &mut findings);
    let mut findings = findings.into_vec();
    if let Some(halted) = halted(inquiry) {
        // The check did not come to its end, whatever it has passed before.
        let passed = |other: &Finding| other.standing == Standing::Passed && other.check == halted.check;
        findings.retain(|other| !passed(other));
        findings.push(halted);
    }
    relax(inquiry, &mut findings);
    if findings.iter().all(|finding| finding.standing != Standing::Failed) {
        let unfinished = unfinished(inquiry);
        if unfinished.is_empty() || !all_is_known(inquiry) || !restore(inquiry, &mut findings) {
            findings.extend(unfinished);
        }
    }
    order(inquiry, &mut findings);
    artifacts.sort_by(|left, right| (left.task_id, &left.name).cmp(&(right.task_id, &right.name)));
    artifacts.dedup_by(|left, right| (left.task_id, &left.name) == (right.task_id, &right.name));
    let outcome = outcome(&findings);
    let cx = super::Cx::new(&inquiry.case, &inquiry.chain);
    Verdict {
        outcome,
        tree: tree::goes_back_to(&cx).filter(|_| outcome == Outcome::Verified),
        task_id: inquiry.case.target.task_id,
        kind: inquiry.case.target.kind.clone(),
        product: inquiry.case.product.name.clone(),
        policy: inquiry.case.product.policy.clone(),
        keys: inquiry.case.keys.id(),
        source: inquiry.source,
        check_task: inquiry.case.target.check_task,
        extent: inquiry.case.target.extent,
        concluded: now.to_owned(),
        links: links(inquiry),
        findings,
        relaxed: relaxed(inquiry),
        artifacts,
    }
}

/// A no outweighs what could not be known, and that outweighs our own configuration: once a chain
/// is known to be wrong, nothing that is still missing can make it right.
fn outcome(findings: &[Finding]) -> Outcome {
    let has = |class: Class| {
        findings.iter().any(|finding| finding.standing == Standing::Failed && finding.code.class == class)
    };
    if has(Class::Tamper) || has(Class::Policy) {
        Outcome::Rejected
    } else if has(Class::Infra) {
        Outcome::Undetermined
    } else if has(Class::Config) {
        Outcome::Misconfigured
    } else {
        Outcome::Verified
    }
}

fn unknown(inquiry: &Inquiry, findings: &mut Findings) {
    let unknown = |fact: &Fact| matches!(fact, Fact::Unreachable { .. } | Fact::Refused { .. });
    let mut facts: Vec<_> = inquiry.case.facts().filter(|(_, fact)| unknown(fact)).collect();
    // Which ones are listed must not be chance.
    facts.sort_unstable_by_key(|(need, _)| *need);
    for (need, fact) in facts {
        let task_id = owner(inquiry, need);
        match fact {
            Fact::Unreachable { reason, attempts } => {
                let message = format!("Could not get {need}: {reason} ({}).", tried(*attempts));
                findings.push(Finding::new(CHECK, UNREACHABLE, Standing::Failed, task_id, message));
            }
            Fact::Refused { status, message } => {
                let message = format!("Was refused {need}: status {status}, {message:?}.");
                findings.push(Finding::new(CHECK, REFUSED, Standing::Failed, task_id, message));
            }
            _ => {}
        }
    }
    // Whatever is open where the work has stopped is open because of that.
    let asked = inquiry.handed_out.iter().chain(&inquiry.ready).filter(|_| !inquiry.has_stopped());
    let mut untold: Vec<&Need> = asked.filter(|need| !inquiry.case.knows(need)).collect();
    untold.sort_unstable();
    for need in untold {
        let message = format!("Was never told {need}.");
        findings.push(Finding::new(CHECK, UNFINISHED, Standing::Failed, owner(inquiry, need), message));
    }
}

/// Why the work has stopped before its end, if it has.
fn halted(inquiry: &Inquiry) -> Option<Finding> {
    let target = inquiry.case.target.task_id;
    Some(match inquiry.case.work.halted()? {
        Halt::Cancelled => {
            let message = "The verification was cancelled while checks were at work.";
            Finding::new(CHECK, CANCELLED, Standing::Failed, target, message)
        }
        Halt::Exhausted => {
            let message = "Verifying the chain takes more work than the limit allows.";
            Finding::new(crate::checks::chain::CHECK, TOO_MUCH_WORK, Standing::Failed, target, message)
                .expected(Side::Policy, format!("at most {} steps", inquiry.case.work.limit()))
                .actual(Side::Task, "more")
        }
    })
}

fn tried(attempts: u32) -> String {
    if attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") }
}

/// The task a need is about; the target for needs about repositories.
fn owner(inquiry: &Inquiry, need: &Need) -> TaskId {
    match need {
        Need::Definition { task_id } | Need::Status { task_id } | Need::Listing { task_id, .. } => *task_id,
        other => other.artifact().map_or(inquiry.case.target.task_id, |(task_id, _, _)| task_id),
    }
}

/// Nothing failed, so nothing may have been left out: an examination that waits or is blocked, or a
/// chain that is not closed, is a defect or a fact that was withheld, and never a yes.
fn unfinished(inquiry: &Inquiry) -> Vec<Finding> {
    let target = inquiry.case.target.task_id;
    let mut findings = Vec::new();
    if !inquiry.chain.is_closed() {
        let message = "The links of the chain are not all known.";
        findings.push(Finding::new(CHECK, UNFINISHED, Standing::Failed, target, message));
    }
    for item in &inquiry.items {
        let empty = matches!(&item.state, State::Done(examination) if examination.findings.is_empty());
        if !matches!(item.state, State::Done(_)) || empty {
            let (task_id, check) = match item.subject {
                Subject::Link(task_id, check) => (task_id, format!("check {check} of the link")),
                Subject::Chain(check) => (target, format!("check {check} of the chain")),
            };
            let message = format!("A check came to no end: {check}.");
            findings.push(Finding::new(CHECK, UNFINISHED, Standing::Failed, task_id, message));
        }
    }
    findings
}

fn relax(inquiry: &Inquiry, findings: &mut [Finding]) {
    for finding in findings.iter_mut().filter(|finding| finding.standing == Standing::Failed) {
        if finding.code.rule.is_some_and(|rule| inquiry.case.relaxes(rule)) {
            finding.standing = Standing::Relaxed;
        }
    }
}

/// Whether nothing is waited for, so that a check which came to no end was kept from it by what another
/// check has found.
fn all_is_known(inquiry: &Inquiry) -> bool {
    inquiry.chain.is_closed()
        && inquiry.items.iter().all(|item| match &item.state {
            State::Waiting => false,
            State::Blocked => true,
            State::Done(examination) => !examination.findings.is_empty(),
        })
}

/// What a relaxed rule lets through must still be of use to the other checks, as a source that no rule can
/// read and a graph without a digest are not. Then it is a no as it would have been, whoever asks again;
/// whether there was such a finding.
fn restore(inquiry: &Inquiry, findings: &mut [Finding]) -> bool {
    let mut restored = false;
    for finding in findings.iter_mut().filter(|finding| finding.standing == Standing::Relaxed) {
        if let Some(rule) = finding.code.rule.filter(|rule| inquiry.case.relaxes(rule)) {
            finding.standing = Standing::Failed;
            finding.message.push_str(&format!(
                " The policy relaxes {rule}; it counts all the same, since other checks came to no end."
            ));
            restored = true;
        }
    }
    restored
}

fn relaxed(inquiry: &Inquiry) -> Vec<Relaxed> {
    let by_policy = inquiry.case.product.relaxed.iter().map(|rule| (rule.as_str(), "policy"));
    // No rule, but as much weaker: nobody is asked whether what the chain is made from has landed.
    let assumed = inquiry.case.product.landed == Landed::Assumed;
    let by_policy = by_policy.chain(assumed.then_some(("landed-assumed", "policy")));
    let switches = &inquiry.case.switches;
    let by_switch = [
        ("danger-allow-http", switches.danger_allow_http),
        ("danger-skip-signatures", switches.danger_skip_signatures),
        ("offline", switches.offline),
    ];
    let by_switch = by_switch.into_iter().filter(|(_, on)| *on).map(|(name, _)| (name, "switch"));
    let all = by_policy.chain(by_switch);
    all.map(|(rule, by)| Relaxed { rule: rule.to_owned(), by: by.to_owned() }).collect()
}

/// By the place of their links, and for each link what failed before what was let through before what
/// passed. Messages come last, and in a step of their own, so that none is copied for its place.
fn order(inquiry: &Inquiry, findings: &mut [Finding]) {
    let key = |finding: &Finding| {
        let place = inquiry.chain.place_of(finding.task_id).unwrap_or(usize::MAX);
        let standing: u8 = match finding.standing {
            Standing::Failed => 0,
            Standing::Relaxed => 1,
            Standing::Passed => 2,
        };
        (place, standing, finding.check, finding.code.name)
    };
    findings.sort_by_cached_key(key);
    for alike in findings.chunk_by_mut(|left, right| key(left) == key(right)) {
        alike.sort_by(|left, right| left.message.cmp(&right.message));
    }
}

fn links(inquiry: &Inquiry) -> Vec<LinkSummary> {
    let cx = super::Cx::new(&inquiry.case, &inquiry.chain);
    let summary = |link: &super::Link| LinkSummary {
        name: link.name.clone(),
        task_id: link.task_id,
        kind: link.kind.clone(),
        run_id: if link.has_run { cx.run(link).ok().map(|run| run.run_id) } else { None },
        worker_implementation: worker_implementation::of(&inquiry.case.product, &link.definition).ok(),
        title: link.definition.text(&["metadata", "name"]).map(|title| bounded_text(title.to_owned())),
    };
    inquiry.chain.links().map(summary).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn finding() -> impl Strategy<Value = Finding> {
        let class =
            prop_oneof![Just(Class::Tamper), Just(Class::Policy), Just(Class::Config), Just(Class::Infra)];
        let standing = prop_oneof![Just(Standing::Passed), Just(Standing::Failed), Just(Standing::Relaxed)];
        let target = TaskId::parse("fN1SbArXTPSVFUUvaOlinQ").unwrap();
        (class, standing).prop_map(move |(class, standing)| {
            Finding::new("a check", Code::new("a-code", class, "Something."), standing, target, "Something.")
        })
    }

    #[test]
    fn one_attempt_is_one() {
        assert_eq!([0, 1, 5].map(tried), ["0 attempts", "1 attempt", "5 attempts"]);
    }

    /// How far from a yes: only tampering and policy say no for good.
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
        fn a_finding_more_never_makes_an_answer_milder(
            findings in prop::collection::vec(finding(), 0..6),
            more in finding(),
            place in any::<prop::sample::Index>(),
        ) {
            let before = outcome(&findings);
            let mut after = findings;
            after.insert(place.index(after.len() + 1), more.clone());
            let after = outcome(&after);
            prop_assert!(firmness(after) >= firmness(before), "{before:?} became {after:?}");
            if more.standing != Standing::Failed {
                prop_assert_eq!(after, before);
            } else {
                prop_assert_ne!(after, Outcome::Verified);
            }
        }
    }
}
