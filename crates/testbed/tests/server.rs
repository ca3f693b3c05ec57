//! The server as a client meets it: shapes of the queue, TLS through the proxy, faults, counts.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // tests

use bytes::Bytes;
use catena_testbed::{Artifact, Body, Fault, Latency, Options, Page, Run, Site, Task, Testbed};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const TASK: &str = "HVGxJwoXRvyWl1smMWDf-g";

/// What came back, headers lowercased.
struct Reply {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
    /// How the connection ended.
    end: Result<(), ErrorKind>,
}

impl Reply {
    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn address(testbed: &Testbed) -> String {
    testbed.root_url().trim_start_matches("http://").to_owned()
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> Reply {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).await.map(drop).map_err(|cause| cause.kind());
    let split = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("a whole head");
    let head = String::from_utf8(bytes[..split].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let header = |line: &str| line.split_once(": ").map(|(k, v)| (k.to_lowercase(), v.to_owned()));
    Reply { status, headers: lines.filter_map(header).collect(), body: bytes[split + 4..].to_vec(), end }
}

async fn request(testbed: &Testbed, method: &str, target: &str, extra: &str) -> Reply {
    let address = address(testbed);
    let stream = TcpStream::connect(&address).await.unwrap();
    let text = format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{extra}\r\n");
    exchange(stream, &text).await
}

async fn get(testbed: &Testbed, target: &str) -> Reply {
    request(testbed, "GET", target, "").await
}

async fn tls(testbed: &Testbed, stream: TcpStream, host: &str) -> TlsStream<TcpStream> {
    use rustls::pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(rustls::pki_types::CertificateDer::from_pem_slice(testbed.ca_pem().as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = host.to_owned().try_into().unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

async fn get_through_proxy(testbed: &Testbed, host: &str, target: &str) -> Reply {
    let mut stream = TcpStream::connect(address(testbed)).await.unwrap();
    let connect = format!("CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n");
    stream.write_all(connect.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&head));
    let stream = tls(testbed, stream, host).await;
    exchange(stream, &format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await
}

fn site() -> Site {
    let artifacts = BTreeMap::from([
        ("public/build/target.tar.xz".to_owned(), Artifact::new("binary", "application/octet-stream")),
        ("public/a.json".to_owned(), Artifact::new("{\"a\": 1}", "application/json")),
        ("private/secret".to_owned(), Artifact::new("hush", "text/plain")),
        ("public/huge".to_owned(), Artifact::new(Body::Generated { seed: 7, len: 3_000_000 }, "x/y")),
    ]);
    let first =
        Run { artifacts: [("public/old".to_owned(), Artifact::new("old", "x/y"))].into(), ..Run::default() };
    let task = Task {
        definition: Bytes::from_static(b"{\"payload\":  {}}"),
        status: Bytes::from_static(b"{\"status\": {}}"),
        runs: [(0, first), (1, Run { artifacts, ..Run::default() })].into(),
    };
    let page = Page::new("version: 1\n", "text/plain");
    Site {
        tasks: [(TASK.to_owned(), task)].into(),
        pages: [(
            "https://hg.mozilla.org/mozilla-central/raw-file/abc/.taskcluster.yml?x=1".to_owned(),
            page,
        )]
        .into(),
        github_token: Some("token-of-the-testbed".into()),
        ..Site::default()
    }
}

async fn testbed() -> Testbed {
    Testbed::start(site()).await.unwrap()
}

fn task_path(rest: &str) -> String {
    format!("/api/queue/v1/task/{TASK}{rest}")
}

#[tokio::test]
async fn definitions_and_statuses_are_sent_untouched() {
    let testbed = testbed().await;
    assert_eq!(get(&testbed, &task_path("")).await.body, b"{\"payload\":  {}}");
    assert_eq!(get(&testbed, &task_path("/status")).await.body, b"{\"status\": {}}");
}

#[tokio::test]
async fn errors_have_the_queues_shape() {
    let testbed = testbed().await;
    for path in
        ["/api/queue/v1/task/nope", "/api/queue/v1/task/nope/status", "/api/queue/v1/task/nope/artifacts/a/b"]
    {
        let reply = get(&testbed, path).await;
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(reply.json()["code"], "ResourceNotFound");
        assert!(reply.json()["requestInfo"]["params"]["taskId"] == "nope");
    }
    for path in
        [task_path("/runs/2/artifacts"), task_path("/artifacts/public/none"), task_path("/runs/x/artifacts")]
    {
        assert_eq!(get(&testbed, &path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn an_artifact_is_a_redirect_to_the_store_however_its_name_is_written() {
    let testbed = testbed().await;
    for path in [
        "/artifacts/public/build/target.tar.xz",
        "/artifacts/public%2Fbuild%2Ftarget.tar.xz",
        "/runs/1/artifacts/public%2Fbuild/target.tar.xz",
    ] {
        let reply = get(&testbed, &task_path(path)).await;
        assert_eq!(reply.status, 303);
        assert_eq!(reply.headers["x-taskcluster-artifact-storage-type"], "s3");
        let location = &reply.headers["location"];
        assert_eq!(*location, format!("{}/_store/{TASK}/1/public/build/target.tar.xz", testbed.root_url()));
        assert_eq!(reply.json()["url"], **location);
        let body = get(&testbed, location.strip_prefix(&testbed.root_url()).unwrap()).await;
        assert_eq!((body.status, body.body.as_slice()), (200, b"binary".as_slice()));
    }
    assert_eq!(
        get(&testbed, &task_path("/artifacts/public/old")).await.status,
        404,
        "an earlier run's artifact"
    );
    assert_eq!(get(&testbed, &task_path("/runs/0/artifacts/public/old")).await.status, 303);
}

#[tokio::test]
async fn private_artifacts_need_credentials() {
    let testbed = testbed().await;
    let path = task_path("/artifacts/private%2Fsecret");
    assert_eq!(get(&testbed, &path).await.status, 403);
    assert_eq!(get(&testbed, &format!("{path}?bewit=x")).await.status, 303);
    assert_eq!(request(&testbed, "GET", &path, "Authorization: Hawk id=x\r\n").await.status, 303);
}

#[tokio::test]
async fn listings_come_in_pages() {
    let options = Options { page_size: 3, ..Options::default() };
    let testbed = Testbed::start_with(site(), options).await.unwrap();
    let first = get(&testbed, &task_path("/artifacts")).await.json();
    assert_eq!(first["artifacts"].as_array().unwrap().len(), 3);
    let token = first["continuationToken"].as_str().unwrap();
    let second =
        get(&testbed, &task_path(&format!("/runs/1/artifacts?continuationToken={token}"))).await.json();
    assert_eq!(second["artifacts"][0]["name"], "public/huge");
    assert!(second.get("continuationToken").is_none());
    let one = get(&testbed, &task_path("/artifacts?limit=1")).await.json();
    assert_eq!(one["artifacts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn pages_link_to_the_next_one() {
    let mut site = site();
    for page in ["", "&page=2", "&page=3"] {
        let url = format!("https://api.github.com/repos/a/b/tags?per_page=100{page}");
        site.pages.insert(url, Page::new("[]", "application/json"));
    }
    let testbed = Testbed::start(site).await.unwrap();
    for (page, next) in [("", Some("&page=2")), ("&page=2", Some("&page=3")), ("&page=3", None)] {
        let target = format!("/repos/a/b/tags?per_page=100{page}");
        let reply = get_through_proxy(&testbed, "api.github.com", &target).await;
        let link = next
            .map(|next| format!("<https://api.github.com/repos/a/b/tags?per_page=100{next}>; rel=\"next\""));
        assert_eq!(reply.headers.get("link"), link.as_ref(), "{page}");
    }
}

#[tokio::test]
async fn the_store_gzips_text_when_the_site_says_so() {
    let testbed = Testbed::start(Site { gzip: true, ..site() }).await.unwrap();
    let reply = get(&testbed, &format!("/_store/{TASK}/1/public/a.json")).await;
    assert_eq!(reply.headers["content-encoding"], "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&reply.body[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, "{\"a\": 1}");
    let binary = get(&testbed, &format!("/_store/{TASK}/1/public/build/target.tar.xz")).await;
    assert!(!binary.headers.contains_key("content-encoding"));
    assert_eq!(get(&testbed, "/_store/x/0/y").await.status, 404);
}

#[tokio::test]
async fn generated_and_file_bodies_arrive_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    let bytes: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(&path, &bytes).unwrap();
    let mut site = site();
    let run = site.tasks.get_mut(TASK).unwrap().runs.get_mut(&1).unwrap();
    run.artifacts.insert("public/file".into(), Artifact::new(Body::File(path), "x/y"));
    let testbed = Testbed::start(site).await.unwrap();
    let reply = get(&testbed, &format!("/_store/{TASK}/1/public/file")).await;
    assert_eq!(reply.headers["content-length"], "4000000");
    assert!(reply.body == bytes);
    let reply = get(&testbed, &format!("/_store/{TASK}/1/public/huge")).await;
    let promised = Body::Generated { seed: 7, len: 3_000_000 };
    assert_eq!(Body::from(reply.body).sha256().unwrap(), promised.sha256().unwrap());
}

#[tokio::test]
async fn other_hosts_are_reached_through_the_proxy_with_the_private_ca() {
    let testbed = testbed().await;
    let target = "/mozilla-central/raw-file/abc/.taskcluster.yml?x=1";
    let reply = get_through_proxy(&testbed, "hg.mozilla.org", target).await;
    assert_eq!((reply.status, reply.body.as_slice()), (200, b"version: 1\n".as_slice()));
    let other_query = target.replace("x=1", "x=2");
    assert_eq!(get_through_proxy(&testbed, "hg.mozilla.org", &other_query).await.status, 404);
    assert_eq!(
        get_through_proxy(&testbed, "api.github.com", target).await.status,
        404,
        "another host's page"
    );
    let absolute = get(&testbed, &format!("http://hg.mozilla.org{target}")).await;
    assert_eq!(absolute.status, 200, "absolute form");
    assert_eq!(testbed.stats().count(&format!("https://hg.mozilla.org{target}")), 1);
    assert_eq!(testbed.stats().count(&format!("http://hg.mozilla.org{target}")), 1);
}

#[tokio::test]
async fn the_root_url_speaks_tls_too() {
    let testbed = testbed().await;
    let address = address(&testbed);
    let stream = tls(&testbed, TcpStream::connect(&address).await.unwrap(), "127.0.0.1").await;
    let path = task_path("/artifacts/public/a.json");
    let reply =
        exchange(stream, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"))
            .await;
    assert_eq!(
        reply.headers["location"],
        format!("{}/_store/{TASK}/1/public/a.json", testbed.tls_root_url())
    );
    let reply = get_through_proxy(&testbed, "firefox-ci-tc.services.mozilla.com", &path).await;
    let expected = format!("https://firefox-ci-tc.services.mozilla.com/_store/{TASK}/1/public/a.json");
    assert_eq!(reply.headers["location"], expected);
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let testbed = testbed().await;
    let address = address(&testbed);
    let one = format!("GET {} HTTP/1.1\r\nHost: {address}\r\n", task_path("/status"));
    let stream = TcpStream::connect(&address).await.unwrap();
    let reply = exchange(stream, &format!("{one}\r\n{one}Connection: close\r\n\r\n")).await;
    assert_eq!(String::from_utf8_lossy(&reply.body).matches("HTTP/1.1 200").count(), 1, "the second answer");
    assert_eq!(testbed.stats().count(&format!("http://{address}{}", task_path("/status"))), 2);
    assert_eq!(testbed.stats().repeated().len(), 1);
}

#[tokio::test]
async fn github_tokens_are_for_callers_with_credentials() {
    let testbed = testbed().await;
    let path = "/api/auth/v1/github/read/mozilla-mobile/repo-token";
    let body = "Content-Length: 2\r\n";
    let refused = request(&testbed, "POST", path, &format!("{body}\r\n{{}}")).await;
    assert_eq!(refused.status, 403);
    let given = request(&testbed, "POST", path, &format!("{body}Authorization: Hawk id=x\r\n\r\n{{}}")).await;
    assert_eq!(given.json()["token"], "token-of-the-testbed");
    let seen = testbed.requests();
    assert_eq!(seen[1].authorization.as_deref(), Some("Hawk id=x"));
    assert_eq!(seen[1].method, "POST");
}

#[tokio::test]
async fn bytes_are_counted_as_sent() {
    let testbed = testbed().await;
    get(&testbed, &format!("/_store/{TASK}/1/public/huge")).await;
    assert_eq!(testbed.stats().bytes, 3_000_000);
    request(&testbed, "HEAD", &format!("/_store/{TASK}/1/public/huge"), "").await;
    assert_eq!(testbed.stats().bytes, 3_000_000, "HEAD has no body");
    assert_eq!(testbed.stats().requests, 2);
    let told = get(&testbed, "/_stats").await.json();
    let (arrived, url) = (told["asked"][1][0].as_f64().unwrap(), told["asked"][0][1].as_str().unwrap());
    assert!(arrived >= told["asked"][0][0].as_f64().unwrap() && url.ends_with("/public/huge"));
    testbed.reset_stats();
    assert_eq!(testbed.stats().requests, 0);
}

#[tokio::test]
async fn status_and_redirect_faults_strike_the_attempts_they_name() {
    let testbed = testbed().await;
    let path = task_path("/status");
    testbed.fault("*/status", 1..=2, Fault::Status(503));
    testbed.fault("/api/*/status", 4.., Fault::Redirect("http://127.0.0.1:1/elsewhere".into()));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(get(&testbed, &path).await.status);
    }
    assert_eq!(statuses, [503, 503, 200, 303]);
    assert_eq!(get(&testbed, &path).await.headers["location"], "http://127.0.0.1:1/elsewhere");
    testbed.clear_faults();
    assert_eq!(get(&testbed, &path).await.status, 200);
}

#[tokio::test]
async fn a_reset_and_a_truncation_break_the_body_where_they_say() {
    let testbed = testbed().await;
    let path = format!("/_store/{TASK}/1/public/huge");
    testbed.fault("*huge", 1..=1, Fault::Truncate { after: 1_000_000 });
    testbed.fault("*huge", 2..=2, Fault::Reset { after: 1000 });
    let cut = get(&testbed, &path).await;
    assert_eq!((cut.headers["content-length"].as_str(), cut.body.len()), ("3000000", 1_000_000));
    assert_eq!(cut.end, Ok(()));
    let reset = get(&testbed, &path).await;
    assert_eq!((reset.body.len(), reset.end), (1000, Err(ErrorKind::ConnectionReset)));
    assert_eq!(get(&testbed, &path).await.body.len(), 3_000_000);
}

#[tokio::test]
async fn an_endless_body_passes_any_length() {
    let testbed = testbed().await;
    testbed.fault("*a.json", .., Fault::Endless);
    let address = address(&testbed);
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let text = format!("GET /_store/{TASK}/1/public/a.json HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut buffer = vec![0; 1 << 20];
    for _ in 0..20 {
        stream.read_exact(&mut buffer).await.unwrap();
    }
}

#[tokio::test]
async fn slow_faults_keep_the_whole_body() {
    let testbed = testbed().await;
    testbed.fault("*a.json", .., Fault::Delay(Duration::from_millis(30)));
    testbed.fault("*a.json", .., Fault::Delay(Duration::from_millis(30)));
    testbed.fault("*a.json", .., Fault::Drip { bytes: 1, every: Duration::from_millis(10) });
    let start = Instant::now();
    let reply = get(&testbed, &format!("/_store/{TASK}/1/public/a.json")).await;
    assert_eq!(reply.body, b"{\"a\": 1}");
    assert!(start.elapsed() >= Duration::from_millis(60 + 70), "{:?}", start.elapsed());
}

#[tokio::test]
async fn silence_accepts_and_never_answers() {
    let testbed = testbed().await;
    testbed.fault("*", .., Fault::Silence);
    let path = task_path("");
    let waited = tokio::time::timeout(Duration::from_millis(100), get(&testbed, &path)).await;
    assert!(waited.is_err());
    assert_eq!(testbed.stats().requests, 1);
}

#[tokio::test]
async fn hanging_up_resets_before_any_answer() {
    let testbed = testbed().await;
    testbed.fault("*", .., Fault::HangUp);
    let mut stream = TcpStream::connect(address(&testbed)).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).await.map_err(|cause| cause.kind());
    assert_eq!((end, bytes.len()), (Err(ErrorKind::ConnectionReset), 0));
}

#[tokio::test]
async fn content_faults_change_body_and_encoding() {
    let testbed = testbed().await;
    testbed.fault("*a.json", 1..=1, Fault::GzipBomb { unpacked: 50_000_000 });
    testbed.fault("*a.json", 2..=2, Fault::Encoding("gzip".into()));
    testbed.fault("*a.json", 3..=3, Fault::Replace("other".into()));
    let path = format!("/_store/{TASK}/1/public/a.json");
    let bomb = get(&testbed, &path).await;
    assert_eq!(bomb.headers["content-encoding"], "gzip");
    assert!(bomb.body.len() < 100_000);
    let unpacked = std::io::copy(&mut flate2::read::GzDecoder::new(&bomb.body[..]), &mut std::io::sink());
    assert_eq!(unpacked.unwrap(), 50_000_000);
    let wrong = get(&testbed, &path).await;
    assert_eq!(
        (wrong.headers["content-encoding"].as_str(), wrong.body.as_slice()),
        ("gzip", b"{\"a\": 1}".as_slice())
    );
    assert_eq!(get(&testbed, &path).await.body, b"other");
}

#[tokio::test]
async fn lengths_can_be_wrong_both_ways() {
    let testbed = testbed().await;
    testbed.fault("*a.json", 1..=1, Fault::Announce { length: 4 });
    testbed.fault("*a.json", 2..=2, Fault::Announce { length: 400 });
    let path = format!("/_store/{TASK}/1/public/a.json");
    let short = get(&testbed, &path).await;
    assert_eq!(
        (short.headers["content-length"].as_str(), short.body.as_slice()),
        ("4", b"{\"a\"".as_slice())
    );
    let long = get(&testbed, &path).await;
    assert_eq!(
        (long.headers["content-length"].as_str(), long.body.as_slice()),
        ("400", b"{\"a\": 1}".as_slice())
    );
}

#[tokio::test]
async fn some_redirects_and_listings_are_endless() {
    let testbed = testbed().await;
    testbed.fault("*/status*", .., Fault::Wander);
    testbed.fault("*/runs/1/artifacts*", .., Fault::EndlessListing);
    let (mut path, root) = (task_path("/status"), testbed.root_url());
    for hops in 1..5 {
        let reply = get(&testbed, &path).await;
        path = reply.headers["location"].strip_prefix(&root).unwrap().to_owned();
        assert_eq!((reply.status, path.matches("hop=1").count()), (303, hops));
    }
    let mut page = task_path("/runs/1/artifacts");
    for number in 1..5 {
        let token = get(&testbed, &page).await.json()["continuationToken"].as_str().unwrap().to_owned();
        assert_eq!(token, format!("page{number}"));
        page = task_path(&format!("/runs/1/artifacts?continuationToken={token}"));
    }
}

#[tokio::test]
async fn a_complete_answer_can_be_replaced() {
    let testbed = testbed().await;
    let headers = vec![("Retry-After".to_owned(), "7".to_owned()), ("not a name".to_owned(), String::new())];
    let body = Body::nested(100_000);
    testbed.fault("*/status", .., Fault::Instead { status: 503, headers, body });
    let reply = get(&testbed, &task_path("/status")).await;
    assert_eq!((reply.status, reply.headers["retry-after"].as_str(), reply.body.len()), (503, "7", 200_000));
    assert_eq!((reply.body[99_999], reply.body[100_000]), (b'[', b']'));
}

#[tokio::test]
async fn latency_is_per_part_of_the_world() {
    let latency = Latency { queue: Duration::from_millis(80), ..Latency::default() };
    let testbed = Testbed::start_with(site(), Options { latency, ..Options::default() }).await.unwrap();
    let start = Instant::now();
    get(&testbed, &task_path("")).await;
    assert!(start.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn dropping_the_testbed_stops_it() {
    let testbed = testbed().await;
    testbed.fault("*", .., Fault::Silence);
    let address = address(&testbed);
    let mut open = TcpStream::connect(&address).await.unwrap();
    open.write_all(format!("GET / HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).await.unwrap();
    while testbed.stats().requests == 0 {
        tokio::task::yield_now().await;
    }
    drop(testbed);
    assert_eq!(open.read(&mut [0; 16]).await.unwrap_or(0), 0, "open connections end");
    let refused = TcpStream::connect(&address).await;
    assert!(refused.is_err(), "no process listens");
}

#[test]
fn callers_without_a_runtime_are_served() {
    let testbed = Testbed::start_blocking(site(), Options::default()).unwrap();
    let mut stream = std::net::TcpStream::connect(address(&testbed)).unwrap();
    std::io::Write::write_all(
        &mut stream,
        b"GET /api/queue/v1/ping HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
}

#[test]
fn sites_beside_each_other_have_one_ca() {
    let empty = Testbed::start_blocking(Site::new(), Options::default()).unwrap();
    let beside = empty.start_beside(site()).unwrap();
    assert_ne!(empty.root_url(), beside.root_url());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let definition = runtime.block_on(async {
        let address = address(&beside);
        let stream = TcpStream::connect(&address).await.unwrap();
        // The first one's CA, for the second one's certificate.
        let stream = tls(&empty, stream, "127.0.0.1").await;
        let path = task_path("");
        let text = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        exchange(stream, &text).await
    });
    assert_eq!(definition.body, b"{\"payload\":  {}}");
}
