//! The server: one loopback port that is the queue, the store, and a proxy to everything else.

mod answer;
mod connection;
mod ledger;
mod live;
mod queue;
mod route;
mod stream;

pub use ledger::{Request, Stats};

use crate::fault::{Fault, Faults};
use crate::queue::{Queue, Story};
use crate::site::Site;
use crate::tls::Authority;
use ledger::Ledger;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeBounds;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::{AbortHandle, JoinSet};

/// How long the server waits before it answers, to simulate distance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Latency {
    /// Before each answer of the queue and auth, not of the store.
    pub queue: Duration,
    /// Before each body of the store.
    pub store: Duration,
    /// Before each answer of hg, GitHub and any other host.
    pub vcs: Duration,
}

/// How a site is served.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Simulated distance.
    pub latency: Latency,
    /// Entries per page of an artifact listing, unless the request's `limit` is lower.
    pub page_size: usize,
    /// Host names, besides the loopback ones, that are the Taskcluster itself when asked through the
    /// proxy; the certificate is good for them too.
    pub root_hosts: Vec<String>,
    /// Whether HTTP/2 is spoken with clients that want it over TLS. Faults that break a connection break
    /// all that is on it.
    pub http2: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            latency: Latency::default(),
            page_size: 1000,
            root_hosts: vec!["firefox-ci-tc.services.mozilla.com".into()],
            http2: false,
        }
    }
}

/// Why a testbed did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No loopback port, or no runtime.
    #[error("cannot listen on loopback: {0}")]
    Io(#[from] io::Error),
    /// The certificates could not be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refused its own certificates.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// What all connections share.
struct Shared {
    site: Site,
    options: Options,
    address: SocketAddr,
    authority: Authority,
    faults: Faults,
    ledger: Arc<Ledger>,
    queue: Queue,
}

impl Shared {
    /// Tells the queue a story, and lays its faults.
    fn tell(&self, story: &Story) {
        for (pattern, (first, last), fault) in story.tell(&self.queue) {
            self.faults.add(&pattern, first..=last, fault);
        }
    }
}

/// A running site; it stops when dropped.
pub struct Testbed {
    shared: Arc<Shared>,
    accepting: AbortHandle,
    runtime: Option<Runtime>,
}

impl Testbed {
    /// Serves a site from the current tokio runtime.
    ///
    /// # Errors
    /// When no loopback port is free or no certificate can be made.
    pub async fn start(site: Site) -> Result<Testbed, StartError> {
        Testbed::start_with(site, Options::default()).await
    }

    /// As [`Testbed::start`], with options.
    ///
    /// # Errors
    /// As [`Testbed::start`].
    pub async fn start_with(site: Site, options: Options) -> Result<Testbed, StartError> {
        let authority = Authority::new(&options.root_hosts, options.http2)?;
        Testbed::listen(site, options, authority).await
    }

    async fn listen(site: Site, options: Options, authority: Authority) -> Result<Testbed, StartError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (faults, ledger) = (Faults::default(), Arc::default());
        let queue = Queue::default();
        let shared = Arc::new(Shared { site, options, address, authority, faults, ledger, queue });
        let accepting = tokio::spawn(accept(listener, shared.clone())).abort_handle();
        Ok(Testbed { shared, accepting, runtime: None })
    }

    /// As [`Testbed::start_with`], on a runtime of its own: for callers that are not asynchronous.
    ///
    /// # Errors
    /// As [`Testbed::start`].
    pub fn start_blocking(site: Site, options: Options) -> Result<Testbed, StartError> {
        let authority = Authority::new(&options.root_hosts, options.http2)?;
        Testbed::listen_blocking(site, options, authority)
    }

    /// Serves another site on a port of its own, with this one's options and CA: for a client that
    /// reads the CA once and then asks many sites. Blocks as [`Testbed::start_blocking`] does.
    ///
    /// # Errors
    /// When no loopback port is free.
    pub fn start_beside(&self, site: Site) -> Result<Testbed, StartError> {
        Testbed::listen_blocking(site, self.shared.options.clone(), self.shared.authority.clone())
    }

    fn listen_blocking(site: Site, options: Options, authority: Authority) -> Result<Testbed, StartError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let mut testbed = runtime.block_on(Testbed::listen(site, options, authority))?;
        testbed.runtime = Some(runtime);
        Ok(testbed)
    }

    /// The Taskcluster root URL, plain HTTP, without a trailing slash.
    pub fn root_url(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    /// The same root over TLS, on the same port.
    pub fn tls_root_url(&self) -> String {
        format!("https://{}", self.shared.address)
    }

    /// What to give as `HTTPS_PROXY` or `HTTP_PROXY`.
    pub fn proxy_url(&self) -> String {
        self.root_url()
    }

    /// The CA to trust, PEM; write it to a file and name that in `SSL_CERT_FILE`.
    pub fn ca_pem(&self) -> &str {
        &self.shared.authority.ca_pem
    }

    /// The site being served.
    pub fn site(&self) -> &Site {
        &self.shared.site
    }

    /// The queue whose tasks are claimed.
    pub fn queue(&self) -> &Queue {
        &self.shared.queue
    }

    /// Tells the queue a story, and lays its faults over this server.
    pub fn tell(&self, story: &Story) {
        self.shared.tell(story);
    }

    /// Adds a fault for every URL that `pattern` matches, on these attempts (counted from 1 per URL).
    ///
    /// `*` in the pattern stands for any run of characters. A pattern that starts with `/` is compared
    /// with path and query, any other with the whole URL as the client requested it. If several faults
    /// apply to one request, the oldest shapes the answer; delays add up.
    pub fn fault(&self, pattern: &str, attempts: impl RangeBounds<u64>, fault: Fault) {
        self.shared.faults.add(pattern, attempts, fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    /// Requests, bytes and per-URL counts so far.
    pub fn stats(&self) -> Stats {
        self.shared.ledger.stats()
    }

    /// Resets all counts; attempts start from 1 again.
    pub fn reset_stats(&self) {
        self.shared.ledger.reset();
    }

    /// Every request so far, in the order received.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.ledger.requests()
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        self.accepting.abort();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Accepts until aborted; the set ends every connection when it is dropped.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection::serve(stream, shared.clone()));
                }
                // Out of descriptors: let some connections end first.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}
