//! Events to a graph of nodes, with aliases resolved and nothing constructed yet.

use std::collections::HashMap;

use crate::error::{Error, ErrorKind, LimitKind, Mark};
use crate::limits::Limits;
use crate::parser::{Event, Parser, Properties};
use crate::resolver::resolve;
use crate::tag::Tag;

/// Names a node of a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Id(usize);

/// The nodes of one document. An alias is the id of the node it names, so that a node may stand in many
/// places, but never inside of itself.
#[derive(Default)]
pub(crate) struct Graph(Vec<GraphNode>);

pub(crate) struct GraphNode {
    /// The tag as far as it has a meaning; an unknown tag matters only once its node is constructed.
    pub(crate) tag: Result<Tag, String>,
    pub(crate) mark: Mark,
    pub(crate) content: Content,
}

#[derive(Clone)]
pub(crate) enum Content {
    Scalar(String),
    Sequence(Vec<Id>),
    Mapping(Entries),
}

impl Content {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Scalar(_) => "scalar",
            Self::Sequence(_) => "sequence",
            Self::Mapping(_) => "mapping",
        }
    }
}

/// The entries of a mapping node.
#[derive(Clone, Default)]
pub(crate) struct Entries {
    pub(crate) pairs: Vec<(Id, Id)>,
    /// How many `<<` keys there were, once they are replaced.
    pub(crate) merged: Option<usize>,
}

impl Graph {
    fn add(&mut self, node: GraphNode) -> Id {
        self.0.push(node);
        Id(self.0.len().saturating_sub(1))
    }

    pub(crate) fn node(&self, id: Id) -> Option<&GraphNode> {
        self.0.get(id.0)
    }

    pub(crate) fn node_mut(&mut self, id: Id) -> Option<&mut GraphNode> {
        self.0.get_mut(id.0)
    }
}

/// What a composed stream holds.
pub(crate) struct Composed {
    pub(crate) graph: Graph,
    /// Nothing when the stream holds no document.
    pub(crate) root: Option<Id>,
}

/// Reads the single document of a stream.
pub(crate) fn compose(parser: Parser, limits: &Limits) -> Result<Composed, Error> {
    let composed = Composed { graph: Graph::default(), root: None };
    let mut composer = Composer { parser, limits, composed, open: Vec::new(), anchors: HashMap::new() };
    loop {
        match composer.parser.next()? {
            (Event::DocumentStart, mark) if composer.composed.root.is_some() => {
                return Err(Error::new(ErrorKind::MultipleDocuments, mark));
            }
            (Event::StreamEnd, _) => return Ok(composer.composed),
            (event, mark) => composer.event(event, mark)?,
        }
    }
}

/// A collection that is still open.
struct Open {
    id: Id,
    /// In a mapping: the key whose value comes next.
    key: Option<Id>,
}

struct Composer<'a> {
    parser: Parser,
    limits: &'a Limits,
    composed: Composed,
    open: Vec<Open>,
    anchors: HashMap<String, Id>,
}

impl Composer<'_> {
    fn event(&mut self, event: Event, mark: Mark) -> Result<(), Error> {
        match event {
            Event::DocumentStart | Event::DocumentEnd | Event::StreamEnd => Ok(()),
            Event::Alias(name) => {
                let id = self.alias(name, mark)?;
                self.place(id);
                Ok(())
            }
            Event::Scalar { properties, text, implicit } => self.scalar(properties, text, implicit, mark),
            Event::SequenceStart(properties) => {
                self.start(properties, Tag::Seq, Content::Sequence(Vec::new()), mark)
            }
            Event::MappingStart(properties) => {
                self.start(properties, Tag::Map, Content::Mapping(Entries::default()), mark)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.open.pop();
                Ok(())
            }
        }
    }

    fn alias(&self, name: String, mark: Mark) -> Result<Id, Error> {
        match self.anchors.get(&name) {
            None => Err(Error::new(ErrorKind::UndefinedAlias(name), mark)),
            Some(id) if self.open.iter().any(|open| open.id == *id) => {
                Err(Error::new(ErrorKind::RecursiveAlias(name), mark))
            }
            Some(id) if self.composed.graph.node(*id).is_some_and(|node| node.tag == Ok(Tag::Value)) => {
                // PyYAML turns the key `=` into a string when it constructs its mapping. What an alias of
                // it means depends on what was constructed first.
                Err(Error::new(ErrorKind::Unsupported { what: "an alias of the key '='" }, mark))
            }
            Some(id) => Ok(*id),
        }
    }

    fn scalar(
        &mut self,
        properties: Properties,
        text: String,
        implicit: bool,
        mark: Mark,
    ) -> Result<(), Error> {
        self.limits.check(LimitKind::Scalar, text.len(), mark)?;
        let tag = match &properties.tag {
            _ if implicit => Ok(resolve(&text)),
            Some(name) if name != "!" => known(name),
            _ => Ok(Tag::Str),
        };
        let id = self.add(properties.anchor, GraphNode { tag, mark, content: Content::Scalar(text) })?;
        self.place(id);
        Ok(())
    }

    fn start(
        &mut self,
        properties: Properties,
        default: Tag,
        content: Content,
        mark: Mark,
    ) -> Result<(), Error> {
        let tag = match properties.tag.as_deref() {
            None | Some("!") => Ok(default),
            Some(name) => known(name),
        };
        let id = self.add(properties.anchor, GraphNode { tag, mark, content })?;
        self.place(id);
        self.open.push(Open { id, key: None });
        self.limits.check(LimitKind::Depth, self.open.len(), mark)
    }

    fn add(&mut self, anchor: Option<String>, node: GraphNode) -> Result<Id, Error> {
        let mark = node.mark;
        let id = self.composed.graph.add(node);
        self.limits.check(LimitKind::Nodes, self.composed.graph.0.len(), mark)?;
        match anchor {
            Some(name) if self.anchors.contains_key(&name) => {
                return Err(Error::new(ErrorKind::DuplicateAnchor(name), mark));
            }
            Some(name) => {
                self.anchors.insert(name, id);
            }
            None => {}
        }
        Ok(id)
    }

    /// Adds a node at the current place of the document.
    fn place(&mut self, id: Id) {
        let Some(open) = self.open.last_mut() else {
            self.composed.root = Some(id);
            return;
        };
        match self.composed.graph.node_mut(open.id).map(|node| &mut node.content) {
            Some(Content::Sequence(items)) => items.push(id),
            Some(Content::Mapping(entries)) => match open.key.take() {
                None => open.key = Some(id),
                Some(key) => entries.pairs.push((key, id)),
            },
            _ => {}
        }
    }
}

fn known(name: &str) -> Result<Tag, String> {
    Tag::of(name).ok_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::{ErrorKind, Limits, Mark, load};

    #[test]
    fn errors_of_anchors_and_documents_are_distinguished() {
        let cases = [
            ("- *a", ErrorKind::UndefinedAlias("a".into()), 1, 3),
            ("- &a b\n- &a c", ErrorKind::DuplicateAnchor("a".into()), 2, 3),
            ("&a\n- [*a]", ErrorKind::RecursiveAlias("a".into()), 2, 4),
            ("a\n---\nb", ErrorKind::MultipleDocuments, 2, 1),
            ("- !x y", ErrorKind::UnknownTag("!x".into()), 1, 3),
            ("- !x!y z", ErrorKind::UnknownTag("!x!y".into()), 1, 3),
            ("<<: 1", ErrorKind::BadMerge, 1, 1),
            ("- ? [a]", ErrorKind::UnhashableKey, 1, 5),
            (
                "a: 2001-02-29",
                ErrorKind::BadScalar { tag: "tag:yaml.org,2002:timestamp".into(), text: "2001-02-29".into() },
                1,
                4,
            ),
            (
                "!!map a",
                ErrorKind::TagMismatch { tag: "tag:yaml.org,2002:map".into(), found: "scalar" },
                1,
                1,
            ),
            ("!!omap\n- {}", ErrorKind::BadPair { tag: "tag:yaml.org,2002:omap".into() }, 2, 3),
        ];
        for (text, kind, line, column) in cases {
            let error = load(text, &Limits::default()).unwrap_err();
            assert_eq!((error.kind, error.mark), (kind, Mark { line, column }), "{text}");
        }
    }
}
