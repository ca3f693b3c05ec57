//! Claims: asked for, kept alive, lost.

use super::harness::{
    Case, Event, ONE, TWO, beginning, claim, claim_of, conflict, definition, renewals, resolved,
};
use catena_signing::DOCUMENT;
use catena_taskcluster::Resolution;
use catena_worker::queue::QueueError;
use catena_worker::worker::{Exit, Order};
use std::time::{Duration, Instant};

pub(crate) fn log_directory_is_kept() {
    let case = Case::new("true");
    std::fs::create_dir_all(case.path("logs")).unwrap();
    std::fs::write(case.path("logs/kept"), "").unwrap();
    let seen = case.run();
    assert!(seen.folder.path().join("logs/kept").exists());
    assert_eq!(seen.exit, Exit::Told);
}

pub(crate) fn errors_are_waited_out() {
    let case = Case::new("true");
    {
        let mut claims = case.story.claims.lock().unwrap();
        claims.push_front(Ok(Vec::new()));
        claims.push_front(Err(QueueError::Unavailable("500".into())));
        claims.push_front(Err(QueueError::Refused("401".into())));
    }
    let seen = case.run();
    assert_eq!(seen.resolutions(), [Resolution::Completed]);
    let claimed: Vec<Instant> =
        seen.events.iter().filter(|(_, event)| *event == Event::Claimed).map(|(at, _)| *at).collect();
    for pair in claimed[..4].windows(2) {
        let pause = pair[1] - pair[0];
        assert!(pause >= Duration::from_millis(990) && pause < Duration::from_secs(15), "{pause:?}");
    }
    assert!(seen.log().contains("WARNING - claimWork failed: the queue refuses: 401"), "{}", seen.log());
}

pub(crate) fn next_at_once() {
    let case = Case::new("true");
    case.story.claims.lock().unwrap().push_back(Ok(vec![claim_of(TWO, &definition())]));
    let seen = case.told(Order::Drain, |events| resolved(events) == 2);
    let at = |wanted: &dyn Fn(&Event) -> bool| {
        seen.events.iter().filter(|(_, event)| wanted(event)).map(|(at, _)| *at).collect::<Vec<_>>()
    };
    let claimed = at(&|event| *event == Event::Claimed);
    let resolved = at(&|event| matches!(event, Event::Resolved(..)));
    // Sooner than after the pause of a second.
    assert!(claimed[1] - resolved[0] < Duration::from_millis(990));
}

pub(crate) fn two_tasks() {
    let case = Case::new("sleep 1.5");
    let both = vec![claim(), claim_of(TWO, &definition())];
    *case.story.claims.lock().unwrap() = [Ok(both)].into();
    let case = Case { more: "reclaim_interval: 1".into(), ..case };
    let seen = case.told(Order::Drain, |events| resolved(events) == 2);
    let ended: Vec<&str> = seen
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Resolved(id, _) => Some(id.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(ended, [ONE, TWO]);
    let first_end = seen.events.iter().find(|(_, event)| matches!(event, Event::Resolved(..))).unwrap().0;
    assert!(seen.events.iter().any(|(at, event)| *event == Event::Renewed(TWO.into()) && *at < first_end));
}

pub(crate) fn idle_ends() {
    for order in [Order::ShutDown, Order::Drain] {
        let case = Case::new("true");
        case.story.claims.lock().unwrap().clear();
        let seen = case.told(order, |events| !events.is_empty());
        assert!(seen.took < Duration::from_secs(15), "{:?}", seen.took);
        assert_eq!(seen.exit, Exit::Told);
    }
}

pub(crate) fn renewed() {
    let seen = Case { more: "reclaim_interval: 1".into(), ..Case::new("sleep 2.6") }.run();
    // Before the start, and each second.
    assert_eq!(renewals(&seen), 3);
    assert_eq!(seen.resolutions(), [Resolution::Completed]);
}

pub(crate) fn lost_in_script() {
    let mut case = beginning("sleep 60; touch never");
    case.more = "reclaim_interval: 1".into();
    *case.story.renewals.lock().unwrap() = [Ok(()), conflict()].into();
    *case.story.reports.lock().unwrap() = [conflict()].into();
    let seen = case.run();
    assert!(seen.live().contains("claim is lost"), "{}", seen.live());
    assert!(!seen.has(DOCUMENT));
    assert_eq!(seen.resolutions().len(), 1, "reported once, and a conflict is nothing");
}

pub(crate) fn lost_in_verification() {
    let mut case = beginning("true");
    case.more = "reclaim_interval: 1".into();
    case.guard.takes = Duration::from_secs(30);
    *case.story.renewals.lock().unwrap() = [conflict()].into();
    let began = case.path("begun");
    let seen = case.run();
    assert!(!began.exists() && !seen.has(DOCUMENT));
    assert!(seen.live().contains("claim is lost"), "{}", seen.live());
}

pub(crate) fn lost_before_start() {
    let case = beginning("true");
    *case.story.renewals.lock().unwrap() = [conflict()].into();
    let began = case.path("begun");
    let seen = case.run();
    assert!(!began.exists() && !seen.has(DOCUMENT));
}

pub(crate) fn renewals_fail() {
    let unavailable = || Err(QueueError::Unavailable("500".into()));
    // They come back: the task goes on.
    let mut case = Case::new("sleep 3");
    case.more = "reclaim_interval: 1".into();
    *case.story.renewals.lock().unwrap() = [Ok(()), unavailable(), unavailable()].into();
    assert_eq!(case.run().resolutions(), [Resolution::Completed]);
    // They do not: the task ends with its claim.
    let mut case = Case::new("sleep 60");
    case.more = "reclaim_interval: 1".into();
    case.story.taken_for = Duration::from_secs(3);
    let failures = (0..60).map(|_| unavailable());
    *case.story.renewals.lock().unwrap() = [Ok(())].into_iter().chain(failures).collect();
    let seen = case.run();
    assert!(seen.live().contains("claim is lost") && renewals(&seen) >= 3, "{}", seen.live());
}

pub(crate) fn renewal_hangs() {
    let mut case = Case::new("sleep 60");
    case.more = "reclaim_interval: 1".into();
    case.story.taken_for = Duration::from_secs(3);
    case.story.renewals_hang = true;
    *case.story.renewals.lock().unwrap() = [Ok(())].into();
    let begun = Instant::now();
    let seen = case.run();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(seen.live().contains("claim is lost") && !seen.has(DOCUMENT), "{}", seen.live());
}

pub(crate) fn renewed_in_upload() {
    let mut case = Case::new("true");
    case.more = "reclaim_interval: 1".into();
    case.story.upload_takes = Duration::from_millis(2500);
    let seen = case.run();
    assert_eq!((seen.resolutions(), renewals(&seen)), (vec![Resolution::Completed], 3));
}

pub(crate) fn clean_start() {
    let mut case = Case::new("");
    let root = case.folder.path().display().to_string();
    case.script = format!(
        "set -e; test ! -e {root}/work/left; test ! -e {root}/artifacts/left; touch {root}/work/left {root}/artifacts/left"
    );
    case.story.claims.lock().unwrap().push_back(Ok(vec![claim_of(TWO, &definition())]));
    let seen = case.told(Order::Drain, |events| resolved(events) == 2);
    assert_eq!(seen.resolutions(), [Resolution::Completed, Resolution::Completed]);
}
