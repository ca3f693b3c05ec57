//! The queue with state as a client meets it on the wire: who may claim and upload, and the answers.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // tests

use catena_testbed::queue::{Action, Story};
use catena_testbed::{Queue, Site, Testbed};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TASK: &str = "HVGxJwoXRvyWl1smMWDf-g";
const POOL: &str = "pool/type";
const TOKEN: &str = "GBEQTf20RJ-4HCLo8Y6fvgLyNzREdhRZSuRyc7VAgXHw";

async fn testbed() -> Testbed {
    let testbed = Testbed::start(Site::new()).await.unwrap();
    let queue = testbed.queue();
    queue.add_client("worker", TOKEN, &["queue:claim-work:pool/*", "queue:worker-id:g/*"]);
    queue.add_task(TASK, &Queue::definition(POOL, &json!({})));
    queue.set_long_poll(Duration::from_millis(50));
    testbed
}

/// Sends a request as it is; answers status and body.
async fn send(testbed: &Testbed, method: &str, target: &str, headers: &str, body: &str) -> (u16, String) {
    let address = testbed.root_url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head = format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").expect("a whole head");
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Signs a request as the given client.
fn signature(
    testbed: &Testbed,
    id: &str,
    token: &str,
    ext: Option<&str>,
    method: &str,
    target: &str,
) -> String {
    let url: url::Url = format!("{}{target}", testbed.root_url()).parse().unwrap();
    let key = hawk::Key::new(token.as_bytes(), hawk::SHA256).unwrap();
    let credentials = hawk::Credentials { id: id.to_owned(), key };
    let request = hawk::RequestBuilder::from_url(method, &url).unwrap().ext(ext).request();
    format!("Authorization: Hawk {}\r\n", request.make_header(&credentials).unwrap())
}

const CLAIM: &str = "/api/queue/v1/claim-work/pool%2Ftype";

async fn claim(testbed: &Testbed, authorization: &str, worker: &str) -> (u16, Value) {
    let body = json!({"workerGroup": "g", "workerId": worker, "tasks": 1}).to_string();
    let headers = format!("{authorization}Content-Length: {}\r\n", body.len());
    let (status, text) = send(testbed, "POST", CLAIM, &headers, &body).await;
    (status, serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn only_clients_with_the_scopes_may_claim() {
    let testbed = testbed().await;
    testbed.queue().add_client("other", TOKEN, &["queue:claim-work:else/*", "queue:worker-id:g/*"]);
    let signed = |id: &str, token: &str| signature(&testbed, id, token, None, "POST", CLAIM);
    for (authorization, status) in [
        (String::new(), 403),
        ("Authorization: Hawk id=\"worker\"\r\n".to_owned(), 401),
        ("Authorization: Bearer x\r\n".to_owned(), 401),
        (signed("worker", "another-token"), 401),
        (signed("nobody", TOKEN), 401),
        (signed("other", TOKEN), 403),
        (signature(&testbed, "worker", TOKEN, None, "GET", CLAIM), 401),
        (signature(&testbed, "worker", TOKEN, None, "POST", "/api/queue/v1/claim-work/pool%2Felse"), 401),
    ] {
        assert_eq!(claim(&testbed, &authorization, "w").await.0, status, "{authorization}");
    }
    assert_eq!(testbed.queue().run(TASK, 0).unwrap().state, "pending");
    let (status, answer) = claim(&testbed, &signed("worker", TOKEN), "w").await;
    assert_eq!((status, &answer["tasks"][0]["status"]["taskId"]), (200, &json!(TASK)));
    let (status, answer) = claim(&testbed, &signed("worker", TOKEN), "w").await;
    assert_eq!((status, answer), (200, json!({"tasks": []})));
}

#[tokio::test]
async fn temporary_credentials_are_good_for_their_run_with_their_certificate() {
    use base64::Engine as _;
    let testbed = testbed().await;
    let signed = signature(&testbed, "worker", TOKEN, None, "POST", CLAIM);
    let (_, answer) = claim(&testbed, &signed, "w").await;
    let credentials = &answer["tasks"][0]["credentials"];
    let text = |key: &str| credentials[key].as_str().unwrap().to_owned();
    let (id, token) = (text("clientId"), text("accessToken"));
    let ext = |certificate: &str| {
        base64::engine::general_purpose::STANDARD.encode(format!("{{\"certificate\":{certificate}}}"))
    };
    let good = ext(&text("certificate"));
    let reclaim = |run: u32| format!("/api/queue/v1/task/{TASK}/runs/{run}/reclaim");
    for (ext, run, status) in [
        (None, 0, 401),
        (Some(ext("{}")), 0, 401),
        (Some(good.clone()), 1, 403),
        (Some(good.clone()), 0, 200),
    ] {
        let authorization = signature(&testbed, &id, &token, ext.as_deref(), "POST", &reclaim(run));
        let headers = format!("{authorization}Content-Length: 0\r\n");
        assert_eq!(send(&testbed, "POST", &reclaim(run), &headers, "").await.0, status, "{ext:?} {run}");
    }
    testbed.queue().act(TASK, Action::ExpireCredentials);
    let authorization = signature(&testbed, &id, &token, Some(&good), "POST", &reclaim(0));
    let headers = format!("{authorization}Content-Length: 0\r\n");
    assert_eq!(send(&testbed, "POST", &reclaim(0), &headers, "").await.0, 401);
}

/// Claims, and creates an artifact; answers the target of its `putUrl`.
async fn created(testbed: &Testbed) -> String {
    use base64::Engine as _;
    let signed = signature(testbed, "worker", TOKEN, None, "POST", CLAIM);
    let (_, answer) = claim(testbed, &signed, "w").await;
    let credentials = &answer["tasks"][0]["credentials"];
    let text = |key: &str| credentials[key].as_str().unwrap().to_owned();
    let ext = format!("{{\"certificate\":{}}}", text("certificate"));
    let ext = base64::engine::general_purpose::STANDARD.encode(ext);
    let target = format!("/api/queue/v1/task/{TASK}/runs/0/artifacts/public%2Fa.txt");
    let authorization =
        signature(testbed, &text("clientId"), &text("accessToken"), Some(&ext), "POST", &target);
    let expires = &answer["tasks"][0]["task"]["expires"];
    let body = json!({"storageType": "s3", "contentType": "text/plain", "expires": expires}).to_string();
    let headers = format!("{authorization}Content-Length: {}\r\n", body.len());
    let (status, text) = send(testbed, "POST", &target, &headers, &body).await;
    assert_eq!(status, 200, "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    answer["putUrl"].as_str().unwrap().trim_start_matches(&testbed.root_url()).to_owned()
}

#[tokio::test]
async fn the_store_accepts_only_signed_uploads() {
    let testbed = testbed().await;
    let target = created(&testbed).await;
    let plain = "Content-Type: text/plain\r\n";
    let unsigned = format!("{}x", target);
    for (target, headers, body, status) in [
        (unsigned.as_str(), format!("{plain}Content-Length: 3\r\n"), "abc", 403),
        (&target, "Content-Type: text/html\r\nContent-Length: 3\r\n".to_owned(), "abc", 403),
        (&target, format!("{plain}Transfer-Encoding: chunked\r\n"), "3\r\nabc\r\n0\r\n\r\n", 411),
    ] {
        assert_eq!(send(&testbed, "PUT", target, &headers, body).await.0, status, "{headers}");
    }
    let stored = || testbed.queue().artifacts(TASK, 0).remove("public/a.txt").unwrap();
    assert!(stored().body.is_none());
    let headers = format!("{plain}Content-Encoding: gzip\r\nContent-Length: 3\r\n");
    assert_eq!(send(&testbed, "PUT", &target, &headers, "abc").await.0, 200);
    assert_eq!(
        (stored().bytes().unwrap().unwrap(), stored().encoding.as_deref()),
        (b"abc".to_vec(), Some("gzip"))
    );
    let path = format!("/api/queue/v1/task/{TASK}/artifacts/public/a.txt");
    let (status, text) = send(&testbed, "GET", &path, "", "").await;
    assert_eq!(status, 303);
    let url = serde_json::from_str::<Value>(&text).unwrap()["url"].as_str().unwrap().to_owned();
    let (status, text) = send(&testbed, "GET", url.trim_start_matches(&testbed.root_url()), "", "").await;
    assert_eq!((status, text.as_str()), (200, "abc"));
    let (_, listing) = send(&testbed, "GET", &format!("/api/queue/v1/task/{TASK}/artifacts"), "", "").await;
    assert!(listing.contains("public/a.txt"), "{listing}");
}

#[tokio::test]
async fn a_scenario_is_driven_from_outside() {
    let testbed = testbed().await;
    let story = json!({
        "claimTimeout": 1.5,
        "after": [{"call": "claimWork", "times": 1, "action": "cancel"}],
        "faults": [{"pattern": "*/claim-work/*", "attempts": [1, 1], "fault": {"status": 500}}],
    })
    .to_string();
    let headers = format!("Content-Length: {}\r\n", story.len());
    assert_eq!(send(&testbed, "POST", "/_queue", &headers, &story).await.0, 200);
    assert_eq!(send(&testbed, "POST", "/_queue", "Content-Length: 9\r\n", "{\"a\": 12}").await.0, 400);
    let signed = signature(&testbed, "worker", TOKEN, None, "POST", CLAIM);
    assert_eq!(claim(&testbed, &signed, "w").await.0, 500);
    assert_eq!(claim(&testbed, &signed, "w").await.0, 200);
    let (_, text) = send(&testbed, "GET", "/_queue", "", "").await;
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told["tasks"][TASK]["status"]["runs"][0]["reasonResolved"], "canceled");
    assert_eq!(told["events"].as_array().unwrap().len(), 1);
    assert!(Story::parse(b"{").is_err());
}

#[tokio::test]
async fn claims_run_out_by_themselves() {
    let testbed = testbed().await;
    testbed.queue().set_claim_timeout(Duration::from_millis(200));
    let signed = signature(&testbed, "worker", TOKEN, None, "POST", CLAIM);
    claim(&testbed, &signed, "w").await;
    let run = testbed.queue().resolved(TASK, 0).await;
    assert_eq!((run.state.as_str(), run.reason.as_deref()), ("exception", Some("claim-expired")));
    assert_eq!(testbed.queue().run(TASK, 1).unwrap().state, "pending");
}
