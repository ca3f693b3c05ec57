//! The transport over HTTP/1.1 and HTTP/2, with TLS by rustls and proxies from the environment.

use crate::transport::{Request, Response, Transport, TransportError};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How to reach the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpOptions {
    /// How long connecting, TLS included, may take. An honest handshake takes four round trips.
    pub connect_timeout: Duration,
    /// A file of further trusted roots, PEM.
    pub ca_file: Option<PathBuf>,
    /// Which proxy to go through.
    pub proxy: Proxy,
}

/// Which proxy requests go through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proxy {
    /// What `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    #[default]
    Environment,
    /// None.
    Direct,
    /// This one for everything that is not on this machine.
    Through(Url),
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self { connect_timeout: Duration::from_secs(10), ca_file: None, proxy: Proxy::Environment }
    }
}

/// Why there is no transport.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpSetupError {
    /// The file of further roots cannot be used.
    #[error("cannot read certificates from {path}: {reason}", path = path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The HTTP client or its proxy cannot be set up.
    #[error("cannot set up the HTTP client: {0}")]
    Client(String),
}

/// Requests over the network.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    client: reqwest::Client,
    /// Why there is not one trusted root, if there is none.
    rootless: Option<Arc<str>>,
}

impl HttpTransport {
    /// Sets up a transport. Trusted are the system's roots, or those of `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` where these are set, and those of `ca_file`. Without any root only https
    /// requests fail.
    ///
    /// # Errors
    /// A `ca_file` without a certificate; a proxy that cannot be used.
    pub fn new(options: &HttpOptions) -> Result<Self, HttpSetupError> {
        let (roots, problem) = roots(options)?;
        let rootless = roots.is_empty().then(|| {
            Arc::from(format!(
                "no trusted root certificate could be loaded, so https cannot be used{problem}"
            ))
        });
        let setup = |error: &dyn Error| HttpSetupError::Client(chain(error));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| setup(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .gzip(false)
            .connect_timeout(options.connect_timeout)
            .user_agent(concat!("catena/", env!("CARGO_PKG_VERSION")));
        builder = match &options.proxy {
            Proxy::Environment => builder,
            Proxy::Direct => builder.no_proxy(),
            Proxy::Through(url) => {
                let loopback = reqwest::NoProxy::from_string("localhost,127.0.0.0/8,::1");
                let proxy = reqwest::Proxy::all(url.clone()).map_err(|error| setup(&error))?;
                builder.proxy(proxy.no_proxy(loopback))
            }
        };
        let client = builder.build().map_err(|error| setup(&error))?;
        Ok(Self { client, rootless })
    }
}

/// The trusted roots, and in words what kept others from being loaded.
fn roots(options: &HttpOptions) -> Result<(RootCertStore, String), HttpSetupError> {
    let native = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(native.certs);
    if let Some(path) = &options.ca_file {
        let wrong = |reason: String| HttpSetupError::CaFile { path: path.clone(), reason };
        let mut added: usize = 0;
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))? {
            let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
            roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
            added = added.saturating_add(1);
        }
        if added == 0 {
            return Err(wrong("it holds no certificate".to_owned()));
        }
    }
    let problem = native.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
    Ok((roots, problem))
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        async move {
            if let (Some(reason), "https") = (&self.rootless, request.url.scheme()) {
                return Err(TransportError::lasting(reason.to_string()));
            }
            let mut builder = self.client.request(request.method, request.url).headers(request.headers);
            if let Some(body) = request.body {
                builder = builder.body(body);
            }
            let response = builder.send().await.map_err(failure)?;
            let (status, headers) = (response.status(), response.headers().clone());
            Ok(Response { status, headers, body: response.bytes_stream().map_err(failure).boxed() })
        }
        .boxed()
    }
}

/// What a failure was. The address is left out: its query may be a signature.
fn failure(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    let message = chain(&error);
    if is_certificate(&error) { TransportError::lasting(message) } else { TransportError::passing(message) }
}

/// An error and what caused it, in one line. Causes that the text before already holds are left out.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(400).collect()
}

/// Whether the other side showed a certificate that is not trusted.
fn is_certificate(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return matches!(error, rustls::Error::InvalidCertificate(_));
        }
        // An I/O error names its own content's cause as its cause, and skips the content.
        cause = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(content) => Some(content),
            None => error.source(),
        };
    }
    false
}
