//! The library as a program uses it, against a testbed.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use catena::{
    CacheOptions, CancellationToken, Control, Error, Options, Outcome, Quiet, Request, Verdict,
    VerificationResult, Verifier, replay,
};
use catena_testbed::Fault;
use catena_verify::verdict::Source;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use support::{Served, altered, finished};

fn outcome(ended: &Result<VerificationResult, Error>) -> Outcome {
    ended.as_ref().unwrap().conclusion.verdict().outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn several_at_the_same_time_share_a_verifier() {
    let served = Served::new(finished()).await;
    let verifier = served.verifier();
    let request = |name: &str| Request::new(served.spec.clone()).with_work_dir(served.path(name));
    let (one, other) = (request("one"), request("other"));
    let ended = tokio::join!(verifier.verify(&one), verifier.verify(&other));
    for (ended, work_dir) in [(ended.0, "one"), (ended.1, "other")] {
        let ended = ended.unwrap();
        let clearance = ended.conclusion.clearance().unwrap();
        assert_eq!(*clearance.target(), served.spec.target);
        assert_eq!((clearance.product(), clearance.weakened()), ("firefox", [].as_slice()));
        assert_eq!(ended.published.len(), served.files(work_dir));
        assert!(!ended.published.is_empty() && ended.problems.is_empty());
        assert!(clearance.tasks().iter().all(|task| task.has_completed));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_outcome_leaves_no_files_and_no_clearance() {
    let served = Served::new(finished()).await;
    let verifier = served.verifier();
    let request = Request::new(served.spec.clone()).with_work_dir(served.path("work"));
    assert_eq!(outcome(&verifier.verify(&request).await), Outcome::Verified);
    assert!(served.files("work") > 0);
    served.testbed.fault("/_store/*/public/build/*", 1.., Fault::Replace("altered".into()));
    let ended = verifier.verify(&request).await.unwrap();
    assert_eq!(ended.conclusion.verdict().outcome, Outcome::Rejected);
    assert!(ended.conclusion.clearance_despite_switches().is_none());
    assert_eq!(served.files("work"), 0);
}

/// Cancelled by its token, and dropped: no file of an earlier verification remains.
#[tokio::test(flavor = "multi_thread")]
async fn a_verification_ends_when_it_is_cancelled() {
    let served = Served::new(finished()).await;
    let verifier = served.verifier();
    let plain = Request::new(served.spec.clone()).with_work_dir(served.path("work"));
    for is_dropped in [false, true] {
        served.testbed.clear_faults();
        assert_eq!(outcome(&verifier.verify(&plain).await), Outcome::Verified);
        assert!(served.files("work") > 0);
        served.testbed.reset_stats();
        served.testbed.fault("/_store/*/public/build/*", 1.., Fault::Silence);
        let cancellation = CancellationToken::new();
        let control = Control { cancellation: cancellation.clone(), ..Control::default() };
        let request = plain.clone().with_control(control);
        let verification = verifier.verify(&request);
        tokio::select! {
            ended = verification => assert!(matches!(ended, Err(Error::Cancelled)) && !is_dropped, "{ended:?}"),
            () = async {
                served.artifact_is_asked_for().await;
                if !is_dropped {
                    cancellation.cancel();
                    std::future::pending::<()>().await;
                }
            } => assert!(is_dropped),
        }
        assert_eq!(served.files("work"), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_ends_a_verification() {
    let served = Served::new(finished()).await;
    served.testbed.fault("/_store/*/public/build/*", 1.., Fault::Silence);
    let control = Control { deadline: Duration::from_secs(2), ..Control::default() };
    let request = Request::new(served.spec.clone()).with_control(control);
    let ended = served.verifier().verify(&request).await.unwrap();
    assert_eq!(ended.conclusion.verdict().outcome, Outcome::Undetermined);
    assert!(ended.conclusion.clearance().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_gives_the_same_verdict_and_no_clearance() {
    for chain in [finished(), altered()] {
        let served = Served::new(chain).await;
        let request = Request::new(served.spec.clone()).with_recording(served.path("recording"));
        let verifier = served.verifier();
        let live = verifier.verify(&request).await.unwrap().conclusion.into_verdict();
        let recording = served.path("recording");
        let replayed = replay(&recording, Arc::new(Quiet), CancellationToken::new()).await.unwrap();
        assert!(replayed.clearance_despite_switches().is_none());
        assert_eq!(*replayed.verdict(), Verdict { source: Source::Recording, ..live });
        let again = verifier.verify(&request).await;
        assert!(matches!(again, Err(Error::RecordingExists(_))), "{again:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let nothing = replay(folder.path(), Arc::new(Quiet), CancellationToken::new()).await;
    assert!(matches!(&nothing, Err(error @ Error::NoRecording { .. }) if error.is_usage()), "{nothing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_withholds_the_clearance() {
    let served = Served::new(finished()).await;
    let verifier = served.verifier().danger_skip_signatures(true);
    let ended = verifier.verify(&Request::new(served.spec.clone())).await.unwrap();
    assert_eq!(ended.conclusion.verdict().outcome, Outcome::Verified);
    assert!(ended.conclusion.clearance().is_none());
    let clearance = ended.conclusion.clearance_despite_switches().unwrap();
    assert!(clearance.weakened().iter().any(|one| one.as_str() == "danger-skip-signatures"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_fetches_once_and_can_be_cancelled() {
    let served = Served::new(finished()).await;
    let verifier = served.verifier();
    let (specs, jobs) = (vec![served.spec.clone(); 3], NonZeroUsize::new(2).unwrap());
    let mut batch = verifier.batch(specs.clone(), jobs, Control::default()).unwrap();
    let mut verified = 0;
    while let Some(ended) = batch.next().await {
        assert!(ended.unwrap().clearance().is_some());
        verified += 1;
    }
    assert_eq!((verified, served.testbed.stats().repeated()), (3, Vec::new()));
    assert_eq!(batch.statistics().requests, served.testbed.stats().requests);

    // Between two verdicts, and while the last of them is under way.
    for is_last in [false, true] {
        let cancellation = CancellationToken::new();
        let control = Control { cancellation: cancellation.clone(), ..Control::default() };
        let specs = if is_last { vec![served.spec.clone()] } else { specs.clone() };
        let mut batch = verifier.batch(specs, jobs, control).unwrap();
        if is_last {
            served.testbed.reset_stats();
            served.testbed.fault("/_store/*/public/build/*", 1.., Fault::Silence);
            let cancels = async {
                served.artifact_is_asked_for().await;
                cancellation.cancel();
            };
            let (ended, ()) = tokio::join!(batch.next(), cancels);
            assert!(matches!(ended, Some(Err(Error::Cancelled))));
        } else {
            assert!(batch.next().await.unwrap().is_ok());
            cancellation.cancel();
            assert!(matches!(batch.next().await, Some(Err(Error::Cancelled))));
        }
        assert!(batch.next().await.is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_serves_the_next_and_the_offline_verification() {
    let served = Served::new(finished()).await;
    let cache = CacheOptions::new(served.path("cache"), served.path("cache.key"));
    let request = Request::new(served.spec.clone()).with_work_dir(served.path("work"));
    let verifier = served.verifier().with_cache(&cache).unwrap();
    assert_eq!(outcome(&verifier.verify(&request).await), Outcome::Verified);
    let first = served.testbed.stats().requests;
    served.testbed.reset_stats();
    assert_eq!(outcome(&verifier.verify(&request).await), Outcome::Verified);
    assert!(served.testbed.stats().requests < first / 2);
    served.testbed.reset_stats();
    let trust_config = catena::TrustConfig::read(&[""; 0], Some(&served.path("keys.json"))).unwrap();
    let offline = Verifier::offline(trust_config, Some(&served.testbed.root_url()), &cache).unwrap();
    let ended = offline.verify(&request).await.unwrap();
    assert_eq!(ended.conclusion.verdict().outcome, Outcome::Verified);
    assert!(ended.conclusion.clearance().is_none(), "it is offline");
    assert_eq!(served.testbed.stats().requests, 0);
    let jobs = NonZeroUsize::MIN;
    assert!(matches!(offline.batch(Vec::new(), jobs, Control::default()), Err(Error::Offline)));
}

#[test]
fn plain_http_stays_on_this_machine() {
    let network = |danger_allow_http| {
        let options = Options { danger_allow_http, ..Options::default() };
        catena::Network::connect(&catena::HttpOptions::default()).unwrap().with_options(options)
    };
    let verifier = |url: &str, allow| {
        Verifier::new(catena::TrustConfig::shipped().unwrap(), Some(url), network(allow)).map(drop)
    };
    assert!(matches!(verifier("http://tc.example", false), Err(Error::PlainHttp(_))));
    assert!(verifier("http://tc.example", true).is_ok() && verifier("http://127.0.0.1:1", false).is_ok());
    assert!(matches!(verifier("tc.example", false), Err(Error::RootUrl(_))));
}
