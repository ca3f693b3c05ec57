//! Chains: what becomes of a task that is not verified, and of one that is.

use super::harness::{
    Case, Event, Guard, ONE, TWO, beginning, begun, claim_of, definition, exception, resolved,
};
use catena_signing::DOCUMENT;
use catena_taskcluster::{ExceptionReason as Reason, Resolution};
use catena_worker::queue::UploadFailure;
use catena_worker::status::Status;
use catena_worker::worker::{Exit, Order};
use serde_json::json;
use std::sync::Mutex;
use std::time::{Duration, Instant};

pub(crate) fn verification_is_stopped() {
    let case = beginning("true");
    let case = Case { guard: Guard { takes: Duration::from_secs(50), refuses: None }, ..case };
    let began = case.path("begun");
    let seen = case.told(Order::ShutDown, {
        let started = Instant::now();
        move |events| !events.is_empty() && started.elapsed() > Duration::from_millis(500)
    });
    assert_eq!(seen.resolutions(), exception(Reason::WorkerShutdown));
    assert!(!began.exists() && seen.took < Duration::from_secs(30));
    assert!(seen.live().starts_with("The task was not run:\n"), "{}", seen.live());
}

pub(crate) fn rejected() {
    let mut case = beginning("true");
    case.guard.refuses = Some((Status::MALFORMED_PAYLOAD, false));
    let began = case.path("begun");
    let seen = case.run();
    assert_eq!(seen.resolutions(), exception(Reason::MalformedPayload));
    assert!(!began.exists() && !seen.has(DOCUMENT));
    assert_eq!(seen.live(), "The task was not run:\nREJECTED\nbecause of this\n");
    let chain = seen.file("public/logs/chain_of_trust.log");
    let lines: Vec<&str> = chain.lines().collect();
    assert!(lines[0].contains("    INFO - Running catena version"), "{chain}");
    assert!(lines[1].ends_with("CRITICAL - Chain of Trust verification error!"), "{chain}");
    assert!(
        lines[2].ends_with("REJECTED") && lines[3].ends_with("because of this") && lines.len() == 4,
        "{chain}"
    );
}

pub(crate) fn logs_refused() {
    let failed = |case: &mut Case, status| {
        case.story.upload = Some(UploadFailure { status, message: "no".into() });
    };
    for upload in [Status::INTERNAL_ERROR, Status::INTERMITTENT_TASK] {
        let mut case = Case::new("true");
        case.guard.refuses = Some((Status::MALFORMED_PAYLOAD, false));
        failed(&mut case, upload);
        assert_eq!(case.run().resolutions(), exception(Reason::MalformedPayload));
    }
    // The queue runs it again only by this reason.
    let mut case = beginning("sleep 60");
    failed(&mut case, Status::RESOURCE_UNAVAILABLE);
    let until = begun(&case);
    assert_eq!(case.told(Order::ShutDown, until).resolutions(), exception(Reason::WorkerShutdown));
}

pub(crate) fn undetermined() {
    let mut case = Case::new("true");
    case.guard.refuses = Some((Status::INTERMITTENT_TASK, false));
    assert_eq!(case.run().resolutions(), exception(Reason::IntermittentTask));
}

pub(crate) fn good() {
    let seen = Case::new("true").run();
    let chain = seen.file("public/logs/chain_of_trust.log");
    assert!(chain.ends_with("INFO - Good.\n"), "{chain}");
    assert!(seen.document()["artifacts"].get("public/logs/chain_of_trust.log").is_some());
}

pub(crate) fn misconfigured() {
    let mut case = Case::new("true");
    case.guard.refuses = Some((Status::INTERNAL_ERROR, true));
    case.story.claims.lock().unwrap().push_back(Ok(vec![claim_of(TWO, &definition())]));
    let ended = Mutex::new(None);
    let seen = case.told(Order::ShutDown, move |events| {
        let mut ended = ended.lock().unwrap();
        resolved(events) == 1
            && ended.get_or_insert_with(Instant::now).elapsed() > Duration::from_millis(1500)
    });
    assert_eq!(seen.resolutions(), exception(Reason::InternalError));
    assert_eq!(seen.exit, Exit::Misconfigured);
    assert_eq!(seen.events.iter().filter(|(_, event)| *event == Event::Claimed).count(), 1);
}

pub(crate) fn unenforced() {
    for (mode, warns) in [("warn", true), ("shadow", false)] {
        let mut case = Case::new("echo ran");
        case.guard.refuses = Some((Status::MALFORMED_PAYLOAD, true));
        case.more = format!("cot_mode: {mode}");
        let seen = case.run();
        assert_eq!((seen.exit, seen.resolutions()), (Exit::Told, vec![Resolution::Completed]));
        let document = seen.document();
        assert_eq!(document["environment"], json!({"clearance": "none", "clearanceMode": mode}));
        let (live, chain) = (seen.live(), seen.file("public/logs/chain_of_trust.log"));
        assert!(live.ends_with("ran\nexit code: 0\n"), "{live}");
        assert_eq!(
            live.contains("RUNS WITHOUT A CLEARANCE") && live.contains("because of this"),
            warns,
            "{live}"
        );
        assert!(chain.contains("CRITICAL - because of this") && !chain.contains("Good."), "{chain}");
        let log = seen.log();
        assert!(log.contains(&format!("RUNS WITHOUT A CLEARANCE: cot_mode is {mode}")), "{log}");
    }
}

pub(crate) fn unenforced_malformed() {
    let mut task = definition();
    task["payload"]["upstreamArtifacts"] = json!([{"taskId": TWO, "taskType": "build", "paths": ["../a"]}]);
    let mut case = Case::new("touch $PWD/ran");
    case.more = "cot_mode: shadow".to_owned();
    *case.story.claims.lock().unwrap() = [Ok(vec![claim_of(ONE, &task)])].into();
    let seen = case.run();
    assert_eq!(seen.resolutions(), exception(Reason::MalformedPayload));
    assert!(!seen.has(DOCUMENT) && seen.live().starts_with("The task was not run:"), "{}", seen.live());
}
