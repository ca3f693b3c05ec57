//! The commit that a tag of a repository on GitHub stands for.
//!
//! A tag moves, so it is resolved once, and all that is asked about it is asked at its commit.

use crate::verification::{Answer, CheckContext, Need, Stop};
use catena_json::Value;
use catena_model::source::{GithubRepository, Revision, TagName};

/// Why it is not known which commit a tag stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum NoCommit {
    /// The repository does not have the tag.
    Unknown(String),
    /// The list of tags does not end within the pages that are read.
    Endless(String),
    /// An answer lacks what it must tell.
    Malformed(Need, String),
}

/// The commit of a tag, from the list of all tags.
pub(crate) fn commit(
    cx: &CheckContext<'_>,
    repository: &GithubRepository,
    tag: &TagName,
) -> Result<Result<Revision, NoCommit>, Stop> {
    for page in 1..=cx.evidence.limits.pages {
        let need = Need::Tags { repository: repository.clone(), page };
        let answer = match cx.json(&need)? {
            Answer::Is(Ok(answer)) => answer,
            Answer::Is(Err(error)) => return Ok(Err(NoCommit::Malformed(need, error.to_string()))),
            Answer::Absent(answer) => {
                return Ok(Err(NoCommit::Unknown(format!("There is no github.com/{repository}: {answer}"))));
            }
        };
        let malformed = |why: &str| Ok(Err(NoCommit::Malformed(need.clone(), why.to_owned())));
        let Some(tags) = answer.as_array() else { return malformed("it is not a list") };
        let named = |entry: &&Value| entry.get("name").and_then(Value::as_str) == Some(tag.as_str());
        let mut found = tags.iter().filter(named);
        match (found.next(), found.next()) {
            (Some(entry), None) => {
                let sha = entry.pointer(&["commit", "sha"]).and_then(Value::as_str).unwrap_or_default();
                return Revision::parse(sha)
                    .map_or_else(|error| malformed(&error.to_string()), |sha| Ok(Ok(sha)));
            }
            (Some(_), Some(_)) => return malformed("it has the tag twice"),
            (None, _) if tags.len() < 100 => {
                return Ok(Err(NoCommit::Unknown(format!("github.com/{repository} has no tag {tag}."))));
            }
            (None, _) => {}
        }
    }
    let pages = cx.evidence.limits.pages;
    Ok(Err(NoCommit::Endless(format!(
        "The first {pages} pages of the tags of github.com/{repository} do not have {tag}."
    ))))
}
