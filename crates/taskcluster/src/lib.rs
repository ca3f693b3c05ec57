//! Taskcluster: root URLs, credentials, and a typed client of its services.
//!
//! A [`Client`] calls the queue (claims, reclaims, resolutions, artifacts, definitions, statuses), the
//! object service and the index. Answers are capped and parsed into types; temporary failures are
//! retried until a deadline.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod artifact;
mod call;
mod claim;
mod credentials;
mod object;
mod root_url;
mod task;

pub use artifact::{CreatedArtifact, ErrorReason, Expiry, ExpiryError, NewArtifact};
pub use call::{CallError, CallErrorKind, Client, ClientOptions};
pub use claim::{Claim, ExceptionReason, IdentifierError, Lease, Resolution, TaskRun, WorkerIdentity};
pub use credentials::{CredentialsError, TaskclusterCredentials, github_token_from_environment};
pub use object::{LARGEST_INLINE, ObjectData, ObjectHashes, ObjectUpload, UploadMethod};
pub use root_url::{RootUrl, RootUrlError};
