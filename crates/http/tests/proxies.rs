//! What a proxy receives, and what it does not.
// Helpers of tests may fail as tests do.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use catena_http::{
    HttpOptions, HttpSetupError, HttpTransport, Proxy, Request, RequestBody, Transport, TransportError,
    TransportErrorKind,
};
use futures_util::TryStreamExt;
use http::{HeaderMap, Method};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

/// A proxy that gives the same answer to every request, and records the requests.
async fn proxy(answer: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(head).unwrap()
    });
    (address, heard)
}

/// Sends a request through a proxy; returns the body of the answer.
async fn ask(proxy: &str, url: &str) -> Result<String, TransportError> {
    let options = HttpOptions {
        proxy: Proxy::Through(Url::parse(proxy).unwrap()),
        connect_timeout: Duration::from_secs(5),
        ca_file: None,
    };
    let transport = HttpTransport::new(&options).unwrap();
    let (url, headers) = (Url::parse(url).unwrap(), HeaderMap::new());
    let response =
        transport.send(Request { method: Method::GET, url, headers, body: RequestBody::Empty }).await?;
    let chunks: Vec<_> = response.body.try_collect().await?;
    Ok(String::from_utf8(chunks.concat()).unwrap())
}

/// The lines of a head, with header names in lowercase.
fn lines(head: &str) -> Vec<String> {
    let line = |line: &str| match line.split_once(": ") {
        Some((name, value)) => format!("{}: {value}", name.to_ascii_lowercase()),
        None => line.to_owned(),
    };
    head.trim_end().lines().map(line).collect()
}

const CREDENTIALS: &str = "proxy-authorization: Basic bWU6c2VjcmV0";

#[tokio::test]
async fn plain_http_is_handed_over_with_its_whole_address() {
    let (address, heard) = proxy("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    let answer = ask(&format!("http://me:secret@{address}"), "http://tc.example/api/x?y=%20z").await;
    assert_eq!(answer.unwrap(), "{}");
    let heard = lines(&heard.await.unwrap());
    assert_eq!(heard[0], "GET http://tc.example/api/x?y=%20z HTTP/1.1");
    for line in ["host: tc.example", CREDENTIALS] {
        assert!(heard.iter().any(|heard| heard == line), "{line} in {heard:?}");
    }
    assert!(heard.iter().any(|line| line.starts_with("user-agent: catena/")), "{heard:?}");
}

#[tokio::test]
async fn https_goes_through_a_tunnel_of_which_the_proxy_knows_the_host_alone() {
    let (address, heard) = proxy("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    let answer = ask(&format!("http://me:secret@{address}"), "https://tc.example/api/x?y=z").await;
    let error = answer.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Passing);
    let told = format!("cannot connect to tc.example through the proxy {address}: ");
    assert!(error.message.starts_with(&told) && !error.message.contains("secret"), "{error}");
    let heard = lines(&heard.await.unwrap());
    assert_eq!(heard[0], "CONNECT tc.example:443 HTTP/1.1");
    assert!(heard.iter().any(|line| line == CREDENTIALS), "{heard:?}");
    assert!(!heard.iter().any(|line| line.contains("/api/")), "{heard:?}");
}

#[tokio::test]
async fn loopback_bypasses_the_proxy() {
    let (address, heard) = proxy("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhere").await;
    let answer = ask("http://me:secret@192.0.2.1:3128", &format!("http://{address}/x")).await;
    assert_eq!(answer.unwrap(), "here");
    let heard = lines(&heard.await.unwrap());
    assert_eq!(heard[0], "GET /x HTTP/1.1");
    assert!(!heard.iter().any(|line| line.starts_with("proxy-authorization")), "{heard:?}");
}

#[test]
fn a_proxy_that_does_not_speak_http_is_a_mistake() {
    for scheme in ["socks5", "ftp"] {
        let proxy = Proxy::Through(Url::parse(&format!("{scheme}://127.0.0.1:1080")).unwrap());
        let told = format!("the proxy speaks {scheme}, and only http and https proxies can be used");
        let set_up = HttpTransport::new(&HttpOptions { proxy, ..HttpOptions::default() });
        assert_eq!(set_up.unwrap_err(), HttpSetupError::Client(told));
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_never_shakes_hands_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let options =
        HttpOptions { connect_timeout: Duration::from_secs(10), proxy: Proxy::Direct, ca_file: None };
    let transport = HttpTransport::new(&options).unwrap();
    let (url, headers) = (Url::parse(&url).unwrap(), HeaderMap::new());
    let begun = tokio::time::Instant::now();
    let error = transport
        .send(Request { method: Method::GET, url, headers, body: RequestBody::Empty })
        .await
        .unwrap_err();
    assert!(error.kind == TransportErrorKind::Passing && error.message.contains("too long"), "{error}");
    assert!(error.message.starts_with("cannot connect to 127.0.0.1:"), "{error}");
    assert_eq!(begun.elapsed().as_secs(), 10);
}
