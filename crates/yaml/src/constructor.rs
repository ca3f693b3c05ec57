//! The graph to a tree of values: tags are given their meaning and aliases are expanded.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use num_bigint::BigInt;

use crate::composer::{Composed, Content, Entries, Graph, GraphNode, Id};
use crate::error::{Error, ErrorKind, LimitKind, Mark};
use crate::limits::Limits;
use crate::merge::Merger;
use crate::node::{Document, Node, NodeValue};
use crate::scalar;
use crate::tag::Tag;
use crate::timestamp::Timestamp;

/// Constructs the document of a composed stream; an empty stream is null.
pub(crate) fn construct(composed: Composed, limits: &Limits) -> Result<Document, Error> {
    let Composed { graph, root } = composed;
    let merger = Merger { limits, copied: 0 };
    let mut constructor = Constructor { graph, limits, merger, nodes: 0, bytes: 0 };
    let root = match root {
        Some(id) => constructor.node(id, 1)?,
        None => Node { value: NodeValue::Null, mark: Mark::START },
    };
    Ok(Document { root })
}

struct Constructor<'a> {
    graph: Graph,
    limits: &'a Limits,
    merger: Merger<'a>,
    /// Nodes constructed so far.
    nodes: usize,
    /// Bytes of scalars constructed so far.
    bytes: usize,
}

impl Constructor<'_> {
    fn node(&mut self, id: Id, depth: usize) -> Result<Node, Error> {
        let Some(node) = self.graph.node(id) else {
            return Ok(Node { value: NodeValue::Null, mark: Mark::START });
        };
        let mark = node.mark;
        let tag = match &node.tag {
            Ok(tag) => *tag,
            Err(name) => return Err(Error::new(ErrorKind::UnknownTag(name.clone()), mark)),
        };
        let value = match &node.content {
            Content::Scalar(text) => {
                let (bytes, value) = (text.len(), scalar_value(tag, text, mark, self.limits)?);
                self.spend(bytes, mark)?;
                value
            }
            content => {
                // A scalar is no level of its own, as in JSON.
                self.limits.check(LimitKind::Depth, depth, mark)?;
                let kind = content.kind();
                self.spend(0, mark)?;
                self.collection(id, tag, kind, mark, depth)?
            }
        };
        Ok(Node { value, mark })
    }

    fn collection(
        &mut self,
        id: Id,
        tag: Tag,
        kind: &'static str,
        mark: Mark,
        depth: usize,
    ) -> Result<NodeValue, Error> {
        match (tag, kind) {
            (Tag::Seq, "sequence") => Ok(NodeValue::Sequence(self.items(id, depth)?)),
            (Tag::Map, "mapping") => Ok(NodeValue::Mapping(self.mapping(id, depth)?)),
            (Tag::Set, "mapping") => {
                Ok(NodeValue::Set(self.mapping(id, depth)?.into_iter().map(|(key, _)| key).collect()))
            }
            (Tag::Omap | Tag::Pairs, "sequence") => Ok(NodeValue::Pairs(self.pairs(id, tag, depth)?)),
            (Tag::Merge | Tag::Value | Tag::Yaml, _) => {
                Err(Error::new(ErrorKind::UnknownTag(tag.name()), mark))
            }
            _ => Err(Error::new(ErrorKind::TagMismatch { tag: tag.name(), found: kind }, mark)),
        }
    }

    fn sequence(&self, id: Id) -> Vec<Id> {
        match self.graph.node(id).map(|node| &node.content) {
            Some(Content::Sequence(items)) => items.clone(),
            _ => Vec::new(),
        }
    }

    fn items(&mut self, id: Id, depth: usize) -> Result<Vec<Node>, Error> {
        let mut nodes = Vec::new();
        for item in self.sequence(id) {
            nodes.push(self.node(item, depth.saturating_add(1))?);
        }
        Ok(nodes)
    }

    /// Each item of `!!omap` and `!!pairs` is a mapping with one key.
    fn pairs(&mut self, id: Id, tag: Tag, depth: usize) -> Result<Vec<(Node, Node)>, Error> {
        let mut pairs = Vec::new();
        for item in self.sequence(id) {
            let Some(node) = self.graph.node(item) else { continue };
            let bad = Error::new(ErrorKind::BadPair { tag: tag.name() }, node.mark);
            let Content::Mapping(Entries { pairs: entries, merged }) = &node.content else { return Err(bad) };
            let &[(key, value)] = entries.as_slice() else { return Err(bad) };
            // PyYAML sees `<<` here or what it was replaced with, depending on what it constructed first.
            if merged.is_some_and(|keys| keys > 0) {
                return Err(bad);
            }
            let depth = depth.saturating_add(2);
            pairs.push((self.node(key, depth)?, self.node(value, depth)?));
        }
        Ok(pairs)
    }

    fn mapping(&mut self, id: Id, depth: usize) -> Result<Vec<(Node, Node)>, Error> {
        let Entries { pairs, .. } = self.merger.flatten(&mut self.graph, id, depth)?;
        let depth = depth.saturating_add(1);
        let mut entries: Vec<(Node, Node)> = Vec::new();
        let mut places: HashMap<Key, usize> = HashMap::new();
        for (key, value) in pairs {
            let key = self.key(key, depth)?;
            let hashed = Key::of(&key)?;
            let value = self.node(value, depth)?;
            match places.entry(hashed) {
                Entry::Vacant(place) => {
                    place.insert(entries.len());
                    entries.push((key, value));
                }
                Entry::Occupied(place) if *place.key() == Key::NotANumber => {
                    let what = "not-a-number twice as a key";
                    return Err(Error::new(ErrorKind::Unsupported { what }, key.mark));
                }
                // As in Python's dict the first key stays and the last value counts.
                Entry::Occupied(place) => {
                    if let Some(entry) = entries.get_mut(*place.get()) {
                        entry.1 = value;
                    }
                }
            }
        }
        Ok(entries)
    }

    /// The key `=` is the string it looks like.
    fn key(&mut self, id: Id, depth: usize) -> Result<Node, Error> {
        if let Some(GraphNode { tag: Ok(Tag::Value), content: Content::Scalar(text), mark }) =
            self.graph.node(id)
        {
            let node = Node { value: NodeValue::String(text.clone()), mark: *mark };
            self.spend(text.len(), node.mark)?;
            return Ok(node);
        }
        self.node(id, depth)
    }

    /// Counts a node with a scalar of `bytes`.
    fn spend(&mut self, bytes: usize, mark: Mark) -> Result<(), Error> {
        self.nodes = self.nodes.saturating_add(1);
        self.limits.check(LimitKind::Nodes, self.nodes, mark)?;
        self.bytes = self.bytes.saturating_add(bytes);
        self.limits.check(LimitKind::Expanded, self.bytes, mark)
    }
}

fn scalar_value(tag: Tag, text: &str, mark: Mark, limits: &Limits) -> Result<NodeValue, Error> {
    let value = match tag {
        Tag::Null => Some(NodeValue::Null),
        Tag::Str => Some(NodeValue::String(text.to_owned())),
        Tag::Bool => scalar::bool(text).map(NodeValue::Bool),
        Tag::Int | Tag::Float => {
            limits.check(LimitKind::Number, text.len(), mark)?;
            if tag == Tag::Int {
                scalar::int(text).map(NodeValue::Int)
            } else {
                scalar::float(text).map(NodeValue::Float)
            }
        }
        Tag::Timestamp => Timestamp::of(text).map(NodeValue::Timestamp),
        Tag::Binary => scalar::binary(text).map(NodeValue::Binary),
        Tag::Merge | Tag::Value | Tag::Yaml => {
            return Err(Error::new(ErrorKind::UnknownTag(tag.name()), mark));
        }
        Tag::Seq | Tag::Map | Tag::Set | Tag::Omap | Tag::Pairs => {
            return Err(Error::new(ErrorKind::TagMismatch { tag: tag.name(), found: "scalar" }, mark));
        }
    };
    value.ok_or_else(|| {
        let text = text.chars().take(80).collect();
        Error::new(ErrorKind::BadScalar { tag: tag.name(), text }, mark)
    })
}

/// A key as Python compares it: `1`, `1.0` and `true` are one key.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Null,
    /// A number that is an integer, and the booleans.
    Integer(BigInt),
    /// In Python it depends on object identity whether two of these are one key; two are refused.
    NotANumber,
    /// Any other float, infinities among them, by its bits.
    Float(u64),
    String(String),
    Binary(Vec<u8>),
    /// A date, or a point in time without a zone.
    Local(String),
    /// A point in time with a zone, in UTC.
    Moment(i128),
}

impl Key {
    fn of(node: &Node) -> Result<Self, Error> {
        Ok(match &node.value {
            NodeValue::Null => Self::Null,
            NodeValue::Bool(value) => Self::Integer(BigInt::from(u8::from(*value))),
            NodeValue::Int(value) => Self::Integer(value.clone()),
            NodeValue::Float(value) if value.is_nan() => Self::NotANumber,
            NodeValue::Float(value) => Self::of_float(*value),
            NodeValue::String(text) => Self::String(text.clone()),
            NodeValue::Binary(bytes) => Self::Binary(bytes.clone()),
            NodeValue::Timestamp(timestamp) => match timestamp.microseconds_utc() {
                Some(moment) => Self::Moment(moment),
                None => Self::Local(timestamp.to_string()),
            },
            NodeValue::Sequence(_) | NodeValue::Mapping(_) | NodeValue::Set(_) | NodeValue::Pairs(_) => {
                return Err(Error::new(ErrorKind::UnhashableKey, node.mark));
            }
        })
    }

    fn of_float(value: f64) -> Self {
        // All digits of an integral float are printed, so that this is exact.
        let digits = if value.fract() == 0.0 { format!("{value:.0}") } else { String::new() };
        match digits.parse() {
            Ok(integer) => Self::Integer(integer),
            Err(_) => Self::Float(value.to_bits()),
        }
    }
}
