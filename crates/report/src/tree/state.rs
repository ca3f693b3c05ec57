//! What a tree says of a task.

use super::Chain;
use crate::escape;
use crate::page::Paint;
use catena_model::task::TaskId;
use catena_verify::verdict::{Class, Disposition, Outcome};
use std::collections::{HashMap, HashSet};

/// Codes of one task that are named.
const CODES: usize = 3;

/// The state of a task in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// `verified`, `FAILED signature-unknown-key`, `not reached`.
    pub(super) words: String,
    pub(super) paint: Paint,
    /// Whether it may be counted instead of shown: nothing failed, and nothing is missing.
    pub(super) is_clean: bool,
}

/// The findings of a chain by task.
pub(super) struct States<'a> {
    outcome: Outcome,
    is_stored: bool,
    failed: HashMap<TaskId, Vec<(Class, &'a str)>>,
    relaxed: HashMap<TaskId, Vec<(Class, &'a str)>>,
    passed: HashSet<TaskId>,
}

impl<'a> States<'a> {
    pub(super) fn of(chain: &Chain<'a>) -> Self {
        let (mut failed, mut relaxed, mut passed) = (HashMap::new(), HashMap::new(), HashSet::new());
        for mark in &chain.marks {
            let codes: &mut HashMap<TaskId, Vec<(Class, &'a str)>> = match mark.disposition {
                Disposition::Failed => &mut failed,
                Disposition::Relaxed => &mut relaxed,
                Disposition::Passed => {
                    passed.insert(mark.task_id);
                    continue;
                }
            };
            codes.entry(mark.task_id).or_default().push((mark.class, mark.code));
        }
        for codes in failed.values_mut().chain(relaxed.values_mut()) {
            codes.sort_unstable();
            codes.dedup();
        }
        Self { outcome: chain.outcome, is_stored: chain.is_stored, failed, relaxed, passed }
    }

    /// The state of a task, which is a link or was not reached.
    pub(super) fn state(&self, task_id: TaskId, is_link: bool) -> State {
        let (words, paint, is_clean) = match self.failed.get(&task_id).map(Vec::as_slice) {
            Some(codes @ [(class, _), ..]) => {
                let (word, paint) = failure(*class);
                let unreached = if is_link { "" } else { "not reached: " };
                (format!("{unreached}{word} {}", names(codes)), paint, false)
            }
            _ if !is_link => ("not reached".to_owned(), Paint::Unsure, false),
            _ if self.outcome == Outcome::Verified && self.is_stored => {
                ("reported verified".to_owned(), Paint::Dim, true)
            }
            _ if self.outcome == Outcome::Verified => ("verified".to_owned(), Paint::Good, true),
            // The chain is not verified as a whole, and a link is not without it.
            _ if self.passed.contains(&task_id) => ("nothing failed".to_owned(), Paint::Dim, true),
            _ => ("not checked".to_owned(), Paint::Unsure, false),
        };
        match self.relaxed.get(&task_id) {
            Some(codes) => State {
                words: format!("{words}, weakened: {}", names(codes)),
                paint: if is_clean { Paint::Unsure } else { paint },
                is_clean: false,
            },
            None => State { words, paint, is_clean },
        }
    }

    /// The tasks with a failed finding, in the order of their ids.
    pub(super) fn failed(&self) -> Vec<TaskId> {
        let mut tasks: Vec<TaskId> = self.failed.keys().copied().collect();
        tasks.sort_unstable();
        tasks
    }
}

fn failure(class: Class) -> (&'static str, Paint) {
    match class {
        Class::Tamper | Class::Invalid | Class::Policy => ("FAILED", Paint::Bad),
        Class::Config => ("MISCONFIGURED", Paint::Unsure),
        Class::Infra => ("UNDETERMINED", Paint::Unsure),
    }
}

fn names(codes: &[(Class, &str)]) -> String {
    let named: Vec<_> = codes.iter().take(CODES).map(|(_, code)| escape::word(code)).collect();
    match codes.len().saturating_sub(CODES) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_severe_codes_are_named_first() {
        let codes = [(Class::Tamper, "a"), (Class::Invalid, "b"), (Class::Policy, "c"), (Class::Infra, "d")];
        assert_eq!(names(&codes), "a, b, c and 1 more");
        assert_eq!(failure(Class::Policy).0, "FAILED");
        assert_eq!(failure(Class::Config).0, "MISCONFIGURED");
        assert_eq!(failure(Class::Infra).0, "UNDETERMINED");
    }
}
