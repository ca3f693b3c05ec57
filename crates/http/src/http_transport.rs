//! The transport over HTTP/1.1 and HTTP/2, with TLS by rustls and proxies from the environment.

mod connector;

use crate::body::Outgoing;
use crate::transport::{Request, Response, Transport, TransportError};
use connector::Connector;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use http::header::{self, HeaderMap, HeaderValue};
use http::uri::Scheme;
use http::{Method, Uri};
use http_body_util::BodyExt;
use hyper_util::client::legacy::{self as client, Client};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use url::Url;

/// How to reach the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpOptions {
    /// The time limit for connecting, including TLS. A usual handshake takes four round trips.
    pub connect_timeout: Duration,
    /// A file of further trusted roots, PEM.
    pub ca_file: Option<PathBuf>,
    /// Which proxy to go through.
    pub proxy: Proxy,
}

/// Which proxy requests go through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proxy {
    /// From `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    #[default]
    Environment,
    /// No proxy.
    Direct,
    /// This one for every other machine.
    Through(Url),
}

impl Proxy {
    fn matcher(&self) -> Result<Matcher, HttpSetupError> {
        match self {
            Self::Environment => {
                check_proxies(|name| std::env::var_os(name))?;
                Ok(Matcher::from_env())
            }
            Self::Direct => Ok(Matcher::builder().build()),
            // The matcher would treat an unusable value as no proxy.
            Self::Through(url) if !matches!(url.scheme(), "http" | "https") => {
                Err(HttpSetupError::Client(not_http(url.scheme())))
            }
            Self::Through(url) => {
                Ok(Matcher::builder().all(url.as_str()).no("localhost,127.0.0.0/8,::1").build())
            }
        }
    }
}

/// The variables that the matcher reads.
const PROXY_VARIABLES: [&str; 6] =
    ["ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"];

/// Refuses a value that the matcher would ignore: requests would silently bypass the proxy. The value is not shown,
/// since it may have a password.
fn check_proxies(value: impl Fn(&str) -> Option<OsString>) -> Result<(), HttpSetupError> {
    for name in PROXY_VARIABLES {
        let value = value(name).filter(|value| !value.is_empty());
        if value.is_some_and(|value| !value.to_str().is_some_and(is_proxy)) {
            let message = format!("{name} is not the address of a proxy, such as http://host:port");
            return Err(HttpSetupError::Client(message));
        }
    }
    Ok(())
}

/// Whether the matcher uses this value.
fn is_proxy(value: &str) -> bool {
    let elsewhere = Uri::from_static("https://elsewhere.invalid/");
    Matcher::builder().all(value).build().intercept(&elsewhere).is_some()
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self { connect_timeout: Duration::from_secs(10), ca_file: None, proxy: Proxy::Environment }
    }
}

/// Why there is no transport.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpSetupError {
    /// A file of roots cannot be used.
    #[error("cannot read certificates from {path}: {reason}", path = path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// The error.
        reason: String,
    },
    /// The HTTP client or its proxy cannot be set up.
    #[error("cannot set up the HTTP client: {0}")]
    Client(String),
}

/// Concurrent requests of one client. With HTTP/2 they share a connection, and servers allow about this
/// many (RFC 9113, section 6.5.2); more would wait for each other.
const SHARED: usize = 100;
/// Clients, each with its own connections. Only as many are used as needed.
const CLIENTS: usize = 6;

const USER_AGENT: &str = concat!("catena/", env!("CARGO_PKG_VERSION"));

/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(90);
/// Bytes that a connection buffers. Each buffer grows to what arrived at once, and a chain of hundreds of links has a
/// hundred connections: with hyper's default of 400 KiB they held more memory than all evidence.
const BUFFER: usize = 256 << 10;

/// Requests over the network.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    lanes: Arc<[Lane]>,
    proxies: Arc<Matcher>,
    /// Why there are no trusted roots, if there are none.
    rootless: Option<Arc<str>>,
}

impl HttpTransport {
    /// Sets up a transport. It trusts the system's roots, or those of `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` if set, and those of `ca_file`. Without any root only https requests fail.
    ///
    /// # Errors
    /// A `ca_file` or `SSL_CERT_FILE` without a certificate; a proxy that cannot be used.
    pub fn new(options: &HttpOptions) -> Result<Self, HttpSetupError> {
        let (roots, problem) = roots(options)?;
        let rootless = roots.is_empty().then(|| {
            Arc::from(format!(
                "no trusted root certificate could be loaded, so https cannot be used{problem}"
            ))
        });
        let proxies = Arc::new(options.proxy.matcher()?);
        let connector = Connector::new(Self::tls(roots)?, proxies.clone(), options.connect_timeout);
        let lane = || Lane { client: Self::client(connector.clone()), busy: Arc::default() };
        Ok(Self { lanes: (0..CLIENTS).map(|_| lane()).collect(), proxies, rootless })
    }

    fn tls(roots: RootCertStore) -> Result<ClientConfig, HttpSetupError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| HttpSetupError::Client(chain(&error)))?;
        Ok(tls.with_root_certificates(roots).with_no_client_auth())
    }

    fn client(connector: Connector) -> Client<Connector, Outgoing> {
        Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .http1_max_buf_size(BUFFER)
            .build(connector)
    }

    /// The user agent of requests, and the credentials for a proxy that reads them.
    fn headers(&self, mut headers: HeaderMap, to: &Uri) -> Result<HeaderMap, TransportError> {
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        if let Some(proxy) = self.proxies.intercept(to) {
            let scheme = proxy.uri().scheme_str().unwrap_or_default();
            if !matches!(scheme, "http" | "https") {
                return Err(TransportError::lasting(not_http(scheme)));
            }
            // They are sent when a tunnel is requested.
            let credentials = proxy.basic_auth().filter(|_| to.scheme() == Some(&Scheme::HTTP));
            if let Some(credentials) = credentials {
                headers.insert(header::PROXY_AUTHORIZATION, credentials.clone());
            }
        }
        Ok(headers)
    }

    /// Why no answer arrived. The message names the host and the proxy: either may be at fault. The
    /// rest of an address may be secret.
    fn unsent(&self, error: &client::Error, to: &Uri) -> TransportError {
        // The error itself is technical; its cause is informative.
        let TransportError { kind, message } = failure(error.source().unwrap_or(error));
        if !error.is_connect() {
            return TransportError { kind, message };
        }
        let proxy =
            self.proxies.intercept(to).map(|proxy| format!(" through the proxy {}", place(proxy.uri())));
        let proxy = proxy.unwrap_or_default();
        TransportError { kind, message: format!("cannot connect to {}{proxy}: {message}", place(to)) }
    }

    /// The first client that is not busy, or else the least busy one.
    fn lane(&self) -> Option<(&Client<Connector, Outgoing>, Busy)> {
        let free = |lane: &&Lane| lane.busy.load(Ordering::Relaxed) < SHARED;
        let least = || self.lanes.iter().min_by_key(|lane| lane.busy.load(Ordering::Relaxed));
        let lane = self.lanes.iter().find(free).or_else(least)?;
        Some((&lane.client, Busy::with(&lane.busy)))
    }
}

/// A client, and the number of its requests whose bodies have not ended.
#[derive(Debug)]
struct Lane {
    client: Client<Connector, Outgoing>,
    busy: Arc<AtomicUsize>,
}

/// A pending request, while this is held.
struct Busy(Arc<AtomicUsize>);

impl Busy {
    fn with(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn not_http(scheme: &str) -> String {
    format!("the proxy speaks {scheme}, and only http and https proxies can be used")
}

/// Host and port.
fn place(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    uri.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The trusted roots, and a text that says why others could not be loaded.
fn roots(options: &HttpOptions) -> Result<(RootCertStore, String), HttpSetupError> {
    let mut roots = RootCertStore::empty();
    // A file that is not there is passed over below, and the system's roots are trusted in its place.
    if let Some(path) = std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty()) {
        certificates(&path.into())?;
    }
    let native = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(native.certs);
    if let Some(path) = &options.ca_file {
        for certificate in certificates(path)? {
            let wrong = |error: rustls::Error| HttpSetupError::CaFile {
                path: path.clone(),
                reason: error.to_string(),
            };
            roots.add(certificate).map_err(wrong)?;
        }
    }
    let problem = native.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
    Ok((roots, problem))
}

/// The certificates in a file, of which there is at least one.
fn certificates(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, HttpSetupError> {
    let wrong = |reason: String| HttpSetupError::CaFile { path: path.clone(), reason };
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match found {
        Ok(found) if found.is_empty() => Err(wrong("it holds no certificate".to_owned())),
        Ok(found) => Ok(found),
        Err(error) => Err(wrong(error.to_string())),
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        async move {
            if let (Some(reason), "https") = (&self.rootless, request.url.scheme()) {
                return Err(TransportError::lasting(reason.to_string()));
            }
            let uri = Uri::try_from(request.url.as_str()).map_err(|error| {
                TransportError::lasting(format!("an address that cannot be sent: {error}"))
            })?;
            let mut headers = self.headers(request.headers, &uri)?;
            if matches!(request.method, Method::POST | Method::PUT) && request.body.length() == 0 {
                // Without it some stores refuse an empty body (411).
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
            let Some((client, busy)) = self.lane() else {
                return Err(TransportError::lasting("there is no HTTP client"));
            };
            let mut out = http::Request::new(request.body.open());
            *out.uri_mut() = uri.clone();
            *out.method_mut() = request.method;
            *out.headers_mut() = headers;
            let response = client.request(out).await.map_err(|error| self.unsent(&error, &uri))?;
            let (head, body) = response.into_parts();
            let body = body.into_data_stream().map_err(|error| failure(&error));
            let body = body.inspect(move |_| _ = &busy);
            Ok(Response { status: head.status, headers: head.headers, body: body.boxed() })
        }
        .boxed()
    }
}

/// The kind of a failure.
fn failure(error: &(dyn Error + 'static)) -> TransportError {
    let mut cause = Some(error);
    while let Some(error) = cause {
        // A request's body could not be read.
        if let Some(own) = error.downcast_ref::<TransportError>() {
            return own.clone();
        }
        cause = error.source();
    }
    let message = chain(error);
    if is_certificate(error) { TransportError::lasting(message) } else { TransportError::passing(message) }
}

/// An error and its causes, in one line. Causes that are already part of the text are omitted.
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

/// Whether the peer's certificate is not trusted.
fn is_certificate(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return matches!(error, rustls::Error::InvalidCertificate(_));
        }
        // An I/O error reports its content's cause as its own, and skips the content.
        cause = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(content) => Some(content),
            None => error.source(),
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_no_proxy_is_refused_and_not_shown() {
        for name in PROXY_VARIABLES {
            let check = |value: &str| check_proxies(|asked| (asked == name).then(|| value.into()));
            for usable in
                ["", "http://proxy:3128", "https://user:password@proxy", "proxy:3128", "socks5://proxy"]
            {
                assert_eq!(check(usable), Ok(()), "{usable}");
            }
            for unusable in ["ftp://user:password@proxy", "%%", " ", "http://", "/proxy"] {
                let told = format!("{name} is not the address of a proxy, such as http://host:port");
                assert_eq!(check(unusable), Err(HttpSetupError::Client(told)), "{unusable}");
            }
        }
    }
}
