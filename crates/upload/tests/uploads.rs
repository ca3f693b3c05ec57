//! Uploads to a queue, a store and an object service with faults. Numbers in names are those of the worker's
//! behaviours.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

use catena_http::{HttpOptions, HttpTransport, Proxy, Secret};
use catena_model::task::{ArtifactName, WorkerPool};
use catena_taskcluster::{
    Claim, Client, ClientOptions, ExceptionReason, Expiry, RootUrl, TaskclusterCredentials, WorkerIdentity,
};
use catena_testbed::queue::StoredArtifact;
use catena_testbed::{Fault, Options, Queue, Site, Testbed};
use catena_upload::{
    Snapshot, SnapshotLimits, Storage, UploadError, UploadErrorKind, UploadOptions, Uploader,
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

const TASK: &str = "HVGxJwoXRvyWl1smMWDf-g";
const POOL: &str = "scriptworker-k8s/gecko-3-beetmover";
const TOKEN: &str = "GBEQTf20RJ-4HCLo8Y6fvgLyNzREdhRZSuRyc7VAgXHw";

struct World {
    testbed: Testbed,
    client: Client,
    claim: Claim,
    expires: Expiry,
    folder: tempfile::TempDir,
    options: UploadOptions,
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

impl World {
    /// A claimed task, and a directory with these files.
    async fn new(files: &[(&str, &[u8])]) -> World {
        World::over(files, false).await
    }

    /// The same over HTTP/2 and TLS, if wanted.
    async fn over(files: &[(&str, &[u8])], http2: bool) -> World {
        let served = Options { http2, ..Options::default() };
        let testbed = Testbed::start_with(Site::new(), served).await.unwrap();
        let scopes = [&format!("queue:claim-work:{POOL}"), "queue:worker-id:group/worker"];
        testbed.queue().add_client("worker", TOKEN, &scopes);
        testbed.queue().add_task(TASK, &Queue::definition(POOL, &json!({})));
        let ca = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(ca.path(), testbed.ca_pem()).unwrap();
        let ca_file = Some(ca.path().to_owned());
        let http = HttpOptions { proxy: Proxy::Direct, ca_file, ..HttpOptions::default() };
        let transport = Arc::new(HttpTransport::new(&http).unwrap());
        let root = if http2 { testbed.tls_root_url() } else { testbed.root_url() };
        let root = RootUrl::parse(&root).unwrap();
        let quick = Duration::from_millis(5);
        let calls = ClientOptions { backoff: quick, backoff_cap: quick, ..ClientOptions::default() };
        let credentials =
            TaskclusterCredentials::new("worker".to_owned(), Secret::new(TOKEN.to_owned()), None).unwrap();
        let client = Client::new(transport, root, calls).with_credentials(credentials);
        let (pool, worker) =
            (WorkerPool::parse(POOL).unwrap(), WorkerIdentity::parse("group", "worker").unwrap());
        let claims = client.claim_work(&pool, &worker, 1, soon()).await.unwrap();
        let claim = claims.into_iter().next().unwrap().unwrap();
        let definition: serde_json::Value = serde_json::from_slice(&claim.definition).unwrap();
        let expires = Expiry::parse(definition["expires"].as_str().unwrap()).unwrap();
        let options = UploadOptions { backoff: quick, backoff_cap: quick, ..UploadOptions::default() };
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        World { testbed, client, claim, expires, folder, options }
    }

    fn take(&self, storage: Storage) -> Snapshot {
        let scratch = tempfile::tempdir().unwrap();
        let s3_bytes = match storage {
            Storage::S3 => SnapshotLimits::default().s3_bytes,
            Storage::Object => 0,
        };
        let limits = SnapshotLimits { s3_bytes, ..SnapshotLimits::default() };
        Snapshot::take(self.folder.path(), scratch.path(), &limits).unwrap()
    }

    async fn upload_with(
        &self,
        snapshot: &Snapshot,
        client: &(dyn Fn() -> Client + Sync),
    ) -> BTreeMap<String, UploadError> {
        let uploader = Uploader::new(self.claim.run, &self.expires, client, &self.options);
        let errors = uploader.upload(snapshot).await;
        errors.into_iter().map(|error| (error.artifact.clone(), error)).collect()
    }

    async fn upload(&self, storage: Storage) -> BTreeMap<String, UploadError> {
        let client = self.client.with_credentials(self.claim.lease.credentials.clone());
        self.upload_with(&self.take(storage), &|| client.clone()).await
    }

    fn stored(&self) -> BTreeMap<String, StoredArtifact> {
        self.testbed.queue().artifacts(TASK, 0)
    }

    /// What readers get of an artifact.
    fn content(&self, name: &str) -> Vec<u8> {
        let artifact = self.stored().remove(name).unwrap();
        let bytes = artifact.bytes().unwrap().unwrap();
        if artifact.encoding.is_none() {
            return bytes;
        }
        let mut unpacked = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut unpacked).unwrap();
        unpacked
    }
}

fn noise(length: usize) -> Vec<u8> {
    (0..length).map(|number| u8::try_from(number.wrapping_mul(number) % 251).unwrap()).collect()
}

const NAME: &str = "public/target.bin";

#[tokio::test]
async fn b073_b074_b078_everything_is_uploaded_with_its_type_until_the_task_expires() {
    let world = World::new(&[
        ("public/logs/live_backing.log", b"log"),
        ("public/.hidden/x.json", b"{}"),
        ("public/a.tar.gz", b"archive"),
        ("public/x.json.gz", b"packed"),
        ("private/empty.txt", b""),
        ("empty", b""),
        (NAME, b"binary"),
    ])
    .await;
    std::fs::create_dir(world.folder.path().join("nothing")).unwrap();
    assert_eq!(world.upload(Storage::S3).await, BTreeMap::new());
    let stored = world.stored();
    let told: Vec<_> = stored
        .iter()
        .map(|(name, one)| {
            (name.as_str(), one.content_type.as_str(), one.encoding.as_deref(), one.content_length)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("empty", "application/binary", None, Some(0)),
            ("private/empty.txt", "text/plain", Some("gzip"), Some(0)),
            ("public/.hidden/x.json", "application/json", Some("gzip"), Some(2)),
            ("public/a.tar.gz", "application/x-tar", None, Some(7)),
            ("public/logs/live_backing.log", "text/plain", Some("gzip"), Some(3)),
            (NAME, "application/octet-stream", None, Some(6)),
            ("public/x.json.gz", "application/gzip", None, Some(6)),
        ]
    );
    assert!(stored.values().all(|one| one.expires == world.expires.as_str() && one.puts == 1));
    for (name, content) in
        [("public/logs/live_backing.log", &b"log"[..]), ("private/empty.txt", b""), (NAME, b"binary")]
    {
        assert_eq!(world.content(name), content, "{name}");
    }
    // What the task wrote is as it was.
    assert_eq!(std::fs::read(world.folder.path().join("public/logs/live_backing.log")).unwrap(), b"log");
}

#[tokio::test]
async fn b079_a_store_that_refuses_is_asked_again_with_a_new_url() {
    for status in [403, 500, 503, 400, 307] {
        let world = World::new(&[(NAME, &noise(700_000))]).await;
        world.testbed.fault("*/_store/*", 1..=2, Fault::Status(status));
        assert_eq!(world.upload(Storage::S3).await, BTreeMap::new(), "{status}");
        assert_eq!(world.testbed.queue().count("createArtifact", 200), 3, "{status}");
        assert_eq!(world.content(NAME), noise(700_000), "{status}");
    }
}

#[tokio::test]
async fn b079_a_store_that_always_refuses_makes_the_resource_unavailable() {
    let world = World::new(&[(NAME, b"x")]).await;
    world.testbed.fault("*/_store/*", .., Fault::Status(403));
    let error = world.upload(Storage::S3).await.remove(NAME).unwrap();
    assert!(matches!(error.kind, UploadErrorKind::Status { status: 403, attempts: 5, .. }), "{error}");
    assert_eq!(error.exception(), ExceptionReason::ResourceUnavailable);
    assert_eq!(world.testbed.queue().count("createArtifact", 200), 5);
}

#[tokio::test]
async fn b080_a_connection_that_breaks_is_made_again_and_the_whole_body_sent() {
    for fault in [
        Fault::HangUp,
        Fault::Abort { after: 0 },
        Fault::Abort { after: 1_000_000 },
        Fault::Early(403),
        Fault::Reset { after: 0 },
        Fault::Truncate { after: 0 },
    ] {
        let content = noise(3_000_000);
        let world = World::new(&[(NAME, &content), ("public/a.log", &content)]).await;
        world.testbed.fault("*/_store/*", 1..=2, fault.clone());
        assert_eq!(world.upload(Storage::S3).await, BTreeMap::new(), "{fault:?}");
        assert_eq!(world.content(NAME), content, "{fault:?}");
        assert_eq!(world.content("public/a.log"), content, "{fault:?}");
    }
    let world = World::new(&[(NAME, &noise(3_000_000))]).await;
    world.testbed.fault("*/_store/*", .., Fault::Abort { after: 1_000_000 });
    let error = world.upload(Storage::S3).await.remove(NAME).unwrap();
    assert!(matches!(error.kind, UploadErrorKind::Lost { attempts: 5, .. }), "{error}");
    assert_eq!(error.exception(), ExceptionReason::IntermittentTask);
    assert!(world.stored()[NAME].body.is_none());
}

#[tokio::test]
async fn b081_an_artifact_that_the_queue_refuses_spoils_no_other() {
    for status in [400, 403, 409] {
        let world = World::new(&[(NAME, b"x"), ("public/b", b"y")]).await;
        world.testbed.fault("*/artifacts/public%2Ftarget.bin", .., Fault::Status(status));
        let errors = world.upload(Storage::S3).await;
        let UploadErrorKind::Queue(error) = &errors[NAME].kind else { panic!("{}", errors[NAME]) };
        assert_eq!((error.status(), errors.len()), (Some(status), 1));
        assert_eq!(world.content("public/b"), b"y");
    }
}

#[tokio::test]
async fn b081_a_queue_that_is_away_is_waited_for_and_then_given_up() {
    let mut world = World::new(&[(NAME, b"x")]).await;
    world.testbed.fault("*/artifacts/*", 1..=4, Fault::HangUp);
    assert_eq!(world.upload(Storage::S3).await, BTreeMap::new());
    world.testbed.fault("*/artifacts/*", .., Fault::Status(503));
    world.options.time_limit = Duration::from_millis(300);
    let error = world.upload(Storage::S3).await.remove(NAME).unwrap();
    assert_eq!(error.exception(), ExceptionReason::IntermittentTask, "{error}");
}

#[tokio::test]
async fn b082_what_cannot_be_an_artifact_leaves_an_error_in_its_place() {
    let world = World::new(&[("public/a", b"x")]).await;
    std::os::unix::fs::symlink("/etc/passwd", world.folder.path().join("public/passwd.txt")).unwrap();
    std::os::unix::fs::symlink("a", world.folder.path().join("public/b")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(world.folder.path().join("socket")).unwrap();
    std::fs::write(world.folder.path().join("ü"), "").unwrap();
    let errors = world.upload(Storage::S3).await;
    assert_eq!(errors.keys().collect::<Vec<_>>(), ["public/passwd.txt", "socket", "ü"]);
    assert!(errors.values().all(|error| matches!(error.kind, UploadErrorKind::Refused(_))));
    let stored = world.stored();
    for name in ["public/passwd.txt", "socket"] {
        assert_eq!(stored[name].kind.as_str(), "error", "{name}");
        assert_eq!(stored[name].target.as_deref(), Some("invalid-resource-on-worker"), "{name}");
    }
    assert_eq!((world.content("public/b"), stored.len()), (b"x".to_vec(), 4));
}

#[tokio::test]
async fn a_store_that_takes_nothing_more_is_left_and_a_slow_one_is_not() {
    let content = noise(3_000_000);
    for after in [0, 1_000_000] {
        let mut world = World::new(&[(NAME, &content)]).await;
        world.options.stall = Duration::from_millis(400);
        world.testbed.fault("*/_store/*", 1..=1, Fault::Stall { after });
        assert_eq!(world.upload(Storage::S3).await, BTreeMap::new());
        assert_eq!(world.content(NAME), content);
    }
    // More than the system's buffers hold, so that its pace is seen.
    let content = vec![7; 48 << 20];
    let mut world = World::new(&[(NAME, &content)]).await;
    world.options.stall = Duration::from_secs(1);
    world.options.attempts = 1;
    world.testbed.fault("*/_store/*", .., Fault::Sip { every: Duration::from_millis(10) });
    let began = Instant::now();
    assert_eq!(world.upload(Storage::S3).await, BTreeMap::new());
    assert!(began.elapsed() > world.options.stall, "it was not slow: {:?}", began.elapsed());
    assert_eq!(world.content(NAME), content);
}

#[tokio::test]
async fn a_store_that_never_answers_is_left() {
    let mut world = World::new(&[(NAME, b"x")]).await;
    world.options.stall = Duration::from_millis(300);
    world.testbed.fault("*/_store/*", 1..=1, Fault::Silence);
    assert_eq!(world.upload(Storage::S3).await, BTreeMap::new());
    assert_eq!(world.content(NAME), b"x");
}

#[tokio::test]
async fn a_cancelled_run_takes_no_artifacts_after_its_time() {
    let world = World::new(&[(NAME, b"x")]).await;
    let client = world.client.with_credentials(world.claim.lease.credentials.clone());
    let resolution = catena_taskcluster::Resolution::Completed;
    client.resolve(world.claim.run, resolution, soon()).await.unwrap();
    let error = world.upload(Storage::S3).await.remove(NAME).unwrap();
    let UploadErrorKind::Queue(error) = error.kind else { panic!("{error}") };
    assert!(error.is_conflict());
}

#[tokio::test]
async fn b058_each_attempt_has_the_credentials_of_the_last_reclaim() {
    let world = World::new(&[(NAME, b"x")]).await;
    let first = world.client.with_credentials(world.claim.lease.credentials.clone());
    let lease = first.reclaim_task(world.claim.run, soon()).await.unwrap();
    let (newer, asked) = (world.client.with_credentials(lease.credentials), AtomicUsize::new(0));
    world.testbed.fault("*/_store/*", 1..=1, Fault::Status(500));
    let client = || if asked.fetch_add(1, Ordering::Relaxed) == 0 { first.clone() } else { newer.clone() };
    assert_eq!(world.upload_with(&world.take(Storage::S3), &client).await, BTreeMap::new());
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    let calls = world.testbed.requests().into_iter().filter(|request| request.url.contains("/artifacts/"));
    let certificates: BTreeSet<String> =
        calls.map(|request| certificate(&request.authorization.unwrap())).collect();
    assert_eq!(certificates.len(), 2);
}

/// The certificate in a signature.
fn certificate(authorization: &str) -> String {
    authorization.split("ext=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn objects_are_uploaded_finished_and_found() {
    let content = noise(700_000);
    let files: [(&str, &[u8]); 3] = [(NAME, &content), ("public/small.txt", b"abc"), ("public/one", b"x")];
    for (pattern, fault) in [
        ("*/none-such", Fault::HangUp),
        ("*/object/v1/upload/*", Fault::Status(500)),
        ("*/object/v1/finish-upload/*", Fault::Status(502)),
        ("*/object/v1/finish-upload/*", Fault::Reset { after: 0 }),
        ("*/_store/_object/*", Fault::Status(403)),
        ("*/_store/_object/*", Fault::Abort { after: 300_000 }),
        ("*/artifacts/*", Fault::HangUp),
        ("*/artifacts/*", Fault::Reset { after: 0 }),
    ] {
        let world = World::new(&files).await;
        world.testbed.fault(pattern, 1..=2, fault.clone());
        assert_eq!(world.upload(Storage::Object).await, BTreeMap::new(), "{pattern} {fault:?}");
        let stored = world.stored();
        assert!(
            stored.values().all(|one| one.present && one.content_length.is_none() && one.encoding.is_none())
        );
        for (name, content) in files {
            assert_eq!(world.content(name), content, "{name} {pattern} {fault:?}");
        }
    }
}

#[tokio::test]
async fn bodies_stream_over_http2_too() {
    let content = noise(3_000_000);
    let world = World::over(&[(NAME, &content), ("public/a.log", &content)], true).await;
    world.testbed.fault("*/_store/*", 1..=1, Fault::Status(500));
    assert_eq!(world.upload(Storage::S3).await, BTreeMap::new());
    assert_eq!((world.content(NAME), world.content("public/a.log")), (content.clone(), content));
    assert!(world.testbed.requests().iter().filter(|request| request.method == "PUT").all(|put| put.http2));
}

#[tokio::test]
async fn no_more_are_sent_at_a_time_than_allowed() {
    let names: Vec<String> = (0..6).map(|number| format!("public/{number}")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    let mut world = World::new(&files).await;
    world.options.concurrency = 2;
    world.testbed.fault("*/_store/*", .., Fault::Delay(Duration::from_millis(200)));
    let began = Instant::now();
    assert_eq!(world.upload(Storage::S3).await, BTreeMap::new());
    assert!(began.elapsed() >= Duration::from_millis(600));
}

#[tokio::test]
async fn a_link_leads_readers_to_the_log() {
    let world = World::new(&[("public/logs/chain_of_trust.log", b"why")]).await;
    assert_eq!(world.upload(Storage::S3).await, BTreeMap::new());
    let client = world.client.with_credentials(world.claim.lease.credentials.clone());
    let log = ArtifactName::parse("public/logs/chain_of_trust.log").unwrap();
    let link = catena_taskcluster::NewArtifact::Link { artifact: &log, content_type: "text/plain" };
    let name = ArtifactName::parse("public/logs/live_backing.log").unwrap();
    client.create_artifact(world.claim.run, &name, &link, &world.expires, soon()).await.unwrap();
    let path = format!("{}/api/queue/v1/task/{TASK}/runs/0/artifacts/{name}", world.testbed.root_url());
    let request = catena_http::Request {
        method: http::Method::GET,
        url: path.parse().unwrap(),
        headers: http::HeaderMap::new(),
        body: catena_http::RequestBody::Empty,
    };
    let response = world.client.transport().send(request).await.unwrap();
    let to = response.headers["location"].to_str().unwrap();
    assert!(to.ends_with("/_store/HVGxJwoXRvyWl1smMWDf-g/0/public/logs/chain_of_trust.log"), "{to}");
}

/// The copy has no name, so that nothing of it is left, whatever happens to the worker.
#[tokio::test]
async fn nothing_is_left_in_the_scratch_directory() {
    let world = World::new(&[(NAME, &noise(700_000))]).await;
    let scratch = tempfile::tempdir().unwrap();
    let limits = SnapshotLimits::default();
    let snapshot = Snapshot::take(world.folder.path(), scratch.path(), &limits).unwrap();
    let is_empty = |path: &Path| std::fs::read_dir(path).unwrap().next().is_none();
    assert!(is_empty(scratch.path()));
    // What the task does now changes nothing any more.
    std::fs::write(world.folder.path().join(NAME), "altered").unwrap();
    let client = world.client.with_credentials(world.claim.lease.credentials.clone());
    assert_eq!(world.upload_with(&snapshot, &|| client.clone()).await, BTreeMap::new());
    assert_eq!(world.content(NAME), noise(700_000));
}
