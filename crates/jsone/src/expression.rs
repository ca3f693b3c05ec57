//! Expressions as trees.
//!
//! A tree is an innermost part and the steps applied to it, one after the other: `a.b + c` is
//! `a`, then `.b`, then `+ c`. Chains of any length are so flat; only what stands in brackets or
//! to the right of an operator nests, and the parser limits that.

use crate::number::{Arithmetic, Number};
use indexmap::IndexMap;
use std::rc::Rc;

/// Handed around in boxes, which keeps the frames of the recursive parser small.
#[derive(Debug)]
pub(crate) struct Expression {
    pub(crate) head: Head,
    /// Where the head stands in the text.
    pub(crate) offset: usize,
    pub(crate) steps: Vec<Step>,
    /// How many expressions stand inside each other in it.
    pub(crate) depth: usize,
}

#[derive(Debug)]
pub(crate) enum Head {
    Null,
    Bool(bool),
    Number(Number),
    String(Rc<str>),
    Name(String),
    List(Vec<Expression>),
    Object(IndexMap<Rc<str>, Expression>),
    /// Nothing, before this token; an error when it is evaluated.
    Missing(String),
}

#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) action: Action,
    /// Where its operator stands in the text.
    pub(crate) offset: usize,
}

#[derive(Debug)]
pub(crate) enum Action {
    Sign(char),
    Not,
    /// With the operand on the right.
    Binary(Binary, Box<Expression>),
    /// With the base: the exponent is evaluated first.
    Raise(Box<Expression>),
    /// `.name`
    Member(String),
    /// `[index]`; whatever else stands in the brackets is evaluated for its errors.
    Index(Box<Expression>, Option<Box<Expression>>),
    /// `[from:to]`
    Slice(Option<Box<Expression>>, Option<Box<Expression>>),
    Call(Vec<Expression>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Or,
    And,
    In,
    Equal,
    Unequal,
    Compare(Comparison),
    Calculate(Arithmetic),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

impl Expression {
    pub(crate) fn new(head: Head, offset: usize) -> Box<Self> {
        let depth = match &head {
            Head::List(items) => deepest(items.iter()),
            Head::Object(members) => deepest(members.values()),
            _ => 0,
        };
        Box::new(Self { head, offset, steps: Vec::new(), depth })
    }
}

impl Action {
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::Sign(_) | Self::Not | Self::Member(_) => 0,
            Self::Binary(_, operand) | Self::Raise(operand) => operand.depth,
            Self::Index(left, right) => {
                left.depth.max(deepest(right.iter().map(AsRef::as_ref)).saturating_sub(1))
            }
            Self::Slice(left, right) => {
                deepest(left.iter().chain(right).map(AsRef::as_ref)).saturating_sub(1)
            }
            Self::Call(arguments) => deepest(arguments.iter()).saturating_sub(1),
        }
    }
}

/// The depth of what encloses these.
fn deepest<'a>(parts: impl Iterator<Item = &'a Expression>) -> usize {
    parts.map(|part| part.depth.saturating_add(1)).max().unwrap_or(1)
}
