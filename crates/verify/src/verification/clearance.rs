//! The proof that the outcome of a verification is "verified": a type that only its conclusion creates.

use super::{Established, State, Subject, Target, Verification};
use crate::verdict::{LinkSummary, Outcome, Relaxed, Source, Verdict, VerifiedArtifact};
use catena_model::task::{RunId, TaskId};
use std::collections::BTreeSet;

/// The conclusion of a verification: the verdict, which is data, and the clearance if the outcome is
/// "verified".
#[derive(Debug)]
pub struct Conclusion {
    verdict: Verdict,
    clearance: Option<Clearance>,
}

impl Conclusion {
    /// Only the conclusion of a verification calls this.
    pub(super) fn of(verification: &Verification, verdict: Verdict) -> Self {
        let clearance = Clearance::of(verification, &verdict);
        Self { verdict, clearance }
    }

    /// The verdict. It can be read, stored and shown; it permits nothing.
    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The verdict alone.
    #[must_use]
    pub fn into_verdict(self) -> Verdict {
        self.verdict
    }

    /// The clearance of a target that is verified without any relaxation except the policy's. `None`
    /// for any other outcome, for a recording, and if a switch weakened the verdict.
    #[must_use]
    pub fn clearance(&self) -> Option<&Clearance> {
        self.clearance.as_ref().filter(|clearance| !clearance.by_switch)
    }

    /// The clearance of a target that is verified, even if the caller weakened it with a switch:
    /// skipped signatures, plain http, offline. [`Clearance::weakened`] says which.
    #[must_use]
    pub fn clearance_despite_switches(&self) -> Option<&Clearance> {
        self.clearance.as_ref()
    }
}

/// The proof that a complete verification of a target ended with "verified". Code that publishes files,
/// fills a cache, runs a task or signs for it takes one, and cannot be called without it.
///
/// Only the conclusion of a verification creates one: it has no constructor, and nothing converts into it.
///
/// ```compile_fail,E0451
/// # use catena_verify::verification::{Clearance, Target};
/// # fn target() -> Target { unimplemented!() }
/// let clearance = Clearance {
///     target: target(),
///     product: String::new(),
///     tasks: Vec::new(),
///     artifacts: Vec::new(),
///     weakened: Vec::new(),
///     by_switch: false,
/// };
/// ```
///
/// ```compile_fail,E0599
/// # use catena_verify::verification::Clearance;
/// let clearance = Clearance::default();
/// ```
///
/// ```compile_fail,E0277
/// # use catena_verify::verification::Clearance;
/// # use catena_verify::verdict::Verdict;
/// fn of_a_verdict(verdict: Verdict) -> Clearance {
///     verdict.into()
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use catena_verify::verification::Clearance;
/// fn kept_for_later(clearance: &Clearance) -> Clearance {
///     clearance.clone()
/// }
/// ```
///
/// ```compile_fail,E0616
/// # use catena_verify::verification::Clearance;
/// fn of_another_task(clearance: &mut Clearance, other: &Clearance) {
///     clearance.artifacts = other.artifacts().to_vec();
/// }
/// ```
///
/// A conclusion, which holds one, is as closed:
///
/// ```compile_fail,E0451
/// # use catena_verify::verification::{Clearance, Conclusion};
/// # use catena_verify::verdict::Verdict;
/// fn forged(verdict: Verdict, clearance: Clearance) -> Conclusion {
///     Conclusion { verdict, clearance: Some(clearance) }
/// }
/// ```
///
/// Its contents can be read:
///
/// ```
/// # use catena_verify::verification::{Clearance, Conclusion};
/// fn names(conclusion: &Conclusion) -> Vec<String> {
///     let artifacts = conclusion.clearance().map(Clearance::artifacts).unwrap_or_default();
///     artifacts.iter().map(|artifact| artifact.name.to_string()).collect()
/// }
/// ```
#[derive(Debug)]
pub struct Clearance {
    target: Target,
    product: String,
    tasks: Vec<ClearedTask>,
    artifacts: Vec<VerifiedArtifact>,
    weakened: Vec<Relaxed>,
    by_switch: bool,
}

/// A task of a chain that is cleared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClearedTask {
    /// The task.
    pub task_id: TaskId,
    /// The run that the chain is about; `None` for a target that is about to run.
    pub run_id: Option<RunId>,
    /// Whether that run has completed, so that its artifacts are immutable.
    pub has_completed: bool,
}

impl Clearance {
    fn of(verification: &Verification, verdict: &Verdict) -> Option<Self> {
        if verdict.outcome != Outcome::Verified
            || verdict.source != Source::Services
            || verification.has_stopped()
        {
            return None;
        }
        let evidence = &verification.evidence;
        Some(Self {
            target: evidence.target.clone(),
            product: verdict.product.clone(),
            tasks: tasks(verification, verdict),
            artifacts: verdict.artifacts.clone(),
            weakened: verdict.relaxed.clone(),
            by_switch: evidence.switches.any(),
        })
    }

    /// What was verified.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The task that was verified.
    #[must_use]
    pub fn task_id(&self) -> TaskId {
        self.target.task_id
    }

    /// The product whose policy it was verified by.
    #[must_use]
    pub fn product(&self) -> &str {
        &self.product
    }

    /// The tasks of the chain, the target first.
    #[must_use]
    pub fn tasks(&self) -> &[ClearedTask] {
        &self.tasks
    }

    /// The artifacts that it covers, each with the evidence for its bytes, by task and name.
    #[must_use]
    pub fn artifacts(&self) -> &[VerifiedArtifact] {
        &self.artifacts
    }

    /// What was weakened: rules that the policy relaxes, and switches of the caller.
    #[must_use]
    pub fn weakened(&self) -> &[Relaxed] {
        &self.weakened
    }

    /// Whether the caller weakened it with a switch.
    #[must_use]
    pub fn is_weakened_by_switch(&self) -> bool {
        self.by_switch
    }
}

fn tasks(verification: &Verification, verdict: &Verdict) -> Vec<ClearedTask> {
    let completed = verification.items.iter().filter_map(|item| match (&item.state, item.subject) {
        (State::Done(examination), Subject::Link(task_id, _)) => {
            examination.established.contains(&Established::Completed).then_some(task_id)
        }
        _ => None,
    });
    let completed: BTreeSet<TaskId> = completed.collect();
    let task = |link: &LinkSummary| ClearedTask {
        task_id: link.task_id,
        run_id: link.run_id,
        has_completed: completed.contains(&link.task_id),
    };
    verdict.links.iter().map(task).collect()
}
