//! Look-ahead: needs that will very probably follow, though no check can request them yet.
//!
//! A check requests the evidence that it reads, so it requests a link's status when the link is known,
//! and its document when the status names the run. Each of these adds the latency of one more answer.
//! But nearly every task runs once: its status, and the document and signature of run 0, can be
//! requested together with its definition.

use super::Need;
use super::chain::dependencies;
use catena_model::task::{Definition, RunId, TaskId};
use std::collections::{BTreeSet, HashSet};

/// Limit on the look-ahead of checks. A chain goes back to a few revisions of a few trees; an author
/// who writes another revision into each of a thousand definitions must not cause a request for each.
const MOST: usize = 64;

/// Collects foreseen needs, each once.
#[derive(Debug, Default)]
pub(super) struct Foresight {
    tasks: HashSet<TaskId>,
    /// Needs that checks foresaw, each once.
    told: HashSet<Need>,
    next: BTreeSet<Need>,
}

impl Foresight {
    /// Needs that were foreseen since the last call.
    pub(super) fn take(&mut self) -> BTreeSet<Need> {
        std::mem::take(&mut self.next)
    }

    /// A check foresees a need.
    pub(super) fn need(&mut self, need: Need) {
        if self.told.len() < MOST && self.told.insert(need.clone()) {
            self.next.insert(need);
        }
    }

    /// A task will be a link, one of at most `links`. For a task that is about to run, only its
    /// definition is requested.
    pub(super) fn task(&mut self, task_id: TaskId, has_run: bool, links: usize) {
        if self.tasks.len() >= links || !self.tasks.insert(task_id) {
            return;
        }
        self.next.insert(Need::Definition { task_id });
        if has_run {
            let run_id = RunId(0);
            let (document, signature) =
                (Need::Document { task_id, run_id }, Need::Signature { task_id, run_id });
            self.next.extend([Need::Status { task_id }, document, signature]);
        }
    }

    /// The dependencies of a link will be links, as soon as those found with it are known too.
    pub(super) fn dependencies_of(&mut self, definition: &Definition, links: usize) {
        if self.tasks.len() < links {
            dependencies(definition).into_iter().for_each(|(_, task_id)| self.task(task_id, true, links));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_ahead_is_bounded() {
        let mut foresight = Foresight::default();
        for number in 0..1000 {
            foresight.need(Need::Projects { url: format!("https://example.com/{number}") });
            foresight.need(Need::Projects { url: "https://example.com/0".to_owned() });
        }
        assert_eq!(foresight.take().len(), MOST);
        let task_id = |number: u32| TaskId::parse(&format!("{number:0>8}QACAAAAAAAAAAA")).unwrap();
        (0..20).for_each(|number| foresight.task(task_id(number), true, 10));
        assert_eq!(foresight.take().len(), 40, "ten tasks, four needs each");
        foresight.task(task_id(0), true, 100);
        assert!(foresight.take().is_empty(), "each once");
    }
}
