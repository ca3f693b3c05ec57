//! What every byte of a body costs: capped, measured and, if it is compressed, decoded as it arrives.
#![allow(clippy::unwrap_used, reason = "a bench of what it made itself")]

use bytes::Bytes;
use catena_fetch::{Fetcher, Options};
use catena_http::{Request, Response, Transport, TransportError};
use catena_model::Limits;
use catena_model::task::{ArtifactName, RunId, TaskId};
use catena_taskcluster::RootUrl;
use catena_verify::verification::{Fact, Need};
use divan::Bencher;
use divan::counter::BytesCount;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderValue, StatusCode};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const LENGTH: usize = 32 << 20;
/// What a chunk of a body is when it comes from the network.
const CHUNK: usize = 64 * 1024;
const TASK: &str = "IFn9x5gaQz-HXl2pa7Ny_w";

fn main() {
    divan::main();
}

/// Answers everything with the same body, from memory.
struct Memory {
    headers: HeaderMap,
    body: Bytes,
}

impl Transport for Memory {
    fn send(&self, _request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let body = self.body.clone();
        let chunks = (0..body.len()).step_by(CHUNK);
        let chunks = chunks.map(move |at| Ok(body.slice(at..body.len().min(at.saturating_add(CHUNK)))));
        let body = stream::iter(chunks).boxed();
        std::future::ready(Ok(Response { status: StatusCode::OK, headers: self.headers.clone(), body }))
            .boxed()
    }
}

/// Bytes of sixteen kinds in no order: gzip halves them, and may not expand much more than that.
fn body() -> Bytes {
    let mut state = 7_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 28) as u8
    };
    std::iter::repeat_with(next).take(LENGTH).collect()
}

/// A fetcher of its own each time: what one has measured it does not measure again.
fn measure(bencher: Bencher<'_, '_>, body: &Bytes, headers: &HeaderMap, sha512: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let name = ArtifactName::parse("public/build/target.tar.xz").unwrap();
    let need = Need::Artifact { task_id: TaskId::parse(TASK).unwrap(), run_id: RunId(0), name, sha512 };
    let fetcher = || {
        let memory = Memory { headers: headers.clone(), body: body.clone() };
        let root = RootUrl::parse("https://tc.example").unwrap();
        Fetcher::new(Arc::new(memory), root, Limits::default(), Options::default())
    };
    bencher.counter(BytesCount::new(LENGTH)).with_inputs(fetcher).bench_local_refs(|fetcher| {
        let deadline = Instant::now().checked_add(Duration::from_secs(600)).unwrap();
        let fact = runtime.block_on(fetcher.answer(&need, deadline));
        assert!(
            matches!(&fact, Fact::Measured(measurement) if measurement.length == LENGTH as u64),
            "{fact:?}"
        );
    });
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn sha256(bencher: Bencher<'_, '_>) {
    measure(bencher, &body(), &HeaderMap::new(), false);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn sha256_and_sha512(bencher: Bencher<'_, '_>) {
    measure(bencher, &body(), &HeaderMap::new(), true);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn sha256_of_gzip(bencher: Bencher<'_, '_>) {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&body()).unwrap();
    let headers = HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static("gzip"))]);
    measure(bencher, &encoder.finish().unwrap().into(), &headers, false);
}
