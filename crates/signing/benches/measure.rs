//! What measuring an artifact directory costs, beside one SHA-256 pass over the same bytes from memory.
//!
//! `CATENA_BENCH_BYTES` is the size of the large file, 1 GB when unset.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a bench of what it made itself"
)]

use catena_signing::measure;
use divan::Bencher;
use divan::counter::BytesCount;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::Write as _;
use tempfile::TempDir;

const FILES: usize = 10_000;
const SMALL: usize = 20_000;
const BLOCK: usize = 1 << 20;

fn main() {
    divan::main();
}

/// Bytes in no order; equal ones cost the same, so one block stands for all.
fn block() -> Vec<u8> {
    let mut state = 7_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(BLOCK).collect()
}

fn small_files() -> TempDir {
    let (temp, block) = (tempfile::tempdir().unwrap(), block());
    for number in 0..FILES {
        let folder = temp.path().join(format!("public/build/{}", number % 100));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{number}.bin")), &block[..SMALL]).unwrap();
    }
    temp
}

fn large() -> usize {
    std::env::var("CATENA_BENCH_BYTES").map_or(1_000_000_000, |bytes| bytes.parse().unwrap())
}

fn large_file() -> TempDir {
    let (temp, block) = (tempfile::tempdir().unwrap(), block());
    let mut file = File::create(temp.path().join("large.bin")).unwrap();
    let mut left = large();
    while left > 0 {
        let part = left.min(BLOCK);
        file.write_all(&block[..part]).unwrap();
        left = left.saturating_sub(part);
    }
    temp
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn small_measured(bencher: Bencher<'_, '_>) {
    let temp = small_files();
    bencher.counter(BytesCount::new(FILES * SMALL)).bench_local(|| measure(temp.path()).unwrap().len());
}

/// On as many threads as there are processors, as measuring does.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn small_one_pass(bencher: Bencher<'_, '_>) {
    let block = block();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    bencher.counter(BytesCount::new(FILES * SMALL)).bench_local(|| {
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for _ in 0..FILES / threads {
                        divan::black_box(Sha256::digest(&block[..SMALL]));
                    }
                });
            }
        });
    });
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn large_measured(bencher: Bencher<'_, '_>) {
    let temp = large_file();
    bencher.counter(BytesCount::new(large())).bench_local(|| measure(temp.path()).unwrap().len());
}

/// One file is one digest, which nothing can share out.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn large_one_pass(bencher: Bencher<'_, '_>) {
    let block = block();
    bencher.counter(BytesCount::new(large())).bench_local(|| {
        let mut hasher = Sha256::new();
        (0..large() / BLOCK).for_each(|_| hasher.update(&block));
        hasher.finalize()
    });
}
