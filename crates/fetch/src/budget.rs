//! The memory for all answers together.
//!
//! The sender determines the size and the number of answers. So everything that is held until the
//! verdict is counted before it is received: bodies, the values in them, entries of task graphs, and a
//! fixed amount for each answer.

use crate::body::BodyError;
use catena_model::Limits;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes for each answer, whatever its contents: several copies of its need, and its address.
pub(crate) const ANSWER: u64 = 2048;

/// The memory budget for all answers.
#[derive(Debug)]
pub struct MemoryBudget {
    limit: u64,
    taken: AtomicU64,
}

impl MemoryBudget {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self { limit: limits.held_bytes, taken: AtomicU64::new(0) })
    }

    /// Whether less than half of it is left.
    pub(crate) fn is_scarce(&self) -> bool {
        self.taken.load(Ordering::Relaxed) > self.limit / 2
    }
}

/// The share of one answer; released when dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Arc<MemoryBudget>,
    taken: u64,
}

impl Reservation {
    pub(crate) fn of(budget: &Arc<MemoryBudget>) -> Self {
        Self { budget: budget.clone(), taken: 0 }
    }

    pub(crate) fn take(&mut self, more: u64) -> Result<(), BodyError> {
        let limit = self.budget.limit;
        let fitting = |taken: u64| taken.checked_add(more).filter(|taken| *taken <= limit);
        match self.budget.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fitting) {
            Ok(_) => {
                self.taken = self.taken.saturating_add(more);
                Ok(())
            }
            Err(_) => Err(BodyError::Full { limit }),
        }
    }

    /// Increases the share to this total.
    pub(crate) fn grow_to(&mut self, all: u64) -> Result<(), BodyError> {
        match all.checked_sub(self.taken) {
            Some(more) if more > 0 => self.take(more),
            _ => Ok(()),
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.taken.fetch_sub(self.taken, Ordering::Relaxed);
    }
}

/// The memory for bytes that are held and parsed as JSON: the bytes themselves, the strings once more,
/// and the maximum for the values. A list has memory for four items as soon as it has one, and an
/// object for four members. Characters in strings are counted in the same way: valid texts have few
/// enough of them.
pub(crate) fn weight(bytes: &[u8]) -> u64 {
    const LIST: u64 = 4 * Limits::VALUE;
    const OBJECT: u64 = 5 * Limits::VALUE;
    let count = |is: fn(&u8) -> bool| length(bytes.iter().filter(|byte| is(byte)).count());
    let lists = count(|byte| *byte == b'[').saturating_mul(LIST);
    let objects = count(|byte| *byte == b'{').saturating_mul(OBJECT);
    let items = count(|byte| matches!(byte, b',' | b':')).saturating_mul(Limits::VALUE);
    let text = length(bytes.len()).saturating_mul(2);
    [lists, objects, items].into_iter().fold(text, u64::saturating_add)
}

pub(crate) fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(held_bytes: u64) -> Arc<MemoryBudget> {
        MemoryBudget::new(&Limits { held_bytes, ..Limits::default() })
    }

    #[test]
    fn reserved_memory_is_released() {
        let budget = budget(100);
        let (mut one, mut other) = (Reservation::of(&budget), Reservation::of(&budget));
        assert_eq!(one.take(50), Ok(()));
        assert!(!budget.is_scarce());
        assert_eq!(other.grow_to(30), Ok(()));
        assert_eq!(other.grow_to(50), Ok(()));
        assert_eq!(other.grow_to(20), Ok(()));
        assert!(budget.is_scarce());
        assert_eq!(one.take(1), Err(BodyError::Full { limit: 100 }));
        drop(other);
        assert_eq!(one.take(49), Ok(()));
        assert_eq!(one.take(u64::MAX), Err(BodyError::Full { limit: 100 }));
        drop(one);
        assert_eq!(Reservation::of(&budget).take(100), Ok(()));
    }

    #[test]
    fn values_weigh_more_than_their_text() {
        assert_eq!(weight(b"    "), 8);
        assert_eq!(weight(b"[]"), 4 + 256);
        assert_eq!(weight(b"{\"a\":1,\"b\":2}"), 26 + 320 + 192);
        let whole = b"{\"a\":[1,2,{\"b\":[]}]}";
        assert_eq!(weight(whole), whole.chunks(3).map(weight).sum::<u64>());
    }
}
