//! The limits of a rendering, and its cost so far.

use crate::context::Numbers;
use crate::error::{ErrorKind, LimitKind};
use std::cell::Cell;

/// What one rendering may cost. Every rendering ends within these, whatever the template, the
/// expressions in it and the values they are given.
///
/// The defaults leave a wide margin over real templates and are safe on a thread with a stack
/// of 2 MiB (what Rust and tokio give a thread), in debug builds too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Units of work: one for each template node, expression part and list element visited, and
    /// one for each 16 bytes of text read or written. Default 1,000,000: the most expensive of
    /// 384 real renderings needs under 30,000; all steps together take well below a second.
    pub steps: u64,
    /// Operators, lists and objects of the template around each other. Default 128: as deep as
    /// `catena_json` reads documents by default.
    pub template_depth: usize,
    /// Parts of an expression around each other: parentheses, brackets, arguments, and operands
    /// to the right of an operator. Long chains (`a + b + c`, `a.b.c`) are not deep. Default 100:
    /// the reference fails on 99 nested parentheses.
    pub expression_depth: usize,
    /// Lists and objects of a value around each other, in the context and in every intermediate
    /// and final value. Default 256: a context as deep as documents may be, put into the deepest
    /// place of a template.
    pub value_depth: usize,
    /// Bytes of one string made while rendering. Default 4 MiB: more than the 1 MiB or less in
    /// which Taskcluster's services accept a whole task.
    pub string_bytes: usize,
    /// Size of a value made while rendering, and so of the result: the bytes of its strings and
    /// keys plus 16 for each value in it. Default 16 MiB: the largest request Taskcluster's
    /// services accept is 10 MiB, and a value held by several names is counted at every place.
    pub value_bytes: usize,
    /// Bits of an integer. Default 14,284: every such integer has at most 4,300 digits, and the
    /// reference (CPython) neither reads nor prints longer ones.
    pub integer_bits: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 1_000_000,
            template_depth: 128,
            expression_depth: 100,
            value_depth: 256,
            string_bytes: 4 << 20,
            value_bytes: 16 << 20,
            integer_bits: 14_284,
        }
    }
}

/// Bytes of text that count as one step.
const BYTES_PER_STEP: usize = 16;

/// Receives the number of steps since the last call, and returns whether the rendering may continue. At
/// most `STEPS_PER_REPORT` steps more than the next costly operation takes are unreported.
pub type Watch<'a> = &'a dyn Fn(u64) -> bool;

/// Steps after which a rendering reports to its [`Watch`]: a fraction of a millisecond.
pub(crate) const STEPS_PER_REPORT: u64 = 1024;

/// The limits of a rendering with the steps that are left of it.
pub(crate) struct Budget<'a> {
    pub(crate) limits: &'a Limits,
    left: Cell<u64>,
    /// Steps not yet reported to the watch.
    unreported: Cell<u64>,
    watch: Watch<'a>,
    /// How numbers are printed.
    pub(crate) numbers: Numbers,
}

impl<'a> Budget<'a> {
    pub(crate) fn new(limits: &'a Limits) -> Self {
        Self::watched(limits, &|_| true)
    }

    pub(crate) fn watched(limits: &'a Limits, watch: Watch<'a>) -> Self {
        let (left, unreported) = (Cell::new(limits.steps), Cell::new(0));
        Self { limits, left, unreported, watch, numbers: Numbers::default() }
    }

    pub(crate) fn printing(self, numbers: Numbers) -> Self {
        Self { numbers, ..self }
    }

    /// Pays for work before it is done.
    pub(crate) fn spend(&self, steps: usize) -> Result<(), ErrorKind> {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        let Some(left) = self.left.get().checked_sub(steps) else {
            self.left.set(0);
            return Err(ErrorKind::Limit { limit: LimitKind::Steps, allowed: self.limits.steps });
        };
        self.left.set(left);
        self.unreported.set(self.unreported.get().saturating_add(steps));
        if self.unreported.get() >= STEPS_PER_REPORT { self.report() } else { Ok(()) }
    }

    /// Reports the unreported steps to the watch.
    pub(crate) fn report(&self) -> Result<(), ErrorKind> {
        if (self.watch)(self.unreported.take()) { Ok(()) } else { Err(ErrorKind::Interrupted) }
    }

    /// Pays for reading or writing that many bytes.
    pub(crate) fn spend_bytes(&self, bytes: usize) -> Result<(), ErrorKind> {
        self.spend((bytes / BYTES_PER_STEP).saturating_add(1))
    }

    /// Pays for a string about to be made, and refuses one that is too long.
    pub(crate) fn spend_string(&self, bytes: usize) -> Result<(), ErrorKind> {
        check(LimitKind::StringBytes, bytes, self.limits.string_bytes)?;
        self.spend_bytes(bytes)
    }

    /// What has been spent so far.
    #[cfg(test)]
    pub(crate) fn spent(&self) -> u64 {
        self.limits.steps.saturating_sub(self.left.get())
    }
}

/// Refuses a measure above its limit.
pub(crate) fn check(limit: LimitKind, measure: usize, allowed: usize) -> Result<(), ErrorKind> {
    if measure > allowed {
        return Err(ErrorKind::Limit { limit, allowed: u64::try_from(allowed).unwrap_or(u64::MAX) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_exactly() {
        let limits = Limits { steps: 10, ..Limits::default() };
        let budget = Budget::new(&limits);
        assert_eq!(budget.spend(4), Ok(()));
        assert_eq!(budget.spend_bytes(32), Ok(()));
        assert_eq!(budget.spent(), 7);
        assert_eq!(budget.spend(3), Ok(()));
        let refused = Err(ErrorKind::Limit { limit: LimitKind::Steps, allowed: 10 });
        assert_eq!(budget.spend(1), refused);
        assert_eq!(budget.spend(usize::MAX), refused);
    }

    #[test]
    fn long_strings_are_refused_before_they_are_made() {
        let limits = Limits { string_bytes: 8, ..Limits::default() };
        let budget = Budget::new(&limits);
        assert_eq!(budget.spend_string(8), Ok(()));
        assert_eq!(
            budget.spend_string(9),
            Err(ErrorKind::Limit { limit: LimitKind::StringBytes, allowed: 8 })
        );
    }

    #[test]
    fn a_watch_hears_of_every_step_and_can_end_the_rendering() {
        let limits = Limits::default();
        let heard = Cell::new(0);
        let watch = |steps| {
            heard.set(heard.get() + steps);
            heard.get() < 3 * STEPS_PER_REPORT
        };
        let budget = Budget::watched(&limits, &watch);
        assert_eq!(budget.spend(1023), Ok(()));
        assert_eq!(heard.get(), 0);
        assert_eq!((budget.spend(5), heard.get()), (Ok(()), 1028));
        assert_eq!((budget.spend(7), budget.report(), heard.get()), (Ok(()), Ok(()), 1035));
        assert_eq!(budget.spend(5000), Err(ErrorKind::Interrupted));
        assert_eq!(heard.get(), budget.spent());
    }
}
