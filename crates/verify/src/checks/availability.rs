//! Nothing that must be known was missing, and no check was cut short.
//!
//! Specification 11.1 to 11.12. Off-reference: unavailable evidence is distinguished from absence.

use crate::verdict::{Class, Code, Disposition, Finding};
use crate::verification::{Check, Fact, Halt, Need, Scope, Unresolved};
use catena_model::task::TaskId;

pub(super) const DESCRIPTION: Check = describe!("availability", CODES, Scope::Conclusion(examine));
const CHECK: &str = DESCRIPTION.name;

const UNREACHABLE: Code = Code::new(
    "availability-unreachable",
    Class::Infra,
    "Required evidence is unavailable: a service was unreachable, too slow or broken.",
);
const REFUSED: Code = Code::new(
    "availability-refused",
    Class::Infra,
    "A service refused required evidence: credentials are missing or do not suffice.",
);
const UNFINISHED: Code = Code::new(
    "availability-unfinished",
    Class::Infra,
    "A check did not complete, because evidence that it needs is missing.",
);
const CANCELLED: Code = Code::new(
    "availability-cancelled",
    Class::Infra,
    "The verification was cancelled before every check had ended: its deadline passed, or it was interrupted.",
);

const CODES: &[Code] = &[UNREACHABLE, REFUSED, UNFINISHED, CANCELLED];

/// An examination of a task did not complete.
pub(super) fn unfinished(task_id: TaskId, message: String) -> Finding {
    Finding::new(CHECK, UNFINISHED, Disposition::Failed, task_id, message)
}

fn examine(unresolved: &Unresolved<'_>) -> Vec<Finding> {
    let case = unresolved.cx.evidence;
    let unknown = |fact: &Fact| matches!(fact, Fact::Unreachable { .. } | Fact::Refused { .. });
    let mut facts: Vec<_> = case.facts().filter(|(_, fact)| unknown(fact)).collect();
    // Which ones are listed must not be chance.
    facts.sort_unstable_by_key(|(need, _)| *need);
    // What is asked of no task, such as a repository, is asked for the target.
    let owner = |need: &Need| need.task_id().unwrap_or(case.target.task_id);
    let mut findings: Vec<Finding> =
        facts.into_iter().filter_map(|(need, fact)| unavailable(owner(need), need, fact)).collect();
    let untold = unresolved.untold.iter();
    findings.extend(untold.map(|need| unfinished(owner(need), format!("No response for {need}."))));
    if unresolved.halted == Some(Halt::Cancelled) {
        let message = "The verification was cancelled while checks were running.";
        findings.push(Finding::new(CHECK, CANCELLED, Disposition::Failed, case.target.task_id, message));
    }
    findings
}

/// What is to be said of a fact that tells only that something could not be known.
fn unavailable(task_id: TaskId, need: &Need, fact: &Fact) -> Option<Finding> {
    let (code, message) = match fact {
        Fact::Unreachable { reason, attempts } => {
            (UNREACHABLE, format!("Could not get {need}: {reason} ({}).", tried(*attempts)))
        }
        Fact::Refused { status, message } => {
            (REFUSED, format!("Access to {need} was refused: status {status}, {message:?}."))
        }
        _ => return None,
    };
    Some(Finding::new(CHECK, code, Disposition::Failed, task_id, message))
}

fn tried(attempts: u32) -> String {
    if attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_attempt_is_one() {
        assert_eq!([0, 1, 5].map(tried), ["0 attempts", "1 attempt", "5 attempts"]);
    }
}
