//! One connection: plain or TLS by its first byte, and CONNECT, which always ends here.

use super::stream::Stream;
use super::{Shared, route};
use crate::body::Body;
use crate::tls::HTTP2;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The first byte of a TLS handshake record.
const HANDSHAKE: u8 = 0x16;

/// Serves until the client leaves. Errors end the connection: only the client needs to see them.
pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    shared.ledger.connected();
    let _ = stream.set_nodelay(true);
    let mut first = [0];
    let tls = matches!(stream.peek(&mut first).await, Ok(1) if first == [HANDSHAKE]);
    let reset = Arc::new(AtomicBool::new(false));
    let wire = Wire { stream, reset: reset.clone() };
    let acceptor = TlsAcceptor::from(shared.authority.config.clone());
    let tunnel = if tls {
        let Ok(wire) = acceptor.accept(wire).await else { return };
        if wants_http2(&wire) {
            return speak_http2(wire, shared, reset).await;
        }
        speak(wire, shared.clone(), "https", reset.clone()).await
    } else {
        speak(wire, shared.clone(), "http", reset.clone()).await
    };
    let Some(tunnel) = tunnel else { return };
    let Ok(inner) = tunnel.await else { return };
    let Ok(inner) = acceptor.accept(TokioIo::new(inner)).await else { return };
    if wants_http2(&inner) {
        return speak_http2(inner, shared, reset).await;
    }
    // A tunnel inside the tunnel is answered and then closed.
    let _ = speak(inner, shared, "https", reset).await;
}

fn wants_http2<S>(stream: &TlsStream<S>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(HTTP2)
}

async fn speak_http2<S>(stream: TlsStream<S>, shared: Arc<Shared>, reset: Arc<AtomicBool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| route::answer(shared.clone(), request, "https", reset.clone()));
    let connection = http2::Builder::new(TokioExecutor::new());
    // How it ended is seen by the client, as with HTTP/1.1.
    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
}

/// Speaks HTTP/1.1; gives the tunnel if the client asked for one.
async fn speak<S>(
    stream: S,
    shared: Arc<Shared>,
    scheme: &'static str,
    reset: Arc<AtomicBool>,
) -> Option<OnUpgrade>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let tunnel = Arc::new(Mutex::new(None));
    let wanted = tunnel.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (shared, reset, wanted) = (shared.clone(), reset.clone(), wanted.clone());
        async move {
            if request.method() == Method::CONNECT {
                let upgrade = hyper::upgrade::on(&mut request);
                *wanted.lock().unwrap_or_else(PoisonError::into_inner) = Some(upgrade);
                let empty = Stream::open(&Body::default(), shared.ledger.clone()).await?;
                return Ok::<_, io::Error>(Response::new(empty));
            }
            route::answer(shared, request, scheme, reset).await
        }
    });
    // Slow clients and half-closed sockets are the client's business on loopback: no timeouts.
    let spoken = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
    spoken.ok()?;
    tunnel.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// The socket, which is reset rather than closed when `reset` is raised.
struct Wire {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Acquire) {
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
