//! Taskcluster: where a deployment is, and who we are to it.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod credentials;
mod root_url;

pub use credentials::{CredentialsError, TaskclusterCredentials, github_token_from_environment};
pub use root_url::{RootUrl, RootUrlError};
