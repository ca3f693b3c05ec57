//! Sets of tasks that are passed around.

use super::TaskId;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// Some tasks. Hundreds of links request the same ones, so the set is shared, and compared by identity
/// where possible.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskSet(Arc<BTreeSet<TaskId>>);

impl Deref for TaskSet {
    type Target = BTreeSet<TaskId>;
    fn deref(&self) -> &BTreeSet<TaskId> {
        &self.0
    }
}

impl From<BTreeSet<TaskId>> for TaskSet {
    fn from(tasks: BTreeSet<TaskId>) -> Self {
        Self(Arc::new(tasks))
    }
}

impl<const N: usize> From<[TaskId; N]> for TaskSet {
    fn from(tasks: [TaskId; N]) -> Self {
        Self::from(BTreeSet::from(tasks))
    }
}

impl FromIterator<TaskId> for TaskSet {
    fn from_iter<I: IntoIterator<Item = TaskId>>(tasks: I) -> Self {
        Self::from(BTreeSet::from_iter(tasks))
    }
}

impl Hash for TaskSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.len(), self.0.first()).hash(state);
    }
}

impl Ord for TaskSet {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.cmp(&other.0) }
    }
}

impl PartialOrd for TaskSet {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{BuildHasher, RandomState};

    #[test]
    fn sets_are_equal_by_their_contents() {
        let id = |text: &str| TaskId::parse(text).unwrap();
        let (a, b) = (id("IFn9x5gaQz-HXl2pa7Ny_w"), id("VRvEFRFPSW-bLKbOHLFHEQ"));
        let (one, shared, same) = (TaskSet::from([a, b]), TaskSet::from([b, a]), TaskSet::from_iter([a, b]));
        let hashes = RandomState::new();
        for other in [shared, same, one.clone()] {
            assert_eq!((&one, one.cmp(&other)), (&other, Ordering::Equal));
            assert_eq!(hashes.hash_one(&one), hashes.hash_one(&other));
        }
        for other in [TaskSet::default(), TaskSet::from([a]), TaskSet::from([b])] {
            assert_ne!(one, other);
            assert_ne!(hashes.hash_one(&one), hashes.hash_one(&other), "told from each other at a glance");
            assert_eq!(one.cmp(&other), BTreeSet::from([a, b]).cmp(&other));
            assert_eq!(one.partial_cmp(&other), Some(one.cmp(&other)));
        }
    }
}
