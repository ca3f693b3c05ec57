//! A download, and a script of answers to it: no panic, an end, credentials for the first address alone, and nothing
//! but the bytes that it must have. Small pieces divide it.
//!
//! The input is text but for its first two bytes (how it is asked for, the size of chunks): a script.
#![no_main]

use catena_download::{Download, DownloadError, Downloader, Expected, Ranges};
use catena_fetch::Options;
use catena_fuzz::Script;
use catena_http::{Request, Secret};
use catena_model::digest::Digest;
use catena_taskcluster::TaskclusterCredentials;
use http::{HeaderMap, HeaderValue, header};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const URL: &str = "https://tc.example/api/queue/v1/task/x/artifacts/y";
const CONTENT: &[u8] = b"0123456789 of a file that has what it must have, and not much more";

/// Wherever an answer sent it.
fn watch(request: &Request) {
    assert_eq!(request.url.scheme(), "https", "{request:?}");
    assert!(request.url.username().is_empty() && request.url.password().is_none(), "{request:?}");
    let secret = request.headers.contains_key(header::AUTHORIZATION) || request.headers.contains_key("x-own");
    assert!(!secret || request.url.as_str() == URL, "{request:?}");
}

fuzz_target!(|input: &[u8]| {
    let Some(([how, chunk], text)) = input.split_first_chunk() else { return };
    let script = Arc::new(Script::read(text, *chunk, watch));
    let secret = Secret::new("secret".to_owned());
    let credentials = TaskclusterCredentials::new("project/releng".to_owned(), secret, None).unwrap();
    let what = Download {
        url: URL.parse().unwrap(),
        credentials: (how & 1 != 0).then_some(credentials),
        headers: HeaderMap::from_iter([("x-own".parse().unwrap(), HeaderValue::from_static("secret"))]),
        artifact: how & 2 != 0,
        beside: false,
        expected: Expected {
            digests: vec![Digest::Sha256(Sha256::digest(CONTENT).into())],
            length: (how & 4 != 0).then_some(CONTENT.len() as u64),
        },
        limit: 1 << 12,
    };
    let ranges = if how & 8 != 0 { Ranges { piece: 16, streams: 2, total: 2 } } else { Ranges::default() };
    // Time passes: threads that write to the disk keep a paused clock from moving.
    let soon = Duration::from_millis(2);
    let waits = Options {
        backoff: soon,
        backoff_cap: soon,
        retry_after_cap: soon,
        stall: soon,
        ..Options::default()
    };
    let options = Options { attempts: 3, redirects: 3, ..waits };
    let downloader = Downloader::new(script.clone(), options).with_ranges(ranges);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let deadline = Instant::now() + Duration::from_secs(300);
        match downloader.download(&what, &file, deadline, &|_, _| {}).await {
            Ok(measured) => {
                assert_eq!(std::fs::read(&file).unwrap(), CONTENT);
                assert_eq!(measured.length, CONTENT.len() as u64);
            }
            Err(DownloadError::Mismatch { expected, actual, .. }) => assert_ne!(expected, actual),
            Err(DownloadError::Disk { source, .. }) => panic!("{source}"),
            Err(_) => {}
        }
    });
});
