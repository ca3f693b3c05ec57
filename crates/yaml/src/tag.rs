//! The tags `safe_load` knows.

/// What `!!` stands for.
pub(crate) const PREFIX: &str = "tag:yaml.org,2002:";

/// A tag with a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    Null,
    Bool,
    Int,
    Float,
    Binary,
    Timestamp,
    Str,
    Seq,
    Map,
    Set,
    Omap,
    Pairs,
    /// `<<`: has a meaning as a key only.
    Merge,
    /// `=`: is a string as a key, and nothing elsewhere.
    Value,
    /// `!`, `&` or `*` as a scalar with the tag `!`: has no meaning.
    Yaml,
}

const NAMES: [(&str, Tag); 15] = [
    ("null", Tag::Null),
    ("bool", Tag::Bool),
    ("int", Tag::Int),
    ("float", Tag::Float),
    ("binary", Tag::Binary),
    ("timestamp", Tag::Timestamp),
    ("str", Tag::Str),
    ("seq", Tag::Seq),
    ("map", Tag::Map),
    ("set", Tag::Set),
    ("omap", Tag::Omap),
    ("pairs", Tag::Pairs),
    ("merge", Tag::Merge),
    ("value", Tag::Value),
    ("yaml", Tag::Yaml),
];

impl Tag {
    /// Finds a tag by its full name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let short = name.strip_prefix(PREFIX)?;
        NAMES.iter().find(|(known, _)| *known == short).map(|(_, tag)| *tag)
    }

    /// The tag's full name.
    pub(crate) fn name(self) -> String {
        let short = NAMES.iter().find(|(_, tag)| *tag == self).map_or("", |(name, _)| name);
        format!("{PREFIX}{short}")
    }
}
