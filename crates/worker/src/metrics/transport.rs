//! A transport that counts.

use super::{GITHUB_REMAINING, Metrics, RECEIVED, REQUESTS};
use catena_http::{Request, Response, Transport, TransportError};
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use http::StatusCode;
use std::sync::Arc;

/// The host whose rate limit is shown.
const GITHUB: &str = "api.github.com";

/// Counts what passes through a transport.
pub struct MeteredTransport {
    inner: Arc<dyn Transport>,
    metrics: Arc<Metrics>,
    /// The host of Taskcluster.
    taskcluster: Option<String>,
}

impl MeteredTransport {
    /// Counts what passes through `inner`. Requests to the host of `root` are Taskcluster's.
    #[must_use]
    pub fn new(inner: Arc<dyn Transport>, metrics: Arc<Metrics>, root: &str) -> Self {
        let taskcluster = url::Url::parse(root).ok().and_then(|url| url.host_str().map(str::to_owned));
        Self { inner, metrics, taskcluster }
    }

    fn service(&self, host: &str) -> &'static str {
        match host {
            GITHUB | "raw.githubusercontent.com" | "github.com" => "github",
            "hg.mozilla.org" => "hg",
            host if self.taskcluster.as_deref() == Some(host) => "taskcluster",
            _ => "other",
        }
    }
}

impl Transport for MeteredTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let host = request.url.host_str().unwrap_or_default().to_owned();
            let service = self.service(&host);
            let answer = self.inner.send(request).await;
            let status = answer.as_ref().map_or("none", |response| class(response.status));
            self.metrics.add(&REQUESTS, &[("service", service), ("status", status)], 1);
            let mut response = answer?;
            let remaining = response.headers.get("x-ratelimit-remaining");
            let remaining = remaining.and_then(|text| text.to_str().ok()?.trim().parse().ok());
            if let Some(remaining) = remaining.filter(|_| host == GITHUB) {
                self.metrics.set(&GITHUB_REMAINING, remaining);
            }
            let metrics = Arc::clone(&self.metrics);
            let counted = response.body.inspect(move |chunk| {
                let bytes = chunk.as_ref().map_or(0, |chunk| u64::try_from(chunk.len()).unwrap_or(u64::MAX));
                metrics.add(&RECEIVED, &[], bytes);
            });
            response.body = counted.boxed();
            Ok(response)
        })
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        500..=599 => "5xx",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderValue, Method};

    /// Answers everything alike.
    struct Answers;

    impl Transport for Answers {
        fn send(&self, _: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
            Box::pin(async {
                let mut headers = HeaderMap::new();
                headers.insert("x-ratelimit-remaining", HeaderValue::from_static("42"));
                let chunks = [Ok("abc".into()), Err(TransportError::passing("broken"))];
                let body = futures_util::stream::iter(chunks).boxed();
                Ok(Response { status: StatusCode::FORBIDDEN, headers, body })
            })
        }
    }

    #[tokio::test]
    async fn what_passes_is_counted() {
        let metrics = Arc::new(Metrics::default());
        let transport = MeteredTransport::new(Arc::new(Answers), Arc::clone(&metrics), "https://tc.example/");
        for host in ["api.github.com", "tc.example", "evil.example"] {
            let url = url::Url::parse(&format!("https://{host}/x")).unwrap();
            let body = bytes::Bytes::new().into();
            let request = Request { method: Method::GET, url, headers: HeaderMap::new(), body };
            assert_eq!(transport.send(request).await.unwrap().body.count().await, 2);
        }
        let text = metrics.text();
        for line in [
            "catena_worker_requests_total{service=\"github\",status=\"4xx\"} 1",
            "catena_worker_requests_total{service=\"taskcluster\",status=\"4xx\"} 1",
            "catena_worker_requests_total{service=\"other\",status=\"4xx\"} 1",
            "catena_worker_received_bytes_total 9",
            "catena_worker_github_requests_remaining 42",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
    }
}
