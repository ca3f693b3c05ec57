//! Tokens to events: the grammar of YAML 1.1 as a state machine, without recursion.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Mark};
use crate::scanner::{Directive, Scanner, Token};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    DocumentStart,
    DocumentEnd,
    StreamEnd,
    Alias(String),
    Scalar {
        properties: Properties,
        text: String,
        /// The scalar's form decides its type: it is plain without a tag, or its tag is `!`.
        implicit: bool,
    },
    SequenceStart(Properties),
    SequenceEnd,
    MappingStart(Properties),
    MappingEnd,
}

/// What may stand before a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Properties {
    pub(crate) anchor: Option<String>,
    /// The tag with its handle resolved; `!` is the non-specific tag.
    pub(crate) tag: Option<String>,
}

/// What comes next.
#[derive(Clone, Copy)]
enum State {
    FirstDocument,
    NextDocument,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirst,
    BlockSequenceItem,
    IndentlessSequenceItem,
    BlockMappingFirst,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirst,
    FlowSequenceItem,
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMappingFirst,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

pub(crate) struct Parser {
    scanner: Scanner,
    state: State,
    /// Where to go on after the node at hand. The composer bounds the nesting, and with it this.
    after: Vec<State>,
    handles: BTreeMap<String, String>,
}

impl Parser {
    pub(crate) fn new(scanner: Scanner) -> Self {
        Self { scanner, state: State::FirstDocument, after: Vec::new(), handles: BTreeMap::new() }
    }

    /// The next event. After the last it is always [`Event::StreamEnd`].
    pub(crate) fn next(&mut self) -> Result<(Event, Mark), Error> {
        match self.state {
            State::FirstDocument => self.first_document(),
            State::NextDocument => self.next_document(),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockSequenceFirst => {
                self.scanner.next()?;
                self.block_sequence_item()
            }
            State::BlockSequenceItem => self.block_sequence_item(),
            State::IndentlessSequenceItem => self.indentless_sequence_item(),
            State::BlockMappingFirst => {
                self.scanner.next()?;
                self.block_mapping_key()
            }
            State::BlockMappingKey => self.block_mapping_key(),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirst => {
                self.scanner.next()?;
                self.flow_sequence_item(true)
            }
            State::FlowSequenceItem => self.flow_sequence_item(false),
            State::FlowPairKey => self.flow_pair_key(),
            State::FlowPairValue => self.flow_pair_value(),
            State::FlowPairEnd => {
                self.state = State::FlowSequenceItem;
                Ok((Event::MappingEnd, self.scanner.peek()?.1))
            }
            State::FlowMappingFirst => {
                self.scanner.next()?;
                self.flow_mapping_key(true)
            }
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(),
            State::FlowMappingEmptyValue => {
                let mark = self.scanner.peek()?.1;
                Ok(self.empty_scalar(mark, State::FlowMappingKey))
            }
            State::End => Ok((Event::StreamEnd, self.scanner.peek()?.1)),
        }
    }

    fn next_is(&mut self, accept: impl Fn(&Token) -> bool) -> Result<bool, Error> {
        Ok(accept(self.scanner.peek()?.0))
    }

    /// Takes the next token when it is `expected`, and gives the place behind it.
    fn take(&mut self, expected: &Token) -> Result<Option<Mark>, Error> {
        if self.scanner.peek()?.0 != expected {
            return Ok(None);
        }
        let (_, mark) = self.scanner.next()?;
        Ok(Some(Mark { column: mark.column.saturating_add(1), ..mark }))
    }

    fn unexpected<T>(&mut self, problem: &'static str) -> Result<T, Error> {
        Err(Error::syntax(problem, self.scanner.peek()?.1))
    }

    fn leave(&mut self) {
        self.state = self.after.pop().unwrap_or(State::End);
    }

    fn empty_scalar(&mut self, mark: Mark, next: State) -> (Event, Mark) {
        self.state = next;
        let properties = Properties::default();
        (Event::Scalar { properties, text: String::new(), implicit: true }, mark)
    }

    /// A node, and `next` after it; or nothing when the next token is one of `ends`.
    fn node_or_empty(
        &mut self,
        ends: &[Token],
        mark: Mark,
        next: State,
        (block, indentless): (bool, bool),
    ) -> Result<(Event, Mark), Error> {
        if ends.contains(self.scanner.peek()?.0) {
            return Ok(self.empty_scalar(mark, next));
        }
        self.after.push(next);
        self.node(block, indentless)
    }
}

/// Documents.
impl Parser {
    fn first_document(&mut self) -> Result<(Event, Mark), Error> {
        let explicit =
            |token: &Token| matches!(token, Token::Directive(_) | Token::DocumentStart | Token::StreamEnd);
        if self.next_is(explicit)? {
            return self.next_document();
        }
        self.handles = default_handles();
        self.after.push(State::DocumentEnd);
        self.state = State::BlockNode;
        Ok((Event::DocumentStart, self.scanner.peek()?.1))
    }

    fn next_document(&mut self) -> Result<(Event, Mark), Error> {
        while self.next_is(|token| *token == Token::DocumentEnd)? {
            self.scanner.next()?;
        }
        let mark = self.scanner.peek()?.1;
        if self.next_is(|token| *token == Token::StreamEnd)? {
            self.state = State::End;
            return Ok((Event::StreamEnd, mark));
        }
        self.directives()?;
        if !self.next_is(|token| *token == Token::DocumentStart)? {
            return self.unexpected("a document starts with '---' here");
        }
        self.scanner.next()?;
        self.after.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        Ok((Event::DocumentStart, mark))
    }

    fn directives(&mut self) -> Result<(), Error> {
        let mut version = false;
        self.handles.clear();
        while self.next_is(|token| matches!(token, Token::Directive(_)))? {
            let (token, mark) = self.scanner.next()?;
            let Token::Directive(directive) = token else { continue };
            let problem = match directive {
                Directive::Yaml { .. } if version => Some("a second %YAML directive"),
                Directive::Yaml { major_is_one: false } => Some("only YAML 1 is read"),
                Directive::Yaml { .. } => {
                    version = true;
                    None
                }
                Directive::Tag { handle, prefix } => {
                    self.handles.insert(handle, prefix).map(|_| "a tag handle is declared twice")
                }
                Directive::Other => None,
            };
            if let Some(problem) = problem {
                return Err(Error::syntax(problem, mark));
            }
        }
        for (handle, prefix) in default_handles() {
            self.handles.entry(handle).or_insert(prefix);
        }
        Ok(())
    }

    fn document_content(&mut self) -> Result<(Event, Mark), Error> {
        let empty = |token: &Token| {
            matches!(
                token,
                Token::Directive(_) | Token::DocumentStart | Token::DocumentEnd | Token::StreamEnd
            )
        };
        if self.next_is(empty)? {
            let mark = self.scanner.peek()?.1;
            let next = self.after.pop().unwrap_or(State::End);
            return Ok(self.empty_scalar(mark, next));
        }
        self.node(true, false)
    }

    fn document_end(&mut self) -> Result<(Event, Mark), Error> {
        let mark = self.scanner.peek()?.1;
        self.take(&Token::DocumentEnd)?;
        self.state = State::NextDocument;
        Ok((Event::DocumentEnd, mark))
    }
}

fn default_handles() -> BTreeMap<String, String> {
    [("!", "!"), ("!!", crate::tag::PREFIX)].map(|(handle, prefix)| (handle.into(), prefix.into())).into()
}

/// Nodes.
impl Parser {
    fn node(&mut self, block: bool, indentless: bool) -> Result<(Event, Mark), Error> {
        if self.next_is(|token| matches!(token, Token::Alias(_)))? {
            let (token, mark) = self.scanner.next()?;
            self.leave();
            let name = if let Token::Alias(name) = token { name } else { String::new() };
            return Ok((Event::Alias(name), mark));
        }
        let (properties, start) = self.properties()?;
        let (token, mark) = self.scanner.peek()?;
        let start = start.unwrap_or(mark);
        let next = match token {
            Token::BlockEntry if indentless => State::IndentlessSequenceItem,
            Token::Scalar { .. } => return self.scalar(properties, start),
            Token::FlowSequenceStart => State::FlowSequenceFirst,
            Token::FlowMappingStart => State::FlowMappingFirst,
            Token::BlockSequenceStart if block => State::BlockSequenceFirst,
            Token::BlockMappingStart if block => State::BlockMappingFirst,
            _ if properties != Properties::default() => {
                self.leave();
                let implicit = properties.tag.as_deref().is_none_or(|tag| tag == "!");
                return Ok((Event::Scalar { properties, text: String::new(), implicit }, start));
            }
            _ => return Err(Error::syntax("a value is missing here", mark)),
        };
        let mapping = matches!(token, Token::FlowMappingStart | Token::BlockMappingStart);
        self.state = next;
        let event = if mapping { Event::MappingStart(properties) } else { Event::SequenceStart(properties) };
        Ok((event, start))
    }

    fn scalar(&mut self, properties: Properties, start: Mark) -> Result<(Event, Mark), Error> {
        self.leave();
        let (text, plain) = match self.scanner.next()?.0 {
            Token::Scalar { text, plain } => (text, plain),
            _ => (String::new(), true),
        };
        let implicit = match properties.tag.as_deref() {
            None => plain,
            Some(tag) => tag == "!",
        };
        Ok((Event::Scalar { properties, text, implicit }, start))
    }

    /// An anchor and a tag, in either order.
    fn properties(&mut self) -> Result<(Properties, Option<Mark>), Error> {
        let mut properties = Properties::default();
        let mut start = None;
        loop {
            match self.scanner.peek()?.0 {
                Token::Anchor(_) if properties.anchor.is_none() => {}
                Token::Tag { .. } if properties.tag.is_none() => {}
                _ => return Ok((properties, start)),
            }
            let (token, mark) = self.scanner.next()?;
            start = start.or(Some(mark));
            match token {
                Token::Anchor(name) => properties.anchor = Some(name),
                Token::Tag { handle, suffix } => {
                    properties.tag = Some(self.resolve_handle(handle.as_deref(), suffix, mark)?);
                }
                _ => {}
            }
        }
    }

    fn resolve_handle(&self, handle: Option<&str>, suffix: String, mark: Mark) -> Result<String, Error> {
        match handle {
            None => Ok(suffix),
            Some(handle) => match self.handles.get(handle) {
                Some(prefix) => Ok(format!("{prefix}{suffix}")),
                None => Err(Error::new(ErrorKind::UnknownTag(format!("{handle}{suffix}")), mark)),
            },
        }
    }
}

/// Block collections.
impl Parser {
    fn block_sequence_item(&mut self) -> Result<(Event, Mark), Error> {
        if let Some(mark) = self.take(&Token::BlockEntry)? {
            let ends = [Token::BlockEntry, Token::BlockEnd];
            return self.node_or_empty(&ends, mark, State::BlockSequenceItem, (true, false));
        }
        if let Some(mark) = self.take(&Token::BlockEnd)? {
            self.leave();
            return Ok((Event::SequenceEnd, mark));
        }
        self.unexpected("a sequence's items start in one column with '-'")
    }

    /// Items of a sequence that stand in the column of the mapping around it.
    fn indentless_sequence_item(&mut self) -> Result<(Event, Mark), Error> {
        if let Some(mark) = self.take(&Token::BlockEntry)? {
            let ends = [Token::BlockEntry, Token::Key, Token::Value, Token::BlockEnd];
            return self.node_or_empty(&ends, mark, State::IndentlessSequenceItem, (true, false));
        }
        self.leave();
        Ok((Event::SequenceEnd, self.scanner.peek()?.1))
    }

    fn block_mapping_key(&mut self) -> Result<(Event, Mark), Error> {
        if let Some(mark) = self.take(&Token::Key)? {
            let ends = [Token::Key, Token::Value, Token::BlockEnd];
            return self.node_or_empty(&ends, mark, State::BlockMappingValue, (true, true));
        }
        if let Some(mark) = self.take(&Token::BlockEnd)? {
            self.leave();
            return Ok((Event::MappingEnd, mark));
        }
        self.unexpected("a mapping's keys start in one column")
    }

    fn block_mapping_value(&mut self) -> Result<(Event, Mark), Error> {
        if let Some(mark) = self.take(&Token::Value)? {
            let ends = [Token::Key, Token::Value, Token::BlockEnd];
            return self.node_or_empty(&ends, mark, State::BlockMappingKey, (true, true));
        }
        let mark = self.scanner.peek()?.1;
        Ok(self.empty_scalar(mark, State::BlockMappingKey))
    }
}

/// Flow collections.
impl Parser {
    fn flow_sequence_item(&mut self, first: bool) -> Result<(Event, Mark), Error> {
        if !self.next_is(|token| *token == Token::FlowSequenceEnd)? {
            if !first && self.take(&Token::FlowEntry)?.is_none() {
                return self.unexpected("',' or ']' is missing here");
            }
            let (token, mark) = self.scanner.peek()?;
            if *token == Token::Key {
                // `[a: b]` holds a mapping with one key.
                self.state = State::FlowPairKey;
                return Ok((Event::MappingStart(Properties::default()), mark));
            }
            if *token != Token::FlowSequenceEnd {
                self.after.push(State::FlowSequenceItem);
                return self.node(false, false);
            }
        }
        let (_, mark) = self.scanner.next()?;
        self.leave();
        Ok((Event::SequenceEnd, mark))
    }

    fn flow_pair_key(&mut self) -> Result<(Event, Mark), Error> {
        let (_, mark) = self.scanner.next()?;
        let ends = [Token::Value, Token::FlowEntry, Token::FlowSequenceEnd];
        self.node_or_empty(&ends, mark, State::FlowPairValue, (false, false))
    }

    fn flow_pair_value(&mut self) -> Result<(Event, Mark), Error> {
        if let Some(mark) = self.take(&Token::Value)? {
            let ends = [Token::FlowEntry, Token::FlowSequenceEnd];
            return self.node_or_empty(&ends, mark, State::FlowPairEnd, (false, false));
        }
        let mark = self.scanner.peek()?.1;
        Ok(self.empty_scalar(mark, State::FlowPairEnd))
    }

    fn flow_mapping_key(&mut self, first: bool) -> Result<(Event, Mark), Error> {
        if !self.next_is(|token| *token == Token::FlowMappingEnd)? {
            if !first && self.take(&Token::FlowEntry)?.is_none() {
                return self.unexpected("',' or '}' is missing here");
            }
            if let Some(mark) = self.take(&Token::Key)? {
                let ends = [Token::Value, Token::FlowEntry, Token::FlowMappingEnd];
                return self.node_or_empty(&ends, mark, State::FlowMappingValue, (false, false));
            }
            if !self.next_is(|token| *token == Token::FlowMappingEnd)? {
                self.after.push(State::FlowMappingEmptyValue);
                return self.node(false, false);
            }
        }
        let (_, mark) = self.scanner.next()?;
        self.leave();
        Ok((Event::MappingEnd, mark))
    }

    fn flow_mapping_value(&mut self) -> Result<(Event, Mark), Error> {
        if let Some(mark) = self.take(&Token::Value)? {
            let ends = [Token::FlowEntry, Token::FlowMappingEnd];
            return self.node_or_empty(&ends, mark, State::FlowMappingKey, (false, false));
        }
        let mark = self.scanner.peek()?.1;
        Ok(self.empty_scalar(mark, State::FlowMappingKey))
    }
}
