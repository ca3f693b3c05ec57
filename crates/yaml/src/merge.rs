//! `<<`: the entries of other mappings, in front of a mapping's own.
//!
//! An own entry counts over a merged one, and of a list of mappings an earlier one over a later one: the
//! merged entries come first, those of the list backwards, and the last entry of a key counts.

use crate::composer::{Content, Entries, Graph, Id};
use crate::error::{Error, ErrorKind, LimitKind, Mark};
use crate::limits::Limits;
use crate::tag::Tag;

/// Replaces the `<<` keys of mappings, and counts what that costs.
pub(crate) struct Merger<'a> {
    pub(crate) limits: &'a Limits,
    /// Entries copied so far, over all mappings.
    pub(crate) copied: usize,
}

impl Merger<'_> {
    /// The entries of the mapping `id` without `<<` keys. Each mapping is worked on once.
    pub(crate) fn flatten(&mut self, graph: &mut Graph, id: Id, depth: usize) -> Result<Entries, Error> {
        let Some(node) = graph.node(id) else { return Ok(Entries::default()) };
        let mark = node.mark;
        let Content::Mapping(entries) = &node.content else {
            return Err(Error::new(ErrorKind::BadMerge, mark));
        };
        let entries = entries.clone();
        if entries.merged.is_some() {
            return Ok(entries);
        }
        self.limits.check(LimitKind::Depth, depth, mark)?;
        let (mut merged, mut own, mut keys) = (Vec::new(), Vec::new(), 0_usize);
        for (key, value) in entries.pairs {
            if graph.node(key).is_some_and(|key| key.tag == Ok(Tag::Merge)) {
                keys = keys.saturating_add(1);
                self.sources(graph, value, mark, depth, &mut merged)?;
            } else {
                own.push((key, value));
            }
        }
        merged.append(&mut own);
        let entries = Entries { pairs: merged, merged: Some(keys) };
        if let Some(node) = graph.node_mut(id) {
            node.content = Content::Mapping(entries.clone());
        }
        Ok(entries)
    }

    /// Adds the entries of the mapping or mappings behind a `<<`.
    fn sources(
        &mut self,
        graph: &mut Graph,
        value: Id,
        mark: Mark,
        depth: usize,
        merged: &mut Vec<(Id, Id)>,
    ) -> Result<(), Error> {
        let sources = match graph.node(value).map(|node| &node.content) {
            Some(Content::Mapping(_)) => vec![value],
            Some(Content::Sequence(items)) => items.clone(),
            _ => return Err(Error::new(ErrorKind::BadMerge, mark)),
        };
        let mut lists = Vec::new();
        for source in sources {
            let entries = self.flatten(graph, source, depth.saturating_add(1))?;
            self.copied = self.copied.saturating_add(entries.pairs.len()).saturating_add(1);
            self.limits.check(LimitKind::Nodes, self.copied, mark)?;
            lists.push(entries.pairs);
        }
        merged.extend(lists.into_iter().rev().flatten());
        Ok(())
    }
}
