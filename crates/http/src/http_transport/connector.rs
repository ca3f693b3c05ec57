//! How a connection is made: directly to the host, or through a proxy.
//!
//! https uses a tunnel that the proxy opens on CONNECT (RFC 9110, section 9.3.6), so that the proxy
//! sees only the host's name. http is sent to the proxy with its absolute address (RFC 9112, section
//! 3.2.2).

use futures_util::future::BoxFuture;
use http::Uri;
use http::uri::Scheme;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use std::error::Error;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tower_service::Service;

type BoxError = Box<dyn Error + Send + Sync>;

/// Connects to hosts of http and https addresses.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    /// To a host, which may choose HTTP/2 if there is TLS.
    host: HttpsConnector<HttpConnector>,
    /// To a proxy, which uses HTTP/1.1.
    proxy: HttpsConnector<HttpConnector>,
    /// To a host at the far end of a tunnel.
    tls: Arc<ClientConfig>,
    proxies: Arc<Matcher>,
    /// The time limit for all steps together.
    timeout: Duration,
}

impl Connector {
    /// `tls` offers no protocols: they depend on the peer.
    pub(super) fn new(mut tls: ClientConfig, proxies: Arc<Matcher>, timeout: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // A host that disappears is noticed by probes, or when sent data stays unacknowledged.
        tcp.set_keepalive(Some(Duration::from_secs(15)));
        tcp.set_keepalive_interval(Some(Duration::from_secs(15)));
        tcp.set_keepalive_retries(Some(3));
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        tcp.set_tcp_user_timeout(Some(Duration::from_secs(30)));
        let to_proxy = Arc::new(tls.clone());
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let tls = Arc::new(tls);
        Self {
            host: HttpsConnector::from((tcp.clone(), tls.clone())),
            proxy: HttpsConnector::from((tcp, to_proxy)),
            tls,
            proxies,
            timeout,
        }
    }

    async fn connect(mut self, to: Uri) -> Result<Wire, BoxError> {
        let Some(proxy) = self.proxies.intercept(&to) else {
            let stream = MaybeHttpsStream::Http(self.host.call(to).await?);
            return Ok(Wire { stream, forwarded: false });
        };
        if to.scheme() == Some(&Scheme::HTTPS) {
            let mut tunnel = Tunnel::new(proxy.uri().clone(), self.proxy);
            if let Some(credentials) = proxy.basic_auth() {
                tunnel = tunnel.with_auth(credentials.clone());
            }
            let stream = HttpsConnector::from((tunnel, self.tls)).call(to).await?;
            return Ok(Wire { stream, forwarded: false });
        }
        let stream = MaybeHttpsStream::Http(self.proxy.call(proxy.uri().clone()).await?);
        Ok(Wire { stream, forwarded: true })
    }
}

impl Service<Uri> for Connector {
    type Response = Wire;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Wire, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let (timeout, connecting) = (self.timeout, self.clone().connect(to));
        Box::pin(async move {
            let late = |_| io::Error::new(io::ErrorKind::TimedOut, "connecting took too long");
            tokio::time::timeout(timeout, connecting).await.map_err(late)?
        })
    }
}

/// TCP, perhaps with TLS to a proxy in it, perhaps with TLS to a host in that.
type Stream = MaybeHttpsStream<MaybeHttpsStream<TokioIo<TcpStream>>>;

/// A connection.
pub(super) struct Wire {
    stream: Stream,
    /// Whether a proxy reads the requests and needs absolute addresses.
    forwarded: bool,
}

impl Wire {
    fn stream(self: Pin<&mut Self>) -> Pin<&mut Stream> {
        Pin::new(&mut self.get_mut().stream)
    }
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        self.stream.connected().proxy(self.forwarded)
    }
}

impl Read for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, to: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_read(cx, to)
    }
}

impl Write for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        self.stream().poll_write(cx, from)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(cx, from)
    }
}
