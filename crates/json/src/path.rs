//! Positions within a value.

use std::fmt;

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// Into an object, by key.
    Key(String),
    /// Into a list, from 0.
    Index(usize),
}

/// The path from the root of a value to a part of it: `payload.env.GECKO_HEAD_REV`, `scopes[3]`,
/// `artifacts["public/build/target.tar.xz"].sha256`. The root prints as `$`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Segment>);

impl Path {
    /// The root.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A path of keys.
    #[must_use]
    pub fn of(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| Segment::Key((*key).to_owned())).collect())
    }

    /// The path with one more step into an object.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.child(Segment::Key(key.to_owned()))
    }

    /// The path with one more step into a list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.child(Segment::Index(index))
    }

    /// The path with one more step.
    #[must_use]
    pub fn child(&self, segment: Segment) -> Self {
        let mut path = self.clone();
        path.push(segment);
        path
    }

    /// Adds a step.
    pub fn push(&mut self, segment: Segment) {
        self.0.push(segment);
    }

    /// Removes the last step.
    pub fn pop(&mut self) -> Option<Segment> {
        self.0.pop()
    }

    /// The steps from the root.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return out.write_str("$");
        }
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(out, "[{index}]")?,
                Segment::Key(key) if is_plain(key) => {
                    write!(out, "{}{key}", if position == 0 { "" } else { "." })?;
                }
                Segment::Key(key) => write!(out, "[{}]", crate::Value::from(key.as_str()))?,
            }
        }
        Ok(())
    }
}

/// Keys that need no quotes: letters, digits, `_` and `-`, not starting with a digit.
fn is_plain(key: &str) -> bool {
    let mut bytes = key.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_paths() {
        assert_eq!(Path::new().to_string(), "$");
        assert_eq!(Path::of(&["payload", "env", "MH_BRANCH"]).to_string(), "payload.env.MH_BRANCH");
        assert_eq!(Path::of(&["scopes"]).index(3).to_string(), "scopes[3]");
        assert_eq!(Path::of(&["artifacts"]).key("public/a b").to_string(), "artifacts[\"public/a b\"]");
        assert_eq!(Path::of(&["worker-implementation"]).to_string(), "worker-implementation");
        assert_eq!(Path::of(&["1st"]).to_string(), "[\"1st\"]");
    }
}
