//! The network as a source of facts: how services are asked, and as whom.

use catena_fetch::Options;
use catena_http::{HttpOptions, HttpSetupError, HttpTransport, Secret, Transport};
use catena_taskcluster::TaskclusterCredentials;
use std::sync::Arc;

/// How services are asked, and as whom. Verifications share its transport and so its connections.
#[derive(Clone)]
pub struct Network {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) options: Options,
    pub(crate) credentials: Option<TaskclusterCredentials>,
    pub(crate) github_token: Option<Secret>,
}

impl Network {
    /// Over a transport, with the usual limits and without credentials.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport, options: Options::default(), credentials: None, github_token: None }
    }

    /// Over a new HTTP transport. It reads the system's certificates.
    ///
    /// # Errors
    /// A file of certificates or a proxy that cannot be used.
    pub fn connect(options: &HttpOptions) -> Result<Self, HttpSetupError> {
        Ok(Self::new(Arc::new(HttpTransport::new(options)?)))
    }

    /// With other limits of time, attempts and concurrency. `danger_allow_http` among them shows in every
    /// verdict.
    #[must_use]
    pub fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Signs requests to Taskcluster.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Option<TaskclusterCredentials>) -> Self {
        self.credentials = credentials;
        self
    }

    /// Sends a token to GitHub's API.
    #[must_use]
    pub fn with_github_token(mut self, token: Option<Secret>) -> Self {
        self.github_token = token;
        self
    }
}
