//! Objects: members in the order they were written, equal in any order.

use crate::Value;
use hashbrown::HashTable;
use std::hash::{BuildHasher, RandomState};

/// Up to this number of members a key is found by a linear scan. Nearly every object of a task has
/// fewer, and hashing a key takes longer than comparing all of them.
const FEW: usize = 24;

/// The members of a JSON object. Iteration follows the order of insertion (so that output looks like
/// the input); equality ignores it.
#[derive(Clone, Debug, Default)]
pub struct Map {
    members: Vec<(String, Value)>,
    /// The position of each key, if there are more than a few.
    places: Option<Box<Places>>,
}

/// The members of an object in the order of insertion.
pub type Members<'a> =
    std::iter::Map<std::slice::Iter<'a, (String, Value)>, fn(&(String, Value)) -> (&String, &Value)>;

/// The same with mutable values.
pub type MembersMut<'a> = std::iter::Map<
    std::slice::IterMut<'a, (String, Value)>,
    fn(&mut (String, Value)) -> (&String, &mut Value),
>;

impl Map {
    /// An object without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An object without members, with capacity for some.
    #[must_use]
    pub fn with_capacity(members: usize) -> Self {
        Self { members: Vec::with_capacity(members), places: None }
    }

    /// Inserts a member, at the end if the key is new; returns the value that it replaced.
    pub fn insert(&mut self, key: impl Into<String>, value: Value) -> Option<Value> {
        let key = key.into();
        if let Some(there) = self.get_mut(&key) {
            return Some(std::mem::replace(there, value));
        }
        self.append(key, value);
        None
    }

    /// Inserts a member at the end, whose key is new.
    pub(crate) fn append(&mut self, key: String, value: Value) {
        self.members.push((key, value));
        match &mut self.places {
            Some(places) => places.add(&self.members, self.members.len().saturating_sub(1)),
            None if self.members.len() > FEW => self.find_places(),
            None => {}
        }
    }

    /// The value under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.members.get(self.place_of(key)?).map(|(_, value)| value)
    }

    /// The mutable value under a key.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let place = self.place_of(key)?;
        self.members.get_mut(place).map(|(_, value)| value)
    }

    /// Whether there is a member of that key.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.place_of(key).is_some()
    }

    fn place_of(&self, key: &str) -> Option<usize> {
        match &self.places {
            Some(places) => places.find(&self.members, key),
            None => self.members.iter().position(|(there, _)| there == key),
        }
    }

    fn find_places(&mut self) {
        self.places = (self.members.len() > FEW).then(|| {
            let mut places = Box::new(Places::default());
            (0..self.members.len()).for_each(|place| places.add(&self.members, place));
            places
        });
    }

    /// Removes a member; the others keep their order. It takes time linear in the number of members.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let (_, value) = self.members.remove(self.place_of(key)?);
        self.find_places();
        Some(value)
    }

    /// The members in the order of insertion.
    pub fn iter(&self) -> Members<'_> {
        self.members.iter().map(|(key, value)| (key, value))
    }

    /// The members in the order of insertion, with mutable values.
    pub fn iter_mut(&mut self) -> MembersMut<'_> {
        self.members.iter_mut().map(|(key, value)| (key, value))
    }

    /// The keys in the order of insertion.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(key, _)| key.as_str())
    }

    /// The values in the order of insertion.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.members.iter().map(|(_, value)| value)
    }

    /// The members ordered by key (by code point, as Python sorts strings).
    #[must_use]
    pub fn sorted(&self) -> Vec<(&str, &Value)> {
        let mut members: Vec<_> = self.iter().map(|(key, value)| (key.as_str(), value)).collect();
        members.sort_unstable_by(|left, right| left.0.cmp(right.0));
        members
    }

    /// Keeps the members for which the closure returns true.
    pub fn retain(&mut self, mut keep: impl FnMut(&String, &mut Value) -> bool) {
        self.members.retain_mut(|(key, value)| keep(key, value));
        self.find_places();
    }

    /// The number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

/// The position of each key of a large object. Hashed with a random secret, so that an attacker cannot
/// choose keys that collide.
#[derive(Clone, Debug, Default)]
struct Places {
    secret: RandomState,
    table: HashTable<usize>,
}

impl Places {
    fn find(&self, members: &[(String, Value)], key: &str) -> Option<usize> {
        let is_there = |place: &usize| members.get(*place).is_some_and(|(there, _)| there == key);
        self.table.find(self.secret.hash_one(key), is_there).copied()
    }

    /// Adds the new key at a position.
    fn add(&mut self, members: &[(String, Value)], place: usize) {
        let Self { secret, table } = self;
        let hash = |place: &usize| members.get(*place).map_or(0, |(key, _)| secret.hash_one(key.as_str()));
        table.insert_unique(hash(&place), place, hash);
    }
}

/// The same number of members, each with an equal value under an equal key.
impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        let same = |((key, value), there): (&(String, Value), &(String, Value))| {
            // Usually both are in the same order.
            if *key == there.0 { *value == there.1 } else { other.get(key) == Some(value) }
        };
        self.len() == other.len() && self.members.iter().zip(&other.members).all(same)
    }
}

impl FromIterator<(String, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(members: I) -> Self {
        let mut map = Self::new();
        map.extend(members);
        map
    }
}

impl Extend<(String, Value)> for Map {
    fn extend<I: IntoIterator<Item = (String, Value)>>(&mut self, members: I) {
        let members = members.into_iter();
        self.members.reserve(members.size_hint().0);
        members.for_each(|(key, value)| drop(self.insert(key, value)));
    }
}

impl IntoIterator for Map {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;
    fn into_iter(self) -> Self::IntoIter {
        self.members.into_iter()
    }
}

impl<'a> IntoIterator for &'a mut Map {
    type Item = (&'a String, &'a mut Value);
    type IntoIter = MembersMut<'a>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a String, &'a Value);
    type IntoIter = Members<'a>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_and_ignored_by_equality() {
        let one: Map =
            [("b".to_owned(), Value::Null), ("a".to_owned(), Value::Bool(true))].into_iter().collect();
        let mut two = Map::new();
        two.insert("a", Value::Bool(true));
        two.insert("b", Value::Null);
        assert_eq!(one, two);
        assert_eq!(one.keys().collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(one.sorted().iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["a", "b"]);
        two.insert("c", Value::Null);
        assert_ne!(one, two);
        assert_eq!(two.remove("a"), Some(Value::Bool(true)));
        assert_eq!(two.keys().collect::<Vec<_>>(), ["b", "c"]);
    }
    use proptest::prelude::*;

    proptest! {
        /// A list of members that is scanned linearly is a map too.
        #[test]
        fn small_or_large_it_is_a_map(steps in proptest::collection::vec((0..4_u8, 0..60_u8), 0..200)) {
            let (mut map, mut list): (Map, Vec<(String, Value)>) = (Map::new(), Vec::new());
            for (number, (step, key)) in steps.into_iter().enumerate() {
                let (key, value) = (format!("key {key}"), Value::from(i64::try_from(number).unwrap()));
                let place = list.iter().position(|(there, _)| *there == key);
                prop_assert_eq!(map.get(&key), place.map(|place| &list[place].1));
                prop_assert_eq!(map.contains_key(&key), place.is_some());
                if step == 0 {
                    prop_assert_eq!(map.remove(&key), place.map(|place| list.remove(place).1));
                } else {
                    let before = place.map(|place| std::mem::replace(&mut list[place].1, value.clone()));
                    if before.is_none() {
                        list.push((key.clone(), value.clone()));
                    }
                    prop_assert_eq!(map.insert(key, value), before);
                }
                prop_assert_eq!(map.len(), list.len());
            }
            prop_assert!(map.iter().eq(list.iter().map(|(key, value)| (key, value))));
            let reversed: Map = list.iter().rev().cloned().collect();
            prop_assert_eq!(&reversed, &map);
            if let Some((key, _)) = list.last().cloned() {
                let (mut other, mut fewer) = (reversed.clone(), map.clone());
                other.insert(key.clone(), Value::Null);
                prop_assert_ne!(&other, &map);
                fewer.retain(|there, _| *there != key);
                prop_assert_eq!((fewer.len(), fewer.get(&key)), (list.len() - 1, None));
                prop_assert_ne!(&fewer, &map);
                fewer.insert("another", Value::Null);
                prop_assert_ne!(&fewer, &map);
            }
        }
    }
}
