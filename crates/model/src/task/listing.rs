//! The queue's list of a run's artifacts, page by page.

use crate::fnmatch::LONGEST;
use catena_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Bytes of the longest continuation token.
const LONGEST_TOKEN: usize = 1024;

/// One page of the list, reduced to the names. Names longer than [`LONGEST`], which no artifact can
/// have, are omitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListingPage {
    /// The names, in the order of the page.
    pub names: Vec<Arc<str>>,
    /// The token for the next page; `None` on the last one.
    pub continuation: Option<String>,
}

/// Why a page of the list cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListingError {
    /// It is not JSON.
    #[error("it is not JSON: {0}")]
    Json(String),
    /// It has no list.
    #[error("it has no artifacts")]
    NoArtifacts,
    /// An entry of the list has no name.
    #[error("it has an entry without a name")]
    NoName,
    /// There is a next page, and no valid token for it.
    #[error("its continuationToken is not a text of 1 to 1,024 bytes")]
    Continuation,
}

impl ListingPage {
    /// Parses a page.
    ///
    /// # Errors
    /// A malformed page.
    pub fn parse(page: &Value) -> Result<Self, ListingError> {
        let artifacts = page.get("artifacts").and_then(Value::as_array).ok_or(ListingError::NoArtifacts)?;
        let mut names = Vec::new();
        for artifact in artifacts {
            let name = artifact.get("name").and_then(Value::as_str).ok_or(ListingError::NoName)?;
            if name.len() <= LONGEST {
                names.push(Arc::from(name));
            }
        }
        let continuation = match page.get("continuationToken") {
            None | Some(Value::Null) => None,
            Some(Value::String(token)) if (1..=LONGEST_TOKEN).contains(&token.len()) => Some(token.clone()),
            Some(_) => return Err(ListingError::Continuation),
        };
        Ok(Self { names, continuation })
    }
}

/// The list as far as it was read. Each page is parsed once, however often the list is used.
#[derive(Clone, Debug, Default)]
pub struct ListingSoFar {
    /// All names, each once.
    pub names: Arc<BTreeSet<Arc<str>>>,
    /// What the next page is asked with; none for the first.
    pub continuation: Option<String>,
    /// How many pages were read.
    pub pages: u32,
    /// Whether the last page was read.
    pub is_whole: bool,
}

impl ListingSoFar {
    /// Takes in the next page.
    pub fn add(&mut self, page: &ListingPage) {
        Arc::make_mut(&mut self.names).extend(page.names.iter().cloned());
        self.continuation.clone_from(&page.continuation);
        self.pages = self.pages.saturating_add(1);
        self.is_whole = page.continuation.is_none();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ListingPage, ListingError> {
        ListingPage::parse(&catena_json::parse(text.as_bytes(), &catena_json::Limits::default()).unwrap())
    }

    #[test]
    fn a_page_is_its_names() {
        let long = "a".repeat(LONGEST);
        let text = format!(
            r#"{{"artifacts":[{{"name":"b","storageType":"s3"}},{{"name":"{long}"}},{{"name":"{long}a"}}],"continuationToken":"t"}}"#
        );
        let page = parse(&text).unwrap();
        assert_eq!(page.names, [Arc::from("b"), Arc::from(long.as_str())]);
        assert_eq!(page.continuation.as_deref(), Some("t"));
        for last in [r#"{"artifacts":[]}"#, r#"{"artifacts":[],"continuationToken":null}"#] {
            assert_eq!(parse(last), Ok(ListingPage { names: Vec::new(), continuation: None }));
        }
    }

    #[test]
    fn a_malformed_page_is_refused() {
        let token = |token: &str| parse(&format!(r#"{{"artifacts":[],"continuationToken":{token}}}"#));
        assert_eq!(token("\"\""), Err(ListingError::Continuation));
        assert_eq!(token("1"), Err(ListingError::Continuation));
        assert_eq!(token(&format!("\"{}\"", "t".repeat(LONGEST_TOKEN + 1))), Err(ListingError::Continuation));
        assert!(token(&format!("\"{}\"", "t".repeat(LONGEST_TOKEN))).is_ok());
        assert_eq!(parse("{}"), Err(ListingError::NoArtifacts));
        assert_eq!(parse(r#"{"artifacts":{}}"#), Err(ListingError::NoArtifacts));
        assert_eq!(parse(r#"{"artifacts":[{"name":1}]}"#), Err(ListingError::NoName));
        assert_eq!(parse(r#"{"artifacts":["a"]}"#), Err(ListingError::NoName));
    }

    #[test]
    fn pages_add_up_to_the_list() {
        let mut listing = ListingSoFar::default();
        listing.add(&parse(r#"{"artifacts":[{"name":"b"},{"name":"a"}],"continuationToken":"t"}"#).unwrap());
        assert_eq!((listing.continuation.as_deref(), listing.pages, listing.is_whole), (Some("t"), 1, false));
        listing.add(&parse(r#"{"artifacts":[{"name":"b"},{"name":"c"}]}"#).unwrap());
        assert_eq!((listing.continuation.as_deref(), listing.pages, listing.is_whole), (None, 2, true));
        assert!(listing.names.iter().map(|name| &**name).eq(["a", "b", "c"]));
    }
}
