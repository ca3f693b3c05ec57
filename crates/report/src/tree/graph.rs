//! The tasks of a chain and what they depend on.

use super::Chain;
use super::state::{State, States};
use catena_model::task::TaskId;
use catena_verify::verdict::LinkSummary;
use std::collections::HashMap;

/// A task.
pub(super) struct Node<'a> {
    pub(super) task_id: TaskId,
    /// None for a task that was not reached.
    pub(super) link: Option<&'a LinkSummary>,
    pub(super) state: State,
    /// The tasks that it depends on.
    pub(super) needs: Vec<Need<'a>>,
}

/// A dependency: its name, and the position of the task.
#[derive(Clone, Copy)]
pub(super) struct Need<'a> {
    pub(super) name: &'a str,
    pub(super) node: usize,
}

/// The tasks, the target first, then the links, then the others. A chain may have cycles.
pub(super) struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
}

impl<'a> Graph<'a> {
    pub(super) fn of(chain: &Chain<'a>) -> Self {
        let states = States::of(chain);
        let mut nodes = Nodes { states: &states, nodes: Vec::new(), places: HashMap::new() };
        nodes.place(chain.target, chain.links.iter().find(|link| link.task_id == chain.target));
        for link in chain.links {
            nodes.place(link.task_id, Some(link));
        }
        for link in chain.links {
            // Every decision task names itself as its parent.
            let is_own_parent = |name: &str, task_id| name == "parent" && task_id == link.task_id;
            let edges = link.edges.iter().filter(|edge| !is_own_parent(&edge.name, edge.task_id));
            let needs: Vec<Need<'a>> =
                edges.map(|edge| Need { name: &edge.name, node: nodes.place(edge.task_id, None) }).collect();
            nodes.depends(link, needs);
        }
        for task_id in states.failed() {
            nodes.place(task_id, None);
        }
        Self { nodes: nodes.nodes }
    }
}

struct Nodes<'a, 's> {
    states: &'s States<'a>,
    nodes: Vec<Node<'a>>,
    places: HashMap<TaskId, usize>,
}

impl<'a> Nodes<'a, '_> {
    /// The position of a task, which is added if it is new.
    fn place(&mut self, task_id: TaskId, link: Option<&'a LinkSummary>) -> usize {
        let place = self.nodes.len();
        *self.places.entry(task_id).or_insert_with(|| {
            let state = self.states.state(task_id, link.is_some());
            self.nodes.push(Node { task_id, link, state, needs: Vec::new() });
            place
        })
    }

    /// Sets what a link depends on. A file may name a task twice; the first counts.
    fn depends(&mut self, link: &'a LinkSummary, needs: Vec<Need<'a>>) {
        let place = self.places.get(&link.task_id).copied();
        let node = place.and_then(|place| self.nodes.get_mut(place));
        if let Some(node) = node.filter(|node| node.link.is_some_and(|own| std::ptr::eq(own, link))) {
            node.needs = needs;
        }
    }
}
