//! Types, compression and uploads beside the installed scriptworker.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::indexing_slicing)] // tests

use catena_http::{HttpOptions, HttpTransport, Proxy, Secret};
use catena_model::task::WorkerPool;
use catena_signing::{content_type, is_compressible};
use catena_taskcluster::{
    Client, ClientOptions, Expiry, Resolution, RootUrl, TaskclusterCredentials, WorkerIdentity,
};
use catena_testbed::{Options, Queue, Site, Testbed};
use catena_upload::{Snapshot, SnapshotLimits, UploadOptions, Uploader};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Reads names, one a line; says type and encoding of each, by scriptworker's own function.
const PEER: &str = r#"
import json, mimetypes, sys
from scriptworker.artifacts import guess_content_type_and_encoding
names = sys.stdin.read().split("\n")
print(json.dumps([guess_content_type_and_encoding("/artifacts/" + name) for name in names]))
"#;

const EXTENSIONS: &str = "7z a aab aac ai aif apk appx asc avi bat bin bmp br bz2 c cab cfg conf cpp css csv dat deb \
    der dex diff dll dmg doc dot ear eml env epub exe flatpak gif gpg gz h heic hgignore htm html ico idx ini ipa iso \
    jar java jpeg jpg js json jsonl jsonld key ko ksh latex lock log lz4 lzma map mar md mht mjs mkv mov mp3 mp4 mpeg msi \
    msix o obj odt ogg orderfile otf p12 p7c patch pdf pem php pkg pl plist png pot ppt ps pub py pyc rb rdf rpm rs rst \
    rtf sdk sgml sh shar sig sln snap so sql srt svg svgz swf sym tar tar.bz2 tar.gz tar.xz tar.zst taz tbz2 tcl tex \
    text tgz tif tiff toml ts tsv ttf txt txz tz vcf wasm wav webm webp webmanifest whl woff woff2 wsdl xcf xht xhtml \
    xls xml xpi xsd xsl xz yaml yml z zip zst";

fn names() -> Vec<String> {
    let stems =
        ["target", "public/build/target", "public/.hidden/x", "a.b.c", "public/logs/live backing", "1.0"];
    let mut names: Vec<String> =
        ["none", "", ".txt", ".json", "x.", "x..json", "dir.txt/none", "dir.json/.x"]
            .map(String::from)
            .into();
    for extension in EXTENSIONS.split_whitespace() {
        names.extend(stems.iter().map(|stem| format!("{stem}.{extension}")));
        names.push(format!("x.{}", extension.to_uppercase()));
        names.extend(
            ["gz", "bz2", "xz", "br", "asc", "sig", "log"].map(|more| format!("x.{extension}.{more}")),
        );
    }
    names
}

/// With `CATENA_SCRIPTWORKER_PYTHON`, a Python with scriptworker 63.6.1: the same types and the same choice to
/// compress. Three differences are decided: what is compressed already has no encoding here and so another type;
/// a type that only this machine's tables know is unknown here; and one that only Catena's table knows is known
/// on every machine.
#[test]
fn b074_b076_b077_types_and_compression_are_the_references() {
    let Some(python) = std::env::var_os("CATENA_SCRIPTWORKER_PYTHON") else {
        eprintln!(
            "CATENA_SCRIPTWORKER_PYTHON is not set: content types are not compared with scriptworker's"
        );
        return;
    };
    let names = names();
    let mut peer =
        Command::new(python).args(["-c", PEER]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    peer.stdin.take().unwrap().write_all(names.join("\n").as_bytes()).unwrap();
    let output = peer.wait_with_output().unwrap();
    assert!(output.status.success());
    let theirs: Vec<(String, Option<String>)> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(theirs.len(), names.len());
    let (mut same, mut decided) = (0, 0);
    for (name, (reference, encoding)) in names.iter().zip(&theirs) {
        let ours = content_type(name);
        let reference_compresses = encoding.is_none() && is_compressible(reference);
        assert_eq!(
            is_compressible(ours),
            reference_compresses,
            "{name}: {ours}, reference {reference} {encoding:?}"
        );
        if encoding.is_some() {
            assert!(!is_compressible(ours), "{name}");
            decided += 1;
        } else if ours == reference {
            same += 1;
        } else {
            let unknown = "application/binary";
            assert!(ours == unknown || reference == unknown, "{name}: {ours}, reference {reference}");
            decided += 1;
        }
    }
    eprintln!("{same} names have the reference's type, {decided} differ as decided");
    assert!(same > 1000, "{same}");
}

const TASK: &str = "HVGxJwoXRvyWl1smMWDf-g";
const POOL: &str = "scriptworker-k8s/gecko-3-beetmover";
const TOKEN: &str = "GBEQTf20RJ-4HCLo8Y6fvgLyNzREdhRZSuRyc7VAgXHw";

const FILES: [(&str, &str); 10] = [
    ("public/a.log", "a log"),
    ("public/empty.txt", ""),
    ("public/x.json", "{\"a\": 1}"),
    ("public/page.html", "<p>"),
    ("public/target.zip", "PK"),
    ("public/target.tar.gz", "archive"),
    ("public/.hidden", "hidden"),
    ("public/build/a b.msi", "installer"),
    ("private/secret.diff", "diff"),
    ("public/data.bin", "\u{0}\u{1}"),
];

/// A queue with one task that waits.
fn queue() -> Testbed {
    let testbed = Testbed::start_blocking(Site::new(), Options::default()).unwrap();
    let scopes = [&format!("queue:claim-work:{POOL}"), "queue:worker-id:group/worker"];
    testbed.queue().add_client("worker", TOKEN, &scopes);
    testbed.queue().add_task(TASK, &Queue::definition(POOL, &json!({"maxRunTime": 60})));
    testbed
}

/// Type, encoding, expiry and bytes of every artifact of the run.
type Told = BTreeMap<String, (String, Option<String>, String, Vec<u8>)>;

fn told(testbed: &Testbed) -> Told {
    let unpacked = |bytes: Vec<u8>, encoding: &Option<String>| match encoding {
        Some(_) => std::io::read_to_string(flate2::read::GzDecoder::new(&bytes[..])).unwrap().into_bytes(),
        None => bytes,
    };
    let artifacts = testbed.queue().artifacts(TASK, 0).into_iter();
    artifacts
        .map(|(name, one)| {
            let bytes = unpacked(one.bytes().unwrap().unwrap(), &one.encoding);
            let expires: jiff::Timestamp = one.expires.parse().unwrap();
            (name, (one.content_type, one.encoding, expires.to_string(), bytes))
        })
        .collect()
}

/// What scriptworker's daemon makes of a task whose script leaves these files.
fn reference(python: &Path) -> Told {
    let (testbed, temp) = (queue(), tempfile::tempdir().unwrap());
    let tree = tree(&temp.path().join("tree"));
    let folder = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
    let artifacts = folder("artifacts");
    std::fs::write(folder("key"), "tmURKlS2TRxNQSF5SmrZzXrTIsfmG0m60HeNPY77RIw=").unwrap();
    let config = json!({
        "taskcluster_root_url": testbed.root_url(),
        "credentials": {"clientId": "worker", "accessToken": TOKEN},
        "provisioner_id": "scriptworker-k8s", "worker_type": "gecko-3-beetmover",
        "worker_group": "group", "worker_id": "worker",
        "work_dir": folder("work"), "log_dir": folder("log"), "artifact_dir": artifacts,
        "task_log_dir": format!("{artifacts}/public/logs"), "ed25519_private_key_path": folder("key"),
        "sign_chain_of_trust": false, "verify_chain_of_trust": false, "poll_interval": 1,
        "task_script": ["/bin/sh", "-c", format!("cp -r {}/. {artifacts}", tree.display())],
    });
    std::fs::write(folder("config.json"), config.to_string()).unwrap();
    let mut worker = Command::new(python.with_file_name("scriptworker"))
        .arg(folder("config.json"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let resolved = runtime.block_on(async {
        let limit = Duration::from_secs(120);
        tokio::time::timeout(limit, testbed.queue().resolved(TASK, 0)).await
    });
    worker.kill().unwrap();
    worker.wait().unwrap();
    assert_eq!(resolved.unwrap().state, "completed");
    told(&testbed)
}

fn tree(folder: &Path) -> PathBuf {
    for (name, content) in FILES {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    folder.to_owned()
}

/// What Catena makes of the same files.
async fn ours(testbed: &Testbed) {
    let http = HttpOptions { proxy: Proxy::Direct, ..HttpOptions::default() };
    let root = RootUrl::parse(&testbed.root_url()).unwrap();
    let credentials =
        TaskclusterCredentials::new("worker".to_owned(), Secret::new(TOKEN.to_owned()), None).unwrap();
    let client = Client::new(Arc::new(HttpTransport::new(&http).unwrap()), root, ClientOptions::default())
        .with_credentials(credentials);
    let worker = WorkerIdentity::parse("group", "worker").unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    let pool = WorkerPool::parse(POOL).unwrap();
    let claim = client.claim_work(&pool, &worker, 1, deadline).await.unwrap().remove(0).unwrap();
    let definition: serde_json::Value = serde_json::from_slice(&claim.definition).unwrap();
    let expires = Expiry::parse(definition["expires"].as_str().unwrap()).unwrap();
    let temp = tempfile::tempdir().unwrap();
    let limits = SnapshotLimits::default();
    let snapshot = Snapshot::take(&tree(&temp.path().join("tree")), temp.path(), &limits).unwrap();
    let mine = client.with_credentials(claim.lease.credentials.clone());
    let (options, current) = (UploadOptions::default(), || mine.clone());
    assert_eq!(Uploader::new(claim.run, &expires, &current, &options).upload(&snapshot).await, []);
    mine.resolve(claim.run, Resolution::Completed, deadline).await.unwrap();
}

/// With `CATENA_SCRIPTWORKER_PYTHON`: the daemon and Catena upload the same files to the same queue alike.
#[test]
fn b073_b074_b078_files_are_uploaded_as_the_reference_does() {
    let Some(python) = std::env::var_os("CATENA_SCRIPTWORKER_PYTHON") else {
        eprintln!("CATENA_SCRIPTWORKER_PYTHON is not set: uploads are not compared with scriptworker's");
        return;
    };
    let mut reference = reference(Path::new(&python));
    let testbed = queue();
    tokio::runtime::Runtime::new().unwrap().block_on(ours(&testbed));
    // What the daemon adds itself.
    for name in ["public/logs/live_backing.log", "public/chain-of-trust.json"] {
        assert!(reference.remove(name).is_some(), "{name}");
    }
    let mut ours = told(&testbed);
    // Each task was made at its own time.
    for one in reference.values_mut().chain(ours.values_mut()) {
        assert!(std::mem::take(&mut one.2).starts_with("20"));
    }
    assert_eq!(ours, reference);
    assert_eq!(ours.len(), FILES.len());
}
