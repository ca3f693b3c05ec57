//! Tasks that depend on themselves, found in one walk over all links and their inputs.

use super::Stop;
use super::chain::{Chain, Link};
use super::work::Work;
use catena_model::task::TaskId;

/// A task that depends on itself, through its inputs, upstream artifacts and parents, if there is one:
/// the first in the chain's order. A decision task that is its own parent does not count.
pub(crate) fn cycle(chain: &Chain, work: &Work) -> Result<Option<TaskId>, Stop> {
    let (mut tasks, mut edges) = (Vec::new(), Vec::new());
    for (task_id, link) in chain.places() {
        tasks.push(task_id);
        edges.push(link.map_or(Ok(Vec::new()), |link| places_of_inputs(chain, link, work))?);
    }
    let mut first = None;
    let mut search = Search::new(&edges);
    for root in 0..edges.len() {
        search.visit(
            root,
            &mut |node| first = Some(first.map_or(node, |first: usize| first.min(node))),
            work,
        )?;
    }
    Ok(first.and_then(|place| tasks.get(place).copied()))
}

fn places_of_inputs(chain: &Chain, link: &Link, work: &Work) -> Result<Vec<usize>, Stop> {
    let definition = &link.definition;
    let upstream = definition.upstream_artifacts().iter().map(|entry| entry.task_id);
    let inputs = definition.inputs().iter().map(|(_, task_id)| *task_id).chain(upstream);
    work.spend(definition.inputs().len().saturating_add(definition.upstream_artifacts().len()))?;
    let parent = Some(definition.parent_task_id()).filter(|parent| *parent != link.task_id);
    let mut places: Vec<usize> = inputs.chain(parent).filter_map(|task_id| chain.place_of(task_id)).collect();
    places.sort_unstable();
    places.dedup();
    Ok(places)
}

/// Tarjan's search for strongly connected components, without recursion: a chain can be as deep as it
/// is long.
struct Search<'a> {
    edges: &'a [Vec<usize>],
    nodes: Vec<Node>,
    visited: usize,
    /// The nodes that are in no finished component, in the order in which they were found.
    open: Vec<usize>,
}

#[derive(Clone, Copy, Default)]
struct Node {
    /// When it was found, from 1; 0 before.
    found: usize,
    /// The earliest node still open that can be reached from it.
    low: usize,
    is_open: bool,
}

impl<'a> Search<'a> {
    fn new(edges: &'a [Vec<usize>]) -> Self {
        Self { edges, nodes: vec![Node::default(); edges.len()], visited: 0, open: Vec::new() }
    }

    /// Visits all nodes that can be reached from a node and were not visited before; returns which
    /// nodes can reach themselves.
    fn visit(&mut self, root: usize, cyclic: &mut dyn FnMut(usize), work: &Work) -> Result<(), Stop> {
        if self.node(root).found != 0 {
            return Ok(());
        }
        let mut way = vec![(self.enter(root), 0_usize)];
        while let Some((node, next)) = way.last_mut() {
            work.spend(1)?;
            let (from, edge) = (*node, *next);
            *next = next.saturating_add(1);
            match self.edges.get(from).and_then(|edges| edges.get(edge)) {
                Some(&to) if self.node(to).found == 0 => way.push((self.enter(to), 0)),
                Some(&to) if self.node(to).is_open => self.lower(from, self.node(to).found),
                Some(_) => {}
                None => {
                    way.pop();
                    self.leave(from, cyclic);
                    if let Some((before, _)) = way.last() {
                        self.lower(*before, self.node(from).low);
                    }
                }
            }
        }
        Ok(())
    }

    fn node(&self, number: usize) -> Node {
        self.nodes.get(number).copied().unwrap_or_default()
    }

    fn enter(&mut self, number: usize) -> usize {
        self.visited = self.visited.saturating_add(1);
        self.open.push(number);
        if let Some(node) = self.nodes.get_mut(number) {
            *node = Node { found: self.visited, low: self.visited, is_open: true };
        }
        number
    }

    fn lower(&mut self, number: usize, low: usize) {
        if let Some(node) = self.nodes.get_mut(number) {
            node.low = node.low.min(low);
        }
    }

    /// All edges of a node were followed. If no earlier node can be reached from it, it and the open
    /// nodes found after it can all reach each other.
    fn leave(&mut self, number: usize, cyclic: &mut dyn FnMut(usize)) {
        if self.node(number).low != self.node(number).found {
            return;
        }
        let is_single = self.open.last() == Some(&number);
        let reaches_itself = self.edges.get(number).is_some_and(|edges| edges.contains(&number));
        while let Some(one) = self.open.pop() {
            if let Some(node) = self.nodes.get_mut(one) {
                node.is_open = false;
            }
            if !is_single || reaches_itself {
                cyclic(one);
            }
            if one == number {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn cyclic(edges: &[Vec<usize>], work: &Work) -> Result<BTreeSet<usize>, Stop> {
        let mut found = BTreeSet::new();
        let mut search = Search::new(edges);
        for root in 0..edges.len() {
            search.visit(root, &mut |node| found.extend([node]), work)?;
        }
        Ok(found)
    }

    /// By a search from each node for itself.
    fn reaches_itself(edges: &[Vec<usize>], start: usize) -> bool {
        let (mut seen, mut todo) = (BTreeSet::new(), edges[start].clone());
        while let Some(next) = todo.pop() {
            if seen.insert(next) {
                todo.extend(&edges[next]);
            }
        }
        seen.contains(&start)
    }

    proptest! {
        #[test]
        fn nodes_that_reach_themselves_are_found(
            edges in (1_usize..12).prop_flat_map(|count| {
                prop::collection::vec(prop::collection::vec(0..count, 0..4), count)
            })
        ) {
            let expected: BTreeSet<usize> =
                (0..edges.len()).filter(|node| reaches_itself(&edges, *node)).collect();
            prop_assert_eq!(cyclic(&edges, &Work::new(u64::MAX)), Ok(expected));
        }
    }

    #[test]
    fn the_search_takes_a_step_for_each_node_and_edge() {
        let count = 50_000;
        let ring: Vec<Vec<usize>> = (0..count).map(|node| vec![(node + 1) % count]).collect();
        let way: Vec<Vec<usize>> =
            (0..count).map(|node| Vec::from_iter([node + 1].into_iter().filter(|to| *to < count))).collect();
        let fan: Vec<Vec<usize>> = (0..300).map(|node| (0..300).filter(|to| *to > node).collect()).collect();
        for (edges, found) in [(&ring, count), (&way, 0), (&fan, 0)] {
            let steps = edges.len() + edges.iter().map(Vec::len).sum::<usize>();
            let work = Work::new(u64::try_from(steps).unwrap());
            assert_eq!(cyclic(edges, &work).map(|found| found.len()), Ok(found));
            assert_eq!(cyclic(edges, &Work::new(u64::try_from(steps).unwrap() - 1)), Err(Stop::Halted));
        }
    }
}
