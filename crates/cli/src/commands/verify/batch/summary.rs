//! The combined result of a list of tasks.

use crate::failure::{DONE, UNDETERMINED, USAGE};
use catena_fetch::Statistics;
use catena_verify::verdict::Outcome;
use std::fmt;
use std::time::Instant;

/// The number of tasks by outcome, and the cost.
#[derive(Debug)]
pub(super) struct BatchSummary {
    tasks: usize,
    began: Instant,
    verified: usize,
    rejected: usize,
    undetermined: usize,
    misconfigured: usize,
    cost: Statistics,
}

impl BatchSummary {
    /// For this many tasks, none of which has ended.
    pub(super) fn of(tasks: usize) -> Self {
        Self {
            tasks,
            began: Instant::now(),
            verified: 0,
            rejected: 0,
            undetermined: 0,
            misconfigured: 0,
            cost: Statistics::default(),
        }
    }

    pub(super) fn add(&mut self, outcome: Outcome) {
        let count = match outcome {
            Outcome::Verified => &mut self.verified,
            Outcome::Rejected => &mut self.rejected,
            Outcome::Undetermined => &mut self.undetermined,
            Outcome::Misconfigured => &mut self.misconfigured,
        };
        *count = count.saturating_add(1);
    }

    pub(super) fn cost(&mut self, cost: &Statistics) {
        self.cost = cost.clone();
    }

    fn ended(&self) -> usize {
        [self.verified, self.rejected, self.undetermined, self.misconfigured].iter().sum()
    }

    /// The progress.
    pub(super) fn disposition(&self) -> String {
        let outcomes = self.outcomes();
        let outcomes = if outcomes.is_empty() { outcomes } else { format!(": {outcomes}") };
        format!("{} of {} tasks{outcomes}", self.ended(), self.tasks)
    }

    /// The most severe outcome counts: one rejected task makes the list rejected, and it is verified
    /// only if all tasks are.
    pub(super) fn exit_status(&self) -> u8 {
        if self.rejected > 0 {
            Outcome::Rejected.exit_status()
        } else if self.undetermined > 0 || self.ended() < self.tasks {
            UNDETERMINED
        } else if self.misconfigured > 0 {
            USAGE
        } else {
            DONE
        }
    }

    fn outcomes(&self) -> String {
        let counts = [
            (self.verified, Outcome::Verified),
            (self.rejected, Outcome::Rejected),
            (self.undetermined, Outcome::Undetermined),
            (self.misconfigured, Outcome::Misconfigured),
        ];
        let told: Vec<String> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, outcome)| format!("{count} {}", outcome.as_str()))
            .collect();
        told.join(", ")
    }
}

impl fmt::Display for BatchSummary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.began.elapsed().as_secs_f64();
        let tasks = self.ended().max(1) as f64;
        write!(
            out,
            "{} in {seconds:.1} s ({:.1} tasks per second): {:.1} requests and {:.0} kB per task",
            self.disposition(),
            tasks / seconds.max(0.001),
            self.cost.requests as f64 / tasks,
            self.cost.received as f64 / 1000.0 / tasks,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_severe_outcome_decides() {
        let status = |tasks: usize, outcomes: &[Outcome]| {
            let mut sum = BatchSummary::of(tasks);
            outcomes.iter().for_each(|outcome| sum.add(*outcome));
            sum.exit_status()
        };
        use Outcome::{Misconfigured, Rejected, Undetermined, Verified};
        assert_eq!(status(2, &[Verified, Verified]), 0);
        assert_eq!(status(3, &[Verified, Verified]), 3, "one never ended");
        assert_eq!(status(2, &[Verified, Rejected]), 1);
        assert_eq!(status(3, &[Undetermined, Rejected, Misconfigured]), 1);
        assert_eq!(status(2, &[Undetermined, Misconfigured]), 3);
        assert_eq!(status(2, &[Verified, Misconfigured]), 2);
    }

    #[test]
    fn the_summary_states_outcomes_and_cost() {
        let mut sum = BatchSummary::of(3);
        [Outcome::Verified, Outcome::Verified, Outcome::Rejected]
            .into_iter()
            .for_each(|outcome| sum.add(outcome));
        sum.cost(&Statistics { requests: 15, received: 6000, ..Statistics::default() });
        let told = sum.to_string();
        assert!(told.starts_with("3 of 3 tasks: 2 verified, 1 rejected in "), "{told}");
        assert!(told.ends_with(": 5.0 requests and 2 kB per task"), "{told}");
        assert_eq!(BatchSummary::of(3).disposition(), "0 of 3 tasks");
    }
}
