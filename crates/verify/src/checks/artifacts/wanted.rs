//! The files that are wanted of a link.

use super::listing::{Names, listing};
use super::upstream::takers;
use crate::verdict::Finding;
use crate::verification::{CheckContext, Extent, Link, Stop};
use catena_model::document::Document;
use catena_model::fnmatch::Pattern;
use catena_model::task::ArtifactName;
use catena_policy::KindRole;
use std::collections::{BTreeMap, BTreeSet};

/// A file that is wanted of a link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) optional: bool,
    pub(super) how: How,
}

/// How a file is requested: whole, measured, or scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum How {
    Content,
    Measured,
    Graph,
    /// Measured, if it still exists: only the document of a finished target lists it.
    Listed,
    /// Not requested: the verdict names its digest.
    Named,
}

/// The artifacts of a parent that the verification itself reads (specification 5.1).
fn published(role: Option<KindRole>) -> Vec<(ArtifactName, How)> {
    match role {
        Some(KindRole::Decision) => vec![
            (ArtifactName::actions(), How::Content),
            (ArtifactName::parameters(), How::Content),
            (ArtifactName::task_graph(), How::Graph),
        ],
        Some(KindRole::Action) => vec![(ArtifactName::task_graph(), How::Graph)],
        _ => Vec::new(),
    }
}

/// The files that are wanted of a link: what a parent publishes, and what the target names, or every link that
/// has run if all artifacts are to be measured. Or the finding about the list that patterns are matched against.
pub(super) fn wanted(cx: &CheckContext<'_>, link: &Link) -> Result<Result<Vec<Wanted>, Box<Finding>>, Stop> {
    let mut names: BTreeMap<String, (bool, How)> = BTreeMap::new();
    for (name, how) in published(link.role) {
        names.insert(name.as_str().to_owned(), (false, how));
    }
    let takers = takers(cx)?;
    let entries = takers.iter().flat_map(|taker| taker.definition.upstream_artifacts_of(link.task_id));
    let mut listed: Option<Names> = None;
    for entry in entries {
        for path in &entry.paths {
            if !path.contains('*') {
                want(&mut names, path, entry.optional);
                continue;
            }
            if listed.is_none() {
                match listing(cx, link)? {
                    Ok(names) => listed = Some(names),
                    Err(finding) => return Ok(Err(finding)),
                }
            }
            // A pattern that is too long is a finding of its own.
            let Some(pattern) = Pattern::new(path) else { continue };
            for name in listed.iter().flat_map(|names| names.iter()).filter(|name| pattern.matches(name)) {
                want(&mut names, name, entry.optional);
            }
        }
    }
    let wanted = names.into_iter().map(|(name, (optional, how))| Wanted { name, optional, how });
    Ok(Ok(wanted.collect()))
}

fn want(names: &mut BTreeMap<String, (bool, How)>, name: &str, optional: bool) {
    names
        .entry(name.to_owned())
        .and_modify(|(still, _)| *still &= optional)
        .or_insert((optional, How::Measured));
}

/// Adds the artifacts that the document of a finished target lists and that are not wanted yet.
pub(super) fn want_listed(cx: &CheckContext<'_>, document: &Document, wanted: &mut Vec<Wanted>) {
    let how = match cx.evidence.target.extent {
        Extent::Listed | Extent::All => How::Listed,
        Extent::Named => How::Named,
    };
    let known: BTreeSet<&str> = wanted.iter().map(|wanted| wanted.name.as_str()).collect();
    let listed = document.artifacts.iter().filter(|(name, _)| !known.contains(name.as_str()));
    let listed: Vec<_> =
        listed.map(|(name, _)| Wanted { name: name.to_string(), optional: false, how }).collect();
    wanted.extend(listed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_twice_is_optional_only_if_both_say_so() {
        let mut names = BTreeMap::new();
        want(&mut names, "a", true);
        want(&mut names, "a", false);
        want(&mut names, "b", true);
        want(&mut names, "b", true);
        assert_eq!(names.get("a"), Some(&(false, How::Measured)));
        assert_eq!(names.get("b"), Some(&(true, How::Measured)));
    }
}
