//! One worker process through many tasks while something goes wrong for one task in twenty: its memory stays flat, it leaks neither
//! descriptors nor processes, and every document verifies.
//!
//! `CATENA_SOAK` is the number of tasks, 100 when unset. They are signing tasks of one push, each verified. What was
//! measured is printed (`--nocapture`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects, clippy::print_stdout)]

mod support;

use catena_testbed::chain::{Images, Release, Trigger};
use catena_testbed::{Chain, Fault, Options, Testbed};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::daemon::{Daemon, check_run, has_ended, until};
use support::relay::{Part, Relay};
use support::splitmix;

/// How the memory may grow from the second quarter of the tasks to the last: a tenth, and what is chance.
const GROWTH: (u64, u64) = (10, 8 << 10);
const SCRIPT: &str = "cd $ROOM; mkdir -p artifacts/public/build; cat work/cot/*/public/build/* > artifacts/public/build/signed; \
    sleep 1000 & setsid sleep 1000 &";

/// What a process has at one moment.
#[derive(Clone, Copy, Debug)]
struct Sample {
    done: usize,
    /// KiB of resident memory.
    resident: u64,
    /// None where this user may not look.
    descriptors: Option<usize>,
}

#[test]
fn many_tasks_with_faults_leave_nothing_behind() {
    let count: usize =
        std::env::var("CATENA_SOAK").map_or(100, |text| text.parse().expect("CATENA_SOAK is a number"));
    let chain = chain(count);
    let tasks: Vec<String> = [vec![chain.target.clone()], chain.siblings.clone()].concat();
    let testbed = Testbed::start_blocking(chain.clone().into_site(), Options::default()).unwrap();
    let queue = testbed.queue();
    queue.set_long_poll(Duration::from_millis(200));
    let pool = definition(&chain, &tasks[0])["taskQueueId"].as_str().unwrap().to_owned();
    let keys = json!(chain.keys.public_keys_base64());
    let relay = Relay::start(&testbed.root_url());
    let worker = Daemon::new(queue, &relay.root_url(), &pool, "the-worker", 7).with_script(SCRIPT);
    let mut worker = worker.verifying(&chain.product, &chain.kind, &keys);
    worker.config["verbose"] = json!(false);
    let (mut next, mut faults) = (splitmix(1), 0);
    worker.start(&testbed);
    let begun = Instant::now();
    let (mut samples, mut runs) = (Vec::new(), 0);
    for (done, task) in tasks.iter().enumerate() {
        queue.add_task(task, &definition(&chain, task));
        faults += strike(&testbed, &relay, task, &mut next);
        let last = settled(&testbed, &worker, task);
        for number in 0..=last {
            check_run(queue, &worker, task, number).unwrap_or_else(|why| panic!("{task}/{number}: {why}"));
        }
        let run = queue.run(task, last).unwrap();
        assert_eq!(run.state, "completed", "{task}: {run:?}\n{}", worker.said());
        runs += last + 1;
        samples.push(sample(&worker, done));
    }
    let (took, children) = (begun.elapsed(), children(&worker));
    report(&samples, runs, faults, took);
    assert_eq!(worker.drained(), 0);
    assert!(children.is_empty(), "processes are left: {children:?}");
    flat(&samples);
}

/// A push with so many signing tasks.
fn chain(targets: usize) -> Chain {
    let release = Release::new("firefox", Trigger::Push).unwrap();
    let (images_from, image_builder) = (Images::OwnGraph, false);
    Release { builds: 2, images_from, image_builder, targets, ..release }.build().unwrap()
}

fn definition(chain: &Chain, task: &str) -> Value {
    serde_json::from_str(&chain.tasks[task].definition.to_string()).unwrap()
}

/// Lets something go wrong for one task in twenty: an answer of the queue about it, or the queue or the store are
/// away for a moment.
fn strike(testbed: &Testbed, relay: &Relay, task: &str, next: &mut impl FnMut() -> u64) -> usize {
    if !next().is_multiple_of(20) {
        return 0;
    }
    let wire: [(&str, Fault); 6] = [
        ("", Fault::Status(502)),
        ("/status", Fault::Reset { after: 20 }),
        ("/runs/0/reclaim", Fault::Status(503)),
        ("/runs/0/artifacts/public/chain-of-trust.json", Fault::Status(500)),
        ("/runs/0/artifacts/public/build/signed", Fault::HangUp),
        ("/runs/0/completed", Fault::HangUp),
    ];
    let (kind, moment) = (usize::try_from(next() % 8).unwrap(), Duration::from_millis(next() % 300));
    match wire.into_iter().nth(kind) {
        Some((place, fault)) => testbed.fault(&format!("*/task/{task}{place}"), 1..=1, fault),
        None => {
            std::thread::sleep(moment);
            relay.kill(if kind == 6 { Part::Queue } else { Part::Store }, Duration::from_millis(100));
        }
    }
    1
}

/// Waits until a task has no run that is pending or running; the number of its last run.
fn settled(testbed: &Testbed, worker: &Daemon, task: &str) -> usize {
    let queue = testbed.queue();
    let last = || queue.runs(task) - 1;
    until(&|| format!("{task} is not resolved: {}", worker.said()), || {
        queue.run(task, last()).is_some_and(|run| has_ended(&run))
    });
    last()
}

fn sample(worker: &Daemon, done: usize) -> Sample {
    Sample { done, resident: worker.status("VmRSS:"), descriptors: worker.descriptors() }
}

/// The processes whose parent is the worker.
fn children(worker: &Daemon) -> Vec<String> {
    let own = worker.pid().unwrap().as_raw_pid().to_string();
    let stats = std::fs::read_dir("/proc").unwrap().flatten();
    let stats = stats.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    stats
        .filter(|stat| {
            stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)) == Some(own.as_str())
        })
        .collect()
}

/// InMemorySource and descriptors of the last quarter are those of the second.
fn flat(samples: &[Sample]) {
    let quarter = samples.len() / 4;
    let (second, last) = (&samples[quarter..2 * quarter], &samples[3 * quarter..]);
    let resident = |part: &[Sample]| part.iter().map(|sample| sample.resident).max().unwrap();
    let (before, after) = (resident(second), resident(last));
    assert!(after <= before + before / GROWTH.0 + GROWTH.1, "{before} KiB became {after} KiB");
    let descriptors = |part: &[Sample]| part.iter().filter_map(|sample| sample.descriptors).min();
    assert!(
        descriptors(last) <= descriptors(second).map(|count| count + 2),
        "{:?} became {:?}",
        second[0],
        last[0]
    );
}

fn report(samples: &[Sample], runs: usize, faults: usize, took: Duration) {
    println!("{} tasks, {runs} runs, {faults} faults, {:.1} s", samples.len(), took.as_secs_f64());
    for sample in samples.iter().step_by((samples.len() / 10).max(1)).chain(samples.last()) {
        println!(
            "after {:5} tasks: {:6} KiB, {:?} descriptors",
            sample.done + 1,
            sample.resident,
            sample.descriptors
        );
    }
}
