//! The links of a chain, found level by level from the target (verification.md section 2).

use super::case::Case;
use crate::policy::KindRole;
use crate::task::{Definition, Kind, LinkName, TaskId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A task of the chain whose definition is known.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// The way to it.
    pub(crate) name: LinkName,
    /// The task.
    pub(crate) task_id: TaskId,
    /// What it is judged as.
    pub(crate) kind: Kind,
    /// What the policy asks of that kind; none for a kind it does not know.
    pub(crate) role: Option<KindRole>,
    /// Its definition.
    pub(crate) definition: Arc<Definition>,
    /// Whether it is the task the inquiry is about.
    pub(crate) is_target: bool,
    /// Whether it has run, so that its document is checked.
    pub(crate) has_run: bool,
}

impl Link {
    /// Whether it makes other tasks.
    pub(crate) fn is_parent(&self) -> bool {
        self.role.is_some_and(KindRole::is_parent)
    }
}

/// A place in the chain. It is a link once its definition is known.
#[derive(Clone, Debug)]
struct Slot {
    name: LinkName,
    task_id: TaskId,
    link: Option<Link>,
}

/// The chain as far as it is known. Names and kinds depend on the order in which tasks are found,
/// so a level is only expanded when all of its definitions are known: then the order in which facts
/// arrive cannot change anything.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    slots: Vec<Slot>,
    places: BTreeMap<TaskId, usize>,
    /// Where the level begins that waits for its definitions.
    level: usize,
    /// The tasks of that level whose definitions are awaited.
    awaited: BTreeSet<TaskId>,
    closed: bool,
    too_deep: Vec<TaskId>,
    too_wide: bool,
}

impl Chain {
    pub(crate) fn new(case: &Case) -> Self {
        let mut chain = Self::default();
        chain.place(LinkName::target(&case.target.kind), case.target.task_id);
        chain.awaited.insert(case.target.task_id);
        chain
    }

    /// The tasks whose definitions are awaited.
    pub(crate) fn awaited(&self) -> impl Iterator<Item = TaskId> {
        self.awaited.iter().copied()
    }

    /// Whether every link is known.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// The links that are known, in the order in which they were found.
    pub(crate) fn links(&self) -> impl Iterator<Item = &Link> {
        self.slots.iter().filter_map(|slot| slot.link.as_ref())
    }

    /// The link of a task.
    pub(crate) fn link(&self, task_id: TaskId) -> Option<&Link> {
        self.slots.get(*self.places.get(&task_id)?)?.link.as_ref()
    }

    /// The place of a task in the order of the chain.
    pub(crate) fn place_of(&self, task_id: TaskId) -> Option<usize> {
        self.places.get(&task_id).copied()
    }

    /// The way to a task, whether or not its definition is known.
    pub(crate) fn name(&self, task_id: TaskId) -> Option<&LinkName> {
        let slot = self.slots.get(*self.places.get(&task_id)?)?;
        Some(slot.link.as_ref().map_or(&slot.name, |link| &link.name))
    }

    /// Tasks farther from the target than the policy allows.
    pub(crate) fn too_deep(&self) -> &[TaskId] {
        &self.too_deep
    }

    /// Whether there are more links than the limit allows.
    pub(crate) fn too_wide(&self) -> bool {
        self.too_wide
    }

    /// Takes up the definition of a task, which is known now; answers the tasks that are new: first
    /// those whose definition is to be asked for, then those that have just become links.
    pub(crate) fn advance(&mut self, case: &Case, task_id: TaskId) -> (Vec<TaskId>, Vec<TaskId>) {
        let (mut asked, mut joined) = (Vec::new(), Vec::new());
        if !self.awaited.remove(&task_id) {
            return (asked, joined);
        }
        joined.extend(self.join(case, task_id));
        while self.awaited.is_empty() && !self.closed {
            let first = self.level;
            self.expand(case, first);
            let level: Vec<TaskId> = self.slots.iter().skip(self.level).map(|slot| slot.task_id).collect();
            for task_id in level {
                if case.definition(task_id).is_some() {
                    joined.extend(self.join(case, task_id));
                } else {
                    self.awaited.insert(task_id);
                    asked.push(task_id);
                }
            }
        }
        (asked, joined)
    }

    /// Makes a place a link, if its definition can be used.
    fn join(&mut self, case: &Case, task_id: TaskId) -> Option<TaskId> {
        let definition = case.definition(task_id)?.ok()?;
        let slot = self.slots.get_mut(*self.places.get(&task_id)?)?;
        slot.link = Some(make_link(case, &slot.name, task_id, definition));
        Some(task_id)
    }

    /// All definitions from `first` on are known: finds what they depend on.
    fn expand(&mut self, case: &Case, first: usize) {
        self.level = self.slots.len();
        let level: Vec<Link> = self.slots.iter().skip(first).filter_map(|slot| slot.link.clone()).collect();
        for link in level {
            if link.name.depth() > case.product.max_chain_length {
                self.too_deep.push(link.task_id);
                continue;
            }
            for (kind, task_id) in dependencies(&link.definition) {
                self.place(link.name.dependency(&kind), task_id);
            }
        }
        if self.slots.len() > case.limits.links {
            self.too_wide = true;
            self.slots.truncate(self.level);
            let level = self.level;
            self.places.retain(|_, place| *place < level);
        }
        self.closed = self.slots.len() == self.level;
    }

    fn place(&mut self, name: LinkName, task_id: TaskId) {
        let place = self.slots.len();
        self.places.entry(task_id).or_insert_with(|| {
            self.slots.push(Slot { name, task_id, link: None });
            place
        });
    }
}

fn make_link(case: &Case, name: &LinkName, task_id: TaskId, definition: Arc<Definition>) -> Link {
    let last = name.parts().last().map_or("", String::as_str);
    // What a task's parent is shows in the parent itself (verification.md section 2.1).
    let last = match last {
        "parent" if definition.is_action() => "action",
        "parent" => "decision",
        other => other,
    };
    let parsed = Kind::parse(last).ok();
    let role = parsed.as_ref().and_then(|kind| case.product.role(kind));
    let kind = parsed.unwrap_or_else(Kind::unknown);
    let is_target = task_id == case.target.task_id;
    // A decision task is its own parent, so its own graph is always looked at, and so it has run.
    let is_own_parent = definition.parent_task_id() == task_id;
    Link {
        name: if role.is_some() { name.clone().resolved(&kind) } else { name.clone() },
        task_id,
        kind,
        role,
        is_target,
        has_run: !is_target || case.target.check_task || is_own_parent,
        definition,
    }
}

/// What a task depends on: its parent first, then its declared inputs and upstream artifacts,
/// sorted by kind and id as one text, as the reference does (verification.md section 2.3).
pub(crate) fn dependencies(definition: &Definition) -> Vec<(String, TaskId)> {
    let inputs = definition.inputs().iter().cloned();
    let upstream =
        definition.upstream_artifacts().iter().map(|entry| (entry.task_type.clone(), entry.task_id));
    let mut dependencies: Vec<(String, TaskId)> = inputs.chain(upstream).collect();
    dependencies.sort_by_cached_key(|(kind, task_id)| format!("{kind}_{task_id}"));
    dependencies.dedup();
    dependencies.insert(0, ("parent".to_owned(), definition.parent_task_id()));
    dependencies
}

/// A task that depends on itself, through its inputs, upstream artifacts and parents, if there is
/// one. A decision task being its own parent does not count.
pub(crate) fn cycle(chain: &Chain) -> Option<TaskId> {
    let edges: BTreeMap<TaskId, BTreeSet<TaskId>> = chain
        .links()
        .map(|link| {
            let mut to: BTreeSet<TaskId> =
                dependencies(&link.definition).into_iter().map(|(_, id)| id).collect();
            if link.definition.parent_task_id() == link.task_id
                && !link.definition.inputs().iter().any(|(_, id)| *id == link.task_id)
                && !link.definition.upstream_artifacts().iter().any(|entry| entry.task_id == link.task_id)
            {
                to.remove(&link.task_id);
            }
            (link.task_id, to)
        })
        .collect();
    // Take away what depends on nothing that is left, until nothing changes: a cycle stays.
    let mut left = edges;
    loop {
        let free: Vec<TaskId> = left
            .iter()
            .filter(|(_, to)| !to.iter().any(|id| left.contains_key(id)))
            .map(|(task_id, _)| *task_id)
            .collect();
        if free.is_empty() {
            break;
        }
        left.retain(|task_id, _| !free.contains(task_id));
    }
    // Of what is left, the first in the chain's order that can reach itself.
    chain.links().map(|link| link.task_id).find(|start| {
        let mut seen = BTreeSet::new();
        let mut todo: Vec<TaskId> = left.get(start).into_iter().flatten().copied().collect();
        while let Some(next) = todo.pop() {
            if next == *start {
                return true;
            }
            if seen.insert(next) {
                todo.extend(left.get(&next).into_iter().flatten().copied());
            }
        }
        false
    })
}
