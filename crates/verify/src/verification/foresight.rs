//! What will almost surely be needed, though no check can say so yet.
//!
//! A check asks for what it looks at, so it asks for a link's status when the link is known, and for
//! its document when the status has told the run. Each of these is one more answer to wait for. But
//! nearly every task runs once: its status, and the document and signature of run 0, can be on their
//! way together with its definition.

use super::Need;
use super::chain::dependencies;
use catena_model::task::{Definition, RunId, TaskId};
use std::collections::{BTreeSet, HashSet};

/// How much checks may foresee. A chain goes back to a few revisions of a few trees; whoever writes
/// another revision into each of a thousand definitions must not send us to each of them.
const MOST: usize = 64;

/// Collects what is foreseen, each once.
#[derive(Debug, Default)]
pub(super) struct Foresight {
    tasks: HashSet<TaskId>,
    /// What checks foresaw, each once.
    told: HashSet<Need>,
    next: BTreeSet<Need>,
}

impl Foresight {
    /// What was foreseen since the last time.
    pub(super) fn take(&mut self) -> BTreeSet<Need> {
        std::mem::take(&mut self.next)
    }

    /// A check foresees something.
    pub(super) fn need(&mut self, need: Need) {
        if self.told.len() < MOST && self.told.insert(need.clone()) {
            self.next.insert(need);
        }
    }

    /// A task will be a link, one of at most `links`. Of one that is only about to run nothing more is
    /// asked than its definition.
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

    /// What a link depends on will be links, as soon as those that were found with it are known too.
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
    fn what_strangers_make_us_foresee_is_bounded() {
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
