//! Scanning a task graph while it streams.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a bench of what it made itself")]

use catena_model::Limits;
use catena_model::digest::Measurement;
use catena_model::graph::Scanner;
use catena_model::task::{TaskId, TaskSet};
use divan::Bencher;
use divan::counter::BytesCount;

/// One entry of a push of Firefox, as decision tasks write it.
const ENTRY: &str = include_str!("graph-entry.json");
/// What a chunk of a body is when it comes from the network.
const CHUNK: usize = 64 * 1024;

fn main() {
    divan::main();
}

/// Ids that no two tasks share.
fn task_id(number: usize) -> String {
    format!("A{number:07}Q-C0123456789A")
}

fn graph(tasks: usize) -> String {
    let entries: Vec<String> =
        (0..tasks).map(|i| format!("  \"{}\": {}", task_id(i), ENTRY.trim())).collect();
    format!("{{\n{}\n}}\n", entries.join(",\n"))
}

fn wanted(count: usize) -> TaskSet {
    (0..count).map(|i| TaskId::parse(&task_id(i * 7)).unwrap()).collect()
}

/// A graph of 2,000 tasks of which some are kept.
#[divan::bench(args = [1, 25, 250])]
fn scanned(bencher: Bencher<'_, '_>, kept: usize) {
    let (text, wanted, limits) = (graph(2000), wanted(kept), Limits::default());
    let measurement = Measurement { length: text.len() as u64, sha256: [0; 32], sha512: None };
    bencher.counter(BytesCount::of_str(&text)).bench(|| {
        let mut scanner = Scanner::new(wanted.clone(), &limits);
        text.as_bytes().chunks(CHUNK).for_each(|chunk| scanner.write(chunk));
        let scan = scanner.finish(measurement);
        assert_eq!(scan.entries.as_ref().unwrap().len(), kept);
        scan
    });
}
