//! Downloads from a loopback store, with everything that goes wrong on the way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

use catena_download::{
    DeliverError, Delivery, Download, DownloadError, Downloader, Expected, Extract, Input, NoProgress, Place,
    Ranges, deliver,
};
use catena_extract::Options as ExtractOptions;
use catena_fetch::Options;
use catena_http::{HttpOptions, HttpTransport, Proxy};
use catena_model::digest::Digest;
use catena_testbed::{Artifact, Fault, Run, Site, Task, Testbed};
use http::{HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;
use url::Url;

const TASK: &str = "IFn9x5gaQz-HXl2pa7Ny_w";
const NAME: &str = "public/build/target.bin";

/// 300,000 bytes without a pattern.
fn noise() -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..300_000).map(|_| next()).collect()
}

/// One task with these artifacts.
async fn serve(artifacts: &[(&str, Vec<u8>)]) -> Testbed {
    let mut run = Run::default();
    for (name, body) in artifacts {
        run.artifacts.insert((*name).to_owned(), Artifact::new(body.clone(), "application/octet-stream"));
    }
    let task = Task { definition: "{}".into(), runs: [(0, run)].into(), ..Task::default() };
    Testbed::start(Site { tasks: [(TASK.to_owned(), task)].into(), gzip: true, ..Site::default() })
        .await
        .unwrap()
}

fn download(testbed: &Testbed, name: &str, content: &[u8]) -> Download {
    let url = format!("{}/api/queue/v1/task/{TASK}/runs/0/artifacts/{name}", testbed.root_url());
    Download {
        url: Url::parse(&url).unwrap(),
        credentials: None,
        headers: HeaderMap::new(),
        artifact: true,
        beside: false,
        expected: Expected { digests: vec![Digest::Sha256(Sha256::digest(content).into())], length: None },
        limit: 1 << 30,
    }
}

fn downloader() -> Downloader {
    let options = HttpOptions { proxy: Proxy::Direct, ..HttpOptions::default() };
    let transport = Arc::new(HttpTransport::new(&options).unwrap());
    let backoff = Duration::from_millis(1);
    let stall = Duration::from_millis(500);
    Downloader::new(transport, Options { backoff, backoff_cap: backoff, stall, ..Options::default() })
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

/// Downloads one thing; what is left in the file.
async fn get(what: &Download) -> Result<Vec<u8>, DownloadError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let measured = downloader().download(what, &file, soon(), &|_, _| {}).await?;
    let bytes = std::fs::read(file).unwrap();
    assert_eq!(measured.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
    Ok(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_breaks_off_goes_on_where_it_was() {
    let content = noise();
    let testbed = serve(&[(NAME, content.clone())]).await;
    testbed.fault("/_store/*", 1..=1, Fault::Reset { after: 70_000 });
    testbed.fault("/_store/*", 2..=2, Fault::Truncate { after: 90_000 });
    assert_eq!(get(&download(&testbed, NAME, &content)).await.unwrap(), content);
    let ranges: Vec<Option<String>> = testbed
        .requests()
        .into_iter()
        .filter(|request| request.url.contains("_store"))
        .map(|it| it.range)
        .collect();
    assert_eq!(ranges.len(), 3);
    assert_eq!(ranges[0], None);
    let from = |range: &Option<String>| -> usize {
        range.as_ref().unwrap().strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap()
    };
    assert!(from(&ranges[1]) > 0 && from(&ranges[2]) > from(&ranges[1]));
    // What was there already is not sent again.
    assert!(testbed.stats().bytes < content.len() as u64 + 100_000);
}

/// The rest of a gzip stream is asked for by its encoded bytes.
#[tokio::test(flavor = "multi_thread")]
async fn an_encoded_body_goes_on_too() {
    let text: Vec<u8> = (0..60_000).flat_map(|number: u32| format!("line {number}\n").into_bytes()).collect();
    let testbed = serve(&[("public/log.txt", text.clone())]).await;
    testbed.fault("/_store/*", 1..=1, Fault::Reset { after: 50_000 });
    assert_eq!(get(&download(&testbed, "public/log.txt", &text)).await.unwrap(), text);
    let asked: Vec<_> = testbed.requests().into_iter().filter(|request| request.range.is_some()).collect();
    assert!(!asked.is_empty());
}

/// Divides bodies into pieces of 40,000 bytes, three at a time.
async fn get_divided(what: &Download) -> Result<Vec<u8>, DownloadError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let downloader = downloader().with_ranges(Ranges { piece: 40_000, streams: 3, total: 4 });
    let measured = downloader.download(what, &file, soon(), &|_, _| {}).await?;
    let bytes = std::fs::read(file).unwrap();
    assert_eq!(measured.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
    assert_eq!(measured.length, bytes.len() as u64);
    Ok(bytes)
}

/// The ranges that the store was asked for.
fn ranges(testbed: &Testbed) -> Vec<String> {
    let requests = testbed.requests().into_iter().filter(|request| request.url.contains("_store"));
    requests.map(|request| request.range.unwrap_or_default()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_is_fetched_in_ranges() {
    let content = noise();
    let testbed = serve(&[(NAME, content.clone())]).await;
    assert_eq!(get_divided(&download(&testbed, NAME, &content)).await.unwrap(), content);
    let ranges = ranges(&testbed);
    assert_eq!(ranges[0], "");
    assert!(ranges.contains(&"bytes=40000-79999".to_owned()), "{ranges:?}");
    assert!(ranges.len() > 2 && ranges.len() <= 8, "{ranges:?}");
    // A body of less than two pieces is not divided.
    let small = &content[..79_999];
    let testbed = serve(&[(NAME, small.to_vec())]).await;
    assert_eq!(get_divided(&download(&testbed, NAME, small)).await.unwrap(), small);
    assert_eq!(testbed.stats().requests, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_ranges_is_asked_once() {
    let content = noise();
    let testbed = serve(&[(NAME, content.clone())]).await;
    let whole = Fault::Instead { status: 200, headers: Vec::new(), body: content.clone().into() };
    testbed.fault("/_store/*", 2.., whole);
    // The front does not reach the pieces after it before it is known what becomes of them.
    testbed.fault("/_store/*", 2.., Fault::Delay(Duration::from_millis(50)));
    assert_eq!(get_divided(&download(&testbed, NAME, &content)).await.unwrap(), content);
    let ranges = ranges(&testbed);
    assert_eq!(ranges.iter().filter(|range| range.is_empty()).count(), 1, "{ranges:?}");
    assert!(ranges.len() <= 3, "{ranges:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_that_break_off_go_on_where_they_were() {
    let content = noise();
    for fault in [Fault::Reset { after: 10_000 }, Fault::Truncate { after: 10_000 }, Fault::Status(503)] {
        let testbed = serve(&[(NAME, content.clone())]).await;
        testbed.fault("/_store/*", 2..=4, fault.clone());
        assert_eq!(get_divided(&download(&testbed, NAME, &content)).await.unwrap(), content, "{fault:?}");
        let ranges = ranges(&testbed);
        assert_eq!(ranges.iter().filter(|range| range.is_empty()).count(), 1, "{fault:?}: {ranges:?}");
    }
}

/// A range of another object does not become a part of this one.
#[tokio::test(flavor = "multi_thread")]
async fn ranges_of_another_object_are_not_taken() {
    let content = noise();
    let part = |range: &str, tag: Option<&str>| {
        let tag = tag.map(|tag| ("etag".into(), tag.into()));
        let range = ("content-range".into(), range.into());
        let headers = [Some(range), tag].into_iter().flatten().collect();
        Fault::Instead { status: 206, headers, body: vec![0; 40_000].into() }
    };
    let faults = [
        part("bytes 40000-79999/300000", Some("\"other\"")),
        part("bytes 40000-79999/300001", None),
        part("bytes 0-39999/300000", None),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let testbed = serve(&[(NAME, content.clone())]).await;
        testbed.fault("/_store/*", 2..=2, fault);
        assert_eq!(get_divided(&download(&testbed, NAME, &content)).await.unwrap(), content, "{number}");
        assert_eq!(ranges(&testbed).iter().filter(|range| range.is_empty()).count(), 2, "{number}");
        // It was noticed before everything was there: no mismatch was fetched once more.
        assert!(testbed.requests().iter().all(|request| !request.skip_cdn), "{number}");
    }
}

/// Whatever a store does with ranges: what is taken is right, or a mismatch is found.
#[tokio::test(flavor = "multi_thread")]
async fn altered_ranges_are_a_mismatch() {
    let content = noise();
    let testbed = serve(&[(NAME, content.clone())]).await;
    testbed.fault("/_store/*", 2.., Fault::Replace(vec![7; 40_000].into()));
    let error = get_divided(&download(&testbed, NAME, &content)).await.unwrap_err();
    assert!(!matches!(error, DownloadError::Disk { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_object_is_fetched_from_its_beginning() {
    let content = noise();
    let testbed = serve(&[(NAME, content.clone())]).await;
    testbed.fault("/_store/*", 1..=1, Fault::Reset { after: 70_000 });
    let part = |range: &str, tag: &str| Fault::Instead {
        status: 206,
        headers: vec![("content-range".into(), range.into()), ("etag".into(), tag.into())],
        body: vec![0; 1000].into(),
    };
    // Another length, another tag, another range.
    testbed.fault("/_store/*", 2..=2, part("bytes 70000-299998/299999", "\"other\""));
    assert_eq!(get(&download(&testbed, NAME, &content)).await.unwrap(), content);
}

/// A store that answers one request after the other with these bytes, each on a connection of its own.
fn store(answers: Vec<Vec<u8>>) -> Url {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut connection, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                connection.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            connection.write_all(&answer).unwrap();
        }
    });
    Url::parse(&format!("http://{address}/file")).unwrap()
}

/// Nothing is known of the body: only the answers tell what is a part of it.
#[tokio::test(flavor = "multi_thread")]
async fn parts_of_a_body_that_nothing_is_known_of_are_of_one_object_and_whole() {
    let content = noise();
    let content = &content[..300];
    let answer = |status: &str, headers: &str, body: &[u8]| {
        [format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n").as_bytes(), body].concat()
    };
    let first = || answer("200 OK", "ETag: \"a\"\r\nContent-Length: 300\r\n", &content[..100]);
    let part = |headers: &str, body: &[u8]| answer("206 Partial Content", headers, body);
    let tag = "ETag: \"a\"\r\n";
    let range = "Content-Range: bytes 100-299/300\r\n";
    let rest = "Content-Range: bytes 150-299/300\r\n";
    let other = |headers: &str| vec![first(), part(headers, &[0; 200])];
    for answers in [
        vec![first(), part(&[range, tag].concat(), &content[100..])],
        // It ends too soon, and has not said how long it is.
        vec![
            first(),
            part(&[range, tag].concat(), &content[100..150]),
            part(&[rest, tag].concat(), &content[150..]),
        ],
        // Of another object, for all that it says.
        other(range),
        other(&format!("{range}ETag: \"b\"\r\n")),
        other(&format!("Content-Range: bytes 100-299/301\r\n{tag}")),
        // A part that was not requested.
        other(&format!("Content-Range: bytes 0-199/300\r\n{tag}")),
        other(tag),
    ] {
        let whole = answer("200 OK", "ETag: \"a\"\r\nContent-Length: 300\r\n", content);
        let url = store([answers, vec![whole]].concat());
        let what = Download {
            url,
            credentials: None,
            headers: HeaderMap::new(),
            artifact: false,
            beside: false,
            expected: Expected::default(),
            limit: 1 << 20,
        };
        assert_eq!(get(&what).await.unwrap(), content);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mismatch_is_fetched_once_more_past_the_cdn() {
    let content = noise();
    let testbed = serve(&[(NAME, content.clone())]).await;
    testbed.fault("/_store/*", 1..=1, Fault::Replace(b"altered on the way".to_vec().into()));
    assert_eq!(get(&download(&testbed, NAME, &content)).await.unwrap(), content);
    let asked: Vec<bool> =
        testbed.requests().into_iter().filter(|it| it.url.contains("/api/")).map(|it| it.skip_cdn).collect();
    assert_eq!(asked, [false, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mismatch_that_stays_names_both_digests() {
    let content = noise();
    let testbed = serve(&[(NAME, b"altered".to_vec())]).await;
    let error = get(&download(&testbed, NAME, &content)).await.unwrap_err();
    let DownloadError::Mismatch { expected, actual, .. } = &error else { panic!("{error}") };
    assert_eq!(*expected, hex::encode(Sha256::digest(&content)));
    assert_eq!(*actual, hex::encode(Sha256::digest(b"altered")));
    assert_eq!(testbed.stats().requests, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_pass_is_not_asked_again() {
    let testbed = serve(&[(NAME, noise())]).await;
    let absent = get(&download(&testbed, "public/absent", b"")).await.unwrap_err();
    assert!(matches!(absent, DownloadError::Absent { status: 404, .. }), "{absent}");
    assert_eq!(testbed.stats().requests, 1);
    let refused = get(&download(&testbed, "private/x", b"")).await.unwrap_err();
    assert!(matches!(refused, DownloadError::Refused { status: 403, .. }), "{refused}");
    assert_eq!(testbed.stats().requests, 2);
    testbed.fault("/_store/*", .., Fault::Encoding("br".to_owned()));
    let coded = get(&download(&testbed, NAME, b"")).await.unwrap_err();
    assert!(matches!(coded, DownloadError::Lasting { .. }), "{coded}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_pass_is_asked_again_and_not_for_ever() {
    let content = noise();
    for fault in [Fault::Status(503), Fault::HangUp, Fault::Silence, Fault::Truncate { after: 0 }] {
        let testbed = serve(&[(NAME, content.clone())]).await;
        testbed.fault("/_store/*", ..=2, fault.clone());
        assert_eq!(get(&download(&testbed, NAME, &content)).await.unwrap(), content, "{fault:?}");
    }
    let testbed = serve(&[(NAME, content.clone())]).await;
    testbed.fault("/_store/*", .., Fault::Status(500));
    let error = get(&download(&testbed, NAME, &content)).await.unwrap_err();
    assert!(matches!(error, DownloadError::Unreachable { attempts: 5, .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_ends_it() {
    let testbed = serve(&[(NAME, noise())]).await;
    testbed.fault("/_store/*", .., Fault::Drip { bytes: 100, every: Duration::from_millis(50) });
    let folder = tempfile::tempdir().unwrap();
    let deadline = Instant::now() + Duration::from_millis(300);
    let what = download(&testbed, NAME, &noise());
    let ended = downloader().download(&what, &folder.path().join("x"), deadline, &|_, _| {}).await;
    assert!(matches!(ended, Err(DownloadError::Deadline { .. })), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_without_end_and_bombs_are_cut() {
    for fault in [Fault::Endless, Fault::GzipBomb { unpacked: 1 << 30 }] {
        let testbed = serve(&[(NAME, noise())]).await;
        testbed.fault("/_store/*", .., fault.clone());
        let what = Download { limit: 1 << 20, ..download(&testbed, NAME, &noise()) };
        let error = get(&what).await.unwrap_err();
        assert!(matches!(error, DownloadError::Lasting { .. }), "{fault:?}: {error}");
    }
}

/// Neither credentials nor the caller's headers are for the place a redirect leads to.
#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_target_is_told_no_secret() {
    let content = noise();
    let testbed = serve(&[(NAME, content.clone())]).await;
    let mut what = download(&testbed, NAME, &content);
    what.headers.insert("authorization", HeaderValue::from_static("Bearer secret"));
    get(&what).await.unwrap();
    let requests = testbed.requests();
    assert_eq!(requests[0].authorization.as_deref(), Some("Bearer secret"));
    assert!(requests[1].url.contains("_store") && requests[1].authorization.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_does_not_leave_this_machine() {
    let testbed = serve(&[(NAME, noise())]).await;
    testbed.fault("/api/*", .., Fault::Redirect("http://198.51.100.1/x".to_owned()));
    let error = get(&download(&testbed, NAME, b"")).await.unwrap_err();
    assert!(error.to_string().contains("plain http"), "{error}");
}

fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, name, content).unwrap();
    builder.into_inner().unwrap()
}

fn input(testbed: &Testbed, name: &str, content: &[u8]) -> Input {
    let file = name.rsplit('/').next().unwrap();
    Input {
        download: download(testbed, name, content),
        place: Place::new("", file).unwrap(),
        extract: Extract::Archives,
    }
}

async fn delivered(inputs: &[Input], to: &Path) -> Result<usize, DeliverError> {
    let delivery = Delivery {
        downloads: 4,
        extractions: NonZeroUsize::new(2).unwrap(),
        options: ExtractOptions::default(),
        deadline: soon(),
        cache: None,
    };
    deliver(&downloader(), inputs, to, &delivery, &NoProgress).await.map(|all| all.len())
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> = entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn all_inputs_are_put_in_place_in_their_order_or_none() {
    let (first, second, plain) = (tar("d/both", b"first"), tar("d/both", b"second"), noise());
    let artifacts =
        [("public/a.tar", first.clone()), ("public/b.tar", second.clone()), ("public/plain", plain.clone())];
    let testbed = serve(&artifacts).await;
    // The first comes last.
    testbed.fault("/_store/*a.tar", .., Fault::Delay(Duration::from_millis(200)));
    let inputs: Vec<Input> = artifacts.iter().map(|(name, content)| input(&testbed, name, content)).collect();
    let to = tempfile::tempdir().unwrap();
    assert_eq!(delivered(&inputs, to.path()).await.unwrap(), 3);
    assert_eq!(std::fs::read(to.path().join("d/both")).unwrap(), b"second");
    assert_eq!(names(&to), ["d", "plain"]);

    testbed.fault("/_store/*plain", .., Fault::Status(404));
    let to = tempfile::tempdir().unwrap();
    assert!(delivered(&inputs, to.path()).await.is_err());
    // The last thread that extracts takes the staging directory with it.
    for _ in 0..500 {
        if names(&to).is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?}", names(&to));
}

/// A digest that is right is no reason to trust an archive.
#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_archive_leaves_nothing() {
    let mut archive = tar("placeholder", b"x");
    archive[..11].copy_from_slice(b"../outside\0");
    let mut header: [u8; 512] = archive[..512].try_into().unwrap();
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    archive[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let testbed = serve(&[("public/a.tar", archive.clone()), ("public/plain", noise())]).await;
    let inputs = [input(&testbed, "public/plain", &noise()), input(&testbed, "public/a.tar", &archive)];
    let to = tempfile::tempdir().unwrap();
    let error = delivered(&inputs, to.path()).await.unwrap_err();
    assert_eq!(error.code(), "archive-member-name", "{error}");
    assert!(names(&to).is_empty(), "{:?}", names(&to));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_fetchers_in_one_destination() {
    let content = tar("d/x", b"content");
    let testbed = serve(&[("public/a.tar", content.clone()), ("public/plain", noise())]).await;
    let inputs = [input(&testbed, "public/plain", &noise()), input(&testbed, "public/a.tar", &content)];
    let to = tempfile::tempdir().unwrap();
    let (one, other) = tokio::join!(delivered(&inputs, to.path()), delivered(&inputs, to.path()));
    assert_eq!((one.unwrap(), other.unwrap()), (2, 2));
    assert_eq!(names(&to), ["d", "plain"]);
}

/// What a killed fetcher left is removed by the next one.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_fetcher_left_is_removed() {
    let testbed = serve(&[("public/plain", noise())]).await;
    let to = tempfile::tempdir().unwrap();
    let left = to.path().join(".catena-left");
    std::fs::create_dir_all(left.join("0")).unwrap();
    std::fs::write(left.join("0/unverified"), b"x").unwrap();
    std::fs::write(left.join("lock"), b"").unwrap();
    delivered(&[input(&testbed, "public/plain", &noise())], to.path()).await.unwrap();
    assert_eq!(names(&to), ["plain"]);
}
