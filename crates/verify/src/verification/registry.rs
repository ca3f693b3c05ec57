//! What the state machine knows of the checks: how each is described, and when it is examined.
//!
//! The checks import the state machine, and it imports none of them: it is given the registry that
//! `checks` makes of them.

use super::work::Halt;
use super::{CheckContext, Examined, Link, Need};
use crate::verdict::{Code, Finding};
use catena_model::task::TaskId;
use catena_policy::Rule;
use std::collections::BTreeSet;

/// A check: how people read of it, and how it is examined.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// The name of its file, its page and its attacks.
    pub name: &'static str,
    /// Its page.
    pub page: &'static str,
    /// What it can find.
    pub codes: &'static [Code],
    /// On what it is examined, and how.
    pub(crate) scopes: &'static [Scope],
    /// What is foreseen of a link as soon as it is known, and not only when the check comes to it.
    pub(crate) look_ahead: Option<fn(&CheckContext<'_>, &Link)>,
}

impl Check {
    /// The same check, which also looks ahead.
    pub(crate) const fn looking_ahead(mut self, look: fn(&CheckContext<'_>, &Link)) -> Self {
        self.look_ahead = Some(look);
        self
    }

    /// The rules by which a product may relax something that it finds.
    #[must_use]
    pub fn rules(&self) -> BTreeSet<Rule> {
        self.codes.iter().filter_map(|code| code.rule).collect()
    }
}

/// On what a check is examined.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope {
    /// On every task of the chain once its definition has been answered, whether or not it can be used.
    Task(fn(&CheckContext<'_>, TaskId) -> Examined),
    /// On every link.
    Link(fn(&CheckContext<'_>, &Link) -> Examined),
    /// Once, on the chain as a whole.
    Chain(fn(&CheckContext<'_>) -> Examined),
    /// Once, when the verification is concluded. What is found then outweighs that the check passed before.
    Conclusion(fn(&Unresolved<'_>) -> Vec<Finding>),
}

/// What is unresolved when a verification is concluded.
pub(crate) struct Unresolved<'a> {
    pub(crate) cx: &'a CheckContext<'a>,
    /// What was asked and never told, in order. Where the work has stopped nothing is: what is open there
    /// is open because of that.
    pub(crate) untold: &'a [&'a Need],
    /// Why the work has stopped before its end, if it has.
    pub(crate) halted: Option<Halt>,
}

/// All checks, in the order of the verification, and what is said where one of them did not end.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) checks: &'static [Check],
    /// The finding that something about a task came to no end.
    pub(crate) unfinished: fn(TaskId, String) -> Finding,
}
