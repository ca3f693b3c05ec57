//! Names of members and targets of links, as hostile bytes.

use crate::error::Refusal;
use crate::limits::Limits;
use std::path::PathBuf;
use unicode_normalization::UnicodeNormalization;

/// The longest name of one file that Linux's file systems take.
const LONGEST_COMPONENT: usize = 255;

/// The path of a member below the root of its archive: names only, without `.`, `..` or an empty one. Empty is
/// the root itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MemberPath(String);

impl MemberPath {
    /// Reads a name. `/` separates; a trailing one says that it is a directory, which the caller knows.
    pub(crate) fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Refusal> {
        let text = text(bytes, limits)?;
        if text.starts_with('/') {
            return Err(Refusal::Name("it is absolute"));
        }
        let mut path = String::with_capacity(text.len());
        let mut depth: usize = 0;
        for part in text.split('/') {
            match part {
                "" | "." => continue,
                ".." => return Err(Refusal::Name("it has `..` in it")),
                _ if part.len() > LONGEST_COMPONENT => {
                    return Err(Refusal::Name("a part of it has more than 255 bytes"));
                }
                _ => {}
            }
            depth = depth.saturating_add(1);
            if depth > limits.depth {
                return Err(Refusal::Name("it has too many directories above it"));
            }
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(part);
        }
        Ok(Self(path))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The directory it stands in; none of the root.
    pub(crate) fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(Self(self.0.rsplit_once('/').map_or_else(String::new, |(parent, _)| parent.to_owned())))
    }

    /// The path of another name in the same directory.
    pub(crate) fn beside(&self, name: &str) -> Self {
        Self(
            self.0.rsplit_once('/').map_or_else(|| name.to_owned(), |(parent, _)| format!("{parent}/{name}")),
        )
    }

    /// What it has in common with names that a file system may take for it.
    pub(crate) fn folded(&self) -> String {
        if self.0.is_ascii() { self.0.to_ascii_lowercase() } else { fold(&self.0) }
    }
}

fn fold(text: &str) -> String {
    let text = text.chars().filter(|character| !is_ignored(*character));
    // Upper case first: it takes "ß" and "ss", "ſ" and "s" for one.
    text.nfkd().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect()
}

/// Characters that HFS+ ignores where it compares names, and that are never displayed.
fn is_ignored(character: char) -> bool {
    matches!(character, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

/// Where a symbolic link leads: up so many directories, and then down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LinkTarget {
    /// As the archive has it.
    pub(crate) text: PathBuf,
    /// What is passed through before a `..`, each held to be a directory of the archive: whole paths below the root.
    /// What stands above a directory is one too, and is not named again.
    pub(crate) through: Vec<MemberPath>,
}

impl LinkTarget {
    /// Reads the target of a link at `link`. It must stay below the root at every step. Where it goes up again
    /// after it went down, what it went down through must be a directory: through a link, up leads elsewhere.
    pub(crate) fn parse(bytes: &[u8], link: &MemberPath, limits: &Limits) -> Result<Self, &'static str> {
        let text = text(bytes, limits).map_err(|_| "whose text is unusable")?;
        if text.is_empty() {
            return Err("which is empty");
        }
        if text.starts_with('/') {
            return Err("which is absolute");
        }
        let mut at: Vec<&str> = link.as_str().split('/').collect();
        at.pop();
        let (mut down, mut through) = (false, Vec::new());
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    if std::mem::take(&mut down) {
                        through.push(MemberPath(at.join("/")));
                    }
                    at.pop().ok_or("which leads out of the archive")?;
                }
                _ => {
                    down = true;
                    at.push(part);
                }
            }
        }
        Ok(Self { text: PathBuf::from(text), through })
    }
}

/// Bytes as text, without anything that is displayed as something else.
fn text<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a str, Refusal> {
    if bytes.len() > limits.path_bytes {
        return Err(Refusal::Name("it is too long"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Refusal::Name("it is not UTF-8"))?;
    if text.contains('\\') {
        return Err(Refusal::Name("it has a backslash in it"));
    }
    if text.chars().any(|character| character.is_control() || reorders(character)) {
        return Err(Refusal::Name("it has a control character in it"));
    }
    Ok(text)
}

/// Whether a character changes in which order others are displayed.
fn reorders(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(text: &str) -> Result<String, Refusal> {
        MemberPath::parse(text.as_bytes(), &Limits::default()).map(|path| path.0)
    }

    #[test]
    fn names_are_made_plain_or_refused() {
        for (text, wanted) in
            [("a/b", "a/b"), ("./a//b/", "a/b"), (".", ""), ("./", ""), ("a/./b", "a/b"), ("...", "...")]
        {
            assert_eq!(path(text), Ok(wanted.to_owned()), "{text}");
        }
        for wrong in
            ["/a", "//a", "..", "a/..", "../a", "a/../b", "a\\b", "C:\\x", "a\0b", "a\nb", "a\u{202e}b"]
        {
            assert!(path(wrong).is_err(), "{wrong:?}");
        }
        assert!(MemberPath::parse(b"caf\xe9", &Limits::default()).is_err());
        assert!(path(&"a/".repeat(64)).is_ok() && path(&"a/".repeat(65)).is_err());
        assert!(path(&"a".repeat(255)).is_ok() && path(&"a".repeat(256)).is_err());
        assert!(path(&format!("{}/a", "./".repeat(2100))).is_err());
    }

    #[test]
    fn names_that_a_file_system_takes_for_one_fold_alike() {
        let folded = |text: &str| MemberPath::parse(text.as_bytes(), &Limits::default()).unwrap().folded();
        for (one, other) in [
            ("README", "readme"),
            ("a/É", "A/e\u{301}"),
            ("straße", "STRASSE"),
            ("\u{212a}", "k"),
            ("ﬁ", "fi"),
            ("ſ", "S"),
            (".g\u{200c}it", ".GIT"),
            ("\u{feff}a", "a"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        assert_ne!(folded("a"), folded("b"));
    }

    fn target(link: &str, text: &str) -> Result<LinkTarget, &'static str> {
        let link = MemberPath::parse(link.as_bytes(), &Limits::default()).unwrap();
        LinkTarget::parse(text.as_bytes(), &link, &Limits::default())
    }

    #[test]
    fn links_stay_below_the_root_at_every_step() {
        for (link, text) in
            [("a", "b"), ("a/b", "../c"), ("a/b/c", "../../d"), ("a/b", ".."), ("a", "."), ("a", "b/c/d")]
        {
            assert!(target(link, text).unwrap().through.is_empty(), "{link} {text}");
        }
        for (link, text) in
            [("a", ".."), ("a", "../a"), ("a/b", "../../x"), ("a", "/b"), ("a", ""), ("a", "b/../../a")]
        {
            assert!(target(link, text).is_err(), "{link} {text}");
        }
    }

    #[test]
    fn what_a_link_goes_through_before_it_goes_up_is_told() {
        let through = |link, text| -> Vec<String> {
            target(link, text).unwrap().through.into_iter().map(|path| path.0).collect()
        };
        assert_eq!(through("x/y", "d/../e"), ["x/d"]);
        assert_eq!(through("x/y", "d/e/../../../f"), ["x/d/e"]);
        assert_eq!(through("x/y", "d/../e/f/../g"), ["x/d", "x/e/f"]);
        assert!(through("x/y", "../d/e").is_empty());
    }

    proptest! {
        #[test]
        fn what_is_accepted_stays_inside(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(path) = MemberPath::parse(&bytes, &Limits::default()) {
                let joined = std::path::Path::new("/root").join(path.as_str());
                prop_assert!(joined.components().all(|part| !matches!(part, std::path::Component::ParentDir)));
                prop_assert!(joined.starts_with("/root"));
            }
        }

        #[test]
        fn links_made_of_dots_never_leave(parts in prop::collection::vec(prop::sample::select(vec!["..", ".", "d", ""]), 1..12)) {
            let text = parts.join("/");
            if target("a/b/link", &text).is_ok() {
                let mut depth = 2_i32;
                for part in parts {
                    depth += match part { ".." => -1, "d" => 1, _ => 0 };
                    prop_assert!(depth >= 0, "{text}");
                }
            }
        }
    }
}
