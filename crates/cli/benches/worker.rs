//! What a worker costs: from a task that waits to its script, memory while it waits, and a large upload beside curl.
//!
//! `cargo bench --package catena-cli --bench worker`. Without `--bench`, as `cargo test` runs it, it does nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects, clippy::print_stdout)]

#[path = "../tests/support/mod.rs"]
mod support;

use catena_http::{HttpOptions, HttpTransport, Proxy, Secret};
use catena_model::task::{ArtifactName, WorkerPool};
use catena_taskcluster::{
    Client, ClientOptions, CreatedArtifact, Expiry, NewArtifact, RootUrl, TaskclusterCredentials,
    WorkerIdentity,
};
use catena_testbed::{Options, Queue, Site, Testbed};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use support::daemon::{Daemon, resolved};

const POOL: &str = "scriptworker-k8s/gecko-3-signing";
const TOKEN: &str = "GBEQTf20RJ-4HCLo8Y6fvgLyNzREdhRZSuRyc7VAgXHw";
const LARGE: u64 = 2_000_000_000;
/// Bodies that are kept by the testbed take room on the disk.
const TURNS: usize = 2;

fn main() {
    if std::env::args().any(|argument| argument == "--bench") {
        start_of_a_script();
        idle_memory();
        large_upload();
    }
}

fn task_id(number: usize) -> String {
    format!("{number:08}QAKAAAAAAAAAAA")
}

fn add(queue: &Queue, number: usize) -> String {
    let id = task_id(number);
    queue.add_task(&id, &Queue::definition(POOL, &json!({"maxRunTime": 600})));
    id
}

/// From the moment at which the queue has a task, while the worker waits for one, to the script's first line.
fn start_of_a_script() {
    let testbed = Testbed::start_blocking(Site::new(), Options::default()).unwrap();
    let queue = testbed.queue();
    let worker = Daemon::new(queue, &testbed.root_url(), POOL, "the-worker", 7);
    let mut worker = worker.with_script("echo ${EPOCHREALTIME/./} > $ROOM/started");
    worker.start(&testbed);
    let mut taken: Vec<f64> = (0..60)
        .map(|number| {
            // It waits for a task again.
            std::thread::sleep(Duration::from_millis(100));
            let begun = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            let id = add(queue, number);
            assert_eq!(resolved(queue, &worker, &id, 0).state, "completed");
            let started = std::fs::read_to_string(worker.path("started")).unwrap();
            let started = Duration::from_micros(started.trim().parse().unwrap());
            started.saturating_sub(begun).as_secs_f64() * 1e3
        })
        .collect();
    taken.sort_by(f64::total_cmp);
    println!(
        "claim to script: fastest {:.1} ms, median {:.1} ms, slowest {:.1} ms",
        taken[0],
        taken[taken.len() / 2],
        taken[taken.len() - 1]
    );
    worker.drained();
}

fn idle_memory() {
    let chain = catena_testbed::Chain::demo().unwrap();
    let testbed = Testbed::start_blocking(Site::new(), Options::default()).unwrap();
    let keys = json!(chain.keys.public_keys_base64());
    let worker = Daemon::new(testbed.queue(), &testbed.root_url(), POOL, "the-worker", 7);
    let mut worker = worker.verifying(&chain.product, &chain.kind, &keys);
    worker.start(&testbed);
    std::thread::sleep(Duration::from_secs(5));
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", worker.pid().unwrap().as_raw_pid())).unwrap();
    let lines =
        status.lines().filter(|line| ["VmRSS", "VmHWM", "RssAnon"].iter().any(|name| line.starts_with(name)));
    println!("idle, with the policy loaded: {}", lines.collect::<Vec<_>>().join("; ").replace('\t', ""));
    worker.drained();
}

/// A file of 2 GB: what the worker takes from the script's end to the report, how much of it is the request that
/// puts the file, and what curl takes for the same request.
fn large_upload() {
    for _ in 0..TURNS {
        let testbed = Testbed::start_blocking(Site::new(), Options::default()).unwrap();
        let queue = testbed.queue();
        let script = format!(
            "truncate -s {LARGE} $ROOM/artifacts/large.bin; echo ${{EPOCHREALTIME/./}} > $ROOM/ended"
        );
        let mut worker = Daemon::new(queue, &testbed.root_url(), POOL, "the-worker", 7).with_script(&script);
        let id = add(queue, 0);
        worker.start(&testbed);
        assert_eq!(resolved(queue, &worker, &id, 0).state, "completed");
        let ended = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let script = std::fs::read_to_string(worker.path("ended")).unwrap();
        let all = ended - Duration::from_micros(script.trim().parse().unwrap());
        let (put, done) = (arrival(&testbed, "/0/large.bin"), arrival(&testbed, "/completed"));
        worker.drained();
        println!(
            "2 GB: {:.2} s from the script's end, {:.2} s of it the request",
            all.as_secs_f64(),
            done - put
        );
    }
    for _ in 0..TURNS {
        println!("2 GB by curl: {:.2} s", by_curl().as_secs_f64());
    }
}

/// When the first request came whose address contains this, in seconds.
fn arrival(testbed: &Testbed, part: &str) -> f64 {
    let output =
        Command::new("curl").args(["-s", &format!("{}/_stats", testbed.root_url())]).output().unwrap();
    let stats: Value = serde_json::from_slice(&output.stdout).unwrap();
    let asked = stats["asked"].as_array().unwrap();
    let found = asked.iter().find(|asked| asked[1].as_str().unwrap().contains(part));
    found.unwrap_or_else(|| panic!("{part}: {asked:?}"))[0].as_f64().unwrap()
}

fn by_curl() -> Duration {
    let testbed = Testbed::start_blocking(Site::new(), Options::default()).unwrap();
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("large.bin");
    std::fs::File::create(&file).unwrap().set_len(LARGE).unwrap();
    let url = slot(&testbed);
    let begun = Instant::now();
    let status = put(&file, &url);
    let took = begun.elapsed();
    assert!(status, "curl failed");
    took
}

fn put(file: &Path, url: &str) -> bool {
    let mut curl = Command::new("curl");
    curl.args(["-sSf", "-H", "Content-Type: application/octet-stream", "-H", "Expect:", "-T"])
        .arg(file)
        .arg(url);
    curl.status().unwrap().success()
}

/// Where the queue wants an artifact put.
fn slot(testbed: &Testbed) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let claim = format!("queue:claim-work:{POOL}");
    testbed.queue().add_client("curl", TOKEN, &[&claim, "queue:worker-id:group/curl"]);
    add(testbed.queue(), 1);
    runtime.block_on(async {
        let http = HttpOptions { proxy: Proxy::Direct, ..HttpOptions::default() };
        let transport = Arc::new(HttpTransport::new(&http).unwrap());
        let root = RootUrl::parse(&testbed.root_url()).unwrap();
        let own =
            TaskclusterCredentials::new("curl".to_owned(), Secret::new(TOKEN.to_owned()), None).unwrap();
        let client = Client::new(transport, root, ClientOptions::default()).with_credentials(own);
        let soon = tokio::time::Instant::now() + Duration::from_secs(20);
        let (pool, worker) =
            (WorkerPool::parse(POOL).unwrap(), WorkerIdentity::parse("group", "curl").unwrap());
        let claim = client.claim_work(&pool, &worker, 1, soon).await.unwrap().remove(0).unwrap();
        let definition: Value = serde_json::from_slice(&claim.definition).unwrap();
        let expires = Expiry::parse(definition["expires"].as_str().unwrap()).unwrap();
        let artifact = NewArtifact::S3 { content_type: "application/octet-stream", content_length: LARGE };
        let client = client.with_credentials(claim.lease.credentials.clone());
        let name = ArtifactName::parse("large.bin").unwrap();
        match client.create_artifact(claim.run, &name, &artifact, &expires, soon).await.unwrap() {
            CreatedArtifact::Put(url) => url.to_string(),
            other => panic!("{other:?}"),
        }
    })
}
