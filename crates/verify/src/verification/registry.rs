//! The state machine's view of the checks: how each is described, and when it runs.
//!
//! The checks import the state machine, and it imports none of them: it receives the registry that
//! `checks` creates.

use super::work::Halt;
use super::{CheckContext, Examined, Link, Need};
use crate::verdict::{Code, Finding};
use catena_model::task::TaskId;
use catena_policy::Rule;
use std::collections::BTreeSet;

/// A check: its documentation, and how it runs.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// The name of its file, its page and its attacks.
    pub name: &'static str,
    /// Its page.
    pub page: &'static str,
    /// Its codes.
    pub codes: &'static [Code],
    /// What it examines, and how.
    pub(crate) scopes: &'static [Scope],
    /// Look-ahead for a link as soon as it is known, before the check runs.
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

/// What a check examines.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope {
    /// On every task of the chain once its definition has been answered, whether or not it can be used.
    Task(fn(&CheckContext<'_>, TaskId) -> Examined),
    /// On every link.
    Link(fn(&CheckContext<'_>, &Link) -> Examined),
    /// Once, on the chain as a whole.
    Chain(fn(&CheckContext<'_>) -> Examined),
    /// Once, at the conclusion. Its findings replace the check's earlier pass.
    Conclusion(fn(&Unresolved<'_>) -> Vec<Finding>),
}

/// Open items at the conclusion of a verification.
pub(crate) struct Unresolved<'a> {
    pub(crate) cx: &'a CheckContext<'a>,
    /// Requested evidence that never arrived, in order. Empty if the work has stopped: open items are
    /// then open because of that.
    pub(crate) untold: &'a [&'a Need],
    /// Why the work stopped early, if it did.
    pub(crate) halted: Option<Halt>,
}

/// All checks, in the order of the verification, and the finding if one of them did not complete.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) checks: &'static [Check],
    /// The finding that a check of a task did not complete.
    pub(crate) unfinished: fn(TaskId, String) -> Finding,
}
