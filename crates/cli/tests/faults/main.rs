//! Every fault for every kind of need, through the real binary: the verdict, the duration, the memory,
//! and the files left behind.
//!
//! Each trial is `kind of need / fault / persistent or passing`, of `catena verify`; those of `catena fetch` begin with
//! `fetch` (`fetch.rs`). A persistent fault affects every
//! attempt; a passing one only the first, and then the verdict is the same as without it. `faults.rs`
//! has the faults and the table of their effects.
//!
//! `CATENA_FAULTS` selects the trials: every N-th, 4 when unset, to keep local runs short; CI tries
//! all. A separate trial checks that the selection covers every kind of need.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::arithmetic_side_effects
)]

mod faults;
mod fetch;
mod kinds;
mod run;
#[path = "../support/mod.rs"]
mod support;

use catena_testbed::chain::Images;
use catena_testbed::{Body, Chain, Fault, Options, Release, Site, Testbed, Trigger};
use faults::{ATTEMPTS, Effect, Expected, Trouble, expected, troubles};
use kinds::{KINDS, Kind, Said, World, YES};
use libtest_mimic::{Arguments, Failed, Trial};
use run::{Ending, Served, TimeLimits, files};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// The maximum memory of a verifier under any fault, KiB (docs/performance.md).
const MOST_MEMORY: u64 = 256 << 10;
/// The memory for a chain of some hundred links without faults, KiB.
const BASE: u64 = 44 << 10;
/// The maximum memory for all answers together.
const MOST_MEMORY_OF_ALL: u64 = BASE + (300 << 10);
/// The maximum time between its deadline and the end of a verifier, on a busy machine.
const GRACE: Duration = Duration::from_secs(30);

/// Most of the time is spent waiting for missing answers.
const AT_A_TIME: usize = 24;

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_A_TIME);
    let bench = Arc::new(Bench::new());
    let trials = trials(&bench);
    let (count, began) = (trials.len(), Instant::now());
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list {
        let (peak, name) = bench.worst.lock().unwrap().clone();
        let seconds = began.elapsed().as_secs_f64();
        println!("{count} trials in {seconds:.1} s; most memory: {} MiB, {name}", peak >> 10);
    }
    conclusion.exit();
}

fn trials(bench: &Arc<Bench>) -> Vec<Trial> {
    let every = std::env::var("CATENA_FAULTS").map_or(4, |text| text.parse().unwrap());
    let sample: Vec<_> = struck().into_iter().step_by(every).collect();
    let troubled: BTreeSet<&str> = sample.iter().map(|(kind, ..)| kind.need).collect();
    let covers = move |bench: &Bench| bench.every_need_is_troubled(&troubled);
    let mut trials = vec![trial(bench, "every need is troubled".to_owned(), covers)];
    trials.push(trial(bench, "a pattern that nothing is asked at".to_owned(), Bench::misses_are_noticed));
    trials.push(trial(bench, "all answers at once".to_owned(), Bench::all_answers_share_the_memory));
    for (name, names, length) in [
        ("a gigabyte of names that no artifact has", 1_000, 9_500),
        ("a gigabyte of names as long as may be", 9_500, 1_000),
        ("a gigabyte of short names", 300_000, 20),
    ] {
        let listing = Fault::LongListing { names, length };
        trials.push(trial(bench, name.to_owned(), |bench: &Bench| bench.listings_are_bounded(listing)));
    }
    trials.push(trial(bench, "a gigabyte of graph entries".to_owned(), Bench::graph_entries_are_bounded));
    for strike in fetch::struck().into_iter().step_by(every) {
        trials.push(trial(bench, strike.name(), move |bench: &Bench| strike.run(bench)));
    }
    for (kind, trouble, passing) in sample {
        let length = if passing { "passing" } else { "persistent" };
        let name = format!("{}/{}/{length}", kind.name, trouble.name);
        trials.push(trial(bench, name, move |bench: &Bench| match passing {
            true => bench.passing(kind, &trouble),
            false => bench.persistent(kind, &trouble),
        }));
    }
    trials
}

/// Every kind of need with every applicable fault, and whether the fault passes.
fn struck() -> Vec<(&'static Kind, Arc<Trouble>, bool)> {
    let mut all = Vec::new();
    for kind in KINDS {
        for trouble in troubles().into_iter().filter(|trouble| trouble.strikes(kind)) {
            let trouble = Arc::new(trouble);
            if expected(kind, &trouble).passes {
                all.push((kind, trouble.clone(), true));
            }
            all.push((kind, trouble, false));
        }
    }
    all
}

fn trial(
    bench: &Arc<Bench>,
    name: String,
    run: impl FnOnce(&Bench) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let bench = bench.clone();
    Trial::test(name, move || run(&bench))
}

/// Shared state of all trials.
pub(crate) struct Bench {
    /// The CA of all sites.
    testbed: Testbed,
    chains: HashMap<World, Chain>,
    untroubled: HashMap<World, OnceLock<Arc<Untroubled>>>,
    worst: Mutex<(u64, String)>,
}

/// The verdict without faults.
struct Untroubled {
    verdict: Value,
    files: Vec<String>,
    needs: BTreeSet<String>,
}

const GENEROUS: TimeLimits = TimeLimits {
    deadline: Duration::from_secs(45),
    attempts: ATTEMPTS,
    stall: Duration::from_secs(30),
    tls: false,
};

impl Bench {
    fn new() -> Self {
        let testbed = Testbed::start_blocking(Site::new(), Options::default()).unwrap();
        let chains = World::ALL.into_iter().map(|world| (world, world.chain())).collect();
        let untroubled = World::ALL.into_iter().map(|world| (world, OnceLock::new())).collect();
        Self { testbed, chains, untroubled, worst: Mutex::default() }
    }

    fn serve(&self, world: World) -> Served {
        Served::new(&self.testbed, world, &self.chains[&world])
    }

    fn untroubled(&self, world: World) -> Arc<Untroubled> {
        let known = self.untroubled[&world].get_or_init(|| {
            let served = self.serve(world);
            let record = served.room.path().join("record");
            let ending = served.run(&GENEROUS, &["--record", record.to_str().unwrap()]);
            assert_eq!(ending.status, Some(0), "{world:?}: {}{}", ending.stdout, ending.stderr);
            let files = files(&served.work_dir());
            assert!(!files.is_empty());
            let index: Value =
                serde_json::from_slice(&std::fs::read(record.join("facts.json")).unwrap()).unwrap();
            let needs = index["facts"].as_array().unwrap().iter();
            let needs = needs.map(|fact| fact["need"]["kind"].as_str().unwrap().to_owned()).collect();
            Arc::new(Untroubled { verdict: served.timeless(&ending), files, needs })
        });
        known.clone()
    }

    fn persistent(&self, kind: &Kind, trouble: &Trouble) -> Result<(), Failed> {
        let expected = expected(kind, trouble);
        self.hold(kind, trouble, false, &expected)
    }

    /// After a first attempt with a fault: the verdict without faults.
    fn passing(&self, kind: &Kind, trouble: &Trouble) -> Result<(), Failed> {
        let expected = Expected { said: YES, requests: None, ..expected(kind, trouble) };
        self.hold(kind, trouble, true, &expected)
    }

    fn hold(&self, kind: &Kind, trouble: &Trouble, passing: bool, expected: &Expected) -> Result<(), Failed> {
        let untroubled = self.untroubled(kind.world);
        let served = self.serve(kind.world);
        let address = (kind.address)(&self.chains[&kind.world]);
        let place = served.place(address.clone(), trouble.tls);
        served.lay(trouble.laid(&place), passing);
        let deadline = if expected.deadline { Duration::from_secs(3) } else { GENEROUS.deadline };
        // On a busy machine a second attempt may stall as well.
        let attempts = if passing { 5 } else { ATTEMPTS };
        let stall = if trouble.is_slow() { Duration::from_secs(2) } else { GENEROUS.stall };
        let limits = TimeLimits { deadline, attempts, stall, tls: trouble.tls };
        let ending = served.run(&limits, &[]);
        self.note(&ending, || format!("{}/{}", kind.name, trouble.name));
        let fail = |why: String| Err(told(&why, &served, &ending));
        if let Err(why) = bounded(&ending, &limits) {
            return fail(why);
        }
        if let Err(why) = said(&expected.said, &ending) {
            return fail(why);
        }
        if !ending.stdout.contains(trouble.words) {
            return fail(format!("nothing says {:?}", trouble.words));
        }
        let asked = served.asked(&address);
        if asked == 0 {
            return fail(format!("nothing was asked at {address}"));
        }
        if passing && asked < 2 {
            return fail(format!("{address} was not asked again"));
        }
        if expected.requests.is_some_and(|requests| requests != asked) {
            return fail(format!("{address} was asked {asked} times, not {:?}", expected.requests));
        }
        if let Err(why) = left(&served, &ending, &untroubled) {
            return fail(why);
        }
        if (passing || trouble.effect == Effect::None) && served.timeless(&ending) != untroubled.verdict {
            return fail("the verdict is not the untroubled one".to_owned());
        }
        Ok(())
    }

    /// Every status of maximum size: the memory of one answer is negligible compared with that of
    /// forty.
    fn all_answers_share_the_memory(&self) -> Result<(), Failed> {
        let release = Release::new("firefox", Trigger::Push).unwrap();
        let release = Release { builds: 40, artifacts: 1, images_from: Images::OwnGraph, ..release };
        let served = Served::new(&self.testbed, World::Hg, &release.build().unwrap());
        let lists = vec![("{\"a\":[".into(), 1), ("[],".repeat(1000).into(), 900), ("[]]}".into(), 1)];
        served.testbed.fault("/api/*/status", 1.., Fault::Replace(Body::Repeated(lists)));
        bounded_by_all(&served, "all statuses as large as may be")
    }

    /// The queue's list of a build's artifacts, in pages that would be a gigabyte in total.
    fn listings_are_bounded(&self, listing: Fault) -> Result<(), Failed> {
        let served = self.serve(World::Hg);
        let address = format!("/api/queue/v1/task/{}/runs/0/artifacts", self.chains[&World::Hg].builds[0]);
        for pattern in [address.clone(), format!("{address}?continuationToken=*")] {
            served.testbed.fault(&pattern, 1.., listing.clone());
        }
        bounded_by_all(&served, &format!("{listing:?}"))
    }

    /// A graph with an entry of maximum length for each of 265 builds.
    fn graph_entries_are_bounded(&self) -> Result<(), Failed> {
        let release = Release::new("firefox", Trigger::Push).unwrap();
        let release = Release { builds: 265, artifacts: 1, images_from: Images::OwnGraph, ..release };
        let chain = release.build().unwrap();
        let filler = "a".repeat(1 << 10);
        let entries = chain.builds.iter().flat_map(|id| {
            let begin = format!("\"{id}\":{{\"task\":{{\"description\":\"");
            [(begin.into(), 1), (filler.clone().into(), 4_000), ("\"}},".into(), 1)]
        });
        let graph = [("{".into(), 1)].into_iter().chain(entries).chain([("\"end\":0}".into(), 1)]);
        let graph = Body::Repeated(graph.collect());
        assert!(graph.len().unwrap() > 1 << 30);
        let served = Served::new(&self.testbed, World::Hg, &chain);
        let pattern = format!("/_store/{}/0/public/task-graph.json", chain.decisions[0]);
        served.testbed.fault(&pattern, 1.., Fault::Replace(graph));
        bounded_by_all(&served, "graph entries")
    }

    fn note(&self, ending: &Ending, name: impl FnOnce() -> String) {
        let mut worst = self.worst.lock().unwrap();
        if ending.peak > worst.0 {
            *worst = (ending.peak, name());
        }
    }

    /// Every kind of need must have a trial with a fault.
    fn every_need_is_troubled(&self, troubled: &BTreeSet<&str>) -> Result<(), Failed> {
        for kind in KINDS {
            if !self.untroubled(kind.world).needs.contains(kind.need) {
                return Err(format!("{:?} does not need {}", kind.world, kind.need).into());
            }
        }
        match kinds::ALL_NEEDS.iter().find(|need| !troubled.contains(*need)) {
            Some(need) => Err(format!("nothing troubles {need}").into()),
            None => Ok(()),
        }
    }

    fn misses_are_noticed(&self) -> Result<(), Failed> {
        let nowhere = Kind { address: |_| "/api/queue/v1/nowhere".to_owned(), ..kinds::STORED };
        let trouble = troubles().into_iter().find(|trouble| trouble.effect == Effect::None).unwrap();
        match self.persistent(&nowhere, &trouble) {
            Err(failed) if failed.message().is_some_and(|why| why.contains("nothing was asked")) => Ok(()),
            other => Err(format!("{other:?}").into()),
        }
    }
}

/// It ends by itself, rejected or with unavailable data, within the memory limit for all answers
/// together.
fn bounded_by_all(served: &Served, what: &str) -> Result<(), Failed> {
    // A gigabyte takes its time in a debug build on a busy machine: only the memory is limited here.
    let limits =
        TimeLimits { deadline: Duration::from_secs(900), stall: Duration::from_secs(300), ..GENEROUS };
    let ending = served.run(&limits, &[]);
    let outside = ending.stdout.contains("the answers together take more than");
    let within = (1..=MOST_MEMORY_OF_ALL).contains(&ending.peak);
    println!("{what}: {} MiB in {:?}", ending.peak >> 10, ending.elapsed);
    match ending.status {
        Some(1 | 3) if outside && within => Ok(()),
        _ => Err(told("not bounded, or not by the memory of all", served, &ending)),
    }
}

fn told(why: &str, served: &Served, ending: &Ending) -> Failed {
    let findings = findings(ending).unwrap_or_default();
    let failed: Vec<String> =
        findings.iter().map(|(code, class, message)| format!("{code} [{class}] {message}")).collect();
    format!(
        "{why}\nexit status {:?} after {:?}, {} KiB\n{}\n{}\nleft: {:?}",
        ending.status,
        ending.elapsed,
        ending.peak,
        failed.join("\n"),
        ending.stderr,
        files(&served.work_dir())
    )
    .into()
}

/// It ended by itself, in time, and within its memory limit.
fn bounded(ending: &Ending, limits: &TimeLimits) -> Result<(), String> {
    match ending.status {
        None => Err("it hangs, or a signal ended it".to_owned()),
        Some(_) if ending.elapsed > limits.deadline + GRACE => {
            Err(format!("it took {:?} with a deadline of {:?}", ending.elapsed, limits.deadline))
        }
        Some(_) if ending.peak > MOST_MEMORY => Err(format!("it used {} KiB", ending.peak)),
        Some(_) => Ok(()),
    }
}

/// Code, class and message of failed findings.
fn findings(ending: &Ending) -> Option<Vec<(String, String, String)>> {
    let verdict: Value = serde_json::from_str(&ending.stdout).ok()?;
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let failed = verdict["findings"].as_array()?.iter().filter(|finding| finding["disposition"] == "failed");
    Some(failed.map(|one| (text(one, "code"), text(one, "class"), text(one, "message"))).collect())
}

/// The exit status, and a failed finding with one of the codes. Unavailable data has only findings of
/// the class `infra`; altered or missing data never has.
fn said(said: &Said, ending: &Ending) -> Result<(), String> {
    if ending.status != Some(said.status) {
        return Err(format!("not exit status {}", said.status));
    }
    let findings = findings(ending).ok_or("there is no verdict")?;
    let found = |code: &&str| findings.iter().any(|(found, _, _)| found == code);
    if !said.codes.is_empty() && !said.codes.iter().any(found) {
        return Err(format!("none of {:?} was found", said.codes));
    }
    let classes: BTreeSet<&str> = findings.iter().map(|(_, class, _)| class.as_str()).collect();
    let right = match said.status {
        0 => classes.is_empty(),
        3 => classes == BTreeSet::from(["infra"]),
        _ => !classes.contains("infra"),
    };
    if right { Ok(()) } else { Err(format!("findings of the classes {classes:?}")) }
}

/// After "verified" exactly the verified files, after any other outcome no files.
fn left(served: &Served, ending: &Ending, untroubled: &Untroubled) -> Result<(), String> {
    let found = files(&served.work_dir());
    if ending.status != Some(0) {
        return if found.is_empty() { Ok(()) } else { Err("something was left".to_owned()) };
    }
    support::check_published(&served.work_dir().join("cot"), served.site());
    if found == untroubled.files {
        Ok(())
    } else {
        Err("not exactly the verified files were left".to_owned())
    }
}
