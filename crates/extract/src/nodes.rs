//! What stands at the paths of a tree, in 20 to 40 bytes for each: an archive may have a million members.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

/// What kind of thing stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    Symlink,
}

/// What is known of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// It is the path of something of this kind.
    This(Kind),
    /// It is not, but a file system may take it for the path of something else.
    Alike,
}

/// The kinds of things by their paths, of which only hashes are kept: of what a file system may take for the path,
/// and of the path itself. Both have keys that nobody knows beforehand, so that no archive is built to collide. Two
/// paths that collide in the first by accident are refused, as if a file system took one for the other; in both
/// they do not.
#[derive(Debug, Default)]
pub(crate) struct Nodes {
    folded: RandomState,
    exact: RandomState,
    nodes: HashMap<u64, u64>,
}

/// The bits of a node that say its kind; the others are of the hash of its path.
const KIND: u64 = 0b11;

impl Nodes {
    /// What is known of a path, which a file system may take for all that have the same key.
    pub(crate) fn get(&self, key: &str, path: &str) -> Option<Known> {
        let node = self.nodes.get(&self.folded.hash_one(key))?;
        let kind = match node & KIND {
            0 => Kind::File,
            1 => Kind::Directory,
            _ => Kind::Symlink,
        };
        Some(if node & !KIND == self.exact(path) { Known::This(kind) } else { Known::Alike })
    }

    /// Notes what stands at a path.
    pub(crate) fn insert(&mut self, key: &str, path: &str, kind: Kind) {
        let kind = match kind {
            Kind::File => 0,
            Kind::Directory => 1,
            Kind::Symlink => 2,
        };
        self.nodes.insert(self.folded.hash_one(key), self.exact(path) | kind);
    }

    fn exact(&self, path: &str) -> u64 {
        self.exact.hash_one(path) & !KIND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_known_by_themselves_and_by_what_is_taken_for_them() {
        let mut nodes = Nodes::default();
        for (number, kind) in [Kind::File, Kind::Directory, Kind::Symlink].into_iter().enumerate() {
            let (key, path) = (format!("a{number}"), format!("A{number}"));
            assert_eq!(nodes.get(&key, &path), None);
            nodes.insert(&key, &path, kind);
            assert_eq!(nodes.get(&key, &path), Some(Known::This(kind)));
            assert_eq!(nodes.get(&key, &key), Some(Known::Alike));
        }
    }
}
