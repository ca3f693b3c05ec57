//! A cache returns what the services returned, even if the store was manipulated.
// Helpers of tests may fail as tests do.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use catena_attacks::{InMemorySource, NOW, Scenario, THREATS, valid};
use catena_fetch::cache::{Cache, CacheStatistics, Cached};
use catena_fetch::{FactSource, Quiet, investigate};
use catena_model::Limits;
use catena_model::task::TaskId;
use catena_store::{Key, Name, Store, seal};
use catena_taskcluster::RootUrl;
use catena_testbed::Chain;
use catena_verify::verdict::{ArtifactEvidence, Outcome, Source, Verdict, VerifiedArtifact};
use catena_verify::verification::{Conclusion, Fact, Need, Switches, Verification};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// A store that an attacker can write to.
#[derive(Clone, Debug, Default)]
struct Shelf(Arc<Mutex<HashMap<Name, Vec<u8>>>>);

impl Store for Shelf {
    fn read(&self, name: &Name) -> io::Result<Option<Box<dyn Read + Send>>> {
        let found = self.0.lock().unwrap().get(name).cloned();
        Ok(found.map(|bytes| Box::new(io::Cursor::new(bytes)) as Box<dyn Read + Send>))
    }

    fn write(&self, name: &Name, from: &mut dyn Read) -> io::Result<u64> {
        let mut bytes = Vec::new();
        let written = from.read_to_end(&mut bytes)?;
        self.0.lock().unwrap().insert(*name, bytes);
        Ok(written as u64)
    }

    fn remove(&self, name: &Name) -> io::Result<()> {
        self.0.lock().unwrap().remove(name);
        Ok(())
    }

    fn tidy(&self) -> io::Result<()> {
        Ok(())
    }
}

/// The services, and their requests.
struct World {
    memory: InMemorySource,
    asked: Mutex<Vec<Need>>,
    foreseen: Mutex<Vec<Need>>,
}

impl World {
    fn of(chain: &Chain) -> Arc<Self> {
        let memory = InMemorySource::new(chain.clone().into_site(), Limits::default());
        Arc::new(Self { memory, asked: Mutex::default(), foreseen: Mutex::default() })
    }
}

impl FactSource for World {
    fn fact(self: Arc<Self>, need: Need, _: Instant) -> BoxFuture<'static, Fact> {
        let fact = self.memory.answer(&need);
        self.asked.lock().unwrap().push(need);
        std::future::ready(fact).boxed()
    }

    fn origin(&self) -> Source {
        Source::Services
    }

    fn foresee(self: Arc<Self>, need: Need, _: Instant) -> BoxFuture<'static, ()> {
        self.foreseen.lock().unwrap().push(need);
        std::future::ready(()).boxed()
    }
}

/// A chain, and a cache that lasts from run to run.
struct Case {
    scenario: Scenario,
    chain: Chain,
    shelf: Shelf,
    key: Key,
    root: &'static str,
}

/// One run.
struct Run {
    verdict: Verdict,
    asked: Vec<Need>,
    foreseen: Vec<Need>,
    statistics: CacheStatistics,
}

impl Case {
    fn of(chain: Chain) -> Self {
        let scenario = Scenario::of(&chain).unwrap();
        Self { scenario, chain, shelf: Shelf::default(), key: Key::of([7; 32]), root: "https://tc.example" }
    }

    fn cache(&self) -> Arc<Cache> {
        let root = RootUrl::parse(self.root).unwrap();
        Arc::new(Cache::new(Box::new(self.shelf.clone()), self.key.clone(), root, Limits::default()))
    }

    async fn run(&self) -> Run {
        let world = World::of(&self.chain);
        let cache = self.cache();
        let cached = Arc::new(Cached::new(cache.clone(), world.clone(), self.scenario.target()));
        let (verification, conclusion) = self.judge(&cached).await;
        if let Some(clearance) = conclusion.clearance_despite_switches() {
            cached.keep(clearance, verification.facts(), None);
        }
        let verdict = conclusion.into_verdict();
        let asked = std::mem::take(&mut *world.asked.lock().unwrap());
        let foreseen = std::mem::take(&mut *world.foreseen.lock().unwrap());
        Run { verdict, asked, foreseen, statistics: cache.statistics() }
    }

    async fn offline(&self) -> Verdict {
        let cached = Cached::offline(self.cache(), self.scenario.target());
        self.judge(&Arc::new(cached)).await.1.into_verdict()
    }

    async fn judge(&self, cached: &Arc<Cached>) -> (Verification, Conclusion) {
        let deadline = Instant::now() + Duration::from_secs(600);
        let mut verification =
            investigate(self.scenario.verification(), cached.clone(), deadline, &Quiet).await;
        let conclusion = verification.conclude(NOW);
        (verification, conclusion)
    }

    fn names(&self) -> Vec<Name> {
        self.shelf.0.lock().unwrap().keys().copied().collect()
    }

    /// Replaces an entry.
    fn put(&self, name: Name, entry: Vec<u8>) {
        self.shelf.0.lock().unwrap().insert(name, entry);
    }

    fn entries(&self) -> HashMap<Name, Vec<u8>> {
        self.shelf.0.lock().unwrap().clone()
    }
}

/// The task that a need is about, if it is about one.
fn task_of(need: &Need) -> Option<TaskId> {
    match need {
        Need::Definition { task_id } | Need::Status { task_id } => Some(*task_id),
        other => other.artifact().map(|(task_id, _, _)| task_id),
    }
}

fn may_change(need: &Need) -> bool {
    matches!(
        need,
        Need::Status { .. }
            | Need::Listing { .. }
            | Need::Projects { .. }
            | Need::Repository { .. }
            | Need::PullRequest { .. }
            | Need::Release { .. }
            | Need::Tags { .. }
            | Need::BranchCommits { .. }
            | Need::Compare { .. }
            | Need::GithubFile { reference: catena_verify::verification::Reference::Tag(_), .. }
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_time_only_mutable_data_is_requested() {
    for honest in valid::chains().into_iter().step_by(3) {
        if !honest.is_allowed().unwrap() {
            continue;
        }
        let case = Case::of(honest.release.build().unwrap());
        let plain = case.scenario.judge(case.chain.clone());
        let first = case.run().await;
        assert_eq!(first.verdict, plain);
        let kept = first.asked.iter().filter(|need| !may_change(need)).count() as u64;
        assert!(first.statistics.hits == 0 && first.statistics.misses == kept);
        let second = case.run().await;
        for artifact in &second.verdict.artifacts {
            // A complete answer is measured again on every use.
            let is_read = matches!(artifact.name.as_str(), "public/actions.json" | "public/parameters.yml");
            let measured = is_read && first.asked.iter().any(|need| is_content_of(need, artifact));
            let evidence = if measured { ArtifactEvidence::Measured } else { ArtifactEvidence::Recalled };
            assert_eq!(artifact.evidence, evidence, "{}", artifact.name);
        }
        assert_eq!(measured(second.verdict), plain);
        // The producer of a recorded input that is not a link is outside of the clearance.
        let links: Vec<TaskId> = plain.links.iter().map(|link| link.task_id).collect();
        let is_of_chain = |need: &&Need| task_of(need).is_none_or(|task_id| links.contains(&task_id));
        let lasting = || second.asked.iter().filter(|need| !may_change(need));
        let again: Vec<_> = lasting().filter(is_of_chain).collect();
        let outside = lasting().count() as u64;
        assert_eq!(again, Vec::<&Need>::new(), "{}", honest.release.product.name);
        assert_eq!((second.statistics.hits, second.statistics.broken), (kept - outside, 0));
        // Foreseen needs are not requested either, except for runs that do not exist.
        let again = second.foreseen.iter().filter(|need| !may_change(need) && first.asked.contains(need));
        assert_eq!(again.collect::<Vec<_>>(), Vec::<&Need>::new());
        assert!(!first.foreseen.is_empty());
        // One entry for each immutable answer, one for all mutable ones.
        assert_eq!((first.statistics.written, second.statistics.written), (kept - outside + 1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_verified_chains_are_cached() {
    let attacks = THREATS.iter().flat_map(|threat| threat.attacks()).step_by(23);
    let mut tried = 0;
    for attack in attacks.filter(|attack| attack.is_usual()) {
        let (false, Ok((chain, _))) = (attack.needs_server(), attack.build()) else { continue };
        let case = Case::of(chain);
        let run = case.run().await;
        if run.verdict.outcome != Outcome::Verified {
            assert_eq!(case.names(), [], "{}", attack.name);
            tried += 1;
        }
    }
    assert!(tried > 20, "{tried}");
}

fn is_content_of(need: &Need, artifact: &VerifiedArtifact) -> bool {
    matches!(need, Need::Content { task_id, name, .. } if (*task_id, name) == (artifact.task_id, &artifact.name))
}

/// A verdict as without a cache.
fn measured(mut verdict: Verdict) -> Verdict {
    let recalled =
        verdict.artifacts.iter_mut().filter(|artifact| artifact.evidence == ArtifactEvidence::Recalled);
    recalled.for_each(|artifact| artifact.evidence = ArtifactEvidence::Measured);
    verdict
}

/// A clearance that a switch has weakened, and one of another target.
#[tokio::test(flavor = "multi_thread")]
async fn a_weakened_or_foreign_clearance_caches_nothing() {
    let mut case = Case::of(valid::push().build().unwrap());
    let plain = case.scenario.clone();
    for switches in [
        Switches { danger_allow_http: true, ..Switches::default() },
        Switches { danger_skip_signatures: true, ..Switches::default() },
    ] {
        case.scenario = plain.clone().weakened(switches);
        assert_eq!(case.run().await.verdict.outcome, Outcome::Verified);
        assert_eq!(case.names(), [], "{switches:?}");
    }
    case.scenario = plain;
    let other = Scenario::of(&valid::promotion().build().unwrap()).unwrap();
    let cached = Arc::new(Cached::new(case.cache(), World::of(&case.chain), other.target()));
    let (verification, conclusion) = case.judge(&cached).await;
    cached.keep(conclusion.clearance().unwrap(), verification.facts(), None);
    assert_eq!(case.names(), []);
}

/// What an attacker with write access to the store may do to an entry.
type Poison = fn(&HashMap<Name, Vec<u8>>, &Name, Vec<u8>) -> Vec<u8>;

const POISONS: [(&str, Poison); 8] = [
    ("payload changed", |_, _, mut entry| {
        *entry.last_mut().unwrap() ^= 1;
        entry
    }),
    ("authentication changed", |_, _, mut entry| {
        entry[20] ^= 1;
        entry
    }),
    ("cut short", |_, _, entry| entry[..entry.len() - 1].to_vec()),
    ("empty", |_, _, _| Vec::new()),
    ("longer", |_, _, entry| [entry.as_slice(), b"x"].concat()),
    ("of another version", |_, _, mut entry| {
        entry[13] = b'2';
        entry
    }),
    ("with another key", |_, _, entry| {
        let length = usize::from(entry[55]) + (usize::from(entry[54]) << 8);
        let (address, payload) = entry[56..].split_at(length);
        seal(&Key::of([8; 32]), address, payload)
    }),
    ("another one of ours", |entries, name, _| {
        let mut others: Vec<_> = entries.iter().filter(|(other, _)| *other != name).collect();
        others.sort_by_key(|(other, _)| format!("{other}"));
        others[0].1.clone()
    }),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_entry_is_dropped_and_requested_again() {
    for (chain, one_by_one) in [(valid::push(), true), (valid::pr_action(), false)] {
        let case = Case::of(chain.build().unwrap());
        let first = case.run().await;
        let whole = case.entries();
        let lasting = first.statistics.written - 1;
        for (how, poison) in POISONS {
            // Each entry in turn, then all at once.
            let names: Vec<Name> = whole.keys().copied().collect();
            for name in names.iter().filter(|_| one_by_one) {
                *case.shelf.0.lock().unwrap() = whole.clone();
                case.put(*name, poison(&whole, name, whole[name].clone()));
                let run = case.run().await;
                assert_eq!(measured(run.verdict), measured(first.verdict.clone()), "{how}: {name}");
                let mended = run.statistics.broken == 1 && run.statistics.misses == 1;
                // The snapshot is not read here.
                let unread = run.statistics.broken == 0 && run.statistics.hits == lasting;
                assert!(mended || unread, "{how}: {name}: {:?}", run.statistics);
            }
            *case.shelf.0.lock().unwrap() = whole.clone();
            for name in &names {
                case.put(*name, poison(&whole, name, whole[name].clone()));
            }
            let run = case.run().await;
            assert_eq!(measured(run.verdict), measured(first.verdict.clone()), "{how}");
            assert_eq!((run.statistics.hits, run.statistics.broken), (0, lasting), "{how}");
            assert_eq!(case.run().await.statistics.hits, lasting, "{how}: it was kept anew");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_another_taskcluster_is_not_found() {
    let mut case = Case::of(valid::push().build().unwrap());
    let first = case.run().await;
    case.root = "https://other.example";
    let other = case.run().await;
    assert_eq!((other.verdict, other.statistics.hits), (first.verdict.clone(), 0));
    // Not under its own name there either.
    let ours = case.entries();
    case.root = "https://tc.example";
    let names: Vec<Name> = ours.keys().copied().collect();
    for (number, name) in names.iter().enumerate() {
        let other = names[(number + 1) % names.len()];
        case.put(*name, ours[&other].clone());
    }
    let run = case.run().await;
    assert_eq!((run.verdict, run.statistics.hits), (first.verdict, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_too_large_is_not_read() {
    /// Records how much was read.
    #[derive(Debug)]
    struct Endless(Arc<Mutex<u64>>);
    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            *self.0.lock().unwrap() += buffer.len() as u64;
            Ok(buffer.len())
        }
    }
    impl Store for Endless {
        fn read(&self, _: &Name) -> io::Result<Option<Box<dyn Read + Send>>> {
            Ok(Some(Box::new(Endless(self.0.clone()))))
        }
        fn write(&self, _: &Name, _: &mut dyn Read) -> io::Result<u64> {
            Err(io::Error::other("full"))
        }
        fn remove(&self, _: &Name) -> io::Result<()> {
            Err(io::Error::other("still there"))
        }
        fn tidy(&self) -> io::Result<()> {
            Ok(())
        }
    }
    let case = Case::of(valid::push().build().unwrap());
    let limits = Limits { answer_bytes: 1 << 20, held_bytes: 1 << 20, ..Limits::default() };
    let read = Arc::new(Mutex::new(0));
    let root = RootUrl::parse(case.root).unwrap();
    let cache = Arc::new(Cache::new(Box::new(Endless(read.clone())), case.key.clone(), root, limits));
    let world = World::of(&case.chain);
    let cached = Arc::new(Cached::new(cache.clone(), world, case.scenario.target()));
    let (verification, conclusion) = case.judge(&cached).await;
    assert_eq!(*conclusion.verdict(), case.scenario.judge(case.chain.clone()));
    cached.keep(conclusion.clearance().unwrap(), verification.facts(), None);
    let statistics = cache.statistics();
    assert!(statistics.misses > 0 && statistics.broken >= statistics.misses && statistics.hits == 0);
    assert!(*read.lock().unwrap() < statistics.broken * (8 << 20), "{}", read.lock().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verified_chain_can_be_verified_again_offline() {
    for chain in [valid::push(), valid::promotion(), valid::pr_action(), valid::finished()] {
        let case = Case::of(chain.build().unwrap());
        let nothing = case.offline().await;
        assert_eq!(nothing.outcome, Outcome::Undetermined);
        let first = case.run().await.verdict;
        assert_eq!(measured(case.offline().await), first);
        // Without one of its entries the outcome is undetermined, whichever it is.
        let whole = case.entries();
        for name in whole.keys() {
            case.shelf.0.lock().unwrap().remove(name);
            assert_eq!(case.offline().await.outcome, Outcome::Undetermined, "{name}");
            case.put(*name, whole[name].clone());
        }
    }
}
