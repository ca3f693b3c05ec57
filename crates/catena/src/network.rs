//! The network as a fact source: transport, options and credentials.

use catena_fetch::Options;
use catena_http::{HttpOptions, HttpSetupError, HttpTransport, Secret, Transport};
use catena_taskcluster::TaskclusterCredentials;
use std::sync::Arc;

/// Transport, options and credentials for services. Verifications share the transport and its
/// connections.
#[derive(Clone)]
pub struct Network {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) options: Options,
    pub(crate) credentials: Option<TaskclusterCredentials>,
    pub(crate) github_token: Option<Secret>,
}

impl Network {
    /// Uses a transport, with the default limits and without credentials.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport, options: Options::default(), credentials: None, github_token: None }
    }

    /// Uses a new HTTP transport, which reads the system's certificates.
    ///
    /// # Errors
    /// A certificate file or a proxy that cannot be used.
    pub fn connect(options: &HttpOptions) -> Result<Self, HttpSetupError> {
        Ok(Self::new(Arc::new(HttpTransport::new(options)?)))
    }

    /// With other limits on time, attempts and concurrency. `danger_allow_http` among them appears in
    /// every verdict.
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
