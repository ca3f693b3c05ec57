//! Parsed values that are kept for the next reader.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;

/// The number of values that are kept at the same time. A chain goes back to a few revisions of a few
/// trees; the parsed values of thousands would take more memory than their texts, which alone are
/// counted.
const MOST: usize = 8;

/// The last few parsed values. Its contents decide nothing: a value that was dropped is parsed again.
#[derive(Debug)]
pub(crate) struct Memo<K, V>(RefCell<HashMap<K, V>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<K: Hash + Eq, V: Clone> Memo<K, V> {
    /// The value under a key, parsed now if it is missing.
    pub(crate) fn of(&self, key: K, read: impl FnOnce() -> V) -> V {
        if let Some(known) = self.0.borrow().get(&key) {
            return known.clone();
        }
        let value = read();
        let mut known = self.0.borrow_mut();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(key, value.clone());
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_parsed_once_and_few_are_kept() {
        let (memo, read) = (Memo::default(), RefCell::new(Vec::new()));
        let of = |key: usize| {
            memo.of(key, || {
                read.borrow_mut().push(key);
                key * 2
            })
        };
        let told: Vec<usize> = (0..MOST).chain(0..MOST).map(of).collect();
        assert_eq!(told, (0..MOST).chain(0..MOST).map(|key| key * 2).collect::<Vec<_>>());
        assert_eq!(*read.borrow(), (0..MOST).collect::<Vec<_>>());
        assert_eq!((of(MOST), of(0), of(MOST)), (2 * MOST, 0, 2 * MOST));
        assert_eq!(read.borrow()[MOST..], [MOST, 0]);
        assert!(memo.0.borrow().len() <= MOST);
    }
}
