//! Over real sockets: TLS, proxies, and faults in transit.
// Helpers of tests may fail as tests do.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use catena_fetch::{Fetcher, Options};
use catena_http::{
    HttpOptions, HttpSetupError, HttpTransport, Proxy, Request, RequestBody, Secret, Transport,
};
use catena_model::Limits;
use catena_model::source::RepositoryUrl;
use catena_taskcluster::{RootUrl, TaskclusterCredentials};
use catena_testbed::{Artifact, Fault, Page, Run, Site, Task, Testbed};
use catena_verify::verification::{Fact, Need, TreeFile};
use http::{HeaderMap, Method};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use support::*;
use url::Url;

const HG: &str = "https://hg.mozilla.org/mozilla-central";

fn site() -> Site {
    let mut run = Run::default();
    run.artifacts.insert("public/log.txt".to_owned(), Artifact::new("a log ".repeat(10_000), "text/plain"));
    run.artifacts.insert("public/a.bin".to_owned(), Artifact::new("binary".repeat(10_000), "application/x"));
    run.artifacts.insert("private/a b".to_owned(), Artifact::new("hush", "text/plain"));
    let mut task = Task { definition: "{}".into(), status: "{\"status\": {}}".into(), ..Task::default() };
    task.runs.insert(0, run);
    let mut site = Site { gzip: true, github_token: Some("ghs_testbed".to_owned()), ..Site::new() };
    site.tasks.insert(TASK.to_owned(), task);
    let template = format!("{HG}/raw-file/{}/.taskcluster.yml", revision());
    site.pages.insert(template, Page::new("version: 1\n", "text/plain"));
    let api = format!("https://api.github.com/repos/{}/commits/{}", repository(), revision());
    site.pages.insert(api, Page::new("{}", "application/json"));
    site
}

fn template() -> Need {
    Need::HgFile {
        repository: RepositoryUrl::parse(HG).unwrap(),
        revision: revision(),
        file: TreeFile::TaskclusterYml,
    }
}

/// A fetcher without waits, for tests in real time.
fn on(root: &str, http: &HttpOptions, limits: Limits) -> Fetcher {
    let options = Options { backoff: Duration::from_millis(1), ..Options::default() };
    let transport = Arc::new(HttpTransport::new(http).unwrap());
    Fetcher::new(transport, RootUrl::parse(root).unwrap(), limits, options)
}

fn direct(testbed: &Testbed) -> Fetcher {
    let http = HttpOptions { proxy: Proxy::Direct, ..HttpOptions::default() };
    on(&testbed.root_url(), &http, Limits { answer_bytes: 1 << 20, ..Limits::default() })
}

fn through(testbed: &Testbed, ca_file: Option<&Path>) -> HttpOptions {
    let proxy = Proxy::Through(Url::parse(&testbed.proxy_url()).unwrap());
    HttpOptions { proxy, ca_file: ca_file.map(Path::to_owned), ..HttpOptions::default() }
}

#[tokio::test]
async fn an_artifact_through_the_store() {
    let testbed = Testbed::start(site()).await.unwrap();
    let fetcher = direct(&testbed);
    assert_eq!(text(&fetcher.answer(&content("public/log.txt"), soon()).await), "a log ".repeat(10_000));
    assert!(matches!(
        fetcher.answer(&artifact("public/none"), soon()).await,
        Fact::Absent { status: 404, .. }
    ));
    let statistics = fetcher.statistics();
    assert_eq!((statistics.requests, statistics.redirects, statistics.retries), (3, 1, 0));
    assert!(statistics.received < 1_000 + 400 && statistics.decoded >= 60_000, "{statistics:?}");
}

#[tokio::test]
async fn a_private_artifact_needs_a_signature() {
    let testbed = Testbed::start(site()).await.unwrap();
    let need = content("private/a b");
    assert!(matches!(direct(&testbed).answer(&need, soon()).await, Fact::Refused { status: 403, .. }));
    let token = Secret::new("GBEQTf20RJ-4HCLo8Y6fvgLyNzREdhRZSuRyc7VAgXHw".to_owned());
    let credentials = TaskclusterCredentials::new("me".to_owned(), token, None).unwrap();
    let fetcher = direct(&testbed).with_taskcluster(Some(credentials));
    assert_eq!(text(&fetcher.answer(&need, soon()).await), "hush");
    let stored = testbed.requests().into_iter().filter(|request| request.url.contains("/_store/"));
    assert!(stored.map(|request| request.authorization).all(|authorization| authorization.is_none()));
}

#[tokio::test]
async fn broken_transfers_are_retried() {
    for fault in [
        Fault::Reset { after: 20 },
        Fault::Truncate { after: 20 },
        Fault::Status(503),
        Fault::Encoding("gzip".to_owned()),
    ] {
        let testbed = Testbed::start(site()).await.unwrap();
        testbed.fault("/_store/*", 1..=2, fault.clone());
        let fetcher = direct(&testbed);
        let fact = fetcher.answer(&content("public/a.bin"), soon()).await;
        assert_eq!(text(&fact).len(), 60_000, "{fault:?}");
        assert_eq!(fetcher.statistics().retries, 2, "{fault:?}");
        // Each attempt starts at the queue: a signed address may have expired in the meantime.
        assert_eq!(testbed.stats().requests, 6, "{fault:?}");
    }
}

#[tokio::test]
async fn permanent_faults_are_unreachable() {
    let testbed = Testbed::start(site()).await.unwrap();
    testbed.fault("/_store/*", 1.., Fault::Truncate { after: 20 });
    let (_, attempts) = unreachable(&direct(&testbed).answer(&artifact("public/log.txt"), soon()).await);
    assert_eq!(attempts, 5);
    let gone = HttpOptions { proxy: Proxy::Direct, ..HttpOptions::default() };
    let fact = on("http://127.0.0.1:1", &gone, Limits::default()).answer(&status(), soon()).await;
    let (reason, attempts) = unreachable(&fact);
    assert!(reason.contains("refused") && attempts == 5, "{reason}");
}

/// A testbed that speaks HTTP/2, and a fetcher that trusts it, with its CA in `folder`.
async fn over_http2(folder: &Path) -> (Testbed, Fetcher) {
    let options = catena_testbed::Options { http2: true, ..Default::default() };
    let testbed = Testbed::start_with(site(), options).await.unwrap();
    let ca_file = folder.join("ca.pem");
    std::fs::write(&ca_file, testbed.ca_pem()).unwrap();
    let http = HttpOptions { proxy: Proxy::Direct, ca_file: Some(ca_file), ..HttpOptions::default() };
    let fetcher = on(&testbed.tls_root_url(), &http, Limits::default());
    (testbed, fetcher)
}

#[tokio::test]
async fn everything_goes_over_one_connection_where_http2_is_spoken() {
    let folder = tempfile::tempdir().unwrap();
    let (testbed, fetcher) = over_http2(folder.path()).await;
    assert_eq!(text(&fetcher.answer(&status(), soon()).await), "{\"status\": {}}");
    let needs =
        [content("public/log.txt"), artifact("public/a.bin"), content("private/a b"), content("public/none")];
    let facts = futures_util::future::join_all(needs.iter().map(|need| fetcher.answer(need, soon()))).await;
    assert_eq!(text(&facts[0]), "a log ".repeat(10_000));
    assert!(matches!(facts[1], Fact::Measured(measured) if measured.length == 60_000), "{facts:?}");
    assert!(matches!(facts[2], Fact::Refused { status: 403, .. }), "{facts:?}");
    assert!(matches!(facts[3], Fact::Absent { status: 404, .. }), "{facts:?}");
    assert!(testbed.requests().iter().all(|request| request.http2));
    assert_eq!((testbed.stats().requests, testbed.stats().connections), (7, 1));
}

/// An HTTP/2 server limits the concurrent requests per connection: a client with three times as many
/// must not wait three times as long.
#[tokio::test]
async fn more_requests_than_share_a_connection_go_over_others() {
    let options = catena_testbed::Options { http2: true, ..Default::default() };
    let testbed = Testbed::start_with(site(), options).await.unwrap();
    testbed.fault("/api/*", .., Fault::Silence);
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, testbed.ca_pem()).unwrap();
    let http = HttpOptions { proxy: Proxy::Direct, ca_file: Some(ca_file), ..HttpOptions::default() };
    let transport = HttpTransport::new(&http).unwrap();
    let root = Url::parse(&testbed.tls_root_url()).unwrap();
    let ask = |number: usize| {
        let url = root.join(&format!("/api/{number}")).unwrap();
        let request =
            Request { method: Method::GET, url, headers: HeaderMap::new(), body: RequestBody::Empty };
        let transport = transport.clone();
        async move { transport.send(request).await.map(|_| ()) }
    };
    let asked = tokio::spawn(futures_util::future::join_all((0..320).map(ask)));
    let arrived = async {
        while testbed.stats().requests < 320 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let all = tokio::time::timeout(Duration::from_secs(20), arrived).await;
    assert!(all.is_ok(), "only {} of 320 arrived", testbed.stats().requests);
    assert!(testbed.stats().connections >= 4);
    asked.abort();
    let _ = asked.await;
    // No request is pending any more, so that all further ones share one connection again.
    testbed.clear_faults();
    let before = testbed.stats().connections;
    for number in 0..200 {
        ask(number).await.unwrap();
    }
    assert_eq!(testbed.stats().connections, before);
}

#[tokio::test]
async fn broken_http2_transfers_are_retried() {
    for fault in [Fault::Reset { after: 20 }, Fault::Truncate { after: 20 }, Fault::Status(503)] {
        let folder = tempfile::tempdir().unwrap();
        let (testbed, fetcher) = over_http2(folder.path()).await;
        testbed.fault("/_store/*", 1..=2, fault.clone());
        let fact = fetcher.answer(&content("public/a.bin"), soon()).await;
        assert_eq!(text(&fact).len(), 60_000, "{fault:?}");
        assert_eq!(fetcher.statistics().retries, 2, "{fault:?}");
    }
}

#[tokio::test]
async fn nothing_larger_than_its_limit_is_taken() {
    for fault in [Fault::Endless, Fault::GzipBomb { unpacked: 1 << 30 }] {
        let testbed = Testbed::start(site()).await.unwrap();
        testbed.fault("/_store/*", 1.., fault.clone());
        let fact = direct(&testbed).answer(&content("public/a.bin"), soon()).await;
        let limit = "the answer is larger than the limit of 1048576 bytes".to_owned();
        assert_eq!(unreachable(&fact), (limit, 1), "{fault:?}");
        assert_eq!(testbed.stats().requests, 2, "{fault:?}");
    }
}

#[tokio::test]
async fn a_redirect_down_from_tls_is_refused() {
    let testbed = Testbed::start(site()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, testbed.ca_pem()).unwrap();
    let http = HttpOptions { proxy: Proxy::Direct, ..through(&testbed, Some(&ca)) };
    testbed.fault("*/artifacts/*", 1.., Fault::Redirect(format!("{}/_store/x", testbed.root_url())));
    let fetcher = on(&testbed.tls_root_url(), &http, Limits::default());
    let fact = fetcher.answer(&content("public/log.txt"), soon()).await;
    assert_eq!(unreachable(&fact), ("a redirect from https to http".to_owned(), 1));
}

#[tokio::test]
async fn a_private_authority_behind_a_proxy() {
    let testbed = Testbed::start(site()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, testbed.ca_pem()).unwrap();
    let fetcher = on(&testbed.root_url(), &through(&testbed, Some(&ca)), Limits::default());
    assert_eq!(text(&fetcher.answer(&template(), soon()).await), "version: 1\n");
    assert_eq!(text(&fetcher.answer(&status(), soon()).await), "{\"status\": {}}");
    // An untrusted authority stays untrusted on a retry.
    let fact = on(&testbed.root_url(), &through(&testbed, None), Limits::default())
        .answer(&template(), soon())
        .await;
    let (reason, attempts) = unreachable(&fact);
    assert!(attempts == 1, "{reason}");
}

#[tokio::test]
async fn a_proxy_behind_tls_is_not_spoken_to_in_http2() {
    let options = catena_testbed::Options { http2: true, ..Default::default() };
    let testbed = Testbed::start_with(site(), options).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, testbed.ca_pem()).unwrap();
    let proxy = Proxy::Through(Url::parse(&testbed.tls_root_url()).unwrap());
    let options = HttpOptions { proxy, ..through(&testbed, Some(&ca)) };
    let fetcher = on(&testbed.root_url(), &options, Limits::default());
    assert_eq!(text(&fetcher.answer(&template(), soon()).await), "version: 1\n");
}

#[test]
fn a_file_without_certificates_is_a_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "nothing\n").unwrap();
    for path in [empty, folder.path().join("none.pem")] {
        let options = HttpOptions { ca_file: Some(path), ..HttpOptions::default() };
        assert!(matches!(HttpTransport::new(&options), Err(HttpSetupError::CaFile { .. })));
    }
}

/// Runs one of the tests below, which are otherwise ignored, in its own environment.
async fn in_environment(test: &str, environment: Vec<(&'static str, String)>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
        command.env_remove(name).env_remove(name.to_ascii_lowercase());
    }
    command.args(["--ignored", "--exact", test]).envs(environment);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[tokio::test]
async fn the_environment_names_proxy_and_authority() {
    let testbed = Testbed::start(site()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, testbed.ca_pem()).unwrap();
    let environment = vec![
        ("HTTPS_PROXY", testbed.proxy_url()),
        // No server listens there: requests to this machine must not use it.
        ("HTTP_PROXY", "http://127.0.0.1:1".to_owned()),
        ("NO_PROXY", "127.0.0.1".to_owned()),
        ("SSL_CERT_FILE", ca.display().to_string()),
        ("CATENA_TEST_ROOT", testbed.root_url()),
    ];
    in_environment("child_with_proxy", environment).await;
    assert!(testbed.requests().iter().any(|request| request.url.starts_with(HG)));
}

#[tokio::test]
#[ignore = "run by the_environment_names_proxy_and_authority"]
async fn child_with_proxy() {
    let root = std::env::var("CATENA_TEST_ROOT").unwrap();
    let fetcher = on(&root, &HttpOptions::default(), Limits::default());
    assert_eq!(text(&fetcher.answer(&template(), soon()).await), "version: 1\n");
    assert_eq!(text(&fetcher.answer(&status(), soon()).await), "{\"status\": {}}");
}

#[tokio::test]
async fn a_socks_proxy_in_the_environment_is_refused_in_words() {
    let environment = vec![("ALL_PROXY", "socks5://127.0.0.1:1".to_owned())];
    in_environment("child_with_socks", environment).await;
}

#[tokio::test]
#[ignore = "run by a_socks_proxy_in_the_environment_is_refused_in_words"]
async fn child_with_socks() {
    let fetcher = on("https://tc.example", &HttpOptions::default(), Limits::default());
    let fact = fetcher.answer(&status(), soon()).await;
    let told = "the proxy speaks socks5, and only http and https proxies can be used";
    assert_eq!(unreachable(&fact), (told.to_owned(), 1));
}

#[tokio::test]
async fn without_any_root_only_tls_fails() {
    let testbed = Testbed::start(site()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let environment =
        vec![("SSL_CERT_DIR", folder.path().display().to_string()), ("CATENA_TEST_ROOT", testbed.root_url())];
    in_environment("child_without_roots", environment).await;
}

#[tokio::test]
async fn a_file_of_the_environment_without_certificates_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for path in [empty, folder.path().join("none.pem")] {
        let environment = vec![("SSL_CERT_FILE", path.display().to_string())];
        in_environment("child_with_an_unusable_authority", environment).await;
    }
}

#[test]
#[ignore = "run by a_file_of_the_environment_without_certificates_is_refused"]
fn child_with_an_unusable_authority() {
    let made = HttpTransport::new(&HttpOptions::default());
    assert!(matches!(made, Err(HttpSetupError::CaFile { .. })));
}

#[tokio::test]
#[ignore = "run by without_any_root_only_tls_fails"]
async fn child_without_roots() {
    let root = std::env::var("CATENA_TEST_ROOT").unwrap();
    let fetcher = on(&root, &HttpOptions::default(), Limits::default());
    assert_eq!(text(&fetcher.answer(&status(), soon()).await), "{\"status\": {}}");
    let (reason, attempts) = unreachable(&fetcher.answer(&template(), soon()).await);
    assert!(reason.starts_with("no trusted root certificate could be loaded"), "{reason}");
    assert_eq!(attempts, 1);
}
