//! Redirects of answers.
// Helpers of tests may fail as tests do.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use bytes::Bytes;
use catena_fetch::{Fetcher, Options};
use catena_http::Request;
use catena_model::Limits;
use catena_taskcluster::RootUrl;
use catena_verify::verification::{Fact, Need};
use futures_util::{StreamExt, stream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::*;
use tokio::time::Instant;

fn at(request: &Request) -> &str {
    request.url.as_str()
}

#[tokio::test(start_paused = true)]
async fn the_queue_sends_its_askers_to_a_store() {
    let script = |request: &Request, _: u32| match request.url.host_str() {
        Some("tc.example") => redirect("https://s3.example/bucket/a?X-Amz-Signature=abc"),
        Some("s3.example") => body(301, "").header("location", "https://mirror.example/a"),
        _ => body(200, "bytes"),
    };
    let (fact, requests) = ask(&content("public/a"), script).await;
    assert_eq!((text(&fact).as_str(), requests), ("bytes", 3));
    // The store's form of absence for the object counts, and its text contains nothing of the
    // signature.
    for code in [403, 404, 500] {
        let script = move |request: &Request, _: u32| match request.url.host_str() {
            Some("tc.example") => redirect("https://s3.example/bucket/a?X-Amz-Signature=abc"),
            _ => body(code, "<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>"),
        };
        let (fact, _) = ask(&content("public/a"), script).await;
        assert!(!format!("{fact:?}").contains("abc"));
        match code {
            403 => assert!(matches!(fact, Fact::Refused { status: 403, .. })),
            404 => assert!(matches!(fact, Fact::Absent { status: 404, .. })),
            _ => assert_eq!(unreachable(&fact).1, 5),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_artifacts_redirect_to_another_host() {
    for need in [status(), commit(), Need::Projects { url: "https://raw.example/projects.yml".to_owned() }] {
        let (fact, requests) = ask(&need, |_, _| redirect("https://evil.example/x?y")).await;
        let reason = "a redirect to another host, https://evil.example/x".to_owned();
        assert_eq!((unreachable(&fact), requests), ((reason, 1), 1));
    }
    let renamed = |request: &Request, _: u32| {
        if at(request).contains("/repositories/") {
            body(200, "{}")
        } else {
            redirect("/repositories/7/commits/0a")
        }
    };
    let (fact, requests) = ask(&commit(), renamed).await;
    assert_eq!((text(&fact).as_str(), requests), ("{}", 2));
}

#[tokio::test(start_paused = true)]
async fn redirects_end() {
    let circle = |request: &Request, _: u32| {
        redirect(if at(request).ends_with("/1") { "https://s3.example/2" } else { "https://s3.example/1" })
    };
    let (fact, requests) = ask(&content("public/a"), circle).await;
    assert_eq!(unreachable(&fact), ("redirects in a circle, at https://s3.example/1".to_owned(), 1));
    assert_eq!(requests, 3);
    let (fact, _) = ask(&content("public/a"), |request, _| redirect(at(request).to_owned())).await;
    assert!(unreachable(&fact).0.starts_with("redirects in a circle"));
    let onward = |request: &Request, _: u32| {
        let number: u32 = request.url.path().trim_start_matches('/').parse().unwrap_or(0);
        redirect(format!("https://s3.example/{}", number + 1))
    };
    let (fact, requests) = ask(&content("public/a"), onward).await;
    assert_eq!((unreachable(&fact), requests), (("more than 5 redirects".to_owned(), 1), 6));
}

#[tokio::test(start_paused = true)]
async fn redirects_never_weaken_or_leave_http() {
    for (to, reason) in [
        ("http://s3.example/a", "a redirect from https to http"),
        ("http://127.0.0.1/a", "a redirect from https to http"),
        ("file:///etc/passwd", "a redirect to the scheme \"file\""),
        ("ftp://s3.example/a", "a redirect to the scheme \"ftp\""),
        ("https://user:pass@s3.example/a", "a redirect to an address with user information"),
        ("https://", "a redirect to a malformed address"),
    ] {
        let (fact, requests) = ask(&content("public/a"), move |_, _| redirect(to)).await;
        assert_eq!((unreachable(&fact), requests), ((reason.to_owned(), 1), 1), "{to}");
    }
    let (fact, _) = ask(&content("public/a"), |_, _| body(303, "")).await;
    assert_eq!(unreachable(&fact).0, "a redirect without a location");
}

#[tokio::test(start_paused = true)]
async fn plain_http_is_for_this_machine() {
    let asked = async |root: &str, danger_allow_http| {
        let transport = Scripted::new(|_, _| body(200, "{}"));
        let options = Options { danger_allow_http, ..Options::default() };
        let root = RootUrl::parse(root).unwrap();
        let fetcher = Fetcher::new(transport.clone(), root, Limits::default(), options);
        (fetcher.answer(&status(), soon()).await, transport.count())
    };
    for here in ["http://127.0.0.1:8600", "http://localhost:8600", "http://[::1]:8600"] {
        assert_eq!(asked(here, false).await.1, 1, "{here}");
    }
    for there in
        ["http://tc.example", "http://192.168.0.1", "http://0.0.0.0:8600", "http://localhost.tc.example"]
    {
        let (fact, requests) = asked(there, false).await;
        assert!(unreachable(&fact).0.starts_with("plain http is only for this machine"), "{there}");
        assert_eq!(requests, 0, "{there}");
        assert_eq!(asked(there, true).await.1, 1, "{there}");
    }
    // Nor may this machine redirect elsewhere without TLS.
    let transport = Scripted::new(|_, _| redirect("http://s3.example/a"));
    let root = RootUrl::parse("http://127.0.0.1:8600").unwrap();
    let fetcher = Fetcher::new(transport.clone(), root, Limits::default(), Options::default());
    let fact = fetcher.answer(&content("public/a"), soon()).await;
    assert!(unreachable(&fact).0.starts_with("plain http is only for this machine"));
}

/// The part of a redirect's body that was read: chunks of 4 KiB, `count` of them or endless, each after
/// `wait`.
async fn read_of_redirect(count: Option<usize>, wait: Duration) -> (usize, Duration) {
    let read = Arc::new(AtomicUsize::new(0));
    let seen = read.clone();
    let script = move |request: &Request, _: u32| {
        if request.url.host_str() != Some("tc.example") {
            return body(200, "bytes");
        }
        let seen = seen.clone();
        let words = stream::repeat_with(|| Ok(Bytes::from(vec![b' '; 4096])))
            .take(count.unwrap_or(usize::MAX))
            .then(move |chunk| {
                let seen = seen.clone();
                async move {
                    tokio::time::sleep(wait).await;
                    seen.fetch_add(1, Ordering::SeqCst);
                    chunk
                }
            });
        Reply::Answer(303, vec![("location", "https://s3.example/a".to_owned())], words.boxed())
    };
    let began = Instant::now();
    let (fact, _) = ask(&content("public/a"), script).await;
    assert_eq!(text(&fact), "bytes");
    (read.load(Ordering::SeqCst), began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn redirect_bodies_are_read_so_that_connections_are_reused() {
    assert_eq!(read_of_redirect(Some(3), Duration::ZERO).await.0, 3);
    // As long as it is short, and arrives without delay.
    assert_eq!(read_of_redirect(None, Duration::ZERO).await.0, 5);
    let (read, took) = read_of_redirect(Some(3), Duration::from_secs(1)).await;
    assert!(read == 0 && took < Duration::from_millis(200), "{took:?}");
}
