//! A whole chain: fetched, verified, recorded, replayed, and cached only if it is verified.
// Helpers of tests may fail as tests do.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use catena_fetch::{FactSource, Fetcher, Options, Quiet, Recorder, Replay, Statistics, investigate};
use catena_http::{HttpOptions, HttpTransport, Proxy};
use catena_model::task::{Kind, TaskId};
use catena_model::{Limits, Timestamp};
use catena_policy::{KeyRing, Policy};
use catena_taskcluster::RootUrl;
use catena_testbed::{Chain, Fault, Site, Testbed};
use catena_verify::verdict::{Outcome, Source, Verdict};
use catena_verify::verification::{Conclusion, Extent, Switches, Target, Verification};
use catena_workdir::{PublishError, Staging};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use support::soon;
use url::Url;

/// A chain, and the inputs of its verification.
struct Case {
    site: Site,
    target: Target,
    product: String,
    keys: KeyRing,
}

impl Case {
    fn demo() -> Self {
        let chain = Chain::demo().unwrap();
        let target = Target {
            task_id: TaskId::parse(&chain.target).unwrap(),
            kind: Kind::parse(&chain.kind).unwrap(),
            check_task: chain.check_target,
            extent: Extent::default(),
        };
        let keys = chain.keys.public_keys_base64();
        let keys = KeyRing::parse("keys", &serde_json::to_string(&keys).unwrap()).unwrap();
        Self { target, product: chain.product.clone(), keys, site: chain.into_site() }
    }

    /// A recorded case from a directory.
    fn recorded(folder: &Path) -> (Self, bool) {
        let text = std::fs::read_to_string(folder.join("chain.json")).unwrap();
        let chain: serde_json::Value = serde_json::from_str(&text).unwrap();
        let said = |name: &str| chain[name].as_str().unwrap();
        let target = Target {
            task_id: TaskId::parse(said("task_id")).unwrap(),
            kind: Kind::parse(said("task_type")).unwrap(),
            check_task: chain["check_task"].as_bool().unwrap_or(false),
            extent: Extent::default(),
        };
        let keys = KeyRing::parse("keys", &chain["ed25519_public_keys"].to_string()).unwrap();
        let site = Site::from_folder(folder).unwrap();
        (Self { site, target, product: said("product").to_owned(), keys }, said("expect") == "accept")
    }

    fn verification(&self) -> Verification {
        let product = Arc::new(Policy::shipped().unwrap().product(&self.product).unwrap());
        Verification::new(
            self.target.clone(),
            product,
            self.keys.clone(),
            Limits::default(),
            Switches::default(),
        )
    }

    async fn judge(&self, source: Arc<dyn FactSource>) -> (Verification, Conclusion) {
        let mut verification = investigate(self.verification(), source, soon(), &Quiet).await;
        let conclusion = verification.conclude(Timestamp::UNIX_EPOCH);
        (verification, conclusion)
    }
}

/// A served chain, and its own directory.
struct Served {
    testbed: Testbed,
    folder: tempfile::TempDir,
}

impl Served {
    async fn new(case: &Case) -> Self {
        let testbed = Testbed::start(case.site.clone()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), testbed.ca_pem()).unwrap();
        Self { testbed, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn fetcher(&self, staging: Option<Arc<Staging>>) -> Fetcher {
        let proxy = Proxy::Through(Url::parse(&self.testbed.proxy_url()).unwrap());
        let http = HttpOptions { proxy, ca_file: Some(self.path("ca.pem")), ..HttpOptions::default() };
        let root = RootUrl::parse(&self.testbed.root_url()).unwrap();
        let options = Options { backoff: std::time::Duration::from_millis(1), ..Options::default() };
        let transport = Arc::new(HttpTransport::new(&http).unwrap());
        Fetcher::new(transport, root, Limits::default(), options).with_staging(staging)
    }

    /// Verifies over the network, recording; then replays the recording.
    async fn judge_twice(
        &self,
        case: &Case,
        staging: Option<Arc<Staging>>,
    ) -> (Conclusion, Verdict, Statistics) {
        let fetcher = Arc::new(self.fetcher(staging));
        let recorder = Recorder::new(&self.path("recording")).unwrap();
        let (verification, live) = case.judge(fetcher.clone()).await;
        recorder.write(verification.facts()).unwrap();
        let replay = Replay::open(&self.path("recording"), &Limits::default()).unwrap();
        let (_, replayed) = case.judge(Arc::new(replay)).await;
        assert!(replayed.clearance_despite_switches().is_none(), "a recording clears nothing");
        assert_eq!(replayed.verdict().source, Source::Recording);
        let replayed = Verdict { source: Source::Services, ..replayed.into_verdict() };
        (live, replayed, fetcher.statistics())
    }
}

/// Paths of all files below a directory.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            // The record of the directories is not an artifact.
            match path.is_dir() {
                true if path.ends_with("cot/.catena") => {}
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found
}

#[tokio::test]
async fn a_verified_chain_is_recorded_and_kept() {
    let case = Case::demo();
    let served = Served::new(&case).await;
    let work = served.path("work");
    let staging = Staging::new(&work, case.target.task_id).unwrap();
    let (concluded, replayed, statistics) = served.judge_twice(&case, Some(staging.clone())).await;
    let live = concluded.verdict();
    assert_eq!(live.outcome, Outcome::Verified, "{:#?}", live.failed().collect::<Vec<_>>());
    assert_eq!(*live, replayed);
    assert_eq!(served.testbed.stats().repeated(), Vec::<(&str, u64)>::new());
    assert_eq!((statistics.retries, statistics.requests), (0, served.testbed.stats().requests));

    assert!(files(&work.join("cot")).is_empty());
    let clearance = concluded.clearance().unwrap();
    // Not for another task, whatever files are staged.
    let other = TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap();
    let theirs = Staging::new(&served.path("theirs"), other).unwrap();
    assert!(matches!(theirs.publish(clearance), Err(PublishError::OtherTarget { .. })));
    assert!(!served.path("theirs").join("cot").exists());
    let published = staging.publish(clearance).unwrap();
    assert_eq!(published.not_held, vec![]);
    drop(staging);
    let mut kept = files(&work);
    kept.sort();
    let mut vouched: Vec<_> = live
        .artifacts
        .iter()
        .map(|artifact| {
            work.canonicalize()
                .unwrap()
                .join("cot")
                .join(artifact.task_id.as_str())
                .join(artifact.name.as_str())
        })
        .collect();
    vouched.sort();
    assert!(!vouched.is_empty());
    assert_eq!(kept.iter().map(|path| path.canonicalize().unwrap()).collect::<Vec<_>>(), vouched);
}

/// What a fault puts in the place of a good answer, with status 200 and the length that it announces.
fn passing_faults() -> Vec<(&'static str, Fault)> {
    const HTML: &str = "<!DOCTYPE html><html><head><title>502</title></head></html>";
    let cut = || Fault::Announce { length: 700 };
    vec![
        // Of the queue.
        ("/api/queue/v1/task/*", Fault::Replace("{}".into())),
        ("/api/queue/v1/task/*/status", Fault::Replace("{}".into())),
        // Of storage.
        ("/_store/*/public/chain-of-trust.json", Fault::Replace(HTML.into())),
        ("/_store/*/public/chain-of-trust.json", Fault::Replace("Bad Request".into())),
        ("/_store/*/public/chain-of-trust.json", Fault::Replace("{}".into())),
        ("/_store/*/public/chain-of-trust.json.sig", Fault::Replace("Bad Request".into())),
        ("/_store/*/public/task-graph.json", Fault::Replace("Bad Request".into())),
        ("/_store/*/public/parameters.yml", Fault::Replace(HTML.into())),
        ("/_store/*/public/actions.json", Fault::Replace(HTML.into())),
        ("/_store/*/public/build/*", Fault::Replace("Bad Request".into())),
        ("/_store/*/public/build/*", cut()),
        // Of version control.
        ("*/raw-file/*/.taskcluster.yml", cut()),
        ("*/raw-file/*/.taskcluster.yml", Fault::Replace("Bad Request".into())),
        ("*/projects.yml", Fault::Replace("Bad Request".into())),
        ("*/projects.yml", cut()),
    ]
}

#[tokio::test]
async fn what_passes_is_requested_again_and_is_no_finding() {
    let case = Case::demo();
    for (pattern, fault) in passing_faults() {
        let served = Served::new(&case).await;
        served.testbed.fault(pattern, 1..=1, fault.clone());
        let work = served.path("work");
        let staging = Staging::new(&work, case.target.task_id).unwrap();
        let (concluded, replayed, _) = served.judge_twice(&case, Some(staging.clone())).await;
        let live = concluded.verdict();
        let failed: Vec<_> = live.failed().map(|finding| &finding.message).collect();
        assert_eq!(live.outcome, Outcome::Verified, "{pattern} {fault:?}: {failed:#?}");
        assert_eq!(*live, replayed, "{pattern}: the recording has what counted");
        let stats = served.testbed.stats();
        assert!(!stats.repeated().is_empty(), "{pattern} matches nothing");
        assert!(stats.repeated().iter().all(|(_, count)| *count == 2), "{pattern}: {:?}", stats.repeated());
        // Each file that is published is the one that counted.
        let published = staging.publish(concluded.clearance().unwrap()).unwrap();
        assert_eq!(published.not_held, vec![], "{pattern}");
    }
}

#[tokio::test]
async fn what_stays_counts_after_two_requests() {
    let case = Case::demo();
    for (pattern, fault) in passing_faults() {
        let served = Served::new(&case).await;
        served.testbed.fault(pattern, 1.., fault.clone());
        let (concluded, replayed, _) = served.judge_twice(&case, None).await;
        let live = concluded.verdict();
        // Without the list of projects, no statement about a tree's level is known to be wrong.
        let is_list = pattern.ends_with("/projects.yml");
        let expected = if is_list { Outcome::Undetermined } else { Outcome::Rejected };
        assert_eq!(live.outcome, expected, "{pattern} {fault:?}");
        assert_eq!(*live, replayed, "{pattern}: the recording says how often it was seen");
        let told = live.failed().any(|finding| finding.message.contains(" had the same answer."));
        let failed: Vec<_> = live.failed().map(|finding| &finding.message).collect();
        assert!(told, "{pattern} {fault:?}: {failed:#?}");
        let stats = served.testbed.stats();
        assert!(stats.repeated().iter().all(|(_, count)| *count == 2), "{pattern}: {:?}", stats.repeated());
    }
}

#[tokio::test]
async fn what_is_another_each_time_is_not_known() {
    let case = Case::demo();
    let served = Served::new(&case).await;
    for attempt in 1..=9 {
        let other = Fault::Replace(format!("answer {attempt}").into());
        served.testbed.fault("/_store/*/public/parameters.yml", attempt..=attempt, other);
    }
    let (concluded, _, _) = served.judge_twice(&case, None).await;
    let live = concluded.verdict();
    assert_eq!(live.outcome, Outcome::Undetermined);
    let failed: Vec<_> = live.failed().map(|finding| finding.message.as_str()).collect();
    assert!(failed.iter().any(|message| message.contains("differed between requests")), "{failed:#?}");
}

#[tokio::test]
async fn the_second_request_goes_past_caches() {
    let case = Case::demo();
    let served = Served::new(&case).await;
    served.testbed.fault("/_store/*/public/parameters.yml", 1..=1, Fault::Replace("Bad Request".into()));
    served.judge_twice(&case, None).await;
    let requests = served.testbed.requests();
    let asked = requests.iter().filter(|request| request.url.ends_with("/artifacts/public/parameters.yml"));
    assert_eq!(asked.map(|request| request.skip_cdn).collect::<Vec<_>>(), [false, true]);
    let others = requests.iter().filter(|request| request.skip_cdn).count();
    assert_eq!(others, 1, "nothing else is requested past them");
}

#[tokio::test]
async fn a_chain_that_is_not_verified_leaves_nothing() {
    let case = Case::demo();
    for (fault, outcome) in
        [(Fault::Replace("tampered".into()), Outcome::Rejected), (Fault::Status(500), Outcome::Undetermined)]
    {
        let served = Served::new(&case).await;
        served.testbed.fault("/_store/*/public/build/*", 1.., fault);
        let work = served.path("work");
        let staging = Staging::new(&work, case.target.task_id).unwrap();
        let (live, replayed, _) = served.judge_twice(&case, Some(staging.clone())).await;
        assert_eq!(live.verdict().outcome, outcome);
        assert_eq!(*live.verdict(), replayed);
        assert!(!files(&work).is_empty(), "other artifacts were staged");
        assert!(live.clearance_despite_switches().is_none());
        drop(staging);
        assert_eq!(files(&work), Vec::<PathBuf>::new());
        assert!(!work.join("cot").exists());
    }
}

/// Every recorded case, if `CATENA_SHARED` is set.
#[tokio::test]
async fn recorded_cases() {
    let Ok(shared) = std::env::var("CATENA_SHARED") else {
        eprintln!("skipped: CATENA_SHARED is not set");
        return;
    };
    let mut wrong = Vec::new();
    for kind in ["honest", "dishonest"] {
        for folder in std::fs::read_dir(Path::new(&shared).join("samples").join(kind)).unwrap() {
            let folder = folder.unwrap().path();
            let (case, accept) = Case::recorded(&folder);
            let served = Served::new(&case).await;
            let (live, replayed, _) = served.judge_twice(&case, None).await;
            let live = live.into_verdict();
            assert_eq!(live, replayed, "{}", folder.display());
            let stats = served.testbed.stats();
            let repeats = stats.repeated();
            let allowed =
                if accept { repeats.is_empty() } else { repeats.iter().all(|(_, count)| *count == 2) };
            assert!(allowed, "{}: {repeats:?}", folder.display());
            let expected = if accept { Outcome::Verified } else { Outcome::Rejected };
            if live.outcome != expected {
                let failed: Vec<_> = live.failed().map(|finding| finding.message.clone()).collect();
                wrong.push(format!("{}: {:?} {failed:#?}", folder.display(), live.outcome));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
