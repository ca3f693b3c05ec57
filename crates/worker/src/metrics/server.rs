//! Answers probes and scrapes: three paths, one request for each connection.

use super::Metrics;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Connections at the same time. One more is closed at once.
const CONNECTIONS: usize = 16;
/// Bytes of a request's head.
const LARGEST: usize = 8 << 10;
/// From the connection to the end of the answer.
const LIMIT: Duration = Duration::from_secs(5);
/// How long nothing is accepted after the system refuses a connection, for want of descriptors for example.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers until it is dropped.
pub async fn serve(listener: TcpListener, metrics: Arc<Metrics>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else { continue };
        let metrics = Arc::clone(&metrics);
        drop(tokio::spawn(async move {
            let _permit = permit;
            // A client that is slow or gone gets no answer.
            let _ = timeout(LIMIT, answer(stream, &metrics)).await;
        }));
    }
}

async fn answer(mut stream: TcpStream, metrics: &Metrics) -> io::Result<()> {
    let mut head = Vec::with_capacity(1024);
    while !is_whole(&head) && head.len() <= LARGEST {
        if stream.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    stream.write_all(respond(&head, metrics).as_bytes()).await?;
    stream.shutdown().await
}

/// The whole answer to what was received, whatever it is.
#[must_use]
pub fn respond(received: &[u8], metrics: &Metrics) -> String {
    let Answer { status, content_type, body, is_head } = reply(received, metrics);
    let length = body.len();
    let mut text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    if !is_head {
        text.push_str(&body);
    }
    text
}

fn is_whole(head: &[u8]) -> bool {
    head.windows(4).any(|end| end == b"\r\n\r\n")
}

#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: &'static str,
    content_type: &'static str,
    body: String,
    is_head: bool,
}

const PLAIN: &str = "text/plain; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The answer to what was received. Of a request only its first line counts.
fn reply(head: &[u8], metrics: &Metrics) -> Answer {
    let plain = |status: &'static str, body: &str, is_head: bool| Answer {
        status,
        content_type: PLAIN,
        body: format!("{body}\n"),
        is_head,
    };
    if !is_whole(head) {
        let is_large = head.len() > LARGEST;
        let status = if is_large { "431 Request Header Fields Too Large" } else { "400 Bad Request" };
        return plain(status, "malformed request", false);
    }
    let first = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let words: Vec<&[u8]> = first.split(|byte| *byte == b' ').collect();
    let [method, target, b"HTTP/1.0" | b"HTTP/1.1"] = words.as_slice() else {
        return plain("400 Bad Request", "malformed request", false);
    };
    let is_head = *method == b"HEAD";
    if !is_head && *method != b"GET" {
        return plain("405 Method Not Allowed", "only GET and HEAD are supported", false);
    }
    let checked = |why: Option<String>| match why {
        None => plain("200 OK", "ok", is_head),
        Some(why) => plain("503 Service Unavailable", &why, is_head),
    };
    match target.split(|byte| *byte == b'?').next().unwrap_or_default() {
        b"/healthz" => checked(metrics.unhealthy()),
        b"/readyz" => checked(metrics.unready()),
        b"/metrics" => Answer { status: "200 OK", content_type: PROMETHEUS, body: metrics.text(), is_head },
        _ => plain("404 Not Found", "only /healthz, /readyz and /metrics exist", is_head),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::State;

    fn status(head: &str, metrics: &Metrics) -> &'static str {
        reply(head.as_bytes(), metrics).status.split(' ').next().unwrap()
    }

    #[tokio::test]
    async fn three_paths_are_answered() {
        let metrics = Metrics::default();
        let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(status(&get("/healthz"), &metrics), "200");
        assert_eq!(status(&get("/readyz"), &metrics), "503");
        metrics.enter(State::Working);
        assert_eq!(status(&get("/readyz?x"), &metrics), "200");
        assert!(reply(get("/metrics").as_bytes(), &metrics).body.contains("build_info"));
        assert!(reply(b"HEAD /metrics HTTP/1.0\r\n\r\n", &metrics).is_head);
        assert_eq!(status(&get("/"), &metrics), "404");
    }

    #[tokio::test]
    async fn malformed_requests_are_refused() {
        let metrics = Metrics::default();
        for (head, expected) in [
            ("", "400"),
            ("\r\n\r\n", "400"),
            ("GET /metrics\r\n\r\n", "400"),
            ("GET  /metrics HTTP/1.1\r\n\r\n", "400"),
            ("GET /metrics HTTP/2\r\n\r\n", "400"),
            ("POST /metrics HTTP/1.1\r\n\r\n", "405"),
            ("get /metrics HTTP/1.1\r\n\r\n", "405"),
        ] {
            assert_eq!(status(head, &metrics), expected, "{head:?}");
        }
        assert_eq!(status(&"x".repeat(LARGEST + 1), &metrics), "431");
    }

    #[tokio::test]
    async fn idle_clients_neither_hold_the_worker_nor_each_other() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(serve(listener, Arc::default()));
        let mut idle = Vec::new();
        for _ in 0..CONNECTIONS {
            idle.push(TcpStream::connect(address).await.unwrap());
        }
        let ask = async || {
            let mut stream = TcpStream::connect(address).await?;
            stream.write_all(b"GET /healthz HTTP/1.1\r\n\r\n").await?;
            let mut text = String::new();
            stream.read_to_string(&mut text).await.map(|_| text)
        };
        // All places are taken, and the next client is closed without an answer.
        assert!(!ask().await.unwrap_or_default().contains("200 OK"));
        drop(idle);
        let mut answered = String::new();
        for _ in 0..100 {
            answered = ask().await.unwrap_or_default();
            if !answered.is_empty() {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        assert!(
            answered.starts_with("HTTP/1.1 200 OK\r\n") && answered.ends_with("\r\n\r\nok\n"),
            "{answered}"
        );
        server.abort();
    }
}
