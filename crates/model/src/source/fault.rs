//! Faults of an address, each with the address and the one that it resolves to.

use super::repository::{is_host, plain_form};
use crate::lookalike::named;

/// The part between `://` and the path, and the path.
fn parts(text: &str) -> (&str, &str) {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.find(['/', '?', '#']).and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""))
}

/// What is wrong with the host of an address; what precedes is the address.
pub(super) fn of_host(text: &str) -> String {
    let (authority, _) = parts(text);
    let (user, host) =
        authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    if let Some(user) = user {
        // What follows the colon would be a password.
        let user = user.split(':').next().unwrap_or_default();
        return format!("names the host {}; {user:?} before the @ is only a user name", shown_host(host));
    }
    if host.is_empty() {
        return "names no host".to_owned();
    }
    if let Some((at, letter)) = host.chars().enumerate().find(|(_, letter)| !letter.is_ascii()) {
        let number = at.saturating_add(1);
        return format!("names a host whose character {number} is {}", named(letter));
    }
    if let Some((host, port)) = host.split_once(':') {
        return format!("names the port {port:?} of the host {host:?}; ports are not supported");
    }
    let lower = host.to_ascii_lowercase();
    if lower != host && is_host(&lower) {
        return format!("names the host in capital letters: {host}, which is {lower}");
    }
    format!("names {host:?}, which is not a host name")
}

/// A host for display: characters that are not plain are escaped.
fn shown_host(host: &str) -> String {
    if is_host(host) { host.to_owned() } else { format!("{host:?}") }
}

/// What is wrong with the path of an address.
pub(super) fn of_path(text: &str) -> String {
    let (_, path) = parts(text);
    let resolved = || plain_form(text);
    if let Some(letter) = path.chars().find(|letter| !letter.is_ascii()) {
        return format!("has the character {} in its path", named(letter));
    }
    if let Some(query) = path.find('?').and_then(|at| path.get(at..)) {
        return format!("has a query, {query:?}; without it, it is {}", resolved());
    }
    if let Some(fragment) = path.find('#').and_then(|at| path.get(at..)) {
        return format!("has a fragment, {fragment:?}; without it, it is {}", resolved());
    }
    let segments = || path.split('/').skip(1);
    for dots in ["..", "."] {
        if segments().any(|segment| segment == dots) {
            return format!("contains the dot segment {dots:?}; it resolves to {}", resolved());
        }
    }
    if let Some(encoded) = path.find('%').and_then(|at| path.get(at..at.saturating_add(3))) {
        return format!("has the percent-encoded character {encoded}");
    }
    if path.trim_matches('/').is_empty() {
        return "has no path".to_owned();
    }
    if segments().any(str::is_empty) {
        return format!("has a double slash; it resolves to {}", resolved());
    }
    let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || "-_.~+@/".contains(*letter);
    if let Some(letter) = path.chars().find(|letter| !is_plain(letter)) {
        return format!("has the character {letter:?} in its path");
    }
    if segments().any(|segment| segment == ".git") {
        return "has a path segment .git".to_owned();
    }
    format!("is too long ({} bytes)", text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_told_by_what_it_is() {
        for (text, fault) in [
            (
                "https://hg.mozilla.org@evil.example/a",
                "names the host evil.example; \"hg.mozilla.org\" before the @ is only a user name",
            ),
            (
                "https://u:secret@hg.mozilla.org/a",
                "names the host hg.mozilla.org; \"u\" before the @ is only a user name",
            ),
            ("https://hg.mоzilla.org/a", "names a host whose character 5 is U+043E (Cyrillic о, not o)"),
            (
                "https://hg.mozilla.org:443/a",
                "names the port \"443\" of the host \"hg.mozilla.org\"; ports are not supported",
            ),
            (
                "https://HG.mozilla.org/a",
                "names the host in capital letters: HG.mozilla.org, which is hg.mozilla.org",
            ),
            ("https:///a", "names no host"),
            ("https://a_b/c", "names \"a_b\", which is not a host name"),
        ] {
            assert_eq!(of_host(text), fault, "{text}");
        }
    }

    #[test]
    fn a_path_is_told_by_what_it_resolves_to() {
        for (text, fault) in [
            (
                "https://hg.mozilla.org/mozilla-central/../try",
                "contains the dot segment \"..\"; it resolves to https://hg.mozilla.org/try",
            ),
            ("https://hg.mozilla.org/a//b", "has a double slash; it resolves to https://hg.mozilla.org/a/b"),
            ("https://hg.mozilla.org/a?x", "has a query, \"?x\"; without it, it is https://hg.mozilla.org/a"),
            (
                "https://hg.mozilla.org/a#x",
                "has a fragment, \"#x\"; without it, it is https://hg.mozilla.org/a",
            ),
            ("https://hg.mozilla.org/mozilla%2dcentral", "has the percent-encoded character %2d"),
            ("https://hg.mozilla.org/mоzilla", "has the character U+043E (Cyrillic о, not o) in its path"),
            ("https://hg.mozilla.org", "has no path"),
            ("https://hg.mozilla.org/a b", "has the character ' ' in its path"),
            ("https://github.com/a/.git", "has a path segment .git"),
        ] {
            assert_eq!(of_path(text), fault, "{text}");
        }
    }
}
