//! Sources: repositories, revisions and their addresses.

mod fault;
mod repository;
mod revision;
mod source_url;

pub use repository::shown;
pub use repository::{GithubRepository, RepositoryError, RepositoryUrl, Scheme};
pub use revision::{Revision, RevisionError, TagName};
pub use source_url::SourceUrl;
