//! Which services receive credentials, and the effect of GitHub's limits.
// Helpers of tests may fail as tests do.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use catena_fetch::{Fetcher, Options};
use catena_http::{Request, RequestBody, Secret};
use catena_taskcluster::TaskclusterCredentials;
use catena_verify::verification::{Fact, Need, TreeFile};
use http::Method;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use support::*;
use tokio::time::Instant;

const ACCESS_TOKEN: &str = "GBEQTf20RJ-4HCLo8Y6fvgLyNzREdhRZSuRyc7VAgXHw";

fn taskcluster() -> Option<TaskclusterCredentials> {
    Some(TaskclusterCredentials::new("me".to_owned(), Secret::new(ACCESS_TOKEN.to_owned()), None).unwrap())
}

fn token(text: &str) -> Option<Secret> {
    Some(Secret::new(text.to_owned()))
}

fn authorization(request: &Request) -> Option<&str> {
    request.headers.get("authorization").map(|value| value.to_str().unwrap())
}

fn everyone(fetcher: Fetcher) -> Fetcher {
    fetcher.with_taskcluster(taskcluster()).with_github_token(token("ghp_environment"))
}

#[tokio::test(start_paused = true)]
async fn a_signed_request_is_not_forwarded() {
    let transport = Scripted::new(|request, _| match (request.url.host_str(), request.url.path()) {
        (Some("tc.example"), "/elsewhere") => redirect("https://s3.example/a"),
        (Some("tc.example"), _) => redirect("/elsewhere"),
        _ => body(200, "x"),
    });
    everyone(fetcher(&transport)).answer(&content("private/a"), soon()).await;
    let sent = transport.sent();
    assert_eq!(sent.len(), 3);
    assert!(authorization(&sent[0]).unwrap().starts_with("Hawk id=\"me\""));
    assert!(sent[0].headers["authorization"].is_sensitive());
    assert_eq!((authorization(&sent[1]), authorization(&sent[2])), (None, None));
    assert!(!format!("{sent:?}").contains(ACCESS_TOKEN));
}

#[tokio::test(start_paused = true)]
async fn credentials_go_to_their_service_only() {
    let transport = Scripted::new(|_, _| body(200, "x"));
    let fetcher = everyone(fetcher(&transport));
    let hg = catena_model::source::RepositoryUrl::parse("https://hg.mozilla.org/mozilla-central").unwrap();
    for need in [
        Need::Projects { url: "https://raw.githubusercontent.com/a/b/main/projects.yml".to_owned() },
        Need::HgFile { repository: hg, revision: revision(), file: TreeFile::TaskclusterYml },
        Need::BranchCommits { repository: repository(), revision: revision() },
        // Neither another port of the trusted service, nor another scheme.
        Need::Projects { url: "https://tc.example:444/x".to_owned() },
        Need::Projects { url: "https://api.github.com/x".to_owned() },
    ] {
        fetcher.answer(&need, soon()).await;
    }
    assert_eq!(transport.count(), 5);
    assert!(transport.sent().iter().all(|request| authorization(request).is_none()));
}

#[tokio::test(start_paused = true)]
async fn githubs_token_is_for_its_api_only() {
    let transport = Scripted::new(|request, _| {
        if request.url.path().starts_with("/repositories/") {
            body(200, "{}")
        } else {
            redirect("/repositories/7")
        }
    });
    let fetcher = fetcher(&transport).with_github_token(token("ghp_environment"));
    fetcher.answer(&commit(), soon()).await;
    for request in transport.sent() {
        assert_eq!(authorization(&request), Some("Bearer ghp_environment"));
        assert!(request.headers["authorization"].is_sensitive());
    }
}

/// Taskcluster's auth service, and GitHub's API.
fn world(auth: u16) -> Arc<Scripted> {
    Scripted::new(move |request, _| match request.url.path() {
        "/api/auth/v1/github/read/mozilla-mobile/repo-token" if auth == 200 => {
            body(200, r#"{"token": "ghs_installation", "expires": "2030-01-01T00:00:00Z"}"#)
        }
        "/api/auth/v1/github/read/mozilla-mobile/repo-token" => {
            body(auth, r#"{"code": "ResourceNotFound", "message": "no such app"}"#)
        }
        _ => body(200, "{}"),
    })
}

#[tokio::test(start_paused = true)]
async fn taskcluster_hands_out_a_token_for_each_repository_once() {
    let transport = world(200);
    let fetcher = everyone(fetcher(&transport));
    let (commit, repository) = (commit(), Need::Repository { repository: repository() });
    tokio::join!(fetcher.answer(&commit, soon()), fetcher.answer(&repository, soon()));
    let sent = transport.sent();
    let (asked, answered): (Vec<_>, Vec<_>) = sent.iter().partition(|request| request.method == Method::POST);
    assert_eq!((asked.len(), answered.len()), (1, 2));
    assert!(authorization(asked[0]).unwrap().starts_with("Hawk "));
    let RequestBody::Bytes(body) = &asked[0].body else { panic!("{:?}", asked[0].body) };
    let wanted: serde_json::Value = serde_json::from_slice(body).unwrap();
    assert_eq!(
        wanted,
        serde_json::json!({"repositories": ["firefox-ios"], "permissions": {"contents": "read", "metadata": "read", "pull_requests": "read"}})
    );
    assert!(answered.iter().all(|request| authorization(request) == Some("Bearer ghs_installation")));
}

#[tokio::test(start_paused = true)]
async fn without_one_the_environments_token_is_used() {
    for auth in [403, 404, 400] {
        let transport = world(auth);
        everyone(fetcher(&transport)).answer(&commit(), soon()).await;
        let sent = transport.sent();
        assert_eq!(sent.len(), 2);
        assert_eq!(authorization(&sent[1]), Some("Bearer ghp_environment"));
    }
    // Without credentials no token is requested.
    let transport = world(200);
    fetcher(&transport).with_github_token(token("ghp_environment")).answer(&commit(), soon()).await;
    assert_eq!(transport.count(), 1);
}

fn seconds_from_now(seconds: u64) -> String {
    (SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + seconds).to_string()
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_waited_for() {
    let transport = Scripted::new(|_, times| {
        if times == 1 {
            body(403, r#"{"message": "API rate limit exceeded"}"#)
                .header("x-ratelimit-remaining", "0")
                .header("x-ratelimit-reset", seconds_from_now(100))
        } else {
            body(200, "{}").header("x-ratelimit-remaining", "59")
        }
    });
    let (fetcher, began) = (fetcher(&transport), Instant::now());
    assert_eq!(text(&fetcher.answer(&commit(), soon()).await), "{}");
    let waited = began.elapsed().as_secs();
    assert!((98..=103).contains(&waited), "{waited}");
    assert_eq!(fetcher.statistics().remaining["api.github.com"], 59);
    // It did not count as a failed attempt.
    assert_eq!((transport.count(), fetcher.statistics().retries), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_beyond_the_deadline_is_not() {
    let transport = Scripted::new(|_, _| {
        body(200, "{}")
            .header("x-ratelimit-remaining", "0")
            .header("x-ratelimit-reset", seconds_from_now(3000))
    });
    let (fetcher, began) = (fetcher(&transport), Instant::now());
    assert_eq!(text(&fetcher.answer(&commit(), soon()).await), "{}");
    // The next would hit the limit, and is not sent.
    let fact = fetcher.answer(&Need::Repository { repository: repository() }, soon()).await;
    let (reason, attempts) = unreachable(&fact);
    assert!(reason.starts_with("the rate limit of api.github.com is used up for another "), "{reason}");
    assert_eq!((attempts, transport.count(), began.elapsed()), (0, 1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_that_never_ends_does() {
    let transport = Scripted::new(|_, _| body(429, "").header("retry-after", "1"));
    let fact = fetcher(&transport).answer(&commit(), soon()).await;
    assert_eq!(unreachable(&fact).1, 0, "a limit is no failed attempt");
    assert_eq!(transport.count(), 1 + usize::try_from(Options::default().rate_limit_waits).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_not_a_rate_limit() {
    let (fact, requests) = ask(&commit(), |_, _| body(403, "{}").header("x-ratelimit-remaining", "10")).await;
    assert!(matches!(fact, Fact::Refused { status: 403, .. }));
    assert_eq!(requests, 1);
    let (fact, requests) = ask(&status(), |_, _| body(403, "{}").header("x-ratelimit-remaining", "0")).await;
    assert!(matches!(fact, Fact::Refused { status: 403, .. }));
    assert_eq!(requests, 1);
}
