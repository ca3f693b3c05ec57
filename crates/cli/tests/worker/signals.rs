//! Signals: what a worker does when it is to end.

use super::case::{Case, push};
use super::support::daemon::catches;
use catena_testbed::chain::DOCUMENT;
use rustix::process::Signal;
use serde_json::json;
use std::time::{Duration, Instant};

#[test]
fn b030_told_to_drain_an_idle_worker_ends_at_once() {
    let case = Case::new(push());
    let config = case.config("true", |config| {
        (config["poll_interval"], config["worker_type"]) = (json!(600), json!("another"));
    });
    let worker = case.start_with(&config);
    let begun = Instant::now();
    while case.testbed.queue().events().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", case.said());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(worker.drained(), 0);
}

#[test]
fn b032_told_to_drain_many_times_a_worker_still_finishes_its_task() {
    let case = Case::new(push());
    let mut worker = case.start(
        "touch $ROOM/ran; sleep 0.5; mkdir -p $ROOM/artifacts/public; echo x > $ROOM/artifacts/public/x",
    );
    case.wait_for("ran");
    for _ in 0..20 {
        worker.signal(Signal::USR1);
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(worker.resolved(0).state, "completed");
    assert_eq!(worker.ended(), 0);
    assert!(case.has(DOCUMENT) && case.has("public/x"));
    assert_eq!(case.testbed.queue().count("claimWork", 200), 1);
}

#[test]
fn b022_and_b026_a_worker_that_may_not_claim_lives_until_it_is_told() {
    let case = Case::new(push());
    let config = case.config("true", |config| config["credentials"]["clientId"] = json!("nobody"));
    let worker = case.start_with(&config);
    let begun = Instant::now();
    while case.said().matches("claimWork failed").count() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", case.said());
        std::thread::sleep(Duration::from_millis(50));
    }
    let told = Instant::now();
    worker.signal(Signal::TERM);
    assert_eq!(worker.ended(), 0);
    assert!(told.elapsed() < Duration::from_secs(3), "{:?}", told.elapsed());
}

#[test]
fn b027_a_worker_that_is_told_to_end_stops_its_script() {
    let case = Case::new(push());
    let mut worker =
        case.start("trap 'echo told; exit 0' TERM; touch $ROOM/ran; while true; do sleep 0.05; done");
    case.wait_for("ran");
    worker.signal(Signal::TERM);
    let run = worker.resolved(0);
    assert_eq!((run.state.as_str(), run.reason.as_deref()), ("exception", Some("worker-shutdown")));
    assert_eq!(worker.ended(), 0);
    assert!(case.artifact("public/logs/live_backing.log").contains("told\n"));
    assert!(!case.has(DOCUMENT));
}

#[test]
fn b033_signals_at_the_start_do_not_kill() {
    let case = Case::new(push());
    let config = case.config("true", |_| {});
    for signal in [Signal::USR1, Signal::HUP] {
        let worker = case.start_with(&config);
        let begun = Instant::now();
        // As soon as the process catches the signal at all.
        while !catches(worker.child.id(), signal) {
            assert!(begun.elapsed() < Duration::from_secs(20), "{}", case.said());
        }
        worker.signal(signal);
        worker.signal(Signal::USR1);
        assert_eq!(worker.ended(), 0, "{}", case.said());
    }
}
