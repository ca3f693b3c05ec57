//! The work of a verification, and what ends it early.

use super::Stop;
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

/// Polls, during work, whether a verification must stop. It is called often, from the working thread,
/// and must return at once.
#[derive(Clone)]
pub struct Cancel(Option<Arc<dyn Fn() -> bool + Send + Sync>>);

impl Cancel {
    /// The work is never cancelled.
    #[must_use]
    pub fn never() -> Self {
        Self(None)
    }

    /// The work stops once this is true.
    #[must_use]
    pub fn when(is_set: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(is_set)))
    }

    /// Either of two reasons to stop suffices.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(one), Some(other)) => Self::when(move || one() || other()),
            (one, other) => Self(one.or(other)),
        }
    }

    /// Whether the work must stop.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.as_ref().is_some_and(|is_set| is_set())
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Cancel").field(&self.is_set()).finish()
    }
}

/// Why a verification stopped before every check completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// It was cancelled.
    Cancelled,
    /// It took more steps than its limit.
    Exhausted,
}

/// The number of steps between two polls of the cancellation: a fraction of a millisecond.
const STEPS_PER_POLL: u64 = 1024;

/// Counts the steps of a verification. Work is paid for before it is done; a step is about a microsecond.
///
/// Only the last attempt of each examination counts: then the sum does not depend on the order in
/// which facts arrive, and neither does the verdict.
#[derive(Debug)]
pub(crate) struct Work {
    limit: u64,
    cancel: Cancel,
    total: Cell<u64>,
    /// Steps of the current examination.
    attempt: Cell<u64>,
    unpolled: Cell<u64>,
    halt: Cell<Option<Halt>>,
}

impl Work {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit,
            cancel: Cancel::never(),
            total: Cell::default(),
            attempt: Cell::default(),
            unpolled: Cell::default(),
            halt: Cell::default(),
        }
    }

    pub(crate) fn cancel_when(&mut self, cancel: Cancel) {
        self.cancel = std::mem::replace(&mut self.cancel, Cancel::never()).or(cancel);
    }

    /// What cancels it.
    pub(crate) fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// Whether the verification has stopped early. Once it has, it stays so.
    pub(crate) fn halted(&self) -> Option<Halt> {
        self.halt.get()
    }

    /// The steps so far.
    pub(crate) fn steps(&self) -> u64 {
        self.total.get()
    }

    /// The limit of steps.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// An examination begins, whose previous attempt took this number of steps.
    pub(crate) fn begin(&self, before: u64) -> Result<(), Stop> {
        self.poll()?;
        self.total.set(self.total.get().saturating_sub(before));
        self.attempt.set(0);
        self.spend(1)
    }

    /// The steps of the examination that has ended.
    pub(crate) fn end(&self) -> u64 {
        self.attempt.take()
    }

    /// Pays for work before it is done.
    pub(crate) fn spend(&self, steps: usize) -> Result<(), Stop> {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        self.attempt.set(self.attempt.get().saturating_add(steps));
        self.total.set(self.total.get().saturating_add(steps));
        if self.total.get() > self.limit && self.halt.get().is_none() {
            self.halt.set(Some(Halt::Exhausted));
        }
        self.unpolled.set(self.unpolled.get().saturating_add(steps));
        if self.unpolled.get() >= STEPS_PER_POLL {
            return self.poll();
        }
        self.halt.get().map_or(Ok(()), |_| Err(Stop::Halted))
    }

    /// Pays for reading this number of bytes.
    pub(crate) fn spend_bytes(&self, bytes: usize) -> Result<(), Stop> {
        self.spend((bytes / 16).saturating_add(1))
    }

    /// Whether the work may continue.
    pub(crate) fn poll(&self) -> Result<(), Stop> {
        self.unpolled.set(0);
        if self.halt.get().is_none() && self.cancel.is_set() {
            self.halt.set(Some(Halt::Cancelled));
        }
        self.halt.get().map_or(Ok(()), |_| Err(Stop::Halted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    #[test]
    fn work_ends_at_its_limit_and_stays_ended() {
        let work = Work::new(10);
        assert_eq!(work.begin(0), Ok(()));
        assert_eq!((work.spend(9), work.halted()), (Ok(()), None));
        assert_eq!((work.spend(1), work.halted()), (Err(Stop::Halted), Some(Halt::Exhausted)));
        assert_eq!(work.begin(11), Err(Stop::Halted));
        let work = Work::new(10);
        assert_eq!(work.spend_bytes(usize::MAX), Err(Stop::Halted));
    }

    #[test]
    fn only_the_last_attempt_of_an_examination_counts() {
        let work = Work::new(10);
        let mut before = 0;
        for _ in 0..100 {
            work.begin(before).unwrap();
            work.spend(7).unwrap();
            before = work.end();
        }
        assert_eq!(before, 8);
        work.begin(0).unwrap();
        assert_eq!((work.spend(1), work.spend(1)), (Ok(()), Err(Stop::Halted)));
    }

    #[test]
    fn cancellation_is_polled_at_intervals() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let mut work = Work::new(u64::MAX);
        work.cancel_when(Cancel::when(move || counted.fetch_add(1, Ordering::Relaxed) == 3));
        assert!((0..3 * 1024).all(|_| work.spend(1).is_ok()));
        assert_eq!(asked.load(Ordering::Relaxed), 3);
        assert!((0..1023).all(|_| work.spend(1).is_ok()));
        assert_eq!((work.spend(1), work.halted()), (Err(Stop::Halted), Some(Halt::Cancelled)));
        assert_eq!(work.spend(0), Err(Stop::Halted));
        assert_eq!(asked.load(Ordering::Relaxed), 4);
    }

    #[test]
    fn either_reason_cancels() {
        let flags = [Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false))];
        let cancel = |number: usize| {
            let flag = flags[number].clone();
            Cancel::when(move || flag.load(Ordering::Relaxed))
        };
        for flag in &flags {
            let both = cancel(0).or(cancel(1));
            assert!(!both.is_set());
            flag.store(true, Ordering::Relaxed);
            assert!(both.is_set() && Cancel::never().or(both.clone()).is_set());
            assert!(both.or(Cancel::never()).is_set() && !Cancel::never().or(Cancel::never()).is_set());
            flag.store(false, Ordering::Relaxed);
        }
    }
}
